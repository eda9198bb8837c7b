"""Saved views of lists, column sets for their files, and exports that users asked for."""

from typing import Any, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partnerships.models.base import History, LineField, StatusField, VersionedModel
from partnerships.models.reports import Report
from partnerships.models.sort_keys import ByName, NamedModel, SortKeyField
from partnerships.models.users import ScopedQuerySet, Unit, User
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
    # Shown as a tile with the number of its rows.
    is_on_overview = models.BooleanField(default=False, db_default=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = [ByName(), "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "list", "name"], name="saved_view_name_unique")]

    def __str__(self) -> str:
        return self.name


# Names of columns that no list has: the number of the row, and a text that is the same in each row.
RUNNING_NUMBER, FIXED_TEXT = "#", "="


class DayForm(models.TextChoices):
    """How a file writes a day."""

    ISO = "iso", "2024-03-01"
    CHINESE = "zh", "2024年3月1日"
    DOTS = "dots", "2024.03.01"


class ColumnSetQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        """Return the condition for the sets of the whole office and of the user's units."""
        return Q(unit__isnull=True) | Q(unit__in=user.scope.unit_ids)

    def of_list(self, key: str) -> Self:
        return self.filter(list=key)


class ColumnSet(NamedModel, VersionedModel):
    """The columns of a file that somebody outside asks for, such as a ledger for a bureau: in its order, under its headings.

    ``columns`` is a list of {"column", "heading", "text"}: the name of a column of the list, ``RUNNING_NUMBER`` or
    ``FIXED_TEXT``; its heading, ours if empty; and what a fixed text says.
    """

    name = LineField(_("name"), max_length=100)
    sort_key = SortKeyField("name")
    list = models.CharField(_("list"), max_length=50, editable=False)
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="column_sets", verbose_name=_("unit")
    )
    columns: Any = models.JSONField(_("columns"), encoder=DjangoJSONEncoder)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, blank=True)
    day_form = models.CharField(_("dates"), max_length=10, choices=DayForm, default=DayForm.ISO)

    objects = ColumnSetQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("column set")
        verbose_name_plural = _("column sets")
        ordering = [ByName(), "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["list", "unit", "name"],
                name="column_set_name_unique",
                violation_error_message=_("There is a column set of this name already."),
                violation_error_code="name",
            ),
            models.UniqueConstraint(
                fields=["list", "name"],
                condition=Q(unit__isnull=True),
                name="column_set_office_name_unique",
                violation_error_message=_("There is a column set of this name already."),
                violation_error_code="name",
            ),
            models.CheckConstraint(condition=Q(day_form__in=DayForm.values), name="column_set_day_form_known"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("column_set_edit", args=[self.pk])

    @property
    def layout(self) -> dict[str, object]:
        """Return what an export keeps of the set, so that its file is what was asked for."""
        return {"name": self.name, "columns": self.columns, "day_form": self.day_form}


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
        PDF = "pdf", "PDF"
        DOCX = "docx", _("Word (docx)")

    # The others are of reports.
    OF_LISTS = (Format.XLSX, Format.CSV)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="exports", verbose_name=_("asked by")
    )
    list = models.CharField(max_length=50)
    query = models.CharField(max_length=6000, blank=True)
    # The column set as it was when the file was asked for; without one, the query names the columns.
    layout: Any = models.JSONField(null=True, blank=True)
    # A report as a file, instead of a list.
    report = models.ForeignKey(Report, models.CASCADE, null=True, blank=True, related_name="files")
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
