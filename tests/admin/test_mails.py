"""What a mail said, for those who may read it: shown in a frame that runs nothing, or saved; found by many words."""

import datetime as dt
import email
import email.policy
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from django.urls import reverse

from partnerships.factories import NOON, MilestoneFactory, ReminderItemFactory, UnitFactory, UserFactory
from partnerships.models import Delivery
from tests.admin.forms import change_url
from tests.admin.worlds import ROLES

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

POISON = "<p>Due <b>soon</b> 湖州</p><script>alert(1)</script><img src='https://elsewhere.example/x.png'>"


def written(text: str = "Due soon 湖州", html: str = POISON) -> bytes:
    message = EmailMessage(policy=email.policy.SMTP)
    message["Subject"], message["To"], message["X-Secret"] = "湖州 report", "a@example.org", "header"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return bytes(message)


@pytest.fixture
def mail() -> Delivery:
    return ReminderItemFactory(
        delivery__sent=True, delivery__message=written(), delivery__subject="湖州 report"
    ).delivery


def views(delivery: Delivery) -> list[str]:
    return [reverse(f"admin:partnerships_delivery_{name}", args=[delivery.pk]) for name in ("message", "eml")]


def unit_of(delivery: Delivery) -> Any:
    return delivery.items.get().plan.milestone.unit


def test_the_frame_runs_nothing_and_fetches_nothing(enter: Callable[..., Any], mail: Delivery) -> None:
    response = enter(UserFactory(staff=True)).get(views(mail)[0])

    assert response.content.decode().strip() == POISON
    assert response["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert "no-store" in response["Cache-Control"]


def test_every_other_page_stays_out_of_frames(enter: Callable[..., Any], mail: Delivery) -> None:
    client = enter(UserFactory(staff=True))

    assert [client.get(url)["X-Frame-Options"] for url in (change_url(mail), views(mail)[1])] == ["DENY", "DENY"]


def test_the_page_shows_frame_text_and_headers_and_never_the_markup(enter: Callable[..., Any], mail: Delivery) -> None:
    page = enter(UserFactory(staff=True)).get(change_url(mail)).content.decode()

    assert f'src="{views(mail)[0]}" sandbox=""' in page
    assert ["Due soon 湖州" in page, "X-Secret: header" in page, "elsewhere.example" in page] == [True, True, False]


def test_the_saved_file_is_the_exact_bytes(enter: Callable[..., Any], mail: Delivery) -> None:
    response = enter(UserFactory(staff=True)).get(views(mail)[1])

    assert response.content == bytes(Delivery.objects.get(pk=mail.pk).message)
    assert response["Content-Disposition"] == f'attachment; filename="mail-{mail.pk}.eml"'


def test_a_mail_not_written_yet_has_nothing_to_show(enter: Callable[..., Any]) -> None:
    delivery = ReminderItemFactory().delivery
    client = enter(UserFactory(staff=True))

    assert "Not written yet." in client.get(change_url(delivery)).content.decode()
    assert [client.get(url).status_code for url in views(delivery)] == [404, 404]


def test_who_reads_what_of_two_units(world: Any, enter: Callable[..., Any]) -> None:
    """302: not let into the administration at all."""
    Delivery.objects.update(message=written())
    own, twin = world.rows["delivery"]
    addresses = [*views(own), *views(twin)]

    seen = {role: [enter(world.people[role]).get(url).status_code for url in addresses] for role in ROLES}

    assert seen == {
        "staff": [200] * 4,
        "system_admin": [200] * 4,
        "user_admin": [404] * 4,
        "lead": [200, 200, 404, 404],
        "coordinator": [302] * 4,
        "viewer": [302] * 4,
    }


def test_a_lead_reads_no_digest_that_speaks_of_another_unit(enter: Callable[..., Any], mail: Delivery) -> None:
    lead = enter(UserFactory(lead_in=unit_of(mail)))
    assert [lead.get(url).status_code for url in views(mail)] == [200, 200]

    ReminderItemFactory(delivery=mail, person=mail.person)

    assert [lead.get(url).status_code for url in views(mail)] == [403, 403]
    page = lead.get(change_url(mail)).content.decode()
    assert ["Due soon" in page, "<iframe" in page] == [False, False]


def test_a_lead_who_only_views_in_that_unit_reads_no_body(enter: Callable[..., Any], mail: Delivery) -> None:
    person = UserFactory(lead_in=UnitFactory())
    person.memberships.create(unit=unit_of(mail), role=10)

    assert [enter(person).get(url).status_code for url in views(mail)] == [403, 403]


def test_nothing_of_a_mail_is_changed_by_post(enter: Callable[..., Any], mail: Delivery) -> None:
    client = enter(UserFactory(staff=True))

    assert [client.post(url).status_code for url in views(mail)] == [405, 405]


def found(client: Any, **query: Any) -> set[int]:
    response = client.get(reverse("admin:partnerships_delivery_changelist"), query)
    return {row.pk for row in response.context["cl"].result_list}


def test_mails_are_found_by_what_they_speak_of(enter: Callable[..., Any], mail: Delivery) -> None:
    ReminderItemFactory()
    milestone = mail.items.get().plan.milestone
    client = enter(UserFactory(staff=True))
    words = ("湖州 report", mail.person.name, milestone.title, milestone.agreement.title, "nothing of this")

    assert [found(client, q=word) for word in words] == [{mail.pk}] * 4 + [set()]


def test_mails_are_filtered_by_person_kind_unit_status_and_day(enter: Callable[..., Any], mail: Delivery) -> None:
    ReminderItemFactory(plan__milestone=MilestoneFactory(kind="review"))
    client = enter(UserFactory(staff=True))
    day = {"sent_at__gte": NOON.isoformat(), "sent_at__lt": (NOON + dt.timedelta(days=1)).isoformat()}
    asked = [{"person": mail.person_id}, {"about": "agreement"}, {"unit": unit_of(mail).pk}, {"status__exact": "sent"}]

    assert [found(client, **query) for query in (*asked, day)] == [{mail.pk}] * 5


@pytest.mark.parametrize("query", [{"unit": "x"}, {"person": "9" * 30}, {"about": "';--"}, {"sent_at__gte": "never"}])
def test_a_forged_filter_breaks_nothing(enter: Callable[..., Any], mail: Delivery, query: dict[str, str]) -> None:
    response = enter(UserFactory(staff=True)).get(reverse("admin:partnerships_delivery_changelist"), query)

    assert response.status_code in {200, 302}


def test_filters_offer_a_lead_their_own_people_and_units_alone(world: Any, enter: Callable[..., Any]) -> None:
    own, twin = world.rows["delivery"]
    page = enter(world.people["lead"]).get(reverse("admin:partnerships_delivery_changelist")).content.decode()

    assert [str(one.person) in page for one in (own, twin)] == [True, False]
    assert ["Huzhou office" in page, "Taizhou office" in page] == [True, False]
