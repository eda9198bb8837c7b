"""`manage.py seed_sample [--remove]`: a sample office at work around today."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.demo.people import logins
from partnerships.demo.removal import SampleRemoval, remove_sample
from partnerships.demo.seed import seed_sample
from partnerships.models import User

SAMPLE_PASSWORD = "sample-password"  # noqa: S105 - known to everybody; only for a site on loopback


class Command(BaseCommand):
    help = _("Add sample people, agreements and activities dated around today, all marked as sample; or remove them.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true", help=_("Remove the sample and nothing else."))
        parser.add_argument("--password", help=_("The password of all sample people."))

    def handle(self, *args: object, remove: bool, password: str | None, **options: object) -> None:
        if remove:
            self._report_removal(remove_sample())
            return
        if seed_sample(now=timezone.now(), password=self._password(password)):
            self.stdout.write(_("Sample added; “seed_sample --remove” takes it away."))
        else:
            self.stdout.write(_("Sample: 0 changes, it is there already."))
        self._list_logins(password or SAMPLE_PASSWORD)

    def _password(self, given: str | None) -> str:
        if given:
            return given
        if not (settings.IS_EMBEDDED or settings.DEBUG):
            raise CommandError(_("Choose a --password: everybody knows the usual one of the sample."))
        return SAMPLE_PASSWORD

    def _list_logins(self, password: str) -> None:
        people = logins()
        if people and User.objects.get(username=next(iter(people))).check_password(password):
            self.stdout.write(_("Sample logins, all with the password “%s”:") % password)
        else:
            self.stdout.write(_("Sample logins, with the password they were given:"))
        for username, post in people.items():
            self.stdout.write(f"  {username:<14} {post}")

    def _report_removal(self, removal: SampleRemoval) -> None:
        self.stdout.write(_("Sample removed: %(count)s records.") % {"count": removal.count})
        if removal.kept:
            self.stdout.write(_("Kept, because your own records use it; people among these can no longer log in:"))
        for row in removal.kept:
            self.stdout.write(f"  {row}")
