"""`manage.py load_work_calendar`: holidays and worked weekends, as far as they are decreed."""

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partnerships.models import WorkCalendar
from partnerships.seeding.reference import wait_for_other_seeding
from partnerships.seeding.work_calendars import COUNTRY, seed_work_calendar


class Command(BaseCommand):
    help = _(
        "Add the statutory holidays and worked weekends that the library of this installation knows from decrees, and "
        "move on the day until which the calendar is known. Days that are there stay as they are. Safe to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("country", nargs="?", default=COUNTRY, choices=[COUNTRY])

    def handle(self, *args: object, country: str, **options: object) -> None:
        with transaction.atomic():
            wait_for_other_seeding()
            changes = seed_work_calendar()
        calendar = WorkCalendar.objects.get(code=country)
        words = ngettext("%(count)s change; known until %(day)s.", "%(count)s changes; known until %(day)s.", changes)
        self.stdout.write(words % {"count": changes, "day": calendar.covered_until.isoformat()})
