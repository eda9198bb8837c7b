"""Promised payments of an agreement, and what was received of them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from django.db import models, transaction
from django.utils.translation import gettext as _

from partnerships.exceptions import TransitionRefused
from partnerships.models import Agreement, Payment, Receipt, User
from partnerships.permissions import require
from partnerships.workflows.derivation import derive_milestones
from partnerships.workflows.edits import Aggregate, changed_columns, check_not_in_future, concerning
from partnerships.workflows.transitions import lock

PAYMENT = Aggregate(
    Payment,
    "payment.edit",
    # Whoever follows up the agreement records receipts; ``edit_payment`` asks for more when the promise changes.
    "payment.receive",
    parts=(Receipt,),
    fixed=frozenset({"agreement"}),
)


def register_payment(
    payment: Payment, *, actor: User | None, today: dt.date, parts: Sequence[models.Model] = ()
) -> Payment:
    """Register a payment that a party promises; with a day, its milestone appears once the agreement is signed."""
    with transaction.atomic():
        payment.agreement = lock(payment.agreement)
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
) -> Payment:
    """Change a payment and its receipts as one version; its milestone follows.

    Its milestone is met once it was received in full, and open again when that is corrected.
    """
    with transaction.atomic():
        before, after = PAYMENT.begin(payment, changes, actor=actor)
        # Locked after the payment, and before asking whether the promise may change: it may be submitted just now.
        before.agreement = after.agreement = lock(before.agreement)
        if changed_columns(before, after):
            require(actor, "payment.edit", before)
        _check_receipts(after.agreement, parts, today=today)
        if PAYMENT.finish(before, after, parts, removed, actor=actor):
            derive_milestones(after.agreement, actor=actor, on=today)
    return after


def record_receipt(
    payment: Payment, *, actor: User | None, today: dt.date, received_on: dt.date, amount: Decimal, note: str = ""
) -> Payment:
    """Record what was received on a day, in the currency of the payment."""
    receipt = Receipt(received_on=received_on, amount=amount, note=note)
    return edit_payment(payment, actor=actor, today=today, parts=[receipt])


def _check_receipts(agreement: Agreement, parts: Sequence[models.Model], *, today: dt.date) -> None:
    """Raise for receipts in the future, or of an agreement that was not signed."""
    for part in parts:
        if isinstance(part, Receipt):
            with concerning(part):
                if agreement.signed_on is None:
                    raise TransitionRefused(_("Receipts are recorded once the agreement is signed."))
                if part.received_on:
                    check_not_in_future(part.received_on, today=today, field="received_on")
