"""Saved views of lists, and exports that users asked for."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partnerships.models.base import LineField, StatusField
from partnerships.models.sort_keys import ByName, NamedModel, SortKeyField
from partnerships.statuses import ExportStatus


class SavedView(NamedModel):
    """An address of a list under a name: ``query`` is what stands behind the question mark.

    A preference of one person, not a record of the office: no history, no version.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views")
    list = models.CharField(max_length=50)
    name = LineField(_("name"), max_length=60)
    sort_key = SortKeyField("name")
    query = models.CharField(max_length=2000, blank=True)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = [ByName(), "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "list", "name"], name="saved_view_name_unique")]

    def __str__(self) -> str:
        return self.name


class ExportQuerySet(models.QuerySet):
    def of(self, user: object) -> Self:
        """Return the exports of ``user``: a file shows what the person who asked for it may see."""
        return self.filter(user=user)

    def to_make(self, now: object) -> Self:
        """Return exports that are waiting or were left by a process that ended, oldest first."""
        left = Q(status=ExportStatus.RUNNING, lease_until__lt=now)
        return self.filter(Q(status=ExportStatus.WAITING) | left).order_by("pk")


class Export(models.Model):
    """A list as a file, and its progress. The row stays when the file is removed: who took which list out, and when.

    ``attempts`` is also the epoch of the lease: a process that outlived its lease may no longer write.
    """

    class Format(models.TextChoices):
        XLSX = "xlsx", _("Excel (xlsx)")
        CSV = "csv", "CSV"

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="exports", verbose_name=_("asked by")
    )
    list = models.CharField(max_length=50)
    query = models.CharField(max_length=6000, blank=True)
    format = models.CharField(max_length=10, choices=Format)
    language = models.CharField(max_length=10)
    status = StatusField(ExportStatus, editable=True)
    asked_at = models.DateTimeField(_("asked for at"))
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    rows_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    file = models.FileField(upload_to="exports/", blank=True)
    finished_at = models.DateTimeField(null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ExportStatus.values), name="export_status_known"),
            models.CheckConstraint(
                condition=~Q(status="running") | Q(lease_until__isnull=False), name="export_running_has_lease"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(status__in=["waiting", "running"]), name="export_to_make"),
            models.Index(fields=["finished_at"], condition=Q(status="done"), name="export_to_remove"),
        ]

    def __str__(self) -> str:
        return f"{self.list} · {self.format}"

    @property
    def is_under_way(self) -> bool:
        return self.status in (ExportStatus.WAITING, ExportStatus.RUNNING)
