"""The calendar feed over HTTP, and its addresses on one's own page."""

import datetime as dt
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from icalendar import Calendar, Event

from partnerships.factories import (
    DAY,
    NOON,
    EventFactory,
    EventPersonFactory,
    FeedTokenFactory,
    MilestoneFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import FeedToken, Milestone, User
from partnerships.workflows.milestones import cancel_milestone, meet_milestone, move_milestone, waive_milestone
from tests.views.world import World

URL = "/feeds/secret.ics"
TO_DO = "When it is done\\, mark it as done. If it cannot be done in time\\, move the date and say why."


@pytest.fixture
def feed(world: World) -> FeedToken:
    return FeedTokenFactory(token="secret", user=world.coordinator)


def read(**headers: str) -> Any:
    return Client().get(URL, headers=headers)


def events(response: Any) -> dict[str, Event]:
    """UID -> event."""
    return {str(event["UID"]): event for event in Calendar.from_ical(response.content).events}


def event_of(milestone: Milestone) -> Event:
    return events(read())[f"milestone-{milestone.pk}@testserver"]


def again(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def test_it_holds_what_the_person_looks_after(world: World, feed: FeedToken) -> None:
    MilestoneFactory(agreement=world.agreement, owner=world.lead)
    response = read()
    assert (response.status_code, response["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert events(response).keys() == {f"milestone-{row.pk}@testserver" for row in (world.milestone, world.obligation)}
    event, link = event_of(world.milestone), f"http://testserver/milestones/{world.milestone.pk}/"
    assert event.to_ical().decode().replace("\r\n ", "").splitlines() == [
        "BEGIN:VEVENT",
        "SUMMARY:North milestone · North signed",
        "DTSTART;VALUE=DATE:20260305",
        "DTEND;VALUE=DATE:20260306",
        f"DTSTAMP:{event['DTSTAMP'].to_ical().decode()}",
        f"UID:milestone-{world.milestone.pk}@testserver",
        "SEQUENCE:1",
        "CATEGORIES:Agreement milestone",
        f"DESCRIPTION:{TO_DO}\\n\\nAgreement milestone · North school\\n{link}",
        f"LAST-MODIFIED:{event['DTSTAMP'].to_ical().decode()}",
        "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT",
        f"URL:{link}",
        "END:VEVENT",
    ]


def test_it_speaks_the_readers_language(world: World, feed: FeedToken) -> None:
    User.objects.filter(pk=world.coordinator.pk).update(language="zh-hans")
    milestone = MilestoneFactory(agreement=world.agreement, title="Report", title_zh="提交中期报告")
    assert event_of(milestone)["SUMMARY"] == "提交中期报告 · North signed"


def test_a_moved_date_is_the_same_event_in_a_later_state(world: World, feed: FeedToken) -> None:
    move_milestone(world.milestone, actor=None, at=NOON, due_on=dt.date(2026, 4, 9), reason="Holiday")
    event = event_of(world.milestone)
    assert (event.decoded("DTSTART"), event["SEQUENCE"]) == (dt.date(2026, 4, 9), 2)


def test_what_ended_is_marked_for_a_while(world: World, feed: FeedToken) -> None:
    others = [MilestoneFactory(agreement=world.agreement) for _ in range(2)]
    meet_milestone(world.milestone, actor=None, on=DAY, evidence="Minutes")
    waive_milestone(others[0], actor=None, on=DAY, reason="Not needed")
    cancel_milestone(others[1], actor=None, on=DAY, reason="Entered twice")
    shown = [event_of(row) for row in (world.milestone, *others)]
    assert [str(event["STATUS"]) for event in shown] == ["CONFIRMED", "CANCELLED", "CANCELLED"]
    assert str(shown[0]["SUMMARY"]) == "✓ North milestone · North signed"
    long_ago = DAY - dt.timedelta(days=31)
    Milestone.objects.filter(pk=world.milestone.pk).update(met_on=long_ago)
    Milestone.objects.filter(pk=others[0].pk).update(waived_on=long_ago)
    Milestone.objects.filter(pk=others[1].pk).update(cancelled_on=long_ago)
    assert events(read()).keys() == {f"milestone-{world.obligation.pk}@testserver"}


def test_whoever_stands_in_sees_whose_it_is(world: World, feed: FeedToken) -> None:
    away = UserFactory(
        name="Li Na", coordinator_in=world.unit, deputy=world.coordinator, absent_from=DAY, absent_until=DAY
    )
    milestone = MilestoneFactory(agreement=world.agreement, owner=away)
    assert str(event_of(milestone)["SUMMARY"]).endswith("· North signed (for Li Na)")
    User.objects.filter(pk=away.pk).update(absent_until=DAY - dt.timedelta(days=1), absent_from=DAY - dt.timedelta(7))
    assert f"milestone-{milestone.pk}@testserver" not in events(read())


def test_scope_is_asked_at_each_fetch(world: World, feed: FeedToken) -> None:
    MilestoneFactory(owner=world.coordinator)  # of another unit
    assert len(events(read())) == 2
    world.coordinator.memberships.all().delete()
    assert events(read()) == {}


@pytest.mark.parametrize("title", ["Report\r\nBEGIN:VEVENT", "Report; a, b\\n", "Report \u202e\x07", "x" * 5000])
def test_no_text_breaks_the_format(title: str, world: World, feed: FeedToken) -> None:
    rows = Milestone.objects.filter(pk=world.milestone.pk)
    rows.update(title=title[:200], description=f"{title}\nEND:VCALENDAR\n\x0b\x1b[31m")
    response = read()
    assert len(events(response)) == 2
    assert max(len(line) for line in response.content.split(b"\r\n")) <= 75
    assert b"\nEND:VCALENDAR\r\n" in response.content[-20:]
    assert response.content.count(b"END:VCALENDAR\r\n") == 1
    assert [sign for sign in response.content if sign < 32 and sign not in b"\r\n"] == []


# Who gets it


def test_unknown_revoked_and_deactivated_are_all_alike(world: World, feed: FeedToken) -> None:
    assert read().status_code == 200
    unknown = Client().get("/feeds/never-was.ics")
    User.objects.filter(pk=world.coordinator.pk).update(is_active=False)
    deactivated = read()
    feed.delete()
    revoked = read()
    assert [one.status_code for one in (unknown, deactivated, revoked)] == [404, 404, 404]
    assert unknown.content == deactivated.content == revoked.content
    assert unknown.headers == deactivated.headers == revoked.headers


def test_it_takes_no_cookie_and_gives_none(world: World, feed: FeedToken, client_of: Callable[[Any], Client]) -> None:
    response = read()
    assert (response.cookies, response["Cache-Control"]) == ({}, "private, no-cache")
    own = events(client_of(world.people["outsider"]).get(URL))
    assert own.keys() == events(response).keys()


def test_it_is_read_not_written(feed: FeedToken) -> None:
    assert {Client().post(URL).status_code, Client().delete(URL).status_code} == {405}
    head = Client().head(URL)
    assert (head.status_code, head.content, "ETag" in head) == (200, b"", True)


def test_the_secret_stands_in_no_log(world: World, feed: FeedToken, caplog: pytest.LogCaptureFixture) -> None:
    from config.logs import WithoutSecrets  # what the settings name by string

    caplog.handler.addFilter(WithoutSecrets())
    with caplog.at_level(logging.DEBUG, logger="django.request"):
        read()
        Client().get("/feeds/never-was.ics")
        Client().get("/feeds/with.dots.ics?x=1")
    assert "Not Found: /feeds/…" in caplog.text
    assert [secret for secret in ("secret", "never-was", "with.dots") if secret in caplog.text] == []


# Asked again


def test_who_has_it_gets_nothing_anew(world: World, feed: FeedToken) -> None:
    first = read()
    for header in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}):
        response = read(**header)
        assert (response.status_code, response.content) == (304, b"")
        assert (response["ETag"], response["Last-Modified"]) == (first["ETag"], first["Last-Modified"])


def _touch(row: Any) -> None:
    again(row).save()


@pytest.mark.parametrize(
    "change",
    [
        lambda world: _touch(world.milestone),
        lambda world: _touch(world.agreement),
        lambda world: _touch(world.unit),
        lambda world: User.objects.filter(pk=world.coordinator.pk).update(language="zh-hans"),
        lambda world: Milestone.objects.filter(pk=world.milestone.pk).update(owner=world.lead),
        lambda world: MilestoneFactory(agreement=world.agreement),
        lambda world: world.coordinator.memberships.all().delete(),
    ],
)
def test_whatever_changes_is_sent_anew(change: Any, world: World, feed: FeedToken) -> None:
    """Within the same second, too: a client that compares times alone must not miss it."""
    first = read()
    change(world)
    for header in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}):
        assert read(**header).status_code == 200


def test_it_costs_the_same_for_many_as_for_few(world: World, feed: FeedToken, django_assert_num_queries: Any) -> None:
    tag = read()["ETag"]
    MilestoneFactory.create_batch(20, agreement=world.agreement)
    for row in Milestone.objects.all():
        assert row.owner == world.coordinator
    with django_assert_num_queries(8):
        assert len(events(read())) == 22
    tag = read()["ETag"]
    with django_assert_num_queries(5):
        assert read(**{"If-None-Match": tag}).status_code == 304


# On one's own page


def test_made_shown_once_used_and_revoked(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    made = client.post(reverse("feed_add"), {"name": "my phone"})
    address = made.context["address"]
    assert address.startswith("http://testserver/feeds/")
    assert f'href="webcal://{address.removeprefix("http://")}"' in made.text
    assert "no-store" in made["Cache-Control"]
    path = address.removeprefix("http://testserver")
    assert len(events(Client().get(path))) == 2
    page = client.get(reverse("me")).text
    assert ("my phone" in page, "last read on 2026-03-02" in page, address in page) == (True, True, False)
    revoke = reverse("feed_revoke", args=[world.coordinator.feeds.get().pk])
    assert client.get(revoke).status_code == 405
    assert client.post(revoke).url == "/me/#feeds"
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize(
    "role", ["viewer", "coordinator", "lead", "staff", "user_admin", "system_admin", "nobody", "outsider"]
)
def test_everybody_has_their_own(role: str, world: World, client_of: Callable[[Any], Client]) -> None:
    client, theirs = client_of(world.people[role]), FeedTokenFactory()
    assert client.get(reverse("feed_add")).url == "/me/"
    assert client.post(reverse("feed_add"), {"name": "phone", "user": theirs.user_id}).status_code == 200
    assert world.people[role].feeds.count() == 1
    assert theirs.name not in client.get(reverse("me")).text
    assert client.post(reverse("feed_revoke", args=[theirs.pk])).status_code == 404
    assert FeedToken.objects.filter(pk=theirs.pk).exists()


@pytest.mark.parametrize("name", ["", "x" * 51, "my\r\nphone\x00"])
def test_a_name_that_cannot_be_comes_back_with_the_reason(
    name: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    response = client_of(world.coordinator).post(reverse("feed_add"), {"name": name}, follow=True)
    assert (response.redirect_chain, FeedToken.objects.count()) == ([("/me/#feeds", 302)], 0)
    assert len(list(response.context["messages"])) == 1


def test_without_a_login_or_the_forms_secret_nothing_is_made(world: World, feed: FeedToken) -> None:
    addresses = [reverse("feed_add"), reverse("feed_revoke", args=[feed.pk])]
    for address in addresses:
        assert Client().post(address).url == f"{reverse('login')}?next={address}"
        assert Client().post(address, {"name": "x"}).status_code == 409  # the page that holds what was typed
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.coordinator)
    assert [strict.post(address, {"name": "x"}).status_code for address in addresses] == [409, 409]
    assert FeedToken.objects.get() == feed


def test_of_a_unit_that_is_not_theirs_nothing_is_in_it(world: World, feed: FeedToken) -> None:
    other = MilestoneFactory(agreement__unit=UnitFactory(), owner=world.coordinator, title="South secret")
    assert (other.owner, b"South secret" in read().content) == (world.coordinator, False)


def test_it_holds_the_events_the_person_is_invited_to(world: World, feed: FeedToken) -> None:
    fair = EventFactory(
        name="Fair", place="Hall 2", agenda="9:00 Welcome", starts_on=DAY, ends_on=DAY + dt.timedelta(days=2)
    )
    invitation = EventPersonFactory(event=fair, user=world.coordinator)
    EventPersonFactory(event__starts_on=DAY, user=world.lead)
    EventPersonFactory(event__starts_on=DAY, user=world.coordinator, answer="declined")
    uid, tag = f"event-{fair.pk}@testserver", read()["ETag"]

    meetings = {key: event for key, event in events(read()).items() if key.startswith("event-")}

    assert meetings.keys() == {uid}
    event = meetings[uid]
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (DAY, DAY + dt.timedelta(days=3))
    assert (event["SUMMARY"], event["LOCATION"], event["STATUS"]) == ("Fair", "Hall 2", "TENTATIVE")
    assert "9:00 Welcome" in event["DESCRIPTION"]
    invitation.answer = "accepted"
    invitation.save()
    assert read()["ETag"] != tag
    assert events(read())[uid]["STATUS"] == "CONFIRMED"
