"""A whole ceremony in one step: the event, who was there, and everything that was signed, opened, released or visited."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
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
from partnerships.permissions import refusal, require
from partnerships.workflows.activities import register_activity, register_completed_activity
from partnerships.workflows.agreements import register_signed_agreement
from partnerships.workflows.demands import register_demand
from partnerships.workflows.edits import check_not_in_future
from partnerships.workflows.facilities import open_facility, register_facility
from partnerships.workflows.organizations import register_organization
from partnerships.workflows.transitions import check_day, lock, save_as

LONGEST_TITLE = 200


@dataclass(frozen=True, kw_only=True)
class CeremonyLine:
    """One line of the form, called ``key`` there; ``unit`` and ``coordinator`` look after what becomes of it."""

    key: str
    unit: Unit
    coordinator: User | None


@dataclass(frozen=True, kw_only=True)
class Present:
    """Somebody who was there: an ``organization`` on record, a new one of a ``kind``, or with neither a name as printed.

    A new one is none of ``confirmed_different``, the ids of its look-alikes.
    """

    key: str
    name: str
    role: str
    organization: Organization | None = None
    kind: str = ""
    confirmed_different: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class SignedAgreement(CeremonyLine):
    """An agreement to register; ``parties`` are keys of those present, who may not be on record yet.

    It is none of ``confirmed_different``, the ids of agreements of its unit with the same title.
    """

    type: AgreementType
    title: str
    title_as_signed: str
    parties: tuple[str, ...]
    areas: tuple[CooperationArea, ...]
    is_party_list_complete: bool
    signs_for_members: bool
    confirmed_different: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class OpenedFacility(CeremonyLine):
    kind: str
    name: str
    name_zh: str = ""
    partners: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ReleasedDemand(CeremonyLine):
    """Without a ``wording`` the content was not published."""

    organization: str
    title: str
    wording: str


@dataclass(frozen=True, kw_only=True)
class VisitedPartner(CeremonyLine):
    organization: str
    on: dt.date


@dataclass(frozen=True, kw_only=True)
class ReportedCount:
    """What the press counted, as printed; compared by ``rule`` with what is recorded."""

    key: str
    rule: str
    name: str
    value: Decimal
    qualifier: str
    printed: str
    name_zh: str = ""


@dataclass(frozen=True, kw_only=True)
class Ceremony:
    """What one form says, checked.

    ``source`` is where the reported figures stand; it may be new. ``printed`` is what it says about the event.
    """

    event: Event
    kinds: tuple[str, ...]
    programme: Programme | None = None
    present: tuple[Present, ...] = ()
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

    Raises ``StaleVersion`` when another tab or device saved since that version, and ``TransitionRefused``
    once the ceremony is recorded. A draft that was discarded meanwhile is kept anew: somebody is typing in it.
    """
    with transaction.atomic():
        draft = _draft(actor, key, now)
        if draft.event_id:
            raise TransitionRefused(_("This ceremony is recorded already."))
        _check_is_current(draft, version=version)
        # The database takes no NUL; the form says so to whoever records it.
        draft.content = {
            name.replace("\0", ""): [value.replace("\0", "") for value in values] for name, values in content.items()
        }
        draft.kept_at = now
        draft.version += 1
        draft.save()
    return draft


def discard_draft(draft: CeremonyDraft) -> None:
    """It is its author's alone, so nobody else is asked; one that is recorded stays as the receipt of its event."""
    CeremonyDraft.objects.filter(pk=draft.pk, event=None).delete()


def record_ceremony(
    ceremony: Ceremony, *, actor: User, key: UUID, version: int, today: dt.date, now: dt.datetime
) -> Event:
    """Records a ceremony that took place, all of it or nothing. A second click gets the event the first one made.

    Effects in order: the event with its kinds; new organizations; who took part; each agreement, registered as already
    signed on the day; each facility, opened on it; each demand, released on it; each visit, completed where its day has
    come and planned otherwise, under the one agreement of this ceremony that its host signed; the source and the reported
    figures. Event, agreements, facilities and demands get the label of the programme. No milestone is asked for before ``today``. The draft ``key`` becomes the receipt.

    Raises what the verbs raise; ``field`` names the input as the form does, such as "agreements-3-title".
    """
    with transaction.atomic():
        draft = _draft(actor, key, now)
        if draft.event:
            return draft.event
        _check_is_current(draft, version=version)
        _lock_units(ceremony)
        event = _record_event(ceremony, actor, today)
        present = _record_present(ceremony.present, event, actor, today)
        recorder = _LineRecorder(event, actor, today, present, ceremony.programme)
        recorder.label(event=event)
        for signed in ceremony.signed:
            with _at(signed.key):
                recorder.sign(signed)
        for opened in ceremony.opened:
            with _at(opened.key):
                recorder.open(opened)
        for released in ceremony.released:
            with _at(released.key):
                recorder.release(released)
        for visited in ceremony.visited:
            with _at(visited.key):
                recorder.visit(visited)
        _record_source(ceremony, event, actor)
        draft.event, draft.content = event, {}
        draft.save()
    return event


def _draft(actor: User, key: UUID, now: dt.datetime) -> CeremonyDraft:
    """The draft under its lock, made where it is not there yet: of two clicks at once the second waits for the first."""
    draft, _is_new = CeremonyDraft.objects.get_or_create(author=actor, key=key, defaults={"version": 0, "kept_at": now})
    return lock(draft)


def _lock_units(ceremony: Ceremony) -> None:
    """Lock the units of agreements and visits before the organizations, in the order in which their verbs lock them."""
    units = {line.unit.pk: line.unit for line in (*ceremony.signed, *ceremony.visited)}
    for pk in sorted(units):
        lock(units[pk])


def _check_is_current(draft: CeremonyDraft, *, version: int) -> None:
    if draft.version and draft.version != version:
        raise StaleVersion(
            _("This ceremony was changed in another tab or on another device since you opened it here."),
            current=draft.version,
        )


@contextmanager
def _at(key: str) -> Iterator[None]:
    """Says in which line something was refused."""
    try:
        yield
    except DomainError as error:
        error.field = f"{key}-{error.field or ''}"
        raise


def _record_event(ceremony: Ceremony, actor: User, today: dt.date) -> Event:
    event = ceremony.event
    require(actor, "event.add", event)
    check_not_in_future(event.starts_on, today=today, field="starts_on")
    save_as(event, actor)
    for kind in ceremony.kinds:
        save_as(EventKind(event=event, kind=kind), actor)
    return event


def _record_present(present: Iterable[Present], event: Event, actor: User, today: dt.date) -> dict[str, Organization]:
    """Who took part, by key. Those on record are locked in one order: two ceremonies at once never wait in a circle."""
    ids = [one.organization.pk for one in present if one.organization]
    rows = Organization.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    known = {organization.pk: organization for organization in rows}
    found: dict[str, Organization] = {}
    organization: Organization | None
    for one in present:
        with _at(one.key):
            if one.organization:
                organization = _on_record(one.organization, known)
            else:
                organization = _new_organization(one, event, actor, today, found.values())
            if organization:
                found[one.key] = organization
            as_printed = "" if organization else one.name
            participation = Participation(event=event, organization=organization, name_as_printed=as_printed)
            participation.role = one.role
            save_as(participation, actor)
    return found


def _on_record(organization: Organization, known: Mapping[int, Organization]) -> Organization:
    if organization.pk not in known:
        raise InvalidInput(_("Somebody else deleted this since you opened it."), field="choice")
    return known[organization.pk]


def _new_organization(
    present: Present, event: Event, actor: User, today: dt.date, listed: Iterable[Organization]
) -> Organization | None:
    """The new organization, held by the event's unit, which enters it; those listed beside it are different ones."""
    if not present.kind:
        return None
    return register_organization(
        Organization(kind=present.kind, name=present.name),
        actor=actor,
        unit=event.unit,
        today=today,
        confirmed_different={*present.confirmed_different, *(organization.pk for organization in listed)},
    )


def _record_source(ceremony: Ceremony, event: Event, actor: User) -> None:
    source = ceremony.source
    if source is None:
        return
    if source._state.adding:
        require(actor, "source.add", source)
        save_as(source, actor)
    if ceremony.printed:
        require(actor, "event.edit", event)
        save_as(Citation(source=source, record=event, printed=ceremony.printed), actor)
    for reported in ceremony.reported:
        with _at(reported.key):
            _record_figure(reported, source, event, actor)


def _record_figure(reported: ReportedCount, source: Source, event: Event, actor: User) -> None:
    figure = ReportedFigure(
        unit=event.unit,
        source=source,
        event=event,
        name=reported.name,
        name_zh=reported.name_zh,
        value=reported.value,
        qualifier=reported.qualifier,
        printed=reported.printed,
        as_of=event.starts_on,
        counting_rule=reported.rule,
    )
    require(actor, "figure.edit", figure)
    save_as(figure, actor)


class _LineRecorder:
    """Registers one line after another; ``present`` are the organizations of the event by key."""

    def __init__(
        self,
        event: Event,
        actor: User,
        today: dt.date,
        present: Mapping[str, Organization],
        programme: Programme | None,
    ) -> None:
        self.event, self.actor, self.today, self.present, self.programme = event, actor, today, present, programme
        self.signed_by: dict[int, list[Agreement]] = {}
        self.agreement_ids: set[int] = set()

    def label(self, **row: Any) -> None:
        """Says of one row, by the name of its kind, that it belongs to the programme."""
        if self.programme:
            save_as(ProgrammeItem(programme=self.programme, **row), self.actor)

    def sign(self, line: SignedAgreement) -> None:
        agreement = Agreement(
            unit=line.unit,
            type=line.type,
            title=line.title,
            title_as_signed=line.title_as_signed,
            coordinator=line.coordinator,
            event=self.event,
            is_party_list_complete=line.is_party_list_complete,
        )
        _check_keeper(line.coordinator, "agreement.edit", agreement)
        parties = self._organizations(line.parties)
        signed = register_signed_agreement(
            agreement,
            actor=self.actor,
            on=self.event.starts_on,
            today=self.today,
            parts=[
                *(_party(organization, line) for organization in parties),
                *(AgreementArea(area=area) for area in line.areas),
                *self._labels(),
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
        _check_keeper(line.coordinator, "facility.edit", facility)
        sides = [FacilityPartner(organization=organization) for organization in self._organizations(line.partners)]
        register_facility(facility, actor=self.actor, today=self.today, parts=[*sides, *self._labels()])
        open_facility(facility, actor=self.actor, on=self.event.starts_on, today=self.today)

    def release(self, line: ReleasedDemand) -> None:
        [organization] = self._organizations([line.organization])
        demand = Demand(
            unit=line.unit,
            owner=line.coordinator,
            organization=organization,
            title=line.title or _about(_("Demand of %(organization)s"), organization),
            is_content_published=bool(line.wording),
            original_wording=line.wording,
            event=self.event,
            released_on=self.event.starts_on,
        )
        _check_keeper(line.coordinator, "demand.edit", demand)
        register_demand(demand, actor=self.actor, today=self.today, parts=self._labels())

    def visit(self, line: VisitedPartner) -> None:
        [host] = self._organizations([line.organization])
        check_day(line.on, field="on")
        agreements = self.signed_by.get(host.pk, [])
        visit: dict[str, Any] = {
            "unit": line.unit,
            "kind": ActivityKind.VISIT,
            "title": _about(_("Visit to %(organization)s"), host),
            "agreement": agreements[0] if len(agreements) == 1 else None,
            "event": self.event,
            "owner": line.coordinator,
            "starts_on": line.on,
        }
        activity, parts = Activity(**visit), [Visit(host=host), ActivityOrganization(organization=host)]
        _check_keeper(line.coordinator, "activity.edit", activity)
        more: dict[str, Any] = {"actor": self.actor, "today": self.today, "parts": parts}
        if line.on > self.today:
            register_activity(activity, **more)
        else:
            why = _("Recorded with the ceremony; no next step is known.")
            register_completed_activity(activity, on=line.on, no_next_step_reason=why, **more)

    def _labels(self) -> list[ProgrammeItem]:
        return [ProgrammeItem(programme=self.programme)] if self.programme else []

    def _organizations(self, keys: Iterable[str]) -> list[Organization]:
        return [self.present[key] for key in keys]


def _party(organization: Organization, line: SignedAgreement) -> AgreementParty:
    is_for_members = line.signs_for_members and organization.kind == OrganizationKind.ASSOCIATION
    return AgreementParty(organization=organization, signs_for_members=is_for_members)


def _about(words: str, organization: Organization) -> str:
    """A title of ours; the longest names leave no room for all of it."""
    return Truncator(words % {"organization": organization}).chars(LONGEST_TITLE)


def _check_keeper(person: User | None, action: str, row: Any) -> None:
    """Whoever is to look after it has to be able to."""
    may_not = refusal(person, action, row) if person else None
    if may_not is not None:
        words = _("%(person)s could not work on it: %(reason)s") % {"person": person, "reason": may_not}
        raise InvalidInput(words, field="coordinator")
