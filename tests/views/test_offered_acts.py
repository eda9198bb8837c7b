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

from partnerships.factories import (
    DAY,
    AchievementFactory,
    AgreementFactory,
    AgreementTypeFactory,
    ApprovalStepFactory,
    DemandFactory,
    EventFactory,
    FacilityFactory,
    HonourFactory,
    ProgrammeFactory,
    RegionFactory,
    ReportedFigureFactory,
)
from partnerships.forms.steps import step_offers
from partnerships.forms.terms import TERM_VERBS
from partnerships.models import Citation, Document, Facility, Payment, User
from partnerships.models.documents import DOCUMENT_TARGETS
from partnerships.permissions import ACTIONS, may
from partnerships.reports.timeline_sources import TRANSITIONS
from partnerships.views.record_acts import kind_of_record
from partnerships.workflows.milestones import last_day_of_snooze, new_action_point
from tests.views.world import World

READERS = ("viewer", "coordinator", "lead", "staff", "outsider")
# Parts of ``permissions.ACTIONS`` with pages of their own. The others are settings, mails and what the office keeps in the admin.
OF_PAGES = (
    *("agreement", "milestone", "activity", "payment", "document", "organization", "contact", "contact_note"),
    *("event", "facility", "demand", "answer", "achievement", "programme", "honour", "figure"),
    *("source", "citation", "reference"),
)

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
    "document.replace": "the files of its record, beside each document",
    "contact.view": "the page of the organization",
    "contact.view_personal": "the page of the organization",
    "contact.edit": "the page of the organization, beside each person",
    "contact_note.view": "the page of its record",
    "contact_note.edit": "the page of its record, beside each note",
    "event.view": "the page itself",
    "event.view_minutes": "the page itself",
    "facility.view": "the page itself",
    "demand.view": "the page itself",
    "answer.edit": "the page of the demand, beside each answer",
    "achievement.view": "the page itself",
    "programme.view": "the page itself",
    "honour.view": "the page itself",
    "figure.view": "the page itself",
    "source.view": "the page itself",
    "source.edit": "the page of the source",
    "citation.edit": "the page of its record and of its source, beside each citation",
    "reference.view": "the page itself",
    "reference.edit": "the admin, which the office enters",
}


def steps(address: str) -> Callable[[Any, str, User], list[str]]:
    """Return the addresses of the steps of a row that an action allows in its state."""
    return lambda row, action, user: [
        reverse(address, args=[row.pk, offer.transition.name])
        for offer in step_offers(row, user)
        if offer.transition.permission == action
    ]


STEPS = {
    kind: steps(f"{kind}_step")
    for kind in ("agreement", "milestone", "activity", "event", "facility", "demand", "honour")
}


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


def pages(*names: str) -> Callable[[Any], list[str]]:
    return lambda row: [reverse(name, args=[row.pk]) for name in names]


def turns(demand: Any) -> list[str]:
    names = ("ask", "agreement", "project") if demand.is_pending else ()
    return [reverse("demand_step", args=[demand.pk, name]) for name in names]


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
    "event.edit": lambda row: [] if row.withdrawn_on else pages("event_edit", "event_people")(row),
    "event.correct": pages("event_delete"),
    "facility.edit": pages("facility_edit"),
    "facility.correct": pages("facility_delete"),
    "demand.edit": lambda row: [*pages("demand_edit")(row), *turns(row)],
    "demand.correct": pages("demand_delete"),
    "achievement.edit": pages("achievement_edit", "achievement_delete"),
    "programme.edit": pages("programme_edit", "programme_delete"),
    "honour.edit": lambda row: [] if row.withdrawn_on else pages("honour_edit")(row),
    "honour.correct": pages("honour_delete"),
    "figure.edit": pages("figure_edit", "figure_delete"),
    "figure.confirm": pages("figure_confirm"),
    "organization.merge": pages("organization_merge"),
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
    "facility.add": (
        lambda row: Facility(agreement=row, unit=row.unit),
        lambda row: [f"{reverse('facility_add')}?agreement={row.pk}"] if row.is_signed else [],
    ),
    "citation.add": (
        lambda row: Citation(record=row),
        lambda row: [reverse("citation_add", args=["agreement", row.pk])],
    ),
}

# Actions that add rows from the pages of other records: by the kind of the page, each with the address that adds a row about it.
ADDED_BESIDE: Mapping[str, Mapping[str, str]] = {
    "organization": {
        "activity.add": "activity_log",
        "agreement.add": "agreement_add",
        "demand.add": "demand_add",
        "facility.add": "facility_add",
        "honour.edit": "honour_add",
        "achievement.edit": "achievement_add",
        "figure.edit": "figure_add",
    },
    "event": {
        "activity.add": "activity_log",
        "agreement.add": "agreement_add",
        "demand.add": "demand_add",
        "facility.add": "facility_add",
        "figure.edit": "figure_add",
    },
    "programme": {"figure.edit": "figure_add"},
    "region": {"figure.edit": "figure_add"},
}
# Actions of lists, which need no record to begin from.
ADDED_IN_LISTS: Mapping[str, str] = {
    "agreement": "agreement.add",
    "organization": "organization.add",
    "event": "event.add",
    "demand": "demand.add",
    "facility": "facility.add",
    "achievement": "achievement.edit",
    "programme": "programme.edit",
    "honour": "honour.edit",
    "figure": "figure.edit",
    "source": "source.add",
}


def test_every_action_has_a_place() -> None:
    known = {*PLACES, *ADDED, *ELSEWHERE, *ADDED_IN_LISTS.values()}
    known |= {step.permission for table in TRANSITIONS.values() for step in table.values()}

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


def of_world(name: str) -> Callable[[World], Any]:
    return lambda world: getattr(world, name)


def new(factory: Any, **given: Any) -> Callable[[World], Any]:
    return lambda world: factory(unit=world.unit, **given)


def archived(world: World) -> Any:
    world.enterprise.archived_on = DAY
    world.enterprise.save()
    return world.enterprise


# Records in the statuses in which their pages offer different acts.
RECORDS: Mapping[str, Callable[[World], Any]] = {
    "milestone": of_world("milestone"),
    "obligation": of_world("obligation"),
    "activity": of_world("activity"),
    "enterprise": of_world("enterprise"),
    "archived enterprise": archived,
    "event": new(EventFactory),
    "withdrawn event": new(EventFactory, status="withdrawn", withdrawn_on=DAY),
    "released demand": new(DemandFactory),
    "answered demand": of_world("demand"),
    "demand without a match": new(DemandFactory, status="no_match", closed_on=DAY),
    "planned facility": new(FacilityFactory),
    "opened facility": new(FacilityFactory, opened=True),
    "closed facility": new(FacilityFactory, status="closed", closed_on=DAY),
    "programme": new(ProgrammeFactory),
    "honour": new(HonourFactory),
    "withdrawn honour": new(HonourFactory, status="withdrawn", withdrawn_on=DAY),
    "achievement": new(AchievementFactory),
    "figure": new(ReportedFigureFactory, compared=True),
    "region": lambda world: RegionFactory(),
}


@pytest.mark.parametrize("name", RECORDS)
def test_the_other_pages_offer_what_their_reader_may_do(
    name: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    made = RECORDS[name](world)
    row = made._meta.concrete_model.objects.get(pk=made.pk)
    kind, wrong = kind_of_record(row), {}
    for role in READERS:
        user = world.people[role]
        answer = client_of(user).get(row.get_absolute_url())
        page = unescape(answer.text) if answer.status_code == 200 else ""
        asked = [
            (address, may(user, action, row))
            for action in ACTIONS
            if action.startswith(f"{kind}.")
            for address in places(row, action, user)
        ]
        if page and kind != "milestone":
            asked += beside(row, kind, user)
        wrong |= {
            (role, address): is_allowed for address, is_allowed in asked if (f'"{address}"' in page) != is_allowed
        }
    assert wrong == {}


def beside(row: Any, kind: str, user: User) -> list[tuple[str, bool]]:
    """Return the addresses that add something to a record, and whether ``user`` may; nothing is added to what is over."""
    asked = [(reverse("citation_add", args=[kind, row.pk]), may(user, "citation.add", Citation(record=row)))]
    if kind in DOCUMENT_TARGETS and kind != "activity":
        upload = may(user, "document.upload", Document(**{kind: row}))
        asked.append((reverse("document_add", args=[kind, row.pk]), upload))
    is_over = bool(getattr(row, "withdrawn_on", None))
    for action, name in ADDED_BESIDE.get(kind, {}).items():
        is_closed = is_over or (name == "activity_log" and bool(getattr(row, "archived_on", None)))
        asked.append((f"{reverse(name)}?{kind}={row.pk}", not is_closed and may(user, action)))
    return asked


def test_each_list_adds_what_its_reader_may_add(world: World, client_of: Callable[[Any], Client]) -> None:
    wrong = {}
    for role in READERS:
        user, client = world.people[role], client_of(world.people[role])
        for kind, action in ADDED_IN_LISTS.items():
            is_offered = f'href="{reverse(f"{kind}_add")}"' in client.get(reverse(f"{kind}_list")).text
            if is_offered != may(user, action):
                wrong[role, action] = is_offered
    assert wrong == {}
