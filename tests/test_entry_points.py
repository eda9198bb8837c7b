"""Each edit and each refusal comes out the same, whatever entry point it is made through.

The table is derived from the code: the verbs are the functions ``register_*`` and ``edit_*`` of ``partnerships.workflows``,
their entry points the modules that call them. A verb or an entry point without a row fails, and so does an editable column
or a part without an act.

To add a row:

1. Describe the acts of the verb: an ``Act`` for each editable column and part, and one for each refusal, in a list.
2. Add a ``Subject`` to ``SUBJECTS`` under the verb's name: how the row is made, its acts, and for each module that calls the
   verb how the act is made there. ``admin_page`` and ``lines_page`` read what they need from the page; other forms bring a
   function that returns what is typed. ``lacks`` names the acts a page does not offer.
3. Take the verb out of ``PENDING``.

Callers that build their own rows (the ceremony, the sample) are named in ``BUILDERS`` with the test that covers them.
"""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships import workflows
from partnerships.dates import add_months
from partnerships.exceptions import DomainError
from partnerships.factories import (
    ActivityFactory,
    AgreementFactory,
    AgreementTypeFactory,
    AssociationFactory,
    ContactFactory,
    ContactNoteFactory,
    CooperationAreaFactory,
    DocumentFactory,
    EnterpriseFactory,
    EventFactory,
    FacilityFactory,
    MilestoneFactory,
    OrganizationFactory,
    OrganizationNameFactory,
    ProgrammeFactory,
    RegionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import (
    ActivityCredit,
    ActivityOrganization,
    AgreementArea,
    AgreementParty,
    AgreementUnit,
    AssociationMembership,
    CustodyStep,
    FacilityPartner,
    OrganizationName,
    OrganizationUnit,
    ProgrammeItem,
    User,
)
from partnerships.workflows.activities import ACTIVITY, CONTACT_NOTE
from partnerships.workflows.agreements import AGREEMENT
from partnerships.workflows.documents import DOCUMENT
from partnerships.workflows.edits import Aggregate
from partnerships.workflows.facilities import FACILITY
from partnerships.workflows.milestones import MILESTONE
from partnerships.workflows.organizations import CONTACT, ORGANIZATION
from tests.admin.forms import change_url
from tests.admin.forms import filled as filled_admin
from tests.views.sent import filled as filled_page

pytestmark = pytest.mark.django_db
PACKAGE = Path(workflows.__file__).parent.parent

# Verbs whose rows are still to be written. Nothing is added here.
PENDING = {
    "register_organization",
    "register_contact",
    "register_milestone",
    "register_activity",
    "register_completed_activity",
    "register_agreement",
    "register_signed_agreement",
    "register_contact_note",
    "register_document",
    "register_facility",
    "register_user",
    "edit_user",
}
# Who calls a verb with rows of its own, and where that is tested.
BUILDERS = {
    "partnerships.workflows.ceremonies": "tests/workflows/test_ceremonies.py",
    "partnerships.demo.activities": "tests/seeding/test_sample.py",
}


def verbs() -> dict[str, Callable[..., Any]]:
    modules = [module.name for module in pkgutil.iter_modules(workflows.__path__, "partnerships.workflows.")]
    return {
        name: verb
        for module in modules
        for name, verb in inspect.getmembers(importlib.import_module(module), inspect.isfunction)
        if verb.__module__ == module and name.startswith(("register_", "edit_"))
    }


VERBS = verbs()


def entry_points() -> set[tuple[str, str]]:
    """Each verb with each other module that mentions it."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node, "id", None) or getattr(node, "attr", None)
            if name in VERBS and VERBS[name].__module__ != module and module not in BUILDERS:
                found.add((name, module))
    return found


def nothing(row: Any) -> list[Any]:
    return []


@dataclass(frozen=True)
class Act:
    """What is done to a row: columns with their new values, parts new or changed, parts that go.

    ``given`` is what the row is made with beside the subject's own. Parts are made anew for each entry point.
    """

    name: str
    changes: Callable[[Any], Mapping[str, Any]] = lambda row: {}
    parts: Callable[[Any], list[Any]] = nothing
    removed: Callable[[Any], list[Any]] = nothing
    given: Callable[[], Mapping[str, Any]] = dict
    is_refused: bool = False


@dataclass(frozen=True)
class Way:
    """An entry point: sends an act from its page and returns the messages of a refusal."""

    send: Callable[[Client, Any, Mapping[str, Any], list[Any], list[Any]], set[str]]
    lacks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Subject:
    aggregate: Aggregate
    make: Callable[..., Any]
    acts: list[Act]
    ways: Mapping[str, Way] = field(default_factory=dict)


def sent(value: Any) -> str:
    """What a browser sends for a value."""
    if isinstance(value, bool):
        return "on" if value else ""
    value = getattr(value, "pk", value)
    return "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)


def typed_lines(formsets: list[Any], parts: list[Any], removed: list[Any]) -> dict[str, str]:
    """The parts as lines of the formsets of their models."""
    typed: dict[str, str] = {}
    by_model = {formset.model: formset for formset in formsets}
    added = dict.fromkeys(by_model, 0)
    for part in parts:
        formset = by_model[type(part)]
        number = next((n for n, line in enumerate(formset.forms) if line.instance.pk == part.pk and part.pk), None)
        if number is None:
            number = len(formset.initial_forms) + added[formset.model]
            added[formset.model] += 1
            typed[f"{formset.prefix}-TOTAL_FORMS"] = str(max(number + 1, formset.total_form_count()))
        for name in formset.empty_form.fields:
            if hasattr(part, name) and name not in {"id", formset.fk.name}:
                typed[f"{formset.prefix}-{number}-{name}"] = sent(getattr(part, name))
    for part in removed:
        formset = by_model[type(part)]
        number = next(n for n, line in enumerate(formset.forms) if line.instance.pk == part.pk)
        typed[f"{formset.prefix}-{number}-DELETE"] = "on"
    return typed


def messages(forms: list[Any], formsets: list[Any]) -> set[str]:
    lines = [line for formset in formsets for line in formset.forms]
    found = {text for form in [*forms, *lines] for texts in form.errors.values() for text in texts}
    return found | {text for formset in formsets for text in formset.non_form_errors()}


def send_in_admin(client: Client, row: Any, changes: Any, parts: list[Any], removed: list[Any]) -> set[str]:
    url = change_url(row)
    page = client.get(url)
    assert changes.keys() <= page.context["adminform"].form.fields.keys()
    formsets = [inline.formset for inline in page.context["inline_admin_formsets"]]
    data = filled_admin(page) | typed_lines(formsets, parts, removed)
    answer = client.post(url, data | {name: sent(value) for name, value in changes.items()})
    if answer.status_code == 302:
        return set()
    return messages(
        [answer.context["adminform"].form], [inline.formset for inline in answer.context["inline_admin_formsets"]]
    )


def page_way(address: str, typed: Callable[..., dict[str, Any]] | None = None, lacks: Any = ()) -> Way:
    """The page ``address``; ``typed`` says what is typed for the parts, without it they are lines."""

    def send(client: Client, row: Any, changes: Any, parts: list[Any], removed: list[Any]) -> set[str]:
        url = reverse(address, args=[row.pk])
        page = client.get(url)
        form = page.context["form"]
        assert changes.keys() <= form.fields.keys()
        if typed:
            more = typed(row, parts, removed)
            data: dict[str, Any] = {name: form[name].value() for name in form.fields if name not in more}
            data = {name: value if isinstance(value, list) else sent(value) for name, value in data.items()} | more
        else:
            data = filled_page(page) | typed_lines(list(form.formsets), parts, removed)
        answer = client.post(url, data | {name: sent(value) for name, value in changes.items()})
        if answer.status_code == 302:
            return set()
        return messages([answer.context["form"]], list(getattr(answer.context["form"], "formsets", ())))

    return Way(send, frozenset(lacks))


ADMIN = Way(send_in_admin)


def ticked(row: Any, parts: list[Any], removed: list[Any]) -> dict[str, Any]:
    """The parts of an activity as its page asks for them: boxes, and the details by their own names."""
    partners = {partner.organization_id for partner in row.partners.all()}
    credited = {(credit.area_id, credit.organization_id) for credit in row.credits.all()}
    typed: dict[str, Any] = {}
    for part in removed:
        partners -= {part.organization_id} if isinstance(part, ActivityOrganization) else set()
        credited -= {(part.area_id, part.organization_id)} if isinstance(part, ActivityCredit) else set()
    for part in parts:
        if isinstance(part, ActivityOrganization):
            partners.add(part.organization_id)
        elif isinstance(part, ActivityCredit):
            credited.add((part.area_id, part.organization_id))
        else:
            typed |= {name: sent(getattr(part, name)) for name in ("audience", "headcount", "hours")}
    typed["organizations"] = [str(pk) for pk in partners]
    return typed | {"credits": [f"{area}-{organization}" for area, organization in credited]}


def changed(part: Any, **values: Any) -> list[Any]:
    for name, value in values.items():
        setattr(part, name, value)
    return [part]


def column(name: str, value: Callable[[Any], Any]) -> Act:
    return Act(name, changes=lambda row: {name: value(row)})


def refused(name: str, **act: Any) -> Act:
    return Act(name, is_refused=True, **act)


def today() -> Any:
    return timezone.localdate()


def training(**given: Any) -> Any:
    agreement = given.pop("agreement", None) or AgreementFactory(signed=True)
    partners = [party.organization for party in agreement.parties.all()][:1]
    agreement.promised_areas.create(area=CooperationAreaFactory())
    common = {"agreement": agreement, "owner": agreement.coordinator, "organizations": partners, "training": True}
    return ActivityFactory(**common, **{"starts_on": today(), **given})


def first_area(row: Any) -> Any:
    return row.agreement.promised_areas.first().area


def other_party(row: Any) -> Any:
    return row.agreement.parties.last().organization


ACTIVITY_ACTS = [
    column("title", lambda row: "Milling course"),
    column("unit", lambda row: UnitFactory()),
    column("owner", lambda row: UserFactory(coordinator_in=row.unit)),
    column("agreement", lambda row: AgreementFactory(signed=True, unit=row.unit)),
    column("event", lambda row: EventFactory()),
    column("starts_on", lambda row: add_months(today(), 1)),
    column("ends_on", lambda row: add_months(today(), 1)),
    column("place", lambda row: "Hall 2"),
    column("summary", lambda row: "Two days"),
    Act("partner", parts=lambda row: [ActivityOrganization(organization=other_party(row))]),
    Act("partner goes", removed=lambda row: [row.partners.get()]),
    Act(
        "credit",
        parts=lambda row: [ActivityCredit(area=first_area(row), organization=row.partners.get().organization)],
    ),
    Act("training", parts=lambda row: changed(row.training, headcount=24)),
    refused(
        "credit of an organization that does not take part",
        parts=lambda row: [ActivityCredit(area=first_area(row), organization=other_party(row))],
    ),
    refused(
        "completed, moved behind that day",
        given=lambda: {"completed": True, "starts_on": None},
        changes=lambda row: {"starts_on": add_months(row.completed_on, 1)},
    ),
    refused("ends before it starts", changes=lambda row: {"ends_on": add_months(today(), -1)}),
]

AGREEMENT_ACTS = [
    column("title", lambda row: "Another title"),
    column("title_as_signed", lambda row: "另一个标题"),
    column("reference", lambda row: "A-1"),
    column("type", lambda row: AgreementTypeFactory()),
    Act(
        "unit",
        changes=lambda row: {"unit": UnitFactory(), "coordinator": None},
    ),
    column("coordinator", lambda row: UserFactory(coordinator_in=row.unit)),
    column("event", lambda row: EventFactory()),
    column("parent", lambda row: AgreementFactory(signed=True)),
    column("predecessor", lambda row: AgreementFactory(signed=True)),
    column("amount", lambda row: 5),
    column("currency", lambda row: "USD"),
    column("is_party_list_complete", lambda row: not row.is_party_list_complete),
    column("summary", lambda row: "In short"),
    Act("party", parts=lambda row: [AgreementParty(organization=EnterpriseFactory())]),
    Act("party changed", parts=lambda row: changed(row.parties.last(), signatory_person="Ms Lin")),
    Act("area", parts=lambda row: [AgreementArea(area=CooperationAreaFactory())]),
    Act("term", parts=lambda row: changed(row.terms.get(), notice=3)),
    Act("participating unit", parts=lambda row: [AgreementUnit(unit=UnitFactory())]),
    Act("custody", parts=lambda row: [CustodyStep(step="filed", desk="Shelf 3", since=today())]),
    Act("programme", parts=lambda row: [ProgrammeItem(programme=ProgrammeFactory())]),
    refused("party twice", parts=lambda row: [AgreementParty(organization=row.parties.first().organization)]),
    refused(
        "party that owes something",
        removed=lambda row: [MilestoneFactory(agreement=row, party=row.parties.first(), kind="obligation").party],
    ),
    refused("coordinator who may not see it", changes=lambda row: {"coordinator": UserFactory(user_admin=True)}),
]

NOTE_ACTS = [
    column("unit", lambda row: UnitFactory()),
    column("agreement", lambda row: AgreementFactory(signed=True, unit=row.unit)),
    column("organization", lambda row: row.agreement.parties.first().organization),
    column("contact", lambda row: ContactFactory()),
    column("milestone", lambda row: MilestoneFactory(agreement=row.agreement)),
    column("channel", lambda row: "email"),
    column("happened_on", lambda row: add_months(today(), -1)),
    column("summary", lambda row: "They called again."),
    refused("in the future", changes=lambda row: {"happened_on": add_months(today(), 1)}),
    refused(
        "about nothing",
        changes=lambda row: {"agreement": None},
    ),
    refused(
        "contact of another organization",
        changes=lambda row: {"contact": ContactFactory(), "organization": EnterpriseFactory()},
    ),
]

FACILITY_ACTS = [
    column("name", lambda row: "Training base"),
    column("name_zh", lambda row: "实训基地"),
    column("kind", lambda row: "training_base"),
    column("owner", lambda row: UserFactory(coordinator_in=row.unit)),
    column("agreement", lambda row: AgreementFactory(signed=True, unit=row.unit)),
    column("event", lambda row: EventFactory()),
    column("region", lambda row: RegionFactory()),
    column("site", lambda row: "Hall 2"),
    column("starts_on", lambda row: today()),
    Act("ends_on", changes=lambda row: {"starts_on": today(), "ends_on": add_months(today(), 12)}),
    column("capacity", lambda row: 40),
    column("summary", lambda row: "In short"),
    Act("side", parts=lambda row: [FacilityPartner(organization=EnterpriseFactory())]),
    Act("side changed", parts=lambda row: changed(row.partners.first(), head="Ms Lin")),
    Act("side goes", removed=lambda row: [row.partners.first()]),
    Act("programme", parts=lambda row: [ProgrammeItem(programme=ProgrammeFactory())]),
    refused("side twice", parts=lambda row: [FacilityPartner(organization=row.partners.first().organization)]),
    refused("ends before it starts", changes=lambda row: {"starts_on": today(), "ends_on": add_months(today(), -1)}),
    refused("owner who may not see it", changes=lambda row: {"owner": UserFactory(user_admin=True)}),
]

ORGANIZATION_ACTS = [
    column("kind", lambda row: "association"),
    column("name", lambda row: "Harbor Works"),
    column("name_zh", lambda row: "港口工程公司"),
    column("region", lambda row: RegionFactory()),
    column("uscc", lambda row: "91330000142918732X"),
    Act("institution_type", changes=lambda row: {"kind": "institution", "institution_type": "university"}),
    column("industry", lambda row: "Machines"),
    column("website", lambda row: "https://example.org/"),
    column("address", lambda row: "Quay 2"),
    column("description", lambda row: "In short"),
    Act("name", parts=lambda row: [OrganizationName(name="Harbor")]),
    Act("name goes", removed=lambda row: [row.other_names.get()]),
    Act("holder", parts=lambda row: [OrganizationUnit(unit=UnitFactory())]),
    Act("membership", parts=lambda row: [AssociationMembership(association=AssociationFactory(), member=row)]),
    refused("credit code of another", changes=lambda row: {"uscc": EnterpriseFactory(uscc="91330000142918732X").uscc}),
    refused("type of what is no institution", changes=lambda row: {"institution_type": "university"}),
    refused("name twice", parts=lambda row: [OrganizationName(name=row.other_names.get().name)]),
]

MILESTONE_ACTS = [
    column("title", lambda row: "Hand in the report"),
    column("title_zh", lambda row: "提交报告"),
    column("description", lambda row: "Three pages"),
    column("party", lambda row: row.agreement.parties.first()),
    column("requires_acceptance", lambda row: True),
    column("recurs_every_months", lambda row: 12),
    refused("comes back too seldom", changes=lambda row: {"recurs_every_months": 200}),
]

CONTACT_ACTS = [
    column("name", lambda row: "Zhou Min"),
    column("position", lambda row: "Head"),
    column("email", lambda row: "zhou@example.org"),
    column("phone", lambda row: "0571 1"),
    column("wechat", lambda row: "zhou"),
    column("preferred_channel", lambda row: "phone"),
    column("language", lambda row: "en"),
    column("ask_before_contacting", lambda row: True),
    column("is_active", lambda row: False),
    column("note", lambda row: "In short"),
    refused("no e-mail address", changes=lambda row: {"email": "zhou"}),
]

SUBJECTS = {
    "edit_activity": Subject(
        ACTIVITY,
        training,
        ACTIVITY_ACTS,
        {
            "partnerships.admin.activities": ADMIN,
            "partnerships.forms.activities": page_way("activity_edit", ticked, ["unit", "owner", "agreement"]),
        },
    ),
    "edit_agreement": Subject(
        AGREEMENT,
        lambda **given: AgreementFactory(**{"ready": True, **given}),
        AGREEMENT_ACTS,
        {
            "partnerships.admin.agreements": ADMIN,
            "partnerships.forms.agreements": page_way(
                "agreement_edit", None, ["participating unit", "custody", "programme"]
            ),
        },
    ),
    "edit_contact_note": Subject(
        CONTACT_NOTE,
        lambda **given: ContactNoteFactory(**{"happened_on": today(), **given}),
        NOTE_ACTS,
        {"partnerships.admin.activities": ADMIN},
    ),
    "edit_document": Subject(
        DOCUMENT,
        lambda **given: DocumentFactory(agreement=AgreementFactory(), **given),
        [column("title", lambda row: "Minutes"), column("kind", lambda row: "annex")],
        {"partnerships.admin.documents": ADMIN},
    ),
    "edit_facility": Subject(
        FACILITY,
        lambda **given: FacilityFactory(opened=True, **given),
        FACILITY_ACTS,
        {"partnerships.admin.facilities": ADMIN},
    ),
    "edit_milestone": Subject(
        MILESTONE,
        lambda **given: MilestoneFactory(agreement=AgreementFactory(signed=True), **given),
        MILESTONE_ACTS,
        {"partnerships.admin.milestones": ADMIN},
    ),
    "edit_organization": Subject(
        ORGANIZATION,
        lambda **given: OrganizationNameFactory(organization=OrganizationFactory(**given)).organization,
        ORGANIZATION_ACTS,
        {
            # The page of all kinds does not ask for the type of an institution.
            "partnerships.admin.organizations": Way(
                send_in_admin, frozenset({"institution_type", "type of what is no institution"})
            ),
            "partnerships.forms.organizations": page_way("organization_edit", None, ["holder", "membership"]),
        },
    ),
    "edit_contact": Subject(
        CONTACT,
        ContactFactory,
        CONTACT_ACTS,
        {
            "partnerships.admin.organizations": ADMIN,
            "partnerships.forms.organizations": page_way("contact_edit", lambda row, parts, removed: {}),
        },
    ),
}
CASES = [
    pytest.param(verb, module, act, id=f"{verb}-{module.removeprefix('partnerships.')}-{act.name}")
    for verb, subject in SUBJECTS.items()
    for module, way in subject.ways.items()
    for act in subject.acts
    if act.name not in way.lacks
]


def test_every_verb_has_its_row() -> None:
    assert SUBJECTS.keys() | PENDING == VERBS.keys()
    assert SUBJECTS.keys() & PENDING == set()


def test_every_entry_point_has_its_row() -> None:
    ours = {(verb, module) for verb, subject in SUBJECTS.items() for module in subject.ways}
    assert ours == {(verb, module) for verb, module in entry_points() if verb not in PENDING}


@pytest.mark.parametrize("verb", SUBJECTS)
def test_every_editable_column_and_part_has_its_act(verb: str) -> None:
    subject = SUBJECTS[verb]
    row = subject.make()
    changed_columns = {name for act in subject.acts if not act.is_refused for name in act.changes(row)}
    changed_parts = {type(part) for act in subject.acts if not act.given() for part in act.parts(row)}
    details = {model for model in ACTIVITY.parts if model._meta.model_name in {"researchproject", "visit"}}

    assert changed_columns == set(subject.aggregate.fields)
    assert changed_parts | details >= set(subject.aggregate.parts)


@dataclass
class Outcome:
    refusal: set[str]
    rows: dict[str, list[Any]]
    history: dict[str, list[Any]]


def outcome(subject: Subject, row: Any, do: Callable[[], set[str]]) -> Outcome:
    """What comes of it, and nothing stays: the next entry point starts from the same rows."""
    models = (subject.aggregate.model, *subject.aggregate.parts)
    before = {model: model.history.count() for model in models}  # type: ignore[attr-defined]
    with transaction.atomic():
        refusal = do()
        rows, history = {}, {}
        for model in models:
            columns = [column.attname for column in model._meta.concrete_fields if not column.primary_key]
            rows[model.__name__] = sorted(map(str, model._base_manager.values_list(*columns)))
            new = model.history.all()[: model.history.count() - before[model]]  # type: ignore[attr-defined]
            history[model.__name__] = sorted((entry.history_type, str(entry.history_user)) for entry in new)
        transaction.set_rollback(True)
    return Outcome(refusal, rows, history)


@pytest.mark.parametrize(("verb", "module", "act"), CASES)
def test_the_same_comes_of_it_through_each(verb: str, module: str, act: Act) -> None:
    subject, actor = SUBJECTS[verb], UserFactory(staff=True)
    made = subject.make(**act.given())
    row = type(made).objects.get(pk=made.pk)
    changes, parts, removed = act.changes(row), act.parts(row), act.removed(row)
    client = Client()
    client.force_login(User.objects.get(pk=actor.pk))

    def by_the_verb() -> set[str]:
        more: dict[str, Any] = {"changes": changes, "parts": [*map(copy, parts)], "removed": [*map(copy, removed)]}
        try:
            with transaction.atomic():
                VERBS[verb](type(made).objects.get(pk=made.pk), actor=actor, today=today(), **more)
        except DomainError as error:
            return {str(error)}
        return set()

    def by_the_page() -> set[str]:
        return subject.ways[module].send(client, row, changes, parts, removed)

    expected = outcome(subject, row, by_the_verb)
    assert bool(expected.refusal) == act.is_refused
    assert outcome(subject, row, by_the_page) == expected
