"""The state of the pipeline for the system status page, in a fixed number of queries."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate

from partnerships.mailing.relay import relay_state
from partnerships.models import ComponentHeartbeat, Delivery, MailHold, MailRelay, ReminderPlan
from partnerships.statuses import WAITING_DELIVERIES, DeliveryStatus, PlanStatus

DAYS_AHEAD = 7
# Statuses that are not final, or wait for a person, in the order in which a mail passes through them.
UNFINISHED = (
    *(DeliveryStatus.QUEUED, DeliveryStatus.CLAIMED, DeliveryStatus.HANDING, DeliveryStatus.RETRY),
    *(DeliveryStatus.HELD, DeliveryStatus.UNCERTAIN, DeliveryStatus.UNCONFIRMED, DeliveryStatus.FAILED),
)
WENT_WRONG = (
    *(DeliveryStatus.RETRY, DeliveryStatus.FAILED),
    *(DeliveryStatus.UNCERTAIN, DeliveryStatus.UNCONFIRMED),
)


@dataclass(frozen=True)
class Oldest:
    """The oldest row that should have been processed by now, and since when."""

    pk: int
    since: dt.datetime


@dataclass(frozen=True)
class PipelineState:
    """Heartbeats, unfinished deliveries by status, and planned reminders by day in the reader's time zone."""

    heartbeats: Mapping[str, ComponentHeartbeat]
    relay: MailRelay
    hold: MailHold | None
    queue: Mapping[DeliveryStatus, int]
    plans_due: int
    oldest_plan: Oldest | None
    oldest_mail: Oldest | None
    last_sent: Delivery | None
    last_trouble: Delivery | None
    ahead: Mapping[dt.date, int]


def pipeline_state(*, now: dt.datetime, zone: dt.tzinfo) -> PipelineState:
    """Return the state; nine queries, each over a partial index or the few rows that are not final."""
    plans = ReminderPlan.objects.filter(status=PlanStatus.PLANNED)
    due = plans.filter(next_attempt_at__lt=now)
    mails = Delivery.objects.filter(status__in=WAITING_DELIVERIES, next_attempt_at__lt=now)
    sent = Delivery.objects.filter(status=DeliveryStatus.SENT).select_related("person").order_by("-pk")
    wrong = Delivery.objects.filter(status__in=WENT_WRONG).select_related("person").order_by("-pk")
    return PipelineState(
        heartbeats={row.name: row for row in ComponentHeartbeat.objects.all()},
        relay=relay_state(),
        hold=MailHold.objects.active().first(),
        queue=_queue(),
        plans_due=due.count(),
        oldest_plan=_oldest(due),
        oldest_mail=_oldest(mails),
        last_sent=sent.first(),
        last_trouble=wrong.first(),
        ahead=_ahead(plans, now, zone),
    )


def _queue() -> dict[DeliveryStatus, int]:
    rows = Delivery.objects.filter(status__in=UNFINISHED).order_by().values("status").annotate(count=Count("pk"))
    counted = {row["status"]: row["count"] for row in rows}
    return {status: counted.get(status, 0) for status in UNFINISHED}


def _oldest(rows: QuerySet[ReminderPlan] | QuerySet[Delivery]) -> Oldest | None:
    found = rows.order_by("next_attempt_at", "pk").values_list("pk", "next_attempt_at").first()
    return Oldest(*found) if found else None


def _ahead(plans: QuerySet[ReminderPlan], now: dt.datetime, zone: dt.tzinfo) -> dict[dt.date, int]:
    """Count the planned reminders of today and the next days, also of days without any."""
    first = now.astimezone(zone).date()
    start, end = day_bounds(first, zone)[0], day_bounds(first + dt.timedelta(days=DAYS_AHEAD - 1), zone)[1]
    coming = plans.filter(next_attempt_at__gte=start, next_attempt_at__lt=end).order_by()
    rows = coming.values(day=TruncDate("next_attempt_at", tzinfo=zone)).annotate(count=Count("pk"))
    counted = {row["day"]: row["count"] for row in rows}
    days = (first + dt.timedelta(days=number) for number in range(DAYS_AHEAD))
    return {day: counted.get(day, 0) for day in days}


def day_bounds(day: dt.date, zone: dt.tzinfo) -> tuple[dt.datetime, dt.datetime]:
    """Return when ``day`` begins and ends in ``zone``."""
    start, end = (dt.datetime.combine(one, dt.time(), zone) for one in (day, day + dt.timedelta(days=1)))
    return start, end
