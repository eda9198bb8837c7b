import datetime as dt
from collections.abc import Sequence
from typing import Any

import django_filters
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.lists import cells
from partnerships.lists.base import THROUGH, Column, PageLink, Preset, RecordList, organizations_of
from partnerships.lists.filter_fields import DayFilter, PersonFilter, linked_filter, people_of
from partnerships.lists.filters import (
    ArrangedFilterSet,
    OwnedFilterSet,
    region_filter,
    regions_with,
    unit_filter,
)
from partnerships.models import (
    Activity,
    ActivityKind,
    ActivityOrganization,
    Agreement,
    AgreementType,
    CooperationArea,
    Organization,
    Programme,
    ProgrammeItem,
)
from partnerships.models.activities import ActivityQuerySet
from partnerships.permissions import may
from partnerships.reports.related_agreements import ids_below
from partnerships.statuses import ActivityStatus


class ActivityFilterSet(OwnedFilterSet[ActivityQuerySet], ArrangedFilterSet[ActivityQuerySet]):
    FRONT = ("status", "kind", "unit", "owner")

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("unfinished", _("Not finished")), *ActivityStatus.choices],
        method="filter_status",
    )
    kind = django_filters.ChoiceFilter(
        label=_("Kind"),
        choices=[*ActivityKind.choices, ("rest", _("All but trainings, projects and visits"))],
        method="filter_kind",
    )
    unit = unit_filter()
    owner = PersonFilter(label=_("Owner"), field_name="owner")
    party = django_filters.CharFilter(label=_("Partner (incl. its parts)"), method="filter_party", max_length=200)
    region = region_filter(_("Region of a partner (incl. sub-regions)"))
    area = django_filters.ModelChoiceFilter(
        label=_("Counts for the area"),
        queryset=CooperationArea.objects.all(),
        method="filter_later",
    )
    type = django_filters.ModelChoiceFilter(
        label=_("Type of agreement"), field_name="agreement__type", queryset=AgreementType.objects.all()
    )
    of_programme = django_filters.ModelChoiceFilter(
        label=_("Program"), queryset=Programme.objects.none(), method="filter_of_programme"
    )
    on_from = DayFilter(label=_("Taking place from"), method="filter_on_from")
    on_until = DayFilter(label=_("Taking place until"), field_name="starts_on", lookup_expr="lte")
    completed_from = DayFilter(label=_("Completed from"), field_name="completed_on", lookup_expr="gte")
    completed_until = DayFilter(label=_("Completed until"), field_name="completed_on", lookup_expr="lte")
    agreement = linked_filter(_("Agreement"), Agreement, field_name="agreement")
    framework = linked_filter(_("Agreement (incl. those under it)"), Agreement, method="filter_framework")
    credited = linked_filter(_("Counts for"), Organization, method="filter_later")
    organization = linked_filter(_("With (incl. its parts)"), Organization, method="filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            **super().choices_in_scope(),
            "owner": people_of(Activity.objects.visible_to(self.user), "owner"),
            "region": regions_with(Organization.objects.visible_to(self.user)),
        }

    def filter_queryset(self, queryset: ActivityQuerySet) -> ActivityQuerySet:
        """Apply area and organization to the same credit, which shows what was delivered to this party in this area."""
        asked = {"area": "area", "credited": "organization"}
        values = self.form.cleaned_data
        credit = {field: values[name] for name, field in asked.items() if values.get(name)}
        filtered = super().filter_queryset(queryset)
        return filtered.credited(**credit) if credit else filtered

    def filter_kind(self, queryset: ActivityQuerySet, name: str, value: str) -> ActivityQuerySet:
        return queryset.of_other_kinds() if value == "rest" else queryset.filter(kind=value)

    def filter_framework(self, queryset: ActivityQuerySet, name: str, value: Agreement) -> ActivityQuerySet:
        return queryset.filter(agreement__in=[value.pk, *ids_below(value.pk)])

    def filter_of_programme(self, queryset: ActivityQuerySet, name: str, value: Programme) -> ActivityQuerySet:
        """Find the activities whose agreement or event has the label of the programme."""
        labelled = ProgrammeItem.objects.filter(programme=value)
        of_agreement = labelled.filter(agreement=OuterRef("agreement"))
        return queryset.filter(Q(Exists(of_agreement)) | Q(Exists(labelled.filter(event=OuterRef("event")))))

    def filter_on_from(self, queryset: ActivityQuerySet, name: str, value: dt.date) -> ActivityQuerySet:
        return queryset.lasting_until(value)

    def filter_status(self, queryset: ActivityQuerySet, name: str, value: str) -> ActivityQuerySet:
        return queryset.unfinished() if value == "unfinished" else queryset.filter(status=value)

    def filter_party(self, queryset: ActivityQuerySet, name: str, value: str) -> ActivityQuerySet:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=ActivityOrganization.objects.filter(organization__in=found).values("activity"))


class ActivityList(RecordList[Activity]):
    key = "activity_list"
    title = _("Activities")
    caption = _("Activities you can access")
    intro = _("Trainings, research projects, visits and other activities under agreements.")
    model = Activity
    filterset_class = ActivityFilterSet
    default_sort = ""
    presets = (
        Preset(_("Unfinished first")),
        Preset(pgettext_lazy("view of a list", "Mine"), "mine=yes&status=unfinished"),
        Preset(_("In progress"), "status=in_progress"),
        Preset(_("Completed lately"), "status=completed&sort=-completed_on"),
        Preset(_("Unassigned"), "orphaned=yes"),
    )
    columns = (
        Column(
            "partners",
            _("With"),
            lambda row: organizations_of(row.partners.all()),
            cell=lambda row, today: cells.organizations(row.partners.all()),
            width="name",
            phone="name",
            prefetch=("partners__organization",),
        ),
        Column("title", _("Activity"), str, "title", width="title", is_row_title=True, is_fixed=True, phone="title"),
        Column("kind", _("Kind"), lambda row: row.get_kind_display(), "kind", phone="due"),
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
            "starts",
            _("Starts on"),
            lambda row: row.starts_on,
            "starts_on",
            width="day",
            cites=("starts_on",),
            phone="end",
        ),
        Column(
            "agreement",
            _("Agreement"),
            lambda row: row.agreement,
            "agreement__title",
            from_width=1400,
            select=("agreement",),
        ),
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
            "completed",
            _("Completed on"),
            lambda row: row.completed_on,
            "completed_on",
            width="day",
            cites=("completed_on",),
            is_shown_at_first=False,
        ),
        THROUGH,
    )

    def usual_order(self) -> Sequence[Any]:
        """Return the order of work: what is to be done next first; then what is over, the latest first."""
        is_over = Case(When(status__in=(ActivityStatus.COMPLETED, ActivityStatus.CANCELLED), then=1), default=0)
        to_come = Case(
            When(status__in=(ActivityStatus.COMPLETED, ActivityStatus.CANCELLED), then=None), default="starts_on"
        )
        return is_over, to_come.asc(nulls_last=True), F("starts_on").desc(nulls_last=True)

    def links(self) -> list[PageLink]:
        query = urlencode(self.filters_in_address)
        board = PageLink(_("As a board"), reverse("activity_board") + (f"?{query}" if query else ""))
        if not may(self.user, "activity.add"):
            return [board]
        return [PageLink(_("Log an activity"), reverse("activity_log"), is_main=True), board]
