"""Rows that describe contacts, and the contacts that other rows name."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from partnerships.exceptions import NotAllowed, PossibleDuplicate
from partnerships.imports.partners import resolve
from partnerships.imports.rows import (
    NEW,
    Batch,
    WorkRow,
    changes_to,
    check_once,
    finish,
    kept_apart,
    key_of,
    look_alikes_of,
)
from partnerships.imports.values import PersonInCell
from partnerships.models import Contact, Organization
from partnerships.names import person_key
from partnerships.partial_dates import PartialDate
from partnerships.permissions import may
from partnerships.workflows.organizations import edit_contact, register_contact


def apply(row: WorkRow, batch: Batch) -> None:
    """Register the contact of a row at an organization on record, or update the one on record."""
    person: PersonInCell = row.get("name")
    organization = resolve(row, batch, row.get("organization"), field="organization")
    row.key = key_of("contact", person_key(row.get("organization").name), person_key(person.name))
    check_once(row, batch)
    values: dict[str, Any] = {
        "position": row.text("position") or person.position,
        "phone": row.text("phone") or person.phone,
        "email": row.text("email") or person.email,
        "wechat": row.text("wechat"),
        "preferred_channel": row.text("preferred_channel"),
        "note": row.text("note"),
    }
    if row.get("language"):
        values["language"] = row.get("language")
    since: PartialDate | None = row.get("since")
    if since is not None and since.is_complete:
        values["since"] = since.day
    elif since is not None:
        row.note(_("The day is not known, so it is left out."), "since")
    record = _known(batch, organization, person.name)
    is_new = record is None
    if record is None:
        record = _register(row, batch, Contact(organization=organization, name=person.name, **values))
    else:
        record = _edit(row, batch, record, changes_to(row, record, values, batch))
    finish(row, record, is_new=is_new, values=values)


def contacts_of(
    row: WorkRow, batch: Batch, organization: Organization, people: Iterable[PersonInCell], **given: str
) -> list[Contact]:
    """Return the contacts that a row about something else names, registered where they are missing.

    What a row says beside the names, such as a phone, is that of the only person it names.
    """
    people = [person for person in people if person.name]
    found = []
    for person in people:
        own = given if len(people) == 1 else {}
        values = {
            "position": person.position or own.get("position", ""),
            "phone": person.phone or own.get("phone", ""),
            "email": person.email or own.get("email", ""),
        }
        known = _known(batch, organization, person.name)
        try:
            if known is None:
                known = _register(row, batch, Contact(organization=organization, name=person.name, **values))
            else:
                known = _fill_in(row, batch, known, values)
        except NotAllowed as error:
            row.note(f"{person.name}: {error}", "contact")
            continue
        found.append(known)
    return found


def _known(batch: Batch, organization: Organization, name: str) -> Contact | None:
    key = person_key(name)
    rows = batch.visible(Contact).ever_at([organization.pk]).filter(is_active=True).order_by("pk")
    return next((row for row in rows if person_key(row.name) == key), None)


def _register(row: WorkRow, batch: Batch, contact: Contact) -> Contact:
    try:
        with kept_apart():
            register_contact(contact, actor=batch.actor, today=batch.today)
    except PossibleDuplicate as error:
        token = row.decisions.get(person_key(contact.name)) or (NEW if batch.recipe.look_alikes == NEW else "")
        if token == NEW:
            register_contact(contact, actor=batch.actor, today=batch.today, confirmed_different=error.found)
        elif token.isdigit() and int(token) in error.found:
            return Contact.objects.get(pk=int(token))
        else:
            raise look_alikes_of(contact, contact.name, error, field="contact") from error
    row.did(contact, "made")
    return contact


def _fill_in(row: WorkRow, batch: Batch, contact: Contact, values: dict[str, Any]) -> Contact:
    """Fill in what is empty; what another register says of the person is not asked about."""
    if batch.actor is not None and not may(batch.actor, "contact.edit", contact):
        return contact
    empty = {name: value for name, value in values.items() if value and not getattr(contact, name)}
    return _edit(row, batch, contact, changes_to(row, contact, empty, batch))


def _edit(row: WorkRow, batch: Batch, contact: Contact, changes: dict[str, Any]) -> Contact:
    if not changes:
        return contact
    before = {name: getattr(contact, name) for name in changes}
    try:
        with kept_apart():
            edited = edit_contact(contact, actor=batch.actor, today=batch.today, changes=changes)
    except PossibleDuplicate as error:
        if row.decisions.get(person_key(contact.name)) != NEW and batch.recipe.look_alikes != NEW:
            raise look_alikes_of(contact, contact.name, error, field="contact") from error
        more: dict[str, Any] = {"changes": changes, "confirmed_different": error.found}
        edited = edit_contact(contact, actor=batch.actor, today=batch.today, **more)
    row.did(edited, "changed", before)
    return edited
