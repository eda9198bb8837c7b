"""Each edit and each refusal comes out the same, whatever entry point it is made through.

The table is derived from the code: the verbs are the functions ``register_*`` and ``edit_*`` of ``partnerships.workflows``,
their entry points the modules that call them. A verb or an entry point without a row fails, and so does an editable column
or a part without an act.

To add a row:

1. Describe the acts of the verb: an ``Act`` for each editable column and part, and one for each refusal, in a list.
2. Add a ``Subject`` to ``SUBJECTS`` under the verb's name (and that of the model, where a verb has several): how the row
   is made (that of a verb that registers is not saved yet), its acts, and for each module that calls the
   verb how the act is made there. ``admin_page`` and ``lines_page`` read what they need from the page; other forms bring a
   function that returns what is typed. ``lacks`` names the acts a page does not offer.

Callers that build their own rows (the ceremony, the sample) are named in ``BUILDERS`` with the test that covers them.
"""

import ast
import datetime as dt
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.db.models import DateTimeField
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships import workflows
from partnerships.dates import add_months
from partnerships.exceptions import DomainError
from partnerships.factories import (
    AchievementFactory,
    ActivityFactory,
    AgreementFactory,
    AgreementTypeFactory,
    AnswerFactory,
    AssociationFactory,
    CitationFactory,
    ContactFactory,
    ContactNoteFactory,
    ContactPositionFactory,
    CooperationAreaFactory,
    DemandFactory,
    DocumentFactory,
    EnterpriseFactory,
    EventFactory,
    EventKindFactory,
    FacilityFactory,
    HonourFactory,
    HonourSchemeFactory,
    InstitutionFactory,
    MilestoneFactory,
    OrganizationCodeFactory,
    OrganizationFactory,
    OrganizationNameFactory,
    ParticipationFactory,
    PaymentFactory,
    ProgrammeFactory,
    ProgrammeItemFactory,
    ReceiptFactory,
    RegionFactory,
    ReminderRuleFactory,
    ReportedFigureFactory,
    ReportFactory,
    ReportTextFactory,
    SourceFactory,
    StatementFactory,
    UnitFactory,
    UserFactory,
    WorkCalendarFactory,
)
from partnerships.models import (
    Achievement,
    Activity,
    ActivityCredit,
    ActivityOrganization,
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementType,
    AgreementUnit,
    ApprovalStep,
    AssociationMembership,
    CalendarDay,
    Citation,
    ContactNote,
    ContactPosition,
    CooperationArea,
    CustodyStep,
    Event,
    EventKind,
    EventPerson,
    FacilityPartner,
    HonourScheme,
    Milestone,
    MilestoneKind,
    OrganizationCode,
    OrganizationName,
    OrganizationUnit,
    Participation,
    ProgrammeItem,
    ProgrammeOrganizer,
    ProgrammeTarget,
    Receipt,
    Region,
    ReminderRule,
    ReportedFigure,
    ReportText,
    Role,
    Source,
    Statement,
    TypeMilestone,
    Unit,
    UnitMembership,
    User,
    WorkCalendar,
)
from partnerships.workflows.activities import ACTIVITY, CONTACT_NOTE
from partnerships.workflows.agreements import AGREEMENT
from partnerships.workflows.demands import ANSWER, DEMAND
from partnerships.workflows.documents import DOCUMENT
from partnerships.workflows.edits import Aggregate
from partnerships.workflows.facilities import FACILITY
from partnerships.workflows.honours import HONOUR
from partnerships.workflows.milestones import MILESTONE
from partnerships.workflows.organizations import CONTACT, ORGANIZATION
from partnerships.workflows.payments import PAYMENT
from partnerships.workflows.programmes import PROGRAMME
from partnerships.workflows.records import RECORDS
from partnerships.workflows.reports import REPORT
from partnerships.workflows.users import PREFERENCES, USER
from tests.admin.forms import change_url
from tests.admin.forms import filled as filled_admin
from tests.services.drawing import undrawn
from tests.views.sent import filled as filled_page

pytestmark = pytest.mark.django_db
PACKAGE = Path(workflows.__file__).parent.parent

# Who calls a verb with rows of its own, and where that is tested.
BUILDERS = {
    "partnerships.workflows.activities": "tests/workflows/test_activities.py",
    "partnerships.workflows.bulk": "tests/workflows/test_bulk.py",
    "partnerships.workflows.undo": "tests/workflows/test_bulk.py",
    "partnerships.workflows.ceremonies": "tests/workflows/test_ceremonies.py",
    "partnerships.workflows.demands": "tests/workflows/test_demands.py",
    "partnerships.workflows.departures": "tests/workflows/test_departures.py",
    "partnerships.imports.activities": "tests/imports/test_other_rows.py",
    "partnerships.imports.agreements": "tests/imports/test_agreement_rows.py",
    "partnerships.imports.contacts": "tests/imports/test_other_rows.py",
    "partnerships.imports.honours": "tests/imports/test_other_rows.py",
    "partnerships.imports.milestones": "tests/imports/test_other_rows.py",
    "partnerships.imports.organizations": "tests/imports/test_organization_rows.py",
    "partnerships.imports.partners": "tests/imports/test_organization_rows.py",
    "partnerships.imports.undo": "tests/imports/test_runs.py",
    "partnerships.demo.entries": "tests/seeding/test_sample.py",
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
    # What the actor is made with; None for an act on one's own account.
    actor: Mapping[str, Any] | None = field(default_factory=lambda: {"staff": True})
    # What the verb is told beside the new row and its parts.
    arguments: Callable[[Any], Mapping[str, Any]] = lambda row: {}


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
    page = undrawn(client, url)
    assert changes.keys() <= page.context["adminform"].form.fields.keys()
    formsets = [inline.formset for inline in page.context["inline_admin_formsets"]]
    data = filled_admin(page) | typed_lines(formsets, parts, removed)
    answer = client.post(url, data | {name: sent(value) for name, value in changes.items()})
    if answer.status_code == 302:
        return set()
    return messages(
        [answer.context["adminform"].form], [inline.formset for inline in answer.context["inline_admin_formsets"]]
    )


def typed_of(row: Any, names: Any) -> dict[str, str]:
    """What is typed for a new row: its values, in the fields of a form."""
    return {name: sent(getattr(row, name)) for name in names if hasattr(row, name)}


def nothing_more(row: Any, parts: list[Any]) -> dict[str, Any]:
    return {}


def add_in_admin(typed: Callable[..., dict[str, Any]] = nothing_more, address: str = "", lacks: Any = ()) -> Way:
    """The page of the admin that adds a row; ``typed`` says what is typed beside its values and parts."""

    def send(client: Client, row: Any, changes: Any, parts: list[Any], removed: list[Any]) -> set[str]:
        url = reverse(f"admin:partnerships_{address or f'{row._meta.model_name}_add'}")
        page = undrawn(client, url, {name: sent(getattr(row, name, None)) for name in ("content_type", "object_id")})
        formsets = [inline.formset for inline in page.context["inline_admin_formsets"]]
        data = filled_admin(page) | typed_lines(formsets, parts, removed)
        data |= typed_of(row, page.context["adminform"].form.fields)
        answer = client.post(url, data | typed(row, parts))
        if answer.status_code == 302:
            return set()
        shown = [inline.formset for inline in answer.context["inline_admin_formsets"]]
        return messages([answer.context["adminform"].form], shown)

    return Way(send, frozenset(lacks))


def add_page(
    address: str,
    typed: Callable[..., dict[str, Any]] = nothing_more,
    args: Callable[[Any], list[Any]] = nothing,
    lacks: Any = (),
) -> Way:
    """A page that adds a row; ``args`` are those of its address, ``typed`` what is typed beside values and lines."""

    def send(client: Client, row: Any, changes: Any, parts: list[Any], removed: list[Any]) -> set[str]:
        url = reverse(address, args=args(row))
        page = undrawn(client, url)
        form = page.context["form"]
        formsets = list(getattr(form, "formsets", ()))
        lines = typed_lines(formsets, parts, removed) if formsets else {}
        data = filled_page(page) | lines | typed_of(row, form.fields) | typed(row, parts)
        answer = client.post(url, data)
        if answer.status_code == 302:
            return set()
        form = answer.context["form"]
        return messages([form], list(getattr(form, "formsets", ())))

    return Way(send, frozenset(lacks))


def switch_language(client: Client, row: Any, changes: Any, parts: list[Any], removed: list[Any]) -> set[str]:
    client.post(reverse("my_language"), {"language": changes["language"]})
    return set()


def send_custody(client: Client, row: Any, changes: Any, parts: list[Any], removed: list[Any]) -> set[str]:
    url = reverse("agreement_step", args=[row.pk, "custody"])
    typed = {name: sent(getattr(part, name)) for part in parts for name in ("step", "desk", "since")}
    answer = client.post(url, filled_page(undrawn(client, url)) | typed)
    return set() if answer.status_code == 302 else messages([answer.context["form"]], [])


def send_milestone_edit(client: Client, row: Any, changes: Any, parts: list[Any], removed: list[Any]) -> set[str]:
    url = reverse("milestone_step", args=[row.pk, "edit"])
    typed = {name: sent(value) for name, value in changes.items()}
    answer = client.post(url, filled_page(undrawn(client, url)) | typed)
    return set() if answer.status_code == 302 else messages([answer.context["form"]], [])


def send_note_edit(client: Client, row: Any, changes: Any, parts: list[Any], removed: list[Any]) -> set[str]:
    url = reverse("contact_note_edit", args=[row.pk])
    typed = {name: sent(value) for name, value in changes.items()}
    answer = client.post(url, filled_page(undrawn(client, url)) | typed)
    return set() if answer.status_code == 302 else messages([answer.context["form"]], [])


def send_units(client: Client, row: Any, changes: Any, parts: list[Any], removed: list[Any]) -> set[str]:
    url = reverse("agreement_step", args=[row.pk, "units"])
    units = {one.unit_id for one in row.participating_units.all()} - {part.unit_id for part in removed}
    typed = {"units": [str(pk) for pk in units | {part.unit_id for part in parts}]}
    answer = client.post(url, filled_page(undrawn(client, url)) | typed)
    return set() if answer.status_code == 302 else messages([answer.context["form"]], [])


def no_parts(row: Any, parts: list[Any], removed: list[Any]) -> dict[str, Any]:
    return {}


def page_way(
    address: str, typed: Callable[..., dict[str, Any]] | None = None, lacks: Any = (), *, is_own: bool = False
) -> Way:
    """The page ``address``; ``typed`` says what is typed for the parts, without it they are lines.

    A page of one's own, ``is_own``, has no id in its address.
    """

    def send(client: Client, row: Any, changes: Any, parts: list[Any], removed: list[Any]) -> set[str]:
        url = reverse(address, args=[] if is_own else [row.pk])
        page = undrawn(client, url)
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
ADD_IN_ADMIN = add_in_admin()


def ticked(row: Any, parts: list[Any], removed: list[Any]) -> dict[str, Any]:
    """The parts of an activity as its page asks for them: boxes, and the details by their own names."""
    partners = {partner.organization_id for partner in row.partners.all()}
    credited = {(credit.area_id, credit.organization_id): credit.quantity for credit in row.credits.all()}
    typed: dict[str, Any] = {}
    for part in removed:
        partners -= {part.organization_id} if isinstance(part, ActivityOrganization) else set()
        if isinstance(part, ActivityCredit):
            del credited[part.area_id, part.organization_id]
    for part in parts:
        if isinstance(part, ActivityOrganization):
            partners.add(part.organization_id)
        elif isinstance(part, ActivityCredit):
            credited[part.area_id, part.organization_id] = part.quantity
        else:
            typed |= {name: sent(getattr(part, name)) for name in ("audience", "headcount", "hours")}
    typed["organizations"] = [str(pk) for pk in partners]
    typed |= {f"quantity_{area}-{organization}": str(quantity) for (area, organization), quantity in credited.items()}
    return typed | {"credits": [f"{area}-{organization}" for area, organization in credited]}


def changed(part: Any, **values: Any) -> list[Any]:
    for name, value in values.items():
        setattr(part, name, value)
    return [part]


def column(name: str, value: Callable[[Any], Any]) -> Act:
    return Act(name, changes=lambda row: {name: value(row)})


def absence(first: Any, last: Any) -> dict[str, Any]:
    return {"absent_from": first, "absent_until": last}


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


def same_activity(row: Any) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in ("unit", "agreement", "kind", "starts_on")},
        "title": "Spring course",
    }


def same_payment(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("agreement", "party", "amount", "currency", "due_on")}


def same_note(row: Any) -> dict[str, Any]:
    same = ("author", "unit", "agreement", "organization", "milestone", "channel", "happened_on")
    return {name: getattr(row, name) for name in same}


def same_person(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("organization", "position", "phone", "email", "wechat")}


def other_code() -> Any:
    """A new row with the code that another organization has."""
    code = OrganizationCodeFactory()
    return OrganizationCode(scheme=code.scheme.lower(), code=code.code)


def position_to_come() -> Any:
    return ContactPosition(organization=OrganizationFactory(), since=today() + dt.timedelta(days=1))


def other_party(row: Any) -> Any:
    return row.agreement.parties.last().organization


def columns(**values: Any) -> Act:
    """Several columns at once; a value that has to be made is given as a function."""
    return Act("columns", lambda row: {name: value() if callable(value) else value for name, value in values.items()})


def unsaved(factory: Any, **needed: Any) -> Callable[..., Any]:
    """A function that builds a row whose ``needed`` relations are saved."""
    return lambda **given: factory.build(
        **{name: make() for name, make in needed.items() if name not in given}, **given
    )


EVENT_ACTS = [
    columns(
        name="Fair",
        name_zh="对接会",
        unit=UnitFactory,
        starts_on=today,
        ends_on=today,
        region=RegionFactory,
        place="Hall 2",
        summary="In short",
        agenda="9:00 Welcome",
        minutes="They agreed.",
        is_participant_list_complete=False,
        is_follow_up_list_complete=False,
    ),
    Act("kind", parts=lambda row: [EventKind(kind="fair")]),
    Act("kind goes", removed=lambda row: [row.kinds.get()]),
    Act("participation", parts=lambda row: [Participation(name_as_printed="A bank")]),
    Act("participation changed", parts=lambda row: changed(row.participations.get(), role="guest")),
    Act("person", parts=lambda row: [EventPerson(user=UserFactory(staff=True), answer="accepted")]),
    Act("contact", parts=lambda row: [EventPerson(contact=ContactFactory(), attendance="came")]),
    Act("programme", parts=lambda row: [ProgrammeItem(programme=ProgrammeFactory())]),
    refused("nobody", parts=lambda row: [EventPerson(note="Who?")]),
    refused("ends before it starts", changes=lambda row: {"ends_on": add_months(row.starts_on, -1)}),
    refused("a slip in the year", changes=lambda row: {"starts_on": today().replace(year=1026)}),
    refused("kind twice", parts=lambda row: [EventKind(kind=row.kinds.get().kind)]),
    refused(
        "organization twice",
        parts=lambda row: [Participation(organization=row.participations.get().organization)],
    ),
]

DEMAND_ACTS = [
    columns(
        owner=lambda: UserFactory(staff=True),
        organization=EnterpriseFactory,
        title="Quiet bearings",
        title_zh="低噪声轴承",
        original_wording="They whistle.",
        rewritten_wording="Noise of bearings",
        field="Bearings",
        deadline_on=lambda: add_months(today(), 1),
        event=EventFactory,
        through=AssociationFactory,
        released_on=today,
    ),
    refused("arranged by who asks", changes=lambda row: {"through": row.organization}),
    Act("content not published", changes=lambda row: {"is_content_published": False, "original_wording": ""}),
    Act("programme", parts=lambda row: [ProgrammeItem(programme=ProgrammeFactory())]),
    refused("no wording", changes=lambda row: {"original_wording": ""}),
    refused("a slip in the year", changes=lambda row: {"deadline_on": today().replace(year=9026)}),
    refused("owner who may not see it", changes=lambda row: {"owner": UserFactory(user_admin=True)}),
]

ANSWER_ACTS = [
    columns(
        organization=InstitutionFactory,
        person="Guo Min",
        achievement=AchievementFactory,
        match_reason="It fits.",
        summary="A trial",
    ),
    refused(
        "person asked already",
        changes=lambda row: {"person": AnswerFactory(demand=row.demand, unit=row.unit, person="Guo Min").person},
    ),
]

HONOUR_ACTS = [
    columns(
        scheme=HonourSchemeFactory,
        organization=EnterpriseFactory,
        batch="Fourth",
        granted_on=today,
        valid_until=lambda: add_months(today(), 36),
        evidence="A letter",
    ),
    refused("lapses before it was granted", changes=lambda row: {"valid_until": add_months(row.granted_on, -1)}),
    refused("withdrawn", given=lambda: {"withdrawn": True}, changes=lambda row: {"batch": "Fourth"}),
]

PROGRAMME_ACTS = [
    columns(name="Thousand", name_zh="千校万企", unit=UnitFactory, starts_on=today, ends_on=today, summary="In short"),
    Act("organizer", parts=lambda row: [ProgrammeOrganizer(organization=EnterpriseFactory())]),
    Act("target", parts=lambda row: [ProgrammeTarget(measure="events", value=4)]),
    Act("item", parts=lambda row: [ProgrammeItem(event=EventFactory())]),
    Act("item about something else", parts=lambda row: changed(row.items.get(), event=EventFactory())),
    Act("item goes", removed=lambda row: [row.items.get()]),
    refused("ends before it starts", changes=lambda row: {"starts_on": today(), "ends_on": add_months(today(), -1)}),
    refused("item twice", parts=lambda row: [ProgrammeItem(event=row.items.get().event)]),
    refused("item about nothing", parts=lambda row: changed(row.items.get(), event=None)),
]

REPORT_ACTS = [
    columns(
        kind="programme",
        programme=ProgrammeFactory,
        unit=UnitFactory,
        year=2024,
        is_academic=True,
        language="zh-hans",
    ),
    Act("text", parts=lambda row: [ReportText(section="outlook", text="More visits.")]),
    Act("other words", parts=lambda row: changed(row.texts.get(), text="Fewer.")),
    Act("text goes", removed=lambda row: [row.texts.get()]),
    refused("section twice", parts=lambda row: [ReportText(section=row.texts.get().section, text="Again")]),
    refused("program of an annual report", changes=lambda row: {"programme": ProgrammeFactory()}),
]

# What is edited by ``edit_record``: how the row is made, and its acts.
RECORD_ACTS: dict[type[Any], tuple[Callable[..., Any], list[Act]]] = {
    Event: (lambda **given: ParticipationFactory(event=EventKindFactory().event).event, EVENT_ACTS),
    Achievement: (
        AchievementFactory,
        [
            columns(
                name="Vision",
                name_zh="识别",
                unit=UnitFactory,
                organization=InstitutionFactory,
                field="Machine vision",
                description="In short",
                intellectual_property="Patent",
                people="Guo Min",
                is_on_offer=False,
            ),
        ],
    ),
    Source: (
        lambda **given: StatementFactory(**given).source,
        [
            columns(
                title="An article",
                authors="Wu Hongfu",
                publisher="Daily",
                published_on=today,
                url="https://example.org/",
                note="In short",
            ),
            Act("sentence", parts=lambda row: [Statement(number=901, opening="They met", text="They met.")]),
            refused(
                "number twice", parts=lambda row: [Statement(number=row.statements.get().number, opening="x", text="x")]
            ),
            refused("no address", changes=lambda row: {"url": "nowhere"}),
        ],
    ),
    ReportedFigure: (
        ReportedFigureFactory,
        [
            columns(
                name="Signed",
                name_zh="签约数",
                unit=UnitFactory,
                source=SourceFactory,
                event=EventFactory,
                scheme=HonourSchemeFactory,
                value=12,
                qualifier="at_least",
                as_of=today,
                as_of_precision="year",
                printed="12",
                counting_rule="event_demands",
            ),
            Act("share", changes=lambda row: {"measure": "share", "counting_rule": ""}),
            Act("of an organization", changes=lambda row: {"event": None, "organization": EnterpriseFactory()}),
            Act("of a region", changes=lambda row: {"event": None, "region": RegionFactory()}),
            Act("of a programme", changes=lambda row: {"event": None, "programme": ProgrammeFactory()}),
            refused("of nothing", changes=lambda row: {"event": None}),
            refused("negative", changes=lambda row: {"value": -1}),
            refused("honour not named", changes=lambda row: {"counting_rule": "region_with_honour"}),
        ],
    ),
    Citation: (
        lambda **given: CitationFactory(record=EventFactory(), **given),
        [
            columns(field="name", printed="As printed", is_assumption=True, note="In short"),
            Act("of another source", changes=lambda row: {"source": SourceFactory(), "statement": None}),
            Act("sentence", changes=lambda row: {"statement": StatementFactory(source=row.source)}),
            refused("sentence of another source", changes=lambda row: {"statement": StatementFactory()}),
            refused("nothing printed, nothing assumed", changes=lambda row: {"printed": ""}),
        ],
    ),
    ReminderRule: (
        ReminderRuleFactory,
        [
            columns(
                milestone_kind="obligation",
                unit=UnitFactory,
                agreement_type=AgreementTypeFactory,
                offset=2,
                offset_unit="weeks",
                direction="after",
                send_time=lambda: dt.time(9, 30),
                shift="next",
                audience="named",
                named_person=UserFactory,
                is_enabled=False,
            ),
            Act("of an agreement", changes=lambda row: {"agreement": AgreementFactory()}),
            Act("silence", changes=lambda row: {"audience": "nobody", "agreement": AgreementFactory()}),
            refused("two scopes", changes=lambda row: {"agreement": AgreementFactory(), "unit": UnitFactory()}),
            refused("nobody named", changes=lambda row: {"audience": "named"}),
        ],
    ),
    HonourScheme: (
        HonourSchemeFactory,
        [
            columns(
                name="Giant",
                name_zh="小巨人",
                level="national",
                issuer="Ministry",
                validity_months=36,
                next_scheme=HonourSchemeFactory,
            ),
            refused(
                "a circle",
                changes=lambda row: {
                    "next_scheme": HonourSchemeFactory(next_scheme=HonourSchemeFactory(next_scheme=row))
                },
            ),
        ],
    ),
    AgreementType: (
        AgreementTypeFactory,
        [
            columns(name="Letter", name_zh="意向书", is_active=False, review_months=6, lead_days=14, review_workdays=3),
            Act(
                "milestone",
                parts=lambda row: [TypeMilestone(title="First report", title_zh="首次报告", months_after_signing=6)],
            ),
            Act("approval step", parts=lambda row: [ApprovalStep(position=1, name="Legal check", name_zh="法务审核")]),
            refused("for too long", changes=lambda row: {"review_months": 32000}),
        ],
    ),
    CooperationArea: (CooperationAreaFactory, [columns(name="Training", name_zh="培训", is_active=False)]),
    Region: (
        RegionFactory,
        [
            columns(name="Anji", name_zh="安吉", level="county", parent=RegionFactory, note="In short"),
            refused("below itself", changes=lambda row: {"parent": RegionFactory(parent=row)}),
        ],
    ),
    WorkCalendar: (
        WorkCalendarFactory,
        [
            columns(name="China", name_zh="中国", covered_until=today),
            Act("day", parts=lambda row: [CalendarDay(day=today(), is_workday=True, name="Worked")]),
        ],
    ),
    Unit: (
        UnitFactory,
        [
            columns(
                name="Office",
                name_zh="合作处",
                short_name="Coop",
                short_name_zh="合作",
                parent=UnitFactory,
                organization=InstitutionFactory,
                fallback_person=lambda: UserFactory(staff=True),
                time_zone="Europe/Berlin",
                work_calendar=WorkCalendarFactory,
            ),
            refused("below itself", changes=lambda row: {"parent": UnitFactory(parent=row)}),
            refused("no time zone", changes=lambda row: {"time_zone": "Nowhere/Town"}),
            refused("fallback person of another unit", changes=lambda row: {"fallback_person": UserFactory()}),
        ],
    ),
}
# How the other records are made that ``register_record`` registers; events and citations have acts of their own.
NEW_RECORDS: dict[type[Any], Callable[..., Any]] = {
    Achievement: unsaved(AchievementFactory, unit=UnitFactory, organization=InstitutionFactory),
    Source: unsaved(SourceFactory),
    ReportedFigure: unsaved(ReportedFigureFactory, unit=UnitFactory, source=SourceFactory, event=EventFactory),
    HonourScheme: unsaved(HonourSchemeFactory),
    AgreementType: unsaved(AgreementTypeFactory),
    CooperationArea: unsaved(CooperationAreaFactory),
    Region: unsaved(RegionFactory),
    WorkCalendar: unsaved(WorkCalendarFactory),
    ReminderRule: unsaved(ReminderRuleFactory),
    Unit: unsaved(UnitFactory),
}

ACTIVITY_ACTS = [
    column("title", lambda row: "Milling course"),
    column("title_zh", lambda row: "铣削课程"),
    column("unit", lambda row: UnitFactory()),
    column("owner", lambda row: UserFactory(coordinator_in=row.unit)),
    column("agreement", lambda row: AgreementFactory(signed=True, unit=row.unit)),
    column("event", lambda row: EventFactory()),
    column("through", lambda row: AssociationFactory()),
    refused("arranged by who takes part", changes=lambda row: {"through": row.partners.get().organization}),
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
    Act(
        "credit of several",
        parts=lambda row: [
            ActivityCredit(area=first_area(row), organization=row.partners.get().organization, quantity=12)
        ],
    ),
    refused(
        "credit of nothing",
        parts=lambda row: [
            ActivityCredit(area=first_area(row), organization=row.partners.get().organization, quantity=0)
        ],
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
    refused("planned twice", changes=lambda row: {"title": ActivityFactory(**same_activity(row)).title}),
    refused(
        "completed twice",
        given=lambda: {"completed": True},
        changes=lambda row: {"title": ActivityFactory(**same_activity(row), completed=True).title},
    ),
    refused(
        "agreement that has ended",
        changes=lambda row: {"agreement": AgreementFactory(terminated=True, unit=row.unit)},
    ),
]


def agreement_in_chinese(unit: Unit) -> Agreement:
    return AgreementFactory(unit=unit, title_zh="校企合作协议")


def two_courses_a_year() -> AgreementArea:
    return AgreementArea(area=CooperationAreaFactory(), quantity=2, counted="courses", per="year")


CUSTODY_ACTS = [
    Act("custody", parts=lambda row: [CustodyStep(step="filed", desk="Shelf 3", since=today())]),
    refused(
        "custody from tomorrow",
        parts=lambda row: [CustodyStep(step="filed", desk="Shelf 3", since=today() + dt.timedelta(days=1))],
    ),
]
AGREEMENT_ACTS = [
    column("title", lambda row: "Another title"),
    column("title_zh", lambda row: "另一个标题"),
    column("title_as_signed", lambda row: "另一个标题"),
    column("reference", lambda row: "A-1"),
    column("type", lambda row: AgreementTypeFactory()),
    Act(
        "unit",
        changes=lambda row: {"unit": UnitFactory(), "coordinator": None},
    ),
    column("coordinator", lambda row: UserFactory(coordinator_in=row.unit)),
    column("event", lambda row: EventFactory()),
    column("through", lambda row: AssociationFactory()),
    refused("arranged by a signatory", changes=lambda row: {"through": row.parties.first().organization}),
    column("parent", lambda row: AgreementFactory(signed=True)),
    column("predecessor", lambda row: AgreementFactory(signed=True)),
    column("amount", lambda row: 5),
    column("currency", lambda row: "USD"),
    column("is_party_list_complete", lambda row: not row.is_party_list_complete),
    column("summary", lambda row: "In short"),
    column("archive_number", lambda row: "2026-KJ-17"),
    column("copies", lambda row: 4),
    Act("party", parts=lambda row: [AgreementParty(organization=EnterpriseFactory())]),
    Act("party changed", parts=lambda row: changed(row.parties.last(), signatory_person="Ms Lin")),
    Act(
        "how a party signed",
        parts=lambda row: changed(
            row.parties.last(), signs_as="legal", signatory_position="Director", seal="official", copies=2
        ),
    ),
    refused(
        "more copies kept than made",
        changes=lambda row: {"copies": 1},
        parts=lambda row: changed(row.parties.last(), copies=2),
    ),
    Act("area", parts=lambda row: [AgreementArea(area=CooperationAreaFactory())]),
    Act("area with a quantity", parts=lambda row: [two_courses_a_year()]),
    refused("a year of nothing", parts=lambda row: [AgreementArea(area=CooperationAreaFactory(), per="year")]),
    Act("term", parts=lambda row: changed(row.terms.get(), notice=3)),
    Act("participating unit", parts=lambda row: [AgreementUnit(unit=UnitFactory())]),
    *CUSTODY_ACTS,
    Act("programme", parts=lambda row: [ProgrammeItem(programme=ProgrammeFactory())]),
    refused("party twice", parts=lambda row: [AgreementParty(organization=row.parties.first().organization)]),
    refused(
        "party that owes something",
        removed=lambda row: [MilestoneFactory(agreement=row, party=row.parties.first(), kind="obligation").party],
    ),
    refused("coordinator who may not see it", changes=lambda row: {"coordinator": UserFactory(user_admin=True)}),
    refused("title of another", changes=lambda row: {"title": AgreementFactory(unit=row.unit).title.upper()}),
    refused("Chinese title of another", changes=lambda row: {"title_zh": agreement_in_chinese(row.unit).title_zh}),
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
    refused("logged already", changes=lambda row: {"summary": ContactNoteFactory(**same_note(row)).summary}),
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
    column("area", lambda row: CooperationAreaFactory()),
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

PAYMENT_ACTS = [
    column("party", lambda row: row.agreement.parties.first()),
    column("purpose", lambda row: "Second year"),
    column("amount", lambda row: Decimal("12.50")),
    Act("currency", changes=lambda row: {"currency": "USD"}, removed=lambda row: [row.receipts.get()]),
    Act("is_in_kind", changes=lambda row: {"is_in_kind": True}, removed=lambda row: [row.receipts.get()]),
    column("due_on", lambda row: today()),
    refused("receipts in another currency", changes=lambda row: {"currency": "USD"}),
    refused("receipts in kind", changes=lambda row: {"is_in_kind": True}),
    Act("receipt", parts=lambda row: [Receipt(received_on=today(), amount=Decimal(5), note="Voucher 7")]),
    Act("receipt changed", parts=lambda row: changed(row.receipts.get(), amount=Decimal(6))),
    Act("receipt goes", removed=lambda row: [row.receipts.get()]),
    refused("nothing is promised", changes=lambda row: {"amount": Decimal(0)}),
    refused("nothing is received", parts=lambda row: [Receipt(received_on=today(), amount=Decimal(0))]),
    refused(
        "more than promised",
        parts=lambda row: [Receipt(received_on=today(), amount=row.amount - row.total_received + 1)],
    ),
    refused(
        "received in the future",
        parts=lambda row: [Receipt(received_on=today() + dt.timedelta(days=5), amount=Decimal(5))],
    ),
]


def with_liaison(association: Any) -> Any:
    association.members_liaison = ContactFactory(organization=association)
    association.save()
    return association


ORGANIZATION_ACTS = [
    column("kind", lambda row: "association"),
    column("name", lambda row: "Harbor Works"),
    column("name_zh", lambda row: "港口工程公司"),
    column("region", lambda row: RegionFactory()),
    column("uscc", lambda row: "91330000142918732X"),
    Act("institution_type", changes=lambda row: {"kind": "institution", "institution_type": "university"}),
    column("industry", lambda row: "Machines"),
    column("strengths", lambda row: "Green manufacturing"),
    column("website", lambda row: "https://example.org/"),
    column("part_of", lambda row: InstitutionFactory()),
    column("country", lambda row: "HK"),
    column("address", lambda row: "Quay 2"),
    column("description", lambda row: "In short"),
    Act(
        "members_liaison",
        given=lambda: {"kind": "association"},
        changes=lambda row: {"members_liaison": ContactFactory(organization=row)},
    ),
    refused(
        "liaison from elsewhere",
        given=lambda: {"kind": "association"},
        changes=lambda row: {"members_liaison": ContactFactory()},
    ),
    refused(
        "liaison of what is no association any more",
        given=lambda: {"kind": "association"},
        changes=lambda row: {"kind": with_liaison(row) and "enterprise"},
    ),
    Act("name", parts=lambda row: [OrganizationName(name="Harbor")]),
    Act("name goes", removed=lambda row: [row.other_names.get()]),
    Act("code", parts=lambda row: [OrganizationCode(scheme="ROR", code="02mhbdp94")]),
    Act("code goes", removed=lambda row: [OrganizationCodeFactory(organization=row)]),
    Act("holder", parts=lambda row: [OrganizationUnit(unit=UnitFactory())]),
    Act("membership", parts=lambda row: [AssociationMembership(association=AssociationFactory(), member=row)]),
    refused("credit code of another", changes=lambda row: {"uscc": EnterpriseFactory(uscc="91330000142918732X").uscc}),
    refused("looks like another", changes=lambda row: {"name": OrganizationFactory(name="Harbor Works").name}),
    refused("code of another", parts=lambda row: [other_code()]),
    refused("code twice", parts=lambda row: [OrganizationCode(scheme="ROR", code="1") for _again in "ab"]),
    refused("part of its own part", changes=lambda row: {"part_of": OrganizationFactory(part_of=row)}),
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
    refused(
        "open already", changes=lambda row: {"title": MilestoneFactory(**{**same_place(row), "title": "Report"}).title}
    ),
]

CONTACT_ACTS = [
    column("name", lambda row: "Zhou Min"),
    column("position", lambda row: "Head"),
    column("email", lambda row: "zhou@example.org"),
    column("phone", lambda row: "0571 1"),
    column("wechat", lambda row: "zhou"),
    column("preferred_channel", lambda row: "phone"),
    column("language", lambda row: "en"),
    column("permission", lambda row: "ask"),
    column("is_shared", lambda row: True),
    column("is_active", lambda row: False),
    column("since", lambda row: today()),
    columns(is_active=False, until=today),
    column("note", lambda row: "In short"),
    Act("position", parts=lambda row: [ContactPosition(organization=OrganizationFactory(), position="Chair")]),
    Act("position goes", removed=lambda row: [ContactPositionFactory(contact=row)]),
    refused("left and still there", changes=lambda row: {"until": today()}),
    refused("only for the holder and shared", changes=lambda row: {"permission": "holder", "is_shared": True}),
    refused("position to come", parts=lambda row: [position_to_come()]),
    refused("no e-mail address", changes=lambda row: {"email": "zhou"}),
    refused("same person", changes=lambda row: {"name": ContactFactory(**same_person(row)).name}),
]

PREFERENCES_ACTS = [
    column("language", lambda row: "zh-hans"),
    column("time_zone", lambda row: "Europe/Berlin"),
    column("decision_mode", lambda row: "digest"),
    column("reminder_mode", lambda row: "feed"),
    column("contact_mode", lambda row: "digest"),
    column("news_mode", lambda row: "feed"),
    column("gets_month_mail", lambda row: True),
    column("reminder_hour", lambda row: 19),
    column("deputy", lambda row: UserFactory(coordinator_in=row.memberships.get().unit)),
    columns(absent_from=today, absent_until=today),
    refused("deputy who is no colleague", changes=lambda row: {"deputy": UserFactory()}),
    refused("absence that ends before it begins", changes=lambda row: absence(today(), add_months(today(), -1))),
]

USER_ACTS = [
    column("username", lambda row: "zhou.min"),
    column("name", lambda row: "Zhou Min"),
    column("email", lambda row: "zhou@example.org"),
    column("is_user_admin", lambda row: True),
    column("is_auditor", lambda row: True),
    column("is_staff", lambda row: True),
    column("is_superuser", lambda row: True),
    column("language", lambda row: "zh-hans"),
    column("time_zone", lambda row: "Europe/Berlin"),
    Act("role", parts=lambda row: [UnitMembership(unit=UnitFactory(), role=Role.COORDINATOR)]),
    Act("role changed", parts=lambda row: changed(row.memberships.get(), role=Role.LEAD)),
    Act("role goes", removed=lambda row: [row.memberships.get()]),
    refused("address of another", changes=lambda row: {"email": UserFactory().email.upper()}),
    refused("role twice", parts=lambda row: [UnitMembership(unit=row.memberships.get().unit, role=Role.LEAD)]),
]

NEW_ORGANIZATION_ACTS = [
    columns(
        name_zh="港口工程公司",
        part_of=InstitutionFactory,
        country="TW",
        region=RegionFactory,
        uscc="91330000142918732X",
        industry="Machines",
        website="https://example.org/",
        address="Quay 2",
        description="In short",
    ),
    Act("code", parts=lambda row: [OrganizationCode(scheme="ROR", code="02mhbdp94")]),
    refused("looks like another", changes=lambda row: {"name": OrganizationFactory(name="Harbor Works").name}),
    refused("code of another", parts=lambda row: [other_code()]),
    refused("credit code of another", changes=lambda row: {"uscc": EnterpriseFactory(uscc="91330000142918732X").uscc}),
]


def action_point(**given: Any) -> Any:
    agreement = given.pop("agreement", None) or AgreementFactory(signed=True)
    return Milestone(
        kind=MilestoneKind.ACTION_POINT,
        title="Send the list",
        agreement=agreement,
        unit=agreement.unit,
        due_on=add_months(today(), 1),
        owner=agreement.coordinator,
    )


def same_place(row: Any) -> dict[str, Any]:
    return {"agreement": row.agreement, "title": row.title, "due_on": row.due_on}


def new_meeting(**given: Any) -> Any:
    agreement = given.get("agreement") or AgreementFactory(signed=True)
    meeting = Activity(
        kind="meeting",
        title="Round table",
        agreement=agreement,
        unit=agreement.unit,
        owner=agreement.coordinator,
        starts_on=today(),
    )
    return changed(meeting, afterwards={"no_next_step_reason": "They write first"})[0]


NEW_ACTIVITY_ACTS = [
    columns(
        title_zh="圆桌会议",
        ends_on=today,
        place="Hall 2",
        summary="Two days",
        event=EventFactory,
        through=AssociationFactory,
    ),
    Act("new", parts=lambda row: [ActivityOrganization(organization=row.agreement.parties.last().organization)]),
    refused("ends before it starts", changes=lambda row: {"ends_on": add_months(today(), -1)}),
]


def planned(row: Any, parts: list[Any]) -> dict[str, Any]:
    organizations = [str(part.organization_id) for part in parts]
    return {"agreement": str(row.agreement_id), "organizations": organizations, "areas": [], "is_done": ""}


def recorded(row: Any, parts: list[Any]) -> dict[str, Any]:
    when = "date" if row.afterwards.get("next_step") else "none"
    return {**planned(row, parts), "is_done": "on", "next_step_when": when, **row.afterwards}


def new_agreement(**given: Any) -> Any:
    unit = UnitFactory()
    coordinator = UserFactory(coordinator_in=unit)
    agreement = Agreement(title="Joint centre", type=AgreementTypeFactory(), unit=unit, coordinator=coordinator)
    return changed(agreement, on=today())[0]


def two_parties(row: Any) -> list[Any]:
    return [AgreementParty(organization=OrganizationFactory()) for _side in "ab"]


NEW_MILESTONE_ACTS = [
    Act("new", changes=lambda row: {"title_zh": "寄送名单"}),
    columns(
        kind="obligation",
        description="By post",
        requires_acceptance=True,
        recurs_every_months=12,
    ),
    refused("before the signing", changes=lambda row: {"due_on": add_months(row.agreement.signed_on, -1)}),
    refused("open already", changes=lambda row: {"title": MilestoneFactory(**same_place(row)).title}),
    refused("agreement that has ended", given=lambda: {"agreement": AgreementFactory(terminated=True)}),
    refused("owner who may not see it", changes=lambda row: {"owner": UserFactory(user_admin=True)}),
]

NEW_AGREEMENT_ACTS = [
    replace(
        columns(
            title_zh="共建中心协议",
            title_as_signed="共建中心协议",
            reference="A-1",
            event=EventFactory,
            through=AssociationFactory,
            amount=5,
            currency="USD",
            is_party_list_complete=False,
        ),
        parts=two_parties,
    ),
    Act(
        "frame",
        changes=lambda row: {
            "parent": AgreementFactory(signed=True),
            "predecessor": AgreementFactory(signed=True),
            "summary": "In short",
        },
        parts=two_parties,
    ),
    Act("new", parts=lambda row: [*two_parties(row), AgreementArea(area=CooperationAreaFactory())]),
    Act("new with a quantity", parts=lambda row: [*two_parties(row), two_courses_a_year()]),
    refused(
        "party twice",
        parts=lambda row: [AgreementParty(organization=one) for one in [OrganizationFactory()] for _again in "ab"],
    ),
    refused(
        "title of another",
        changes=lambda row: {"title": AgreementFactory(unit=row.unit).title},
        parts=two_parties,
    ),
    refused(
        "coordinator who may not see it",
        changes=lambda row: {"coordinator": UserFactory(user_admin=True)},
        parts=two_parties,
    ),
]


def new_note(**given: Any) -> Any:
    agreement = AgreementFactory(signed=True)
    return ContactNote(
        agreement=agreement, unit=agreement.unit, channel="call", happened_on=today(), summary="They agree."
    )


def paper(row: Any) -> SimpleUploadedFile:
    return SimpleUploadedFile(getattr(row, "file_name", "minutes.pdf"), b"%PDF-1.7\n")


ITEMS_OF_PROGRAMME = ("item", "item about something else", "item goes", "item twice", "item about nothing")
# Records of ``register_record`` and ``edit_record`` that have pages beside the admin's.
ADD_PAGES: dict[Any, dict[str, Way]] = {
    model: {"partnerships.forms.records": add_page(f"{kind}_add")}
    for model, kind in ((Achievement, "achievement"), (ReportedFigure, "figure"), (Source, "source"))
}
EDIT_PAGES: dict[Any, dict[str, Way]] = {
    Achievement: {"partnerships.forms.records": page_way("achievement_edit")},
    ReportedFigure: {"partnerships.forms.records": page_way("figure_edit")},
    Source: {"partnerships.forms.records": page_way("source_edit")},
    Citation: {"partnerships.forms.records": page_way("citation_edit", lacks=["sentence of another source"])},
    Event: {"partnerships.forms.records": page_way("event_edit", lacks=["person", "contact", "nobody"])},
}

SUBJECTS = {
    "register_demand": Subject(
        DEMAND,
        unsaved(DemandFactory, unit=UnitFactory, organization=EnterpriseFactory),
        [
            Act("new", changes=lambda row: {"deadline_on": add_months(today(), 1)}),
            refused("no wording", changes=lambda row: {"original_wording": ""}),
            refused("owner who may not see it", changes=lambda row: {"owner": UserFactory(user_admin=True)}),
        ],
        {"partnerships.admin.demands": ADD_IN_ADMIN, "partnerships.forms.records": add_page("demand_add")},
    ),
    "edit_demand": Subject(
        DEMAND,
        DemandFactory,
        DEMAND_ACTS,
        {
            "partnerships.admin.demands": ADMIN,
            "partnerships.forms.records": page_way("demand_edit"),
        },
    ),
    "edit_answer": Subject(ANSWER, AnswerFactory, ANSWER_ACTS, {"partnerships.admin.demands": ADMIN}),
    "register_honour": Subject(
        HONOUR,
        unsaved(HonourFactory, scheme=HonourSchemeFactory, organization=EnterpriseFactory, unit=UnitFactory),
        [
            Act("new", changes=lambda row: {"valid_until": add_months(today(), 1)}),
            refused("a slip in the year", changes=lambda row: {"valid_until": today().replace(year=9026)}),
        ],
        {"partnerships.admin.honours": ADD_IN_ADMIN, "partnerships.forms.records": add_page("honour_add")},
    ),
    "edit_honour": Subject(
        HONOUR,
        HonourFactory,
        HONOUR_ACTS,
        {"partnerships.admin.honours": ADMIN, "partnerships.forms.records": page_way("honour_edit")},
    ),
    "register_programme": Subject(
        PROGRAMME,
        unsaved(ProgrammeFactory, unit=UnitFactory),
        [
            Act("new", parts=lambda row: [ProgrammeTarget(measure="events", value=4)]),
            refused("target twice", parts=lambda row: [ProgrammeTarget(measure="events", value=4) for _again in "ab"]),
        ],
        {"partnerships.admin.programmes": ADD_IN_ADMIN, "partnerships.forms.records": add_page("programme_add")},
    ),
    "edit_programme": Subject(
        PROGRAMME,
        lambda **given: ProgrammeItemFactory(programme=ProgrammeFactory(**given)).programme,
        PROGRAMME_ACTS,
        {
            "partnerships.admin.programmes": ADMIN,
            "partnerships.forms.records": page_way("programme_edit", lacks=ITEMS_OF_PROGRAMME),
        },
    ),
    "register_report": Subject(
        REPORT,
        unsaved(ReportFactory, unit=UnitFactory),
        [
            Act("new", parts=lambda row: [ReportText(section="summary", text="Growth.")]),
            refused("section twice", parts=lambda row: [ReportText(section="summary", text="A") for _again in "ab"]),
        ],
        {"partnerships.forms.reports": add_page("report_add")},
    ),
    "edit_report": Subject(
        REPORT,
        lambda **given: ReportTextFactory(report=ReportFactory(**given)).report,
        REPORT_ACTS,
        {"partnerships.forms.reports": page_way("report_edit")},
    ),
    "register_record citation": Subject(
        RECORDS[Citation],
        lambda **given: Citation(record=EventFactory(), source=SourceFactory(), printed="As printed", **given),
        [
            Act("new"),
            refused("nothing printed, nothing assumed", changes=lambda row: {"printed": ""}),
        ],
        {
            "partnerships.admin.base": ADD_IN_ADMIN,
            "partnerships.forms.records": add_page("citation_add", args=lambda row: ["event", row.object_id]),
        },
    ),
    "register_record event": Subject(
        RECORDS[Event],
        unsaved(EventFactory, unit=UnitFactory),
        [
            Act("new", parts=lambda row: [EventKind(kind="fair"), Participation(name_as_printed="A bank")]),
            refused("ends before it starts", changes=lambda row: {"ends_on": add_months(row.starts_on, -1)}),
            refused("kind twice", parts=lambda row: [EventKind(kind="fair"), EventKind(kind="fair")]),
        ],
        {"partnerships.admin.base": ADD_IN_ADMIN, "partnerships.forms.records": add_page("event_add")},
    ),
    **{
        f"register_record {model._meta.model_name}": Subject(
            RECORDS[model],
            make,
            [Act("new")],
            {"partnerships.admin.base": ADD_IN_ADMIN, **ADD_PAGES.get(model, {})},
            {"system_admin": True},
        )
        for model, make in NEW_RECORDS.items()
    },
    **{
        f"edit_record {model._meta.model_name}": Subject(
            RECORDS[model],
            make,
            acts,
            {"partnerships.admin.base": ADMIN, **EDIT_PAGES.get(model, {})},
            {"system_admin": True},
        )
        for model, (make, acts) in RECORD_ACTS.items()
    },
    # The page of an event's people.
    "edit_record event of people": Subject(
        RECORDS[Event],
        EventFactory,
        [
            column("agenda", lambda row: "9:00 Welcome"),
            column("minutes", lambda row: "They agreed."),
            Act("person", parts=lambda row: [EventPerson(user=UserFactory(staff=True), answer="accepted")]),
            Act("contact", parts=lambda row: [EventPerson(contact=ContactFactory(), attendance="came")]),
            refused("nobody", parts=lambda row: [EventPerson(note="Who?")]),
        ],
        {"partnerships.forms.events": page_way("event_people")},
        {"system_admin": True},
    ),
    "edit_activity": Subject(
        ACTIVITY,
        training,
        ACTIVITY_ACTS,
        {
            "partnerships.admin.activities": ADMIN,
            "partnerships.forms.activities": page_way(
                "activity_edit", ticked, ["unit", "owner", "agreement", "agreement that has ended"]
            ),
        },
    ),
    "edit_agreement": Subject(
        AGREEMENT,
        lambda **given: AgreementFactory(**{"ready": True, **given}),
        AGREEMENT_ACTS,
        {
            "partnerships.admin.agreements": ADMIN,
            "partnerships.forms.agreements": page_way(
                "agreement_edit", None, ["participating unit", "custody", "custody from tomorrow", "programme"]
            ),
        },
    ),
    "edit_agreement of custody": Subject(
        AGREEMENT,
        lambda **given: AgreementFactory(**{"signed": True, **given}),
        CUSTODY_ACTS,
        {"partnerships.forms.agreements": Way(send_custody)},
    ),
    "edit_agreement of units": Subject(
        AGREEMENT,
        lambda **given: AgreementFactory(**{"signed": True, **given}),
        [Act("participating unit", parts=lambda row: [AgreementUnit(unit=UnitFactory())])],
        {"partnerships.forms.agreements": Way(send_units)},
    ),
    "edit_contact_note": Subject(
        CONTACT_NOTE,
        lambda **given: ContactNoteFactory(**{"happened_on": today(), **given}),
        NOTE_ACTS,
        {
            "partnerships.admin.activities": ADMIN,
            "partnerships.forms.steps": Way(
                send_note_edit,
                frozenset({"unit", "agreement", "organization", "contact", "milestone", "about nothing"})
                | {"contact of another organization"},
            ),
        },
    ),
    "edit_document": Subject(
        DOCUMENT,
        lambda **given: DocumentFactory(agreement=AgreementFactory(), **given),
        [
            column("title", lambda row: "Minutes"),
            column("kind", lambda row: "annex"),
            column("level", lambda row: "unit"),
        ],
        {"partnerships.admin.documents": ADMIN, "partnerships.forms.documents": page_way("document_edit", no_parts)},
    ),
    "edit_facility": Subject(
        FACILITY,
        lambda **given: FacilityFactory(opened=True, **given),
        FACILITY_ACTS,
        {
            "partnerships.admin.facilities": ADMIN,
            "partnerships.forms.records": page_way("facility_edit"),
        },
    ),
    "edit_milestone": Subject(
        MILESTONE,
        lambda **given: MilestoneFactory(agreement=AgreementFactory(signed=True), **given),
        MILESTONE_ACTS,
        {"partnerships.admin.milestones": ADMIN, "partnerships.forms.milestones": Way(send_milestone_edit)},
    ),
    "edit_payment": Subject(
        PAYMENT,
        lambda **given: ReceiptFactory(payment=PaymentFactory(**given)).payment,
        PAYMENT_ACTS,
        {"partnerships.admin.payments": ADMIN, "partnerships.forms.payments": page_way("payment_edit")},
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
            "partnerships.forms.organizations": page_way(
                # The page offers the contacts of the association alone.
                "organization_edit",
                None,
                ["holder", "membership", "liaison from elsewhere"],
            ),
        },
    ),
    # The pages of one kind ask for what that kind alone has.
    "edit_organization of one kind": Subject(
        ORGANIZATION,
        InstitutionFactory,
        [
            column("institution_type", lambda row: "university"),
            column("name", lambda row: "Harbor College"),
            refused("name twice", parts=lambda row: [OrganizationName(name="Harbor") for _again in "ab"]),
        ],
        {"partnerships.admin.organizations": ADMIN},
    ),
    "edit_contact": Subject(
        CONTACT,
        ContactFactory,
        CONTACT_ACTS,
        {
            "partnerships.admin.organizations": ADMIN,
            "partnerships.forms.organizations": page_way("contact_edit", None),
        },
    ),
    "edit_user": Subject(
        USER,
        lambda **given: UserFactory(coordinator_in=UnitFactory(), **given),
        USER_ACTS,
        {"partnerships.admin.users": ADMIN},
        {"system_admin": True},
    ),
    "edit_preferences": Subject(
        PREFERENCES,
        lambda **given: UserFactory(coordinator_in=UnitFactory(), **given),
        PREFERENCES_ACTS,
        {
            # The page offers colleagues alone and says so in words of its own.
            "partnerships.forms.my_settings": page_way("me", no_parts, ["deputy who is no colleague"], is_own=True),
            "partnerships.views.my_settings": Way(
                switch_language, frozenset(act.name for act in PREFERENCES_ACTS) - {"language"}
            ),
        },
        actor=None,
    ),
}
SUBJECTS |= {
    "register_organization": Subject(
        ORGANIZATION,
        unsaved(OrganizationFactory),
        [
            Act("new", parts=lambda row: [OrganizationName(name="Harbor"), OrganizationUnit(unit=UnitFactory())]),
            *NEW_ORGANIZATION_ACTS,
        ],
        {"partnerships.admin.organizations": ADD_IN_ADMIN},
    ),
    # The page asks which unit holds the organization.
    "register_organization of a unit": Subject(
        ORGANIZATION,
        lambda **given: changed(OrganizationFactory.build(**given), unit=UnitFactory())[0],
        [Act("new", parts=lambda row: [OrganizationName(name="Harbor")]), *NEW_ORGANIZATION_ACTS],
        {"partnerships.forms.organizations": add_page("organization_add")},
        arguments=lambda row: {"unit": row.unit},
    ),
    "register_contact": Subject(
        CONTACT,
        unsaved(ContactFactory, organization=OrganizationFactory),
        [
            columns(
                position="Head",
                email="zhou@example.org",
                phone="0571 1",
                wechat="zhou",
                preferred_channel="phone",
                language="en",
                permission="ask",
                since=today,
                note="In short",
            ),
            Act("position", parts=lambda row: [ContactPosition(organization=OrganizationFactory(), position="Chair")]),
            refused("no e-mail address", changes=lambda row: {"email": "zhou"}),
        ],
        {
            "partnerships.admin.organizations": ADD_IN_ADMIN,
            "partnerships.forms.organizations": add_page("contact_add", args=lambda row: [row.organization_id]),
        },
    ),
    "register_milestone": Subject(
        MILESTONE,
        action_point,
        NEW_MILESTONE_ACTS,
        {
            "partnerships.admin.milestones": ADD_IN_ADMIN,
            "partnerships.forms.milestones": add_page(
                "milestone_add", args=lambda row: ["agreement", row.agreement_id], lacks=["columns"]
            ),
        },
    ),
    "register_milestone of an agreement": Subject(
        MILESTONE,
        action_point,
        NEW_MILESTONE_ACTS,
        {
            "partnerships.forms.milestones": add_page(
                "agreement_step", args=lambda row: [row.agreement_id, "milestone"], lacks=["agreement that has ended"]
            ),
        },
    ),
    "register_activity": Subject(
        ACTIVITY,
        new_meeting,
        [
            *NEW_ACTIVITY_ACTS,
            refused("planned twice", changes=lambda row: {"title": ActivityFactory(**same_activity(row)).title}),
            refused("agreement that has ended", given=lambda: {"agreement": AgreementFactory(terminated=True)}),
        ],
        {
            "partnerships.admin.activities": ADD_IN_ADMIN,
            "partnerships.forms.activities": add_page("activity_log", planned),
        },
    ),
    "register_completed_activity": Subject(
        ACTIVITY,
        new_meeting,
        [
            *NEW_ACTIVITY_ACTS,
            refused(
                "recorded twice",
                changes=lambda row: {
                    "title": ActivityFactory(**same_activity(row), completed=True, completed_on=row.starts_on).title
                },
            ),
            refused("in the future", changes=lambda row: {"starts_on": add_months(today(), 1)}),
            refused("no next step", changes=lambda row: {"afterwards": {"no_next_step_reason": ""}}),
            refused(
                "next step without a day",
                changes=lambda row: {"afterwards": {"no_next_step_reason": "", "next_step": "Send the plan"}},
            ),
        ],
        {"partnerships.forms.activities": add_page("activity_log", recorded)},
        arguments=lambda row: {"on": row.starts_on, **row.afterwards},
    ),
    "register_agreement": Subject(
        AGREEMENT,
        new_agreement,
        NEW_AGREEMENT_ACTS,
        {
            "partnerships.admin.agreements": ADD_IN_ADMIN,
            "partnerships.forms.agreements": add_page("agreement_add", lambda row, parts: {"on": ""}),
        },
    ),
    "register_signed_agreement": Subject(
        AGREEMENT,
        new_agreement,
        [*NEW_AGREEMENT_ACTS, refused("signed in the future", changes=lambda row: {"on": add_months(today(), 1)})],
        {
            "partnerships.admin.agreements": add_in_admin(address="agreement_register_signed", lacks=["frame"]),
            "partnerships.forms.agreements": add_page("agreement_add"),
        },
        arguments=lambda row: {"on": row.on},
    ),
    "register_contact_note": Subject(
        CONTACT_NOTE,
        new_note,
        [
            Act("new"),
            Act(
                "milestone and contact",
                changes=lambda row: {
                    "milestone": MilestoneFactory(agreement=row.agreement),
                    "contact": ContactFactory(organization=row.agreement.parties.last().organization),
                    "organization": row.agreement.parties.last().organization,
                },
            ),
            refused("in the future", changes=lambda row: {"happened_on": add_months(today(), 1)}),
        ],
        {
            "partnerships.admin.activities": ADD_IN_ADMIN,
            "partnerships.forms.steps": add_page(
                "quiet_log",
                lambda row, parts: {"on": sent(row.happened_on)},
                lambda row: [row.agreement_id],
                ["milestone and contact"],
            ),
        },
    ),
    "register_document": Subject(
        DOCUMENT,
        unsaved(DocumentFactory, agreement=AgreementFactory),
        [Act("new"), refused("no type we keep", changes=lambda row: {"file_name": "minutes.exe"})],
        {
            "partnerships.admin.documents": add_in_admin(lambda row, parts: {"upload": paper(row)}),
            # The paper of an agreement that is registered in the same step: tests/admin/test_edits.py.
            "partnerships.admin.agreements": Way(send_in_admin, frozenset({"new", "no type we keep"})),
            "partnerships.forms.documents": add_page(
                "document_add",
                lambda row, parts: {"file": paper(row)},
                lambda row: ["agreement", row.agreement_id],
            ),
        },
        arguments=lambda row: {"file": paper(row), "at": timezone.now()},
    ),
    "register_facility": Subject(
        FACILITY,
        unsaved(FacilityFactory, unit=UnitFactory),
        [
            Act("new", parts=lambda row: [FacilityPartner(organization=EnterpriseFactory())]),
            columns(
                name_zh="实训基地",
                kind="training_base",
                event=EventFactory,
                region=RegionFactory,
                site="Hall 2",
                starts_on=today,
                ends_on=today,
                capacity=40,
                summary="In short",
            ),
            refused(
                "side twice",
                parts=lambda row: [
                    FacilityPartner(organization=partner) for partner in [EnterpriseFactory()] for _again in "ab"
                ],
            ),
            refused("owner who may not see it", changes=lambda row: {"owner": UserFactory(user_admin=True)}),
        ],
        {"partnerships.admin.facilities": ADD_IN_ADMIN, "partnerships.forms.records": add_page("facility_add")},
    ),
    "register_payment": Subject(
        PAYMENT,
        unsaved(PaymentFactory, agreement=lambda: AgreementFactory(signed=True)),
        [
            columns(purpose="Second year", amount=Decimal("12.50"), currency="USD", is_in_kind=True, due_on=today),
            refused("nothing is promised", changes=lambda row: {"amount": Decimal(0)}),
            refused(
                "promised twice",
                changes=lambda row: {"purpose": PaymentFactory(**same_payment(row)).purpose},
            ),
        ],
        {"partnerships.forms.payments": add_page("payment_add", args=lambda row: [row.agreement_id])},
    ),
    "register_user": Subject(
        USER,
        unsaved(UserFactory),
        [
            Act("new", parts=lambda row: [UnitMembership(unit=UnitFactory(), role=Role.LEAD)]),
            columns(
                language="zh-hans", time_zone="Europe/Berlin", reminder_mode="feed", reminder_hour=19, is_staff=True
            ),
            refused("address of another", changes=lambda row: {"email": UserFactory().email.upper()}),
            refused("deputy who is no colleague", changes=lambda row: {"deputy": UserFactory()}),
        ],
        {"partnerships.admin.users": ADD_IN_ADMIN},
        {"system_admin": True},
    ),
}
REGISTER_SUBJECTS = {verb for verb in SUBJECTS if verb.startswith("register_")}
CASES = [
    pytest.param(verb, module, act, id=f"{verb}-{module.removeprefix('partnerships.')}-{act.name}")
    for verb, subject in SUBJECTS.items()
    for module, way in subject.ways.items()
    for act in subject.acts
    if act.name not in way.lacks
]


def test_every_verb_has_its_row() -> None:
    assert {verb.split()[0] for verb in SUBJECTS} == VERBS.keys()


def test_every_record_has_its_row() -> None:
    for verb in ("register_record ", "edit_record "):
        assert {subject.aggregate.model for name, subject in SUBJECTS.items() if name.startswith(verb)} == set(RECORDS)


def test_every_entry_point_has_its_row() -> None:
    ours = {(verb.split()[0], module) for verb, subject in SUBJECTS.items() for module in subject.ways}
    assert ours == entry_points()


@pytest.mark.parametrize("verb", [verb for verb in SUBJECTS if verb not in REGISTER_SUBJECTS and " of " not in verb])
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
    known = set(subject.aggregate.model._base_manager.values_list("pk", flat=True))
    with transaction.atomic():
        refusal = do()
        rows, history = {}, {}
        for model in models:
            rows[model.__name__] = sorted(str(_values(row, subject, known)) for row in model._base_manager.all())
            new = model.history.all()[: model.history.count() - before[model]]  # type: ignore[attr-defined]
            history[model.__name__] = sorted((entry.history_type, str(entry.history_user)) for entry in new)
        transaction.set_rollback(True)
    return Outcome(refusal, rows, history)


def _values(row: Any, subject: Subject, known: set[int]) -> dict[str, Any]:
    """The columns of a row without ids of new rows, times of the clock and passwords, which differ each time."""
    values = {}
    for column in row._meta.concrete_fields:
        if column.primary_key or isinstance(column, DateTimeField) or column.name == "password":
            continue
        value = getattr(row, column.attname)
        is_new = column.related_model is subject.aggregate.model and value is not None and value not in known
        values[column.attname] = "new" if is_new else value
    return values


@pytest.mark.parametrize(("verb", "module", "act"), CASES)
def test_the_same_comes_of_it_through_each(verb: str, module: str, act: Act) -> None:
    subject = SUBJECTS[verb]
    is_new = verb in REGISTER_SUBJECTS
    made = subject.make(**act.given())
    actor = made if subject.actor is None else UserFactory(**subject.actor)
    row = made if is_new else type(made).objects.get(pk=made.pk)
    changes, parts, removed = act.changes(row), act.parts(row), act.removed(row)
    for name, value in changes.items() if is_new else ():
        setattr(row, name, value)
    client = Client()
    client.force_login(User.objects.get(pk=actor.pk))

    def by_the_verb() -> set[str]:
        more: dict[str, Any] = {"parts": [*map(copy, parts)]}
        more |= subject.arguments(row) if is_new else {"changes": changes, "removed": [*map(copy, removed)]}
        try:
            with transaction.atomic():
                asked = copy(row) if is_new else type(made).objects.get(pk=made.pk)
                VERBS[verb.split(maxsplit=1)[0]](asked, actor=actor, today=today(), **more)
        except DomainError as error:
            return {str(error)}
        return set()

    def by_the_page() -> set[str]:
        return subject.ways[module].send(client, row, changes, parts, removed)

    expected = outcome(subject, row, by_the_verb)
    assert bool(expected.refusal) == act.is_refused
    assert outcome(subject, row, by_the_page) == expected
