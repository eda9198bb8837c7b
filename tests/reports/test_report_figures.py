"""The figures of a report: equal to lists, the same after JSON, and compared with those of a later day."""

import datetime as dt
import json
from typing import Any

import pytest
from django.utils.translation import override

from partnerships.dates import add_months
from partnerships.factories import AgreementFactory, HonourFactory, ReportFactory, UnitFactory, UserFactory
from partnerships.models import Agreement, Report, UnitMembership
from partnerships.reports.frozen import from_json, to_json
from partnerships.reports.report_document import changes_since
from partnerships.reports.report_figures import ReportFigures, report_figures
from partnerships.reports.reprint import figures_shown
from partnerships.workflows.reports import confirm_report
from tests.reports.overviews import empty_overview, make_overview
from tests.reports.report_figures import document_of, make_figures

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 29)
NOW = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)


@pytest.fixture
def unit() -> Any:
    """A unit with a college below it that signed two agreements this year and one before, which ended."""
    above = UnitFactory(name="School", name_zh="学院")
    below = UnitFactory(parent=above, name="Mechanical")
    for number, signed_on in enumerate((dt.date(2026, 3, 2), dt.date(2026, 9, 8))):
        AgreementFactory(unit=below, signed=True, signed_on=signed_on, title=f"This year {number}")
    AgreementFactory(
        unit=below,
        signed=True,
        signed_on=dt.date(2024, 1, 1),
        title="Before",
        with_term__starts_on=dt.date(2024, 1, 1),
        with_term__ends_on=dt.date(2026, 5, 31),
    )
    AgreementFactory(signed=True, signed_on=dt.date(2026, 3, 2), title="Of another unit")
    return above


def again(figures: ReportFigures) -> ReportFigures:
    return from_json(ReportFigures, json.loads(json.dumps(to_json(figures))))


def titles(figures: ReportFigures, key: str) -> list[Any]:
    found = next(one for one in figures.lists if one.key == key)
    return [row[1] for row in found.rows]


def test_lists_and_units_have_what_came_and_went(unit: Any) -> None:
    figures = report_figures(ReportFactory(unit=unit, year=2026), UserFactory(viewer_in=unit), today=TODAY)

    assert titles(figures, "signed") == ["This year 0", "This year 1"]
    assert titles(figures, "ended") == ["Before"]
    (row,) = figures.units
    assert (str(row.unit), row.at_start, row.signed, row.ended, row.at_end) == ("Mechanical", 1, 2, 1, 2)
    assert figures.overview.in_force.value == row.at_end


def test_honors_granted_in_the_year_are_listed(unit: Any) -> None:
    HonourFactory(unit=unit, granted_on=dt.date(2026, 4, 1))
    HonourFactory(unit=unit, granted_on=dt.date(2025, 4, 1))

    figures = report_figures(ReportFactory(unit=unit, year=2026), UserFactory(viewer_in=unit), today=TODAY)

    (listed,) = [one for one in figures.lists if one.key == "honours"]
    assert [row[0] for row in listed.rows] == ["2026-04-01"]


def test_a_long_list_is_cut_and_says_how_many_more(unit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partnerships.reports.report_figures.MOST_LISTED", 1)
    report = ReportFactory(unit=unit, year=2026)
    figures = report_figures(report, UserFactory(viewer_in=unit), today=TODAY)

    (listed,) = [one for one in figures.lists if one.key == "signed"]
    assert (len(listed.rows), listed.more) == (1, 1)
    (section,) = [one for one in document_of(report, figures).sections if one.key == "signed"]
    assert section.note == "and 1 more"


def test_figures_are_the_same_after_json(unit: Any) -> None:
    report = ReportFactory(unit=unit, year=2026)
    for figures in (
        report_figures(report, UserFactory(viewer_in=unit), today=TODAY),
        make_figures(),
        make_figures(empty_overview()),
    ):
        assert to_json(again(figures)) == to_json(figures)
        assert document_of(report, again(figures)) == document_of(report, figures)


def test_fields_of_other_versions_do_no_harm() -> None:
    kept = to_json(make_figures())
    kept["overview"]["no_longer_known"] = 1
    del kept["overview"]["are_promises_counted"]

    assert from_json(ReportFigures, kept).overview.are_promises_counted


def confirm(report: Report, person: Any) -> Report:
    figures = report_figures(report, person, today=TODAY)
    return confirm_report(report, actor=person, now=NOW, on=TODAY, figures=to_json(figures))


def test_a_reprint_is_the_same_and_says_what_changed_since(unit: Any) -> None:
    person = UserFactory(lead_in=unit)
    report = confirm(ReportFactory(unit=unit, year=2026), person)
    report = Report.objects.get(pk=report.pk)
    before, changes = figures_shown(report, person, today=TODAY)
    assert changes == []

    # Entered late, and renamed, after the confirmation.
    AgreementFactory(unit=unit, signed=True, signed_on=dt.date(2026, 6, 1), title="Late")
    agreement = Agreement.objects.get(title="This year 0")
    agreement.title = "Renamed"
    agreement.save()
    later, changes = figures_shown(report, UserFactory(viewer_in=unit), today=add_months(TODAY, 3))

    assert to_json(later) == to_json(before)
    assert changes is not None
    assert "In force: 2, now 3" in changes
    assert "Signed in 2026: 2, now 3" in changes
    assert [one.partition(" · ")[0] for one in changes if "new:" in one][:2] == [
        "Agreements signed, new: 2026-03-02",
        "Agreements signed, new: 2026-06-01",
    ]
    assert any("no longer: 2026-03-02 · This year 0" in one for one in changes)
    document = document_of(report, later, changes)
    assert document.changes == changes
    assert "the records behind them have changed" in document.confirmed_note


def test_what_changed_cannot_be_told_without_the_rights_of_who_confirmed(unit: Any) -> None:
    person = UserFactory(lead_in=unit)
    report = confirm(ReportFactory(unit=unit, year=2026), person)
    UnitMembership.objects.filter(user=person).delete()
    report = Report.objects.get(pk=report.pk)

    figures, changes = figures_shown(report, UserFactory(staff=True), today=TODAY)

    assert (titles(figures, "ended"), changes) == (["Before"], None)
    assert "cannot be told" in document_of(report, figures, changes).confirmed_note


@pytest.mark.parametrize(
    ("counts_all", "number", "note"),
    [(False, "133", "9 more unconfirmed"), (True, "142", "9 of them unconfirmed")],
)
def test_unconfirmed_renewals_are_counted_apart_unless_the_signer_says_otherwise(
    counts_all: bool, number: str, note: str
) -> None:
    report = ReportFactory(counts_unconfirmed=counts_all, year=2026)
    document = document_of(report, make_figures())

    first = document.sections[0].key_numbers[0]
    assert first.value == number
    assert note in first.notes
    (units,) = [one.table for one in document.sections if one.key == "units"]
    assert units is not None
    assert ("of these not confirmed" in units.headings) != counts_all
    assert units.rows[-1][0] == "All units"


def test_a_report_without_records_has_no_charts_and_no_tables() -> None:
    document = document_of(ReportFactory(year=2026), make_figures(empty_overview()))

    assert [one.key for one in document.sections] == ["figures"]
    assert [one.value for one in document.sections[0].key_numbers] == ["0", "0", "0", "–", "–"]


def test_the_document_is_in_the_language_of_the_report() -> None:
    report = ReportFactory(language="zh-hans", year=2026)

    with override("en"):
        document = document_of(report, make_figures(make_overview()))

    assert document.title == "2026年度合作工作报告"
    assert "机械工程学院" in str(document.sections)


def test_changes_name_numbers_of_both_days() -> None:
    assert changes_since(make_figures(), make_figures()) == []
    changes = changes_since(make_figures(), make_figures(empty_overview()))
    assert "In force: 142, now 0" in changes
