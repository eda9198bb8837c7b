import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.office import DUE_AT, database_url
from tests.services.processes import REPOSITORY
from tests.services.smtp_sink import SmtpSink

SPEED = 60  # a lease of five minutes runs out in five seconds


@pytest.fixture(autouse=True)
def any_amount_is_usual(settings: Any) -> None:
    """Switch off the limit of mails per act, because the office opens with hundreds of mails at once."""
    settings.REMINDERS_HOLD_ABOVE = 0


@pytest.fixture
def environment(smtp_sink: SmtpSink) -> dict[str, str]:
    """The environment of a process that works on this test's database and mail server."""
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "EMAIL_HOST": smtp_sink.host,
        "EMAIL_PORT": str(smtp_sink.port),
        "REMINDERS_HOLD_ABOVE": "0",
        "FAULTS_BEGIN": DUE_AT.isoformat(),
        "FAULTS_SPEED": str(SPEED),
    }


@pytest.fixture
def nursery(environment: dict[str, str], tmp_path: Path) -> Callable[..., dict[str, int]]:
    """Run the nursery with that many workers and kills, and return its counts."""

    def run(*, workers: int, kills: int, seed: str) -> dict[str, int]:
        log = tmp_path / "nursery.log"
        command = [sys.executable, "-m", "tests.faults.nursery", str(workers), str(kills), seed]
        with log.open("wb") as errors:
            done = subprocess.run(
                command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=errors, check=False
            )
        assert done.returncode == 0, log.read_text(errors="replace")
        return json.loads(done.stdout.splitlines()[-1])

    return run
