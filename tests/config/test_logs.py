"""No address that opens something by itself stands in a log, whichever logger and handler it comes through."""

import logging

import pytest
from django.conf import settings

from config.logs import WithoutSecrets


@pytest.mark.parametrize(
    ("message", "values", "expected"),
    [
        ("Not Found: %s", ("/feeds/abc-_1.ics",), "Not Found: /feeds/…"),
        ("Not Found: /feeds/abc.ics?x=1", (), "Not Found: /feeds/…?x=1"),
        ("GET %(path)s", {"path": "/password/reset/MQ/abc-123/"}, "GET /password/reset/…"),
        ("Not Found: %s", ("/me/feeds",), "Not Found: /me/feeds"),
    ],
)
def test_the_secret_is_left_out(message: str, values: object, expected: str) -> None:
    record = logging.LogRecord(
        "any", logging.WARNING, "", 0, message, (values,) if isinstance(values, dict) else values, None
    )

    assert (WithoutSecrets().filter(record), record.getMessage()) == (True, expected)


def test_every_handler_and_the_framework_use_it() -> None:
    handlers = settings.LOGGING["handlers"].values()

    assert [handler["filters"] for handler in handlers] == [["secrets"]] * len(handlers)
    assert any(isinstance(one, WithoutSecrets) for one in logging.getLogger("django.request").filters)
