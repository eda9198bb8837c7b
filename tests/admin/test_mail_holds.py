"""Held mail in the admin: counted above the list, released one by one, ticked or all; all mail held and let go."""

import datetime as dt

import pytest
from django.urls import reverse

from partnerships.factories import NOON, DeliveryFactory, MailHoldFactory, ReminderItemFactory, UserFactory
from partnerships.models import Delivery, MailHold
from tests.admin.forms import step_url

pytestmark = pytest.mark.django_db

LIST = "/admin/partnerships/delivery/"
RELEASE = "/admin/partnerships/delivery/release/"
HOLD = "/admin/partnerships/mailhold/hold/"


def make_held(count, **fields):
    values = {"status": "held", "held_at": NOON} | fields
    return [ReminderItemFactory(**{f"delivery__{key}": value for key, value in values.items()}) for _n in range(count)]


@pytest.fixture
def staff():
    return UserFactory(staff=True)


def words(response):
    return [str(message) for message in response.context["messages"]]


def form_of(client, url):
    page = client.get(url)
    form = page.context["form"]
    return page, {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}


def test_the_list_counts_what_is_held_and_one_page_releases_all_of_it(enter, staff):
    make_held(3)
    DeliveryFactory(failed=True)
    client = enter(staff)
    listed = client.get(f"{LIST}?attention=held")
    assert (listed.context["held"].total, listed.context["release_link"]) == (3, f"{RELEASE}?attention=held")

    page, data = form_of(client, listed.context["release_link"])
    assert page.context["form"].warnings == [
        "3 mails are held. Released, they go out within minutes, but those that no longer hold."
    ]
    assert Delivery.objects.held().count() == 3
    done = client.post(listed.context["release_link"], data, follow=True)

    assert words(done) == ["3 mails are released."]
    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["failed", "queued", "queued", "queued"]


def test_only_what_the_filters_show_is_released(enter, staff):
    here, there = make_held(2)
    client, url = enter(staff), f"{RELEASE}?q={here.person.name}"

    client.post(url, form_of(client, url)[1])

    assert list(Delivery.objects.held()) == [there.delivery]


def test_ticked_mails_alone_are_released(enter, staff):
    ticked, other = make_held(2)
    client = enter(staff)
    data = {"action": "release_selected", "_selected_action": [ticked.delivery_id], "index": 0}

    asked = client.post(LIST, data)
    client.post(asked.url, form_of(client, asked.url)[1])

    assert asked.url == f"{RELEASE}?selected={ticked.delivery_id}"
    assert list(Delivery.objects.held()) == [other.delivery]


@pytest.mark.parametrize("selected", ["", "x", "1,2;DROP", "9" * 40, "-1", "１"])
def test_an_address_that_names_nothing_releases_nothing(enter, staff, selected):
    make_held(1)
    client, url = enter(staff), f"{RELEASE}?selected={selected}"

    client.post(url, form_of(client, url)[1])

    assert Delivery.objects.held().count() == 1


def test_what_was_held_after_the_page_was_opened_stays(enter, staff):
    make_held(1)
    client = enter(staff)
    _page, data = form_of(client, RELEASE)
    [later] = make_held(1, held_at=dt.datetime(2100, 1, 1, tzinfo=dt.UTC))

    client.post(RELEASE, data)

    assert list(Delivery.objects.held()) == [later.delivery]


@pytest.mark.parametrize("seen_at", ["", "yesterday", "2026-13-01", "\0"])
def test_a_forged_moment_is_refused(enter, staff, seen_at):
    make_held(1)

    page = enter(staff).post(RELEASE, {"seen_at": seen_at})

    assert (page.status_code, Delivery.objects.held().count()) == (200, 1)


def test_after_a_restore_those_that_may_have_been_sent_are_left_out_unless_asked_for(enter, staff):
    MailHoldFactory(cause="restore", since=NOON, backup_taken_at=NOON)
    [before] = make_held(1, next_attempt_at=NOON - dt.timedelta(minutes=1))
    make_held(1, next_attempt_at=NOON + dt.timedelta(minutes=1))
    client = enter(staff)
    page, data = form_of(client, RELEASE)
    assert page.context["form"].warnings[1].startswith("1 of them was due before the restore of ")

    client.post(RELEASE, data)
    assert list(Delivery.objects.held()) == [before.delivery]

    del data["leave_out"]
    client.post(RELEASE, data)
    assert not Delivery.objects.held().exists()


def test_one_mail_is_released_on_post_alone(enter, staff):
    [item] = make_held(1)
    client, url = enter(staff), step_url(item.delivery, "release")

    client.get(url)
    assert Delivery.objects.held().exists()
    client.post(url)

    assert Delivery.objects.get().status == "queued"


def test_a_held_mail_is_released_and_not_sent_again(enter, staff):
    [item] = make_held(1)

    page = enter(staff).get(reverse("admin:partnerships_delivery_change", args=[item.delivery_id]))

    assert [button.name for button in page.context["buttons"]] == ["release"]


def test_a_lead_releases_only_what_is_seen_of_the_own_unit(enter):
    own, other = make_held(2)
    client = enter(UserFactory(lead_in=own.plan.milestone.unit))

    client.post(RELEASE, form_of(client, RELEASE)[1])
    ticked = f"{RELEASE}?selected={other.delivery_id}"
    client.post(ticked, form_of(client, ticked)[1])

    assert list(Delivery.objects.held()) == [other.delivery]


@pytest.mark.parametrize("person", ["user_admin", "coordinator", "viewer"])
def test_others_neither_release_nor_hold(world, enter, person):
    make_held(1)
    client = enter(world.people[person])

    for url in (RELEASE, HOLD):
        assert client.get(url).status_code in {302, 403}
        assert client.post(url, {"note": "x", "seen_at": "2100-01-01"}).status_code in {302, 403}
    assert (Delivery.objects.held().count(), MailHold.objects.active().count()) == (1, 0)


def test_staff_hold_all_mail_and_let_it_go_again(enter, staff):
    waiting = ReminderItemFactory().delivery
    client = enter(staff)

    assert client.get(HOLD).status_code == 200
    assert words(client.post(HOLD, {"note": "搬迁邮件服务器"}, follow=True)) == ["All mail is held."]
    hold = MailHold.objects.active().get()
    waiting.refresh_from_db()
    assert (hold.note, hold.by, waiting.status) == ("搬迁邮件服务器", staff, "held")
    assert "搬迁邮件服务器" in client.get(LIST).content.decode()

    client.get(step_url(hold, "lift"))
    assert MailHold.objects.active().exists()
    client.post(step_url(hold, "lift"))
    hold.refresh_from_db()
    assert (hold.is_active, hold.lifted_by) == (False, staff)


def test_a_second_stop_is_refused_in_words(enter, staff):
    MailHoldFactory(active=True)

    page = enter(staff).post(HOLD, {"note": "again"})

    assert page.context["form"].non_field_errors() == ["All mail is held already."]


def test_a_reason_with_invisible_characters_is_refused(enter, staff):
    page = enter(staff).post(HOLD, {"note": "a\u202eb"})

    assert (list(page.context["form"].errors), MailHold.objects.count()) == (["note"], 0)


def test_while_all_mail_is_held_releasing_is_refused_in_words(enter, staff):
    make_held(1)
    MailHoldFactory(active=True)
    client = enter(staff)

    page = client.post(RELEASE, form_of(client, RELEASE)[1])

    assert "let mail go again first" in page.context["form"].non_field_errors()[0]
    assert Delivery.objects.held().count() == 1


def test_a_lead_is_not_shown_the_stops(world, enter):
    hold = MailHoldFactory(active=True)
    client = enter(world.people["lead"])

    assert client.post(step_url(hold, "lift")).status_code == 403 or MailHold.objects.active().exists()
    assert client.get(HOLD).status_code == 403
