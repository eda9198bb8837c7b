"""Activities with what each kind needs, and notes of calls and messages."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.base import (
    CitationInline,
    FieldNames,
    FieldSets,
    Inlines,
    OfficeAdmin,
    PartInline,
    StackedPartInline,
    TitledMixin,
    WordSearchMixin,
    status_badge,
)
from partnerships.admin.documents import DocumentInline
from partnerships.admin.filters import AttentionFilter, MineFilter, OpenFilter, ScopedRelatedFilter
from partnerships.admin.hidden_records import hides_records
from partnerships.admin.navigation import Attention
from partnerships.admin.outcomes import origin_of
from partnerships.admin.steps import StepsMixin
from partnerships.forms.office_day import office_today
from partnerships.models import (
    Activity,
    ActivityCredit,
    ActivityKind,
    ActivityOrganization,
    ContactNote,
    ResearchProject,
    Training,
    Visit,
)
from partnerships.workflows.activities import (
    edit_activity,
    edit_contact_note,
    register_activity,
    register_contact_note,
)


class PartnerInline(PartInline):
    model = ActivityOrganization
    fields = ("organization",)
    autocomplete_fields = ("organization",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("organization")


class CreditInline(PartInline):
    model = ActivityCredit
    fields = ("area", "organization", "quantity")
    autocomplete_fields = ("organization",)
    verbose_name_plural = _("counts for")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("area", "organization")


class DetailInline(StackedPartInline):
    """The details of one kind of activity: one row or none."""

    extra = max_num = 1
    can_delete = False


class TrainingInline(DetailInline):
    model = Training
    fields = ("audience", ("headcount", "hours"))


class ResearchProjectInline(DetailInline):
    model = ResearchProject
    fields = ("principal_investigator", ("budget", "currency"), "outcomes", "intellectual_property")


class VisitInline(DetailInline):
    model = Visit
    fields = ("host", "delegation", "findings")
    autocomplete_fields = ("host",)


DETAILS: Mapping[str, type[DetailInline]] = {
    ActivityKind.TRAINING: TrainingInline,
    ActivityKind.RESEARCH_PROJECT: ResearchProjectInline,
    ActivityKind.VISIT: VisitInline,
}
DATES = ("started_on", "completed_on", "postponed_on", "cancelled_on")


@admin.register(Activity)
@hides_records
class ActivityAdmin(TitledMixin, WordSearchMixin, StepsMixin, OfficeAdmin):
    view_action, add_action, change_action = "activity.view", "activity.add", "activity.edit"
    register_verb, edit_verb = staticmethod(register_activity), staticmethod(edit_activity)
    danger_steps = frozenset({"cancel"})
    attention = {
        "late": Attention(
            _("Planned, but its day has passed"),
            "warning",
            "history",
            lambda rows, today: (
                rows.unfinished().filter(starts_on__lt=today, ends_on__isnull=True)
                | rows.unfinished().filter(ends_on__lt=today)
            ),
            is_on_index=False,
        ),
    }
    open_rows, open_label = staticmethod(lambda rows, today: rows.unfinished()), _("Unfinished activities")
    list_display = ("display_title", "kind", "agreement", "starts_on", "owner", "unit", "status_label")
    list_filter = (
        OpenFilter,
        AttentionFilter,
        "status",
        "kind",
        ("unit", ScopedRelatedFilter),
        MineFilter,
        "starts_on",
    )
    list_select_related = ("agreement", "owner", "unit")
    search_fields = ("title",)
    search_help_text = _("Title, place or organization, in Chinese or English")
    ordering = ("-starts_on", "-pk")
    autocomplete_fields = ("agreement", "event", "through", "owner")
    readonly_fields = ("next_step", "no_next_step_reason", *DATES)
    inlines = (PartnerInline, CreditInline, DocumentInline, CitationInline)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> FieldSets:
        what = (
            "title",
            "title_zh",
            ("kind", "unit"),
            ("owner", "agreement"),
            ("event", "through"),
            ("starts_on", "ends_on"),
            "place",
            "summary",
        )
        if obj is None:
            return ((None, {"fields": what}),)
        dates = tuple(name for name in DATES if getattr(obj, name))
        nexts = tuple(name for name in ("next_step", "no_next_step_reason") if getattr(obj, name))
        sets: FieldSets = ((None, {"fields": what}),)
        return (*sets, (_("Status and dates"), {"fields": (*dates, *nexts)})) if dates or nexts else sets

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> FieldNames:
        """Lock the kind, which decides which details an activity has."""
        return (*self.readonly_fields, "kind") if obj else self.readonly_fields

    def get_inlines(self, request: HttpRequest, obj: Activity | None) -> Inlines:
        if obj is None:
            return (PartnerInline,)
        detail = DETAILS.get(obj.kind)
        shown: Inlines = (*self.inlines, *origin_of(obj))
        return (detail, *shown) if detail else shown

    def response_add(self, request: HttpRequest, obj: Activity, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the page of the activity if its kind has details, which are entered there."""
        response = super().response_add(request, obj, post_url_continue)
        if "_save" in request.POST and obj.kind in DETAILS:
            return HttpResponseRedirect(reverse("admin:partnerships_activity_change", args=[obj.pk]))
        return response

    @display(description=_("status"), ordering="status")
    def status_label(self, activity: Activity) -> str:
        return status_badge(activity)


@admin.register(ContactNote)
@hides_records
class ContactNoteAdmin(OfficeAdmin):
    view_action, add_action, change_action = "contact_note.view", "contact_note.add", "contact_note.edit"
    register_verb, edit_verb = staticmethod(register_contact_note), staticmethod(edit_contact_note)
    list_display = ("happened_on", "channel", "agreement", "organization", "contact", "author", "unit")
    list_filter = ("channel", ("unit", ScopedRelatedFilter), "happened_on")
    list_select_related = ("agreement", "organization", "contact", "author", "unit")
    search_fields = ("summary",)
    ordering = ("-happened_on", "-pk")
    autocomplete_fields = ("agreement", "organization", "contact", "milestone")
    readonly_fields = ("author",)
    fieldsets = (
        (None, {"fields": (("happened_on", "channel"), "summary", "unit")}),
        (_("About"), {"fields": (("agreement", "organization"), ("contact", "milestone"))}),
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"happened_on": office_today(), **super().get_changeform_initial_data(request)}
