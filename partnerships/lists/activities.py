import datetime as dt

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from partnerships.lists import cells
from partnerships.lists.base import THROUGH, Column, PageLink, RecordList, organizations_of
from partnerships.lists.filter_fields import DayFilter, PersonFilter, linked_filter, people_of
from partnerships.lists.filters import (
    ArrangedFilterSet,
    OwnedFilterSet,
    region_filter,
    regions_below,
    regions_with,
    unit_filter,
)
from partnerships.models import (
    Activity,
    ActivityKind,
    ActivityOrganization,
    Agreement,
    CooperationArea,
    Organization,
    Programme,
    ProgrammeItem,
    Region,
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
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=ActivityKind.choices)
    unit = unit_filter()
    owner = PersonFilter(label=_("Owner"), field_name="owner")
    party = django_filters.CharFilter(label=_("Partner (incl. its parts)"), method="filter_party", max_length=200)
    region = region_filter(_("Region of a partner (incl. sub-regions)"))
    area = django_filters.ModelChoiceFilter(
        label=_("Counts for the area"),
        queryset=CooperationArea.objects.all(),
        method="filter_later",
    )
    of_programme = django_filters.ModelChoiceFilter(
        label=_("Programme"), queryset=Programme.objects.none(), method="filter_of_programme"
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

    def filter_framework(self, queryset: ActivityQuerySet, name: str, value: Agreement) -> ActivityQuerySet:
        return queryset.filter(agreement__in=[value.pk, *ids_below(value.pk)])

    def filter_region(self, queryset: ActivityQuerySet, name: str, value: Region) -> ActivityQuerySet:
        partners = ActivityOrganization.objects.filter(activity=OuterRef("pk"))
        return queryset.filter(Exists(partners.filter(organization__region__in=regions_below(value))))

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
    default_sort = "-starts_on"
    columns = (
        Column("title", _("Activity"), str, "title"),
        Column("kind", _("Kind"), lambda row: row.get_kind_display(), "kind"),
        Column("status", _("Status"), lambda row: row.get_status_display(), "status", cell=cells.status_on),
        Column("starts", _("Starts on"), lambda row: row.starts_on, "starts_on", cites=("starts_on", "completed_on")),
        Column(
            "partners",
            _("With"),
            lambda row: organizations_of(row.partners.all()),
            cell=lambda row, today: cells.organization_names(row.partners.all()),
        ),
        Column("agreement", _("Agreement"), lambda row: row.agreement, "agreement__title"),
        THROUGH,
        Column("owner", _("Owner"), lambda row: row.owner, "owner__name"),
    )

    def for_showing(self, rows: ActivityQuerySet) -> QuerySet:
        return rows.select_related("agreement", "owner", "through").prefetch_related("partners__organization")

    def links(self) -> list[PageLink]:
        query = urlencode(self.filters_in_address)
        board = PageLink(_("As a board"), reverse("activity_board") + (f"?{query}" if query else ""))
        if not may(self.user, "activity.add"):
            return [board]
        return [PageLink(_("Log an activity"), reverse("activity_log"), is_main=True), board]
