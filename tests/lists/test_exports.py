"""A list as a file: the same rows as the page, as data, harmless in a spreadsheet, made once, its maker's alone."""

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from partnerships.factories import AchievementFactory, AgreementFactory, UnitFactory, UserFactory
from partnerships.lists import LISTS, exports
from partnerships.models import Export, SecurityEvent
from tests.views.world import World, make_world

pytestmark = pytest.mark.django_db


def ask(person: Any, key: str = "agreement_list", query: str = "", file_format: str = "csv") -> Export:
    return exports.request_export(actor=person, key=key, query=query, file_format=file_format, now=timezone.now())


def never() -> bool:
    return False


def made(export: Export) -> bytes:
    assert exports.make(export, clock=timezone.now)
    with Export.objects.get(pk=export.pk).file.open("rb") as file:
        return file.read()


def table(content: bytes) -> list[list[str]]:
    assert content.startswith("\ufeff".encode())
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


@pytest.fixture
def world() -> World:
    return make_world("North")


@pytest.mark.parametrize("key", LISTS)
def test_every_list_can_be_taken_out(key: str, world: World) -> None:
    rows = table(made(ask(world.coordinator, key)))

    assert rows[0] == [str(column.heading) for column in LISTS[key].columns]
    listed = LISTS[key](exports.QueryDict(""), user=world.coordinator, today=timezone.localdate())
    assert len(rows) - 1 == len(listed.ids())


def test_without_its_line_in_the_security_log_there_is_no_export(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("disk full")

    monkeypatch.setattr(SecurityEvent, "save", fail)

    with pytest.raises(OperationalError):
        ask(world.coordinator)

    assert not Export.objects.exists()


def test_filters_order_and_scope_are_those_of_the_page(world: World) -> None:
    make_world("South")

    rows = table(made(ask(world.coordinator, query="status=signed&sort=-title")))

    assert [row[1] for row in rows[1:]] == ["North signed"]


def test_days_are_days_and_text_stays_text(world: World) -> None:
    AgreementFactory(title='=HYPERLINK("http://evil")', unit=world.unit, signed=True)

    book = load_workbook(io.BytesIO(made(ask(world.lead, query="q=HYPERLINK", file_format="xlsx"))))

    sheet = book.active
    assert (sheet.title, sheet.freeze_panes, sheet.auto_filter.ref) == ("Agreements", "C2", "A1:W2")
    assert [sheet.column_dimensions[name].width for name in "ABD"] == [35, 60, 19]
    row = dict(zip((cell.value for cell in book.active[1]), book.active[2], strict=True))
    title, status, signed_on = row["Agreement"], row["Status"], row["Signed on"]
    assert (title.value, title.data_type) == ('=HYPERLINK("http://evil")', "s")
    assert (status.value, signed_on.is_date) == ("In force", True)


def test_an_address_that_names_columns_asks_for_those_alone(world: World) -> None:
    rows = table(made(ask(world.coordinator, query="columns=status&columns=reference")))

    assert rows[0] == ["Partner", "Agreement", "Status", "Reference"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
def test_what_a_spreadsheet_would_run_is_quoted(start: str, world: World) -> None:
    AgreementFactory(title=f"{start}cmd|calc", unit=world.unit, signed=True)

    rows = table(made(ask(world.lead, query="q=calc")))

    assert rows[1][1] == f"'{start}cmd|calc"


def test_headings_are_in_the_readers_language(world: World, client: Client) -> None:
    world.coordinator.language = "zh-hans"
    world.coordinator.save()
    client.force_login(world.coordinator)

    answer = client.post(reverse("export_add"), {"list": "agreement_list", "query": "", "format": "csv"})

    assert table(b"".join(answer))[0][2] == "状态"


def test_viewers_take_out_no_personal_data(world: World) -> None:
    AchievementFactory(unit=world.unit, people="Professor Li")

    of_viewer = table(made(ask(world.people["viewer"], "achievement_list")))
    of_coordinator = table(made(ask(world.coordinator, "achievement_list")))

    assert ["People behind it" in rows[0] for rows in (of_viewer, of_coordinator)] == [False, True]


def test_whoever_lost_their_role_gets_nothing_more(world: World) -> None:
    export = ask(world.coordinator)
    world.coordinator.memberships.all().delete()

    assert exports.make(export, clock=timezone.now) is False
    assert Export.objects.get(pk=export.pk).status == "failed"


def test_accounts_without_work_take_nothing_out(world: World, client: Client) -> None:
    client.force_login(world.people["user_admin"])

    answer = client.post(reverse("export_add"), {"list": "agreement_list", "format": "csv"})

    assert (answer.status_code, Export.objects.count()) == (403, 0)


def test_a_long_one_is_made_behind_its_page(
    world: World, client: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable
) -> None:
    monkeypatch.setattr(exports, "AT_ONCE", 1)
    called: list[int] = []
    monkeypatch.setattr("partnerships.views.exports.make_export.delay", called.append)
    client.force_login(world.coordinator)

    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("export_add"), {"list": "agreement_list", "format": "xlsx"})
    waiting = client.get(answer.url).text
    exports.make_waiting(clock=timezone.now, is_stopping=never)
    ready = client.get(answer.url).text

    export = Export.objects.get()
    assert called == [export.pk]
    assert ("0 of 2 rows written" in waiting, "every 2s" in waiting) == (True, True)
    assert ("2 rows, ready." in ready, "every 2s" in ready) == (True, False)
    assert b"".join(client.get(f"{answer.url}file/"))[:2] == b"PK"


def test_what_a_dead_worker_left_is_taken_up_again_and_given_up_at_last(world: World) -> None:
    export = ask(world.coordinator)
    Export.objects.update(status="running", attempts=1, lease_until=timezone.now() - dt.timedelta(minutes=1))

    assert exports.make_waiting(clock=timezone.now, is_stopping=never) == 1
    Export.objects.update(status="running", attempts=3, lease_until=timezone.now() - dt.timedelta(minutes=1))
    assert exports.make_waiting(clock=timezone.now, is_stopping=never) == 0

    assert Export.objects.get(pk=export.pk).status == "failed"


def test_of_two_at_once_one_makes_it(world: World) -> None:
    first, second = ask(world.coordinator), Export.objects.get()

    assert [exports.make(one, clock=timezone.now) for one in (first, second)] == [True, False]


def test_a_file_goes_after_a_day_and_its_line_stays(world: World, client: Client) -> None:
    export = ask(world.coordinator)
    made(export)
    name = Export.objects.get().file.name

    exports.remove_old(now=timezone.now() + dt.timedelta(hours=25))

    assert Export._meta.get_field("file").storage.exists(name) is False
    client.force_login(world.coordinator)
    assert client.get(reverse("export_download", args=[export.pk])).status_code == 404
    assert "The file was removed after a day." in client.get(reverse("export_detail", args=[export.pk])).text


@pytest.mark.parametrize("rows", [1, 3])
def test_queries_do_not_grow_with_the_rows(rows: int, django_assert_num_queries: Any) -> None:
    unit = UnitFactory()
    AgreementFactory.create_batch(rows, unit=unit, signed=True)
    export = ask(UserFactory(lead_in=unit))

    with django_assert_num_queries(17):
        exports.make(export, clock=timezone.now)
