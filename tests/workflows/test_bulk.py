"""Acts on many rows: each goes through its verb, the preview says what the act does, and the undo puts it back."""

import datetime as dt
from typing import Any

import pytest

from partnerships.acts import one_act
from partnerships.exceptions import InvalidInput, NotAllowed, TransitionRefused
from partnerships.factories import (
    DAY,
    NOON,
    ActivityFactory,
    AgreementFactory,
    CooperationAreaFactory,
    MilestoneFactory,
    ProgrammeFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Agreement, BulkAct, ContactNote, Milestone, ReminderMark
from partnerships.workflows.activities import edit_contact_note
from partnerships.workflows.bulk import KINDS, MOST_ROWS, Picked, act_on_all, preview_all
from partnerships.workflows.handover import HandOverItem, hand_over
from partnerships.workflows.milestones import move_milestone, snooze_milestone, unsnooze_milestone
from partnerships.workflows.undo import undo_act
from tests.services.histories import count_without_reason
from tests.workflows.follow_ups import plan_activity

pytestmark = pytest.mark.django_db
SOON, LATER = DAY + dt.timedelta(days=5), DAY + dt.timedelta(days=12)
ENTERED = {"reason": "Fair moved", "due_on": None, "starts_on": None, "days": 7, "until": LATER, "months": 12}


@pytest.fixture
def unit() -> Any:
    return UnitFactory()


@pytest.fixture
def lead(unit: Any) -> Any:
    return UserFactory(lead_in=unit)


@pytest.fixture
def agreement(unit: Any, lead: Any) -> Any:
    return AgreementFactory(unit=unit, coordinator=lead, signed=True)


def kind_of(key: str, row: Any) -> Any:
    return next(kind for kind in KINDS if kind.key == key and isinstance(row, kind.model))


def do(key: str, rows: list[Any], actor: Any, verb: Any = act_on_all, **values: Any) -> Any:
    picked = [Picked(row.pk, row.version) for row in rows]
    entered = ENTERED | {"on": DAY, "evidence": "Sent", "channel": "call", "summary": "Asked all of them"} | values
    return verb(kind_of(key, rows[0]), picked, actor=actor, now=NOON, values=entered)


def columns(row: Any) -> dict[str, Any]:
    fresh = type(row)._base_manager.get(pk=row.pk)
    skipped = {"version", "updated_at", "postponed_on", "appearance"}
    return {one.name: getattr(fresh, one.attname) for one in row._meta.concrete_fields if one.name not in skipped}


@pytest.mark.both_databases
def test_each_act_does_what_its_preview_says_and_can_be_undone(unit: Any, lead: Any, agreement: Any) -> None:
    other, colleague = UnitFactory(), UserFactory(coordinator_in=unit)
    lead.memberships.create(unit=other, role=30)
    lead = type(lead).objects.get(pk=lead.pk)
    milestone = MilestoneFactory(agreement=agreement, owner=lead, due_on=SOON)
    derived = MilestoneFactory(agreement=agreement, owner=lead, kind="next_contact", derived_key="contact")
    draft = AgreementFactory(unit=unit, coordinator=lead, created_by=lead)
    activity = ActivityFactory(unit=unit, owner=lead, starts_on=SOON, ends_on=LATER)
    programme, area = ProgrammeFactory(unit=unit), CooperationAreaFactory()
    acts = [
        ("move", milestone, {}),
        ("move", derived, {"due_on": LATER, "days": None}),
        ("snooze", milestone, {}),
        ("reassign", milestone, {"owner": colleague}),
        ("done", MilestoneFactory(agreement=agreement, snoozed_until=SOON, snooze_reason="Fair", evidence="Mail"), {}),
        ("done", MilestoneFactory(agreement=agreement, requires_acceptance=True), {}),
        ("log", milestone, {}),
        ("reassign", agreement, {"owner": colleague}),
        ("log", agreement, {}),
        ("programme", agreement, {"programme": programme}),
        ("area", draft, {"area": area}),
        ("unit", draft, {"unit": other}),
        ("move", activity, {}),
        ("postpone", activity, {}),
        ("postpone", ActivityFactory(unit=unit, owner=lead, in_progress=True), {}),
        ("reassign", activity, {"owner": colleague}),
    ]
    reasonless = count_without_reason()
    for key, row, values in acts:
        row.refresh_from_db()
        before, notes = columns(row), ContactNote.objects.count()
        preview = do(key, [row], lead, preview_all, **values)
        assert (columns(row), ContactNote.objects.count(), BulkAct.objects.count()) == (before, notes, 0), key

        outcome = do(key, [row], lead, **values)

        assert outcome.refused == [], key
        assert [change.after for change in outcome.changes] == [change.after for change in preview.changes], key
        assert columns(row) != before or ContactNote.objects.count() > notes or key in {"programme", "area"}, key
        result = undo_act(outcome.act, actor=lead, now=NOON)
        assert (result.left, len(result.restored)) == ([], 1), key
        assert count_without_reason() == reasonless, key
        assert (columns(row), ContactNote.objects.count()) == (before, notes), key
        BulkAct.objects.all().delete()
    said = set(Milestone.history.exclude(history_change_reason=None).values_list("history_change_reason", flat=True))
    assert {"Many at once: Mark as done", "Undo of an act on many rows"} <= said
    assert not agreement.programme_items.exists()
    assert not draft.promised_areas.filter(area=area).exists()


def test_rows_that_cannot_are_refused_with_the_reason_and_the_others_go_on(
    unit: Any, lead: Any, agreement: Any
) -> None:
    fine, closed = MilestoneFactory(agreement=agreement, owner=lead), MilestoneFactory(agreement=agreement, met=True)
    foreign = MilestoneFactory()
    shared = MilestoneFactory(agreement=agreement)
    stale = MilestoneFactory(agreement=agreement, owner=lead)
    seen = [fine, closed, foreign, stale, shared]
    Milestone.objects.get(pk=stale.pk).save()
    ReminderMark.objects.all().delete()

    outcome = do("reassign", seen, lead, owner=UserFactory(coordinator_in=unit))

    assert [change.pk for change in outcome.changes] == [fine.pk, shared.pk]
    assert outcome.gone == 1  # of another unit's nothing is said
    assert [(row, reason) for row, reason in outcome.refused] == [
        (closed, "This is closed already, so it cannot be reassigned."),
        (stale, "Somebody else changed this since you opened it."),
    ]
    assert len(set(ReminderMark.objects.values_list("act", flat=True))) == 1
    with pytest.raises(InvalidInput, match="At most 500 rows"):
        act_on_all(KINDS[0], [Picked(1)] * (MOST_ROWS + 1), actor=lead, now=NOON, values={})


def test_what_was_changed_meanwhile_stays(unit: Any, lead: Any, agreement: Any) -> None:
    rows = [MilestoneFactory(agreement=agreement, owner=lead) for _ in range(2)]
    somebody, another = UserFactory(coordinator_in=unit), UserFactory(coordinator_in=unit)
    act = do("reassign", rows, lead, owner=somebody).act
    Milestone.objects.filter(pk=rows[1].pk).update(owner=another)

    with pytest.raises(NotAllowed):
        undo_act(act, actor=somebody, now=NOON)
    with pytest.raises(TransitionRefused, match="too late"):
        undo_act(act, actor=lead, now=NOON + dt.timedelta(minutes=31))
    result = undo_act(act, actor=lead, now=NOON + dt.timedelta(minutes=29))

    assert (result.restored, result.left) == ([rows[0]], [(rows[1], "Somebody changed it meanwhile.")])
    assert [columns(row)["owner"] for row in rows] == [lead.pk, another.pk]
    with pytest.raises(TransitionRefused, match="already"):
        undo_act(act, actor=lead, now=NOON)


def test_an_undone_reassignment_gives_the_milestones_back_that_went_along(unit: Any, agreement: Any, lead: Any) -> None:
    nobody = MilestoneFactory(agreement=agreement, owner=None)
    theirs, colleague = MilestoneFactory(agreement=agreement, owner=lead), UserFactory(coordinator_in=unit)
    own = MilestoneFactory(agreement=agreement, owner=colleague)
    rows = [nobody, theirs, own]

    act = do("reassign", [agreement], lead, owner=colleague).act
    moved = [columns(row)["owner"] for row in rows]
    undo_act(act, actor=lead, now=NOON)

    assert moved == [colleague.pk] * 3
    assert [columns(row)["owner"] for row in rows] == [None, lead.pk, colleague.pk]
    assert columns(agreement)["coordinator"] == lead.pk


def test_a_hand_over_is_undone_for_somebody_who_left_as_well(unit: Any, lead: Any, agreement: Any) -> None:
    left, new_owner = UserFactory(deactivated=True), UserFactory(coordinator_in=unit)
    Agreement.objects.filter(pk=agreement.pk).update(coordinator=left)
    milestone = MilestoneFactory(agreement=agreement, owner=left)
    agreement.refresh_from_db()
    items = [
        HandOverItem(kind, row.pk, row.version) for kind, row in (("milestone", milestone), ("agreement", agreement))
    ]

    outcome = hand_over(items, actor=lead, giver=left, new_owner=new_owner, reason="Left", now=NOON)
    given = (columns(milestone)["owner"], columns(agreement)["coordinator"])
    result = undo_act(outcome.act, actor=lead, now=NOON)

    assert given == (new_owner.pk, new_owner.pk)
    assert result.left == []
    assert (columns(milestone)["owner"], columns(agreement)["coordinator"]) == (left.pk, left.pk)


def test_renewals_are_recorded_and_closings_reinstated(unit: Any, lead: Any) -> None:
    ended = AgreementFactory(unit=unit, signed=True, with_term__ends_on=DAY + dt.timedelta(days=30))
    review = DAY + dt.timedelta(days=400)
    open_ended = AgreementFactory(unit=unit, signed=True, with_term__ends_on=None, with_term__review_on=review)

    renewal = do("renew", [ended, open_ended], lead)
    closing = do("complete", [Agreement.objects.get(pk=open_ended.pk)], lead)
    closed = columns(open_ended)["status"]
    undone = undo_act(closing.act, actor=lead, now=NOON)

    assert [change.undo for change in renewal.changes] == [""]
    assert "open-ended" in renewal.refused[0][1]
    with pytest.raises(TransitionRefused):
        undo_act(renewal.act, actor=lead, now=NOON)
    assert (closed, columns(open_ended)["status"], undone.left) == ("completed", "signed", [])


def test_an_undo_brings_nobody_what_they_had_before(unit: Any, lead: Any, agreement: Any) -> None:
    giver, colleague = UserFactory(coordinator_in=unit), UserFactory(coordinator_in=unit)
    Agreement.objects.filter(pk=agreement.pk).update(coordinator=giver)
    agreement.refresh_from_db()
    own, along = (MilestoneFactory(agreement=agreement, owner=giver) for _ in range(2))
    submitted = MilestoneFactory(agreement=agreement, owner=giver, requires_acceptance=True)
    acts = [
        do("reassign", [own], lead, owner=colleague).act,
        do("reassign", [agreement], lead, owner=colleague).act,
        do("done", [Milestone.objects.get(pk=submitted.pk)], lead).act,
    ]
    told = {row.pk: Milestone.objects.get(pk=row.pk).appearance for row in (own, along, submitted)}
    ReminderMark.objects.all().delete()

    results = [undo_act(act, actor=lead, now=NOON) for act in reversed(acts)]

    assert [result.left for result in results] == [[]] * 3
    assert set(ReminderMark.objects.values_list("appearance", flat=True)) == {0}
    # Another number than before: what was announced to the colleague is withdrawn.
    assert all(Milestone.objects.get(pk=pk).appearance > number for pk, number in told.items())


def test_what_somebody_corrected_meanwhile_is_not_deleted(unit: Any, lead: Any, agreement: Any) -> None:
    draft, area = AgreementFactory(unit=unit, coordinator=lead, created_by=lead), CooperationAreaFactory()
    acts = [do("log", [agreement], lead).act, do("area", [draft], lead, area=area).act]
    note = ContactNote.objects.get()
    edit_contact_note(note, actor=lead, today=DAY, changes={"summary": "They agreed"})
    draft.promised_areas.update(quantity=2)

    results = [undo_act(act, actor=lead, now=NOON) for act in acts]

    assert [reason for result in results for _row, reason in result.left] == ["Somebody changed it meanwhile."] * 2
    assert (ContactNote.objects.count(), draft.promised_areas.count()) == (1, 1)


def test_an_undone_move_to_another_unit_takes_back_what_went_along(unit: Any, lead: Any) -> None:
    other = UnitFactory()
    lead.memberships.create(unit=other, role=30)
    lead = type(lead).objects.get(pk=lead.pk)
    draft = AgreementFactory(unit=unit, coordinator=lead, created_by=lead)
    went, was_there = MilestoneFactory(agreement=draft, unit=unit), MilestoneFactory(agreement=draft, unit=other)

    act = do("unit", [draft], lead, unit=other).act
    moved = columns(went)["unit"]
    undo_act(act, actor=lead, now=NOON)

    assert moved == other.pk
    assert [columns(row)["unit"] for row in (went, was_there)] == [unit.pk, other.pk]


def test_snoozes_that_an_act_ended_come_back(unit: Any, lead: Any) -> None:
    activity = plan_activity(
        actor=lead, on=DAY, unit=unit, owner=lead, kind="visit", title="Visit", starts_on=LATER, ends_on=LATER
    )
    starting = activity.milestones.first()
    Milestone.objects.filter(pk=starting.pk).update(snoozed_until=SOON, snooze_reason="Fair")

    act = do("move", [activity], lead).act
    moved = columns(starting)
    undo_act(act, actor=lead, now=NOON)

    assert (moved["due_on"], moved["snoozed_until"]) == (starting.due_on + dt.timedelta(days=7), None)
    assert (columns(starting)["snoozed_until"], columns(starting)["snooze_reason"]) == (SOON, "Fair")


def test_a_snooze_that_somebody_ended_by_hand_does_not_come_back(unit: Any, lead: Any) -> None:
    activity = plan_activity(
        actor=lead, on=DAY, unit=unit, owner=lead, kind="visit", title="Visit", starts_on=LATER, ends_on=LATER
    )
    starting = activity.milestones.first()
    Milestone.objects.filter(pk=starting.pk).update(snoozed_until=SOON, snooze_reason="Fair")
    act = do("move", [activity], lead).act
    changed = Milestone.objects.get(pk=starting.pk)
    snoozed = snooze_milestone(changed, actor=lead, on=DAY, until=SOON, reason="Later")
    unsnooze_milestone(snoozed, actor=lead)

    undo_act(act, actor=lead, now=NOON)

    assert (columns(starting)["due_on"], columns(starting)["snoozed_until"]) == (starting.due_on, None)


def test_a_date_that_somebody_had_moved_is_so_again_after_an_undo(unit: Any, lead: Any) -> None:
    activity = plan_activity(
        actor=lead, on=DAY, unit=unit, owner=lead, kind="visit", title="Visit", starts_on=LATER, ends_on=LATER
    )
    starting = activity.milestones.first()
    moved = move_milestone(starting, actor=lead, at=NOON, due_on=SOON, reason="The bus is full")
    before = columns(moved)

    act = do("move", [activity], lead).act
    ended = columns(starting)
    undo_act(act, actor=lead, now=NOON)

    assert (ended["override_reason"], ended["overridden_at"]) == ("", None)
    assert before["override_reason"] == "The bus is full"
    assert columns(starting) == before


def test_what_the_verb_would_refuse_says_so_in_the_preview(unit: Any, lead: Any, agreement: Any) -> None:
    taking_part = UserFactory(coordinator_in=UnitFactory())
    agreement.participating_units.create(unit=taking_part.memberships.get().unit)
    news = MilestoneFactory(agreement=agreement, kind="new_holder", owner=None)
    coordinator = UserFactory(coordinator_in=unit)
    activity = ActivityFactory(unit=unit, owner=lead, starts_on=SOON, ends_on=LATER)

    with one_act() as act:
        noted = do("done", [news], coordinator, preview_all)
    far = do("move", [activity], lead, starts_on=dt.date(9999, 12, 31))

    assert (len(noted.refused), act.refusals) == (1, {})
    assert "is too far away" in far.refused[0][1]
    assert do("log", [agreement], taking_part).not_undoable == 1
