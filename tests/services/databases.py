"""Databases for processes that are not the test itself: empty, and gone afterwards."""

import contextlib
import os
import re
import uuid
from collections.abc import Iterator

import psycopg
from psycopg import sql


@contextlib.contextmanager
def new_postgres_database() -> Iterator[str]:
    """A DATABASE_URL on the server of this test run."""
    server_url = os.environ["DATABASE_URL"]
    name = f"stack_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield re.sub(r"/\w+(?=\?|$)", f"/{name}", server_url, count=1)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
