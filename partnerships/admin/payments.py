"""Promised payments and their receipts. They are added on the page of the agreement."""

from typing import Any

from django.contrib import admin
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.base import FieldNames, OfficeAdmin, PartInline, WordSearchMixin
from partnerships.admin.versions import RootForm
from partnerships.forms.payments import more_field
from partnerships.models import AgreementParty, Payment, Receipt
from partnerships.permissions import may
from partnerships.requests import user_of
from partnerships.workflows.payments import edit_payment

PROMISE = ("party", "purpose", "amount", "currency", "is_in_kind", "due_on")


class PaymentRootForm(RootForm):
    """A payment, of which more may be received than promised."""

    is_more_meant = more_field()

    def arguments(self) -> dict[str, object]:
        return {**super().arguments(), "is_more_meant": self.cleaned_data["is_more_meant"]}


class ReceiptInline(PartInline):
    model = Receipt
    fields = ("received_on", "amount", "note")

    def may_correct(self, request: HttpRequest, payment: Model | None) -> bool:
        return may(user_of(request), "payment.correct_receipt", payment)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and self.may_correct(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self.may_correct(request, obj)


@admin.register(Payment)
class PaymentAdmin(WordSearchMixin, OfficeAdmin):
    view_action, change_action = "payment.view", "payment.receive"
    edit_verb = staticmethod(edit_payment)
    form = PaymentRootForm
    list_display = ("purpose", "agreement", "payer", "due_on", "amount", "currency", "is_in_kind")
    list_filter = ("due_on", "is_in_kind")
    search_fields = ("purpose",)
    search_help_text = _("Purpose or party, in Chinese or English")
    ordering = ("-due_on", "-pk")
    fields = ("agreement", "party", "purpose", ("amount", "currency"), "is_in_kind", "due_on")
    inlines = (ReceiptInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("agreement__unit", "party__organization")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        request.__dict__["_payment"] = obj
        return super().get_form(request, obj, change, **kwargs)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: object
    ) -> ModelChoiceField | None:
        """Offer the parties of the agreement alone."""
        payment = request.__dict__.get("_payment")
        if db_field.name == "party" and payment is not None:
            parties = AgreementParty.objects.filter(agreement=payment.agreement_id)
            kwargs["queryset"] = parties.select_related("organization")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> FieldNames:
        return ("agreement",) if self.allows(request, "payment.edit", obj) else ("agreement", *PROMISE)

    @display(description=_("promised by"))
    def payer(self, payment: Payment) -> str:
        return str(payment.party.organization)
