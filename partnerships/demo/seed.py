"""Adds the whole sample in one transaction."""

import datetime as dt

from django.core.management import CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from partnerships.demo.activities import add_activities
from partnerships.demo.agreements import add_agreements, close_grinding
from partnerships.demo.demands import add_demands
from partnerships.demo.documents import add_documents
from partnerships.demo.events import add_events
from partnerships.demo.facilities import add_facilities
from partnerships.demo.honours import add_honours
from partnerships.demo.office import SampleOffice, sample_rows
from partnerships.demo.organizations import add_organizations
from partnerships.demo.people import COLLEGE, add_people
from partnerships.models import Agreement, Organization, User
from partnerships.seeding.articles import wait_for_other_seeding


def seed_sample(*, now: dt.datetime, password: str) -> bool:
    """Add the sample, dated around ``now``. Return False if it is there already, changed by people or not."""
    with transaction.atomic():
        wait_for_other_seeding()
        if sample_rows(User).exists() or sample_rows(Agreement).exists():
            return False
        if not Organization.objects.filter(code=COLLEGE).exists():
            raise CommandError(_("The sample works with the articles' organizations: run seed_articles first."))
        _fill(SampleOffice(now=now), password=password)
    return True


def _fill(office: SampleOffice, *, password: str) -> None:
    add_people(office, password=password)
    add_organizations(office)
    add_events(office)
    agreements = add_agreements(office)
    add_activities(office, agreements)
    close_grinding(office, agreements["grinding"])
    add_facilities(office, agreements)
    add_demands(office)
    add_honours(office)
    add_documents(office)
