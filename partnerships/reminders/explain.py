"""Explain a milestone's reminders: every plan and mail, why it went out or did not, and what comes next."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from partnerships.models import Delivery, Milestone, ReminderItem, ReminderPlan
from partnerships.models.deliveries import NOT_THROUGH
from partnerships.models.office_day import zone_named
from partnerships.models.reasons import Reason
from partnerships.reminders.recipients import Directory
from partnerships.statuses import DeliveryStatus, PlanStatus


@dataclass(frozen=True)
class ExplainedItem:
    """One reader's reminder: what became of it, what a person should do about it, and each step of its mail."""

    item: ReminderItem
    words: str
    advice: str
    steps: list[str]


@dataclass(frozen=True)
class ExplainedPlan:
    """One planned reminder; ``to_whom`` says who would get it if it were made into mail now."""

    plan: ReminderPlan
    words: str
    to_whom: list[str]
    items: list[ExplainedItem]


def explain(milestone: Milestone, *, now: dt.datetime) -> list[str]:
    """Return lines for an operator, with times in the zone of the milestone's unit. The page shows the same."""
    zone = zone_named(milestone.unit.time_zone)
    plans = list(with_items(milestone.reminder_plans.order_by("due_on", "send_at", "pk")))
    today = timezone.localdate(now, zone)
    lines = [_heading(milestone), *_snooze(milestone, today), *_state(milestone, plans)]
    for explained in explain_plans(plans, now=now, zone=zone):
        lines.append(f"- {explained.plan.occasion}, {explained.plan.due_on.isoformat()}: {explained.words}")
        lines += [f"  - {words}" for words in explained.to_whom]
        for item in explained.items:
            lines.append(f"  - {item.words}")
            lines += [f"    {words}" for words in (*item.steps, item.advice) if words]
    return lines


def with_items(plans: QuerySet[ReminderPlan]) -> QuerySet[ReminderPlan]:
    """Add what ``explain_plans`` needs; three queries beside that of the plans."""
    items = ReminderItem.objects.select_related("person", "contact", "delivery")
    items = items.prefetch_related("delivery__events__actor")
    related = plans.select_related("rule", "unanswered_by", "milestone__agreement")
    return related.prefetch_related(Prefetch("items", items.order_by("pk")))


def explain_plans(
    plans: Sequence[ReminderPlan], *, now: dt.datetime, zone: dt.tzinfo | None = None
) -> list[ExplainedPlan]:
    """Explain ``plans``, which come ``with_items``; three queries if any is still to come.

    Times are named in ``zone``; without one they are the reader's own.
    """
    coming = [plan for plan in plans if plan.status == PlanStatus.PLANNED]
    # Recipients are computed for coming reminders only; the others are recorded.
    directory = Directory.load(coming, now=now) if coming else None
    return [
        ExplainedPlan(
            plan,
            _plan_words(plan, now, zone),
            list(_to_whom(plan, directory)) if directory else [],
            [
                ExplainedItem(item, _item_words(item, zone), _advice(item), list(_steps(item.delivery, zone)))
                for item in plan.items.all()
            ],
        )
        for plan in plans
    ]


def _to_whom(plan: ReminderPlan, directory: Directory) -> Iterator[str]:
    """Yield who would get it now. That changes when the owner does; a plan nobody can get says so as its reason."""
    if plan.status == PlanStatus.PLANNED:
        for recipient in directory.recipients(plan):
            words = _("To %(person)s, %(why)s") % {"person": recipient.reader, "why": recipient.why.label}
            unsent = f": {_('not sent.')} {Reason.CONTACT_STOPPED_MAIL.label}" if recipient.declines_mail else ""
            yield words + unsent


def _heading(milestone: Milestone) -> str:
    return _("%(title)s, due on %(date)s, %(status)s") % {
        "title": milestone.display_title,
        "date": milestone.due_on.isoformat(),
        "status": milestone.get_status_display(),
    }


def _snooze(milestone: Milestone, today: dt.date) -> Iterator[str]:
    if milestone.is_snoozed(today) and milestone.snoozed_until:
        yield _("Snoozed until %(date)s: %(reason)s") % {
            "date": milestone.snoozed_until.isoformat(),
            "reason": milestone.snooze_reason,
        }


def _state(milestone: Milestone, plans: list[ReminderPlan]) -> Iterator[str]:
    if milestone.reminder_marks.exists():
        yield _("It was changed a moment ago; its reminders are updated within a minute.")
    elif not plans:
        yield _("No reminder rule applies to it.")


def _plan_words(plan: ReminderPlan, now: dt.datetime, zone: dt.tzinfo | None) -> str:
    status = plan.get_status_display()
    reason = plan.reason_words
    if plan.status != PlanStatus.PLANNED:
        return " ".join(part for part in (f"{status}.", reason) if part)
    if reason:
        return f"{reason} {_('Next try: %(time)s.') % {'time': _time(plan.next_attempt_at, zone)}}"
    if plan.next_attempt_at <= now:
        return _("due since %(time)s; sent within a minute or two.") % {"time": _time(plan.next_attempt_at, zone)}
    return " ".join(
        [_("will be sent on %(time)s.") % {"time": _time(plan.send_at, zone)}, *plan_conditions(plan, zone)]
    )


def plan_conditions(plan: ReminderPlan, zone: dt.tzinfo | None) -> Iterator[str]:
    """Yield what may still keep a coming reminder from being sent, or move it."""
    if plan.unanswered_at is not None:
        names = {"person": plan.unanswered_by, "time": _time(plan.unanswered_at, zone)}
        yield _unless_words(plan.unanswered_status) % names
    if plan.is_provisional:
        yield _("The day may still change: the working days of that time are not known yet.")


def _unless_words(status: str) -> str:
    """Return until when a rule waits, by the status of the unanswered reminder."""
    match status:
        case DeliveryStatus.SKIPPED:
            return _(
                "Unless somebody sees to it: %(person)s, who asked for no mail, has had it in My work and in the "
                "calendar feed since %(time)s."
            )
        case DeliveryStatus.HELD:
            return _("Unless somebody sees to it: the mail to %(person)s has been held since %(time)s.")
        case status if status in NOT_THROUGH:
            return _(
                "Unless somebody sees to it: the mail to %(person)s was found on %(time)s not to have got through."
            )
        case _:
            return _("Unless somebody sees to it: %(person)s was reminded on %(time)s.")


def _item_words(item: ReminderItem, zone: dt.tzinfo | None) -> str:
    words = _("To %(person)s, %(why)s") % {"person": item.reader, "why": item.why_words}
    if item.cancelled_at is not None:
        return f"{words}: {_('not sent.')} {item.cancel_words}"
    return f"{words}: {delivery_words(item.delivery, zone)}"


def delivery_words(delivery: Delivery, zone: dt.tzinfo | None) -> str:
    """Return the status of a mail with its reason, the answer of the mail server, and the next try."""
    words = f"{delivery.get_status_display()}."
    if delivery.digest_on is not None:
        words += " " + _("In the digest of %(date)s.") % {"date": _day(delivery.digest_on, zone)}
        if delivery.status == DeliveryStatus.QUEUED:
            words += " " + _("It leaves at %(time)s.") % {"time": _time(delivery.next_attempt_at, zone)}
    if delivery.reason:
        words += f" {delivery.reason_words}"
    if delivery.smtp_reply and delivery.status != DeliveryStatus.SENT:
        answer = " ".join(str(part) for part in (delivery.smtp_code, delivery.smtp_reply) if part)
        words += " " + _("The mail server said: %(answer)s") % {"answer": answer}
    if delivery.status == DeliveryStatus.RETRY:
        words += " " + _("Next try: %(time)s.") % {"time": _time(delivery.next_attempt_at, zone)}
    return words


def _advice(item: ReminderItem) -> str:
    return "" if item.cancelled_at is not None else advice_on(item.delivery)


def advice_on(delivery: Delivery) -> str:
    """Return what a person should do about the mail; empty where nobody has to."""
    match delivery.status:
        case DeliveryStatus.FAILED:
            return _("What to do: put right what the reason names, such as the address, then send it again.")
        case DeliveryStatus.UNCERTAIN | DeliveryStatus.UNCONFIRMED:
            return _("What to do: ask whether it arrived, and send it again only if it did not.")
        case DeliveryStatus.HELD:
            return _("What to do: release it, or leave it; it does not go out by itself.")
        case _:
            return ""


def _steps(delivery: Delivery, zone: dt.tzinfo | None) -> Iterator[str]:
    for event in delivery.events.all():
        status = DeliveryStatus(event.to_status).label
        by = f" ({event.actor})" if event.actor else ""
        yield f"{_time(event.at, zone)} {status}{by}"


def _time(at: dt.datetime, zone: dt.tzinfo | None) -> str:
    """Return a time in ``zone`` with its name; without a zone in the reader's own, as the pages write it."""
    if zone is None:
        local = timezone.localtime(at)
        return f"{date_format(local, 'DATE_FORMAT')} {date_format(local, 'H:i')}"
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _day(day: dt.date, zone: dt.tzinfo | None) -> str:
    return date_format(day) if zone is None else day.isoformat()
