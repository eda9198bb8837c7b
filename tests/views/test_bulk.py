"""Acts on selected rows: chosen on a list, previewed, done and undone; nobody acts on what they may not."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import DAY, AgreementFactory, MilestoneFactory, UserFactory
from partnerships.models import BulkAct, Export, Milestone, SecurityEvent
from partnerships.views import bulk
from tests.views.world import World


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.lead)


def address(key: str = "milestone_list") -> str:
    return reverse("bulk", args=[key])


def test_choose_preview_reassign_and_undo(world: World, client: Client) -> None:
    colleague, back = UserFactory(name="Zhao Min", coordinator_in=world.unit), reverse("milestone_list")
    rows = [world.milestone, world.obligation]
    asked = {"act": "reassign", "pick": [row.pk for row in rows], "next": f"{back}?due=month"}

    page = client.post(address(), asked)
    look = client.post(address(), asked | {"step": "preview", "owner": colleague.pk})
    untouched = set(Milestone.objects.filter(owner=colleague))
    sent = {"act": "reassign", "chosen": look.context["versions"], "next": asked["next"], "owner": colleague.pk}
    Milestone.objects.get(pk=world.obligation.pk).save()
    done = client.post(address(), sent | {"step": "do"}, follow=True)
    act = BulkAct.objects.get()
    undone = client.post(reverse("bulk_undo", args=[act.pk]), {"next": back}, follow=True)

    assert "2 selected items" in page.text
    assert "2 items will change" in look.text
    assert "North Works Co., Ltd. · North signed" in look.text
    assert untouched == set()
    assert done.redirect_chain == [(f"{back}?due=month", 302)]
    assert "Reassigned: 1 item." in done.text
    assert f'action="{reverse("bulk_undo", args=[act.pk])}"' in done.text
    assert "was not changed: Somebody else changed this since you opened it." in done.text
    assert "Undone: 1 item is restored." in undone.text
    assert not Milestone.objects.filter(owner=colleague).exists()
    assert "Undone at" in client.get(act.get_absolute_url()).text


def test_everything_that_a_list_finds(world: World, client: Client) -> None:
    for _ in range(3):
        MilestoneFactory(agreement=world.agreement, owner=world.coordinator, due_on=DAY)
    query = f"due_until={DAY.isoformat()}"

    page = client.post(address(), {"act": "snooze", "all": 1, "query": query, "pick": world.milestone.pk})

    assert {row.due_on <= DAY for row in page.context["rows"].values()} == {True}
    assert len(page.context["rows"]) == 4
    assert page.context["chosen"].back == f"{reverse('milestone_list')}?{query}"


def test_an_act_that_asks_nothing_is_previewed_at_once(world: World, client: Client) -> None:
    page = client.get(address("agreement_list"), {"act": "complete", "pick": [world.agreement.pk, world.draft.pk]})

    assert [row for row, _reason in page.context["refused"]] == [world.agreement, world.draft]
    assert "0 items will change" in page.text
    assert not SecurityEvent.objects.filter(kind=SecurityEvent.Kind.REFUSED).exists()


def test_selected_rows_are_exported(world: World, client: Client) -> None:
    other = AgreementFactory(unit=world.unit, title="Another")

    file = client.post(address("agreement_list"), {"act": "export", "format": "csv", "pick": world.agreement.pk})
    text = b"".join(file).decode()

    assert str(world.agreement) in text
    assert str(other) not in text


@pytest.mark.parametrize(("role", "expected"), [("viewer", 403), ("nobody", 403), ("coordinator", 200)])
def test_whoever_may_nothing_is_refused(
    role: str, expected: int, world: World, client_of: Callable[[Any], Client]
) -> None:
    client = client_of(world.people[role])

    answer = client.post(address(), {"act": "reassign", "pick": world.milestone.pk})
    shown = client.get(reverse("milestone_list"))

    assert answer.status_code == expected
    assert bool(shown.context["list"].bulk_acts) == (expected == 200)


def test_rows_of_another_unit_are_not_there(world: World, client_of: Callable[[Any], Client]) -> None:
    asked = {"act": "reassign", "pick": world.milestone.pk, "step": "do", "owner": world.people["outsider"].pk}

    done = client_of(world.people["outsider"]).post(address(), asked, follow=True)

    world.milestone.refresh_from_db()
    assert world.milestone.owner == world.coordinator
    assert "1 item is no longer there, or not visible to you." in done.text


def test_nothing_leads_elsewhere_or_on_without_rows(world: World, client: Client) -> None:
    empty = client.post(address(), {"act": "reassign", "next": "https://example.org/"})
    unknown = client.post(address(), {"act": "erase", "pick": world.milestone.pk})

    assert empty.url == reverse("milestone_list")
    assert [unknown.status_code, client.get(reverse("bulk", args=["nothing"])).status_code] == [404, 404]


@pytest.mark.parametrize("rows", [1, 4])
def test_the_page_of_an_act_costs_the_same_for_more_rows(
    rows: int, world: World, client: Client, django_assert_num_queries: Any
) -> None:
    chosen = [MilestoneFactory(agreement=world.agreement).pk for _ in range(rows)]

    with django_assert_num_queries(7):
        client.post(address(), {"act": "reassign", "pick": chosen})


def test_a_link_to_an_export_changes_nothing_and_leads_nowhere_else(world: World, client: Client) -> None:
    query = {"act": "export", "pick": world.agreement.pk, "next": "logout"}

    page = client.get(address("agreement_list"), query)

    assert (page.status_code, Export.objects.count()) == (200, 0)
    assert page.context["chosen"].back == reverse("agreement_list")


def test_an_export_of_all_has_no_limit_of_rows(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_ROWS", 1)
    AgreementFactory(unit=world.unit, title="One more")

    file = client.post(address("agreement_list"), {"act": "export", "format": "csv", "all": "1"})

    assert len(b"".join(file).splitlines()) >= 3
