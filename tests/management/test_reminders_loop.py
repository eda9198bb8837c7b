from collections.abc import Callable

from tests.services.processes import stop_process
from tests.services.stack import Stack, eventually


def test_the_loop_ticks_until_it_is_told_to_stop(live_stack: Callable[..., Stack]) -> None:
    stack = live_stack()
    loop = stack.start("loop", "manage.py", "reminders", "run")
    eventually(lambda: "No inconsistency found." in stack.manage("reminders", "audit", check=False).stdout)

    assert stop_process(loop) == 0, stack.log("loop")


def test_a_worker_runs_the_reminders_at_the_ticks_of_the_beat(live_stack: Callable[..., Stack]) -> None:
    stack = live_stack()
    stack.start_worker()
    stack.manage("shell", "--no-imports", "-c", "from partnerships.tasks import tick; tick.delay()")

    eventually(lambda: "No inconsistency found." in stack.manage("reminders", "audit", check=False).stdout)
