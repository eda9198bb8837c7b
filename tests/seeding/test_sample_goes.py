"""What a sample that is there leaves alone, and what goes with it."""

import datetime as dt
from io import StringIO

import pytest
from django.core.management import call_command

from partnerships.demo.removal import remove_sample
from partnerships.demo.seed import seed_sample
from partnerships.factories import AgreementFactory, ContactNoteFactory, MilestoneFactory, UserFactory
from partnerships.models import Agreement, ContactNote, Milestone, Organization, ReminderPlan, Unit, User
from partnerships.reminders.reconcile import reconcile_marked
from tests.seeding.conftest import NOW, PASSWORD, contents, sample_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_a_second_run_changes_nothing(sample: None) -> None:
    before = contents()
    assert seed_sample(now=NOW + dt.timedelta(days=40), password=PASSWORD) is False
    assert contents() == before


def test_no_reminder_is_planned_for_the_past(sample: None) -> None:
    while reconcile_marked(real_now=NOW):
        pass
    plans = ReminderPlan.objects.filter(milestone__is_sample=True)
    assert plans.filter(status="planned", send_at__gt=NOW).exists()
    assert not plans.filter(status="planned", send_at__lte=NOW).exists()
    assert not plans.filter(status="expanded").exists()


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
