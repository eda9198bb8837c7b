import datetime as dt
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import django_filters
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, When
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.lists import cells
from partnerships.lists.base import THROUGH, Column, PageLink, Preset, RecordList
from partnerships.lists.filter_fields import DayFilter, PersonFilter, SwitchFilter, linked_filter, people_of
from partnerships.lists.filters import (
    ArrangedFilterSet,
    CountedFilterSet,
    OwnedFilterSet,
    region_filter,
    regions_with,
    unit_filter,
)
from partnerships.models import Answer, Demand, Organization, User
from partnerships.models.demands import DemandQuerySet
from partnerships.statuses import DemandStatus


class DemandFilterSet(
    OwnedFilterSet[DemandQuerySet], ArrangedFilterSet[DemandQuerySet], CountedFilterSet[DemandQuerySet]
):
    FRONT = ("status", "party", "unit", "owner")

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("pending", pgettext_lazy("demands", "Open")), *DemandStatus.choices],
        method="filter_status",
    )
    party = django_filters.CharFilter(
        label=_("Asked by"), field_name="organization", method="filter_party", max_length=200
    )
    unit = unit_filter()
    owner = PersonFilter(label=_("Owner"), field_name="owner")
    field = django_filters.CharFilter(
        label=pgettext_lazy("of knowledge", "Field"), field_name="field", lookup_expr="icontains", max_length=100
    )
    region = region_filter(_("Region of the enterprise that asks (incl. sub-regions)"))
    deadline_from = DayFilter(label=_("Deadline from"), field_name="deadline_on", lookup_expr="gte")
    deadline_until = DayFilter(label=_("Deadline until"), field_name="deadline_on", lookup_expr="lte")
    released_from = DayFilter(label=_("Released from"), field_name="released_on", lookup_expr="gte")
    released_until = DayFilter(label=_("Released until"), field_name="released_on", lookup_expr="lte")
    unpublished = SwitchFilter(label=_("Content not published"), method="filter_unpublished")
    unanswered = SwitchFilter(label=_("Without an answer"), method="filter_unanswered")
    organization = linked_filter(_("Asked by (incl. its parts)"), Organization, method="filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        demands = Demand.objects.visible_to(self.user)
        return {
            **super().choices_in_scope(),
            "owner": people_of(demands, "owner"),
            "region": regions_with(demands, "organization__region"),
        }

    def filter_status(self, queryset: DemandQuerySet, name: str, value: str) -> DemandQuerySet:
        return queryset.pending() if value == "pending" else queryset.filter(status=value)

    def filter_unpublished(self, queryset: DemandQuerySet, name: str, value: str) -> DemandQuerySet:
        return queryset.filter(is_content_published=False)

    def filter_unanswered(self, queryset: DemandQuerySet, name: str, value: str) -> DemandQuerySet:
        seen = Answer.objects.visible_to(self.user).order_by().filter(demand=OuterRef("pk"))
        return queryset.filter(~Exists(seen))


def _deadline(row: Demand, today: dt.date) -> str:
    if row.deadline_on and row.is_pending:
        return cells.due(row.deadline_on, today)
    return cells.show(row.deadline_on)


def _title(row: Demand, today: dt.date) -> str:
    hidden = cells.EMPTY if row.is_content_published else cells.mark(_("content not published"))
    return cells.joined([cells.row_title(row, row), hidden])


def _with_answers(rows: DemandQuerySet, user: User, today: dt.date) -> QuerySet:
    seen = Answer.objects.visible_to(user).order_by().values("pk")
    return rows.annotate(answer_count=Count("answers", filter=Q(answers__in=seen)))


class DemandList(RecordList[Demand]):
    key = "demand_list"
    title = _("Demands")
    caption = _("Demands you can access")
    intro = _(
        "Enterprises ask questions, universities answer them. An answer that fits becomes an agreement or a research "
        "project."
    )
    model = Demand
    filterset_class = DemandFilterSet
    default_sort = ""
    presets = (
        Preset(_("Open first")),
        Preset(pgettext_lazy("view of a list", "Mine"), "mine=yes&status=pending"),
        Preset(_("Without an answer"), "unanswered=yes&status=pending"),
        Preset(_("Nearest deadline"), "status=pending&sort=deadline_on"),
        Preset(_("Unassigned"), "orphaned=yes"),
    )
    columns = (
        Column(
            "organization",
            _("Asked by"),
            lambda row: row.organization,
            "organization__name",
            width="name",
            is_bold=True,
            phone="name",
            select=("organization",),
        ),
        Column(
            "demand",
            _("Demand"),
            str,
            "title",
            cell=_title,
            width="title",
            is_row_title=True,
            is_fixed=True,
            cites=("", "title", "title_zh"),
            phone="title",
        ),
        Column(
            "status",
            _("Status"),
            lambda row: row.get_status_display(),
            "status",
            cell=cells.status_on,
            width="due",
            phone="status",
        ),
        Column(
            "deadline",
            _("Deadline"),
            lambda row: row.deadline_on,
            "deadline_on",
            cell=_deadline,
            width="due",
            phone="due",
        ),
        Column(
            "released",
            _("Released on"),
            lambda row: row.released_on,
            "released_on",
            width="day",
            cites=("released_on",),
            from_width=1024,
            phone="end",
        ),
        Column("answers", _("Answers"), attrgetter("answer_count"), width="num", from_width=1400, add=_with_answers),
        Column(
            "owner",
            _("Owner"),
            lambda row: row.owner,
            "owner__name",
            cell=lambda row, today: cells.owner(row.owner),
            width="person",
            from_width=1024,
            select=("owner",),
        ),
        Column("unit", _("Unit"), lambda row: row.unit, "unit__name", is_shown_at_first=False, select=("unit",)),
        Column(
            "field",
            pgettext_lazy("of knowledge", "Field"),
            lambda row: row.field,
            "field",
            is_shown_at_first=False,
        ),
        THROUGH,
    )

    def usual_order(self) -> Sequence[Any]:
        """Return the order of work: what is not closed first, the latest released first."""
        is_closed = Case(When(status__in=(DemandStatus.AGREED, DemandStatus.NO_MATCH), then=1), default=0)
        return is_closed, F("released_on").desc(nulls_last=True)

    def links(self) -> list[PageLink]:
        achievements = PageLink(_("Achievements on offer"), reverse("achievement_list"))
        return [achievements, *self.add_link(_("Add a demand"), "demand.add")]
