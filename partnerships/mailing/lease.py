"""The owner of a lease: host, boot and process. From it a rescue concludes what became of the bytes on their way."""

import datetime as dt
import os
import socket
from functools import cache
from pathlib import Path
from uuid import uuid4

# Longer than the slowest hand-over, counted from its last renewal (the time limits of partnerships.mailing.smtp).
LEASE = dt.timedelta(minutes=5)
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def lease_owner() -> str:
    return f"{machine()}:{os.getpid()}"


def is_of_this_boot(owner: str) -> bool:
    """Return whether the kernel that ``owner`` gave its bytes to still runs.

    Bytes written to a socket survive the end of the process. A container has a host name and a network of its own.
    """
    return owner.rpartition(":")[0] == machine()


@cache
def machine() -> str:
    return f"{socket.gethostname()[:64]}:{_boot()}"


def _boot() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        # The kernel does not say, so no other process may take this one's boot for its own.
        return str(uuid4())
