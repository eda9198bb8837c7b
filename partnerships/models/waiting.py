"""Whom a milestone waits for: its owner, or the leads of its unit."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from partnerships.models.users import Role, Tree, Unit, UnitMembership, User, read_tree


class WaitsFor(models.TextChoices):
    OWNER = "owner", _("its owner")
    LEADS = "leads", _("the leads of its unit")


class WaitingRow(Protocol):
    """The columns of a milestone that say whom it waits for. Milestones import this module, so it cannot import them."""

    pk: int
    unit_id: int
    owner_id: int | None
    waits_for: str
    excluded_ids: list[int] | None


@dataclass(frozen=True)
class Leads:
    """The active leads of all units, and the office's staff for units that have none; loading takes three queries."""

    tree: Tree
    of_unit: Mapping[int, frozenset[int]]
    office: frozenset[int]

    @classmethod
    def load(cls) -> Self:
        rows = UnitMembership.objects.filter(role=Role.LEAD, user__is_active=True).order_by()
        found: dict[int, set[int]] = defaultdict(set)
        for unit, person in rows.values_list("unit_id", "user_id"):
            found[unit].add(person)
        office = User.objects.filter(is_staff=True, is_active=True).order_by().values_list("pk", flat=True)
        leads = {unit: frozenset(people) for unit, people in found.items()}
        return cls(read_tree(Unit), leads, frozenset(office))

    def responsible(self, unit_id: int, *, but: Collection[int] = ()) -> frozenset[int]:
        """Return the leads of the nearest unit, from ``unit_id`` upwards, that has one who is not among ``but``.

        When no unit has one, it is the office.
        """
        return self.nearest(unit_id, but=but) or self.office - frozenset(but)

    def nearest(self, unit_id: int, *, but: Collection[int] = ()) -> frozenset[int]:
        """Return the nearest leads who are not among ``but``; empty when no unit above has one."""
        excluded = frozenset(but)
        levels = (self.of_unit.get(above, frozenset()) - excluded for above in self.tree.with_ancestors(unit_id))
        return next((people for people in levels if people), frozenset())

    def units_of(self, person: int) -> list[int]:
        """Return the units whose nearest leads, or else the office, include ``person``."""
        return sorted(unit for unit in self.tree.parents if person in self.responsible(unit))

    def units_above(self, person: int) -> list[int]:
        """Return the units for which ``person`` is asked when the nearest leads may not decide."""
        if person in self.office:
            return sorted(self.tree.parents)
        return sorted(self.tree.with_descendants(unit for unit, people in self.of_unit.items() if person in people))


def waiting_people(milestones: Iterable[WaitingRow], leads: Leads | None = None) -> dict[int, frozenset[int]]:
    """Return milestone id -> ids of the people it waits for: the owner, or the nearest leads who may decide it.

    The one answer for *My work*, *Team*, reminders, escalation and the calendar; ``MilestoneQuerySet.waiting_for`` gives the
    same for one person. Absence is not considered: a deputy stands in when the mail is made. ``leads`` are loaded, with
    three queries, when a milestone waits for them.
    """
    found: dict[int, frozenset[int]] = {}
    for milestone in milestones:
        if milestone.waits_for == WaitsFor.OWNER:
            found[milestone.pk] = frozenset([milestone.owner_id] if milestone.owner_id else [])
            continue
        leads = leads or Leads.load()
        found[milestone.pk] = leads.responsible(milestone.unit_id, but=milestone.excluded_ids or ())
    return found
