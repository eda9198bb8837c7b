"""The index opens with what needs attention; each number opens exactly its list."""

import datetime as dt
import re

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils import timezone

from partnerships.admin.site import NO_ACCESS
from partnerships.factories import (
    AgreementFactory,
    DeliveryFactory,
    DemandFactory,
    FacilityFactory,
    HonourFactory,
    MailHoldFactory,
    MilestoneFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    ReportedFigureFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import StatusChange
from partnerships.statuses import DeliveryStatus, PlanStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy():
    """A unit in which everything the index counts is there at least once, and twins in another unit."""
    today = timezone.localdate()
    unit = UnitFactory()
    for place in (unit, UnitFactory()):
        long_ago = AgreementFactory(unit=place, signed=True, signed_on=dt.date(2020, 1, 6))
        AgreementFactory(unit=place, signed=True, signed_on=dt.date(2025, 1, 6), orphaned=True)
        AgreementFactory(unit=place, in_review=True)
        for days in (-30, -1, 0, 3, 7, 8, 60):
            MilestoneFactory(agreement=long_ago, due_on=today + dt.timedelta(days=days))
        MilestoneFactory(agreement=long_ago, orphaned=True, due_on=today)
        MilestoneFactory(agreement=long_ago, submitted=True)
        MilestoneFactory(agreement=long_ago, kind="confirm_renewal")
        item = ReminderItemFactory(delivery__failed=True, plan__milestone__agreement=long_ago)
        yesterday = today - dt.timedelta(days=1)
        FacilityFactory(unit=place, opened=True, starts_on=dt.date(2020, 1, 6), ends_on=yesterday)
        DemandFactory(unit=place, deadline_on=yesterday)
        HonourFactory(unit=place, granted_on=dt.date(2020, 1, 6), valid_until=today)
        ReportedFigureFactory(unit=place, compared=True)
        ReminderPlanFactory(milestone=item.plan.milestone, status=PlanStatus.MISSED)
        ReminderPlanFactory(milestone=item.plan.milestone, status=PlanStatus.NOT_NEEDED)  # asks for nothing
        ReminderItemFactory(delivery__status=DeliveryStatus.HELD, plan__milestone=item.plan.milestone)
    DeliveryFactory(failed=True)
    MailHoldFactory(active=True)
    return unit


def cards_of(client):
    return client.get(reverse("admin:index")).context["attention"]


def rows_listed(response):
    """Count the rows of a list, of the admin or of the pages, or the active pauses."""
    if "cl" in response.context:
        return response.context["cl"].result_count
    if "pauses" in response.context:
        return int(response.context["active"] is not None)
    return response.context["page"].paginator.count


@pytest.mark.parametrize("role", ["staff", "system_admin", "lead"])
def test_each_number_is_the_length_of_the_list_it_opens(enter, busy, role):
    person = UserFactory(lead_in=busy) if role == "lead" else UserFactory(**{role: True})
    client = enter(person)
    cards = cards_of(client)

    lists = {card.link: rows_listed(client.get(card.link)) for card in cards}

    assert lists == {card.link: card.count for card in cards}
    assert min(card.count for card in cards) >= 1


def test_the_most_pressing_comes_first_and_names_its_worst_case(enter, busy):
    page = enter(UserFactory(staff=True)).get(reverse("admin:index"))

    tiers = {str(tier.label): cards for tier, cards in page.context["tiers"]}
    assert list(tiers) == ["Today", "This week", "Watch list"]
    worst = {str(card.label): card.worst for cards in tiers.values() for card in cards}
    assert worst.keys() >= {"Overdue milestones", "Unassigned agreements", "Mails needing action"}
    assert "days late" in worst["Overdue milestones"]
    assert worst["Mails needing action"].startswith(("Failed: ", "Held: "))
    assert [label for label, words in worst.items() if not words] == ["Reported figures with records to register"]
    mail = page.context["mail"]
    assert (mail.failed, mail.held) == (3, 2)
    assert [address for _label, address in page.context["acts"]][1:] == [
        reverse(name)
        for name in (
            "admin:partnerships_agreement_add",
            "event_ceremony",
            "import_add",
            "duplicates",
            "admin:partnerships_organization_add",
            "team",
        )
    ]


def test_what_is_clear_is_folded_and_recent_steps_are_named(enter):
    person = UserFactory(staff=True)
    milestone = MilestoneFactory(title="Kick-off")
    kind = ContentType.objects.get_for_model(milestone)
    StatusChange.objects.create(content_type=kind, object_id=milestone.pk, transition="meet", actor=person)

    page = enter(person).get(reverse("admin:index"))

    assert page.context["clear"]
    assert not any(card.count for card in page.context["clear"])
    assert [(change.words, change.record) for change in page.context["changes"]] == [("Marked as done", milestone)]


@pytest.mark.parametrize(("role", "queries"), [("staff", 23), ("lead", 18)])
def test_the_index_costs_the_same_however_much_there_is(enter, busy, role, queries, django_assert_num_queries):
    person = UserFactory(lead_in=busy) if role == "lead" else UserFactory(staff=True)
    client = enter(person)
    for days in range(20):
        MilestoneFactory(agreement__unit=busy, due_on=timezone.localdate() - dt.timedelta(days=days))
    client.get(reverse("admin:index"))

    with django_assert_num_queries(queries):
        client.get(reverse("admin:index"))


def test_a_lead_counts_their_own_unit(enter, busy):
    office, lead = cards_of(enter(UserFactory(staff=True))), cards_of(enter(UserFactory(lead_in=busy)))

    in_review = "/admin/partnerships/agreement/?attention=in_review"
    assert {card.link: card.count for card in office}[in_review] == 2
    assert {card.link: card.count for card in lead}[in_review] == 1


def test_who_manages_accounts_sees_accounts_and_nothing_else(enter, busy):
    page = enter(UserFactory(user_admin=True)).get(reverse("admin:index"))

    assert page.context["attention"] == []
    entries = [str(entry["title"]) for group in page.context["groups"] for entry in group["items"]]
    assert entries == ["Overview", "People", "Units"]
    assert "register-signed" not in page.content.decode()


def test_every_registered_model_has_its_place_in_the_side_bar(enter):
    page = enter(UserFactory(system_admin=True)).get(reverse("admin:index"))

    links = {entry["link"] for group in page.context["groups"] for entry in group["items"]}
    ours = [model._meta for model in admin.site._registry if model._meta.app_label == "partnerships"]
    lists = {reverse(f"admin:partnerships_{opts.model_name}_changelist") for opts in ours}
    pages = {
        reverse(name)
        for name in ("admin:index", "operations", "history_search", "security_event_list", "mail_list", "mail_pauses")
    }
    assert links == lists | pages


def test_the_index_links_the_form_for_signed_agreements(enter):
    page = enter(UserFactory(staff=True)).get(reverse("admin:index")).content.decode()

    assert re.findall(r'href="([^"]*register-signed/)"', page) == ["/admin/partnerships/agreement/register-signed/"]


def test_who_has_no_work_here_is_told_so_at_the_door(client):
    UserFactory(username="hua", password="a-long-enough-one", coordinator_in=UnitFactory())

    response = client.post(reverse("admin:login"), {"username": "hua", "password": "a-long-enough-one"})

    errors = response.context["form"].non_field_errors()
    assert errors == [NO_ACCESS]


@pytest.mark.parametrize("role", ["viewer_in", "coordinator_in"])
def test_who_is_logged_in_without_access_is_told_so_instead_of_asked_to_log_in(enter, role):
    page = enter(UserFactory(**{role: UnitFactory()})).get(reverse("admin:index"), follow=True)

    assert (page.status_code, str(NO_ACCESS) in page.text, 'name="password"' in page.text) == (403, True, False)
    assert f'href="{reverse("my_work")}"' in page.text


def test_a_lead_gets_in(client):
    UserFactory(username="hua", password="a-long-enough-one", lead_in=UnitFactory())
    credentials = {"username": "hua", "password": "a-long-enough-one", "next": "/admin/"}

    assert client.post(reverse("admin:login"), credentials).headers["Location"] == "/admin/"
