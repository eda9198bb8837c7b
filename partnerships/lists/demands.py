import datetime as dt
from operator import attrgetter

import django_filters
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.lists import cells
from partnerships.lists.base import THROUGH, Column, PageLink, RecordList
from partnerships.lists.filter_fields import DayFilter, PersonFilter, SwitchFilter, linked_filter, people_of
from partnerships.lists.filters import (
    ArrangedFilterSet,
    CountedFilterSet,
    OwnedFilterSet,
    region_filter,
    regions_with,
    unit_filter,
)
from partnerships.models import Answer, Demand, Organization
from partnerships.models.demands import DemandQuerySet
from partnerships.statuses import DemandStatus


class DemandFilterSet(
    OwnedFilterSet[DemandQuerySet], ArrangedFilterSet[DemandQuerySet], CountedFilterSet[DemandQuerySet]
):
    FRONT = ("status", "party", "unit", "owner")

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("pending", _("Not closed")), *DemandStatus.choices],
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
    region = region_filter(_("Region of the enterprise that asks (incl. sub-regions)"), "organization__region")
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
    default_sort = "-released_on"
    columns = (
        Column(
            "demand",
            _("Demand"),
            str,
            "title",
            cites=("", "title", "title_zh"),
            below=lambda row: row.field if row.is_content_published else cells.mark(_("content not published")),
        ),
        Column("organization", _("Asked by"), lambda row: row.organization, "organization__name"),
        Column("status", _("Status"), lambda row: row.get_status_display(), "status", cell=cells.status_on),
        Column("released", _("Released on"), lambda row: row.released_on, "released_on", cites=("released_on",)),
        Column("deadline", _("Deadline"), lambda row: row.deadline_on, "deadline_on", cell=_deadline),
        Column("answers", _("Answers"), attrgetter("answer_count"), css_class="num"),
        THROUGH,
        Column(
            "owner",
            _("Owner"),
            lambda row: row.owner,
            "owner__name",
            cell=lambda row, today: cells.owner(row.owner),
            below=lambda row: row.unit,
        ),
    )

    def for_showing(self, rows: DemandQuerySet) -> QuerySet:
        seen = Answer.objects.visible_to(self.user).order_by().values("pk")
        answered = rows.annotate(answer_count=Count("answers", filter=Q(answers__in=seen)))
        return answered.select_related("organization", "owner", "unit", "through")

    def links(self) -> list[PageLink]:
        achievements = PageLink(_("Achievements on offer"), reverse("achievement_list"))
        return [achievements, *self.admin_link(_("Add a demand"), "demand.add")]
