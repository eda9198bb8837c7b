"""The reminder rules of a new site; the office changes them as it likes."""

from typing import NamedTuple

from partnerships.models import MilestoneKind, ReminderRule
from partnerships.models.milestones import CLOSED_BY_STEP


class DefaultRule(NamedTuple):
    kind: MilestoneKind
    days: int
    direction: ReminderRule.Direction = ReminderRule.Direction.BEFORE
    audience: ReminderRule.Audience = ReminderRule.Audience.OWNER

    @property
    def code(self) -> str:
        return f"rule-{self.kind.value.replace('_', '-')}-{self.days}-{self.direction.value}-{self.audience.value}"


def _before(kind: MilestoneKind, *days: int) -> list[DefaultRule]:
    return [DefaultRule(kind, count) for count in days]


def _escalated(kind: MilestoneKind) -> DefaultRule:
    """Return the rule that notifies the leads when a reminder had no answer for a working week."""
    return DefaultRule(kind, 5, ReminderRule.Direction.UNANSWERED, ReminderRule.Audience.LEAD)


DEFAULT_RULES = (
    *_before(MilestoneKind.AGREEMENT, 30, 7, 0),
    DefaultRule(MilestoneKind.AGREEMENT, 3, ReminderRule.Direction.AFTER),
    DefaultRule(MilestoneKind.AGREEMENT, 3, ReminderRule.Direction.AFTER, ReminderRule.Audience.LEAD),
    *_before(MilestoneKind.DECISION_DATE, 30, 7, 0),
    DefaultRule(MilestoneKind.DECISION_DATE, 0, audience=ReminderRule.Audience.LEAD),
    *_before(MilestoneKind.OBLIGATION, 14, 3, 0),
    DefaultRule(MilestoneKind.OBLIGATION, 3, ReminderRule.Direction.AFTER, ReminderRule.Audience.LEAD),
    *_before(MilestoneKind.PAYMENT, 14, 0),
    DefaultRule(MilestoneKind.PAYMENT, 7, ReminderRule.Direction.AFTER),
    DefaultRule(MilestoneKind.PAYMENT, 7, ReminderRule.Direction.AFTER, ReminderRule.Audience.LEAD),
    _escalated(MilestoneKind.DECISION_DATE),
    _escalated(MilestoneKind.OBLIGATION),
    *_before(MilestoneKind.REVIEW, 14, 0),
    *_before(MilestoneKind.NEXT_CONTACT, 7, 0),
    *_before(MilestoneKind.ACTION_POINT, 3, 0),
    *_before(MilestoneKind.NEW_LIAISON, 0),
    *_before(MilestoneKind.FACILITY_REVIEW, 14, 0),
    *_before(MilestoneKind.HONOUR_LAPSE, 90, 30, 7),
    DefaultRule(MilestoneKind.HONOUR_LAPSE, 7, audience=ReminderRule.Audience.LEAD),
    *_before(MilestoneKind.DEMAND_DEADLINE, 7, 2, 0),
    *_before(MilestoneKind.STARTING_ACTIVITY, 7, 1),
    *_before(MilestoneKind.UNFINISHED_ACTIVITY, 0),
    DefaultRule(MilestoneKind.UNFINISHED_ACTIVITY, 3, ReminderRule.Direction.AFTER),
    *_before(MilestoneKind.APPROVAL, 0),
    *_before(MilestoneKind.ANSWER, 3, 0),
    *_before(MilestoneKind.CONFIRM_REGISTRATION, 0),
    *_before(MilestoneKind.CONFIRM_RENEWAL, 0),
    *_before(MilestoneKind.RECORD_END, 0),
    *_before(MilestoneKind.REVISION, 0),
    *_before(MilestoneKind.SIGNING, 0),
    # A new holder is news: nobody above is asked when it is not noted.
    *(_escalated(kind) for kind in sorted(CLOSED_BY_STEP - {MilestoneKind.NEW_HOLDER})),
    # Decisions, steps of an agreement, and whatever else is submitted, sent back or given to somebody.
    *(DefaultRule(kind, 0, ReminderRule.Direction.APPEARS) for kind in MilestoneKind),
)


def create_default_rules() -> int:
    """Create the default rules that never existed and change none that exists; return how many were created.

    A reminder before a due date comes on a working day; one about an overdue milestone waits for the next.
    """
    # The history also knows the rules that people deleted.
    known = {
        *ReminderRule.objects.filter(code__isnull=False).values_list("code", flat=True),
        *ReminderRule.history.filter(code__isnull=False).values_list("code", flat=True),
    }
    missing = [rule for rule in DEFAULT_RULES if rule.code not in known and not _same_by_hand(rule)]
    for rule in missing:
        ReminderRule(
            code=rule.code,
            milestone_kind=rule.kind,
            offset=rule.days,
            direction=rule.direction,
            audience=rule.audience,
            shift=ReminderRule.Shift.NEXT
            if rule.direction == ReminderRule.Direction.AFTER
            else ReminderRule.Shift.PREVIOUS,
        ).save()
    return len(missing)


def _same_by_hand(rule: DefaultRule) -> bool:
    """Return whether somebody has made the same rule by hand; a second one would remind twice."""
    return ReminderRule.objects.filter(
        milestone_kind=rule.kind,
        offset=rule.days,
        offset_unit=ReminderRule.OffsetUnit.DAYS,
        direction=rule.direction,
        audience=rule.audience,
        unit=None,
        agreement_type=None,
        agreement=None,
        named_person=None,
    ).exists()
