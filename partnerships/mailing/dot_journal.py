"""A file of each sending process that says whether it went on to write the final dot.

The marks in the database (``dot_due_at``, ``dot_sent_at``) stand before and after the dot; a process that is killed between
them leaves it open whether the dot was written. The kernel keeps what a process wrote to a file, also when the process is
killed a moment later. So a process notes here what it is about to do, and a rescue on the same machine can tell. Where it
cannot (another machine, a restart, no file), the marks alone decide.

The process keeps its file locked for as long as it lives. Only the file of a process that has ended is read: one that was
merely stopped may still write the dot.
"""

import datetime as dt
import fcntl
import os
import re
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from django.conf import settings

from partnerships.mailing.lease import is_of_this_boot, lease_owner
from partnerships.models import Delivery

KEEP_FILES = dt.timedelta(days=1)  # far longer than a lease
LONGEST_NOTE = 100  # bytes
_files: dict[int, int] = {}  # process -> its open file; a forked child opens its own


class DotStage(StrEnum):
    """How far a hand-over came, as noted before each of these."""

    BEFORE = "before"  # nothing of the dot is written
    WRITING = "writing"
    WRITTEN = "written"


def note(delivery: Delivery, stage: DotStage, *, at: dt.datetime) -> None:
    """Note the stage of the hand-over under way; raises ``OSError`` where there is no file or it cannot be written."""
    text = f"{_identity(delivery)} {stage}".ljust(LONGEST_NOTE)
    os.pwrite(_own_file(at), text.encode(), 0)


def stage_of(delivery: Delivery) -> DotStage | None:
    """Return the stage at which the process that had claimed the delivery ended; None where this is not known."""
    if not is_of_this_boot(delivery.lease_owner):
        return None
    try:
        file = os.open(_path(delivery.lease_owner), os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while the process lives
        identity, _space, stage = os.pread(file, LONGEST_NOTE, 0).decode().strip().rpartition(" ")
        return DotStage(stage) if identity == _identity(delivery) else None
    except (OSError, ValueError):
        return None
    finally:
        os.close(file)


def _identity(delivery: Delivery) -> str:
    return f"{delivery.pk} {delivery.lease_epoch}"


def _path(owner: str) -> Path:
    return _folder() / re.sub(r"[^\w.-]", "_", owner)


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "senders"


def _own_file(at: dt.datetime) -> int:
    pid = os.getpid()
    if pid not in _files:
        _folder().mkdir(exist_ok=True)
        _remove_old(at)
        file = os.open(_path(lease_owner()), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(file, 0)  # it may be of an earlier process with the same number
        except OSError:
            os.close(file)
            raise
        _files[pid] = file
    return _files[pid]


def _remove_old(at: dt.datetime) -> None:
    """Remove the files of senders that ended long ago; one that has been idle for long keeps the lock of its file."""
    for path in _folder().iterdir():
        with suppress(OSError):
            if path.stat().st_mtime < (at - KEEP_FILES).timestamp():
                with path.open() as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
