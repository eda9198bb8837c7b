"""A new line of the admin's inlines in which anything was typed counts as filled in, and is saved or refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.test import Client
from django.urls import reverse

from tests.admin.worlds import make_world

pytestmark = pytest.mark.django_db


def typed(line: forms.BaseForm, name: str) -> dict[str, str]:
    """What a browser sends for the line if that field alone was filled in: the others stand as they came."""
    sent: dict[str, str] = {}
    for bound in line:
        value = bound.initial
        if value not in {None, "", False}:
            sent[bound.html_name] = "on" if value is True else str(getattr(value, "pk", value))
    key, field = line.add_prefix(name), line.fields[name]
    if isinstance(field, forms.BooleanField):
        return {one: value for one, value in sent.items() if one != key} | ({} if key in sent else {key: "on"})
    if isinstance(field, forms.ModelChoiceField) or not isinstance(field, forms.ChoiceField):
        return sent | {key: "3"}
    other = next((str(value) for value, _label in field.choices if str(value or "") not in {"", sent.get(key, "")}), "")
    return sent | {key: other}


def new_lines(page: Any) -> Iterator[tuple[Any, forms.BaseForm]]:
    for inline in page.context["inline_admin_formsets"]:
        lines = inline.formset
        if inline.has_add_permission and lines.max_num != 0:
            yield lines, lines.empty_form


def test_each_field_of_a_new_line_counts_when_it_is_filled_in(client: Client) -> None:
    world = make_world()
    client.force_login(world.people["system_admin"])
    dropped, seen = [], 0
    for name, (row, _theirs) in world.rows.items():
        page = client.get(reverse(f"admin:partnerships_{name}_change", args=[row.pk]))
        if page.status_code != 200 or "inline_admin_formsets" not in page.context:
            continue
        for lines, blank in new_lines(page):
            for field in blank.fields:
                if field in {"id", "DELETE", lines.fk.name} or isinstance(blank.fields[field], forms.FileField):
                    continue
                sent = typed(blank, field)
                line = lines.form(
                    sent, prefix=blank.prefix, empty_permitted=True, use_required_attribute=False, **lines.form_kwargs
                )
                seen += 1
                if not line.has_changed():
                    dropped.append((name, lines.prefix, field))

    assert seen > 50
    assert dropped == []
