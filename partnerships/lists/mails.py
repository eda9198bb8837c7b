import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import django_filters
from django.db.models import Prefetch, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from partnerships.lists import cells
from partnerships.lists.base import Column, PageLink, Preset, RecordList
from partnerships.lists.filter_fields import DayFilter, PersonFilter, SwitchFilter, linked_filter, people_of
from partnerships.lists.filters import ListFilterSet, unit_filter
from partnerships.models import (
    Agreement,
    Contact,
    Delivery,
    Milestone,
    MilestoneKind,
    ReminderItem,
    Unit,
    User,
    hide_unseen,
)
from partnerships.models.deliveries import NOT_THROUGH, DeliveryQuerySet
from partnerships.models.users import read_tree
from partnerships.operations.pipeline_state import day_bounds
from partnerships.permissions import may, releasable_by
from partnerships.statuses import DeliveryStatus


class MailFilterSet(ListFilterSet[DeliveryQuerySet]):
    """Filters of the log of mails. They search visible milestones only: a digest must not reveal the others in it."""

    FRONT = ("status", "person", "made_from", "made_until")

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("waiting", _("Needs action")), *DeliveryStatus.choices],
        method="filter_status",
    )
    person = PersonFilter(label=pgettext_lazy("reminder rule", "To"), field_name="person")
    made_from = DayFilter(label=_("Created from"), method="filter_made_from")
    made_until = DayFilter(label=_("Created until"), method="filter_made_until")
    unit = unit_filter()
    party = django_filters.CharFilter(label=_("Agreement or partner"), method="filter_party", max_length=200)
    kind = django_filters.ChoiceFilter(
        label=_("Kind of milestone"), choices=MilestoneKind.choices, method="filter_kind"
    )
    mine = SwitchFilter(label=_("To me"), method="filter_mine")
    looked_after = SwitchFilter(label=_("About my items"), method="filter_looked_after")
    agreement = linked_filter(_("Agreement"), Agreement, method="filter_agreement")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        people = people_of(Delivery.objects.visible_to(self.user), "person")
        return {**super().choices_in_scope(), "person": people}

    def filter_words(self, queryset: DeliveryQuerySet, name: str, value: str) -> DeliveryQuerySet:
        """Find mails by the names of the reader, the milestones, and their agreements and partners.

        Who sees all units also finds them by subject, address and Message-ID; for others these could name milestones or
        addresses they may not see.
        """
        people, contacts = User.objects.filter(name__icontains=value), Contact.objects.filter(name__icontains=value)
        about = Delivery.objects.about(self._milestones().search(value, reader=self.user)).order_by()
        read_by = Q(person__in=people.values("pk")) | Q(contact__in=contacts.values("pk"))
        found = read_by | Q(pk__in=about.values("pk"))
        if self.user.sees_all_units:
            found |= Q(subject__icontains=value) | Q(address__icontains=value) | Q(message_id__icontains=value)
        return queryset.filter(found)

    def filter_status(self, queryset: DeliveryQuerySet, name: str, value: str) -> DeliveryQuerySet:
        return queryset.needing_attention() if value == "waiting" else queryset.filter(status=value)

    def filter_made_from(self, queryset: DeliveryQuerySet, name: str, value: dt.date) -> DeliveryQuerySet:
        return queryset.filter(queued_at__gte=day_bounds(value, timezone.get_current_timezone())[0])

    def filter_made_until(self, queryset: DeliveryQuerySet, name: str, value: dt.date) -> DeliveryQuerySet:
        return queryset.filter(queued_at__lt=day_bounds(value, timezone.get_current_timezone())[1])

    def filter_unit(self, queryset: DeliveryQuerySet, name: str, value: Unit) -> DeliveryQuerySet:
        units = read_tree(Unit).with_descendants([value.pk])
        return queryset.about(self._milestones().filter(unit__in=units))

    def filter_party(self, queryset: DeliveryQuerySet, name: str, value: str) -> DeliveryQuerySet:
        found = Agreement.objects.visible_to(self.user).search(value)
        return queryset.about(self._milestones().filter(agreement__in=found.order_by().values("pk")))

    def filter_kind(self, queryset: DeliveryQuerySet, name: str, value: str) -> DeliveryQuerySet:
        return queryset.about(self._milestones().filter(kind=value))

    def filter_agreement(self, queryset: DeliveryQuerySet, name: str, value: Agreement) -> DeliveryQuerySet:
        return queryset.about(self._milestones().filter(agreement=value))

    def filter_mine(self, queryset: DeliveryQuerySet, name: str, value: str) -> DeliveryQuerySet:
        return queryset.filter(person=self.user)

    def filter_looked_after(self, queryset: DeliveryQuerySet, name: str, value: str) -> DeliveryQuerySet:
        return queryset.tended_by(self.user)

    def _milestones(self) -> Any:
        return Milestone.objects.visible_to(self.user)


REASON_SHOWN = 160
MILESTONES_SHOWN = 2
# The list names at most so many reminders of a mail that may not have arrived.
MISSING_SHOWN = 100

# Prefetched by ``items_seen_by``.
_seen_items: Callable[[Delivery], list[ReminderItem]] = attrgetter("seen_items")


def milestones_in(mail: Delivery) -> list[Milestone]:
    """Return the milestones a mail mentions, as far as its reader may see them."""
    return [item.plan.milestone for item in _seen_items(mail)]


def _about(row: Delivery, today: dt.date) -> str:
    milestones, is_missing = list(dict.fromkeys(milestones_in(row))), row.status in NOT_THROUGH
    limit = MISSING_SHOWN if is_missing else MILESTONES_SHOWN
    shown, more = milestones[:limit], len(milestones[limit:])
    links = cells.joined((_with_day(one) if is_missing else cells.link(one) for one in shown), " · ")
    if more:
        words = ngettext("and %(counter)s more", "and %(counter)s more", more) % {"counter": more}
    else:
        words = str(shown[0].agreement or "") if len(shown) == 1 else ""
    return cells.joined([links, cells.quiet(words)]) if words else links


def _with_day(milestone: Milestone) -> SafeString:
    return format_html("{} {}", cells.link(milestone), cells.quiet(cells.day(milestone.due_on)))


class MailList(RecordList[Delivery]):
    key = "mail_list"
    title = _("Mails")
    caption = _("Mails you can access")
    intro = _("Who got which reminder, when, and what did not get through.")
    empty = _("No e-mails yet.")
    model = Delivery
    filterset_class = MailFilterSet
    default_sort = "-pk"
    presets = (
        Preset(_("Most recent")),
        Preset(_("To me"), "mine=yes"),
        Preset(_("About my items"), "looked_after=yes"),
        Preset(_("Needs action"), "status=waiting"),
    )
    columns = (
        Column(
            "reader",
            pgettext_lazy("reminder rule", "To"),
            lambda row: row.reader,
            "person__name",
            width="text",
            is_bold=True,
            is_personal=True,
            phone="name",
            select=("person", "contact"),
        ),
        Column("mail", _("Mail"), str, "pk", width="title", is_row_title=True, is_fixed=True, phone="title"),
        Column(
            "status",
            _("Status"),
            lambda row: row.get_status_display(),
            "status",
            cell=cells.status_on,
            width="status",
            phone="status",
        ),
        Column(
            "about",
            _("About"),
            lambda row: "; ".join(dict.fromkeys(map(str, milestones_in(row)))),
            cell=_about,
            width="name",
            from_width=1024,
        ),
        Column(
            "reason",
            _("Reason"),
            lambda row: row.reason_words,
            cell=lambda row, today: Truncator(row.reason_words).chars(REASON_SHOWN),
            from_width=1400,
        ),
        Column(
            "made",
            pgettext_lazy("of a mail", "Created"),
            lambda row: _local(row.queued_at),
            "queued_at",
            cell=lambda row, today: cells.show(row.queued_at),
            width="moment",
            is_shown_at_first=False,
        ),
        Column(
            "sent",
            pgettext_lazy("of a mail", "Sent"),
            lambda row: _local(row.sent_at),
            "sent_at",
            cell=lambda row, today: cells.show(row.sent_at),
            width="moment",
            phone="end",
        ),
    )

    def for_showing(self, rows: DeliveryQuerySet, columns: Iterable[Column[Delivery]]) -> QuerySet:
        # A mail is named by its items, so that every page reads them.
        related = rows.select_related("person", "contact").prefetch_related(items_seen_by(self.user))
        return super().for_showing(related, columns)

    def rows(self, ids: Iterable[int], columns: Sequence[Column[Delivery]] | None = None) -> list[Delivery]:
        found = super().rows(ids, columns)
        hide_unseen([milestone for mail in found for milestone in milestones_in(mail)], self.user)
        return found

    def held(self) -> DeliveryQuerySet:
        """Return the held mails of this list that its reader may release."""
        found: DeliveryQuerySet = self.filterset.qs
        return found.held().filter(releasable_by(self.user))

    def links(self) -> list[PageLink]:
        count = self.held().count() if may(self.user, "delivery.release") else 0
        if not count:
            return []
        label = ngettext("Release %(total)s held mail", "Release %(total)s held mails", count) % {"total": count}
        kept = self.data.copy()
        kept.pop("page", None)
        return [PageLink(label, reverse("mail_release") + (f"?{kept.urlencode()}" if kept else ""))]


def items_seen_by(user: User) -> Prefetch:
    """Return a prefetch of the items a person may see, as ``seen_items``: a digest may mention several units."""
    seen = Milestone.objects.visible_to(user).order_by().values("pk")
    items = ReminderItem.objects.filter(plan__milestone__in=seen).order_by("pk")
    return Prefetch("items", items.select_related("plan__milestone__agreement", "plan__rule"), "seen_items")


def _local(value: dt.datetime | None) -> dt.datetime | None:
    """Return local time without a zone, as spreadsheets store it."""
    return None if value is None else timezone.localtime(value).replace(microsecond=0, tzinfo=None)
