"""The security log: what is written, through which entry point, who reads it, and that nobody changes it."""

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from partnerships.factories import (
    DAY,
    NOON,
    AgreementFactory,
    ContactFactory,
    EnterpriseFactory,
    ReminderItemFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Contact, HistoryPermit, Role, SecurityEvent, User
from partnerships.models.security_events import AppendOnlyError
from tests.admin.forms import change_url, filled, save, step_url
from tests.services.drawing import undrawn
from tests.views.test_unwritable import read_only_database
from tests.views.world import World, make_world

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
PASSWORD = "a-long-password"
LOG = "/security/"
Kind = SecurityEvent.Kind


@pytest.fixture
def person() -> User:
    return UserFactory(username="lin", name="Lin", password=PASSWORD, lead_in=UnitFactory())


@pytest.fixture
def auditor() -> User:
    return UserFactory(auditor=True)


def logged(*kinds: str) -> list[SecurityEvent]:
    """The events of these kinds, oldest first."""
    return list(SecurityEvent.objects.filter(kind__in=kinds).order_by("pk"))


def facts(kind: str) -> list[tuple[Any, str, str]]:
    return [(event.user, event.name, event.address) for event in logged(kind)]


@pytest.mark.parametrize("page", ["login", "admin:login"])
def test_log_ins_are_written_with_the_client_behind_the_proxy(page: str, person: User, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    client = Client(REMOTE_ADDR="10.0.0.7", headers={"x-forwarded-for": "192.0.2.1, 198.51.100.9"})
    typed = {"username": "lin", "password": "wrong"}

    client.post(reverse(page), typed)
    client.post(reverse(page), {**typed, "username": "nobody-of-that-name"})
    client.post(reverse(page), {**typed, "password": PASSWORD})
    client.post(reverse(page.replace("login", "logout")))

    assert facts(Kind.LOGIN_FAILED) == [
        (person, "lin", "198.51.100.9"),
        (None, "nobody-of-that-name", "198.51.100.9"),
    ]
    assert facts(Kind.LOGGED_IN) == facts(Kind.LOGGED_OUT) == [(person, "Lin", "198.51.100.9")]


@pytest.mark.parametrize("typed", ["x" * 200, "a\u202eb\r\nc", "<script>alert(1)</script>"])
def test_what_a_stranger_types_as_a_name_is_one_short_line_and_runs_nothing(
    typed: str, auditor: User, client_of: Callable[[Any], Client]
) -> None:
    Client().post(reverse("login"), {"username": typed, "password": "secret-of-somebody"})
    [event] = logged(Kind.LOGIN_FAILED)

    page = client_of(auditor).get(LOG).text

    assert (len(event.name) <= 150, event.name.isprintable()) == (True, True)
    assert "<script>alert" not in page
    assert "secret-of-somebody" not in page


def test_tries_during_a_pause_are_one_line_whatever_name_and_address_of_the_network(person: User) -> None:
    for turn in range(34):
        Client(REMOTE_ADDR=f"2001:db8::{turn + 1}").post(
            reverse("login"), {"username": f"name-{turn}", "password": "wrong"}
        )

    assert len(logged(Kind.LOGIN_FAILED)) == 30
    assert facts(Kind.LOGIN_PAUSED) == [(None, "name-30", "2001:db8::")]


def test_a_wrong_old_password_is_written(person: User, client_of: Callable[[Any], Client]) -> None:
    new = {"new_password1": "another-long-one", "new_password2": "another-long-one"}
    client = client_of(person)

    client.post(reverse("password_change"), {"old_password": "wrong", **new})
    client.post(reverse("password_change"), {"old_password": PASSWORD, **new})

    assert [event.detail for event in logged(Kind.LOGIN_FAILED)] == [reverse("password_change")]
    assert facts(Kind.PASSWORD_CHANGED) == [(person, "Lin", "127.0.0.1")]


def test_the_password_page_of_the_admin_leads_to_the_one_that_is_watched(
    person: User, client_of: Callable[[Any], Client]
) -> None:
    new = {"old_password": PASSWORD, "new_password1": "another-long-one", "new_password2": "another-long-one"}
    client, address = client_of(person), reverse("admin:password_change")

    answers = [client.get(address), client.post(address, new)]

    assert [(answer.status_code, answer.url) for answer in answers] == [(302, reverse("password_change"))] * 2
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_a_reset_is_written_when_it_is_asked_for_and_when_it_is_done(person: User) -> None:
    Client().post(reverse("password_reset"), {"email": "Nobody@example.org"})
    client, uid = Client(), urlsafe_base64_encode(force_bytes(person.pk))
    link = reverse("password_reset_confirm", args=[uid, default_token_generator.make_token(person)])
    form = client.get(link, follow=True).redirect_chain[-1][0]

    client.post(form, {"new_password1": "another-long-one", "new_password2": "another-long-one"})

    assert facts(Kind.RESET_REQUESTED) == [(None, "nobody@example.org", "127.0.0.1")]
    assert facts(Kind.PASSWORD_RESET) == [(person, "Lin", "127.0.0.1")]
    assert link not in "".join(str(row) for row in SecurityEvent.objects.values_list())


# Refusals


def test_a_refused_page_is_written_with_its_reason(world: World, client_of: Callable[[Any], Client]) -> None:
    address = reverse("milestone_step", args=[world.milestone.pk, "meet"])

    client_of(world.people["viewer"]).get(address)

    [event] = logged(Kind.REFUSED)
    assert (event.user, event.about, event.link) == (world.people["viewer"], f"GET {address}", address)
    assert event.detail == "Only a coordinator or lead of its unit may do this."
    log = client_of(UserFactory(auditor=True)).get(reverse("security_event_list")).text
    assert f"Open {address}</a>" in log


@pytest.mark.parametrize("role", ["viewer", "coordinator", "lead"])
def test_asking_for_another_units_row_is_written_and_for_none_is_not(
    role: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    twin = make_world("South")
    client = client_of(world.people[role])

    answers = [client.get(reverse("agreement_detail", args=[pk])).status_code for pk in (twin.agreement.pk, 10**9)]

    assert answers == [404, 404]
    assert [event.detail for event in logged(Kind.REFUSED)] == [f"agreement {twin.agreement.pk} is outside the scope"]


@pytest.mark.parametrize("page", ["change", "history", "delete"])
def test_asking_the_admin_for_another_units_row_is_written(
    page: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    twin = make_world("South")

    client_of(world.lead).get(reverse(f"admin:partnerships_agreement_{page}", args=[twin.agreement.pk]))

    [event] = logged(Kind.REFUSED)
    assert event.user == world.lead
    assert f"agreement {twin.agreement.pk} is outside the scope" in event.detail


def test_what_the_admin_refuses_is_written(world: World, client_of: Callable[[Any], Client]) -> None:
    client_of(world.lead).get(reverse("admin:partnerships_user_changelist"))

    assert [event.about for event in logged(Kind.REFUSED)] == ["GET /admin/partnerships/user/"]


def test_what_a_verb_refuses_in_a_form_is_written(client_of: Callable[[Any], Client]) -> None:
    manager, unit, account = UserFactory(user_admin=True), UnitFactory(), UserFactory()
    rows = {"memberships-TOTAL_FORMS": "1", "memberships-0-unit": str(unit.pk), "memberships-0-role": str(Role.LEAD)}

    save(client_of(manager), account, **rows)

    [event] = logged(Kind.REFUSED)
    assert event.user == manager
    assert "Only a system administrator gives" in event.detail


def test_a_form_without_its_secret_is_written(person: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)

    client.post(reverse("me"), {})
    Client(enforce_csrf_checks=True).post(reverse("login"), {})

    assert [(event.user, event.about, event.link) for event in logged(Kind.REFUSED)] == [(person, "POST /me/", "")]


def test_a_secret_address_is_not_written(person: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)

    client.post(reverse("password_reset_confirm", args=["uid", "the-secret"]), {})

    assert [event.about for event in logged(Kind.REFUSED)] == ["POST password_reset_confirm"]


# What leaves the site


def test_downloads_are_written(world: World, client_of: Callable[[Any], Client]) -> None:
    address = reverse("document_download", args=[world.version.document_id, world.version.number])

    answers = {name: client_of(world.people[name]).get(address) for name in ("viewer", "outsider")}
    for response in answers.values():
        b"".join(response)  # to its end, so that the file is closed

    [event] = logged(Kind.DOCUMENT_DOWNLOADED)
    assert (event.user, event.link) == (world.people["viewer"], world.agreement.get_absolute_url())
    assert event.about.startswith("North paper")


def test_exports_are_written_when_they_are_made_and_each_time_they_are_fetched(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    client = client_of(world.coordinator)

    client.post(reverse("export_add"), {"list": "agreement_list", "query": "status=draft", "format": "csv"}).getvalue()
    client.get(reverse("export_download", args=[world.coordinator.exports.get().pk])).getvalue()

    made = [(event.user, event.about, event.detail) for event in logged(Kind.EXPORT_MADE)]
    assert made == [(world.coordinator, "Agreements", "csv · /agreements/?status=draft")]
    assert len(logged(Kind.EXPORT_FETCHED)) == 2


PRIVATE = {
    "page": lambda contact: contact.organization.get_absolute_url(),
    "form": lambda contact: reverse("contact_edit", args=[contact.pk]),
    "mail": lambda contact: ReminderItemFactory(
        delivery__contact=contact, delivery__person=None, plan__milestone__agreement__unit=_holder(contact)
    ).delivery.get_absolute_url(),
    "admin": change_url,
    "admin list": lambda contact: reverse("admin:partnerships_contact_changelist"),
    "admin organization": lambda contact: change_url(contact.organization),
    "admin history": lambda contact: reverse("admin:partnerships_contact_history", args=[contact.pk]),
    "admin state": lambda contact: reverse(
        "admin:partnerships_contact_simple_history", args=[contact.pk, contact.history.get().pk]
    ),
}


def _holder(contact: Contact) -> Any:
    return contact.organization.holders.get().unit


@pytest.fixture
def contact(person: User) -> Contact:
    organization = EnterpriseFactory(held_by=person.memberships.get().unit)
    return ContactFactory(organization=organization, phone="13800000000")


@pytest.mark.parametrize("place", PRIVATE)
def test_views_of_private_channels_are_written_once_a_day(
    place: str, person: User, contact: Contact, client_of: Callable[[Any], Client]
) -> None:
    address, client = PRIVATE[place](contact), client_of(person)

    assert [client.get(address).status_code for _turn in range(2)] == [200, 200]

    viewed = [(event.user, event.about, event.link) for event in logged(Kind.CONTACTS_VIEWED)]
    assert viewed == [(person, str(contact.organization), contact.organization.get_absolute_url())]
    with time_machine.travel(NOON + dt.timedelta(days=1), tick=False):
        client.force_login(person)
        client.get(address)
    assert len(logged(Kind.CONTACTS_VIEWED)) == 2


def test_the_history_of_a_deleted_contact_is_a_view_too(
    contact: Contact, auditor: User, client_of: Callable[[Any], Client]
) -> None:
    organization, places = contact.organization, ("admin history", "admin state")
    addresses, client = [PRIVATE[place](contact) for place in places], client_of(auditor)
    contact.phone = "13900000000"
    contact.save()
    contact.delete()
    organization.delete()

    for address in addresses:
        assert "13800000000" in client.get(address).text

    viewed = [(event.user, event.about, event.link) for event in logged(Kind.CONTACTS_VIEWED)]
    assert viewed == [(auditor, str(organization), f"/organizations/{contact.organization_id}/")]


def test_whoever_is_shown_no_channel_is_not_written(world: World, client_of: Callable[[Any], Client]) -> None:
    for role in ("viewer", "outsider"):
        client_of(world.people[role]).get(world.enterprise.get_absolute_url())
    Contact.objects.update(phone="", email="", wechat="")
    client_of(world.lead).get(world.enterprise.get_absolute_url())

    assert logged(Kind.CONTACTS_VIEWED) == []


# Accounts


def test_changes_of_accounts_are_written(client_of: Callable[[Any], Client]) -> None:
    administrator, unit = UserFactory(system_admin=True), UnitFactory(name="East school")
    account = UserFactory(email="old@example.org", name="Hua")
    client = client_of(administrator)
    role = {"memberships-TOTAL_FORMS": "1", "memberships-0-unit": str(unit.pk), "memberships-0-role": "20"}

    save(client, account, email="new@example.org", is_auditor="on", **role)
    account.refresh_from_db()
    for step in ("password_link", "deactivate", "activate"):
        client.post(step_url(account, step), {"version": str(account.version)})
        account.refresh_from_db()

    kinds = (Kind.LOGIN_CHANGED, Kind.RIGHTS_CHANGED, Kind.ROLES_CHANGED, Kind.LINK_SENT, Kind.DEACTIVATED)
    events = logged(*kinds, Kind.ACTIVATED)
    assert {(event.user, event.about) for event in events} == {(administrator, "Hua")}
    assert {(event.kind, event.detail) for event in events} == {
        (Kind.LOGIN_CHANGED, "e-mail address: old@example.org → new@example.org"),
        (Kind.RIGHTS_CHANGED, "auditor: no → yes"),
        (Kind.ROLES_CHANGED, "role in East school: – → Coordinator"),
        (Kind.LINK_SENT, ""),
        (Kind.DEACTIVATED, "active: yes → no"),
        (Kind.ACTIVATED, "active: no → yes"),
    }


def test_a_new_account_is_written_with_its_roles(client_of: Callable[[Any], Client]) -> None:
    client, url, unit = client_of(UserFactory(user_admin=True)), reverse("admin:partnerships_user_add"), UnitFactory()
    typed = {"name": "New", "username": "new", "email": "new@example.org", "memberships-TOTAL_FORMS": "1"}
    role = {"memberships-0-unit": str(unit.pk), "memberships-0-role": "20"}

    client.post(url, filled(undrawn(client, url)) | typed | role)

    assert [event.about for event in logged(Kind.ACCOUNT_ADDED, Kind.ROLES_CHANGED)] == ["New", "New"]


def test_a_change_that_is_refused_is_not_written_as_one(client_of: Callable[[Any], Client]) -> None:
    lead = UserFactory(lead_in=UnitFactory(), email="lead@example.org")

    save(client_of(UserFactory(user_admin=True)), lead, email="mine@example.org")

    assert logged(Kind.LOGIN_CHANGED) == []


# Who reads it, and that nobody changes it


@pytest.mark.parametrize("role", ["auditor", "system_admin"])
def test_the_log_is_read_and_filtered(role: str, person: User, client_of: Callable[[Any], Client]) -> None:
    reader = client_of(UserFactory(**{role: True}))
    client_of(person).get(reverse("operations"))

    def rows(**asked: str) -> list[str]:
        page = reader.get(LOG, asked)
        return [row.kind for row in page.context["rows"] if row.user == person]

    assert rows() == [Kind.REFUSED, Kind.LOGGED_IN]
    assert rows(kind=Kind.REFUSED) == rows(q="/operations/") == rows(address="127.0.0") == [Kind.REFUSED]
    assert rows(person=str(person.pk), since=DAY.isoformat(), until=DAY.isoformat()) == [Kind.REFUSED, Kind.LOGGED_IN]
    assert rows(since=(DAY + dt.timedelta(days=1)).isoformat()) == []
    assert rows(until=(DAY - dt.timedelta(days=1)).isoformat()) == []
    assert rows(person=str(UserFactory(name="Nobody here").pk)) == [Kind.REFUSED, Kind.LOGGED_IN]  # an error, said
    assert LOG in reader.get("/").text


def test_nobody_else_reads_it(world: World, client_of: Callable[[Any], Client]) -> None:
    for role, reader in world.people.items():
        client = client_of(reader)
        if role != "system_admin":
            assert (role, client.get(LOG).status_code, LOG in client.get("/").text) == (role, 403, False)
        exported = client.post(reverse("export_add"), {"list": "security_event_list", "query": "", "format": "csv"})
        lines = b"".join(exported).decode().splitlines() if exported.status_code == 200 else []
        assert (len(lines) > 1) == (role == "system_admin"), role


def test_the_page_costs_the_same_with_more_rows(auditor: User, client_of: Callable[[Any], Client]) -> None:
    client = client_of(auditor)
    client.get(LOG)

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(LOG)
        return len(captured)

    few = count()
    for _number in range(20):
        SecurityEvent.objects.record(Kind.LOGGED_IN, UserFactory())
    assert count() == few


def test_nobody_changes_or_deletes_an_event(person: User, client_of: Callable[[Any], Client]) -> None:
    event = SecurityEvent.objects.record(Kind.LOGGED_IN, person)
    before = SecurityEvent.objects.filter(pk=event.pk).values().get()
    attempts: list[Callable[[], Any]] = [
        event.save,
        event.delete,
        SecurityEvent(pk=event.pk, kind=Kind.REFUSED, at=event.at).save,
        SecurityEvent.objects.all().delete,
        lambda: SecurityEvent.objects.update(name="x"),
        lambda: SecurityEvent.objects.bulk_update([event], ["name"]),
        lambda: SecurityEvent.objects.update_or_create(pk=event.pk, defaults={"name": "x"}),
    ]
    for attempt in attempts:
        with pytest.raises((AppendOnlyError, IntegrityError)), transaction.atomic():
            attempt()
    for role in ("system_admin", "auditor"):
        client = client_of(UserFactory(**{role: True}))
        assert client.post(LOG, {"delete": str(event.pk)}).status_code == 405
        assert client.get(f"/admin/partnerships/securityevent/{event.pk}/change/").status_code == 404

    assert SecurityEvent.objects.filter(pk=event.pk).values().get() == before


def test_an_event_outlives_the_account_it_is_about(person: User) -> None:
    event = SecurityEvent.objects.record(Kind.LOGGED_IN, person)
    person.memberships.all().delete()

    with HistoryPermit.objects.granted(HistoryPermit.Kind.SAMPLE):
        person.delete()

    assert SecurityEvent.objects.values_list("user", "name").get(pk=event.pk) == (None, "Lin")


@pytest.mark.parametrize("page", ["history", "simple_history"])
def test_an_auditor_reads_every_history_and_no_row(
    page: str, auditor: User, world: World, client_of: Callable[[Any], Client]
) -> None:
    client = client_of(auditor)
    rows = [world.agreement, world.contact, world.people["staff"], world.unit, world.enterprise]

    for row in rows:
        name = f"admin:partnerships_{row._meta.model_name}"
        state = [row.history.first().pk] if page == "simple_history" else []
        assert client.get(reverse(f"{name}_{page}", args=[row.pk, *state])).status_code == 200, name
        for closed in (reverse(f"{name}_changelist"), reverse(f"{name}_add")):
            assert client.get(closed).status_code == 403, closed
        assert client.get(reverse(f"{name}_change", args=[row.pk])).status_code in {302, 403}, name
        assert client.post(reverse(f"{name}_change", args=[row.pk]), {"name": "x"}).status_code in {302, 403}, name
    assert client.get(world.agreement.get_absolute_url()).status_code == 404


def test_an_auditor_reads_the_history_of_what_was_deleted(auditor: User, client_of: Callable[[Any], Client]) -> None:
    draft = AgreementFactory(title="Gone")
    address = reverse("admin:partnerships_agreement_history", args=[draft.pk])
    draft.delete()

    assert "Gone" in client_of(auditor).get(address).text


def test_only_a_system_administrator_makes_an_auditor(
    client_of: Callable[[Any], Client], mailoutbox: Any, django_capture_on_commit_callbacks: Any
) -> None:
    account = UserFactory()
    save(client_of(UserFactory(user_admin=True)), account, is_auditor="on")
    account.refresh_from_db()
    assert not account.is_auditor

    with django_capture_on_commit_callbacks(execute=True):
        save(client_of(UserFactory(system_admin=True)), account, is_auditor="on")

    account.refresh_from_db()
    assert (account.is_auditor, account.history.first().is_auditor) == (True, True)
    assert "auditor: no → yes" in mailoutbox[-1].body


# Where nothing can be written


def test_where_nothing_can_be_saved_pages_are_shown_and_the_process_log_has_it(
    world: World, client_of: Callable[[Any], Client], caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(world.lead)
    download = reverse("document_download", args=[world.version.document_id, world.version.number])

    with read_only_database(), caplog.at_level(logging.ERROR):
        read = client.get(world.enterprise.get_absolute_url()).status_code
        response = client.get(download)
        b"".join(response)
        refused = client.get(reverse("operations")).status_code

    assert (read, response.status_code, refused) == (200, 200, 403)
    lost = [record.getMessage() for record in caplog.records if "Security event not saved" in record.getMessage()]
    assert [any(kind in line for line in lost) for kind in ("contacts_viewed", "document_downloaded", "refused")] == [
        True
    ] * 3
