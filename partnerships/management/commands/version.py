"""`manage.py version`: the version of the product."""

from typing import Any

from django.core.management.base import BaseCommand

from partnerships import __version__


class Command(BaseCommand):
    help = "Prints the version of the product."
    requires_system_checks: list[Any] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(__version__)
