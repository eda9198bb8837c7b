"""The articles' facts, brought in once for each module: every test starts from them and leaves them as they were."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction

from partnerships.demo.seed import seed_sample
from partnerships.seeding.articles import seed_articles
from partnerships.seeding.rows import SeedingReport

TODAY = dt.date(2026, 3, 2)
NOW = dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC)  # 11:00 in Shanghai
PASSWORD = "a password of the tests"


@pytest.fixture(scope="module")
def seeded_articles(django_db_setup: None, django_db_blocker: Any) -> Iterator[SeedingReport]:
    """Stays in an open transaction around those of the tests; no test with transactions of its own may share it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield seed_articles(today=TODAY)
        transaction.set_rollback(True)


@pytest.fixture
def articles(seeded_articles: SeedingReport, db: None) -> SeedingReport:
    return seeded_articles


@pytest.fixture(scope="module")
def seeded_sample(seeded_articles: SeedingReport) -> None:
    """Files go where the tests' settings put them: no test that shares it reads one."""
    assert seed_sample(now=NOW, password=PASSWORD)


@pytest.fixture
def sample(seeded_sample: None, db: None) -> None:
    """The sample beside the articles, one for all tests of a module."""


def sample_of(model: Any) -> Any:
    return model.objects.filter(is_sample=True)


def contents() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of ours, history included."""
    models = [model for model in apps.get_app_config("partnerships").get_models() if not model._meta.proxy]
    return {model.__name__: list(model._base_manager.order_by("pk").values_list()) for model in models}
