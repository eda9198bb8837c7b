"""The log of all steps of all workflows."""

from collections.abc import Collection

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _


class StatusChangeQuerySet(models.QuerySet):
    def of(self, row: models.Model) -> models.QuerySet:
        """Return the steps of one row with their actors, oldest first."""
        return self.of_all(type(row), [row.pk])

    def of_all(self, model: type[models.Model], ids: Collection[int]) -> models.QuerySet:
        """Return the steps of some rows of one model with their actors, oldest first."""
        target = ContentType.objects.get_for_model(model)
        return self.filter(content_type=target, object_id__in=ids).select_related("actor")


class StatusChange(models.Model):
    """One step: who took it (null: the system), from where to where, why, when. Append-only."""

    content_type = models.ForeignKey(ContentType, models.PROTECT)
    object_id = models.PositiveBigIntegerField()
    record = GenericForeignKey("content_type", "object_id")
    transition = models.CharField(_("step"), max_length=30)
    from_status = models.CharField(_("from"), max_length=20)
    to_status = models.CharField(_("to"), max_length=20)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="status_changes",
        verbose_name=_("by"),
    )
    reason = models.TextField(_("reason"), blank=True)
    at = models.DateTimeField(_("at"), auto_now_add=True)  # when it was recorded; the step's own date is on the row

    objects = StatusChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        ordering = ["at", "pk"]
        indexes = [
            models.Index(fields=["content_type", "object_id", "at"], name="status_change_by_record"),  # timelines
        ]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
