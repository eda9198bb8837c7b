"""Agreements of other units that a row one sees refers to: that there is one is shown, which one is not."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.models import Activity, Agreement


class VeiledAgreementsMixin:
    """Puts words in place of each of ``refers_to`` whose agreement the person may not see; it is then kept as it is."""

    refers_to: tuple[str, ...]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        sets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        hidden = self._hidden(request, obj)
        if not hidden:
            return sets
        return [(title, {**options, "fields": _veiled(options["fields"], hidden)}) for title, options in sets]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        names = super().get_readonly_fields(request, obj)  # type: ignore[misc]
        return (*names, *(f"veiled_{name}" for name in sorted(self._hidden(request, obj))))

    def _hidden(self, request: HttpRequest, obj: Any) -> frozenset[str]:
        """The names, asked once for each request: a page asks for its fields many times."""
        if obj is None or request.user.sees_all_units:  # type: ignore[attr-defined]
            return frozenset()
        ids = {name: getattr(obj, f"{name}_id") for name in self.refers_to}
        known = request.__dict__.setdefault("_visible_agreements", {})
        key = frozenset(ids.values()) - {None}
        if key not in known:
            rows = Agreement.objects.visible_to(request.user).filter(pk__in=key)
            known[key] = set(rows.values_list("pk", flat=True)) if key else set()
        return frozenset(name for name, pk in ids.items() if pk and pk not in known[key])

    @display(description=Agreement._meta.get_field("parent").verbose_name)
    def veiled_parent(self, row: Any) -> Any:
        return _("another unit's agreement")

    @display(description=Agreement._meta.get_field("predecessor").verbose_name)
    def veiled_predecessor(self, row: Any) -> Any:
        return _("another unit's agreement")

    @display(description=Activity._meta.get_field("agreement").verbose_name)
    def veiled_agreement(self, row: Any) -> Any:
        return _("another unit's agreement")


def veils(*names: str) -> Callable[[type], type]:
    """A class decorator: the veil lies over what the class itself says about its fields."""

    def over(page: type) -> type:
        return type(page.__name__, (VeiledAgreementsMixin, page), {"__module__": page.__module__, "refers_to": names})

    return over


def _veiled(fields: Any, hidden: frozenset[str]) -> tuple[Any, ...]:
    return tuple(
        _veiled(name, hidden) if isinstance(name, list | tuple) else f"veiled_{name}" if name in hidden else name
        for name in fields
    )
