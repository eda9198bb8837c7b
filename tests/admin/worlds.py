"""Two units with twin rows of everything the admin shows, and one person for each role."""

from dataclasses import dataclass
from typing import Any

from partnerships.factories import (
    NOON,
    AchievementFactory,
    ActivityFactory,
    AgreementAreaFactory,
    AgreementFactory,
    AnswerFactory,
    AssociationFactory,
    CitationFactory,
    ContactFactory,
    ContactNoteFactory,
    DemandFactory,
    DemandOutcomeFactory,
    DocumentFactory,
    DocumentVersionFactory,
    EnterpriseFactory,
    EventFactory,
    EventKindFactory,
    FacilityFactory,
    GovernmentBodyFactory,
    HonourFactory,
    HonourSchemeFactory,
    InstitutionFactory,
    MilestoneFactory,
    OrganizationUnitFactory,
    ParticipationFactory,
    PaymentFactory,
    ProgrammeFactory,
    ProgrammeItemFactory,
    ProgrammeOrganizerFactory,
    ProgrammeTargetFactory,
    RegionFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
    ReportedFigureFactory,
    SourceFactory,
    StatementFactory,
    UnitFactory,
    UserFactory,
    WorkCalendarFactory,
)
from partnerships.models import Role, Unit, UnitMembership, User

ROLES = ("staff", "system_admin", "user_admin", "lead", "coordinator", "viewer")


@dataclass
class World:
    """``rows`` maps a model's name to (a row of our unit, its twin in the other unit)."""

    unit: Unit
    other_unit: Unit
    people: dict[str, User]
    rows: dict[str, tuple[Any, Any]]


def make_world() -> World:
    """Names say whose a row is: ours are 湖州 Huzhou, the twins are 台州 Taizhou."""
    unit = UnitFactory(name="Huzhou office", name_zh="湖州办公室")
    other = UnitFactory(name="Taizhou office", name_zh="台州办公室")
    people = {
        "staff": UserFactory(username="staff", staff=True),
        "system_admin": UserFactory(username="system", system_admin=True),
        "user_admin": UserFactory(username="accounts", user_admin=True),
        "lead": UserFactory(username="lead", lead_in=unit),
        "coordinator": UserFactory(username="coordinator", coordinator_in=unit),
        "viewer": UserFactory(username="viewer", viewer_in=unit),
    }
    ours, theirs = rows_of(unit, "Huzhou", "湖州"), rows_of(other, "Taizhou", "台州")
    return World(unit, other, people, {name: (ours[name], theirs[name]) for name in ours})


def rows_of(unit: Unit, word: str, zh: str) -> dict[str, Any]:
    """One row of each registered model that belongs to ``unit``, with ``word`` and ``zh`` in its names."""
    source = SourceFactory(title=f"{word} daily {zh}")
    college = InstitutionFactory(name=f"{word} College", name_zh=f"{zh}学院", held_by=unit)
    enterprise = EnterpriseFactory(name=f"{word} Machinery", name_zh=f"{zh}机械", held_by=unit)
    association = AssociationFactory(name=f"{word} Association", name_zh=f"{zh}协会", held_by=unit)
    bureau = GovernmentBodyFactory(name=f"{word} Bureau", name_zh=f"{zh}局", held_by=unit)
    coordinator = UserFactory(name=f"{word} coordinator {zh}", coordinator_in=unit)
    OrganizationUnitFactory(organization=AssociationFactory(name=f"{word} Chamber"), unit=unit)
    event = EventFactory(name=f"{word} meeting", name_zh=f"{zh}对接会", unit=unit)
    EventKindFactory(event=event)
    ParticipationFactory(event=event, organization=college)
    agreement = AgreementFactory(
        title=f"{word} framework {zh}", unit=unit, coordinator=coordinator, signed=True, parties=[college, enterprise]
    )
    AgreementAreaFactory(agreement=agreement)
    statement = StatementFactory(source=source)
    citation = CitationFactory(record=agreement, source=source, field="title", statement=statement)
    milestone = MilestoneFactory(title=f"{word} report {zh}", agreement=agreement)
    document = DocumentFactory(agreement=agreement, title=f"{word} paper {zh}")
    DocumentVersionFactory(document=document)
    rule = ReminderRuleFactory(unit=unit)
    plan = ReminderPlanFactory(milestone=milestone, rule=rule)
    ReminderItemFactory(plan=plan, delivery__subject=f"{word} report {zh}", delivery__failed=True)
    facts = facts_of(unit, word, zh, college=college, enterprise=enterprise, event=event, source=source)
    DemandOutcomeFactory(demand=facts["demand"], agreement=agreement)
    ProgrammeItemFactory(programme=facts["programme"], agreement=agreement)
    return {
        **facts,
        "organization": college.organization_ptr if hasattr(college, "organization_ptr") else college,
        "institution": college,
        "enterprise": enterprise,
        "association": association,
        "governmentbody": bureau,
        "contact": ContactFactory(organization=enterprise, name=f"{word} engineer {zh}"),
        "agreement": agreement,
        "milestone": milestone,
        "payment": PaymentFactory(agreement=agreement, purpose=f"{word} scholarship {zh}"),
        "activity": ActivityFactory(title=f"{word} training {zh}", agreement=agreement, training=True),
        "contactnote": ContactNoteFactory(agreement=agreement, summary=f"{word} called {zh}"),
        "event": event,
        "document": document,
        "source": source,
        "citation": citation,
        "reminderrule": rule,
        "reminderplan": plan,
        "user": coordinator,
        "unit": unit,
        "agreementtype": agreement.type,
        "cooperationarea": agreement.promised_areas.get().area,
        "region": RegionFactory(name=f"{word} city", name_zh=f"{zh}市"),
        "workcalendar": WorkCalendarFactory(name=f"{word} days", name_zh=f"{zh}日历"),
    }


def facts_of(
    unit: Unit, word: str, zh: str, *, college: Any, enterprise: Any, event: Any, source: Any
) -> dict[str, Any]:
    """One row of what the articles tell of beside agreements; the figure reports more than is recorded."""
    facility = FacilityFactory(
        name=f"{word} base", name_zh=f"{zh}基地", unit=unit, opened=True, partners=[college, enterprise]
    )
    demand = DemandFactory(title=f"{word} bearings {zh}", unit=unit, organization=enterprise, event=event)
    achievement = AchievementFactory(name=f"{word} cage", name_zh=f"{zh}保持架", unit=unit, organization=college)
    scheme = HonourSchemeFactory(name=f"{word} Giant", name_zh=f"{zh}小巨人", ladder=True)
    programme = ProgrammeFactory(name=f"{word} action", name_zh=f"{zh}行动", unit=unit)
    ProgrammeOrganizerFactory(programme=programme, organization=college)
    ProgrammeTargetFactory(programme=programme)
    for item in ({"event": event}, {"facility": facility}, {"demand": demand}):
        ProgrammeItemFactory(programme=programme, **item)
    return {
        "facility": facility,
        "demand": demand,
        "achievement": achievement,
        "answer": AnswerFactory(demand=demand, unit=unit, person=f"{word} professor {zh}", achievement=achievement),
        "programme": programme,
        "honourscheme": scheme,
        "honour": HonourFactory(scheme=scheme, organization=enterprise, unit=unit, batch=f"{word} {zh}"),
        "reportedfigure": ReportedFigureFactory(
            name=f"{word} agreements", name_zh=f"{zh}协议", unit=unit, source=source, event=event, compared=True
        ),
    }


def person_with(role: Role, unit: Unit, **fields: Any) -> User:
    person = UserFactory(**fields)
    UnitMembership.objects.create(user=person, unit=unit, role=role)
    return person


__all__ = ["NOON", "ROLES", "World", "make_world", "person_with", "rows_of"]
