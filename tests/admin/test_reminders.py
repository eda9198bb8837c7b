"""Mails in the admin: reasons in the reader's language, and sent again by a person."""

import pytest

from partnerships.factories import DeliveryFactory, ReminderItemFactory, UserFactory
from partnerships.models import Delivery, ReminderItem
from partnerships.models.reasons import Reason
from partnerships.statuses import DeliveryStatus
from tests.admin.forms import change_url, step_url

pytestmark = pytest.mark.django_db


@pytest.fixture
def item():
    return ReminderItemFactory(delivery__failed=True)


@pytest.fixture
def lead(item):
    return UserFactory(lead_in=item.plan.milestone.unit)


def test_a_listed_mail_is_sent_again_on_post_alone(enter, item, lead):
    client, url = enter(lead), step_url(item.delivery, "send_again")

    asked = client.get(url)
    assert (asked.status_code, Delivery.objects.count()) == (200, 1)
    client.post(url)

    again = ReminderItem.objects.get(generation=2)
    assert (again.delivery.status, again.delivery.events.get().actor) == (DeliveryStatus.QUEUED, lead)
    assert Delivery.objects.get(pk=item.delivery.pk).status == DeliveryStatus.CANCELLED


def test_a_mail_is_not_sent_again_twice(enter, item, lead):
    client, url = enter(lead), step_url(item.delivery, "send_again")
    client.post(url)

    response = client.post(url, follow=True)

    assert [str(message) for message in response.context["messages"]][-1] == (
        "This is not possible any more: somebody else may have been faster."
    )
    assert Delivery.objects.count() == 2


def test_a_mail_about_nothing_any_more_is_refused_in_words(enter):
    delivery = DeliveryFactory(failed=True)

    response = enter(UserFactory(staff=True)).post(step_url(delivery, "send_again"))

    assert response.context["form"].non_field_errors() == ["Nothing in this mail is due to this person any more."]


def test_a_mail_of_another_unit_is_not_there_and_a_sent_one_has_no_button(enter, item):
    stranger = enter(UserFactory(lead_in=ReminderItemFactory().plan.milestone.unit))
    sent = ReminderItemFactory(delivery__sent=True).delivery

    assert stranger.post(step_url(item.delivery, "send_again")).status_code == 302
    assert enter(UserFactory(staff=True)).get(change_url(sent)).context["buttons"] == []
    assert Delivery.objects.count() == 3


def test_the_page_says_that_an_uncertain_mail_may_arrive_twice(enter):
    item = ReminderItemFactory(delivery__status=DeliveryStatus.UNCERTAIN)

    page = enter(UserFactory(staff=True)).get(step_url(item.delivery, "send_again"))

    assert page.context["form"].warnings == ["This mail may have arrived. Sent again, it may arrive twice."]


def test_why_a_person_gets_it_is_said_in_words(enter, item, lead):
    page = enter(lead).get(change_url(item.delivery)).content.decode()

    assert "owner of the milestone" in page


def test_why_a_mail_did_not_go_out_is_said_in_words(enter, item, lead):
    enter(lead).post(step_url(item.delivery, "send_again"))

    page = enter(lead).get(change_url(item.delivery)).content.decode()

    assert str(Reason.SENT_AGAIN.label) in page
