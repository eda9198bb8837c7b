"""The people behind the draft of an agreement: those who may not approve it, nor confirm that it was signed."""

import datetime as dt
from collections.abc import Iterable
from itertools import chain, pairwise
from typing import Any

from partnerships.models.agreements import Agreement
from partnerships.models.base import none_of
from partnerships.models.documents import Document, DocumentVersion
from partnerships.models.milestones import MILESTONE_TARGETS, Milestone
from partnerships.models.parties import AgreementArea, AgreementParty, AgreementUnit
from partnerships.models.payments import Payment
from partnerships.models.status_changes import StatusChange
from partnerships.models.terms import AgreementTerm
from partnerships.statuses import MilestoneStatus

# When something was edited, and the id of the user; None is the system.
Edit = tuple[dt.datetime, int | None]
# A step that was taken, the id of the user, and when.
Step = tuple[str, int | None, dt.datetime]
# The columns of a milestone that say what is promised.
PROMISED = (
    "title",
    "title_zh",
    "description",
    "kind",
    "due_on",
    "party_id",
    "requires_acceptance",
    "recurs_every_months",
)


# Begins the reason of a merge in the history, and stands in that of its undo.
MERGED = "Merged: "


def people_behind_draft(agreement: Agreement) -> set[int]:
    """Return the ids of the creator, the submitters, and those who edited it since it was last returned.

    An edit of its parts, its documents or its own milestones is an edit of it; derived milestones are nobody's edit. A
    return by somebody who had edited it opens no new round: otherwise they could approve what they wrote themselves.
    """
    steps = list(StatusChange.objects.of(agreement).values_list("transition", "actor_id", "at"))
    found = chain(
        _edits_of_columns(agreement),
        _edits_of_parts(agreement),
        _edits_of_documents(agreement),
        _edits_of_milestones(agreement),
    )
    # While it is signed, its rows are written by signings, amendments and additions, which edit no draft.
    edits = [edit for edit in found if not _was_signed_at(edit[0], steps)]
    since = None
    for transition, actor, at in steps:
        # Taking back a signing opens the next round as a return does.
        if transition in {"return", "unsign"} and actor not in _editors_between(edits, since, at):
            since = at
    submitters = {actor for transition, actor, _at in steps if transition == "submit"}
    people = {agreement.created_by_id, *submitters, *_editors_between(edits, since, None)}
    return {person for person in people if person is not None}


def _editors_between(edits: Iterable[Edit], since: dt.datetime | None, until: dt.datetime | None) -> set[int | None]:
    return {person for at, person in edits if (since is None or at > since) and (until is None or at <= until)}


def _was_signed_at(at: dt.datetime, steps: Iterable[Step]) -> bool:
    """Whether the agreement was signed at the time ``at``, by a signing that had not been taken back."""
    turns = [step for step, _actor, taken in steps if step in {"sign", "record_signed", "unsign"} and taken <= at]
    return bool(turns) and turns[-1] != "unsign"


def _edits_of_columns(agreement: Agreement) -> Iterable[Edit]:
    """Return the saves of the agreement itself that are more than a step of the workflow or another coordinator."""
    rows = agreement.history.order_by("history_date", "history_id").values()
    return [
        (row["history_date"], row["history_user_id"])
        for before, row in pairwise(chain([None], rows))
        if row is not None and not _is_step_or_hand_over(before, row)
    ]


def _is_step_or_hand_over(before: dict[str, Any] | None, after: dict[str, Any]) -> bool:
    """Whether two history rows in a row differ by a step of the workflow, or by the coordinator alone."""
    if before is None:
        return False
    # A verb that takes a step saves the row once, so a row with another status is that step and no edit.
    if before["status"] != after["status"] or before["coordinator_id"] == after["coordinator_id"]:
        return before["status"] != after["status"]
    differing = {name for name in after if before[name] != after[name] and not name.startswith("history_")}
    return differing <= {"coordinator_id", "version"}


def _edits_of_parts(agreement: Agreement) -> Iterable[Edit]:
    for part in (AgreementTerm, AgreementArea, AgreementUnit, Payment):
        rows = part.history.filter(agreement_id=agreement.pk)
        yield from rows.values_list("history_date", "history_user_id")
    before: dict[int, dict[str, Any]] = {}
    # A merge of two records of one partner, or its undo, names the other record: nothing that was agreed.
    parties = AgreementParty.history.filter(agreement_id=agreement.pk).exclude(history_change_reason__contains=MERGED)
    for row in parties.order_by("history_date", "history_id").values():
        if row["history_type"] != "~" or not _is_liaison_change(before.get(row["id"]), row):
            yield row["history_date"], row["history_user_id"]
        before[row["id"]] = row


def _is_liaison_change(before: dict[str, Any] | None, after: dict[str, Any]) -> bool:
    """Whether two history rows of a party differ in the liaison alone, which is nothing that was agreed."""
    if before is None:
        return False
    return {name for name in after if before[name] != after[name] and not name.startswith("history_")} == {"liaison_id"}


def _edits_of_documents(agreement: Agreement) -> Iterable[Edit]:
    rows = Document.history.filter(agreement_id=agreement.pk)
    yield from rows.values_list("history_date", "history_user_id")
    uploads = DocumentVersion.objects.filter(document__agreement=agreement)
    yield from uploads.values_list("uploaded_at", "uploaded_by")


def _edits_of_milestones(agreement: Agreement) -> Iterable[Edit]:
    """Return who added or changed its own milestones; those of its activities and derived ones are left out."""
    rows = Milestone.history.filter(none_of(*MILESTONE_TARGETS), agreement_id=agreement.pk, derived_key="")
    before: dict[int, dict[str, Any]] = {}
    for row in rows.order_by("history_date", "history_id").values():
        if row["history_type"] != "~" or _is_other_promise(before.get(row["id"]), row):
            yield row["history_date"], row["history_user_id"]
        before[row["id"]] = row


def _is_other_promise(before: dict[str, Any] | None, after: dict[str, Any]) -> bool:
    """Whether two history rows of a milestone promise different things; another owner or a snooze changes no promise."""
    if before is None:
        return True
    was_off, is_off = (row["status"] in {MilestoneStatus.CANCELLED, MilestoneStatus.WAIVED} for row in (before, after))
    return was_off != is_off or any(before[name] != after[name] for name in PROMISED)
