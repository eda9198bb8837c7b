"""Two units with the same rows, and one person of each role in the first: what must not cross from one to the other."""

from dataclasses import dataclass
from typing import Any

from partnerships.factories import (
    DAY,
    AchievementFactory,
    ActivityFactory,
    AgreementFactory,
    AnswerFactory,
    CitationFactory,
    ContactFactory,
    ContactNoteFactory,
    DemandFactory,
    DocumentFactory,
    EventFactory,
    FacilityFactory,
    HonourFactory,
    MilestoneFactory,
    OrganizationFactory,
    PaymentFactory,
    ProgrammeFactory,
    ReminderItemFactory,
    ReminderRuleFactory,
    ReportedFigureFactory,
    ReportFactory,
    SourceFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import AgreementTerm, Unit, User

ROLES = ("viewer", "coordinator", "lead", "staff", "user_admin", "system_admin")
# o: of one's own unit, p: of an agreement in which one's unit takes part, x: of another unit.
PLACES = {"own": "o", "participating": "p", "other": "x"}


@dataclass(frozen=True)
class Twins:
    """``rows[kind][place]`` is one row of each kind in each place."""

    people: dict[str, User]
    rows: dict[str, dict[str, Any]]


def people_of(unit: Unit) -> dict[str, User]:
    return {
        "viewer": UserFactory(viewer_in=unit),
        "coordinator": UserFactory(coordinator_in=unit),
        "lead": UserFactory(lead_in=unit),
        "staff": UserFactory(staff=True),
        "user_admin": UserFactory(user_admin=True),
        "system_admin": UserFactory(system_admin=True),
    }


def make_twins() -> Twins:
    own, other = UnitFactory(), UnitFactory()
    places = {
        "own": rows_of(own, AgreementFactory(unit=own, signed=True)),
        "participating": rows_of(other, AgreementFactory(unit=other, signed=True, units=[own])),
        "other": rows_of(other, AgreementFactory(unit=other, signed=True)),
    }
    # An agreement ends by notice only where one is on record.
    AgreementTerm.objects.update(renewal="automatic", notice_given_on=DAY)
    rows = {kind: {place: made[kind] for place, made in places.items()} for kind in places["own"]}
    return Twins(people_of(own), rows)


def rows_of(unit: Unit, agreement: Any) -> dict[str, Any]:
    organization = OrganizationFactory(held_by=unit)
    milestone = MilestoneFactory(agreement=agreement)
    partner = agreement.participating_units.first()
    demand = DemandFactory(unit=unit)
    if partner:
        AnswerFactory(demand=demand, unit=partner.unit)
    return {
        "agreement": agreement,
        "milestone": milestone,
        "activity": ActivityFactory(agreement=agreement),
        "contact_note": ContactNoteFactory(agreement=agreement),
        "document": DocumentFactory(agreement=agreement),
        "delivery": ReminderItemFactory(plan__milestone=milestone).delivery,
        "organization": organization,
        "contact": ContactFactory(organization=organization),
        "event": EventFactory(unit=unit),
        "reminder_rule": ReminderRuleFactory(unit=unit),
        "source": SourceFactory(),
        "citation": CitationFactory(record=milestone.agreement),
        "payment": PaymentFactory(agreement=agreement),
        "facility": FacilityFactory(unit=unit, agreement=agreement),
        "demand": demand,
        # The unit asked has it as its own; the unit that asked takes part.
        "answer": AnswerFactory(unit=unit, demand__unit=partner.unit if partner else unit),
        "achievement": AchievementFactory(unit=unit),
        "programme": ProgrammeFactory(unit=unit),
        "report": ReportFactory(unit=unit),
        "honour": HonourFactory(unit=unit),
        "figure": ReportedFigureFactory(unit=unit),
        "unit": unit,
        "user": UserFactory(coordinator_in=unit),
        "role": UserFactory(coordinator_in=unit).memberships.get(),
    }
