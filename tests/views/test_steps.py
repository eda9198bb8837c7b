"""For a step of each workflow: its page, its effect, its refusal, and that it is absent where it does not belong."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import DAY, AgreementFactory, MilestoneFactory
from partnerships.models import Activity, Agreement, ContactNote, Milestone
from partnerships.workflows.activities import follow_activity
from tests.views.sent import filled
from tests.views.world import World

TODAY = DAY.isoformat()


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def step(row: Any, name: str) -> str:
    return reverse(f"{row._meta.model_name}_step", args=[row.pk, name])


def test_the_milestone_page_offers_to_mark_it_as_met(world: World, client: Client) -> None:
    page = client.get(world.milestone.get_absolute_url()).text

    assert f'action="{step(world.milestone, "meet")}"' in page
    assert "North signed" in page
    assert "in 3 days" in page


def test_marking_a_milestone_as_met(world: World, client: Client) -> None:
    values = {"version": world.milestone.version, "on": TODAY, "evidence": "Minutes in folder 3"}

    response = client.post(step(world.milestone, "meet"), values, follow=True)

    met = Milestone.objects.get(pk=world.milestone.pk)
    assert (met.status, met.met_on, met.evidence) == ("met", DAY, "Minutes in folder 3")
    assert response.redirect_chain == [(met.get_absolute_url(), 302)]
    assert "Marked as done." in response.text
    assert "North obligation" in response.text  # the next thing to do


@pytest.mark.parametrize(("key", "name", "label"), [("start", "start", "Start"), ("end", "complete", "Complete")])
def test_what_follows_from_an_activity_leads_there(
    key: str, name: str, label: str, world: World, client: Client
) -> None:
    follow_activity(world.activity, actor=None, on=DAY)
    milestone = Milestone.objects.get(activity=world.activity, derived_key=key)

    page = client.get(milestone.get_absolute_url()).text

    assert f'href="{step(world.activity, name)}">{label}</a>' in page
    assert (step(milestone, "meet") in page, step(milestone, "submit") in page) == (False, False)
    assert f'aria-label="{label}: {milestone}"' in client.get("/").text


def test_who_may_not_work_on_an_activity_is_not_led_there(world: World, client_of: Callable[[Any], Client]) -> None:
    follow_activity(world.activity, actor=None, on=DAY)
    milestone = Milestone.objects.get(activity=world.activity, derived_key="start")

    assert step(world.activity, "start") not in client_of(world.people["viewer"]).get(milestone.get_absolute_url()).text


def test_a_milestone_is_not_met_without_evidence(world: World, client: Client) -> None:
    response = client.post(step(world.milestone, "meet"), {"version": 1, "on": TODAY, "evidence": " "})

    assert response.context["form"].errors == {"evidence": ["This field is required."]}
    assert Milestone.objects.get(pk=world.milestone.pk).status == "open"


def test_a_met_milestone_does_not_offer_it_again(world: World, client: Client) -> None:
    met = MilestoneFactory(agreement=world.agreement, owner=world.coordinator, met=True)

    assert step(met, "meet") not in client.get(met.get_absolute_url()).text
    assert client.get(step(met, "meet")).status_code == 409


def test_the_agreement_page_offers_to_submit_a_draft(world: World, client: Client) -> None:
    assert step(world.draft, "submit") in client.get(world.draft.get_absolute_url()).text
    assert "Submit for review" in client.get(step(world.draft, "submit")).text


@pytest.mark.parametrize(
    ("status", "role", "main"),
    [
        ("in_review", "lead", ["approve"]),
        ("approved", "lead", ["sign"]),
        ("in_review", "coordinator", []),
        ("approved", "coordinator", []),
    ],
)
def test_the_main_button_takes_the_agreement_on(
    status: str, role: str, main: list[str], world: World, client_of: Callable[[Any], Client]
) -> None:
    agreement = AgreementFactory(unit=world.unit, created_by=world.coordinator, **{status: True})

    page = client_of(world.people[role]).get(agreement.get_absolute_url()).text

    assert f'href="/agreements/{agreement.pk}/cancel/"' in page
    assert re.findall(rf'<a class="button button-main" href="/agreements/{agreement.pk}/(\w+)/"', page) == main


def test_submitting_a_draft(world: World, client: Client) -> None:
    response = client.post(step(world.draft, "submit"), {"version": world.draft.version, "on": TODAY})

    submitted = Agreement.objects.get(pk=world.draft.pk)
    assert response.url == submitted.get_absolute_url()
    assert (submitted.status, submitted.submitted_on) == ("in_review", DAY)


def test_the_page_that_cancels_a_draft_says_what_its_buttons_do(world: World, client: Client) -> None:
    page = client.get(step(world.draft, "cancel")).text

    assert ("Cancel this agreement</button>" in page, ">Back</a>" in page, ">Cancel</a>" in page) == (True, True, False)


def test_a_draft_without_parties_is_not_submitted(world: World, client: Client) -> None:
    world.draft.parties.all().delete()

    response = client.post(step(world.draft, "submit"), {"version": world.draft.version, "on": TODAY})

    assert response.context["form"].non_field_errors() == [
        "An agreement needs at least two signatories; add the parties first."
    ]
    assert "It cannot be submitted yet" in response.text
    assert f'<a href="{reverse("agreement_edit", args=[world.draft.pk])}">Edit the parties</a>' in response.text
    assert Agreement.objects.get(pk=world.draft.pk).status == "draft"


def test_nobody_approves_what_they_drafted(world: World, client_of: Callable[[Any], Client]) -> None:
    world.draft.created_by = world.lead
    world.draft.status, world.draft.submitted_on = "in_review", DAY
    world.draft.save()
    client = client_of(world.lead)

    page = client.get(world.draft.get_absolute_url()).text

    assert step(world.draft, "approve") not in page
    assert "Somebody else has to approve" in page
    assert client.post(step(world.draft, "approve"), {"version": 2, "on": TODAY}).status_code == 403


def test_the_follow_up_page_offers_to_complete_it(world: World, client: Client) -> None:
    assert step(world.activity, "complete") in client.get(world.activity.get_absolute_url()).text


def test_completing_a_follow_up_leaves_its_next_step(world: World, client: Client) -> None:
    values = {
        "version": world.activity.version,
        "on": TODAY,
        "summary": "28 operators passed",
        "next_step": "Plan the second course",
        "next_step_on": "2026-04-01",
    }

    client.post(step(world.activity, "complete"), values)

    assert Activity.objects.get(pk=world.activity.pk).status == "completed"
    following = world.activity.milestones.get()
    assert (following.title, following.due_on) == ("Plan the second course", dt.date(2026, 4, 1))


def test_a_follow_up_is_not_completed_without_a_word_on_what_comes_next(world: World, client: Client) -> None:
    response = client.post(step(world.activity, "complete"), {"version": 1, "on": TODAY, "summary": "Went well"})

    assert response.context["form"].errors == {"next_step": ["Say what comes next, or why nothing does."]}
    assert "Went well" in response.text
    assert Activity.objects.get(pk=world.activity.pk).status == "planned"


def test_a_viewer_sees_no_button(world: World, client_of: Callable[[Any], Client]) -> None:
    page = client_of(world.people["viewer"]).get(world.activity.get_absolute_url()).text

    assert step(world.activity, "complete") not in page


def test_a_stale_form_keeps_what_was_typed_and_can_be_sent_again(world: World, client: Client) -> None:
    opened = world.milestone.version
    Milestone.objects.get(pk=world.milestone.pk).save()
    values = {"version": opened, "on": TODAY, "evidence": "Minutes in folder 3"}

    refused = client.post(step(world.milestone, "meet"), values)

    assert refused.status_code == 409
    assert "Somebody changed this while you were writing." in refused.text
    assert client.post(step(world.milestone, "meet"), filled(refused)).status_code == 302
    assert Milestone.objects.get(pk=world.milestone.pk).evidence == "Minutes in folder 3"


def test_moving_a_due_date(world: World, client: Client) -> None:
    values = {"version": world.milestone.version, "due_on": "2026-05-04", "reason": "They asked for April"}

    client.post(step(world.milestone, "move"), values)

    assert Milestone.objects.get(pk=world.milestone.pk).due_on == dt.date(2026, 5, 4)
    assert "They asked for April" not in client.get(world.obligation.get_absolute_url()).text
    assert "March 5, 2026 → May 4, 2026" in client.get(world.milestone.get_absolute_url()).text


def test_a_move_to_before_the_signing_is_refused_beside_the_field(world: World, client: Client) -> None:
    response = client.post(step(world.milestone, "move"), {"version": 1, "due_on": "2020-01-01", "reason": "Slip"})

    assert response.context["form"].errors == {
        "due_on": ["The agreement was signed on 2026-03-02; nothing can be due before that."]
    }


def test_handing_a_milestone_over(world: World, client: Client) -> None:
    client.post(step(world.milestone, "assign"), {"version": world.milestone.version, "owner": world.lead.pk})

    assert Milestone.objects.get(pk=world.milestone.pk).owner == world.lead


def test_handing_over_to_somebody_of_another_unit_is_no_choice(world: World, client: Client) -> None:
    outsider = world.people["outsider"]

    response = client.post(step(world.milestone, "assign"), {"version": 1, "owner": outsider.pk})

    assert list(response.context["form"].errors) == ["owner"]


@pytest.mark.parametrize("about", ["agreement", "milestone"])
def test_logging_a_call(about: str, world: World, client: Client) -> None:
    row = getattr(world, about)

    client.post(step(row, "log"), {"channel": "call", "on": TODAY, "summary": "They agree to May"})

    note = ContactNote.objects.exclude(pk=world.note.pk).get()
    assert (note.summary, note.author, note.agreement) == ("They agree to May", world.coordinator, world.agreement)
    assert note.milestone == (world.milestone if about == "milestone" else None)


def test_a_submitted_milestone_is_accepted_by_a_lead(world: World, client_of: Callable[[Any], Client]) -> None:
    client_of(world.coordinator).post(
        step(world.obligation, "submit"), {"version": 1, "on": TODAY, "evidence": "Delivery note 12"}
    )
    lead = client_of(world.lead)

    page = lead.get(world.obligation.get_absolute_url()).text
    lead.post(step(world.obligation, "accept"), {"version": 2, "on": TODAY})

    assert "Delivery note 12" in page
    assert step(world.obligation, "send_back") in page
    assert Milestone.objects.get(pk=world.obligation.pk).status == "met"


@pytest.mark.parametrize("row", ["agreement", "milestone", "activity"])
def test_a_step_that_does_not_exist_is_no_page(row: str, world: World, client: Client) -> None:
    assert client.get(step(getattr(world, row), "explode")).status_code == 404


def test_planning_a_follow_up_credits_its_areas_to_its_partners(world: World, client: Client) -> None:
    values = {
        "kind": "visit",
        "title": "Visit to the forge",
        "starts_on": "2026-03-20",
        "organizations": [world.enterprise.pk],
        "areas": [world.area.pk],
        f"quantity_{world.area.pk}": "12",
        "owner": world.coordinator.pk,
        "delegation": "Two teachers",
    }

    response = client.post(reverse("activity_add", args=[world.agreement.pk]), values)

    planned = Activity.objects.get(title="Visit to the forge")
    assert response.url == planned.get_absolute_url()
    assert (planned.agreement, planned.unit, planned.visit.delegation) == (world.agreement, world.unit, "Two teachers")
    credited = [(row.area, row.organization.pk, row.quantity) for row in planned.credits.all()]
    assert credited == [(world.area, world.enterprise.pk, 12)]


def test_a_quantity_of_what_does_not_count_is_refused(world: World, client: Client) -> None:
    values = {"kind": "visit", "starts_on": "2026-03-20", f"quantity_{world.area.pk}": "12"}

    response = client.post(reverse("activity_add", args=[world.agreement.pk]), values)

    assert response.context["form"].errors.keys() == {f"quantity_{world.area.pk}"}


def test_a_follow_up_keeps_to_its_kind_and_its_partners(world: World, client: Client) -> None:
    values = {"kind": "visit", "title": "Visit", "headcount": "12", "starts_on": "2026-03-20", "ends_on": "2026-03-01"}
    values["organizations"] = world.contact.organization_id + 10_000

    response = client.post(reverse("activity_add", args=[world.agreement.pk]), values)

    assert set(response.context["form"].errors) == {"headcount", "organizations", "ends_on"}
    assert Activity.objects.filter(title="Visit").exists() is False


def test_snoozing_a_milestone_and_ending_it(world: World, client: Client) -> None:
    page = client.get(world.milestone.get_absolute_url())
    form = page.context["snooze_form"]
    until = timezone.localdate() + dt.timedelta(days=10)
    values = {"version": form["version"].value(), "until": until.isoformat(), "reason": "They move <b>house</b>"}
    client.post(reverse("milestone_step", args=[world.milestone.pk, "snooze"]), values)

    asleep = client.get(world.milestone.get_absolute_url()).text
    assert "They move &lt;b&gt;house&lt;/b&gt;" in asleep
    assert "End the snooze" in asleep
    assert "Snoozed until" in client.get("/").text

    version = Milestone.objects.get(pk=world.milestone.pk).version
    client.post(reverse("milestone_step", args=[world.milestone.pk, "unsnooze"]), {"version": version})
    assert Milestone.objects.get(pk=world.milestone.pk).snoozed_until is None
    assert "Snoozed until" not in client.get("/").text


@pytest.mark.parametrize("step", ["snooze", "unsnooze"])
def test_a_viewer_does_not_snooze(step: str, world: World, client_of: Callable[[Any], Client]) -> None:
    viewer = client_of(world.people["viewer"])

    assert viewer.get(world.milestone.get_absolute_url()).context["snooze_form"] is None
    assert viewer.post(reverse("milestone_step", args=[world.milestone.pk, step])).status_code == 403


def test_following_a_link_does_not_end_a_snooze(world: World, client: Client) -> None:
    until = timezone.localdate() + dt.timedelta(days=10)
    Milestone.objects.filter(pk=world.milestone.pk).update(snoozed_until=until, snooze_reason="Moving")

    response = client.get(reverse("milestone_step", args=[world.milestone.pk, "unsnooze"]))

    assert response.status_code == 200
    assert Milestone.objects.get(pk=world.milestone.pk).snoozed_until == until


def test_a_day_too_far_is_refused_beside_the_field(world: World, client: Client) -> None:
    until = timezone.localdate() + dt.timedelta(days=91)
    values = {"version": world.milestone.version, "until": until.isoformat(), "reason": "Moving"}

    response = client.post(reverse("milestone_step", args=[world.milestone.pk, "snooze"]), values)

    assert list(response.context["form"].errors) == ["until"]
