"""Forms that promise payments and record what was received of them."""

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from partnerships.dates import add_months
from partnerships.forms.choices import offer_rows
from partnerships.forms.lines import FormWithLines, LineForm, line_formset, with_more_lines
from partnerships.forms.steps import VerbForm
from partnerships.inputs import AmountField, DayField, DayInput, WholeNumberField
from partnerships.models import Payment, Receipt, User
from partnerships.permissions import may
from partnerships.workflows import payments

RECEIPTS = "receipts"
MOST_INSTALMENTS = 60
MONTHS_OF_A_YEAR = 12


def more_field() -> forms.BooleanField:
    return forms.BooleanField(label=_("More was received than promised"), required=False)


class ReceiptForm(LineForm):
    """One receipt of a payment."""

    class Meta:
        model = Receipt
        fields = ["received_on", "amount", "note"]
        widgets = {"received_on": DayInput}


class PaymentForm(FormWithLines):
    """Edits a promised payment with its receipts.

    A person who may not change the promise edits the receipts alone; one who may not correct those adds more of them.
    """

    is_more_meant = more_field()
    # Whether the page shows the receipts on record beside the lines, which then add new ones alone.
    shows_receipts = False

    class Meta:
        model = Payment
        fields = ["party", "purpose", "amount", "currency", "is_in_kind", "due_on"]
        widgets = {"due_on": DayInput}

    def __init__(self, data: QueryDict | None = None, *, user: User, today: dt.date, **kwargs: Any) -> None:
        data = with_more_lines(data)
        super().__init__(data, **kwargs)
        self.today = today
        agreement = self.instance.agreement
        still_there = Q(withdrew_on__isnull=True) | Q(pk=self.instance.party_id)
        offer_rows(self, "party", agreement.parties.filter(still_there).select_related("organization"))
        if not may(user, "payment.edit", self.instance):
            for name in self.Meta.fields:
                del self.fields[name]
        if self.instance.pk and agreement.signed_on:
            self.shows_receipts = not may(user, "payment.correct_receipt", self.instance)
            rows = Receipt.objects.none() if self.shows_receipts else None
            lines = line_formset(Payment, Receipt, ReceiptForm, extra=0)
            self.formsets = (lines(data, instance=self.instance, prefix=RECEIPTS, queryset=rows),)

    @property
    def receipts(self) -> Any:
        return self.formsets[0] if self.formsets else None

    @property
    def asks_about_more(self) -> bool:
        """Whether the page shows the box that confirms a receipt: it was asked about, or is ticked already."""
        return bool(self["is_more_meant"].errors or self["is_more_meant"].value())

    def keep(self, actor: User, **about: object) -> Payment:
        changes = {name: self.cleaned_data[name] for name in self.changed_data if name in self.Meta.fields}
        return payments.edit_payment(
            self.instance,
            actor=actor,
            today=self.today,
            changes=changes,
            parts=self.parts,
            removed=self.removed,
            is_more_meant=self.cleaned_data["is_more_meant"],
        )


class NewPaymentForm(PaymentForm):
    """Registers a promised payment, or one for each instalment."""

    is_more_meant = None  # type: ignore[assignment]  # nothing is received yet
    instalments = WholeNumberField(
        label=_("Instalments"),
        required=False,
        min_value=1,
        max_value=MOST_INSTALMENTS,
        initial=1,
        help_text=_("3 for the same amount three times: each is due and recorded by itself."),
    )
    every_months = WholeNumberField(
        label=_("Every (months)"), required=False, min_value=1, max_value=120, initial=MONTHS_OF_A_YEAR
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        values["instalments"] = values.get("instalments") or 1
        values["every_months"] = values.get("every_months") or MONTHS_OF_A_YEAR
        if values["instalments"] > 1 and not values.get("due_on") and "due_on" not in self.errors:
            self.add_error("due_on", _("Give the day on which the first instalment is due."))
        return values

    def keep(self, actor: User, **about: object) -> Payment:
        values = self.cleaned_data
        promised = {name: values[name] for name in self.Meta.fields}
        for number in range(values["instalments"]):
            due_on = promised["due_on"] and add_months(promised["due_on"], number * values["every_months"])
            payment = Payment(agreement=self.instance.agreement, **{**promised, "due_on": due_on})
            saved = payments.register_payment(payment, actor=actor, today=self.today)
        return saved


class RecordReceiptForm(VerbForm):
    """Records what was received of a payment; offers what is still open."""

    received_on = DayField(label=_("Received on"), widget=DayInput)
    amount = AmountField(label=_("Amount received"), min_value=0, max_digits=14, decimal_places=2)
    note = forms.CharField(
        label=_("Note"), max_length=200, required=False, help_text=_("For example the number of the voucher.")
    )
    is_more_meant = more_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["received_on"].initial = self.today
        self.fields["amount"].initial = self.row.amount - self.row.total_received if not self.row.is_received else None
        self.fields["amount"].help_text = _("In %(currency)s.") % {"currency": self.row.currency}

    def visible_fields(self) -> list[forms.BoundField]:
        """Leave out the box that confirms the amount, unless it was asked about or is ticked already."""
        fields = super().visible_fields()
        return [field for field in fields if field.name != "is_more_meant" or field.errors or field.value()]

    def call(self, actor: User, values: dict[str, Any]) -> Payment:
        return payments.record_receipt(self.row, actor=actor, today=self.today, **values)
