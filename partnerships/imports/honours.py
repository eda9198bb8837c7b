"""Rows that describe honors of organizations, as the lists of an authority name them."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from partnerships.dates import add_months
from partnerships.durations import Duration
from partnerships.imports.partners import clean_code, resolve
from partnerships.imports.rows import Batch, WorkRow, check_once, finish, key_of, update_record
from partnerships.models import Honour
from partnerships.names import person_key
from partnerships.partial_dates import PartialDate
from partnerships.workflows.honours import edit_honour, register_honour


def apply(row: WorkRow, batch: Batch) -> None:
    """Register the honor of a row with its organization, or update the one on record."""
    organization = resolve(row, batch, row.get("organization"), field="organization", uscc=clean_code(row.get("uscc")))
    scheme = batch.chosen("scheme", row.get("scheme"))
    granted: PartialDate = row.get("granted_on")
    evidence = row.text("evidence")
    if not granted.is_complete:
        # The column holds a day: the evidence says that it is the first one that it may be.
        row.note(_("Only “%(date)s” is known: stored as the first day of it.") % {"date": granted}, "granted_on")
        known = _("Granted: %(date)s (day not known)") % {"date": granted}
        evidence = f"{evidence}\n{known}".strip()
    valid_until = _valid_until(row, granted)
    row.key = key_of("honour", scheme.pk, person_key(row.get("organization").name), granted.first)
    check_once(row, batch)
    values: dict[str, Any] = {"batch": row.text("batch"), "valid_until": valid_until, "evidence": evidence}
    same = batch.visible(Honour).recorded().filter(scheme=scheme, organization=organization)
    record: Honour | None = batch.from_earlier(row, same) or same.filter(granted_on=granted.first).first()
    is_new = record is None
    if record is None:
        unit = batch.unit_of(row)
        record = Honour(scheme=scheme, organization=organization, unit=unit, granted_on=granted.first, **values)
        register_honour(record, actor=batch.actor, today=batch.today)
        row.did(record, "made")
    else:
        record = update_record(row, batch, record, values, edit_honour)
    finish(row, record, is_new=is_new, values=values)


def _valid_until(row: WorkRow, granted: PartialDate) -> dt.date | None:
    until: PartialDate | None = row.get("valid_until")
    duration: Duration | None = row.get("duration")
    if until is not None:
        return until.last
    if duration is not None and duration.ends is not None:
        return duration.ends.last
    if duration is not None and duration.months:
        return add_months(granted.first, duration.months) - dt.timedelta(days=1)
    return None
