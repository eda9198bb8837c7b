"""Organizations and their contacts: registered, edited, held by units, archived."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from types import MappingProxyType

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from partnerships.acts import is_to_be_rolled_back, note_refusal
from partnerships.exceptions import InvalidInput, NotAllowed, PossibleDuplicate, PossibleTypo, TransitionRefused
from partnerships.models import (
    Agreement,
    AssociationMembership,
    Contact,
    ContactPosition,
    Facility,
    Milestone,
    MilestoneKind,
    Organization,
    OrganizationCode,
    OrganizationName,
    OrganizationUnit,
    Role,
    SecurityEvent,
    Unit,
    User,
)
from partnerships.models.organizations import CreditCodeField, has_right_check_digit
from partnerships.models.run_indexes import text_key, that_may_have
from partnerships.models.waiting import Leads
from partnerships.names import person_key, phone_keys
from partnerships.permissions import require
from partnerships.workflows.derivation import Derived, derive_milestones
from partnerships.workflows.edits import Aggregate, changed_columns, check_not_in_future, concerning
from partnerships.workflows.milestones import take_milestone_step
from partnerships.workflows.transitions import delete_as, hold, lock, refuse_erased, save_as

ORGANIZATION = Aggregate(
    Organization,
    "organization.add",
    "organization.edit",
    parts=(OrganizationName, OrganizationCode, OrganizationUnit, AssociationMembership),
)
CONTACT = Aggregate(
    Contact, "contact.edit", "contact.edit", parts=(ContactPosition,), fixed=frozenset({"organization"})
)

# The history's reason for a holding that ended with its last ground; any other removal is somebody's decision.
GROUND_ENDED = "Its last ground ended"
# The leads of the other holders are asked to note a new one by then.
NOTED_WITHIN = dt.timedelta(days=14)
LOOK_FIRST = gettext_lazy("There are similar names on record. Check them first, and confirm if it is none of them.")
SAME_CODE = gettext_lazy("Another organization has this code. Check it first; if it is not this one, tick the box.")
LOOK_AT_PERSONS = gettext_lazy("There are contacts like this one. If it is none of them, say so.")
ONLY_A_FACILITY = gettext_lazy(
    "Your unit holds this organization through a joint facility alone: the office adds other units."
)
NAMES = frozenset({"name", "name_zh"})
CODE_LENGTH = 18  # of a unified social credit code
ON_RECORD = gettext_lazy("This person is on record already: edit them.")
# Columns that make two contacts of an organization the same person.
SAME_PERSON = ("name", "position", "phone", "email", "wechat")
CHANNELS = ("email", "wechat", "phone")
IDS_AT_ONCE = 500
# Organizations whose holders a long run updates again under locks at its end, by unit and its coordinator there.
_updated_late: ContextVar[dict[tuple[Unit, User | None], set[int]] | None] = ContextVar("updated_late", default=None)
# Columns that make two contacts look alike.
TELLING = frozenset({"name", "phone", "email", "wechat", "is_active"})


def register_organization(
    organization: Organization,
    *,
    actor: User | None,
    today: dt.date,
    unit: Unit | None = None,
    parts: Sequence[models.Model] = (),
    confirmed_different: Collection[int] = (),
    is_code_right: bool = False,
) -> Organization:
    """Register an organization with its parts: other names, external codes, holding units, memberships.

    ``unit`` holds it from now on, so that its people can go on with it; where nobody says which, the unit in which the
    actor has the highest role. Raises ``PossibleDuplicate`` when others beside ``confirmed_different`` look alike or have
    one of its codes, and ``PossibleTypo`` for a credit code with a wrong check digit unless ``is_code_right``.
    """
    with transaction.atomic():
        # There is no row to lock yet, so the content type stands for the table: a form that is sent twice waits here, and
        # then finds the organization of the first.
        hold(ContentType.objects.get_for_model(Organization))
        require(actor, "organization.add")
        _ask_about_check_digit(organization, is_code_right)
        _ask_about_look_alikes(organization, parts, confirmed_different)
        if unit is None and not any(isinstance(part, OrganizationUnit) for part in parts):
            unit = _own_unit(actor)
        if unit is not None:
            coordinator = actor if actor and actor.scope.role_in(unit.pk) else None
            parts = [*parts, OrganizationUnit(unit=unit, coordinator=coordinator)]
        check_holders(parts, actor)
        ORGANIZATION.register(organization, parts, actor=actor)
    return organization


def edit_organization(
    organization: Organization,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
    confirmed_different: Collection[int] = (),
    is_code_right: bool = False,
) -> Organization:
    """Change an organization with its other names, codes, holding units and memberships, as one version.

    Another name or external code may raise ``PossibleDuplicate``, another credit code ``PossibleTypo``, as in ``register_organization``.
    The leads of the other holding units are asked to note a new one.
    """
    with transaction.atomic():
        before, after = ORGANIZATION.begin(organization, changes, actor=actor)
        if after.part_of_id not in {None, before.part_of_id}:
            # One organization is moved at a time: two edits at once could each make half of a circle. The content type of
            # organizations themselves would not do: a ceremony holds it while it waits for organizations on record.
            lock(ContentType.objects.get_for_model(AssociationMembership))
        if "uscc" in changed_columns(before, after):
            _ask_about_check_digit(after, is_code_right)
        is_renamed = bool(changed_columns(before, after) & NAMES)
        _ask_about_look_alikes(after, parts, confirmed_different, is_renamed=is_renamed)
        check_holders([*parts, *removed], actor)
        _check_may_grant(after, parts, actor)
        has_other_holders = any(isinstance(part, OrganizationUnit) for part in (*parts, *removed))
        held_by = set(after.holders.values_list("unit_id", flat=True)) if has_other_holders else set()
        ORGANIZATION.finish(before, after, parts, removed, actor=actor)
        if has_other_holders:
            holders = list(after.holders.select_related("unit"))
            for unit_id in held_by - {holder.unit_id for holder in holders}:
                _withdraw_news(after.pk, unit_id, actor=actor, on=today)
            new = [holder for holder in holders if holder.unit_id not in held_by]
            _ask_to_note(new, actor=actor, on=today)
    return after


def _ask_about_look_alikes(
    organization: Organization,
    parts: Iterable[models.Model],
    confirmed_different: Collection[int],
    *,
    is_renamed: bool = True,
) -> None:
    """Raise ``PossibleDuplicate`` for others in use that look like it, or have one of the codes among ``parts``."""
    same = Q(pk__in=[])
    for part in parts:
        if isinstance(part, OrganizationCode):
            same |= Q(scheme__iexact=part.scheme, code__iexact=part.code)
    coded = OrganizationCode.objects.filter(same, organization__archived_on=None).exclude(organization=organization.pk)
    with_code = set(coded.values_list("organization", flat=True))
    alike = set(Organization.objects.resembling(organization).values_list("pk", flat=True)) if is_renamed else set()
    if (with_code | alike) - set(confirmed_different):
        raise PossibleDuplicate(SAME_CODE if with_code else LOOK_FIRST, found=with_code | alike)


def _ask_about_check_digit(organization: Organization, is_code_right: bool) -> None:
    code = CreditCodeField().to_python(organization.uscc)
    # A code of another length or with other signs is refused later, when the row is validated.
    if code and not is_code_right and len(code) == CODE_LENGTH and not has_right_check_digit(code):
        raise PossibleTypo(_("The check digit of %(code)s does not match. Is the code correct?") % {"code": code})


def _own_unit(actor: User | None) -> Unit | None:
    """Return the unit in which the actor has the highest role; None for those who see all units anyway."""
    if actor is None or actor.sees_all_units:
        return None
    joined = actor.memberships.filter(role__gte=Role.COORDINATOR).order_by("-role", "pk")
    return Unit.objects.filter(pk=joined.values("unit")[:1]).first()


def check_holders(parts: Iterable[models.Model], actor: User | None) -> None:
    """Raise ``NotAllowed`` for a holding by a unit that the actor does not work in, and refuse another unit for it.

    Each holding says whether it was granted or made by the system, which is not true of another unit.
    """
    for part in parts:
        if isinstance(part, OrganizationUnit):
            saved = OrganizationUnit.objects.filter(pk=part.pk).select_related("unit")
            for row in (*saved, part):
                with concerning(part):
                    require(actor, "organization.edit", row.unit)
            if any(row.unit_id != part.unit_id for row in saved):
                with concerning(part):
                    raise InvalidInput(_("Remove this unit, and add the other one in a new line."), field="unit")


def _check_may_grant(organization: Organization, parts: Iterable[models.Model], actor: User | None) -> None:
    """Raise ``NotAllowed`` for a unit that is new among the holders if the actor holds the organization by a facility alone.

    A granted holding stays, so that it would outlast the one by which the actor may grant it.
    """
    if actor is None or actor.sees_all_units:
        return
    new = next((part for part in parts if isinstance(part, OrganizationUnit) and part.pk is None), None)
    if new is None:
        return
    own = organization.holders.filter(unit__in=actor.scope.unit_ids_as(Role.COORDINATOR))
    signed = _signed().filter(parties__organization=organization).values("unit")
    if not own.filter(Q(is_granted=True) | Q(unit__in=signed)).exists():
        note_refusal(str(ONLY_A_FACILITY))
        raise NotAllowed(ONLY_A_FACILITY, field="unit", part=new)


def register_contact(
    contact: Contact,
    *,
    actor: User | None,
    today: dt.date,
    parts: Sequence[models.Model] = (),
    confirmed_different: Collection[int] = (),
) -> Contact:
    """Register a person at an organization. The same person sent twice is kept once, and with something new refused.

    Raises ``PossibleDuplicate`` when there are look-alikes beside ``confirmed_different``.
    """
    with transaction.atomic():
        # A form that is sent twice waits here, and then finds the person of the first.
        hold(contact.organization)
        require(actor, "contact.edit", contact)
        contact.unit = contact.organization.entering_unit(actor)
        known = _same_person(contact)
        if known is None:
            _ask_about_persons(contact, actor, confirmed_different)
            _check_periods([contact, *parts], today=today)
            _check_positions(contact, parts)
            CONTACT.register(contact, parts, actor=actor)
        elif changed_columns(known, contact) & set(CONTACT.fields) or _has_new_position(known, parts):
            raise InvalidInput(ON_RECORD, field="name")
        else:
            contact.pk, contact._state.adding = known.pk, False
            contact.refresh_from_db()
    return contact


def edit_contact(
    contact: Contact,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
    confirmed_different: Collection[int] = (),
) -> Contact:
    """Change what is known of a person; they stay with their organization, and are not made the same as another there.

    Another name or channel may raise ``PossibleDuplicate``, as in ``register_contact``.
    """
    with transaction.atomic():
        before, after = CONTACT.begin(contact, changes, actor=actor)
        refuse_erased(before)
        is_compared = after.is_active and changed_columns(before, after) & {*SAME_PERSON, "is_active"}
        if is_compared and _same_person(after):
            raise InvalidInput(ON_RECORD, field="name")
        if after.is_active and changed_columns(before, after) & TELLING:
            _ask_about_persons(after, actor, confirmed_different)
        _check_periods([after, *parts], today=today)
        _check_positions(after, parts)
        if (before.is_active and not after.is_active) or _leaves_position(before, parts, removed):
            after.departure_noted_on = today
        CONTACT.finish(before, after, parts, removed, actor=actor)
        if after.departure_noted_on:
            update_liaison_milestones(after, actor=actor, on=today)
    return after


def move_contact(
    contact: Contact,
    organization: Organization,
    *,
    actor: User | None,
    today: dt.date,
    position: str = "",
    until: dt.date | None = None,
) -> Contact:
    """Make ``organization`` the main one of a contact; the main position of before becomes a former one, left on ``until``."""
    with transaction.atomic():
        before, after = CONTACT.begin(contact, {}, actor=actor)
        refuse_erased(before)
        if not before.is_active:
            raise TransitionRefused(_("This person has left already."))
        if organization.pk == before.organization_id:
            raise InvalidInput(_("Choose an organization other than the one they leave."), field="organization")
        former = ContactPosition(organization=before.organization, position=before.position, since=before.since)
        former.until = until or today
        held = before.positions.current().filter(organization=organization, position=position).first()
        after.organization, after.position = organization, position
        after.since, after.departure_noted_on = held.since if held else until, today
        _check_periods([after, former], today=today)
        if _same_person(after):
            raise InvalidInput(ON_RECORD, field="organization")
        CONTACT.finish(before, after, [former], [held] if held else [], actor=actor)
        update_liaison_milestones(after, actor=actor, on=today)
    return after


def _has_new_position(known: Contact, parts: Iterable[models.Model]) -> bool:
    held = set(known.positions.values_list("organization", "position"))
    return any((part.organization_id, part.position) not in held for part in parts if isinstance(part, ContactPosition))


def _leaves_position(contact: Contact, parts: Iterable[models.Model], removed: Iterable[models.Model]) -> bool:
    """Whether an edit ends or removes a position that the contact held."""
    current = set(contact.positions.current().values_list("pk", flat=True)) if [*parts, *removed] else set()
    ended = {part.pk for part in parts if isinstance(part, ContactPosition) and part.until}
    return bool(current & (ended | {part.pk for part in removed}))


def _check_positions(contact: Contact, parts: Iterable[models.Model]) -> None:
    """Raise ``InvalidInput`` for a further position that is the main one."""
    main = (contact.organization_id, contact.position, None)
    for part in parts:
        if isinstance(part, ContactPosition) and (part.organization_id, part.position, part.until) == main:
            raise InvalidInput(_("This is their main position."), field="organization", part=part)


def update_liaison_milestones(contact: Contact, *, actor: User | None, on: dt.date) -> None:
    """Update the milestones that ask for a new liaison, of the agreements whose liaison the contact is."""
    agreements = Agreement.objects.filter(parties__liaison=contact).distinct()
    for agreement in agreements.order_by("pk"):
        if agreement.is_signed:
            derive_milestones(agreement, actor=actor, on=on)


def _check_periods(rows: Iterable[models.Model], *, today: dt.date) -> None:
    """Raise ``InvalidInput`` for a position that is said to begin or end after ``today``."""
    for row in rows:
        if isinstance(row, Contact | ContactPosition):
            with concerning(row):
                for name, day in (("since", row.since), ("until", row.until)):
                    if isinstance(day, dt.date):
                        check_not_in_future(day, today=today, field=name)


def stop_contact_mail(contact: Contact, *, on: dt.date) -> None:
    """Send the contact no mail from now on, because they asked so at the address in our mails.

    That address is the permission, so no user acts. Asked twice, the first day stays.
    """
    with transaction.atomic():
        locked = lock(contact)
        if locked.mail_stopped_on is None:
            locked.mail_stopped_on, locked.mail_stopped_address = on, locked.email
            save_as(locked, None, reason="Stopped mail by the link in it")
            _log_choice(SecurityEvent.Kind.CONTACT_STOPPED, locked)


def resume_contact_mail(contact: Contact) -> None:
    """Send the contact mail again, because they undid the stop at the same address."""
    with transaction.atomic():
        locked = lock(contact)
        if locked.mail_stopped_on is not None:
            locked.mail_stopped_on, locked.mail_stopped_address = None, ""
            save_as(locked, None, reason="Allowed mail again by the link in it")
            _log_choice(SecurityEvent.Kind.CONTACT_RESUMED, locked)


def _log_choice(kind: SecurityEvent.Kind, contact: Contact) -> None:
    """Write from which network address the choice came: whoever has the mail can make it."""
    organization = contact.organization
    SecurityEvent.objects.record(
        kind, None, name=contact.name, about=str(organization), link=contact.get_absolute_url()
    )


def _ask_about_persons(contact: Contact, actor: User | None, confirmed_different: Collection[int]) -> None:
    """Raise ``PossibleDuplicate`` for contacts of the same name at the organization, or with the same address or number.

    Numbers and addresses are compared only where the actor sees those of the other contact.
    """
    others = Contact.objects.filter(is_active=True).exclude(pk=contact.pk)
    name = person_key(contact.name)
    here = others.filter(organization=contact.organization).values_list("pk", "name")
    found = {pk for pk, other in here if name and person_key(other) == name}
    seen = others if actor is None else others.with_personal_data_for(actor)
    seen = seen.filter(that_may_have(_channel_keys(*_channels(contact)), Contact, CHANNELS, _channel_keys))
    if contact.email:
        found |= set(seen.filter(email__iexact=contact.email.strip()).values_list("pk", flat=True))
    if contact.wechat:
        found |= set(seen.filter(wechat__iexact=contact.wechat.strip()).values_list("pk", flat=True))
    if numbers := phone_keys(contact.phone):
        phones = seen.exclude(phone="").values_list("pk", "phone")
        found |= {pk for pk, phone in phones if numbers & phone_keys(phone)}
    if found - set(confirmed_different):
        raise PossibleDuplicate(LOOK_AT_PERSONS, found=found)


def _channels(contact: Contact) -> list[str]:
    return [getattr(contact, name) for name in CHANNELS]


def _channel_keys(email: str, wechat: str, phone: str) -> set[str]:
    """Return the keys by which contacts with one of these channels are found in a run."""
    named = {f"{name} {text_key(text)}" for name, text in (("email", email), ("wechat", wechat)) if text}
    return named | phone_keys(phone)


def _same_person(contact: Contact) -> Contact | None:
    """Return the same person at this organization, entered by the same unit: another one's numbers are not compared."""
    same = {name: getattr(contact, name) for name in (*SAME_PERSON, "unit_id")}
    return contact.organization.contacts.filter(is_active=True, **same).exclude(pk=contact.pk).first()


def update_holders(
    organizations: Iterable[Organization], *, unit: Unit, coordinator: User | None, actor: User | None, on: dt.date
) -> None:
    """Make ``unit`` a holder of each organization it has a ground to hold, and end its holding of the others.

    Call it after each change of a ground: a signing, taking one back, opening or closing a facility. Holdings that were
    entered or granted by a person stay, and one that a person removed stays away until a person grants it again.
    ``on`` is today. The leads of the other holding units are asked to note the new holder.
    """
    with transaction.atomic():
        # Locked, so that two first agreements with the same partners make each holder once; by id, so that they do not
        # wait for each other.
        ids = [organization.pk for organization in organizations]
        rows = Organization.objects.filter(pk__in=ids).order_by("pk")
        late = _updated_late.get()
        if late is not None:  # a long import would keep everybody from editing its partners
            late[unit, coordinator].update(ids)
        elif not is_to_be_rolled_back():
            rows = rows.select_for_update(no_key=True)
        locked = {organization.pk: organization for organization in rows}
        held = {row.organization_id: row for row in unit.held_organizations.filter(organization__in=locked)}
        grounded = _with_ground(unit, locked)
        missing = grounded - held.keys()
        new: list[OrganizationUnit] = []
        for pk in sorted(missing - _removed_by_hand(unit, missing)):
            holder = OrganizationUnit(organization=locked[pk], unit=unit, coordinator=coordinator, is_granted=False)
            save_as(holder, actor)
            new.append(holder)
        for pk in sorted(held.keys() - grounded):
            if not held[pk].is_granted:
                delete_as(held[pk], actor, reason=GROUND_ENDED)
                _withdraw_news(pk, unit.pk, actor=actor, on=on)
        _ask_to_note(new, actor=actor, on=on)


@contextmanager
def organizations_locked_last(*, actor: User | None, on: dt.date) -> Iterator[None]:
    """Make ``update_holders`` lock no organization inside; at the end all are locked, and their holders updated once more.

    For the transaction of a long import. A holder that somebody else made or removed meanwhile is right then.
    """
    found: dict[tuple[Unit, User | None], set[int]] = defaultdict(set)
    token = _updated_late.set(found)
    try:
        yield
    finally:
        _updated_late.reset(token)
    rows = Organization.objects.order_by("pk").select_for_update(no_key=True)
    for some in _few_at_once(set().union(*found.values())):
        list(rows.filter(pk__in=some).values_list("pk"))
    for (unit, coordinator), ids in found.items():
        for some in _few_at_once(ids):
            organizations = Organization.objects.filter(pk__in=some)
            update_holders(organizations, unit=unit, coordinator=coordinator, actor=actor, on=on)


def _few_at_once(ids: Iterable[int]) -> Iterator[list[int]]:
    """Yield ids in order, no more of them than a statement takes."""
    rest = iter(sorted(ids))
    while some := list(islice(rest, IDS_AT_ONCE)):
        yield some


def _ask_to_note(new: Collection[OrganizationUnit], *, actor: User | None, on: dt.date) -> None:
    """Ask the leads of the units that held the organizations before to note their ``new`` holders.

    What the system does by itself, such as seeding, is no news, nor is the sample; nor is what the leads of the new
    holder already know, because they lead the other unit as well.
    """
    new = [holder for holder in new if not (holder.organization.is_sample or holder.unit.is_sample)]
    if actor is None or not new:
        return
    organizations = {holder.organization_id for holder in new}
    before = OrganizationUnit.objects.filter(organization__in=organizations).exclude(pk__in=[row.pk for row in new])
    units: dict[int, list[Unit]] = defaultdict(list)
    for other in before.select_related("unit").order_by("pk"):
        units[other.organization_id].append(other.unit)
    if not units:
        return
    leads = Leads.load()
    for holder in new:
        for unit in units[holder.organization_id]:
            if leads.responsible(unit.pk) != leads.responsible(holder.unit_id):
                _ask_unit_to_note(holder, unit, actor=actor, on=on)


def _ask_unit_to_note(holder: OrganizationUnit, unit: Unit, *, actor: User, on: dt.date) -> None:
    organization, key = holder.organization, f"new_holder:{holder.unit_id}:{unit.pk}"
    title, due_on = gettext_noop("New holder: %(name)s"), on + NOTED_WITHIN
    names = (f"{organization.name} – {holder.unit.name}", f"{_in_chinese(organization)} – {_in_chinese(holder.unit)}")
    derived = Derived(key, MilestoneKind.NEW_HOLDER, title, due_on, name=names[0], name_zh=names[1])
    same = Milestone.objects.filter(organization=organization, derived_key=key)
    known = same.select_for_update(no_key=True, of=("self",)).first()
    if known is None:
        columns = {"kind": derived.kind, "due_on": due_on, "derived_key": key, **derived.titles()}
        save_as(Milestone(unit=unit, organization=organization, **columns), actor)
    elif not known.is_pending:  # the unit was a holder before
        reason = _("It is a holder again.")
        take_milestone_step(known, "reopen", actor=actor, on=on, reason=reason, is_consequence=True, due_on=due_on)


def _withdraw_news(organization_id: int, unit_id: int, *, actor: User | None, on: dt.date) -> None:
    """Cancel the pending news sent to the unit, because it no longer holds the organization."""
    # News about the unit stays: it had access meanwhile, of which the other leads must learn.
    sent = {"kind": MilestoneKind.NEW_HOLDER, "organization": organization_id, "unit": unit_id}
    news = Milestone.objects.pending().filter(**sent)
    reason = _("The unit no longer holds the organization.")
    for milestone in news.select_for_update(no_key=True, of=("self",)).order_by("pk"):
        take_milestone_step(milestone, "cancel", actor=actor, on=on, reason=reason, is_consequence=True)


def _in_chinese(row: Organization | Unit) -> str:
    return row.name_zh or row.name


def _removed_by_hand(unit: Unit, organization_ids: Collection[int]) -> set[int]:
    """Return those of the organizations whose last holding by ``unit`` a person removed."""
    if not organization_ids:
        return set()
    rows = OrganizationUnit.history.filter(unit=unit.pk, organization__in=organization_ids).order_by("history_id")
    last = {
        row["organization_id"]: row for row in rows.values("organization_id", "history_type", "history_change_reason")
    }
    return {
        pk for pk, row in last.items() if row["history_type"] == "-" and row["history_change_reason"] != GROUND_ENDED
    }


def _with_ground(unit: Unit, organization_ids: Collection[int]) -> set[int]:
    """Return ids of organizations with which ``unit`` signed an agreement, even a closed one, or runs a facility."""
    signed = _signed().filter(unit=unit)
    sides = Facility.objects.running().filter(unit=unit, partners__organization__in=organization_ids)
    parties = signed.filter(parties__organization__in=organization_ids)
    return {
        *parties.values_list("parties__organization_id", flat=True),
        *sides.values_list("partners__organization_id", flat=True),
    }


def _signed() -> QuerySet[Agreement]:
    """Return the agreements that make their unit a holder of their parties."""
    return Agreement.objects.filter(is_signing_confirmed=True)


def archive_organization(organization: Organization, *, actor: User | None, on: dt.date) -> Organization:
    """Put an organization into the archive on ``on``; refused while an agreement with it is open."""
    with transaction.atomic():
        locked = lock(organization)
        require(actor, "organization.archive", locked)
        if locked.archived_on is not None:
            raise TransitionRefused(_("It is in the archive already."))
        if Agreement.objects.not_closed().filter(parties__organization=locked.pk).exists():
            raise TransitionRefused(_("An agreement with it is still open."))
        locked.version = organization.version  # save() refuses a stale one
        locked.archived_on = on
        save_as(locked, actor)
    return locked


def restore_organization(organization: Organization, *, actor: User | None) -> Organization:
    """Take an organization out of the archive."""
    with transaction.atomic():
        locked = lock(organization)
        require(actor, "organization.archive", locked)
        if locked.archived_on is None:
            raise TransitionRefused(_("It is not in the archive."))
        locked.version = organization.version
        locked.archived_on = None
        save_as(locked, actor)
    return locked
