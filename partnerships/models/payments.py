"""Payments that an agreement promises, in money or in kind, and what was received of each."""

import datetime as dt
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import CharField, Exists, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, Concat, Round
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.models.agreements import Agreement
from partnerships.models.base import (
    AmountColumn,
    CurrencyColumn,
    DayColumn,
    History,
    LineField,
    OfficeModel,
    SearchableModel,
    SearchEntry,
    SeededModel,
    VersionedModel,
    address_of_part,
)
from partnerships.models.milestones import Milestone
from partnerships.models.organizations import Organization
from partnerships.models.parties import AgreementParty
from partnerships.models.users import ScopedQuerySet, Unit, User
from partnerships.statuses import AgreementStatus, MilestoneStatus

KEY = "payment:"
# Agreements under which something is still expected.
EXPECTING = (AgreementStatus.SIGNED, AgreementStatus.SUSPENDED)
NOTHING = Decimal(0)


class PaymentQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        """Return the condition for payments of agreements that the user sees."""
        agreements = Agreement.objects.filter(Agreement.objects.in_scope(user))
        return Q(agreement__in=agreements.order_by().values("pk"))

    def search(self, text: str) -> Self:
        """Return payments with these words in their purpose or in the name of the party that promises them."""
        own = SearchEntry.objects.matching(Payment, text)
        parties = AgreementParty.objects.filter(organization__in=SearchEntry.objects.matching(Organization, text))
        return self.filter(Q(pk__in=own) | Q(party__in=parties.values("pk")))

    def of_organizations(self, ids: Collection[int]) -> Self:
        """Return what these organizations promise."""
        return self.filter(party__organization__in=ids)

    def agreed(self) -> Self:
        """Leave out what drafts promise: nobody has signed it."""
        return self.filter(agreement__signed_on__isnull=False)

    def with_received(self) -> Self:
        """Add ``received``, the sum of the receipts, and ``is_waived``: a lead waived its milestone."""
        receipts = Receipt.objects.filter(payment=OuterRef("pk")).order_by().values("payment")
        # SQLite adds decimals as floating-point numbers: 0.1 + 0.7 would be less than 0.8 without rounding.
        total = receipts.annotate(total=Round(Sum("amount"), precision=2)).values("total")
        key = Concat(Value(KEY), Cast(OuterRef("pk"), CharField()))
        milestones = Milestone.objects.filter(agreement=OuterRef("agreement"), derived_key=key)
        column = models.DecimalField(max_digits=16, decimal_places=2)
        return self.annotate(
            received=Coalesce(Subquery(total, output_field=column), Value(NOTHING), output_field=column),
            is_waived=Exists(milestones.filter(status=MilestoneStatus.WAIVED)),
        )

    def with_state(self, today: dt.date) -> Self:
        """Add what ``Payment.state`` reads: whether it was waived, and whether its day has passed."""
        return self.with_received().annotate(is_late=Q(due_on__isnull=False, due_on__lt=today))

    def outstanding(self) -> Self:
        """Return what was neither received in full nor waived."""
        return self.with_received().filter(received__lt=models.F("amount"), is_waived=False)

    def in_state(self, state: str, today: dt.date) -> Self:
        """Return the payments in a ``Payment.State``; what is overdue is open as well."""
        if state == Payment.State.RECEIVED:
            return self.with_received().filter(received__gte=models.F("amount"))
        if state == Payment.State.WAIVED:
            return self.with_received().filter(received__lt=models.F("amount"), is_waived=True)
        if state == Payment.State.ENDED:
            return self.outstanding().exclude(agreement__status__in=EXPECTING)
        rows = self.outstanding().filter(agreement__status__in=EXPECTING)
        return rows.filter(due_on__lt=today) if state == Payment.State.OVERDUE else rows


class Payment(SeededModel, SearchableModel, VersionedModel):
    """A promise of a party of an agreement: so much money, or something of that value, for a purpose by a day.

    Each instalment is a payment of its own. A lead waives one by waiving its milestone.
    """

    class State(models.TextChoices):
        """The state that follows from its dates, receipts and milestone; no step changes it."""

        OPEN = "open", pgettext_lazy("of a payment", "Open")
        OVERDUE = "overdue", _("Overdue")
        RECEIVED = "received", pgettext_lazy("of a payment", "Received")
        WAIVED = "waived", _("Waived")
        ENDED = "ended", _("Agreement ended")

    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="payments", verbose_name=_("agreement"))
    party = models.ForeignKey(
        AgreementParty,
        models.PROTECT,
        related_name="payments",
        verbose_name=_("promised by"),
    )
    purpose = LineField(_("purpose"), max_length=150)
    due_on = DayColumn(
        _("due on"), null=True, blank=True, help_text=_("With a day, the coordinator is reminded of the payment.")
    )
    amount = AmountColumn(_("amount"), max_digits=14, decimal_places=2)
    currency = CurrencyColumn(_("currency"))
    is_in_kind = models.BooleanField(
        _("in kind"), default=False, help_text=_("Equipment, software licenses or services; the amount is their value.")
    )

    # Set by ``with_received`` and ``with_state``.
    is_waived = False
    is_late = False

    objects = PaymentQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("promised payment")
        verbose_name_plural = _("promised payments")
        ordering = ["due_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0),
                name="payment_amount_positive",
                violation_error_code="amount",
                violation_error_message=_("The amount has to be more than zero."),
            ),
        ]
        indexes = [models.Index(fields=["due_on", "id"], name="payment_by_due")]

    def __str__(self) -> str:
        return self.purpose

    def clean(self) -> None:
        if self.party_id and self.party.agreement_id != self.agreement_id:
            raise ValidationError({"party": _("This party belongs to another agreement.")})

    def get_absolute_url(self) -> str:
        return address_of_part(self.agreement, "payments")

    def search_words(self) -> list[str]:
        return [self.purpose]

    @property
    def unit(self) -> Unit:
        return self.agreement.unit

    @property
    def unit_id(self) -> int:
        return self.agreement.unit_id

    @property
    def derived_key(self) -> str:
        """Return the key of its milestone on the agreement."""
        return f"{KEY}{self.pk}"

    @property
    def total_received(self) -> Decimal:
        """Return the sum of the receipts; without a query if they are prefetched."""
        return sum((receipt.amount for receipt in self.receipts.all()), NOTHING)

    @property
    def is_received(self) -> bool:
        return self.total_received >= self.amount

    @property
    def is_expected(self) -> bool:
        """Whether something of it is still expected; read it of rows ``with_received``."""
        return self.agreement.status in EXPECTING and not self.is_received and not self.is_waived

    @property
    def open_amount(self) -> Decimal:
        return self.amount - self.total_received if self.is_expected else NOTHING

    @property
    def state(self) -> State:
        """Return what became of it; read it of rows ``with_state``."""
        if self.is_received:
            return self.State.RECEIVED
        if self.is_waived:
            return self.State.WAIVED
        if not self.is_expected:
            return self.State.ENDED
        return self.State.OVERDUE if self.is_late else self.State.OPEN


class Receipt(OfficeModel):
    """A part of a payment that was received on a day, in the currency of the payment."""

    payment = models.ForeignKey(Payment, models.CASCADE, related_name="receipts", verbose_name=_("promised payment"))
    received_on = DayColumn(_("received on"))
    amount = AmountColumn(_("amount received"), max_digits=14, decimal_places=2)
    note = LineField(_("note"), max_length=200, blank=True, help_text=_("For example the number of the voucher."))

    history = History()

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        ordering = ["received_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0),
                name="receipt_amount_positive",
                violation_error_code="amount",
                violation_error_message=_("The amount has to be more than zero."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.received_on}: {self.amount}"


def payment_of(milestone: Milestone) -> int | None:
    """Return the id of the payment that a milestone is about; None for other milestones."""
    key = milestone.derived_key
    return int(key.removeprefix(KEY)) if key.startswith(KEY) else None


def sums_by_currency(payments: Iterable[Payment]) -> list[dict[str, object]]:
    """Return what was promised, received and is open of ``payments``: a row for each currency, and one for what is in kind."""
    sums: dict[tuple[str, bool], dict[str, Decimal]] = {}
    for payment in payments:
        key = payment.currency, payment.is_in_kind
        row = sums.setdefault(key, dict.fromkeys(("promised", "received", "open"), NOTHING))
        row["promised"] += payment.amount
        row["received"] += payment.total_received
        row["open"] += payment.open_amount
    rows = sorted(sums.items())
    return [{"currency": currency, "is_in_kind": is_in_kind, **row} for (currency, is_in_kind), row in rows]
