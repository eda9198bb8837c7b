"""`manage.py version`: the version of the product."""

from django.core.management.base import BaseCommand

from partnerships import __version__


class Command(BaseCommand):
    help = "Prints the version of the product."
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(__version__)
