"""Start senders and kill them at random moments: `python -m tests.faults.nursery WORKERS KILLS SEED`.

This process loads the product once and forks the senders, so that hundreds of them cost seconds. Each is a process with
connections of its own and does what `manage.py reminders run` does, without the pause. The last word is a line of JSON:
{"kills": how many were alive when they were killed, "ended": how many ended by themselves}.

It gives up after CHAOS_SECONDS.

FAULTS_BEGIN (ISO) is the time the senders believe it is when the nursery starts; it runs FAULTS_SPEED times as fast as
the real one, so that leases run out in seconds.
"""

import datetime as dt
import json
import os
import random
import selectors
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import django

from partnerships.reminders.clock import Clock

BEGAN = time.time()
# When a sender is killed: so many queries after its birth (a mail takes some twenty, a run without one as many), and
# then a moment more, for what lies between two queries. Counted, not timed: a busy machine changes nothing.
LONGEST_LIFE = 160
LONGEST_MOMENT = 0.004  # seconds
PATIENCE = float(os.environ.get("CHAOS_SECONDS", "1800"))


def real_now() -> dt.datetime:
    begin, speed = dt.datetime.fromisoformat(os.environ["FAULTS_BEGIN"]), float(os.environ["FAULTS_SPEED"])
    return begin + dt.timedelta(seconds=(time.time() - BEGAN) * speed)


def send_for_ever(heart: int) -> None:
    """Send for ever, and write one byte into ``heart`` for each query."""
    from django.db import connection  # needs the settings, so Django first

    from partnerships.operations.run import run_once  # needs the models

    nursery = os.getppid()

    def beat(execute: Callable[..., Any], *arguments: Any) -> Any:
        if os.getppid() != nursery:
            os._exit(1)  # nobody is left to kill us
        os.write(heart, b".")
        return execute(*arguments)

    connection.execute_wrappers.append(beat)
    while True:
        run_once(Clock(real_now(), real_now))
        time.sleep(0.01)


class Sender:
    """A forked sender; its ``heart`` gives a byte for each of its queries."""

    def __init__(self, life: int) -> None:
        self.life = life
        self.heart, end = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            try:
                send_for_ever(end)
            finally:
                os._exit(1)  # nothing of the parent's is cleaned up twice
        os.close(end)

    def is_over(self) -> bool:
        """Return whether it has done its number of queries, or ended by itself."""
        beats = len(os.read(self.heart, 4096))
        self.life -= beats
        return self.life <= 0 or not beats

    def kill(self) -> bool:
        """Kill it; return False if it had ended by itself."""
        os.kill(self.pid, signal.SIGKILL)
        _pid, status = os.waitpid(self.pid, 0)
        os.close(self.heart)
        return os.WIFSIGNALED(status)


def kill_at_random(workers: int, kills: int, chance: random.Random) -> Counter[bool]:
    """Keep that many senders at work and kill each at a random moment; count those that were alive then, and those that were not."""
    done: Counter[bool] = Counter()
    hearts = selectors.DefaultSelector()
    while done[True] < kills and not done[False] and time.time() < BEGAN + PATIENCE:
        while len(hearts.get_map()) < workers:
            sender = Sender(chance.randint(1, LONGEST_LIFE))
            hearts.register(sender.heart, selectors.EVENT_READ, sender)
        for key, _event in hearts.select():
            if key.data.is_over():
                time.sleep(chance.uniform(0, LONGEST_MOMENT))
                hearts.unregister(key.fd)
                done[key.data.kill()] += 1
    for key in hearts.get_map().values():
        key.data.kill()
    return done


def main(workers: str, kills: str, seed: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.db import connections  # needs the settings

    from partnerships.operations.run import run_once  # needs the models

    run_once(Clock(real_now(), real_now), limit=1)  # what a process reads and compiles once is inherited by the senders
    connections.close_all()  # but no connection is
    done = kill_at_random(int(workers), int(kills), random.Random(seed))
    print(json.dumps({"kills": done[True], "ended": done[False]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
