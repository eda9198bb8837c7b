"""Lines of a form: rows that belong to one root, as many as somebody asks for, with or without a script."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db import models
from django.forms.utils import ErrorDict
from django.http import QueryDict

MOST_LINES = 100
# Buttons that send a form to be shown again, not to be kept: look for a row, add a line.
LOOK, MORE = "look", "more"


class LineFormSet(forms.BaseInlineFormSet):
    """What was typed as rows: those to keep, and those to remove."""

    @property
    def kept(self) -> list[models.Model]:
        return [form.instance for form in self.forms if form.has_changed() and form not in self.deleted_forms]

    @property
    def removed(self) -> list[models.Model]:
        return [form.instance for form in self.deleted_forms if form.instance.pk]


def is_shown_again(data: QueryDict | None) -> bool:
    return data is not None and bool({LOOK, MORE} & data.keys())


def with_more_lines(data: QueryDict | None) -> QueryDict | None:
    """What was sent, with one more line of the formset that the button names."""
    if data is None or MORE not in data:
        return data
    key, more = f"{data[MORE]}-TOTAL_FORMS", data.copy()
    lines = more.get(key, "")
    if lines.isascii() and lines.isdigit() and len(lines) <= len(str(MOST_LINES)):
        more[key] = str(min(int(lines) + 1, MOST_LINES))
    return more


def leave_unjudged(parts: Iterable[Any]) -> None:
    """Shows what was typed without a word about what is missing: nobody asked to keep it yet."""
    for part in parts:
        if isinstance(part, forms.BaseFormSet):
            part._errors, part._non_form_errors = [], part.error_class()
            leave_unjudged(part.forms)
        else:
            part._errors = ErrorDict()
