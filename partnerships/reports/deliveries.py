"""Promise against delivery: what an agreement promised to which party, and what was credited to it.

A number and the list it opens ask the same of an activity (``Activity.objects.credited``), so that the two cannot
differ. An activity that counts for two parties is one activity in the totals.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from partnerships.models import (
    Activity,
    ActivityCredit,
    Agreement,
    AgreementArea,
    AgreementParty,
    CooperationArea,
    Organization,
    User,
)
from partnerships.reports.related_agreements import ids_below
from partnerships.statuses import ActivityStatus


@dataclass(frozen=True)
class Tally:
    """The number of completed activities with the day of the last one, and the number of unfinished ones."""

    delivered: int = 0
    planned: int = 0
    last_on: dt.date | None = None


@dataclass(frozen=True)
class MatrixCell:
    """The deliveries for an area and a party. ``area`` or ``organization`` None: for all of them.

    ``own`` counts follow-ups of the agreement itself, ``family`` those of the agreements below it as well.
    """

    area: CooperationArea | None
    organization: Organization | None
    is_promised: bool
    own: Tally
    family: Tally

    @property
    def is_blank(self) -> bool:
        return not (self.family.delivered or self.family.planned)


@dataclass(frozen=True)
class AreaRow:
    """One area: the promise (None when it was never promised), a cell for each column, and all of them together."""

    area: CooperationArea
    promise: AgreementArea | None
    cells: list[MatrixCell]
    total: MatrixCell


@dataclass(frozen=True)
class Matrix:
    """Areas down, parties across. ``has_family``: there are agreements below, so that the two counts can differ."""

    columns: list[tuple[Organization, AgreementParty | None]]
    lines: list[AreaRow]
    totals: list[MatrixCell]
    has_family: bool

    @property
    def waiting(self) -> int:
        """Return the promised areas for which nothing was delivered, neither here nor below."""
        return sum(1 for line in self.lines if line.promise and not line.total.family.delivered)


@dataclass(frozen=True)
class _Credit:
    activity: int
    is_own: bool
    is_done: bool
    done_on: dt.date | None


_Key = tuple[int | None, int | None]  # area, organization


def promised_and_delivered(
    agreement: Agreement, user: User, *, parties: Sequence[AgreementParty], promised: Sequence[AgreementArea]
) -> Matrix:
    """Return the matrix as ``user`` may see it: the credits in one query, those below in one for each level.

    Columns are the other signatories who have not withdrawn, and whoever else something was credited to. ``parties``
    come with their organizations, ``promised`` with their areas, ``agreement`` with its unit.
    """
    below = ids_below(agreement.pk)
    given = _credits(agreement, below, user)
    columns = _columns(agreement, parties, _second(given))
    lines = _areas(promised, _first(given))
    signatories = {organization.pk for organization, party in columns if party and party.role == party.Role.SIGNATORY}

    def cell(area: CooperationArea | None, organization: Organization | None, *, is_promised: bool) -> MatrixCell:
        key = (area.pk if area else None, organization.pk if organization else None)
        found = given.get(key, [])
        own = _tally(credit for credit in found if credit.is_own)
        return MatrixCell(area, organization, is_promised, own, _tally(found))

    return Matrix(
        columns=columns,
        lines=[
            AreaRow(
                area,
                promise,
                [cell(area, one, is_promised=promise is not None and one.pk in signatories) for one, _party in columns],
                cell(area, None, is_promised=promise is not None),
            )
            for area, promise in lines
        ],
        totals=[cell(None, one, is_promised=bool(promised) and one.pk in signatories) for one, _party in columns],
        has_family=bool(below),
    )


def _credits(agreement: Agreement, below: list[int], user: User) -> dict[_Key, list[_Credit]]:
    """Return the credits by (area, organization), and by each of the two alone for the totals."""
    seen = Activity.objects.visible_to(user).filter(agreement__in=[agreement.pk, *below])
    rows = ActivityCredit.objects.filter(activity__in=seen.exclude(status=ActivityStatus.CANCELLED).values("pk"))
    found: dict[_Key, list[_Credit]] = defaultdict(list)
    for area, organization, pk, of, status, done_on in rows.values_list(
        "area", "organization", "activity", "activity__agreement", "activity__status", "activity__completed_on"
    ).order_by("pk"):
        credit = _Credit(pk, of == agreement.pk, status == ActivityStatus.COMPLETED, done_on)
        for key in ((area, organization), (area, None), (None, organization)):
            found[key].append(credit)
    return dict(found)


def _tally(given: Iterable[_Credit]) -> Tally:
    done: dict[int, dt.date | None] = {}
    planned = set()
    for credit in given:
        if credit.is_done:
            done[credit.activity] = credit.done_on
        else:
            planned.add(credit.activity)
    return Tally(len(done), len(planned), max((day for day in done.values() if day), default=None))


def _first(given: dict[_Key, Any]) -> set[int]:
    return {area for area, _organization in given if area is not None}


def _second(given: dict[_Key, Any]) -> set[int]:
    return {organization for _area, organization in given if organization is not None}


def _columns(
    agreement: Agreement, parties: Sequence[AgreementParty], credited: set[int]
) -> list[tuple[Organization, AgreementParty | None]]:
    ours = agreement.unit.organization_id
    shown = [
        (party.organization, party)
        for party in parties
        if party.organization_id in credited
        or (party.role == party.Role.SIGNATORY and party.withdrew_on is None and party.organization_id != ours)
    ]
    known = {organization.pk for organization, _party in shown}
    others = Organization.objects.filter(pk__in=credited - known) if credited - known else ()
    return [*shown, *((organization, None) for organization in others)]


def _areas(promised: Sequence[AgreementArea], credited: set[int]) -> list[tuple[CooperationArea, AgreementArea | None]]:
    known = {promise.area_id for promise in promised}
    others = CooperationArea.objects.filter(pk__in=credited - known) if credited - known else ()
    return [*((promise.area, promise) for promise in promised), *((area, None) for area in others)]
