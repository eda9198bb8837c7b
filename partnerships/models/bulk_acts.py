"""Acts on many rows at once, kept for their undo."""

import datetime as dt
from typing import Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.acts import current_act


class BulkActQuerySet(models.QuerySet):
    def of(self, user: object) -> Self:
        """Return the acts of ``user``, who alone sees and undoes them."""
        return self.filter(actor=user)


class BulkAct(models.Model):
    """An act of a person on many rows: for each row its id and the columns before and after.

    The histories of the rows say the same for good; this row serves the undo and is removed after a month.
    """

    UNDO_MINUTES = 30

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="bulk_acts", verbose_name=_("made by")
    )
    key = models.CharField(max_length=40)
    act = models.CharField(max_length=60, blank=True, default=current_act)  # as in the reminder marks of the rows
    made_at = models.DateTimeField(pgettext_lazy("bulk act", "made at"))
    rows = models.JSONField(encoder=DjangoJSONEncoder)
    undone_at = models.DateTimeField(_("undone at"), null=True)

    objects = BulkActQuerySet.as_manager()

    class Meta:
        verbose_name = _("bulk act")
        verbose_name_plural = _("bulk acts")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.key} · {len(self.rows)}"

    def get_absolute_url(self) -> str:
        return reverse("bulk_act", args=[self.pk])

    @property
    def undo_until(self) -> dt.datetime:
        return self.made_at + dt.timedelta(minutes=self.UNDO_MINUTES)

    def can_be_undone(self, now: dt.datetime) -> bool:
        """Whether there is something to undo, and still time for it."""
        return self.undone_at is None and now <= self.undo_until and any(row["undo"] for row in self.rows)
