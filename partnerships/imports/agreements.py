"""Rows that describe agreements: of a list of agreements, and of a register with partners and contacts."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from partnerships.dates import add_months
from partnerships.durations import Duration
from partnerships.exceptions import InvalidInput, PossibleDuplicate
from partnerships.imports.contacts import contacts_of
from partnerships.imports.partners import clean_code, resolve
from partnerships.imports.rows import (
    NEW,
    Batch,
    WorkRow,
    check_once,
    finish,
    kept_apart,
    key_of,
    look_alikes_of,
    plain,
    update_record,
)
from partnerships.models import (
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementTerm,
    AgreementUnit,
    Contact,
    Organization,
    Unit,
)
from partnerships.names import fold, person_key
from partnerships.partial_dates import PartialDate, Precision
from partnerships.permissions import may
from partnerships.statuses import AgreementStatus
from partnerships.workflows.agreements import (
    LEAST_SIGNATORIES,
    close_ended_agreement,
    edit_agreement,
    register_agreement,
    register_signed_agreement,
    suspend_agreement,
    that_may_have_title,
)

ENDED = frozenset({"completed", "terminated"})
LONGEST_TITLE = 300


@dataclass
class _Case:
    """The agreement that a row describes: whose it is, with whom, and when it was signed."""

    row: WorkRow
    batch: Batch
    unit: Unit
    title: str
    partners: list[Organization]
    signed: PartialDate | None
    status: str


def apply(row: WorkRow, batch: Batch) -> None:
    """Register the agreement of a row with partners, dates and contacts, signed on its own day, or update the one on record."""
    unit = batch.unit_of(row)
    status = row.get("status") or "signed"
    if status == "cancelled":
        raise InvalidInput(_("It was cancelled: agreements that never came about are not brought in."), field="status")
    partners = _partners(row, batch)
    witnesses = [resolve(row, batch, placed, field="witness") for placed in row.get("witness") or ()]
    agreement_type = batch.chosen("agreement_type", row.get("type") or batch.recipe.defaults.get("type"))
    if agreement_type is None:
        raise InvalidInput(_("The type of agreement is missing: choose a column or a default for it."), field="type")
    title = (row.text("title") or f"{agreement_type} · {'、'.join(map(str, partners))}")[:LONGEST_TITLE]
    signed: PartialDate | None = row.get("signed_on") or row.get("starts_on")
    case = _Case(row, batch, unit, title, partners, signed, status)
    row.key = _key(case)
    check_once(row, batch)
    values: dict[str, Any] = {name: row.text(name) for name in ("title_zh", "reference", "archive_number", "summary")}
    values["coordinator"] = batch.chosen("user", row.get("coordinator"))
    fixed = {"signed": plain(signed), "ends": plain(row.get("ends_on")), "title": title}
    record = _known(case)
    is_new = record is None
    if record is None:
        contacts = _contacts(row, batch, partners)
        made = Agreement(unit=unit, type=agreement_type, title=title, **values)
        money = row.get("amount")
        if money is not None:
            made.amount = money.amount
            made.currency = money.currency or batch.recipe.defaults.get("currency") or "CNY"
        parts = _parts(case, witnesses, contacts)
        record = _register(case, made, parts)
    else:
        _refuse_other_dates(row, batch, record, fixed)
        _contacts(row, batch, partners)
        record = update_record(row, batch, record, values, edit_agreement)
    finish(row, record, is_new=is_new, values={**values, **fixed})


def _partners(row: WorkRow, batch: Batch) -> list[Organization]:
    placed = row.get("partner") or ()
    known = {"kind": row.get("partner_kind") or "", "country": row.get("country") or ""}
    region = batch.chosen("region", row.get("region"))
    code = clean_code(row.get("uscc"))
    found = [
        resolve(row, batch, one, field="partner", region=region, uscc=code if len(placed) == 1 else None, **known)
        for one in placed
    ]
    return list({organization.pk: organization for organization in found}.values())


def _key(case: _Case) -> str:
    row, unit = case.row, case.unit
    if row.text("reference"):
        return key_of("reference", unit.pk, row.text("reference"))
    # By the names in the file: ids of partners that the import makes differ between its check and itself.
    names = ",".join(sorted(person_key(placed.name) for placed in row.get("partner") or ()))
    return key_of("agreement", unit.pk, case.title, names, case.signed)


def _known(case: _Case) -> Agreement | None:
    """Return the agreement on record: of an earlier import, of the same reference, or of the same title, partners and day."""
    row, title, signed = case.row, case.title, case.signed
    rows = case.batch.visible(Agreement).filter(unit=case.unit).exclude(status=AgreementStatus.CANCELLED)
    known: Agreement | None = case.batch.from_earlier(row, rows)
    if known is not None:
        return known
    if row.text("reference"):
        return rows.filter(reference=row.text("reference")).first()
    same = rows.filter(Q(title__iexact=title) | Q(title_zh__iexact=title), that_may_have_title(title))
    for organization in case.partners:
        same = same.filter(parties__organization=organization)
    for record in same.distinct():
        if signed is None or plain(record.signed) == plain(signed) or record.signed_on is None:
            return record
    return None


def _refuse_other_dates(row: WorkRow, batch: Batch, record: Agreement, fixed: dict[str, Any]) -> None:
    """Raise ``InvalidInput`` when the file says other days than when it was imported: what was signed is corrected in its record."""
    last = batch.last(row, record)
    for name, field in (("signed", "signed_on"), ("ends", "ends_on"), ("title", "title")):
        if name in last and last[name] != fixed[name]:
            words = _("What was signed is not changed by an import: correct it in the record. %(before)s → %(after)s")
            facts = {"before": f"“{last[name] or ''}”", "after": f"“{fixed[name] or ''}”"}
            raise InvalidInput(words % facts, field=field)


def _contacts(row: WorkRow, batch: Batch, partners: list[Organization]) -> dict[int, Contact]:
    """Return the liaison of each partner: one person for each partner in order, or all at the first one."""
    people = [person for person in row.get("contact") or () if person.name]
    given = {name: row.text(f"contact_{name}") for name in ("position", "phone", "email")}
    if not people or not partners:
        return {}
    if len(people) == len(partners) > 1:
        pairs = [(partner, [person]) for partner, person in zip(partners, people, strict=True)]
        given = {}
    else:
        pairs = [(partners[0], people)]
    liaisons = {}
    for partner, persons in pairs:
        found = contacts_of(row, batch, partner, persons, **given)
        if found:
            liaisons[partner.pk] = found[0]
    return liaisons


def _parts(case: _Case, witnesses: list[Organization], liaisons: dict[int, Contact]) -> list[Any]:
    row, batch, unit, partners = case.row, case.batch, case.unit, case.partners
    own = _own_organization(unit)
    signatories = [own] if own and own.pk not in {partner.pk for partner in partners} else []
    if len(signatories) + len(partners) < LEAST_SIGNATORIES and case.status != "draft":
        if own is not None:
            raise InvalidInput(_("The row names our own organization alone: add the other party."), field="partner")
        words = _(
            "Our side is missing: “%(unit)s” has no organization that signs for it. Name a second partner in the row, or have the office choose the organization of the unit."
        )
        raise InvalidInput(words % {"unit": unit}, field="partner")
    signers = list(row.get("signatory_person") or ())
    names = (
        dict(zip((partner.pk for partner in partners), signers, strict=False)) if len(signers) <= len(partners) else {}
    )
    parties = [
        AgreementParty(
            organization=organization,
            liaison=_working_at(liaisons.get(organization.pk), organization),
            signatory_person=names.get(organization.pk, ""),
        )
        for organization in [*signatories, *partners]
    ]
    present = {party.organization_id for party in parties}
    witness = AgreementParty.Role.WITNESS
    parties += [AgreementParty(organization=one, role=witness) for one in witnesses if one.pk not in present]
    areas = [AgreementArea(area=batch.chosen("area", code)) for code in row.get("areas") or ()]
    others = {batch.chosen("unit", code) for code in row.get("participating_units") or ()} - {unit}
    units = [AgreementUnit(unit=other) for other in sorted(others, key=lambda other: other.pk)]
    term = _term(row, batch)
    return [*parties, *areas, *units, *([term] if term else [])]


def _working_at(contact: Contact | None, organization: Organization) -> Contact | None:
    return contact if contact and contact.works_at(organization) else None


def _own_organization(unit: Unit) -> Organization | None:
    """Return the organization whose office this is: that of the unit, or of one above it."""
    above: Unit | None = unit
    while above is not None and above.organization is None:
        above = above.parent
    return above.organization if above else None


def _term(row: WorkRow, batch: Batch) -> AgreementTerm | None:
    """Return the term that the row says; None where it is open-ended, or where nothing is known of its end."""
    duration: Duration = row.get("duration") or Duration()
    starts: PartialDate | None = row.get("starts_on") or duration.starts or row.get("signed_on")
    ends = row.get("ends_on") or duration.ends
    if ends is None and duration.months and starts is not None and starts.precision != Precision.UNKNOWN:
        ends = PartialDate(add_months(starts.last, duration.months) - dt.timedelta(days=1), starts.precision)
    if ends is None or ends.precision == Precision.UNKNOWN:
        if duration.months:
            row.note(_("The end cannot be counted, because the start is not known."), "duration")
        return None
    start = starts or PartialDate(ends.first, Precision.UNKNOWN)
    renewal = row.get("renewal") or duration.renewal or AgreementTerm.Renewal.NONE
    notice = row.get("notice_months")
    return AgreementTerm(
        starts_on=start.first,
        starts_precision=start.precision,
        ends_on=ends.last,
        ends_precision=ends.precision,
        renewal=renewal,
        renewal_months=duration.renewal_months,
        renewal_limit=duration.renewal_limit,
        notice=int(notice) if notice is not None else 0,
    )


def _register(case: _Case, made: Agreement, parts: list[Any]) -> Agreement:
    row, batch, status, signed = case.row, case.batch, case.status, case.signed
    more: dict[str, Any] = {"actor": batch.actor, "today": batch.today, "parts": parts}
    verb: Callable[..., Agreement] = register_agreement
    if status != "draft":
        verb = register_signed_agreement
        known = signed or PartialDate(batch.today, Precision.UNKNOWN)
        more |= {"on": known.day, "precision": known.precision, "is_gap_meant": True}
    try:
        with kept_apart():
            record = verb(made, **more)
    except PossibleDuplicate as error:
        # The same title with other partners or of another day is another agreement; ``_known`` looked for the same one.
        if signed is None and not _is_decided(row, batch, made) and _has_same_partners(error.found, parts):
            raise look_alikes_of(made, made.title, error, field="title") from error
        fresh = _unsaved(parts)
        record = verb(made, **{**more, "parts": fresh, "confirmed_different": error.found})
    row.did(record, "made")
    if status in ENDED or _is_over(record, batch.today):
        record = close_ended_agreement(
            record, actor=batch.actor, today=batch.today, is_terminated=status == "terminated"
        )
    elif status == "suspended":
        if batch.actor is None or may(batch.actor, "agreement.suspend", record):
            record = suspend_agreement(record, actor=batch.actor, on=batch.today, reason=_("As the register says"))
        else:
            row.note(_("The register says that it is suspended: a lead of the unit has to record that."), "status")
    return record


def _unsaved(parts: list[Any]) -> list[Any]:
    for part in parts:
        part.pk, part._state.adding = None, True
    return parts


def _is_decided(row: WorkRow, batch: Batch, made: Agreement) -> bool:
    return batch.recipe.look_alikes == NEW or row.decisions.get(fold(made.title)) == NEW


def _has_same_partners(found: Any, parts: list[Any]) -> bool:
    own = {part.organization_id for part in parts if isinstance(part, AgreementParty)}
    others = AgreementParty.objects.filter(agreement__in=found).values_list("agreement", "organization")
    return any({pk for agreement, pk in others if agreement == one} == own for one in found)


def _is_over(record: Agreement, today: dt.date) -> bool:
    return record.is_signed and Agreement.objects.expired(today).filter(pk=record.pk).exists()
