"""Fixtures for everybody. Services are real processes, started by the first test that asks for them."""

import contextlib
import gc
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.core.signals import request_finished, request_started
from django.utils import translation
from hypothesis import HealthCheck

from tests.services.browser import log_in, use_loaded_pages, watch
from tests.services.databases import new_postgres_database
from tests.services.drawing import keep_contexts_of_pages
from tests.services.emptying import empty_after_tests
from tests.services.processes import PATIENCE
from tests.services.redis import RedisServer
from tests.services.smtp_sink import SmtpSink, running_sink
from tests.services.stack import Stack

empty_after_tests()
use_loaded_pages()
# How long an example takes says how busy the machine is, not whether it is right.
hypothesis.settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.settings.load_profile("unhurried")

CHROMIUM_OPTIONS = [
    "--no-sandbox",  # root has no user namespace to put the sandbox in
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The private server goes with the run; dropping its databases first can only trip over a thread's connection."""
    return "TEST_DATABASE_TEMPLATE" in os.environ


# Files whose tests wait for processes, and the longest others: first, so that no processor is left alone with one of
# them at the end.
LONGEST_FIRST = (
    "test_main_job",
    "test_run_embedded",
    "test_live_stack",
    "test_races",
    "test_browser",
    "test_state_machine",
    "test_killed_senders",
    "test_postgres_stops",
    "test_time_limit",
    "test_entry_points",
    "test_backup",
    "test_long_words",
    "test_every_page",
    "test_registry",
)


def pytest_collection_finish() -> None:
    """Keep the garbage collector away from what was imported: going through it again and again took a quarter of the time."""
    import_module("pypinyin")  # else the first Chinese name brings its dictionaries
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.path.stem.startswith(LONGEST_FIRST))


@pytest.fixture(scope="session", autouse=True)
def _contexts_of_pages_alone(django_test_environment: None) -> None:
    keep_contexts_of_pages()


@pytest.fixture(autouse=True)
def media_root(settings: Any, tmp_path: Path) -> Path:
    """Uploads of one test are not another's."""
    settings.MEDIA_ROOT = tmp_path / "uploads"
    return settings.MEDIA_ROOT


@pytest.fixture(autouse=True)
def _default_language() -> None:
    """The language of the last request of one test is not that of the next."""
    translation.deactivate()


@pytest.fixture(scope="session")
def smtp_server() -> Iterator[SmtpSink]:
    with running_sink() as sink:
        yield sink


@pytest.fixture
def smtp_sink(smtp_server: SmtpSink, settings: Any) -> SmtpSink:
    """An empty sink that the settings point at; `.received` is what a mail server would have delivered."""
    smtp_server.clear()
    settings.EMAIL_HOST, settings.EMAIL_PORT = smtp_server.host, smtp_server.port
    return smtp_server


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def live_stack(tmp_path: Path, smtp_sink: SmtpSink, redis_server: RedisServer) -> Iterator[Callable[..., Stack]]:
    """Call it for the product's processes on a new, migrated PostgreSQL database with Redis and the SMTP sink.

    Keyword arguments are further environment variables. embedded=True: SQLite in DATA_DIR instead.
    """
    data_dir = tmp_path / "data"
    data_dir.mkdir(mode=0o700)
    stacks: list[Stack] = []
    with new_postgres_database() as database_url:

        def start(*, embedded: bool = False, **env: str) -> Stack:
            stacks.append(Stack(data_dir, {**_service_environment(smtp_sink, redis_server), **env}))
            if not embedded:
                stacks[-1].env["DATABASE_URL"] = database_url
            if embedded:
                stacks[-1].copy_migrated_database()
            elif "TEST_DATABASE_TEMPLATE" not in os.environ:  # else the database is a migrated copy
                stacks[-1].manage("migrate", "--verbosity=0")
            return stacks[-1]

        yield start
        for stack in stacks:
            stack.stop()


def _service_environment(sink: SmtpSink, broker: RedisServer) -> Mapping[str, str]:
    return {
        "SECRET_KEY": "for-the-tests-alone-0123456789-abcdefg",
        "DEFAULT_FROM_EMAIL": "Cooperation office <office@example.org>",
        "REDIS_URL": broker.url,
        "EMAIL_HOST": sink.host,
        "EMAIL_PORT": str(sink.port),
    }


class UnderWay:
    """Counts the requests that a server of this process has not answered yet."""

    def __init__(self) -> None:
        self.changed, self.count = threading.Condition(), 0

    def note_started(self, **signal: Any) -> None:
        self._count(+1)

    def note_finished(self, **signal: Any) -> None:
        self._count(-1)

    def _count(self, more: int) -> None:
        with self.changed:
            self.count += more
            self.changed.notify_all()

    def wait_for_none(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.count == 0, timeout=PATIENCE), (
                f"{self.count} requests are not answered"
            )


@pytest.fixture(autouse=True)
def _abandoned_requests_end(request: pytest.FixtureRequest) -> Iterator[None]:
    """A browser leaves pages before they are answered: the server still writes while the tables are emptied.

    Comes after the database and before the browser, and so ends after the browser and before the database.
    """
    if "live_server" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("transactional_db")
    under_way = UnderWay()
    request_started.connect(under_way.note_started)
    request_finished.connect(under_way.note_finished)
    yield
    under_way.wait_for_none()
    request_started.disconnect(under_way.note_started)
    request_finished.disconnect(under_way.note_finished)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium; the driver's own download is never used."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "Chromium is not installed: apt-get install -y chromium fonts-noto-cjk"
    return {**browser_type_launch_args, "executable_path": program, "args": CHROMIUM_OPTIONS}


@pytest.fixture
def open_page(browser: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """``open_page(address, person)`` is a page in a browser of their own, which finds further addresses by their path.

    At the end no page has complained, nor asked another host.
    """
    problems: list[str] = []
    with contextlib.ExitStack() as opened:

        def open_page(
            address: str, person: Any = None, *, width: int = 1440, has_scripts: bool = True, **options: Any
        ) -> Any:
            viewport = {"width": width, "height": 844}
            context = browser.new_context(
                base_url=live_server.url, viewport=viewport, java_script_enabled=has_scripts, **options
            )
            opened.callback(context.close)
            context.set_default_timeout(PATIENCE * 1000)
            watch(context, live_server.url, problems)
            if person:
                log_in(context, person, live_server.url)
            page = context.new_page()
            page.goto(address)
            return page

        yield open_page
    assert problems == []
