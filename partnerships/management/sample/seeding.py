"""The whole sample in one transaction."""

import datetime as dt

from django.core.management import CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from partnerships.management.sample.activities import add_activities
from partnerships.management.sample.agreements import add_agreements, close_grinding
from partnerships.management.sample.demands import add_demands
from partnerships.management.sample.desk import Desk, sample_rows
from partnerships.management.sample.documents import add_documents
from partnerships.management.sample.events import add_events
from partnerships.management.sample.facilities import add_facilities
from partnerships.management.sample.honours import add_honours
from partnerships.management.sample.organizations import add_organizations
from partnerships.management.sample.people import COLLEGE, add_people
from partnerships.management.seeding.articles import wait_for_other_seeding
from partnerships.models import Agreement, Organization, User


def seed_sample(*, now: dt.datetime, password: str) -> bool:
    """Adds the sample, dated around ``now``; False when it is there already, whatever people did with it since."""
    with transaction.atomic():
        wait_for_other_seeding()
        if sample_rows(User).exists() or sample_rows(Agreement).exists():
            return False
        if not Organization.objects.filter(code=COLLEGE).exists():
            raise CommandError(_("The sample works with the articles' organizations: run seed_articles first."))
        _fill(Desk(now=now), password=password)
    return True


def _fill(desk: Desk, *, password: str) -> None:
    add_people(desk, password=password)
    add_organizations(desk)
    add_events(desk)
    agreements = add_agreements(desk)
    add_activities(desk, agreements)
    close_grinding(desk, agreements["grinding"])
    add_facilities(desk, agreements)
    add_demands(desk)
    add_honours(desk)
    add_documents(desk)
