"""Columns by which rows are sorted by name, the same on both databases and for both languages."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q
from django.db.models.constants import LOOKUP_SEP
from django.utils.translation import get_language

from partnerships.names import LONGEST_SORT_KEY, sort_key


class SortKeyField(models.CharField):
    """The key by which a row is sorted by name, written with each save of the row (``names.sort_key``).

    ``columns`` hold the names of the row; the first that is not empty counts.
    """

    def __init__(self, *columns: str, is_person: bool = False, **options: Any) -> None:
        self.columns, self.is_person = columns, is_person
        known = {"max_length": LONGEST_SORT_KEY, "blank": True, "default": "", "db_default": ""}
        super().__init__(**{**known, "editable": False, **options})

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, _args, options = super().deconstruct()
        return name, path, list(self.columns), {**options, **({"is_person": True} if self.is_person else {})}

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters = super().db_parameters(connection)
        # By bytes, as SQLite compares text anyway. The rules of a language would skip the spaces, for example.
        return {**parameters, "collation": "C"} if connection.vendor == "postgresql" else parameters

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        key = self.key_of([getattr(model_instance, column) for column in self.columns])
        setattr(model_instance, self.attname, key)
        return key

    def key_of(self, names: Iterable[str]) -> str:
        return sort_key(next(filter(None, names), ""), is_person=self.is_person)


def is_reader_chinese() -> bool:
    return (get_language() or "").startswith("zh")


class NamedModel(models.Model):
    """A row that lists sort by its name or title, with ``ByName``.

    It declares ``sort_key``, and ``sort_key_zh`` as well if it has a Chinese name beside the other.
    """

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if (names := kwargs.get("update_fields")) is not None:
            keys = {key.name for key in sort_keys(type(self)) if not set(key.columns).isdisjoint(names)}
            kwargs["update_fields"] = {*names, *keys}
        super().save(*args, **kwargs)


def sort_keys(model: type[models.Model]) -> list[SortKeyField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, SortKeyField)]


def fill_sort_keys(model: type[models.Model], *, are_missing: bool = False, batch: int = 1000) -> int:
    """Write the sort keys of all rows whose keys are not those of their names, and return how many these were.

    With ``are_missing`` it reads only rows that lack a key. It works in batches, each with a lock on its rows.
    """
    keys, last, changed = sort_keys(model), 0, 0
    missing = reduce(or_, (Q(**{key.name: ""}) for key in keys))
    columns = dict.fromkeys(column for key in keys for column in (*key.columns, key.name))
    table, names = model._meta.db_table, ", ".join(f"{connection.ops.quote_name(str(key.column))} = %s" for key in keys)
    update = f"UPDATE {connection.ops.quote_name(table)} SET {names} WHERE id = %s"  # noqa: S608  # names of ours
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            rows = model._base_manager.select_for_update(no_key=True).filter(pk__gt=last).order_by("pk")
            rows = rows.filter(missing) if are_missing else rows
            found = list(rows.values("pk", *columns)[:batch])
            written = [
                (*right, row["pk"])
                for row in found
                if (right := [key.key_of([row[column] for column in key.columns]) for key in keys])
                != [row[key.name] for key in keys]
            ]
            cursor.executemany(update, written)
        changed += len(written)
        if len(found) < batch:
            return changed
        last = found[-1]["pk"]


class ByName(models.Expression):
    """The order by the name that the reader sees, for ``order_by`` and ``Meta.ordering``.

    ``path`` leads to the named row, as in ``ByName("owner")``; without one, the rows themselves have the name. The
    language is the one that is active when the query runs.
    """

    def __init__(self, path: str = "") -> None:
        super().__init__()
        self.path = path

    def resolve_expression(
        self,
        query: Any = None,
        allow_joins: bool = True,
        reuse: set[str] | None = None,
        summarize: bool = False,
        for_save: bool = False,
    ) -> Any:
        steps = self.path.split(LOOKUP_SEP) if self.path else []
        keys = {key.name for key in sort_keys(_follow(query.model, steps))}
        key = "sort_key_zh" if is_reader_chinese() and "sort_key_zh" in keys else "sort_key"
        return query.resolve_ref(LOOKUP_SEP.join([*steps, key]), allow_joins, reuse, summarize)

    def prefix_references(self, prefix: str) -> "ByName":
        return ByName(f"{prefix}{self.path}".removesuffix(LOOKUP_SEP))


def order_by_column(model: type[models.Model], path: str) -> ByName | F:
    """Return the order by the column at the end of ``path``: for the name of a row, by the name that the reader sees."""
    *steps, column = path.split(LOOKUP_SEP)
    try:
        keys = sort_keys(_follow(model, steps))
    except FieldDoesNotExist:  # a lookup or an annotation
        return F(path)
    is_name = any(key.name == "sort_key" and key.columns[0] == column for key in keys)
    return ByName(LOOKUP_SEP.join(steps)) if is_name else F(path)


def _follow(model: type[models.Model], steps: Iterable[str]) -> type[models.Model]:
    """Return the model that a path of relations leads to."""
    for step in steps:
        model = model._meta.get_field(step).related_model  # type: ignore[assignment]  # relations have one
    return model
