"""An office made at random, small and full of edges, for the figures to be counted from in two ways."""

import datetime as dt
import random
from typing import Any

from partnerships.factories import (
    ActivityCreditFactory,
    ActivityFactory,
    AgreementAreaFactory,
    AgreementFactory,
    AgreementTermFactory,
    AgreementTypeFactory,
    ContactNoteFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    InstitutionFactory,
    MilestoneFactory,
    PastSuspensionFactory,
    ProgrammeFactory,
    ProgrammeItemFactory,
    RegionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import ActivityKind, Agreement, AgreementArea, AgreementTerm, MilestoneKind, User
from partnerships.reports.overview import FigureScope, ReportPeriod
from partnerships.statuses import AgreementStatus, MilestoneStatus

TODAY = dt.date(2026, 11, 29)
FIRST = dt.date(2023, 6, 1)
PERIODS = (
    ReportPeriod(2026),
    ReportPeriod(2025),
    ReportPeriod(2026, is_academic=True),
    ReportPeriod(2025, is_academic=True),
)


class RandomOffice:
    """A university with colleges and a department, agreements at every stage, and what was done and is due under them."""

    def __init__(self, seed: int, *, agreements: int = 25) -> None:
        self.chance = random.Random(seed)
        ours = InstitutionFactory()
        self.top = UnitFactory(organization=ours)
        self.colleges = [UnitFactory(parent=self.top, organization=InstitutionFactory()) for _n in range(2)]
        self.department = UnitFactory(parent=self.colleges[0])
        self.units = [self.top, *self.colleges, self.department]
        self.province = RegionFactory()
        self.regions = [self.province, *(RegionFactory(parent=self.province) for _n in range(2)), RegionFactory()]
        self.types = [AgreementTypeFactory() for _n in range(2)]
        self.areas = [CooperationAreaFactory() for _n in range(2)]
        self.programme = ProgrammeFactory(unit=self.top)
        places = [self.regions[1], *(self.chance.choice([*self.regions, None]) for _n in range(4))]
        self.partners = [EnterpriseFactory(region=region) for region in places]
        self.users: dict[str, User] = {
            "office": UserFactory(staff=True),
            "administrator": UserFactory(system_admin=True),
            "lead": UserFactory(lead_in=self.colleges[0]),
            "coordinator": UserFactory(coordinator_in=self.department),
            "viewer": UserFactory(viewer_in=self.top),
        }
        self.people = [*self.users.values(), UserFactory(coordinator_in=self.colleges[1]), None]
        self.agreements = [self._agreement() for _n in range(agreements)]
        for agreement in self.agreements:
            self._work(agreement)

    def day(self, first: dt.date = FIRST, last: dt.date = TODAY) -> dt.date:
        """Return a day at random, often the first or last of a month."""
        day = first + dt.timedelta(days=self.chance.randint(0, max((last - first).days, 0)))
        if self.chance.random() < 0.3:
            day = day.replace(day=1) - dt.timedelta(days=self.chance.choice([0, 1]))
        return min(max(day, first), last)

    def _agreement(self) -> Agreement:
        chance = self.chance
        stage = chance.choice([*["signed"] * 6, "suspended", "completed", "terminated", "approved", "cancelled"])
        given: dict[str, Any] = {stage: True, "unit": chance.choice(self.units), "type": chance.choice(self.types)}
        given["coordinator"] = chance.choice(self.people)
        given["parties"] = [
            *([given["unit"].organization] if given["unit"].organization else []),
            *chance.sample(self.partners, chance.randint(1, 2)),
        ]
        if chance.random() < 0.3:
            given["units"] = [chance.choice([unit for unit in self.units if unit != given["unit"]])]
        if stage in {"signed", "suspended", "completed", "terminated"}:
            given["signed_on"] = signed_on = self.day()
            if chance.random() < 0.2:
                given |= {"signed_precision": "month", "signed_at_latest": min(signed_on + dt.timedelta(29), TODAY)}
            later = self.day(signed_on)
            if stage != "signed":
                given[f"{stage}_on"] = later
            elif chance.random() < 0.3:
                given |= {"suspended_on": later, "resumed_on": self.day(later)}
            if stage in {"completed", "terminated"} and chance.random() < 0.3:
                given |= {"suspended_on": signed_on, "resumed_on": chance.choice([None, later])}
        agreement = AgreementFactory(**given, with_term=False)
        if agreement.signed_on and chance.random() < 0.3:
            since = self.day(agreement.signed_on)
            until = self.day(since, since + dt.timedelta(days=200)) + dt.timedelta(days=1)
            PastSuspensionFactory(agreement=agreement, suspended_on=since, resumed_on=until)
        self._terms(agreement)
        for area in chance.sample(self.areas, chance.randint(0, 2)):
            quantity = chance.choice([None, 2, 5])
            per = chance.choice(AgreementArea.Per.values) if quantity else AgreementArea.Per.TERM
            AgreementAreaFactory(agreement=agreement, area=area, quantity=quantity, per=per)
        if chance.random() < 0.4:
            ProgrammeItemFactory(programme=self.programme, agreement=agreement)
        return agreement

    def _terms(self, agreement: Agreement) -> None:
        chance = self.chance
        starts_on = agreement.signed_on or FIRST
        if chance.random() < 0.2:
            starts_on += dt.timedelta(days=chance.randint(-40, 40))
        for number in range(1, chance.choice([1, 1, 2, 3]) + 1):
            ends_on = self.day(starts_on, starts_on + dt.timedelta(days=900))
            is_open = chance.random() < 0.15
            given: dict[str, Any] = {"ends_on": None, "review_on": ends_on} if is_open else {"ends_on": ends_on}
            if not is_open and chance.random() < 0.3:
                limit = self.day(ends_on, ends_on + dt.timedelta(days=500))
                given |= {"renewal": AgreementTerm.Renewal.AUTOMATIC, "renews_until": chance.choice([None, limit])}
            AgreementTermFactory(agreement=agreement, number=number, starts_on=starts_on, **given)
            # The next one follows, leaves a gap, or overlaps.
            starts_on = ends_on + dt.timedelta(days=chance.choice([1, 1, 30, -20]))

    def _work(self, agreement: Agreement) -> None:
        chance = self.chance
        for _n in range(chance.randint(0, 3)):
            done = {"completed": True, "completed_on": self.day(dt.date(2024, 9, 1))} if chance.random() < 0.7 else {}
            activity = ActivityFactory(
                agreement=chance.choice([agreement, agreement, None]),
                unit=chance.choice([agreement.unit, *self.units]),
                owner=chance.choice(self.people),
                kind=chance.choice(ActivityKind.values),
                organizations=[chance.choice(self.partners)],
                **done,
            )
            if chance.random() < 0.7:
                ActivityCreditFactory(
                    activity=activity, area=chance.choice(self.areas), organization=chance.choice(self.partners)
                )
        for _n in range(chance.choice([0, 0, 1, 2])):
            ContactNoteFactory(agreement=agreement, unit=agreement.unit, happened_on=self.day(dt.date(2024, 9, 1)))
        for _n in range(chance.randint(0, 2)):
            self._milestone(agreement)

    def _milestone(self, agreement: Agreement) -> None:
        chance = self.chance
        stage = chance.choice(["", "", "", "submitted", "met", "waived", "cancelled"])
        day = {"submitted": "submitted_on", "met": "met_on", "waived": "waived_on", "cancelled": "cancelled_on"}
        MilestoneFactory(
            agreement=agreement,
            owner=chance.choice(self.people),
            kind=chance.choice([MilestoneKind.DECISION_DATE, MilestoneKind.AGREEMENT]),
            due_on=self.day(dt.date(2025, 1, 1), dt.date(2027, 12, 31)),
            **({stage: True, day[stage]: self.day(dt.date(2025, 1, 1))} if stage else {}),
        )

    def scopes(self) -> list[FigureScope]:
        """Return the whole, each filter, and two of them together."""
        college, region = self.chance.choice(self.colleges), self.chance.choice(self.regions[:2])
        return [
            FigureScope(),
            FigureScope(unit=college.pk),
            FigureScope(unit=self.department.pk),
            FigureScope(type=self.types[0].pk),
            FigureScope(area=self.areas[0].pk),
            FigureScope(region=region.pk),
            FigureScope(programme=self.programme.pk),
            FigureScope(unit=self.colleges[0].pk, area=self.areas[1].pk),
        ]


def is_in_force(agreement: Agreement, day: dt.date) -> bool:
    """Return whether an agreement is in force on ``day``, read from its columns and terms one by one."""
    if agreement.signed_on is None or agreement.signed_on > day:
        return False
    if any(closed and closed <= day for closed in (agreement.terminated_on, agreement.completed_on)):
        return False
    if agreement.suspended_on and agreement.suspended_on <= day < (agreement.resumed_on or dt.date.max):
        return False
    if any(past.suspended_on <= day < past.resumed_on for past in agreement.past_suspensions.all()):
        return False
    terms = sorted(agreement.terms.all(), key=lambda term: term.number)
    return any(term.starts_on <= day <= last_day(term, terms) for term in terms)


def last_day(term: AgreementTerm, terms: list[AgreementTerm]) -> dt.date:
    if term.ends_on is None:
        return dt.date.max
    if term is terms[-1] and term.renewal == AgreementTerm.Renewal.AUTOMATIC:
        return term.renews_until or dt.date.max
    return term.ends_on


def is_pending(milestone: Any, day: dt.date) -> bool:
    closed_on = milestone.met_on or milestone.waived_on or milestone.cancelled_on
    return milestone.status in {MilestoneStatus.OPEN, MilestoneStatus.SUBMITTED} or bool(closed_on and closed_on > day)


SIGNED = {AgreementStatus.SIGNED, AgreementStatus.SUSPENDED, AgreementStatus.COMPLETED, AgreementStatus.TERMINATED}
