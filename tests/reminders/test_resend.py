from collections.abc import Callable

import pytest

from partnerships.exceptions import NotAllowed, TransitionRefused
from partnerships.factories import UserFactory
from partnerships.mailing.resend import send_again
from partnerships.models import Delivery, DeliveryEvent, Milestone, User
from partnerships.models.reasons import Reason
from partnerships.operations.audit import audit
from partnerships.operations.run import run_once
from partnerships.statuses import DeliveryStatus
from tests.reminders.conftest import MovableClock
from tests.services.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def failed(queue: Callable[[], None]) -> Delivery:
    queue()
    Delivery.objects.update(status=DeliveryStatus.FAILED, attempts=1)
    return Delivery.objects.get()


@pytest.fixture
def coordinator(milestone: Milestone) -> User:
    return UserFactory(coordinator_in=milestone.unit)


def test_a_listed_mail_goes_out_once_more_as_a_new_generation(
    failed: Delivery, coordinator: User, smtp_sink: SmtpSink, clock: MovableClock, milestone: Milestone
) -> None:
    new = send_again(failed, actor=coordinator, now=clock.at)

    assert run_once(clock).deliveries == {"sent": 1}

    [mail] = smtp_sink.received
    assert mail.recipients == [milestone.owner.email]
    assert mail.message["Message-ID"] == new.message_id == failed.message_id.replace("-g1@", "-g2@")
    assert audit(real_now=clock.at) == []


def test_the_log_names_the_actor(failed: Delivery, coordinator: User, clock: MovableClock) -> None:
    new = send_again(failed, actor=coordinator, now=clock.at)

    failed.refresh_from_db()
    assert (failed.status, failed.reason) == ("cancelled", Reason.SENT_AGAIN)
    events = DeliveryEvent.objects.filter(actor=coordinator).order_by("pk")
    assert list(events.values_list("delivery", "to_status")) == [(failed.pk, "cancelled"), (new.pk, "queued")]


def test_a_double_click_sends_it_once(failed: Delivery, coordinator: User, clock: MovableClock) -> None:
    send_again(failed, actor=coordinator, now=clock.at)

    with pytest.raises(TransitionRefused, match="not listed"):
        send_again(failed, actor=coordinator, now=clock.at)


def test_a_person_without_permission_cannot_send_again(
    failed: Delivery, milestone: Milestone, clock: MovableClock
) -> None:
    with pytest.raises(NotAllowed):
        send_again(failed, actor=UserFactory(viewer_in=milestone.unit), now=clock.at)

    assert Delivery.objects.count() == 1


def test_reminders_of_milestones_done_meanwhile_are_not_sent(
    failed: Delivery, coordinator: User, smtp_sink: SmtpSink, clock: MovableClock
) -> None:
    send_again(failed, actor=coordinator, now=clock.at)
    Milestone.objects.update(status="met", met_on=clock.at.date())

    assert run_once(clock).deliveries == {"cancelled": 1}
    assert smtp_sink.received == []
