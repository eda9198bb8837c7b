"""Held e-mails are looked at and let go together: all that the list shows, or what is ticked of it."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import (
    DAY,
    NOON,
    DeliveryFactory,
    DeliveryNoticeFactory,
    MailHoldFactory,
    MilestoneFactory,
    ReminderItemFactory,
    UserFactory,
)
from partnerships.models import Delivery, DeliveryEvent
from partnerships.models.reasons import Reason
from partnerships.permissions import may, releasable_by
from tests.views.world import ROLES, World, make_world

pytestmark = pytest.mark.django_db

PAGE = "/mails/release/"


def make_held(world: World, count: int, **fields: Any) -> list[Delivery]:
    """About the world's milestone, to ``count`` people."""
    values = {"status": "held", "reason": Reason.TOO_MANY_AT_ONCE, "held_at": NOON} | fields
    mail = {f"delivery__{name}": value for name, value in values.items()}
    people = [UserFactory(name=f"{world.name} reader {number}") for number in range(count)]
    return [ReminderItemFactory(plan__milestone=world.milestone, person=one, **mail).delivery for one in people]


def fields_of(page: Any, **more: Any) -> dict[str, Any]:
    return {"seen_at": page.context["seen_at"], "seen": page.context["total"], **more}


def words(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def held() -> set[Delivery]:
    return set(Delivery.objects.held())


@pytest.fixture
def coordinator(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def test_the_list_leads_to_the_page_with_its_filters(world: World, coordinator: Client) -> None:
    make_held(world, 3)
    ReminderItemFactory(plan__milestone=world.milestone, delivery__failed=True)

    listed = coordinator.get(f"{reverse('mail_list')}?status=held&sort=queued_at&page=1")

    assert "Release 3 held mails" in listed.text
    assert f'href="{PAGE}?status=held&amp;sort=queued_at"' in listed.text


def test_without_held_mail_or_without_the_right_nothing_is_offered(
    world: World, coordinator: Client, client_of: Callable[[Any], Client]
) -> None:
    ReminderItemFactory(plan__milestone=world.milestone, delivery__failed=True)
    assert PAGE not in coordinator.get(reverse("mail_list")).text

    make_held(world, 1)
    assert PAGE in coordinator.get(reverse("mail_list")).text
    assert PAGE not in client_of(world.people["viewer"]).get(reverse("mail_list")).text


def test_the_page_says_how_many_to_whom_and_how_old(world: World, coordinator: Client) -> None:
    make_held(world, 1, queued_at=NOON, due_on=DAY)
    make_held(world, 1, queued_at=NOON + dt.timedelta(days=2), due_on=DAY + dt.timedelta(days=9))

    page = coordinator.get(PAGE)
    text = " ".join(page.text.split())

    assert "2 mails are held. Released, they go out within minutes" in text
    assert "2 people" in text
    assert [str(mail.reader) in text for mail in page.context["mails"]] == [True, True]
    assert (page.context["made_first"], page.context["due_first"]) == (NOON, DAY)
    assert len(held()) == 2


def test_all_that_the_list_shows_is_released_with_the_name_of_who_did(world: World, coordinator: Client) -> None:
    mails = make_held(world, 3)
    page = coordinator.get(PAGE)

    done = coordinator.post(PAGE, fields_of(page, which="all"), follow=True)

    assert (done.redirect_chain, words(done)) == ([(reverse("mail_list"), 302)], ["3 mails are released."])
    assert held() == set()
    by = DeliveryEvent.objects.filter(delivery__in=mails, to_status="queued").values_list("actor", flat=True)
    assert list(by) == [world.coordinator.pk] * 3


def test_what_the_filters_leave_out_stays(world: World, coordinator: Client) -> None:
    here, there = make_held(world, 2)
    address = f"{PAGE}?q={here.person.name}"

    done = coordinator.post(address, fields_of(coordinator.get(address), which="all"))

    assert done.url == f"{reverse('mail_list')}?q={here.person.name.replace(' ', '+')}"
    assert held() == {there}


def test_only_what_is_ticked_is_released(world: World, coordinator: Client) -> None:
    first, second, third = make_held(world, 3)
    page = coordinator.get(PAGE)

    done = coordinator.post(PAGE, fields_of(page, which="ticked", mail=[first.pk, third.pk]), follow=True)

    assert (words(done), held()) == (["2 mails are released."], {second})


def test_nothing_ticked_is_said(world: World, coordinator: Client) -> None:
    make_held(world, 1)

    page = coordinator.post(PAGE, fields_of(coordinator.get(PAGE), which="ticked"))

    assert "Tick the mails that should go out." in page.text
    assert len(held()) == 1


def test_what_changed_meanwhile_is_named_and_the_others_go(world: World, coordinator: Client) -> None:
    first, second, third = make_held(world, 3)
    page = coordinator.get(PAGE)
    Delivery.objects.filter(pk=first.pk).update(status="cancelled")
    Delivery.objects.filter(pk=second.pk).update(
        held_at=timezone.now() + dt.timedelta(days=9)
    )  # let go, and held again

    done = coordinator.post(PAGE, fields_of(page, which="all"), follow=True)

    left = "2 were left as they are: somebody released them, or they changed, after you opened the page."
    assert words(done) == ["1 mail is released.", left]
    assert held() == {second}
    assert Delivery.objects.get(pk=third.pk).status == "queued"


def test_a_ticked_mail_that_somebody_released_first_is_named(world: World, coordinator: Client) -> None:
    first, second = make_held(world, 2)
    page = coordinator.get(PAGE)
    Delivery.objects.filter(pk=first.pk).update(status="sent", sent_at=NOON)

    done = coordinator.post(PAGE, fields_of(page, which="ticked", mail=[first.pk, second.pk]), follow=True)

    left = "1 was left as it is: somebody released it, or it changed, after you opened the page."
    assert words(done) == ["1 mail is released.", left]
    assert Delivery.objects.get(pk=first.pk).status == "sent"


@pytest.mark.parametrize("which", ["all", "ticked"])
def test_a_second_click_releases_nothing_more_and_says_so(world: World, coordinator: Client, which: str) -> None:
    [mail] = make_held(world, 1)
    fields = fields_of(coordinator.get(PAGE), which=which, mail=[mail.pk])

    words(coordinator.post(PAGE, fields, follow=True))
    again = coordinator.post(PAGE, fields, follow=True)

    assert words(again) == ["1 was left as it is: somebody released it, or it changed, after you opened the page."]
    assert mail.events.filter(to_status="queued").count() == 1


def test_while_all_mail_is_held_nothing_is_offered_or_released(world: World, coordinator: Client) -> None:
    make_held(world, 1)
    fields = fields_of(coordinator.get(PAGE), which="all")
    MailHoldFactory(active=True)

    asked, refused = coordinator.get(PAGE), coordinator.post(PAGE, fields)

    assert ['name="which"' in page.text for page in (asked, refused)] == [False, False]
    assert "Sending is paused: resume it first" in refused.text
    assert len(held()) == 1


def test_after_a_restore_what_may_have_been_sent_is_left_out_unless_asked_for(
    world: World, coordinator: Client
) -> None:
    MailHoldFactory(cause="restore", since=NOON, backup_taken_at=NOON)
    [before] = make_held(world, 1, next_attempt_at=NOON - dt.timedelta(minutes=1))
    make_held(world, 1, next_attempt_at=NOON + dt.timedelta(minutes=1))
    page = coordinator.get(PAGE)
    assert "1 of them was due before the restore of" in page.text
    assert page.text.count("It may have been sent already.") == 1

    done = coordinator.post(PAGE, fields_of(page, which="all", leave_out="on"), follow=True)
    assert (words(done), held()) == (["1 mail is released."], {before})

    page = coordinator.get(PAGE)
    coordinator.post(PAGE, fields_of(page, which="ticked", mail=[before.pk]))
    assert held() == set()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"which": "all"},
        {"which": "all", "seen_at": "\0"},
        {"which": "all", "seen_at": "2026-13-01"},
        {"which": "all", "seen_at": "x" * 10_000},
        {"which": "everything", "seen_at": "2100-01-01"},
        {"which": "all", "seen_at": "2100-01-01", "seen": "many"},
        {"which": "all", "seen_at": "2100-01-01", "seen": "9" * 40},
        {"which": "ticked", "seen_at": "2100-01-01", "mail": ["1;DROP", "9" * 40, "-1", "１", "\0"]},
    ],
)
def test_a_forged_form_releases_nothing_and_says_so(world: World, coordinator: Client, fields: dict) -> None:
    make_held(world, 1)

    page = coordinator.post(PAGE, fields)

    assert (page.status_code, len(held())) == (200, 1)
    assert 'role="alert"' in page.text


@pytest.mark.parametrize("query", ["status=gone", "person=0", f"q={'a' * 10_000}", "made_from=2026-02-30"])
def test_a_bad_filter_breaks_nothing(world: World, coordinator: Client, query: str) -> None:
    make_held(world, 1)

    assert coordinator.get(f"{PAGE}?{query}").status_code == 200


def test_mails_of_another_unit_do_not_exist(world: World, coordinator: Client) -> None:
    twin = make_world("South")
    [ours], [theirs] = make_held(world, 1), make_held(twin, 1)

    page = coordinator.get(PAGE)
    fields = fields_of(page, which="ticked", mail=[ours.pk, theirs.pk])
    done = coordinator.post(PAGE, fields, follow=True)

    assert ["South" in page.text, page.context["total"]] == [False, 1]
    assert held() == {theirs}
    assert words(done)[1:] == ["1 was left as it is: somebody released it, or it changed, after you opened the page."]


@pytest.mark.parametrize("role", ["viewer", "user_admin", "nobody"])
def test_who_may_release_nothing_has_no_page(world: World, client_of: Callable[[Any], Client], role: str) -> None:
    make_held(world, 1)
    forged = {"which": "all", "seen_at": "2100-01-01T00:00:00Z", "actor": world.lead.pk}

    answers = [client_of(world.people[role]).get(PAGE), client_of(world.people[role]).post(PAGE, forged)]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert len(held()) == 1


def test_a_whole_list_is_asked_what_one_mail_is_asked(world: World) -> None:
    """Singles, digests of both units, notices, contacts, one's own: for each role the two answers are the same."""
    twin = make_world("South")
    shared = make_held(twin, 1)[0]
    world.agreement.participating_units.create(unit=world.people["outsider"].memberships.get().unit)
    for one in (world, twin):
        make_held(one, 1)
        digest = DeliveryFactory(kind="digest", digest_on=DAY, person=one.coordinator, status="held")
        for milestone in (world.milestone, twin.milestone):
            ReminderItemFactory(plan__milestone=milestone, person=one.coordinator, delivery=digest)
        ReminderItemFactory(
            plan__milestone=one.milestone,
            person=None,
            contact=one.contact,
            delivery__person=None,
            delivery__contact=one.contact,
        )
        DeliveryNoticeFactory(delivery=shared, person=one.lead)
    DeliveryFactory()
    MilestoneFactory(agreement=world.agreement, owner=world.lead)

    for people in (world.people, twin.people):
        for role in ROLES:
            listed = set(Delivery.objects.filter(releasable_by(people[role])))
            asked = {mail for mail in Delivery.objects.all() if may(people[role], "delivery.release", mail)}
            assert listed == asked, role
    assert Delivery.objects.filter(releasable_by(world.coordinator)).count() == 3


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_the_same_for_one_mail_and_three(
    world: World, coordinator: Client, count: int, django_assert_num_queries: Any
) -> None:
    make_held(world, count)
    coordinator.get(PAGE)

    with django_assert_num_queries(12):
        coordinator.get(PAGE)


class TestInABrowser:
    @pytest.mark.parametrize(("width", "has_scripts"), [(390, False), (390, True), (1440, True)])
    def test_one_is_chosen_and_then_the_rest_goes(
        self, width: int, has_scripts: bool, world: World, open_page: Callable[..., Any]
    ) -> None:
        first, *_others = make_held(world, 3)
        page = open_page(reverse("mail_list"), world.coordinator, width=width, has_scripts=has_scripts)

        page.get_by_role("link", name="Release 3 held mails").click()
        page.get_by_role("checkbox", name="North reader 0").check()
        page.get_by_role("button", name="Release selected").click()
        page.get_by_text("1 mail is released.").wait_for()
        assert Delivery.objects.get(pk=first.pk).status == "queued"
        page.get_by_role("link", name="Release 2 held mails").click()
        page.get_by_role("button", name="Release 2 held mails").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("button", name="Release 2 held mails").click()
        page.get_by_text("2 mails are released.").wait_for()

        assert held() == set()
