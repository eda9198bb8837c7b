"""Filters of the change lists."""

from collections.abc import Iterator
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.admin.filters import RelatedFieldListFilter
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partnerships.forms.numbers import row_or_none
from partnerships.models import ReportedFigure
from partnerships.models.counting_rules import recorded
from partnerships.reports.figures import hidden_count
from partnerships.requests import user_of
from partnerships.texts import LazyText


class AttentionFilter(admin.SimpleListFilter):
    """The lists behind the numbers of the index; each admin names its own in ``attention``."""

    title = _("what needs attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, LazyText]]:
        self.attention = model_admin.attention
        return [(key, attention.label) for key, attention in self.attention.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        attention = self.attention.get(self.value())
        return queryset if attention is None else attention.select(queryset, timezone.localdate())


class OpenFilter(admin.SimpleListFilter):
    """The rows a list opens on, those that ask for somebody, unless the address asks for others.

    Each admin says which rows these are in ``open_rows``, and calls them by ``open_label``.
    """

    title = _("shown")
    parameter_name = "show"
    # With one of these in the address, somebody looks for a certain row or follows a number of the index.
    beside = frozenset({"attention", "status__exact", "q", "counted"})

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.is_default = is_open_list(request)
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, LazyText]]:
        self.open_rows, self.open_label = model_admin.open_rows, model_admin.open_label
        return [("all", _("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        for value, label in ((None, self.open_label), *self.lookup_choices):
            query = changelist.get_query_string({self.parameter_name: value}, [] if value else [self.parameter_name])
            yield {"selected": self.value() == value, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        found: QuerySet = self.open_rows(queryset, timezone.localdate()) if self.is_default else queryset
        return found


def is_open_list(request: HttpRequest) -> bool:
    """Return whether a list shows the rows it opens on."""
    return request.GET.get(OpenFilter.parameter_name) != "all" and not OpenFilter.beside & request.GET.keys()


class ScopedRelatedFilter(RelatedFieldListFilter):
    """A filter that offers only rows the person may see."""

    def field_choices(self, field: Field, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, LazyText]]:
        model = cast("type[Model]", field.related_model)
        # Django would offer all rows, and so show the names of other units' rows.
        rows = model._default_manager.all()
        if hasattr(rows, "visible_to"):
            rows = rows.visible_to(user_of(request))
        return [(row.pk, str(row)) for row in rows]


class CountedFilter(admin.SimpleListFilter):
    """The records that count against one reported figure; offered only where a figure's number led here."""

    title = _("counted against a reported figure")
    parameter_name = "counted"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, Any]]:
        self.figure = self._figure(request)
        if self.figure is None:
            return []
        counted = recorded(self.figure)
        hidden = 0 if counted is None else hidden_count(counted, user_of(request))
        label = _("%(figure)s (%(count)s more that you may not see)") if hidden else "%(figure)s"
        return [(str(self.figure.pk), label % {"figure": self.figure, "count": hidden})]

    def _figure(self, request: HttpRequest) -> ReportedFigure | None:
        return row_or_none(ReportedFigure.objects.visible_to(user_of(request)), self.value())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        counted = recorded(self.figure) if self.figure else None
        if counted is None:
            return queryset
        if counted.model is not queryset.model._meta.concrete_model:
            return queryset.none()  # the figure counts rows of another list
        return queryset.filter(pk__in=counted.order_by().values("pk"))


class MineFilter(admin.SimpleListFilter):
    """A filter for rows of the person, or of nobody; ``field`` is the column of the owner."""

    title = _("owner")
    parameter_name = "mine"
    field = "owner"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> Iterator[tuple[str, LazyText]]:
        yield "yes", _("Me")
        yield "nobody", _("Unassigned")

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "yes":
            return queryset.filter(**{self.field: user_of(request)})
        if self.value() == "nobody":
            return queryset.filter(**{f"{self.field}__isnull": True})
        return queryset


class MyAgreementsFilter(MineFilter):
    field = "coordinator"
