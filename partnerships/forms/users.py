"""Forms for what can be done with an account."""

from typing import Any

from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
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


class PasswordLinkForm(VerbForm):
    def call(self, actor: User, values: dict[str, Any]) -> User:
        return users.send_password_link(self.row, actor=actor)


class _OwnPasswordMixin:
    """Leaves the new password to the verb, which writes the history and tells the person by mail."""

    user: User
    cleaned_data: dict[str, Any]

    def save(self, commit: bool = True) -> User:
        changed = users.change_password(self.user, actor=self.user, password=self.cleaned_data["new_password1"])
        self.user.password = changed.password  # the session of this browser goes on with it
        return changed


class OwnPasswordChangeForm(_OwnPasswordMixin, PasswordChangeForm):
    """A new password by somebody who knows the old one."""


class OwnPasswordSetForm(_OwnPasswordMixin, SetPasswordForm):
    """A password by somebody who opened the link they were mailed."""
