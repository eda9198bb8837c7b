"""A delivery as an e-mail: text and HTML, in the person's language, readable in ten seconds.

Returns bytes that no later change alters. No remote images, nothing that tells us whether it was read, and no link
that changes anything when followed.
"""

import binascii
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from email.charset import BASE64, Charset
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import Compat32
from email.utils import format_datetime, formataddr, parseaddr
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from partnerships.mailing.calendar_events import single_event
from partnerships.mailing.digest import digest_context
from partnerships.mailing.envelopes import CATCH_UP_AFTER
from partnerships.mailing.wording import Why, long_date, one_line, tone, what_to_do, when_words, why_words
from partnerships.models import Contact, Delivery, Milestone, MilestoneKind, ReminderItem, User
from partnerships.reminders.rule_set import zone_named

LONGEST_LINE = 76
# In quoted-printable text no "=" is followed by "_": no part can hold one.
BOUNDARIES = {"alternative": "=_text_or_html_=", "mixed": "=_mail_and_date_="}
LATE_AFTER = dt.timedelta(hours=2)
TEMPLATES = "partnerships/mail"
_inliner = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
_utf8 = Charset("utf-8")
_utf8.header_encoding = BASE64


class _MailPolicy(Compat32):
    """Folds headers between words and never rewrites them. Most are one short line, which is quickly seen."""

    def fold_binary(self, name: str, value: str | Header) -> bytes:
        line = f"{name}: {value}" if isinstance(value, str) else ""
        if line and len(line) <= LONGEST_LINE and line.isascii() and line.isprintable():
            return f"{line}{self.linesep}".encode()
        return super().fold_binary(name, value)  # type: ignore[arg-type] # it takes both


SMTP_POLICY = _MailPolicy(linesep="\r\n")  # the line ends of RFC 5322


@dataclass(frozen=True)
class Written:
    """``address`` as spoken to the server, ``data`` with CRLF line ends."""

    address: str
    subject: str
    data: bytes


def write(delivery: Delivery, items: Sequence[ReminderItem], *, now: dt.datetime, at: dt.datetime) -> Written:
    """``now`` says how many days are left, ``at`` stands in the Date header.

    Items of one milestone make a reminder, also in the envelope of a digest; items of several make a digest. Raises ``ValueError`` for an address no mail server would understand.
    """
    reader = delivery.reader
    milestones = list({item.plan.milestone_id: item.plan.milestone for item in items}.values())
    with translation.override(reader.language):
        if len(milestones) == 1 or delivery.person is None:
            template, context = "reminder", _context(delivery, items, now)
        else:
            template, context = "digest", digest_context(delivery.person, items, now)
        event = None
        if delivery.person is not None and _is_ones_own(items, milestones):
            event = single_event(milestones[0], delivery.person, changed_at=at)
        return compose(delivery, template, context, milestones, event=event, at=at)


def compose(
    delivery: Delivery,
    template: str,
    context: dict[str, Any],
    milestones: Sequence[Milestone],
    *,
    at: dt.datetime,
    event: bytes | None = None,
) -> Written:
    """The mail ``template`` makes of ``context`` in the language that is active; raises as ``write`` does."""
    reader = delivery.reader
    address = ascii_address(reader.email)
    text = render_to_string(f"{TEMPLATES}/{template}.txt", context).strip() + "\n"
    html = _inliner.inline(render_to_string(f"{TEMPLATES}/{template}.html", context))
    mail = _with_event(_body(text, html), event) if event else _body(text, html)
    _write_headers(mail, delivery, milestones, at)
    mail["Subject"] = _encoded(context["subject"], "Subject")
    mail["To"] = _mailbox(reader.name, address, "To")
    return Written(address, context["subject"], mail.as_bytes(policy=SMTP_POLICY))


def _body(text: str, html: str) -> MIMEMultipart:
    body = MIMEMultipart("alternative", boundary=BOUNDARIES["alternative"])
    body.attach(_text_part(text, "plain"))
    body.attach(_text_part(html, "html"))
    return body


def _is_ones_own(items: Sequence[ReminderItem], milestones: Sequence[Milestone]) -> bool:
    """One date, and the reader's to keep: what others owe belongs into nobody's calendar.

    A digest carries none: several dates are what the feed is for.
    """
    return len(milestones) == 1 and any(Why(item.why) in {Why.OWNER, Why.STAND_IN} for item in items)


def _with_event(body: MIMEMultipart, event: bytes) -> MIMEMultipart:
    """The date for the reader's calendar, to take or to leave: beside the text, so that no client shows it in its place."""
    mail = MIMEMultipart("mixed", boundary=BOUNDARIES["mixed"])
    mail.attach(body)
    part = _text_part(event.decode(), "calendar")
    part.set_param("method", "PUBLISH")
    part.add_header("Content-Disposition", "attachment", filename="date.ics")
    mail.attach(part)
    return mail


def _write_headers(mail: MIMEMultipart, delivery: Delivery, milestones: Sequence[Milestone], at: dt.datetime) -> None:
    domain = settings.EMAIL_ID_DOMAIN
    mail["From"] = _mailbox(*parseaddr(settings.DEFAULT_FROM_EMAIL), "From")
    answered_by = _answered_by(milestones, delivery.reader)
    if answered_by is not None:
        mail["Reply-To"] = _mailbox(answered_by.name, ascii_address(answered_by.email), "Reply-To")
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = delivery.message_id
    if len(milestones) == 1:  # so that clients thread what is about one milestone
        mail["References"] = f"<milestone-{milestones[0].pk}@{domain}>"
    mail["List-Id"] = f"Partnership reminders <reminders.{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"


def _answered_by(milestones: Sequence[Milestone], reader: User | Contact) -> User | None:
    """Who gets an answer to the mail, when it is the same person for all of it."""
    found = {_answers_for(milestone, reader) for milestone in milestones}
    return found.pop() if len(found) == 1 else None


def _answers_for(milestone: Milestone, reader: User | Contact) -> User | None:
    """The coordinator, the owner or the fallback person, but never the reader."""
    coordinator = milestone.agreement.coordinator if milestone.agreement else None
    candidates = (coordinator, milestone.owner, milestone.unit.fallback_person)
    return next((one for one in candidates if one and one.is_reachable and one != reader), None)


def ascii_address(address: str) -> str:
    """The address for the envelope: an international domain in its ASCII form.

    Raises ``ValueError`` when the local part is not ASCII or the whole is no address.
    """
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
    """Seven bits and lines of 76, whatever the relay can do."""
    part = MIMENonMultipart("text", subtype, charset="utf-8")
    part["Content-Transfer-Encoding"] = "quoted-printable"
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    part.set_payload(binascii.b2a_qp(lines.encode()).decode("ascii"))
    return part


def _context(delivery: Delivery, items: Sequence[ReminderItem], now: dt.datetime) -> dict:
    milestone = items[0].plan.milestone
    zone = zone_named(milestone.unit.time_zone)
    days_left = (milestone.due_on - timezone.localdate(now, zone)).days
    context = {
        "person": one_line(delivery.reader.name),
        "language": translation.get_language(),
        "unit": one_line(milestone.unit.display_name),
        "kind": MilestoneKind(milestone.kind).label,
        "title": one_line(milestone.display_title),
        "due_iso": milestone.due_on.isoformat(),
        "due_local": long_date(milestone.due_on),
        "when": when_words(days_left),
        "headline": _("Due %(when)s") % {"when": when_words(days_left)} if days_left >= 0 else when_words(days_left),
        "tone": tone(days_left),
        "what_to_do": what_to_do(milestone, {Why(item.why) for item in items}),
        "description": milestone.description.strip(),
        "details": _details(milestone),
        "why": [why_words(item, milestone) for item in items],
        "planned_for": _planned_for(delivery, items, now, zone),
        "link": settings.SITE_URL + milestone.get_absolute_url(),
    }
    if delivery.contact is not None:
        context |= _for_contacts(milestone)
    context["why"] = list(dict.fromkeys(context["why"]))
    return {**context, "subject": _subject(context)}


def _for_contacts(milestone: Milestone) -> dict:
    """They cannot log in, and what we note for ourselves is not for them."""
    details = [(_("Agreement"), milestone.agreement), (_("Owed by"), milestone.party)]
    shown = [(label, one_line(str(value))) for label, value in details if value is not None]
    return {"description": "", "details": shown, "link": ""}


def _subject(context: dict) -> str:
    # Translators: the subject of a reminder: unit, title, "in 7 days", 2026-12-01
    return _("[%(unit)s] %(title)s — %(when)s (%(date)s)") % {
        "unit": Truncator(context["unit"]).chars(60),
        "title": Truncator(context["title"]).chars(120),
        "when": context["when"],
        "date": context["due_iso"],
    }


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


def _planned_for(delivery: Delivery, items: Sequence[ReminderItem], now: dt.datetime, zone: dt.tzinfo) -> str:
    """When it should have come, if it is late; who asked for a digest expects to wait for it."""
    planned = max(item.plan.send_at for item in items)
    late_after = CATCH_UP_AFTER if delivery.kind == Delivery.Kind.DIGEST else LATE_AFTER
    return f"{planned.astimezone(zone):%Y-%m-%d %H:%M}" if now - planned >= late_after else ""
