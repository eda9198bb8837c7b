"""Reference data of a new site: agreement types, cooperation areas, regions, reminder rules and working days."""

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
REFERENCE = "reference.toml"
# The sections of the file that every office needs. Its unit is for the articles: an office enters its own units.
REFERENCE_SECTIONS = ("regions", "cooperation_areas", "agreement_types")


def load_reference(*, today: dt.date) -> SeedingReport:
    """Create the reference data that are missing, without articles and people; a second run writes nothing."""
    with transaction.atomic():
        wait_for_other_seeding()
        seeder = Seeder(today=today)
        whole = read_fixture(REFERENCE)
        seed_reference(seeder, {name: whole[name] for name in REFERENCE_SECTIONS})
    return seeder.report


def seed_reference(seeder: Seeder, fixture: Mapping[str, list[Entry]]) -> None:
    """Create working days, the rows of ``fixture``, and the reminder rules."""
    seeder.report.created.update({"working days": seed_work_calendar()})
    seeder.seed(fixture)
    seeder.report.created.update({"reminder rules": create_default_rules()})


def read_fixture(name: str) -> Mapping[str, list[Entry]]:
    return tomllib.loads((FIXTURES / name).read_text(encoding="utf-8"), parse_float=Decimal)


def wait_for_other_seeding() -> None:
    """Lock a row that always exists until the transaction ends. On SQLite, writing transactions are serialized anyway."""
    # Not the key: inserts by users, which refer to content types, must not wait.
    ContentType.objects.select_for_update(no_key=True).get(app_label="partnerships", model="source")
