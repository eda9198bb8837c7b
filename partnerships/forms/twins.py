"""Where what is typed looks like something on record: the box to tick when it is another one."""

import re
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.forms.widgets import Input

NUMBERS = re.compile(r"[0-9]{1,18}")


class AnotherInput(Input):
    """A checkbox whose value names the rows found; ticked only where just those were confirmed."""

    input_type = "checkbox"
    template_name = "django/forms/widgets/checkbox.html"
    found: frozenset[int] = frozenset()

    @property
    def names(self) -> str:
        return ",".join(map(str, sorted(self.found)))

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        ticked = {"checked": True} if value and value == self.names else {}
        return super().get_context(name, self.names, {**(attrs or {}), **ticked})


class AnotherField(forms.Field):
    """Ids of the rows it is none of. One that came since the box was shown, by a second click, is asked about again."""

    widget = AnotherInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def to_python(self, value: str | None) -> frozenset[int]:
        return frozenset(map(int, NUMBERS.findall(value or "")))

    def ask_about(self, rows: QuerySet) -> frozenset[int]:
        """The box is about ``rows`` from now on, also about those the page has no room for; returns their ids."""
        self.widget.found = frozenset(rows.order_by().values_list("pk", flat=True))
        return self.widget.found
