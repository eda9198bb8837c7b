"""The rows that figures are counted from: what a reader sees of the part of the register that a scope names.

Each condition is that of the list's filter of the same name, so that a number and the list it opens cannot differ.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value

from partnerships.models import (
    Activity,
    Agreement,
    AgreementArea,
    CooperationArea,
    Milestone,
    ProgrammeItem,
    Region,
    Unit,
    User,
)
from partnerships.models.activities import ActivityQuerySet
from partnerships.models.agreements import AgreementQuerySet
from partnerships.models.milestones import MilestoneQuerySet
from partnerships.models.users import Tree
from partnerships.reports.overview_figures import FigureScope, ListedCount, RowName


@dataclass(frozen=True)
class NamedTree:
    """The rows of a small table with their names and parents, in order of their names."""

    names: Mapping[int, RowName]
    tree: Tree

    def within(self, pk: int | None) -> set[int] | None:
        """Return the ids of a row and of those below it; None for no row."""
        return None if pk is None else self.tree.with_descendants([pk])


def read_names() -> dict[str, NamedTree]:
    """Return units, regions and areas by the name of their table, in one query."""
    tables = {"unit": Unit, "region": Region, "area": CooperationArea}
    empty = Value("", output_field=CharField())
    queries = []
    for name, model in tables.items():
        short = {"short": F("short_name"), "short_zh": F("short_name_zh")} if model is Unit else {}
        parent = Value(None, output_field=Unit._meta.pk) if model is CooperationArea else F("parent")
        columns = {"short": empty, "short_zh": empty} | short
        rows: Any = model._base_manager.order_by().annotate(table=Value(name), above=parent, **columns)
        queries.append(rows.values_list("table", "pk", "above", "name", "name_zh", "short", "short_zh", "sort_key"))
    found = list(queries[0].union(*queries[1:], all=True))
    named = {}
    for name in tables:
        rows = sorted((row[1:] for row in found if row[0] == name), key=lambda row: (row[-1] or "", row[0]))
        named[name] = NamedTree(
            {pk: RowName(pk, short or en, short_zh or zh) for pk, _above, en, zh, short, short_zh, _key in rows},
            Tree({row[0]: row[1] for row in rows}),
        )
    return named


@dataclass(frozen=True)
class ScopedRows:
    """The rows of a scope that ``user`` sees, and the filters of lists that show the same.

    ``day`` is the day that the figures are about, ``today`` or an earlier one.
    """

    user: User
    scope: FigureScope
    day: dt.date
    today: dt.date
    named: Mapping[str, NamedTree] = field(default_factory=read_names)

    @property
    def is_past(self) -> bool:
        return self.day < self.today

    @cached_property
    def units(self) -> set[int] | None:
        return self.named["unit"].within(self.scope.unit)

    @cached_property
    def regions(self) -> set[int] | None:
        return self.named["region"].within(self.scope.region)

    def visible_units(self) -> AbstractSet[int]:
        """Return the ids of the units in the scope that the reader can choose in a list."""
        everything = self.named["unit"].tree.parents.keys()
        seen = everything if self.user.sees_all_units else everything & set(self.user.scope.unit_ids)
        return seen if self.units is None else seen & self.units

    @cached_property
    def agreements(self) -> AgreementQuerySet:
        scope, rows = self.scope, Agreement.objects.visible_to(self.user)
        if self.units is not None:
            rows = rows.filter(unit__in=self.units)
        if scope.type is not None:
            rows = rows.filter(type=scope.type)
        if scope.area is not None:
            rows = rows.filter(Exists(AgreementArea.objects.filter(agreement=OuterRef("pk"), area=scope.area)))
        if self.regions is not None:
            rows = rows.in_regions(self.regions)
        if scope.programme is not None:
            rows = rows.filter(Exists(self._labelled.filter(agreement=OuterRef("pk"))))
        return rows

    @cached_property
    def activities(self) -> ActivityQuerySet:
        scope, rows = self.scope, Activity.objects.visible_to(self.user)
        if self.units is not None:
            rows = rows.filter(unit__in=self.units)
        if scope.type is not None:
            rows = rows.filter(agreement__type=scope.type)
        if scope.area is not None:
            rows = rows.credited(area=scope.area)
        if self.regions is not None:
            rows = rows.in_regions(self.regions)
        if scope.programme is not None:
            of_agreement = self._labelled.filter(agreement=OuterRef("agreement"))
            rows = rows.filter(Q(Exists(of_agreement)) | Q(Exists(self._labelled.filter(event=OuterRef("event")))))
        return rows

    @cached_property
    def milestones(self) -> MilestoneQuerySet:
        """All milestones, done or not."""
        scope, rows = self.scope, Milestone.objects.visible_to(self.user)
        if self.units is not None:
            rows = rows.filter(unit__in=self.units)
        if scope.type is not None:
            rows = rows.filter(agreement__type=scope.type)
        if scope.area is not None:
            promised = AgreementArea.objects.filter(agreement=OuterRef("agreement"), area=scope.area)
            rows = rows.filter(Exists(promised))
        if self.regions is not None:
            seen = Agreement.objects.visible_to(self.user).in_regions(self.regions)
            rows = rows.filter(agreement__in=seen.order_by().values("pk"))
        if scope.programme is not None:
            rows = rows.filter(Exists(self._labelled.filter(agreement=OuterRef("agreement"))))
        return rows

    @cached_property
    def pending_milestones(self) -> MilestoneQuerySet:
        return self.milestones.pending_on(self.day) if self.is_past else self.milestones.pending()

    @property
    def _labelled(self) -> QuerySet[ProgrammeItem]:
        return ProgrammeItem.objects.filter(programme=self.scope.programme)

    def query(self, *, as_of_day: bool = False, **more: object) -> dict[str, str]:
        """Return the filters of a list that leave the rows of the scope; ``more`` overrides and adds, None takes away."""
        scope = self.scope
        given: dict[str, object] = {
            "unit": scope.unit,
            "type": scope.type,
            "area": scope.area,
            "region": scope.region,
            "of_programme": scope.programme,
            "as_of": self.day if as_of_day and self.is_past else None,
            **more,
        }
        return {name: _in_address(value) for name, value in given.items() if value is not None}

    def agreements_listed(self, value: int, *, as_of_day: bool = True, **query: object) -> ListedCount:
        if self.is_past and query.pop("in_force", None):
            query["in_force_on"] = self.day  # the other filter is called "In force today"
        return ListedCount(value, "agreement_list", self.query(as_of_day=as_of_day, **query))

    def milestones_listed(self, value: int, **query: object) -> ListedCount:
        return ListedCount(value, "milestone_list", self.query(as_of_day=True, **query))


def _in_address(value: object) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ".".join(map(str, value))
    return str(value)
