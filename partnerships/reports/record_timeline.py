"""The timeline of a record other than an agreement or an organization, with its parts and its milestones."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from partnerships.models import (
    Answer,
    Demand,
    Event,
    EventKind,
    Facility,
    FacilityPartner,
    Milestone,
    Participation,
    Programme,
    ProgrammeOrganizer,
    ProgrammeTarget,
    Report,
    ReportText,
    StatusChange,
    User,
)
from partnerships.models.documents import DOCUMENT_TARGETS
from partnerships.models.milestones import MILESTONE_TARGETS
from partnerships.reports.timeline import TimelineEntries, TimelineEntry, entry_at
from partnerships.reports.timeline_sources import (
    edit_entries,
    one_per_save,
    part_entry,
    past_label,
    read_documents,
    with_earlier,
)

# Parts whose changes everybody may read who sees the record. The people at an event are not among them.
PARTS: Mapping[type[Model], tuple[Any, ...]] = {
    Event: (EventKind, Participation),
    Facility: (FacilityPartner,),
    Programme: (ProgrammeOrganizer, ProgrammeTarget),
    Report: (ReportText,),
}


def record_entries(row: Any, user: User) -> TimelineEntries:
    """Return what happened to ``row`` as far as ``user`` may see it, in a bounded number of queries."""
    timeline = TimelineEntries()
    name = row._meta.model_name
    about = Q(content_type=ContentType.objects.get_for_model(row), object_id=row.pk)
    _read_steps(timeline, about, {})
    if name in MILESTONE_TARGETS:
        _read_steps_of(timeline, Milestone.objects.visible_to(user).filter(**{name: row}), kind="due")
    if isinstance(row, Demand):
        _read_steps_of(timeline, row.answers.visible_to(user).select_related("unit"))
    if name in DOCUMENT_TARGETS:
        read_documents(timeline, user, Q(**{name: row}))
    own = TimelineEntries()
    own.read(row.history.select_related("history_user").order_by("-history_date", "-history_id"), edit_entries)
    for part in PARTS.get(type(row), ()):
        rows = part.history.filter(**{name: row}).select_related("history_user")
        own.read(rows.order_by("-history_date", "-history_id"), _part_entries)
    timeline.merge(own, one_per_save(own.entries))
    return timeline


def _read_steps_of(timeline: TimelineEntries, rows: "QuerySet[Any]", *, kind: str = "step") -> None:
    """Add the steps of rows that belong to the record, each under its title."""
    found = {row.pk: row for row in rows}
    if found:
        target = ContentType.objects.get_for_model(rows.model)
        _read_steps(timeline, Q(content_type=target, object_id__in=found), found, kind=kind)


def _read_steps(timeline: TimelineEntries, about: Q, rows: Mapping[int, Any], *, kind: str = "step") -> None:
    changes = StatusChange.objects.filter(about).select_related("actor").order_by("-at", "-pk")
    timeline.read(changes, partial(_step_entries, rows=rows, kind=kind))


def _step_entries(changes: list[StatusChange], *, rows: Mapping[int, Any], kind: str) -> Iterator[TimelineEntry]:
    for change in changes:
        model = ContentType.objects.get_for_id(change.content_type_id).model_class()
        what, row = past_label(model, change.transition), rows.get(change.object_id)
        url = row.get_absolute_url() if row else ""
        if row is not None:
            title = row.unit if isinstance(row, Answer) else row
            what = _("%(step)s: %(title)s") % {"step": what, "title": title}
        yield entry_at(change.at, change.actor, what, detail=change.reason, kind=kind, url=url)


def _part_entries(history: list[Any]) -> Iterator[TimelineEntry]:
    names = dict(zip((row.history_id for row in history), _names(history), strict=True))
    for row, earlier in with_earlier(history):
        entry = part_entry(row, earlier, names[row.history_id])
        if entry:
            yield entry


def _names(history: list[Any]) -> list[str]:
    """Name each part by its organization, loaded in one query, or else by itself."""
    fields = {field.name for row in history[:1] for field in row._meta.fields}
    if "organization" not in fields:
        return [str(row.instance) for row in history]
    model = type(history[0])._meta.get_field("organization").related_model
    known = model._default_manager.in_bulk([row.organization_id for row in history])
    return [str(known.get(row.organization_id) or getattr(row, "name_as_printed", "") or "—") for row in history]
