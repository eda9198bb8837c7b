"""Files of senders that ended are removed; those of senders that are merely idle are not."""

import datetime as dt
import fcntl
import os
from pathlib import Path
from typing import Any

from django.utils import timezone

from partnerships.mailing.dot_journal import KEEP_FILES, _remove_old


def test_the_file_of_an_idle_sender_stays(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    folder, now = tmp_path / "senders", timezone.now()
    folder.mkdir()
    ages = {"ended": 3 * KEEP_FILES, "idle": 3 * KEEP_FILES, "just ended": dt.timedelta(hours=1)}
    for name, age in ages.items():
        (folder / name).touch()
        os.utime(folder / name, ((now - age).timestamp(),) * 2)

    with (folder / "idle").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _remove_old(now)

    assert {path.name for path in folder.iterdir()} == {"idle", "just ended"}
