"""Write a delivery as an e-mail: text and HTML, in the reader's language, readable in ten seconds.

The mail has no remote images, nothing that tells us whether it was read, and no link that changes anything when followed.
"""

import binascii
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.charset import BASE64, Charset
from email.header import Header
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import Compat32
from email.utils import format_datetime, formataddr, parseaddr
from types import MappingProxyType

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from partnerships.mailing.calendar_events import single_event
from partnerships.mailing.digest import digest_context, most_urgent
from partnerships.mailing.envelopes import CATCH_UP_AFTER
from partnerships.mailing.news import news_of
from partnerships.mailing.partners import load_targets, partners_of
from partnerships.mailing.people import People, disclosed_contacts, people_of, person_lines
from partnerships.mailing.wording import Why, long_date, one_line, tone, what_to_do, when_words, why_words
from partnerships.models import Agreement, Contact, Delivery, Milestone, MilestoneKind, ReminderItem, User, hide_unseen
from partnerships.models.contact_tokens import mail_token
from partnerships.models.office_day import zone_named
from partnerships.reminders.clock import Clock

LONGEST_LINE = 76
LONGEST_LINE_ALLOWED = 998  # RFC 5322
# In quoted-printable text no "=" is followed by "_": no part can hold one.
BOUNDARIES = {"alternative": "=_text_or_html_=", "mixed": "=_mail_and_date_=", "related": "=_html_and_images_="}
LATE_AFTER = dt.timedelta(hours=2)
TEMPLATES = "partnerships/mail"
_inliner = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
_utf8 = Charset("utf-8")
_utf8.header_encoding = BASE64


class _MailPolicy(Compat32):
    """Folds headers between words and never rewrites them; a short line is written as it is, which is faster."""

    def fold_binary(self, name: str, value: str | Header) -> bytes:
        line = f"{name}: {value}" if isinstance(value, str) else ""
        is_one_word = " " not in str(value) and len(line) <= LONGEST_LINE_ALLOWED  # such as an address with a token
        if line and (len(line) <= LONGEST_LINE or is_one_word) and line.isascii() and line.isprintable():
            return f"{line}{self.linesep}".encode()
        return super().fold_binary(name, value)  # type: ignore[arg-type] # it takes both


SMTP_POLICY = _MailPolicy(linesep="\r\n")  # the line ends of RFC 5322


@dataclass(frozen=True)
class Written:
    """A message: the address as given to the server, the subject, and the bytes with CRLF line ends.

    ``disclosed`` are the contacts whose numbers it tells its reader; nobody if the text was written earlier.
    """

    address: str
    subject: str
    data: bytes
    disclosed: Sequence[Contact] = ()


def write(delivery: Delivery, items: Sequence[ReminderItem], clock: Clock, *, names_people: bool = True) -> Written:
    """Write the mail of ``items``. Raises ``ValueError`` for an address that no mail server would understand.

    Items of one milestone make a reminder, also in the envelope of a digest; items of several make a digest. Without
    ``names_people`` the partners' people are left out, for a preview that somebody other than the reader sees.
    """
    due_at, real_now = clock.due_at, clock.real_now
    reader = delivery.reader
    if delivery.person is not None:
        load_targets([item.plan.milestone for item in items])
        hide_unseen([item.plan.milestone for item in items], delivery.person)
    milestones = list({item.plan.milestone_id: item.plan.milestone for item in items}.values())
    people: People = {}
    if delivery.person is not None and names_people:
        people = people_of(most_urgent(milestones), delivery.person)
    with translation.override(reader.language):
        if len(milestones) == 1 or delivery.person is None:
            template, context = "reminder", _context(delivery, items, due_at, people)
        else:
            template, context = "digest", digest_context(delivery.person, items, due_at, people)
        # A contact gets no event: it would link to a page that they cannot open.
        event = None
        if delivery.person is not None and _is_ones_own(items, milestones):
            event = single_event(milestones[0], delivery.person, changed_at=real_now)
        written = compose(delivery, template, context, milestones, event=event, real_now=real_now)
        return replace(written, disclosed=disclosed_contacts(people))


def compose(
    delivery: Delivery,
    template: str,
    context: dict[str, object],
    milestones: Sequence[Milestone],
    *,
    real_now: dt.datetime,
    event: bytes | None = None,
    images: Mapping[str, bytes] = MappingProxyType({}),
) -> Written:
    """Render ``template`` with ``context`` in the active language; raises like ``write``.

    ``images`` are PNG files inside the mail, by the name under which its HTML shows them (``cid:name``).
    """
    reader, subject = delivery.reader, str(context["subject"])
    address = ascii_address(reader.email)
    text = render_to_string(f"{TEMPLATES}/{template}.txt", context).strip() + "\n"
    html = _inliner.inline(render_to_string(f"{TEMPLATES}/{template}.html", context))
    mail = _with_event(_body(text, html), event) if event else _body(text, html, images)
    _write_headers(mail, delivery, milestones, real_now)
    mail["Subject"] = _encoded(subject, "Subject")
    mail["To"] = _mailbox(reader.name, address, "To")
    return Written(address, subject, mail.as_bytes(policy=SMTP_POLICY))


def _body(text: str, html: str, images: Mapping[str, bytes] = MappingProxyType({})) -> MIMEMultipart:
    body = MIMEMultipart("alternative", boundary=BOUNDARIES["alternative"])
    body.attach(_text_part(text, "plain"))
    shown = _text_part(html, "html")
    body.attach(_with_images(shown, images) if images else shown)
    return body


def _with_images(html: MIMENonMultipart, images: Mapping[str, bytes]) -> MIMEMultipart:
    """Put images beside the HTML that shows them: nothing is fetched from anywhere when the mail is read."""
    related = MIMEMultipart("related", boundary=BOUNDARIES["related"])
    related.attach(html)
    for name, data in images.items():
        part = MIMEImage(data, "png")
        part["Content-ID"] = f"<{name}>"
        part.add_header("Content-Disposition", "inline", filename=f"{name}.png")
        related.attach(part)
    return related


def _is_ones_own(items: Sequence[ReminderItem], milestones: Sequence[Milestone]) -> bool:
    """Return whether the mail is about one date that is the reader's own, which belongs in their calendar.

    A digest carries no event; the calendar feed serves several dates.
    """
    return len(milestones) == 1 and any(Why(item.why) in {Why.OWNER, Why.STAND_IN} for item in items)


def _with_event(body: MIMEMultipart, event: bytes) -> MIMEMultipart:
    """Attach the date beside the text, so that no client shows it in place of the text."""
    mail = MIMEMultipart("mixed", boundary=BOUNDARIES["mixed"])
    mail.attach(body)
    part = _text_part(event.decode(), "calendar")
    part.set_param("method", "PUBLISH")
    part.add_header("Content-Disposition", "attachment", filename="date.ics")
    mail.attach(part)
    return mail


def _write_headers(
    mail: MIMEMultipart, delivery: Delivery, milestones: Sequence[Milestone], real_now: dt.datetime
) -> None:
    domain = settings.EMAIL_ID_DOMAIN
    sender, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    # A name that the catalog knows, as it does the default one, is translated; any other stays as the operator wrote it.
    mail["From"] = _mailbox(_(sender) if sender else "", address, "From")
    answered_by = _answered_by(milestones, delivery.reader)
    if answered_by is not None:
        mail["Reply-To"] = _mailbox(answered_by.name, ascii_address(answered_by.email), "Reply-To")
    mail["Date"] = format_datetime(real_now)
    mail["Message-ID"] = delivery.message_id
    if len(milestones) == 1:  # clients then show all mails about a milestone as one conversation
        mail["References"] = f"<milestone-{milestones[0].pk}@{domain}>"
    mail["List-Id"] = f"Partnership reminders <reminders.{domain}>"
    if delivery.contact is not None:
        # RFC 8058: mail programs show a button that stops these mails by one POST, without a visit.
        mail["List-Unsubscribe"] = f"<{_page_of_contact(delivery.contact)}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"


def _page_of_contact(contact: Contact) -> str:
    return settings.SITE_URL + reverse("contact_mail", args=[mail_token(contact)])


def _answered_by(milestones: Sequence[Milestone], reader: User | Contact) -> User | None:
    """Return who gets an answer to the mail, if it is the same person for all of its milestones."""
    found = {_answers_for(milestone, reader) for milestone in milestones}
    return found.pop() if len(found) == 1 else None


def _answers_for(milestone: Milestone, reader: User | Contact) -> User | None:
    """Return the coordinator, the owner or the fallback person, but never the reader."""
    agreement = milestone.agreement
    coordinator = agreement.coordinator if isinstance(agreement, Agreement) else None
    candidates = (coordinator, milestone.owner, milestone.unit.fallback_person)
    return next((one for one in candidates if one and one.is_reachable and one != reader), None)


def ascii_address(address: str) -> str:
    """Return the address with its domain in ASCII; raise ``ValueError`` for any other local part, or no address."""
    local, at, domain = address.rpartition("@")
    if not local or not at or not local.isascii() or any(sign.isspace() or sign in "<>," for sign in address):
        raise ValueError(f"{address!r} is not an address we can send to")
    return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode('ascii')}"


def _mailbox(name: str, address: str, header: str) -> str:
    name = one_line(name)
    if not name or name.isascii():
        return formataddr((name, address))
    return f"{_encoded(name, header)} <{address}>"


def _encoded(text: str, header: str) -> str:
    return text if text.isascii() else Header(text, _utf8, header_name=header).encode()


def _text_part(text: str, subtype: str) -> MIMENonMultipart:
    """Return a part in seven bits and lines of 76, which every relay can pass on."""
    part = MIMENonMultipart("text", subtype, charset="utf-8")
    part["Content-Transfer-Encoding"] = "quoted-printable"
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    part.set_payload(binascii.b2a_qp(lines.encode()).decode("ascii"))
    return part


def _context(
    delivery: Delivery, items: Sequence[ReminderItem], due_at: dt.datetime, people: People
) -> dict[str, object]:
    milestone = items[0].plan.milestone
    zone = zone_named(milestone.unit.time_zone)
    days_left = (milestone.due_on - timezone.localdate(due_at, zone)).days
    unit, title, when = one_line(milestone.unit.display_name), one_line(milestone.display_title), when_words(days_left)
    kind = str(MilestoneKind(milestone.kind).label)
    context: dict[str, object] = {
        "person": one_line(delivery.reader.name),
        "language": translation.get_language(),
        "title": title,
        "due_local": long_date(milestone.due_on),
        "when": when,
        "headline": _("Due %(when)s") % {"when": when} if days_left >= 0 else when,
        "news": news_of(items).get(milestone.pk, ""),
        "tone": tone(days_left),
        "what_to_do": what_to_do(milestone, {Why(item.why) for item in items}),
        "description": milestone.description.strip(),
        "people": person_lines(people.get(milestone.pk, ())),
        "partners": partners_of([milestone]).get(milestone.pk, "") if delivery.person is not None else "",
        "details": [*_details(milestone), (_("Unit"), unit), (_("Kind"), kind)],
        "why": list(dict.fromkeys(why_words(item, milestone) for item in items)),
        "planned_for": _planned_for(delivery, items, due_at, zone),
        "link": settings.SITE_URL + milestone.get_absolute_url(),
        "stop_label": _("When and how reminders reach you"),
        "stop_link": settings.SITE_URL + reverse("me"),
    }
    if delivery.contact is not None:
        context |= _for_contacts(milestone, delivery.contact)
    # Translators: the subject of a reminder: unit, title, "in 7 days", 2026-12-01
    context["subject"] = _("[%(unit)s] %(title)s — %(when)s (%(date)s)") % {
        "unit": Truncator(unit).chars(60),
        "title": Truncator(title).chars(120),
        "when": when,
        "date": milestone.due_on.isoformat(),
    }
    return context


def _for_contacts(milestone: Milestone, contact: Contact) -> dict[str, object]:
    """Return what differs for a contact, who cannot log in and does not see our own notes."""
    stop = {"stop_label": _("Stop these mails"), "stop_link": _page_of_contact(contact)}
    details = [(_("Agreement"), milestone.agreement), (_("Owed by"), milestone.party)]
    shown = [(label, one_line(str(value))) for label, value in details if value is not None]
    return {"description": "", "news": "", "details": shown, "link": "", **stop}


def _details(milestone: Milestone) -> list[tuple[str, str]]:
    details = [
        (_("Agreement"), milestone.agreement),
        (_("Activity"), milestone.activity),
        (_("Event"), milestone.event),
        (_("Organization"), milestone.organization),
        (_("Owed by"), milestone.party),
        (_("Owner"), milestone.owner),
    ]
    return [(label, one_line(str(value))) for label, value in details if value is not None]


def _planned_for(delivery: Delivery, items: Sequence[ReminderItem], due_at: dt.datetime, zone: dt.tzinfo) -> str:
    """Return when a late mail should have come; "" if it is not late. A digest is expected to take its time."""
    planned = max(item.plan.send_at for item in items)
    late_after = CATCH_UP_AFTER if delivery.kind == Delivery.Kind.DIGEST else LATE_AFTER
    local = planned.astimezone(zone)
    return f"{date_format(local.date())} {local:%H:%M}" if due_at - planned >= late_after else ""
