"""The sample fits any day, comes once, and goes without a trace."""

import datetime as dt
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from partnerships.factories import AgreementFactory, ContactNoteFactory, MilestoneFactory, UserFactory
from partnerships.management.sample.removal import remove_sample
from partnerships.management.sample.seeding import seed_sample
from partnerships.management.seeding.articles import seed_articles
from partnerships.management.seeding.rows import Outcome
from partnerships.models import (
    Agreement,
    ContactNote,
    DocumentVersion,
    Milestone,
    Organization,
    ReminderPlan,
    Unit,
    User,
)
from partnerships.models.base import SeededModel
from partnerships.reminders.reconcile import reconcile_marked
from tests.seeding.conftest import NOW, PASSWORD, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def sample_of(model: Any) -> Any:
    return model.objects.filter(is_sample=True)


@pytest.fixture
def sample(articles: Outcome) -> None:
    assert seed_sample(now=NOW, password=PASSWORD)


def contents() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of ours, history included."""
    models = [model for model in apps.get_app_config("partnerships").get_models() if not model._meta.proxy]
    return {model.__name__: list(model._base_manager.order_by("pk").values_list()) for model in models}


def test_every_row_it_adds_is_marked(articles: Outcome) -> None:
    roots = [model for model in apps.get_app_config("partnerships").get_models() if issubclass(model, SeededModel)]
    before = {model: set(model._base_manager.values_list("pk", flat=True)) for model in roots}
    seed_sample(now=NOW, password=PASSWORD)
    for model in roots:
        added = model._base_manager.exclude(pk__in=before[model])
        assert not added.filter(is_sample=False).exists(), model
        assert not model._base_manager.filter(pk__in=before[model], is_sample=True).exists(), model


def test_a_second_run_changes_nothing(sample: None) -> None:
    before = contents()
    assert seed_sample(now=NOW + dt.timedelta(days=40), password=PASSWORD) is False
    assert contents() == before


def test_the_same_day_makes_the_same_sample(sample: None) -> None:
    def facts() -> list[tuple[Any, ...]]:
        agreements = sample_of(Agreement).order_by("code").values_list("code", "status", "signed_on", "title")
        milestones = sample_of(Milestone).order_by("due_on", "title", "agreement__code")
        return [*agreements, *milestones.values_list("title", "due_on", "status", "owner__username")]

    first = facts()
    remove_sample()
    seed_sample(now=NOW, password=PASSWORD)
    assert facts() == first
    assert len(first) > 60


@pytest.mark.parametrize(
    "day", ["2026-11-22", "2027-12-31", "2028-02-29", "2028-03-01", "2029-01-31", "2030-08-31", "2031-05-30"]
)
def test_it_fits_any_day(articles: Outcome, day: str) -> None:
    now = timezone.make_aware(dt.datetime.fromisoformat(f"{day} 23:55"))
    assert seed_sample(now=now, password=PASSWORD)
    assert Agreement.objects.get(code="sample-hoist").signed_on == dt.date.fromisoformat(day)


def test_no_reminder_is_planned_for_the_past(sample: None) -> None:
    while reconcile_marked(now=NOW):
        pass
    plans = ReminderPlan.objects.filter(milestone__is_sample=True)
    assert plans.filter(status="planned", send_at__gt=NOW).exists()
    assert not plans.filter(status="planned", send_at__lte=NOW).exists()
    assert not plans.filter(status="expanded").exists()


def test_removal_leaves_everything_as_it_was(articles: Outcome) -> None:
    before = contents()
    seed_sample(now=NOW, password=PASSWORD)
    while reconcile_marked(now=NOW):
        pass
    ReminderPlan.objects.filter(milestone__is_sample=False).delete()
    removal = remove_sample()
    after = contents()
    assert removal.kept == []
    marks = ("ReminderMark", "ComponentHeartbeat")
    assert {name: rows for name, rows in after.items() if rows != before[name] and name not in marks} == {}
    assert seed_articles(today=TODAY).differences == []


def test_removal_takes_the_files_along(sample: None, django_capture_on_commit_callbacks: Callable[..., Any]) -> None:
    names = list(DocumentVersion.objects.values_list("file", flat=True))
    assert [default_storage.exists(name) for name in names] == [True, True, True]
    with django_capture_on_commit_callbacks(execute=True):
        remove_sample()
    assert [default_storage.exists(name) for name in names] == [False, False, False]


def test_removal_takes_what_people_tried_under_it(sample: None) -> None:
    agreement = Agreement.objects.get(code="sample-hoist")
    visitor = UserFactory(staff=True)
    MilestoneFactory(agreement=agreement, owner=visitor)
    ContactNoteFactory(agreement=agreement, author=visitor)
    assert remove_sample().kept == []
    assert (Milestone.objects.filter(owner=visitor).count(), ContactNote.objects.count()) == (0, 0)
    assert User.objects.get() == visitor


def test_removal_keeps_what_ones_own_records_use(sample: None) -> None:
    office = Unit.objects.get(code="cooperation-office")
    chen, kunyu = User.objects.get(username="chen.yulan"), Organization.objects.get(code="sample-kunyu")
    own = AgreementFactory(unit=office, coordinator=chen, signed=True, parties=[kunyu])
    removal = remove_sample()
    assert removal.kept == [f"Organization “{kunyu}”", "Person “Chen Yulan”"]
    own.refresh_from_db()
    assert [party.organization for party in own.parties.all()] == [kunyu]
    assert not User.objects.get(username="chen.yulan").check_password(PASSWORD)
    assert sample_of(Agreement).count() == 0


def test_the_command_removes_and_says_so(sample: None) -> None:
    out = StringIO()
    call_command("seed_sample", "--remove", stdout=out)
    call_command("seed_sample", "--remove", stdout=out)
    first, second = out.getvalue().splitlines()
    assert first.startswith("Sample removed: ")
    assert second == "Sample removed: 0 records."
