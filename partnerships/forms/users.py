"""Forms of accounts: activated, deactivated, passwords set by their owners."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from partnerships.forms.steps import VerbForm
from partnerships.models import User
from partnerships.workflows import users


class DeactivateForm(VerbForm):
    @property
    def warnings(self) -> list[str]:
        work = users.open_work(self.row)
        return [
            _(
                "Handed over to the fallback person of the unit: %(agreements)d agreements, %(milestones)d milestones, "
                "%(activities)d activities, %(facilities)d facilities, %(demands)d demands, %(organizations)d organizations."
            )
            % work
        ]

    def call(self, actor: User, values: dict[str, Any]) -> User:
        return users.deactivate_user(self.row, actor=actor)


class ActivateForm(VerbForm):
    def call(self, actor: User, values: dict[str, Any]) -> User:
        return users.activate_user(self.row, actor=actor)


class PasswordLinkForm(VerbForm):
    def call(self, actor: User, values: dict[str, Any]) -> User:
        return users.send_password_link(self.row, actor=actor)


class _OwnPasswordMixin:
    """A form that leaves the new password to the verb, which writes the history and notifies the person."""

    user: User
    cleaned_data: dict[str, Any]
    ends_feeds = False

    def save(self, commit: bool = True) -> User:
        changed = users.change_password(
            self.user, actor=self.user, password=self.cleaned_data["new_password1"], ends_feeds=self.ends_feeds
        )
        self.user.password = changed.password  # the session of this browser goes on with it
        return changed


class LoginForm(AuthenticationForm):
    """Name and password, and whether the session outlives the browser."""

    stay = forms.BooleanField(
        label=_("Stay logged in on this device"),
        required=False,
        help_text=_("Otherwise closing the browser logs you out. A few hours without use always do."),
    )


class OwnPasswordChangeForm(_OwnPasswordMixin, PasswordChangeForm):
    """A new password by somebody who knows the old one; wrong ones count like those of a login."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        # Asks as a login does: a session left open would otherwise allow any number of tries.
        old = self.cleaned_data["old_password"]
        if authenticate(self.request, username=self.user.get_username(), password=old) != self.user:
            raise forms.ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old


class OwnPasswordSetForm(_OwnPasswordMixin, SetPasswordForm):
    """A password by somebody who opened the link they were mailed; their calendar addresses end."""

    ends_feeds = True
