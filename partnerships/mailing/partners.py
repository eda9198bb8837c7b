"""The partners that a mail names beside each milestone, because readers ask "which partner?" first."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import F, Model, prefetch_related_objects

from partnerships.mailing.wording import one_line
from partnerships.models import (
    Activity,
    ActivityOrganization,
    Agreement,
    AgreementParty,
    Demand,
    Facility,
    FacilityPartner,
    HiddenRecord,
    Honour,
    Milestone,
    Organization,
)
from partnerships.models.milestones import MILESTONE_TARGETS
from partnerships.texts import name_a_few

# The rows that name the partners of a record, and their column for it.
ROWS: Mapping[type[Model], tuple[type[Model], str]] = {
    Agreement: (AgreementParty, "agreement"),
    Activity: (ActivityOrganization, "activity"),
    Facility: (FacilityPartner, "facility"),
}


def load_targets(milestones: Sequence[Milestone]) -> None:
    """Load what the milestones belong to: one query for each kind of record, however many milestones there are."""
    prefetch_related_objects(milestones, *MILESTONE_TARGETS, "demand__organization", "honour__organization")


def partners_of(milestones: Sequence[Milestone]) -> dict[int, str]:
    """Return the partners of each milestone by its id: two by name, the others counted.

    They are the parties of its agreement, or the partners of what it belongs to. Nobody learns them from a record that
    ``hide_unseen`` has hidden. One query for each kind of record at most.
    """
    records = {one.pk: record for one in milestones if (record := _record(one)) is not None}
    of_record: dict[tuple[type[Model], int], list[Organization]] = defaultdict(list)
    for model, (rows, column) in ROWS.items():
        ids = {record.pk for record in records.values() if type(record) is model}
        for pk, partner in _partners(rows, column, ids):
            of_record[model, pk].append(partner)
    for record in records.values():
        if isinstance(record, (Demand, Honour)):
            of_record[type(record), record.pk] = [record.organization]
    named = {pk: of_record[type(record), record.pk] for pk, record in records.items()}
    return {pk: name_a_few([one_line(str(one)) for one in found]) for pk, found in named.items()}


def _record(milestone: Milestone) -> Model | None:
    """Return the record whose partners are named; None if the reader may not see it, or if it is a partner itself."""
    agreement: object = milestone.agreement
    record: Any = milestone.target if agreement is None or isinstance(agreement, HiddenRecord) else agreement
    return record if isinstance(record, (Agreement, Activity, Facility, Demand, Honour)) else None


def _partners(rows: type[Model], column: str, ids: Collection[int]) -> Iterator[tuple[int, Organization]]:
    """Yield the id of a record and one of its partners: without our own organization, and parties that withdrew."""
    if not ids:
        return
    chosen = rows._default_manager.filter(**{f"{column}__in": ids}).select_related("organization").order_by("pk")
    if rows is AgreementParty:
        chosen = chosen.filter(withdrew_on=None).annotate(ours=F("agreement__unit__organization"))
    row: Any
    for row in chosen:
        if row.organization_id != getattr(row, "ours", None):
            yield getattr(row, f"{column}_id"), row.organization
