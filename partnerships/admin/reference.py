"""Tables the office keeps for everybody: types, areas, regions, working days."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from partnerships.admin.base import FieldNames, PartInline, RecordAdmin
from partnerships.models import (
    AgreementType,
    ApprovalStep,
    CalendarDay,
    CooperationArea,
    Region,
    TypeMilestone,
    WorkCalendar,
)


class ReferenceAdmin(RecordAdmin):
    """A page of a table that everybody reads and the office keeps."""

    view_action, add_action, change_action = "reference.view", "reference.edit", "reference.edit"
    history_action = None
    ordering = ("name", "pk")
    search_fields = ("name", "name_zh", "code")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> FieldNames:
        """Lock the code of a row, by which seeds and imports find it."""
        return ("code",) if obj else ()


class DefaultMilestoneInline(PartInline):
    model = TypeMilestone
    fields = ("title", "title_zh", "kind", "months_after_signing", "requires_acceptance")


class ApprovalStepInline(PartInline):
    model = ApprovalStep
    fields = ("position", "name", "name_zh", "needs_meeting")


@admin.register(AgreementType)
class AgreementTypeAdmin(ReferenceAdmin):
    list_display = ("name", "name_zh", "review_months", "lead_days", "is_active")
    list_filter = ("is_active",)
    inlines = (DefaultMilestoneInline, ApprovalStepInline)
    fieldsets = (
        (None, {"fields": (("name", "name_zh"), "code", "is_active")}),
        (_("The office's rules"), {"fields": (("review_months", "lead_days"), "review_workdays")}),
    )


@admin.register(CooperationArea)
class CooperationAreaAdmin(ReferenceAdmin):
    list_display = ("name", "name_zh", "is_active")
    list_filter = ("is_active",)
    fieldsets = ((None, {"fields": (("name", "name_zh"), "code", "is_active")}),)


@admin.register(Region)
class RegionAdmin(ReferenceAdmin):
    list_display = ("name", "name_zh", "level", "parent")
    list_filter = ("level",)
    list_select_related = ("parent",)
    autocomplete_fields = ("parent",)
    fieldsets = ((None, {"fields": (("name", "name_zh"), "code", ("level", "parent"), "note")}),)


class DayInline(PartInline):
    model = CalendarDay
    fields = ("day", "name", "name_zh", "is_workday")
    per_page = 100


@admin.register(WorkCalendar)
class WorkCalendarAdmin(ReferenceAdmin):
    list_display = ("name", "name_zh", "covered_until")
    inlines = (DayInline,)
    fieldsets = ((None, {"fields": (("name", "name_zh"), ("code", "covered_until"))}),)
