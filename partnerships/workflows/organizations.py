"""Organizations and their contacts: registered, edited, held by units, archived."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.exceptions import InvalidInput, PossibleDuplicate, PossibleTypo, TransitionRefused
from partnerships.models import (
    Agreement,
    AssociationMembership,
    Contact,
    Facility,
    Organization,
    OrganizationName,
    OrganizationUnit,
    Role,
    Unit,
    User,
)
from partnerships.models.organizations import has_right_check_digit
from partnerships.names import person_key, phone_keys
from partnerships.permissions import require
from partnerships.workflows.edits import Aggregate, changed_columns, concerning
from partnerships.workflows.transitions import delete_as, lock, save_as

ORGANIZATION = Aggregate(
    Organization,
    "organization.add",
    "organization.edit",
    parts=(OrganizationName, OrganizationUnit, AssociationMembership),
)
CONTACT = Aggregate(Contact, "contact.edit", "contact.edit", fixed=frozenset({"organization"}))

# The history's reason for a holding that ended with its last ground; any other removal is somebody's decision.
GROUND_ENDED = "Its last ground ended"
LOOK_FIRST = gettext_lazy("Check those of a similar name first; if it is none of them, tick the box.")
LOOK_AT_PERSONS = gettext_lazy("There are contacts like this one. If it is none of them, say so.")
NAMES = frozenset({"name", "name_zh"})
CODE_LENGTH = 18  # of a unified social credit code
ON_RECORD = gettext_lazy("This person is on record already: edit them.")
# Columns that make two contacts of an organization the same person.
SAME_PERSON = ("name", "position", "phone", "email", "wechat")
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
    """Register an organization with its parts: other names, holding units, memberships.

    ``unit`` holds it from now on, so that its people can go on with it; where nobody says which, the unit in which the
    actor has the highest role. Raises ``PossibleDuplicate`` when there are look-alikes beside ``confirmed_different``, and
    ``PossibleTypo`` for a credit code with a wrong check digit unless ``is_code_right``.
    """
    with transaction.atomic():
        # There is no row to lock yet, so the content type stands for the table: a form that is sent twice waits here, and
        # then finds the organization of the first.
        lock(ContentType.objects.get_for_model(Organization))
        require(actor, "organization.add")
        organization.clean()
        _ask_about_check_digit(organization, is_code_right)
        _ask_about_look_alikes(organization, confirmed_different)
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
    """Change an organization with its other names, holding units and memberships, as one version.

    Another name may raise ``PossibleDuplicate``, another credit code ``PossibleTypo``, as in ``register_organization``.
    """
    with transaction.atomic():
        before, after = ORGANIZATION.begin(organization, changes, actor=actor)
        # Removes the spaces of a typed credit code, which would make it too long for its column.
        after.clean()
        if "uscc" in changed_columns(before, after):
            _ask_about_check_digit(after, is_code_right)
        if changed_columns(before, after) & NAMES:
            _ask_about_look_alikes(after, confirmed_different)
        check_holders([*parts, *removed], actor)
        ORGANIZATION.finish(before, after, parts, removed, actor=actor)
    return after


def _ask_about_look_alikes(organization: Organization, confirmed_different: Collection[int]) -> None:
    found = set(Organization.objects.resembling(organization).values_list("pk", flat=True))
    if found - set(confirmed_different):
        raise PossibleDuplicate(LOOK_FIRST, found=found)


def _ask_about_check_digit(organization: Organization, is_code_right: bool) -> None:
    code = organization.uscc
    # A code of another length or with other signs is refused later, when the row is validated.
    if code and not is_code_right and len(code) == CODE_LENGTH and not has_right_check_digit(code):
        raise PossibleTypo(_("The last sign of %(code)s does not fit the others. Is it typed right?") % {"code": code})


def _own_unit(actor: User | None) -> Unit | None:
    """Return the unit in which the actor has the highest role; None for those who see all units anyway."""
    if actor is None or actor.sees_all_units:
        return None
    joined = actor.memberships.filter(role__gte=Role.COORDINATOR).order_by("-role", "pk")
    return Unit.objects.filter(pk=joined.values("unit")[:1]).first()


def check_holders(parts: Iterable[models.Model], actor: User | None) -> None:
    """Raise ``NotAllowed`` for a holding by a unit that the actor does not work in, as it is or as it would be."""
    for part in parts:
        if isinstance(part, OrganizationUnit):
            saved = OrganizationUnit.objects.filter(pk=part.pk).select_related("unit")
            for row in (*saved, part):
                with concerning(part):
                    require(actor, "organization.edit", row.unit)


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
        lock(contact.organization)
        require(actor, "contact.edit", contact)
        contact.unit = _entering_unit(contact.organization, actor)
        known = _same_person(contact)
        if known is None:
            _ask_about_persons(contact, actor, confirmed_different)
            CONTACT.register(contact, parts, actor=actor)
        elif changed_columns(known, contact) & set(CONTACT.fields):
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
        is_compared = after.is_active and changed_columns(before, after) & {*SAME_PERSON, "is_active"}
        if is_compared and _same_person(after):
            raise InvalidInput(ON_RECORD, field="name")
        if after.is_active and changed_columns(before, after) & TELLING:
            _ask_about_persons(after, actor, confirmed_different)
        CONTACT.finish(before, after, parts, removed, actor=actor)
    return after


def stop_contact_mail(contact: Contact, *, on: dt.date) -> None:
    """Send the contact no mail from now on, because they asked so at the address in our mails.

    That address is the permission, so no user acts. Asked twice, the first day stays.
    """
    with transaction.atomic():
        locked = lock(contact)
        if locked.mail_stopped_on is None:
            locked.mail_stopped_on = on
            save_as(locked, None, reason="Stopped mail by the link in it")


def resume_contact_mail(contact: Contact) -> None:
    """Send the contact mail again, because they undid the stop at the same address."""
    with transaction.atomic():
        locked = lock(contact)
        if locked.mail_stopped_on is not None:
            locked.mail_stopped_on = None
            save_as(locked, None, reason="Allowed mail again by the link in it")


def _ask_about_persons(contact: Contact, actor: User | None, confirmed_different: Collection[int]) -> None:
    """Raise ``PossibleDuplicate`` for contacts of the same name at the organization, or with the same address or number.

    Numbers and addresses are compared only where the actor sees those of the other contact.
    """
    others = Contact.objects.filter(is_active=True).exclude(pk=contact.pk)
    name = person_key(contact.name)
    here = others.filter(organization=contact.organization).values_list("pk", "name")
    found = {pk for pk, other in here if name and person_key(other) == name}
    seen = others if actor is None else others.with_personal_data_for(actor)
    if contact.email:
        found |= set(seen.filter(email__iexact=contact.email.strip()).values_list("pk", flat=True))
    if contact.wechat:
        found |= set(seen.filter(wechat__iexact=contact.wechat.strip()).values_list("pk", flat=True))
    if numbers := phone_keys(contact.phone):
        phones = seen.exclude(phone="").values_list("pk", "phone")
        found |= {pk for pk, phone in phones if numbers & phone_keys(phone)}
    if found - set(confirmed_different):
        raise PossibleDuplicate(LOOK_AT_PERSONS, found=found)


def _entering_unit(organization: Organization, actor: User | None) -> Unit | None:
    """Return the holding unit in which the actor has the highest role; None for those who see all units anyway."""
    if actor is None or actor.sees_all_units:
        return None
    units = Unit.objects.filter(held_organizations__organization=organization).order_by("pk")
    return max(units, key=lambda unit: actor.scope.role_in(unit.pk) or 0, default=None)


def _same_person(contact: Contact) -> Contact | None:
    """Return the same person at this organization, entered by the same unit: another one's numbers are not compared."""
    same = {name: getattr(contact, name) for name in (*SAME_PERSON, "unit_id")}
    return contact.organization.contacts.filter(is_active=True, **same).exclude(pk=contact.pk).first()


def update_holders(
    organizations: Iterable[Organization], *, unit: Unit, coordinator: User | None, actor: User | None
) -> None:
    """Make ``unit`` a holder of each organization it has a ground to hold, and end its holding of the others.

    Call it after each change of a ground: a signing, taking one back, opening or closing a facility. Holdings that were
    entered or granted by a person stay, and one that a person removed stays away until a person grants it again.
    """
    with transaction.atomic():
        # Locked, so that two first agreements with the same partners make each holder once; by id, so that they do not
        # wait for each other.
        ids = [organization.pk for organization in organizations]
        rows = Organization.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
        locked = {organization.pk: organization for organization in rows}
        held = {row.organization_id: row for row in unit.held_organizations.filter(organization__in=locked)}
        grounded = _with_ground(unit, locked)
        missing = grounded - held.keys()
        for pk in sorted(missing - _removed_by_hand(unit, missing)):
            holder = OrganizationUnit(organization=locked[pk], unit=unit, coordinator=coordinator, is_granted=False)
            save_as(holder, actor)
        for pk in sorted(held.keys() - grounded):
            if not held[pk].is_granted:
                delete_as(held[pk], actor, reason=GROUND_ENDED)


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
    signed = Agreement.objects.filter(unit=unit, is_signing_confirmed=True)
    sides = Facility.objects.running().filter(unit=unit, partners__organization__in=organization_ids)
    parties = signed.filter(parties__organization__in=organization_ids)
    return {
        *parties.values_list("parties__organization_id", flat=True),
        *sides.values_list("partners__organization_id", flat=True),
    }


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
