"""A timeline: what happened to a record, by whom, newest first.

Here are its entries and its pages; ``timeline_sources`` makes entries of status changes, edits, notes and documents.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from partnerships.models import Unit, User
from partnerships.partial_dates import PartialDate

KINDS = {
    "step": gettext_lazy("Status"),
    "due": gettext_lazy("Milestones"),
    "done": gettext_lazy("Activities"),
    "note": gettext_lazy("Calls and messages"),
    "mail": gettext_lazy("Reminders"),
    "paper": gettext_lazy("Papers"),
    "edit": gettext_lazy("Edits"),
}
PAGE_SIZE = 15
# Rows read from one source. A page must answer quickly; older rows are in the history of each record.
ROWS_PER_SOURCE = 300

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class TimelineEntry:
    """One line of a timeline. ``at`` is in the reader's time zone; a day without a time sorts as the end of that day."""

    day: dt.date
    at: dt.datetime | None
    who: User | Unit | None
    what: str
    detail: str = ""
    kind: str = "step"
    url: str = ""
    known: PartialDate | None = None  # what is known of ``day``, where that is less than the day


def entry_at(
    at: dt.datetime, who: User | None, what: str, *, detail: str = "", kind: str = "step", url: str = ""
) -> TimelineEntry:
    """Return the entry for something that was recorded at a moment, not only on a day."""
    local = timezone.localtime(at)
    return TimelineEntry(local.date(), local, who, what, detail, kind, url)


def newest_first(*sources: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """Merge sources that are each sorted newest first."""

    def key(entry: TimelineEntry) -> tuple[dt.date, dt.time]:
        return entry.day, entry.at.time() if entry.at else dt.time.max

    # The sort is stable, so entries of the same moment keep the order of their source.
    return sorted((entry for source in sources for entry in source), key=key, reverse=True)


@dataclass
class TimelineEntries:
    """The entries of several sources.

    When a source was cut, entries up to ``starts_after`` are left out, or the timeline would have a gap in it.
    """

    entries: list[TimelineEntry] = field(default_factory=list)
    starts_after: dt.date | None = None

    def read(self, rows: "QuerySet[Row]", make: Callable[[list[Row]], Iterable[TimelineEntry]]) -> None:
        """Add the entries made of the newest of ``rows``, which must be sorted newest first."""
        newest = list(rows[:ROWS_PER_SOURCE])
        made = list(make(newest))
        self.entries += made
        if len(newest) == ROWS_PER_SOURCE and made:
            self._cut_at(min(entry.day for entry in made))

    def merge(self, other: "TimelineEntries", entries: Iterable[TimelineEntry]) -> None:
        """Add ``entries``, which were made of those of ``other``."""
        self.entries += entries
        if other.starts_after is not None:
            self._cut_at(other.starts_after)

    def newest_first(self) -> list[TimelineEntry]:
        after = self.starts_after
        return newest_first(entry for entry in self.entries if after is None or entry.day > after)

    def _cut_at(self, day: dt.date) -> None:
        self.starts_after = max(day, self.starts_after or day)


@dataclass(frozen=True)
class TimelinePage:
    """One page of a timeline, and the kinds of entries to filter by, each with its count."""

    page: "Page[TimelineEntry]"
    kinds: list[tuple[str, str, int]]
    kind: str
    total: int
    starts_after: dt.date | None


def timeline_page(timeline: TimelineEntries, *, kind: str, number: str | None) -> TimelinePage:
    """Return page ``number`` of the entries of ``kind``: all kinds if it is unknown, the nearest page if there is none."""
    entries = timeline.newest_first()
    counts = Counter(entry.kind for entry in entries)
    kind = kind if kind in KINDS else ""
    chosen = [entry for entry in entries if entry.kind == kind] if kind else entries
    kinds = [(name, str(label), counts[name]) for name, label in KINDS.items() if counts[name]]
    page = Paginator(chosen, PAGE_SIZE).get_page(number)
    return TimelinePage(page, kinds, kind, len(entries), timeline.starts_after)
