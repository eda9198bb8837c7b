"""What was typed in a session that ended meanwhile is held for the person who typed it, and for nobody else."""

import datetime as dt
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import UserFactory
from partnerships.models import Organization, User, UserSession
from partnerships.typed_fields import labelled
from tests.views.world import World

PASSWORD = "a-long-password"
ADD = "/organizations/add/"
TYPED = {
    "kind": "enterprise",
    "name": "Quay Works",
    "description": "First line\r\nand <b>a second</b>, long",
    "names-TOTAL_FORMS": "0",
    "names-INITIAL_FORMS": "0",
    "codes-TOTAL_FORMS": "0",
    "codes-INITIAL_FORMS": "0",
    "country": "CN",
}


@pytest.fixture
def lin(world: World) -> User:
    return UserFactory(username="lin", name="Lin", password=PASSWORD, coordinator_in=world.unit)


@pytest.fixture
def browser_of_lin(lin: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    log_in(client, "lin")
    client.get("/")
    return client


def log_in(client: Client, username: str) -> None:
    page = client.get(reverse("login"))
    sent = {"username": username, "password": PASSWORD, "csrfmiddlewaretoken": token(page)}
    assert client.post(reverse("login"), sent).status_code == 302


def token(page: Any) -> str:
    return re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[-1]


def held(page: Any) -> dict[str, str]:
    """The fields of the page's form, as a browser sends them."""
    form = page.text.partition("Send again")[0].rpartition("<form")[2]
    return {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)}


def end_by_idling(client: Client) -> None:
    session = client.session
    session["used_at"] = int((timezone.now() - dt.timedelta(days=1)).timestamp())
    session.save()


def end_in_the_store(client: Client) -> None:
    UserSession.objects.all().delete()


def end_with_the_cookie(client: Client) -> None:
    del client.cookies["sessionid"]


def end_with_all_cookies(client: Client) -> None:
    client.cookies.clear()


@pytest.mark.parametrize("end", [end_by_idling, end_in_the_store, end_with_the_cookie, end_with_all_cookies])
def test_it_is_sent_again_after_the_next_login(
    end: Callable[[Client], None], browser_of_lin: Client, world: World
) -> None:
    client = browser_of_lin
    typed = TYPED | {"unit": str(world.unit.pk), "csrfmiddlewaretoken": token(client.get(ADD))}
    end(client)

    ended = client.post(ADD, typed)
    log_in(client, "lin")
    back = client.post(ADD, held(ended))
    client.post(ADD, held(back))

    assert "Your session has ended" in ended.text or "You are logged in again" in ended.text
    assert (ended["Cache-Control"], "and &lt;b&gt;a second&lt;/b&gt;, long" in ended.text) == (
        "no-store, private",
        True,
    )
    assert Organization.objects.get(name="Quay Works").description == TYPED["description"]


def test_what_was_entered_is_shown_with_the_labels_of_fields_and_choices(browser_of_lin: Client) -> None:
    end_in_the_store(browser_of_lin)
    log = {"channel": "call", "on": "2026-11-29", "summary": "They said yes"}

    organization = browser_of_lin.post(ADD, TYPED | {"csrfmiddlewaretoken": "x"}).context["shown"]
    follow_up = browser_of_lin.post(
        "/activities/add/", {"kind": "visit", "title": "Tour", "headcount": "", "currency": "CNY"}
    )

    assert organization[:2] == [("Kind", "Enterprise"), ("Name", "Quay Works")]
    assert ("Kind", "Visit") in follow_up.context["shown"]
    assert "CNY" not in str(follow_up.context["shown"])
    assert {("How", "Call"), ("What was said", "They said yes")} <= set(labelled(list(log.items())))


def test_the_tab_of_the_login_leads_back_to_the_form(browser_of_lin: Client) -> None:
    end_in_the_store(browser_of_lin)
    ended = browser_of_lin.post(ADD, TYPED)
    login = re.findall(r'href="(/login[^"]*)"', ended.text)[0]

    page = browser_of_lin.get(login)
    sent = {"username": "lin", "password": PASSWORD, "next": page.context["next"], "csrfmiddlewaretoken": token(page)}

    assert "Go back to the other tab" in browser_of_lin.post(login, sent, follow=True).text


def test_a_page_opened_before_the_login_in_another_tab_is_sent_again(browser_of_lin: Client, world: World) -> None:
    typed = TYPED | {"unit": str(world.unit.pk), "csrfmiddlewaretoken": token(browser_of_lin.get(ADD))}
    end_in_the_store(browser_of_lin)
    log_in(browser_of_lin, "lin")

    back = browser_of_lin.post(ADD, typed)
    browser_of_lin.post(ADD, held(back))

    assert "You are logged in again" in back.text
    assert Organization.objects.filter(name="Quay Works").exists()


def test_forms_of_the_administration_are_held_as_well(world: World) -> None:
    UserFactory(username="lin", name="Lin", password=PASSWORD, staff=True)
    client, url = Client(enforce_csrf_checks=True), reverse("admin:partnerships_source_add")
    log_in(client, "lin")
    typed = {"title": "A long headline", "csrfmiddlewaretoken": token(client.get(url))}
    end_in_the_store(client)

    ended = client.post(url, typed)

    assert (ended.status_code, "A long headline" in ended.text) == (409, True)


@pytest.mark.parametrize("at", ["before the page is sent", "after it was held"])
def test_somebody_else_in_the_same_browser_does_not_get_it(at: str, browser_of_lin: Client, world: World) -> None:
    UserFactory(username="ma", name="Ma", password=PASSWORD, coordinator_in=world.unit)
    client = browser_of_lin
    sent = TYPED | {"csrfmiddlewaretoken": token(client.get(ADD))}
    end_in_the_store(client)
    if at == "after it was held":
        sent = held(client.post(ADD, sent))
    log_in(client, "ma")

    answer = client.post(ADD, sent)

    assert (answer.status_code, "Quay Works" in answer.text) == (409, False)
    assert "Somebody else used this browser" in answer.text
    assert Organization.objects.filter(name="Quay Works").count() == 0


def test_what_another_site_sends_is_not_held(browser_of_lin: Client) -> None:
    answer = browser_of_lin.post(ADD, TYPED, headers={"Origin": "https://elsewhere.example"})

    assert (answer.status_code, "Quay Works" in answer.text) == (403, False)


def test_a_password_is_never_held(browser_of_lin: Client) -> None:
    url = reverse("password_change")
    typed = {"old_password": PASSWORD, "new_password1": "another-one-77", "new_password2": "another-one-77"}
    UserSession.objects.all().delete()

    answer = browser_of_lin.post(url, typed | {"csrfmiddlewaretoken": "x"})

    assert "another-one-77" not in answer.text


def test_a_part_of_a_page_says_so_above_it_and_leaves_it_alone(browser_of_lin: Client) -> None:
    url = reverse("event_ceremony")
    typed = {"name": "Docking meeting", "csrfmiddlewaretoken": token(browser_of_lin.get(url))}
    UserSession.objects.all().delete()

    answer = browser_of_lin.post(url, typed, headers={"HX-Request": "true"})

    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#session-ended", "innerHTML")
    assert "Your session has ended." in answer.text


class TestInABrowser:
    def test_a_long_form_outlives_its_session(self, world: World, lin: User, open_page: Callable[..., Any]) -> None:
        page = open_page(ADD, lin)
        page.get_by_label("Kind").select_option("Enterprise")
        page.get_by_label("Name", exact=True).fill("Quay Works")
        UserSession.objects.all().delete()

        page.get_by_role("button", name="Save").last.click()
        page.get_by_role("heading", name="Your session has ended").wait_for()
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="Log in in a new tab").click()
        login = opened.value
        login.get_by_label("Username").fill("lin")
        login.get_by_label("Password").fill(PASSWORD)
        login.get_by_role("button", name="Log in").click()
        login.get_by_role("heading", level=1).first.wait_for()
        page.get_by_role("button", name="Send again").click()
        page.get_by_role("heading", name="You are logged in again").wait_for()
        page.get_by_role("button", name="Send again").click()
        page.get_by_role("heading", level=1, name="Quay Works").wait_for()

        assert Organization.objects.get(name="Quay Works").holders.get().unit == world.unit
