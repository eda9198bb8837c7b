"""`manage.py load_reference`: what an office needs before its first record."""

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.acts import one_act
from partnerships.management.seeding_report import report_lines
from partnerships.operations.setup import missing_setup
from partnerships.seeding.reference import load_reference


class Command(BaseCommand):
    help = _(
        "Create agreement types, cooperation areas, regions, reminder rules and working days where they are absent. Nothing "
        "is updated or deleted: what staff changed or removed since is listed and stays. Safe to run again."
    )

    def handle(self, *args: object, **options: object) -> None:
        with one_act():
            loaded = load_reference(today=timezone.localdate())
        for line in report_lines(loaded, title=_("Reference data")):
            self.stdout.write(line)
        missing = list(missing_setup(timezone.localdate()))
        if missing:
            self.stdout.write(_("Still missing; the page “System status” links to where each is added:"))
        for step in missing:
            self.stdout.write(f"  {step.what} {step.advice}")
