"""Hand-over: give open work of one person, or of nobody who can be reached, to another person in one step."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from partnerships.acts import recorded_as
from partnerships.exceptions import DomainError, InvalidInput, StaleVersion
from partnerships.models import Activity, Agreement, BulkAct, Demand, Facility, Milestone, User
from partnerships.models.users import ScopedQuerySet, left_alone
from partnerships.models.waiting import WaitsFor
from partnerships.permissions import refusal, require
from partnerships.workflows.activities import assign_activity
from partnerships.workflows.agreements import assign_agreement
from partnerships.workflows.demands import assign_demand
from partnerships.workflows.facilities import assign_facility
from partnerships.workflows.milestones import assign_milestone
from partnerships.workflows.undo import (
    LOCK_ORDER,
    RowChange,
    change_of_owner,
    lock_visible,
    owners_of_milestones,
    record_act,
    row_change,
)


@dataclass(frozen=True)
class HandOverKind:
    """A table whose rows can be handed over: the column of the owner, the verb, and what a new owner must be allowed."""

    model: type[Milestone] | type[Activity] | type[Facility] | type[Demand] | type[Agreement]
    person: str
    verb: Callable[..., Model]
    work: str
    pending: Callable[[Any], ScopedQuerySet]


# In the order in which they move. Milestones come first: the others of an agreement or activity go along with it.
KINDS: Mapping[str, HandOverKind] = {
    "milestone": HandOverKind(Milestone, "owner", assign_milestone, "milestone.act", lambda rows: rows.pending()),
    "activity": HandOverKind(Activity, "owner", assign_activity, "activity.edit", lambda rows: rows.unfinished()),
    "facility": HandOverKind(Facility, "owner", assign_facility, "facility.edit", lambda rows: rows.not_closed()),
    "demand": HandOverKind(Demand, "owner", assign_demand, "demand.edit", lambda rows: rows.pending()),
    "agreement": HandOverKind(
        Agreement, "coordinator", assign_agreement, "agreement.follow_up", lambda rows: rows.not_closed()
    ),
}


@dataclass(frozen=True)
class HandOverItem:
    """A row to hand over, with the version that the user saw."""

    kind: str
    pk: int
    version: int


@dataclass
class HandOverResult:
    """The rows that moved, those refused with the reason, and how many milestones went along with their records.

    ``act`` is what the undo needs; None where nothing moved.
    """

    moved: list[Model] = field(default_factory=list)
    refused: list[tuple[Model, str]] = field(default_factory=list)
    followed: int = 0
    act: BulkAct | None = None


def open_items(actor: User, giver: User | None) -> Mapping[str, QuerySet]:
    """Return the open rows of ``giver``, or of nobody who can be reached, that ``actor`` may see, by kind."""
    return {name: rows.visible_to(actor) for name, rows in open_rows(giver).items()}


def open_rows(giver: User | None) -> dict[str, ScopedQuerySet]:
    """Return the open rows of ``giver``, or of nobody who can be reached, by kind."""
    found = {
        name: kind.pending(kind.model.objects.all()).filter(_is_of(giver, kind.person)) for name, kind in KINDS.items()
    }
    if giver is None:  # what waits for leads is not unassigned
        found["milestone"] = found["milestone"].filter(waits_for=WaitsFor.OWNER)
    return found


def _is_of(giver: User | None, person: str) -> Q:
    return left_alone(person) if giver is None else Q(**{person: giver})


def hand_over(
    items: Iterable[HandOverItem],
    *,
    actor: User,
    giver: User | None,
    new_owner: User,
    reason: str,
    now: dt.datetime,
) -> HandOverResult:
    """Give each of ``items`` to ``new_owner``, through its own verb and in one transaction; ``undo_act`` puts it back.

    An item is refused, and the others move, when it was changed since, is no longer ``giver``'s, or when one of the two
    people lacks the permission. Rows that ``actor`` does not see are left out. Each history row carries ``reason``.
    Raises ``InvalidInput`` where nothing could move at all.
    """
    if not reason.strip():
        raise InvalidInput(_("Please give a reason."), field="reason")
    if new_owner == giver:
        raise InvalidInput(_("This person has it already: choose somebody else."), field="new_owner")
    if not new_owner.is_reachable:
        raise InvalidInput(_("This person is not active or has no e-mail address."), field="new_owner")
    with transaction.atomic(), recorded_as(reason.strip()):
        require(actor, "team.view")
        rows = _lock_all(list(items), actor)
        before = _pending_of(giver)
        outcome, changes = HandOverResult(), list[RowChange]()
        given: dict[str, Any] = {"actor": actor, "giver": giver, "new_owner": new_owner, "reason": reason.strip()}
        for item, row in rows:
            try:
                given_row, change = _give(item, row, **given)
                outcome.moved.append(given_row)
                changes.append(change)
            except DomainError as error:
                outcome.refused.append((row, str(error)))
        moved = {row.pk for row in outcome.moved if isinstance(row, Milestone)}
        if changes:
            outcome.act = record_act("hand_over", changes, actor=actor, now=now)
        outcome.followed = Milestone.objects.filter(pk__in=before - moved, owner=new_owner).count()
    return outcome


def preview(items: Iterable[HandOverItem], **asked: Any) -> HandOverResult:
    """Return what ``hand_over`` would do now, by doing it and rolling back."""
    with transaction.atomic():
        outcome = hand_over(items, **asked)
        transaction.set_rollback(True)
    return outcome


def _lock_all(items: list[HandOverItem], actor: User) -> list[tuple[HandOverItem, Any]]:
    """Return the rows, locked, in the order of ``KINDS``. Locks are taken in ``LOCK_ORDER``, which avoids deadlocks."""
    chosen = {name: {item.pk: item for item in items if item.kind == name} for name in KINDS}
    found: dict[str, list[Any]] = {}
    for name in LOCK_ORDER:
        found[name] = lock_visible(KINDS[name].model, chosen[name], actor)
    return [(chosen[name][row.pk], row) for name in KINDS for row in found[name]]


def _pending_of(giver: User | None) -> set[int]:
    return set(Milestone.objects.pending().filter(_is_of(giver, "owner")).values_list("pk", flat=True))


def _give(
    item: HandOverItem, row: Any, *, actor: User, giver: User | None, new_owner: User, reason: str
) -> tuple[Model, RowChange]:
    kind = KINDS[item.kind]
    before: User | None = getattr(row, kind.person)
    if before != giver and (giver or (before and before.is_reachable)):
        raise StaleVersion(_("Somebody else took it over meanwhile."), current=row.version)
    _check_may_work(kind, row, new_owner)
    row.version = item.version  # save() refuses a stale one
    # A savepoint: a refusal undoes this item alone, and the transaction of the others goes on.
    with transaction.atomic():
        if isinstance(row, Milestone):
            changed = assign_milestone(row, actor=actor, owner=new_owner, reason=reason)
            return changed, row_change(row, changed, ["owner"], undo="columns", action="milestone.assign")
        owners = owners_of_milestones(row)
        moved = kind.verb(row, actor=actor, reason=reason, **{kind.person: new_owner})
        return moved, change_of_owner(row, moved, kind.person, owners)


def _check_may_work(kind: HandOverKind, row: Model, new_owner: User) -> None:
    """Raise ``InvalidInput`` when the new owner may not do the work that the row asks for."""
    # Asked as if the row were theirs already: people may do more with their own milestones.
    giver, row_field = getattr(row, f"{kind.person}_id"), f"{kind.person}_id"
    setattr(row, row_field, new_owner.pk)
    may_not = refusal(new_owner, kind.work, row)
    setattr(row, row_field, giver)
    if may_not is not None:
        raise InvalidInput(_("%(person)s could not work on it: %(reason)s") % {"person": new_owner, "reason": may_not})
