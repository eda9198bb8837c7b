"""Drafts of ceremonies: what a user has typed so far, kept until it is recorded or discarded."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.models.events import Event
from partnerships.models.sort_keys import is_reader_chinese


class CeremonyDraftQuerySet(models.QuerySet):
    def of(self, user: Any) -> Self:
        """Return the drafts of ``user``; nobody else sees them."""
        return self.filter(author=user)

    def unfinished(self) -> Self:
        return self.filter(event=None)


class CeremonyDraft(models.Model):
    """The fields of the ceremony form as they were typed, name -> values; nothing in it is checked yet.

    ``key`` is chosen by the page before there is a row. Each save names the ``version`` it was typed on and makes the
    next one. Once recorded it holds the ``event`` alone, by which a second click finds what the first has made. Not a
    record of the office: no history.
    """

    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="ceremony_drafts")
    key = models.UUIDField(default=uuid.uuid4)
    content = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)
    kept_at = models.DateTimeField()
    event = models.ForeignKey(Event, models.CASCADE, null=True, blank=True, related_name="ceremony_drafts")

    objects = CeremonyDraftQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("unfinished ceremony")
        verbose_name_plural = gettext_lazy("unfinished ceremonies")
        ordering = ["-kept_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["author", "key"], name="ceremony_draft_key_unique")]

    def __str__(self) -> str:
        names = ("name_zh", "name") if is_reader_chinese() else ("name", "name_zh")
        return self._first(names[0]) or self._first(names[1]) or _("Signing event without a name")

    def get_absolute_url(self) -> str:
        return f"{reverse('event_ceremony')}?draft={self.key}"

    def _first(self, name: str) -> str:
        values = self.content.get(name) or [""]
        return values[0].strip()[:200]
