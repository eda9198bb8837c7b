"""Makes the rows and takes the steps that ``fixtures/sample.toml`` describes."""

import datetime as dt
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from django.core.management import CommandError
from django.db.models import Model
from django.utils.translation import gettext as _

from partnerships import factories
from partnerships.dates import last_day_of
from partnerships.demo.documents import add_file
from partnerships.demo.office import SampleOffice, sample_code
from partnerships.factories.base import ModelFactory
from partnerships.models import (
    Activity,
    Agreement,
    Answer,
    Contact,
    ContactNote,
    Demand,
    Facility,
    Milestone,
    Organization,
    OrganizationKind,
    Payment,
    User,
)
from partnerships.workflows import activities, agreements, demands, facilities, milestones, terms
from partnerships.workflows.activities import follow_activity, register_contact_note
from partnerships.workflows.demands import follow_demand
from partnerships.workflows.derivation import derive_milestones
from partnerships.workflows.honours import watch_lapse
from partnerships.workflows.organizations import edit_organization

Entry = Mapping[str, Any]
Follow = Callable[[SampleOffice, Any, User, dt.date], object]


class SampleSection(NamedTuple):
    """One section of the file.

    ``owned_by`` are the columns that name who entered a row, unless the entry says otherwise; ``follow`` makes what
    follows from a new row with its parts.
    """

    factory: type[ModelFactory]
    owned_by: tuple[str, ...] = ()
    follow: Follow | None = None


class SamplePart(NamedTuple):
    """Rows that belong to another: the column that refers to it, and the columns in the order of the file."""

    factory: type[ModelFactory]
    parent: str
    columns: tuple[str, ...]


def _calling(verb: Callable[..., object]) -> Follow:
    return lambda office, row, person, on: verb(row, actor=person, on=on)


def _follow_payment(office: SampleOffice, payment: Payment, person: User, on: dt.date) -> None:
    derive_milestones(payment.agreement, actor=person, on=office.today)


def _follow_contact(office: SampleOffice, contact: Contact, person: User, on: dt.date) -> None:
    """Make the contact of an association of the sample the liaison of its members."""
    association = contact.organization
    if association.is_sample and association.kind == OrganizationKind.ASSOCIATION:
        edit_organization(association, actor=person, today=on, changes={"members_liaison": contact})
        office.backdate(association, on)


# In the order in which their rows refer to each other.
SECTIONS: Mapping[str, SampleSection] = {
    "enterprises": SampleSection(factories.EnterpriseFactory),
    "associations": SampleSection(factories.AssociationFactory),
    "institutions": SampleSection(factories.InstitutionFactory),
    "government_bodies": SampleSection(factories.GovernmentBodyFactory),
    "contacts": SampleSection(factories.ContactFactory, (), _follow_contact),
    "events": SampleSection(factories.EventFactory),
    "agreements": SampleSection(factories.AgreementFactory, ("created_by", "coordinator")),
    "payments": SampleSection(factories.PaymentFactory, (), _follow_payment),
    "activities": SampleSection(factories.ActivityFactory, ("owner",), _calling(follow_activity)),
    "milestones": SampleSection(factories.MilestoneFactory),
    "facilities": SampleSection(factories.FacilityFactory, ("owner",)),
    "achievements": SampleSection(factories.AchievementFactory),
    "demands": SampleSection(factories.DemandFactory, ("owner",), _calling(follow_demand)),
    "answers": SampleSection(factories.AnswerFactory),
    "honours": SampleSection(factories.HonourFactory, (), _calling(watch_lapse)),
    "documents": SampleSection(factories.DocumentFactory, (), add_file),
}
PARTS: Mapping[str, SamplePart] = {
    "other_names": SamplePart(
        factories.OrganizationNameFactory, "organization", ("name", "kind", "valid_from", "valid_until")
    ),
    "members": SamplePart(factories.AssociationMembershipFactory, "association", ("member", "since")),
    "codes": SamplePart(factories.OrganizationCodeFactory, "organization", ("scheme", "code")),
    "positions": SamplePart(factories.ContactPositionFactory, "contact", ("organization", "position")),
    "kinds": SamplePart(factories.EventKindFactory, "event", ("kind",)),
    "invited": SamplePart(factories.EventPersonFactory, "event", ("user", "answer", "invited_on")),
    "participations": SamplePart(factories.ParticipationFactory, "event", ("organization", "role")),
    "parties": SamplePart(
        factories.AgreementPartyFactory,
        "agreement",
        ("organization", "signatory_person", "liaison", "signatory_position", "signs_as", "seal", "copies"),
    ),
    "promised_areas": SamplePart(factories.AgreementAreaFactory, "agreement", ("area", "quantity", "counted", "per")),
    "participating_units": SamplePart(factories.AgreementUnitFactory, "agreement", ("unit",)),
    "custody_steps": SamplePart(factories.CustodyStepFactory, "agreement", ("step", "desk", "since")),
    "partners": SamplePart(factories.ActivityOrganizationFactory, "activity", ("organization",)),
    "credits": SamplePart(factories.ActivityCreditFactory, "activity", ("area", "organization", "quantity")),
    "training": SamplePart(factories.TrainingFactory, "activity", ("audience", "headcount", "hours")),
    "research_project": SamplePart(
        factories.ResearchProjectFactory,
        "activity",
        ("principal_investigator", "budget", "outcomes", "intellectual_property"),
    ),
    "visit": SamplePart(factories.VisitFactory, "activity", ("host", "delegation", "findings")),
    "receipts": SamplePart(factories.ReceiptFactory, "payment", ("received_on", "amount", "note")),
    "sides": SamplePart(factories.FacilityPartnerFactory, "facility", ("organization", "head", "is_host")),
}
# The keys of an entry that are neither columns nor parts.
BESIDE_COLUMNS = frozenset({"by", "made", "code", "terms", "steps"})
VERBS: Mapping[type[Model], tuple[ModuleType, ...]] = {
    Activity: (activities,),
    Agreement: (agreements, terms),
    Answer: (demands,),
    Demand: (demands,),
    Facility: (facilities,),
    Milestone: (milestones,),
}


def add_entries(office: SampleOffice, sample: Mapping[str, list[Entry]]) -> None:
    unknown = set(sample) - {*SECTIONS, "units", "people", "contact_notes", "steps"}
    if unknown:
        raise CommandError(_("Unknown sections in a fixture: %s.") % ", ".join(sorted(unknown)))
    for name, section in SECTIONS.items():
        for entry in sample[name]:
            _add_row(office, section, entry)
    for entry in sample["contact_notes"]:
        _log(office, entry)
    for entry in sample["steps"]:
        _take_steps(office, _row_of(entry), entry)


def _add_row(office: SampleOffice, section: SampleSection, entry: Entry) -> None:
    person, on = office.person(entry["by"]), office.day(entry["made"])
    given = {name: value for name, value in entry.items() if name not in BESIDE_COLUMNS | PARTS.keys()}
    values = dict.fromkeys(section.owned_by, person) | office.columns(section.factory._meta.model, given)
    if "code" in entry:
        row = office.add(section.factory, entry["code"], by=person, on=on, **values)
    else:
        row = office.add_part(section.factory, by=person, on=on, **values)
    for term in entry.get("terms", []):
        office.add_part(factories.AgreementTermFactory, by=person, on=on, agreement=row, **_term(office, term))
    for name in PARTS.keys() & entry.keys():
        _add_parts(office, PARTS[name], row, entry[name], by=person, on=on)
    if section.follow:
        section.follow(office, row, person, on)
    _take_steps(office, row, entry)


def _add_parts(
    office: SampleOffice, part: SamplePart, row: Model, lines: list[list[Any]], *, by: User, on: dt.date
) -> None:
    for line in lines:
        values = office.columns(part.factory._meta.model, dict(zip(part.columns, line, strict=False)))
        # Each step of the paper is entered on the day on which it happened.
        office.add_part(part.factory, by=by, on=values.get("since", on), **{part.parent: row}, **values)


def _term(office: SampleOffice, term: Entry) -> dict[str, object]:
    """Return the columns of a term, which has either its last day or its length in ``years``."""
    values: dict[str, object] = {**term, "starts_on": office.day(term["starts_on"])}
    years = values.pop("years", None)
    if years:
        values["ends_on"] = last_day_of(office.day(term["starts_on"]), 12 * term["years"])
    else:
        values["ends_on"] = office.day(term["ends_on"])
    return values


def _log(office: SampleOffice, entry: Entry) -> None:
    values = office.columns(ContactNote, {name: value for name, value in entry.items() if name not in {"by", "code"}})
    note = ContactNote(**values, unit=values["agreement"].unit, code=sample_code(entry["code"]), is_sample=True)
    register_contact_note(note, actor=office.person(entry["by"]), today=office.today)


def _row_of(entry: Entry) -> Model:
    """Return the row of an entry of ``steps``: what it names by its code, or a milestone of that."""
    models: dict[str, type[Agreement | Activity | Demand]]
    models = {"agreement": Agreement, "activity": Activity, "demand": Demand}
    name = next(name for name in models if name in entry)
    row = models[name].objects.get(code=entry[name])
    if "milestone" not in entry:
        return row
    return row.milestones.get(title=entry["milestone"], activity=row if isinstance(row, Activity) else None)


def _take_steps(office: SampleOffice, row: Model, entry: Entry) -> None:
    verbs = {name: verb for module in VERBS.get(type(row), ()) for name, verb in vars(module).items()}
    for step in entry.get("steps", []):
        verb = verbs[step["verb"]]
        more = {
            name: _argument(office, name, value) for name, value in step.items() if name not in {"verb", "by", "on"}
        }
        office.take(verb, row, by=office.person(step["by"]), on=office.day(step["on"]), **more)
        row = type(row)._base_manager.get(pk=row.pk)  # as the next person would read it


def _argument(office: SampleOffice, name: str, value: Any) -> object:
    if name == "today" or name.endswith("_on"):
        return office.day(value)
    return office.reference(Organization, value) if name == "partner" else value
