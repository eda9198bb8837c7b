"""The sentence on how a milestone came to its reader: who submitted it, sent it back or registered it."""

from collections.abc import Collection, Sequence

from django.utils.translation import gettext as _

from partnerships.mailing.wording import one_line
from partnerships.models import Agreement, Milestone, MilestoneKind, ReminderItem, StatusChange
from partnerships.models.milestones import AGREEMENT_STEP_KINDS

# Derived milestones that are about the last step of their agreement, not about a step of their own.
ABOUT_AGREEMENT = frozenset({MilestoneKind.APPROVAL, MilestoneKind.CONFIRM_REGISTRATION, *AGREEMENT_STEP_KINDS})


def news_of(items: Sequence[ReminderItem]) -> dict[int, str]:
    """Return a sentence on the last step of each milestone that has just come to the reader, by its id; two queries at most.

    A milestone whose last step was none of these has no sentence.
    """
    milestones = {item.plan.milestone_id: item.plan.milestone for item in items if item.plan.appearance is not None}
    changed = {pk: _changed_by_step(milestone) for pk, milestone in milestones.items()}
    last = {
        model: _last_steps(model, {row.pk for row in changed.values() if type(row) is model})
        for model in {type(row) for row in changed.values()}
    }
    found = {pk: last[type(row)].get(row.pk) for pk, row in changed.items()}
    return {pk: words for pk, step in found.items() if step and (words := _words(step, milestones[pk]))}


def _changed_by_step(milestone: Milestone) -> Milestone | Agreement:
    agreement = milestone.agreement
    return agreement if milestone.kind in ABOUT_AGREEMENT and isinstance(agreement, Agreement) else milestone


def _last_steps(model: type[Milestone | Agreement], ids: Collection[int]) -> dict[int, StatusChange]:
    """Return the last step of each row, by its id."""
    changes = StatusChange.objects.of_all(model, ids)
    return {change.object_id: change for change in changes}  # oldest first, so the last one stays


def _words(step: StatusChange, milestone: Milestone) -> str:
    if step.actor is None:
        return ""
    said = one_line(step.reason or (milestone.evidence if milestone.status == step.to_status else ""))
    names = {"person": one_line(step.actor.name), "words": said}
    words = {
        "submit": _("%(person)s submitted it: %(words)s") if said else _("%(person)s submitted it."),
        "send_back": _("%(person)s sent it back: %(words)s") if said else _("%(person)s sent it back."),
        "return": _("%(person)s returned it: %(words)s"),
        "approve": _("%(person)s approved it."),
        "record_signed": _("%(person)s registered it as already signed."),
    }
    return words.get(step.transition, "") % names
