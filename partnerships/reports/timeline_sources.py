"""Entries of a timeline, made of status changes, edits, contact notes, completed activities and documents."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from django.contrib.contenttypes.models import ContentType
from django.db.models import Field, ForeignKey, Model, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from partnerships.models import (
    Activity,
    Agreement,
    Answer,
    ContactNote,
    Demand,
    Document,
    DocumentVersion,
    Event,
    Facility,
    Honour,
    Milestone,
    Report,
    StatusChange,
    Unit,
    User,
)
from partnerships.partial_dates import partial_date
from partnerships.reports.timeline import TimelineEntries, TimelineEntry, entry_at, newest_first
from partnerships.statuses import (
    ACTIVITY_TRANSITIONS,
    AGREEMENT_TRANSITIONS,
    ANSWER_TRANSITIONS,
    DEMAND_TRANSITIONS,
    EVENT_TRANSITIONS,
    FACILITY_TRANSITIONS,
    HONOUR_TRANSITIONS,
    MILESTONE_TRANSITIONS,
    REPORT_TRANSITIONS,
    TransitionTable,
)

TRANSITIONS: dict[type[Model], TransitionTable] = {
    Activity: ACTIVITY_TRANSITIONS,
    Agreement: AGREEMENT_TRANSITIONS,
    Answer: ANSWER_TRANSITIONS,
    Event: EVENT_TRANSITIONS,
    Demand: DEMAND_TRANSITIONS,
    Facility: FACILITY_TRANSITIONS,
    Honour: HONOUR_TRANSITIONS,
    Milestone: MILESTONE_TRANSITIONS,
    Report: REPORT_TRANSITIONS,
}
# Fields that nobody edits, and those that a status change or a notice writes: the entry of that act shows them better.
FIELDS_LEFT_OUT = frozenset(
    {
        "id",
        "version",
        "status",
        "code",
        "is_sample",
        "created_by",
        "derived_key",
        "overridden_at",
        "override_reason",
        "evidence",
        "title_as_signed",
        "recurs_from",
        "next_step",
        "no_next_step_reason",
        *(f"{step}_on" for step in ("submitted", "returned", "approved", "signed", "suspended", "resumed")),
        *(f"{step}_on" for step in ("completed", "terminated", "cancelled", "recorded", "met", "waived")),
        *(f"{step}_on" for step in ("started", "postponed", "opened", "closed", "asked", "answered", "agreed")),
        "withdrawn_on",
        "notice_given_on",
        "signed_at_latest",
        "current_ends_on",
    }
)
PRECISION = "_precision"  # ends the name of a column that says how much is known of the date beside it
EDITS_SHOWN = 30
DETAILS_SHOWN = 4
PART_WORDS = {
    "+": gettext_lazy("%(part)s added: %(name)s"),
    "~": gettext_lazy("%(part)s changed: %(name)s"),
    "-": gettext_lazy("%(part)s removed: %(name)s"),
}


class HistoryRow(Protocol):
    """A row of a model's history; the history library makes a class of its own for each model."""

    history_id: int
    history_date: dt.datetime
    history_type: str
    history_user: User | None
    id: int


def record_timeline(row: Model, *others: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """Return the status changes and edits of ``row``, merged with the entries of ``others``."""
    return newest_first(status_entries(row), *others, _edits(row))


def status_entries(row: Model) -> Iterator[TimelineEntry]:
    for change in reversed(StatusChange.objects.of(row)):
        yield entry_at(change.at, change.actor, past_label(type(row), change.transition), detail=change.reason)


def past_label(model: type[Model] | None, name: str) -> str:
    """Return what a transition did, such as “Marked as done”; its name if the table no longer has it."""
    transition = TRANSITIONS[model].get(name) if model else None
    return str(transition.past if transition else name)


def note_entries(notes: Iterable[ContactNote]) -> Iterator[TimelineEntry]:
    for note in notes:
        what = note.get_channel_display()
        yield TimelineEntry(note.happened_on, None, note.author, what, note.summary, kind="note")


def completed_entries(activities: Iterable[Activity]) -> Iterator[TimelineEntry]:
    """Yield completed activities by the person who recorded it; by the owner if they were imported as completed."""
    activities = list(activities)
    steps = StatusChange.objects.filter(
        content_type=ContentType.objects.get_for_model(Activity),
        object_id__in=[activity.pk for activity in activities],
        transition="complete",
    )
    by = {step.object_id: step.actor for step in steps.select_related("actor").order_by("at", "pk")}
    for row in activities:
        if row.completed_on:
            what = _("%(kind)s completed: %(title)s") % {"kind": row.get_kind_display(), "title": row}
            who = by.get(row.pk, row.owner)
            yield TimelineEntry(row.completed_on, None, who, what, row.summary, kind="done", url=row.get_absolute_url())


def read_documents(timeline: TimelineEntries, user: User, condition: Q) -> None:
    """Add the uploads of the documents that meet ``condition`` and that the user may read."""
    seen = Document.objects.visible_to(user).filter(condition)
    versions = DocumentVersion.objects.filter(document__in=seen.order_by().values("pk")).select_related(
        "document", "uploaded_by"
    )
    timeline.read(versions.order_by("-uploaded_at", "-pk"), _upload_entries)


def _upload_entries(versions: Iterable[DocumentVersion]) -> Iterator[TimelineEntry]:
    for version in versions:
        document = version.document
        what = _("%(kind)s: %(title)s") % {"kind": document.get_kind_display(), "title": document}
        detail = _("%(file)s, version %(number)s") % {"file": version.original_name, "number": version.number}
        yield entry_at(version.uploaded_at, version.uploaded_by, what, detail=detail, kind="paper", url=version.address)


# Edits, from the history


def _edits(row: Any) -> list[TimelineEntry]:
    # One more than is shown, to compare the last one shown with.
    history = list(row.history.select_related("history_user")[: EDITS_SHOWN + 1])
    return list(edit_entries(history))[:EDITS_SHOWN]


def edit_entries(
    history: list[Any], *, title_of: Callable[[Any], str] | None = None, kind_of_new: str = "edit"
) -> Iterator[TimelineEntry]:
    """Yield an entry for each save that changed what people edit.

    ``title_of`` names the rows where the timeline is about several; automatic changes are then left out.
    """
    people = people_in(history)
    for later, earlier in with_earlier(history):
        title = title_of(later) if title_of else ""
        if title and _is_automatic(later):
            continue
        if later.history_type == "+":
            what = _("Added: %(title)s") % {"title": title} if title else _("Created")
            yield entry_at(later.history_date, later.history_user, what, kind=kind_of_new)
        elif later.history_type == "~" and earlier is not None:
            what = _("Changed: %(title)s") % {"title": title} if title else _("Changed")
            changes = changed_between(later, earlier, people)
            if changes:
                yield entry_at(later.history_date, later.history_user, what, detail=join(changes), kind="edit")


def _is_automatic(row: HistoryRow) -> bool:
    """Whether the row is a derived date: added and moved by the system, until somebody sets it by hand."""
    is_derived = bool(getattr(row, "derived_key", ""))
    return is_derived and (row.history_type == "+" or getattr(row, "overridden_at", None) is None)


def with_earlier(history: list[Any]) -> list[tuple[Any, Any | None]]:
    """Pair each row of a history, newest first, with the row before it of the same record, if it was read."""
    latest: dict[int, HistoryRow] = {}
    pairs = []
    for row in reversed(history):
        pairs.append((row, latest.get(row.id)))
        latest[row.id] = row
    return pairs[::-1]


def changed_between(later: HistoryRow, earlier: HistoryRow, people: dict[int, User]) -> list[str]:
    """Describe what people edited between two rows of a history; nothing if a status change wrote the later one."""
    if getattr(later, "status", None) != getattr(earlier, "status", None):
        return []
    return [_change(later, earlier, field, people) for field in _changed_fields(later, earlier)]


def _changed_fields(later: Any, earlier: HistoryRow) -> "list[Field[Any, Any]]":
    fields = {field.name: field for field in type(later).tracked_fields}
    # The day of an agreement's signing may be completed later, without a change of status.
    left_out = FIELDS_LEFT_OUT - {"signed_on"} if "signed_precision" in fields else FIELDS_LEFT_OUT
    shown = (field for name, field in fields.items() if name not in left_out and not name.endswith(PRECISION))
    changed = [field for field in shown if _value(later, field) != _value(earlier, field)]
    # The signing itself fills in the names of the parties.
    return [field for field in changed if field.name != "name_as_signed" or _value(earlier, field)]


def _value(row: Any, field: "Field[Any, Any]") -> Any:
    """Return the value of a column in a history row: of a date as much as is known of it."""
    value = getattr(row, field.attname)
    precision = getattr(row, field.name.removesuffix("_on") + PRECISION, None)
    return value if precision is None else partial_date(value, precision)


def _change(later: HistoryRow, earlier: HistoryRow, field: "Field[Any, Any]", people: dict[int, User]) -> str:
    """Describe one change: old and new value if they are short; only the field's name for long texts and records."""
    old, new = (_value(row, field) for row in (earlier, later))
    if field.name in {"owner", "coordinator"}:
        old, new = people.get(old), people.get(new)
    elif isinstance(field, ForeignKey) or (
        field.get_internal_type() == "TextField" and not field.name.endswith("_reason")
    ):
        return str(field.verbose_name)
    return _("%(field)s: %(old)s → %(new)s") % {
        "field": field.verbose_name,
        "old": value_text(old, field),
        "new": value_text(new, field),
    }


def value_text(value: Any, field: "Field[Any, Any]") -> str:
    """Return a value of a column as people read it."""
    if value in (None, ""):
        return "—"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dt.datetime):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, dt.date):
        return date_format(value)
    return str(dict(field.flatchoices).get(value, value))


def join(changes: Iterable[str]) -> str:
    return pgettext("between two changes", "; ").join(changes)


def people_in(history: Iterable[HistoryRow]) -> dict[int, User]:
    """Load the owners and coordinators named in a history, in one query."""
    ids = {getattr(row, name, None) for row in history for name in ("owner_id", "coordinator_id")}
    return User.objects.in_bulk([pk for pk in ids if pk])


def part_entry(row: Any, earlier: Any | None, name: str) -> TimelineEntry | None:
    """Return the entry for a history row of a part; None where nothing changed that people edit."""
    part = row.instance_type._meta.verbose_name
    detail = str(PART_WORDS[row.history_type]) % {"part": part, "name": name}
    if row.history_type == "~" and earlier is not None:
        changes = changed_between(row, earlier, {})
        if not changes:
            return None
        changed = pgettext("between two changed fields", ", ").join(changes)
        detail = _("%(what)s (%(changes)s)") % {"what": detail, "changes": changed}
    return entry_at(row.history_date, row.history_user, _("Changed"), detail=detail, kind="edit")


def one_per_save(entries: Iterable[TimelineEntry]) -> Iterator[TimelineEntry]:
    """Merge what one person changed within a minute: a form saves the agreement and its parts as separate rows."""
    saves: dict[tuple[dt.date, User | Unit | None], list[TimelineEntry]] = defaultdict(list)
    for entry in entries:
        if entry.kind != "edit":
            yield entry
            continue
        minute = entry.at.replace(second=0, microsecond=0) if entry.at else entry.day
        saves[minute, entry.who].append(entry)
    for save in saves.values():
        first = next((entry for entry in save if entry.what != _("Changed")), save[0])
        yield replace(first, detail=_shortened([entry.detail for entry in save if entry.detail]))


def _shortened(details: list[str]) -> str:
    more = len(details) - DETAILS_SHOWN
    said = join(details[:DETAILS_SHOWN])
    if more <= 0:
        return said
    return ngettext("%(said)s; and %(more)s more", "%(said)s; and %(more)s more", more) % {"said": said, "more": more}
