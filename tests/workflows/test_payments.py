"""Promised payments: their receipts, their milestones, and who may change what was promised."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from partnerships.exceptions import DomainError, InvalidInput, NotAllowed, StaleVersion, TransitionRefused
from partnerships.factories import (
    DAY,
    AgreementFactory,
    PaymentFactory,
    ReceiptFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Agreement, Milestone, MilestoneKind, Payment, Receipt, StatusChange
from partnerships.models.drafts import people_behind_draft
from partnerships.models.payments import payment_of, sums_by_currency
from partnerships.workflows.agreements import (
    complete_agreement,
    delete_draft,
    edit_agreement,
    sign_agreement,
    submit_agreement,
    terminate_agreement,
    unsign_agreement,
)
from partnerships.workflows.deletions import delete_record
from partnerships.workflows.derived_sweep import SWEPT_TABLES
from partnerships.workflows.milestones import meet_milestone, move_milestone, waive_milestone
from partnerships.workflows.payments import edit_payment, record_receipt, register_payment

pytestmark = pytest.mark.django_db
DUE = DAY + dt.timedelta(days=30)


def promised(agreement: Agreement, **more: Any) -> Payment:
    payment = PaymentFactory.build(agreement=agreement, party=agreement.parties.last(), **more)
    return register_payment(payment, actor=None, today=DAY)


def milestones(agreement: Agreement) -> list[tuple[str, dt.date, str]]:
    rows = agreement.milestones.filter(kind=MilestoneKind.PAYMENT).order_by("due_on", "pk")
    return [(row.title, row.due_on, row.status) for row in rows]


def reason_of(agreement: Agreement) -> str:
    """Why the milestone of its payment was cancelled."""
    return str(StatusChange.objects.of(agreement.milestones.get(kind=MilestoneKind.PAYMENT)).last().reason)


def receive(payment: Payment, amount: int, **more: Any) -> Payment:
    known = {"actor": None, "today": DAY, "received_on": DAY}
    return record_receipt(Payment.objects.get(pk=payment.pk), amount=Decimal(amount), **{**known, **more})


def test_a_payment_asks_for_its_day_until_it_was_received_in_full() -> None:
    agreement = AgreementFactory(signed=True)
    payment = promised(agreement, purpose="Scholarship", amount=Decimal(200_000))
    milestone = agreement.milestones.get(kind=MilestoneKind.PAYMENT)
    assert milestones(agreement) == [("Payment due: Scholarship", DUE, "open")]
    assert (milestone.owner, milestone.party, milestone.title_zh) == (
        agreement.coordinator,
        payment.party,
        "款项到期：Scholarship",
    )
    assert payment_of(milestone) == payment.pk
    receive(payment, 150_000)
    assert milestones(agreement) == [("Payment due: Scholarship", DUE, "open")]
    receive(payment, 50_000)
    milestone.refresh_from_db()
    assert (milestone.status, milestone.met_on, milestone.evidence) == ("met", DAY, "Received in full.")


def test_it_follows_the_payment() -> None:
    agreement = AgreementFactory(signed=True)
    payment = promised(agreement, purpose="Scholarship")
    changes = {"purpose": "Laser", "is_in_kind": True, "due_on": DAY, "party": agreement.parties.first()}
    payment = edit_payment(payment, actor=None, today=DAY, changes=changes)
    milestone = agreement.milestones.get(kind=MilestoneKind.PAYMENT)
    assert (milestone.title, milestone.due_on) == ("Contribution in kind due: Laser", DAY)
    assert milestone.party == agreement.parties.first()
    payment = edit_payment(payment, actor=None, today=DAY, changes={"due_on": None})
    assert milestones(agreement) == [("Contribution in kind due: Laser", DAY, "cancelled")]
    assert reason_of(agreement) == "The payment was deleted, or has no day any more."
    edit_payment(payment, actor=None, today=DAY, changes={"due_on": DUE})
    assert milestones(agreement) == [("Contribution in kind due: Laser", DUE, "open")]


@pytest.mark.parametrize("changes", [{"currency": "USD"}, {"is_in_kind": True}])
def test_receipts_keep_their_value(changes: dict[str, Any]) -> None:
    payment = receive(promised(AgreementFactory(signed=True)), 100)
    with pytest.raises(InvalidInput, match="Something was received already") as refused:
        edit_payment(payment, actor=None, today=DAY, changes=changes)
    assert refused.value.field == "currency"
    removed = list(payment.receipts.all())
    edit_payment(Payment.objects.get(pk=payment.pk), actor=None, today=DAY, changes=changes, removed=removed)


def test_the_same_is_not_promised_twice() -> None:
    agreement = AgreementFactory(signed=True)
    promised(agreement, purpose="Scholarship", due_on=None)
    with pytest.raises(InvalidInput, match="promised already"):
        promised(agreement, purpose="Scholarship", due_on=None)
    for other in ({"due_on": DUE}, {"amount": Decimal(5)}, {"currency": "USD"}, {"is_in_kind": True}):
        promised(agreement, purpose="Scholarship", **{"due_on": None, **other})
    assert agreement.payments.count() == 5


def test_a_signing_is_not_taken_back_once_something_was_received() -> None:
    agreement = AgreementFactory(signed=True)
    payment = receive(promised(agreement), 100)
    agreement.refresh_from_db()
    with pytest.raises(TransitionRefused, match="Something was received"):
        unsign_agreement(agreement, actor=None, on=DAY, reason="Wrong agreement")
    edit_payment(payment, actor=None, today=DAY, removed=list(payment.receipts.all()))
    agreement.refresh_from_db()
    assert unsign_agreement(agreement, actor=None, on=DAY, reason="Wrong agreement").status == "draft"


def test_its_date_is_not_moved_but_changed_with_the_payment() -> None:
    agreement = AgreementFactory(signed=True)
    promised(agreement)
    milestone = agreement.milestones.get(kind=MilestoneKind.PAYMENT)
    with pytest.raises(NotAllowed, match="Change the day of the payment"):
        move_milestone(
            milestone, actor=UserFactory(lead_in=agreement.unit), at=timezone.now(), due_on=DAY, reason="Later"
        )


def test_notice_says_nothing_of_a_deleted_payment() -> None:
    agreement = AgreementFactory(signed=True)
    payment = promised(agreement)
    agreement.terms.update(notice_given_on=DAY)
    delete_record(payment, actor=None, today=DAY, reason="Twice")
    assert reason_of(agreement) == "The payment was deleted, or has no day any more."


def test_more_than_promised_is_asked_about() -> None:
    payment = receive(promised(AgreementFactory(signed=True), amount=Decimal(100)), 60)
    with pytest.raises(InvalidInput, match=r"120\.00 CNY received of 100\.00 promised") as asked:
        receive(payment, 60)
    assert asked.value.field == "is_more_meant"
    payment = receive(payment, 60, is_more_meant=True)
    note = payment.receipts.last()
    note.note = "Voucher 7"
    edit_payment(payment, actor=None, today=DAY, parts=[note])  # makes it no more than it was
    assert Payment.objects.get().total_received == 120


def test_a_receipt_taken_back_asks_for_it_again() -> None:
    agreement = AgreementFactory(signed=True)
    payment = receive(promised(agreement, amount=Decimal(100)), 100)
    assert [status for _title, _day, status in milestones(agreement)] == ["met"]
    edit_payment(payment, actor=None, today=DAY, removed=list(payment.receipts.all()))
    assert [status for _title, _day, status in milestones(agreement)] == ["open"]


def test_a_lead_waives_it_and_nobody_marks_it_as_done() -> None:
    agreement = AgreementFactory(signed=True)
    promised(agreement)
    milestone = agreement.milestones.get(kind=MilestoneKind.PAYMENT)
    lead, coordinator = UserFactory(lead_in=agreement.unit), agreement.coordinator
    with pytest.raises(TransitionRefused, match="Record what was received"):
        meet_milestone(milestone, actor=coordinator, on=DAY, evidence="They said so")
    with pytest.raises(NotAllowed):
        waive_milestone(milestone, actor=coordinator, on=DAY, reason="They are insolvent")
    waive_milestone(milestone, actor=lead, on=DAY, reason="They are insolvent")
    payment = agreement.payments.with_state(DUE + dt.timedelta(days=1)).get()
    assert (payment.state, payment.open_amount) == ("waived", 0)


def test_a_draft_asks_for_nothing_before_it_is_signed() -> None:
    agreement = AgreementFactory(approved=True)
    PaymentFactory(agreement=agreement, purpose="Scholarship")
    assert milestones(agreement) == []
    sign_agreement(agreement, actor=None, on=DAY, today=DAY)
    assert milestones(agreement) == [("Payment due: Scholarship", DUE, "open")]


def test_nothing_is_received_of_a_draft_nor_in_the_future() -> None:
    payment = promised(AgreementFactory(ready=True))
    with pytest.raises(TransitionRefused, match="once the agreement is signed"):
        receive(payment, 1)
    payment = promised(AgreementFactory(signed=True))
    with pytest.raises(InvalidInput) as refused:
        receive(payment, 1, received_on=DAY + dt.timedelta(days=1))
    assert refused.value.field == "received_on"
    assert not Receipt.objects.exists()


def test_an_agreement_is_not_completed_while_a_payment_is_owed() -> None:
    agreement = AgreementFactory(signed=True)
    payment = promised(agreement, amount=Decimal(100))
    with pytest.raises(TransitionRefused, match=r"1 promised payment was .*waive it\.$"):
        complete_agreement(agreement, actor=None, on=DAY)
    undated = promised(agreement, amount=Decimal(100), due_on=None)
    receive(payment, 100)
    agreement.refresh_from_db()
    with pytest.raises(TransitionRefused, match=r"1 promised payment .*without a day gets a day first"):
        complete_agreement(agreement, actor=None, on=DAY)
    edit_payment(undated, actor=None, today=DAY, changes={"due_on": DUE})
    waive_milestone(agreement.milestones.get(status="open", kind="payment"), actor=None, on=DAY, reason="Insolvent")
    agreement.refresh_from_db()
    assert complete_agreement(agreement, actor=None, on=DAY).status == "completed"


def test_one_that_ends_no_longer_asks_for_it() -> None:
    agreement = AgreementFactory(signed=True)
    payment = promised(agreement)
    agreement.refresh_from_db()
    terminate_agreement(agreement, actor=None, on=DAY, reason="Insolvent")
    assert [status for _title, _day, status in milestones(agreement)] == ["cancelled"]
    payment = Payment.objects.with_state(DUE + dt.timedelta(days=1)).get()
    assert (payment.state, payment.open_amount) == ("ended", 0)
    assert receive(payment, 50_000).total_received == 50_000  # what comes late is recorded all the same


def test_who_changes_what_was_promised() -> None:
    """Before the signing coordinators do, during the review nobody, and afterwards leads and the office."""
    unit = UnitFactory()
    coordinator, lead, staff = UserFactory(coordinator_in=unit), UserFactory(lead_in=unit), UserFactory(staff=True)

    def may_change(agreement: Agreement, actor: Any) -> bool:
        payment = PaymentFactory(agreement=agreement)
        try:
            edit_payment(payment, actor=actor, today=DAY, changes={"amount": Decimal(1)})
        except NotAllowed:
            return False
        return True

    people = (coordinator, lead, staff)
    states = ("ready", "in_review", "approved", "returned", "signed", "completed", "cancelled")
    table = {
        state: [may_change(AgreementFactory(unit=unit, **{state: True}), person) for person in people]
        for state in states
    }
    assert table == {
        "ready": [True, True, True],
        "in_review": [False, False, False],
        "approved": [False, False, False],
        "returned": [True, True, True],
        "signed": [False, True, True],
        "completed": [False, True, True],
        "cancelled": [False, False, False],
    }


def test_a_coordinator_adds_payments_of_a_signed_agreement() -> None:
    unit, other = UnitFactory(), UnitFactory()
    agreement = AgreementFactory(unit=unit, signed=True, units=[other])
    payment = PaymentFactory.build(agreement=agreement, party=agreement.parties.last())
    for stranger in (UserFactory(viewer_in=unit), UserFactory(coordinator_in=other)):
        with pytest.raises(NotAllowed):
            register_payment(payment, actor=stranger, today=DAY)
    register_payment(payment, actor=UserFactory(coordinator_in=unit), today=DAY)
    assert payment.history.count() == 1


def test_a_participating_unit_records_receipts() -> None:
    own, other = UnitFactory(), UnitFactory()
    payment = promised(AgreementFactory(unit=own, signed=True, units=[other]))
    for stranger in (UserFactory(viewer_in=own), UserFactory(coordinator_in=UnitFactory())):
        with pytest.raises(NotAllowed):
            receive(payment, 100, actor=stranger)
    person = UserFactory(coordinator_in=other)
    receive(payment, 100, actor=person)
    assert Receipt.history.get().history_user == person


def test_a_participating_unit_corrects_no_receipts() -> None:
    own, other = UnitFactory(), UnitFactory()
    payment = receive(promised(AgreementFactory(unit=own, signed=True, units=[other])), 100)
    guest, coordinator = UserFactory(coordinator_in=other), UserFactory(coordinator_in=own)
    receipt = payment.receipts.get()
    receipt.amount = Decimal(60)
    with pytest.raises(NotAllowed):
        edit_payment(payment, actor=guest, today=DAY, parts=[receipt])
    with pytest.raises(NotAllowed):
        edit_payment(payment, actor=guest, today=DAY, removed=[receipt])
    payment = edit_payment(payment, actor=coordinator, today=DAY, parts=[receipt])
    edit_payment(payment, actor=coordinator, today=DAY, removed=[receipt])
    assert [row.history_type for row in Receipt.history.all()] == ["-", "~", "+"]


def test_a_party_of_another_agreement_promises_nothing_here() -> None:
    agreement, other = AgreementFactory(signed=True), AgreementFactory(signed=True)
    payment = PaymentFactory.build(agreement=agreement, party=other.parties.first())
    with pytest.raises(InvalidInput, match="belongs to another agreement") as refused:
        register_payment(payment, actor=None, today=DAY)
    assert refused.value.field == "party"


def test_whoever_edits_the_payments_of_a_draft_does_not_approve_it() -> None:
    agreement = AgreementFactory(ready=True)
    editor = UserFactory(coordinator_in=agreement.unit)
    payment = PaymentFactory.build(agreement=agreement, party=agreement.parties.last())
    register_payment(payment, actor=editor, today=DAY)
    agreement.refresh_from_db()
    submit_agreement(agreement, actor=None, on=DAY)
    assert editor.pk in people_behind_draft(Agreement.objects.get(pk=agreement.pk))


def test_a_wrong_payment_is_deleted_with_its_receipts() -> None:
    agreement = AgreementFactory(signed=True)
    payment = receive(promised(agreement), 100)
    with pytest.raises(NotAllowed):
        delete_record(payment, actor=agreement.coordinator, today=DAY, reason="Twice")
    delete_record(payment, actor=UserFactory(lead_in=agreement.unit), today=DAY, reason="Twice")
    assert not Receipt.objects.exists()
    assert [status for _title, _day, status in milestones(agreement)] == ["cancelled"]
    assert Receipt.history.first().history_change_reason == "Twice"


def test_a_draft_is_deleted_with_its_payments() -> None:
    agreement = AgreementFactory(ready=True)
    promised(agreement)
    delete_draft(agreement, actor=None, reason="Twice")
    assert not Payment.objects.exists()


def test_a_stale_page_records_nothing() -> None:
    payment = promised(AgreementFactory(signed=True))
    receive(payment, 1)
    with pytest.raises(StaleVersion):
        record_receipt(payment, actor=None, today=DAY, received_on=DAY, amount=Decimal(1))


def test_a_party_that_promises_is_not_removed() -> None:
    agreement = AgreementFactory(ready=True)
    party = promised(agreement).party
    agreement.refresh_from_db()
    with pytest.raises(DomainError, match="promised payments"):
        edit_agreement(agreement, actor=None, today=DAY, removed=[party])


@pytest.mark.both_databases
def test_sums_and_states() -> None:
    agreement = AgreementFactory(signed=True)
    tenths = promised(agreement, amount=Decimal("0.80"), purpose="tenths")
    for amount in ("0.10", "0.70"):  # less than 0.8 as floating-point numbers
        ReceiptFactory(payment=tenths, amount=Decimal(amount))
    promised(agreement, amount=Decimal(100), purpose="late", due_on=DAY - dt.timedelta(days=1))
    promised(agreement, amount=Decimal(100), purpose="undated", due_on=None)
    ReceiptFactory(payment=promised(agreement, amount=Decimal(300), currency="USD", purpose="part"))
    waived = promised(agreement, amount=Decimal(7), purpose="waived")
    Milestone.objects.filter(derived_key=waived.derived_key).update(status="waived")
    PaymentFactory(agreement=AgreementFactory(terminated=True), purpose="ended")
    PaymentFactory(agreement=AgreementFactory(ready=True), purpose="drafted")
    rows = Payment.objects.agreed()
    found = {
        state: sorted(rows.in_state(state, DAY).values_list("purpose", flat=True)) for state in Payment.State.values
    }
    assert found == {
        "open": ["late", "undated"],
        "overdue": ["late"],
        "received": ["part", "tenths"],
        "waived": ["waived"],
        "ended": ["ended"],
    }
    shown = {row.purpose: row.state for row in rows.with_state(DAY).prefetch_related("receipts")}
    assert shown == {
        "late": "overdue",
        "undated": "open",
        "part": "received",
        "tenths": "received",
        "waived": "waived",
        "ended": "ended",
    }
    promised(agreement, amount=Decimal(9), purpose="laser", is_in_kind=True)
    assert [list(row.values()) for row in sums_by_currency(agreement.payments.with_received())] == [
        ["CNY", False, Decimal("207.80"), Decimal("0.80"), Decimal(200)],
        ["CNY", True, Decimal(9), Decimal(0), Decimal(9)],
        ["USD", False, Decimal(300), Decimal(50_000), Decimal(0)],
    ]


def test_the_sweep_repairs_its_milestone(django_assert_num_queries: Any) -> None:
    for _again in range(2):
        PaymentFactory(agreement=AgreementFactory(signed=True))
    table = SWEPT_TABLES[0]
    agreements = list(table.after(0))
    assert table.out_of_step(agreements, DAY) == agreements
    for agreement in agreements:
        table.follow(agreement, actor=None, on=DAY)
    assert table.out_of_step(list(table.after(0)), DAY) == []
