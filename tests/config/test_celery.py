"""What docs/reliability.md says about Celery is what is set."""

from typing import Any

import pytest
from celery import current_app
from celery.beat import PersistentScheduler, Scheduler
from celery.schedules import schedule
from django.conf import settings
from kombu.utils.imports import symbol_by_name

from partnerships.mailing.claim import LEASE
from partnerships.management.embedded import STUCK_AFTER
from partnerships.operations.run import STOP_AFTER


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_serializer", "json"),
        ("accept_content", ["json"]),
        ("task_ignore_result", True),
        ("result_backend", None),
        ("task_acks_late", False),
        ("worker_prefetch_multiplier", 1),
        ("timezone", "UTC"),
        ("enable_utc", True),
        ("broker_connection_retry", True),
        ("broker_connection_retry_on_startup", True),
        ("broker_connection_max_retries", None),
        ("broker_channel_error_retry", True),
        ("worker_soft_shutdown_timeout", 25),
        ("worker_hijack_root_logger", False),
    ],
)
def test_the_application_is_set_as_described(name: str, value: Any) -> None:
    assert getattr(current_app.conf, name) == value


def test_the_visibility_timeout_is_the_transports_own() -> None:
    assert "visibility_timeout" not in current_app.conf.broker_transport_options


def test_the_hard_limit_is_above_the_longest_run_and_the_supervisors_patience_above_that() -> None:
    longest = (STOP_AFTER + LEASE).total_seconds()

    assert longest < current_app.conf.task_time_limit < STUCK_AFTER


def test_publishing_tries_twice_within_a_moment() -> None:
    policy = current_app.conf.task_publish_retry_policy

    assert (policy["max_retries"], policy["interval_max"]) == (1, 0.1)


def test_beat_keeps_no_file_that_could_stop_it() -> None:
    scheduler = symbol_by_name(current_app.conf.beat_scheduler)

    assert issubclass(scheduler, Scheduler)
    assert not issubclass(scheduler, PersistentScheduler)


def test_beat_ticks_every_minute_and_a_tick_expires_before_the_next() -> None:
    [(_name, entry)] = settings.CELERY_BEAT_SCHEDULE.items()

    assert schedule(entry["schedule"]).seconds == 60
    assert (entry["task"], entry["kwargs"]) == ("partnerships.tasks.tick", {"trigger": "beat"})
    assert entry["options"] == {"expires": 55}
