"""A person's own settings and the language switch."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from partnerships.factories import UserFactory
from partnerships.models import User
from tests.views.world import World


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def again(person: Any) -> Any:
    return User.objects.get(pk=person.pk)


def values_of(person: Any, **changes: Any) -> dict[str, Any]:
    modes = dict.fromkeys(("decision_mode", "reminder_mode", "contact_mode", "news_mode"), "digest")
    reminders = {**modes, "reminder_hour": "8"}
    return {"version": person.version, "language": "en", "time_zone": "Asia/Shanghai", **reminders, **changes}


def test_the_language_switch_is_kept_in_the_profile(world: World, client: Client) -> None:
    response = client.post(reverse("my_language"), {"language": "zh-hans", "next": "/agreements/"})

    assert response.url == "/agreements/"
    assert again(world.coordinator).language == "zh-hans"
    assert '<html lang="zh-hans">' in client.get("/").text


@pytest.mark.parametrize("language", ["", "xx", "de"])
def test_a_language_we_do_not_have_changes_nothing(language: str, world: World, client: Client) -> None:
    client.post(reverse("my_language"), {"language": language})

    assert again(world.coordinator).language == "en"


def test_a_profile_that_is_wrong_elsewhere_is_shown_as_a_message(world: World, client: Client) -> None:
    User.objects.filter(pk=world.coordinator.pk).update(email="nowhere")

    response = client.post(reverse("my_language"), {"language": "zh-hans", "next": "/"})

    assert [message.level_tag for message in get_messages(response.wsgi_request)] == ["error"]
    assert (response.status_code, client.cookies["django_language"].value) == (302, "zh-hans")


def test_the_switch_leads_nowhere_else(world: World, client: Client) -> None:
    response = client.post(reverse("my_language"), {"language": "en", "next": "https://evil.example/"})

    assert response.url == "/"


def test_before_the_login_the_browser_keeps_the_language(world: World) -> None:
    client = Client()

    client.post(reverse("my_language"), {"language": "zh-hans"})

    assert '<html lang="zh-hans">' in client.get(reverse("login")).text


def test_saving_ones_settings(world: World, client: Client) -> None:
    absence = {"deputy": world.lead.pk, "absent_from": "2026-03-01", "absent_until": "2026-03-20"}

    client.post(reverse("me"), values_of(world.coordinator, time_zone="Europe/Berlin", **absence))

    person = again(world.coordinator)
    assert (person.time_zone, person.deputy) == ("Europe/Berlin", world.lead)
    assert person.history.first().history_user == world.coordinator


def test_the_deputy_sees_the_absent_persons_work(world: World, client_of: Callable[[Any], Client]) -> None:
    lead = client_of(world.lead)
    before = lead.get("/").text
    person = world.coordinator
    person.deputy, person.absent_from, person.absent_until = world.lead, "2026-03-01", "2026-03-20"
    person.save()

    after = lead.get("/").text

    assert ["North milestone" in page for page in (before, after)] == [False, True]
    assert "You stand in for" in after


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"absent_from": "2026-03-05", "absent_until": "2026-03-01"}, "absent_until"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"version": 99}, "__all__"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    changes: dict[str, Any], field: str, world: World, client: Client
) -> None:
    response = client.post(reverse("me"), values_of(world.coordinator, **changes))

    assert list(response.context["form"].errors) == [field]
    assert again(world.coordinator).version == world.coordinator.version


def test_nobody_gives_themselves_a_role(world: World, client: Client) -> None:
    forged = {"is_superuser": "on", "is_staff": "on", "is_user_admin": "on", "username": "root", "email": "x@y.example"}

    client.post(reverse("me"), values_of(world.coordinator, **forged))

    person = again(world.coordinator)
    assert (person.is_superuser, person.is_staff, person.is_user_admin) == (False, False, False)
    assert (person.username, person.email) == (world.coordinator.username, world.coordinator.email)


def test_a_deputy_is_a_colleague(world: World, client: Client) -> None:
    response = client.post(reverse("me"), values_of(world.coordinator, deputy=UserFactory().pk))

    assert list(response.context["form"].errors) == ["deputy"]


def test_when_and_how_reminders_arrive(world: World, client: Client) -> None:
    modes = {"decision_mode": "immediate", "reminder_mode": "feed", "contact_mode": "digest", "news_mode": "immediate"}
    client.post(reverse("me"), values_of(world.coordinator, **modes, reminder_hour="19"))

    person = again(world.coordinator)
    assert {name: getattr(person, name) for name in modes} == modes
    assert person.reminder_hour == 19
    assert "always come by mail" in client.get(reverse("me")).text


def test_decisions_cannot_be_kept_from_the_mail(world: World, client: Client) -> None:
    response = client.post(reverse("me"), values_of(world.coordinator, decision_mode="feed"))

    assert list(response.context["form"].errors) == ["decision_mode"]


def test_a_new_account_gets_decisions_at_once_and_the_rest_in_the_digest() -> None:
    person = User()

    modes = [person.decision_mode, person.reminder_mode, person.contact_mode, person.news_mode]
    assert modes == ["immediate", "digest", "digest", "digest"]


@pytest.mark.parametrize("hour", ["24", "-1", "", "8.5"])
def test_an_hour_the_day_does_not_have_is_refused(hour: str, world: World, client: Client) -> None:
    response = client.post(reverse("me"), values_of(world.coordinator, reminder_hour=hour))

    assert list(response.context["form"].errors) == ["reminder_hour"]


@pytest.mark.parametrize("zone", ["US/Nowhere", "Asia", "../etc/passwd"])
def test_a_time_zone_that_no_longer_exists_is_said_and_stops_nothing(zone: str, world: World, client: Client) -> None:
    User.objects.filter(pk=world.coordinator.pk).update(time_zone=zone)

    pages = [client.get(path) for path in (reverse("my_work"), reverse("me"), "/healthz")]

    assert [page.status_code for page in pages] == [200, 200, 200]
    assert "no longer exists" in pages[0].text
