"""Placeholders for agreements of other units, on pages of rows that refer to them."""

from collections.abc import Callable
from typing import TypeVar

from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.base import FieldNames, FieldRows, FieldSets, PageBase
from partnerships.models import Activity, Agreement
from partnerships.requests import user_of
from partnerships.texts import LazyText

Page = TypeVar("Page", bound=ModelAdmin)
PLACEHOLDER = _("another unit's agreement")


class HiddenAgreementsMixin(PageBase):
    """A page with a placeholder for each of ``agreement_fields`` whose agreement the user may not see."""

    agreement_fields: tuple[str, ...]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> FieldSets:
        sets = super().get_fieldsets(request, obj)
        hidden = self._hidden(request, obj)
        return [
            (title, {**options, "fields": _with_placeholders(options["fields"], hidden)}) for title, options in sets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> FieldNames:
        # A read-only field is not part of the form, so an edit keeps the hidden agreement.
        names = super().get_readonly_fields(request, obj)
        return (*names, *(f"hidden_{name}" for name in sorted(self._hidden(request, obj))))

    def _hidden(self, request: HttpRequest, obj: Model | None) -> frozenset[str]:
        """Return the names of the fields to hide."""
        if obj is None or user_of(request).sees_all_units:
            return frozenset()
        ids = {name: getattr(obj, f"{name}_id") for name in self.agreement_fields}
        # Cached on the request: Django asks for the fields of a page many times.
        visible = request.__dict__.setdefault("_visible_agreements", {})
        key = frozenset(ids.values()) - {None}
        if key not in visible:
            rows = Agreement.objects.visible_to(user_of(request)).filter(pk__in=key)
            visible[key] = set(rows.values_list("pk", flat=True)) if key else set()
        return frozenset(name for name, pk in ids.items() if pk and pk not in visible[key])

    @display(description=Agreement._meta.get_field("parent").verbose_name)
    def hidden_parent(self, row: Model) -> LazyText:
        return PLACEHOLDER

    @display(description=Agreement._meta.get_field("predecessor").verbose_name)
    def hidden_predecessor(self, row: Model) -> LazyText:
        return PLACEHOLDER

    @display(description=Activity._meta.get_field("agreement").verbose_name)
    def hidden_agreement(self, row: Model) -> LazyText:
        return PLACEHOLDER


def hides_agreements(*names: str) -> Callable[[type[Page]], type[Page]]:
    """Return a class decorator for a page of the admin that hides foreign agreements in the fields ``names``.

    A decorator, because the mixin has to come before the page, whose own ``get_fieldsets`` names the fields.
    """

    def subclass(page: type[Page]) -> type[Page]:
        return type(
            page.__name__, (HiddenAgreementsMixin, page), {"__module__": page.__module__, "agreement_fields": names}
        )

    return subclass


def _with_placeholders(fields: FieldRows, hidden: frozenset[str]) -> FieldRows:
    """Return the fields of a fieldset, also those that share a line, with placeholders for the hidden ones."""

    def shown(name: str) -> str:
        return f"hidden_{name}" if name in hidden else name

    return tuple(shown(row) if isinstance(row, str) else tuple(shown(name) for name in row) for row in fields)
