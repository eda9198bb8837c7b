"""What a browser would send back from a page of the admin."""

from typing import Any

from django.forms import BaseForm
from django.test import Client
from django.urls import reverse

from tests.services.drawing import undrawn


def filled(response: Any) -> dict[str, Any]:
    """Every field of the page's form and its inlines as they stand, ready to be changed and posted."""
    data = _values(response.context["adminform"].form)
    for inline in response.context["inline_admin_formsets"]:
        data |= _values(inline.formset.management_form)
        for form in inline.formset.forms:
            data |= _values(form)
    return data


def _values(form: BaseForm) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if value is None or value is False or getattr(bound.field.widget, "needs_multipart_form", False):
            continue
        values[bound.html_name] = "on" if value is True else str(value)
        if bound.field.show_hidden_initial:  # a computed default: the page says what it was
            values[bound.html_initial_name] = str(bound.initial)
    return values


def change_url(row: Any) -> str:
    return reverse(f"admin:partnerships_{row._meta.model_name}_change", args=[row.pk])


def step_url(row: Any, step: str) -> str:
    return reverse(f"admin:partnerships_{row._meta.model_name}_step", args=[row.pk, step])


def save(client: Client, row: Any, **changes: Any) -> Any:
    """Opens the page of ``row``, changes fields and saves."""
    url = change_url(row)
    return client.post(url, filled(undrawn(client, url)) | changes)
