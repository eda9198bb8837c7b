"""The timeline of an organization: its agreements, activities and events, as far as the user may see them."""

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from partnerships.models import (
    Activity,
    Agreement,
    ContactNote,
    Demand,
    Event,
    Facility,
    Honour,
    Merge,
    Organization,
    User,
)
from partnerships.reports.timeline import ROWS_PER_SOURCE, TimelineEntries, TimelineEntry, entry_at
from partnerships.reports.timeline_sources import completed_entries, edit_entries, note_entries, read_documents
from partnerships.statuses import ActivityStatus


def organization_timeline(
    organization: Organization, user: User, *, today: dt.date, sees_details: bool
) -> TimelineEntries:
    """Return what ``user`` may see; ``sees_details`` adds contact notes, documents and edits."""
    timeline = TimelineEntries()
    agreements = Agreement.objects.visible_to(user).filter(parties__organization=organization, signed_on__isnull=False)
    timeline.read(agreements.select_related("unit").order_by("-signed_on", "-pk"), _signed_entries)
    completed = Activity.objects.visible_to(user).filter(partners__organization=organization)
    completed = completed.filter(status=ActivityStatus.COMPLETED).select_related("owner")
    timeline.read(completed.order_by("-completed_on", "-pk"), completed_entries)
    _read_dated(timeline, organization, user, today)
    if sees_details:
        notes = ContactNote.objects.visible_to(user).filter(organization=organization).select_related("author")
        timeline.read(notes, note_entries)
        read_documents(timeline, user, Q(organization=organization))
        history = organization.history.select_related("history_user").order_by("-history_date", "-history_id")
        timeline.read(history, edit_entries)
        _read_merged(timeline, organization)
    return timeline


def _read_merged(timeline: TimelineEntries, organization: Organization) -> None:
    """Add the merges into the organization, and what was edited in the records that are part of it now."""
    merges = list(Merge.objects.into(organization).select_related("by", "undone_by").order_by("-at")[:ROWS_PER_SOURCE])
    for merge in merges:
        words = {"name": merge.name}
        timeline.entries.append(
            entry_at(merge.at, merge.by, _("Merged into this record: %(name)s") % words, kind="edit")
        )
        if merge.undone_at:
            what = _("Separated again: %(name)s") % words
            timeline.entries.append(entry_at(merge.undone_at, merge.undone_by, what, kind="edit"))
    standing = {merge.merged_id for merge in merges if merge.undone_at is None}
    if standing:
        ids = standing | {pk for one in standing for pk in Merge.objects.ids_merged_into(Organization(pk=one))}
        history = Organization.history.filter(id__in=ids).select_related("history_user")
        timeline.read(
            history.order_by("-history_date", "-history_id"), partial(edit_entries, title_of=_name_in_history)
        )


def _name_in_history(row: Any) -> str:
    return str(row.name or row.name_zh)


def _signed_entries(agreements: list[Agreement]) -> Iterator[TimelineEntry]:
    for row in agreements:
        what = _("Agreement signed: %(title)s") % {"title": row}
        yield TimelineEntry(row.signing_date, None, row.unit, what, url=row.get_absolute_url(), known=row.signed)


def _read_dated(timeline: TimelineEntries, organization: Organization, user: User, today: dt.date) -> None:
    """Add facilities, demands, honours and events, each on the day that matters for it."""
    facilities = Facility.objects.visible_to(user).filter(partners__organization=organization)
    demands = Demand.objects.visible_to(user).filter(organization=organization)
    honours = Honour.objects.visible_to(user).filter(organization=organization, withdrawn_on=None)
    events = Event.objects.visible_to(user).recorded().filter(participations__organization=organization)
    for rows, day, kind, what in (
        (facilities, "opened_on", "step", _("Joint facility opened: %(title)s")),
        (demands, "released_on", "step", _("Demand released: %(title)s")),
        (honours.select_related("scheme"), "granted_on", "step", _("Honor granted: %(title)s")),
        (events, "starts_on", "done", _("Took part in %(title)s")),
    ):
        past = rows.filter(**{f"{day}__lte": today}).select_related("unit")
        timeline.read(past.order_by(f"-{day}", "-pk"), _entries_on(day, kind, what))


def _entries_on(day: str, kind: str, what: str) -> Callable[[list[Any]], Iterator[TimelineEntry]]:
    def make(rows: list[Any]) -> Iterator[TimelineEntry]:
        for row in rows:
            title = row.scheme if isinstance(row, Honour) else row
            url = row.get_absolute_url()
            yield TimelineEntry(getattr(row, day), None, row.unit, what % {"title": title}, kind=kind, url=url)

    return make
