"""What was read ahead is as good as what is read in the claim: any edit in between is seen there."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partnerships.factories import (
    AgreementUnitFactory,
    MilestoneFactory,
    ReminderRuleFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import (
    AgreementUnit,
    Delivery,
    Milestone,
    ReminderItem,
    ReminderRule,
    Role,
    UnitMembership,
    User,
)
from partnerships.reminders import look as looks
from partnerships.reminders import reasons
from partnerships.reminders.claim import Claim, claim_next
from partnerships.reminders.look import Look
from partnerships.reminders.steps import due_deliveries
from partnerships.statuses import MilestoneStatus
from tests.reminders.conftest import Clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def look(queue: Callable[[], None], clock: Clock) -> Look:
    """That has read ahead what is due."""
    queue()
    look = Look(size=50)
    look.ahead(lambda: due_deliveries(clock()), clock())
    return look


def claim(look: Look, clock: Clock) -> Claim:
    found = claim_next(now=clock(), clock=clock, look=look)
    assert found is not None
    return found


def tables_of(queries: CaptureQueriesContext) -> set[str]:
    return {name for query in queries for name in re.findall(r'(?:FROM|JOIN) "(\w+)"', query["sql"])}


def test_what_was_read_ahead_is_read_in_one_query_in_the_claim(
    look: Look, clock: Clock, django_assert_num_queries: Callable
) -> None:
    delivery = Delivery.objects.select_related("person").get()

    with django_assert_num_queries(1):
        sight = look.sight(delivery, clock())
    with django_assert_num_queries(7):
        anew = look.sight(delivery, clock())

    assert sight.items == anew.items == list(ReminderItem.objects.all())


def test_reading_ahead_costs_the_same_for_one_and_for_twenty(
    queue: Callable[[], None], milestone: Milestone, clock: Clock, django_assert_num_queries: Callable
) -> None:
    MilestoneFactory.create_batch(19, due_on=milestone.due_on, unit=milestone.unit)
    queue()
    look = Look(size=50)
    with django_assert_num_queries(14):
        look.ahead(lambda: due_deliveries(clock()), clock())

    claims = [claim(look, clock) for _turn in range(20)]

    assert [len(one.items) for one in claims] == [1] * 20


def test_the_claim_asks_about_every_table_that_has_a_say(
    queue: Callable[[], None], milestone: Milestone, clock: Clock
) -> None:
    """A table that the check begins to read has to be asked about as well."""
    queue()
    delivery = Delivery.objects.get()
    with CaptureQueriesContext(connection) as read:
        Look().sight(delivery, clock())
    look = Look(size=50)
    look.ahead(lambda: due_deliveries(clock()), clock())
    with CaptureQueriesContext(connection) as asked:
        look.sight(Delivery(pk=delivery.pk), clock())

    def historical(table: str) -> str:
        return table.replace("partnerships_", "partnerships_historical", 1)

    known = tables_of(asked)
    unasked = {table for table in tables_of(read) if not {table, historical(table)} & known}
    assert (len(asked), unasked) == (1, set())


def meet(milestone: Milestone) -> None:
    milestone.status, milestone.met_on = MilestoneStatus.MET, dt.date(2026, 3, 5)
    milestone.save()


def move(milestone: Milestone) -> None:
    milestone.due_on += dt.timedelta(days=1)
    milestone.save()


def snooze(milestone: Milestone) -> None:
    milestone.snoozed_until, milestone.snooze_reason = dt.date(2026, 3, 10), "Waiting for the dean"
    milestone.save()


def hand_over(milestone: Milestone) -> None:
    milestone.owner = UserFactory(coordinator_in=milestone.unit)
    milestone.save()


def deactivate(milestone: Milestone) -> None:
    owner = User.objects.get(pk=milestone.owner_id)
    owner.is_active = False
    owner.save()


def take_address(milestone: Milestone) -> None:
    owner = User.objects.get(pk=milestone.owner_id)
    owner.email = ""
    owner.save()


def send_away(milestone: Milestone) -> None:
    owner = User.objects.get(pk=milestone.owner_id)
    owner.deputy = UserFactory(coordinator_in=milestone.unit)
    owner.absent_from, owner.absent_until = dt.date(2026, 3, 1), dt.date(2026, 3, 9)
    owner.save()


def end_membership(milestone: Milestone) -> None:
    UnitMembership.objects.get(user=milestone.owner_id).delete()


def disable_rule(_milestone: Milestone) -> None:
    rule = ReminderRule.objects.get()
    rule.is_enabled = False
    rule.save()


def replace_rule(milestone: Milestone) -> None:
    ReminderRuleFactory(agreement=milestone.agreement, offset=1)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (meet, reasons.NOT_PENDING),
        (move, reasons.DUE_DATE_MOVED),
        (snooze, reasons.SNOOZED),
        (hand_over, reasons.WRONG_PERSON),
        (deactivate, reasons.WRONG_PERSON),
        (take_address, reasons.WRONG_PERSON),
        (send_away, reasons.WRONG_PERSON),
        (end_membership, reasons.WRONG_PERSON),
        (disable_rule, reasons.RULE_DISABLED),
        (replace_rule, reasons.RULE_REPLACED),
    ],
)
def test_what_was_edited_after_it_was_read_ahead_is_not_mailed(
    look: Look, milestone: Milestone, clock: Clock, edit: Callable[[Milestone], None], reason: str
) -> None:
    milestone.refresh_from_db()
    edit(milestone)

    found = claim(look, clock)

    assert (found.items, found.delivery.status) == ([], "cancelled")
    assert ReminderItem.objects.get().cancel_reason == reason


def test_an_edit_while_it_is_read_ahead_is_seen_in_the_claim(
    queue: Callable[[], None], milestone: Milestone, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue()
    read = looks._living

    def then_met(deliveries: list[int]) -> list[ReminderItem]:
        items = list(read(deliveries))
        if not connection.in_atomic_block:
            meet(Milestone.objects.get())
        return items

    monkeypatch.setattr(looks, "_living", then_met)

    assert claim(Look(size=50), clock).delivery.status == "cancelled"


def test_a_unit_that_takes_part_no_more_is_seen_in_the_claim(
    queue: Callable[[], None], milestone: Milestone, clock: Clock
) -> None:
    helper = UserFactory(coordinator_in=UnitFactory())
    part = AgreementUnitFactory(agreement=milestone.agreement, unit=UnitMembership.objects.get(user=helper).unit)
    milestone.owner = helper
    milestone.save()
    queue()
    look = Look(size=50)
    look.ahead(lambda: due_deliveries(clock()), clock())
    AgreementUnit.objects.get(pk=part.pk).delete()

    assert claim(look, clock).delivery.status == "cancelled"


def test_who_became_lead_is_seen_in_the_claim(queue: Callable[[], None], milestone: Milestone, clock: Clock) -> None:
    ReminderRule.objects.update(audience="lead")
    lead = UserFactory(lead_in=milestone.unit)
    queue()
    look = Look(size=50)
    look.ahead(lambda: due_deliveries(clock()), clock())
    place = UnitMembership.objects.get(user=lead)
    place.role = Role.COORDINATOR
    place.save()

    assert claim(look, clock).delivery.status == "cancelled"


def test_an_item_taken_back_meanwhile_is_not_in_the_mail(look: Look, clock: Clock) -> None:
    ReminderItem.objects.update(cancelled_at=clock(), cancel_reason=reasons.WRONG_PERSON)

    assert claim(look, clock).delivery.status == "cancelled"


def test_who_is_away_is_asked_on_the_day_of_the_claim(
    queue: Callable[[], None], milestone: Milestone, clock: Clock
) -> None:
    owner = User.objects.get(pk=milestone.owner_id)
    owner.deputy = UserFactory(coordinator_in=milestone.unit)
    owner.absent_from = owner.absent_until = dt.date(2026, 3, 7)
    owner.save()
    queue()
    look = Look(size=50)
    look.ahead(lambda: due_deliveries(clock()), clock())
    clock.forward(days=2)

    assert claim(look, clock).delivery.status == "cancelled"


def test_what_was_not_read_ahead_is_read_in_the_claim(
    queue: Callable[[], None], milestone: Milestone, clock: Clock
) -> None:
    MilestoneFactory.create_batch(2, due_on=milestone.due_on)
    queue()
    look = Look(size=1)
    look.ahead(lambda: due_deliveries(clock()), clock())
    first = claim(Look(), clock)

    others = [claim(look, clock) for _turn in range(2)]

    assert [len(one.items) for one in (first, *others)] == [1, 1, 1]
    assert len({one.delivery.pk for one in (first, *others)}) == 3
