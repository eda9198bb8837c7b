"""Sessions of browsers, each with the account that is logged in."""

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _


class UserSession(AbstractBaseSession):
    """A session; ``user`` is null while nobody is logged in.

    ``session_key`` is the hash of the key in the browser's cookie: whoever reads this table or a backup cannot take a
    session over with it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions", verbose_name=_("person")
    )

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
