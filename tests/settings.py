"""The product's settings as the tests run them.

PostgreSQL unless TEST_DATABASE=sqlite: where DATABASE_URL names no server, a private one is started here, because
pytest-django reads DATABASES before any conftest. The workers of pytest-xdist inherit its address. SQLite is a file, as
in the product: processes and threads meet in it.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tests.services.migrated import TEMPLATE, create_template, sqlite_template
from tests.services.postgres import PostgresServer

if "DATA_DIR" not in os.environ:
    scratch = tempfile.mkdtemp(prefix="partnerships-tests-")
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    os.environ["DATA_DIR"] = scratch
os.environ.setdefault("SECRET_KEY", "for-the-tests-alone-0123456789-abcdefg")
os.environ.setdefault("SITE_URL", "http://testserver")
os.environ.setdefault("ALLOW_HTTP", "1")
os.environ.setdefault("ALLOWED_HOSTS", "testserver,127.0.0.1,localhost")
os.environ.setdefault("REDIS_URL", "memory://")
# Nobody listens there: a test that sends mail asks for smtp_sink, and no test reaches a catcher that happens to run.
os.environ.setdefault("EMAIL_HOST", "127.0.0.1")
os.environ.setdefault("EMAIL_PORT", "1")
os.environ.setdefault("DEFAULT_FROM_EMAIL", "Cooperation office <office@example.org>")
# The browser's driver keeps an event loop in the main thread, and Django would refuse the ORM beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

ON_SQLITE = os.environ.get("TEST_DATABASE") == "sqlite"
if ON_SQLITE:
    os.environ.pop("DATABASE_URL", None)
    if "TEST_DATABASE_TEMPLATE" not in os.environ:
        os.environ["TEST_DATABASE_TEMPLATE"] = str(sqlite_template(Path(os.environ["DATA_DIR"]), dict(os.environ)))
elif "DATABASE_URL" not in os.environ:
    server = PostgresServer()
    server.start()
    atexit.register(server.remove)
    os.environ["DATABASE_URL"] = server.url("postgres")
    create_template(server, dict(os.environ))
    os.environ["TEST_DATABASE_TEMPLATE"] = TEMPLATE

from config.settings import *  # noqa: E402, F403 - the environment above has to stand first
from config.settings import DATA_DIR, DATABASES, STATIC_ROOT, STORAGES  # noqa: E402

if ON_SQLITE:
    # The tests' own `migrate` still runs on the copy and finds nothing to do.
    test_database = Path(DATA_DIR) / "test.sqlite3"
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    shutil.copy(os.environ["TEST_DATABASE_TEMPLATE"], f"{test_database}_{worker}" if worker else test_database)
    DATABASES["default"]["TEST"] = {"NAME": str(test_database)}
    # As with PostgreSQL's settings for tests: no test outlives the machine, so no commit has to reach the disk.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
else:
    DATABASES["default"]["TEST"] = {"TEMPLATE": os.environ.get("TEST_DATABASE_TEMPLATE", "template1")}
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT.mkdir(exist_ok=True)
