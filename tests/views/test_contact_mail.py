"""The page at which a partner's contact stops our mails, without a log-in."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import ContactFactory, DeliveryFactory, ReminderItemFactory
from partnerships.models import Contact, SecurityEvent
from partnerships.models.contact_tokens import mail_token
from tests.admin.forms import change_url
from tests.views.world import World

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def contact() -> Contact:
    return ContactFactory(name="Engineer Wang", email="wang@example.org")


def page(token: str) -> str:
    return reverse("contact_mail", args=[token])


def stopped() -> list[str]:
    return list(Contact.objects.filter(mail_stopped_on__isnull=False).values_list("name", flat=True))


def test_looking_changes_nothing_and_is_in_both_languages(contact: Contact) -> None:
    response = Client().get(page(mail_token(contact)))

    assert response.status_code == 200
    assert ["Stop these mails" in response.text, "不再接收" in response.text] == [True, True]
    assert ["Engineer Wang" in response.text, "wang@example.org" in response.text] == [False, False]
    assert (response["X-Robots-Tag"], response["Referrer-Policy"]) == ("noindex", "no-referrer")
    assert (stopped(), contact.history.count()) == ([], 1)


@pytest.mark.parametrize("sent", [ONE_CLICK, {"mail": "stop"}], ids=["mail program", "button"])
def test_one_post_stops_the_mail_without_cookie_or_log_in(contact: Contact, sent: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)

    first, second = (client.post(page(mail_token(contact)), sent) for _ in range(2))

    assert [first.status_code, second.status_code] == [200, 200]
    assert stopped() == ["Engineer Wang"]
    assert "Send me reminders again" in first.text
    last = contact.history.first()
    assert (contact.history.count(), last.history_user) == (2, None)
    assert last.history_change_reason == "Stopped mail by the link in it"


def test_it_can_be_undone_on_the_same_page(contact: Contact) -> None:
    client = Client(enforce_csrf_checks=True)
    client.post(page(mail_token(contact)), ONE_CLICK)

    response = client.post(page(mail_token(contact)), {"mail": "resume"})

    assert "Stop these mails" in response.text
    assert (stopped(), contact.history.count()) == ([], 3)
    logged = SecurityEvent.objects.order_by("pk").values_list("kind", "name", "address")
    assert list(logged) == [(kind, contact.name, "127.0.0.1") for kind in ("contact_stopped", "contact_resumed")]


def test_a_post_that_asks_for_nothing_changes_nothing(contact: Contact) -> None:
    assert Client().post(page(mail_token(contact)), {"mail": "what"}).status_code == 200
    assert stopped() == []


def forged(contact: Contact, other: Contact) -> list[str]:
    token, signature = mail_token(contact), mail_token(contact).partition(".")[2]
    foreign = [str(contact.pk), f"{contact.pk}.", f"{contact.pk}.x", f"{other.pk}.{signature}", token[:-1], f"0{token}"]
    return [*foreign, f"{'9' * 40}.{signature}", f"²{token}", "x", ".", f"{contact.pk}.{mail_token(other)}"]


def test_a_forged_address_opens_nothing(contact: Contact) -> None:
    tokens = forged(contact, ContactFactory())

    answers = [Client().post(page(token), ONE_CLICK) for token in tokens]

    assert [answer.status_code for answer in answers] == [404] * len(tokens)
    assert all("This link is not valid" in answer.text for answer in answers)
    assert stopped() == []


def test_a_link_to_an_earlier_address_is_no_longer_valid(contact: Contact) -> None:
    token = mail_token(contact)
    contact.email = "wang@new.example.org"
    contact.save()

    assert Client().post(page(token), ONE_CLICK).status_code == 404
    assert stopped() == []
    assert Client().get(page(mail_token(contact))).status_code == 200


def test_coordinators_and_the_office_see_that_it_was_stopped(world: World, client_of: Callable[[Any], Client]) -> None:
    Client().post(page(mail_token(world.contact)), ONE_CLICK)
    world.contact.refresh_from_db()

    shown = client_of(world.coordinator).get(world.enterprise.get_absolute_url()).text
    assert "asked for no mail on" in " ".join(shown.split())
    admin = client_of(world.people["staff"]).get(change_url(world.contact)).text
    assert "Asked for no mail on" in admin
    assert 'name="mail_stopped_on"' not in admin


def test_the_log_of_mails_does_not_show_the_secret_address(world: World, client_of: Callable[[Any], Client]) -> None:
    address = f"https://office.example.org{page(mail_token(world.contact))}"
    written = f"Subject: Due\r\nList-Unsubscribe:\r\n <{address}>\r\nList-Id: r\r\n\r\nText of the mail\r\n"
    mail = DeliveryFactory(person=None, contact=world.contact, address="a@example.org", message=written.encode())
    ReminderItemFactory(plan__milestone=world.milestone, person=None, contact=world.contact, delivery=mail)
    client = client_of(world.people["staff"])

    for text in (client.get(mail.get_absolute_url()).text, client.get(reverse("mail_file", args=[mail.pk])).text):
        assert ("List-Id: r" in text, "Text of the mail" in text) == (True, True)
        assert page(mail_token(world.contact)) not in text
