"""Promised payments on the pages: added in instalments, recorded as received, summed for each currency."""

import csv
import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from partnerships.factories import AgreementFactory, PaymentFactory, ReceiptFactory, UnitFactory, UserFactory
from partnerships.lists import exports
from partnerships.models import Milestone, Payment
from partnerships.reports.agreement_timeline import agreement_timeline
from partnerships.workflows.derivation import derive_milestones
from tests.admin.forms import change_url
from tests.admin.forms import filled as filled_in_admin
from tests.services.drawing import undrawn
from tests.views.sections import section_url
from tests.views.sent import errors, filled, send
from tests.views.world import World

pytestmark = pytest.mark.django_db


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("&nbsp;", " ").split())


def section(response: Any, name: str = "payments") -> str:
    found = re.search(rf'<section[^>]* aria-labelledby="{name}".*?</section>', response.text, re.DOTALL)
    return words(found[0]) if found else ""


def today() -> dt.date:
    return timezone.localdate()


@pytest.fixture
def payment(world: World) -> Payment:
    """A scholarship that was due yesterday, with its milestone."""
    party = world.agreement.parties.last()
    row = PaymentFactory(
        agreement=world.agreement, party=party, purpose="Scholarship", due_on=today() - dt.timedelta(days=1)
    )
    derive_milestones(world.agreement, actor=None, on=today())
    return row


def test_three_instalments_are_three_payments(world: World, client_of: Callable[[Any], Client]) -> None:
    client, party = client_of(world.coordinator), world.agreement.parties.last()
    typed = {"party": str(party.pk), "purpose": "Scholarship", "amount": "20万", "due_on": "2027-06-30"}

    answer = send(client, reverse("payment_add", args=[world.agreement.pk]), **typed, instalments="3")

    assert answer.url == f"{section_url(world.agreement, 'files')}#payments"
    assert list(world.agreement.payments.values_list("due_on", "amount", "currency")) == [
        (dt.date(year, 6, 30), Decimal(200_000), "CNY") for year in (2027, 2028, 2029)
    ]
    dates = world.agreement.milestones.filter(kind="payment").order_by("due_on").values_list("due_on", flat=True)
    assert [day.year for day in dates] == [2027, 2028, 2029]


def test_a_page_sent_twice_promises_once(world: World, client_of: Callable[[Any], Client]) -> None:
    client, address = client_of(world.coordinator), reverse("payment_add", args=[world.agreement.pk])
    typed = {"party": str(world.agreement.parties.last().pk), "purpose": "Scholarship", "amount": "20万"}
    data = filled(undrawn(client, address), **typed, due_on="2027-06-30", instalments="3")

    assert client.post(address, data).status_code == 302

    assert errors(client.post(address, data)) == {"purpose": ["This payment is promised already."]}
    assert world.agreement.payments.count() == 3


def test_instalments_need_a_day(world: World, client_of: Callable[[Any], Client]) -> None:
    party = world.agreement.parties.last()
    typed = {"party": str(party.pk), "purpose": "Scholarship", "amount": "1", "instalments": "2"}

    answer = send(client_of(world.coordinator), reverse("payment_add", args=[world.agreement.pk]), **typed)

    assert errors(answer) == {"due_on": ["Give the day on which the first instalment is due."]}
    assert not Payment.objects.exists()


def test_what_is_open_is_offered_and_recorded(
    world: World, payment: Payment, client_of: Callable[[Any], Client]
) -> None:
    client, address = client_of(world.coordinator), reverse("payment_receive", args=[payment.pk])
    ReceiptFactory(payment=payment, amount=Decimal(150_000))
    assert client.get(address).context["form"]["amount"].value() == Decimal(50_000)

    answer = send(client, address, note="Voucher 7")

    assert answer.url == f"{section_url(world.agreement, 'files')}#payments"
    assert payment.receipts.last().note == "Voucher 7"
    assert world.agreement.milestones.get(kind="payment").status == "met"
    page = client.get(section_url(world.agreement, "history"))
    assert "Received: 50,000.00 CNY, Scholarship" in words(page.text)


def test_more_than_promised_is_asked_about(world: World, payment: Payment, client_of: Callable[[Any], Client]) -> None:
    client, address = client_of(world.coordinator), reverse("payment_receive", args=[payment.pk])
    question = "This makes 200,001.00 CNY received of 200,000.00 promised. Is the amount right?"
    assert 'name="is_more_meant"' not in client.get(address).text

    asked = send(client, address, amount="200,001")

    assert errors(asked) == {"is_more_meant": [question]}
    assert 'name="is_more_meant"' in asked.text
    assert client.post(address, filled(asked, is_more_meant="on")).status_code == 302

    receipt, address = payment.receipts.get(), reverse("payment_edit", args=[payment.pk])
    assert 'name="is_more_meant"' not in client.get(address).text
    asked = send(client, address, receipts__0__amount="200,002")
    assert list(errors(asked)) == ["is_more_meant"]
    assert client.post(address, filled(asked, is_more_meant="on")).status_code == 302
    receipt.refresh_from_db()
    assert receipt.amount == 200_002


def test_the_admin_asks_about_more_than_promised(payment: Payment, client_of: Callable[[Any], Client]) -> None:
    receipt, client = ReceiptFactory(payment=payment), client_of(UserFactory(staff=True))
    page = client.get(change_url(payment))
    assert 'name="is_more_meant"' not in page.text
    typed = filled_in_admin(page) | {"receipts-0-amount": "300,000"}

    asked = client.post(change_url(payment), typed)

    assert list(asked.context["adminform"].form.errors) == ["is_more_meant"]
    assert 'name="is_more_meant"' in asked.text
    assert client.post(change_url(payment), typed | {"is_more_meant": "on"}).status_code == 302
    receipt.refresh_from_db()
    assert receipt.amount == 300_000


def test_a_refusal_stands_at_its_field(world: World, payment: Payment, client_of: Callable[[Any], Client]) -> None:
    tomorrow = today() + dt.timedelta(days=2)

    answer = send(
        client_of(world.coordinator), reverse("payment_receive", args=[payment.pk]), received_on=tomorrow.isoformat()
    )

    assert errors(answer) == {"received_on": ["This day lies in the future."]}


def test_nothing_is_received_of_a_draft(world: World, client_of: Callable[[Any], Client]) -> None:
    row = PaymentFactory(agreement=world.draft)
    assert client_of(world.coordinator).get(reverse("payment_receive", args=[row.pk])).status_code == 409


def test_the_agreement_shows_each_currency_for_itself(
    world: World, payment: Payment, client_of: Callable[[Any], Client]
) -> None:
    ReceiptFactory(payment=payment, amount=Decimal(150_000))
    PaymentFactory(agreement=world.agreement, purpose="Licenses", currency="USD", is_in_kind=True, due_on=None)

    client, address = client_of(world.coordinator), f"{reverse('payment_list')}?agreement={world.agreement.pk}"
    page = client.get(section_url(world.agreement, "files"))
    shown = section(page)

    assert f'href="{address}"' in page.text
    assert client.get(address).context["page"].paginator.count == 2
    assert "Scholarship" in shown
    assert "200,000.00 CNY 150,000.00" in shown
    assert "50,000.00 Overdue Record what was received" in shown
    assert "200,000.00 USD in kind 0.00" in shown
    assert "Total in CNY 200,000.00 150,000.00 50,000.00 Total in USD in kind 200,000.00 0.00 200,000.00" in shown


def test_a_viewer_reads_it_and_changes_nothing(
    world: World, payment: Payment, client_of: Callable[[Any], Client]
) -> None:
    shown = section(client_of(world.people["viewer"]).get(section_url(world.agreement, "files")))
    assert "Scholarship" in shown
    assert "Record what was received" not in shown
    assert "Add a promised payment" not in shown


def test_a_coordinator_edits_receipts_and_a_lead_the_promise(
    world: World, payment: Payment, client_of: Callable[[Any], Client]
) -> None:
    receipt = ReceiptFactory(payment=payment)
    address = reverse("payment_edit", args=[payment.pk])
    coordinator, lead = client_of(world.coordinator), client_of(world.lead)
    assert "purpose" not in coordinator.get(address).context["form"].fields

    assert send(coordinator, address, receipts__0__amount="60,000").status_code == 302
    assert send(lead, address, purpose="Prize").status_code == 302

    receipt.refresh_from_db()
    payment.refresh_from_db()
    assert (receipt.amount, payment.purpose) == (60_000, "Prize")
    assert world.agreement.milestones.get(kind="payment").title == "Payment due: Prize"


def test_a_participating_unit_adds_receipts_alone(payment: Payment, client_of: Callable[[Any], Client]) -> None:
    ReceiptFactory(payment=payment)
    other = UnitFactory()
    payment.agreement.participating_units.create(unit=other)
    client, address = client_of(UserFactory(coordinator_in=other)), reverse("payment_edit", args=[payment.pk])
    page = client.get(address)
    assert "50,000.00 CNY" in words(page.text)
    assert page.context["form"].receipts.forms == []

    typed = {"receipts-TOTAL_FORMS": "1", "receipts-0-received_on": today().isoformat(), "receipts-0-amount": "7"}
    assert client.post(address, filled(page) | typed).status_code == 302

    assert list(payment.receipts.values_list("amount", flat=True)) == [50_000, 7]


def test_the_timeline_shows_who_corrected_a_receipt(
    world: World, payment: Payment, client_of: Callable[[Any], Client]
) -> None:
    client, address = client_of(world.coordinator), reverse("payment_edit", args=[payment.pk])
    day = {"receipts__TOTAL_FORMS": "1", "receipts__0__received_on": today().isoformat()}
    assert send(client, address, **day, receipts__0__amount="50,000").status_code == 302
    assert send(client, address, receipts__0__amount="60,000").status_code == 302
    assert send(client, address, receipts__0__DELETE="on").status_code == 302

    edits = [
        entry for entry in agreement_timeline(world.agreement, world.lead).newest_first() if "receipt" in entry.detail
    ]

    assert {entry.who for entry in edits} == {world.coordinator}
    told = "; ".join(entry.detail for entry in edits)
    receipt = f"Scholarship, {date_format(today())}: 60,000.00"
    assert f"receipt changed: {receipt} (amount received: 50000.00 → 60000.00)" in told
    assert f"receipt removed: {receipt}" in told
    assert "receipt added" not in told


def test_its_milestone_leads_to_the_receipt(world: World, payment: Payment, client_of: Callable[[Any], Client]) -> None:
    client, address = client_of(world.coordinator), reverse("payment_receive", args=[payment.pk])
    milestone = Milestone.objects.get(kind="payment")
    assert f'href="{address}"' in client.get(milestone.get_absolute_url()).text
    assert address in client.get(reverse("my_work")).text
    moved = reverse("milestone_step", args=[milestone.pk, "move"])
    assert moved not in client.get(reverse("my_work")).text
    assert moved not in client.get(milestone.get_absolute_url()).text
    assert address not in client_of(world.people["viewer"]).get(milestone.get_absolute_url()).text


def test_an_organization_shows_sums(world: World, payment: Payment, client_of: Callable[[Any], Client]) -> None:
    other = AgreementFactory(signed=True, parties=[world.enterprise])
    PaymentFactory(agreement=other, amount=Decimal(7))
    PaymentFactory(agreement=other, amount=Decimal(9), is_in_kind=True)
    address = section_url(payment.party.organization, "related")
    assert "CNY 200,000.00 0.00 200,000.00" in section(client_of(world.coordinator).get(address))
    assert "CNY 200,007.00 0.00 200,007.00 CNY in kind 9.00 0.00 9.00" in section(
        client_of(world.people["staff"]).get(address)
    )
    assert section(client_of(UserFactory(coordinator_in=AgreementFactory().unit)).get(address)) == ""


def test_it_is_found_by_its_purpose(world: World, payment: Payment, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    assert f'href="{payment.get_absolute_url()}"' in client.get(reverse("search"), {"q": "scholar"}).text


def test_the_list_is_exported(world: World, payment: Payment) -> None:
    ReceiptFactory(payment=payment, amount=Decimal("150000.50"))
    asked = {"actor": world.coordinator, "key": "payment_list", "query": "", "file_format": "csv"}
    export = exports.request_export(**asked, now=timezone.now())
    exports.make(export, clock=timezone.now)
    export.refresh_from_db()
    with export.file.open() as file:
        heading, line = csv.reader(file.read().decode("utf-8-sig").splitlines())
    assert heading[4:9] == ["Status", "Promised", "Received", "Open", "Currency"]
    assert line[4:9] == ["Overdue", "200000", "150000.5", "49999.5", "CNY"]


def test_deleting_leads_back_to_the_agreement(
    world: World, payment: Payment, client_of: Callable[[Any], Client]
) -> None:
    answer = send(client_of(world.lead), reverse("payment_delete", args=[payment.pk]), reason="Twice")
    assert answer.url == world.agreement.get_absolute_url()
    assert not Payment.objects.exists()
