"""A delivery as an e-mail: text and HTML, in the person's language, readable in ten seconds.

Returns bytes that no later change alters. No remote images, nothing that tells us whether it was read, and no link
that changes anything when followed.
"""

import datetime as dt
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from email import policy
from email.charset import QP, Charset
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import format_datetime, formataddr, parseaddr

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from partnerships.models import Delivery, Milestone, ReminderItem, User
from partnerships.reminders.advice import what_the_owner_does
from partnerships.reminders.rulebook import zone_named

Why = ReminderItem.Why
# RFC 5322 line ends; compat32 folds headers between words and never rewrites them.
SMTP_POLICY = policy.compat32.clone(linesep="\r\n")
LATE_AFTER = dt.timedelta(hours=2)
SOON_DAYS = 3
TEMPLATE = "partnerships/mail/reminder"
_inliner = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
_utf8 = Charset("utf-8")
_utf8.body_encoding = QP  # seven bits and lines of 76, whatever the relay can do


@dataclass(frozen=True)
class Written:
    """``address`` as spoken to the server, ``data`` with CRLF line ends."""

    address: str
    subject: str
    data: bytes


def write(delivery: Delivery, items: Sequence[ReminderItem], *, now: dt.datetime, at: dt.datetime) -> Written:
    """``now`` says how many days are left, ``at`` stands in the Date header. All items are of one milestone.

    Raises ``ValueError`` for an address no mail server would understand.
    """
    person = delivery.person
    address = ascii_address(person.email)
    with translation.override(person.language):
        context = _context(person, items, now)
        text = render_to_string(f"{TEMPLATE}.txt", context).strip() + "\n"
        html = _inliner.inline(render_to_string(f"{TEMPLATE}.html", context))
    mail = MIMEMultipart("alternative")
    _write_headers(mail, delivery, items[0].plan.milestone, at)
    mail["Subject"] = _encoded(context["subject"], "Subject")
    mail["To"] = _mailbox(person.name, address, "To")
    mail.attach(_text_part(text, "plain"))
    mail.attach(_text_part(html, "html"))
    return Written(address, context["subject"], mail.as_bytes(policy=SMTP_POLICY))


def _write_headers(mail: MIMEMultipart, delivery: Delivery, milestone: Milestone, at: dt.datetime) -> None:
    domain = settings.EMAIL_ID_DOMAIN
    mail["From"] = _mailbox(*parseaddr(settings.DEFAULT_FROM_EMAIL), "From")
    answered_by = _answered_by(milestone, delivery.person)
    if answered_by is not None:
        mail["Reply-To"] = _mailbox(answered_by.name, ascii_address(answered_by.email), "Reply-To")
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = delivery.message_id
    mail["References"] = f"<milestone-{milestone.pk}@{domain}>"  # so that clients thread what is about one milestone
    mail["List-Id"] = f"Partnership reminders <reminders.{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"


def _answered_by(milestone: Milestone, reader: User) -> User | None:
    """Who gets an answer to the mail: the coordinator, the owner or the fallback person, but never the reader."""
    coordinator = milestone.agreement.coordinator if milestone.agreement else None
    candidates = (coordinator, milestone.owner, milestone.unit.fallback_person)
    return next((one for one in candidates if one and one.is_reachable and one.pk != reader.pk), None)


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
    return text if text.isascii() else Header(text, "utf-8", header_name=header).encode()


def _text_part(text: str, subtype: str) -> MIMEText:
    return MIMEText(text, subtype, _utf8)  # type: ignore[arg-type] # a Charset is as good as its name


def one_line(text: str) -> str:
    """Controls, line breaks and marks that reorder text become spaces: a title cannot add a header or hide its end."""
    visible = "".join(" " if unicodedata.category(sign).startswith("C") else sign for sign in text)
    return " ".join(visible.split())


def _context(person: User, items: Sequence[ReminderItem], now: dt.datetime) -> dict:
    milestone = items[0].plan.milestone
    zone = zone_named(milestone.unit.time_zone)
    days_left = (milestone.due_on - timezone.localdate(now, zone)).days
    context = {
        "person": one_line(person.name),
        "language": translation.get_language(),
        "unit": one_line(milestone.unit.display_name),
        "kind": milestone.get_kind_display(),
        "title": one_line(milestone.display_title),
        "due_iso": milestone.due_on.isoformat(),
        "due_local": _long_date(milestone.due_on),
        "when": when_words(days_left),
        "headline": _("Due %(when)s") % {"when": when_words(days_left)} if days_left >= 0 else when_words(days_left),
        "tone": _tone(days_left),
        "what_to_do": _what_to_do(milestone, {Why(item.why) for item in items}),
        "description": milestone.description.strip(),
        "details": _details(milestone),
        "why": [_why_words(item, milestone) for item in items],
        "planned_for": _planned_for(items, now, zone),
        "link": settings.SITE_URL + milestone.get_absolute_url(),
    }
    context["why"] = list(dict.fromkeys(context["why"]))
    return {**context, "subject": _subject(context)}


def _subject(context: dict) -> str:
    # Translators: the subject of a reminder: unit, title, "in 7 days", 2026-12-01
    return _("[%(unit)s] %(title)s — %(when)s (%(date)s)") % {
        "unit": Truncator(context["unit"]).chars(60),
        "title": Truncator(context["title"]).chars(120),
        "when": context["when"],
        "date": context["due_iso"],
    }


def _long_date(day: dt.date) -> str:
    # Translators: a Django date format; in Chinese "Y年n月j日 l"
    return date_format(day, pgettext("format of a long date", "l, F j, Y"))


def when_words(days_left: int) -> str:
    if days_left == 0:
        return _("today")
    if days_left == 1:
        return _("tomorrow")
    if days_left > 1:
        return ngettext("in %(days)s day", "in %(days)s days", days_left) % {"days": days_left}
    return ngettext("%(days)s day overdue", "%(days)s days overdue", -days_left) % {"days": -days_left}


def _tone(days_left: int) -> str:
    if days_left < 0:
        return "overdue"
    return "soon" if days_left <= SOON_DAYS else "ahead"


def _what_to_do(milestone: Milestone, why: set[ReminderItem.Why]) -> str:
    if Why.FALLBACK in why:
        return _("Those it is meant for cannot be told: give it an owner who can look after it.")
    if milestone.owner is not None and why <= {Why.LEAD, Why.NAMED}:
        return _("Ask %(owner)s how it stands, or give it to somebody else.") % {
            "owner": one_line(milestone.owner.name)
        }
    return what_the_owner_does(milestone)


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


def _why_words(item: ReminderItem, milestone: Milestone) -> str:
    names = {"owner": one_line(str(milestone.owner or "")), "unit": one_line(milestone.unit.display_name)}
    return {
        Why.OWNER: _("You look after this milestone."),
        Why.STAND_IN: _("You stand in for %(owner)s, who is away."),
        Why.DEPUTY: _("You are the deputy of %(owner)s, who looks after this milestone."),
        Why.LEAD: _("You lead the unit %(unit)s or a unit above it."),
        Why.NAMED: _("A reminder rule names you."),
        Why.FALLBACK: _("Nobody else can be told, and you are the fallback person."),
    }[Why(item.why)] % names


def _planned_for(items: Sequence[ReminderItem], now: dt.datetime, zone: dt.tzinfo) -> str:
    """When it should have come, if it is late."""
    planned = max(item.plan.send_at for item in items)
    return f"{planned.astimezone(zone):%Y-%m-%d %H:%M}" if now - planned >= LATE_AFTER else ""
