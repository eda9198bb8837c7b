"""Changing an activity on the coordinators' pages: what it says, who took part, what it counts for, and two at once."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    DAY,
    NOON,
    ActivityFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    MilestoneFactory,
    UnitFactory,
)
from partnerships.models import Activity
from partnerships.workflows.activities import follow_activity
from tests.views.test_every_page import violations
from tests.views.world import World

START = DAY + dt.timedelta(days=10)


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


@pytest.fixture
def activity(world: World) -> Activity:
    activity = ActivityFactory(
        agreement=world.agreement,
        owner=world.coordinator,
        title="CNC course",
        training=True,
        starts_on=START,
        organizations=[world.enterprise],
    )
    follow_activity(activity, actor=None, on=DAY)
    return Activity.objects.get(pk=activity.pk)


def address(activity: Activity) -> str:
    return reverse("activity_edit", args=[activity.pk])


def filled(client: Client, activity: Activity) -> dict[str, Any]:
    """What the form sends when nothing was changed."""
    return as_sent(client.get(address(activity)).context["form"])


def as_sent(form: Any) -> dict[str, Any]:
    values = {field.html_name: field.value() for field in form}
    return {name: "" if value is None else value for name, value in values.items()}


def save(client: Client, activity: Activity, **values: Any) -> Any:
    return client.post(address(activity), filled(client, activity) | values)


def test_what_it_says_is_changed_by_its_coordinator(world: World, client: Client, activity: Activity) -> None:
    response = save(
        client, activity, title="Milling course", place="Hall 2", summary="Two days", headcount="24", hours="16"
    )

    changed = Activity.objects.get(pk=activity.pk)
    assert response.url == activity.get_absolute_url()
    assert (changed.title, changed.place, changed.summary, changed.version) == (
        "Milling course",
        "Hall 2",
        "Two days",
        2,
    )
    assert (changed.training.headcount, changed.training.hours) == (24, 16)
    assert changed.history.first().history_user == world.coordinator
    assert changed.training.history.first().history_user == world.coordinator


def test_its_milestones_follow_its_dates_and_its_title(client: Client, activity: Activity) -> None:
    later = START + dt.timedelta(days=20)

    save(client, activity, title="Milling course", title_zh="铣削课程", starts_on=later.isoformat(), ends_on="")

    rows = activity.milestones.order_by("derived_key")
    assert [(row.derived_key, row.due_on, row.title, row.title_zh) for row in rows] == [
        ("end", later, "Complete “Milling course”", "完成“铣削课程”"),
        ("start", later, "Start “Milling course”", "启动“铣削课程”"),
    ]


def test_who_takes_part_and_what_counts_are_ticked(world: World, client: Client, activity: Activity) -> None:
    second, area = EnterpriseFactory(), CooperationAreaFactory()
    world.agreement.parties.create(organization=second)
    world.agreement.promised_areas.create(area=area)
    before = activity.partners.get().pk

    save(
        client,
        activity,
        organizations=[world.enterprise.pk, second.pk],
        credits=[f"{world.area.pk}-{second.pk}", f"{area.pk}-{world.enterprise.pk}"],
    )
    assert {row.organization_id for row in activity.partners.all()} == {world.enterprise.pk, second.pk}
    assert activity.partners.first().pk == before
    pairs = {(row.area_id, row.organization_id) for row in activity.credits.all()}
    assert pairs == {(world.area.pk, second.pk), (area.pk, world.enterprise.pk)}

    pair = f"{area.pk}-{world.enterprise.pk}"
    save(client, activity, credits=[pair], **{f"quantity_{pair}": "3"})
    assert [(row.area, row.quantity) for row in activity.credits.all()] == [(area, 3)]
    refused = save(client, activity, credits=[], **{f"quantity_{pair}": "5"})
    assert refused.context["form"].errors.keys() == {f"quantity_{pair}"}

    save(client, activity, organizations=[second.pk], credits=[])
    assert [row.organization_id for row in activity.partners.all()] == [second.pk]
    assert activity.credits.count() == 0
    assert activity.partners.model.history.filter(history_type="-").get().history_user == world.coordinator


def test_it_counts_only_for_who_takes_part(world: World, client: Client, activity: Activity) -> None:
    response = save(
        client, activity, organizations=[], credits=[f"{world.area.pk}-{world.enterprise.pk}"], place="Hall 2"
    )

    assert response.context["form"].errors == {"credits": ["It counts only for organizations that take part."]}
    assert response.context["form"]["place"].value() == "Hall 2"
    activity.refresh_from_db()
    assert (activity.place, activity.partners.count(), activity.version) == ("", 1, 1)


def test_a_completed_one_is_not_moved_behind_that_day(world: World, client: Client) -> None:
    done = ActivityFactory(agreement=world.agreement, owner=world.coordinator, completed=True)
    later = Activity.objects.get(pk=done.pk).completed_on + dt.timedelta(days=1)

    refused = save(client, done, place="Hall 2", starts_on=str(later))

    assert set(refused.context["form"].errors) == {"starts_on"}
    assert refused.context["form"]["place"].value() == "Hall 2"


def test_nothing_changed_is_no_edit(client: Client, activity: Activity) -> None:
    save(client, activity)

    activity.refresh_from_db()
    rows = (activity.history.count(), activity.training.history.count(), activity.partners.count())
    assert (rows, activity.version) == ((1, 1, 1), 1)


def test_a_stale_page_shows_mine_theirs_and_the_original(world: World, client: Client, activity: Activity) -> None:
    mine = filled(client, activity) | {"title": "My course", "headcount": "12", "organizations": []}
    college = world.agreement.parties.first().organization
    with time_machine.travel(NOON + dt.timedelta(minutes=5), tick=False):
        save(
            client,
            activity,
            title="Their course",
            place="Hall 2",
            headcount="31",
            organizations=[world.enterprise.pk, college.pk],
        )

    refused = client.post(address(activity), mine)

    assert refused.status_code == 409
    conflict = refused.context["conflict"]
    assert [(str(row.label), row.mine, row.theirs, row.original) for row in conflict.differences] == [
        ("Title", "My course", "Their course", "CNC course"),
        ("Place", "–", "Hall 2", "–"),
        ("People trained", "12", "31", "30"),
        ("With", "–", f"{college}; {world.enterprise}", str(world.enterprise)),
    ]
    assert "Their course" in refused.text
    assert refused.context["form"]["title"].value() == "My course"
    assert Activity.objects.get(pk=activity.pk).title == "Their course"

    assert client.post(address(activity), as_sent(refused.context["form"])).status_code == 302
    kept = Activity.objects.get(pk=activity.pk)
    assert (kept.title, kept.place, kept.training.headcount, kept.partners.count()) == ("My course", "Hall 2", 12, 0)


def test_what_only_they_changed_is_not_undone(world: World, client: Client, activity: Activity) -> None:
    mine = filled(client, activity) | {"title": "My course"}
    college, later = world.agreement.parties.first().organization, START + dt.timedelta(days=3)
    theirs = {"starts_on": later.isoformat(), "hours": "18", "organizations": [world.enterprise.pk, college.pk]}
    with time_machine.travel(NOON + dt.timedelta(minutes=5), tick=False):
        save(client, activity, credits=[f"{world.area.pk}-{college.pk}"], **theirs)

    refused = client.post(address(activity), mine)
    assert refused.text.count("not changed by me") == 4
    assert client.post(address(activity), as_sent(refused.context["form"])).status_code == 302

    kept = Activity.objects.get(pk=activity.pk)
    assert (kept.title, kept.starts_on, kept.training.hours) == ("My course", later, 18)
    assert (kept.partners.count(), kept.credits.get().organization) == (2, college)


@pytest.mark.parametrize("version", ["", "0", "7", "x", "-1", "9" * 30, "1\x00"])
def test_a_missing_or_forged_version_is_stale(version: str, client: Client, activity: Activity) -> None:
    response = save(client, activity, title="Mine", version=version)

    assert response.status_code in {200, 409}
    assert response.context["form"]["title"].value() == "Mine"
    activity.refresh_from_db()
    assert activity.title == "CNC course"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"starts_on": "2026-02-30"}, "starts_on"),
        ({"starts_on": "9999-12-31"}, "starts_on"),
        ({"ends_on": "2026-03-01"}, "ends_on"),
        ({"title": ""}, "title"),
        ({"title": "x" * 10_000}, "title"),
        ({"title": "a\r\nBcc: b@example.org"}, "title"),
        ({"summary": "a\x00b"}, "summary"),
        ({"headcount": "-1"}, "headcount"),
        ({"event": "x"}, "event"),
        ({"organizations": ["x"]}, "organizations"),
        ({"credits": ["1-x"]}, "credits"),
        ({"credits": ["999999-999999"]}, "credits"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_lost(
    values: dict[str, Any], field: str, client: Client, activity: Activity
) -> None:
    response = save(client, activity, **{"place": "Hall 2", **values})

    assert response.status_code == 200
    assert set(response.context["form"].errors) == {field}
    assert response.context["form"]["place"].value() == "Hall 2"
    activity.refresh_from_db()
    assert (activity.title, activity.place, activity.version) == ("CNC course", "", 1)


@pytest.mark.parametrize("button", ["look", "more"])
def test_a_button_of_another_page_keeps_nothing(button: str, client: Client, activity: Activity) -> None:
    page = save(client, activity, place="Hall 7", **{button: "x"})

    assert (page.status_code, page.context["form"].errors, 'value="Hall 7"' in page.text) == (200, {}, True)
    assert Activity.objects.get(pk=activity.pk).place == activity.place


def test_forged_fields_change_nothing(world: World, client: Client, activity: Activity) -> None:
    save(client, activity, status="completed", unit="1", kind="visit", owner=str(world.lead.pk), budget="5")

    changed = Activity.objects.get(pk=activity.pk)
    assert (changed.status, changed.unit, changed.kind, changed.owner) == (
        "planned",
        world.unit,
        "training",
        world.coordinator,
    )


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("outsider", 404), ("user_admin", 404)])
def test_others_change_nothing(
    role: str, status: int, activity: Activity, world: World, client: Client, client_of: Callable[[Any], Client]
) -> None:
    values = filled(client, activity) | {"title": "Mine"}

    assert client_of(world.people[role]).post(address(activity), values).status_code == status
    assert client_of(world.people["viewer"]).get(activity.get_absolute_url()).context["may_edit"] is False
    activity.refresh_from_db()
    assert activity.title == "CNC course"


@pytest.mark.parametrize("count", [1, 3])
def test_the_form_costs_the_same_for_one_partner_and_three(
    count: int, world: World, client: Client, activity: Activity, django_assert_num_queries: Any
) -> None:
    for _number in range(count - 1):
        world.agreement.parties.create(organization=EnterpriseFactory())
        world.agreement.promised_areas.create(area=CooperationAreaFactory())
    client.get(address(activity))

    with django_assert_num_queries(12):
        client.get(address(activity))


class TestInABrowser:
    @pytest.mark.parametrize(("width", "has_scripts"), [(390, False), (390, True), (1440, True)])
    def test_two_at_one_follow_up(
        self, width: int, has_scripts: bool, world: World, client: Client, open_page: Callable[..., Any]
    ) -> None:
        page = open_page(world.activity.get_absolute_url(), world.coordinator, width=width, has_scripts=has_scripts)

        page.get_by_role("link", name="Edit", exact=True).click()
        page.get_by_label("Place").fill("Hall 2")
        page.get_by_role("checkbox", name="North area · North Works").check()
        save(client, world.activity, title="Their title")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Somebody else changed this while you had it open").wait_for()
        assert page.get_by_label("Place").input_value() == "Hall 2"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert not has_scripts or violations(page) == []
        assert page.get_by_label("Title", exact=True).input_value() == "Their title"
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Saved:").wait_for()

        changed = Activity.objects.get(pk=world.activity.pk)
        assert (changed.title, changed.place, changed.credits.count()) == ("Their title", "Hall 2", 1)


def test_milestones_of_other_units_are_not_listed_on_its_page(world: World, client: Client) -> None:
    activity = ActivityFactory(agreement=None, unit=world.agreement.unit)
    for title, unit in (("Ours", activity.unit), ("Of a stranger", UnitFactory())):
        MilestoneFactory(activity=activity, unit=unit, title=title)

    page = client.get(activity.get_absolute_url()).text

    assert ("Ours" in page, "Of a stranger" in page) == (True, False)
