"""Agreements registered and edited on the pages of coordinators."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    DAY,
    NOON,
    AgreementFactory,
    AgreementPartyFactory,
    AgreementTypeFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    EventFactory,
    MilestoneFactory,
    ProgrammeFactory,
    TypeMilestoneFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.forms.agreements import AgreementForm, NewAgreementForm
from partnerships.models import Agreement, AgreementParty, OrganizationUnit
from partnerships.statuses import AgreementStatus
from tests.services.drawing import undrawn
from tests.views.sent import box, errors, filled, send
from tests.views.world import World, make_world

ADD = "/agreements/add/"
# A term of a year that starts on the day of signing.
START_AND_LENGTH = {"term__0__starts_on": "", "term__0__ends_on": "", "term__0__length": "12"}


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


@pytest.fixture
def typed(world: World) -> dict[str, Any]:
    """A whole draft: two parties, an area, a term."""
    college = world.agreement.parties.get(organization__kind="institution").organization
    return {
        "type": str(AgreementTypeFactory().pk),
        "title": "Joint training centre",
        "parties__0__organization": str(college.pk),
        "parties__1__organization": str(EnterpriseFactory(name="New Works").pk),
        "parties__1__signatory_person": "Mr Zhou",
        "areas__0__area": str(world.area.pk),
        "areas__0__note": "Two courses a year",
        "term__0__starts_on": "2026-04-01",
        "term__0__ends_on": "2029-03-31",
        "term__0__notice": "3",
    }


def edit(agreement: Agreement) -> str:
    return reverse("agreement_edit", args=[agreement.pk])


class TestADraft:
    def test_is_kept_with_its_parts_and_who_registered_it(
        self, world: World, client: Client, typed: dict[str, Any]
    ) -> None:
        programme, event = ProgrammeFactory(unit=world.unit), EventFactory(unit=world.unit)
        more = {"programme": str(programme.pk), "event": str(event.pk), "parent": str(world.agreement.pk)}

        answer = send(client, ADD, **typed, **more, amount="250000", reference="NS-1", summary="Two floors.")

        made = Agreement.objects.get(title="Joint training centre")
        assert answer.url == made.get_absolute_url()
        assert (made.status, made.unit, made.created_by) == (AgreementStatus.DRAFT, world.unit, world.coordinator)
        assert (made.coordinator, made.event, made.parent) == (world.coordinator, event, world.agreement)
        assert (made.amount, made.reference, made.summary) == (250000, "NS-1", "Two floors.")
        assert [party.signatory_person for party in made.parties.all()] == ["", "Mr Zhou"]
        assert [(row.area, row.note) for row in made.promised_areas.all()] == [(world.area, "Two courses a year")]
        assert [(term.ends_on, term.notice) for term in made.terms.all()] == [(dt.date(2029, 3, 31), 3)]
        assert [item.programme for item in made.programme_items.all()] == [programme]
        assert made.milestones.count() == 0
        actors = [
            made.history.get(),
            *(party.history.get() for party in made.parties.all()),
            made.terms.get().history.get(),
        ]
        assert {row.history_user for row in actors} == {world.coordinator}

    def test_needs_no_more_than_unit_type_and_title(self, client: Client) -> None:
        send(client, ADD, type=str(AgreementTypeFactory().pk), title="First thoughts")

        made = Agreement.objects.get(title="First thoughts")
        assert [made.parties.count(), made.promised_areas.count(), made.terms.count()] == [0, 0, 0]

    def test_starts_with_the_organization_and_event_it_was_opened_from(self, world: World, client: Client) -> None:
        event = EventFactory(unit=world.unit)
        address = f"{ADD}?organization={world.enterprise.pk}&event={event.pk}"

        send(client, address, type=str(AgreementTypeFactory().pk), title="From the page")

        made = Agreement.objects.get(title="From the page")
        assert [party.organization_id for party in made.parties.all()] == [world.enterprise.pk]
        assert made.event == event

    @pytest.mark.parametrize("asked", ["organization=x", "organization=999999999999999999999", "event=²"])
    def test_is_offered_whatever_the_address_names(self, asked: str, client: Client) -> None:
        assert client.get(f"{ADD}?{asked}").status_code == 200

    def test_sent_twice_is_kept_once_unless_it_is_another(self, client: Client, typed: dict[str, Any]) -> None:
        send(client, ADD, **typed)

        again = send(client, ADD, **typed)

        same = Agreement.objects.filter(title="Joint training centre")
        assert errors(again) == {"is_another": ["This unit has an agreement of this title already."]}
        assert same.get().get_absolute_url() in again.text
        ticked = filled(again, is_another=box(again))
        client.post(ADD, ticked)
        assert same.count() == 2
        twice = client.post(ADD, ticked)
        assert (list(errors(twice)), same.count()) == (["is_another"], 2)
        [tag] = re.findall(r'<input[^>]*name="is_another"[^>]*>', twice.text)
        assert (f'value="{box(twice)}"' in tag, "checked" in tag) == (True, False)

    def test_one_registered_at_the_same_moment_is_shown(
        self, client: Client, typed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(NewAgreementForm, "clean", AgreementForm.clean)  # as if it had not been there yet
        send(client, ADD, **typed)

        again = send(client, ADD, **typed)

        assert list(errors(again)) == ["is_another"]
        assert Agreement.objects.get(title="Joint training centre").get_absolute_url() in again.text

    @pytest.mark.parametrize("forged", ["on", "x" * 10_000, "9" * 10_000, "\0", "-1", "²"])
    def test_a_forged_box_says_nothing(self, forged: str, client: Client, typed: dict[str, Any]) -> None:
        send(client, ADD, **typed)

        assert list(errors(send(client, ADD, **typed, is_another=forged))) == ["is_another"]

    def test_takes_no_forged_status_or_author(self, world: World, client: Client, typed: dict[str, Any]) -> None:
        forged = {"status": "signed", "signed_on": "2026-01-01", "created_by": str(world.lead.pk), "version": "9"}

        send(client, ADD, **typed, **forged)

        made = Agreement.objects.get(title="Joint training centre")
        assert (made.status, made.signed_on, made.created_by, made.version) == ("draft", None, world.coordinator, 1)

    def test_stays_within_what_one_may_choose(self, client: Client, typed: dict[str, Any]) -> None:
        twin = make_world("South")
        theirs = {
            "unit": str(twin.unit.pk),
            "parent": str(twin.agreement.pk),
            "predecessor": str(twin.draft.pk),
            "coordinator": str(twin.coordinator.pk),
        }

        answer = send(client, ADD, **typed, **theirs)

        assert answer.status_code == 200
        assert errors(answer).keys() == theirs.keys()
        assert Agreement.objects.filter(title="Joint training centre").count() == 0

    def test_names_no_organization_twice(self, client: Client, typed: dict[str, Any]) -> None:
        answer = send(client, ADD, **{**typed, "parties__0__organization": typed["parties__1__organization"]})

        assert list(errors(answer)) == ["parties-1-organization"]
        assert Agreement.objects.filter(title="Joint training centre").count() == 0

    @pytest.mark.parametrize(
        ("field", "value", "where"),
        [
            ("title", "x" * 10_000, "title"),
            ("title", "North\r\nBcc: all@example.org", "title"),
            ("title", "North\u202edesrever", "title"),
            ("title", "nul\0l", "title"),
            ("summary", "nul\0l", "summary"),
            ("type", "999999999999999999999999", "type"),
            ("amount", "NaN", "amount"),
            ("amount", "1e400", "amount"),
            ("amount", "1_000", "amount"),
            ("currency", "XX1", "currency"),
            ("on", "01/02/2026", "on"),
            ("on", "2026-02-30", "on"),
            ("parties__0__organization", "999999999999999999999999", "parties-0-organization"),
            ("parties__0__organization", "1; drop", "parties-0-organization"),
            ("parties__0__role", "emperor", "parties-0-role"),
            ("parties__0__signatory_person", "y" * 10_000, "parties-0-signatory_person"),
            ("areas__0__note", "a\nb", "areas-0-note"),
            ("term__0__starts_on", "31.12.2026", "term-0-starts_on"),
            ("term__0__starts_on", "0001-01-01", "term-0-starts_on"),
            ("term__0__ends_on", "2026-03-31", "term-0-ends_on"),
            ("term__0__notice", "1000000000", "term-0-notice"),
            ("parties__TOTAL_FORMS", "x", "parties"),
        ],
    )
    def test_says_at_the_field_what_is_wrong_and_keeps_the_rest(
        self, field: str, value: str, where: str, client: Client, typed: dict[str, Any]
    ) -> None:
        answer = send(client, ADD, **{**typed, "reference": "NS-77", field: value})

        assert (answer.status_code, where in errors(answer)) == (200, True)
        assert "Not saved yet. Please correct:" in answer.text
        assert 'value="NS-77"' in answer.text
        assert Agreement.objects.filter(reference="NS-77").count() == 0


class TestSignedAlready:
    def test_it_is_recorded_on_its_day_without_past_milestones(
        self, world: World, client: Client, typed: dict[str, Any]
    ) -> None:
        kind = AgreementTypeFactory()
        for months in (1, 24):
            TypeMilestoneFactory(type=kind, title=f"After {months}", months_after_signing=months)
        typed |= {"type": str(kind.pk), "on": "2025-03-10", "term__0__starts_on": ""}

        send(client, ADD, **typed)

        made = Agreement.objects.get(title="Joint training centre")
        assert (made.status, made.signed_on, made.recorded_on) == (AgreementStatus.SIGNED, dt.date(2025, 3, 10), DAY)
        assert (made.approved_on, made.current_term.starts_on) == (None, dt.date(2025, 3, 10))
        assert [party.name_as_signed for party in made.parties.all()] == ["North College", "New Works"]
        assert [row.title for row in made.milestones.filter(title__startswith="After")] == ["After 24"]
        assert min(made.milestones.values_list("due_on", flat=True)) >= DAY
        # A coordinator registered it: nobody has confirmed that it was signed.
        assert OrganizationUnit.objects.filter(unit=world.unit, organization__name="New Works").count() == 0

    def test_left_without_a_term_it_is_open_ended_by_the_types_rule(
        self, client: Client, typed: dict[str, Any]
    ) -> None:
        kept = {name: value for name, value in typed.items() if not name.startswith("term")}

        send(client, ADD, **kept, on="2026-02-01")

        term = Agreement.objects.get(title="Joint training centre").current_term
        assert (term.starts_on, term.ends_on, term.review_on) == (dt.date(2026, 2, 1), None, dt.date(2027, 2, 1))

    @pytest.mark.parametrize(
        ("changed", "where", "words"),
        [
            ({"on": "2026-03-03"}, "on", "This day lies in the future."),
            ({"on": "2026-04-01", "precision": "month"}, "on", "This day lies in the future."),
            ({"on": "", "precision": "year"}, "on", "Give the day, or say that it is not known."),
            (
                {"on": "2025-06-15", "precision": "year"} | START_AND_LENGTH,
                "term-0-ends_on",
                "Give the end, as far as it is known: a length counts from a start whose day is known.",
            ),
            (
                {"on": "2026-02-01", "parties__1__organization": ""},
                "__all__",
                "An agreement needs at least two signatories; add the parties first.",
            ),
        ],
    )
    def test_what_cannot_be_is_refused_whole(
        self, changed: dict[str, str], where: str, words: str, client: Client, typed: dict[str, Any]
    ) -> None:
        typed.pop("parties__1__signatory_person")

        answer = send(client, ADD, **typed | changed)

        assert errors(answer)[where] == [words]
        assert Agreement.objects.filter(title="Joint training centre").count() == 0


class TestWithoutAScript:
    def test_words_find_what_can_be_chosen_and_nothing_is_judged(
        self, world: World, client: Client, typed: dict[str, Any]
    ) -> None:
        typed |= {"title": "", "parties__1__organization": "", "parties__1__organization__words": "中益"}

        page = send(client, ADD, **typed, look="parties-1-organization")

        choice = f'<input type="radio" name="parties-1-organization" value="{world.enterprise.pk}" >'
        assert choice in page.text
        assert errors(page) == {}
        assert 'value="Mr Zhou"' in page.text
        assert Agreement.objects.count() == 2

    def test_words_alone_are_no_choice(self, client: Client, typed: dict[str, Any]) -> None:
        typed |= {"parties__1__organization": "", "parties__1__organization__words": "north"}

        answer = send(client, ADD, **typed)

        assert errors(answer) == {"parties-1-organization": ["Choose one of those found."]}
        assert "North College" in answer.text

    @pytest.mark.parametrize("words", ["x" * 10_000, "nul\0l", "%", "no such name"])
    def test_any_words_are_answered(self, words: str, client: Client, typed: dict[str, Any]) -> None:
        typed |= {"parties__1__organization": "", "parties__1__organization__words": words}

        assert "No match" in send(client, ADD, **typed, look="x").text

    def test_a_line_is_added_and_all_else_stays(self, client: Client, typed: dict[str, Any]) -> None:
        page = send(client, ADD, **typed, more="parties")

        lines = page.context["form"].lines["parties"].forms
        assert [line["signatory_person"].value() for line in lines] == [None, "Mr Zhou", None]
        assert [lines[2][name].value() for name in ("role", "is_for_itself")] == ["signatory", True]
        assert errors(page) == {}

    @pytest.mark.parametrize("more", ["nothing", "parties-0", "x" * 10_000])
    def test_a_line_of_nothing_is_none(self, more: str, client: Client, typed: dict[str, Any]) -> None:
        assert send(client, ADD, **typed, more=more).status_code == 200

    def test_lines_have_an_end(self, client: Client, typed: dict[str, Any]) -> None:
        page = send(client, ADD, **typed | {"parties__TOTAL_FORMS": "100"}, more="parties")

        assert len(page.context["form"].lines["parties"].forms) == 100


class TestEditing:
    def test_a_draft_is_changed_with_its_parts_as_one_edit(self, world: World, client: Client) -> None:
        draft, area = world.draft, CooperationAreaFactory()

        answer = send(
            client,
            edit(draft),
            title="Better title",
            parties__0__role="witness",
            parties__1__DELETE="on",
            areas__0__area=str(area.pk),
        )

        draft.refresh_from_db()
        assert answer.url == draft.get_absolute_url()
        assert (draft.title, draft.version) == ("Better title", 2)
        assert [(party.organization.name, party.role) for party in draft.parties.all()] == [
            ("North College", "witness")
        ]
        assert [row.area for row in draft.promised_areas.all()] == [area]
        assert draft.history.count() == 2
        assert AgreementParty.history.filter(history_type="-").get().history_user == world.coordinator

    def test_nothing_changed_is_no_edit(self, world: World, client: Client) -> None:
        send(client, edit(world.draft))

        world.draft.refresh_from_db()
        assert (world.draft.version, world.draft.history.count()) == (1, 1)

    def test_a_part_alone_is_an_edit(self, world: World, client: Client) -> None:
        send(client, edit(world.draft), parties__0__signatory_person="Ms Lin")

        world.draft.refresh_from_db()
        assert (world.draft.version, world.draft.parties.all()[0].signatory_person) == (2, "Ms Lin")

    def test_a_party_is_taken_out_and_put_in_again_or_makes_room_for_another(
        self, world: World, client: Client
    ) -> None:
        college, enterprise = [party.organization_id for party in world.draft.parties.order_by("pk")]
        third = EnterpriseFactory()

        send(client, edit(world.draft), parties__0__organization=str(third.pk), parties__1__organization=str(college))
        moved = [party.organization_id for party in world.draft.parties.order_by("pk")]
        page = client.post(edit(world.draft), filled(undrawn(client, edit(world.draft)), more="parties"))
        anew = {"parties-0-DELETE": "on", "parties-2-organization": str(college)}
        client.post(edit(world.draft), filled(page) | anew)

        assert moved == [college, third.pk]
        assert [party.organization_id for party in world.draft.parties.order_by("pk")] == [third.pk, college]
        assert enterprise not in moved
        assert AgreementParty.history.filter(history_type="-").count() == 1

    @pytest.mark.both_databases
    @pytest.mark.parametrize("order", [(1, 0), (1, 2, 0), (2, 0, 1)])
    def test_lines_that_exchange_their_organizations_keep_what_they_say(
        self, order: tuple[int, ...], world: World, client: Client
    ) -> None:
        for _ in order[2:]:
            AgreementPartyFactory(agreement=world.draft)
        parties = list(world.draft.parties.order_by("pk"))
        wanted = [parties[place].organization_id for place in order]
        typed = {f"parties__{number}__organization": str(pk) for number, pk in enumerate(wanted)}
        typed |= {f"parties__{number}__signatory_person": f"Person {number}" for number in range(len(order))}

        answer = send(client, edit(world.draft), **typed)

        assert answer.url == world.draft.get_absolute_url()
        persons = dict(world.draft.parties.values_list("organization", "signatory_person"))
        assert persons == {pk: f"Person {number}" for number, pk in enumerate(wanted)}
        edits = AgreementParty.history.filter(agreement_id=world.draft.pk, history_type="~")
        assert {row.id: (row.organization_id, row.history_user) for row in edits} == {
            party.pk: (party.organization_id, world.coordinator) for party in parties
        }
        assert (edits.count(), Agreement.objects.get(pk=world.draft.pk).version) == (len(order), 2)

    def test_a_party_makes_room_for_one_above_it(self, world: World, client: Client) -> None:
        enterprise, third = world.draft.parties.order_by("pk")[1].organization_id, EnterpriseFactory()
        moved = {"parties__0__organization": str(enterprise), "parties__1__organization": str(third.pk)}

        send(client, edit(world.draft), **moved)

        assert {party.organization_id for party in world.draft.parties.all()} == {enterprise, third.pk}

    def test_lines_said_to_be_new_are_still_the_same_lines(self, world: World, client: Client) -> None:
        answer = send(client, edit(world.draft), parties__INITIAL_FORMS="0")

        assert errors(answer) == {"parties-0-organization": ["This organization is a party already."]}
        assert world.draft.parties.count() == 2

    @pytest.mark.parametrize("forged", ["theirs", "", "x", "999999999999999999999"])
    def test_a_line_of_another_agreement_is_not_taken_for_one_of_its_own(
        self, forged: str, world: World, client: Client
    ) -> None:
        theirs = make_world("South").draft.parties.all()[0]
        pk = str(theirs.pk) if forged == "theirs" else forged
        organization = str(EnterpriseFactory().pk)

        answer = send(client, edit(world.draft), parties__0__id=pk, parties__0__organization=organization)

        words = "This line is not there any more. Please open the page again."
        assert errors(answer)["parties-0-__all__"] == [words]
        assert (world.draft.parties.count(), theirs.agreement.parties.count()) == (2, 2)

    def test_there_is_one_first_term(self, world: World, client: Client) -> None:
        world.draft.terms.all().delete()
        term = {"starts_on": "2026-04-01", "ends_on": "2029-03-31"}
        twice = {f"term__{number}__{name}": value for number in (0, 1) for name, value in term.items()}

        answer = send(client, edit(world.draft), **twice, term__TOTAL_FORMS="2")

        assert errors(answer)["term"] == ["Please submit at most 1 form."]
        assert world.draft.terms.count() == 0

    def test_what_was_signed_is_locked_and_the_rest_is_not(self, world: World, client: Client) -> None:
        new_owner = UserFactory(coordinator_in=world.unit)
        forged = {"title": "Forged", "amount": "1", "status": "draft"}

        send(client, edit(world.agreement), **forged, reference="NS-9", coordinator=str(new_owner.pk))

        agreement = Agreement.objects.get(pk=world.agreement.pk)
        assert (agreement.title, agreement.amount, agreement.status) == ("North signed", None, "signed")
        assert (agreement.reference, agreement.coordinator) == ("NS-9", new_owner)

    def test_forged_lines_of_a_signed_one_are_refused(self, world: World, client: Client) -> None:
        signed = {"parties-TOTAL_FORMS": "1", "parties-INITIAL_FORMS": "0"}
        signed |= {"parties-0-organization": str(EnterpriseFactory().pk), "parties-0-role": "signatory"}
        signed |= {"parties-0-is_for_itself": "on", "areas-TOTAL_FORMS": "0", "areas-INITIAL_FORMS": "0"}
        signed |= {"term-TOTAL_FORMS": "0", "term-INITIAL_FORMS": "0"}

        answer = client.post(edit(world.agreement), filled(undrawn(client, edit(world.agreement))) | signed)

        assert "is locked" in errors(answer)["__all__"][0]
        assert world.agreement.parties.count() == 2

    def test_a_party_that_owes_something_stays_and_what_was_typed_too(self, world: World, client: Client) -> None:
        second = world.draft.parties.all()[1]
        MilestoneFactory(agreement=world.draft, party=second, kind="obligation")
        typed = {"title": "Typed", "parties__0__DELETE": "on", "parties__1__DELETE": "on"}

        refused = send(client, edit(world.draft), **typed)

        [words] = errors(refused)["__all__"]
        assert words == f"“{second}” cannot be removed: there are milestones that refer to it."
        assert (refused.status_code, world.draft.parties.count()) == (200, 2)
        kept = filled(refused)
        del kept["parties-1-DELETE"]
        client.post(edit(world.draft), kept)
        assert Agreement.objects.get(pk=world.draft.pk).title == "Typed"
        assert [party.pk for party in world.draft.parties.all()] == [second.pk]

    def test_the_new_coordinator_gets_the_milestones(self, world: World, client: Client) -> None:
        new_owner = UserFactory(coordinator_in=world.unit)
        other = MilestoneFactory(agreement=world.agreement, owner=world.lead)

        send(client, edit(world.agreement), coordinator=str(new_owner.pk))

        world.milestone.refresh_from_db()
        other.refresh_from_db()
        assert (world.milestone.owner, other.owner) == (new_owner, world.lead)

    def test_the_coordinator_has_to_see_it(self, world: World, client: Client, typed: dict[str, Any]) -> None:
        below = UserFactory(coordinator_in=UnitFactory(parent=world.unit))
        refusal = {"coordinator": ["This person may not see the agreement."]}
        typed |= {"unit": str(world.unit.pk)}

        for address, data in ((edit(world.draft), {}), (ADD, typed)):
            assert errors(send(client, address, **data, coordinator=str(below.pk))) == refusal

        assert Agreement.objects.filter(coordinator=below).count() == 0

    def test_the_coordinator_has_to_see_it_in_another_unit_too(
        self, world: World, client_of: Callable[[Any], Client]
    ) -> None:
        there, client = UnitFactory(), client_of(world.people["staff"])
        new_owner, to = UserFactory(coordinator_in=there), {"unit": str(there.pk)}

        refused = send(client, edit(world.draft), title="Typed", **to)

        assert errors(refused) == {"coordinator": ["This person may not see the agreement."]}
        assert 'value="Typed"' in refused.text
        world.draft.refresh_from_db()
        assert (world.draft.unit, world.draft.version) == (world.unit, 1)
        for person in (str(new_owner.pk), ""):
            client.post(edit(world.draft), filled(refused, coordinator=person))
            refused = client.get(edit(world.draft))
            world.draft.refresh_from_db()
            assert (world.draft.unit, world.draft.title) == (there, "Typed")

    def test_it_moves_only_to_a_unit_of_ones_own(self, world: World, client: Client) -> None:
        twin = make_world("South")

        answer = send(client, edit(world.draft), unit=str(twin.unit.pk))

        assert list(errors(answer)) == ["unit"]

    def test_another_units_framework_is_kept_and_not_named(self, world: World, client: Client) -> None:
        theirs = make_world("South").agreement
        Agreement.objects.filter(pk=world.draft.pk).update(parent=theirs)

        page = client.get(edit(world.draft))
        send(client, edit(world.draft), title="Better title")
        forged = client.post(edit(world.draft), filled(page, parent=str(theirs.pk), predecessor=str(theirs.pk)))

        assert forged.status_code == 409
        assert ["South signed" in answer.text for answer in (page, forged)] == [False, False]
        world.draft.refresh_from_db()
        assert (world.draft.title, world.draft.parent) == ("Better title", theirs)

    def test_the_programme_is_changed_and_taken_off(self, world: World, client: Client) -> None:
        first, second = ProgrammeFactory(unit=world.unit), ProgrammeFactory(unit=world.unit)
        labels = []
        for chosen in (str(first.pk), str(second.pk), ""):
            send(client, edit(world.agreement), programme=chosen)
            labels.append([item.programme for item in world.agreement.programme_items.all()])

        assert labels == [[first], [second], []]

    def test_it_does_not_come_back_to_itself(self, world: World, client: Client) -> None:
        answer = send(client, edit(world.draft), parent=str(world.draft.pk))

        assert list(errors(answer)) == ["parent"]

    def test_the_page_costs_the_same_with_more_parts(
        self, world: World, client: Client, django_assert_num_queries: Any
    ) -> None:
        client.get(edit(world.draft))
        for draft in (world.draft, AgreementFactory(unit=world.unit, with_term=True)):
            for _ in range(3):
                draft.parties.create(organization=EnterpriseFactory(held_by=world.unit))
                draft.promised_areas.create(area=CooperationAreaFactory())
            if draft is world.draft:
                draft.terms.create(starts_on=DAY, review_on=DAY)
            with django_assert_num_queries(14):
                client.get(edit(draft))


class TestAStalePage:
    def test_shows_mine_theirs_and_the_original_and_loses_nothing(
        self, world: World, client: Client, client_of: Callable[[Any], Client]
    ) -> None:
        mine = filled(undrawn(client, edit(world.draft)), title="Mine", parties__0__signatory_person="Ms Lin")
        send(client_of(world.lead), edit(world.draft), title="Theirs")

        refused = client.post(edit(world.draft), mine)

        assert refused.status_code == 409
        shown = [
            (str(row.label), row.mine, row.theirs, row.original) for row in refused.context["conflict"].differences
        ]
        assert shown[0] == ("Title", "Mine", "Theirs", "North draft")
        assert shown[1][1:] == ("Ms Lin", "–", "–")
        assert 'value="Ms Lin"' in refused.text
        assert Agreement.objects.get(pk=world.draft.pk).title == "Theirs"
        client.post(edit(world.draft), filled(refused))
        assert Agreement.objects.get(pk=world.draft.pk).title == "Mine"

    def test_of_what_was_submitted_meanwhile_keeps_the_lines_in_sight(self, world: World, client: Client) -> None:
        mine = filled(undrawn(client, edit(world.draft)), parties__0__signatory_person="Ms Lin")
        client.post(reverse("agreement_step", args=[world.draft.pk, "submit"]), {"version": 1, "on": str(DAY)})

        refused = client.post(edit(world.draft), mine)

        assert (refused.status_code, 'value="Ms Lin"' in refused.text) == (409, True)
        again = client.post(edit(world.draft), filled(refused))
        assert "is locked" in errors(again)["__all__"][0]
        assert 'value="Ms Lin"' in again.text
        assert world.draft.parties.all()[0].signatory_person == ""

    @pytest.mark.parametrize(
        ("prefix", "where", "words"),
        [
            ("parties", "parties-2-organization", "This organization is a party already."),
            ("areas", "areas-1-area", "This area is promised already."),
            ("term", "term-0-__all__", "There is a term of this number already."),
        ],
    )
    def test_saved_again_with_a_line_they_added_too_says_so_at_the_line(
        self, prefix: str, where: str, words: str, world: World, client: Client
    ) -> None:
        world.draft.terms.all().delete()
        added = {
            "parties": {"parties-2-organization": str(EnterpriseFactory().pk), "parties-2-role": "signatory"},
            "areas": {"areas-1-area": str(CooperationAreaFactory().pk)},
            "term": {"term-0-starts_on": "2026-04-01", "term-0-ends_on": "2029-03-31"},
        }[prefix]
        page = client.get(edit(world.draft))
        if prefix != "term":
            page = client.post(edit(world.draft), filled(page, more=prefix))
        data = filled(page) | added

        client.post(edit(world.draft), data)
        refused = client.post(edit(world.draft), data)
        again = client.post(edit(world.draft), filled(refused))

        assert (refused.status_code, again.status_code) == (409, 200)
        assert errors(again) == {where: [words]}
        assert world.draft.version + 1 == Agreement.objects.get(pk=world.draft.pk).version

    def test_does_not_name_what_it_referred_to_in_another_unit(self, world: World, client: Client) -> None:
        theirs, draft = make_world("South").agreement, world.draft
        for parent in (theirs, world.agreement, None):
            draft.parent = parent
            draft.save()
        page = filled(undrawn(client, edit(draft)), parent=str(world.agreement.pk))

        foreign, own = (client.post(edit(draft), page | {"version": str(version)}) for version in (2, 3))

        assert [row.original for row in foreign.context["conflict"].differences] == [f"#{theirs.pk}"]
        assert "South signed" not in foreign.text
        assert [row.original for row in own.context["conflict"].differences] == ["North signed"]

    def test_of_what_was_returned_meanwhile_goes_on_with_the_lines_as_they_are(
        self, world: World, client: Client, client_of: Callable[[Any], Client]
    ) -> None:
        draft = world.draft
        client.post(reverse("agreement_step", args=[draft.pk, "submit"]), {"version": 1, "on": str(DAY)})
        page = filled(undrawn(client, edit(draft)), reference="NS-8")
        back = {"version": 2, "on": str(DAY), "reason": "Names"}
        client_of(world.lead).post(reverse("agreement_step", args=[draft.pk, "return"]), back)

        refused = client.post(edit(draft), page)
        client.post(edit(draft), filled(refused, parties__1__signatory_person="Ms Lin"))

        assert [row.mine for row in refused.context["conflict"].differences if not row.is_theirs_alone] == ["NS-8"]
        assert [name for name in errors(refused) if name != "__all__"] == []
        draft.refresh_from_db()
        assert (draft.title, draft.reference, draft.is_party_list_complete) == ("North draft", "NS-8", True)
        assert [party.signatory_person for party in draft.parties.all()] == ["", "Ms Lin"]

    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ({}, [("New Works", "Mr Zhou")]),
            ({"parties-0-signatory_person": "Ms Lin"}, [("New Works", "Mr Zhou"), ("North College", "Ms Lin")]),
            ({"parties-0-DELETE": "on"}, [("New Works", "Mr Zhou")]),
        ],
    )
    def test_drops_a_line_removed_meanwhile_unless_something_was_typed_in_it(
        self, typed: dict[str, str], kept: list[Any], world: World, client: Client
    ) -> None:
        page = filled(undrawn(client, edit(world.draft)), summary="Mine") | typed
        page |= {"parties-1-organization": str(EnterpriseFactory(name="New Works").pk)}
        page |= {"parties-1-signatory_person": "Mr Zhou"}
        send(client, edit(world.draft), parties__0__DELETE="on")

        refused = client.post(edit(world.draft), page)
        client.post(edit(world.draft), filled(refused))

        assert "removed meanwhile" in [row.theirs for row in refused.context["conflict"].differences]
        world.draft.refresh_from_db()
        parties = world.draft.parties.order_by("pk")
        assert [(party.organization.name, party.signatory_person) for party in parties] == kept
        assert world.draft.summary == "Mine"

    def test_takes_what_only_they_changed_in_a_line_from_them(
        self, world: World, client: Client, client_of: Callable[[Any], Client]
    ) -> None:
        page = filled(undrawn(client, edit(world.draft)), summary="Mine", parties__1__name_as_signed="Mine")
        theirs = {"parties__0__signatory_person": "Ms Lin", "parties__0__signs_for_members": "on"}
        theirs |= {"parties__1__role": "witness", "parties__1__name_as_signed": "Theirs", "areas__0__note": "Theirs"}
        with time_machine.travel(NOON + dt.timedelta(minutes=5), tick=False):
            send(client_of(world.lead), edit(world.draft), **theirs)

            refused = client.post(edit(world.draft), page)
            client.post(edit(world.draft), filled(refused))

        differences = refused.context["conflict"].differences
        assert [(row.mine, row.theirs) for row in differences if not row.is_theirs_alone][1:] == [("Mine", "Theirs")]
        first, second = world.draft.parties.order_by("pk")
        assert (first.signatory_person, first.signs_for_members) == ("Ms Lin", True)
        assert (second.role, second.name_as_signed) == ("witness", "Mine")
        assert world.draft.promised_areas.get().note == "Theirs"

    def test_takes_what_it_never_asked_for_from_them(self, world: World, client: Client) -> None:
        draft = world.draft
        draft.parent = make_world("South").agreement
        draft.save()
        page = filled(undrawn(client, edit(draft)), summary="Mine")
        draft.parent = world.agreement
        draft.save()

        refused = client.post(edit(draft), page)
        client.post(edit(draft), filled(refused))

        assert ("parent" in page, refused.status_code) == (False, 409)
        draft.refresh_from_db()
        assert (draft.summary, draft.parent) == ("Mine", world.agreement)

    @pytest.mark.parametrize(
        ("opened", "theirs", "mine", "kept"),
        [
            ("–", "Theirs", "–", "Theirs"),
            ("Old", "Theirs", "Old", "Theirs"),
            ("Old", "–", "Old", "–"),
            ("–", "Theirs", "Mine", "Mine"),
            ("Old", "Theirs", "Mine", "Mine"),
            ("Old", "Theirs", "–", "–"),
        ],
    )
    def test_does_not_undo_the_programme_they_chose(
        self,
        opened: str,
        theirs: str,
        mine: str,
        kept: str,
        world: World,
        client: Client,
        client_of: Callable[[Any], Client],
    ) -> None:
        keys = {name: str(ProgrammeFactory(name=name, unit=world.unit).pk) for name in ("Old", "Theirs", "Mine")} | {
            "–": ""
        }
        send(client, edit(world.draft), programme=keys[opened])
        page = filled(undrawn(client, edit(world.draft)), summary="Mine", programme=keys[mine])
        with time_machine.travel(NOON + dt.timedelta(minutes=5), tick=False):
            send(client_of(world.lead), edit(world.draft), title="Better title", programme=keys[theirs])

            refused = client.post(edit(world.draft), page)
            client.post(edit(world.draft), filled(refused))

        [shown] = [row for row in refused.context["conflict"].differences if row.label == "Program"]
        assert (shown.mine, shown.theirs, shown.original) == (mine, theirs, opened)
        assert ([item.programme.name for item in world.draft.programme_items.all()] or ["–"]) == [kept]
        world.draft.refresh_from_db()
        assert (world.draft.title, world.draft.summary) == ("Better title", "Mine")

    @pytest.mark.parametrize(("has_the_box", "kept"), [(True, False), (False, True)])
    def test_a_box_that_is_not_ticked_is_a_change_only_where_the_page_has_it(
        self, has_the_box: bool, kept: bool, world: World, client: Client
    ) -> None:
        page = filled(undrawn(client, edit(world.draft)))
        assert (page.pop("is_party_list_complete"), page["boxes"]) == ("on", "is_party_list_complete")
        page |= {} if has_the_box else {"boxes": ""}
        world.draft.touch()

        client.post(edit(world.draft), filled(client.post(edit(world.draft), page)))

        world.draft.refresh_from_db()
        assert world.draft.is_party_list_complete is kept

    @pytest.mark.parametrize("version", ["", "0", "x", "999999999999999999999", "-1"])
    def test_a_forged_version_is_a_stale_one(self, version: str, world: World, client: Client) -> None:
        assert send(client, edit(world.draft), title="Forged", version=version).status_code == 409
        assert Agreement.objects.get(pk=world.draft.pk).title == "North draft"


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("outsider", 404), ("nobody", 404), ("user_admin", 404)])
def test_others_may_not(role: str, status: int, world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.people[role])

    assert client.post(edit(world.draft), {"title": "Theirs"}).status_code == status
    assert client.post(ADD, {"title": "Theirs"}).status_code == (200 if role == "outsider" else 403)
    assert Agreement.objects.filter(title="Theirs").count() == 0


@pytest.mark.parametrize("count", ["-1", "0", "1", "", "x", "1e3", "9" * 30, None])
def test_parties_are_never_dropped_because_their_count_is_wrong(
    count: str | None, world: World, client: Client, typed: dict[str, Any]
) -> None:
    sent = {**filled(undrawn(client, ADD), **typed), "parties-TOTAL_FORMS": count}

    answer = client.post(ADD, {name: value for name, value in sent.items() if value is not None})

    assert "The page was incomplete" in errors(answer)["parties"][0]
    assert Agreement.objects.filter(title=typed["title"]).count() == 0
    client.post(ADD, filled(answer))
    assert Agreement.objects.get(title=typed["title"]).parties.count() == 2
