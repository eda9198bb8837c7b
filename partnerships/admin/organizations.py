"""Organizations of all kinds in one directory, with a page for each kind, and their contacts."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR, InlineModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from partnerships.admin.base import (
    CitationInline,
    FieldNames,
    FieldRows,
    FieldSets,
    LinkedInline,
    OfficeAdmin,
    PartInline,
    WordSearchMixin,
    cut,
)
from partnerships.admin.documents import DocumentInline
from partnerships.admin.filters import CountedFilter, OpenFilter
from partnerships.admin.steps import StepsMixin, Verb
from partnerships.admin.versions import PartForm, RootForm
from partnerships.countries import country_name
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.numbers import number_or_none
from partnerships.forms.office_day import office_today
from partnerships.forms.organizations import ArchiveForm, PlainCodeMixin, RestoreForm
from partnerships.forms.possible_duplicates import AnotherField
from partnerships.models import (
    Association,
    AssociationMembership,
    Contact,
    ContactPosition,
    Enterprise,
    GovernmentBody,
    Institution,
    Organization,
    OrganizationCode,
    OrganizationKind,
    OrganizationName,
    OrganizationUnit,
)
from partnerships.operations.security_log import note_contacts_viewed
from partnerships.permissions import may
from partnerships.requests import user_of
from partnerships.texts import LazyText, name_all
from partnerships.workflows.organizations import (
    edit_contact,
    edit_organization,
    register_contact,
    register_organization,
)

Filters = tuple[str | type[admin.SimpleListFilter], ...]

DETAIL_COLUMNS = frozenset({"uscc", "industry"})


class NameInline(PartInline):
    model = OrganizationName
    fields = ("name", "kind", "valid_from", "valid_until", "source")
    autocomplete_fields = ("source",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("source")


class CodePartForm(PlainCodeMixin, PartForm):
    pass


class CodeInline(PartInline):
    model = OrganizationCode
    form = CodePartForm
    fields = ("scheme", "code")


class PositionInline(PartInline):
    model = ContactPosition
    fields = ("organization", "position", "since", "until")
    autocomplete_fields = ("organization",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("organization")


class ContactInline(LinkedInline):
    model = Contact
    fields = ("link", "position", "phone", "email", "is_active")

    def may_add(self, request: HttpRequest, root: Organization) -> bool:
        return may(user_of(request), "contact.edit", root)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).with_personal_data_for(user_of(request))


class MembershipInline(PartInline):
    model = AssociationMembership
    fk_name = "member"
    fields = ("association", "since", "until")
    autocomplete_fields = ("association",)
    verbose_name = _("membership in an association")
    verbose_name_plural = _("member of")
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("association")


class MemberInline(PartInline):
    model = AssociationMembership
    fk_name = "association"
    fields = ("member", "since", "until")
    autocomplete_fields = ("member",)
    verbose_name = _("member")
    verbose_name_plural = _("members")
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("member")


class HolderForm(PartForm):
    """A holding, which stays that of its unit: another unit is a new line."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].disabled = self.instance.pk is not None


class HolderInline(PartInline):
    """The units that hold the organization. A lead edits those of their own units; the fieldset names the others."""

    model = OrganizationUnit
    form = HolderForm
    fields = ("unit", "coordinator")
    autocomplete_fields = ("coordinator",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("unit", "coordinator")
        user = user_of(request)
        return rows if user.sees_all_units else rows.filter(unit__in=user.scope.unit_ids)


def _archive(row: Organization, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    return ArchiveForm(data, row=row, today=office_today(row))


def _restore(row: Organization, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    return RestoreForm(data, row=row, today=office_today(row))


VERBS = (
    Verb(
        "archive", _("Archive"), "organization.archive", _archive, lambda row: row.archived_on is None, is_danger=True
    ),
    Verb("restore", _("Unarchive"), "organization.archive", _restore, lambda row: bool(row.archived_on)),
)


class OrganizationRootForm(RootForm):
    """An organization, which may look like another one."""

    is_another = AnotherField(label=pgettext_lazy("look-alikes", "None of these"))
    is_code_right = forms.BooleanField(label=_("The credit code is correct"), required=False)

    def arguments(self) -> dict[str, object]:
        return {**super().arguments(), "is_code_right": self.cleaned_data["is_code_right"]}


class ContactRootForm(RootForm):
    """A contact, which may look like another one."""

    is_another = AnotherField(label=pgettext_lazy("look-alikes", "None of these"))


class ArchivedFilter(admin.SimpleListFilter):
    title = _("archive")
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, LazyText]]:
        return [("no", _("Not archived")), ("yes", _("Archived"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() is None:
            return queryset
        return queryset.filter(archived_on__isnull=self.value() == "no")


class CountryFilter(admin.SimpleListFilter):
    """The countries and regions of organizations on record."""

    title = _("country or region")
    parameter_name = "country"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, LazyText]]:
        codes = Organization.objects.order_by("country").values_list("country", flat=True).distinct()
        return [(code, country_name(code)) for code in codes]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(country=self.value()) if self.value() else queryset


class HeldFilter(admin.SimpleListFilter):
    title = _("held by")
    parameter_name = "held"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, LazyText]]:
        return [("own", _("Units I see"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet:
        return queryset.held_by_scope_of(user_of(request)) if self.value() == "own" else queryset


@admin.register(Organization)
class OrganizationAdmin(WordSearchMixin, StepsMixin, OfficeAdmin):
    view_action, add_action, change_action = "organization.view", "organization.add", "organization.edit"
    form = OrganizationRootForm
    register_verb, edit_verb = staticmethod(register_organization), staticmethod(edit_organization)
    has_steps = False
    verbs = VERBS
    open_rows, open_label = (
        staticmethod(lambda rows, today: rows.filter(archived_on=None, own_units=None)),
        _("Partners"),
    )
    list_display = ("name", "name_zh", "kind_label", "region", "holding_units", "uscc")
    list_filter: ClassVar[Filters] = (OpenFilter, "kind", CountryFilter, HeldFilter, ArchivedFilter, CountedFilter)
    list_select_related = ("region",)
    search_fields = ("name",)
    search_help_text = _("Any of its names, in Chinese or English, or a code")
    ordering = ("name", "pk")
    autocomplete_fields = ("part_of", "region", "members_liaison")
    readonly_fields = ("held_by", "archived_on")
    inlines = (NameInline, CodeInline, HolderInline, ContactInline, MembershipInline, DocumentInline, CitationInline)
    directory_fields: ClassVar[FieldRows] = (("name", "name_zh"), "kind", "part_of", ("country", "region"), "held_by")
    detail_fields = (("uscc", "industry"), "strengths", "website", "address", "description")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("holders__unit")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        if IS_POPUP_VAR not in request.GET and may(user_of(request), "organization.merge"):
            actions["merge"] = (_compare_two, "merge", _("Compare and merge two"))
        return actions

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Leave out the details, which belong to the holding units, unless the user sees all units."""
        if user_of(request).sees_all_units:
            return self.list_display
        return tuple(name for name in self.list_display if name not in DETAIL_COLUMNS)

    def sees_details(self, request: HttpRequest, obj: Organization | None) -> bool:
        return obj is None or self.allows(request, "organization.view_details", obj)

    def get_fieldsets(self, request: HttpRequest, obj: Organization | None = None) -> FieldSets:
        """Show the directory to everybody, the details to the units that hold the organization."""
        directory = self.directory_fields if obj else tuple(row for row in self.directory_fields if row != "held_by")
        if not self.sees_details(request, obj):
            return ((None, {"fields": directory}),)
        detail = (*self.detail_fields, *(("archived_on",) if obj and obj.archived_on else ()))
        if self.shows_liaison(request, obj):
            detail = (*detail, "members_liaison")
        return ((None, {"fields": directory}), (_("Details"), {"fields": detail}))

    def shows_liaison(self, request: HttpRequest, obj: Organization | None) -> bool:
        """Whether it is an association on record, and the user may see its contacts."""
        is_association = obj is not None and obj.kind == OrganizationKind.ASSOCIATION
        return is_association and self.allows(request, "contact.view", obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        if response.status_code == HTTPStatus.OK:
            user = user_of(request)
            shown = Contact.objects.with_personal_data_for(user).filter(organization=number_or_none(object_id) or 0)
            note_contacts_viewed(user, shown.select_related("organization"), now=timezone.now())
        return response

    def get_inlines(self, request: HttpRequest, obj: Organization | None) -> tuple[type[InlineModelAdmin], ...]:
        if not self.sees_details(request, obj):
            return ()
        return self.inlines if obj else (NameInline, CodeInline, HolderInline)

    @display(description=_("kind"), ordering="kind")
    def kind_label(self, organization: Organization) -> str:
        if organization.kind == OrganizationKind.INSTITUTION and organization.institution_type:
            return organization.get_institution_type_display()
        return organization.get_kind_display()

    @display(description=_("held by"))
    def held_by(self, organization: Organization) -> str:
        return name_all(holder.unit for holder in organization.holders.all())

    @display(description=_("held by"))
    def holding_units(self, organization: Organization) -> str:
        return cut(self.held_by(organization))


class OfKindAdmin(OrganizationAdmin):
    """The same page for one kind; the kind is set by the class of the row."""

    list_filter: ClassVar[Filters] = (OpenFilter, CountryFilter, HeldFilter, ArchivedFilter)
    directory_fields: ClassVar[FieldRows] = (("name", "name_zh"), "part_of", ("country", "region"), "held_by")


@admin.register(Institution)
class InstitutionAdmin(OfKindAdmin):
    list_filter = (OpenFilter, "institution_type", CountryFilter, HeldFilter, ArchivedFilter)
    directory_fields = (("name", "name_zh"), "institution_type", "part_of", ("country", "region"), "held_by")


@admin.register(Enterprise)
class EnterpriseAdmin(OfKindAdmin):
    list_display = ("name", "name_zh", "industry", "region", "holding_units", "uscc")


@admin.register(Association)
class AssociationAdmin(OfKindAdmin):
    inlines = (NameInline, CodeInline, HolderInline, MemberInline, ContactInline, DocumentInline, CitationInline)


@admin.register(GovernmentBody)
class GovernmentBodyAdmin(OfKindAdmin):
    pass


@admin.register(Contact)
class ContactAdmin(OfficeAdmin):
    view_action, add_action, change_action = "contact.view", "contact.edit", "contact.edit"
    form = ContactRootForm
    register_verb, edit_verb = staticmethod(register_contact), staticmethod(edit_contact)
    list_display = ("name", "position", "organization", "phone", "email", "is_active")
    list_filter = ("is_active", "preferred_channel")
    list_select_related = ("organization",)
    search_fields = ("name", "position")
    ordering = ("name", "pk")
    autocomplete_fields = ("organization",)
    inlines = (PositionInline,)
    fieldsets = (
        (None, {"fields": ("organization", ("name", "position"), ("since", "until"))}),
        (
            _("Contact details"),
            {
                "fields": (
                    ("email", "phone"),
                    ("wechat", "preferred_channel"),
                    ("language", "permission"),
                    "mail_stopped_on",
                )
            },
        ),
        (None, {"fields": (("unit", "is_shared"), "is_active", "note")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> FieldNames:
        return ("organization", "unit", "mail_stopped_on") if obj else ("unit", "mail_stopped_on")

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        shown = super().get_changelist_instance(request)
        note_contacts_viewed(user_of(request), shown.result_list, now=timezone.now())
        return shown

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        shown = Contact.objects.filter(pk=number_or_none(object_id) or 0)
        return self._noted(request, shown.select_related("organization"), response)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        response = super().history_view(request, object_id, extra_context)
        return self._noted(request, _states_with_numbers(object_id), response)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        response = super().history_form_view(request, object_id, version_id, extra_context)
        return self._noted(request, _states_with_numbers(object_id, history_id=number_or_none(version_id)), response)

    def _noted(self, request: HttpRequest, shown: Iterable[Contact], response: HttpResponse) -> HttpResponse:
        """Write into the security log whose phone and address a page shows."""
        if response.status_code == HTTPStatus.OK:
            note_contacts_viewed(user_of(request), shown, now=timezone.now())
        return response

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).with_personal_data_for(user_of(request))


def _states_with_numbers(object_id: str, **version: int | None) -> Iterator[Contact]:
    """Yield the last state of a contact that had a phone or address, with its organization.

    Auditors read the history of deleted contacts, too; their organization may be deleted as well.
    """
    states = Contact.history.filter(id=number_or_none(object_id) or 0, **version)
    last = states.exclude(phone="", email="", wechat="").order_by("-history_date", "-history_id").first()
    if last is not None:
        contact = last.instance
        if not Organization.objects.filter(pk=contact.organization_id).exists():
            organizations = Organization.history.filter(id=contact.organization_id)
            contact.organization = organizations.latest("history_date", "history_id").instance
        yield contact


def _compare_two(admin: OfficeAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponse:
    """Open the page that compares the two chosen organizations: the one entered first is proposed to be kept."""
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:3])
    if len(ids) != 2:
        messages.error(request, _("Choose exactly two organizations to compare."))
        return HttpResponseRedirect(request.get_full_path())
    return HttpResponseRedirect(reverse("organization_compare", args=ids))
