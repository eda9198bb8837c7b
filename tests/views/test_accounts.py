"""Login, logout, passwords: nothing tells whether an account exists, nothing leads away from the site."""

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client, TestCase
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import UnitFactory, UserFactory
from partnerships.models import PasswordRequest
from partnerships.workflows import users
from partnerships.workflows.users import send_requested_links

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Any:
    return UserFactory(username="lin", password="a-long-password", coordinator_in=UnitFactory())


@pytest.fixture
def outbox(smtp_sink: Any, settings: Any) -> Any:
    """Mail goes to a real server, past the memory that the test runner puts in its place."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    return smtp_sink


def log_in(**more: str) -> Any:
    return Client().post(reverse("login"), {"username": "lin", "password": "a-long-password", **more})


def test_logging_in_leads_to_my_work(person: Any) -> None:
    assert log_in().url == "/"


def test_the_page_asked_for_is_opened_after_the_login(person: Any) -> None:
    assert log_in(next="/milestones/3/").url == "/milestones/3/"


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_the_login_leads_nowhere_else(address: str, person: Any) -> None:
    assert log_in(next=address).url == "/"


@pytest.mark.parametrize("changes", [{"password": "wrong"}, {"username": "nobody-of-that-name"}])
def test_a_failed_login_does_not_say_which_part_was_wrong(changes: dict[str, str], person: Any) -> None:
    response = Client().post(reverse("login"), {"username": "lin", "password": "a-long-password", **changes})

    assert response.context["form"].non_field_errors() == [
        "Please enter a correct username and password. Note that both fields may be case-sensitive."
    ]


def test_ten_wrong_passwords_close_the_door_to_this_account_alone(person: Any) -> None:
    other = UserFactory(username="qian", password="a-long-password", coordinator_in=UnitFactory())

    tried = [log_in(password="wrong").status_code for _turn in range(10)]

    assert tried == [200] * 9 + [429]
    locked_out = log_in()
    assert (locked_out.status_code, "_auth_user_id" in locked_out.wsgi_request.session) == (429, False)
    assert log_in(username=other.username).url == "/"


def test_the_door_opens_again_after_a_quarter_of_an_hour(person: Any) -> None:
    for _turn in range(10):
        log_in(password="wrong")

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=16)):
        assert log_in().url == "/"


def test_somebody_deactivated_does_not_get_in(person: Any) -> None:
    person.is_active = False
    person.save()

    assert log_in().status_code == 200


def test_logging_out_takes_a_post(person: Any) -> None:
    client = Client()
    client.force_login(person)

    assert client.get(reverse("logout")).status_code == 405
    assert client.post(reverse("logout")).url == reverse("login")
    assert client.get("/").status_code == 302


def ask_for_reset(address: str, **headers: str) -> Any:
    """Ask as a browser does, and have the worker answer."""
    response = Client().post(reverse("password_reset"), {"email": address}, headers=headers)
    with TestCase.captureOnCommitCallbacks(execute=True):
        send_requested_links(now=timezone.now())
    return response


def test_the_reset_mail_leads_to_a_new_password(person: Any, outbox: Any) -> None:
    ask_for_reset(person.email)
    link = re.search(r"http://testserver(/\S+)", outbox.received[0].text()).group(1)
    client = Client()
    form = client.get(link, follow=True)
    passwords = {"new_password1": "another-long-one", "new_password2": "another-long-one"}

    response = client.post(form.redirect_chain[-1][0], passwords)

    assert response.url == reverse("password_reset_complete")
    assert log_in(password="another-long-one").status_code == 302
    assert "This link has been used" in Client().get(link, follow=True).text


def test_the_reset_page_does_not_say_whether_there_is_an_account(person: Any, outbox: Any) -> None:
    known, unknown = ask_for_reset(person.email), ask_for_reset("nobody@example.org")

    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert len(outbox.received) == 1


def test_a_known_and_an_unknown_address_cost_the_same(person: Any) -> None:
    url, client = reverse("password_reset"), Client()
    asked = []
    for address in (person.email, "nobody@example.org"):
        with CaptureQueriesContext(connection) as queries:
            answer = client.post(url, {"email": address})
        asked.append((answer.status_code, answer.url, [re.sub(r"'[^']*'|\d+", "?", row["sql"]) for row in queries]))

    assert asked[0] == asked[1]


def test_links_are_limited_by_address_and_network(person: Any, outbox: Any) -> None:
    answers = {ask_for_reset(address).url for address in [person.email, person.email.upper()] * 7}
    sent = len(outbox.received)
    others = [UserFactory(coordinator_in=UnitFactory()).email for _number in range(users.REQUESTS_PER_NETWORK)]
    answers |= {ask_for_reset(address).url for address in others}

    assert answers == {reverse("password_reset_done")}
    assert sent == users.REQUESTS_PER_ADDRESS
    assert len(outbox.received) == users.REQUESTS_PER_NETWORK
    with time_machine.travel(timezone.now() + dt.timedelta(hours=1, minutes=1)):
        ask_for_reset(person.email)
    assert len(outbox.received) == users.REQUESTS_PER_NETWORK + 1
    assert PasswordRequest.objects.count() == 1


def test_many_links_at_once_are_mailed_over_several_ticks(person: Any) -> None:
    asked = dt.datetime.now(dt.UTC)
    PasswordRequest.objects.bulk_create(
        PasswordRequest(email=person.email, asked_at=asked) for _number in range(users.LINKS_AT_ONCE + 2)
    )

    assert [send_requested_links(now=asked) for _tick in range(3)] == [users.LINKS_AT_ONCE, 2, 0]


def test_the_reset_mail_names_our_site_whatever_host_was_claimed(person: Any, outbox: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]

    ask_for_reset(person.email, host="evil.example")

    assert "evil.example" not in outbox.received[0].text()


def test_the_reset_mail_is_in_the_persons_language(person: Any, outbox: Any, settings: Any, tmp_path: Any) -> None:
    settings.TEMPLATES = [
        {**settings.TEMPLATES[0], "DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]},
    ]
    (tmp_path / "registration").mkdir()
    mail = "{% load i18n %}{% get_current_language as code %}written in {{ code }}"
    (tmp_path / "registration" / "password_reset_email.txt").write_text(mail)
    person.language = "zh-hans"
    person.save()

    ask_for_reset(person.email)

    assert outbox.received[0].text().strip() == "written in zh-hans"


def test_changing_the_password_asks_for_the_old_one(person: Any) -> None:
    client = Client()
    client.force_login(person)
    values = {"old_password": "wrong", "new_password1": "another-long-one", "new_password2": "another-long-one"}

    refused = client.post(reverse("password_change"), values)
    changed = client.post(reverse("password_change"), {**values, "old_password": "a-long-password"})

    assert list(refused.context["form"].errors) == ["old_password"]
    assert changed.url == reverse("password_change_done")
