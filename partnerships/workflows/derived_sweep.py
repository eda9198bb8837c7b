"""Daily, resumable repair of derived milestones, and of missing sort keys.

The verbs update derived milestones at once. The sweep finds what they cannot see, such as an edit of a calendar of
working days, or rows that were written without a verb. It reads all rows that may ask for a date, once a day and after
each edit of a calendar, in batches over as many ticks as it takes.
"""

import datetime as dt
import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.apps import apps
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from partnerships.dates import IsWorkday, is_weekday
from partnerships.exceptions import DomainError
from partnerships.models import (
    Activity,
    Agreement,
    AgreementParty,
    CalendarDay,
    Demand,
    Facility,
    Honour,
    Milestone,
    Sweep,
    Unit,
    workday_tests,
)
from partnerships.models.drafts import people_behind_draft
from partnerships.models.sort_keys import fill_sort_keys, sort_keys
from partnerships.models.users import Tree
from partnerships.statuses import ActivityStatus, AgreementStatus, DemandStatus, HonourStatus
from partnerships.workflows.activities import derived_of_activity, follow_activity
from partnerships.workflows.demands import derived_of_demand, follow_demand
from partnerships.workflows.derivation import (
    AgreementFacts,
    Derived,
    derive_milestones,
    derived_milestones,
    is_current_end_stored,
    is_up_to_date,
    last_contacts,
    next_approval_step,
    without_liaison,
)
from partnerships.workflows.facilities import RUNNING, derived_of_facility, follow_reviews
from partnerships.workflows.honours import derived_of_honour, watch_lapse

logger = logging.getLogger(__name__)

NAME = "derived dates"
# Raised by a version that counts dates in another way, so that its first ticks read all rows.
FORMULA = 3
BATCH = 200
# A tick checks 2,000 rows in some 80 queries when all is well, so that 200,000 agreements take an hour and a half. An
# agreement in review takes nine more, for the people behind its draft.
BATCHES = 10
Wanted = Callable[[Any], list[Derived]]


@dataclass(frozen=True)
class SweptTable:
    """One table of rows that ask for dates.

    ``is_stored(row, today)`` says whether the derived columns of the row itself are right. ``asking`` is the condition
    for rows that may ask for one; ``related`` and ``prefetched`` are read with them.
    ``judge(rows, today)`` reads what the whole batch needs and returns the function that says what a row asks for.
    With ``has_past`` a day before today is asked for as well.
    """

    model: type[Agreement] | type[Activity] | type[Demand] | type[Honour] | type[Facility]
    asking: Q
    judge: Callable[[Sequence[Any], dt.date], Wanted]
    follow: Callable[..., None]
    related: tuple[str, ...] = ()
    prefetched: tuple[str, ...] = ()
    has_past: bool = False
    is_stored: Callable[[Any, dt.date], bool] = lambda _row, _today: True

    def after(self, pk: int) -> QuerySet:
        # A row that asks for nothing any more is read as well, while a milestone of it is still pending.
        derived = Milestone.objects.pending().exclude(derived_key="")
        pending = derived.filter(**{str(self.model._meta.model_name): OuterRef("pk")})
        rows = self.model._base_manager.filter(self.asking | Q(Exists(pending)), pk__gt=pk)
        return rows.select_related(*self.related).prefetch_related(*self.prefetched).order_by("pk")

    def out_of_step(self, rows: Sequence[Any], today: dt.date) -> list[Any]:
        """Return the ``rows`` whose milestones are not what they ask for; as many queries for one row as for all."""
        if not rows:
            return []
        wanted, milestones = self.judge(rows, today), defaultdict(list)
        for milestone in Milestone.objects.derived_of_all(rows):
            milestones[getattr(milestone, f"{self.model._meta.model_name}_id")].append(milestone)
        not_before = None if self.has_past else today
        return [
            row
            for row in rows
            if not self.is_stored(row, today) or not _is_up_to_date(row, milestones[row.pk], wanted, not_before)
        ]


def _is_up_to_date(row: Model, milestones: list[Milestone], wanted: Wanted, not_before: dt.date | None) -> bool:
    try:
        return is_up_to_date(row, milestones, wanted(row), not_before=not_before)
    except (ValueError, ArithmeticError):
        return False  # a date that cannot be counted: the repair fails on it as well, and logs the error


def _judge_agreements(agreements: Sequence[Agreement], today: dt.date) -> Wanted:
    contacts = last_contacts(agreements)
    working_days = _working_days()
    parties = AgreementParty.objects.filter(agreement__in=agreements, liaison__departure_noted_on__isnull=False)
    left = defaultdict(list)
    for party in without_liaison(parties.select_related("agreement", "liaison", "organization")):
        left[party.agreement_id].append(party)

    def wanted(agreement: Agreement) -> list[Derived]:
        # A lead who adds a document or a milestone during the review may no longer approve. Few agreements are in review.
        is_in_review = agreement.status == AgreementStatus.IN_REVIEW
        authors = frozenset(people_behind_draft(agreement)) if is_in_review else None
        is_workday = working_days.get(agreement.unit_id, is_weekday)
        return derived_milestones(
            agreement,
            AgreementFacts(
                contacts.get(agreement.pk),
                is_workday,
                today,
                authors,
                next_approval_step(agreement),
                left.get(agreement.pk, ()),
            ),
        )

    return wanted


def _working_days() -> dict[int, IsWorkday]:
    """Map each unit that has a calendar to a test of its working days."""
    tests = workday_tests()
    return {unit: tests[calendar] for unit, calendar in _calendars().items()}


def _calendars() -> dict[int, int]:
    """Map each unit to the id of its ``Unit.effective_calendar``, where it has one."""
    units = list(Unit.objects.order_by("pk").values_list("pk", "parent_id", "work_calendar_id"))
    tree = Tree({pk: parent for pk, parent, _calendar in units})
    return tree.nearest({pk: calendar for pk, _parent, calendar in units})


ASKING = (
    AgreementStatus.IN_REVIEW,
    AgreementStatus.RETURNED,
    AgreementStatus.APPROVED,
    AgreementStatus.SIGNED,
    AgreementStatus.SUSPENDED,
)

SWEPT_TABLES = (
    SweptTable(
        Agreement,
        Q(status__in=ASKING),
        _judge_agreements,
        derive_milestones,
        related=("type", "event"),
        prefetched=("terms", "payments__receipts"),
        has_past=True,
        is_stored=lambda row, today: is_current_end_stored(row, on=today),
    ),
    SweptTable(
        Activity,
        Q(status__in=(ActivityStatus.PLANNED, ActivityStatus.IN_PROGRESS), starts_on__isnull=False),
        lambda _rows, _today: derived_of_activity,
        follow_activity,
        related=("agreement",),
    ),
    SweptTable(
        Demand,
        ~Q(status__in=(DemandStatus.AGREED, DemandStatus.NO_MATCH)),
        lambda _rows, _today: derived_of_demand,
        follow_demand,
        prefetched=("answers",),
    ),
    SweptTable(
        Honour,
        Q(status=HonourStatus.RECORDED, valid_until__isnull=False),
        lambda _rows, _today: derived_of_honour,
        watch_lapse,
    ),
    SweptTable(
        Facility,
        Q(status__in=RUNNING),
        lambda _rows, today: partial(derived_of_facility, today=today),
        follow_reviews,
        prefetched=("milestones",),
    ),
)


def sweep_derived(
    *, now: dt.datetime, batch: int = BATCH, batches: int = BATCHES, is_over: Callable[[], bool] = lambda: False
) -> int:
    """Check the next batches of a sweep that is due or under way, and return how many rows were repaired.

    A sweep is due on each new day of the site's zone, and when a calendar or the calendar of a unit has changed. Any
    number of processes may run it at once.
    """
    today, changed = timezone.localdate(now), 0
    position = Sweep.objects.under_way(
        NAME, now=now, fingerprint=fingerprint(), is_due=lambda began_at: timezone.localdate(began_at) < today
    )
    for _batch in range(batches):
        if position is None or is_over():
            break
        following, found = _next_batch(position, today, batch)
        changed += sum(_repair(SWEPT_TABLES[position.part], row, today) for row in found)
        # Moved only from where this process read it: another one that was faster goes on, and this one stops. A row that
        # both repaired was locked each time, and the second found nothing to do.
        is_ours = position.replace_with(following)
        position = following if is_ours and not following.is_finished else None
        if is_ours and following.is_finished:
            _fill_missing_sort_keys()
    if changed:
        logger.info("Derived dates brought in step: %s", changed)
    return changed


def _next_batch(position: Sweep, today: dt.date, batch: int) -> tuple[Sweep, list[Any]]:
    """Return where to go on after the next batch, and those of its rows that are out of step."""
    part = SWEPT_TABLES[position.part]
    rows = list(part.after(position.after_pk)[:batch])
    if len(rows) == batch:
        following = position.moved(after_pk=rows[-1].pk)
    elif position.part + 1 < len(SWEPT_TABLES):
        following = position.moved(part=position.part + 1)
    else:
        following = position.moved(is_finished=True)
    return following, part.out_of_step(rows, today)


def _repair(part: SweptTable, row: Model, today: dt.date) -> int:
    """Repair a row and return 1, or log what is wrong with it and return 0."""
    # One row that cannot be repaired must not stop the others; the sweep of the next day tries it again.
    try:
        part.follow(row, actor=None, on=today)
    except (DomainError, ValueError, ArithmeticError):
        logger.exception("%s %s could not be brought in step", part.model.__name__, row.pk)
        return 0
    return 1


def _fill_missing_sort_keys() -> None:
    """Give sort keys to rows that a version without these columns wrote, while an update was rolled out."""
    models = [model for model in apps.get_app_config("partnerships").get_models() if not model._meta.proxy]
    filled = sum(fill_sort_keys(model, are_missing=True) for model in models if sort_keys(model))
    if filled:
        logger.info("Sort keys filled in: %s", filled)


def fingerprint() -> str:
    """Return a hash that changes with the working days of any unit, and with ``FORMULA``: two queries over small tables."""
    days = list(CalendarDay.objects.order_by("calendar", "day").values_list("calendar", "day", "is_workday"))
    return hashlib.sha256(repr((FORMULA, days, _calendars())).encode()).hexdigest()[:16]
