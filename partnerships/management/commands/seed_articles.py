"""`manage.py seed_articles`: reference data and the facts of both articles."""

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.acts import one_act
from partnerships.management.seeding_report import report_lines
from partnerships.seeding.articles import seed_articles


class Command(BaseCommand):
    help = _(
        "Create reference data and the two articles' facts where they are absent. Nothing is updated or deleted: what "
        "staff changed or removed since is listed and stays. Safe to run again, and twice at once."
    )

    def handle(self, *args: object, **options: object) -> None:
        with one_act():
            seeded = seed_articles(today=timezone.localdate())
        for line in report_lines(seeded, title=_("Articles and reference data")):
            self.stdout.write(line)
