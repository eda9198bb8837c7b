"""The checkbox by which a person confirms that a new row is none of the look-alikes on record."""

from collections.abc import Collection
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.forms.widgets import Input

from partnerships.forms.numbers import number_or_none


class AnotherInput(Input):
    """A checkbox whose value names the rows found; ticked only where just those were confirmed."""

    input_type = "checkbox"
    template_name = "django/forms/widgets/checkbox.html"
    found: frozenset[int] = frozenset()

    @property
    def names(self) -> str:
        return ",".join(map(str, sorted(self.found)))

    def get_context(self, name: str, value: object, attrs: dict[str, object] | None) -> dict[str, object]:
        ticked = {"checked": True} if value and value == self.names else {}
        return super().get_context(name, self.names, {**(attrs or {}), **ticked})


class AnotherField(forms.Field):
    """Ids of look-alikes that the person confirmed as different; a newer look-alike is asked about again."""

    widget = AnotherInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def to_python(self, value: str | None) -> frozenset[int]:
        ids = map(number_or_none, (value or "").split(","))
        return frozenset(pk for pk in ids if pk is not None)

    def ask_about(self, rows: QuerySet | Collection[int]) -> frozenset[int]:
        """Make the box ask about these rows, also about those the page has no room for; returns their ids."""
        ids = rows.order_by().values_list("pk", flat=True) if isinstance(rows, QuerySet) else rows
        self.widget.found = frozenset(ids)
        return self.widget.found


def another_field(form: forms.BaseForm) -> AnotherField:
    return cast("AnotherField", form.fields["is_another"])
