"""A report as a document: sections of figures, charts, tables and texts, as the page and all its files show them."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from partnerships.models import Report, ReportText
from partnerships.reports.canvas import Canvas
from partnerships.reports.chart_tables import key_figure_name
from partnerships.reports.drawing import (
    ACTIVITY_GROUPS,
    draw_months,
    draw_promised,
    draw_regions,
    grouped,
    month_and_year,
    period_name,
)
from partnerships.reports.overview import KeyFigure, MonthFigures
from partnerships.reports.report_figures import FrozenRows, ReportFigures

Cell = str | int | dt.date | None

LIST_TITLES: Mapping[str, Promise] = {
    "signed": gettext_lazy("Agreements signed"),
    "ended": gettext_lazy("Agreements ended"),
    "activities": gettext_lazy("Activities by kind"),
    "honours": gettext_lazy("Honors granted"),
    "partners": gettext_lazy("Partners with agreements in force"),
}
COLUMNS: Mapping[str, Promise] = {
    "signed_on": gettext_lazy("Signed on"),
    "ended_on": gettext_lazy("Ended on"),
    "granted_on": gettext_lazy("Granted on"),
    "agreement": gettext_lazy("Agreement"),
    "partners": gettext_lazy("Partners"),
    "organization": gettext_lazy("Organization"),
    "honour": gettext_lazy("Honor"),
    "unit": gettext_lazy("Unit"),
    "type": gettext_lazy("Type"),
    "kind": gettext_lazy("Kind"),
    "region": gettext_lazy("Region"),
    "count": pgettext_lazy("heading", "Number"),
}


@dataclass(frozen=True)
class KeyNumber:
    """A number with its name above it and what it is compared with below it."""

    label: str
    value: str
    notes: Sequence[str]


@dataclass(frozen=True)
class DocumentTable:
    """A table: cells as typed values, and the columns that hold numbers. The last row may be the total of the others."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: frozenset[int]
    has_total: bool = False

    @property
    def shown(self) -> list[list[str]]:
        return [[shown_cell(cell) for cell in row] for row in self.rows]


@dataclass(frozen=True)
class TextBlock:
    paragraphs: Sequence[str]
    signature: str


@dataclass(frozen=True)
class DocumentSection:
    """A numbered section. It shows what it has of: key numbers, a chart, a table, a text; ``note`` stands below them."""

    key: str
    number: int
    title: str
    key_numbers: Sequence[KeyNumber] = ()
    caption: str = ""
    chart: str = ""
    table: DocumentTable | None = None
    text: TextBlock | None = None
    note: str = ""


@dataclass(frozen=True)
class ReportDocument:
    """The whole report. ``changes`` says what differs now from the frozen figures; None where nobody can tell."""

    title: str
    subtitle: str
    office: str
    unit: str
    language: str
    number: str
    edition: str
    is_confirmed: bool
    confirmed: str
    confirmed_note: str
    changes: Sequence[str]
    sections: Sequence[DocumentSection]
    footnotes: Sequence[str]
    footer: str
    labels: Mapping[str, str] = field(default_factory=dict)


def shown_cell(cell: Cell) -> str:
    if cell is None or cell == "":
        return "–"
    if isinstance(cell, int):
        return grouped(cell)
    return date_format(cell) if isinstance(cell, dt.date) else cell


def report_document(
    report: Report, figures: ReportFigures, canvas: Canvas, changes: Sequence[str] | None = ()
) -> ReportDocument:
    """Return the document in the language that is active, which should be that of the report."""
    texts = {one.section: one for one in report.texts.select_related("author")}
    return _Writer(report, figures, canvas, texts).document(changes)


class _Writer:
    def __init__(self, report: Report, figures: ReportFigures, canvas: Canvas, texts: Mapping[str, ReportText]) -> None:
        self.report, self.figures, self.canvas, self.texts = report, figures, canvas, texts
        self.overview, self.period = figures.overview, figures.overview.period
        self.sections: list[DocumentSection] = []

    def document(self, changes: Sequence[str] | None) -> ReportDocument:
        self._write_sections()
        report = self.report
        organization = report.unit.organization if report.unit else None
        confirmed, note = self._confirmed(changes)
        return ReportDocument(
            title=report.title,
            subtitle=self._subtitle(),
            office=str(organization or report.unit or ""),
            unit=str(report.unit) if report.unit and organization else "",
            language=report.language,
            number=report.number,
            edition=_("edition %(number)s") % {"number": report.edition},
            is_confirmed=report.is_confirmed,
            confirmed=confirmed,
            confirmed_note=note,
            changes=changes or (),
            sections=self.sections,
            footnotes=self._footnotes(),
            footer=self._footer(),
            labels={"page": _("Page {page} of {pages}")},
        )

    def _subtitle(self) -> str:
        first, last = self.period.starts_on, self.period.ends_on
        days = _("%(first)s to %(last)s") % {"first": date_format(first), "last": date_format(last)}
        if self.overview.day < last:
            days = _("%(days)s, as of %(day)s") % {"days": days, "day": date_format(self.overview.day)}
        about = str(self.report.unit) if self.report.unit else _("all units")
        return _("%(days)s, %(about)s") % {"days": days, "about": about}

    def _confirmed(self, changes: Sequence[str] | None) -> tuple[str, str]:
        report = self.report
        if not report.is_confirmed or report.confirmed_at is None:
            return _("Draft, figures not confirmed"), _("The figures are those of the day on which this was made.")
        by = _("Figures confirmed by %(person)s") % {"person": report.confirmed_by}
        confirmed_at = timezone.localtime(report.confirmed_at)
        at = f"{date_format(confirmed_at, 'DATE_FORMAT')} {date_format(confirmed_at, 'H:i')}"
        if changes is None:
            since = _("Whether the records changed since cannot be told: this person no longer sees them all.")
        elif changes:
            since = _("Frozen since then; the records behind them have changed:")
        else:
            since = _("Frozen since then; nothing has changed in the records behind them.")
        return by, _("%(at)s. %(since)s") % {"at": at, "since": since}

    def _footer(self) -> str:
        report = self.report
        if not report.is_confirmed or report.confirmed_at is None:
            return _("Draft, figures not confirmed")
        return _("Figures frozen on %(day)s, edition %(number)s") % {
            "day": date_format(timezone.localtime(report.confirmed_at).date()),
            "number": report.edition,
        }

    def _footnotes(self) -> list[str]:
        if self.report.counts_unconfirmed:
            unconfirmed = _("Renewals that nobody has confirmed are counted as in force.")
        else:
            unconfirmed = _("A renewal that nobody has confirmed is counted apart.")
        in_force = _("In force: signed, begun and neither suspended nor ended on the day.")
        return [
            _("%(one)s %(two)s") % {"one": in_force, "two": unconfirmed},
            _("Delivered: recorded as done by the last day. Contact: a call, visit, message or activity on record."),
        ]

    def _add(self, key: str, title: object, **content: object) -> None:
        """Add a section with the text that people wrote for it, if it has anything to show."""
        written = self.texts.get(key)
        if written is not None:
            content["text"] = _text_block(written)
        shows = ("key_numbers", "chart", "table", "text")
        if any(content.get(name) for name in shows):
            self.sections.append(DocumentSection(key, len(self.sections) + 1, str(title), **content))  # type: ignore[arg-type]

    def _write_sections(self) -> None:
        names: Mapping[str, Promise | str] = dict(ReportText.Section.choices)
        overview, units = self.overview, self.overview.units
        self._add("figures", _("The year in figures"), key_numbers=self._key_numbers())
        self._add("summary", names["summary"])
        months = self._months()
        self._add(
            "months",
            names["months"],
            caption=_("Agreements signed (up) and ended (down); activities by kind"),
            chart=draw_months(months, self.period, self.canvas) if any(map(_has_any, months)) else "",
            table=self._months_table(months),
        )
        self._add("units", names["units"], table=self._units_table())
        self._add(
            "promised",
            names["promised"],
            caption=_("Outline promised, fill delivered; shaded where less was delivered, bold under 60%"),
            chart=draw_promised(units, overview.areas, self.canvas) if overview.areas else "",
            table=self._promised_table(),
        )
        self._add(
            "regions",
            names["regions"],
            caption=_("Agreements in force; the line marks a year before"),
            chart=draw_regions(overview.regions, self.canvas) if overview.regions else "",
            table=self._regions_table(),
        )
        for key in ("undone", "outlook"):
            self._add(key, names[key])
        for one in self.figures.lists:
            table = _list_table(one)
            left_out = ngettext("and %(count)s more", "and %(count)s more", one.more) % {"count": grouped(one.more)}
            self._add(one.key, LIST_TITLES[one.key], table=table, note=left_out if one.more else "")

    def _key_numbers(self) -> list[KeyNumber]:
        overview, figures = self.overview, self.figures
        found = {one.key: one for one in overview.key_figures}
        unconfirmed = overview.renewals_to_confirm.value
        in_force, signed = overview.in_force.value, found["signed"]
        counts_all = self.report.counts_unconfirmed
        ended = sum(one.ended for one in figures.units)
        contact = [_of(overview.in_contact.value, in_force)] if in_force else []
        groups = sum(one.activities["training"].value for one in self._months() if "training" in one.activities)
        notes = [*_year_before(found["in_force"])]
        if unconfirmed and not counts_all:
            notes.append(
                ngettext("%(count)s more unconfirmed", "%(count)s more unconfirmed", unconfirmed)
                % {"count": grouped(unconfirmed)}
            )
        elif unconfirmed:
            notes.append(_("%(count)s of them unconfirmed") % {"count": grouped(unconfirmed)})
        return [
            KeyNumber(_in_force_name(overview.day), grouped(in_force if counts_all else in_force - unconfirmed), notes),
            KeyNumber(
                key_figure_name("signed", overview),
                grouped(signed.count.value),
                [*self._in_year_before(signed.year_ago), _("%(count)s ended") % {"count": grouped(ended)}],
            ),
            KeyNumber(
                _("Activities"),
                grouped(figures.activities),
                [
                    *self._in_year_before(figures.activities_before),
                    *([_("%(count)s trainings") % {"count": grouped(groups)}] if groups else []),
                ],
            ),
            self._delivered(found["delivered"]),
            KeyNumber(_("Contact in 180 days"), _percent(overview.in_contact.value, in_force), contact),
        ]

    def _delivered(self, one: KeyFigure) -> KeyNumber:
        notes = [_of(one.count.value, one.of)] if one.of else []
        if one.year_ago is not None:
            before = {"share": f"{one.year_ago}%", "period": period_name(self.period.previous)}
            notes.append(_("%(share)s in %(period)s") % before)
        return KeyNumber(_("Delivered of promised"), _percent(one.count.value, one.of or 0), notes)

    def _in_year_before(self, value: int | None) -> list[str]:
        if value is None:
            return []
        about = {"count": grouped(value), "period": period_name(self.period.previous)}
        return [pgettext("of the year before", "%(count)s in %(period)s") % about]

    def _months(self) -> list[MonthFigures]:
        return [one for one in self.overview.months if self.period.starts_on <= one.first <= self.period.ends_on]

    def _months_table(self, months: Sequence[MonthFigures]) -> DocumentTable | None:
        groups = [key for key in ACTIVITY_GROUPS if any(key in one.activities for one in months)]
        rows: list[list[Cell]] = [
            [
                month_and_year(one.first),
                one.signed.value,
                one.ended.value,
                *(one.activities[key].value if key in one.activities else 0 for key in groups),
            ]
            for one in months
        ]
        if not any(map(_has_any, months)):
            return None
        headings = [
            _("Month"),
            pgettext("agreements", "Signed"),
            pgettext("agreements", "Ended"),
            *(str(ACTIVITY_GROUPS[key]) for key in groups),
        ]
        return _with_total(headings, rows, _("Total"))

    def _units_table(self) -> DocumentTable | None:
        counts_all = self.report.counts_unconfirmed
        before = self.period.starts_on
        headings = [
            _("Unit"),
            _short_day(before),
            pgettext("agreements", "Signed"),
            pgettext("agreements", "Ended"),
            _short_day(self.overview.day),
            _("of these not confirmed"),
            _("Promised"),
            _("Delivered"),
            _("Share"),
        ]
        rows: list[list[Cell]] = [
            [
                str(one.unit),
                *(one.at_start, one.signed, one.ended, one.at_end, one.unconfirmed or None),
                *(one.promised or None, one.delivered if one.promised else None),
                _share(one.delivered, one.promised),
            ]
            for one in self.figures.units
        ]
        if not any(one.at_start or one.signed or one.ended or one.at_end or one.promised for one in self.figures.units):
            return None
        promised, delivered = (
            sum(getattr(one, name) for one in self.figures.units) for name in ("promised", "delivered")
        )
        table = _with_total(headings, rows, _("All units"))
        table.rows[-1][8] = _share(delivered, promised)  # type: ignore[index]
        left = {5} if counts_all else set()
        return _without_columns(table, left)

    def _promised_table(self) -> DocumentTable | None:
        overview = self.overview
        if not overview.areas:
            return None
        rows: list[list[Cell]] = []
        for one in overview.units:
            cells = {cell.area.id: cell for cell in one.promised if cell.promised}
            shown = (cells.get(area.id) for area in overview.areas)
            rows.append(
                [
                    str(one.unit),
                    *(f"{grouped(cell.delivered.value)}/{grouped(cell.promised)}" if cell else None for cell in shown),
                ]
            )
        headings = [_("Unit"), *(str(area) for area in overview.areas)]
        return DocumentTable(headings, rows, frozenset(range(1, len(headings))))

    def _regions_table(self) -> DocumentTable | None:
        rows: list[list[Cell]] = [[str(one.region), one.in_force.value, one.year_ago] for one in self.overview.regions]
        return DocumentTable([_("Region"), _("In force"), _("A year ago")], rows, frozenset({1, 2})) if rows else None


def _in_force_name(day: dt.date) -> str:
    return _("In force, %(day)s") % {"day": _short_day(day)}


def _short_day(day: dt.date) -> str:
    return date_format(day, pgettext("date", "M j"))


def _year_before(one: KeyFigure) -> list[str]:
    return [] if one.year_ago is None else [_("%(count)s a year before") % {"count": grouped(one.year_ago)}]


def _of(part: int, whole: int) -> str:
    return _("%(part)s of %(whole)s") % {"part": grouped(part), "whole": grouped(whole)}


def _percent(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)}%" if whole else "–"


def _share(part: int, whole: int) -> str | None:
    return _percent(part, whole) if whole else None


def _has_any(month: MonthFigures) -> bool:
    return bool(month.signed.value or month.ended.value or any(one.value for one in month.activities.values()))


def _with_total(headings: Sequence[str], rows: Sequence[list[Cell]], label: str) -> DocumentTable:
    """Return a table whose last row adds up the numbers of the others."""
    numbers = frozenset(range(1, len(headings)))
    total: list[Cell] = [label]
    for column in range(1, len(headings)):
        found = [row[column] for row in rows]
        values = [value for value in found if isinstance(value, int)]
        total.append(sum(values) if values else None)
    return DocumentTable(headings, [*rows, total], numbers, has_total=True)


def _without_columns(table: DocumentTable, left_out: set[int]) -> DocumentTable:
    def kept(cells: Sequence[Cell]) -> list[Cell]:
        return [cell for number, cell in enumerate(cells) if number not in left_out]

    headings = [str(one) for one in kept(table.headings)]
    rows = [kept(row) for row in table.rows]
    return DocumentTable(headings, rows, frozenset(range(1, len(headings))), has_total=table.has_total)


def _list_table(one: FrozenRows) -> DocumentTable | None:
    if not one.rows:
        return None
    read: Sequence[Callable[[Cell], Cell]] = [_day if name.endswith("_on") else _plain for name in one.columns]
    rows = [[convert(cell) for convert, cell in zip(read, row, strict=True)] for row in one.rows]
    numbers = frozenset(number for number, name in enumerate(one.columns) if name == "count")
    return DocumentTable([str(COLUMNS[name]) for name in one.columns], rows, numbers)


def _day(cell: Cell) -> Cell:
    return dt.date.fromisoformat(cell) if isinstance(cell, str) and cell else None


def _plain(cell: Cell) -> Cell:
    return cell


def _text_block(written: ReportText) -> TextBlock:
    paragraphs = [line.strip() for line in written.text.splitlines() if line.strip()]
    day = date_format(written.written_on)
    if written.author is None:
        return TextBlock(paragraphs, day)
    return TextBlock(paragraphs, _("Text by %(author)s, %(day)s") % {"author": written.author, "day": day})


# Differences between the frozen figures and those of now


def changes_since(frozen: ReportFigures, current: ReportFigures) -> list[str]:
    """Return in sentences how the records of now differ from the frozen figures: numbers first, then rows that came or went."""
    found = []
    for label, before, now in _compared(frozen, current):
        if before != now:
            values = {"label": label, "before": _number(before), "now": _number(now)}
            found.append(_("%(label)s: %(before)s, now %(now)s") % values)
    lists = {one.key: one for one in current.lists}
    for one in frozen.lists:
        if one.key in lists and one.key != "activities":
            found += _moved(one, lists[one.key])
    return found


def _number(value: int | None) -> str:
    return "–" if value is None else grouped(value)


def _compared(frozen: ReportFigures, current: ReportFigures) -> list[tuple[str, int | None, int | None]]:
    """Return names of numbers with those that are frozen and those of now."""
    before, now = frozen.overview, current.overview
    were, are = ({one.key: one for one in overview.key_figures} for overview in (before, now))
    rows: list[tuple[str, int | None, int | None]] = [
        (_("In force"), before.in_force.value, now.in_force.value),
        (_("Unconfirmed renewals"), before.renewals_to_confirm.value, now.renewals_to_confirm.value),
        (key_figure_name("signed", before), were["signed"].count.value, are["signed"].count.value),
        (_("Ended"), _ended(frozen), _ended(current)),
        (_("Activities"), frozen.activities, current.activities),
        (_("Promised"), were["delivered"].of, are["delivered"].of),
        (_("Delivered"), were["delivered"].count.value, are["delivered"].count.value),
        (key_figure_name("without_contact", before), before.without_contact.value, now.without_contact.value),
    ]
    return rows


def _ended(figures: ReportFigures) -> int:
    return sum(one.ended for one in figures.units)


def _moved(before: FrozenRows, now: FrozenRows) -> list[str]:
    """Return which rows of a list came and went."""
    title, found = LIST_TITLES[before.key], []
    were, are = ([tuple(row) for row in one.rows] for one in (before, now))
    for rows, words in (
        ([row for row in are if row not in set(were)], _("%(list)s, new: %(row)s")),
        ([row for row in were if row not in set(are)], _("%(list)s, no longer: %(row)s")),
    ):
        found += [words % {"list": title, "row": " · ".join(str(cell) for cell in row if cell)} for row in rows]
    return found
