"""`manage.py seed_articles`: reference data and the facts of both articles."""

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partnerships.acts import one_act
from partnerships.seeding.articles import seed_articles
from partnerships.seeding.rows import SeedingReport


class Command(BaseCommand):
    help = _(
        "Create reference data and the two articles' facts where they are absent. Nothing is updated or deleted: what "
        "staff changed or removed since is listed and stays. Safe to run again, and twice at once."
    )

    def handle(self, *args: object, **options: object) -> None:
        with one_act():
            seeded = seed_articles(today=timezone.localdate())
        self.report(seeded)

    def report(self, seeded: SeedingReport) -> None:
        for kind, count in (+seeded.created).items():
            self.stdout.write(f"  {count:4} {kind}")
        changes = ngettext("%(count)s change", "%(count)s changes", seeded.changes) % {"count": seeded.changes}
        self.stdout.write(_("Articles and reference data: %s.") % changes)
        if seeded.differences:
            self.stdout.write(_("Different from the fixtures, and left as it is:"))
        for difference in seeded.differences:
            self.stdout.write(f"  {difference}")
