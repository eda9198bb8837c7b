"""Everything that happened around an agreement or an organization, by whom: one story of several sources, in pages."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _

from partnerships.models import (
    Activity,
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementTerm,
    AgreementUnit,
    Amendment,
    ContactNote,
    CustodyStep,
    Demand,
    DocumentVersion,
    Event,
    Facility,
    Honour,
    Milestone,
    Organization,
    ReminderItem,
    StatusChange,
    User,
)
from partnerships.statuses import ActivityStatus
from partnerships.views.timeline import (
    TABLES,
    Moment,
    changed_between,
    listed,
    moment_at,
    newest_first,
    notes_of,
    people_in,
)

KINDS = {
    "step": gettext_lazy("Status"),
    "due": gettext_lazy("Milestones"),
    "done": gettext_lazy("Follow-ups"),
    "note": gettext_lazy("Calls and messages"),
    "mail": gettext_lazy("Reminders"),
    "paper": gettext_lazy("Papers"),
    "edit": gettext_lazy("Edits"),
}
PAGE_SIZE = 15
# What one source adds at most: a page has to be there in a moment, and the history keeps the rest.
AT_MOST = 300
DETAILS_SHOWN = 4
PARTS = (AgreementParty, AgreementTerm, AgreementArea, AgreementUnit)


@dataclass
class Story:
    """Moments of several sources. Where a source was cut, all are told only after its oldest day: no gap in between."""

    moments: list[Moment] = field(default_factory=list)
    told_after: dt.date | None = None

    def read(self, rows: QuerySet, tell: Callable[[list[Any]], Iterable[Moment]]) -> None:
        """Adds what ``tell`` makes of the newest of ``rows``, which come newest first."""
        found = list(rows[:AT_MOST])
        told = list(tell(found))
        self.moments += told
        if len(found) == AT_MOST and told:
            oldest = min(moment.day for moment in told)
            self.told_after = max(oldest, self.told_after or oldest)

    def newest_first(self) -> list[Moment]:
        after = self.told_after
        return newest_first(moment for moment in self.moments if after is None or moment.day > after)


@dataclass(frozen=True)
class Timeline:
    """One page of a story, with the kinds there are in it to choose from. ``told_after``: earlier days are left out."""

    page: Page
    kinds: list[tuple[str, Any, int]]
    kind: str
    total: int
    told_after: dt.date | None


def told(story: Story, *, kind: str, number: Any) -> Timeline:
    """The page ``number`` of what is of ``kind``; an unknown kind is all of it, an unknown page the nearest."""
    moments = story.newest_first()
    counts = Counter(moment.kind for moment in moments)
    kind = kind if kind in KINDS else ""
    chosen = [moment for moment in moments if moment.kind == kind] if kind else moments
    kinds = [(name, label, counts[name]) for name, label in KINDS.items() if counts[name]]
    return Timeline(Paginator(chosen, PAGE_SIZE).get_page(number), kinds, kind, len(moments), story.told_after)


def timeline_asked(request: HttpRequest, story: Story) -> dict[str, Any]:
    """The page of ``story`` that the address asks for, as context: ``?happened=<kind>&moments=<page>``."""
    asked = request.GET
    timeline = told(story, kind=asked.get("happened", ""), number=asked.get("moments"))
    return {"timeline": timeline, "timeline_page": request.path}


def is_timeline_alone(request: HttpRequest) -> bool:
    """Whether a part of the page is all that is wanted; going back in the browser wants the page."""
    return bool(request.htmx) and not request.htmx.history_restore_request  # type: ignore[attr-defined]


def timeline_alone(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return render(request, "partnerships/_happenings.html", context)


def around_agreement(agreement: Agreement) -> Story:
    """Whoever sees an agreement sees what is under it, so nothing here asks again.

    The number of queries is bounded, whatever happened.
    """
    story = Story()
    mine = {"agreement": agreement}
    story.read(_steps_around(agreement), _steps)
    done = agreement.activities.filter(status=ActivityStatus.COMPLETED).select_related("owner")
    story.read(done.order_by("-completed_on", "-pk"), _completed)
    story.read(agreement.contact_notes.select_related("author"), notes_of)
    sent = ReminderItem.objects.filter(plan__milestone__agreement=agreement, delivery__sent_at__isnull=False)
    sent = sent.filter(cancelled_at__isnull=True).select_related("delivery", "plan__milestone", "person", "contact")
    story.read(sent.order_by("-delivery__sent_at", "-pk"), _reminders)
    papers = Q(document__agreement=agreement) | Q(document__milestone__agreement=agreement)
    _read_papers(story, papers | Q(document__activity__agreement=agreement))
    story.read(_made(Amendment, **mine), _amendments)
    story.read(_made(CustodyStep, **mine), _custody)
    _read_edits(story, agreement)
    return story


def around_organization(organization: Organization, user: Any, *, today: dt.date, sees_details: bool) -> Story:
    """What ``user`` may see of it: agreements, follow-ups, facilities, demands, honours, events; with the details notes,
    papers and edits.
    """
    story = Story()
    agreements = Agreement.objects.visible_to(user).filter(parties__organization=organization, signed_on__isnull=False)
    story.read(agreements.select_related("unit").order_by("-signed_on", "-pk"), _signed)
    done = Activity.objects.visible_to(user).filter(partners__organization=organization)
    done = done.filter(status=ActivityStatus.COMPLETED).select_related("owner")
    story.read(done.order_by("-completed_on", "-pk"), _completed)
    for model, name, day, kind, words in _dated(organization):
        rows = model.objects.visible_to(user).filter(**name, **{f"{day}__lte": today})
        related = ("unit", "scheme") if model is Honour else ("unit",)
        story.read(rows.select_related(*related).order_by(f"-{day}", "-pk"), _on_the_day(day, kind, words))
    if sees_details:
        notes = ContactNote.objects.visible_to(user).filter(organization=organization).select_related("author")
        story.read(notes, notes_of)
        _read_papers(story, Q(document__organization=organization))
        history = organization.history.select_related("history_user").order_by("-history_date", "-history_id")
        story.read(history, lambda rows: _edits(rows, lambda row: ""))
    return story


def _dated(organization: Organization) -> tuple[tuple[Any, dict[str, Any], str, str, Any], ...]:
    """Model, how it belongs to the organization, the day it happened, its kind, and the words for it."""
    partner, own = {"partners__organization": organization}, {"organization": organization}
    taking_part = {"participations__organization": organization}
    return (
        (Facility, partner, "opened_on", "step", _("Joint facility opened: %(title)s")),
        (Demand, own, "released_on", "step", _("Demand released: %(title)s")),
        (Honour, {**own, "withdrawn_on": None}, "granted_on", "step", _("Honour granted: %(title)s")),
        (Event, taking_part, "starts_on", "done", _("Took part in %(title)s")),
    )


def _on_the_day(day: str, kind: str, words: Any) -> Callable[[list[Any]], Iterator[Moment]]:
    def tell(rows: list[Any]) -> Iterator[Moment]:
        for row in rows:
            title = row.scheme if isinstance(row, Honour) else row
            yield Moment(
                getattr(row, day), None, row.unit, words % {"title": title}, kind=kind, url=row.get_absolute_url()
            )

    return tell


def _signed(rows: list[Agreement]) -> Iterator[Moment]:
    for row in rows:
        what = _("Agreement signed: %(title)s") % {"title": row}
        yield Moment(row.signing_date, None, row.unit, what, url=row.get_absolute_url())


# Steps

_UNDER_AN_AGREEMENT: tuple[type[Model], ...] = (Milestone, Activity, Facility)


def _steps_around(agreement: Agreement) -> QuerySet:
    """The steps of the agreement and of what is under it, newest first."""
    about = Q(content_type=ContentType.objects.get_for_model(Agreement), object_id=agreement.pk)
    for model in _UNDER_AN_AGREEMENT:
        rows = model._default_manager.filter(agreement=agreement)
        about |= Q(content_type=ContentType.objects.get_for_model(model), object_id__in=rows.values("pk"))
    return StatusChange.objects.filter(about).select_related("actor").order_by("-at", "-pk")


def _steps(changes: list[StatusChange]) -> Iterator[Moment]:
    """A completion is told on the day the work was done (``_completed``), unless it was taken back since."""
    rows = _rows_of(changes)
    for change in changes:
        model = ContentType.objects.get_for_id(change.content_type_id).model_class()
        row = rows.get((change.content_type_id, change.object_id))
        is_done = isinstance(row, Activity) and row.status == ActivityStatus.COMPLETED
        if is_done and change.transition == "complete":
            continue
        transition = TABLES[model].get(change.transition) if model else None
        label = str(transition.label if transition else change.transition)
        if row is None:
            yield moment_at(change.at, change.actor, label, detail=change.reason)
            continue
        what = _("%(title)s: %(step)s") % {"title": row, "step": label}
        kind = {Milestone: "due", Activity: "done"}.get(type(row), "step")
        moment = moment_at(change.at, change.actor, what, detail=change.reason, kind=kind)
        yield replace(moment, url=row.get_absolute_url())


def _rows_of(changes: list[StatusChange]) -> dict[tuple[int, int], Any]:
    """What the steps are about, besides the agreement itself: one query for each model there is."""
    ids: dict[int, set[int]] = defaultdict(set)
    for change in changes:
        ids[change.content_type_id].add(change.object_id)
    found: dict[tuple[int, int], Any] = {}
    for model in _UNDER_AN_AGREEMENT:
        kind = ContentType.objects.get_for_model(model).pk
        if ids[kind]:
            rows = model._default_manager.in_bulk(ids[kind])
            found |= {(kind, pk): row for pk, row in rows.items()}
    return found


def _completed(activities: list[Activity]) -> Iterator[Moment]:
    """By whoever recorded it; by the owner where it came to us completed."""
    steps = StatusChange.objects.filter(
        content_type=ContentType.objects.get_for_model(Activity),
        object_id__in=[activity.pk for activity in activities],
        transition="complete",
    )
    by = {step.object_id: step.actor for step in steps.select_related("actor").order_by("at", "pk")}
    for row in activities:
        if row.completed_on:
            what = _("%(kind)s completed: %(title)s") % {"kind": row.get_kind_display(), "title": row.title}
            who = by.get(row.pk, row.owner)
            yield Moment(row.completed_on, None, who, what, row.summary, kind="done", url=row.get_absolute_url())


def _reminders(items: list[ReminderItem]) -> Iterator[Moment]:
    for item in items:
        milestone, sent_at = item.plan.milestone, item.delivery.sent_at
        if sent_at is not None:
            what = _("Reminder to %(person)s: %(title)s") % {"person": item.reader, "title": milestone}
            moment = moment_at(sent_at, None, what, kind="mail")
            yield replace(moment, url=milestone.get_absolute_url())


# Papers


def _read_papers(story: Story, about: Q) -> None:
    versions = DocumentVersion.objects.filter(about).select_related("document", "uploaded_by")
    story.read(versions.order_by("-uploaded_at", "-pk"), _papers)


def _papers(versions: list[DocumentVersion]) -> Iterator[Moment]:
    for version in versions:
        document = version.document
        what = _("%(kind)s: %(title)s") % {"kind": document.get_kind_display(), "title": document}
        detail = _("%(file)s, version %(number)s") % {"file": version.original_name, "number": version.number}
        moment = moment_at(version.uploaded_at, version.uploaded_by, what, detail=detail, kind="paper")
        yield replace(moment, url=reverse("document_download", args=[document.pk, version.number]))


def _made(model: Any, **of: Any) -> QuerySet:
    """Who made the rows, from their history: the rows themselves do not say."""
    rows = model.history.filter(history_type="+", **of).select_related("history_user")
    return rows.order_by("-history_date", "-history_id")


def _amendments(history: list[Any]) -> Iterator[Moment]:
    for row in history:
        what = _("Amendment %(number)s signed") % {"number": row.number}
        yield Moment(row.signed_on, None, row.history_user, what, row.summary, kind="paper")


def _custody(history: list[Any]) -> Iterator[Moment]:
    for row in history:
        yield Moment(row.since, None, row.history_user, row.get_step_display(), row.desk, kind="paper")


# Edits


def _read_edits(story: Story, agreement: Agreement) -> None:
    """The agreement with its parts, saved together and told together; what is under it under its own name."""
    about = Story()
    about.read(agreement.history.select_related("history_user"), lambda rows: _edits(rows, lambda row: ""))
    for part in PARTS:
        rows = part.history.filter(agreement=agreement).select_related("history_user")
        about.read(rows.order_by("-history_date", "-history_id"), _parts)
    story.moments += _bundled(about.moments)
    story.told_after = max(filter(None, (story.told_after, about.told_after)), default=None)
    for model, kind in ((Activity, "done"), (Milestone, "due")):
        rows = model.history.filter(agreement=agreement).select_related("history_user")
        story.read(rows.order_by("-history_date", "-history_id"), lambda found, kind=kind: _edits(found, _title, kind))


def _title(row: Any) -> str:
    """As the row itself would show it; its history is of another class."""
    is_chinese = (get_language() or "").startswith("zh")
    return (is_chinese and getattr(row, "title_zh", "")) or row.title


def _edits(history: list[Any], name: Callable[[Any], str], added: str = "edit") -> Iterator[Moment]:
    """Each save that changed what people edit. ``name`` says of which row, empty where the page is about it; a new row
    is of the kind ``added``. A date that follows from others was added by nobody.
    """
    people = people_in(history)
    for later, earlier in _pairs(history):
        title = name(later)
        if later.history_type == "+" and not getattr(later, "derived_key", ""):
            what = _("Added: %(title)s") % {"title": title} if title else _("Created")
            yield moment_at(later.history_date, later.history_user, what, kind=added)
        elif later.history_type == "~" and earlier is not None and not _follows_others(later):
            changes = changed_between(later, earlier, people)
            what = _("Changed: %(title)s") % {"title": title} if title else _("Changed")
            if changes:
                yield moment_at(later.history_date, later.history_user, what, detail=listed(changes), kind="edit")


def _follows_others(row: Any) -> bool:
    """A date that was not set by hand moves with what it follows from: that is told there."""
    return bool(getattr(row, "derived_key", "")) and row.overridden_at is None


def _pairs(history: list[Any]) -> list[tuple[Any, Any]]:
    """Each row of a history, newest first, with the row before it of the same record, as far as that was read."""
    before: dict[int, Any] = {}
    pairs = []
    for row in reversed(history):
        pairs.append((row, before.get(row.id)))
        before[row.id] = row
    return pairs[::-1]


_PART_WORDS = {
    "+": gettext_lazy("%(part)s added: %(name)s"),
    "~": gettext_lazy("%(part)s changed: %(name)s"),
    "-": gettext_lazy("%(part)s removed: %(name)s"),
}


def _parts(history: list[Any]) -> Iterator[Moment]:
    names = dict(zip((row.history_id for row in history), _part_names(history), strict=True))
    for row, earlier in _pairs(history):
        part = row.instance_type._meta.verbose_name
        said = str(_PART_WORDS[row.history_type]) % {"part": part, "name": names[row.history_id]}
        if row.history_type == "~" and earlier is not None:
            changes = changed_between(row, earlier, {})
            if not changes:
                continue
            changed = pgettext("between two changed fields", ", ").join(changes)
            said = _("%(what)s (%(changes)s)") % {"what": said, "changes": changed}
        yield moment_at(row.history_date, row.history_user, _("Changed"), detail=said, kind="edit")


def _part_names(history: list[Any]) -> list[str]:
    """What the parts were about: organizations, areas and units by name in one query, terms by their days."""
    fields = {field.name for row in history[:1] for field in row._meta.fields}
    relation = next((name for name in ("organization", "area", "unit") if name in fields), None)
    if relation is None:
        return [f"{row.starts_on.isoformat()} – {row.ends_on.isoformat() if row.ends_on else '…'}" for row in history]
    model = type(history[0])._meta.get_field(relation).related_model
    ids = [getattr(row, f"{relation}_id") for row in history]
    names = model._default_manager.in_bulk(ids)
    return [str(names.get(pk, "—")) for pk in ids]


def _bundled(moments: list[Moment]) -> Iterator[Moment]:
    """One line for what one person saved within one minute."""
    together: dict[tuple[Any, User | None], list[Moment]] = defaultdict(list)
    for moment in moments:
        minute = moment.at.replace(second=0, microsecond=0) if moment.at else moment.day
        together[minute, moment.who].append(moment)
    for group in together.values():
        first = next((moment for moment in group if moment.what != _("Changed")), group[0])
        yield replace(first, detail=_in_short([moment.detail for moment in group if moment.detail]))


def _in_short(details: list[str]) -> str:
    more = len(details) - DETAILS_SHOWN
    said = listed(details[:DETAILS_SHOWN])
    if more <= 0:
        return said
    return ngettext("%(said)s; and %(more)s more", "%(said)s; and %(more)s more", more) % {"said": said, "more": more}
