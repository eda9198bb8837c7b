"""A migrated database to copy: made by the migrations once per state of them, then restored from a file in seconds."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.services.postgres import PostgresServer, find_program
from tests.services.processes import REPOSITORY

TEMPLATE = "migrated"


def create_template(server: PostgresServer, environ: dict[str, str]) -> None:
    """Database `migrated` on the server. The tests' own `migrate` still runs on each copy and finds nothing to do."""
    dump = REPOSITORY / ".pytest_cache" / f"migrated-{_state_of_migrations()}.dump"
    _run("createdb", server, TEMPLATE)
    if dump.exists():
        _run("pg_restore", server, "--dbname", TEMPLATE, "--no-owner", str(dump))
        return
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(migrate, cwd=REPOSITORY, env={**environ, "DATABASE_URL": server.url(TEMPLATE)}, check=True)
    _keep(server, dump)


def _keep(server: PostgresServer, dump: Path) -> None:
    _forget_old(dump)
    scratch = dump.with_suffix(f".{os.getpid()}")
    _run("pg_dump", server, "--format=custom", "--file", str(scratch), TEMPLATE)
    scratch.replace(dump)


def sqlite_template(scratch: Path, environ: dict[str, str]) -> Path:
    """A migrated SQLite file, to be copied; ``scratch``: a directory for what is not finished."""
    kept = REPOSITORY / ".pytest_cache" / f"migrated-{_state_of_migrations()}.sqlite3"
    if not kept.exists():
        _forget_old(kept)
        made = scratch / "migrated.sqlite3"
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0", "--settings=config.settings"]
        subprocess.run(migrate, cwd=REPOSITORY, env={**environ, "DATABASE_URL": f"sqlite:///{made}"}, check=True)
        shutil.copy(made, kept.with_suffix(f".{os.getpid()}"))
        kept.with_suffix(f".{os.getpid()}").replace(kept)
    return kept


def _forget_old(kept: Path) -> None:
    kept.parent.mkdir(exist_ok=True)
    for old in kept.parent.glob(f"migrated-*{kept.suffix}"):
        old.unlink(missing_ok=True)


def _run(program: str, server: PostgresServer, *arguments: str) -> None:
    address = ["--host", str(server.directory), "--username", "postgres"]
    subprocess.run([find_program(program), *address, *arguments], check=True, cwd=REPOSITORY)


def _state_of_migrations() -> str:
    """Of the product's, and of the libraries' by their pinned versions."""
    digest = hashlib.sha256((REPOSITORY / "requirements.txt").read_bytes())
    for path in sorted((REPOSITORY / "partnerships" / "migrations").glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
