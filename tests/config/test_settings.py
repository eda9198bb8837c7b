"""A process that cannot run rightly does not run: each case is a real `manage.py check`."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from config import settings
from tests.services.processes import REPOSITORY

PRODUCTION = {
    "SECRET_KEY": "k" * 50,
    "ALLOWED_HOSTS": "office.example.org",
    "SITE_URL": "https://office.example.org",
    "DATABASE_URL": "postgres://office@db.example.org/office",
    "REDIS_URL": "redis://broker.example.org/0",
    "EMAIL_HOST": "mail.example.org",
    "DEFAULT_FROM_EMAIL": "Office <office@example.org>",
}


def check(data_dir: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(data_dir), **env},
        capture_output=True,
        text=True,
        check=False,
    )


def refusal(data_dir: Path, **env: str) -> str:
    done = check(data_dir, **env)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    return done.stderr.partition("Refusing to start. ")[2].rstrip("\n")


def test_production_starts_when_everything_is_set(tmp_path: Path) -> None:
    assert check(tmp_path, **PRODUCTION).stderr == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"SITE_URL": "http://office.example.org", "ALLOW_HTTP": "1"},
        {"SITE_URL": "http://127.0.0.1:8000", "ALLOWED_HOSTS": "127.0.0.1", "DEBUG": "1"},
        {"EMAIL_HOST_PASSWORD": "secret", "EMAIL_USE_TLS": "1"},
        {"EMAIL_HOST_PASSWORD": "secret", "EMAIL_HOST": "127.0.0.1"},
    ],
)
def test_what_stays_on_this_machine_or_is_asked_for_starts(tmp_path: Path, changes: dict[str, str]) -> None:
    assert check(tmp_path, **PRODUCTION | changes).stderr == ""


def test_embedded_starts_with_nothing_set_and_keeps_its_key(tmp_path: Path) -> None:
    assert check(tmp_path).stderr == ""
    key = (tmp_path / "secret_key").read_text()
    assert check(tmp_path).stderr == ""

    assert (tmp_path / "secret_key").read_text() == key
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_server_database_needs_everything_that_must_not_be_guessed(tmp_path: Path) -> None:
    assert refusal(tmp_path, DATABASE_URL=PRODUCTION["DATABASE_URL"]) == (
        "where DATABASE_URL is set, so must be "
        "SECRET_KEY, SITE_URL, ALLOWED_HOSTS, EMAIL_HOST, DEFAULT_FROM_EMAIL, REDIS_URL."
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY must have 32 characters or more."),
        ({"SECRET_KEY": " " * 40}, "SECRET_KEY must have 32 characters or more."),
        (
            {"SITE_URL": "office.example.org"},
            "SITE_URL must be an address such as https://office.example.org, not 'office.example.org'.",
        ),
        (
            {"ALLOWED_HOSTS": "*"},
            "ALLOWED_HOSTS must name the hosts: '*' would let anybody forge the links in mails.",
        ),
        ({"ALLOWED_HOSTS": "other.example.org"}, "ALLOWED_HOSTS must name SITE_URL's host office.example.org."),
        ({"DEBUG": "1"}, "DEBUG must be off where others reach SITE_URL: its error pages show settings to strangers."),
        (
            {"DEBUG": "1", "SITE_URL": "http://office.example.org", "ALLOW_HTTP": "1"},
            "DEBUG must be off where others reach SITE_URL: its error pages show settings to strangers.",
        ),
        (
            {"SITE_URL": "http://office.example.org"},
            "SITE_URL must be https: passwords would travel in the clear (ALLOW_HTTP=1 allows it all the same).",
        ),
        (
            {"EMAIL_HOST_PASSWORD": "secret"},
            "EMAIL_HOST_PASSWORD needs EMAIL_USE_TLS or EMAIL_USE_SSL: it would travel in the clear.",
        ),
        ({"DEBUG": "perhaps"}, "DEBUG must be 1 or 0, not 'perhaps'."),
        (
            {"DATABASE_URL": "office"},
            "DATABASE_URL must be an address such as postgres://user:password@host/name.",
        ),
        (
            {"REDIS_URL": "broker:6379"},
            "REDIS_URL must be an address such as redis://host:6379/0 or redis+socket:///path.",
        ),
        ({"EMAIL_PORT": "smtp"}, "EMAIL_PORT must be a port number, not 'smtp'."),
        (
            {"EMAIL_USE_TLS": "1", "EMAIL_USE_SSL": "1"},
            "EMAIL_USE_TLS and EMAIL_USE_SSL exclude each other; set one of them.",
        ),
        (
            {"EMAIL_MAX_PER_MINUTE": "1e3"},
            "EMAIL_MAX_PER_MINUTE must be a whole number, 0 for none, not '1e3'.",
        ),
        (
            {"RETENTION_SECURITY_LOG_DAYS": "183"},
            "RETENTION_SECURITY_LOG_DAYS must be 184 or more, or 0, not 183.",
        ),
        ({"TRUSTED_PROXIES": "10.0.0.1"}, "TRUSTED_PROXIES must be a whole number, 0 for none, not '10.0.0.1'."),
        ({"REMINDERS_UNCERTAIN": "yes"}, "REMINDERS_UNCERTAIN must be hold or resend, not 'yes'."),
        ({"DEFAULT_FROM_EMAIL": "Office"}, "DEFAULT_FROM_EMAIL must hold one e-mail address, not 'Office'."),
        ({"TIME_ZONE": "Mars"}, "TIME_ZONE must be a zone such as Asia/Shanghai, not 'Mars'."),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, changes: dict[str, str], said: str) -> None:
    assert refusal(tmp_path, **{**PRODUCTION, **changes}) == said


# Calls the functions of the settings directly, because a process for each wrong value would be slow.
@pytest.mark.parametrize(
    ("ask", "right", "wrong"),
    [
        (
            settings._is_host,
            ["mail.example.org", "mail", "10.0.0.1", "::1", "mail.example.org.", "邮件.example.org"],
            [
                "256.1.1.1",
                "10.0.0",
                "smtp://mail",
                "mail:25",
                "mail/",
                "a b",
                "office@mail",
                "-mail",
                "",
                "mail..org",
                "a,b",
            ],
        ),
        (
            settings._is_one_sender,
            [
                "o@example.org",
                "Office <o@example.org>",
                '"Office, college" <o@example.org>',
                "合作办公室 <o@example.org>",
            ],
            [
                "Office",
                "a@x.org, b@x.org",
                "a@x.org; b@x.org",
                "a@x.org b@x.org",
                "a@@x.org",
                "a@x.org\nBcc: b@x.org",
                "A <a@>",
                "<a@x.org",
                "a@x.org,",
                "A <a@x.org>, Office",
            ],
        ),
        (
            settings._is_broker,
            [
                "redis://host",
                "rediss://:word@host:6380/1",
                "redis://[::1]:6379/0",
                "redis+socket:///run/redis",
                "memory://",
            ],
            [
                "redis://",
                "redis:///0",
                "redis://host:0",
                "redis://host:99999/0",
                "redis://host/zero",
                "http://host",
                "redis+socket://",
            ],
        ),
        (
            lambda url: not settings._database_trouble(url),
            [
                "postgres://u:p@h/name",
                "postgresql://u@h:5433/name",
                "postgres://%2Frun%2Fpostgresql/name",
                "sqlite:////tmp/x.db",
            ],
            [
                "sqlite://",
                "sqlite:///",
                "sqlite://:memory:",
                "sqlite:///:memory:",
                "sqlite://data/x.db",
                "sqlite:////tmp",
                "sqlite:////no/such/folder/x.db",
                "postgres://u:p@h",
                "postgres://u:p@h/",
                "postgres://u:p@h:99999/name",
                "postgres://u:p@h:0/name",
                "postgres://u:p@h h/name",
                "postgres://u:p@h:port/name",
                "mysql://u@h/name",
                "",
            ],
        ),
    ],
)
def test_each_kind_of_address_is_known(ask: Callable[[str], bool], right: list[str], wrong: list[str]) -> None:
    assert [value for value in right if not ask(value)] == []
    assert [value for value in wrong if ask(value)] == []


def test_all_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    said = refusal(
        tmp_path / "file",
        **PRODUCTION
        | {
            "SITE_URL": "https://me:secret@office.example.org:99999/#top",
            "DATABASE_URL": "sqlite:///",
            "REDIS_URL": "redis://broker:99999",
            "EMAIL_HOST": "smtp://mail",
            "EMAIL_PORT": "70000",
            "DEFAULT_FROM_EMAIL": "a@example.org, b@example.org",
            "ALLOWED_HOSTS": "https://office.example.org",
            "TIME_ZONE": "Asia",
        },
    )

    names = ["DATA_DIR", "SITE_URL", "ALLOWED_HOSTS", "DATABASE_URL", "TIME_ZONE", "EMAIL_HOST", "EMAIL_PORT"]
    assert [problem.split()[0] for problem in said.split("; ")] == [*names, "DEFAULT_FROM_EMAIL", "REDIS_URL"]
    assert "secret" not in said


@pytest.mark.parametrize(
    ("url", "is_right"),
    [
        ("https://office.example.org", True),
        ("https://office.example.org:8443", True),
        ("https://office.example.org:0", False),
        ("https://office.example.org:", False),
        ("https://office.example.org?", False),
        ("https://office.example.org#top", False),
        ("https://office.example.org/path", False),
        ("https://me@office.example.org", False),
        ("https://office.example.org ", False),
        ("https://[::1", False),
        ("ftp://office.example.org", False),
    ],
)
def test_the_address_of_the_site_is_a_scheme_and_a_host(url: str, is_right: bool) -> None:
    assert settings._is_site(url) is is_right


def test_a_broker_in_memory_is_refused_in_production(tmp_path: Path) -> None:
    said = refusal(tmp_path, **PRODUCTION | {"REDIS_URL": "Memory://"})

    assert said == "REDIS_URL must name a server: what is in memory:// reaches no other process."


def test_an_address_in_capitals_is_that_in_small_letters(tmp_path: Path) -> None:
    ask = "from config import settings as s; print(s.SITE_URL, s.CSRF_TRUSTED_ORIGINS, s.SESSION_COOKIE_SECURE)"
    env = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path),
        **PRODUCTION,
        "SITE_URL": "HTTPS://Office.Example.org",
    }

    said = subprocess.check_output([sys.executable, "-c", ask], cwd=REPOSITORY, env=env, text=True)

    assert said == "https://office.example.org ['https://office.example.org'] True\n"


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_broken_list_of_addresses_counts_as_none(tmp_path: Path, content: str) -> None:
    """After a power cut, say; nothing runs then."""
    (tmp_path / "running.json").write_text(content)

    assert check(tmp_path).stderr == ""


def test_a_key_that_cannot_be_read_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_bytes(b"\xff\xfe")

    assert refusal(tmp_path).startswith("DATA_DIR holds an empty or unreadable key, ")


def test_debug_is_off_where_others_reach_the_embedded_site(tmp_path: Path) -> None:
    said = refusal(tmp_path, DEBUG="1", SITE_URL="http://office.example.org", ALLOWED_HOSTS="office.example.org")

    assert said == "DEBUG must be off where others reach SITE_URL: its error pages show settings to strangers."


def test_commands_in_another_terminal_find_what_runs(tmp_path: Path) -> None:
    (tmp_path / "running.json").write_text('{"SITE_URL": "http://127.0.0.1:8001", "EMAIL_PORT": "2525"}')
    ask = "from config import settings; print(settings.SITE_URL, settings.EMAIL_PORT)"
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)}

    said = subprocess.check_output([sys.executable, "-c", ask], cwd=REPOSITORY, env=env, text=True)

    assert said == "http://127.0.0.1:8001 2525\n"
