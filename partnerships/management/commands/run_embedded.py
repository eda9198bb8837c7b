"""`manage.py run_embedded` (`make run`): the whole product on this machine, under one supervisor.

Prepares database, static files and seeds, then runs web server, worker, beat, broker and mail catcher until Ctrl-C.
Configured servers (REDIS_URL, EMAIL_HOST) take the place of the local ones.
"""

import contextlib
import fcntl
import json
import os
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import NoReturn

from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils.translation import gettext as _

from partnerships.management.backups.restore_folder import remove_leftovers
from partnerships.management.embedded import SILENT_AFTER, EmbeddedSite, TickWatch, plan_embedded_site
from partnerships.management.static import collect_static_if_changed
from partnerships.management.supervisor import ServiceDied, StopRequested, Supervisor
from partnerships.models import ComponentHeartbeat
from partnerships.operations.heartbeat import HEARTBEAT

START_SECONDS = 180
NO = {"no", "0", "false", "off"}


class Command(BaseCommand):
    help = _("Run the whole product on this machine: site, worker, beat, broker and local mail.")
    requires_system_checks: list[str] = []  # make check runs them; a start need not wait for them

    def handle(self, *args: object, **options: object) -> None:
        os.umask(0o077)  # personal data: for the owner of this process alone
        data_dir = Path(settings.DATA_DIR)
        # Not in data_dir: a socket's path has 107 bytes.
        with _only_one(data_dir), tempfile.TemporaryDirectory(prefix="office-", dir="/tmp") as sockets:
            remove_leftovers(data_dir)
            sample_report = self._prepare()
            site = plan_embedded_site(os.environ, data_dir=data_dir, sockets=Path(sockets))
            with _published(site.addresses, data_dir), Supervisor(self._write_line, self._tell_restart) as supervisor:
                self._supervise(supervisor, site, sample_report)
        self._write_line(_("Stopped."))

    def _write_line(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _tell_restart(self, death: ServiceDied) -> None:
        words = {"name": death.name, "how": death.how}
        self._write_line(_("%(name)s ended by itself (%(how)s); starting it again.") % words)

    def _prepare(self) -> str:
        """Prepare database and seeds; return the report on the sample, which says who can log in."""
        # The first tick finds what the seeds change; their wake-up calls need not wait for a broker.
        current_app.conf.broker_url = "memory://"
        call_command("migrate", verbosity=0, interactive=False)
        collect_static_if_changed()
        call_command("seed_articles", stdout=self.stdout)
        report = StringIO()
        if os.environ.get("SAMPLE", "yes").lower() not in NO:
            call_command("seed_sample", stdout=report)
        return report.getvalue()

    def _supervise(self, supervisor: Supervisor, site: EmbeddedSite, sample_report: str) -> None:
        try:
            for service in site.in_front:
                supervisor.start(service)
            supervisor.wait_until(lambda: _answers(site), seconds=START_SECONDS)
            self._announce(site, sample_report)
            for service in site.behind:
                supervisor.start(service)
            self._watch(supervisor, site.ticker)
        except StopRequested:
            self._write_line(_("Stopping."))
        except TimeoutError as error:
            raise CommandError(_("The site did not answer within %d seconds.") % START_SECONDS) from error
        except ServiceDied as death:
            raise CommandError(_death_notice(death)) from death

    def _watch(self, supervisor: Supervisor, ticker: str) -> NoReturn:
        """Restart a worker that no longer ticks, and report when no run comes."""
        # The solo pool has no time limits of its own.
        watch, alarm = TickWatch(time.monotonic()), TickWatch(time.monotonic(), patience=SILENT_AFTER)
        while True:
            supervisor.wait(seconds=60)
            last, now = _last_tick(), time.monotonic()
            if alarm.is_stuck(last, now):
                self._write_line(_("Reminders have not been checked for %d minutes.") % (SILENT_AFTER // 60))
            if watch.is_stuck(last, now):
                self._write_line(_("%s has stopped working; starting it again.") % ticker)
                supervisor.restart(ticker)

    def _announce(self, site: EmbeddedSite, sample_report: str) -> None:
        self._write_line(f"\n{sample_report}")
        self._write_line(_("Site: %s") % site.address)
        if site.mail_page:
            self._write_line(_("Mail: %s (nothing leaves this machine)") % site.mail_page)
        self._write_line(_("Press Ctrl-C to stop everything."))


def _last_tick() -> datetime | None:
    try:
        return ComponentHeartbeat.objects.filter(name=HEARTBEAT).values_list("at", flat=True).first()
    finally:
        # The process runs for days, and the database server may be restarted meanwhile.
        connection.close()


@contextlib.contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Refuse a second supervisor over the same data, which would start every service twice."""
    with (data_dir / "run.lock").open("w") as file:
        # The kernel releases the lock when the process ends, however it ends.
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(_("It is running already, with its data in %s.") % data_dir) from error
        yield


@contextlib.contextmanager
def _published(addresses: Mapping[str, str], data_dir: Path) -> Iterator[None]:
    """Publish the addresses, so that commands in another terminal use the same broker, mail server and site."""
    path = data_dir / "running.json"
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(dict(addresses)))
    scratch.replace(path)  # in one step, so that no command reads half a file
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _answers(site: EmbeddedSite) -> bool:
    pages = [f"{site.address}healthz", site.mail_page]
    try:
        for page in filter(None, pages):
            urllib.request.urlopen(page, timeout=5).close()  # noqa: S310 - our own loopback addresses
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
    return True


def _death_notice(death: ServiceDied) -> str:
    notice = _("%(name)s ended by itself (%(how)s), so everything was stopped.") % {
        "name": death.name,
        "how": death.how,
    }
    last = "\n".join(f"  {line}" for line in death.last_lines) or "  " + _("nothing")
    return f"{notice}\n{_('The last it said:')}\n{last}"
