"""After an outage: of the late reminders of a milestone only the newest reaches each person."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Q

from partnerships.mailing.envelopes import is_late
from partnerships.models import ReminderItem, ReminderPlan, ReminderRule
from partnerships.reminders.recipients import Directory, Recipient
from partnerships.reminders.rule_set import RuleSet
from partnerships.statuses import PlanStatus


class CatchUp:
    """What came later about the same due dates as some plans: sent, on its way, or due as well."""

    def __init__(self, plans: Sequence[ReminderPlan], *, rule_set: RuleSet, now: dt.datetime) -> None:
        self.now = now
        self.siblings: dict[tuple[int, dt.date], list[ReminderPlan]] = defaultdict(list)
        self.holders: dict[int, set[str]] = defaultdict(set)
        late = [plan for plan in plans if is_late(plan, now)]
        if late:
            self._read(late, rule_set)

    def _read(self, late: Sequence[ReminderPlan], rule_set: RuleSet) -> None:
        is_due = Q(status=PlanStatus.PLANNED, next_attempt_at__lte=self.now, expires_at__gt=self.now)
        is_due &= ~Q(rule__direction=ReminderRule.Direction.UNANSWERED)  # an answer may still stop it
        found = ReminderPlan.objects.filter(
            is_due | Q(status=PlanStatus.EXPANDED), milestone__in={p.milestone_id for p in late}
        )
        plans = list(found.select_related("milestone__agreement", "rule"))
        for plan in plans:
            if plan.status == PlanStatus.EXPANDED or rule_set.is_current(plan, self.now):
                self.siblings[plan.milestone_id, plan.due_on].append(plan)
        items = ReminderItem.objects.filter(plan__in=plans, cancelled_at=None)
        for item in items:
            self.holders[item.plan_id].add(item.reader_code)

    @property
    def plans(self) -> list[ReminderPlan]:
        """Those whose recipients have to be known."""
        return [plan for siblings in self.siblings.values() for plan in siblings]

    def still_needing(self, plan: ReminderPlan, people: Sequence[Recipient], directory: Directory) -> list[Recipient]:
        """Who of ``people`` has nothing newer than the plan, and so gets it late."""
        newer = [other for other in self.siblings.get((plan.milestone_id, plan.due_on), ()) if _is_newer(other, plan)]
        if not newer or not is_late(plan, self.now):
            return list(people)
        reached = {reader for other in newer for reader in self._reached(other, directory)}
        return [recipient for recipient in people if recipient.code not in reached]

    def _reached(self, plan: ReminderPlan, directory: Directory) -> set[str]:
        """Codes of readers."""
        if plan.status == PlanStatus.EXPANDED:
            return self.holders[plan.pk]
        return self.holders[plan.pk] | {recipient.code for recipient in directory.recipients(plan)}


def _is_newer(plan: ReminderPlan, than: ReminderPlan) -> bool:
    return (plan.send_at, plan.pk) > (than.send_at, than.pk)
