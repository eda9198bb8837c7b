"""Sessions end when they should, and passwords and rights take calendar addresses, files and further tries with them."""

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth.tokens import default_token_generator
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from partnerships.demo.removal import remove_sample
from partnerships.factories import (
    AgreementFactory,
    EnterpriseFactory,
    FeedTokenFactory,
    SourceFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import (
    CeremonyDraft,
    Export,
    HistoryPermit,
    Organization,
    Role,
    SecurityEvent,
    Source,
    User,
    UserSession,
)
from partnerships.sessions import browser_in_words, hash_key
from partnerships.workflows import ceremonies
from tests.admin.forms import change_url, save, step_url

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"


@pytest.fixture
def person() -> User:
    return UserFactory(username="lin", password=PASSWORD, coordinator_in=UnitFactory())


def logged_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize("url", ["/", "/agreements/", "/me/", "/admin/", "/nowhere/"])
def test_no_page_behind_a_login_is_stored(url: str) -> None:
    client = logged_in(UserFactory(staff=True))

    kept = {part.strip() for part in client.get(url)["Cache-Control"].split(",")}

    assert {"no-store", "private"} <= kept


@pytest.mark.parametrize(
    ("role", "limit"),
    [
        ({"staff": True}, 1),
        ({"system_admin": True}, 1),
        ({"user_admin": True}, 1),
        ({}, 8),
    ],
)
def test_a_session_ends_after_hours_without_use(role: dict[str, bool], limit: int) -> None:
    client = logged_in(UserFactory(**role or {"lead_in": UnitFactory()}))
    now = timezone.now()

    with time_machine.travel(now, tick=False) as clock:
        answers = []
        for hours in (limit - 0.1, limit - 0.1, limit + 0.1):
            clock.shift(dt.timedelta(hours=hours))
            answers.append(client.get("/me/").status_code)

    assert answers == [200, 200, 302]
    assert client.get("/me/").url.startswith(reverse("login"))


@pytest.mark.parametrize(("typed", "stays"), [({}, False), ({"stay": "on"}, True)])
def test_a_session_ends_with_the_browser_unless_asked(person: User, typed: dict[str, str], stays: bool) -> None:
    response = Client().post(reverse("login"), {"username": "lin", "password": PASSWORD, **typed})

    assert bool(response.cookies["sessionid"]["max-age"]) == stays


def test_old_passwords_are_not_tried_without_end(person: User) -> None:
    client, url = logged_in(person), reverse("password_change")
    new = {"new_password1": "another-long-one", "new_password2": "another-long-one"}

    tried = [client.post(url, {"old_password": f"guess-{turn}", **new}).status_code for turn in range(12)]

    assert set(tried[:9]) == {200}
    assert set(tried[10:]) == {429}
    assert client.post(url, {"old_password": PASSWORD, **new}).status_code == 429
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_the_right_old_password_is_taken(person: User) -> None:
    new = {"new_password1": "another-long-one", "new_password2": "another-long-one"}

    assert logged_in(person).post(reverse("password_change"), {"old_password": PASSWORD, **new}).status_code == 302


def test_setting_a_password_by_a_link_ends_the_calendar_addresses(person: User) -> None:
    FeedTokenFactory(user=person, token="secret")
    client, uid = Client(), urlsafe_base64_encode(force_bytes(person.pk))
    link = reverse("password_reset_confirm", args=[uid, default_token_generator.make_token(person)])
    form = client.get(link, follow=True).redirect_chain[-1][0]
    assert Client().get(reverse("feed", args=["secret"])).status_code == 200

    client.post(form, {"new_password1": "another-long-one", "new_password2": "another-long-one"})

    assert Client().get(reverse("feed", args=["secret"])).status_code == 404


def test_a_deactivation_ends_the_calendar_addresses(person: User) -> None:
    FeedTokenFactory(user=person, token="secret")
    administrator = logged_in(UserFactory(user_admin=True))

    administrator.post(step_url(person, "deactivate"), {"version": "1"})
    person.refresh_from_db()
    administrator.post(step_url(person, "activate"), {"version": str(person.version)})

    assert Client().get(reverse("feed", args=["secret"])).status_code == 404


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.mark.parametrize("loss", ["role", "lower role", "unit", "staff", "nothing"])
def test_an_export_is_refused_once_a_right_of_its_maker_is_gone(loss: str, clock: Any) -> None:
    college = UnitFactory()
    department = UnitFactory(parent=college)
    maker = UserFactory(staff=True) if loss == "staff" else UserFactory(lead_in=college)
    clock.shift(1)
    client = logged_in(maker)
    client.post(reverse("export_add"), {"list": "agreement_list", "query": "", "format": "csv"}).getvalue()
    url = reverse("export_download", args=[Export.objects.get().pk])

    def answer() -> int:
        response = client.get(url)
        response.getvalue()  # reads the file, which closes it
        return response.status_code

    assert answer() == 200

    clock.shift(1)
    membership = maker.memberships.first()
    if loss == "role":
        membership.delete()
        maker.memberships.create(unit=UnitFactory(), role=Role.VIEWER)
    elif loss == "lower role":
        membership.role = Role.VIEWER
        membership.save()
    elif loss == "staff":
        maker.is_staff = False
        maker.save()
        maker.memberships.create(unit=UnitFactory(), role=Role.LEAD)
    elif loss == "unit":
        save(logged_in(UserFactory(system_admin=True)), department, parent="")
    else:
        save(logged_in(UserFactory(system_admin=True)), department, name="Renamed")

    assert answer() == (200 if loss == "nothing" else 403)


def test_the_shortcut_of_the_admin_leads_only_to_what_one_sees() -> None:
    own, other = UnitFactory(), UnitFactory()
    client = logged_in(UserFactory(lead_in=own))
    rows = [AgreementFactory(unit=unit) for unit in (own, other)]
    kinds = {model: ContentType.objects.get_for_model(model).pk for model in (type(rows[0]), User, CeremonyDraft)}

    def answer(kind: object, pk: object) -> int:
        return client.get(f"/admin/r/{kind}/{pk}/").status_code

    assert [answer(kinds[type(row)], row.pk) for row in rows] == [302, 404]
    assert answer(kinds[User], User.objects.get(pk=UserFactory().pk).pk) == 404
    assert answer(kinds[CeremonyDraft], 1) == 404
    assert [answer("x", rows[0].pk), answer(kinds[type(rows[0])], "x"), answer(10**9, 1)] == [404] * 3


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "JavaScript:alert(1)", " javascript:alert(1)", "data:text/html,x"]
)
def test_a_stored_address_that_runs_a_script_is_no_link(address: str) -> None:
    staff = logged_in(UserFactory(staff=True))
    source, organization = SourceFactory(), EnterpriseFactory()
    Source.objects.filter(pk=source.pk).update(url=address)
    Organization.objects.filter(pk=organization.pk).update(website=address)

    lead = logged_in(UserFactory(lead_in=UnitFactory()))
    # The lead reads the source in the administration, and edits nothing of it.
    in_admin = [client.get(change_url(row)) for client in (staff, lead) for row in (source, organization)]
    with HistoryPermit.objects.granted(HistoryPermit.Kind.SAMPLE):
        Source.history.update(url=address)
    state = reverse("admin:partnerships_source_simple_history", args=[source.pk, source.history.get().pk])
    in_admin += [lead.get(state), staff.get(state)]
    pages = [staff.get(row.get_absolute_url()) for row in (source, organization)]

    links = [re.findall(r'href="([^"]*)', answer.text) for answer in (*pages, *in_admin)]
    assert [link for page in links for link in page if link.strip().lower().startswith(("javascript:", "data:"))] == []
    assert [answer.status_code for answer in in_admin] == [200] * 6
    assert [address.strip() in page.text for page in pages] == [True, True]


def test_a_stored_address_of_the_web_is_a_link() -> None:
    source = SourceFactory(url="https://example.org/a?b=1&c=2")
    lead = logged_in(UserFactory(lead_in=UnitFactory()))

    pages = [lead.get(address).text for address in (source.get_absolute_url(), change_url(source))]

    assert ['href="https://example.org/a?b=1&amp;c=2"' in page for page in pages] == [True, True]


def test_drafts_have_limits_of_size_and_number(monkeypatch: Any) -> None:
    author = UserFactory(coordinator_in=UnitFactory())
    client, url = logged_in(author), reverse("event_ceremony")

    def type_in(**fields: str) -> str:
        return client.post(url, {"key": str(uuid.uuid4()), "version": "0", **fields}).text

    monkeypatch.setattr(ceremonies, "MOST_DRAFTS", 2)
    answers = [type_in(name="Signing") for _number in range(3)]
    monkeypatch.setattr(ceremonies, "MOST_DRAFTS", 20)
    too_long = type_in(name="x" * (ceremonies.LARGEST_DRAFT + 1))

    assert ["many unfinished" in answer for answer in answers] == [False, False, True]
    assert "too long" in too_long
    assert CeremonyDraft.objects.of(author).count() == 2


# One's own sessions

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"


def browser_of(person: User, *, address: str = "192.0.2.1", description: str = FIREFOX) -> Client:
    client = Client(REMOTE_ADDR=address, headers={"user-agent": description})
    client.post(reverse("login"), {"username": person.username, "password": PASSWORD})
    return client


def listed(client: Client) -> list[tuple[str, str, bool]]:
    return [(one.address, one.browser, one.is_current) for one in client.get("/me/").context["sessions"]]


@pytest.mark.both_databases
def test_ones_sessions_are_listed_with_the_own_one_marked(person: User) -> None:
    here = browser_of(person)
    browser_of(person, address="198.51.100.9", description="curl/8")
    browser_of(UserFactory(username="other", password=PASSWORD))

    page = here.get("/me/").text

    assert sorted(listed(here)) == [("192.0.2.1", "Firefox · Windows", True), ("198.51.100.9", "", False)]
    assert ("this browser" in page, "Unknown browser" in page) == (True, True)


@pytest.mark.both_databases
def test_a_session_that_was_ended_cannot_act_any_more(person: User) -> None:
    here, there, third = (browser_of(person) for _number in range(3))
    other = next(one.row for one in here.get("/me/").context["sessions"] if one.row.pk == key_in_table(there))

    here.post(reverse("session_end", args=[other.pk]))

    assert [client.get("/me/").status_code for client in (here, there, third)] == [200, 302, 200]
    assert there.post(reverse("password_change"), {"old_password": PASSWORD}).url.startswith(reverse("login"))
    here.post(reverse("session_end_others"))
    assert [client.get("/me/").status_code for client in (here, third)] == [200, 302]
    ended = SecurityEvent.objects.filter(kind=SecurityEvent.Kind.SESSION_ENDED)
    assert [(event.user, event.address) for event in ended] == [(person, "192.0.2.1")] * 2


def key_in_table(client: Client) -> str:
    return hash_key(client.cookies["sessionid"].value)


@pytest.mark.parametrize("role", ["coordinator", "system_admin", "user_admin"])
def test_nobody_ends_or_sees_the_session_of_somebody_else(role: str, person: User) -> None:
    theirs = browser_of(person)
    stranger = logged_in(
        UserFactory(coordinator_in=UnitFactory()) if role == "coordinator" else UserFactory(**{role: True})
    )

    assert len(stranger.get("/me/").context["sessions"]) == 1
    assert stranger.post(reverse("session_end", args=[key_in_table(theirs)])).status_code == 404
    stranger.post(reverse("session_end_others"))
    assert stranger.get(reverse("session_end", args=[key_in_table(theirs)])).status_code == 405
    assert theirs.get("/me/").status_code == 200


@pytest.mark.both_databases
def test_nothing_in_the_tables_opens_a_session(person: User) -> None:
    client = browser_of(person)
    key = client.cookies["sessionid"].value

    rows = "".join(str(row) for row in [*UserSession.objects.values_list(), *SecurityEvent.objects.values_list()])
    thief = Client()
    thief.cookies["sessionid"] = key_in_table(client)

    assert key not in rows
    assert not Session.objects.exists()
    assert thief.get("/me/").status_code == 302
    assert key not in client.get("/me/").text


def test_a_new_password_ends_the_other_sessions_and_takes_them_off_the_list(person: User) -> None:
    here, there = browser_of(person), browser_of(person)
    new = {"new_password1": "another-long-one", "new_password2": "another-long-one"}

    here.post(reverse("password_change"), {"old_password": PASSWORD, **new})

    assert len(listed(here)) == 1
    assert there.get("/me/").status_code == 302


def test_a_session_that_nobody_used_is_not_listed(person: User) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        browser_of(person)
        clock.shift(dt.timedelta(hours=9))
        here = browser_of(person)
        assert len(listed(here)) == 1
        assert UserSession.objects.filter(user=person).count() == 2
        clock.shift(dt.timedelta(days=15))
        browser_of(person)
        assert UserSession.objects.filter(user=person).count() == 1


def test_logging_in_gives_the_browser_another_key(person: User) -> None:
    client = Client()
    client.cookies["sessionid"] = "chosenbysomebodyelse"
    client.post(reverse("login"), {"username": "lin", "password": PASSWORD})

    assert client.cookies["sessionid"].value != "chosenbysomebodyelse"


def test_the_sessions_of_an_account_go_with_it(person: User) -> None:
    client = browser_of(person)
    User.objects.filter(pk=person.pk).update(is_sample=True)

    remove_sample()

    assert (UserSession.objects.exists(), client.get("/me/").status_code) == (False, 302)


@pytest.mark.parametrize(
    ("description", "words"),
    [
        (FIREFOX, "Firefox · Windows"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Mobile Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (Linux; Android 14) Chrome/120.0 Mobile MicroMessenger/8.0.49", "WeChat · Android"),
        ("<script>alert(1)</script>", ""),
        ("", ""),
    ],
)
def test_a_browser_is_named_in_short_words(description: str, words: str) -> None:
    assert browser_in_words(description) == words
