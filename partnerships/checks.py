"""Checks of the installation: settings that a production site needs, and a database this version can work with."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.management.base import CommandError
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from partnerships.fonts import chinese_font, font_folder


@checks.register(checks.Tags.security, deploy=True)
def check_trusted_proxies(**_options: Any) -> list[checks.CheckMessage]:
    """The site serves no HTTPS itself, so a proxy stands in front, and its address would be everybody's."""
    if urlsplit(settings.SITE_URL).scheme != "https" or settings.TRUSTED_PROXIES:
        return []
    return [
        checks.Warning(
            "TRUSTED_PROXIES is not set, so all clients seem to come from the reverse proxy's address.",
            hint="Set it to the number of reverse proxies in front of the site; otherwise strangers can pause all logins.",
            id="partnerships.W001",
        )
    ]


@checks.register(deploy=True)
def check_chinese_font(**_options: Any) -> list[checks.CheckMessage]:
    """A report cannot be printed without a font that has Chinese signs."""
    if chinese_font() is not None:
        return []
    return [
        checks.Warning(
            "No font with Chinese signs is installed, so reports cannot be made as PDF.",
            hint=f"Install fonts-noto-cjk, or put a font file into {font_folder()}.",
            id="partnerships.W003",
        )
    ]


def refuse_earlier_database(*, using: str, **_options: Any) -> None:
    """Stop ``migrate`` on a database of a version before 0.2.0, whose migrations are no longer part of the product."""
    recorder = MigrationRecorder(connections[using])
    applied = {name for app, name in recorder.applied_migrations() if app == "partnerships"}
    known = {path.stem for path in (Path(__file__).parent / "migrations").glob("0*.py")}
    # A squash that a later one took the place of is recorded beside all that it replaced, and these are known.
    unknown = sorted(name for name in applied - known if "_squashed_" not in name)
    if unknown:
        raise CommandError(
            _(
                "The database was migrated by another version of the product (%(migrations)s). Versions before 0.2.0 "
                "cannot be upgraded: start with an empty database. Nothing was changed."
            )
            % {"migrations": ", ".join(unknown)}
        )
