"""Adds the whole sample in one transaction."""

import datetime as dt

from django.core.management import CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from partnerships.demo.entries import add_entries
from partnerships.demo.office import SampleOffice, sample_rows
from partnerships.demo.people import COLLEGE, add_people
from partnerships.demo.sample import read_sample
from partnerships.models import Agreement, HistoryPermit, Milestone, Organization, ReminderMark, User
from partnerships.seeding.reference import wait_for_other_seeding


def seed_sample(*, now: dt.datetime, password: str) -> bool:
    """Add the sample, dated around ``now``. Return False if it is there already, changed by people or not."""
    with transaction.atomic():
        wait_for_other_seeding()
        if sample_rows(User).exists() or sample_rows(Agreement).exists():
            return False
        if not Organization.objects.filter(code=COLLEGE).exists():
            raise CommandError(_("The sample works with the articles' organizations: run seed_articles first."))
        office, sample = SampleOffice(now=now), read_sample()
        with HistoryPermit.objects.granted(HistoryPermit.Kind.SAMPLE, reason="Sample added"):
            add_people(office, sample, password=password)
            add_entries(office, sample)  # what its verbs write is dated back
        # Nobody is told now of what the sample's people did in the past.
        ReminderMark.objects.filter(milestone__in=sample_rows(Milestone)).update(appearance=0)
    return True
