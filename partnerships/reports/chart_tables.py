"""The figures of each chart as a table: for readers of the page who want numbers, and for its file."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from partnerships.reports.drawing import (
    ACTIVITY_GROUPS,
    COMING_KINDS,
    coming_address,
    contact_age,
    grouped,
    month_and_year,
    period_name,
)
from partnerships.reports.overview_figures import CONTACT_DAYS, ListedCount, Overview, PersonLoad, UnitFigures


@dataclass(frozen=True)
class Figure:
    """A cell of a table: a number or words, with the address of the list that it counts."""

    value: int | str | None
    address: str = ""

    @property
    def shown(self) -> str:
        if self.value is None:
            return "–"
        return grouped(self.value) if isinstance(self.value, int) else self.value

    @property
    def is_number(self) -> bool:
        return not isinstance(self.value, str)


@dataclass(frozen=True)
class ChartTable:
    """The figures of a chart. The first cell of a row names it."""

    key: str
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Figure]]


def chart_tables(overview: Overview) -> dict[str, ChartTable]:
    """Return the tables of all charts by their keys, in the order of the page."""
    tables = (
        _key_figures(overview),
        _months(overview),
        _units(overview),
        _promised(overview),
        _coming(overview),
        _people(overview),
        _regions(overview),
    )
    return {table.key: table for table in tables}


def key_figure_name(key: str, overview: Overview) -> str:
    names = {
        "in_force": _("In force"),
        "signed": _("Signed in %(period)s") % {"period": period_name(overview.period)},
        "delivered": _("Delivered of promised"),
        "overdue": _("Overdue"),
        "without_contact": _("No contact in 180 days"),
        "unassigned": _("Unassigned"),
    }
    return names[key]


def _linked(listed: ListedCount | None) -> Figure:
    return Figure(listed.value, listed.address) if listed is not None else Figure(0)


def _key_figures(overview: Overview) -> ChartTable:
    rows = []
    for one in overview.key_figures:
        name = key_figure_name(one.key, overview)
        shown = f"{one.shown}%" if one.is_share and one.shown is not None else one.shown
        year_ago = f"{one.year_ago}%" if one.is_share and one.year_ago is not None else one.year_ago
        rows.append([Figure(name), Figure(shown, one.count.address), Figure(year_ago)])
    headings = [_("Figure"), _("Now"), _("A year ago")]
    return ChartTable("figures", _("Key figures"), headings, rows)


def _months(overview: Overview) -> ChartTable:
    groups = [group for group in ACTIVITY_GROUPS if any(group in month.activities for month in overview.months)]
    rows = [
        [
            Figure(month_and_year(month.first)),
            _linked(month.signed),
            _linked(month.ended),
            *(_linked(month.activities.get(group)) for group in groups),
        ]
        for month in reversed(overview.months)
    ]
    activities = [str(ACTIVITY_GROUPS[group]) for group in groups]
    headings = [_("Month"), pgettext("agreements", "Signed"), pgettext("agreements", "Ended"), *activities]
    return ChartTable("months", pgettext("chart", "By month"), headings, rows)


def _units(overview: Overview) -> ChartTable:
    ages = [contact_age(number) for number in range(len(CONTACT_DAYS) + 1)]
    areas = [str(area) for area in overview.areas]
    rows = [_unit(overview, unit) for unit in overview.units]
    headings = [_("Unit"), _("In force"), *ages, *areas, *(str(label) for label in COMING_KINDS.values())]
    return ChartTable("units", pgettext("chart", "By unit"), headings, rows)


def _unit(overview: Overview, unit: UnitFigures) -> list[Figure]:
    kept = {one.area.id: one for one in unit.promised if one.promised}
    cells = []
    for area in overview.areas:
        found = kept.get(area.id)
        words = f"{grouped(found.delivered.value)}/{grouped(found.promised)}" if found else None
        cells.append(Figure(words, found.delivered.address if found else ""))
    kinds = Counter(one.kind for one in unit.coming)
    coming = [Figure(kinds[kind]) for kind in COMING_KINDS]
    return [Figure(str(unit.unit)), _linked(unit.in_force), *map(_linked, unit.contact), *cells, *coming]


def _promised(overview: Overview) -> ChartTable:
    rows = [
        [Figure(str(unit.unit)), Figure(str(one.area)), _linked(one.delivered), Figure(one.promised)]
        for unit in overview.units
        for one in unit.promised
        if one.promised
    ]
    headings = [_("Unit"), _("Area"), _("Delivered"), pgettext("promise", "Promised")]
    return ChartTable("promised", _("Promised and delivered"), headings, rows)


def _coming(overview: Overview) -> ChartTable:
    dates = sorted(
        ((one.on, str(unit.unit), one) for unit in overview.units for one in unit.coming), key=lambda row: row[:2]
    )
    rows = [
        [
            Figure(on.isoformat()),
            Figure(name),
            Figure(one.partners),
            Figure(one.title, coming_address([one])),
            Figure(str(COMING_KINDS[one.kind])),
        ]
        for on, name, one in dates
    ]
    headings = [_("Date"), _("Unit"), _("Partner"), _("Agreement"), _("Kind")]
    return ChartTable("coming", _("Next 12 months"), headings, rows)


def _people(overview: Overview) -> ChartTable:
    def row(one: PersonLoad) -> Iterable[Figure]:
        return Figure(str(one.person)), _linked(one.overdue), _linked(one.pending)

    headings = [_("Person"), _("Overdue"), _("Due in 30 days, or overdue")]
    return ChartTable("people", _("Load by person"), headings, [list(row(one)) for one in overview.people])


def _regions(overview: Overview) -> ChartTable:
    rows = [[Figure(str(one.region)), _linked(one.in_force), Figure(one.year_ago)] for one in overview.regions]
    return ChartTable("regions", pgettext("chart", "By region"), [_("Region"), _("In force"), _("A year ago")], rows)
