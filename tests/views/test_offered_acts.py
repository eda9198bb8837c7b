"""Each page offers what its reader may do there, and nothing else.

``PLACES`` says at which addresses an action is taken; ``ELSEWHERE`` names the actions that have no place on the page of
their record, and where they are instead. An action of ``permissions.ACTIONS`` that is in neither fails.
"""

from collections.abc import Callable, Mapping
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import AgreementFactory, AgreementTypeFactory, ApprovalStepFactory
from partnerships.forms.steps import step_offers
from partnerships.forms.terms import TERM_VERBS
from partnerships.models import Document, Payment, User
from partnerships.permissions import ACTIONS, may
from partnerships.statuses import ACTIVITY_TRANSITIONS, AGREEMENT_TRANSITIONS, MILESTONE_TRANSITIONS
from partnerships.workflows.milestones import last_day_of_snooze, new_action_point
from tests.views.world import World

READERS = ("viewer", "coordinator", "lead", "staff", "outsider")
OF_PAGES = ("agreement", "milestone", "activity", "payment", "document", "organization")

# Actions without a place on the page of their record.
ELSEWHERE: Mapping[str, str] = {
    "agreement.view": "the page itself",
    "agreement.add": "the list of agreements, the page of an organization and of an event",
    "agreement.follow_up": "asked by the acts that add something under the agreement",
    "milestone.view": "the page itself",
    "milestone.add": "the page of the agreement, the activity or the event",
    "activity.view": "the page itself",
    "organization.view": "the page itself",
    "organization.view_details": "the page itself",
    "organization.add": "the list of organizations, and forms that name one",
    "activity.add": "the page of the agreement",
    "payment.view": "the files of the agreement",
    "payment.receive": "the files of the agreement, beside each payment",
    "payment.correct_receipt": "the page of the payment",
    "document.view": "the files of the agreement",
    "document.replace": "the files of the agreement, beside each document",
}


def steps(address: str) -> Callable[[Any, str, User], list[str]]:
    """Return the addresses of the steps of a row that an action allows in its state."""
    return lambda row, action, user: [
        reverse(address, args=[row.pk, offer.transition.name])
        for offer in step_offers(row, user)
        if offer.transition.permission == action
    ]


STEPS = {"agreement": steps("agreement_step"), "milestone": steps("milestone_step"), "activity": steps("activity_step")}


def places(row: Any, action: str, user: User) -> list[str]:
    """Return the addresses at which ``action`` is taken with ``row`` as it is now."""
    steps_of = STEPS.get(row._meta.model_name)
    found = steps_of(row, action, user) if steps_of else []
    return found + (PLACES[action](row) if action in PLACES else [])


def terms_and_parties(row: Any) -> list[str]:
    names = [verb.name for verb in TERM_VERBS if verb.fits(row, timezone.localdate())]
    names += ["accede", "withdraw"] if row.is_signed else []
    return [reverse("agreement_step", args=[row.pk, name]) for name in names]


def edits(row: Any) -> list[str]:
    names = ["people", "units", "custody", *([] if row.has_ended else ["assign"])]
    return [
        reverse("agreement_edit", args=[row.pk]),
        *(reverse("agreement_step", args=[row.pk, name]) for name in names),
    ]


def step_if(condition: Callable[[Any], bool], name: str, address: str = "agreement_step") -> Callable[[Any], list[str]]:
    return lambda row: [reverse(address, args=[row.pk, name])] if condition(row) else []


def is_open(milestone: Any) -> bool:
    return milestone.is_pending and not milestone.is_derived


def is_pending(milestone: Any) -> bool:
    return bool(milestone.is_pending)


PLACES: Mapping[str, Callable[[Any], list[str]]] = {
    "agreement.amend": terms_and_parties,
    "agreement.edit": edits,
    "agreement.confirm_signing": step_if(lambda row: row.is_signing_to_confirm, "confirm-signing"),
    "agreement.record_approval": step_if(
        lambda row: row.status == "in_review" and row.type.approval_steps.exists(), "record-approval"
    ),
    "agreement.delete": lambda row: [reverse("agreement_delete", args=[row.pk])],
    "milestone.edit": step_if(is_open, "edit", "milestone_step"),
    "milestone.move": step_if(is_pending, "move", "milestone_step"),
    "milestone.snooze": step_if(
        lambda row: row.is_pending and last_day_of_snooze(row, timezone.localdate()) > timezone.localdate(),
        "snooze",
        "milestone_step",
    ),
    "milestone.assign": step_if(is_pending, "assign", "milestone_step"),
    "activity.edit": lambda row: [reverse("activity_edit", args=[row.pk])],
    "organization.edit": lambda row: [reverse("organization_edit", args=[row.pk])],
    "organization.archive": lambda row: [
        reverse("organization_delete", args=[row.pk]),
        reverse("organization_step", args=[row.pk, "restore" if row.archived_on else "archive"]),
    ],
}

# Acts under an agreement that add something: the row that is asked about, and the address.
ADDED: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], list[str]]]] = {
    "contact_note.add": (lambda row: row, step_if(lambda row: row.is_signed, "log")),
    "activity.add": (
        lambda row: row,
        lambda row: [] if row.status == "cancelled" else [reverse("activity_add", args=[row.pk])],
    ),
    "milestone.add": (
        new_action_point,
        lambda row: (
            []
            if row.has_ended
            else [
                reverse("milestone_add", args=["agreement", row.pk]),
                reverse("agreement_step", args=[row.pk, "milestone"]),
            ]
        ),
    ),
    "document.upload": (
        lambda row: Document(agreement=row),
        lambda row: [reverse("document_add", args=["agreement", row.pk])],
    ),
    "payment.edit": (lambda row: Payment(agreement=row), lambda row: [reverse("payment_add", args=[row.pk])]),
}


def test_every_action_has_a_place() -> None:
    known = {*PLACES, *ADDED, *ELSEWHERE}
    tables = (AGREEMENT_TRANSITIONS, MILESTONE_TRANSITIONS, ACTIVITY_TRANSITIONS)
    known |= {step.permission for table in tables for step in table.values()}

    assert {action for action in ACTIONS if action.partition(".")[0] in OF_PAGES} - known == set()


STATES: Mapping[str, dict[str, Any]] = {
    "draft": {"ready": True},
    "in_review": {"in_review": True},
    "approved": {"approved": True},
    "signed": {"signed": True},
    "suspended": {"suspended": True},
    "completed": {"completed": True},
    "cancelled": {"cancelled": True},
}


@pytest.mark.parametrize("state", STATES)
def test_the_page_of_an_agreement_offers_what_its_reader_may_do(
    state: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    kind = AgreementTypeFactory()
    if state == "in_review":
        ApprovalStepFactory(type=kind)
    made = AgreementFactory(unit=world.unit, coordinator=world.coordinator, type=kind, **STATES[state])
    agreement = type(made).objects.get(pk=made.pk)
    wrong = {}
    for role in READERS:
        user = world.people[role]
        page = unescape(client_of(user).get(agreement.get_absolute_url()).text)
        for action in (one for one in ACTIONS if one.startswith("agreement.")):
            is_allowed = may(user, action, agreement)
            for address in places(agreement, action, user):
                if (f'href="{address}"' in page) != is_allowed and not waits(agreement, address):
                    wrong[role, action, address] = is_allowed
        for action, (about, addresses) in ADDED.items():
            is_allowed = may(user, action, about(agreement))
            for address in addresses(agreement):
                if (f'href="{address}"' in page) != is_allowed:
                    wrong[role, action, address] = is_allowed
    assert wrong == {}


def waits(agreement: Any, address: str) -> bool:
    """Whether something has to be done first, whoever asks."""
    return address.endswith("/approve/") and agreement.type.approval_steps.exists()


@pytest.mark.parametrize("name", ["milestone", "obligation", "activity", "enterprise"])
def test_the_other_pages_offer_what_their_reader_may_do(
    name: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    row = getattr(world, name)
    kind, wrong = row._meta.model_name, {}
    for role in READERS:
        user = world.people[role]
        page = unescape(client_of(user).get(row.get_absolute_url()).text)
        for action in (one for one in ACTIONS if one.startswith(f"{kind}.")):
            is_allowed = may(user, action, row)
            for address in places(row, action, user):
                if (f'"{address}"' in page) != is_allowed:
                    wrong[role, action, address] = is_allowed
    assert wrong == {}
