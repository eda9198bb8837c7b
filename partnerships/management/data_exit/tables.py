"""The tables of a data exit: which rows and columns are in it, and how a value is written and read."""

import base64
import datetime as dt
import decimal
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import Any

from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import connection, models, transaction
from django.utils.translation import gettext as _

from partnerships.management.data_exit.errors import DataExitError
from partnerships.models import User

# Tables that are not in an exit, with the reason, as the archive gives it.
LEFT_OUT: Mapping[str, str] = {
    "django_content_type": "Numbers of the kinds of records; the archive names the kinds.",
    "auth_permission": "Made anew by the site; the archive names the permissions.",
    "django_session": "Not used.",
    "partnerships_usersession": "Sessions in browsers: everybody logs in anew.",
    "partnerships_componentheartbeat": "Which processes of this machine were alive.",
    "axes_accessattempt": "Wrong passwords of the last minutes.",
    "axes_accessattemptexpiration": "Wrong passwords of the last minutes.",
    "axes_accessfailurelog": "Log-ins: they are in partnerships_securityevent.",
    "axes_accesslog": "Log-ins: they are in partnerships_securityevent.",
}
# Columns that an exit has only if they were asked for; without them each account gets a new value.
ON_REQUEST: Mapping[tuple[str, str], Callable[[], object]] = {
    (User._meta.db_table, "password"): lambda: make_password(None)
}
ROWS_AT_ONCE = 200
ROWS_OF_BYTES_AT_ONCE = 10  # mails with their attachments


def exit_models() -> list[type[models.Model]]:
    """Return the models whose rows are in an exit, by the name of their table."""
    found = (model for model in apps.get_models(include_auto_created=True) if model._meta.managed)
    tables = {model._meta.db_table: model for model in found if not model._meta.proxy}
    return [tables[name] for name in sorted(tables.keys() - LEFT_OUT.keys())]


def exit_columns(model: type[models.Model], *, with_passwords: bool) -> list[models.Field]:
    """Return the columns of a table, in its order."""
    table = model._meta.db_table
    return [
        one
        for one in model._meta.local_concrete_fields
        if with_passwords or (table, column_name(one)) not in ON_REQUEST
    ]


def column_name(field: models.Field) -> str:
    return str(field.column)


def upload_columns() -> list[models.FileField]:
    """Return the columns that name uploaded files."""
    fields = [field for model in exit_models() for field in model._meta.local_fields]
    return [one for one in fields if isinstance(one, models.FileField) and one.storage is default_storage]


def stored_uploads() -> list[str]:
    """Return the names of all files that rows refer to."""
    found: set[str] = set()
    for field in upload_columns():
        rows = field.model._base_manager.exclude(**{field.name: ""})
        found |= set(rows.values_list(field.attname, flat=True))
    return sorted(found - {""})


@contextmanager
def snapshot() -> Iterator[None]:
    """Show all queries inside the database as of one moment, while others go on writing."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with transaction.atomic():
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield
            return
        # Not atomic(), which takes the one lock for writing.
        cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def lines_of(model: type[models.Model], *, with_passwords: bool) -> Iterator[bytes]:
    """Return the rows of a table as lines of JSON, ordered by primary key."""
    columns = exit_columns(model, with_passwords=with_passwords)
    names, writers = [column_name(one) for one in columns], [_writer_of(one) for one in columns]
    has_bytes = any(isinstance(one, models.BinaryField) for one in columns)
    rows = model._base_manager.order_by("pk").values_list(*[one.attname for one in columns])
    for row in rows.iterator(chunk_size=ROWS_OF_BYTES_AT_ONCE if has_bytes else ROWS_AT_ONCE):
        written = (None if value is None else write(value) for write, value in zip(writers, row, strict=True))
        yield json.dumps(dict(zip(names, written, strict=True)), ensure_ascii=False).encode() + b"\n"


def _writer_of(field: models.Field) -> Callable[[Any], Any]:
    """Return how a value of the column, never null, becomes JSON."""
    if field.related_model is ContentType:
        kinds = {one.pk: f"{one.app_label}.{one.model}" for one in ContentType.objects.all()}
        return kinds.__getitem__
    if field.related_model is Permission:
        every = Permission.objects.select_related("content_type")
        return {one.pk: ".".join(reversed(one.natural_key())) for one in every}.__getitem__
    if isinstance(field, models.JSONField):
        return _ordered
    return _as_json


def _ordered(value: Any) -> Any:
    """Return JSON with its keys in order: PostgreSQL keeps them in another one than they were written in."""
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(one) for one in value] if isinstance(value, list) else value


def _as_json(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview | bytearray):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, decimal.Decimal | uuid.UUID) else value


class TableWriter:
    """Inserts the lines of one table as they are: no signals, no derived columns, no history."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model, self.rows, self.last_id = model, 0, 0

    def insert(self, lines: Iterable[bytes]) -> None:
        has_bytes = any(isinstance(one, models.BinaryField) for one in self._columns)
        for batch in _batches(lines, ROWS_OF_BYTES_AT_ONCE if has_bytes else ROWS_AT_ONCE):
            with connection.cursor() as cursor:
                cursor.executemany(self._statement, [self._values_of(line) for line in batch])
            self.rows += len(batch)

    @cached_property
    def _columns(self) -> Sequence[models.Field]:
        return self.model._meta.local_concrete_fields

    @cached_property
    def _names(self) -> list[str]:
        return [column_name(one) for one in self._columns]

    @cached_property
    def _readers(self) -> list[Callable[[Any], Any]]:
        return [_reader_of(one) for one in self._columns]

    @cached_property
    def _statement(self) -> str:
        quote = connection.ops.quote_name
        names = ", ".join(quote(name) for name in self._names)
        marks = ", ".join("%s" for _name in self._names)
        return f"INSERT INTO {quote(self.model._meta.db_table)} ({names}) VALUES ({marks})"  # noqa: S608 - names of ours

    def _values_of(self, line: bytes) -> list[Any]:
        """Return the values of a line for the database. Raises ``DataExitError``."""
        table = self.model._meta.db_table
        try:
            row = json.loads(line)
            for name in self._names:
                if name not in row and (new_value := ON_REQUEST.get((table, name))):
                    row[name] = new_value()
            self._check_names(row)
            values = [
                None if row[name] is None else read(row[name])
                for name, read in zip(self._names, self._readers, strict=True)
            ]
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError, ValidationError) as error:
            words = _("Row %(row)s of %(table)s cannot be read: %(error)s")
            raise DataExitError(words % {"row": self.rows + 1, "table": table, "error": error}) from error
        if isinstance(key := row[column_name(self.model._meta.pk)], int):
            self.last_id = max(self.last_id, key)
        return [column.get_db_prep_save(value, connection) for column, value in zip(self._columns, values, strict=True)]

    def _check_names(self, row: Mapping[str, Any]) -> None:
        if differing := sorted(row.keys() ^ set(self._names)):
            raise ValueError(", ".join(differing))


def _batches(lines: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    rest = iter(lines)
    while batch := list(islice(rest, size)):
        yield batch


def _reader_of(field: models.Field) -> Callable[[Any], Any]:
    """Return how JSON, never null, becomes a value of the column."""
    if field.related_model is ContentType:
        return _kind_number
    if field.related_model is Permission:
        return {".".join(reversed(one.natural_key())): one.pk for one in Permission.objects.all()}.__getitem__
    if isinstance(field, models.JSONField):
        return lambda value: value
    if isinstance(field, models.BinaryField):
        return lambda value: base64.b64decode(value, validate=True)
    return field.target_field.to_python if isinstance(field, models.ForeignKey) else field.to_python


def _kind_number(name: str) -> int:
    app, _dot, model = name.partition(".")
    return ContentType.objects.get_by_natural_key(app, model).pk


def numbered_tables() -> dict[str, str]:
    """Return the tables whose ids the database counts, with the column of the id."""
    counted = (models.AutoField, models.BigAutoField)
    return {one._meta.db_table: column_name(one._meta.pk) for one in exit_models() if isinstance(one._meta.pk, counted)}


def last_ids() -> dict[str, int]:
    """Return the last id that each table has given, also to a row that is deleted: its history goes by the id."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, seq FROM sqlite_sequence")
            found = dict(cursor.fetchall())
            return {table: found[table] for table in numbered_tables() if table in found}
        last: dict[str, int] = {}
        for table, column in numbered_tables().items():
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, column])
            [[sequence]] = cursor.fetchall()
            cursor.execute(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608 - as the database names it
            [[value, is_called]] = cursor.fetchall()
            if is_called:
                last[table] = value
        return last


def set_last_ids(last: Mapping[str, int]) -> None:
    """Have each table go on counting where it was."""
    with connection.cursor() as cursor:
        for table, column in numbered_tables().items():
            if not (value := last.get(table)):
                continue
            if connection.vendor == "sqlite":
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, value])
            else:
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [table, column, value])
