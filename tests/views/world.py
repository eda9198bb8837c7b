"""One unit with everything in it and one person of each role; made twice, the second must never show in the first."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from partnerships.factories import (
    DAY,
    ActivityFactory,
    AgreementFactory,
    AnswerFactory,
    ContactFactory,
    ContactNoteFactory,
    CooperationAreaFactory,
    DemandFactory,
    DocumentVersionFactory,
    EnterpriseFactory,
    FacilityFactory,
    InstitutionFactory,
    MilestoneFactory,
    OrganizationUnitFactory,
    UnitFactory,
    UserFactory,
)

ROLES = ("viewer", "coordinator", "lead", "staff", "user_admin", "system_admin", "nobody", "outsider")


@dataclass
class World:
    """``people`` by role; ``outsider`` is a coordinator of another unit, ``nobody`` has an account and no role."""

    name: str
    unit: Any
    people: dict[str, Any]
    area: Any
    enterprise: Any
    draft: Any
    agreement: Any
    milestone: Any
    obligation: Any
    activity: Any
    note: Any
    contact: Any
    version: Any
    facility: Any
    demand: Any
    answer: Any

    @property
    def coordinator(self) -> Any:
        return self.people["coordinator"]

    @property
    def lead(self) -> Any:
        return self.people["lead"]


def make_people(unit: Any) -> dict[str, Any]:
    return {
        "viewer": UserFactory(viewer_in=unit),
        "coordinator": UserFactory(coordinator_in=unit),
        "lead": UserFactory(lead_in=unit),
        "staff": UserFactory(staff=True),
        "user_admin": UserFactory(user_admin=True),
        "system_admin": UserFactory(system_admin=True),
        "nobody": UserFactory(),
        "outsider": UserFactory(coordinator_in=UnitFactory()),
    }


def make_world(name: str) -> World:
    unit = UnitFactory(name=f"{name} school")
    people = make_people(unit)
    owner = people["coordinator"]
    area = CooperationAreaFactory(name=f"{name} area")
    enterprise = EnterpriseFactory(name=f"{name} Works Co., Ltd.", name_zh="中益机械有限公司")
    OrganizationUnitFactory(organization=enterprise, unit=unit, coordinator=owner)
    parties = [InstitutionFactory(name=f"{name} College"), enterprise]
    common = {"unit": unit, "coordinator": owner, "created_by": owner, "parties": parties, "areas": [area]}
    agreement = AgreementFactory(title=f"{name} signed", signed=True, **common)
    activity = ActivityFactory(
        agreement=agreement, owner=owner, title=f"{name} training", training=True, organizations=[enterprise]
    )
    demand = DemandFactory(unit=unit, owner=owner, organization=enterprise, title=f"{name} demand", answered=True)
    return World(
        name=name,
        unit=unit,
        people=people,
        area=area,
        enterprise=enterprise,
        draft=AgreementFactory(title=f"{name} draft", **common),
        agreement=agreement,
        milestone=MilestoneFactory(
            agreement=agreement, title=f"{name} milestone", owner=owner, due_on=DAY + dt.timedelta(days=3)
        ),
        obligation=MilestoneFactory(
            agreement=agreement,
            title=f"{name} obligation",
            owner=owner,
            requires_acceptance=True,
            kind="obligation",
            due_on=DAY - dt.timedelta(days=1),
        ),
        activity=activity,
        note=ContactNoteFactory(agreement=agreement, author=owner, summary=f"{name} said yes"),
        contact=ContactFactory(organization=enterprise, name=f"{name} person"),
        version=DocumentVersionFactory(document__agreement=agreement, document__title=f"{name} paper"),
        facility=FacilityFactory(unit=unit, owner=owner, name=f"{name} base", partners=parties),
        demand=demand,
        answer=AnswerFactory(demand=demand, unit=unit, proposed=True),
    )
