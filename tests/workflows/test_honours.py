"""Honours: watched until they lapse."""

import datetime as dt
from typing import Any

import pytest

from partnerships.exceptions import InvalidInput, NotAllowed, TransitionRefused
from partnerships.factories import (
    DAY,
    NOON,
    EnterpriseFactory,
    HonourFactory,
    HonourSchemeFactory,
    OrganizationUnitFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Honour, Milestone, MilestoneKind, StatusChange
from partnerships.workflows.honours import edit_honour, register_honour, restore_honour, withdraw_honour
from partnerships.workflows.milestones import meet_milestone, move_milestone

pytestmark = pytest.mark.django_db

LAPSE = dt.date(2026, 6, 30)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def recorded(**more: Any) -> Honour:
    values = {"granted_on": dt.date(2023, 7, 1), "valid_until": LAPSE, **more}
    made = {"scheme": HonourSchemeFactory, "organization": EnterpriseFactory, "unit": UnitFactory}
    values |= {name: factory() for name, factory in made.items() if name not in more}
    return register_honour(HonourFactory.build(**values), actor=None, today=DAY)


def extend(honour: Honour, valid_until: dt.date | None) -> None:
    edit_honour(Honour.objects.get(pk=honour.pk), actor=None, today=DAY, changes={"valid_until": valid_until})


def lapse(honour: Honour) -> Milestone:
    return honour.milestones.get()


def test_the_lapse_is_a_milestone_of_whoever_holds_the_enterprise() -> None:
    holder = OrganizationUnitFactory()
    milestone = lapse(recorded(organization=holder.organization, unit=holder.unit))
    assert (milestone.kind, milestone.due_on) == (MilestoneKind.HONOUR_LAPSE, LAPSE)
    assert (milestone.unit, milestone.owner) == (holder.unit, holder.coordinator)


def test_the_milestone_follows_the_day() -> None:
    honour = recorded()
    for text in ("2026-09-30", "2026-05-31"):
        extend(honour, day(text))
        assert lapse(honour).due_on == day(text)


def test_without_a_known_end_there_is_nothing_to_watch() -> None:
    assert recorded(valid_until=None).milestones.count() == 0
    honour = recorded()
    extend(honour, None)
    assert lapse(honour).status == "cancelled"


def test_one_that_lapsed_asks_for_nothing() -> None:
    assert recorded(valid_until=DAY - dt.timedelta(days=1)).milestones.count() == 0


def test_one_that_lapses_stays_open_when_it_is_saved_again() -> None:
    honour = recorded()
    edit_honour(honour, actor=None, today=LAPSE + dt.timedelta(days=1), changes={"batch": "Fourth"})
    assert (lapse(honour).due_on, lapse(honour).status) == (LAPSE, "open")


def test_moved_by_hand_it_stays() -> None:
    honour = recorded()
    move_milestone(lapse(honour), actor=None, at=NOON, due_on=day("2026-04-30"), reason="The call closes in April")
    extend(honour, day("2026-06-15"))
    assert lapse(honour).due_on == day("2026-04-30")


def test_renewed_it_is_watched_anew() -> None:
    honour = recorded()
    meet_milestone(lapse(honour), actor=None, on=DAY, evidence="Renewed")
    extend(honour, day("2029-06-30"))
    assert (lapse(honour).status, lapse(honour).due_on) == ("open", day("2029-06-30"))


def test_saving_it_again_changes_no_milestone() -> None:
    honour = recorded()
    before = lapse(honour).version
    extend(honour, LAPSE)
    assert lapse(honour).version == before


def test_only_the_unit_that_watches_it_changes_it() -> None:
    honour = HonourFactory()
    with pytest.raises(NotAllowed):
        edit_honour(honour, actor=UserFactory(lead_in=UnitFactory()), today=DAY, changes={"batch": "Fourth"})
    assert honour.milestones.count() == 0


def test_a_slip_in_the_year_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        recorded(valid_until=dt.date(9999, 12, 31))
    assert refusal.value.field == "valid_until"


def test_who_lapses_this_half_year() -> None:
    inside, _later, _past = (HonourFactory(granted_on=day("2023-01-01"), valid_until=until) for until in LAPSES)
    assert list(Honour.objects.lapsing(DAY, until=LAPSE)) == [inside]


LAPSES = (LAPSE, LAPSE + dt.timedelta(days=1), DAY - dt.timedelta(days=1))


def test_who_could_apply_for_the_next_level() -> None:
    scheme = HonourSchemeFactory(ladder=True)
    ready, risen = EnterpriseFactory(), EnterpriseFactory()
    honour = HonourFactory(scheme=scheme, organization=ready)
    HonourFactory(scheme=scheme, organization=risen)
    HonourFactory(scheme=scheme.next_scheme, organization=risen)
    HonourFactory(scheme=scheme, granted_on=day("2020-01-01"), valid_until=day("2023-01-01"))
    assert list(Honour.objects.could_rise(DAY)) == [honour]


def test_one_recorded_in_error_is_withdrawn_and_counts_nowhere() -> None:
    honour = recorded(scheme=HonourSchemeFactory(ladder=True))
    withdraw_honour(Honour.objects.get(pk=honour.pk), actor=None, on=DAY, reason="Another enterprise of the same name")
    found = [Honour.objects.valid(DAY), Honour.objects.lapsing(DAY, until=LAPSE), Honour.objects.could_rise(DAY)]
    assert [rows.exists() for rows in found] == [False] * 3
    assert (lapse(honour).status, honour.history.count()) == ("cancelled", 2)
    assert StatusChange.objects.of(honour).get().reason == "Another enterprise of the same name"


def test_withdrawn_it_is_not_edited_until_it_is_restored() -> None:
    honour = recorded()
    withdraw_honour(Honour.objects.get(pk=honour.pk), actor=None, on=DAY, reason="By mistake")
    with pytest.raises(TransitionRefused, match="Restore it first"):
        extend(honour, None)
    restore_honour(Honour.objects.get(pk=honour.pk), actor=None, on=DAY, reason="It was right")
    assert [row.status for row in honour.milestones.pending()] == ["open"]
    assert Honour.objects.get(pk=honour.pk).withdrawn_on is None


def test_the_right_one_may_be_recorded_beside_the_withdrawn_and_then_stands_in_its_way() -> None:
    honour = HonourFactory(withdrawn=True)
    HonourFactory(scheme=honour.scheme, organization=honour.organization, granted_on=honour.granted_on)
    with pytest.raises(TransitionRefused, match="recorded already"):
        restore_honour(honour, actor=None, on=DAY, reason="It was right")


def test_a_coordinator_does_not_withdraw() -> None:
    honour = HonourFactory()
    with pytest.raises(NotAllowed):
        withdraw_honour(honour, actor=UserFactory(coordinator_in=honour.unit), on=DAY, reason="By mistake")
