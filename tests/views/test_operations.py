"""The page of whoever runs the site: what is wrong, what to do, and numbers that open exactly their lists."""

import datetime as dt
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from partnerships import __version__
from partnerships.factories import (
    NOON,
    ComponentHeartbeatFactory,
    DeliveryFactory,
    ImportFactory,
    MailHoldFactory,
    MailRelayFactory,
    MilestoneFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    UnitFactory,
    UserFactory,
    WorkCalendarFactory,
)
from partnerships.models import ComponentHeartbeat, Delivery
from partnerships.models.history_triggers import remove_triggers
from partnerships.operations.setup import missing_setup
from partnerships.statuses import DeliveryStatus, PlanStatus
from partnerships.views import operations
from tests.services.redis import RedisServer

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _relay(settings: Any) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "relay.test", 25


@pytest.fixture
def look(client_of: Callable[[Any], Client]) -> Callable[[], Any]:
    client = client_of(UserFactory(staff=True))
    return lambda: client.get(reverse("operations"))


@pytest.fixture
def broker_url() -> Iterator[Callable[[str], None]]:
    before = current_app.conf.broker_url

    def use(url: str) -> None:
        current_app.conf.broker_url = url

    yield use
    use(before)


def heartbeat(name: str = "reminders", *, ago: dt.timedelta = MINUTE, note: str = "") -> None:
    ComponentHeartbeatFactory(name=name, at=NOON - ago, note=note)


def make_trouble(said: str) -> None:
    fields = {"failures": 3, "open_until": NOON + MINUTE, "since": NOON - 60 * MINUTE, "trouble": said}
    MailRelayFactory(name="relay.test:25", **fields)


def findings(response: Any) -> list[str]:
    return [finding.what for finding in response.context["findings"]]


def test_a_site_that_runs_has_nothing_to_say(look: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeat()
    monkeypatch.setattr(operations, "missing_setup", lambda today: [])

    response = look()

    assert findings(response) == []
    assert "All systems normal" in response.text


def test_an_empty_site_lists_what_is_missing_with_where_to_add_it(client_of: Callable[[Any], Client]) -> None:
    heartbeat()
    client = client_of(UserFactory(system_admin=True))

    response = client.get(reverse("operations"))
    pages = {client.get(step["link"]).status_code for step in response.context["missing"]}

    assert [step["what"] for step in response.context["missing"]] == [
        "There is no agreement type, so no agreement can be registered.",
        "There is no cooperation area.",
        "There is no region.",
        "No reminder rule is enabled, so nobody is reminded.",
        "There is no calendar of working days: every holiday counts as one.",
        "There is no unit that an agreement could belong to.",
        "No unit has a lead, so nobody can approve an agreement.",
    ]
    assert pages == {200}
    assert "All systems normal" not in response.text


def test_the_office_is_told_who_can_add_what_it_cannot(look: Callable[[], Any]) -> None:
    links = {step["what"]: step["link"] for step in look().context["missing"]}

    assert links["There is no unit that an agreement could belong to."] == ""
    assert links["There is no region."] == reverse("admin:partnerships_region_add")


@pytest.mark.parametrize(
    ("today", "known_until", "is_said"),
    [
        (dt.date(2026, 10, 31), dt.date(2026, 12, 31), False),
        (dt.date(2026, 11, 1), dt.date(2026, 12, 31), True),
        (dt.date(2026, 11, 1), dt.date(2027, 12, 31), False),
        (dt.date(2026, 1, 1), dt.date(2025, 12, 31), True),
    ],
)
def test_a_calendar_that_ends_too_soon_is_said(today: dt.date, known_until: dt.date, is_said: bool) -> None:
    WorkCalendarFactory(covered_until=known_until)

    said = [step.what for step in missing_setup(today)]

    assert any("is known until" in what for what in said) is is_said


def test_silence_is_said_with_what_to_do(look: Callable[[], Any]) -> None:
    heartbeat(ago=6 * MINUTE)

    response = look()

    assert findings(response) == ["Reminders have not been checked since March 2, 2026 19:54."]
    assert "manage.py reminders run" in response.context["findings"][0].advice


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: ReminderPlanFactory(send_at=NOON - 11 * MINUTE),
            "A reminder has been due since March 2, 2026 19:49 and was not made into mail.",
        ),
        (
            lambda: DeliveryFactory(next_attempt_at=NOON - 11 * MINUTE),
            "A mail has been waiting to be sent since March 2, 2026 19:49.",
        ),
        (lambda: DeliveryFactory(failed=True), "1 e-mail needs action."),
        (
            lambda: make_trouble("Connection refused"),
            "The mail server relay.test:25 has not been usable since March 2, 2026 19:00: Connection refused",
        ),
        (lambda: MailHoldFactory(active=True), "Sending has been paused since March 2, 2026 20:00."),
        (
            lambda: heartbeat("audit", note="3"),
            "The last consistency check, on March 2, 2026 19:59, found errors.",
        ),
        (
            lambda: MilestoneFactory(submitted=True, unit=UnitFactory(name="Workshop")),
            "No lead can decide for these units; the office is asked instead: Workshop.",
        ),
        (
            lambda: ImportFactory(name="partners.xlsx", status="checking", heartbeat_at=NOON - 3 * MINUTE),
            "These imports stopped before they were done: partners.xlsx.",
        ),
    ],
)
def test_each_trouble_is_found(look: Callable[[], Any], make: Callable[[], Any], said: str) -> None:
    heartbeat()
    make()

    assert findings(look()) == [said]


def test_a_little_while_is_no_trouble(look: Callable[[], Any]) -> None:
    heartbeat()
    ImportFactory(status="checking", heartbeat_at=NOON - MINUTE)
    ReminderPlanFactory(send_at=NOON - 9 * MINUTE)
    DeliveryFactory(next_attempt_at=NOON - 9 * MINUTE)

    assert findings(look()) == []


def test_a_database_behind_the_code_is_found(look: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeat()
    monkeypatch.setattr(operations.MigrationExecutor, "migration_plan", lambda *_: [1, 2])

    assert findings(look()) == ["2 changes of the database are not applied."]


def test_what_the_retention_rules_removed_is_counted(look: Callable[[], Any]) -> None:
    heartbeat()
    assert "Nothing had to be removed." not in look().text
    heartbeat("retention")
    assert "Nothing had to be removed." in look().text
    ComponentHeartbeat.objects.filter(name="retention").update(note='{"mails": 1200, "log": 3}')

    shown = " ".join(look().text.split())
    assert "Texts of mails: 1,200 · Lines of the security log: 3" in shown


def test_a_history_that_could_be_rewritten_is_found(look: Callable[[], Any]) -> None:
    heartbeat()
    remove_triggers("default")

    [found] = findings(look())
    assert "a safeguard is missing for partnerships_historicalachievement, " in found


def test_a_full_disk_is_found(look: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    heartbeat()
    monkeypatch.setattr(operations, "LITTLE_SPACE", 10**18)

    assert findings(look())[0].startswith("Only ")


def test_a_broker_that_is_gone_is_found(look: Callable[[], Any], broker_url: Callable[[str], None]) -> None:
    heartbeat()
    broker_url("redis://127.0.0.1:1/0")

    assert findings(look()) == ["The broker does not answer."]


def test_a_broker_that_never_answers_does_not_hang_the_page(
    look: Callable[[], Any], broker_url: Callable[[str], None]
) -> None:
    heartbeat()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker_url(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")

        assert findings(look()) == ["The broker does not answer."]


def test_ticks_that_no_worker_takes_are_counted(
    look: Callable[[], Any], broker_url: Callable[[str], None], redis_server: RedisServer
) -> None:
    heartbeat()
    broker_url(redis_server.url)
    assert look().context["broker"] == operations.Broker("ok", 0)
    for _tick in range(4):
        current_app.send_task("partnerships.tasks.tick")

    assert findings(look()) == ["4 ticks wait in the broker, and no worker takes them."]


def test_every_number_opens_exactly_its_list(look: Callable[[], Any]) -> None:
    for number, status in enumerate(DeliveryStatus):
        DeliveryFactory.create_batch(number % 3 + 1, status=status, sent_at=NOON, lease_until=NOON)
    Delivery.objects.filter(status=DeliveryStatus.QUEUED).update(next_attempt_at=NOON + MINUTE)
    for hours in (-1, 1, 1, 30, 24 * 6, 24 * 7):
        ReminderPlanFactory(send_at=NOON + dt.timedelta(hours=hours))
    ReminderPlanFactory(status=PlanStatus.MISSED, send_at=NOON + dt.timedelta(hours=1))
    response = look()
    numbers = [*response.context["numbers"], *(number for _day, number in response.context["ahead"])]

    pages = [response.client.get(number.link).context for number in numbers]
    lists = [page["cl"].result_count if "cl" in page else page["page"].paginator.count for page in pages]

    assert lists == [number.count for number in numbers]
    assert [number.count for _day, number in response.context["ahead"]] == [3, 0, 1, 0, 0, 0, 1]


@pytest.mark.parametrize("rows", [1, 5])
def test_the_page_costs_the_same_with_more_rows(
    look: Callable[[], Any], rows: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    heartbeat()
    for _row in range(rows):
        ReminderItemFactory(delivery__failed=True)
        ReminderItemFactory(delivery__sent=True)
    look()

    with django_assert_num_queries(27):
        look()


def test_the_consistency_check_runs_only_on_request(look: Callable[[], Any]) -> None:
    heartbeat()
    delivery = DeliveryFactory()
    client = look().client

    assert client.get(reverse("operations_audit")).status_code == 405
    assert not ComponentHeartbeat.objects.filter(name="audit").exists()
    response = client.post(reverse("operations_audit"))

    assert response.context["breaches"] == [f"Delivery {delivery.pk} carries no reminder."]
    assert ComponentHeartbeat.objects.get(name="audit").note == "1"


@pytest.mark.parametrize("role", ["viewer_in", "coordinator_in", "lead_in"])
def test_others_may_not_run_the_consistency_check(role: str, client_of: Callable[[Any], Client], world: Any) -> None:
    client = client_of(UserFactory(**{role: world.unit}))

    assert client.post(reverse("operations_audit")).status_code == 403


PAGES = ("my_work", "milestone_list", "admin:index", "admin:partnerships_agreement_changelist")


@pytest.mark.parametrize(
    ("role", "is_told"),
    [({"staff": True}, True), ({"system_admin": True}, True), ({"user_admin": True}, False), ("lead", False)],
)
def test_the_alarm_stands_on_every_page_of_the_office(
    role: Any, is_told: bool, world: Any, client_of: Callable[[Any], Client]
) -> None:
    heartbeat(ago=6 * MINUTE)
    client = client_of(world.lead if role == "lead" else UserFactory(**role))

    told = {name: "Reminders have not been checked since" in client.get(reverse(name)).text for name in PAGES}

    assert told == dict.fromkeys(PAGES, is_told)


def test_the_alarm_ends_with_the_silence(look: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    heartbeat(ago=6 * MINUTE)
    for _look in range(3):
        look()
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == [
        "partnerships.operations.heartbeat"
    ]

    ComponentHeartbeat.objects.filter(name="reminders").update(at=NOON)

    assert "Reminders have not been checked" not in look().text


def test_pages_of_others_do_not_pay_for_the_alarm(world: Any, client_of: Callable[[Any], Client]) -> None:
    heartbeat(ago=6 * MINUTE)
    client = client_of(world.coordinator)

    with CaptureQueriesContext(connection) as captured:
        client.get(reverse("me"))

    assert [query["sql"] for query in captured if "heartbeat" in query["sql"]] == []


def test_the_page_names_the_version_of_the_product(look: Callable[[], Any]) -> None:
    assert ("Partnerships", __version__) in look().context["site"].versions
