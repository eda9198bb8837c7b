"""Rows that describe activities that took place or are planned."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput
from partnerships.imports.partners import resolve
from partnerships.imports.rows import Batch, Undecided, WorkRow, check_once, finish, key_of, update_record
from partnerships.models import Activity, ActivityKind, ActivityOrganization, Agreement, Training, Unit
from partnerships.statuses import ActivityStatus, AgreementStatus
from partnerships.workflows.activities import (
    credits_of,
    edit_activity,
    register_activity,
    register_completed_activity,
    start_activity,
)


def apply(row: WorkRow, batch: Batch) -> None:
    """Register the activity of a row, completed where it has taken place, or update the one on record."""
    if row.get("status") == ActivityStatus.CANCELLED:
        raise InvalidInput(_("It was cancelled: what never took place is not brought in."), field="status")
    partners = [resolve(row, batch, placed, field="partner") for placed in row.get("partner") or ()]
    partners = list({organization.pk: organization for organization in partners}.values())
    unit = batch.unit_of(row)
    agreement = find_agreement(row, batch, unit)
    kind = row.get("kind") or batch.recipe.defaults.get("kind") or ActivityKind.OTHER
    title = row.text("title") or " · ".join(str(word) for word in (ActivityKind(kind).label, *partners[:1]))
    starts, ends = (row.get(name) for name in ("starts_on", "ends_on"))
    values: dict[str, Any] = {
        "starts_on": starts.first if starts else None,
        "ends_on": (ends.last if ends else None) or (starts.last if starts and not starts.is_complete else None),
        "place": row.text("place"),
        "summary": row.text("summary"),
        "title_zh": row.text("title_zh"),
    }
    row.key = key_of("activity", unit.pk, agreement.pk if agreement else 0, kind, title, values["starts_on"])
    check_once(row, batch)
    owner = batch.chosen("user", row.get("owner"))
    made = Activity(kind=kind, unit=unit, agreement=agreement, title=title, owner=owner, **values)
    record = _known(row, batch, made)
    is_new = record is None
    if record is None:
        record = _register(row, batch, made, partners)
        row.did(record, "made")
    else:
        record = update_record(row, batch, record, values, edit_activity)
    finish(row, record, is_new=is_new, values=values)


def find_agreement(row: WorkRow, batch: Batch, unit: Unit) -> Agreement | None:
    """Return the agreement that a row names by its reference or title; None where it names none."""
    words = row.text("agreement")
    if not words:
        return None
    rows = batch.visible(Agreement).exclude(status=AgreementStatus.CANCELLED)
    if batch.actor is None:
        rows = rows.filter(unit=unit)
    found = list(rows.filter(reference=words)[:2]) or list(
        rows.filter(Q(title__iexact=words) | Q(title_zh__iexact=words)).order_by("pk")[:5]
    )
    if (token := row.decisions.get("agreement")) and token.isdigit():
        found = list(rows.filter(pk=int(token)))
    if not found:
        raise InvalidInput(_("“%(value)s” is not on record.") % {"value": words}, field="agreement")
    if len(found) > 1:
        raise Undecided(
            _("Several agreements have this title: choose one."), field="agreement", name=words, found=list(found)
        )
    return found[0]


def _known(row: WorkRow, batch: Batch, made: Activity) -> Activity | None:
    """Return the activity on record that is the same as ``made``."""
    rows = batch.visible(Activity)
    known: Activity | None = batch.from_earlier(row, rows)
    if known is not None:
        return known
    same = {name: getattr(made, name) for name in ("unit", "agreement", "kind", "title", "starts_on")}
    return rows.filter(**same).exclude(status=ActivityStatus.CANCELLED).order_by("pk").first()


def _register(row: WorkRow, batch: Batch, made: Activity, partners: list[Any]) -> Activity:
    areas = [batch.chosen("area", code) for code in row.get("areas") or ()]
    parts: list[Any] = [ActivityOrganization(organization=partner) for partner in partners]
    parts += credits_of(areas, partners)
    if made.kind == ActivityKind.TRAINING:
        parts.append(Training(headcount=row.get("headcount"), hours=row.get("hours")))
    elif row.get("headcount") is not None or row.get("hours") is not None:
        row.note(_("Only a training has participants and hours: they are left out."), "headcount")
    over_on = made.ends_on or made.starts_on
    status = row.get("status") or ("completed" if over_on and over_on < batch.today else "planned")
    more: dict[str, Any] = {"actor": batch.actor, "today": batch.today, "parts": parts}
    if status == ActivityStatus.COMPLETED:
        if over_on is None:
            raise InvalidInput(_("The day on which it took place is missing."), field="starts_on")
        step = row.text("next_step")
        more |= {"next_step": step} if step else {"no_next_step_reason": _("Brought in from a spreadsheet")}
        return register_completed_activity(made, on=min(over_on, batch.today), **more)
    record = register_activity(made, **more)
    if status == ActivityStatus.IN_PROGRESS:
        return start_activity(record, actor=batch.actor, on=min(made.starts_on or batch.today, batch.today))
    return record
