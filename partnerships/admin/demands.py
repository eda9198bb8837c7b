"""Enterprises ask, universities answer: demands, the answers to them, and achievements on offer."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.agreements import MilestoneInline, choose_by_autocomplete
from partnerships.admin.base import (
    CitationInline,
    FieldNames,
    FieldSets,
    Inlines,
    OfficeAdmin,
    ReadOnlyInline,
    RecordAdmin,
    TitledMixin,
    WordSearchMixin,
    admin_link,
    status_badge,
)
from partnerships.admin.documents import DocumentInline
from partnerships.admin.filters import AttentionFilter, CountedFilter, MineFilter, OpenFilter, ScopedRelatedFilter
from partnerships.admin.navigation import Attention, Tier, WorstCase
from partnerships.admin.outcomes import DemandOutcomeInline
from partnerships.admin.programmes import LabelInline
from partnerships.admin.steps import MakeForm, StepsMixin, Verb
from partnerships.forms.demands import AgreementOutcomeForm, AskUnitsForm, OutcomeForm, ProjectOutcomeForm
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.office_day import office_today
from partnerships.models import Achievement, AgreementParty, Answer, Demand
from partnerships.requests import user_of
from partnerships.statuses import DemandStatus
from partnerships.workflows.demands import edit_answer, edit_demand, register_demand

DATES = ("asked_on", "answered_on", "agreed_on", "closed_on")
ANSWER_DATES = ("proposed_on", "shortlisted_on", "chosen_on", "declined_on")


def _ask_units(row: Demand, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    return AskUnitsForm(data, row=row, today=office_today(row))


def _agree(form_class: type[OutcomeForm]) -> MakeForm:
    def make_form(row: Demand, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
        form = form_class(data, row=row, today=office_today(row))
        choose_by_autocomplete(form, "partner", AgreementParty._meta.get_field("organization"))
        return form

    return make_form


def _is_pending(row: Demand) -> bool:
    return row.is_pending


VERBS = (
    Verb("ask_units", _("Ask units"), "demand.edit", _ask_units, _is_pending),
    Verb("agree_with_agreement", _("Turn into an agreement"), "demand.edit", _agree(AgreementOutcomeForm), _is_pending),
    Verb(
        "agree_with_project", _("Turn into a research project"), "demand.edit", _agree(ProjectOutcomeForm), _is_pending
    ),
)
ATTENTION = {
    "past_deadline": Attention(
        _("Demands past their deadline"),
        "danger",
        "contact_support",
        lambda rows, today: rows.pending().filter(deadline_on__lt=today),
        rank=3,
        tier=Tier.TODAY,
        worst=WorstCase("deadline_on"),
    ),
    "unanswered": Attention(
        _("Waiting for an answer"),
        "info",
        "hourglass",
        lambda rows, today: rows.filter(status__in=(DemandStatus.RELEASED, DemandStatus.ASKED)),
        is_on_index=False,
    ),
}


class AnswerInline(ReadOnlyInline):
    """Each answer has a page of its own with its steps; units are asked by the verb."""

    model = Answer
    fields = ("who", "unit", "organization", "achievement", "match_reason", "status_label")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("unit", "organization", "achievement")
        return rows.visible_to(user_of(request))

    @display(description=_("answer"))
    def who(self, answer: Answer) -> str:
        return admin_link(answer)

    @display(description=_("stage"))
    def status_label(self, answer: Answer) -> str:
        return status_badge(answer)


@admin.register(Demand)
class DemandAdmin(TitledMixin, WordSearchMixin, StepsMixin, OfficeAdmin):
    view_action, add_action, change_action = "demand.view", "demand.add", "demand.edit"
    register_verb, edit_verb = staticmethod(register_demand), staticmethod(edit_demand)
    danger_steps = frozenset({"close"})
    verbs = VERBS
    attention = ATTENTION
    open_rows, open_label = staticmethod(lambda rows, today: rows.pending()), _("Open demands")
    list_display = ("display_title", "organization", "field", "deadline_on", "owner", "unit", "status_label")
    list_filter = (
        OpenFilter,
        AttentionFilter,
        "status",
        "is_content_published",
        ("unit", ScopedRelatedFilter),
        MineFilter,
        "deadline_on",
        CountedFilter,
    )
    list_select_related = ("organization", "owner", "unit")
    search_fields = ("title",)
    search_help_text = _("Title, wording, field or who asks, in Chinese or English")
    ordering = ("-released_on", "-pk")
    autocomplete_fields = ("organization", "owner", "event", "through")
    readonly_fields = DATES
    inlines = (AnswerInline, DemandOutcomeInline, MilestoneInline, LabelInline, DocumentInline, CitationInline)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> FieldSets:
        what = (
            "title",
            "title_zh",
            ("organization", "field"),
            ("unit", "owner"),
            ("released_on", "deadline_on"),
            ("event", "through"),
        )
        wording = ("is_content_published", "original_wording", "rewritten_wording")
        shown: FieldSets = ((None, {"fields": what}), (_("What is asked"), {"fields": wording}))
        dates = tuple(name for name in DATES if obj and getattr(obj, name))
        return (*shown, (_("Status and dates"), {"fields": dates})) if dates else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> FieldNames:
        """Lock the unit: the deadline and the outcomes of the demand stay with it."""
        return (*self.readonly_fields, "unit") if obj else self.readonly_fields

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Inlines:
        return self.inlines if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"released_on": office_today(), **super().get_changeform_initial_data(request)}

    @display(description=_("status"), ordering="status")
    def status_label(self, demand: Demand) -> str:
        return status_badge(demand)


@admin.register(Answer)
class AnswerAdmin(StepsMixin, OfficeAdmin):
    """Seen and written by the unit asked and by the demand's own; a rival's answer is seen by neither rival."""

    view_action, change_action = "demand.view", "answer.edit"
    edit_verb = staticmethod(edit_answer)
    danger_steps = frozenset({"decline"})
    list_display = ("demand", "unit", "person", "organization", "achievement", "status_label")
    list_filter = ("status", ("unit", ScopedRelatedFilter))
    list_select_related = ("demand", "unit", "organization", "achievement")
    search_fields = ("person",)
    search_help_text = _("Who answers, or the demand, in Chinese or English")
    ordering = ("-pk",)
    autocomplete_fields = ("organization", "achievement")
    readonly_fields = ("demand_link", "unit", *ANSWER_DATES)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        if term := search_term.strip():
            demands = Demand.objects.search(term).order_by().values("pk")
            queryset = queryset.filter(Q(demand__in=demands) | Q(person__icontains=term))
        return queryset, False

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> FieldSets:
        who = ("demand_link", ("unit", "person"), "organization")
        what = ("achievement", "match_reason", "summary")
        dates = tuple(name for name in ANSWER_DATES if obj and getattr(obj, name))
        shown: FieldSets = ((None, {"fields": who}), (_("What it says"), {"fields": what}))
        return (*shown, (_("Stage and dates"), {"fields": dates})) if dates else shown

    @display(description=_("demand"))
    def demand_link(self, answer: Answer) -> str:
        return admin_link(answer.demand)

    @display(description=_("stage"), ordering="status")
    def status_label(self, answer: Answer) -> str:
        return status_badge(answer)


@admin.register(Achievement)
class AchievementAdmin(WordSearchMixin, RecordAdmin):
    view_action, add_action, change_action = "achievement.view", "achievement.edit", "achievement.edit"
    list_display = ("name", "name_zh", "organization", "field", "is_on_offer", "unit")
    list_filter = ("is_on_offer", ("unit", ScopedRelatedFilter))
    list_select_related = ("organization", "unit")
    search_fields = ("name",)
    search_help_text = _("Name, field or who offers it, in Chinese or English")
    ordering = ("name", "pk")
    autocomplete_fields = ("organization",)
    inlines = (CitationInline,)
    fieldsets = (
        (None, {"fields": (("name", "name_zh"), ("organization", "unit"), ("field", "is_on_offer"), "description")}),
        (_("People and intellectual property"), {"fields": ("people", "intellectual_property")}),
    )

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Inlines:
        return self.inlines if obj else ()
