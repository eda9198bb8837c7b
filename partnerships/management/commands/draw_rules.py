"""Draws the state diagrams and the access table into docs/."""

from django.conf import settings
from django.core.management.base import BaseCommand

from partnerships.management.generated_docs import pages


class Command(BaseCommand):
    help = "Draws docs/workflows.md and docs/access.md from the transition tables and the permissions."
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        for name, page in pages().items():
            path = settings.BASE_DIR / "docs" / name
            path.write_text(page(), encoding="utf-8")
            self.stdout.write(f"Drew {path}.")
