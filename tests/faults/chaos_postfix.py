"""Senders killed while Postfix is the relay; the mails of the server behind it are compared. `make chaos` runs it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.test_killed_senders import kill_and_judge
from tests.services.postfix import Postfix
from tests.services.smtp_sink import SmtpSink
from tests.services.stack import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def postfix(smtp_sink: SmtpSink, environment: dict[str, str], settings: Any) -> Iterator[Postfix]:
    """A Postfix between the senders and the sink."""
    relay = Postfix(onward=smtp_sink.port)
    relay.start()
    settings.EMAIL_PORT = relay.port
    environment["EMAIL_PORT"] = str(relay.port)
    yield relay
    relay.remove()


@pytest.mark.parametrize("workers", [1, 4])
def test_nothing_is_lost_and_nothing_doubled_behind_postfix(
    postfix: Postfix, nursery: Callable[..., dict[str, int]], smtp_sink: SmtpSink, workers: int
) -> None:
    kill_and_judge(
        nursery,
        smtp_sink,
        workers=workers,
        relay="Postfix",
        wait=lambda: eventually(postfix.is_empty),
    )
