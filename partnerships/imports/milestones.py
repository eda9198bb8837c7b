"""Rows that describe dates on which something has to be done."""

from typing import Any

from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput
from partnerships.imports.activities import find_agreement
from partnerships.imports.partners import resolve
from partnerships.imports.rows import Batch, WorkRow, check_once, finish, key_of, update_record
from partnerships.models import Milestone, MilestoneKind
from partnerships.names import person_key
from partnerships.partial_dates import PartialDate
from partnerships.statuses import MilestoneStatus
from partnerships.workflows.milestones import edit_milestone, meet_milestone, register_milestone


def apply(row: WorkRow, batch: Batch) -> None:
    """Register the milestone of a row; one that is done already is registered as done."""
    status = row.get("status") or MilestoneStatus.OPEN
    if status in {MilestoneStatus.WAIVED, MilestoneStatus.CANCELLED}:
        raise InvalidInput(_("It was waived or cancelled: nothing has to be done."), field="status")
    unit = batch.unit_of(row)
    agreement = find_agreement(row, batch, unit)
    placed = row.get("organization")
    organization = resolve(row, batch, placed, field="organization") if placed and agreement is None else None
    if agreement is None and organization is None:
        raise InvalidInput(_("A milestone belongs to an agreement or an organization: name one."), field="agreement")
    due: PartialDate = row.get("due_on")
    title = row.text("title").strip()
    target: dict[str, Any] = {"agreement": agreement, "organization": organization}
    row.key = key_of("milestone", agreement.pk if agreement else person_key(placed.name), title, due.last)
    check_once(row, batch)
    values: dict[str, Any] = {"title_zh": row.text("title_zh"), "description": row.text("description")}
    same = batch.visible(Milestone).filter(**target, derived_key="")
    record: Milestone | None = batch.from_earlier(row, same) or same.filter(title=title, due_on=due.last).first()
    is_new = record is None
    if record is None:
        months = row.get("recurs_every_months")
        kind = row.get("kind") or (MilestoneKind.AGREEMENT if agreement else MilestoneKind.ACTION_POINT)
        owner = batch.chosen("user", row.get("owner")) or (agreement.coordinator if agreement else None)
        record = Milestone(unit=unit, title=title, kind=kind, due_on=due.last, owner=owner, **target, **values)
        record.recurs_every_months = int(months) if months else None
        register_milestone(record, actor=batch.actor, today=batch.today)
        if status == MilestoneStatus.MET:
            evidence = row.text("evidence") or _("Done, as the spreadsheet says")
            record = meet_milestone(record, actor=batch.actor, on=min(due.last, batch.today), evidence=evidence)
        row.did(record, "made")
    else:
        record = update_record(row, batch, record, values, edit_milestone)
    finish(row, record, is_new=is_new, values=values)
