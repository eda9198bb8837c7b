"""Documents and their versions; files come in through ``workflows.documents`` alone."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget

from partnerships.admin.base import FieldNames, Inlines, LinkedInline, OfficeAdmin, ReadOnlyInline
from partnerships.admin.versions import RootForm
from partnerships.forms.documents import UploadField
from partnerships.models import Document, DocumentVersion
from partnerships.models.documents import DOCUMENT_TARGETS
from partnerships.permissions import refusal
from partnerships.requests import user_of
from partnerships.workflows.documents import edit_document, register_document


class DocumentAdminForm(RootForm):
    """A document with the file that becomes its next version; a new document needs one."""

    upload = UploadField(label=_("new file"), required=False, widget=UnfoldAdminFileFieldWidget)

    field_names = {"file": "upload"}

    def arguments(self) -> dict[str, object]:
        return {"file": self.cleaned_data["upload"], "at": timezone.now()}


def download_link(version: DocumentVersion | None) -> str:
    if version is None:
        return "–"
    return format_html('<a class="pt-link" href="{}">{}</a>', version.address, version.original_name)


class DocumentInline(LinkedInline):
    model = Document
    fields = ("link", "kind", "latest")
    verbose_name_plural = _("documents")

    def may_add(self, request: HttpRequest, root: Model) -> bool:
        return refusal(user_of(request), "document.upload", Document(**{self.target_name(): root})) is None

    def target_name(self) -> str:
        """Return the column of a document that points at the rows of this page."""
        names = (self.fk_name, *DOCUMENT_TARGETS) if self.fk_name else DOCUMENT_TARGETS
        return next(name for name in names if self._points_at(name))

    def _points_at(self, name: str) -> bool:
        return Document._meta.get_field(name).related_model is self.parent_model._meta.concrete_model

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Leave out documents of other units: the page of an event, honour or programme is open to all."""
        return super().get_queryset(request).visible_to(user_of(request)).prefetch_related("versions")

    @display(description=_("current file"))
    def latest(self, document: Document) -> str:
        return download_link(next(iter(document.versions.all()), None))


class VersionInline(ReadOnlyInline):
    model = DocumentVersion
    fields = ("number", "file_link", "content_type", "size", "uploaded_by", "uploaded_at", "sha256")
    verbose_name_plural = _("versions, newest first")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("uploaded_by")

    @display(description=_("file"))
    def file_link(self, version: DocumentVersion) -> str:
        return download_link(version)


@admin.register(Document)
class DocumentAdmin(OfficeAdmin):
    view_action, add_action, change_action = "document.view", "document.upload", "document.replace"
    form = DocumentAdminForm
    register_verb, edit_verb = staticmethod(register_document), staticmethod(edit_document)
    list_display = ("title", "kind", "level", "belongs_to", "latest")
    list_filter = ("kind", "level")
    search_fields = ("title",)
    ordering = ("-pk",)
    list_select_related = (*DOCUMENT_TARGETS, "honour__scheme", "honour__organization")
    autocomplete_fields = DOCUMENT_TARGETS
    inlines = (VersionInline,)
    fieldsets = (
        (None, {"fields": (("kind", "title"), "level", "upload")}),
        (_("Belongs to one of"), {"fields": DOCUMENT_TARGETS}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("versions")

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Inlines:
        return super().get_inlines(request, obj) if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> FieldNames:
        """Lock the record that a document belongs to."""
        # Moving the document would open it to everybody who sees the other record.
        return DOCUMENT_TARGETS if obj else ()

    @display(description=_("belongs to"))
    def belongs_to(self, document: Document) -> str:
        return str(document.target)

    @display(description=_("current file"))
    def latest(self, document: Document) -> str:
        return download_link(next(iter(document.versions.all()), None))
