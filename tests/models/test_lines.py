"""Columns of one line refuse pasted text with invisible signs; these tests need no database."""

from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError

from partnerships.models.base import LineField

LINES = [
    pytest.param(model, field, id=f"{model.__name__}.{field.name}")
    for model in apps.get_app_config("partnerships").get_models()
    if not model.__name__.startswith("Historical") and not model._meta.proxy
    for field in model._meta.fields
    if isinstance(field, LineField)
]


@pytest.mark.parametrize("text", ["a\r\nBcc: b@example.org", "a\x00b", "a\u202etxt.exe", "a\u200bb", "x" * 10_000])
@pytest.mark.parametrize(("model", "field"), LINES)
def test_one_line_of_visible_text(model: Any, field: LineField, text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        field.clean(text, model())
    assert refusal.value.messages != []


def test_lines_are_what_people_read() -> None:
    names = {f"{case.values[0].__name__}.{case.values[1].name}" for case in LINES}
    assert names >= {
        "Agreement.title",
        "Milestone.title",
        "Organization.name",
        "Unit.name",
        "User.name",
        "Contact.name",
    }
