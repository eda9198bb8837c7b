"""`manage.py seed_articles`: reference data and the facts of both articles."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from partnerships.management.seeding.articles import seed_articles
from partnerships.management.seeding.rows import Outcome


class Command(BaseCommand):
    help = (
        "Creates reference data and the two articles' facts where they are absent. Never updates or deletes: what staff "
        "changed or removed since is listed and stays. Safe to run again, and twice at once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.report(seed_articles(today=timezone.localdate()))

    def report(self, outcome: Outcome) -> None:
        for kind, count in outcome.created.items():
            self.stdout.write(f"  {count:4} {kind}")
        self.stdout.write(f"Articles and reference data: {outcome.changes} changes.")
        if outcome.differences:
            self.stdout.write(f"{len(outcome.differences)} differences from the fixtures, left as they are:")
        for difference in outcome.differences:
            self.stdout.write(f"  {difference}")
