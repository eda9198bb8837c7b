"""The admin site: who enters, what they may choose from, what the index opens with."""

from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm as StyledAuthenticationForm
from unfold.sites import UnfoldAdminSite

from partnerships.admin.navigation import navigation
from partnerships.admin.overview import index_context
from partnerships.forms.choices import choosable
from partnerships.forms.numbers import row_or_none
from partnerships.models import User
from partnerships.permissions import may_enter_admin
from partnerships.requests import user_of

NO_ACCESS = _("Your account has no access to the administration. Your work is under My work.")


class OfficeLoginForm(StyledAuthenticationForm):
    def confirm_login_allowed(self, user: User) -> None:
        """Open the page to everybody who may enter the admin."""
        # Not super(): the theme asks for ``is_staff``, which leads and administrators of accounts do not have.
        AuthenticationForm.confirm_login_allowed(self, user)
        if not may_enter_admin(user):
            raise forms.ValidationError(NO_ACCESS)


class ScopedAutocompleteView(AutocompleteJsonView):
    """Autocomplete of the rows that a person may choose."""

    def process_request(self, request: HttpRequest) -> tuple[str, ModelAdmin, ForeignKey, str]:
        term, model_admin, source_field, to_field = super().process_request(request)
        # PostgreSQL refuses a NUL in a condition.
        return term.replace("\0", ""), model_admin, source_field, to_field

    def has_perm(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Django asks for the permission to view the model; an owner is chosen by people who may see no accounts.
        return may_enter_admin(user_of(request))

    def get_queryset(self) -> QuerySet:
        rows = choosable(self.model_admin.model, user_of(self.request))
        rows = rows.complex_filter(self.source_field.get_limit_choices_to())
        found, _duplicates = self.model_admin.get_search_results(self.request, rows, self.term)
        return found


class PartnershipsAdminSite(UnfoldAdminSite):
    login_form = OfficeLoginForm
    index_title = _("Overview")

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.login_form = OfficeLoginForm
        self.disable_action("delete_selected")  # it deletes without the verbs and their rules

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter_admin(user_of(request))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the login, but tell people who are logged in and have no access that they have none."""
        if request.method == "GET" and request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied(str(NO_ACCESS))
        return super().login(request, extra_context)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        shortcut = self.admin_view(self.view_on_site)
        return [path("r/<path:content_type_id>/<path:object_id>/", shortcut, name="view_on_site"), *super().get_urls()]

    def password_change(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        """Lead to the page that limits tries, writes the history and notifies the person; Django's own does none of it."""
        return redirect("password_change")

    def view_on_site(self, request: HttpRequest, content_type_id: str, object_id: str) -> HttpResponse:
        """Lead to the page of a row that the user may see; Django's own view leads to every row."""
        kind = row_or_none(ContentType.objects.all(), content_type_id)
        page = self._registry.get(kind.model_class()) if kind else None
        row = page.get_object(request, object_id) if page else None
        if page is None or row is None or not page.has_view_permission(request, row):
            raise Http404
        if not hasattr(row, "get_absolute_url"):
            raise Http404
        return HttpResponseRedirect(row.get_absolute_url())

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:
        return ScopedAutocompleteView.as_view(admin_site=self)(request)

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, object]]:
        return navigation(self, request)

    def index(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> TemplateResponse:
        context = {
            **index_context(self, request),
            "groups": navigation(self, request),
        }
        return super().index(request, context | (extra_context or {}))
