"""Sources, and everything that was taken from each."""

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import ForeignKey, Model, QuerySet
from django.forms import HiddenInput, ModelChoiceField
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.base import (
    FieldNames,
    FieldSets,
    Inlines,
    PartInline,
    ReadOnlyInline,
    RecordAdmin,
    admin_link,
    admin_url,
)
from partnerships.admin.filters import ScopedRelatedFilter
from partnerships.admin.versions import RootForm
from partnerships.models import Citation, Source, Statement
from partnerships.requests import user_of
from partnerships.templatetags.office import field_label


class StatementInline(PartInline):
    """Numbered in the source's order; a citation says which of them it is taken from."""

    model = Statement
    fields = ("number", "opening", "text", "text_zh", "nothing_to_record")
    tab = True


class TakenInline(ReadOnlyInline):
    """Entered on the page of each record; here they are read together."""

    model = Citation
    fields = ("about", "sentence", "field", "printed", "is_assumption", "note")
    verbose_name_plural = _("citations")
    per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("content_type", "statement").prefetch_related("record")

    @display(description=_("record"))
    def about(self, citation: Citation) -> str:
        return f"{citation.content_type.name}: {citation.record}"

    @display(description=_("sentence"))
    def sentence(self, citation: Citation) -> str:
        return str(citation.statement.number) if citation.statement else "–"


class CitationForm(RootForm):
    class Meta:
        widgets = dict.fromkeys(("content_type", "object_id"), HiddenInput)


@admin.register(Citation)
class CitationAdmin(RecordAdmin):
    """A page of a citation. A new one is added from the page of the record that it is about."""

    view_action = add_action = change_action = "citation.edit"
    history_action = None
    form = CitationForm
    # The record is a link of its own, and the theme takes a first column that does not open the row for a checkbox.
    list_display = ("cited_field", "about", "source", "printed", "is_assumption")
    list_filter = (("source", ScopedRelatedFilter), "is_assumption")
    list_select_related = ("source", "content_type")
    search_fields = ("source__title", "printed", "note")
    ordering = ("-pk",)
    autocomplete_fields = ("source",)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> FieldSets:
        about = ("about",) if obj else ("content_type", "object_id")
        return ((None, {"fields": (*about, ("source", "statement"), "field", ("printed", "is_assumption"), "note")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> FieldNames:
        return ("about",) if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and "object_id" in {**request.GET, **request.POST}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("record")

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: object
    ) -> ModelChoiceField | None:
        if db_field.name == "content_type":
            kwargs["queryset"] = ContentType.objects.all()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def response_post_save_add(self, request: HttpRequest, obj: Citation) -> HttpResponseRedirect:
        """Go back to the record that it is about."""
        if obj.record is not None and self.admin_site.is_registered(type(obj.record)):
            return HttpResponseRedirect(admin_url(obj.record))
        return super().response_post_save_add(request, obj)

    response_post_save_change = response_post_save_add

    @display(description=_("record"))
    def about(self, citation: Citation) -> str:
        record = citation.record
        words = f"{citation.content_type.name}: {record}"
        has_page = record is not None and self.admin_site.is_registered(type(record))
        return admin_link(record, words) if record is not None and has_page else words

    @display(description=_("field"), ordering="field")
    def cited_field(self, citation: Citation) -> str:
        record = citation.record
        return (field_label(record, citation.field) if record is not None else "") or str(_("the record itself"))


@admin.register(Source)
class SourceAdmin(RecordAdmin):
    view_action, add_action, change_action = "source.view", "source.add", "source.edit"
    history_action = None
    list_display = ("title", "authors", "publisher", "published_on", "url")
    search_fields = ("title", "authors", "publisher")
    ordering = ("title", "pk")
    inlines = (StatementInline, TakenInline)
    fieldsets = ((None, {"fields": ("title", "authors", ("publisher", "published_on"), "url", "note")}),)

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Inlines:
        """Show the citations only to people who see all units."""
        # A source is cited for records of every unit.
        return self.inlines if obj and user_of(request).sees_all_units else (StatementInline,)
