"""Snapshot and restore of the two databases the site runs on, each by its own means."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import connection, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext as _
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from partnerships.management.backups.archive import BackupError
from partnerships.models.history_triggers import FUNCTIONS

# What `migrate` alone leaves in a new database.
MADE_BY_MIGRATE = frozenset({"django_migrations", "django_content_type", "auth_permission"})
VERSIONED_PROGRAMS = Path("/usr/lib/postgresql")
WAIT = 30  # seconds for what others are doing with the database at this moment


@dataclass(frozen=True)
class Snapshot:
    """A consistent copy of the database as a file, with its numbers; ``uploads`` are the file names its rows refer to."""

    path: Path
    migrations: list[str]
    rows: dict[str, int]
    uploads: list[str]


class Cursor(Protocol):
    def execute(self, sql: str) -> object: ...

    def fetchall(self) -> list[tuple[Any, ...]]: ...


def known_migrations() -> set[str]:
    """Return the names of the migrations of this version of the product and its libraries, without squashes."""
    return without_squashes(".".join(key) for key in MigrationLoader(None).disk_migrations)


def without_squashes(migrations: Iterable[str]) -> set[str]:
    """Leave out squashes: which of them a site began with says nothing of its tables; all they replace is recorded, too."""
    return {name for name in migrations if "_squashed_" not in name}


def _describe(path: Path, cursor: Cursor, tables: Sequence[str]) -> Snapshot:
    migrations = _all(cursor, "SELECT app, name FROM django_migrations")
    return Snapshot(path, sorted(".".join(row) for row in migrations), _counts(cursor, tables), _uploads(cursor))


def _counts(cursor: Cursor, tables: Sequence[str]) -> dict[str, int]:
    return {table: _all(cursor, f"SELECT count(*) FROM {_name(table)}")[0][0] for table in tables}  # noqa: S608 - quoted


def _filled(cursor: Cursor, tables: Sequence[str]) -> list[str]:
    return [table for table in tables if _all(cursor, f"SELECT 1 FROM {_name(table)} LIMIT 1")]  # noqa: S608 - quoted


def _uploads(cursor: Cursor) -> list[str]:
    fields = [field for model in apps.get_models() for field in model._meta.local_fields]
    stored = [one for one in fields if isinstance(one, models.FileField) and one.storage is default_storage]
    found: set[str] = set()
    for field in stored:
        table, column = _name(field.model._meta.db_table), _name(str(field.column))
        names = _all(cursor, f"SELECT {column} FROM {table} WHERE {column} <> ''")  # noqa: S608 - quoted
        found |= {row[0] for row in names}
    return sorted(found)


def _all(cursor: Cursor, sql: str) -> list[tuple[Any, ...]]:
    cursor.execute(sql)
    return cursor.fetchall()


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class SQLite:
    kind = "sqlite"

    @property
    def path(self) -> Path:
        return Path(connection.settings_dict["NAME"])

    @contextlib.contextmanager
    def snapshot(self, directory: Path) -> Iterator[Snapshot]:
        """Copy the database as of one moment, by SQLite's online backup, while others go on writing."""
        if not self.path.exists():
            raise BackupError(_("There is no database yet."))
        path = directory / "database"
        with _open(self.path) as source, _open(path) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
            snapshot = _describe(path, copy.cursor(), _sqlite_tables(copy))
        yield snapshot

    def filled_tables(self) -> list[str]:
        if not self.path.exists():
            return []
        with _open(self.path) as source:
            return _filled(source.cursor(), _sqlite_tables(source))

    def restore(self, source: Path, rows: dict[str, int], hold: Sequence[str]) -> None:
        """Write the hold into the unpacked copy, and replace the database by it in one transaction."""
        connection.close()
        try:
            with _open(source) as copy:
                copy.execute("PRAGMA journal_mode=DELETE")
                _check_copy(copy, rows)
                copy.executescript("\n".join(["BEGIN;", *hold, "COMMIT;"]))
                with _open(self.path) as target:
                    copy.backup(target)
        except sqlite3.Error as error:
            raise BackupError(
                _("The database could not be restored and is as it was: %(error)s") % {"error": error}
            ) from error


@contextlib.contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(path, timeout=WAIT)
    try:
        yield opened
    finally:
        opened.close()


def _sqlite_tables(opened: sqlite3.Connection) -> list[str]:
    names = opened.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return sorted(row[0] for row in names)


def _check_copy(copy: sqlite3.Connection, rows: dict[str, int]) -> None:
    if copy.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
        raise BackupError(_("The database in the backup is damaged."))
    if _counts(copy.cursor(), _sqlite_tables(copy)) != rows:
        raise BackupError(_("The database in the backup has other rows than its manifest says."))


class PostgreSQL:
    kind = "postgresql"

    @contextlib.contextmanager
    def snapshot(self, directory: Path) -> Iterator[Snapshot]:
        """Dump the database; rows and uploads are counted in the same snapshot."""
        path = directory / "database"
        with transaction.atomic(), connection.cursor() as cursor:
            # All statements of the transaction see one snapshot, and pg_dump is given the same.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            [[snapshot]] = _all(cursor, "SELECT pg_export_snapshot()")
            options = ["--format=custom", "--no-owner", "--no-privileges"]
            _run("pg_dump", *options, f"--snapshot={snapshot}", f"--file={path}", *_address())
            described = _describe(path, cursor, _postgresql_tables(cursor))
        yield described

    def filled_tables(self) -> list[str]:
        with connection.cursor() as cursor:
            return _filled(cursor, _postgresql_tables(cursor))

    def restore(self, source: Path, rows: dict[str, int], hold: Sequence[str]) -> None:
        """Replace the tables by the dump, check the counts and write the hold, in one transaction."""
        with connection.cursor() as cursor:
            self._refuse_while_used(cursor)
            [[schema]] = _all(cursor, "SELECT current_schema()")
            old = sorted(set(_postgresql_tables(cursor)) & (set(rows) | set(connection.introspection.table_names())))
        connection.close()
        before = [
            "BEGIN;",
            f"SET LOCAL lock_timeout = '{WAIT}s';",
            *(f"DROP TABLE {_name(schema)}.{_name(table)} CASCADE;" for table in old),
            # The dump brings them along.
            *(f"DROP FUNCTION IF EXISTS {_name(schema)}.{_name(function)}() CASCADE;" for function in FUNCTIONS),
        ]
        after = [
            # A dump sets an empty search path, for which the checks below would find no table.
            f"SET LOCAL search_path TO {_name(schema)};",
            "SET LOCAL TIME ZONE 'UTC';",
            *(_count_check(table, count) for table, count in rows.items()),
            *hold,
            "COMMIT;",
        ]
        _pipe_restore(source, before, after)

    def _refuse_while_used(self, cursor: Cursor) -> None:
        others = _all(
            cursor,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
        )[0][0]
        if others:
            raise BackupError(
                _(
                    "Others use this database at the moment (connections: %(count)s). Stop the site, its workers and "
                    "beat first; nothing was changed."
                )
                % {"count": others}
            )


def _postgresql_tables(cursor: Cursor) -> list[str]:
    names = _all(cursor, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    return sorted(row[0] for row in names)


def _count_check(table: str, count: int) -> str:
    shown = table.replace("'", "''").replace("%", "%%")  # RAISE takes % for a placeholder
    found = f"SELECT count(*) FROM {_name(table)}"  # noqa: S608 - quoted
    refused = f"RAISE EXCEPTION 'table {shown} has other rows than the manifest says'"
    return f"DO $check$ BEGIN IF ({found}) <> {count} THEN {refused}; END IF; END $check$;"


def find_program(name: str) -> str:
    """Return the program on the PATH, or the newest version that Debian installs; raise ``BackupError`` without one."""
    versioned = sorted(VERSIONED_PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    found = shutil.which(name) or (str(versioned[-1]) if versioned else None)
    if not found:
        raise BackupError(
            _("PostgreSQL's %(program)s is not installed: apt-get install -y postgresql-client") % {"program": name}
        )
    return found


def _address() -> list[str]:
    """Return the connection arguments from the settings, without the password, which a list of processes would show."""
    known = {option.keyword.decode() for option in Conninfo.get_defaults()} - {"password"}
    values = {name: value for name, value in connection.get_connection_params().items() if name in known}
    return ["--no-password", f"--dbname={make_conninfo('', **values)}"]


def _environment() -> dict[str, str]:
    password = connection.settings_dict["PASSWORD"]
    return {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [find_program(program), *arguments], env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{program}: {done.stderr.strip() or done.returncode}")


def _pipe_restore(source: Path, before: Sequence[str], after: Sequence[str]) -> None:
    """Pass the dump from ``pg_restore`` to ``psql``, between the statements ``before`` and ``after``."""
    dump = [find_program("pg_restore"), "--file=-", "--no-owner", "--no-privileges", "--no-comments", str(source)]
    psql = [find_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", *_address()]
    directory = source.parent
    with (directory / "restore.log").open("w+b") as log:
        reading = subprocess.Popen(dump, stdout=subprocess.PIPE, stderr=log)
        writing = subprocess.Popen(
            psql, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log, env=_environment()
        )
        assert reading.stdout is not None  # both are pipes
        assert writing.stdin is not None
        # psql closes its input at the first statement that fails; what it said is in the log.
        with contextlib.suppress(BrokenPipeError), writing.stdin:
            _feed(reading, writing.stdin, before, after)
        reading.stdout.close()
        # "&", not "and": both processes have to be waited for.
        is_done = (reading.wait() == 0) & (writing.wait() == 0)
        log.seek(0)
        words = log.read().decode(errors="replace").strip()
    if not is_done:
        raise BackupError(_("The database could not be restored and is as it was: %(error)s") % {"error": words})


def _feed(reading: subprocess.Popen[bytes], script: IO[bytes], before: Sequence[str], after: Sequence[str]) -> None:
    assert reading.stdout is not None
    script.write("\n".join([*before, ""]).encode())
    shutil.copyfileobj(reading.stdout, script)
    # The COMMIT is sent only after a whole dump. Without it psql comes to the end of its input and rolls back.
    if reading.wait() == 0:
        script.write("\n".join([*after, ""]).encode())


def database() -> SQLite | PostgreSQL:
    return SQLite() if connection.vendor == "sqlite" else PostgreSQL()
