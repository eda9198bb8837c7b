"""Reported figures: quoted numbers with the recorded count beside, and what is left to register."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.base import CitationInline, Inlines, RecordAdmin
from partnerships.admin.filters import AttentionFilter, ScopedRelatedFilter
from partnerships.admin.navigation import Attention
from partnerships.models import ReportedFigure
from partnerships.models.counting_rules import RULES
from partnerships.models.figures import FIGURE_SUBJECTS
from partnerships.models.sort_keys import ByName
from partnerships.reports.figures import to_register, with_recorded, with_some_to_register

ATTENTION = {
    "to_register": Attention(
        _("Reported figures with records to register"),
        "info",
        "difference",
        lambda rows, today: with_some_to_register(rows),
        rank=3,
        act=_("Compare"),
    ),
}


def quoted(figure: ReportedFigure) -> str:
    """Return the number as it is quoted, marked so that nobody takes it for a count of our records."""
    if figure.measure != ReportedFigure.Measure.COUNT:
        return format_html('<q class="pt-quoted">{}</q>', figure.printed)
    number = number_of(figure.value)
    return format_html('<q class="pt-quoted">{} {}</q>', figure.get_qualifier_display(), number)


def number_of(value: Decimal | None) -> str:
    if value is None:
        return "–"
    digits = max(-int(value.normalize().as_tuple().exponent), 0)
    return formats.number_format(value, decimal_pos=digits, force_grouping=True)


def counted_link(figure: Any) -> str:
    """Return the recorded number with a link to the list of exactly the records that it counts."""
    if figure.recorded_count is None:
        return "–"
    opts = RULES[figure.counting_rule](lambda _subject: None).model._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    return format_html('<a class="pt-link" href="{}?counted={}">{}</a>', url, figure.pk, figure.recorded_count)


@admin.register(ReportedFigure)
class ReportedFigureAdmin(RecordAdmin):
    view_action, add_action, change_action = "figure.view", "figure.edit", "figure.edit"
    attention = ATTENTION
    change_form_outer_before_template = "admin/partnerships/reconciliation.html"
    list_display = ("display_name", "about", "reported", "counted", "missing", "day_or_year", "unit")
    list_filter = (
        AttentionFilter,
        "measure",
        "counting_rule",
        ("source", ScopedRelatedFilter),
        ("unit", ScopedRelatedFilter),
        "as_of",
    )
    list_select_related = ("unit", *FIGURE_SUBJECTS)
    search_fields = ("name", "name_zh", "printed", "source__title")
    ordering = ("source", "pk")
    autocomplete_fields = ("source", "scheme", *FIGURE_SUBJECTS)
    inlines = (CitationInline,)
    fieldsets = (
        (None, {"fields": (("name", "name_zh"), "source", ("printed", "unit"))}),
        (_("As reported"), {"fields": (("qualifier", "value", "measure"), ("as_of", "as_of_precision"))}),
        (_("About one of"), {"fields": FIGURE_SUBJECTS}),
        (_("Compared with our records"), {"fields": (("counting_rule", "scheme"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_recorded(super().get_queryset(request))

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Inlines:
        return self.inlines if obj else ()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: object, **kwargs: object
    ) -> HttpResponse:
        figure = context.get("original")
        if figure is not None:
            context["reconciliation"] = {
                "quoted": quoted(figure),
                "counted": counted_link(figure),
                "missing": number_of(to_register(figure)),
                "rule": figure.get_counting_rule_display(),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description=_("figure"), ordering=ByName())
    def display_name(self, figure: ReportedFigure) -> str:
        return figure.display_name

    @display(description=_("about"))
    def about(self, figure: ReportedFigure) -> str:
        return str(figure.subject)

    @display(description=_("reported"), ordering="value")
    def reported(self, figure: ReportedFigure) -> str:
        return quoted(figure)

    @display(description=_("recorded"), ordering="recorded_count")
    def counted(self, figure: ReportedFigure) -> str:
        return counted_link(figure)

    @display(description=_("as of"), ordering="as_of")
    def day_or_year(self, figure: ReportedFigure) -> str:
        """Return the day, or the year alone where the source says no more."""
        is_year = figure.as_of_precision == ReportedFigure.Precision.YEAR
        return str(figure.as_of.year) if is_year else figure.as_of.isoformat()

    @display(description=_("to register"))
    def missing(self, figure: ReportedFigure) -> str:
        return number_of(to_register(figure))
