"""Base classes of the admin's pages: permissions, scoped choices, versions, history."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import messages
from django.contrib.admin import AdminSite, SimpleListFilter
from django.contrib.admin import ModelAdmin as DjangoAdmin
from django.contrib.admin.options import BaseModelAdmin, InlineModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page
from django.db.models import Field, ForeignKey, Model, QuerySet, TextField, URLField
from django.db.models.options import Options
from django.forms import BaseForm, BaseInlineFormSet, ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, strip_tags
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from simple_history.models import DeletedObject, HistoricalChanges, ModelChange
from simple_history.template_utils import HistoricalRecordContextHelper
from unfold.admin import GenericTabularInline, ModelAdmin, StackedInline, TabularInline
from unfold.decorators import display
from unfold.views import ChangeList as UnfoldList
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from partnerships.admin.bulk import BulkActionsMixin
from partnerships.admin.filters import is_open_list
from partnerships.admin.navigation import Attention
from partnerships.admin.part_history import part_changes
from partnerships.admin.versions import PartForm, PartFormSet, Refused, RootForm
from partnerships.exceptions import DomainError
from partnerships.forms.choices import choosable
from partnerships.forms.consequences import consequences_of
from partnerships.forms.deletions import DeletionForm, references_shown
from partnerships.forms.names import EitherNameMixin, EitherTitleMixin
from partnerships.forms.numbers import number_or_none
from partnerships.forms.office_day import office_today
from partnerships.lists import cells
from partnerships.models import Citation, SavedView, StatusChange, User, hide_unseen, shown_to
from partnerships.models.base import AmountColumn, CurrencyColumn, TitledModel, WholeNumberMixin, status_of
from partnerships.models.hidden_records import search_as
from partnerships.models.sort_keys import ByName, is_reader_chinese, order_by_column, sort_keys
from partnerships.operations.security_log import note_hidden
from partnerships.partial_dates import PartialDate
from partnerships.permissions import may
from partnerships.requests import user_of
from partnerships.texts import LazyText
from partnerships.workflows.deletions import deletion_action
from partnerships.workflows.records import edit_record, register_record

# What Django's own list filters append to a field's name.
FILTER_LOOKUPS = ("exact", "isnull", "gte", "lt", "id__exact")

if TYPE_CHECKING:
    from django.contrib.admin.options import _FieldGroups, _FieldsetSpec
    from django.utils.datastructures import _ListOrTuple

    # The types of Django's page options: names of fields, fields in rows and under titles, inlines.
    FieldNames = _ListOrTuple[str]
    FieldRows = _FieldGroups
    FieldSets = _FieldsetSpec
    Inlines = _ListOrTuple[type[InlineModelAdmin]]

    AdminBase = BaseModelAdmin

    class PageBase(DjangoAdmin):
        """The class that the mixins of pages extend, with the members that its published types lack."""

        def _get_obj_does_not_exist_redirect(
            self, request: HttpRequest, opts: Options, object_id: str
        ) -> HttpResponse: ...
        def get_queryset(self, request: HttpRequest) -> Any: ...
        def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any: ...
        def render_change_form(
            self, request: HttpRequest, context: dict[str, Any], *args: object, **kwargs: object
        ) -> HttpResponse: ...

    class InlineBase(InlineModelAdmin):
        """The class that the mixins of inlines extend."""

        def get_queryset(self, request: HttpRequest) -> Any: ...

else:
    AdminBase = PageBase = InlineBase = object
    FieldNames = FieldRows = FieldSets = Inlines = Sequence


# The theme's number fields are the browser's, which take neither 1,000 nor 100万.
TYPED_COLUMNS: Mapping[type[Field], dict[str, Any]] = {
    AmountColumn: {"widget": UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"})},
    WholeNumberMixin: {"widget": UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"})},
    CurrencyColumn: {"widget": UnfoldAdminSelectWidget},
}


def badge(text: object, tone: str) -> str:
    """Return a chip as on the pages; its dot has a shape, so that the color is not the only sign."""
    return format_html('<span class="pt-chip pt-tone-{}">{}</span>', tone, text)


def status_badge(row: Model) -> str:
    status = status_of(row)
    return badge(status.label, status.tone)


def cut(words: str) -> str:
    """Return words that the column of a list may cut at its end; they stand in whole in the title."""
    return format_html('<span class="pt-cut" title="{0}">{0}</span>', words) if words else ""


def shown_day(value: PartialDate | dt.date | None) -> str:
    """Return a date as the pages write it; empty for none."""
    return cells.day(value) if value else ""


def admin_url(row: Model) -> str:
    """Return the address of the page of ``row`` in the admin."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def admin_link(row: Model, text: object = None) -> str:
    """Return a link to the page of ``row`` in the admin."""
    return format_html('<a class="pt-link" href="{}">{}</a>', admin_url(row), text or row)


def web_link_or_text(shown: str) -> str:
    """Return the theme's link to a stored address; the text alone where it leads elsewhere, such as ``javascript:``."""
    is_of_the_web = shown.lower().startswith(('<a href="http://', '<a href="https://'))
    return shown if is_of_the_web else strip_tags(shown)


# Fields that answer a question of a verb. The page shows each once it was asked.
ANSWERS = ("is_another", "is_code_right", "is_more_meant")


class ScopedMixin(PageBase):
    """Permissions come from ``may`` and rows from ``visible_to``; Django's own permissions are not asked."""

    view_action: str
    add_action: str | None = None
    change_action: str | None = None

    def allows(self, request: HttpRequest, action: str | None, obj: Model | None = None) -> bool:
        """``may``, asked once for each row and request: a page asks some twenty times."""
        if action is None:
            return False
        answers = request.__dict__.setdefault("_admin_answers", {})
        # With the unit: while a form is validated, Django sets the chosen unit on the same object.
        key = (action, obj and (type(obj), obj.pk, getattr(obj, "unit_id", None)))
        if key not in answers:
            answers[key] = may(user_of(request), action, obj)
        return answers[key]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.allows(request, self.view_action, obj) or self.allows(request, self.change_action, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.allows(request, self.add_action)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.allows(request, self.change_action, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether a row may be deleted by its verb; the page says what still refers to it."""
        return obj is not None and self.allows(request, deletion_action(self.model), obj)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row if the user sees it; a request for a row outside their scope is written to the security log."""
        row = super().get_object(request, object_id, from_field)
        if row is None and (pk := number_or_none(object_id)) is not None:
            note_hidden(self.model, pk)
        return row

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return the rows the user sees, as the model's own kind of queryset."""
        rows = super().get_queryset(request)
        return rows.visible_to(user_of(request)) if hasattr(rows, "visible_to") else rows

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Hide what the rows of the list refer to and the user may not see."""
        shown = super().get_changelist_instance(request)
        hide_unseen(shown.result_list, user_of(request))  # reads the rows once, into the cache of the queryset
        return shown


class ChoicesMixin(AdminBase):
    """Drop-downs, autocompletes and posted ids are limited to what the person may choose."""

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: object
    ) -> ModelChoiceField | None:
        kwargs.setdefault("queryset", choosable(db_field.remote_field.model, user_of(request)))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class WordSearchMixin(PageBase):
    """A search in the folded text of the rows and of what they are about, in place of Django's columns."""

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        return (search_as(user_of(request), queryset, search_term) if search_term.strip() else queryset), False


class TitledMixin(PageBase):
    """A list with the title in the reader's language."""

    @display(description=_("title"), ordering=ByName())
    def display_title(self, row: TitledModel) -> str:
        return row.display_title


class NameSortedList(UnfoldList):
    """A list whose columns of names are sorted by sort key, each by its own: names in English, or those in Chinese."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[Any]:
        keys = {key.columns[0]: key.name for key in sort_keys(self.model)}
        ordering = super().get_ordering(request, queryset)
        return [_by_key(item, keys) if isinstance(item, str) else item for item in ordering]

    def _get_default_ordering(self) -> Sequence[Any]:
        """Return the columns whose heads are marked as sorted while the reader has chosen none."""
        has_both = is_reader_chinese() and any(key.columns[0] == "name_zh" for key in sort_keys(self.model))
        return ["name_zh" if item == "name" and has_both else item for item in super()._get_default_ordering()]


def _by_key(column: str, keys: Mapping[str, str]) -> str:
    sign = "-" if column.startswith("-") else ""
    name = column.removeprefix("-")
    return f"{sign}{keys.get(name, name)}"


class PlainAdmin(BulkActionsMixin, ChoicesMixin, ScopedMixin, ModelAdmin):
    """A page for rows without history."""

    form: type[RootForm] = RootForm
    formfield_overrides = {
        TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 4})},
        URLField: {"assume_scheme": "https"},
        **TYPED_COLUMNS,
    }
    # The verbs of the aggregate, as static methods: ``workflows.edits`` says how they are called.
    register_verb: Callable[..., object]
    edit_verb: Callable[..., object]
    attention: Mapping[str, Attention] = {}
    # The rows a list opens on, with ``OpenFilter`` among its filters, and what these are called.
    open_rows: Callable[[Any, dt.date], QuerySet] | None = None
    open_label: LazyText = ""
    # Stands above the list.
    list_intro_template = ""
    list_before_template = "admin/partnerships/list_head.html"
    list_per_page = 50
    show_full_result_count = False
    list_filter_sheet = True
    compressed_fields = True
    warn_unsaved_form = True
    change_form_template = "admin/partnerships/change_form.html"

    @property
    def readonly_preprocess_fields(self) -> Mapping[str, Callable[[str], str]]:
        """Return what the theme applies to the fields of the page that are shown and not edited."""
        return {one.name: web_link_or_text for one in self.opts.fields if isinstance(one, URLField)}

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Return the order of lists and choices: by name, that is by the name that the reader sees."""
        by_name = {column: order_by_column(self.model, str(column)) for column in super().get_ordering(request)}
        return [order if isinstance(order, ByName) else column for column, order in by_name.items()]

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        return NameSortedList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {
            "is_open_list": is_open_list(request),
            "is_whole_list": request.GET.get("show") == "all",
            **self._saved_views(request),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def _saved_views(self, request: HttpRequest) -> dict[str, Any]:
        """Return the reader's own filters of this list, by name, and the present address for one more."""
        query = request.GET.copy()
        for name in ("p", "e"):  # the page, and Django's mark of an address it did not understand
            query.pop(name, None)
        key, shown = f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist", query.urlencode()
        views = list(SavedView.objects.filter(user=user_of(request), list=key))
        is_new = bool(shown) and all(view.query != shown for view in views)
        return {"saved_views": views, "list_key": key, "shown_query": shown, "may_save_view": is_new}

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[RootForm]:
        form_class = super().get_form(request, obj, change, **kwargs)
        mixins = [
            one for one in (EitherNameMixin, EitherTitleMixin) if one.needs_one_of <= form_class.base_fields.keys()
        ]
        return type(form_class.__name__, (*mixins, form_class), {"request": request})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the lookups of the list's own filters alone."""
        # With ``password__startswith`` in the address, the number of rows found would reveal a hash bit by bit.
        specs = [spec[0] if isinstance(spec, tuple) else spec for spec in self.get_list_filter(request)]
        fields = [spec for spec in specs if isinstance(spec, str)]
        own = {spec.parameter_name for spec in specs if isinstance(spec, type) and issubclass(spec, SimpleListFilter)}
        return lookup in own | {f"{field}__{asked}" for field in fields for asked in FILTER_LOOKUPS}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """Show a refusal of the verb as a message on the form that was sent."""
        # Django runs the view in a transaction, which the exception rolls back. In the second pass the forms find
        # ``request.refused``, are invalid, and show it.
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as error:
            if not hasattr(request, "refused"):
                request.refused = Refused(error)  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Say also what follows from the new row, as the pages do."""
        response = super().response_add(request, obj, post_url_continue)
        if follows := consequences_of(obj, user_of(request), now=timezone.now()):
            messages.info(request, follows)
        return response

    def save_model(self, request: HttpRequest, obj: Model, form: BaseForm, change: bool) -> None:
        """Leave the row to ``save_related``, which knows its parts, too."""

    def save_related(
        self, request: HttpRequest, form: RootForm, formsets: Iterable[BaseInlineFormSet], change: bool
    ) -> None:
        """Hand the form and its inlines to the verb, and a refusal back to the line it is about."""
        formsets = list(formsets)
        try:
            self.call_verb(request, form, formsets, change)
        except DomainError as error:
            request.refused = Refused.at(error, formsets)  # type: ignore[attr-defined]
            raise

    def call_verb(self, request: HttpRequest, form: RootForm, formsets: list[BaseInlineFormSet], change: bool) -> None:
        """Register or edit the row with its parts; the verb writes, and Django's change message says what."""
        lines = [formset for formset in formsets if isinstance(formset, PartFormSet)]
        parts = [line.instance for formset in lines for line in formset.changed_forms]
        common = {"actor": user_of(request), "today": office_today(form.instance), "parts": parts, **form.arguments()}
        if change:
            columns = {column.name for column in form.instance._meta.concrete_fields}
            changes = {name: form.cleaned_data[name] for name in form.changed_data if name in columns}
            removed = [line.instance for formset in lines for line in formset.deleted_forms if line.instance.pk]
            self.edit_verb(form.instance, changes=changes, removed=removed, **common)
        else:
            self.register_verb(form.instance, **common)
        for formset in formsets:
            note_changes(formset)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: object, **kwargs: object
    ) -> HttpResponse:
        form = context["adminform"].form
        refused: Refused | None = getattr(request, "refused", None)
        asked = refused.error.field if refused is not None else None
        # Keep the answer to an earlier question.
        answers = [name for name in ANSWERS if name == asked or request.POST.get(name)]
        if answers := [name for name in answers if name in form.fields]:
            context["adminform"].fieldsets.append((None, {"fields": tuple(answers)}))
        if getattr(form, "conflict", None):
            edited = [inline for inline in context["inline_admin_formsets"] if inline.has_change_permission]
            formsets = [inline.formset for inline in edited]
            form.conflict.describe(form, formsets, reader=user_of(request))
            form.conflict.take_over(form, formsets)
            for inline in edited:
                if isinstance(inline.formset, PartFormSet):
                    inline.formset = inline.formset.with_current_rows(form.conflict)
            context["conflict"] = form.conflict
        return super().render_change_form(request, context, *args, **kwargs)

    def get_view_on_site_url(self, obj: Model | None = None) -> str | None:
        return obj.get_absolute_url() if obj is not None and hasattr(obj, "get_absolute_url") else None


class OfficeAdmin(SimpleHistoryAdmin, PlainAdmin):
    """A page for an aggregate root with its history."""

    object_history_template = "admin/partnerships/object_history.html"
    # None: everybody who sees the row may see its history. For rows that belong to no unit.
    history_action: str | None = "history.view"

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show the history with the steps of the workflow and their reasons."""
        obj = self._visible(request, object_id)
        steps = StatusChange.objects.of(obj) if hasattr(obj, "status") else ()
        context: dict[str, Any] = {"steps": list(steps), "status_labels": _status_labels(obj)}
        # The inlines of a lead leave out rows of other units, which the history cannot.
        if user_of(request).sees_all_units or user_of(request).is_auditor:
            context["part_changes"] = part_changes(obj, [one for one in self.inlines if _is_of_parts(one)])
        if not may(user_of(request), "user.view"):
            context["admin_user_view"] = ""  # the page of an account, which most people may not open
        return super().history_view(request, object_id, {**context, **(extra_context or {})})

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Ask for the reason on GET, delete by the verb on POST; name what refers to the row, if anything does."""
        row = self.get_object(request, object_id)
        if row is None or not self.has_delete_permission(request, row):
            raise PermissionDenied
        form = DeletionForm(request.POST or None, row=row, today=office_today(row))
        name, pk = str(row), row.pk
        if request.method == "POST" and form.is_valid() and form.apply(user_of(request)):
            row.pk = pk
            self.log_deletions(request, [row])  # type: ignore[arg-type]  # it goes through the rows once
            return self.response_delete(request, name, pk)
        if form.is_bound:
            row = self.get_object(request, object_id) or row
            form.send_version_of(row)
        for field in form.visible_fields():
            field.field.widget.attrs["class"] = " ".join(INPUT_CLASSES)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Delete"),
            "subtitle": name,
            "opts": self.opts,
            "original": row,
            "form": form,
            "references": references_shown(row, user_of(request)),
            "back": admin_url(row),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/partnerships/delete.html", context)

    def set_history_delta_changes(self, request: HttpRequest, historical_records: Page, **kwargs: object) -> None:
        """Show a dash for a missing reason, which the library prints as “None”."""
        super().set_history_delta_changes(request, historical_records, **kwargs)
        for record in historical_records:
            record.history_change_reason = record.history_change_reason or "–"

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show one earlier state."""
        # On POST the library would save the earlier state, even where reverting is off.
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        if number_or_none(version_id) is None:
            raise Http404
        self._visible(request, object_id)
        return super().history_form_view(request, object_id, version_id, extra_context)

    def get_historical_record_context_helper(
        self, request: HttpRequest, historical_record: HistoricalChanges
    ) -> HistoricalRecordContextHelper:
        helper = ChangesSeenBy(self.model, historical_record)
        # The records of a page of history are few, and each is asked about once.
        helper.seen = request.__dict__.setdefault("_records_in_history", {})
        helper.user = user_of(request)
        return helper

    def has_view_history_or_change_history_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if self.history_action is None:
            return self.has_view_permission(request, obj) or user_of(request).is_auditor
        return self.allows(request, self.history_action, obj)

    def _visible(self, request: HttpRequest, object_id: str) -> Model:
        """Return the row as it is now, if the user may see its history."""
        # An earlier state may belong to another unit; the unit of today decides.
        obj = self._last_state(object_id) if user_of(request).is_auditor else self.get_object(request, object_id)
        if obj is None or not self.has_view_history_or_change_history_permission(request, obj):
            raise PermissionDenied
        return obj

    def _last_state(self, object_id: str) -> Model | None:
        """Return a row of any unit, also one that was deleted: auditors read every history."""
        states = self.model.history.filter(**{self.opts.pk.attname: number_or_none(object_id)})
        last = states.order_by("-history_date", "-history_id").first()
        return last and last.instance


class ChangesSeenBy(HistoricalRecordContextHelper):
    """The words for a change in a row of history, without the names of records that the user may not see."""

    user: User
    seen: dict[tuple[type[Model], int], object]

    def prepare_delta_change_value(self, change: ModelChange, value: object) -> object:
        prepared = super().prepare_delta_change_value(change, value)
        if isinstance(prepared, DeletedObject) and prepared.pk is None:
            return "–"  # there was none: the library takes it for a row that was deleted
        if labels := dict(self.model._meta.get_field(change.field).flatchoices):
            return labels.get(prepared, prepared)
        if not isinstance(prepared, Model):
            return prepared
        key = (type(prepared), prepared.pk)
        if key not in self.seen:
            self.seen[key] = shown_to(self.user, prepared)
        return self.seen[key]


class RecordAdmin(OfficeAdmin):
    """A page for a record whose edits have no consequences."""

    register_verb, edit_verb = staticmethod(register_record), staticmethod(edit_record)


def _is_of_parts(inline: type[InlineModelAdmin]) -> bool:
    """Return whether the rows are edited here: those of other aggregates have pages and histories of their own."""
    return issubclass(inline, PartMixin) and not issubclass(inline, ReadOnlyMixin)


def note_changes(formset: BaseInlineFormSet) -> None:
    """Set on a formset what Django's change message asks: which rows the verb added, changed and removed."""
    kept = formset.changed_forms if isinstance(formset, PartFormSet) else []
    removed = formset.deleted_forms if isinstance(formset, PartFormSet) else []
    formset.new_objects = [form.instance for form in kept if form in formset.extra_forms]
    formset.changed_objects = [(form.instance, form.changed_data) for form in kept if form in formset.initial_forms]
    formset.deleted_objects = [form.instance for form in removed if form in formset.initial_forms]


def _status_labels(obj: Any) -> dict[str, LazyText]:
    return dict(obj._meta.get_field("status").flatchoices) if hasattr(obj, "status") else {}


class PartMixin(ChoicesMixin, InlineBase):
    """Rows on the page of the root they belong to, with the permissions of the root."""

    model: type[Model]
    admin_site: AdminSite
    parent_model: type[Model]
    form = PartForm
    formfield_overrides = TYPED_COLUMNS
    extra = 0
    hide_title = True  # the row says it all

    def _root(self) -> BaseModelAdmin:
        return self.admin_site._registry[self.parent_model]

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> type[BaseInlineFormSet]:
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.sent_by = request
        # Leave out Django's check of references: the verb makes it, with the message that the pages show.
        formset.form.hand_clean_DELETE = lambda form: None
        return formset

    def may_edit(self, request: HttpRequest, root: Model | None) -> bool:
        return self._root().has_change_permission(request, root) if root else self._root().has_add_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._root().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_edit(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_edit(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.may_edit(request, obj)


class PartInline(PartMixin, TabularInline):
    formset = PartFormSet


class StackedPartInline(PartMixin, StackedInline):
    formset = PartFormSet


class ReadOnlyMixin(PartMixin):
    """Rows that have a page of their own, or that only machines write."""

    fields: ClassVar[tuple[str, ...]]

    def may_edit(self, request: HttpRequest, root: Model | None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> FieldNames:
        return self.fields


class ReadOnlyInline(ReadOnlyMixin, TabularInline):
    pass


class LinkedMixin(ReadOnlyMixin):
    """Rows of another aggregate that are about this one: a list with links to their pages, and one that adds a row."""

    tab = True
    template_after = "admin/partnerships/add_link.html"
    add_link = ""

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> type[BaseInlineFormSet]:
        formset = super().get_formset(request, obj, **kwargs)
        if obj is not None and self.may_add(request, obj):
            opts = self.model._meta
            url = reverse(f"admin:{opts.app_label}_{opts.model_name}_add")
            self.add_link = f"{url}?{urlencode(self.reference_to(obj, formset))}"
        return formset

    def reference_to(self, root: Model, formset: Any) -> dict[str, int | str]:
        """Return the fields of a new row by which it refers to ``root``."""
        return {formset.fk.name: root.pk}

    def may_add(self, request: HttpRequest, root: Any) -> bool:
        return self.admin_site._registry[self.model].has_add_permission(request)

    @display(description=_("link"))
    def link(self, row: Model) -> str:
        return admin_link(row)


class LinkedInline(LinkedMixin, TabularInline):
    pass


class CitationInline(LinkedMixin, GenericTabularInline):
    """The citations of a record: what sources printed about it, and what is our assumption."""

    model = Citation
    fields = ("link", "statement", "field", "printed", "is_assumption", "note")
    verbose_name = _("source of this record")
    verbose_name_plural = _("sources")

    def reference_to(self, root: Model, formset: Any) -> dict[str, int | str]:
        return {"content_type": ContentType.objects.get_for_model(root).pk, "object_id": root.pk}

    def may_add(self, request: HttpRequest, root: Model) -> bool:
        return may(user_of(request), "citation.edit")

    @display(description=_("source"))
    def link(self, row: Citation) -> str:
        return admin_link(row, row.source) if self.has_links else str(row.source)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        self.has_links = may(user_of(request), "citation.edit")
        return super().get_queryset(request).select_related("source", "statement")
