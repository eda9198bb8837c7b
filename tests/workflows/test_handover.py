"""Hand-over: everything that may move moves at once, each through its verb; the rest stays and says why."""

import datetime as dt
from typing import Any

import pytest

from partnerships.exceptions import InvalidInput, NotAllowed
from partnerships.factories import (
    DAY,
    NOON,
    ActivityFactory,
    AgreementFactory,
    DemandFactory,
    FacilityFactory,
    MilestoneFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import ReminderMark
from partnerships.models.drafts import people_behind_draft
from partnerships.workflows.handover import KINDS, HandOverItem, hand_over, open_items, preview
from tests.workflows.follow_ups import plan_activity

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def unit() -> Any:
    return UnitFactory()


@pytest.fixture
def people(unit: Any) -> dict[str, Any]:
    return {
        "giver": UserFactory(coordinator_in=unit),
        "new_owner": UserFactory(coordinator_in=unit),
        "lead": UserFactory(lead_in=unit),
    }


@pytest.fixture
def rows(unit: Any, people: dict[str, Any]) -> dict[str, Any]:
    giver = people["giver"]
    agreement = AgreementFactory(unit=unit, coordinator=giver, signed=True)
    return {
        "milestone": MilestoneFactory(agreement=agreement, owner=giver),
        "activity": ActivityFactory(unit=unit, owner=giver),
        "facility": FacilityFactory(unit=unit, owner=giver),
        "demand": DemandFactory(unit=unit, owner=giver),
        "agreement": agreement,
    }


def items_of(rows: dict[str, Any]) -> list[HandOverItem]:
    return [HandOverItem(kind, row.pk, row.version) for kind, row in rows.items()]


def give(rows: dict[str, Any], people: dict[str, Any], verb: Any = hand_over, **more: Any) -> Any:
    asked = {
        "actor": people["lead"],
        "giver": people["giver"],
        "new_owner": people["new_owner"],
        "reason": "On leave",
        "now": NOON,
    }
    return verb(items_of(rows), **(asked | more))


def holders(rows: dict[str, Any]) -> dict[str, Any]:
    for row in rows.values():
        row.refresh_from_db()
    return {kind: getattr(row, KINDS[kind].person) for kind, row in rows.items()}


def test_each_kind_moves_with_the_reason_in_its_history(rows: dict[str, Any], people: dict[str, Any]) -> None:
    outcome = give(rows, people)

    assert outcome.refused == []
    assert holders(rows) == dict.fromkeys(rows, people["new_owner"])
    told = {(row.history.first().history_user, row.history.first().history_change_reason) for row in rows.values()}
    assert told == {(people["lead"], "On leave")}


def test_milestones_go_along_and_the_reminders_hear_of_it(rows: dict[str, Any], people: dict[str, Any]) -> None:
    beside = MilestoneFactory(agreement=rows["agreement"], owner=people["giver"])
    others = MilestoneFactory(agreement=rows["agreement"], owner=people["lead"])
    ReminderMark.objects.all().delete()

    outcome = give({"agreement": rows["agreement"]}, people)

    for row in (beside, others, rows["milestone"]):
        row.refresh_from_db()
    assert [row.owner for row in (beside, rows["milestone"], others)] == [people["new_owner"]] * 2 + [people["lead"]]
    assert outcome.followed == 2
    assert set(ReminderMark.objects.values_list("milestone", flat=True)) == {beside.pk, rows["milestone"].pk}


def test_what_was_not_chosen_stays(rows: dict[str, Any], people: dict[str, Any]) -> None:
    give({"demand": rows["demand"]}, people)

    assert holders(rows) == dict.fromkeys(rows, people["giver"]) | {"demand": people["new_owner"]}


def test_a_look_before_moves_nothing(rows: dict[str, Any], people: dict[str, Any]) -> None:
    outcome = give(rows, people, verb=preview)

    assert len(outcome.moved) == 5
    assert holders(rows) == dict.fromkeys(rows, people["giver"])


def test_a_changed_item_stays_and_the_others_move(rows: dict[str, Any], people: dict[str, Any]) -> None:
    seen = items_of(rows)
    rows["demand"].title = "Another"
    rows["demand"].save()

    outcome = hand_over(
        seen, actor=people["lead"], giver=people["giver"], new_owner=people["new_owner"], reason="Left", now=NOON
    )

    assert [(row, reason) for row, reason in outcome.refused] == [
        (rows["demand"], "Somebody else changed this since you opened it.")
    ]
    assert holders(rows) == dict.fromkeys(rows, people["new_owner"]) | {"demand": people["giver"]}


def test_what_somebody_took_over_meanwhile_is_theirs(rows: dict[str, Any], people: dict[str, Any]) -> None:
    rows["milestone"].owner = people["lead"]
    rows["milestone"].save()

    outcome = give(rows, people)

    assert [reason for _row, reason in outcome.refused] == ["Somebody else took it over meanwhile."]
    assert holders(rows)["milestone"] == people["lead"]


def test_other_units_are_not_touched(rows: dict[str, Any], people: dict[str, Any]) -> None:
    foreign = AgreementFactory(coordinator=people["giver"], signed=True)
    shared = AgreementFactory(coordinator=people["giver"], signed=True)
    shared.participating_units.create(unit=rows["agreement"].unit)

    outcome = hand_over(
        [HandOverItem("agreement", row.pk, row.version) for row in (foreign, shared)],
        actor=people["lead"],
        giver=people["giver"],
        new_owner=people["new_owner"],
        reason="Left",
        now=NOON,
    )

    assert [row for row, _reason in outcome.refused] == [shared]  # of the other not even the title is told
    for row in (foreign, shared):
        row.refresh_from_db()
        assert row.coordinator == people["giver"]


def test_milestones_of_a_participating_units_activity_stay_there(rows: dict[str, Any], people: dict[str, Any]) -> None:
    other = UnitFactory()
    rows["agreement"].participating_units.create(unit=other)
    starts_on = DAY + dt.timedelta(days=5)
    more = {"unit": other, "agreement": rows["agreement"], "kind": "visit", "title": "Theirs", "starts_on": starts_on}
    activity = plan_activity(actor=None, on=DAY, **more)

    give({"agreement": rows["agreement"]}, people)

    assert set(activity.milestones.values_list("owner", flat=True)) == {None}


def test_an_heir_who_could_not_work_on_it_gets_nothing(rows: dict[str, Any], people: dict[str, Any]) -> None:
    viewer = UserFactory(viewer_in=rows["agreement"].unit)

    outcome = give(rows, people, new_owner=viewer)

    assert outcome.moved == []
    assert len(outcome.refused) == 5
    assert holders(rows) == dict.fromkeys(rows, people["giver"])


@pytest.mark.parametrize("owner", [None, {"deactivated": True}, {"email": ""}])
def test_what_nobody_has_can_be_given_to_somebody(
    owner: dict[str, Any] | None, unit: Any, people: dict[str, Any]
) -> None:
    person = owner and UserFactory(coordinator_in=unit, **owner)
    orphan = MilestoneFactory(agreement__unit=unit, owner=person)
    offered = open_items(people["lead"], None)["milestone"]

    assert list(offered) == [orphan]
    give({"milestone": orphan}, people, giver=None)

    assert holders({"milestone": orphan}) == {"milestone": people["new_owner"]}
    assert not offered.all().exists()


def test_what_somebody_took_over_meanwhile_is_no_longer_nobodys(unit: Any, people: dict[str, Any]) -> None:
    taken = MilestoneFactory(agreement__unit=unit, owner=people["giver"])

    outcome = give({"milestone": taken}, people, giver=None)

    assert [reason for _row, reason in outcome.refused] == ["Somebody else took it over meanwhile."]


@pytest.mark.parametrize(
    ("more", "field"),
    [({"reason": " "}, "reason"), ({"new_owner": "giver"}, "new_owner"), ({"new_owner": "gone"}, "new_owner")],
)
def test_what_makes_no_sense_is_refused(
    more: dict[str, Any], field: str, rows: dict[str, Any], people: dict[str, Any]
) -> None:
    named = people | {"gone": UserFactory(deactivated=True)}
    with pytest.raises(InvalidInput) as refused:
        give(rows, people, **{name: named.get(value, value) for name, value in more.items()})

    assert refused.value.field == field


def test_a_coordinator_hands_nothing_over(rows: dict[str, Any], people: dict[str, Any]) -> None:
    with pytest.raises(NotAllowed):
        give(rows, people, actor=people["giver"])


def test_closed_work_stays_with_whoever_did_it(unit: Any, people: dict[str, Any]) -> None:
    done = ActivityFactory(unit=unit, owner=people["giver"], completed=True)

    outcome = give({"activity": done}, people)

    assert [reason for _row, reason in outcome.refused] == ["This is closed already, so it cannot be reassigned."]
    assert list(open_items(people["lead"], people["giver"])["activity"]) == []


def test_a_lead_who_gave_a_draft_another_coordinator_may_still_approve_it(unit: Any, people: dict[str, Any]) -> None:
    draft = AgreementFactory(unit=unit, coordinator=people["giver"], created_by=people["giver"])
    give({"agreement": draft}, people)
    draft.refresh_from_db()
    before = people_behind_draft(draft)
    draft.title, draft._history_user = "Edited", people["lead"]
    draft.save()

    assert before == {people["giver"].pk}
    assert people_behind_draft(draft) == {people["giver"].pk, people["lead"].pk}
