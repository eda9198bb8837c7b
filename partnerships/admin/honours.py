"""Honour schemes with their ladder, and the honours that organizations hold until they lapse."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.agreements import MilestoneInline
from partnerships.admin.base import (
    CitationInline,
    FieldNames,
    FieldSets,
    Inlines,
    OfficeAdmin,
    RecordAdmin,
    WordSearchMixin,
    admin_link,
    badge,
    status_badge,
)
from partnerships.admin.documents import DocumentInline
from partnerships.admin.filters import AttentionFilter, ScopedRelatedFilter
from partnerships.admin.navigation import Attention, WorstCase
from partnerships.admin.steps import StepsMixin
from partnerships.dates import add_months
from partnerships.models import Honour, HonourScheme
from partnerships.workflows.honours import edit_honour, register_honour

HALF_YEAR = 6  # months
ATTENTION = {
    "lapsing": Attention(
        _("Honors that lapse in the next half-year"),
        "warning",
        "workspace_premium",
        lambda rows, today: rows.lapsing(today, until=add_months(today, HALF_YEAR)),
        rank=2,
        worst=WorstCase("valid_until", ("organization", "scheme"), words=lambda day, today: date_format(day)),
    ),
    "could_rise": Attention(
        _("Could apply for the next level"),
        "success",
        "trending_up",
        lambda rows, today: rows.could_rise(today),
        is_on_index=False,
    ),
    "lapsed": Attention(
        _("Lapsed"),
        "neutral",
        "history",
        lambda rows, today: rows.recorded().filter(valid_until__lt=today),
        is_on_index=False,
    ),
}


@admin.register(HonourScheme)
class HonourSchemeAdmin(RecordAdmin):
    """The catalogue is the office's, like the other tables it keeps for everybody."""

    view_action, add_action, change_action = "honour.view", "reference.edit", "reference.edit"
    history_action = None
    list_display = ("name", "name_zh", "level", "issuer", "validity_months", "next_scheme")
    list_filter = ("level",)
    list_select_related = ("next_scheme",)
    search_fields = ("name", "name_zh", "issuer")
    ordering = ("name", "pk")
    autocomplete_fields = ("next_scheme",)
    readonly_fields = ("ladder",)
    inlines = (CitationInline,)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> FieldSets:
        what = (("name", "name_zh"), ("level", "issuer"), ("validity_months", "next_scheme"))
        return ((None, {"fields": (*what, "ladder") if obj else what}),)

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Inlines:
        return self.inlines if obj else ()

    @display(description=_("ladder"))
    def ladder(self, scheme: HonourScheme) -> object:
        """Return links from the schemes below through this one to the top."""
        below = [(admin_link(previous),) for previous in scheme.previous_schemes.all()]
        rungs = [(admin_link(rung),) for rung in scheme.with_levels_above()]
        if below:
            rungs.insert(0, (format_html_join(", ", "{}", below),))
        return format_html_join(" → ", "{}", rungs)


@admin.register(Honour)
class HonourAdmin(WordSearchMixin, StepsMixin, OfficeAdmin):
    view_action, add_action, change_action = "honour.view", "honour.edit", "honour.edit"
    register_verb, edit_verb = staticmethod(register_honour), staticmethod(edit_honour)
    attention = ATTENTION
    list_display = ("organization", "scheme", "level", "batch", "granted_on", "lapse", "status_label", "unit")
    list_filter = (
        AttentionFilter,
        "status",
        "scheme__level",
        ("scheme", ScopedRelatedFilter),
        ("unit", ScopedRelatedFilter),
        "valid_until",
    )
    list_select_related = ("organization", "scheme", "unit")
    search_fields = ("batch",)
    search_help_text = _("Honor, batch or holder, in Chinese or English")
    ordering = ("-granted_on", "-pk")
    autocomplete_fields = ("organization", "scheme")
    inlines = (MilestoneInline, DocumentInline, CitationInline)
    fieldsets = (
        (None, {"fields": (("organization", "scheme"), ("batch", "unit"), ("granted_on", "valid_until"), "evidence")}),
    )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Fetch scheme and holder, by which an autocomplete names each row."""
        found, has_duplicates = super().get_search_results(request, queryset, search_term)
        return found.select_related("organization", "scheme"), has_duplicates

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> FieldNames:
        """Lock the unit: the milestone of the lapse stays with it."""
        return ("unit",) if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Inlines:
        return self.inlines if obj else ()

    @display(description=_("status"), ordering="status")
    def status_label(self, honour: Honour) -> str:
        return status_badge(honour)

    @display(description=_("level"), ordering="scheme__level")
    def level(self, honour: Honour) -> str:
        return honour.scheme.get_level_display()

    @display(description=_("valid until"), ordering="valid_until")
    def lapse(self, honour: Honour) -> str:
        if honour.valid_until is None:
            return "–"
        day = honour.valid_until.isoformat()
        return (
            badge(_("lapsed %(day)s") % {"day": day}, "neutral") if honour.valid_until < timezone.localdate() else day
        )
