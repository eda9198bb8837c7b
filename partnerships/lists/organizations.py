import datetime as dt

import django_filters
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from partnerships.countries import country_choices, country_name
from partnerships.lists import cells
from partnerships.lists.base import Column, PageLink, Preset, RecordList
from partnerships.lists.cells import Text
from partnerships.lists.filter_fields import PersonFilter, SwitchFilter, linked_filter, people_of
from partnerships.lists.filters import CountedFilterSet, region_filter, regions_with
from partnerships.lists.honours import HonouredFilterSet
from partnerships.models import (
    Agreement,
    AssociationMembership,
    Organization,
    OrganizationKind,
    OrganizationUnit,
    Participation,
    Programme,
    ProgrammeOrganizer,
    Unit,
    User,
)
from partnerships.models.organizations import OrganizationQuerySet, ids_below
from partnerships.models.users import read_tree
from partnerships.permissions import may

# Filters that leave our own organization out, as the list does when it opens.
BESIDE_PARTNERS = (
    "kind",
    "country",
    "region",
    "unit",
    "coordinator",
    "in_force",
    "mine",
    "archived",
    "honour",
    "honoured",
)


class OrganizationFilterSet(CountedFilterSet[OrganizationQuerySet], HonouredFilterSet[OrganizationQuerySet]):
    """Filters of organizations. Archived ones are left out unless asked for, or counted by the number that links here."""

    FRONT = ("kind", "region", "unit", "honour")

    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=OrganizationKind.choices)
    country = django_filters.ChoiceFilter(label=_("Country or region"), choices=country_choices)
    region = region_filter(_("Region (incl. sub-regions)"))
    unit = django_filters.ModelChoiceFilter(
        label=_("Held by the unit (incl. sub-units)"),
        queryset=Unit.objects.none(),
        method="filter_unit",
    )
    coordinator = PersonFilter(label=_("Owner"), method="filter_coordinator")
    institution_type = django_filters.ChoiceFilter(
        label=_("Type of institution"), choices=Organization.InstitutionType.choices
    )
    part_of = django_filters.CharFilter(label=_("Part of (at any level)"), method="filter_part_of", max_length=200)
    member_of = django_filters.CharFilter(
        label=_("Member of the association"), method="filter_member_of", max_length=200
    )
    in_force = SwitchFilter(label=_("Has an agreement in force"), method="filter_in_force")
    mine = SwitchFilter(label=_("Held by my units"), method="filter_mine")
    ours = SwitchFilter(label=_("Include our own institutions"), method="filter_ours")
    archived = SwitchFilter(label=_("Include archived"), method="filter_archived")
    organization = linked_filter(_("Part of (at any level)"), Organization, method="filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        held = OrganizationUnit.objects.filter(unit=OuterRef("pk"))
        in_sight = OrganizationUnit.objects.filter(unit__in=Unit.objects.visible_to(self.user).values("pk"))
        return {
            **super().choices_in_scope(),
            "region": regions_with(Organization.objects.visible_to(self.user)),
            "unit": Unit.objects.filter(Exists(held)),
            "coordinator": people_of(in_sight, "coordinator"),
        }

    def filter_queryset(self, queryset: OrganizationQuerySet) -> OrganizationQuerySet:
        filtered = super().filter_queryset(queryset)
        values = self.form.cleaned_data
        if not any(values.get(name) for name in ("archived", "figure", "programme")):
            filtered = filtered.not_archived()
        # The list opens on partners. Who asks for something particular finds our own organization too.
        return (
            filtered if any(values.get(name) for name in values if name not in BESIDE_PARTNERS) else filtered.partners()
        )

    def filter_unit(self, queryset: OrganizationQuerySet, name: str, value: Unit) -> OrganizationQuerySet:
        return queryset.filter(Exists(_held(unit__in=read_tree(Unit).with_descendants([value.pk]))))

    def filter_coordinator(self, queryset: OrganizationQuerySet, name: str, value: list[User]) -> OrganizationQuerySet:
        units = Unit.objects.visible_to(self.user).values("pk")
        return queryset.filter(Exists(_held(coordinator__in=value, unit__in=units)))

    def filter_part_of(self, queryset: OrganizationQuerySet, name: str, value: str) -> OrganizationQuerySet:
        return queryset.filter(pk__in=ids_below(Organization.objects.search(value).values_list("pk", flat=True)))

    def filter_organization(
        self, queryset: OrganizationQuerySet, name: str, value: Organization
    ) -> OrganizationQuerySet:
        return queryset.filter(pk__in=ids_below([value.pk]))

    def filter_member_of(self, queryset: OrganizationQuerySet, name: str, value: str) -> OrganizationQuerySet:
        found = Organization.objects.search(value).values("pk")
        now = Q(since__isnull=True) | Q(since__lte=self.today), Q(until__isnull=True) | Q(until__gte=self.today)
        rows = AssociationMembership.objects.filter(*now, member=OuterRef("pk"), association__in=found)
        return queryset.filter(Exists(rows))

    def filter_in_force(self, queryset: OrganizationQuerySet, name: str, value: str) -> OrganizationQuerySet:
        agreements = Agreement.objects.visible_to(self.user).in_force(self.today).order_by()
        return queryset.filter(Exists(agreements.filter(parties__organization=OuterRef("pk"))))

    def filter_holders(self, queryset: OrganizationQuerySet, honours: QuerySet) -> OrganizationQuerySet:
        return queryset.filter(Exists(honours.order_by().filter(organization=OuterRef("pk"))))

    def filter_of_programme(self, queryset: OrganizationQuerySet, name: str, value: Programme) -> OrganizationQuerySet:
        """Find the organizers of a programme and the participants of its events."""
        organizers = ProgrammeOrganizer.objects.filter(programme=value, organization=OuterRef("pk"))
        took_part = Participation.objects.filter(event__programme_items__programme=value, organization=OuterRef("pk"))
        return queryset.filter(Q(Exists(organizers)) | Q(Exists(took_part)))

    def filter_mine(self, queryset: OrganizationQuerySet, name: str, value: str) -> OrganizationQuerySet:
        return queryset.held_by_scope_of(self.user)

    def filter_ours(self, queryset: OrganizationQuerySet, name: str, value: str) -> OrganizationQuerySet:
        return queryset

    def filter_archived(self, queryset: OrganizationQuerySet, name: str, value: str) -> OrganizationQuerySet:
        return queryset


HOLDERS = Prefetch("holders", OrganizationUnit.objects.select_related("unit", "coordinator"))


def _name(row: Organization, today: dt.date) -> str:
    archived = cells.mark(_("archived")) if row.archived_on else cells.EMPTY
    other_name = format_html('<span class="faint">{}</span>', _other_name(row)) if row.other_name else cells.EMPTY
    return cells.joined([cells.row_title(row, row), other_name, archived])


def _other_name(row: Organization) -> SafeString:
    is_chinese = row.other_name == row.name_zh != ""
    return format_html('<span lang="zh-Hans">{}</span>', row.name_zh) if is_chinese else escape(row.other_name)


def _holders(row: Organization, today: dt.date) -> str:
    holders = row.holders.all()
    if not holders:
        return format_html('<span class="faint">{}</span>', _("nobody yet"))
    return cells.joined(map(_holder, holders), pgettext("between two names", ", "))


def _holder(holder: OrganizationUnit) -> SafeString:
    if holder.coordinator is None:
        return escape(str(holder.unit))
    return format_html('{} <span class="faint">({})</span>', holder.unit, holder.coordinator)


class OrganizationList(RecordList[Organization]):
    key = "organization_list"
    title = pgettext_lazy("navigation", "Partners")
    caption = _("The shared directory of organizations")
    empty = _("No organization yet.")
    model = Organization
    filterset_class = OrganizationFilterSet
    default_sort = "name"
    is_narrowed_at_first = True
    presets = (
        Preset(_("All partners")),
        Preset(_("Held by my units"), "mine=yes"),
        Preset(_("With an agreement in force"), "in_force=yes"),
        Preset(_("Enterprises"), "kind=enterprise"),
        Preset(_("Associations"), "kind=association"),
        Preset(_("Include our own institutions"), "ours=yes"),
    )
    columns = (
        Column(
            "organization",
            _("Organization"),
            str,
            "name",
            cell=_name,
            width="title",
            is_row_title=True,
            is_fixed=True,
            is_bold=True,
            phone="name",
        ),
        Column("kind", _("Kind"), lambda row: row.get_kind_display(), "kind", phone="status"),
        Column(
            "region",
            _("Region"),
            lambda row: row.region,
            "region__name",
            cites=("region",),
            phone="end",
            select=("region",),
        ),
        Column(
            "holders",
            _("Held by"),
            lambda row: "; ".join(str(holder.unit) for holder in row.holders.all()),
            cell=_holders,
            width="name",
            phone="title",
            prefetch=(HOLDERS,),
        ),
        Column(
            "part_of",
            pgettext_lazy("of an organization", "Part of"),
            lambda row: row.part_of,
            "part_of__name",
            from_width=1400,
            select=("part_of",),
        ),
        Column("industry", _("Industry"), lambda row: row.industry, "industry", is_shown_at_first=False),
        Column(
            "country",
            _("Country or region"),
            lambda row: country_name(row.country),
            is_shown_at_first=False,
        ),
        Column(
            "uscc",
            _("Unified social credit code"),
            lambda row: row.uscc,
            "uscc",
            width="moment",
            is_shown_at_first=False,
        ),
    )

    def links(self) -> list[PageLink]:
        return self._add(_("Add an organization"))

    def empty_links(self) -> list[PageLink]:
        return self._add(_("Add the first one"))

    def _add(self, label: Text) -> list[PageLink]:
        return [PageLink(label, reverse("organization_add"))] if may(self.user, "organization.add") else []


def _held(**by: object) -> QuerySet:
    return OrganizationUnit.objects.filter(organization=OuterRef("pk"), **by)
