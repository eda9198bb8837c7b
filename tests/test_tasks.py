import subprocess
import sys

from tests.services.processes import PATIENCE, REPOSITORY

# As a prefork pool does it: the children are there before the worker is told to stop.
TOLD_AFTER_THE_FORK = """
import os, django
django.setup()
from partnerships import tasks
ready, told = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    before = tasks.is_stopping()
    os.write(ready[1], b"x")
    os.read(told[0], 1)
    os._exit(0 if (before, tasks.is_stopping()) == (False, True) else 1)
os.read(ready[0], 1)
tasks.begin_no_more()
os.write(told[1], b"x")
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_the_children_of_a_worker_hear_that_it_stops() -> None:
    command = [sys.executable, "-c", TOLD_AFTER_THE_FORK]
    assert subprocess.run(command, cwd=REPOSITORY, check=False, timeout=PATIENCE).returncode == 0
