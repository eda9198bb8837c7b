"""The original paper of an agreement: archive number, copies, seals, and where it is."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import DAY, AgreementFactory, CustodyStepFactory
from partnerships.models import Agreement, AgreementParty
from partnerships.workflows.agreements import edit_agreement
from tests.views.sections import section_url, whole_page
from tests.views.sent import errors, filled, send
from tests.views.world import World, make_world


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def edit(agreement: Agreement) -> str:
    return reverse("agreement_edit", args=[agreement.pk])


def custody(agreement: Agreement) -> str:
    return reverse("agreement_step", args=[agreement.pk, "custody"])


def parties(agreement: Agreement) -> list[AgreementParty]:
    return list(agreement.parties.order_by("pk"))


class TestTheForm:
    def test_of_a_signed_agreement_asks_how_each_party_signed(self, world: World, client: Client) -> None:
        typed = {
            "archive_number": "2026-KJ-17",
            "copies": "4",
            "papers__0__seal": "official",
            "papers__0__copies": "2",
            "papers__1__signatory_person": "Mr Zhou",
            "papers__1__signatory_position": "General manager",
            "papers__1__signs_as": "authorized",
        }

        page = client.get(edit(world.agreement))
        answer = send(client, edit(world.agreement), **typed)

        assert answer.status_code == 302
        assert [line.legend for line in page.context["form"].lines["papers"]] == [
            "North College",
            "North Works Co., Ltd.",
        ]
        world.agreement.refresh_from_db()
        ours, theirs = parties(world.agreement)
        assert (world.agreement.archive_number, world.agreement.copies) == ("2026-KJ-17", 4)
        assert (ours.seal, ours.copies, theirs.seal) == ("official", 2, "")
        assert (theirs.signatory_person, theirs.signs_as) == ("Mr Zhou", "authorized")
        shown = whole_page(client, world.agreement)
        for words in ("2026-KJ-17", "2 kept by", "Mr Zhou · General manager · Authorized representative"):
            assert words in shown, words

    def test_does_not_let_parties_of_a_signed_agreement_change(self, world: World, client: Client) -> None:
        page = client.get(edit(world.agreement))
        typed = {"papers-0-organization": str(world.enterprise.pk), "papers-0-role": "host", "papers-0-DELETE": "on"}

        client.post(edit(world.agreement), filled(page) | typed)

        assert [party.role for party in parties(world.agreement)] == ["signatory", "signatory"]

    def test_refuses_more_copies_than_were_made(self, world: World, client: Client) -> None:
        answer = send(client, edit(world.agreement), copies="2", papers__0__copies="2", papers__1__copies="1")

        assert errors(answer) == {"copies": ["The parties keep more copies than were made."]}

    def test_of_an_agreement_in_review_does_not_ask(self, world: World, client: Client) -> None:
        in_review = AgreementFactory(unit=world.unit, in_review=True)

        assert "papers" not in client.get(edit(in_review)).context["form"].lines


def test_the_verb_locks_what_was_agreed(world: World) -> None:
    party = parties(world.agreement)[0]
    party.seal, party.role = "official", "witness"

    with pytest.raises(Exception, match="what was agreed is locked"):
        edit_agreement(world.agreement, actor=world.coordinator, today=DAY, parts=[party])


class TestCustody:
    def test_each_step_is_a_stay_with_its_length_and_who_recorded_it(self, world: World, client: Client) -> None:
        today = timezone.localdate()
        for step, desk, days in (("printed", "Cooperation office", 18), ("sent", "Mr Zhou", 15)):
            since = (today - dt.timedelta(days=days)).isoformat()
            answer = send(client, custody(world.agreement), step=step, desk=desk, since=since)
            assert answer.status_code == 302
        paper = client.get(section_url(world.agreement, "files")).context["paper"]

        shown = [(stay.step.desk, stay.length, stay.recorded_by) for stay in paper["stays"]]
        assert shown == [
            ("Mr Zhou", "15 days", world.coordinator),
            ("Cooperation office", "3 days", world.coordinator),
        ]

    def test_a_page_that_is_behind_is_refused(self, world: World, client: Client) -> None:
        page = client.get(custody(world.agreement))
        send(client, custody(world.agreement), step="printed", desk="Office")

        answer = client.post(custody(world.agreement), filled(page) | {"step": "sent", "desk": "Mr Zhou"})

        assert (answer.status_code, world.agreement.custody_steps.count()) == (409, 1)

    @pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("outsider", 404), ("lead", 200)])
    def test_whoever_may_not_edit_the_agreement_may_not_record_it(
        self, role: str, status: int, world: World, client_of: Callable[[Any], Client]
    ) -> None:
        assert client_of(world.people[role]).get(custody(world.agreement)).status_code == status
        page = client_of(world.people["viewer"]).get(section_url(world.agreement, "files")).text
        assert custody(world.agreement) not in page


class TestTheList:
    def test_finds_an_agreement_by_its_archive_number(self, world: World, client: Client) -> None:
        world.agreement.archive_number = "2026-KJ-17"
        world.agreement.save()

        found = client.get("/agreements/", {"q": "kj-17", "columns": "archive_number"})

        assert [row.pk for row in found.context["rows"]] == [world.agreement.pk]
        assert "2026-KJ-17" in found.text

    def test_tells_where_each_original_is_and_for_how_long(self, world: World, client: Client) -> None:
        today = timezone.localdate()
        for agreement, desk, days in (
            (world.draft, "Ms Lin", 3),
            (world.agreement, "Ms Lin", 40),
            (world.agreement, "Mr Zhou", 12),
        ):
            CustodyStepFactory(agreement=agreement, desk=desk, since=today - dt.timedelta(days=days))
        other = make_world("South").agreement
        CustodyStepFactory(agreement=other, desk="Mr Zhou")
        columns = {"columns": ["paper", "paper_since"]}

        of_zhou = client.get("/agreements/", {"paper": "zhou", **columns})
        oldest_first = client.get("/agreements/", {"sort": "paper_since", **columns})

        assert [row.pk for row in of_zhou.context["rows"]] == [world.agreement.pk]
        assert "12 days" in of_zhou.text
        assert [row.pk for row in oldest_first.context["rows"]] == [world.agreement.pk, world.draft.pk]

    @pytest.mark.parametrize("count", [1, 5])
    def test_costs_the_same_queries_for_one_and_for_many(
        self, count: int, world: World, client: Client, django_assert_num_queries: Any
    ) -> None:
        for _number in range(count):
            CustodyStepFactory(agreement=AgreementFactory(unit=world.unit, signed=True))
        address = {"sort": "paper_since", "columns": ["paper", "paper_since", "archive_number"]}
        client.get("/agreements/", address)

        with django_assert_num_queries(12):
            client.get("/agreements/", address)
