import datetime as dt
from collections.abc import Collection

import django_filters
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.lists import cells
from partnerships.lists.base import Column, Preset, RecordList
from partnerships.lists.filter_fields import DayFilter, PersonFilter, linked_filter, people_of
from partnerships.lists.filters import DatedFilterSet, OwnedFilterSet, region_filter, regions_with, unit_filter
from partnerships.models import (
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementType,
    CooperationArea,
    Milestone,
    MilestoneKind,
    Organization,
    Programme,
    ProgrammeItem,
    Region,
    User,
)
from partnerships.models.milestones import MILESTONE_TARGETS, MilestoneQuerySet
from partnerships.models.organizations import regions_below
from partnerships.statuses import MilestoneStatus

DUE_WITHIN_DAYS = {"week": 7, "month": 30, "quarter": 90}


class MilestoneFilterSet(OwnedFilterSet[MilestoneQuerySet], DatedFilterSet[MilestoneQuerySet]):
    """Filters of milestones. Without a status the list shows what is still to be done."""

    FRONT = ("status", "due", "unit", "owner")

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("all", pgettext_lazy("milestones", "All")), *MilestoneStatus.choices],
        empty_label=_("Still to be done"),
        method="filter_status",
    )
    due = django_filters.ChoiceFilter(
        label=_("Due"),
        choices=[
            ("overdue", _("Overdue")),
            ("week", _("Within 7 days")),
            ("month", _("Within 30 days")),
            ("quarter", _("Within 90 days")),
        ],
        empty_label=_("Any time"),
        method="filter_due",
    )
    unit = unit_filter()
    owner = PersonFilter(label=_("Owner"), field_name="owner")
    waits_for = PersonFilter(label=_("Waiting for"), field_name="owner", method="filter_waits_for")
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=MilestoneKind.choices)
    due_from = DayFilter(label=_("Due from"), field_name="due_on", lookup_expr="gte")
    due_until = DayFilter(label=_("Due until"), field_name="due_on", lookup_expr="lte")
    party = django_filters.CharFilter(label=_("Partner (incl. its parts)"), method="filter_party", max_length=200)
    type = django_filters.ModelChoiceFilter(
        label=_("Type of agreement"),
        field_name="agreement__type",
        queryset=AgreementType.objects.all(),
    )
    area = django_filters.ModelChoiceFilter(
        label=_("Area promised"), queryset=CooperationArea.objects.all(), method="filter_area"
    )
    of_programme = django_filters.ModelChoiceFilter(
        label=_("Program"), queryset=Programme.objects.none(), method="filter_of_programme"
    )
    region = region_filter(_("Region of a partner (incl. sub-regions)"))
    agreement = linked_filter(_("Agreement"), Agreement, field_name="agreement")
    partner = linked_filter(_("Partner"), Organization, method="filter_partner")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        owners = people_of(Milestone.objects.visible_to(self.user), "owner")
        people = User.objects.visible_to(self.user) | owners
        regions = regions_with(Organization.objects.visible_to(self.user))
        return {**super().choices_in_scope(), "owner": owners, "waits_for": people, "region": regions}

    def filter_queryset(self, queryset: MilestoneQuerySet) -> MilestoneQuerySet:
        filtered = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("status"):
            return filtered
        day = self.form.cleaned_data.get("as_of")
        return filtered.pending_on(day) if day else filtered.pending()

    def filter_region(self, queryset: MilestoneQuerySet, name: str, value: Region) -> MilestoneQuerySet:
        seen = Agreement.objects.visible_to(self.user).in_regions(regions_below(value))
        return queryset.filter(agreement__in=seen.order_by().values("pk"))

    def filter_party(self, queryset: MilestoneQuerySet, name: str, value: str) -> MilestoneQuerySet:
        parties = AgreementParty.objects.filter(organization__in=Organization.objects.search(value).values("pk"))
        seen = Agreement.objects.visible_to(self.user).filter(pk__in=parties.values("agreement"))
        return queryset.filter(agreement__in=seen.order_by().values("pk"))

    def filter_partner(self, queryset: MilestoneQuerySet, name: str, value: Organization) -> MilestoneQuerySet:
        parties = AgreementParty.objects.filter(agreement=OuterRef("agreement"), organization=value)
        seen = Agreement.objects.visible_to(self.user).order_by().values("pk")
        return queryset.filter(Exists(parties), agreement__in=seen)

    def filter_area(self, queryset: MilestoneQuerySet, name: str, value: CooperationArea) -> MilestoneQuerySet:
        return queryset.filter(Exists(AgreementArea.objects.filter(agreement=OuterRef("agreement"), area=value)))

    def filter_of_programme(self, queryset: MilestoneQuerySet, name: str, value: Programme) -> MilestoneQuerySet:
        labelled = ProgrammeItem.objects.filter(programme=value, agreement=OuterRef("agreement"))
        return queryset.filter(Exists(labelled))

    def filter_waits_for(self, queryset: MilestoneQuerySet, name: str, value: Collection[User]) -> MilestoneQuerySet:
        """Keep what waits for these people: their own open milestones, and what they decide as leads."""
        return queryset.waiting_for_any(value)

    def filter_status(self, queryset: MilestoneQuerySet, name: str, value: str) -> MilestoneQuerySet:
        return queryset if value == "all" else queryset.filter(status=value)

    def filter_due(self, queryset: MilestoneQuerySet, name: str, value: str) -> MilestoneQuerySet:
        if value == "overdue":
            return queryset.filter(due_on__lt=self.today) if self._is_past else queryset.overdue(self.today)
        until = self.today + dt.timedelta(days=DUE_WITHIN_DAYS[value])
        if self._is_past:
            return queryset.filter(due_on__range=(self.today, until))
        return queryset.due_between(self.today, until)

    @property
    def _is_past(self) -> bool:
        """Whether the list shows what was pending on another day, which has been done since."""
        return bool(self.form.cleaned_data.get("as_of"))


# The name of an honour reads its scheme and its holder.
HONOURED = ("honour__scheme", "honour__organization")
PARTIES = Prefetch("agreement__parties", AgreementParty.objects.select_related("organization"))


def _partner(row: Milestone, today: dt.date) -> str:
    """Return the partners of the agreement, or the organization that the milestone is about."""
    if isinstance(row.agreement, Agreement):
        return cells.organizations(cells.partners_of(row.agreement))
    # A demand that the reader may not see is a stand-in without an organization.
    about = getattr(row.honour or row.demand, "organization", row.organization)
    return cells.EMPTY if about is None else format_html("<b>{}</b>", about)


def _how_far(row: Milestone, today: dt.date) -> str:
    return cells.due(row.due_on, today) if row.is_pending else ""


class MilestoneList(RecordList[Milestone]):
    key = "milestone_list"
    title = _("Milestones")
    caption = _("Milestones you can access")
    model = Milestone
    filterset_class = MilestoneFilterSet
    default_sort = "due_on"
    is_narrowed_at_first = True
    presets = (
        Preset(_("Due soonest")),
        Preset(pgettext_lazy("view of a list", "Mine"), "mine=yes", is_counted=True),
        Preset(_("Overdue"), "due=overdue", is_counted=True),
        Preset(_("Due within 30 days"), "due=month", is_counted=True),
        Preset(_("To accept"), "status=submitted", is_counted=True),
        Preset(_("Unassigned"), "orphaned=yes", is_counted=True),
        Preset(_("Done"), "status=met&sort=-due_on"),
    )
    columns = (
        Column(
            "partners",
            _("Partner"),
            lambda row: cells.partner_names(row.agreement),
            cell=_partner,
            width="name",
            phone="name",
            select=("agreement__unit", "organization", "honour__organization", "demand__organization"),
            prefetch=(PARTIES,),
        ),
        Column(
            "title",
            _("Milestone"),
            str,
            "title",
            width="title",
            is_row_title=True,
            is_fixed=True,
            phone="title",
            select=(*MILESTONE_TARGETS, *HONOURED),
        ),
        Column("due", _("Due"), lambda row: row.due_on, "due_on", width="day", phone="end"),
        Column(
            "how_far",
            _("Days left"),
            lambda row: (row.due_on - timezone.localdate()).days if row.is_pending else None,
            cell=_how_far,
            width="due",
            phone="due",
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
            "agreement",
            _("Agreement"),
            lambda row: row.agreement or row.target,
            "agreement__title",
            # Only agreements are links: a person who sees a milestone may not see its target.
            cell=lambda row, today: cells.link(row.agreement) if row.agreement else str(row.target),
            from_width=1400,
            select=("agreement", *MILESTONE_TARGETS, *HONOURED),
        ),
        Column(
            "owner",
            _("Owner"),
            lambda row: row.responsible,
            "owner__name",
            cell=lambda row, today: cells.owner(row.responsible),
            width="person",
            from_width=1024,
            select=("owner",),
        ),
        Column("kind", _("Kind"), lambda row: row.get_kind_display(), "kind", is_shown_at_first=False),
        Column("unit", _("Unit"), lambda row: row.unit, "unit__name", is_shown_at_first=False, select=("unit",)),
    )
