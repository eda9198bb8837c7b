"""System checks of the installation: settings that a production site needs."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks


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
