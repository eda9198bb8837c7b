"""The system status page of the office and system administrators: what is wrong and what to do, then the numbers."""

import datetime as dt
import platform
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import celery
import django
from celery import current_app
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from partnerships import __version__
from partnerships.lists.cells import moment_in_words
from partnerships.models import Import, Milestone, Unit, User
from partnerships.models.history_triggers import unprotected_tables
from partnerships.models.waiting import Leads, WaitsFor
from partnerships.operations.audit import AUDIT, audit_and_note
from partnerships.operations.heartbeat import HEARTBEAT, SILENT_AFTER, Silence, silence
from partnerships.operations.pipeline_state import WENT_WRONG, PipelineState, day_bounds, pipeline_state
from partnerships.operations.retention import NAME as RETENTION
from partnerships.operations.retention import removed_lately
from partnerships.operations.setup import missing_setup
from partnerships.permissions import may
from partnerships.requests import UserRequest
from partnerships.statuses import DeliveryStatus, PlanStatus
from partnerships.texts import LazyText, name_all
from partnerships.views.base import require_or_403
from partnerships.views.health import broker_state

# Something that has been due this long, although runs come, is stuck and not waiting its turn.
STUCK_AFTER = dt.timedelta(minutes=10)
# A worker that works leaves no more ticks than this in the broker.
TICKS_LEFT = 3
LITTLE_SPACE = 1024**3  # bytes
BREACHES_SHOWN = 50
UNITS_NAMED = IMPORTS_NAMED = TABLES_NAMED = 5
NEEDS_A_PERSON = (*(status for status in WENT_WRONG if status != DeliveryStatus.RETRY), DeliveryStatus.HELD)


@dataclass(frozen=True)
class Finding:
    """Something that is wrong and what to do about it; ``tone`` is danger or warning."""

    tone: str
    what: str
    advice: str


@dataclass(frozen=True)
class Number:
    """A count with a link to the list that shows exactly these rows."""

    label: LazyText | dt.date
    count: int
    link: str


@dataclass(frozen=True)
class Broker:
    """The broker: ok, unreachable, or none where a loop works without one, and the ticks no worker has taken yet."""

    state: str
    waiting: int


@dataclass(frozen=True)
class Site:
    """The machine, its database and the installed versions."""

    database: str
    pending_migrations: int
    unprotected_tables: list[str]
    free: int
    total: int
    versions: list[tuple[str, str]]

    @property
    def is_full(self) -> bool:
        return self.free < LITTLE_SPACE


@login_required
@never_cache
@require_safe
def operations(request: UserRequest) -> HttpResponse:
    require_or_403(request.user, "operations.view")
    return _page(request, breaches=None)


@login_required
@never_cache
@require_POST
def operations_audit(request: UserRequest) -> HttpResponse:
    """Run the consistency check, which reads whole tables and so runs only on request."""
    require_or_403(request.user, "operations.view")
    return _page(request, breaches=audit_and_note(real_now=timezone.now()))


def _page(request: UserRequest, *, breaches: list[str] | None) -> HttpResponse:
    now, zone = timezone.now(), timezone.get_current_timezone()
    state, silent, broker, site = pipeline_state(now=now, zone=zone), silence(now), _broker(), _site()
    context = {
        "now": now,
        "state": state,
        "findings": list(_findings(state, silent, broker, site, now)),
        "missing": _missing(request.user, timezone.localdate()),
        "heartbeats": _heartbeats(state, now),
        "broker": broker,
        "site": site,
        "numbers": _numbers(state, now),
        "ahead": _ahead(state, zone),
        "retention": state.heartbeats.get(RETENTION),
        "removed": removed_lately(state.heartbeats),
        "audit": state.heartbeats.get(AUDIT),
        "breaches": breaches and breaches[:BREACHES_SHOWN],
        "breach_count": breaches and len(breaches),
    }
    return render(request, "partnerships/operations.html", context)


def _missing(user: User, today: dt.date) -> list[dict[str, str]]:
    """Return what the site still lacks, with a link to where it is added for those who may add it."""
    return [
        {
            "what": step.what,
            "advice": str(step.advice) if may(user, step.action) else _("A system administrator can add it."),
            "link": reverse(step.page) if may(user, step.action) else "",
        }
        for step in missing_setup(today)
    ]


def _broker() -> Broker:
    if current_app.conf.broker_url.startswith("memory:"):
        return Broker("none", 0)
    return Broker(*broker_state())


def _site() -> Site:
    disk = shutil.disk_usage(settings.DATA_DIR)
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    version = ".".join(str(part) for part in sqlite3.sqlite_version_info) if _is_sqlite() else _pg_version()
    return Site(
        database=f"{connection.display_name} {version}",
        pending_migrations=len(pending),
        unprotected_tables=unprotected_tables(),
        free=disk.free,
        total=disk.total,
        versions=[
            (_("Partnerships"), __version__),
            ("Python", platform.python_version()),
            ("Django", django.get_version()),
            ("Celery", celery.__version__),
        ],
    )


def _is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def _pg_version() -> str:
    with connection.cursor() as cursor:
        major, minor = divmod(cursor.connection.info.server_version, 10000)
    return f"{major}.{minor}"


def _heartbeats(state: PipelineState, now: dt.datetime) -> list[dict[str, object]]:
    """Return when a run was last seen: any run, then each trigger."""
    triggers = (
        (HEARTBEAT, _("Last run")),
        (f"{HEARTBEAT}.beat", _("Last scheduler tick")),
        (f"{HEARTBEAT}.loop", _("Last run of a loop")),
        (f"{HEARTBEAT}.hint", _("Last tick after an edit")),
    )
    found = ((label, state.heartbeats.get(name)) for name, label in triggers)
    return [
        {
            "label": label,
            "heartbeat": heartbeat,
            "is_fresh": heartbeat is not None and abs(now - heartbeat.at) <= SILENT_AFTER,
        }
        for label, heartbeat in found
    ]


def _numbers(state: PipelineState, now: dt.datetime) -> list[Number]:
    due = {"status__exact": PlanStatus.PLANNED, "next_attempt_at__lt": now.isoformat()}
    mails = [Number(status.label, count, _mails(status)) for status, count in state.queue.items()]
    return [Number(_("Reminders due, not yet made into mail"), state.plans_due, _plans(due)), *mails]


def _ahead(state: PipelineState, zone: dt.tzinfo) -> list[tuple[dt.date, Number]]:
    return [(day, Number(day, count, _plans(_on(day, zone)))) for day, count in state.ahead.items()]


def _on(day: dt.date, zone: dt.tzinfo) -> dict[str, str]:
    start, end = day_bounds(day, zone)
    bounds = {"next_attempt_at__gte": start.isoformat(), "next_attempt_at__lt": end.isoformat()}
    return {"status__exact": PlanStatus.PLANNED, **bounds}


def _plans(query: dict[str, str]) -> str:
    return f"{reverse('admin:partnerships_reminderplan_changelist')}?{urlencode(query)}"


def _mails(status: DeliveryStatus) -> str:
    return f"{reverse('mail_list')}?{urlencode({'status': status})}"


def _findings(
    state: PipelineState, silent: Silence | None, broker: Broker, site: Site, now: dt.datetime
) -> Iterator[Finding]:
    yield from _about_runs(silent, broker)
    # Without runs everything is late: the silence is the one finding that matters.
    if silent is None:
        yield from _about_stuck(state, now)
    yield from _about_mail(state)
    yield from _about_leads()
    yield from _about_imports(now)
    yield from _about_site(state, site)


def _about_runs(silent: Silence | None, broker: Broker) -> Iterator[Finding]:
    if silent is not None:
        what = _("Reminders have never been checked.")
        if silent.since:
            what = _("Reminders have not been checked since %(time)s.") % {"time": moment_in_words(silent.since)}
        advice = _(
            "Look at the logs of worker and beat and start both again; where there is no broker, start the loop "
            "`manage.py reminders run`. What fell due meanwhile goes out then."
        )
        yield Finding("danger", what, advice)
    if broker.state == "unreachable":
        advice = _(
            "Pages work and nothing is lost, but worker and beat cannot meet. Start Redis again, or let "
            "`manage.py reminders run` do the work meanwhile."
        )
        yield Finding("danger", _("The broker does not answer."), advice)
    if broker.waiting > TICKS_LEFT:
        what = ngettext(
            "%(count)d tick waits in the broker, and no worker takes it.",
            "%(count)d ticks wait in the broker, and no worker takes them.",
            broker.waiting,
        )
        advice = _(
            "The scheduler runs, but no worker listens, or it has been busy for minutes. Check the worker's log and restart it."
        )
        yield Finding("warning", what % {"count": broker.waiting}, advice)


def _about_stuck(state: PipelineState, now: dt.datetime) -> Iterator[Finding]:
    advice = _(
        "Runs come, but do not get to it. Check the worker's log for errors, and run the consistency check below."
    )
    if state.oldest_plan and now - state.oldest_plan.since > STUCK_AFTER:
        what = _("A reminder has been due since %(time)s and was not made into mail.")
        yield Finding("warning", what % {"time": moment_in_words(state.oldest_plan.since)}, advice)
    if state.oldest_mail and now - state.oldest_mail.since > STUCK_AFTER and not state.relay.failures:
        what = _("A mail has been waiting to be sent since %(time)s.")
        yield Finding("warning", what % {"time": moment_in_words(state.oldest_mail.since)}, advice)


def _about_mail(state: PipelineState) -> Iterator[Finding]:
    relay = state.relay
    if state.hold:
        what = _("Sending has been paused since %(time)s.") % {"time": moment_in_words(state.hold.since)}
        advice = _(
            "Nothing is sent until sending is resumed under “Sending pauses”. What is held then waits to be released."
        )
        yield Finding("warning", what, advice)
    if relay.failures and relay.since:
        words = {"relay": relay.name, "time": moment_in_words(relay.since), "why": relay.trouble}
        what = _("The mail server %(relay)s has not been usable since %(time)s: %(why)s") % words
        advice = _(
            "Mails wait and lose no attempt; they leave by themselves once it works. Check that it runs, and EMAIL_HOST, "
            "EMAIL_PORT and its password."
        )
        yield Finding("danger", what, advice)
    waiting = sum(state.queue[status] for status in NEEDS_A_PERSON)
    if waiting:
        what = ngettext("%(count)d e-mail needs action.", "%(count)d e-mails need action.", waiting)
        advice = _(
            "Open the numbers below: correct the address or read the server's answer, then send again what is due."
        )
        yield Finding("warning", what % {"count": waiting}, advice)


def _about_leads() -> Iterator[Finding]:
    """Name the units whose decisions wait for the office, because no lead may take them; at most five queries."""
    waiting = Milestone.objects.pending().filter(waits_for=WaitsFor.LEADS).order_by()
    rows = list(waiting.values_list("unit_id", "excluded_ids").distinct())
    leads = Leads.load() if rows else None
    alone = {unit for unit, excluded in rows if leads and not leads.nearest(unit, but=excluded or ())}
    if alone:
        units = Unit.objects.filter(pk__in=alone)[:UNITS_NAMED]
        what = _("No lead can decide for these units; the office is asked instead: %(units)s.")
        advice = _("Give a second person the role of lead there, or in a unit above.")
        yield Finding("warning", what % {"units": ", ".join(map(str, units))}, advice)


def _about_imports(now: dt.datetime) -> Iterator[Finding]:
    if stopped := Import.objects.silent(now)[:IMPORTS_NAMED]:
        what = _("These imports stopped before they were done: %(names)s.") % {"names": name_all(map(str, stopped))}
        advice = _(
            "Nothing of them was saved: open each under “Imports” and start it again. If it stops again, check the log "
            "of the web server and the free memory."
        )
        yield Finding("warning", what, advice)


def _about_site(state: PipelineState, site: Site) -> Iterator[Finding]:
    if site.pending_migrations:
        what = ngettext(
            "%(count)d change of the database is not applied.",
            "%(count)d changes of the database are not applied.",
            site.pending_migrations,
        )
        advice = _("Run `manage.py migrate`, then start web, worker and beat again.")
        yield Finding("danger", what % {"count": site.pending_migrations}, advice)
    if site.unprotected_tables:
        what = _("The database does not keep the history as it was entered: a safeguard is missing for %(tables)s.")
        tables = ", ".join(site.unprotected_tables[:TABLES_NAMED])
        yield Finding("danger", what % {"tables": tables}, _("Run `manage.py migrate`: it sets the safeguards again."))
    if site.is_full:
        what = _("Only %(free)s are free where uploads are kept.") % {"free": filesizeformat(site.free)}
        yield Finding("danger", what, _("Free up space before uploads or the database fail."))
    audit = state.heartbeats.get(AUDIT)
    if audit and audit.note:
        what = _("The last consistency check, on %(time)s, found errors.") % {"time": moment_in_words(audit.at)}
        yield Finding(
            "warning", what, _("Check again below; each error names its row. A run or two may have repaired it.")
        )
