"""Record a whole ceremony in one step: the event, its participants, and all that was signed, opened, released or visited."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from partnerships.exceptions import DomainError, InvalidInput, StaleVersion, TransitionRefused
from partnerships.models import (
    Activity,
    ActivityKind,
    ActivityOrganization,
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementType,
    CeremonyDraft,
    Citation,
    CooperationArea,
    Demand,
    Event,
    EventKind,
    Facility,
    FacilityPartner,
    Organization,
    OrganizationKind,
    Participation,
    Programme,
    ProgrammeItem,
    ReportedFigure,
    Source,
    Unit,
    User,
    Visit,
)
from partnerships.permissions import require
from partnerships.texts import in_both_languages
from partnerships.workflows.activities import register_activity, register_completed_activity
from partnerships.workflows.agreements import register_signed_agreement
from partnerships.workflows.demands import register_demand
from partnerships.workflows.edits import check_not_in_future
from partnerships.workflows.facilities import open_facility, register_facility
from partnerships.workflows.organizations import register_organization
from partnerships.workflows.records import register_record
from partnerships.workflows.transitions import check_day, lock

LONGEST_TITLE = 200
# Bounds of what one person keeps as drafts; a form with thousands of filled-in fields stays below.
LARGEST_DRAFT = 500_000  # characters
MOST_DRAFTS = 20


class StaleDraft(StaleVersion):
    """Another tab or device saved the draft since the page read it; ``current`` is the version it saved."""

    current: int


@dataclass(frozen=True, kw_only=True)
class CeremonyLine:
    """One line of the form, by its ``key`` there; its record gets the ``unit`` and the ``coordinator``."""

    key: str
    unit: Unit
    coordinator: User | None


@dataclass(frozen=True, kw_only=True)
class Participant:
    """A participant: an ``organization`` on record, a new one of a ``kind``, or without both a name as printed.

    ``confirmed_different`` holds the ids of look-alikes of a new one.
    """

    key: str
    name: str
    role: str
    organization: Organization | None = None
    kind: str = ""
    confirmed_different: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class SignedAgreement(CeremonyLine):
    """An agreement to register; ``parties`` are keys of participants, which may not be on record yet.

    ``confirmed_different`` holds the ids of other agreements of its unit with the same title.
    """

    type: AgreementType
    title: str
    title_zh: str = ""
    title_as_signed: str
    parties: tuple[str, ...]
    areas: tuple[CooperationArea, ...]
    is_party_list_complete: bool
    signs_for_members: bool
    amount: Decimal | None = None
    through: Organization | None = None
    confirmed_different: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class OpenedFacility(CeremonyLine):
    kind: str
    name: str
    name_zh: str = ""
    partners: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReleasedDemand(CeremonyLine):
    """A demand to register; an empty ``wording`` means that its content was not published."""

    organization: str
    title: str
    title_zh: str = ""
    wording: str


@dataclass(frozen=True, kw_only=True)
class VisitedPartner(CeremonyLine):
    organization: str
    on: dt.date


@dataclass(frozen=True, kw_only=True)
class ReportedCount:
    """A figure that the press reported, not saved yet; it gets the event, its unit and day, and the source."""

    key: str
    figure: ReportedFigure


@dataclass(frozen=True, kw_only=True)
class Ceremony:
    """The valid input of the form.

    ``source`` is where the figures were reported; it may be new. ``printed`` is the text about the event in it.
    """

    event: Event
    kinds: tuple[str, ...]
    programme: Programme | None = None
    present: tuple[Participant, ...] = ()
    signed: tuple[SignedAgreement, ...] = ()
    opened: tuple[OpenedFacility, ...] = ()
    released: tuple[ReleasedDemand, ...] = ()
    visited: tuple[VisitedPartner, ...] = ()
    reported: tuple[ReportedCount, ...] = ()
    source: Source | None = None
    printed: str = ""


def save_draft(
    *, actor: User, key: UUID, content: Mapping[str, list[str]], version: int, now: dt.datetime
) -> CeremonyDraft:
    """Save what was typed so far on top of ``version``.

    Raises ``StaleDraft`` when another tab or device saved since that version, and ``TransitionRefused`` once the
    ceremony is recorded, or for more or larger drafts than a person needs. A draft that was discarded meanwhile is
    created again: somebody is typing in it.
    """
    if sum(len(name) + len(value) for name, values in content.items() for value in values) > LARGEST_DRAFT:
        raise TransitionRefused(_("This is too long to be kept as a draft."))
    with transaction.atomic():
        draft = _locked_draft(actor, key, now)
        if draft.event_id:
            raise TransitionRefused(_("This signing event is recorded already."))
        if draft.version == 0 and CeremonyDraft.objects.of(actor).unfinished().count() > MOST_DRAFTS:
            raise TransitionRefused(_("You have many unfinished signing events: save or discard one first."))
        _check_is_current(draft, version=version)
        # The database takes no NUL. The form refuses it when the ceremony is recorded.
        draft.content = {
            name.replace("\0", ""): [value.replace("\0", "") for value in values] for name, values in content.items()
        }
        draft.kept_at = now
        draft.version += 1
        draft.save()
    return draft


def discard_draft(draft: CeremonyDraft) -> None:
    """Delete a draft of the author's own. One that is recorded stays, so that a second click finds its event."""
    CeremonyDraft.objects.filter(pk=draft.pk, event=None).delete()


def record_ceremony(
    ceremony: Ceremony, *, actor: User, key: UUID, version: int, today: dt.date, now: dt.datetime
) -> Event:
    """Record a ceremony that took place, all of it or nothing. A second click gets the event that the first one made.

    Effects in order: new organizations; the event with its kinds and participants; each agreement, registered as already
    signed on the day; each facility, opened on it; each demand, released on it; each visit, completed where its day has
    come and planned otherwise, with the hosts of the ceremony as partners, under the one agreement of this ceremony that
    the visited partner signed; the source and the reported figures. Event, agreements, facilities and demands get the
    label of the programme. No milestone is due before ``today``. The draft ``key`` then holds the event alone.

    Raises what the verbs raise; ``field`` names the input as the form does, such as "agreements-3-title".
    """
    with transaction.atomic():
        draft = _locked_draft(actor, key, now)
        if draft.event:
            return draft.event
        _check_is_current(draft, version=version)
        require(actor, "event.add", ceremony.event)
        _lock_units(ceremony)
        check_not_in_future(ceremony.event.starts_on, today=today, field="starts_on")
        present = _register_participants(ceremony.present, ceremony.event, actor, today)
        event = _register_event(ceremony, present, actor, today)
        recorder = _LineRecorder(event, actor, today, present, ceremony)
        sections: Sequence[tuple[Callable[[Any], None], Sequence[CeremonyLine]]] = (
            (recorder.sign, ceremony.signed),
            (recorder.open, ceremony.opened),
            (recorder.release, ceremony.released),
            (recorder.visit, ceremony.visited),
        )
        for record_line, lines in sections:
            for line in lines:
                with _in_line(line.key):
                    record_line(line)
        _record_source(ceremony, event, actor, today)
        draft.event, draft.content = event, {}
        draft.save()
    return event


def _locked_draft(actor: User, key: UUID, now: dt.datetime) -> CeremonyDraft:
    """Return the locked draft, creating it if needed; of two clicks at once the second waits for the first."""
    draft, _is_new = CeremonyDraft.objects.get_or_create(author=actor, key=key, defaults={"version": 0, "kept_at": now})
    return lock(draft)


def _lock_units(ceremony: Ceremony) -> None:
    """Lock the units of agreements and visits before the organizations, in the order in which their verbs lock them."""
    units = {line.unit.pk: line.unit for line in (*ceremony.signed, *ceremony.visited)}
    for pk in sorted(units):
        lock(units[pk])


def _check_is_current(draft: CeremonyDraft, *, version: int) -> None:
    # Version 0 was created just now, by the page that asks: there is nothing to overwrite.
    if draft.version and draft.version != version:
        raise StaleDraft(
            _("This signing event was changed in another tab or on another device since you opened it here."),
            current=draft.version,
        )


@contextmanager
def _in_line(key: str) -> Iterator[None]:
    """Put the key of the line before the field of a refusal."""
    try:
        yield
    except DomainError as error:
        error.field = f"{key}-{error.field or ''}"
        raise


def _register_participants(
    present: Iterable[Participant], event: Event, actor: User, today: dt.date
) -> dict[str, Organization]:
    """Return the organizations that took part by key; new ones are registered."""
    # Locked in the order of their ids, so that two ceremonies at once do not wait for each other.
    ids = [one.organization.pk for one in present if one.organization]
    rows = Organization.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    known = {organization.pk: organization for organization in rows}
    found: dict[str, Organization] = {}
    for one in present:
        with _in_line(one.key):
            if one.organization:
                found[one.key] = _known_organization(one.organization, known)
            elif one.kind:
                found[one.key] = _new_organization(one, event, actor, today, found.values())
    return found


def _register_event(ceremony: Ceremony, present: Mapping[str, Organization], actor: User, today: dt.date) -> Event:
    """Register the event with its kinds, its participants and the label of the programme."""
    participations = {
        one.key: Participation(
            organization=present.get(one.key),
            name_as_printed="" if one.key in present else one.name,
            role=one.role,
        )
        for one in ceremony.present
    }
    kinds = [EventKind(kind=kind) for kind in ceremony.kinds]
    parts = [*kinds, *participations.values(), *_labels(ceremony.programme)]
    try:
        return register_record(ceremony.event, actor=actor, today=today, parts=parts)
    except DomainError as error:
        key = next((key for key, part in participations.items() if part is error.part), None)
        error.field = f"{key}-name" if key else error.field
        raise


def _labels(programme: Programme | None) -> list[ProgrammeItem]:
    return [ProgrammeItem(programme=programme)] if programme else []


def _known_organization(organization: Organization, known: Mapping[int, Organization]) -> Organization:
    if organization.pk not in known:
        raise InvalidInput(_("Somebody else deleted this since you opened it."), field="choice")
    return known[organization.pk]


def _new_organization(
    present: Participant, event: Event, actor: User, today: dt.date, listed: Iterable[Organization]
) -> Organization:
    """Register an organization, held by the unit of the event; those listed beside it are different ones."""
    return register_organization(
        Organization(kind=present.kind, name=present.name),
        actor=actor,
        unit=event.unit,
        today=today,
        confirmed_different={*present.confirmed_different, *(organization.pk for organization in listed)},
    )


def _record_source(ceremony: Ceremony, event: Event, actor: User, today: dt.date) -> None:
    source = ceremony.source
    if source is None:
        return
    if source._state.adding:
        register_record(source, actor=actor, today=today)
    if ceremony.printed:
        register_record(Citation(source=source, record=event, printed=ceremony.printed), actor=actor, today=today)
    for reported in ceremony.reported:
        figure = reported.figure
        figure.unit, figure.source, figure.event, figure.as_of = event.unit, source, event, event.starts_on
        with _in_line(reported.key):
            register_record(figure, actor=actor, today=today)


class _LineRecorder:
    """Registers the lines of a ceremony; ``present`` maps keys of participants to their organizations."""

    def __init__(
        self,
        event: Event,
        actor: User,
        today: dt.date,
        present: Mapping[str, Organization],
        ceremony: Ceremony,
    ) -> None:
        self.event, self.actor, self.today, self.present = event, actor, today, present
        self.programme = ceremony.programme
        hosts = (one.key for one in ceremony.present if one.role == Participation.Role.HOST)
        self.hosts = [present[key] for key in hosts if key in present]
        self.signed_by: dict[int, list[Agreement]] = {}
        self.agreement_ids: set[int] = set()

    def sign(self, line: SignedAgreement) -> None:
        agreement = Agreement(
            unit=line.unit,
            type=line.type,
            title=line.title,
            title_zh=line.title_zh,
            title_as_signed=line.title_as_signed,
            amount=line.amount,
            through=line.through,
            coordinator=line.coordinator,
            event=self.event,
            is_party_list_complete=line.is_party_list_complete,
        )
        parties = self._organizations(line.parties)
        signed = register_signed_agreement(
            agreement,
            actor=self.actor,
            on=self.event.starts_on,
            today=self.today,
            parts=[
                *(_party(organization, line) for organization in parties),
                *(AgreementArea(area=area) for area in line.areas),
                *_labels(self.programme),
            ],
            # Lines of one ceremony are different agreements, also where all bear the title of their type.
            confirmed_different={*line.confirmed_different, *self.agreement_ids},
        )
        self.agreement_ids.add(signed.pk)
        for organization in parties:
            self.signed_by.setdefault(organization.pk, []).append(signed)

    def open(self, line: OpenedFacility) -> None:
        facility = Facility(
            unit=line.unit,
            kind=line.kind,
            name=line.name,
            name_zh=line.name_zh,
            owner=line.coordinator,
            event=self.event,
            region=self.event.region,
        )
        sides = [FacilityPartner(organization=organization) for organization in self._organizations(line.partners)]
        register_facility(facility, actor=self.actor, today=self.today, parts=[*sides, *_labels(self.programme)])
        open_facility(facility, actor=self.actor, on=self.event.starts_on, today=self.today)

    def release(self, line: ReleasedDemand) -> None:
        [organization] = self._organizations([line.organization])
        title, title_zh = line.title, line.title_zh
        if not title:
            title, title_zh = in_both_languages(lambda: _title_about(_("Demand of %(organization)s"), organization))
        demand = Demand(
            unit=line.unit,
            owner=line.coordinator,
            organization=organization,
            title=title,
            title_zh=title_zh,
            is_content_published=bool(line.wording),
            original_wording=line.wording,
            event=self.event,
            released_on=self.event.starts_on,
        )
        register_demand(demand, actor=self.actor, today=self.today, parts=_labels(self.programme))

    def visit(self, line: VisitedPartner) -> None:
        [host] = self._organizations([line.organization])
        check_day(line.on, field="on")
        agreements = self.signed_by.get(host.pk, [])
        title, title_zh = in_both_languages(lambda: _title_about(_("Visit to %(organization)s"), host))
        # With two agreements of the same host, the form does not say under which of them the visit took place.
        visit: dict[str, Any] = {
            "unit": line.unit,
            "kind": ActivityKind.VISIT,
            "title": title,
            "title_zh": title_zh,
            "agreement": agreements[0] if len(agreements) == 1 else None,
            "event": self.event,
            "owner": line.coordinator,
            "starts_on": line.on,
        }
        # The hosts of the ceremony are taken to be among the visitors.
        partners = dict.fromkeys([host, *self.hosts])
        parts = [Visit(host=host), *(ActivityOrganization(organization=partner) for partner in partners)]
        activity = Activity(**visit)
        more: dict[str, Any] = {"actor": self.actor, "today": self.today, "parts": parts}
        if line.on > self.today:
            register_activity(activity, **more)
        else:
            why = _("Recorded with the signing event; no next step is known.")
            register_completed_activity(activity, on=line.on, no_next_step_reason=why, **more)

    def _organizations(self, keys: Iterable[str]) -> list[Organization]:
        return [self.present[key] for key in keys]


def _party(organization: Organization, line: SignedAgreement) -> AgreementParty:
    is_for_members = line.signs_for_members and organization.kind == OrganizationKind.ASSOCIATION
    return AgreementParty(organization=organization, signs_for_members=is_for_members)


def _title_about(words: str, organization: Organization) -> str:
    """Return a generated title, shortened to the length of its column."""
    return Truncator(words % {"organization": organization}).chars(LONGEST_TITLE)
