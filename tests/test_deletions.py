"""Deletion of records entered by mistake, with a reason, on their page and in the admin; refused while something refers to them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    DAY,
    AchievementFactory,
    ActivityFactory,
    ActivityOrganizationFactory,
    AgreementFactory,
    AnswerFactory,
    AssociationFactory,
    CitationFactory,
    ContactFactory,
    ContactNoteFactory,
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
    OrganizationUnitFactory,
    ParticipationFactory,
    ProgrammeFactory,
    ProgrammeItemFactory,
    RegionFactory,
    ReminderItemFactory,
    ReportedFigureFactory,
    SourceFactory,
    StatementFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import (
    AssociationMembership,
    Contact,
    Event,
    Facility,
    Milestone,
    NameKey,
    Organization,
    OrganizationUnit,
    ProgrammeItem,
    SearchEntry,
)
from partnerships.workflows.activities import register_activity, register_contact_note
from partnerships.workflows.facilities import open_facility
from partnerships.workflows.honours import register_honour
from tests.views.sent import filled

pytestmark = pytest.mark.django_db

MISTAKE = "Entered twice by mistake"


def organization_of(unit: Any) -> Organization:
    return OrganizationUnitFactory(unit=unit, organization=EnterpriseFactory()).organization


# A row of a unit to which nothing refers, by the name of its address.
MAKE: dict[str, Callable[[Any], Any]] = {
    "agreement": lambda unit: AgreementFactory(unit=unit, ready=True),
    "organization": organization_of,
    "contact": lambda unit: ContactFactory(organization=organization_of(unit)),
    "activity": lambda unit: ActivityFactory(unit=unit, agreement=None, training=True),
    "event": lambda unit: EventFactory(unit=unit),
    "facility": lambda unit: FacilityFactory(unit=unit),
    "demand": lambda unit: DemandFactory(unit=unit),
    "achievement": lambda unit: AchievementFactory(unit=unit),
    "programme": lambda unit: ProgrammeFactory(unit=unit),
    "honour": lambda unit: HonourFactory(unit=unit),
    "honour_scheme": lambda unit: HonourSchemeFactory(),
    "figure": lambda unit: ReportedFigureFactory(unit=unit),
    "source": lambda unit: SourceFactory(),
}
# Who deletes a row of their unit, beside the office.
LEADS = {"lead"}
DELETED_BY = {
    "agreement": LEADS,
    "organization": LEADS,
    "contact": {"lead", "coordinator"},
    "activity": {"lead", "coordinator"},
    "event": LEADS,
    "facility": LEADS,
    "demand": {"lead", "coordinator"},
    "achievement": {"lead", "coordinator"},
    "programme": {"lead", "coordinator"},
    "honour": LEADS,
    "honour_scheme": set(),
    "figure": {"lead", "coordinator"},
    "source": set(),
}
ROLES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "viewer": lambda unit: {"viewer_in": unit},
    "coordinator": lambda unit: {"coordinator_in": unit},
    "lead": lambda unit: {"lead_in": unit},
    "foreign lead": lambda unit: {"lead_in": UnitFactory()},
    "staff": lambda unit: {"staff": True},
    "system admin": lambda unit: {"system_admin": True},
}


def is_there(row: Any) -> bool:
    return type(row)._base_manager.filter(pk=row.pk).exists()


def page_of(kind: str, row: Any) -> str:
    return reverse(f"{kind}_delete", args=[row.pk])


def admin_page_of(row: Any) -> str:
    return reverse(f"admin:partnerships_{row._meta.model_name}_delete", args=[row.pk])


def send(client: Client, address: str, row: Any, reason: str = MISTAKE) -> Any:
    return client.post(address, {"reason": reason, "version": row.version})


@pytest.fixture
def office() -> Client:
    client = Client()
    client.force_login(UserFactory(staff=True, username="office"))
    return client


def last_history(row: Any) -> tuple[str, str | None, str]:
    manager = type(row)._meta.concrete_model.history
    kept = manager.filter(id=row.pk).latest("history_id")
    return kept.history_type, kept.history_change_reason, str(kept.history_user.username)


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("is_admin", [False, True], ids=["page", "admin"])
def test_the_office_deletes_what_nothing_refers_to(kind: str, is_admin: bool, office: Client) -> None:
    unit, twin = UnitFactory(), UnitFactory()
    row, other = MAKE[kind](unit), MAKE[kind](twin)
    address = admin_page_of(row) if is_admin else page_of(kind, row)

    asked = office.get(address)
    answer = send(office, address, row)

    assert (asked.status_code, answer.status_code) == (200, 302)
    assert (is_there(row), is_there(other)) == (False, True)
    assert last_history(row) == ("-", MISTAKE, "office")
    assert LogEntry.objects.filter(action_flag=DELETION).count() == is_admin
    assert office.get(answer.url).status_code == 200


@pytest.mark.parametrize("kind", MAKE)
def test_each_role_deletes_what_it_may_and_nothing_else(kind: str, client: Client) -> None:
    done = set()
    for role, made in ROLES.items():
        unit = UnitFactory()
        row, twin = MAKE[kind](unit), MAKE[kind](UnitFactory())
        client.force_login(UserFactory(**made(unit)))
        link_is_shown = f'href="{page_of(kind, row)}"' in client.get(row.get_absolute_url()).text
        send(client, page_of(kind, row), row)
        send(client, admin_page_of(twin), twin)
        send(client, page_of(kind, twin), twin)

        assert link_is_shown != is_there(row), role
        assert is_there(twin) == (role not in {"staff", "system admin"}), role
        done |= set() if is_there(row) else {role}

    assert done == DELETED_BY[kind] | {"staff", "system admin"}


def test_a_coordinator_deletes_a_draft_of_their_own(client: Client) -> None:
    unit = UnitFactory()
    person = UserFactory(coordinator_in=unit)
    own = AgreementFactory(unit=unit, ready=True, created_by=person)
    client.force_login(person)

    send(client, page_of("agreement", own), own)

    assert not is_there(own)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 101])
def test_a_reason_is_asked_for(reason: str, office: Client) -> None:
    event = EventFactory()

    for address in (page_of("event", event), admin_page_of(event)):
        answer = send(office, address, event, reason)
        assert answer.context["form"].errors.keys() == {"reason"}

    assert is_there(event)


@pytest.mark.parametrize(("address_of", "status"), [(partial(page_of, "event"), 409), (admin_page_of, 200)])
def test_a_row_that_changed_meanwhile_is_shown_first_and_deleted_when_sent_again(
    address_of: Callable[[Any], str], status: int, office: Client
) -> None:
    event = EventFactory()
    read = Event.objects.get(pk=event.pk)
    event.save()

    answer = send(office, address_of(event), read)
    assert (answer.status_code, is_there(event)) == (status, True)

    assert office.post(address_of(event), filled(answer)).status_code == 302
    assert last_history(event) == ("-", MISTAKE, "office")


def as_liaison(contact: Any) -> None:
    contact.organization.kind, contact.organization.members_liaison = "association", contact
    contact.organization.save()


# What refers to a row of the kind: kind -> what is made, and how the page calls it.
REFERENCES: list[tuple[str, str, Callable[[Any], Any]]] = [
    ("event", "agreements", lambda row: AgreementFactory(event=row, signed=True, title="Refers to it")),
    ("event", "joint facilities", lambda row: FacilityFactory(event=row, name="Refers to it")),
    ("event", "demands", lambda row: DemandFactory(event=row, title="Refers to it")),
    ("event", "activities", lambda row: ActivityFactory(event=row, title="Refers to it")),
    ("event", "reported figures", lambda row: ReportedFigureFactory(event=row, name="Refers to it")),
    (
        "event",
        "milestones",
        lambda row: MilestoneFactory(event=row, agreement=None, unit=row.unit, title="Refers to it"),
    ),
    ("event", "items of a program", lambda row: ProgrammeItemFactory(event=row, programme__name="Refers to it")),
    ("event", "citations", lambda row: CitationFactory(record=row, source__title="Refers to it")),
    (
        "event",
        "citations",
        lambda row: CitationFactory(record=ParticipationFactory(event=row), source__title="Refers to it"),
    ),
    ("event", "documents", lambda row: DocumentFactory(event=row, title="Minutes")),
    ("organization", "parties", lambda row: AgreementFactory(parties=[row], signed=True, title="Refers to it")),
    ("organization", "agreements", lambda row: AgreementFactory(through=row, title="Refers to it")),
    ("organization", "activities", lambda row: ActivityFactory(through=row, title="Refers to it")),
    ("organization", "demands", lambda row: DemandFactory(through=row, title="Refers to it")),
    ("organization", "contacts", lambda row: ContactFactory(organization=row, name="Refers to it")),
    ("organization", "honors", lambda row: HonourFactory(organization=row, scheme__name="Refers to it")),
    ("organization", "participations", lambda row: ParticipationFactory(organization=row, event__name="Refers to it")),
    ("contact", "organizations", as_liaison),
    ("contact", "contact notes", lambda row: ContactNoteFactory(contact=row, agreement__title="Refers to it")),
    ("honour", "documents", lambda row: DocumentFactory(honour=row, title="Certificate")),
    ("facility", "documents", lambda row: DocumentFactory(facility=row, title="Plan")),
    ("demand", "answers", lambda row: AnswerFactory(demand=row)),
    ("achievement", "answers", lambda row: AnswerFactory(achievement=row, demand__title="Refers to it")),
    ("programme", "items of a program", lambda row: ProgrammeItemFactory(programme=row, event=EventFactory())),
    ("programme", "reported figures", lambda row: ReportedFigureFactory(programme=row, name="Refers to it")),
    ("honour_scheme", "honors", lambda row: HonourFactory(scheme=row)),
    ("source", "reported figures", lambda row: ReportedFigureFactory(source=row, name="Refers to it")),
    ("source", "citations", lambda row: CitationFactory(record=EventFactory(), source=row)),
]


@pytest.mark.parametrize(
    ("kind", "words", "refer"), REFERENCES, ids=[f"{kind}: {words}" for kind, words, _ in REFERENCES]
)
def test_what_refers_to_a_row_is_named_and_keeps_it(
    kind: str, words: str, refer: Callable[[Any], Any], office: Client
) -> None:
    row = MAKE[kind](UnitFactory())
    refer(row)

    for address in (page_of(kind, row), admin_page_of(row)):
        page = office.get(address)
        send(office, address, row)

        assert [reference.label for reference in page.context["references"]] == [words]
        assert page.text.count('name="reason"') == 0

    assert is_there(row)


def test_the_page_links_what_one_may_see_and_counts_nothing_hidden(client: Client) -> None:
    unit = UnitFactory()
    event = EventFactory(unit=unit)
    own = AgreementFactory(event=event, unit=unit, signed=True, title="Our promise")
    AgreementFactory(event=event, signed=True, title="Their secret")
    client.force_login(UserFactory(lead_in=unit))

    page = client.get(page_of("event", event))

    [reference] = page.context["references"]
    assert (reference.count, reference.pages) == (None, [own])
    assert ("Our promise" in page.text, "Their secret" in page.text) == (True, False)


def test_parts_and_what_machines_wrote_go_along(office: Client) -> None:
    event = EventFactory()
    parts = [EventKindFactory(event=event), ParticipationFactory(event=event, organization=EnterpriseFactory())]
    organization = EnterpriseFactory()
    association = AssociationFactory()
    membership = AssociationMembership.objects.create(association=association, member=organization)

    send(office, page_of("event", event), event)
    refused = office.get(page_of("organization", association))
    send(office, page_of("organization", organization), organization)
    send(office, page_of("organization", association), association)

    assert [is_there(row) for row in (event, *parts, organization, membership, association)] == [False] * 6
    assert [reference.count for reference in refused.context["references"]] == [1]
    assert {last_history(part) for part in (*parts, membership)} == {("-", MISTAKE, "office")}
    assert not NameKey.objects.filter(organization__in=[organization.pk, association.pk]).exists()
    assert not SearchEntry.objects.filter(object_id=event.pk, content_type__model="event").exists()


def test_a_statement_that_is_cited_keeps_its_source(office: Client) -> None:
    statement = StatementFactory()
    CitationFactory(record=EventFactory(), source=statement.source, statement=statement)

    send(office, page_of("source", statement.source), statement.source)

    assert is_there(statement.source)


def test_an_organization_that_another_unit_holds_stays_for_a_lead(client: Client) -> None:
    unit = UnitFactory()
    organization = organization_of(unit)
    OrganizationUnitFactory(organization=organization, unit=UnitFactory())
    client.force_login(UserFactory(lead_in=unit))

    answer = send(client, page_of("organization", organization), organization)

    assert (answer.status_code, is_there(organization)) == (200, True)
    assert OrganizationUnit.objects.filter(organization=organization).count() == 2


def test_the_milestone_of_a_lapse_goes_with_the_honour_until_somebody_heard_of_it(office: Client) -> None:
    new, mailed = (
        register_honour(
            HonourFactory.build(
                scheme=HonourSchemeFactory(),
                organization=EnterpriseFactory(),
                unit=UnitFactory(),
                granted_on=DAY,
                valid_until=DAY.replace(year=DAY.year + 3),
            ),
            actor=None,
            today=DAY,
        )
        for _ in range(2)
    )
    ReminderItemFactory(plan__milestone=mailed.milestones.get(), plan__status="expanded", person=UserFactory())

    for honour in (new, mailed):
        send(office, page_of("honour", honour), honour)

    assert [is_there(honour) for honour in (new, mailed)] == [False, True]
    assert Milestone.objects.get().honour == mailed


def test_a_citation_of_a_derived_milestone_keeps_the_record(office: Client) -> None:
    honour = register_honour(
        HonourFactory.build(
            scheme=HonourSchemeFactory(),
            organization=EnterpriseFactory(),
            unit=UnitFactory(),
            granted_on=DAY,
            valid_until=DAY.replace(year=DAY.year + 3),
        ),
        actor=None,
        today=DAY,
    )
    CitationFactory(record=honour.milestones.get())

    answer = send(office, page_of("honour", honour), honour)

    assert [reference.label for reference in answer.context["references"]] == ["citations"]
    assert is_there(honour)


def test_a_deleted_facility_no_longer_makes_holders(office: Client) -> None:
    sides = [InstitutionFactory(), EnterpriseFactory()]
    facility = FacilityFactory(partners=sides)
    opened = open_facility(facility, actor=None, on=DAY, today=DAY)
    held = set(facility.unit.held_organizations.values_list("organization", flat=True))

    send(office, page_of("facility", opened), opened)

    assert held == {side.pk for side in sides}
    assert not facility.unit.held_organizations.exists()
    assert not Facility.objects.exists()


def test_a_deleted_call_no_longer_counts_as_contact(office: Client) -> None:
    agreement = AgreementFactory(signed=True, signed_on=DAY)
    note = ContactNoteFactory.build(
        unit=agreement.unit, agreement=agreement, contact=None, happened_on=DAY.replace(day=20)
    )
    register_contact_note(note, actor=None, today=DAY.replace(day=20))
    later = agreement.milestones.get(kind="next_contact").due_on

    answer = send(office, admin_page_of(note), note)

    assert (answer.status_code, is_there(note)) == (302, False)
    assert agreement.milestones.get(kind="next_contact").due_on < later


def test_a_deleted_follow_up_takes_its_milestones_along(office: Client) -> None:
    agreement = AgreementFactory(signed=True)
    activity = ActivityFactory.build(
        unit=agreement.unit,
        agreement=agreement,
        owner=agreement.coordinator,
        event=None,
        starts_on=DAY.replace(year=2027),
    )
    register_activity(activity, actor=None, today=DAY, parts=[])
    ActivityOrganizationFactory(activity=activity)
    before = activity.milestones.count()

    send(office, page_of("activity", activity), activity)

    assert (before > 0, is_there(activity)) == (True, False)
    assert not Milestone.objects.filter(activity__isnull=False).exists()


def test_bulk_deletion_is_not_offered(office: Client) -> None:
    event, contact = EventFactory(), ContactFactory()

    for row in (event, contact):
        address = reverse(f"admin:partnerships_{row._meta.model_name}_changelist")
        office.post(address, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})

    assert (Event.objects.count(), Contact.objects.count()) == (1, 1)


def test_reference_data_in_use_stays(office: Client) -> None:
    region, unused = RegionFactory(), RegionFactory()
    EnterpriseFactory(region=region)

    for row in (region, unused):
        send(office, admin_page_of(row), row)

    assert [is_there(row) for row in (region, unused)] == [True, False]
    assert ProgrammeItem.objects.count() == 0
