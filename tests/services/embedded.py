"""`make run` as a test starts it: an empty home, an empty DATA_DIR, real processes."""

import re
from pathlib import Path

from tests.services.processes import PATIENCE, is_alive
from tests.services.stack import Stack, eventually


class Run:
    """One start of the embedded site; ``is_migrated``: on a new folder with a migrated database."""

    def __init__(self, data_dir: Path, *, is_migrated: bool = False, **env: str) -> None:
        self.stack = Stack(data_dir, {"HOME": str(data_dir), **env})
        for name in ("SITE_URL", "ALLOWED_HOSTS", "SECRET_KEY"):
            self.stack.env.pop(name, None)
        self.stack._log("run").unlink(missing_ok=True)
        if is_migrated:
            self.stack.copy_migrated_database()
        self.process = self.stack.start("run", "manage.py", "run_embedded")

    @property
    def said(self) -> str:
        return self.stack.log("run")

    def wait_until_ready(self, *, services: int = 4) -> "Run":
        """Its pages answer, and web, worker, beat and mail have all been started: on whichever broker there is."""
        eventually(lambda: "Ctrl-C" in self.said or self.process.poll() is not None)
        assert self.process.poll() is None, self.said
        eventually(lambda: len(self.pids.keys() - {"valkey"}) == services)
        return self

    def address(self, label: str) -> str:
        found = re.search(rf"^{label}: (http://\S+)", self.said, re.MULTILINE)
        assert found, self.said
        return found[1]

    @property
    def pids(self) -> dict[str, int]:
        """The process of every service that runs, by a word of its command line."""
        commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in descendants(self.process.pid)}
        words = {"web": b"gunicorn", "worker": b"\0worker\0", "beat": b"\0beat\0", "mail": b"catch_mail"}
        words |= {"loop": b"reminders\0run", "valkey": b"valkey-server"}
        found = {name: [pid for pid, command in commands.items() if word in command] for name, word in words.items()}
        return {name: min(pids) for name, pids in found.items() if pids}

    def wait_for_the_end(self) -> int:
        return self.process.wait(timeout=PATIENCE)


def descendants(pid: int) -> set[int]:
    children = {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    return children.union(*(descendants(child) for child in children))


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if is_alive(pid)}
