"""Databases for processes that are not the test itself: new, and gone afterwards."""

import contextlib
import os
import re
import uuid
from collections.abc import Iterator

import psycopg
from psycopg import sql


@contextlib.contextmanager
def new_postgres_database() -> Iterator[str]:
    """A DATABASE_URL on the server of this test run, migrated if that server is our own."""
    server_url = os.environ["DATABASE_URL"]
    name = f"stack_{uuid.uuid4().hex[:12]}"
    template = os.environ.get("TEST_DATABASE_TEMPLATE", "template1")
    with psycopg.connect(server_url, autocommit=True) as connection:
        names = (sql.Identifier(name), sql.Identifier(template))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        try:
            yield re.sub(r"/\w+(?=\?|$)", f"/{name}", server_url, count=1)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
