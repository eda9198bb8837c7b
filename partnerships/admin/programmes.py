"""Programmes: who runs them, what belongs to them, and how far they are."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from partnerships.admin.base import CitationInline, Inlines, OfficeAdmin, PartInline, WordSearchMixin
from partnerships.admin.documents import DocumentInline
from partnerships.admin.figures import quoted
from partnerships.admin.filters import ScopedRelatedFilter
from partnerships.models import (
    Agreement,
    Demand,
    Facility,
    Programme,
    ProgrammeItem,
    ProgrammeOrganizer,
    ProgrammeTarget,
)
from partnerships.models.programmes import PROGRAMME_ITEMS
from partnerships.reports.figures import programme_progress
from partnerships.requests import user_of
from partnerships.workflows.programmes import edit_programme, register_programme


class OrganizerInline(PartInline):
    model = ProgrammeOrganizer
    fields = ("organization", "role")
    autocomplete_fields = ("organization",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("organization")


class TargetInline(PartInline):
    model = ProgrammeTarget
    fields = ("measure", "value", "by_on", "note")


class ItemInline(PartInline):
    """The records that belong to the programme, as far as the person may see them."""

    model = ProgrammeItem
    fields = PROGRAMME_ITEMS
    autocomplete_fields = PROGRAMME_ITEMS
    verbose_name_plural = _("items")
    tab = True
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        items = super().get_queryset(request).select_related(*PROGRAMME_ITEMS)
        user = user_of(request)
        if user.sees_all_units:
            return items
        # Everybody reads programmes and events, but not the agreements, facilities and demands of other units.
        return items.filter(
            Q(event__isnull=False)
            | Q(agreement__in=Agreement.objects.visible_to(user).order_by().values("pk"))
            | Q(facility__in=Facility.objects.visible_to(user).order_by().values("pk"))
            | Q(demand__in=Demand.objects.visible_to(user).order_by().values("pk"))
        )


class LabelInline(PartInline):
    """The same label, put on from the page of the event, agreement, facility or demand."""

    model = ProgrammeItem
    fields = ("programme",)
    autocomplete_fields = ("programme",)
    verbose_name = _("program")
    verbose_name_plural = _("programs")
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("programme")


@admin.register(Programme)
class ProgrammeAdmin(WordSearchMixin, OfficeAdmin):
    view_action, add_action, change_action = "programme.view", "programme.edit", "programme.edit"
    register_verb, edit_verb = staticmethod(register_programme), staticmethod(edit_programme)
    change_form_outer_before_template = "admin/partnerships/progress.html"
    list_display = ("name", "name_zh", "starts_on", "ends_on", "unit")
    list_filter = (("unit", ScopedRelatedFilter), "starts_on")
    list_select_related = ("unit",)
    search_fields = ("name",)
    search_help_text = _("Name, in Chinese or English")
    ordering = ("name", "pk")
    inlines = (OrganizerInline, TargetInline, ItemInline, DocumentInline, CitationInline)
    fieldsets = ((None, {"fields": (("name", "name_zh"), ("starts_on", "ends_on"), "unit", "summary")}),)

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Inlines:
        return self.inlines if obj else (OrganizerInline, TargetInline)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: object, **kwargs: object
    ) -> HttpResponse:
        programme = context.get("original")
        if programme is not None:
            lines = programme_progress(programme)
            context["progress"] = [(line, [(figure, quoted(figure)) for figure in line.reported]) for line in lines]
        return super().render_change_form(request, context, *args, **kwargs)
