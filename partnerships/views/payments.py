"""Promised payments: added to an agreement, edited, and what was received of them recorded."""

import datetime as dt

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partnerships.forms.office_day import office_today
from partnerships.forms.payments import NewPaymentForm, PaymentForm, RecordReceiptForm
from partnerships.models import Agreement, Payment, User
from partnerships.models.payments import PaymentQuerySet, sums_by_currency
from partnerships.permissions import may
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.edits import edit_page
from partnerships.views.steps import form_page, impossible


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def payment_add(request: UserRequest, pk: int) -> HttpResponse:
    """``pk`` is that of the agreement."""
    agreement = visible_or_404(Agreement.objects.select_related("unit"), request, pk)
    payment = Payment(agreement=agreement)
    require_or_403(request.user, "payment.edit", payment)
    form = NewPaymentForm(request.POST or None, instance=payment, user=request.user, today=office_today(agreement))
    title, back = _("Add a promised payment"), payment.get_absolute_url()
    return edit_page(request, agreement, form, title=title, template="payments/form", back=back)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def payment_edit(request: UserRequest, pk: int) -> HttpResponse:
    payment = visible_or_404(_with_agreement(), request, pk)
    require_or_403(request.user, "payment.receive", payment)
    form = PaymentForm(request.POST or None, instance=payment, user=request.user, today=office_today(payment))
    return edit_page(request, payment, form, title=_("Edit the promised payment"), template="payments/form")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def payment_receive(request: UserRequest, pk: int) -> HttpResponse:
    payment = visible_or_404(_with_agreement(), request, pk)
    require_or_403(request.user, "payment.receive", payment)
    title = _("Record what was received")
    if request.method != "POST" and payment.agreement.signed_on is None:
        return impossible(request, payment.agreement, title)
    form = RecordReceiptForm(request.POST or None, row=payment, today=office_today(payment))
    template = "partnerships/payments/receive.html"
    return form_page(request, payment, form, title=title, done=_("Recorded."), template=template)


def payments_of(agreement: Agreement, user: User, today: dt.date) -> dict[str, object]:
    """Return the payments that an agreement promises, by party, with sums for each currency."""
    rows = agreement.payments.with_state(today).select_related("agreement", "party__organization")
    payments = list(rows.prefetch_related("receipts").order_by("party", "due_on", "pk"))
    promise = Payment(agreement=agreement)
    return {
        "rows": payments,
        "sums": sums_by_currency(payments),
        "may_add": may(user, "payment.edit", promise),
        "may_receive": may(user, "payment.receive", promise),
    }


def _with_agreement() -> PaymentQuerySet:
    return Payment.objects.select_related("agreement__unit", "party__organization").prefetch_related("receipts")
