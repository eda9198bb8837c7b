"""Reminders that nobody answered: what counts as an answer, and since when one is missing.

Waiting starts when the owner, or the person notified in the owner's place, has the reminder: by mail, or in My work and
the calendar feed alone. Waiting also starts when a mail is held, or failed and was reported; otherwise a milestone
could be forgotten because of a mail that did not arrive.

An answer is any activity since: a change of the milestone by a person (a step, a move, a snooze, evidence, another
owner), or a contact logged about it, or about its agreement without naming a milestone. Changes by the system are none.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Exists, F, Max, OuterRef, Q, Subquery

from partnerships.models import ContactNote, Delivery, Milestone, ReminderItem, ReminderMark, ReminderPlan, ReminderRule
from partnerships.models.deliveries import NOT_THROUGH
from partnerships.reminders.rule_set import UNANSWERED, Audience, RuleSet
from partnerships.reminders.schedule import Unanswered
from partnerships.statuses import DeliveryStatus

# A rule for a party notifies the owner when no contact may be written to. A contact's own mail waits for no answer.
TO_OWNERS = (Audience.OWNER, Audience.PARTY)
STARTS_WAITING = (DeliveryStatus.SENT, DeliveryStatus.SKIPPED, DeliveryStatus.HELD)


def unanswered(rule_set: RuleSet, milestones: Iterable[Milestone]) -> dict[int, Unanswered]:
    """Return milestone id -> the first reminder to its owner about its due date that had no answer.

    Only milestones for which a rule waits are read: three queries, none when no rule waits.
    """
    waiting = [milestone for milestone in milestones if rule_set.waits_for_answer(milestone)]
    if not waiting:
        return {}
    activity = last_activity(waiting)
    found: dict[int, Unanswered] = {}
    for milestone, reminder in _reminders_to_owners(waiting):
        if milestone not in found and (milestone not in activity or activity[milestone] < reminder.at):
            found[milestone] = reminder
    return found


def _reminders_to_owners(milestones: Sequence[Milestone]) -> list[tuple[int, Unanswered]]:
    """Return (milestone id, reminder) pairs, the oldest reminder first."""
    is_waiting = Q(delivery__status__in=STARTS_WAITING)
    is_waiting |= Q(delivery__status__in=NOT_THROUGH, delivery__reported_at__isnull=False)
    items = ReminderItem.objects.filter(
        is_waiting,
        Q(plan__appearance=None, plan__due_on=F("plan__milestone__due_on"))
        | Q(plan__appearance=F("plan__milestone__appearance")),
        plan__milestone__in=milestones,
        plan__rule__audience__in=TO_OWNERS,
        cancelled_at=None,
        person__isnull=False,
    ).exclude(plan__rule__direction=UNANSWERED)
    found = [
        (item.plan.milestone_id, Unanswered(_waiting_since(item.delivery), item.person_id or 0, item.delivery.status))
        for item in items.select_related("plan", "delivery").defer("delivery__message").order_by("pk")
    ]
    return sorted(found, key=lambda pair: pair[1].at)


def _waiting_since(delivery: Delivery) -> dt.datetime:
    match delivery.status:
        case DeliveryStatus.SENT:
            at = delivery.sent_at
        case DeliveryStatus.SKIPPED:
            at = delivery.queued_at
        case DeliveryStatus.HELD:
            at = delivery.held_at
        case _:
            at = delivery.reported_at
    return at or delivery.queued_at


def last_activity(milestones: Sequence[Milestone]) -> dict[int, dt.datetime]:
    """Return milestone id -> when somebody last did something about it; two queries."""
    if not milestones:
        return {}
    edits = Milestone.history.filter(id__in=[row.pk for row in milestones], history_user__isnull=False)
    found = dict(edits.order_by().values_list("id").annotate(at=Max("history_date")))
    for milestone, at in _logged_contacts(milestones):
        found[milestone] = max(at, found.get(milestone, at))
    return found


def _logged_contacts(milestones: Sequence[Milestone]) -> Iterable[tuple[int, dt.datetime]]:
    """Yield when contacts were logged that are now about a milestone, or about its agreement as a whole."""
    of_agreement: dict[int, list[int]] = defaultdict(list)
    for milestone in milestones:
        if milestone.agreement_id:
            of_agreement[milestone.agreement_id].append(milestone.pk)
    about = Q(milestone__in=[row.pk for row in milestones]) | Q(milestone=None, agreement__in=list(of_agreement))
    # The subject of a note comes from its row, which may have been corrected; its time comes from the history.
    logged = ContactNote.history.filter(id=OuterRef("pk"), history_type="+").order_by()
    notes = ContactNote.objects.filter(about).order_by().annotate(logged_at=Subquery(logged.values("history_date")[:1]))
    latest = notes.filter(logged_at__isnull=False).values_list("milestone_id", "agreement_id")
    for milestone, agreement, at in latest.annotate(at=Max("logged_at")):
        for pk in [milestone] if milestone else of_agreement[agreement]:
            yield pk, at


def activity_since_reminders(plans: Iterable[ReminderPlan]) -> dict[int, dt.datetime]:
    """Return the last activity on the milestones of those ``plans`` that wait for an answer; no query if none does."""
    return last_activity([plan.milestone for plan in plans if plan.unanswered_at])


def is_unanswered(plan: ReminderPlan, activity: Mapping[int, dt.datetime]) -> bool:
    """Return whether the plan waits for the answer to a reminder, and there was no activity since."""
    last = activity.get(plan.milestone_id)
    return plan.unanswered_at is not None and (last is None or last < plan.unanswered_at)


def mark_notified(deliveries: Sequence[int]) -> None:
    """Leave a mark on the milestones of ``deliveries`` for which an enabled rule waits for an answer.

    Called in the transaction that records that the reminder was sent, held, released, reported or kept to the feed:
    the rule counts its days from then.
    """
    # Read now and not before the hand-over: a rule made meanwhile has been swept, and its sweep did not see this mail.
    waiting = ReminderRule.objects.enabled().filter(direction=UNANSWERED, milestone_kind=OuterRef("kind"))
    milestones = Milestone.objects.filter(Exists(waiting), reminder_plans__items__delivery__in=deliveries)
    ReminderMark.leave_on(milestones)
