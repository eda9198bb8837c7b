"""Point this process's database connection at another database for a while."""

import contextlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from django.contrib.contenttypes.models import ContentType
from django.db import connection


@contextlib.contextmanager
def connected_to(url: str) -> Iterator[None]:
    """Connect to ``url``, a PostgreSQL database on a socket or an SQLite file."""
    parts, before = urlsplit(url), dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(NAME=parts.path[1:], HOST=parse_qs(parts.query).get("host", [""])[0])
    ContentType.objects.clear_cache()  # their ids are each database's own
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(NAME=before["NAME"], HOST=before["HOST"])
        ContentType.objects.clear_cache()
