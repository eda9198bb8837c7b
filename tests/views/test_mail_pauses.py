"""The page on which the office pauses and resumes the sending of all mail."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import NOON, MailHoldFactory, ReminderItemFactory, UserFactory
from partnerships.models import MailHold, User
from tests.views.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

PAGE = "/mails/pauses/"


@pytest.fixture
def staff(db: Any) -> User:
    return UserFactory(staff=True)


@pytest.fixture
def office(staff: User, client_of: Callable[[Any], Client]) -> Client:
    return client_of(staff)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_the_office_pauses_sending_and_resumes_it(office: Client, staff: User) -> None:
    waiting = ReminderItemFactory().delivery

    paused = office.post(PAGE, {"note": "搬迁邮件服务器"}, follow=True)

    pause = MailHold.objects.active().get()
    waiting.refresh_from_db()
    assert (pause.note, pause.by, waiting.status) == ("搬迁邮件服务器", staff, "held")
    assert messages_of(paused) == ["Sending is paused."]
    assert "搬迁邮件服务器" in paused.text

    resumed = office.post(reverse("mail_resume", args=[pause.pk]), follow=True)

    pause.refresh_from_db()
    assert (pause.is_active, pause.lifted_by) == (False, staff)
    assert messages_of(resumed) == ["Sending is resumed."]


def test_reading_the_pages_changes_nothing(office: Client) -> None:
    pause = MailHoldFactory(active=True)

    answers = [office.get(address).status_code for address in (PAGE, reverse("mail_resume", args=[pause.pk]))]

    assert answers == [200, 405]
    assert MailHold.objects.active().exists()


@pytest.mark.parametrize(
    ("role", "page", "is_offered"),
    [
        ("coordinator", "my_work", False),
        ("lead", "team", False),
        ("viewer", "my_work", False),
        ("staff", "my_work", True),
    ],
)
def test_who_counts_on_reminders_reads_that_sending_is_paused(
    role: str, page: str, is_offered: bool, world: World, client_of: Callable[[Any], Client]
) -> None:
    reader = client_of(world.people[role])
    before = reader.get(reverse(page)).text
    MailHoldFactory(active=True)

    after = reader.get(reverse(page)).text

    assert ["Sending has been paused since" in text for text in (before, after)] == [False, True]
    assert (f'href="{PAGE}"' in after) == is_offered


def test_a_second_pause_is_refused_in_words(office: Client) -> None:
    MailHoldFactory(active=True)

    page = office.post(PAGE, {"note": "again"})

    assert page.context["form"].non_field_errors() == ["Sending is paused already."]
    assert "Sending is paused already." in page.text


def test_a_second_click_on_resume_does_not_end_a_later_pause(office: Client) -> None:
    ended = MailHoldFactory(is_active=False, lifted_at=NOON)
    MailHoldFactory(active=True)

    page = office.post(reverse("mail_resume", args=[ended.pk]), follow=True)

    assert messages_of(page) == ["Sending is resumed already."]
    assert MailHold.objects.active().exists()


@pytest.mark.parametrize("note", ["", "a\u202eb", "x" * 301])
def test_a_bad_reason_is_refused_at_the_field(office: Client, note: str) -> None:
    page = office.post(PAGE, {"note": note})

    assert list(page.context["form"].errors) == ["note"]
    assert not MailHold.objects.exists()


def test_former_pauses_are_listed_with_who_began_and_ended_them(office: Client, staff: User) -> None:
    MailHoldFactory(note="Relay moved", by=staff, is_active=False, lifted_at=NOON, lifted_by=staff)

    page = office.get(PAGE)

    assert "Relay moved" in page.text
    assert page.text.count(str(staff)) >= 2


@pytest.mark.parametrize("role", ["lead", "coordinator", "viewer", "user_admin"])
def test_others_neither_pause_nor_resume(world: World, client_of: Callable[[Any], Client], role: str) -> None:
    pause = MailHoldFactory(active=True)
    client = client_of(world.people[role])

    answers = [client.post(PAGE, {"note": "x"}), client.post(reverse("mail_resume", args=[pause.pk]))]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert list(MailHold.objects.active()) == [pause]
