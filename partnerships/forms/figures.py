"""The form that confirms a reported figure."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partnerships.forms.steps import VerbForm
from partnerships.models import User
from partnerships.workflows.figures import confirm_figure


class ConfirmFigureForm(VerbForm):
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("How it was checked, or why the two numbers differ."),
    )

    def call(self, actor: User, values: dict[str, Any]) -> object:
        return confirm_figure(self.row, actor=actor, now=timezone.now(), **values)
