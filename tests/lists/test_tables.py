"""The columns of a list as a table: which are shown, and what each cell holds."""

from dataclasses import replace
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import translation
from django.utils.safestring import SafeString

from partnerships.factories import (
    DAY,
    ActivityCreditFactory,
    ActivityFactory,
    AgreementAreaFactory,
    AgreementFactory,
    AssociationFactory,
    DemandFactory,
    EnterpriseFactory,
    InstitutionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.lists import LISTS
from partnerships.lists.agreements import AgreementList
from partnerships.lists.base import Column, TableCell
from partnerships.models import Agreement

pytestmark = pytest.mark.django_db


def cells_of(agreement: Agreement, query: str = "", **changed: Any) -> dict[str, TableCell]:
    """Return the cells of one agreement by heading; ``changed`` changes the column of the status."""

    class Changed(AgreementList):
        columns = [
            replace(column, **changed) if column.name == "status" else column for column in AgreementList.columns
        ]

    listed = Changed(QueryDict(query), user=UserFactory(staff=True), today=DAY)
    (row,) = listed.table(listed.rows([agreement.pk]), {})
    return {cell.heading: cell for cell in row.cells}


def test_one_cell_links_to_the_page_of_the_row_and_holds_its_whole_name() -> None:
    agreement = AgreementFactory(title="Gears <b>")

    cell = cells_of(agreement)["Agreement"]

    assert cell.html == f'<a class="row-title" href="{agreement.get_absolute_url()}">Gears &lt;b&gt;</a>'
    assert (cell.is_row_header, cell.whole) == (True, "Gears <b>")


def test_the_first_partner_is_bold_and_the_others_are_counted() -> None:
    ours = InstitutionFactory()
    forge, bank = EnterpriseFactory(name="Forge", name_zh="锻造"), EnterpriseFactory(name="Bank")
    agreement = AgreementFactory(unit__organization=ours, parties=[ours, forge, bank])

    cell = cells_of(agreement)["Partner"]

    assert cell.html == '<b>Forge</b> <b>+1</b> <span class="faint">锻造</span>'
    assert cell.whole == "Forge; Bank"


def test_a_cell_without_a_value_shows_a_dash() -> None:
    cell = cells_of(AgreementFactory())["Next due"]

    assert (cell.html, cell.css_class) == ("—", "w-due phone-due blank")


def test_a_narrow_window_leaves_a_column_out_unless_it_is_chosen() -> None:
    agreement = AgreementFactory()

    assert cells_of(agreement, from_width=1400)["Status"].css_class == "w-status phone-status from-1400"
    assert cells_of(agreement, "columns=status", from_width=1400)["Status"].css_class == "w-status phone-status"


def test_columns_that_do_not_fit_scroll_inside_their_box() -> None:
    def css(query: str) -> str:
        return AgreementList(QueryDict(query), user=UserFactory(staff=True), today=DAY).table_class

    every = "&".join(f"columns={column.name}" for column in AgreementList.columns)
    assert (css(""), css("columns=status"), css(every)) == ("", "least-500 scrolls-narrow", "least-3000 scrolls")


@pytest.mark.parametrize("one", LISTS.values())
def test_one_column_names_the_row_and_a_phone_shows_each_place_once(one: Any) -> None:
    columns: list[Column] = list(one.columns)
    places = [column.phone for column in columns if column.phone]

    assert len(places) == len(set(places))
    assert {"name", "title"} <= set(places) or one.key == "source_list"
    assert [column.is_row_title for column in columns].count(True) == (one.key != "security_event_list")
    assert all(column.is_fixed for column in columns if column.is_row_title)


def test_a_column_may_be_hidden_until_it_is_chosen() -> None:
    agreement = AgreementFactory()

    assert "Status" not in cells_of(agreement, is_shown_at_first=False)
    assert "Status" in cells_of(agreement, "columns=status", is_shown_at_first=False)


def test_a_column_says_how_much_of_what_was_promised_is_delivered() -> None:
    agreement = AgreementFactory(signed=True)
    courses = AgreementAreaFactory(agreement=agreement, quantity=2, counted="courses", per="year")
    AgreementAreaFactory(agreement=agreement)
    for _course in range(3):
        ActivityCreditFactory(activity__agreement=agreement, area=courses.area)

    # Three of six courses in three years, and nothing of the other.
    cell = cells_of(agreement)["Delivered"]
    assert ("<span>3 / 7</span>" in cell.html, 'class="meter-done" width="43%"' in cell.html) == (True, True)
    assert cells_of(AgreementFactory())["Delivered"].html == "—"


def test_the_agreements_of_a_unit_are_summed_up(django_assert_num_queries: Any) -> None:
    unit, staff = UnitFactory(), UserFactory(staff=True)
    agreements = [AgreementFactory(signed=True, unit=one) for one in (unit, unit, UnitFactory())]
    for agreement in agreements:
        promise = AgreementAreaFactory(agreement=agreement, quantity=2, counted="courses", per="term")
        ActivityCreditFactory(activity__agreement=agreement, area=promise.area)

    def summary(query: str) -> str:
        return AgreementList(QueryDict(query), user=staff, today=DAY).summary()

    assert summary("columns=delivered") == "3 of 6 promised delivered, 0 planned"
    with django_assert_num_queries(9):
        assert summary(f"columns=delivered&unit={unit.pk}") == "2 of 4 promised delivered, 0 planned"
    with django_assert_num_queries(0):
        assert summary("") == ""


@pytest.mark.parametrize(
    ("key", "factory"),
    [("agreement_list", AgreementFactory), ("activity_list", ActivityFactory), ("demand_list", DemandFactory)],
)
def test_a_column_says_through_whom_it_came_about(key: str, factory: Any) -> None:
    row = factory(through=AssociationFactory(name="Chain Association"))
    listed = LISTS[key](QueryDict("columns=through"), user=UserFactory(staff=True), today=DAY)

    [shown] = listed.table(listed.rows([row.pk]), {})

    assert (shown.cells[-1].heading, "Chain Association" in shown.cells[-1].html) == ("Through", True)


@pytest.mark.parametrize("one", LISTS.values())
def test_every_list_says_what_it_is(one: Any) -> None:
    assert all((one.title, one.caption, one.empty))


def test_text_of_a_cell_is_escaped() -> None:
    cell = cells_of(AgreementFactory(), cell=lambda row, today: "<script>")["Status"]

    assert cell.html == SafeString("&lt;script&gt;")


def test_a_unit_is_called_by_its_short_name_and_by_its_name_in_a_file() -> None:
    unit = UnitFactory(name="School of <Gears>", short_name="Gears", name_zh="齿轮学院", short_name_zh="齿轮院")
    listed = AgreementList(QueryDict("columns=unit"), user=UserFactory(staff=True), today=DAY)
    AgreementFactory(unit=unit)

    def shown() -> str:
        return next(
            cell.html
            for cell in listed.table(listed.rows(listed.ids()), {})[0].cells
            if cell.heading in {"Unit", "单位"}
        )

    assert shown() == '<span title="School of &lt;Gears&gt;">Gears</span>'
    with translation.override("zh-hans"):
        assert shown() == '<span title="齿轮学院">齿轮院</span>'
    assert (
        next(str(column.value(listed.rows(listed.ids())[0])) for column in listed.columns if column.name == "unit")
        == unit.name
    )
    assert UnitFactory(name="Office").display_short_name == "Office"
