"""The sample fits any day, comes once, and leaves no trace when it goes."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.utils import timezone

from partnerships.demo.removal import remove_sample
from partnerships.demo.seed import seed_sample
from partnerships.models import (
    Agreement,
    DocumentVersion,
    HistoryPermit,
    Milestone,
    ReminderPlan,
)
from partnerships.models.base import SeededModel
from partnerships.reminders.reconcile import reconcile_marked
from partnerships.seeding.articles import seed_articles
from partnerships.seeding.rows import SeedingReport
from tests.seeding.conftest import NOW, PASSWORD, TODAY, contents, sample_of

pytestmark = pytest.mark.django_db


@pytest.mark.both_databases
def test_every_row_it_adds_is_marked(articles: SeedingReport) -> None:
    roots = [model for model in apps.get_app_config("partnerships").get_models() if issubclass(model, SeededModel)]
    before = {model: set(model._base_manager.values_list("pk", flat=True)) for model in roots}
    seed_sample(now=NOW, password=PASSWORD)
    for model in roots:
        added = model._base_manager.exclude(pk__in=before[model])
        assert not added.filter(is_sample=False).exists(), model
        assert not model._base_manager.filter(pk__in=before[model], is_sample=True).exists(), model


def test_the_same_day_makes_the_same_sample(articles: SeedingReport) -> None:
    def facts() -> list[tuple[Any, ...]]:
        agreements = sample_of(Agreement).order_by("code").values_list("code", "status", "signed_on", "title")
        milestones = sample_of(Milestone).order_by("due_on", "title", "agreement__code")
        return [*agreements, *milestones.values_list("title", "due_on", "status", "owner__username")]

    seed_sample(now=NOW, password=PASSWORD)
    first = facts()
    remove_sample()
    seed_sample(now=NOW, password=PASSWORD)
    assert facts() == first
    assert len(first) > 60


@pytest.mark.parametrize("day", ["2027-12-31", "2028-02-29", "2028-03-01", "2029-01-31"])
def test_it_fits_any_day(articles: SeedingReport, day: str) -> None:
    now = timezone.make_aware(dt.datetime.fromisoformat(f"{day} 23:55"))
    assert seed_sample(now=now, password=PASSWORD)
    assert Agreement.objects.get(code="sample-hoist").signed_on == dt.date.fromisoformat(day)


@pytest.mark.both_databases
def test_removal_leaves_everything_as_it_was(articles: SeedingReport) -> None:
    before = contents()
    seed_sample(now=NOW, password=PASSWORD)
    while reconcile_marked(real_now=NOW):
        pass
    ReminderPlan.objects.filter(milestone__is_sample=False).delete()
    removal = remove_sample()
    after = contents()
    assert removal.kept == []
    permits = HistoryPermit.objects.order_by("pk").values_list("kind", "reason")
    assert list(permits) == [("sample", "Sample added"), ("sample", "Sample removed")]
    marks = ("ReminderMark", "ComponentHeartbeat", "HistoryPermit")
    assert {name: rows for name, rows in after.items() if rows != before[name] and name not in marks} == {}
    assert seed_articles(today=TODAY).differences == []


@pytest.mark.both_databases
def test_removal_takes_the_files_along(
    articles: SeedingReport, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    seed_sample(now=NOW, password=PASSWORD)
    names = list(DocumentVersion.objects.values_list("file", flat=True))
    assert names
    assert all(default_storage.exists(name) for name in names)
    with django_capture_on_commit_callbacks(execute=True):
        remove_sample()
    assert not any(default_storage.exists(name) for name in names)
