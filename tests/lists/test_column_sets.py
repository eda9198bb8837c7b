"""Files with the columns that somebody outside asks for: in their order, under their headings, with what the reader may take out."""

import datetime as dt
import io
from typing import Any

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from partnerships.exceptions import InvalidInput, NotAllowed
from partnerships.factories import AchievementFactory, AgreementFactory, ColumnSetFactory, UnitFactory
from partnerships.lists import exports
from partnerships.models import ColumnSet, Export
from partnerships.workflows.column_sets import delete_column_set, save_column_set
from tests.lists.test_exports import made, table
from tests.views.world import World, make_world

pytestmark = pytest.mark.django_db


def columns(*asked: tuple[str, ...]) -> list[dict[str, str]]:
    return [dict(zip(("column", "heading", "text"), (*one, "", ""), strict=False)) for one in asked]


LEDGER = columns(("#", "序号"), ("title", "合作内容"), ("signed", "签约时间"), ("=", "备注", "=1+1"), ("status",))


def ask(person: Any, column_set: ColumnSet, file_format: str = "csv") -> Export:
    about = {"key": column_set.list, "query": "sort=title", "file_format": file_format}
    return exports.request_export(actor=person, now=timezone.now(), column_set=column_set, **about)


@pytest.fixture
def world() -> World:
    return make_world("North")


def test_a_file_has_the_columns_of_the_set(world: World) -> None:
    AgreementFactory(title="A second", unit=world.unit, signed=True, signed_on=dt.date(2024, 3, 1))
    ledger = ColumnSetFactory(columns=LEDGER, day_form="zh", language="zh-hans")

    rows = table(made(ask(world.lead, ledger)))

    assert rows[0] == ["序号", "合作内容", "签约时间", "备注", "状态"]
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(1, len(rows))]
    assert rows[1] == ["1", "A second", "2024年3月1日", "'=1+1", "生效中"]


def test_a_day_of_a_workbook_stays_a_day(world: World) -> None:
    ledger = ColumnSetFactory(columns=LEDGER, day_form="dots", name="台账")

    sheet = load_workbook(io.BytesIO(made(ask(world.lead, ledger, "xlsx")))).active

    signed = next(cell for cell in sheet["C"][1:] if cell.value)
    assert (sheet.title, sheet.freeze_panes, signed.is_date, signed.number_format) == ("台账", "C2", True, "yyyy.mm.dd")


def test_the_number_goes_on_over_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "BATCH", 1)

    rows = table(made(ask(world.lead, ColumnSetFactory(columns=LEDGER))))

    assert [row[0] for row in rows[1:]] == ["1", "2"]


def test_what_a_viewer_may_not_take_out_stays_empty_in_its_place(world: World) -> None:
    AchievementFactory(unit=world.unit, people="Professor Li")
    asked = ColumnSetFactory(
        list="achievement_list", columns=columns(("people", "联系人"), ("gone", "备注"), ("name",))
    )
    asked.refresh_from_db()

    of_viewer, of_lead = (table(made(ask(world.people[role], asked))) for role in ("viewer", "lead"))

    assert of_viewer[0][:2] == of_lead[0][:2] == ["联系人", "备注"]
    assert [rows[1][:2] for rows in (of_viewer, of_lead)] == [["", ""], ["Professor Li", ""]]


def test_a_file_is_made_with_the_set_as_it_was_asked_for(world: World) -> None:
    ledger = ColumnSetFactory(columns=LEDGER, unit=world.unit)
    export = ask(world.lead, ledger)
    delete_column_set(ledger, actor=world.coordinator)

    assert table(made(export))[0][0] == "序号"
    assert exports.facts_of(export)["detail"] == f"csv · {ledger.name} · /agreements/?sort=title"
    assert ColumnSet.history.filter(name=ledger.name).first().history_type == "-"


def test_sets_are_kept_for_a_unit_by_those_who_work_there_and_for_all_by_the_office(world: World) -> None:
    new = {"list": "agreement_list", "columns": LEDGER}
    for person, unit in (
        (world.coordinator, None),
        (world.coordinator, UnitFactory()),
        (world.people["viewer"], world.unit),
    ):
        with pytest.raises(NotAllowed):
            save_column_set(ColumnSet(name="Ledger", unit=unit, **new), actor=person)
    kept = save_column_set(ColumnSet(name="Ledger", unit=world.unit, **new), actor=world.coordinator)
    with pytest.raises(NotAllowed):
        save_column_set(kept, actor=world.coordinator, changes={"unit": None})
    for_all = save_column_set(kept, actor=world.people["staff"], changes={"unit": None, "name": "Ledger 2"})

    assert (for_all.unit, for_all.version, kept.history.count()) == (None, 2, 2)
    outsider = world.people["outsider"]
    assert list(ColumnSet.objects.visible_to(outsider)) == [for_all]


@pytest.mark.parametrize("wrong", [[], columns(*[("#",)] * 101), columns(("#", "x" * 201)), columns(("#", "a\u202eb"))])
def test_a_set_that_makes_no_file_is_refused(wrong: Any, world: World) -> None:
    with pytest.raises(InvalidInput):
        save_column_set(ColumnSet(name="Ledger", list="agreement_list", columns=wrong), actor=world.people["staff"])
