"""Seeds reference data and the facts of the articles, in one transaction."""

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from partnerships.seeding.reference import REFERENCE, read_fixture, seed_reference, wait_for_other_seeding
from partnerships.seeding.rows import Entry, Seeder, SeedingReport

# Reference data first; each article after those it refers to.
FILES = (REFERENCE, "articles/shengzhou.toml", "articles/nanjing.toml")


def seed_articles(*, today: dt.date) -> SeedingReport:
    """Create what is missing and report what differs; a second run writes nothing.

    ``today`` dates the registration of the agreement that was already signed. Of two runs at the same time, the second
    waits for the first and finds its rows.
    """
    with transaction.atomic():
        wait_for_other_seeding()
        seeder = Seeder(today=today)
        reference, *articles = fixtures()
        seed_reference(seeder, reference)
        for fixture in articles:
            seeder.seed(fixture)
    return seeder.report


def fixtures() -> list[Mapping[str, list[Entry]]]:
    """Return reference data first, then each article."""
    return [read_fixture(name) for name in FILES]
