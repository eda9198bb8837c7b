"""Names in two languages, of which one is enough."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _


def name_fields() -> tuple[str, str]:
    """Return the two fields of a name, that of the reader's language first."""
    return ("name_zh", "name") if (get_language() or "").startswith("zh") else ("name", "name_zh")


class EitherNameMixin(forms.BaseForm):
    """A form with ``name`` and ``name_zh``: asks in the reader's language first, and takes one name for both.

    Offices in China often know no other name than the Chinese one. ``name`` must not be empty, so it is then the same.
    """

    needs_one_of = frozenset({"name", "name_zh"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in name_fields():
            self.fields[name].required = False
        if name_fields()[0] == "name_zh":
            self.fields["name_zh"].label, self.fields["name"].label = self.fields["name"].label, _("English name")
        self.order_fields([other for name in self.fields for other in (name_fields() if name == "name" else (name,))])

    @property
    def names_in_order(self) -> list[forms.BoundField]:
        return [self[name] for name in name_fields()]

    def clean_name(self) -> str:
        """Take the Chinese name where there is no other."""
        name: str = self.cleaned_data["name"] or (self["name_zh"].data or "").strip()
        if not name and name_fields()[0] == "name":
            raise self._missing()
        return name

    def clean_name_zh(self) -> str:
        name: str = self.cleaned_data["name_zh"]
        if name_fields()[0] == "name_zh" and not name and not (self["name"].data or "").strip():
            raise self._missing()
        return name

    def _missing(self) -> ValidationError:
        return ValidationError(self.fields["name"].error_messages["required"], code="required")
