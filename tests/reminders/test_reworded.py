"""No label is program state: the tests of poison mails, holds and re-planning pass with every label reworded."""

import pytest

from partnerships.models import Delivery, MailHold
from partnerships.models.reasons import Reason
from partnerships.statuses import DeliveryStatus, PlanStatus
from tests.reminders.test_claim import (  # noqa: F401 - collected once more here
    claim,
    test_a_mail_whose_process_ended_three_times_is_listed_as_failed,
    test_a_site_set_to_resend_queues_an_uncertain_mail_once_more,
    test_what_a_dead_process_had_claimed_is_queued_again_without_counting_an_attempt,
)
from tests.reminders.test_deliver import (  # noqa: F401
    send,
    test_a_date_moved_and_moved_back_before_the_mail_left_does_not_lose_it,
    test_a_mail_that_breaks_every_session_delays_no_other,
    test_a_mail_that_breaks_every_session_while_others_get_through_fails,
    test_a_single_mail_that_breaks_every_session_fails_after_five_days,
    test_tries_end_after_five_days,
)
from tests.reminders.test_holding import (  # noqa: F401
    few_at_once,
    restored,
    staff,
    test_a_changed_rule_that_makes_a_thousand_mails_sends_none_until_released,
    test_a_mail_that_comes_back_during_a_pause_is_held_too,
    test_after_a_restore_mail_goes_again_only_when_all_that_was_due_is_held,
    test_mail_made_during_a_pause_is_held,
    test_resuming_releases_no_held_mail,
)
from tests.reminders.test_reconcile import (  # noqa: F401
    test_a_moved_date_makes_a_new_plan_and_moved_back_finds_the_old_one,
    test_a_reopened_milestone_is_announced_late_within_a_day,
    test_a_rule_moved_far_into_the_past_floods_nobody,
    test_a_rule_switched_off_and_on_reaches_every_milestone,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def _reworded(monkeypatch: pytest.MonkeyPatch) -> None:
    for choices in (Reason, PlanStatus, DeliveryStatus, Delivery.Kind, MailHold.Cause):
        for member in choices:
            monkeypatch.setattr(member, "_label_", f"Other words, number {hash(member.name)}")


def test_the_labels_are_reworded() -> None:
    assert str(Reason.EXPIRED.label).startswith("Other words")
    assert str(Delivery(reason=Reason.EXPIRED).reason_words).startswith("Other words")
