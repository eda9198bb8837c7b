"""On the page of a milestone and of an agreement: every reminder with its reason, in the words of `explain`."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from partnerships.factories import (
    NOON,
    DeliveryEventFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
    UserFactory,
)
from partnerships.models.reasons import Reason
from partnerships.statuses import PlanStatus
from tests.views.sections import section_url
from tests.views.world import World

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def read(world: World, client_of: Callable[[Any], Client]) -> Callable[..., str]:
    """The text of the milestone's page, without line breaks."""

    def text_of(person: Any = None, address: str = "") -> str:
        text = client_of(person or world.coordinator).get(address or world.milestone.get_absolute_url()).text
        return " ".join(text.split())

    return text_of


def test_a_planned_reminder_says_when_and_to_whom(world: World, read: Callable[..., str]) -> None:
    ReminderPlanFactory(milestone=world.milestone, send_at=NOON + DAY)

    text = read()

    assert "will be sent on March 3, 2026 20:00." in text
    assert f"→ To {world.coordinator}, owner of the milestone" in text


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (PlanStatus.MISSED, Reason.EXPIRED),
        (PlanStatus.SUPERSEDED, Reason.DUE_DATE_MOVED),
        (PlanStatus.CANCELLED, Reason.RULE_DISABLED),
        (PlanStatus.PLANNED, Reason.NOBODY_TO_TELL),
    ],
)
def test_what_is_not_sent_says_why(world: World, read: Callable[..., str], status: str, reason: Reason) -> None:
    ReminderPlanFactory(milestone=world.milestone, status=status, reason=reason)

    assert str(reason.label) in read()


def test_a_sent_reminder_says_when_and_leads_those_to_the_mail_who_may_open_it(
    world: World, read: Callable[..., str]
) -> None:
    item = ReminderItemFactory(plan__milestone=world.milestone, plan__status="expanded", delivery__sent=True)
    DeliveryEventFactory(delivery=item.delivery, to_status="sent")
    page = reverse("mail_detail", args=[item.delivery.pk])

    assert "owner of the milestone: Sent. <time" in read()
    assert "March 2, 2026 20:00 Sent" in read()
    people = (world.people["viewer"], world.coordinator, UserFactory(staff=True))
    assert [f'"{page}"' in read(person) for person in people] == [True, True, True]


def test_a_mail_in_trouble_says_what_to_do(world: World, read: Callable[..., str]) -> None:
    ReminderItemFactory(plan__milestone=world.milestone, plan__status="expanded", delivery__failed=True)

    assert "What to do: put right what the reason names, such as the address, then send it again." in read()


def test_the_words_are_the_readers(world: World, read: Callable[..., str]) -> None:
    person = UserFactory(viewer_in=world.unit, time_zone="Europe/London")
    ReminderPlanFactory(milestone=world.milestone, send_at=NOON + DAY)

    assert "will be sent on March 3, 2026 12:00." in read(person)


def test_an_agreement_shows_the_next_three_the_last_three_and_all_on_request(
    world: World, read: Callable[..., str]
) -> None:
    for number in range(1, 6):
        ReminderPlanFactory(milestone=world.milestone, rule__offset=number, send_at=NOON + number * DAY)
        ReminderPlanFactory(
            milestone=world.milestone,
            rule__offset=10 + number,
            send_at=NOON - number * DAY,
            status=PlanStatus.MISSED,
        )
    address = section_url(world.agreement, "work")

    some, everything = read(address=address), read(address=f"{address}&reminders=all")

    assert [some.count(words) for words in ("will be sent on", ">Missed<", 'reminders=all#reminders"')] == [3, 3, 1]
    assert [everything.count(words) for words in ("will be sent on", ">Missed<", 'reminders=all#reminders"')] == [
        5,
        5,
        0,
    ]


@pytest.mark.parametrize("name", ["milestone", "agreement"])
def test_a_page_costs_the_same_with_more_reminders(world: World, client_of: Callable[[Any], Client], name: str) -> None:
    client, address = client_of(world.lead), section_url(getattr(world, name), "work")
    rules = iter(ReminderRuleFactory.create_batch(12))

    def add() -> None:
        ReminderPlanFactory(milestone=world.milestone, rule=next(rules), send_at=NOON + DAY)
        item = ReminderItemFactory(plan__milestone=world.milestone, plan__rule=next(rules), delivery__sent=True)
        DeliveryEventFactory(delivery=item.delivery)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return len(captured)

    add()
    queries()
    few = queries()
    for _more in range(4):
        add()

    assert queries() == few
