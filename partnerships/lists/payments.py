import datetime as dt
from collections.abc import Iterable

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.inputs import currency_choices
from partnerships.lists import cells
from partnerships.lists.base import Column, Preset, RecordList
from partnerships.lists.filter_fields import DayFilter, SwitchFilter, linked_filter
from partnerships.lists.filters import ListFilterSet, unit_filter
from partnerships.models import Agreement, Organization, Payment, Receipt, Unit
from partnerships.models.payments import PaymentQuerySet
from partnerships.models.users import read_tree


class PaymentFilterSet(ListFilterSet[PaymentQuerySet]):
    FRONT = ("state", "party", "unit", "currency")

    state = django_filters.ChoiceFilter(label=_("Status"), choices=Payment.State.choices, method="filter_state")
    party = django_filters.CharFilter(
        label=_("Partner"), field_name="party__organization", method="filter_party", max_length=200
    )
    unit = unit_filter()
    currency = django_filters.ChoiceFilter(label=_("Currency"), choices=currency_choices)
    due_from = DayFilter(label=_("Due from"), field_name="due_on", lookup_expr="gte")
    due_until = DayFilter(label=_("Due until"), field_name="due_on", lookup_expr="lte")
    in_kind = SwitchFilter(label=_("In kind"), method="filter_in_kind")
    agreement = linked_filter(_("Agreement"), Agreement, field_name="agreement")
    organization = linked_filter(_("Promised by (incl. its parts)"), Organization, method="filter_organization")

    def filter_unit(self, queryset: PaymentQuerySet, name: str, value: Unit) -> PaymentQuerySet:
        return queryset.filter(agreement__unit__in=read_tree(Unit).with_descendants([value.pk]))

    def filter_state(self, queryset: PaymentQuerySet, name: str, value: str) -> PaymentQuerySet:
        return queryset.in_state(value, self.today)

    def filter_in_kind(self, queryset: PaymentQuerySet, name: str, value: str) -> PaymentQuerySet:
        return queryset.filter(is_in_kind=True)


RECEIPTS = Prefetch("receipts", Receipt.objects.order_by("received_on", "pk"))
TONES = {
    Payment.State.OVERDUE: "danger",
    Payment.State.OPEN: "info",
    Payment.State.RECEIVED: "success",
    Payment.State.WAIVED: "neutral",
    Payment.State.ENDED: "neutral",
}


def payment_state(row: Payment) -> SafeString:
    """Return the badge of what became of a payment."""
    return format_html('<span class="status tone-{}">{}</span>', TONES[row.state], row.state.label)


def _state(row: Payment, today: dt.date) -> SafeString:
    return payment_state(row)


def _how_far(row: Payment, today: dt.date) -> str:
    return cells.due(row.due_on, today) if row.due_on and row.is_expected else ""


class PaymentList(RecordList[Payment]):
    key = "payment_list"
    title = _("Promised payments")
    caption = _("Promised payments you can access")
    intro = _("What parties of signed agreements promised to pay or to give in kind, and what was received of it.")
    model = Payment
    filterset_class = PaymentFilterSet
    default_sort = "-due_on"
    presets = (
        Preset(_("Most recent")),
        Preset(_("Overdue"), "state=overdue&sort=due_on"),
        Preset(pgettext_lazy("of payments", "Outstanding, due soonest"), "state=open&sort=due_on"),
        Preset(pgettext_lazy("of a payment", "Received"), "state=received"),
        Preset(_("In kind"), "in_kind=yes"),
    )
    columns = (
        Column(
            "party",
            _("Promised by"),
            lambda row: row.party.organization,
            "party__organization__name",
            width="name",
            is_bold=True,
            phone="name",
            select=("party__organization",),
        ),
        Column("purpose", _("Purpose"), str, "purpose", width="title", is_row_title=True, is_fixed=True, phone="title"),
        Column("due", _("Due"), lambda row: row.due_on, "due_on", width="day", phone="end"),
        Column(
            "how_far",
            _("Days left"),
            lambda row: (row.due_on - timezone.localdate()).days if row.due_on and row.is_expected else None,
            cell=_how_far,
            width="due",
            phone="due",
        ),
        Column("state", _("Status"), lambda row: row.state.label, cell=_state, width="due", phone="status"),
        Column(
            "amount",
            _("Promised"),
            lambda row: row.amount,
            "amount",
            cell=lambda row, today: cells.grouped(row.amount, 2),
            width="day",
        ),
        Column(
            "received",
            pgettext_lazy("of a payment", "Received"),
            lambda row: row.total_received,
            "received",
            cell=lambda row, today: cells.grouped(row.total_received, 2),
            width="day",
            from_width=1400,
        ),
        Column(
            "open",
            pgettext_lazy("of a payment", "Open"),
            lambda row: row.open_amount,
            cell=lambda row, today: cells.grouped(row.open_amount, 2),
            width="day",
            from_width=1024,
        ),
        Column("currency", _("Currency"), lambda row: row.currency, "currency", width="num"),
        Column(
            "agreement",
            _("Agreement"),
            lambda row: row.agreement,
            "agreement__title",
            width="name",
            is_shown_at_first=False,
        ),
        Column("in_kind", _("In kind"), lambda row: row.is_in_kind, "is_in_kind", width="num", is_shown_at_first=False),
        Column(
            "unit",
            _("Unit"),
            lambda row: row.agreement.unit,
            "agreement__unit__name",
            is_shown_at_first=False,
            select=("agreement__unit",),
        ),
    )

    def all_rows(self) -> QuerySet:
        return Payment.objects.visible_to(self.user).agreed()

    def for_sorting(self, rows: PaymentQuerySet) -> QuerySet:
        return rows.with_received()

    def for_showing(self, rows: PaymentQuerySet, columns: Iterable[Column[Payment]]) -> QuerySet:
        # The state of a payment, which several columns show, reads its agreement and its receipts.
        related = rows.with_state(self.today).select_related("agreement").prefetch_related(RECEIPTS)
        return super().for_showing(related, columns)
