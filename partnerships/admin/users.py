"""Accounts and units."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import flatten
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.base import FieldSets, OfficeAdmin, PartInline, RecordAdmin, badge
from partnerships.admin.steps import Button, StepsMixin, Verb
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.users import ActivateForm, DeactivateForm, PasswordLinkForm
from partnerships.models import Unit, UnitMembership, User
from partnerships.permissions import may
from partnerships.requests import user_of
from partnerships.texts import name_all
from partnerships.workflows.users import USER, edit_user, register_user

# Allow-lists: the form of an account asks for these columns alone, whatever the model has beside them.
PERSONAL = (("name", "username"), "email", ("language", "time_zone"))
ABSENCE = (
    ("decision_mode", "reminder_mode"),
    ("contact_mode", "news_mode"),
    "gets_month_mail",
    "reminder_hour",
    "deputy",
    ("absent_from", "absent_until"),
)
GRANTS = ("is_user_admin", "is_auditor", "is_staff", "is_superuser")


class RoleInline(PartInline):
    model = UnitMembership
    fields = ("unit", "role")
    verbose_name = _("role")
    verbose_name_plural = _("roles in units")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("unit")


def _deactivate(row: User, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    return DeactivateForm(data, row=row, today=timezone.localdate())


def _activate(row: User, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    return ActivateForm(data, row=row, today=timezone.localdate())


def _password_link(row: User, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    return PasswordLinkForm(data, row=row, today=timezone.localdate())


VERBS = (
    Verb(
        "password_link",
        _("Send a link to set a password"),
        "user.edit",
        _password_link,
        lambda row: row.is_reachable,
    ),
    Verb("deactivate", _("Deactivate"), "user.edit", _deactivate, lambda row: row.is_active, is_danger=True),
    Verb("activate", _("Activate again"), "user.edit", _activate, lambda row: not row.is_active),
)


@admin.register(User)
class UserAdmin(StepsMixin, OfficeAdmin):
    view_action, add_action, change_action = "user.view", "user.edit", "user.edit"
    register_verb, edit_verb = staticmethod(register_user), staticmethod(edit_user)
    history_action = None
    has_steps = False
    verbs = VERBS
    list_display = ("name", "username", "email", "roles", "grants", "active_label", "last_login")
    list_filter = ("is_active", "is_staff", "is_user_admin", "is_auditor", "is_superuser", "memberships__role")
    search_fields = ("name", "username", "email")
    ordering = ("name", "pk")
    autocomplete_fields = ("deputy",)
    readonly_fields = ("active_label", "last_login", "date_joined")
    inlines = (RoleInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("memberships__unit")

    def buttons(self, request: HttpRequest, row: Model) -> list[Button]:
        """Add the pages of the person's reminders and of the personal data, for those who may open them."""
        buttons = super().buttons(request, row)
        if may(user_of(request), "user.view_reminders", row):
            link = reverse("person_reminders", args=[row.pk])
            buttons.append(Button("reminders", _("Reminders by month"), "", None, link, "plain"))
        if may(user_of(request), "person.erase", row):
            label, link = _("Export or erase personal data"), reverse("user_data", args=[row.pk])
            buttons.append(Button("personal_data", label, "", None, link, "plain"))
        return buttons

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> FieldSets:
        sets: FieldSets = ((None, {"fields": PERSONAL}), (_("Reminders and absence"), {"fields": ABSENCE}))
        if may(user_of(request), "user.grant_admin"):
            sets = (*sets, (_("Administration"), {"fields": GRANTS}))
        if obj:
            sets = (*sets, (_("Account"), {"fields": (self.readonly_fields,)}))
        return sets

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Show, but lock, what people choose for themselves once they have an account."""
        own = [name for name in flatten(ABSENCE) if name not in USER.fields] if obj else []
        return (*self.readonly_fields, *own)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Suggest the language of whoever registers the account: colleagues mostly share it."""
        return {"language": user_of(request).language, **super().get_changeform_initial_data(request)}

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        """Say what a new account still needs before its person can log in."""
        words = _("Added. This person cannot log in yet: send the link to set a password.")
        if not obj.email:
            words = _(
                "Added. This person cannot log in yet: enter an e-mail address and send the link to set a password."
            )
        messages.warning(request, words)
        return super().response_add(request, obj, post_url_continue)

    @display(description=_("roles"))
    def roles(self, user: User) -> str:
        roles = (
            _("%(unit)s: %(role)s") % {"unit": row.unit, "role": row.get_role_display()}
            for row in user.memberships.all()
        )
        return name_all(roles)

    @display(description=_("administration"))
    def grants(self, user: User) -> str:
        held = {
            _("System administrator"): user.is_superuser,
            _("Office"): user.is_staff,
            _("Accounts"): user.is_user_admin,
            _("Auditor"): user.is_auditor,
        }
        return name_all(str(label) for label, is_held in held.items() if is_held)

    @display(description=_("account"), ordering="is_active")
    def active_label(self, user: User) -> str:
        return badge(_("Active"), "success") if user.is_active else badge(_("Deactivated"), "neutral")


@admin.register(Unit)
class UnitAdmin(RecordAdmin):
    view_action, add_action, change_action = "unit.view", "unit.edit", "unit.edit"
    history_action = None
    list_display = ("name", "name_zh", "parent", "fallback_person", "time_zone")
    list_select_related = ("parent", "fallback_person")
    search_fields = ("name", "name_zh")
    ordering = ("name", "pk")
    autocomplete_fields = ("parent", "organization", "fallback_person")
    fieldsets = (
        (None, {"fields": (("name", "name_zh"), ("short_name", "short_name_zh"), "parent", "fallback_person")}),
        (_("Working days"), {"fields": (("work_calendar", "time_zone"),)}),
        (None, {"fields": ("organization",)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Unit | None = None) -> tuple[str, ...]:
        """Lock the place of a unit: roles reach down the tree, so moving a unit below one's own would show its rows."""
        return () if obj is None or may(user_of(request), "user.grant_admin") else ("parent",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """Show all units to those who manage accounts: they give roles in each, without having one."""
        if may(user_of(request), "unit.edit"):
            return Unit.objects.all()
        return super().get_queryset(request)
