"""A backup taken while people work, restored on an empty machine: all of it is there, and no mail leaves."""

import hashlib
import io
import json
import os
import sqlite3
import stat
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from partnerships import __version__
from partnerships.factories import AgreementFactory
from partnerships.management.backups import databases
from partnerships.management.backups.archive import BackupError, unpack
from partnerships.models import Agreement, MailHold
from tests.services.databases import new_postgres_database
from tests.services.smtp_sink import SmtpSink
from tests.services.stack import Stack

# A mail that waits, a plan that is due, a mail another process has claimed, and a paper.
WORK = """
import datetime as dt
from django.core.files.base import ContentFile
from django.utils import timezone
from partnerships.factories import *
now = timezone.now()
rule = ReminderRuleFactory(offset=3, send_time=dt.time(0, 0))
due_on = timezone.localdate() + dt.timedelta(days=3)
midnight = timezone.make_aware(dt.datetime.combine(timezone.localdate(), dt.time.min))
for status in ("queued", "claimed"):
    plan = ReminderPlanFactory(
        milestone=MilestoneFactory(due_on=due_on), rule=rule, send_at=midnight, status="expanded",
        expires_at=now + dt.timedelta(days=9),
    )
    lease = {"delivery__lease_until": now, "delivery__lease_epoch": 1} if status == "claimed" else {}
    ReminderItemFactory(plan=plan, delivery__status=status, delivery__next_attempt_at=now, **lease)
ReminderPlanFactory(
    milestone=MilestoneFactory(due_on=due_on), rule=rule, send_at=midnight, expires_at=now + dt.timedelta(days=9)
)
DocumentVersionFactory(content=b"signed and sealed")
DocumentVersionFactory(content=b"lost").file.delete(save=False)
"""
WRITE = """
import itertools, pathlib
from django.db import transaction
from partnerships.factories import DocumentVersionFactory
from partnerships.models import Document, Unit
document = Document.objects.order_by("pk").first()
for number in itertools.count():
    with transaction.atomic():
        Unit.objects.create(name="Opened meanwhile %d" % number)
        DocumentVersionFactory(document=document, content=b"paper %d" % number)
    pathlib.Path({count!r}).write_text(str(number + 1))
    if pathlib.Path({stop!r}).exists():
        break
"""
COUNTS = """
import hashlib, json
from django.apps import apps
from partnerships.models import Delivery, DocumentVersion, MailHold
print(json.dumps({
    "rows": {model._meta.db_table: model._base_manager.count() for model in apps.get_models() if model._meta.managed},
    "documents": DocumentVersion.objects.count(),
    "papers": [hashlib.sha256(one.file.open().read()).hexdigest() for one in DocumentVersion.objects.order_by("pk")
               if one.file.storage.exists(one.file.name)],
    "deliveries": sorted(Delivery.objects.values_list("status", flat=True)),
    "holds": list(MailHold.objects.active().values_list("cause", flat=True)),
}))
"""
LET_GO = """
from django.utils import timezone
from partnerships.models import Delivery, MailHold
from partnerships.mailing.holding import lift_hold, release_many
from partnerships.factories import UserFactory
now = timezone.now()
lift_hold(MailHold.objects.active().get(), actor=None, now=now)
release_many(Delivery.objects.all(), actor=UserFactory(staff=True, username="office", email="o@example.org"), now=now)
"""


@contextmanager
def new_site(kind: str, folder: Path, sink: SmtpSink) -> Iterator[Stack]:
    folder.mkdir(mode=0o700)
    env = {
        "SECRET_KEY": "for-the-tests-alone-0123456789-abcdefg",
        "DEFAULT_FROM_EMAIL": "Cooperation office <office@example.org>",
        "REDIS_URL": "memory://",
        "EMAIL_HOST": sink.host,
        "EMAIL_PORT": str(sink.port),
    }
    if kind == "sqlite":
        yield Stack(folder, env)
    else:
        with new_postgres_database() as url:
            yield Stack(folder, {**env, "DATABASE_URL": url})


def run_python(site: Stack, code: str) -> str:
    return site.manage("shell", "--verbosity=0", "-c", code).stdout


def counted(site: Stack) -> dict[str, Any]:
    return json.loads(run_python(site, COUNTS).splitlines()[-1])


def manifest_of(path: Path) -> dict[str, Any]:
    with tarfile.open(path) as tar:
        return json.load(tar.extractfile("manifest.json"))


@contextmanager
def others_writing(site: Stack, folder: Path) -> Iterator[None]:
    stop, count = folder / "stop", folder / "count"
    code = WRITE.format(stop=str(stop), count=str(count))
    writer = threading.Thread(target=run_python, args=(site, code))
    writer.start()
    while not (count.exists() and count.read_text().isdigit() and int(count.read_text()) >= 3):
        assert writer.is_alive(), "The writer ended early"
        time.sleep(0.1)
    before = int(count.read_text())
    yield
    stop.touch()
    writer.join()
    assert int(count.read_text()) > before, "Nobody wrote while the backup was taken"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_during_work_comes_back_whole_and_sends_nothing_by_itself(
    kind: str, tmp_path: Path, smtp_sink: SmtpSink
) -> None:
    path = tmp_path / "site.tar"
    with new_site(kind, tmp_path / "old", smtp_sink) as old, new_site(kind, tmp_path / "new", smtp_sink) as new:
        if kind == "sqlite":
            old.copy_migrated_database()
        elif "TEST_DATABASE_TEMPLATE" not in os.environ:  # else the database is a migrated copy
            old.manage("migrate", "--verbosity=0")
        run_python(old, WORK)
        with others_writing(old, tmp_path):
            taken = old.manage("backup", str(path))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        manifest = manifest_of(path)
        assert (manifest["database"], len(manifest["missing"])) == (kind, 1)
        assert manifest["missing"][0] in taken.stderr

        said = new.manage("restore", str(path))

        found = counted(new)
        expected = {**manifest["rows"], "partnerships_mailhold": 1, "partnerships_historypermit": 1}
        expected["partnerships_deliveryevent"] += 2  # the two that wait are held, each with its step
        expected["partnerships_remindermark"] += 2  # from which rules that wait for an answer count
        assert found["rows"] == {table: expected[table] for table in found["rows"]}
        assert "W002" not in new.manage("check", "--database", "default").stderr  # history is append-only there, too
        uploads = [one["sha256"] for name, one in manifest["files"].items() if name.startswith("uploads/")]
        assert sorted(found["papers"]) == sorted(uploads)
        assert len(uploads) == found["documents"] - 1
        assert hashlib.sha256(b"signed and sealed").hexdigest() in uploads
        assert (found["deliveries"], found["holds"]) == (["held", "held"], ["restore"])
        assert "Held e-mails: 2." in said.stdout

        new.manage("reminders", "run", "--once")
        assert (smtp_sink.received, counted(new)["deliveries"]) == ([], ["held", "held", "held"])
        run_python(new, LET_GO)
        new.manage("reminders", "run", "--once")
        assert len(smtp_sink.received) == 3
        assert new.manage("reminders", "audit").returncode == 0

        refused = new.manage("restore", str(path), check=False)
        assert (refused.returncode, "There are records here already" in refused.stderr) == (1, True)
        if kind == "postgresql":
            with psycopg.connect(new.env["DATABASE_URL"]):
                busy = new.manage("restore", str(path), "--replace", check=False)
            assert "Stop the site" in busy.stderr
        assert len(counted(new)["deliveries"]) == 3
        new.manage("restore", str(path), "--replace")
        assert counted(new)["deliveries"] == ["held", "held"]


# Refusals: nothing below touches a database before it says no.


def make_tar(path: Path, *entries: tuple[str, bytes], **changes: Any) -> Path:
    """A backup of this site with `entries`; `changes` to its manifest."""
    files = {name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in entries}
    manifest = {
        "format": 2,
        "product": "partnerships",
        "version": __version__,
        "taken_at": "2026-03-01T00:00:00+00:00",
        "database": connection.vendor,
        # The site began with an earlier squash.
        "migrations": ["partnerships.0001_squashed_0035_agreement_step_kinds", *databases.known_migrations()],
        "rows": {},
        "files": files,
        "missing": [],
    }
    with tarfile.open(path, "w") as tar:
        for name, data in (*entries, ("manifest.json", json.dumps(manifest | changes).encode())):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


DATABASE = ("database", b"rows" * 1000)


def test_what_was_written_is_unpacked(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "b.tar", DATABASE, ("uploads/documents/1", b"paper"))

    manifest = unpack(path, tmp_path / "into")

    assert (manifest.format, manifest.version) == (2, __version__)
    assert (tmp_path / "into" / "uploads" / "documents" / "1").read_bytes() == b"paper"


@pytest.mark.parametrize("kept", [0, 100, 700, 3000, -1, -600])
def test_half_a_backup_is_refused(tmp_path: Path, kept: int) -> None:
    path = make_tar(tmp_path / "b.tar", DATABASE)
    # Without the zeros that fill the last record of a tar: a backup that lacks only these is whole.
    path.write_bytes(path.read_bytes().rstrip(b"\0")[:kept])

    with pytest.raises(BackupError):
        unpack(path, tmp_path / "into")


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "/outside",
        "uploads/../../outside",
        "uploads/",
        "uploads//etc/passwd",
        "uploads/a\\b",
        "uploads/./a",
        "other",
        "database/x",
        "uploads/ok/..",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    path = make_tar(tmp_path / "b.tar", DATABASE, (name, b"x"))

    with pytest.raises(BackupError, match="does not belong there"):
        unpack(path, tmp_path / "deep" / "into")

    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_only_plain_files_are_unpacked(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "b.tar"
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo("uploads/link")
        entry.type, entry.linkname = kind, "/etc/passwd"
        tar.addfile(entry)

    with pytest.raises(BackupError, match="does not belong there"):
        unpack(path, tmp_path / "into")


def test_the_same_name_twice_is_refused(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "b.tar", DATABASE, ("uploads/a", b"1"), ("uploads/a", b"1"))

    with pytest.raises(BackupError, match="does not belong there"):
        unpack(path, tmp_path / "into")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 3}, "written in format 3"),
        ({"format": 1}, "by a version before 0.2.0"),
        ({"version": 2}, "cannot be read"),
        ({"product": "else"}, "backup of something else"),
        ({"files": {}}, "checksum differs"),
        ({"rows": []}, "cannot be read"),
        ({"rows": {"t": "1; DROP TABLE t"}}, "cannot be read"),
        ({"more": 1}, "cannot be read"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = make_tar(tmp_path / "b.tar", DATABASE, **changes)

    with pytest.raises(BackupError, match=said):
        unpack(path, tmp_path / "into")


def test_a_changed_byte_and_a_lost_file_are_noticed(tmp_path: Path) -> None:
    named = {"database": {"sha256": hashlib.sha256(b"rows").hexdigest(), "size": 4}}
    changed = make_tar(tmp_path / "1.tar", ("database", b"rowz"), files=named)
    lacking = make_tar(tmp_path / "2.tar", files=named)

    with pytest.raises(BackupError, match="database is not what was backed up"):
        unpack(changed, tmp_path / "1")
    with pytest.raises(BackupError, match="lacks database"):
        unpack(lacking, tmp_path / "2")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x1f\x8b\x08" + b"x" * 600, b"\0" * 10240])
def test_something_else_is_no_backup(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b.tar"
    path.write_bytes(content)

    with pytest.raises(BackupError):
        unpack(path, tmp_path / "into")


@pytest.mark.django_db(transaction=True)
@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"database": "oracle"}, "of a site on oracle"),
        ({"migrations": ["partnerships.9999_later"]}, "by another version"),
        ({"taken_at": "yesterday"}, "cannot be read"),
        ({}, "There are records here already"),
    ],
)
def test_what_does_not_fit_this_site_is_refused_and_nothing_changes(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    AgreementFactory()
    path = make_tar(tmp_path / "b.tar", DATABASE, ("uploads/documents/1", b"paper"), **changes)

    with pytest.raises(CommandError, match=said):
        call_command("restore", str(path))

    assert (Agreement.objects.count(), MailHold.objects.count()) == (1, 0)
    assert not (tmp_path / "uploads").exists()


def test_a_backup_replaces_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "kept.tar"
    path.write_text("kept")

    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", str(path))

    assert path.read_text() == "kept"


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(databases, "VERSIONED_PROGRAMS", tmp_path)

    with pytest.raises(BackupError, match="PostgreSQL's pg_dump is not installed"):
        databases.find_program("pg_dump")


def test_the_newest_program_is_found_off_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("9.6", "15", "16"):
        folder = tmp_path / version / "bin"
        folder.mkdir(parents=True)
        (folder / "pg_dump").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(databases, "VERSIONED_PROGRAMS", tmp_path)

    assert databases.find_program("pg_dump") == str(tmp_path / "16" / "bin" / "pg_dump")


def test_a_damaged_sqlite_file_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its checksum is right: it was damaged before it was backed up."""
    live, damaged = tmp_path / "live.sqlite3", tmp_path / "database"
    with sqlite3.connect(live) as opened:
        opened.execute("CREATE TABLE kept (id integer)")
    opened.close()
    damaged.write_bytes(b"SQLite format 3\0" + b"x" * 4000)
    monkeypatch.setattr(databases.SQLite, "path", live)

    with pytest.raises(BackupError):
        databases.SQLite().restore(damaged, {}, [])

    with sqlite3.connect(live) as opened:
        assert opened.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    opened.close()


def test_what_the_manifest_counts_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "database"
    with sqlite3.connect(copy) as opened:
        opened.execute("CREATE TABLE mails (id integer)")
    opened.close()
    monkeypatch.setattr(databases.SQLite, "path", tmp_path / "live.sqlite3")

    with pytest.raises(BackupError, match="other rows"):
        databases.SQLite().restore(copy, {"mails": 1}, [])

    assert not (tmp_path / "live.sqlite3").exists()
