"""Reference data and the facts of the articles, in one transaction."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from partnerships.reminders.default_rules import create_default_rules
from partnerships.seeding.rows import Outcome, Seeder
from partnerships.seeding.work_calendars import seed_work_calendar

FIXTURES = Path(settings.BASE_DIR) / "fixtures"
# Each after those it refers to.
FILES = ("reference.toml", "articles/shengzhou.toml", "articles/nanjing.toml")


def seed_articles(*, today: dt.date) -> Outcome:
    """Brings in what is absent and reports what differs; a second run makes no writes.

    ``today`` dates the registration of the agreement that was signed already. All or nothing; of two runs at once the
    second waits for the first and finds its rows.
    """
    with transaction.atomic():
        wait_for_other_seeding()
        seeder = Seeder(today=today)
        seeder.outcome.created.update({"working days": seed_work_calendar()})
        for fixture in fixtures():
            seeder.seed(fixture)
        seeder.outcome.created.update({"reminder rules": create_default_rules()})
    return seeder.outcome


def fixtures() -> list[Mapping[str, Any]]:
    """Reference data first, then each article."""
    texts = [(FIXTURES / name).read_text(encoding="utf-8") for name in FILES]
    return [tomllib.loads(text, parse_float=Decimal) for text in texts]


def wait_for_other_seeding() -> None:
    """Holds a row that is always there until the transaction ends; SQLite is serialized by IMMEDIATE.

    ``no_key``: other people's inserts, which refer to content types, do not wait.
    """
    ContentType.objects.select_for_update(no_key=True).get(app_label="partnerships", model="source")
