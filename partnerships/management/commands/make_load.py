"""`manage.py make_load`: a database of any size, to try the product under load."""

import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.management.load import Load, make_load
from partnerships.models import Agreement


class Command(BaseCommand):
    help = _(
        "Add any number of agreements with milestones, to try the product under load. They cannot be taken away, and "
        "nothing else may run meanwhile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--agreements", type=int, default=1000, help=_("How many (%(default)s)."))
        parser.add_argument("--milestones", type=int, default=10, help=_("For each agreement (%(default)s)."))
        parser.add_argument("--people", type=int, default=100, help=_("Who look after them (%(default)s)."))

    def handle(self, *args: object, agreements: int, milestones: int, people: int, **options: object) -> None:
        if not settings.DEBUG and Agreement.objects.exists():
            raise CommandError(_("This database is in use. A load is made in an empty one, or with DEBUG."))
        load = Load(agreements=agreements, milestones_each=milestones, people=people)
        if min(load.agreements, load.milestones_each, load.people) < 1:
            raise CommandError(_("At least one of each is needed."))
        began = time.monotonic()
        make_load(load, now=timezone.now(), today=timezone.localdate())
        self.stdout.write(
            _("%(agreements)s agreements with %(milestones)s milestones added in %(seconds).0f s.")
            % {
                "agreements": load.agreements,
                "milestones": load.milestones,
                "seconds": time.monotonic() - began,
            }
        )
