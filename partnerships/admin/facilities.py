"""Joint facilities: opened, suspended and closed by steps; reviewed every year while they are open."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.agreements import MilestoneInline
from partnerships.admin.base import (
    CitationInline,
    FieldNames,
    FieldSets,
    Inlines,
    OfficeAdmin,
    PartInline,
    WordSearchMixin,
    status_badge,
)
from partnerships.admin.documents import DocumentInline
from partnerships.admin.filters import AttentionFilter, CountedFilter, MineFilter, ScopedRelatedFilter
from partnerships.admin.hidden_records import hides_records
from partnerships.admin.navigation import Attention, Tier, WorstCase, since
from partnerships.admin.programmes import LabelInline
from partnerships.admin.steps import StepsMixin
from partnerships.models import Facility, FacilityPartner
from partnerships.workflows.facilities import edit_facility, register_facility

DATES = ("opened_on", "suspended_on", "closed_on")
ATTENTION = {
    "past_term": Attention(
        _("Joint facilities past their agreed term"),
        "warning",
        "domain_disabled",
        lambda rows, today: rows.running().filter(ends_on__lt=today),
        rank=7,
        tier=Tier.WEEK,
        worst=WorstCase("ends_on", words=lambda day, today: since(day)),
    ),
    "running": Attention(_("Running"), "success", "domain", lambda rows, today: rows.running(), is_on_index=False),
}


class SideInline(PartInline):
    model = FacilityPartner
    fields = ("organization", "is_host", "head")
    autocomplete_fields = ("organization",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("organization")


@admin.register(Facility)
@hides_records
class FacilityAdmin(WordSearchMixin, StepsMixin, OfficeAdmin):
    view_action, add_action, change_action = "facility.view", "facility.add", "facility.edit"
    register_verb, edit_verb = staticmethod(register_facility), staticmethod(edit_facility)
    danger_steps = frozenset({"close"})
    attention = ATTENTION
    list_display = ("name", "name_zh", "kind", "sides", "unit", "owner", "status_label", "opened_on")
    list_filter = (
        AttentionFilter,
        "status",
        "kind",
        ("unit", ScopedRelatedFilter),
        MineFilter,
        "opened_on",
        CountedFilter,
    )
    list_select_related = ("unit", "owner")
    search_fields = ("name",)
    search_help_text = _("Name, site or partner, in Chinese or English")
    ordering = ("-pk",)
    autocomplete_fields = ("owner", "agreement", "event", "region")
    readonly_fields = DATES
    inlines = (SideInline, MilestoneInline, LabelInline, DocumentInline, CitationInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("partners__organization")

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> FieldSets:
        what = (("name", "name_zh"), ("kind", "unit"), "owner", ("agreement", "area"), "event")
        frame = (("region", "site"), ("starts_on", "ends_on"), "capacity", "summary")
        shown: FieldSets = ((None, {"fields": what}), (_("Site and term"), {"fields": frame}))
        dates = tuple(name for name in DATES if obj and getattr(obj, name))
        return (*shown, (_("Status and dates"), {"fields": dates})) if dates else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> FieldNames:
        """Lock the unit: the reviews of the facility stay with it."""
        return (*self.readonly_fields, "unit") if obj else self.readonly_fields

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Inlines:
        return self.inlines if obj else (SideInline,)

    @display(description=_("sides"))
    def sides(self, facility: Facility) -> str:
        return " · ".join(str(side) for side in facility.partners.all())

    @display(description=_("status"), ordering="status")
    def status_label(self, facility: Facility) -> str:
        return status_badge(facility)
