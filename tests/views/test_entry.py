"""The fast entry: an activity planned or recorded from anywhere, in one form, about what one may follow up alone."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import (
    DAY,
    AgreementFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    EventFactory,
    ParticipationFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Activity, Agreement, Document, Milestone
from partnerships.permissions import may
from tests.views.hand import Hand
from tests.views.test_attachments import photo
from tests.views.world import World, make_world

LOG = "/activities/add/"


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def visit(world: World, **values: Any) -> dict[str, Any]:
    """What is sent for a visit of today that leads to nothing."""
    return {
        "kind": "visit",
        "is_done": "on",
        "starts_on": DAY.isoformat(),
        "title": "Visit to the forge",
        "agreement": world.agreement.pk,
        "organizations": [world.enterprise.pk],
        "areas": [world.area.pk],
        "owner": world.coordinator.pk,
        "summary": "They want two more courses",
        "no_next_step_reason": "They write first",
        **values,
    }


def entered() -> Any:
    return Activity.objects.exclude(title__endswith=" training")


def test_a_visit_is_recorded_with_what_comes_next(world: World, client: Client) -> None:
    values = visit(world, no_next_step_reason="", next_step="Send the plan", next_step_on="2026-03-20")

    response = client.post(LOG, values | {"findings": "A new press", "ends_on": ""})

    done = entered().get()
    assert response.url == done.get_absolute_url()
    assert (done.status, done.completed_on, done.summary) == ("completed", DAY, "They want two more courses")
    assert (done.agreement, done.unit, done.owner) == (world.agreement, world.unit, world.coordinator)
    assert done.visit.findings == "A new press"
    assert [(row.area, row.organization.pk) for row in done.credits.all()] == [(world.area, world.enterprise.pk)]
    assert [(row.title, row.due_on) for row in done.milestones.all()] == [("Send the plan", dt.date(2026, 3, 20))]
    assert {row.history_user for row in done.history.all()} == {world.coordinator}


def test_a_plan_asks_to_be_started_and_completed(world: World, client: Client) -> None:
    client.post(LOG, visit(world, is_done="", no_next_step_reason="", starts_on="2026-04-01"))

    planned = entered().get()
    assert (planned.status, planned.completed_on) == ("planned", None)
    assert set(planned.milestones.values_list("derived_key", flat=True)) == {"start", "end"}


def test_it_is_called_by_its_kind_and_partner_without_a_title(world: World, client: Client) -> None:
    client.post(LOG, visit(world, title=""))

    assert entered().get().title == "Visit: North Works Co., Ltd."


def test_a_second_click_records_nothing(world: World, client: Client) -> None:
    client.post(LOG, visit(world, title=""))
    response = client.post(LOG, visit(world, title=""))

    known = entered().get()
    words = "This activity is recorded already. If yours is another one, enter a title of its own."
    assert response.context["form"].errors == {"title": [words]}
    assert f'<a href="{known.get_absolute_url()}">{known.title}</a>' in response.text
    assert re.search(r'<details class="more" open>\s*<summary>Title', response.text)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"starts_on": (DAY + dt.timedelta(days=1)).isoformat()}, "starts_on"),
        ({"ends_on": (DAY + dt.timedelta(days=1)).isoformat()}, "ends_on"),
        ({"starts_on": ""}, "starts_on"),
        ({"starts_on": "2026-02-30"}, "starts_on"),
        ({"starts_on": "0001-01-01"}, "starts_on"),
        ({"is_done": "", "no_next_step_reason": "", "starts_on": "9999-12-31"}, "starts_on"),
        ({"ends_on": (DAY - dt.timedelta(days=1)).isoformat()}, "ends_on"),
        ({"no_next_step_reason": ""}, "next_step"),
        ({"next_step": "Write"}, "no_next_step_reason"),
        ({"is_done": ""}, "no_next_step_reason"),
        ({"headcount": "12"}, "headcount"),
        ({"kind": "training", "hours": "-1"}, "hours"),
        ({"kind": "research_project", "currency": "XX1"}, "currency"),
        ({"kind": ""}, "kind"),
        ({"kind": "party"}, "kind"),
        ({"title": "a\r\nBcc: b@example.org"}, "title"),
        ({"title": "x" * 10_000}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"summary": "a\x00b"}, "summary"),
        ({"next_step": "a\x00b", "no_next_step_reason": ""}, "next_step"),
        ({"agreement": "x"}, "agreement"),
        ({"agreement": "9" * 30}, "agreement"),
        ({"event": "x"}, "event"),
        ({"owner": "x"}, "owner"),
        ({"areas": ["x"]}, "areas"),
        ({"agreement": "", "find": "Nor"}, "agreement"),
        ({"find": "a\x00"}, "find"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_nothing_is_lost(
    values: dict[str, Any], field: str, world: World, client: Client
) -> None:
    response = client.post(LOG, visit(world, **values))

    assert response.status_code == 200
    assert field in response.context["form"].errors
    assert "They want two more courses" in response.text or "summary" in values
    assert entered().exists() is False


def test_forged_fields_change_nothing(world: World, client: Client) -> None:
    client.post(LOG, visit(world, status="cancelled", unit=UnitFactory().pk, code="x", is_sample="on", version="7"))

    done = entered().get()
    assert (done.status, done.unit, done.code, done.is_sample) == ("completed", world.unit, None, False)


def test_the_twins_rows_cannot_be_named(world: World, client: Client) -> None:
    twin = make_world("South")

    foreign = client.post(LOG, visit(world, agreement=twin.agreement.pk))
    partner = client.post(LOG, visit(world, organizations=[twin.enterprise.pk]))
    owner = client.post(LOG, visit(world, owner=twin.coordinator.pk))
    asked = client.get(LOG, {"agreement": twin.agreement.pk})

    assert "agreement" in foreign.context["form"].errors
    assert set(partner.context["form"].errors) == {"organizations"}
    assert set(owner.context["form"].errors) == {"owner"}
    assert asked.context["form"].about.agreement is None
    assert "South signed" not in asked.text
    assert entered().exists() is False


@pytest.mark.parametrize("role", ["viewer", "user_admin", "nobody"])
def test_others_enter_nothing(role: str, world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.people[role])

    assert client.post(LOG, visit(world)).status_code == 403
    assert reverse("activity_log") not in client.get("/").text
    assert entered().exists() is False


def test_agreements_are_found_by_a_word_among_ones_own(world: World, client: Client) -> None:
    make_world("South")

    north = client.post(LOG, {"look": "find", "find": "north signed", "summary": "Half a sen", "kind": "visit"})
    south = client.post(LOG, {"look": "find", "find": "south"})

    assert [row.title for row in north.context["agreements"]["shown"]] == ["North signed"]
    assert north.context["form"].is_bound is False
    assert [north.context["form"][name].value() for name in ("summary", "kind")] == ["Half a sen", "visit"]
    assert south.context["agreements"]["shown"] == []
    assert "No match among the agreements you can follow up." in south.text
    assert entered().exists() is False


def test_a_script_gets_the_part_that_changes(world: World, client: Client) -> None:
    asked = {"look": "yes", "find": "north", "agreement": world.agreement.pk}

    found = client.post(LOG, asked, headers={"HX-Request": "true", "HX-Target": "agreements"}).text
    about = client.post(LOG, asked, headers={"HX-Request": "true", "HX-Target": "about"}).text

    assert ["North signed" in found, "North area" in found, "<html" in found] == [True, False, False]
    assert ["North Works" in about, "North area" in about, "<html" in about] == [True, True, False]


def test_the_one_partner_is_ticked_and_what_was_ticked_stays(world: World, client: Client) -> None:
    second = EnterpriseFactory()
    world.agreement.parties.create(organization=second)
    Agreement.objects.filter(pk=world.draft.pk).update(unit=world.unit)
    ours = world.agreement.parties.first().organization
    type(world.unit).objects.filter(pk=world.unit.pk).update(organization=ours)

    several = client.get(LOG, {"agreement": world.agreement.pk})
    one = client.get(LOG, {"agreement": world.draft.pk})
    again = client.post(LOG, {"look": "choose", "agreement": world.agreement.pk, "organizations": [second.pk]})

    assert several.context["form"]["organizations"].value() == []
    assert one.context["form"]["organizations"].value() == [world.draft.parties.last().organization_id]
    assert again.context["form"]["organizations"].value() == [str(second.pk)]


def test_the_address_says_what_it_is_about(world: World, client: Client) -> None:
    event = EventFactory(unit=world.unit)
    ParticipationFactory(event=event, organization=world.enterprise)
    at_event = client.get(LOG, {"event": event.pk})
    with_partner = client.get(LOG, {"organization": world.enterprise.pk})
    ahead = client.get(LOG, {"day": "2026-04-01"}).context["form"]
    past = client.get(LOG, {"day": "2026-02-01"}).context["form"]

    assert at_event.context["form"]["event"].value() == event.pk
    assert list(at_event.context["form"].fields["organizations"].queryset) == [world.enterprise]
    assert with_partner.context["form"]["organizations"].value() == [world.enterprise.pk]
    assert {row.title for row in with_partner.context["agreements"]["shown"]} == {"North signed", "North draft"}
    assert [(form["starts_on"].value(), form["is_done"].value()) for form in (ahead, past)] == [
        (dt.date(2026, 4, 1), False),
        (dt.date(2026, 2, 1), True),
    ]


@pytest.mark.parametrize("name", ["agreement", "event", "organization", "day", "kind"])
@pytest.mark.parametrize("value", ["x", "-1", "9" * 30, "2026-02-30"])
def test_an_address_that_names_nothing_is_a_plain_form(name: str, value: str, client: Client) -> None:
    response = client.get(LOG, {name: value})

    assert response.status_code == 200
    assert response.context["agreements"]["chosen"] is None


def test_without_an_agreement_it_is_the_units(world: World, client: Client) -> None:
    event = EventFactory(unit=world.unit)

    client.post(LOG, visit(world, agreement="", organizations=[], event=event.pk))

    done = entered().get()
    assert (done.agreement, done.event, done.unit) == (None, event, world.unit)


def test_a_partner_is_found_without_an_agreement(world: World, client: Client) -> None:
    new = EnterpriseFactory(name="Morning Star Works")
    values = visit(world, agreement="", organizations=[], title="", areas=[])

    found = client.post(LOG, values | {"partner-words": "morning", "look": "partner"}).text
    client.post(LOG, values | {"partner": new.pk})

    assert re.search(rf'name="partner" value="{new.pk}"', found)
    done = entered().get()
    assert ([row.organization for row in done.partners.all()], done.title) == ([new], "Visit: Morning Star Works")


def test_a_partner_found_comes_beside_those_of_the_agreement(world: World, client: Client) -> None:
    new = EnterpriseFactory()

    client.post(LOG, visit(world, partner=new.pk))

    assert {row.organization for row in entered().get().partners.all()} == {world.enterprise, new}


def test_whoever_works_for_several_units_says_for_which(world: World, client_of: Callable[[Any], Client]) -> None:
    staff = client_of(world.people["staff"])
    values = visit(world, agreement="", organizations=[])

    refused = staff.post(LOG, values)
    staff.post(LOG, values | {"unit": world.unit.pk})

    assert set(refused.context["form"].errors) == {"unit"}
    assert entered().get().unit == world.unit


def test_a_participating_unit_records_under_its_own_name(world: World, client_of: Callable[[Any], Client]) -> None:
    outsider = world.people["outsider"]
    unit = outsider.memberships.get().unit
    world.agreement.participating_units.create(unit=unit)

    client_of(outsider).post(LOG, visit(world, owner=outsider.pk))

    assert (entered().get().unit, entered().get().agreement) == (unit, world.agreement)


def test_photos_come_along_or_nothing_does(world: World, client: Client) -> None:
    files = {"attached-kind": "photo"}

    refused = client.post(LOG, visit(world, **files, **{"attached-files": [photo("page.png", b"<html>")]}))
    assert "page.png: The content of this file does not fit its name (.png)." in refused.text
    assert (entered().count(), Document.objects.filter(activity__in=entered()).count()) == (0, 0)

    client.post(LOG, visit(world, **files, **{"attached-files": [photo("gate.png"), photo("hall.png")]}))
    assert [row.title for row in Document.objects.filter(activity=entered().get()).order_by("pk")] == ["gate", "hall"]


@pytest.mark.parametrize("wrong", [{"starts_on": ""}, {"agreement": "0"}, {"look": "choose"}])
def test_chosen_files_are_asked_for_again(wrong: dict[str, str], world: World, client: Client) -> None:
    files = {"attached-kind": "photo", "attached-files": [photo("gate.png")]}

    page = client.post(LOG, visit(world, **files, **wrong))

    assert page.text.count("Please choose the file again") == 2  # above the form, and at the field
    assert entered().count() == 0


def test_a_cancelled_agreement_is_not_offered(world: World, client: Client) -> None:
    cancelled = AgreementFactory(unit=world.unit, coordinator=world.coordinator, cancelled=True)

    shown = client.get(LOG).context["agreements"]["shown"]

    assert {row.title for row in shown} == {"North signed", "North draft"}
    assert "agreement" in client.post(LOG, visit(world, agreement=cancelled.pk)).context["form"].errors


def test_what_is_offered_is_what_one_may_follow_up(world: World) -> None:
    twin = make_world("South")
    twin.agreement.participating_units.create(unit=world.unit)
    unit = world.people["outsider"].memberships.get().unit
    world.agreement.participating_units.create(unit=unit)

    for person in [*world.people.values(), *twin.people.values()]:
        offered = set(Agreement.objects.followed_up_by(person))
        assert offered == {row for row in Agreement.objects.all() if may(person, "agreement.follow_up", row)}


@pytest.mark.parametrize("count", [1, 3])
def test_the_form_costs_the_same_for_one_agreement_and_three(
    count: int, world: World, client: Client, django_assert_num_queries: Any
) -> None:
    for number in range(count - 1):
        partners = [EnterpriseFactory(name=f"More {number}"), EnterpriseFactory()]
        areas = [CooperationAreaFactory()]
        AgreementFactory(unit=world.unit, coordinator=world.coordinator, parties=partners, areas=areas, signed=True)
        EventFactory(unit=world.unit)
        UserFactory(coordinator_in=world.unit)
    client.get(LOG)

    with django_assert_num_queries(15):
        client.get(LOG, {"agreement": world.agreement.pk})


def test_it_is_offered_where_one_works(world: World, client: Client, client_of: Callable[[Any], Client]) -> None:
    event = EventFactory(unit=world.unit)
    places = {
        "/": "",
        reverse("activity_list"): "",
        reverse("activity_board"): "",
        reverse("calendar"): "?day=2026-03-10",
        reverse("calendar") + "?day=2026-03-10": "?day=2026-03-10",
        world.agreement.get_absolute_url(): f"?agreement={world.agreement.pk}",
        world.enterprise.get_absolute_url(): f"?organization={world.enterprise.pk}",
        event.get_absolute_url(): f"?event={event.pk}",
    }
    viewer = client_of(world.people["viewer"])

    for place, query in places.items():
        assert f'href="{LOG}{query}"' in client.get(place).text, place
        assert LOG not in viewer.get(place).text, place


class TestInABrowser:
    @pytest.fixture(params=[(390, True), (1440, True), (390, False)], ids=["phone", "desk", "no scripts"])
    def page(self, request: Any, world: World, open_page: Callable[..., Any]) -> Any:
        width, has_scripts = request.param
        page = open_page("/", world.coordinator, width=width, has_scripts=has_scripts)
        page.has_scripts = has_scripts
        return page

    def test_a_visit_is_logged_from_my_work(self, world: World, page: Any) -> None:
        page.get_by_role("link", name="Log an activity").first.click()
        page.get_by_role("radio", name="Visit").check()
        page.get_by_placeholder("Title or partner").fill("north works")
        if not page.has_scripts:
            page.get_by_role("button", name="Find", exact=True).click()
        page.get_by_role("radio", name="North signed").check()
        if not page.has_scripts:
            page.get_by_role("button", name="Show who and what belongs to it").click()
        page.get_by_role("checkbox", name="North Works").check()
        page.get_by_text("What it counts for, event").click()
        page.get_by_role("checkbox", name="North area").check()
        page.get_by_label("Summary").fill("Looked at the press")
        page.get_by_role("radio", name="None", exact=True).check()
        page.get_by_label("Why there is no next step").fill("They write first")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Recorded.").wait_for()

        done = entered().get()
        assert (done.status, done.completed_on, done.agreement) == ("completed", timezone.localdate(), world.agreement)
        assert (done.title, done.credits.count()) == ("Visit: North Works Co., Ltd.", 1)
        assert Milestone.objects.filter(activity=done).count() == 0

    def test_only_the_chosen_kind_asks_for_its_details(self, world: World, page: Any) -> None:
        page.goto(reverse("activity_add", args=[world.agreement.pk]))
        page.get_by_role("radio", name="Training").check()
        if page.has_scripts:
            assert page.get_by_text("Only for: Visit").is_visible() is False
            assert page.get_by_label("What comes next").is_visible() is False
        page.get_by_text("Only for: Training").click()
        page.get_by_label("People trained").fill("24")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Planned.").wait_for()

        assert entered().get().training.headcount == 24

    def test_a_visit_needs_the_fields_in_sight_alone(self, world: World, page: Any) -> None:
        page.get_by_role("link", name="Log an activity").first.click()
        page.locator("#entry").get_by_label("Summary").wait_for()
        shown = page.locator("#entry").locator("input, select, textarea").filter(visible=True)
        names = shown.evaluate_all("all => all.map(one => one.name)")
        assert list(dict.fromkeys(names)) == [
            *("kind", "find", "agreement", "partner-words", "summary", "starts_on", "is_done"),
            *("attached-files", "next_step_when", "next_step"),
        ]
        marks = page.locator("#entry label[data-mark]:not([data-mark=''])").evaluate_all(
            "all => all.map(one => [one.innerText.trim(), one.dataset.mark])"
        )
        assert dict(marks) == {
            "Date": "required once it has taken place",
            "What comes next": "required",
        }

        page.goto("/")
        hand = Hand()
        hand.tap(page.get_by_role("link", name="Log an activity").first)
        hand.tap(page.get_by_role("radio", name="Visit").locator(".."))
        hand.tap(page.get_by_role("radio", name="North signed"))
        hand.type(page.get_by_label("Summary"), "Looked at the press")
        hand.type(page.get_by_label("What comes next"), "Send the plan")
        hand.tap(page.get_by_role("button", name="Save"))
        page.get_by_text("Recorded.").wait_for()

        assert (hand.taps, hand.texts) == (6, 2)
        [follow] = Milestone.objects.filter(activity=entered().get(), title="Send the plan")
        assert follow.due_on == timezone.localdate() + dt.timedelta(days=7)
        assert entered().get().agreement == world.agreement
