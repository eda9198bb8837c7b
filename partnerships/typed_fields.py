"""Labels for what was typed into a form, to show it without the page that the form belongs to."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.forms import BaseForm, Field, HiddenInput
from django.utils.choices import flatten_choices

Typed = Sequence[tuple[str, str]]  # names and values of the fields, as a browser sends them


def labelled(typed: Typed) -> list[tuple[str, str]]:
    """Return label and text of what was entered; the label is empty where no form has such a field.

    Left out are hidden fields, ticks, defaults, and ids of records: they are not looked up for somebody not logged in.
    """
    fields = _fields_of(typed)
    shown = []
    for name, value in typed:
        field = fields.get(_field_name(name))
        if field is None:
            label, text = "", value if any(sign.isalpha() for sign in value) else ""
        elif isinstance(field.widget, HiddenInput) or value == str(field.initial) or _is_id(field, value):
            continue
        else:
            label, text = str(field.label or ""), _choice(field, value)
        if text.strip() and text != "on":
            shown.append((label, text))
    return shown


def _is_id(field: Field, value: str) -> bool:
    return isinstance(field, forms.ModelChoiceField) and value.isdigit()


def _field_name(name: str) -> str:
    """Return a field's own name: the second of two names lines is sent as ``names-1-name``."""
    return name.rpartition("-")[2]


def _fields_of(typed: Typed) -> dict[str, Field]:
    """Return the fields by name, of the form that has most of what was sent; of the next one what that does not have."""
    names = {_field_name(name) for name, _value in typed}

    def fit(form: type[BaseForm]) -> tuple[int, int]:
        fields = form.base_fields.keys()  # type: ignore[attr-defined]  # its metaclass sets it
        return len(names & fields), -len(fields - names)

    found: dict[str, Field] = {}
    for form in sorted(_forms(BaseForm), key=fit, reverse=True):
        found = {name: field for name, field in form.base_fields.items() if name in names} | found  # type: ignore[attr-defined]
    return found


def _forms(parent: type[BaseForm]) -> Iterator[type[BaseForm]]:
    for form in parent.__subclasses__():
        if form.__module__.startswith("partnerships.") and hasattr(form, "base_fields"):
            yield form
        yield from _forms(form)


def _choice(field: Field, value: str) -> str:
    """Return the label of a choice, or what was typed."""
    if not isinstance(field, forms.ChoiceField) or isinstance(field, forms.ModelChoiceField):
        return value
    flat: Any = flatten_choices(field.choices)  # type: ignore[arg-type]  # the stubs know nested choices alone
    return str({str(key): label for key, label in flat}.get(value, value))
