import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from partnerships.factories import NOON, MilestoneFactory
from partnerships.mailing import lease
from partnerships.mailing.claim import Claim, claim_next, rescue
from partnerships.mailing.lease import LEASE, is_of_this_boot, lease_owner
from partnerships.models import Delivery, DeliveryEvent, Milestone
from partnerships.models.reasons import Reason
from partnerships.statuses import DeliveryStatus
from tests.reminders.conftest import MovableClock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def claim(queue: Callable[[], None], clock: MovableClock) -> Claim:
    queue()
    found = claim_next(clock)
    assert found is not None
    return found


def test_a_claim_is_a_lease_with_an_epoch(claim: Claim, clock: MovableClock) -> None:
    delivery = Delivery.objects.get()

    assert (delivery.status, delivery.lease_epoch, delivery.lease_until) == ("claimed", 1, clock.at + LEASE)
    assert delivery.lease_owner != ""
    assert [item.delivery_id for item in claim.items] == [delivery.pk]


def test_a_claimed_delivery_is_not_claimed_again(claim: Claim, clock: MovableClock) -> None:
    assert claim_next(clock) is None


def test_the_longest_due_comes_first(queue: Callable[[], None], milestone: Milestone, clock: MovableClock) -> None:
    MilestoneFactory(due_on=milestone.due_on)
    queue()
    late, early = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=early.pk).update(next_attempt_at=clock.forward(minutes=-10))
    clock.forward(minutes=10)

    claims = [claim_next(clock) for _turn in range(3)]

    assert [claim and claim.delivery for claim in claims] == [early, late, None]


def test_what_a_dead_process_had_claimed_is_queued_again_without_counting_an_attempt(
    claim: Claim, clock: MovableClock
) -> None:
    clock.forward(minutes=5)
    assert rescue(real_now=clock.at) == 0
    clock.forward(seconds=1)
    assert rescue(real_now=clock.at) == 1

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.reason) == ("queued", 0, Reason.PROCESS_ENDED_EARLY)
    again = claim_next(clock)
    assert again is not None
    assert again.delivery.lease_epoch == 2


def test_what_a_dead_process_left_waits_behind_what_is_due(
    claim: Claim, queue: Callable[[], None], milestone: Milestone, clock: MovableClock
) -> None:
    MilestoneFactory(due_on=milestone.due_on)
    clock.at = NOON
    queue()
    clock.forward(minutes=6)
    rescue(real_now=clock.at)

    claims = [claim_next(clock) for _turn in range(2)]

    assert [one and one.delivery.lease_epoch for one in claims] == [1, 2]


def test_a_mail_whose_process_ended_three_times_is_listed_as_failed(claim: Claim, clock: MovableClock) -> None:
    statuses = []
    for _death in range(3):
        clock.forward(minutes=6)
        rescue(real_now=clock.at)
        statuses.append(Delivery.objects.get().status)
        claim_next(clock)

    assert statuses == ["queued", "queued", "failed"]
    delivery = Delivery.objects.needing_attention().get()
    assert (delivery.reason, delivery.attempts) == (Reason.PROCESS_ENDED_OFTEN, 0)


def test_a_mail_that_was_put_off_before_goes_back_to_its_retries(claim: Claim, clock: MovableClock) -> None:
    Delivery.objects.update(attempts=3)
    clock.forward(minutes=6)

    rescue(real_now=clock.at)

    assert Delivery.objects.get().status == "retry"


OTHER_BOOT = f"{socket.gethostname()}:3b2c5f0e-0000-4000-8000-000000000000:77"
LATEST = {"dot_due_at": NOON, "dot_sent_at": NOON}


@pytest.mark.parametrize(
    ("left", "status", "reason"),
    [
        ({}, "queued", Reason.PROCESS_ENDED_EARLY),
        ({"dot_due_at": NOON}, "uncertain", Reason.OUTCOME_UNKNOWN),
        (LATEST, "unconfirmed", Reason.UNCONFIRMED),
        ({**LATEST, "lease_owner": OTHER_BOOT}, "uncertain", Reason.OUTCOME_UNKNOWN),
        ({**LATEST, "lease_owner": f"other-{lease_owner()}"}, "uncertain", Reason.OUTCOME_UNKNOWN),
    ],
)
def test_the_marks_of_what_was_being_handed_over_decide(
    claim: Claim, clock: MovableClock, left: dict, status: str, reason: str
) -> None:
    Delivery.objects.update(status=DeliveryStatus.HANDING, **left)
    clock.forward(minutes=6)

    assert [rescue(real_now=clock.at), rescue(real_now=clock.at)] == [1, 0]

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.reason, delivery.attempts) == (status, reason, 0)
    assert (delivery in Delivery.objects.needing_attention()) == (status != "queued")
    assert (claim_next(clock) is None) == (status != "queued")
    last = DeliveryEvent.objects.filter(to_status=status).latest("pk")
    assert (last.from_status, last.reason) == ("handing", reason)


def test_a_new_claim_begins_without_the_marks_of_the_last(claim: Claim, clock: MovableClock) -> None:
    Delivery.objects.update(status=DeliveryStatus.RETRY, **LATEST)

    claim_next(clock)

    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.dot_due_at, delivery.dot_sent_at) == ("claimed", None, None)


def test_a_site_set_to_resend_queues_an_uncertain_mail_once_more(
    claim: Claim, clock: MovableClock, settings: Any
) -> None:
    settings.REMINDERS_UNCERTAIN = "resend"
    found = []
    for _time in range(2):
        Delivery.objects.update(status=DeliveryStatus.HANDING, dot_due_at=clock.at, message=b"The very same")
        clock.forward(minutes=6)
        rescue(real_now=clock.at)
        delivery = Delivery.objects.get()
        found.append((delivery.status, delivery.reason, bytes(delivery.message)))
        claim_next(clock)

    assert found == [
        ("queued", Reason.SENT_ONCE_MORE, b"The very same"),
        ("uncertain", Reason.OUTCOME_UNKNOWN, b"The very same"),
    ]


def test_without_a_boot_id_no_other_process_counts_as_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BOOT_ID", Path("/nowhere"))
    lease.machine.cache_clear()
    owner = lease_owner()
    assert is_of_this_boot(owner)
    lease.machine.cache_clear()
    assert not is_of_this_boot(owner)
    lease.machine.cache_clear()


def test_a_claim_holds_its_locks_for_ten_statements(
    queue: Callable[[], None], clock: MovableClock, django_assert_num_queries: Callable[..., Any]
) -> None:
    """On SQLite everybody else waits for the write lock meanwhile."""
    queue()

    with django_assert_num_queries(10):  # with BEGIN and COMMIT
        assert claim_next(clock) is not None
