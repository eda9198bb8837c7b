"""Fields of the ceremony form, and the choices that all its lines share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict

from partnerships.models import AgreementType, CooperationArea, Role, Unit, User
from partnerships.models.base import validate_visible_text
from partnerships.texts import LazyText


class DraftPartForm(forms.Form):
    """A part of the ceremony form. Without ``is_checked`` it shows what was typed and no errors: it is still a draft."""

    data: QueryDict
    prefix: str

    def __init__(self, *args: Any, is_checked: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_checked = is_checked

    @property
    def errors(self) -> ErrorDict:
        return super().errors if self.is_checked else ErrorDict()


def line_field(label: LazyText, length: int = 200, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, validators=[validate_visible_text], **more)


@dataclass
class Choices:
    """The options of the page's selects for ``user``, read once for all lines; ``present`` are names by key."""

    user: User
    present: dict[str, str] = field(default_factory=dict)

    @cached_property
    def units(self) -> dict[str, Unit]:
        """Return the units for which the person may enter ceremonies."""
        rows = Unit.objects.visible_to(self.user)
        if not self.user.sees_all_units:
            rows = rows.filter(pk__in=self.user.scope.unit_ids_as(Role.COORDINATOR))
        return by_key(rows)

    @cached_property
    def people(self) -> dict[str, User]:
        return by_key(User.objects.visible_to(self.user).reachable())

    @cached_property
    def types(self) -> dict[str, AgreementType]:
        return by_key(AgreementType.objects.filter(is_active=True))

    @cached_property
    def areas(self) -> dict[str, CooperationArea]:
        return by_key(CooperationArea.objects.filter(is_active=True))


def by_key(rows: Iterable[Any]) -> dict[str, Any]:
    return {str(row.pk): row for row in rows}


def select(label: LazyText, **more: Any) -> forms.TypedChoiceField:
    """Return a select without options: they are read once for all lines, and ``offer_choices`` fills them in."""
    return forms.TypedChoiceField(label=label, empty_value=None, **more)


def offer_choices(field: Any, rows: Mapping[str, object], *, empty: LazyText | None = None) -> None:
    """Fill in the options of a select or of checkboxes; the chosen key is cleaned to its row."""

    def row_of(key: str) -> object:
        if key not in rows:
            raise ValueError(key)
        return rows[key]

    blank = [] if empty is None else [("", empty)]
    field.choices = [*blank, *((key, str(row)) for key, row in rows.items())]
    field.coerce = row_of
