"""Pages of column sets, and the choice of columns where a list is exported."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from partnerships.factories import ColumnSetFactory, UnitFactory
from partnerships.lists import LISTS
from partnerships.models import ColumnSet, SecurityEvent
from tests.lists.test_exports import table
from tests.services.processes import PATIENCE
from tests.views.world import World

SENT = {"name": "教育局台账", "language": "zh-hans", "day_form": "zh"}


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def lines(page: Any) -> list[tuple[str, str]]:
    return [(line.column, line.heading) for line in page.context["form"].lines]


def test_a_set_is_made_ordered_kept_and_used(world: World, client: Client) -> None:
    address = f"{reverse('column_set_add')}?list=agreement_list"
    sent = SENT | {
        "unit": world.unit.pk,
        "column": ["#", "title", "partners"],
        "heading": ["序号", "合作内容", "单位名称"],
    }
    sent["text"] = ["", "", ""]

    first = client.get(address)
    moved = client.post(address, sent | {"look": "up-2"})
    more = client.post(address, sent | {"more": "="})
    fewer = client.post(address, sent | {"look": "remove-1"})
    nothing = client.post(address, sent | {"look": "remove-9"})
    assert not ColumnSet.objects.exists()
    order = [sent[key][:1] + sent[key][:0:-1] for key in ("column", "heading")]
    saved = client.post(address, sent | dict(zip(("column", "heading"), order, strict=True)))

    assert [name for name, _heading in lines(first)][:3] == ["#", "partners", "title"]
    assert lines(moved) == [("#", "序号"), ("partners", "单位名称"), ("title", "合作内容")]
    assert [line.focused for line in moved.context["form"].lines] == ["", "up", ""]
    assert [line.focused for line in fewer.context["form"].lines] == ["", "remove"]
    assert (lines(more)[-1], len(lines(nothing))) == (("=", ""), 3)
    assert saved.url == f"{reverse('column_set_list')}?list=agreement_list"
    ledger = ColumnSet.objects.get()
    dialog = client.get(reverse("agreement_list")).text
    assert f'<input type="radio" name="columns" value="{ledger.pk}"> <span>教育局台账</span>' in dialog
    asked = {"list": "agreement_list", "query": "columns=status", "format": "csv", "columns": ledger.pk}
    file = client.post(reverse("export_add"), asked)
    assert table(b"".join(file))[0] == ["序号", "单位名称", "合作内容"]
    assert "%E6%95%99%E8%82%B2%E5%B1%80%E5%8F%B0%E8%B4%A6-2" in file["Content-Disposition"]
    assert "教育局台账" in SecurityEvent.objects.filter(kind="export_made").get().detail


def test_a_set_is_copied_changed_and_deleted(world: World, client: Client) -> None:
    whole = ColumnSetFactory(name="Ledger")  # the office's
    copy = client.get(f"{reverse('column_set_add')}?list=agreement_list&copy={whole.pk}")
    own = ColumnSetFactory(unit=world.unit)
    address = reverse("column_set_edit", args=[own.pk])
    sent = SENT | {
        "unit": world.unit.pk,
        "version": 1,
        "column": ["title", "gone"],
        "heading": ["", ""],
        "text": ["", ""],
    }

    refused = client.post(address, sent | {"name": ""})
    assert client.post(address, sent).status_code == 302
    stale = client.post(address, sent | {"name": "Another"})

    assert (copy.context["form"]["name"].value(), len(lines(copy))) == ("Ledger (copy)", 2)
    assert (refused.status_code, lines(refused)) == (200, [("title", ""), ("gone", "")])
    own.refresh_from_db()
    assert (own.name, own.columns) == ("教育局台账", [{"column": "title", "heading": "", "text": ""}])
    assert (stale.status_code, "Somebody else changed this" in stale.text) == (409, True)
    assert client.post(reverse("column_set_delete", args=[whole.pk])).status_code == 403
    assert client.post(reverse("column_set_delete", args=[own.pk]), follow=True).status_code == 200
    assert list(ColumnSet.objects.all()) == [whole]


def test_columns_are_moved_with_the_keyboard(world: World, open_page: Callable[..., Any]) -> None:
    page = open_page(f"{reverse('column_set_add')}?list=event_list", world.coordinator)
    page.get_by_label("Name").fill("Ledger")

    page.locator("button[value=up-2]").focus()
    for place in (1, 0):  # at the top, where it goes no further up, the focus is on the way down
        page.keyboard.press("Enter")
        expect(page.locator(f"button[value={'up' if place else 'down'}-{place}]")).to_be_focused(
            timeout=PATIENCE * 1000
        )
        # The button has its focus a moment before its script: pressed in between, it would send the whole form.
        expect(page.locator(".htmx-added, .htmx-settling")).to_have_count(0, timeout=PATIENCE * 1000)
    page.get_by_role("button", name="Save").last.click()
    page.wait_for_load_state()

    ledger = ColumnSet.objects.get()
    assert [one["column"] for one in ledger.columns][:3] == ["date", "#", "event"]


def test_an_export_takes_no_set_of_another_unit_or_list(client: Client) -> None:
    others = [ColumnSetFactory(unit=UnitFactory()).pk, ColumnSetFactory(list="event_list").pk, "9" * 30, "x"]
    asked = {"list": "agreement_list", "query": "", "format": "csv"}

    assert [client.post(reverse("export_add"), asked | {"columns": one}).status_code for one in others] == [404] * 4


def test_each_list_is_taken_out_with_all_its_columns(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.people["system_admin"])

    for key, listed in LISTS.items():
        asked = {"list": key, "query": f"columns={listed.columns[0].name}", "format": "csv", "columns": "all"}
        rows = table(b"".join(client.post(reverse("export_add"), asked)))
        assert rows[0] == [str(column.heading) for column in listed.columns], key
