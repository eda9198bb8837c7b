"""After an outage: of the late reminders of a milestone only the newest reaches each reader."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.db.models import Q

from partnerships.mailing.envelopes import is_late
from partnerships.models import ReminderItem, ReminderPlan
from partnerships.reminders.clock import Clock
from partnerships.reminders.recipients import Directory, Recipient
from partnerships.reminders.rule_set import UNANSWERED, RuleSet
from partnerships.statuses import PlanStatus


class CatchUp:
    """The newer reminders of the same due dates as some late plans: sent, on their way, or due as well."""

    def __init__(self, plans: Sequence[ReminderPlan], rule_set: RuleSet, clock: Clock) -> None:
        self.due_at = clock.due_at
        self.siblings: dict[tuple[int, dt.date], list[ReminderPlan]] = defaultdict(list)
        self.readers: dict[int, set[str]] = defaultdict(set)  # plan -> codes of those who have its reminder
        late = [plan for plan in plans if is_late(plan, self.due_at)]
        if late:
            self._read(late, rule_set)

    def _read(self, late: Sequence[ReminderPlan], rule_set: RuleSet) -> None:
        is_due = Q(status=PlanStatus.PLANNED, next_attempt_at__lte=self.due_at, expires_at__gt=self.due_at)
        # A rule that waits for an answer may still be stopped by one, so its plan replaces nothing.
        is_due &= ~Q(rule__direction=UNANSWERED)
        found = ReminderPlan.objects.filter(
            is_due | Q(status=PlanStatus.EXPANDED), milestone__in={p.milestone_id for p in late}
        )
        plans = list(found.select_related("milestone__agreement", "rule"))
        for plan in plans:
            if plan.status == PlanStatus.EXPANDED or rule_set.is_current(plan, self.due_at):
                self.siblings[plan.milestone_id, plan.due_on].append(plan)
        for item in ReminderItem.objects.filter(plan__in=plans, cancelled_at=None):
            self.readers[item.plan_id].add(item.reader_code)

    @property
    def plans(self) -> list[ReminderPlan]:
        """The plans whose recipients have to be known."""
        return [plan for siblings in self.siblings.values() for plan in siblings]

    def still_needing(self, plan: ReminderPlan, people: Sequence[Recipient], directory: Directory) -> list[Recipient]:
        """Return those of ``people`` who have no newer reminder than ``plan``, and so get it late."""
        newer = [other for other in self.siblings.get((plan.milestone_id, plan.due_on), ()) if _is_newer(other, plan)]
        if not newer or not is_late(plan, self.due_at):
            return list(people)
        reached = {reader for other in newer for reader in self._reached(other, directory)}
        return [recipient for recipient in people if recipient.code not in reached]

    def _reached(self, plan: ReminderPlan, directory: Directory) -> set[str]:
        if plan.status == PlanStatus.EXPANDED:
            return self.readers[plan.pk]
        return self.readers[plan.pk] | {recipient.code for recipient in directory.recipients(plan)}


def _is_newer(plan: ReminderPlan, than: ReminderPlan) -> bool:
    return (plan.send_at, plan.pk) > (than.send_at, than.pk)
