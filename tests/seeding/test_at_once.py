"""Two seedings at the same moment, each with its own connection."""

import threading

import pytest
from django.db import connections

from partnerships.models import Organization
from partnerships.seeding.articles import seed_articles
from partnerships.seeding.rows import SeedingReport
from tests.seeding.conftest import TODAY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_two_runs_at_once_make_everything_once() -> None:
    outcomes: list[SeedingReport] = []

    def run() -> None:
        try:
            outcomes.append(seed_articles(today=TODAY))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.changes > 0 for outcome in outcomes) == [False, True]
    assert Organization.objects.count() == 18
