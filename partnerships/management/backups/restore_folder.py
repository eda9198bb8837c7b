"""The folder a restore unpacks into, and the removal of those that killed restores left behind."""

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "restore-"


@contextmanager
def restore_folder(parent: Path) -> Iterator[Path]:
    """Make a folder below ``parent``, locked as long as the process lives and removed at the end."""
    remove_leftovers(parent)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=parent) as name:
        folder = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(folder)


def remove_leftovers(parent: Path) -> None:
    """Remove the folders of restores that no longer run; the kernel has released their locks."""
    for path in parent.glob(f"{PREFIX}*"):
        if not re.fullmatch(PREFIX + "[a-z0-9_]{8}", path.name) or path.is_symlink() or not path.is_dir():
            continue
        folder = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(folder)
