"""Joint facilities: opened, reviewed every year, suspended, closed."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from types import MappingProxyType
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from partnerships.dates import add_months
from partnerships.exceptions import InvalidInput
from partnerships.models import Agreement, Facility, FacilityPartner, MilestoneKind, Organization, ProgrammeItem, User
from partnerships.statuses import FACILITY_TRANSITIONS, FacilityStatus, MilestoneStatus
from partnerships.workflows.derivation import Derived, update_derived
from partnerships.workflows.edits import Aggregate, changed_columns, check_not_in_future, require_at
from partnerships.workflows.milestones import (
    cancel_pending_milestones,
    give_milestones_to,
    move_milestones_along,
    reassign,
)
from partnerships.workflows.organizations import update_holders
from partnerships.workflows.transitions import check_new_owner, lock, take_step

REVIEW_MONTHS = 12
LEAST_SIDES = 1
RUNNING = frozenset({FacilityStatus.OPENED, FacilityStatus.SUSPENDED})

FACILITY = Aggregate(
    Facility,
    "facility.add",
    "facility.edit",
    parts=(FacilityPartner, ProgrammeItem),
    fixed=frozenset({"unit"}),  # its reviews stay with the unit that has them
)


def register_facility(
    facility: Facility, *, actor: User | None, today: dt.date, parts: Sequence[models.Model] = ()
) -> Facility:
    """Register a planned facility with its parts: the organizations that run it, programmes."""
    with transaction.atomic():
        if facility.agreement:
            facility.agreement = lock(facility.agreement)
            _check_new_agreement(facility.agreement, actor)
        FACILITY.register(facility, parts, actor=actor)
        if facility.owner:
            check_new_owner(facility, facility.owner, field="owner")
    return facility


def edit_facility(
    facility: Facility,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
) -> Facility:
    """Change a facility and its parts as one version.

    Its milestones go along to another agreement, and those of the former owner to a new one. While it runs, its unit
    holds each side, also one that joins later, and no longer one that left.
    """
    agreement = changes.get("agreement")
    with transaction.atomic():
        if isinstance(agreement, Agreement):
            agreement = lock(agreement)  # before the facility
        before, after = FACILITY.begin(facility, changes, actor=actor)
        if isinstance(agreement, Agreement) and agreement.pk != before.agreement_id:
            _check_new_agreement(agreement, actor)
        # Read before the edit: a side that leaves may have to lose its holder.
        sides = list(before.partners.values_list("organization_id", flat=True))
        if FACILITY.finish(before, after, parts, removed, actor=actor):
            if after.owner and changed_columns(before, after) & {"agreement", "owner"}:
                check_new_owner(after, after.owner, field="owner")
            move_milestones_along(before, after, actor=actor)
            if after.owner_id != before.owner_id:
                give_milestones_to(after, owner_id=after.owner_id, actor=actor, previous=before.owner)
            if after.status in RUNNING:
                update_side_holders(after, actor=actor, on=today, left=sides)
    return after


def _check_new_agreement(agreement: Agreement, actor: User | None) -> None:
    """Raise for an agreement that the actor may not follow up or that has ended; one that ends later keeps its facilities."""
    require_at("agreement", actor, "agreement.follow_up", agreement)
    if agreement.has_ended:
        raise InvalidInput(_("This agreement has ended: choose another one."), field="agreement")


def open_facility(facility: Facility, *, actor: User | None, on: dt.date, today: dt.date) -> Facility:
    """Open it on ``on``; the unit holds its sides while it is open, and a review comes back every year from then on.

    One that opened long ago is first reviewed on the next anniversary that does not lie before ``today``; one that was
    reopened, on the next after its last review.
    """
    check_not_in_future(on, today=today, field="on")
    if facility.partners.count() < LEAST_SIDES:
        raise InvalidInput(_("Say which organizations run it first."))
    with transaction.atomic():
        opened = _step(facility, "open", actor=actor, on=on)
        update_side_holders(opened, actor=actor, on=today)
        review = _review(_next_review_on(opened, on, today))
        update_derived(opened, [review], owner=opened.owner, actor=actor, on=on, reason="")
    return opened


def suspend_facility(facility: Facility, *, actor: User | None, on: dt.date, reason: str) -> Facility:
    return _step(facility, "suspend", actor=actor, on=on, reason=reason)


def resume_facility(facility: Facility, *, actor: User | None, on: dt.date) -> Facility:
    return _step(facility, "resume", actor=actor, on=on)


def close_facility(facility: Facility, *, actor: User | None, on: dt.date, reason: str) -> Facility:
    """Close it; its open reviews are cancelled with the reason, and the unit holds the sides no longer by it."""
    with transaction.atomic():
        closed = _step(facility, "close", actor=actor, on=on, reason=reason)
        cancel_pending_milestones(closed, actor=actor, on=on, reason=reason)
        update_side_holders(closed, actor=actor, on=on)
    return closed


def reopen_facility(facility: Facility, *, actor: User | None, on: dt.date, reason: str) -> Facility:
    """Correct a closing in error. It is planned again and has to be opened with its date."""
    return _step(facility, "reopen", actor=actor, on=on, reason=reason)


def assign_facility(
    facility: Facility,
    *,
    actor: User | None,
    owner: User | None,
    reason: str = "",
    given_back: Mapping[int, int | None] | None = None,
) -> Facility:
    """Give it to another person, with its milestones; they must be able to see it and be reached.

    ``given_back`` undoes that, see ``reassign``.
    """
    running = Facility.objects.not_closed()
    return reassign(
        facility, owner, actor=actor, action="facility.edit", pending=running, reason=reason, given_back=given_back
    )


def update_side_holders(facility: Facility, *, actor: User | None, on: dt.date, left: Iterable[int] = ()) -> None:
    """Bring the holders of its sides up to date as of ``on``; ``left`` are ids of organizations that were sides before."""
    ids = {*left, *facility.partners.values_list("organization_id", flat=True)}
    organizations = Organization.objects.filter(pk__in=ids)
    update_holders(organizations, unit=facility.unit, coordinator=facility.owner, actor=actor, on=on)


STEPS: dict[str, Callable[..., Facility]] = {
    "open": open_facility,
    "suspend": suspend_facility,
    "resume": resume_facility,
    "close": close_facility,
    "reopen": reopen_facility,
}


def _step(facility: Facility, name: str, *, actor: User | None, on: dt.date, **more: Any) -> Facility:
    return take_step(facility, FACILITY_TRANSITIONS, name, actor=actor, on=on, **more)


def follow_reviews(facility: Facility, *, actor: User | None, on: dt.date) -> None:
    """Make, correct or cancel the review of a facility as it asks for it now; ``on`` is today."""
    with transaction.atomic():
        locked = lock(facility)
        reason = _("The joint facility no longer asks for it (%(status)s).") % {"status": locked.get_status_display()}
        wanted = derived_of_facility(locked, today=on)
        update_derived(locked, wanted, owner=locked.owner, actor=actor, on=on, reason=reason, not_before=on)


def derived_of_facility(facility: Facility, *, today: dt.date) -> list[Derived]:
    """Return the review that a facility asks for while it is open or suspended; from prefetched milestones without a query.

    A review that is there keeps its anniversary, also when that has passed or when somebody waived it.
    """
    if facility.status not in RUNNING or facility.opened_on is None:
        return []
    reviews = [row for row in facility.milestones.all() if row.derived_key and row.status != MilestoneStatus.CANCELLED]
    days = [row.scheduled_on or row.due_on for row in reviews]
    kept = next((day for day in days if _is_anniversary(day, facility.opened_on)), None)
    return [_review(kept or _next_review_on(facility, facility.opened_on, today))]


def _is_anniversary(day: dt.date, opened_on: dt.date) -> bool:
    years = day.year - opened_on.year
    # Reviews recur from the first one: opened on 29 February, they may stay on the 28th in a leap year, too.
    from_first_review = add_months(add_months(opened_on, REVIEW_MONTHS), (years - 1) * REVIEW_MONTHS)
    return years > 0 and day in {add_months(opened_on, years * REVIEW_MONTHS), from_first_review}


def _next_review_on(facility: Facility, opened_on: dt.date, today: dt.date) -> dt.date:
    """Return the next anniversary, today or later, that follows the last review."""
    reviews = (row for row in facility.milestones.all() if row.kind == MilestoneKind.FACILITY_REVIEW)
    met_on = [max(row.due_on, row.scheduled_on or row.due_on) for row in reviews if row.status == MilestoneStatus.MET]
    reviewed_on = max(met_on, default=opened_on)
    anniversaries = (add_months(opened_on, number * REVIEW_MONTHS) for number in count(1))
    return next(day for day in anniversaries if day >= today and day > reviewed_on)


def _review(due_on: dt.date) -> Derived:
    title = gettext_noop("Review the joint facility")
    return Derived("review", MilestoneKind.FACILITY_REVIEW, title, due_on, recurs_every_months=REVIEW_MONTHS)
