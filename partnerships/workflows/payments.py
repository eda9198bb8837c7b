"""Promised payments of an agreement, and what was received of them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from django.db import models, transaction
from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput, TransitionRefused
from partnerships.models import Agreement, Payment, Receipt, User
from partnerships.permissions import require
from partnerships.workflows.derivation import derive_milestones
from partnerships.workflows.edits import Aggregate, changed_columns, changed_parts, check_not_in_future, concerning
from partnerships.workflows.transitions import check_input, lock

PAYMENT = Aggregate(
    Payment,
    "payment.edit",
    # Recording a receipt is part of following up; ``edit_payment`` asks for more when the promise or a receipt changes.
    "payment.receive",
    parts=(Receipt,),
    fixed=frozenset({"agreement"}),
)


def register_payment(
    payment: Payment, *, actor: User | None, today: dt.date, parts: Sequence[models.Model] = ()
) -> Payment:
    """Register a payment that a party promises; with a day, its milestone appears once the agreement is signed.

    Raises ``InvalidInput`` when the same is promised already: a second click sends it again.
    """
    with transaction.atomic():
        payment.agreement = lock(payment.agreement)
        _refuse_twice(payment)
        _check_receipts(payment.agreement, parts, today=today)
        PAYMENT.register(payment, parts, actor=actor)
        derive_milestones(payment.agreement, actor=actor, on=today)
    return payment


def edit_payment(
    payment: Payment,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
    is_more_meant: bool = False,
) -> Payment:
    """Change a payment and its receipts as one version; its milestone follows.

    Its milestone is met once it was received in full, and open again when that is corrected. A receipt by which more was
    received than promised is asked about, unless ``is_more_meant``: there may be a digit too many.
    """
    with transaction.atomic():
        before, after = PAYMENT.begin(payment, changes, actor=actor)
        # Locked after the payment, and before asking whether the promise may change: it may be submitted just now.
        before.agreement = after.agreement = lock(before.agreement)
        changed = changed_columns(before, after)
        if changed:
            require(actor, "payment.edit", before)
        if removed or any(not part._state.adding for part in changed_parts(before, parts)):
            require(actor, "payment.correct_receipt", before)
        # The receipts are in the currency and of the kind of the payment, so they would change their value.
        kept = before.receipts.exclude(pk__in=[part.pk for part in removed])
        if changed & {"currency", "is_in_kind"} and kept.exists():
            words = _("Something was received already: the currency stays, and whether it is in kind.")
            raise InvalidInput(words, field="currency")
        _check_receipts(after.agreement, parts, today=today)
        received = before.total_received
        if PAYMENT.finish(before, after, parts, removed, actor=actor):
            if not is_more_meant and after.total_received > received:
                _ask_about_more(after)
            derive_milestones(after.agreement, actor=actor, on=today)
    return after


def record_receipt(
    payment: Payment,
    *,
    actor: User | None,
    today: dt.date,
    received_on: dt.date,
    amount: Decimal,
    note: str = "",
    is_more_meant: bool = False,
) -> Payment:
    """Record what was received on a day, in the currency of the payment."""
    receipt = Receipt(received_on=received_on, amount=amount, note=note)
    return edit_payment(payment, actor=actor, today=today, parts=[receipt], is_more_meant=is_more_meant)


def _ask_about_more(payment: Payment) -> None:
    """Raise ``InvalidInput`` if more was received than promised."""
    if payment.total_received > payment.amount:
        words = _("This makes %(received)s %(currency)s received of %(promised)s promised. Is the amount right?")
        sums = {"received": f"{payment.total_received:,.2f}", "promised": f"{payment.amount:,.2f}"}
        raise InvalidInput(words % {**sums, "currency": payment.currency}, field="is_more_meant")


def _refuse_twice(payment: Payment) -> None:
    check_input(payment)
    same = ("agreement", "party", "purpose", "due_on", "amount", "currency", "is_in_kind")
    if Payment.objects.filter(**{name: getattr(payment, name) for name in same}).exists():
        raise InvalidInput(_("This payment is promised already."), field="purpose")


def _check_receipts(agreement: Agreement, parts: Sequence[models.Model], *, today: dt.date) -> None:
    """Raise for receipts in the future, or of an agreement that was not signed."""
    for part in parts:
        if isinstance(part, Receipt):
            with concerning(part):
                if agreement.signed_on is None:
                    raise TransitionRefused(_("Receipts are recorded once the agreement is signed."))
                if part.received_on:
                    check_not_in_future(part.received_on, today=today, field="received_on")
