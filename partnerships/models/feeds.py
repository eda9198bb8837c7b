"""Addresses under which a person's calendar program reads their dates."""

import hashlib
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.models.base import LineField, OfficeModel


class FeedTokenQuerySet(models.QuerySet):
    def opened_by(self, token: str) -> Self:
        """Return the feed of an active person that ``token`` opens, if there is one."""
        return self.filter(token_hash=hash_token(token), user__is_active=True).select_related("user")


class FeedToken(OfficeModel):
    """A secret address of a person's calendar.

    ``content_tag`` identifies the content that was last sent, ``changed_at`` says since when it is the same.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="feeds", verbose_name=_("person"), editable=False
    )
    name = LineField(pgettext_lazy("of a calendar address", "name"), max_length=50)
    # Only the hash: a person who reads the table or a backup cannot open a calendar with it.
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("made at"), editable=False)
    fetched_at = models.DateTimeField(_("last read at"), null=True, editable=False)
    content_tag = models.CharField(max_length=64, blank=True, editable=False)
    changed_at = models.DateTimeField(null=True, editable=False)

    objects = FeedTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("calendar address")
        verbose_name_plural = _("calendar addresses")
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"],
                name="feed_token_name_unique",
                violation_error_code="name",
                violation_error_message=_("You have an address of this name already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


def hash_token(token: str) -> str:
    """Return the hash of a token. A plain hash is enough, because nobody can try all values of 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
