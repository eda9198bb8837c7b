"""Rows that describe organizations."""

from typing import Any

from django.utils.translation import gettext as _

from partnerships.countries import HOME
from partnerships.exceptions import InvalidInput, PossibleDuplicate
from partnerships.imports.contacts import contacts_of
from partnerships.imports.partners import (
    clean_code,
    find,
    guess_kind,
    is_code_right,
    is_decided,
    register,
    remember,
    resolve,
    two_names,
)
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
from partnerships.imports.values import PlacedName
from partnerships.models import Organization, OrganizationName
from partnerships.names import person_key
from partnerships.workflows.organizations import edit_organization

COLUMNS = (
    "kind",
    "institution_type",
    "country",
    "region",
    "industry",
    "strengths",
    "website",
    "address",
    "description",
)


def apply(row: WorkRow, batch: Batch) -> None:
    """Register the organization of a row with its other names and contacts, or update the one on record."""
    placed = row.get("name")
    name, name_zh = two_names(placed.name, row.text("name_zh"))
    uscc = clean_code(row.get("uscc"))
    row.key = key_of("uscc", uscc) if uscc else key_of("name", person_key(name))
    check_once(row, batch)
    part_of = _whole(row, batch)
    values = _columns(row, batch, placed)
    unit = batch.chosen("unit", row.get("unit")) or batch.unit
    record = find(row, batch, name, name_zh, uscc)
    is_new = record is None
    others = _other_names(row)
    if record is None:
        values["kind"] = _kind_of_new(row, batch, name)
        values["country"] = values["country"] or HOME
        made = Organization(name=name, name_zh=name_zh, uscc=uscc, part_of=part_of, **values)
        record = register(row, batch, made, unit=unit, parts=others)
    else:
        asked: dict[str, Any] = {**values, "uscc": uscc, "part_of": part_of}
        if is_decided(row, batch, name):  # a person said that it is the same one: this is another name of it
            others = [OrganizationName(name=one) for one in _names_to_change(record, name, name_zh).values()] + others
        else:
            asked.update(_names_to_change(record, name, name_zh))
        changes = changes_to(row, record, asked, batch)
        missing = _missing_names(record, others) if others and batch.may_change(row, record) else []
        if changes or missing:
            before = {column: getattr(record, column) for column in changes}
            record = _edit(row, batch, record, changes, missing)
            row.did(record, "changed", before)
            row.made[-1]["names"] = [other.pk for other in missing]
            for other in missing:
                row.changes.append({"record": str(record), "field": _("other name"), "before": "", "after": other.name})
    remember(batch, record, name, name_zh)
    people = row.get("contact") or ()
    contacts_of(row, batch, record, people, phone=row.text("phone"), email=row.text("email"))
    finish(
        row,
        record,
        is_new=is_new,
        values={**values, "name": name, "name_zh": name_zh, "uscc": uscc, "part_of": part_of},
    )


def _edit(row: WorkRow, batch: Batch, record: Organization, changes: dict[str, Any], parts: list[Any]) -> Organization:
    more: dict[str, Any] = {"is_code_right": is_code_right(row, batch), "parts": parts, "changes": changes}
    is_new = row.decisions.get("name") == NEW or batch.recipe.look_alikes == NEW
    try:
        with kept_apart():
            return edit_organization(record, actor=batch.actor, today=batch.today, **more)
    except PossibleDuplicate as error:
        if not is_new:
            raise look_alikes_of(record, record.name, error, field="name") from error
        more["confirmed_different"] = error.found
        return edit_organization(record, actor=batch.actor, today=batch.today, **more)


def _names_to_change(record: Organization, name: str, name_zh: str) -> dict[str, str]:
    """Return the names that the file gives anew: none where the record has the file's name already, also as another name."""
    known = {
        person_key(one) for one in (record.name, record.name_zh, *record.other_names.values_list("name", flat=True))
    }
    asked = {"name": name, "name_zh": name_zh}
    return {column: value for column, value in asked.items() if value and person_key(value) not in known}


def _missing_names(record: Organization, others: list[OrganizationName]) -> list[OrganizationName]:
    known = {person_key(name) for name in record.other_names.values_list("name", flat=True)}
    return [other for other in others if person_key(other.name) not in known]


def _other_names(row: WorkRow) -> list[OrganizationName]:
    kinds = {"short_name": OrganizationName.Kind.SHORT, "former_name": OrganizationName.Kind.FORMER}
    return [
        OrganizationName(name=name, kind=kind)
        for field, kind in kinds.items()
        for name in dict.fromkeys(row.get(field) or ())
    ]


def _columns(row: WorkRow, batch: Batch, placed: PlacedName) -> dict[str, Any]:
    values: dict[str, Any] = {column: row.text(column) for column in COLUMNS if column not in {"country", "region"}}
    region = batch.chosen("region", row.get("region"))
    return {**values, "region": region, "country": row.get("country") or placed.country or ""}


def _kind_of_new(row: WorkRow, batch: Batch, name: str) -> str:
    kind = row.get("kind") or batch.recipe.defaults.get("kind") or guess_kind(name)
    if not kind:
        raise InvalidInput(_("The kind of organization is missing: choose a column or a default for it."), field="kind")
    return str(kind)


def _whole(row: WorkRow, batch: Batch) -> Organization | None:
    placed = row.get("part_of")
    return resolve(row, batch, placed, field="part_of") if placed else None
