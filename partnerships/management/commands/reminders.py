"""Everything that the worker does, for cron, an operator, or a machine without a broker."""

import datetime as dt
import logging
import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections, transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partnerships.models import Delivery, Milestone, ReminderPlan
from partnerships.operations import run
from partnerships.operations.audit import audit_and_note
from partnerships.reminders.clock import Clock
from partnerships.reminders.explain import explain
from partnerships.reminders.reconcile import reconcile_marked
from partnerships.reminders.unanswered import mark_notified
from partnerships.statuses import WAITING_DELIVERIES, DeliveryStatus, PlanStatus
from partnerships.tick import run_tick

logger = logging.getLogger(__name__)

TICK_SECONDS = 60


def moment(text: str) -> dt.datetime:
    """Parse an ISO date and time, in the site's zone unless it names one. A date alone means the end of that day."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is not a time such as 2027-01-05T09:00+08:00") from error
    if len(text) == len("2027-01-05"):
        found = dt.datetime.combine(found.date(), dt.time.max)
    return found if timezone.is_aware(found) else timezone.make_aware(found)


class Command(BaseCommand):
    help = "Plans and sends reminders, and says why one went out or did not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        runs = commands.add_parser("run", help="Does what the worker does: every minute, or once.")
        runs.add_argument("--once", action="store_true", help="One run instead of one a minute until stopped.")
        plans = commands.add_parser("plan", help="Updates the plans and makes due reminders into mail; sends nothing.")
        for sub in (runs, plans):
            sub.add_argument("--now", type=moment, help="Sends what will be due by then. Needs DEBUG or --dry-run.")
            sub.add_argument(
                "--dry-run",
                action="store_true",
                help="Shows the mails that would go out until then, by day; changes nothing.",
            )
        delivers = commands.add_parser("deliver", help="Sends the queued mails that are due.")
        for sub in (runs, delivers):
            sub.add_argument("--limit", type=int, default=run.SEND_AT_MOST, help="Mails at most (%(default)s).")
        explains = commands.add_parser("explain", help="Explains the reminders of a milestone.")
        explains.add_argument("milestone", type=int, help="The number in the milestone's address.")
        commands.add_parser("audit", help="Checks the pipeline for inconsistencies; exits with 1 if there is one.")

    def handle(self, *args: object, command: str, **options: Any) -> None:
        if options.get("dry_run"):
            self._dry_run(options["now"] or timezone.now())
        else:
            getattr(self, f"_{command}")(**options)

    def _run(self, *, once: bool, now: dt.datetime | None, limit: int, **_options: object) -> None:
        if once:
            self._report(run_tick(self._clock(now), limit=limit))
        elif now:
            raise CommandError(_("--now requires --once."))
        else:
            self._loop(limit)

    def _clock(self, now: dt.datetime | None) -> Clock:
        if now and not settings.DEBUG:
            raise CommandError(_("--now would send real mail before its time: it needs DEBUG or --dry-run."))
        return Clock(now or timezone.now())

    def _loop(self, limit: int) -> None:
        """Run every minute until SIGTERM or Ctrl-C; the current mail is finished, and no other begun."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_frame: stop.set())
        while not stop.is_set():
            self._tick(limit, stop)
            stop.wait(TICK_SECONDS)

    def _tick(self, limit: int, stop: threading.Event) -> None:
        # Django does this between requests alone; a connection may have died since the last tick.
        close_old_connections()
        try:
            done = run_tick(Clock(timezone.now()), limit=limit, is_stopping=stop.is_set, trigger="loop")
        except Exception:
            # The database may be restarting, and the loop has to be there when it is back. The log and the old
            # heartbeat show the failure.
            logger.exception("A run of the reminders failed; the next one follows in a minute")
            return
        if done != run.RunReport():
            self._report(done)

    def _plan(self, *, now: dt.datetime | None, **_options: object) -> None:
        done, clock = run.RunReport(), self._clock(now)
        run.plan(done, clock, is_over=_never)
        run.expand(done, clock, is_over=_never)
        self._report(done)

    def _deliver(self, *, limit: int, **_options: object) -> None:
        done = run.RunReport()
        run.deliver(done, Clock(timezone.now()), limit=limit, is_over=_never)
        self._report(done)

    def _report(self, done: run.RunReport) -> None:
        self.stdout.write(
            _("%(reconciled)s milestones checked, %(expanded)s reminders due, %(queued)s mails made.")
            % {"reconciled": done.reconciled, "expanded": done.expanded, "queued": done.queued}
        )
        for status, count in done.deliveries.items():
            self.stdout.write(f"{DeliveryStatus(status).label}: {count}")
        if done.rescued:
            self.stdout.write(_("Taken back from a process that ended: %(count)s") % {"count": done.rescued})
        if done.relay_trouble:
            self.stderr.write(_("The mail server cannot be used: %(why)s") % {"why": done.relay_trouble})

    def _dry_run(self, now: dt.datetime) -> None:
        with transaction.atomic():
            lines = list(_outlook(now))
            transaction.set_rollback(True)
        self.stdout.write("\n".join(lines) or _("No mail would go out."))

    def _explain(self, *, milestone: int, **_options: object) -> None:
        found = Milestone.objects.select_related("unit").filter(pk=milestone).first()
        if found is None:
            raise CommandError(_("There is no milestone %(number)s.") % {"number": milestone})
        self.stdout.write("\n".join(explain(found, now=timezone.now())))

    def _audit(self, **_options: object) -> None:
        breaches = audit_and_note(real_now=timezone.now())
        if breaches:
            raise CommandError("\n".join(breaches))
        self.stdout.write(_("No inconsistency found."))


def _never() -> bool:
    return False


def _outlook(until: dt.datetime) -> Iterator[str]:
    """Yield the mails of each day up to ``until``, as if nobody did anything meanwhile. The caller rolls back.

    One run at ``until`` would find the reminders of the earlier days missed, so each day with something due gets one.
    """
    run.plan(run.RunReport(), Clock(timezone.now()), is_over=_never)
    at = _next_run(None, until)
    while at is not None:
        yield from _mails_of_run(at)
        at = _next_run(at, until)


def _mails_of_run(at: dt.datetime) -> Iterator[str]:
    """Yield the mails that a run at ``at`` would send, after a line with the day and their number; mark them as sent."""
    run.expand(run.RunReport(), Clock(at, lambda: at), is_over=_never)
    waiting = Delivery.objects.filter(status__in=WAITING_DELIVERIES, next_attempt_at__lte=at).order_by("pk")
    mails = list(_with_milestones(waiting))
    if mails:
        count = ngettext("%(count)s mail", "%(count)s mails", len(mails)) % {"count": len(mails)}
        yield f"{timezone.localdate(at).isoformat()}: {count}"
        yield from (f"  {_line(delivery)}" for delivery in mails)
    # What was sent begins to wait for an answer, which may make further reminders.
    sent = [delivery.pk for delivery in mails]
    Delivery.objects.filter(pk__in=sent).update(status=DeliveryStatus.SENT, handed_at=at, sent_at=at)
    mark_notified(sent)
    while reconcile_marked(real_now=at):
        pass


def _next_run(last: dt.datetime | None, until: dt.datetime) -> dt.datetime | None:
    """Return the end of the next day with something due after ``last``, at most ``until``; None if there is none."""
    plans = ReminderPlan.objects.filter(status=PlanStatus.PLANNED)
    mails = Delivery.objects.filter(status__in=WAITING_DELIVERIES)
    after = Q(next_attempt_at__lte=until) & (Q(next_attempt_at__gt=last) if last else Q())
    due = [rows.filter(after).aggregate(first=Min("next_attempt_at"))["first"] for rows in (plans, mails)]
    soonest = min((moment for moment in due if moment is not None), default=None)
    if soonest is None:
        return None
    day = timezone.localdate(max(soonest, last or timezone.now()))
    return min(timezone.make_aware(dt.datetime.combine(day, dt.time.max)), until)


def _with_milestones(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    return deliveries.select_related("person", "contact").prefetch_related("items__plan__milestone")


def _line(delivery: Delivery) -> str:
    milestones = list(dict.fromkeys(item.plan.milestone for item in delivery.items.all()))
    titles = ", ".join(f"{milestone} ({milestone.due_on.isoformat()})" for milestone in milestones)
    return f"{delivery.reader.name} <{delivery.reader.email}>: {titles}"
