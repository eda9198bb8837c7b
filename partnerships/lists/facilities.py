import django_filters
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.lists import cells
from partnerships.lists.base import Column, PageLink, Preset, RecordList, organizations_of
from partnerships.lists.filter_fields import DayFilter, PersonFilter, linked_filter, people_of
from partnerships.lists.filters import CountedFilterSet, OwnedFilterSet, region_filter, regions_with, unit_filter
from partnerships.models import Agreement, CooperationArea, Facility, FacilityKind, FacilityPartner, Organization
from partnerships.models.facilities import FacilityQuerySet
from partnerships.reports.related_agreements import ids_below
from partnerships.statuses import FacilityStatus


class FacilityFilterSet(OwnedFilterSet[FacilityQuerySet], CountedFilterSet[FacilityQuerySet]):
    FRONT = ("status", "kind", "unit", "owner")

    status = django_filters.ChoiceFilter(label=_("Status"), choices=FacilityStatus.choices)
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=FacilityKind.choices)
    unit = unit_filter()
    owner = PersonFilter(label=_("Owner"), field_name="owner")
    party = django_filters.CharFilter(label=_("Partner (incl. its parts)"), method="filter_party", max_length=200)
    region = region_filter(_("Region (incl. sub-regions)"))
    opened_from = DayFilter(label=_("Opened from"), field_name="opened_on", lookup_expr="gte")
    opened_until = DayFilter(label=_("Opened until"), field_name="opened_on", lookup_expr="lte")
    ends_from = DayFilter(label=_("Term ends from"), field_name="ends_on", lookup_expr="gte")
    ends_until = DayFilter(label=_("Term ends until"), field_name="ends_on", lookup_expr="lte")
    area = django_filters.ModelChoiceFilter(
        label=_("Counts for the area"), queryset=CooperationArea.objects.all(), field_name="area"
    )
    counts = django_filters.ChoiceFilter(
        label=_("Counts as"),
        choices=[("delivered", pgettext_lazy("promise", "Delivered")), ("planned", FacilityStatus.PLANNED.label)],
        method="filter_counts",
    )
    agreement = linked_filter(_("Agreement"), Agreement, field_name="agreement")
    framework = linked_filter(_("Agreement (incl. those under it)"), Agreement, method="filter_framework")
    credited = linked_filter(_("Counts for"), Organization, method="filter_credited")
    organization = linked_filter(_("With (incl. its parts)"), Organization, method="filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        facilities = Facility.objects.visible_to(self.user)
        return {
            **super().choices_in_scope(),
            "owner": people_of(facilities, "owner"),
            "region": regions_with(facilities),
        }

    def filter_party(self, queryset: FacilityQuerySet, name: str, value: str) -> FacilityQuerySet:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=FacilityPartner.objects.filter(organization__in=found).values("facility"))

    def filter_counts(self, queryset: FacilityQuerySet, name: str, value: str) -> FacilityQuerySet:
        return queryset.credited().filter(opened_on__isnull=value == "planned")

    def filter_framework(self, queryset: FacilityQuerySet, name: str, value: Agreement) -> FacilityQuerySet:
        return queryset.filter(agreement__in=[value.pk, *ids_below(value.pk)])

    def filter_credited(self, queryset: FacilityQuerySet, name: str, value: Organization) -> FacilityQuerySet:
        sides = FacilityPartner.objects.filter(facility=OuterRef("pk"), organization=value)
        return queryset.credited().filter(Exists(sides))


SIDES = Prefetch("partners", FacilityPartner.objects.select_related("organization"))


def _partners(row: Facility) -> list[FacilityPartner]:
    """Return the sides of a facility, our own organization last."""
    return sorted(row.partners.all(), key=lambda side: side.organization_id == row.unit.organization_id)


class FacilityList(RecordList[Facility]):
    key = "facility_list"
    title = _("Joint facilities")
    caption = _("Joint facilities you can access")
    intro = _(
        "Employment bases, workstations, laboratories and training bases that an institution and an enterprise run "
        "together."
    )
    model = Facility
    filterset_class = FacilityFilterSet
    default_sort = "-opened_on"
    presets = (
        Preset(_("Most recently opened")),
        Preset(pgettext_lazy("view of a list", "Mine"), "mine=yes"),
        Preset(FacilityStatus.OPENED.label, "status=opened"),
        Preset(FacilityStatus.PLANNED.label, "status=planned"),
        Preset(_("Ending soonest"), "status=opened&sort=ends_on"),
        Preset(_("Unassigned"), "orphaned=yes"),
    )
    columns = (
        Column(
            "partners",
            _("Run by"),
            lambda row: organizations_of(row.partners.all()),
            cell=lambda row, today: cells.organizations(_partners(row)),
            width="name",
            phone="name",
            select=("unit",),
            prefetch=(SIDES,),
        ),
        Column(
            "facility",
            _("Joint facility"),
            str,
            "name",
            width="title",
            is_row_title=True,
            is_fixed=True,
            cites=("", "name"),
            phone="title",
        ),
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
        Column("opened", _("Opened on"), lambda row: row.opened_on, "opened_on", width="day", cites=("opened_on",)),
        Column(
            "until", _("Agreed until"), lambda row: row.ends_on, "ends_on", width="day", from_width=1400, phone="end"
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
        Column("site", _("Place"), lambda row: row.site, "site", is_shown_at_first=False),
        Column("area", _("Counts for"), lambda row: row.area, "area__name", is_shown_at_first=False, select=("area",)),
    )

    def links(self) -> list[PageLink]:
        return self.add_link(_("Add a joint facility"), "facility.add")
