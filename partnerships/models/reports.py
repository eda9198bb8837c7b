"""Reports of a year or a program: text by people, and figures that stay as they were confirmed."""

from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from partnerships.models.base import History, OfficeModel, SmallNumberColumn, StatusField, VersionedModel
from partnerships.models.programmes import Programme
from partnerships.models.users import ScopedQuerySet, Unit
from partnerships.statuses import ReportStatus

FIRST_YEAR, LAST_YEAR = 2000, 2100


class Report(VersionedModel):
    """An edition of a report of one year, about a unit with those below it, or about all units.

    ``figures`` are written once, when somebody confirms them; a draft shows those of the day.
    """

    class Kind(models.TextChoices):
        YEAR = "year", gettext_lazy("Annual report")
        PROGRAMME = "programme", gettext_lazy("Report on a program")

    kind = models.CharField(gettext_lazy("kind"), max_length=20, choices=Kind, default=Kind.YEAR)
    unit = models.ForeignKey(
        Unit,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reports",
        verbose_name=gettext_lazy("unit"),
        help_text=gettext_lazy("Empty: all units; only the office writes and reads such a report."),
    )
    programme = models.ForeignKey(
        Programme,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reports",
        verbose_name=gettext_lazy("program"),
    )
    year = SmallNumberColumn(
        pgettext_lazy("of a report", "year"), validators=[MinValueValidator(FIRST_YEAR), MaxValueValidator(LAST_YEAR)]
    )
    is_academic = models.BooleanField(
        gettext_lazy("academic year"),
        default=False,
        help_text=gettext_lazy("From September 1 of the year to August 31 of the next."),
    )
    language = models.CharField(gettext_lazy("language"), max_length=10, choices=settings.LANGUAGES, default="zh-hans")
    status = StatusField(ReportStatus)
    edition = models.PositiveSmallIntegerField(gettext_lazy("edition"), default=1, editable=False)
    previous = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="next",
        verbose_name=gettext_lazy("previous edition"),
    )
    figures: Any = models.JSONField(null=True, blank=True, editable=False, encoder=DjangoJSONEncoder)
    counts_unconfirmed = models.BooleanField(
        gettext_lazy("unconfirmed renewals counted as in force"), default=False, editable=False
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="confirmed_reports",
        verbose_name=gettext_lazy("confirmed by"),
    )
    confirmed_at = models.DateTimeField(gettext_lazy("confirmed at"), null=True, blank=True, editable=False)

    objects = ScopedQuerySet.as_manager()
    history = History(excluded_fields=("figures",))

    class Meta:
        verbose_name = gettext_lazy("report")
        verbose_name_plural = gettext_lazy("reports")
        ordering = ["-year", "-is_academic", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="year", programme__isnull=True) | Q(kind="programme", programme__isnull=False),
                name="report_programme_fits_kind",
                violation_error_code="programme",
                violation_error_message=gettext_lazy("Choose the program for a report on a program, and only then."),
            ),
            models.CheckConstraint(
                condition=Q(status="draft", figures__isnull=True, confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(status="confirmed", figures__isnull=False, confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="report_confirmed_has_figures",
            ),
            models.CheckConstraint(
                condition=Q(edition=1, previous__isnull=True) | Q(edition__gt=1, previous__isnull=False),
                name="report_edition_has_previous",
            ),
        ]

    def __str__(self) -> str:
        about = self.programme or self.unit
        return f"{self.title} · {about}" if about else self.title

    @property
    def title(self) -> str:
        if self.kind == self.Kind.PROGRAMME:
            return _("Report on %(program)s, %(period)s") % {"program": self.programme, "period": self.period_name}
        return _("Annual report on cooperation %(period)s") % {"period": self.period_name}

    @property
    def period_name(self) -> str:
        """Return "2026", or "2025/26" for an academic year."""
        if not self.is_academic:
            return str(self.year)
        return pgettext("academic year", "%(first)s/%(last)s") % {
            "first": self.year,
            "last": f"{(self.year + 1) % 100:02d}",
        }

    @property
    def number(self) -> str:
        """Return the number under which its files are filed; each edition has one of its own."""
        return f"AR-{self.year}-{self.pk or 0:04d}"

    @property
    def is_confirmed(self) -> bool:
        return self.status == ReportStatus.CONFIRMED

    def get_absolute_url(self) -> str:
        return reverse("report_detail", args=[self.pk])


class ReportText(OfficeModel):
    """A block of text of a report, with the person who wrote it last and the day."""

    class Section(models.TextChoices):
        SUMMARY = "summary", pgettext_lazy("section of a report", "Summary")
        MONTHS = "months", gettext_lazy("Agreements and activities by month")
        UNITS = "units", pgettext_lazy("section of a report", "By unit")
        PROMISED = "promised", gettext_lazy("Promised and delivered by area")
        REGIONS = "regions", gettext_lazy("Where partners are")
        UNDONE = "undone", gettext_lazy("What stayed undone")
        OUTLOOK = "outlook", gettext_lazy("What comes next")

    report = models.ForeignKey(Report, models.CASCADE, related_name="texts", verbose_name=gettext_lazy("report"))
    section = models.CharField(gettext_lazy("section"), max_length=20, choices=Section)
    text = models.TextField(pgettext_lazy("of a report", "text"), max_length=20_000)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="report_texts",
        verbose_name=gettext_lazy("author"),
    )
    written_on = models.DateField(gettext_lazy("written on"), editable=False)

    history = History()

    class Meta:
        verbose_name = gettext_lazy("text of a report")
        verbose_name_plural = gettext_lazy("texts of a report")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["report", "section"],
                name="report_text_section_unique",
                violation_error_code="section",
                violation_error_message=gettext_lazy("This section has a text already."),
            ),
        ]

    def __str__(self) -> str:
        return self.get_section_display()
