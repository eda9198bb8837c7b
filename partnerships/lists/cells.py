"""HTML of the values that lists and pages show: days, statuses, links, citations."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partnerships.models import Agreement, AgreementParty, Citation, HiddenRecord, Organization, Unit, User
from partnerships.models.base import status_of
from partnerships.partial_dates import PartialDate
from partnerships.texts import LazyText, name_a_few

Text = str | Promise
# Citations by content type and id of the record they are about.
Cited = dict[tuple[int, int], list[Citation]]

EMPTY = mark_safe("")
DASH = mark_safe("—")
SOON_DAYS = 3


class HasPage(Protocol):
    """A record with a page of its own."""

    def get_absolute_url(self) -> str: ...


class HasOrganization(Protocol):
    """A row that says which organization takes part in something."""

    @property
    def organization(self) -> Organization: ...


def show(value: object) -> SafeString:
    """Return a value the way its type is shown; empty for None and for empty text."""
    if isinstance(value, SafeString):
        shown = value
    elif value is None or value == "":
        shown = EMPTY
    elif isinstance(value, bool):
        shown = escape(_("yes") if value else _("no"))
    elif isinstance(value, dt.datetime):
        shown = moment(value)
    elif isinstance(value, (dt.date, PartialDate)):
        shown = day(value)
    elif isinstance(value, Unit):
        shown = unit(value)
    elif isinstance(value, HiddenRecord) or (isinstance(value, Model) and hasattr(value, "get_absolute_url")):
        shown = link(value)
    else:
        shown = escape(str(value))
    return shown


def day(value: dt.date | PartialDate | None) -> SafeString:
    """Return a date in the reader's language, with its ISO form for machines; a dash for None."""
    if value is None:
        return DASH
    if isinstance(value, PartialDate):
        if not value.is_complete:
            return quiet(value)
        value = value.day
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), date_format(value, "DATE_FORMAT"))


def moment(value: dt.datetime) -> SafeString:
    """Return a date and time in the reader's time zone."""
    machine = timezone.localtime(value).isoformat(timespec="minutes")
    return format_html('<time datetime="{}">{}</time>', machine, moment_in_words(value))


def moment_in_words(value: dt.datetime) -> str:
    """Return a date and time in the reader's time zone, as plain text."""
    local = timezone.localtime(value)
    return f"{date_format(local, 'DATE_FORMAT')} {date_format(local, 'H:i')}"


def days_from(value: dt.date, today: dt.date) -> str:
    """Return how far away a day is: "in 5 days", "today", "3 days late"."""
    days = (value - today).days
    if days == 0:
        return _("today")
    if days == 1:
        return _("tomorrow")
    if days > 0:
        return ngettext("in %(days)s day", "in %(days)s days", days) % {"days": days}
    return ngettext("%(days)s day late", "%(days)s days late", -days) % {"days": -days}


def urgency(value: dt.date, today: dt.date) -> str:
    """Return "late", "soon" or "later", which the style sheet colors."""
    days = (value - today).days
    return "late" if days < 0 else "soon" if days <= SOON_DAYS else "later"


def due(value: dt.date, today: dt.date, extra_class: str = "") -> SafeString:
    """Return how far away a due date is, colored by its urgency."""
    return format_html(
        '<span class="due due-{}{}">{}</span>', urgency(value, today), extra_class, days_from(value, today)
    )


def status(row: Model) -> SafeString:
    """Return the badge of a record's status."""
    shown = status_of(row)
    return format_html('<span class="status tone-{}">{}</span>', shown.tone, shown.label)


def status_on(row: Model, today: dt.date) -> SafeString:
    """Return the badge of a record's status, as a cell of a list."""
    return status(row)


def mark(words: Text, extra_class: str = "") -> SafeString:
    """Return a small label beside a value."""
    return format_html('<span class="mark{}">{}</span>', extra_class, words)


def quiet(words: object) -> SafeString:
    """Return words that stand in for a missing value."""
    return format_html('<span class="quiet">{}</span>', words)


def link(row: HasPage | HiddenRecord, words: object = None, css_class: str = "") -> SafeString:
    """Return a link to a record's page, named after the record unless ``words`` are given; none to a hidden record."""
    if isinstance(row, HiddenRecord):
        return quiet(row)
    shown_class = format_html(' class="{}"', css_class) if css_class else ""
    return format_html('<a{} href="{}">{}</a>', shown_class, row.get_absolute_url(), row if words is None else words)


def unit(row: Unit) -> SafeString:
    """Return the short name of a unit, with its name as the title; the name alone where it has no other."""
    short, name = row.display_short_name, row.display_name
    return escape(name) if short == name else format_html('<span title="{}">{}</span>', name, short)


def row_title(row: HasPage, words: object) -> SafeString:
    """Return the link that names a row of a list."""
    return format_html('<a class="row-title" href="{}">{}</a>', row.get_absolute_url(), words)


def days_ago(value: dt.date, today: dt.date) -> str:
    """Return how long ago a day was: "today", "yesterday", "18 days ago"."""
    days = (today - value).days
    if days <= 0:
        return _("today")
    if days == 1:
        return _("yesterday")
    return ngettext("%(days)s day ago", "%(days)s days ago", days) % {"days": days}


def ago(value: dt.date | None, today: dt.date, *, old_after: int | None = None) -> SafeString:
    """Return how long ago a day was, with the day itself as its title; marked when that is more than ``old_after`` days."""
    if value is None:
        return EMPTY
    is_old = old_after is not None and (today - value).days > old_after
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        value.isoformat(),
        date_format(value, "DATE_FORMAT"),
        mark_safe(' class="old"') if is_old else EMPTY,
        days_ago(value, today),
    )


def meter(done: int, of: int) -> SafeString:
    """Return "3 / 7" above a bar that is filled as far."""
    percent = min(100, round(100 * done / of)) if of else 0
    return format_html(
        '<span class="meter"><span>{} / {}</span><svg aria-hidden="true">'
        '<rect class="meter-of" width="100%" height="4" rx="2"/>'
        '<rect class="meter-done" width="{}%" height="4" rx="2"/></svg></span>',
        done,
        of,
        percent,
    )


def organizations(links: Iterable[HasOrganization]) -> SafeString:
    """Return the first organization of participants in bold with its other name, and how many there are besides."""
    found = [link.organization for link in links]
    if not found:
        return EMPTY
    first, *others = found
    other_name = getattr(first, "other_name", "")
    return joined(
        [
            format_html("<b>{}</b>", first),
            format_html("<b>+{}</b>", len(others)) if others else EMPTY,
            format_html('<span class="faint">{}</span>', other_name) if other_name else EMPTY,
        ]
    )


def tone(words: Text, tone: str) -> SafeString:
    """Return a badge like that of a status."""
    return format_html('<span class="status tone-{}">{}</span>', tone, words)


def owner(responsible: User | LazyText | None) -> SafeString:
    """Return who is responsible, or a warning that nobody is."""
    return mark(_("unassigned"), " tone-warning") if responsible is None else escape(str(responsible))


def sample(row: object) -> SafeString:
    """Return the badge of a row of the sample office; empty for real rows."""
    if not getattr(row, "is_sample", False):
        return EMPTY
    return format_html(
        '<span class="mark mark-sample" title="{}">{}</span>',
        _("Made up for the demonstration; one command removes it."),
        _("sample"),
    )


def joined(parts: Iterable[SafeString], separator: str = " ") -> SafeString:
    """Return the parts that are not empty, with ``separator`` between them."""
    return format_html_join(mark_safe(separator), "{}", ((part,) for part in parts if part))


def citations(cited: Cited, row: Model, fields: tuple[str, ...]) -> SafeString:
    """Return what sources printed about ``fields`` of ``row``, then what we assumed; "" stands for the row as such."""
    # Most pages have few citations or none: the type of the row is looked up only where there are some.
    if not cited:
        return EMPTY
    about = cited.get((ContentType.objects.get_for_model(row).pk, row.pk))
    if not about:
        return EMPTY
    found = [citation for citation in about if citation.field in fields]
    printed = [citation for citation in found if not citation.is_assumption]
    assumed = [citation for citation in found if citation.is_assumption]
    return joined([_folded("cite", _("as printed"), printed), _folded("cite assumed", _("our assumption"), assumed)])


def _folded(css_class: str, summary: str, found: list[Citation]) -> SafeString:
    if not found:
        return EMPTY
    boxes = format_html_join(
        "",
        '<span class="cite-box">{} {} {}</span>',
        ((f"“{one.printed}”" if one.printed else "", one.note, link(one.source)) for one in found),
    )
    return format_html('<details class="{}"><summary>{}</summary>{}</details>', css_class, summary, boxes)


def grouped(value: Decimal | int, places: int = 0) -> str:
    """Return a number with thousands in groups of three, which Django's Chinese formats leave out: "1,122"."""
    return f"{value:,.{places}f}"


def partners_of(agreement: Agreement) -> list[AgreementParty]:
    """Return the parties of an agreement but our own organization; ``unit`` and ``parties`` are fetched before."""
    ours = agreement.unit.organization_id
    return [party for party in agreement.parties.all() if party.organization_id != ours]


def partner_names(agreement: Agreement | HiddenRecord | None) -> str:
    """Return the partners of an agreement: two by name, the others counted."""
    return (
        "" if agreement is None or isinstance(agreement, HiddenRecord) else organization_names(partners_of(agreement))
    )


def organization_names(links: Iterable[HasOrganization]) -> str:
    """Return the organizations of participants: two by name, the others counted."""
    return name_a_few([str(link.organization) for link in links])
