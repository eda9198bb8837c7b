"""Every factory makes a whole row: valid, saved once, consistent with what it belongs to."""

import datetime as dt
import inspect
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from partnerships import factories
from partnerships.factories import (
    DAY,
    NOON,
    ActivityFactory,
    AgreementFactory,
    ContactNoteFactory,
    EnterpriseFactory,
    EventFactory,
    MilestoneFactory,
    OrganizationFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Organization, Role, UnitMembership
from partnerships.statuses import ActivityStatus, AgreementStatus, MilestoneStatus

pytestmark = pytest.mark.django_db

FACTORIES = [
    made for name, made in sorted(vars(factories).items()) if inspect.isclass(made) and name.endswith("Factory")
]
# Rows that machines keep: beside those they index, of a browser, or of what happened.
WITHOUT_FACTORY = {
    "BulkAct",
    "Erasure",
    "HistoryPermit",
    "SearchEntry",
    "NameKey",
    "PasswordRequest",
    "SecurityEvent",
    "Sweep",
    "UserSession",
}


def traits_of(made: Any) -> list[str]:
    return sorted(made._meta.parameters)


def combinations() -> list[Any]:
    pairs = [(made, None) for made in FACTORIES]
    pairs += [(made, trait) for made in FACTORIES for trait in traits_of(made) if trait != "content"]
    return [pytest.param(made, trait, id=f"{made.__name__}-{trait}") for made, trait in pairs]


def test_every_model_has_a_factory() -> None:
    made = {factory._meta.model._meta.concrete_model for factory in FACTORIES}
    ours = {
        model._meta.concrete_model
        for model in apps.get_app_config("partnerships").get_models()
        if not model.__name__.startswith("Historical") and model.__name__ not in WITHOUT_FACTORY
    }
    assert ours - made == set()


@pytest.mark.parametrize(("made", "trait"), combinations())
def test_a_row_is_valid(made: Any, trait: str | None) -> None:
    row = made(**({trait: True} if trait else {}))
    row.full_clean(exclude=_null_but_not_blank(row))
    assert type(row)._base_manager.filter(pk=row.pk).count() == 1


def _null_but_not_blank(row: models.Model) -> list[str]:
    """Columns that only machines write may be empty although no form could leave them so."""
    return [field.name for field in row._meta.fields if not field.editable or (field.null and not field.blank)]


@pytest.mark.parametrize("made", FACTORIES, ids=lambda made: made.__name__)
def test_two_rows_do_not_meet(made: Any) -> None:
    assert made().pk != made().pk


def test_a_versioned_row_is_saved_once() -> None:
    agreement = AgreementFactory(signed=True)
    agreement.refresh_from_db()
    assert agreement.version == 1
    assert agreement.history.count() == 1


@pytest.mark.parametrize(
    ("trait", "status"),
    [
        ("ready", AgreementStatus.DRAFT),
        ("in_review", AgreementStatus.IN_REVIEW),
        ("returned", AgreementStatus.RETURNED),
        ("approved", AgreementStatus.APPROVED),
        ("signed", AgreementStatus.SIGNED),
        ("recorded", AgreementStatus.SIGNED),
        ("suspended", AgreementStatus.SUSPENDED),
        ("completed", AgreementStatus.COMPLETED),
        ("terminated", AgreementStatus.TERMINATED),
        ("cancelled", AgreementStatus.CANCELLED),
    ],
)
def test_an_agreement_past_draft_has_parties_and_a_term(trait: str, status: str) -> None:
    agreement = AgreementFactory(**{trait: True})
    assert agreement.status == status
    assert [party.organization.kind for party in agreement.parties.all()] == ["institution", "enterprise"]
    assert [term.starts_on for term in agreement.terms.all()] == [DAY]


def test_a_draft_is_bare() -> None:
    agreement = AgreementFactory()
    assert agreement.parties.count() == 0
    assert agreement.terms.count() == 0


def test_the_signing_moves_the_term() -> None:
    agreement = AgreementFactory(signed=True, signed_on=dt.date(2024, 6, 4), with_term__notice=3)
    term = agreement.terms.get()
    assert (term.starts_on, term.ends_on, term.notice) == (dt.date(2024, 6, 4), dt.date(2027, 6, 3), 3)


def test_parties_given_replace_the_two() -> None:
    organizations = [OrganizationFactory(), EnterpriseFactory()]
    agreement = AgreementFactory(signed=True, parties=organizations)
    assert [party.organization_id for party in agreement.parties.all()] == [row.pk for row in organizations]


def test_an_agreement_has_a_coordinator_of_its_unit() -> None:
    agreement = AgreementFactory()
    membership = agreement.coordinator.memberships.get()
    assert (membership.unit, membership.role) == (agreement.unit, Role.COORDINATOR)
    assert agreement.created_by == agreement.coordinator


def test_a_milestone_follows_its_agreement() -> None:
    milestone = MilestoneFactory()
    assert (milestone.unit, milestone.owner) == (milestone.agreement.unit, milestone.agreement.coordinator)


def test_a_milestone_follows_its_activity() -> None:
    activity = ActivityFactory()
    milestone = MilestoneFactory(activity=activity)
    assert (milestone.agreement, milestone.unit, milestone.owner) == (
        activity.agreement,
        activity.unit,
        activity.owner,
    )


def test_a_milestone_of_an_event_or_an_organization_has_no_agreement() -> None:
    event = EventFactory()
    of_event, of_organization = MilestoneFactory(event=event), MilestoneFactory(organization=OrganizationFactory())
    assert (of_event.agreement, of_event.unit) == (None, event.unit)
    assert (of_organization.agreement, of_organization.owner) == (None, None)


def test_milestone_traits_write_the_date_of_their_status() -> None:
    assert MilestoneFactory(met=True).status == MilestoneStatus.MET
    assert MilestoneFactory(submitted=True).submitted_on == DAY


def test_activity_details_are_of_the_kind() -> None:
    training = ActivityFactory(training=True, with_details__headcount=42, completed=True)
    assert (training.training.headcount, training.status) == (42, ActivityStatus.COMPLETED)
    assert ActivityFactory(visit=True).visit.host.kind == "enterprise"


def test_a_note_is_its_coordinators() -> None:
    note = ContactNoteFactory()
    assert (note.unit, note.author) == (note.agreement.unit, note.agreement.coordinator)


def test_an_activity_or_a_note_without_an_agreement() -> None:
    unit = UnitFactory()
    assert ActivityFactory(agreement=None, unit=unit).owner is None
    assert ContactNoteFactory(agreement=None, unit=unit, organization=OrganizationFactory()).author is None


def test_people_get_the_role_they_are_made_with() -> None:
    unit = UnitFactory()
    UserFactory(viewer_in=unit)
    UserFactory(lead_in=unit)
    roles = UnitMembership.objects.filter(unit=unit).order_by("pk").values_list("role", flat=True)
    assert list(roles) == [Role.VIEWER, Role.LEAD]


def test_only_a_person_with_a_password_can_log_in() -> None:
    assert not UserFactory().has_usable_password()
    assert UserFactory(password="a sample password").check_password("a sample password")


def test_held_by_makes_it_the_units_own() -> None:
    unit = UnitFactory()
    organization = EnterpriseFactory(held_by=unit)
    assert [row.organization_id for row in unit.held_organizations.all()] == [organization.pk]
    assert Organization.objects.get().kind == "enterprise"


def test_a_row_remembers_who_made_it_and_when() -> None:
    person = UserFactory()
    made = EnterpriseFactory(saved_by=person, saved_at=NOON).history.get()
    assert (made.history_user, made.history_date) == (person, NOON)
    assert EnterpriseFactory().history.get().history_user is None
