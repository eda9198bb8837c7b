"""Names and titles in two languages, of which one is enough."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _


def name_fields(columns: tuple[str, str] = ("name", "name_zh")) -> tuple[str, str]:
    """Return the two fields of a name, that of the reader's language first."""
    latin, chinese = columns
    return (chinese, latin) if (get_language() or "").startswith("zh") else (latin, chinese)


class EitherNameMixin(forms.BaseForm):
    """A form with ``name`` and ``name_zh``: asks in the reader's language first, and takes one name for both.

    Offices in China often know no other name than the Chinese one. ``name`` must not be empty, so it is then the same.
    """

    columns: ClassVar[tuple[str, str]] = ("name", "name_zh")
    needs_one_of = frozenset(columns)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        (latin, chinese), in_order = self.columns, name_fields(self.columns)
        self.is_name_required = self.fields[latin].required
        for name in self.columns:
            self.fields[name].required = False
        if in_order[0] == chinese:
            self.fields[chinese].label, self.fields[latin].label = self.fields[latin].label, _("English name")
        self.order_fields([other for name in self.fields for other in (in_order if name == latin else (name,))])

    @property
    def names_in_order(self) -> list[forms.BoundField]:
        return [self[name] for name in name_fields(self.columns)]

    def clean_name(self) -> str:
        """Take the Chinese name where there is no other."""
        latin, chinese = self.columns
        self._check_named(latin)
        return self.cleaned_data[latin] or self._typed(chinese)

    def clean_name_zh(self) -> str:
        chinese = self.columns[1]
        self._check_named(chinese)
        return str(self.cleaned_data[chinese])

    def _check_named(self, column: str) -> None:
        """Refuse that both are empty, at the field that is asked for first."""
        is_first = column == name_fields(self.columns)[0]
        if self.is_name_required and is_first and not any(self._typed(one) for one in self.columns):
            raise ValidationError(self.fields[column].error_messages["required"], code="required")

    def _typed(self, column: str) -> str:
        return (self[column].data or "").strip() if column in self.fields else ""


class EitherTitleMixin(EitherNameMixin):
    """A form with ``title`` and ``title_zh``, asked for as the names are; the second is marked as optional."""

    columns = ("title", "title_zh")
    needs_one_of = frozenset(columns)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.needs_one_of = self.needs_one_of - {name_fields(self.columns)[1]}

    clean_title, clean_title_zh = EitherNameMixin.clean_name, EitherNameMixin.clean_name_zh
