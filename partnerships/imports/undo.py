"""Undo of an import: each record that it made goes, each that it changed gets its values back, unless somebody changed it since."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from partnerships.acts import recorded_as
from partnerships.exceptions import DomainError, StaleVersion
from partnerships.models import (
    Activity,
    Agreement,
    Contact,
    Honour,
    Import,
    ImportRow,
    Milestone,
    Organization,
    OrganizationName,
    ReminderPlan,
    RowUndo,
    User,
)
from partnerships.permissions import require
from partnerships.statuses import AgreementStatus
from partnerships.workflows.activities import edit_activity
from partnerships.workflows.agreements import delete_registered_agreement, edit_agreement
from partnerships.workflows.deletions import delete_record
from partnerships.workflows.honours import edit_honour
from partnerships.workflows.milestones import edit_milestone
from partnerships.workflows.organizations import edit_contact, edit_organization

MODELS: Mapping[str, type[Any]] = {
    "organization": Organization,
    "contact": Contact,
    "agreement": Agreement,
    "honour": Honour,
    "activity": Activity,
    "milestone": Milestone,
}
EDITS: Mapping[str, Callable[..., Any]] = {
    "organization": edit_organization,
    "contact": edit_contact,
    "agreement": edit_agreement,
    "honour": edit_honour,
    "activity": edit_activity,
    "milestone": edit_milestone,
}


def version_of(model: str, pks: Collection[int]) -> dict[int, int]:
    """Return the present versions of rows by id."""
    found: dict[int, int] = {}
    ids = sorted(pks)
    for start in range(0, len(ids), 500):
        rows = MODELS[model]._base_manager.filter(pk__in=ids[start : start + 500])
        found.update(rows.values_list("pk", "version"))
    return found


def expected_undo(imported: Import) -> dict[str, int]:
    """Return how many records an undo would delete and put back, and how many it keeps because somebody changed them since."""
    made: dict[tuple[str, int], Mapping[str, Any]] = {}
    for row in imported.rows.exclude(made=[]).order_by("pk").values_list("made", flat=True):
        for one in row:
            made.setdefault((one["model"], one["pk"]), one)
    present: dict[str, dict[int, int]] = {
        model: version_of(model, {pk for of, pk in made if of == model}) for model in {of for of, _pk in made}
    }
    counts = {"made": 0, "changed": 0, "kept": 0}
    for (model, pk), one in made.items():
        is_same = present[model].get(pk) == one["version"]
        counts[one["act"] if is_same else "kept"] += 1
    return counts


def undo_rows(
    rows: Iterable[ImportRow], imported: Import, *, today: dt.date, beat: Callable[[int], None], done: int
) -> None:
    """Undo the rows, which come last first, and note in each what became of it: undone, kept, or failed with the reason.

    ``done`` is the number of rows undone before.
    """
    reason = _("Import %(number)s undone") % {"number": imported.pk}
    for number, row in enumerate(rows, done + 1):
        results: dict[str, list[str]] = {RowUndo.KEPT: [], RowUndo.FAILED: []}
        # Records made last refer to those made first: the agreement goes before its partners.
        for one in reversed(row.made):
            try:
                with transaction.atomic(), recorded_as(reason):
                    _undo(one, actor=imported.asked_by, today=today, reason=reason)
            except StaleVersion as error:
                results[RowUndo.KEPT].append(str(error))
            except DomainError as error:
                results[RowUndo.FAILED].append(f"{one['name']}: {error}")
        row.undo = next((result for result, words in results.items() if words), RowUndo.REVERSED)
        row.undo_note = "\n".join(words for found in results.values() for words in found)
        beat(number)


def _undo(one: Mapping[str, Any], *, actor: User | None, today: dt.date, reason: str) -> None:
    record = MODELS[one["model"]]._base_manager.filter(pk=one["pk"]).first()
    if record is None:
        raise StaleVersion(_("%(name)s is not there any more.") % {"name": one["name"]}, current=None)
    if record.version != one["version"]:
        raise StaleVersion(_("%(name)s was changed since.") % {"name": one["name"]}, current=record.version)
    require(actor, f"{one['model']}.edit", record)
    if one["act"] == "changed":
        _put_back(record, one, actor=actor, today=today)
    elif isinstance(record, Agreement) and record.status != AgreementStatus.DRAFT:
        delete_registered_agreement(record, actor=actor, on=today, reason=reason)
    else:
        if isinstance(record, Milestone):
            ReminderPlan.objects.filter(milestone=record, items__isnull=True).delete()
        # A coordinator may undo what only leads delete one by one.
        delete_record(record, actor=actor, today=today, reason=reason, is_undo=True)


def _put_back(record: Any, one: Mapping[str, Any], *, actor: User | None, today: dt.date) -> None:
    changes = {name: _value(type(record), name, value) for name, value in one["before"].items()}
    more = {}
    if names := one.get("names"):
        more["removed"] = list(OrganizationName.objects.filter(organization=record.pk, pk__in=names))
    EDITS[one["model"]](record, actor=actor, today=today, changes=changes, **more)


def _value(model: type[models.Model], name: str, value: Any) -> Any:
    field: Any = model._meta.get_field(name)
    if value is not None and field.is_relation:
        return field.related_model._base_manager.filter(pk=value).first()
    return field.to_python(value)
