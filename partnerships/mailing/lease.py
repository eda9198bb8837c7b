"""Whose a claim is: the host, its boot and the process, so that a rescue can tell what became of the bytes on the way."""

import datetime as dt
import os
import socket
from functools import cache
from pathlib import Path
from uuid import uuid4

# Longer than the slowest hand-over, counted from its last renewal: see partnerships.mailing.smtp.
LEASE = dt.timedelta(minutes=5)
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def lease_owner() -> str:
    return f"{machine()}:{os.getpid()}"


def is_of_this_boot(owner: str) -> bool:
    """The kernel that had the bytes of ``owner`` still runs: a process that ends does not take them along.

    A container has a host name of its own, and the network that goes with it.
    """
    return owner.rpartition(":")[0] == machine()


@cache
def machine() -> str:
    return f"{socket.gethostname()[:64]}:{_boot()}"


def _boot() -> str:
    """Where the kernel does not say: nothing that another process would take for its own boot."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return str(uuid4())
