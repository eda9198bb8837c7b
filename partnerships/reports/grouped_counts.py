"""Counts of many conditions over the rows of one queryset, in one query.

Django repeats an annotation in each condition that names it, and PostgreSQL does so when it merges a subquery into the query
around it. Here the rows, with all that their columns take to compute, are materialized once, and the conditions compare them.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet


@dataclass(frozen=True)
class ColumnTest:
    """A condition on the columns of a subquery, in SQL that both databases know."""

    sql: str
    params: tuple[Any, ...] = ()

    def __and__(self, other: "ColumnTest") -> "ColumnTest":
        return ColumnTest(f"({self.sql}) AND ({other.sql})", (*self.params, *other.params))


ALWAYS = ColumnTest("1 = 1")


def day_param(day: dt.date) -> object:
    return connection.ops.adapt_datefield_value(day)


def between(column: str, first: dt.date | None, last: dt.date | None) -> ColumnTest:
    """Return the condition that a day lies within, both ends included; None: without limit."""
    found = ALWAYS
    if first is not None:
        found &= ColumnTest(f"{column} >= %s", (day_param(first),))
    if last is not None:
        found &= ColumnTest(f"{column} <= %s", (day_param(last),))
    return found


def compiled(rows: QuerySet) -> tuple[str, tuple[object, ...]] | None:
    """Return the SQL of a queryset of values; None where its conditions leave nothing, so that there is none."""
    try:
        sql, params = rows.order_by().query.sql_with_params()
    except EmptyResultSet:
        return None
    return sql, tuple(params)


def run(sql: str, params: Sequence[Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def select_counts(counted: Mapping[str, ColumnTest], of: str = "*") -> tuple[str, tuple[object, ...]]:
    """Return the columns of a SELECT that count the rows of each condition, or the different values ``of`` a column."""
    what = "THEN 1 END" if of == "*" else f"THEN {of} END"
    distinct = "" if of == "*" else "DISTINCT "
    columns = [f"COUNT({distinct}CASE WHEN {test.sql} {what}) AS {name}" for name, test in counted.items()]
    return ", ".join(columns), tuple(param for test in counted.values() for param in test.params)


def grouped_counts(
    rows: QuerySet, by: str, counted: Mapping[str, ColumnTest], *, of: str = "*"
) -> dict[Any, dict[str, int]]:
    """Return the counts of each group of ``rows``, a queryset of values, by the group's value of the column ``by``."""
    inner = compiled(rows)
    if inner is None:
        return {}
    columns, params = select_counts(counted, of)
    # Names of columns and SQL that Django made; all values are parameters.
    sql = f"WITH found AS MATERIALIZED ({inner[0]}) SELECT {by}, {columns} FROM found GROUP BY {by}"  # noqa: S608
    return {row.pop(by): row for row in run(sql, (*inner[1], *params))}


def counts(
    rows: QuerySet, counted: Mapping[str, ColumnTest], *, beside: Mapping[str, QuerySet] | None = None
) -> dict[str, Any]:
    """Return the counts of ``rows``, a queryset of values; those of ``beside`` are of other rows, in the same query."""
    columns, params = select_counts(counted)
    inner = compiled(rows)
    zeros = dict.fromkeys(counted, 0)
    if inner is None:
        return zeros | {name: other.count() for name, other in (beside or {}).items()}
    for name, other in (beside or {}).items():
        scalar = compiled(other)
        if scalar is None:
            columns += f", 0 AS {name}"
        else:
            columns += f", (SELECT COUNT(*) FROM ({scalar[0]}) AS {name}) AS {name}"  # noqa: S608
            params += scalar[1]
    sql = f"WITH found AS MATERIALIZED ({inner[0]}) SELECT {columns} FROM found"  # noqa: S608
    return run(sql, (*inner[1], *params))[0]
