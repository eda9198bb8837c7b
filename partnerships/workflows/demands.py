"""Demands: released, asked, answered, agreed; the answers; and the step from a demand to what comes of it."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.db import models, transaction
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from partnerships.exceptions import InvalidInput, TransitionRefused
from partnerships.models import (
    Activity,
    ActivityKind,
    ActivityOrganization,
    Agreement,
    AgreementParty,
    AgreementType,
    Answer,
    Demand,
    DemandOutcome,
    MilestoneKind,
    Organization,
    ProgrammeItem,
    ResearchProject,
    Unit,
    User,
)
from partnerships.permissions import require
from partnerships.statuses import ANSWER_TRANSITIONS, DEMAND_TRANSITIONS, AnswerStatus, DemandStatus
from partnerships.workflows.activities import register_activity
from partnerships.workflows.agreements import register_agreement
from partnerships.workflows.derivation import Derived, update_derived
from partnerships.workflows.edits import Aggregate, changed_columns
from partnerships.workflows.milestones import cancel_pending_milestones, give_milestones_to, reassign
from partnerships.workflows.transitions import check_new_owner, lock, lock_as_read, save_as, take_step

ANSWER_DAYS = 14  # for an answer to a demand without a deadline

DEMAND = Aggregate(
    Demand,
    "demand.add",
    "demand.edit",
    parts=(ProgrammeItem,),
    fixed=frozenset({"unit"}),  # its deadline and its outcomes stay with the unit that has them
)
ANSWER = Aggregate(Answer, "demand.edit", "answer.edit", fixed=frozenset({"demand", "unit"}))


def register_demand(
    demand: Demand, *, actor: User | None, today: dt.date, parts: Sequence[models.Model] = ()
) -> Demand:
    """Register a released demand with its programmes; its deadline becomes a milestone."""
    with transaction.atomic():
        DEMAND.register(demand, parts, actor=actor)
        if demand.owner:
            check_new_owner(demand, demand.owner, field="owner")
        follow_demand(demand, actor=actor, on=today)
    return demand


def edit_demand(
    demand: Demand,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
) -> Demand:
    """Change a demand and its programmes as one version.

    The milestone follows the deadline. A new owner takes over the pending milestones of the former.
    """
    with transaction.atomic():
        before, after = DEMAND.begin(demand, changes, actor=actor)
        DEMAND.finish(before, after, parts, removed, actor=actor)
        if after.owner and after.owner_id != before.owner_id:
            check_new_owner(after, after.owner, field="owner")
        follow_demand(after, actor=actor, on=today)
        give_milestones_to(after, owner_id=after.owner_id, actor=actor, previous=before.owner)
    return after


def follow_demand(demand: Demand, *, actor: User | None, on: dt.date) -> None:
    """Update the milestones of a pending demand: one for its deadline, and one for each unit that was asked.

    A deadline that had passed before ``on`` when it was recorded asks for nothing.
    """
    with transaction.atomic():
        locked = lock(demand)
        reason = _("The demand no longer waits for an answer.")
        wanted = derived_of_demand(locked)
        answered = {
            _answer_key(answer): str(answer.get_status_display())
            for answer in locked.answers.all()
            if answer.status != AnswerStatus.ASKED
        }
        update_derived(
            locked, wanted, owner=locked.owner, actor=actor, on=on, reason=reason, met=answered, not_before=on
        )


def derived_of_demand(demand: Demand) -> list[Derived]:
    """Return the milestones of a demand: its deadline, and an answer for each unit that was asked."""
    if not demand.is_pending:
        return []
    title = gettext_noop("Answer the demand")
    wanted = [_asked(demand, answer) for answer in demand.answers.all() if answer.status == AnswerStatus.ASKED]
    if demand.deadline_on is not None:
        wanted.append(Derived("deadline", MilestoneKind.DEMAND_DEADLINE, title, demand.deadline_on))
    return wanted


def _asked(demand: Demand, answer: Answer) -> Derived:
    asked_on = answer.asked_on or demand.released_on
    due_on = max(demand.deadline_on, asked_on) if demand.deadline_on else asked_on + dt.timedelta(days=ANSWER_DAYS)
    title = gettext_noop("Answer for our unit, or decline")
    key = _answer_key(answer)
    return Derived(key, MilestoneKind.ANSWER, title, due_on, asks_late=True, unit_id=answer.unit_id)


def _answer_key(answer: Answer) -> str:
    return f"answer:{answer.pk}"


def ask_units(demand: Demand, *, actor: User | None, on: dt.date, units: list[Unit], person: str = "") -> list[Answer]:
    """Ask each of ``units`` for an answer; a released demand becomes *asked*. Units asked before are left out.

    ``demand`` is as the person read it: raises ``StaleVersion`` when somebody changed it since.
    """
    with transaction.atomic():
        locked = lock_as_read(demand)
        require(actor, "demand.edit", locked)
        if not locked.is_pending:
            raise TransitionRefused(_("This demand is closed."))
        known = set(locked.answers.filter(person=person).values_list("unit_id", flat=True))
        answers = [
            Answer(demand=locked, unit=unit, person=person, asked_on=on) for unit in units if unit.pk not in known
        ]
        if not answers:
            raise InvalidInput(_("All of them were asked already."), field="units")
        for answer in answers:
            ANSWER.register(answer, actor=actor)
        if locked.status == DemandStatus.RELEASED:
            _step(locked, "ask", actor=actor, on=on)
        follow_demand(locked, actor=actor, on=on)
    return answers


def ask_demand(demand: Demand, *, actor: User | None, on: dt.date) -> Demand:
    return _step(demand, "ask", actor=actor, on=on)


def answer_demand(demand: Demand, *, actor: User | None, on: dt.date) -> Demand:
    return _step(demand, "answer", actor=actor, on=on)


def close_demand(demand: Demand, *, actor: User | None, on: dt.date, reason: str) -> Demand:
    """Close a demand without a match, with the reason; the deadline no longer matters."""
    return _close(demand, "close", actor=actor, on=on, reason=reason)


def reopen_demand(demand: Demand, *, actor: User | None, on: dt.date, reason: str) -> Demand:
    with transaction.atomic():
        reopened = _step(demand, "reopen", actor=actor, on=on, reason=reason)
        follow_demand(reopened, actor=actor, on=on)
    return reopened


def agree_with_agreement(
    demand: Demand,
    *,
    actor: User | None,
    on: dt.date,
    agreement_type: AgreementType,
    title: str,
    title_zh: str = "",
    partner: Organization,
) -> Agreement:
    """Register a draft agreement between the asker and ``partner`` as the outcome, in one step."""
    with transaction.atomic():
        agreement = Agreement(
            unit_id=demand.unit_id,
            type=agreement_type,
            **_titles(demand, title, title_zh),
            coordinator=demand.owner,
            through=_arranged_for(demand, partner),
            is_sample=demand.is_sample,
        )
        parties = [AgreementParty(organization=organization) for organization in (partner, demand.organization)]
        register_agreement(agreement, actor=actor, today=on, parts=parties)
        _record_outcome(demand, actor=actor, on=on, agreement=agreement)
    return agreement


def agree_with_project(
    demand: Demand,
    *,
    actor: User | None,
    on: dt.date,
    title: str,
    title_zh: str = "",
    partner: Organization | None = None,
) -> Activity:
    """Register a planned research project with the asker as the outcome, in one step."""
    with transaction.atomic():
        project = Activity(
            kind=ActivityKind.RESEARCH_PROJECT,
            unit_id=demand.unit_id,
            **_titles(demand, title, title_zh),
            owner=demand.owner or actor,
            event_id=demand.event_id,
            through=_arranged_for(demand, partner),
            summary=demand.rewritten_wording or demand.original_wording,
            is_sample=demand.is_sample,
        )
        organizations = filter(None, (demand.organization, partner))
        partners = [ActivityOrganization(organization=organization) for organization in organizations]
        register_activity(project, actor=actor, today=on, parts=[ResearchProject(), *partners])
        _record_outcome(demand, actor=actor, on=on, activity=project)
    return project


def _arranged_for(demand: Demand, partner: Organization | None) -> Organization | None:
    """Return who arranged the demand, and so its outcome; nobody where that is the partner itself."""
    return None if demand.through == partner else demand.through


def _titles(demand: Demand, title: str, title_zh: str) -> dict[str, str]:
    """Return the titles of an outcome; those of the demand where none is given."""
    if title.strip():
        return {"title": title.strip(), "title_zh": title_zh.strip()}
    return {"title": demand.title, "title_zh": demand.title_zh}


def assign_demand(
    demand: Demand,
    *,
    actor: User | None,
    owner: User | None,
    reason: str = "",
    given_back: Mapping[int, int | None] | None = None,
) -> Demand:
    """Give it to another person, with its milestones; they must be able to see it and be reached.

    ``given_back`` undoes that, see ``reassign``.
    """
    pending = Demand.objects.pending()
    return reassign(
        demand, owner, actor=actor, action="demand.edit", pending=pending, reason=reason, given_back=given_back
    )


STEPS: dict[str, Callable[..., Demand]] = {
    "ask": ask_demand,
    "answer": answer_demand,
    "close": close_demand,
    "reopen": reopen_demand,
}


def edit_answer(
    answer: Answer,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
) -> Answer:
    """Change what an answer says and who gives it; refused once it is chosen or declined, or the demand is closed."""
    with transaction.atomic():
        demand = lock(answer.demand)  # before the answer, as the choice of an answer does
        before, after = ANSWER.begin(answer, changes, actor=actor)
        if changed_columns(before, after):
            _check_undecided(before, demand)
        ANSWER.finish(before, after, parts, removed, actor=actor)
    return after


def _check_undecided(answer: Answer, demand: Demand) -> None:
    """Raise ``TransitionRefused`` for an answer whose words were judged: they stay as those who judged them read them."""
    if answer.status in {AnswerStatus.CHOSEN, AnswerStatus.DECLINED}:
        raise TransitionRefused(_("This answer is chosen or declined: reopen it to correct it."))
    if not demand.is_pending:
        raise TransitionRefused(_("This demand is closed."))


def propose_answer(answer: Answer, *, actor: User | None, on: dt.date, summary: str = "") -> Answer:
    """Record the answer of a unit; the demand counts as answered from its first answer on."""
    with transaction.atomic():
        demand = lock(answer.demand)  # before the answer, as the choice of an answer does
        changes = {"summary": summary.strip()} if summary.strip() else {}
        proposed = _answer_step(answer, "propose", actor=actor, on=on, **changes)
        if demand.status in {DemandStatus.RELEASED, DemandStatus.ASKED}:
            # A consequence: the people of the unit that answers may not edit the demand of another unit.
            take_step(demand, DEMAND_TRANSITIONS, "answer", actor=actor, on=on, is_consequence=True)
    return proposed


def shortlist_answer(answer: Answer, *, actor: User | None, on: dt.date) -> Answer:
    return _answer_step(answer, "shortlist", actor=actor, on=on)


def choose_answer(answer: Answer, *, actor: User | None, on: dt.date) -> Answer:
    """Choose the answer that will be worked with; there is one at a time."""
    with transaction.atomic():
        # Of two choices at once the second waits here, and is then refused.
        lock(answer.demand)
        if answer.demand.answers.filter(status=AnswerStatus.CHOSEN).exclude(pk=answer.pk).exists():
            raise TransitionRefused(_("Another answer was chosen already."))
        return _answer_step(answer, "choose", actor=actor, on=on)


def decline_answer(answer: Answer, *, actor: User | None, on: dt.date, reason: str) -> Answer:
    return _answer_step(answer, "decline", actor=actor, on=on, reason=reason)


def reopen_answer(answer: Answer, *, actor: User | None, on: dt.date, reason: str) -> Answer:
    """Correct a choice or refusal in error. The answer keeps its words and has to be proposed again."""
    return _answer_step(answer, "reopen", actor=actor, on=on, reason=reason)


ANSWER_STEPS: dict[str, Callable[..., Answer]] = {
    "propose": propose_answer,
    "shortlist": shortlist_answer,
    "choose": choose_answer,
    "decline": decline_answer,
    "reopen": reopen_answer,
}


def _step(demand: Demand, name: str, *, actor: User | None, on: dt.date, **more: Any) -> Demand:
    return take_step(demand, DEMAND_TRANSITIONS, name, actor=actor, on=on, **more)


def _answer_step(answer: Answer, name: str, *, actor: User | None, on: dt.date, **more: Any) -> Answer:
    with transaction.atomic():
        lock(answer.demand)  # before the answer, as an edit of the demand does
        changed = take_step(answer, ANSWER_TRANSITIONS, name, actor=actor, on=on, **more)
        follow_demand(changed.demand, actor=actor, on=on)
    return changed


def _close(demand: Demand, name: str, *, actor: User | None, on: dt.date, reason: str) -> Demand:
    with transaction.atomic():
        closed = _step(demand, name, actor=actor, on=on, reason=reason)
        cancel_pending_milestones(closed, actor=actor, on=on, reason=reason or closed.get_status_display())
    return closed


def _record_outcome(demand: Demand, *, actor: User | None, on: dt.date, **target: Model) -> None:
    chosen = demand.answers.filter(status=AnswerStatus.CHOSEN).first()
    save_as(DemandOutcome(demand=demand, answer=chosen, **target), actor)
    _close(demand, "agree", actor=actor, on=on, reason="")
