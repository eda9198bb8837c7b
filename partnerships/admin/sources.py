"""Sources, and everything that was taken from each."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.base import PartInline, ReadOnlyInline, RecordAdmin
from partnerships.models import Citation, Source, Statement


class StatementInline(PartInline):
    """Numbered in the source's order; a citation says which of them it is taken from."""

    model = Statement
    fields = ("number", "opening", "text", "text_zh", "nothing_to_record")
    tab = True


class TakenInline(ReadOnlyInline):
    """Entered on the page of each record; here they are read together."""

    model = Citation
    fields = ("about", "sentence", "field", "printed", "is_assumption", "note")
    verbose_name_plural = _("what was taken from it")
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("content_type", "statement").prefetch_related("record")

    @display(description=_("record"))
    def about(self, citation: Citation) -> str:
        return f"{citation.content_type.name}: {citation.record}"

    @display(description=_("sentence"))
    def sentence(self, citation: Citation) -> str:
        return str(citation.statement.number) if citation.statement else "–"


@admin.register(Source)
class SourceAdmin(RecordAdmin):
    view_action, add_action, change_action, delete_action = "source.view", "source.add", "source.edit", "source.edit"
    history_action = None
    list_display = ("title", "publisher", "published_on", "url")
    search_fields = ("title", "publisher")
    ordering = ("title", "pk")
    inlines = (StatementInline, TakenInline)
    fieldsets = ((None, {"fields": ("title", ("publisher", "published_on"), "url", "note")}),)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """All records of all units are cited here: what was taken is for those who see all units."""
        return self.inlines if obj and request.user.sees_all_units else (StatementInline,)
