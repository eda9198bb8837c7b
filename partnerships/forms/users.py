"""Forms for what can be done with an account."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
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
                "%(activities)d activities, %(organizations)d organizations."
            )
            % work
        ]

    def call(self, actor: User, values: dict[str, Any]) -> User:
        return users.deactivate_user(self.row, actor=actor)


class ActivateForm(VerbForm):
    def call(self, actor: User, values: dict[str, Any]) -> User:
        return users.activate_user(self.row, actor=actor)


class SetPasswordForm(VerbForm):
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Hand it over in person; they can change it after logging in."),
    )
    again = forms.CharField(
        label=_("Once more"), strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        password = cleaned.get("password")
        if password and cleaned.get("again") and password != cleaned["again"]:
            self.add_error("again", _("The two passwords differ."))
        elif password:
            self._check(password)
        return cleaned

    def _check(self, password: str) -> None:
        try:
            validate_password(password, self.row)
        except forms.ValidationError as error:
            self.add_error("password", error)

    def call(self, actor: User, values: dict[str, Any]) -> User:
        return users.set_password(self.row, actor=actor, password=values["password"])
