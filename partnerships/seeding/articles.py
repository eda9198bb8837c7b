"""Seeds reference data and the facts of the articles, in one transaction."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from partnerships.reminders.default_rules import create_default_rules
from partnerships.seeding.rows import Entry, Seeder, SeedingReport
from partnerships.seeding.work_calendars import seed_work_calendar

FIXTURES = Path(settings.BASE_DIR) / "fixtures"
# Each after those it refers to.
FILES = ("reference.toml", "articles/shengzhou.toml", "articles/nanjing.toml")


def seed_articles(*, today: dt.date) -> SeedingReport:
    """Create what is missing and report what differs; a second run writes nothing.

    ``today`` dates the registration of the agreement that was already signed. Of two runs at the same time, the second
    waits for the first and finds its rows.
    """
    with transaction.atomic():
        wait_for_other_seeding()
        seeder = Seeder(today=today)
        seeder.report.created.update({"working days": seed_work_calendar()})
        for fixture in fixtures():
            seeder.seed(fixture)
        seeder.report.created.update({"reminder rules": create_default_rules()})
    return seeder.report


def fixtures() -> list[Mapping[str, list[Entry]]]:
    """Return reference data first, then each article."""
    texts = [(FIXTURES / name).read_text(encoding="utf-8") for name in FILES]
    return [tomllib.loads(text, parse_float=Decimal) for text in texts]


def wait_for_other_seeding() -> None:
    """Lock a row that always exists until the transaction ends. On SQLite, writing transactions are serialized anyway."""
    # Not the key: inserts by users, which refer to content types, must not wait.
    ContentType.objects.select_for_update(no_key=True).get(app_label="partnerships", model="source")
