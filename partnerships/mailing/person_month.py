"""The reminders of one person in one month: which came, which will come, and which did not come and why."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from django.db.models import Case, DateTimeField, Exists, F, OuterRef, Prefetch, Q, QuerySet, When
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from partnerships.mailing.envelopes import Item, Way, way_of
from partnerships.models import Delivery, Milestone, ReminderItem, ReminderPlan, User, hide_unseen
from partnerships.models.office_day import zone_named
from partnerships.models.reasons import Reason, reason_label
from partnerships.models.waiting import Leads, WaitsFor
from partnerships.reminders.explain import delivery_words, plan_conditions
from partnerships.reminders.recipients import Directory, Recipient
from partnerships.reminders.rule_set import Audience
from partnerships.reminders.schedule import utc
from partnerships.statuses import WAITING_DELIVERIES, DeliveryStatus, PlanStatus, Status

Why = ReminderItem.Why

# Mails, and planned reminders, read of one month at most. A lead of a large unit may have more.
MOST_ROWS = 500
# Reasons to notify somebody in the place of the owner.
IN_PLACE_OF_OWNER = (Why.STAND_IN, Why.FALLBACK, Why.LEAD)


class ReminderState(Status):
    """The outcome of a reminder for one person, in the order in which the page counts them."""

    DELIVERED = "delivered", "success", pgettext_lazy("reminder", "Sent")
    COMING = "coming", "info", pgettext_lazy("reminder", "Scheduled")
    HELD = "held", "warning", gettext_lazy("Held")
    FAILED = "failed", "danger", pgettext_lazy("reminder", "Not delivered")
    NOBODY = "nobody", "danger", gettext_lazy("Nobody can be notified")
    MISSED = "missed", "danger", gettext_lazy("Missed")
    ELSEWHERE = "elsewhere", "neutral", gettext_lazy("To somebody else")
    FEED = "feed", "neutral", gettext_lazy("Only on My work")
    SNOOZED = "snoozed", "neutral", pgettext_lazy("reminder", "Snoozed")
    NOT_NEEDED = "not_needed", "neutral", gettext_lazy("Not needed")
    SUPERSEDED = "superseded", "neutral", gettext_lazy("Superseded")
    CANCELLED = "cancelled", "neutral", gettext_lazy("Cancelled")


STATE_OF_MAIL: Mapping[str, ReminderState] = {
    DeliveryStatus.SENT: ReminderState.DELIVERED,
    DeliveryStatus.QUEUED: ReminderState.COMING,
    DeliveryStatus.CLAIMED: ReminderState.COMING,
    DeliveryStatus.HANDING: ReminderState.COMING,
    DeliveryStatus.RETRY: ReminderState.COMING,
    DeliveryStatus.HELD: ReminderState.HELD,
    DeliveryStatus.UNCONFIRMED: ReminderState.FAILED,
    DeliveryStatus.UNCERTAIN: ReminderState.FAILED,
    DeliveryStatus.FAILED: ReminderState.FAILED,
    DeliveryStatus.SKIPPED: ReminderState.FEED,
    DeliveryStatus.CANCELLED: ReminderState.CANCELLED,
}
STATE_OF_PLAN: Mapping[str, ReminderState] = {
    PlanStatus.MISSED: ReminderState.MISSED,
    PlanStatus.NOT_NEEDED: ReminderState.NOT_NEEDED,
    PlanStatus.SUPERSEDED: ReminderState.SUPERSEDED,
    PlanStatus.CANCELLED: ReminderState.CANCELLED,
}
# These reasons say more than the status of the plan or of the reminder.
STATE_OF_REASON: Mapping[str, ReminderState] = {
    Reason.SNOOZED: ReminderState.SNOOZED,
    Reason.FEED_ONLY: ReminderState.FEED,
    Reason.NEWER_REMINDER: ReminderState.SUPERSEDED,
    Reason.GATHERED: ReminderState.SUPERSEDED,
    Reason.WRONG_PERSON: ReminderState.ELSEWHERE,
    Reason.EXPIRED: ReminderState.MISSED,
}


@dataclass(frozen=True)
class PersonReminder:
    """One line of the page: a mail with its reminders, or a reminder without a mail to this person."""

    state: ReminderState
    at: dt.datetime
    words: str
    plans: Sequence[ReminderPlan] = ()
    mail: Delivery | None = None

    @property
    def occasion(self) -> str:
        """Return which rule asked for the reminder, unless a mail holds several."""
        return self.plans[0].occasion if len(self.plans) == 1 else ""

    @property
    def milestones(self) -> list[Milestone]:
        return list(dict.fromkeys(plan.milestone for plan in self.plans))


@dataclass(frozen=True)
class PersonMonth:
    """The reminders of a month in the order of their times; ``is_cut`` when there are more than are read."""

    rows: list[PersonReminder]
    is_cut: bool
    counts: Counter[ReminderState] = field(default_factory=Counter)


def person_month(person: User, *, viewer: User, first: dt.date, end: dt.date, now: dt.datetime) -> PersonMonth:
    """Return the reminders of ``person`` from ``first`` until before ``end``, days in the person's zone, as ``viewer`` sees them.

    The number of queries depends neither on the reminders of the month nor on those of other months.
    """
    zone = zone_named(person.time_zone)
    span = utc(first, dt.time(), zone), utc(end, dt.time(), zone)
    mails, plans = _mails(person, viewer, span), _plans(person, viewer, span)
    elsewhere = _items_in_place(person, viewer, span)
    is_cut = any(len(found) > MOST_ROWS for found in (mails, plans, elsewhere))
    rows = [
        *(row for mail in mails[:MOST_ROWS] for row in _rows_of_mail(mail)),
        *_rows_of_plans(plans[:MOST_ROWS], person, now),
        *_rows_elsewhere(elsewhere[:MOST_ROWS]),
    ]
    rows.sort(key=attrgetter("at"))
    # Each row has a milestone of its own, also where two are about the same one.
    hide_unseen([plan.milestone for row in rows for plan in row.plans], viewer)
    return PersonMonth(rows, is_cut, Counter(row.state for row in rows))


def _mails(person: User, viewer: User, span: tuple[dt.datetime, dt.datetime]) -> list[Any]:
    """Return mails by the time they were sent or will be tried, else by the time they were made."""
    at = Case(
        When(sent_at__isnull=False, then=F("sent_at")),
        When(status__in=WAITING_DELIVERIES, then=F("next_attempt_at")),
        default=F("queued_at"),
        output_field=DateTimeField(),
    )
    seen = Milestone.objects.visible_to(viewer).order_by().values("pk")
    items = ReminderItem.objects.filter(plan__milestone__in=seen).order_by("pk")
    items = items.select_related("plan__milestone__agreement", "plan__rule")
    rows = Delivery.objects.visible_to(viewer).filter(person=person).annotate(at=at)
    rows = rows.filter(at__gte=span[0], at__lt=span[1]).defer("message").order_by("at", "pk")
    return list(rows.prefetch_related(Prefetch("items", items, "seen_items"))[: MOST_ROWS + 1])


def _plans(person: User, viewer: User, span: tuple[dt.datetime, dt.datetime]) -> list[ReminderPlan]:
    """Return the plans that may be for ``person`` and did not become a mail to them; ``_rows_of_plans`` chooses among them."""
    rows = _of_month(ReminderPlan.objects.visible_to(viewer), span).exclude(status=PlanStatus.EXPANDED)
    own = ReminderItem.objects.filter(plan=OuterRef("pk"), person=person)
    # A plan that was closed after its mail was made stands with that mail.
    rows = rows.filter(_concerns(person)).filter(Q(status=PlanStatus.PLANNED) | ~Exists(own))
    return list(rows.select_related("milestone__agreement", "rule", "unanswered_by")[: MOST_ROWS + 1])


def _of_month(plans: QuerySet[ReminderPlan], span: tuple[dt.datetime, dt.datetime]) -> QuerySet[ReminderPlan]:
    return plans.filter(send_at__gte=span[0], send_at__lt=span[1]).order_by("send_at", "pk")


def _concerns(person: User) -> Q:
    """Return the condition for plans that may be for ``person``: as owner, deputy, lead, fallback person, or named by the rule."""
    leads = Leads.load()
    nobody = Q(milestone__owner=None) | Q(milestone__owner__is_active=False) | Q(milestone__owner__email="")
    fallback_in = leads.tree.with_descendants(person.fallback_for.values_list("pk", flat=True))
    return (
        Q(milestone__owner=person)
        | Q(milestone__owner__deputy=person)
        | Q(rule__named_person=person)
        | Q(milestone__unit__in=leads.units_of(person.pk), rule__audience=Audience.LEAD)
        | Q(milestone__unit__in=leads.units_above(person.pk), milestone__waits_for=WaitsFor.LEADS)
        | Q(milestone__unit__in=fallback_in) & nobody
    )


def _items_in_place(person: User, viewer: User, span: tuple[dt.datetime, dt.datetime]) -> list[ReminderItem]:
    """Return reminders of what ``person`` owns that went to the deputy, or to somebody who can be notified."""
    own = ReminderItem.objects.filter(plan=OuterRef("plan"), person=person)
    plans = _of_month(ReminderPlan.objects.visible_to(viewer), span).filter(
        milestone__owner=person, milestone__waits_for=WaitsFor.OWNER, rule__audience=Audience.OWNER
    )
    rows = ReminderItem.objects.filter(plan__in=plans.order_by(), why__in=IN_PLACE_OF_OWNER, cancelled_at=None)
    rows = rows.exclude(person=person).filter(~Exists(own)).order_by("plan__send_at", "pk")
    related = ("plan__milestone__agreement", "plan__rule", "person", "contact", "delivery")
    return list(rows.select_related(*related).defer("delivery__message")[: MOST_ROWS + 1])


def _rows_of_mail(mail: Any) -> Iterator[PersonReminder]:
    """Yield the mail with its reminders, then each reminder that was taken out of it."""
    out = [item for item in mail.seen_items if item.cancelled_at is not None]
    for item in out:
        state = STATE_OF_REASON.get(item.cancel_reason, ReminderState.CANCELLED)
        yield PersonReminder(state, mail.at, item.cancel_words, [item.plan], mail)
    if mail.status == DeliveryStatus.CANCELLED and out:
        return
    state = STATE_OF_MAIL[mail.status]
    words = "" if mail.status in {DeliveryStatus.SENT, DeliveryStatus.QUEUED} else delivery_words(mail, None)
    yield PersonReminder(state, mail.at, words, [one.plan for one in mail.seen_items if one not in out], mail)


def _rows_of_plans(plans: Sequence[ReminderPlan], person: User, now: dt.datetime) -> Iterator[PersonReminder]:
    if not plans:
        return
    directory = Directory.load(plans, now=now)
    for plan in plans:
        recipients = directory.recipients(plan)
        own = next((one for one in recipients if one.person == person), None)
        if own is None and not _is_meant_for(person, plan):
            continue
        if plan.status != PlanStatus.PLANNED:
            state = STATE_OF_REASON.get(plan.reason, STATE_OF_PLAN[plan.status])
            yield PersonReminder(state, plan.send_at, plan.reason_words, [plan])
        elif own is not None:
            yield _coming(plan, own, person, now)
        elif recipients:
            words = " ".join([_goes_to(recipients), _why_not(person, plan, directory)])
            yield PersonReminder(ReminderState.ELSEWHERE, plan.send_at, words.strip(), [plan])
        else:
            words = plan.reason_words or reason_label(Reason.NOBODY_TO_TELL)
            yield PersonReminder(ReminderState.NOBODY, plan.send_at, words, [plan])


def _is_meant_for(person: User, plan: ReminderPlan) -> bool:
    """Return whether the rule names ``person`` as owner or by name, whoever gets the mail in their place."""
    if plan.rule.audience == Audience.OWNER and plan.milestone.waits_for == WaitsFor.OWNER:
        return plan.milestone.owner_id == person.pk
    return plan.rule.named_person_id == person.pk


def _coming(plan: ReminderPlan, own: Recipient, person: User, now: dt.datetime) -> PersonReminder:
    """Return a planned reminder with the way it comes and the time at which the person has it."""
    words = [*plan_conditions(plan, None)]
    if own.why != Why.OWNER:
        words.insert(0, _("As %(why)s.") % {"why": own.why.label})
    way, at = way_of(Item(plan, own, 1), max(plan.send_at, now)), plan.send_at
    if way is Way.NONE:
        return PersonReminder(ReminderState.FEED, at, " ".join([reason_label(Reason.FEED_ONLY), *words]), [plan])
    if way is Way.DIGEST:
        zone = zone_named(person.time_zone)
        at = max(at, utc(at.astimezone(zone).date(), dt.time(person.reminder_hour), zone))
        words.insert(0, _("In the digest of that day."))
    if plan.next_attempt_at <= now:
        words.insert(0, _("Due now; sent within a minute or two."))
    return PersonReminder(ReminderState.COMING, at, " ".join(words), [plan])


def _goes_to(recipients: Iterable[Recipient]) -> str:
    """Return "To Sun Hao, deputy of the owner" of each recipient."""
    names = (_("To %(person)s, %(why)s") % {"person": one.reader, "why": one.why.label} for one in recipients)
    return _("%(words)s.") % {"words": pgettext("between reasons", "; ").join(names)}


def _why_not(person: User, plan: ReminderPlan, directory: Directory) -> str:
    """Return why a reminder passes by the person it is meant for."""
    if not person.is_active:
        return _("The account of %(person)s is closed.") % {"person": person}
    if not person.email:
        return _("%(person)s has no e-mail address.") % {"person": person}
    if not directory.may_see(person, plan.milestone):
        return _("%(person)s may not see the milestone.") % {"person": person}
    if person.absent_until is not None:
        return _("%(person)s is away until %(day)s.") % {"person": person, "day": date_format(person.absent_until)}
    return ""


def _rows_elsewhere(items: Iterable[ReminderItem]) -> Iterator[PersonReminder]:
    for item in items:
        words = _goes_to([Recipient(item.reader, Why(item.why))])
        status = f"{item.delivery.get_status_display()}."
        yield PersonReminder(
            ReminderState.ELSEWHERE, item.plan.send_at, f"{words} {status}", [item.plan], item.delivery
        )
