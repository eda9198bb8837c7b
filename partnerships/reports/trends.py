"""The state of a part of the register on many days, each trend in one query.

In force is counted without asking each agreement on each day: of the terms of an agreement that cover a day exactly one
counts, the first by its start, because it alone is not covered by what came before it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import (
    Count,
    DateField,
    Exists,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    RowRange,
    Value,
    Window,
)
from django.db.models.functions import Coalesce

from partnerships.dates import add_months
from partnerships.models import Activity, AgreementTerm, ContactNote, PastSuspension
from partnerships.models.activities import QUIET_AFTER_DAYS
from partnerships.models.agreements import NEVER, lasts_until
from partnerships.models.milestones import PENDING_STATUSES
from partnerships.reports.grouped_counts import ColumnTest, compiled, day_param, run, select_counts
from partnerships.reports.overview_figures import MONTHS
from partnerships.reports.scoped_rows import ScopedRows


@dataclass(frozen=True)
class Trend:
    """A number for each day asked, and the first day of which something is on record; None: of none."""

    values: Sequence[int]
    first_day: dt.date | None

    def known(self, days: Sequence[dt.date]) -> list[int | None]:
        """Return the values of ``days``, the days asked; None for those before the first day on record."""
        pairs = zip(days, self.values, strict=True)
        return [value if self.first_day and self.first_day <= day else None for day, value in pairs]


def month_starts(day: dt.date) -> list[dt.date]:
    """Return the first days of the last ``MONTHS`` months up to that of ``day``."""
    first = day.replace(day=1)
    return [add_months(first, -back) for back in reversed(range(MONTHS))]


def month_ends(day: dt.date) -> list[dt.date]:
    """Return the last days of the same months; of the last one, ``day``."""
    return [add_months(first, 1) - dt.timedelta(days=1) for first in month_starts(day)[:-1]] + [day]


def trends_of_agreements(rows: ScopedRows, days: Sequence[dt.date]) -> tuple[Trend, Trend]:
    """Return how many agreements were in force on each of ``days``, and how many of them were without contact."""
    spans = compiled(_spans(rows))
    touches = [compiled(one) for one in _touches(rows, min(days))]
    if spans is None:
        return Trend([0] * len(days), None), Trend([0] * len(days), None)
    in_force = {f"force_{n}": _span_covers(day) for n, day in enumerate(days)}
    in_touch = {f"touch_{n}": _is_in_touch(day) for n, day in enumerate(days)}
    greatest, least = ("MAX", "MIN") if connection.vendor == "sqlite" else ("GREATEST", "LEAST")
    force_columns, force_params = select_counts(in_force)
    touch_columns, touch_params = select_counts(in_touch)
    parts = [one for one in touches if one is not None]
    union = " UNION ALL ".join(sql for sql, _params in parts)
    # Names of our columns and SQL that Django made; all values are parameters.
    sql = f"""
        WITH span AS MATERIALIZED ({spans[0]}),
        touch AS ({union}),
        latest AS (
            SELECT agreement_id, since, is_contact,
                MAX(reach) OVER (PARTITION BY agreement_id ORDER BY since) AS reach,
                LEAD(since) OVER (PARTITION BY agreement_id ORDER BY since) AS following
            FROM touch
        ),
        contact AS MATERIALIZED (
            SELECT {greatest}(starts_on, signed, since) AS since, {least}(closed, COALESCE(following, closed)) AS ended,
                until, before, suspended, resumed, has_past, span.agreement_id, reach, CASE WHEN is_contact = 1 THEN since END AS contacted_on
            FROM span JOIN latest ON latest.agreement_id = span.agreement_id
        )
        SELECT * FROM
        (SELECT {force_columns}, MIN(signed) AS first_signed FROM span AS here) AS in_force,
        (SELECT {touch_columns}, MIN(contacted_on) AS first_contact FROM contact AS here) AS in_touch
    """  # noqa: S608
    params = [*spans[1], *(param for _sql, its in parts for param in its), *force_params, *touch_params]
    found = run(sql, params)[0]
    force = [found[name] for name in in_force]
    quiet = [count - found[name] for count, name in zip(force, in_touch, strict=True)]
    return Trend(force, _day(found["first_signed"])), Trend(quiet, _day(found["first_contact"]))


def _day(value: Any) -> dt.date | None:
    return dt.date.fromisoformat(value) if isinstance(value, str) else value


def _spans(rows: ScopedRows) -> QuerySet:
    """Return a row for each term of the signed agreements, with what decides on which days it covers them."""
    terms = AgreementTerm.objects.filter(agreement__in=rows.agreements.filter(signed_on__isnull=False).values("pk"))
    before = Window(
        Max(lasts_until()), partition_by="agreement", order_by=["starts_on", "pk"], frame=RowRange(start=None, end=-1)
    )
    return terms.values(
        "agreement_id",
        "starts_on",
        until=lasts_until(),
        before=before,
        signed=F("agreement__signed_on"),
        closed=Coalesce("agreement__terminated_on", "agreement__completed_on", NEVER),
        suspended=F("agreement__suspended_on"),
        resumed=Coalesce("agreement__resumed_on", NEVER),
        has_past=Exists(PastSuspension.objects.filter(agreement=OuterRef("agreement"))),
    )


def _span_covers(day: dt.date) -> ColumnTest:
    value = day_param(day)
    sql = "starts_on <= %s AND signed <= %s AND until >= %s AND closed > %s AND (before IS NULL OR before < %s)"
    return ColumnTest(sql, (value,) * 5) & _is_not_suspended(day)


def _is_not_suspended(day: dt.date) -> ColumnTest:
    value, past = day_param(day), connection.ops.quote_name(PastSuspension._meta.db_table)
    last = ColumnTest("suspended IS NULL OR suspended > %s OR resumed <= %s", (value, value))
    # Few agreements have earlier ones, so that hardly any row asks for them.
    earlier = (
        f"NOT has_past OR NOT EXISTS (SELECT 1 FROM {past} AS past WHERE past.agreement_id = here.agreement_id"  # noqa: S608
        " AND past.suspended_on <= %s AND past.resumed_on > %s)"
    )
    return last & ColumnTest(earlier, (value, value))


def _touches(rows: ScopedRows, first: dt.date) -> list[QuerySet]:
    """Return the days of contact, the signing among them, as far as they matter from ``first`` on.

    A signing whose day is not known counts from the first day that it may be, and reaches from the last.
    """
    since = first - dt.timedelta(days=QUIET_AFTER_DAYS)
    signed = rows.agreements.filter(signed_on__isnull=False)
    ids = signed.order_by().values("pk")
    yes, no = (Value(number, output_field=IntegerField()) for number in (1, 0))
    done = Activity.objects.completed().filter(agreement__in=ids, completed_on__gte=since)
    notes = ContactNote.objects.filter(agreement__in=ids, happened_on__gte=since)
    return [
        done.values("agreement_id", since=F("completed_on"), reach=F("completed_on"), is_contact=yes),
        notes.values("agreement_id", since=F("happened_on"), reach=F("happened_on"), is_contact=yes),
        signed.values(
            agreement_id=F("pk"),
            since=F("signed_on"),
            reach=Coalesce("signed_at_latest", "signed_on", output_field=DateField()),
            is_contact=no,
        ),
    ]


def _is_in_touch(day: dt.date) -> ColumnTest:
    """Return the condition for the last contact on or before ``day``, in a term that covers it, when it still reaches so far."""
    value, since = day_param(day), day_param(day - dt.timedelta(days=QUIET_AFTER_DAYS))
    sql = "since <= %s AND ended > %s AND reach >= %s AND until >= %s AND (before IS NULL OR before < %s)"
    return ColumnTest(sql, (value, value, since, value, value)) & _is_not_suspended(day)


def trend_of_overdue(
    rows: ScopedRows, days: Sequence[dt.date], beside: Mapping[str, Q]
) -> tuple[list[int], dict[str, int]]:
    """Return how many milestones were overdue at the end of each of ``days``, and those that meet the conditions ``beside``."""
    closed_on = Coalesce("met_on", "waived_on", "cancelled_on", output_field=DateField())
    pending = Q(status__in=PENDING_STATUSES)
    late = {
        f"late_{n}": Count("pk", filter=Q(due_on__lt=day) & (pending | Q(closed_on__gt=day)))
        for n, day in enumerate(days)
    }
    more = {name: Count("pk", filter=condition) for name, condition in beside.items()}
    recent = pending | Q(closed_on__gt=min(days))
    found = rows.milestones.alias(closed_on=closed_on).filter(recent).order_by().aggregate(**late, **more)
    return [found[name] for name in late], {name: found[name] for name in more}
