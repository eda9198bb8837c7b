"""The organizations that rows name: found on record, made where they are missing, or asked about."""

import re
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from partnerships.countries import HOME
from partnerships.exceptions import InvalidInput, PossibleDuplicate
from partnerships.imports.rows import NEW, Batch, Undecided, WorkRow, kept_apart, look_alikes_of
from partnerships.imports.values import PlacedName
from partnerships.models import NameKey, Organization, Region
from partnerships.models.organizations import CreditCodeField, telling_keys
from partnerships.names import has_chinese, person_key, sort_key
from partnerships.workflows.organizations import register_organization

# The words of a name that say what kind of organization it is, most telling first.
KIND_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "association",
        re.compile(
            r"协会|商会|学会|联盟|联合会|促进会|基金会|\b(association|chamber|federation|society|foundation|alliance)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "enterprise",
        re.compile(
            r"公司|集团|工厂|[^学]厂$|\b(ltd|limited|inc|llc|gmbh|corp|corporation|company|group|s\.?a\.?|ag|plc|bank)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "institution",
        re.compile(
            r"大学|学院|学校|中学|小学|研究院|研究所|研究中心|医院|\b(universi[dt]\w+|college|school|institut\w*|istituto|academy|akademi\w*|polit[eé]c\w+|politech\w+|polytec\w+|[eé]cole|escuela|facult\w+|fachhochschule|hochschule|faculty|hospital)\b",
            re.IGNORECASE,
        ),
    ),
    (
        "government_body",
        re.compile(
            r"政府|委员会|管委会|(局|厅|部|署|办公室)$|\b(government|ministry|bureau|department of|embassy|consulate|municipality|commission)\b",
            re.IGNORECASE,
        ),
    ),
)
MADE_FOR = frozenset({"register", "honours"})
NOT_ON_RECORD = gettext_noop(
    "“%(name)s” is not on record: import the organizations first, or choose to make those that are missing."
)


def guess_kind(name: str) -> str:
    """Return the kind of organization that a name says; empty where it says none."""
    return next((kind for kind, words in KIND_WORDS if words.search(name)), "")


def two_names(name: str, name_zh: str) -> tuple[str, str]:
    """Return the Latin and the Chinese name; with one alone, that is the first, in whichever script it is."""
    if name_zh and has_chinese(name) and not has_chinese(name_zh):
        name, name_zh = name_zh, name
    return (name or name_zh), ("" if name_zh == name else name_zh)


def clean_code(code: str | None) -> str | None:
    return CreditCodeField().to_python(code)


def is_code_right(row: WorkRow, batch: Batch) -> bool:
    return batch.recipe.are_codes_right or row.decisions.get("uscc") == "right"


def find(row: WorkRow, batch: Batch, name: str, name_zh: str = "", uscc: str | None = None) -> Organization | None:
    """Return the organization on record that the row means: by its code, a decision, an earlier import, or its name.

    Names are compared folded; one that several have is asked about.
    """
    if uscc and (coded := Organization.objects.filter(uscc=uscc).first()):
        return coded
    decided = _decided(row, batch, name)
    if decided is not None:
        return decided if isinstance(decided, Organization) else None
    known: Organization | None = batch.from_earlier(row, Organization.objects.all())
    return known or _named(batch, [name, name_zh], uscc)


def _decided(row: WorkRow, batch: Batch, name: str) -> Organization | str | None:
    key = person_key(name)
    token = row.decisions.get(key) or batch.recipe.names.get(key)
    if not token:
        return None
    if token == NEW:
        return NEW
    if token.startswith("row:"):
        made = [pk for pk, number in batch.rows_of.items() if str(number) == token.removeprefix("row:")]
        token = str(made[0]) if made else ""
    found = Organization.objects.filter(pk=int(token)).first() if token.isdigit() else None
    if found is None:
        raise InvalidInput(_("What was chosen for “%(name)s” is not on record any more.") % {"name": name})
    return found


def is_decided(row: WorkRow, batch: Batch, name: str) -> bool:
    """Whether a person said which organization the name means."""
    token = row.decisions.get(person_key(name)) or batch.recipe.names.get(person_key(name))
    return bool(token) and token != NEW


def _named(batch: Batch, names: Iterable[str], uscc: str | None) -> Organization | None:
    keys = {person_key(name): name for name in names if name}
    for key in keys:
        found = batch.added.get(key) or batch.organizations.get(key)
        if found is not None:
            return None if uscc and found.uscc and found.uscc != uscc else found
    telling: set[str] = set().union(*(telling_keys(name) for name in keys.values()))
    if telling:
        rows = Organization.objects.filter(pk__in=NameKey.objects.filter(key__in=telling).values("organization"))
    else:  # such as 3M: too short to be told from others by a part of it
        sorted_as = [sort_key(name) for name in keys.values()]
        rows = Organization.objects.filter(Q(sort_key__in=sorted_as) | Q(sort_key_zh__in=sorted_as))
    same = [row for row in rows.prefetch_related("other_names") if not keys.keys().isdisjoint(_keys_of(row))]
    if uscc:  # another code is another organization
        same = [row for row in same if not row.uscc or row.uscc == uscc]
    if len(same) > 1:
        name = next(iter(keys.values()))
        words = _("Several organizations are called “%(name)s”: choose one.") % {"name": name}
        raise Undecided(words, field="name", name=name, found=list(same))
    return same[0] if same else None


def _keys_of(organization: Organization) -> set[str]:
    others = [name.name for name in organization.other_names.all() if name.source_id is None]
    return {person_key(name) for name in (organization.name, organization.name_zh, *others) if name}


def remember(batch: Batch, organization: Organization, *names: str) -> None:
    """Keep the organization under these names, so that later rows of the file find it."""
    for name in filter(None, names):
        batch.added[person_key(name)] = organization


def register(
    row: WorkRow, batch: Batch, organization: Organization, *, unit: Any, parts: Iterable[Any] = ()
) -> Organization:
    """Register an organization; look-alikes are asked about unless it was decided that it is another one."""
    more: dict[str, Any] = {"unit": unit, "parts": list(parts), "is_code_right": is_code_right(row, batch)}
    is_new = batch.recipe.look_alikes == NEW or _decided(row, batch, organization.name) == NEW
    try:
        with kept_apart():
            register_organization(organization, actor=batch.actor, today=batch.today, **more)
    except PossibleDuplicate as error:
        if not is_new:
            raise look_alikes_of(organization, organization.name, error, field="name") from error
        more["confirmed_different"] = error.found
        more["parts"] = [part for part in more["parts"] if part.pk is None]
        register_organization(organization, actor=batch.actor, today=batch.today, **more)
    row.did(organization, "made")
    return organization


def resolve(row: WorkRow, batch: Batch, placed: PlacedName, *, field: str, **columns: Any) -> Organization:
    """Return the organization that a cell names; one that is missing is made, or the row is refused."""
    name, uscc = placed.name, columns.pop("uscc", None)
    found = find(row, batch, name, uscc=uscc)
    if found is None:
        is_made = batch.recipe.missing == "make" or (not batch.recipe.missing and batch.kind in MADE_FOR)
        if not is_made:
            raise InvalidInput(_(NOT_ON_RECORD) % {"name": name}, field=field)
        kind = columns.pop("kind", "") or batch.recipe.defaults.get("partner_kind") or guess_kind(name)
        if not kind:
            words = _("What kind of organization “%(name)s” is cannot be told: choose a column or a default.")
            raise InvalidInput(words % {"name": name}, field="partner_kind")
        country = columns.pop("country", "") or placed.country or HOME
        region: Region | None = columns.pop("region", None)
        made = Organization(name=name, kind=kind, country=country, region=region, uscc=uscc, **columns)
        unit = batch.chosen("unit", row.get("unit")) or batch.unit
        found = register(row, batch, made, unit=unit)
    remember(batch, found, name)
    return found
