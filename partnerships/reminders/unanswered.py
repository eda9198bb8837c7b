"""Reminders nobody answered: what counts as an answer, and since when one is missing.

The wait begins when the owner, or whoever is told in the owner's place, has the reminder: by mail, or in My work and the
feed alone. It begins as well when it is known that the mail does not come by itself, or else what waits for a person
would go quiet: when it is held, and when it did not get through and those who can help were told.

A sign of life is any change of the milestone by a person (a step, a move, a snooze, evidence, another owner) and any
contact logged about it, or about its agreement without naming a milestone. What the system changes by itself is none.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Exists, F, Max, OuterRef, Q

from partnerships.models import ContactNote, Delivery, Milestone, ReminderItem, ReminderMark, ReminderPlan, ReminderRule
from partnerships.models.deliveries import NOT_THROUGH
from partnerships.reminders.rule_set import RuleSet
from partnerships.reminders.schedule import Unanswered
from partnerships.statuses import DeliveryStatus

# Where nobody at the party may be written to, its rule tells the owner. What a contact got waits for no answer here.
TO_OWNERS = (ReminderRule.Audience.OWNER, ReminderRule.Audience.PARTY)
HAVE_IT_OR_WAIT = (DeliveryStatus.SENT, DeliveryStatus.SKIPPED, DeliveryStatus.HELD)


def unanswered(rule_set: RuleSet, milestones: Iterable[Milestone]) -> dict[int, Unanswered]:
    """Milestone id -> the first reminder meant for its owner, for its present due date, since the last sign of life.

    Only of those a rule waits for; three queries, none when no rule waits.
    """
    waiting = [milestone for milestone in milestones if rule_set.waits_for_answer(milestone)]
    if not waiting:
        return {}
    signs = last_signs(waiting)
    found: dict[int, Unanswered] = {}
    for milestone, told in _told_to_owners(waiting):
        if milestone not in found and (milestone not in signs or signs[milestone] < told.at):
            found[milestone] = told
    return found


def _told_to_owners(milestones: Sequence[Milestone]) -> list[tuple[int, Unanswered]]:
    """The first of all first."""
    is_told = Q(delivery__status__in=HAVE_IT_OR_WAIT)
    is_told |= Q(delivery__status__in=NOT_THROUGH, delivery__reported_at__isnull=False)
    items = ReminderItem.objects.filter(
        is_told,
        plan__milestone__in=milestones,
        plan__due_on=F("plan__milestone__due_on"),
        plan__rule__audience__in=TO_OWNERS,
        cancelled_at=None,
        person__isnull=False,
    ).exclude(plan__rule__direction=ReminderRule.Direction.UNANSWERED)
    told = [
        (item.plan.milestone_id, Unanswered(_told_at(item.delivery), item.person_id or 0, item.delivery.status))
        for item in items.select_related("plan", "delivery").defer("delivery__message").order_by("pk")
    ]
    return sorted(told, key=lambda one: one[1].at)


def _told_at(delivery: Delivery) -> dt.datetime:
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


def last_signs(milestones: Sequence[Milestone]) -> dict[int, dt.datetime]:
    """Milestone id -> when somebody last did something about it; two queries."""
    if not milestones:
        return {}
    edits = Milestone.history.filter(id__in=[row.pk for row in milestones], history_user__isnull=False)
    found = dict(edits.order_by().values_list("id").annotate(at=Max("history_date")))
    for milestone, at in _contacts(milestones):
        found[milestone] = max(at, found.get(milestone, at))
    return found


def _contacts(milestones: Sequence[Milestone]) -> Iterable[tuple[int, dt.datetime]]:
    """When contacts were logged: about the milestone, or about its agreement as a whole."""
    of_agreement: dict[int, list[int]] = defaultdict(list)
    for milestone in milestones:
        if milestone.agreement_id:
            of_agreement[milestone.agreement_id].append(milestone.pk)
    about = Q(milestone__in=[row.pk for row in milestones]) | Q(milestone=None, agreement__in=list(of_agreement))
    logged = ContactNote.history.filter(about, history_type="+").order_by()
    latest = logged.values_list("milestone_id", "agreement_id").annotate(at=Max("history_date"))
    for milestone, agreement, at in latest:
        for pk in [milestone] if milestone else of_agreement[agreement]:
            yield pk, at


def signs_for(plans: Iterable[ReminderPlan]) -> dict[int, dt.datetime]:
    """The last signs of life about the milestones of those ``plans`` that wait for an answer; often no query."""
    return last_signs([plan.milestone for plan in plans if plan.unanswered_at])


def is_unanswered(plan: ReminderPlan, signs: Mapping[int, dt.datetime]) -> bool:
    """Of a plan whose rule waits for an answer: there was a reminder, and nothing has happened since."""
    sign = signs.get(plan.milestone_id)
    return plan.unanswered_at is not None and (sign is None or sign < plan.unanswered_at)


def mark_told(deliveries: Sequence[int]) -> None:
    """Leave a mark on the milestones of ``deliveries`` for which an enabled rule waits for an answer.

    Called in the transaction that records that the reminder was sent, held, released, reported or kept to the feed:
    the rule counts its days from then. The rules are read now, because one may have been made while the mail was on
    its way, and its sweep did not see this mail.
    """
    waiting = ReminderRule.objects.enabled().filter(
        direction=ReminderRule.Direction.UNANSWERED, milestone_kind=OuterRef("kind")
    )
    told = Milestone.objects.filter(Exists(waiting), reminder_plans__items__delivery__in=deliveries)
    ReminderMark.leave_on(told)
