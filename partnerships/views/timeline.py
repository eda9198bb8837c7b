"""What happened to a record and by whom, newest first: steps, edits, notes."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from partnerships.models import (
    Activity,
    Agreement,
    Answer,
    ContactNote,
    Demand,
    Facility,
    Honour,
    Milestone,
    StatusChange,
    User,
)
from partnerships.statuses import (
    ACTIVITY_TRANSITIONS,
    AGREEMENT_TRANSITIONS,
    ANSWER_TRANSITIONS,
    DEMAND_TRANSITIONS,
    FACILITY_TRANSITIONS,
    HONOUR_TRANSITIONS,
    MILESTONE_TRANSITIONS,
    TransitionTable,
)

TABLES: dict[type, TransitionTable] = {
    Activity: ACTIVITY_TRANSITIONS,
    Agreement: AGREEMENT_TRANSITIONS,
    Answer: ANSWER_TRANSITIONS,
    Demand: DEMAND_TRANSITIONS,
    Facility: FACILITY_TRANSITIONS,
    Honour: HONOUR_TRANSITIONS,
    Milestone: MILESTONE_TRANSITIONS,
}
# Columns a step writes, and those no person edits: the steps say it better.
BESIDE_EDITS = frozenset(
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
        *(
            f"{step}_on"
            for step in ("started", "postponed", "opened", "closed", "asked", "answered", "agreed", "withdrawn")
        ),
    }
)


@dataclass(frozen=True)
class Moment:
    """One line of a timeline. ``at`` is in the reader's time zone; a day without a time counts as its end."""

    day: dt.date
    at: dt.datetime | None
    who: Any
    what: str
    detail: str = ""
    kind: str = "step"
    url: str = ""


def newest_first(*moments: Iterable[Moment]) -> list[Moment]:
    def key(moment: Moment) -> tuple[dt.date, dt.time]:
        return moment.day, moment.at.time() if moment.at else dt.time.max

    # The sources come newest first each; a stable sort keeps their order within one instant.
    return sorted((moment for source in moments for moment in source), key=key, reverse=True)


def steps_of(row: Any) -> Iterator[Moment]:
    table = TABLES[type(row)]
    for change in reversed(StatusChange.objects.of(row)):
        transition = table.get(change.transition)
        label = transition.label if transition else change.transition
        yield moment_at(change.at, change.actor, str(label), detail=change.reason)


def notes_of(notes: Iterable[ContactNote]) -> Iterator[Moment]:
    for note in notes:
        yield Moment(note.happened_on, None, note.author, note.get_channel_display(), note.summary, kind="note")


def edits_of(row: Any, *, limit: int = 30) -> list[Moment]:
    """Who changed which fields, from the newest ``limit`` rows of its history; the first row is its creation."""
    history = list(row.history.select_related("history_user")[: limit + 1])
    pairs = zip(history, [*history[1:], None], strict=True)
    people = people_in(history)
    moments = (_edit(later, earlier, people, is_first=len(history) <= limit) for later, earlier in pairs)
    return [moment for moment in moments if moment is not None]


def moment_at(at: dt.datetime, who: Any, what: str, *, detail: str = "", kind: str = "step") -> Moment:
    local = timezone.localtime(at)
    return Moment(local.date(), local, who, what, detail, kind)


def _edit(later: Any, earlier: Any, people: dict[int, User], *, is_first: bool) -> Moment | None:
    if earlier is None:
        created = moment_at(later.history_date, later.history_user, _("Created"), kind="edit")
        return created if is_first else None
    changes = changed_between(later, earlier, people)
    if not changes:
        return None
    return moment_at(later.history_date, later.history_user, _("Changed"), detail=listed(changes), kind="edit")


def listed(changes: Iterable[str]) -> str:
    return pgettext("between two changes", "; ").join(changes)


def changed_between(later: Any, earlier: Any, people: dict[int, User]) -> list[str]:
    """What people edited from one row of a history to the next, in words; nothing where a step wrote the row."""
    if getattr(later, "status", None) != getattr(earlier, "status", None):
        return []  # a line of its own
    return [_change(later, earlier, field, people) for field in _changed_fields(later, earlier)]


def _changed_fields(later: Any, earlier: Any) -> list[Any]:
    fields = (field for field in type(later).tracked_fields if field.name not in BESIDE_EDITS)
    return [field for field in fields if getattr(later, field.attname) != getattr(earlier, field.attname)]


def _change(later: Any, earlier: Any, field: Any, people: dict[int, User]) -> str:
    """Short values and reasons in full, from what to what; long texts and other records by their name alone."""
    if field.name in {"owner", "coordinator"}:
        old, new = (people.get(getattr(row, field.attname)) for row in (earlier, later))
    elif field.is_relation or (field.get_internal_type() == "TextField" and not field.name.endswith("_reason")):
        return str(field.verbose_name)
    else:
        old, new = (getattr(row, field.attname) for row in (earlier, later))
    return _("%(field)s: %(old)s → %(new)s") % {
        "field": field.verbose_name,
        "old": _shown(old),
        "new": _shown(new),
    }


def _shown(value: Any) -> str:
    if value in (None, ""):
        return "—"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def people_in(history: list[Any]) -> dict[int, User]:
    ids = {getattr(entry, name, None) for entry in history for name in ("owner_id", "coordinator_id")}
    return User.objects.in_bulk([pk for pk in ids if pk])
