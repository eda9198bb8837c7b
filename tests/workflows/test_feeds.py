"""Calendar addresses: made once, revoked, gone with the account."""

import datetime as dt

import pytest

from partnerships.exceptions import InvalidInput, NotAllowed, TransitionRefused
from partnerships.factories import NOON, FeedTokenFactory, UserFactory
from partnerships.models import FeedToken
from partnerships.workflows.feeds import MOST_FEEDS, note_reading, open_feed, revoke_feed
from partnerships.workflows.users import activate_user, deactivate_user

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_the_secret_opens_it_and_is_kept_nowhere() -> None:
    person = UserFactory()
    feed, token = open_feed(person, actor=person, name=" my   phone ", now=NOON)
    assert (feed.name, feed.created_at, len(token)) == ("my phone", NOON, 43)
    assert FeedToken.objects.opened_by(token).get() == feed
    row = FeedToken.objects.values().get()
    assert token not in str(row)
    assert len({open_feed(person, actor=person, name=f"{n}", now=NOON)[1] for n in range(3)} | {token}) == 4


@pytest.mark.parametrize("name", ["", "  ", "x" * 51, "phone\x00", "phone \u202e enohp"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    person = UserFactory()
    with pytest.raises(InvalidInput) as refusal:
        open_feed(person, actor=person, name=name, now=NOON)
    assert (refusal.value.field, person.feeds.count()) == ("name", 0)


def test_the_same_name_twice_is_a_second_click() -> None:
    person = UserFactory()
    open_feed(person, actor=person, name="phone", now=NOON)
    with pytest.raises(InvalidInput, match="of this name already"):
        open_feed(person, actor=person, name="phone", now=NOON)
    assert person.feeds.count() == 1


def test_there_are_not_endlessly_many() -> None:
    person = UserFactory()
    FeedTokenFactory.create_batch(MOST_FEEDS, user=person)
    with pytest.raises(TransitionRefused, match="revoke one"):
        open_feed(person, actor=person, name="one more", now=NOON)


def test_nobody_makes_or_revokes_one_for_another() -> None:
    person, admin = UserFactory(), UserFactory(system_admin=True)
    feed = FeedTokenFactory(user=person)
    with pytest.raises(NotAllowed, match="Only the person"):
        open_feed(person, actor=admin, name="spy", now=NOON)
    with pytest.raises(NotAllowed, match="Only the person"):
        revoke_feed(feed, actor=admin)
    assert person.feeds.get() == feed


def test_revoked_it_opens_nothing() -> None:
    feed = FeedTokenFactory(token="old")
    revoke_feed(feed, actor=feed.user)
    assert FeedToken.objects.opened_by("old").exists() is False


def test_it_goes_with_the_account_for_good() -> None:
    feed = FeedTokenFactory(token="old")
    gone = deactivate_user(feed.user, actor=None)
    assert (FeedToken.objects.opened_by("old").exists(), gone.feeds.count()) == (False, 0)
    activate_user(gone, actor=None)
    assert FeedToken.objects.opened_by("old").exists() is False


def test_an_account_closed_by_another_door_is_closed() -> None:
    FeedTokenFactory(token="old", user__is_active=False)
    assert FeedToken.objects.opened_by("old").exists() is False


def test_what_changed_is_later_than_what_was() -> None:
    feed = FeedTokenFactory()
    at = NOON + dt.timedelta(microseconds=500)
    moments = []
    for tag in ("a", "b", "b", "a"):
        feed.refresh_from_db()
        moments.append(note_reading(feed, content_tag=tag, now=at))
    assert [(moment - NOON).total_seconds() for moment in moments] == [0, 1, 1, 2]


def test_reading_it_often_writes_seldom() -> None:
    feed = FeedTokenFactory()
    for minutes in (0, 30, 59, 61):
        feed.refresh_from_db()
        note_reading(feed, content_tag="a", now=NOON + dt.timedelta(minutes=minutes))
        feed.refresh_from_db()
        expected = 61 if minutes == 61 else 0
        assert feed.fetched_at == NOON + dt.timedelta(minutes=expected)
