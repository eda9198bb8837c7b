import datetime as dt
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.filtersets import MailFilterSet
from partnerships.lists.base import Column, RowList
from partnerships.models import Delivery, Milestone, ReminderItem


class MailRows(RowList):
    key = "mail_list"
    model = Delivery
    filterset_class = MailFilterSet
    default_sort = "-pk"
    columns = (
        Column("mail", _("Mail"), str, "pk"),
        Column(
            "reader", pgettext_lazy("reminder rule", "To"), lambda row: row.reader, "person__name", is_personal=True
        ),
        Column("status", _("Status"), lambda row: row.get_status_display(), "status"),
        Column("reason", _("Reason"), lambda row: row.reason_words),
        Column("about", _("About"), lambda row: "; ".join(dict.fromkeys(map(str, spoken_of(row))))),
        Column("made", pgettext_lazy("of a mail", "Made"), lambda row: _local(row.queued_at), "queued_at"),
        Column("sent", pgettext_lazy("of a mail", "Sent"), lambda row: _local(row.sent_at), "sent_at"),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        return rows.select_related("person", "contact").prefetch_related(items_seen_by(self.user))


def items_seen_by(user: Any) -> Prefetch:
    """Of a digest that speaks of several units, what a person sees: as ``seen_items``."""
    seen = Milestone.objects.visible_to(user).order_by().values("pk")
    items = ReminderItem.objects.filter(plan__milestone__in=seen).order_by("pk")
    return Prefetch("items", items.select_related("plan__milestone__agreement", "plan__rule"), "seen_items")


def spoken_of(delivery: Any) -> list[Milestone]:
    return [item.plan.milestone for item in delivery.seen_items]


def _local(moment: dt.datetime | None) -> dt.datetime | None:
    """As spreadsheets take it: the clock on the wall, without a zone."""
    return None if moment is None else timezone.localtime(moment).replace(microsecond=0, tzinfo=None)
