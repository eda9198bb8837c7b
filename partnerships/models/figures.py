"""Reported figures: numbers quoted from a source, kept apart from what our records count."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.models.base import (
    AmountColumn,
    BilingualModel,
    DayColumn,
    History,
    LineField,
    SearchableModel,
    SeededModel,
    VersionedModel,
    exactly_one,
)
from partnerships.models.events import Event
from partnerships.models.honours import HonourScheme
from partnerships.models.organizations import Organization, Region
from partnerships.models.programmes import Programme
from partnerships.models.sources import Source
from partnerships.models.users import ScopedQuerySet, Unit, User

FIGURE_SUBJECTS = ("organization", "region", "event", "programme")


class CountingRule(models.TextChoices):
    """A rule by which records are counted against a figure; ``reports.figures`` has a queryset for each."""

    EVENT_AGREEMENTS = "event_agreements", _("agreements signed at the event")
    EVENT_EMPLOYMENT_BASES = "event_employment_bases", _("employment bases opened at the event")
    EVENT_WORKSTATIONS = "event_workstations", _("workstations opened at the event")
    EVENT_DEMANDS = "event_demands", _("demands released at the event")
    EVENT_PARTICIPANTS = "event_participants", _("enterprises listed as taking part in the event")
    PROGRAMME_ENTERPRISES = "programme_enterprises", _("enterprises taking part in the program's events")
    MEMBERS_WITH_HONOUR = "members_with_honour", _("members of the association that hold the honor")
    REGION_WITH_HONOUR = "region_with_honour", _("enterprises of the region that hold the honor")


class ReportedFigureQuerySet(ScopedQuerySet):
    """Figures are quoted from public sources: readable by everybody with a role."""

    def in_scope(self, user: User) -> Q:
        return Q() if user.scope.roles else Q(pk__in=[])

    def comparable(self) -> Self:
        """Return figures that records are counted against."""
        return self.exclude(counting_rule="")


class ReportedFigure(BilingualModel, SeededModel, SearchableModel, VersionedModel):
    """A quoted number: what it measures (``name``), of what, how exactly, as of when, from which source.

    Only counts are compared with records, by the stated rule; shares, ranks and ratios are quoted alone.
    """

    class Measure(models.TextChoices):
        COUNT = "count", _("Count")
        SHARE = "share", _("Share")
        RANK = "rank", _("Rank")
        RATIO = "ratio", _("Ratio")

    class Qualifier(models.TextChoices):
        EXACT = "exact", _("exactly")
        AT_LEAST = "at_least", _("at least")
        NEARLY = "nearly", _("nearly")
        MORE_THAN = "more_than", _("more than")

    # Qualifiers of a rounded number. "At least" is none: its number is exact, and there may be more.
    ROUNDED = frozenset({Qualifier.NEARLY, Qualifier.MORE_THAN})

    class Precision(models.TextChoices):
        DAY = "day", pgettext_lazy("precision", "day")
        YEAR = "year", _("year")

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="reported_figures", verbose_name=_("unit"))
    source = models.ForeignKey(Source, models.PROTECT, related_name="reported_figures", verbose_name=_("source"))
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reported_figures",
        verbose_name=_("organization"),
    )
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, related_name="reported_figures", verbose_name=_("region")
    )
    event = models.ForeignKey(
        Event, models.PROTECT, null=True, blank=True, related_name="reported_figures", verbose_name=_("event")
    )
    programme = models.ForeignKey(
        Programme,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reported_figures",
        verbose_name=_("program"),
    )
    scheme = models.ForeignKey(
        HonourScheme,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reported_figures",
        verbose_name=_("honor scheme"),
    )
    measure = models.CharField(_("measure"), max_length=10, choices=Measure, default=Measure.COUNT)
    value = AmountColumn(_("value"), max_digits=14, decimal_places=4)
    qualifier = models.CharField(_("qualifier"), max_length=10, choices=Qualifier, default=Qualifier.EXACT)
    as_of = DayColumn(_("as of"))
    as_of_precision = models.CharField(_("as of, to the"), max_length=10, choices=Precision, default=Precision.DAY)
    printed = LineField(_("as printed"), max_length=200)
    counting_rule = models.CharField(
        _("compared with"),
        max_length=30,
        choices=CountingRule,
        blank=True,
        help_text=_("Which records are counted against it. Empty: quoted alone."),
    )

    objects = ReportedFigureQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("reported figure")
        verbose_name_plural = _("reported figures")
        ordering = ["source", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=exactly_one(*FIGURE_SUBJECTS),
                name="reported_figure_has_one_subject",
                violation_error_code="organization",
                violation_error_message=_("A figure is about one organization, region, event or program."),
            ),
            models.CheckConstraint(
                condition=Q(counting_rule="") | Q(measure="count"),
                name="reported_figure_only_counts_compare",
                violation_error_code="counting_rule",
                violation_error_message=_("Only a count can be compared with records."),
            ),
            models.CheckConstraint(
                condition=Q(value__gte=0),
                name="reported_figure_not_negative",
                violation_error_code="value",
                violation_error_message=_("A figure cannot be negative."),
            ),
            models.CheckConstraint(
                condition=~Q(counting_rule__in=["members_with_honour", "region_with_honour"]) | Q(scheme__isnull=False),
                name="reported_figure_honour_rule_has_scheme",
                violation_error_code="scheme",
                violation_error_message=_("Say which honor is counted."),
            ),
        ]

    def get_absolute_url(self) -> str:
        return reverse("figure_detail", args=[self.pk])

    def search_words(self) -> list[str]:
        return [self.name, self.name_zh]

    @property
    def subject(self) -> models.Model:
        return next(getattr(self, name) for name in FIGURE_SUBJECTS if getattr(self, f"{name}_id"))


class FigureConfirmation(models.Model):
    """A person's word that a reported figure and the records counted against it were right on a day. Append-only.

    ``reported`` and ``recorded`` are the numbers then, ``counted`` the ids of the records, so that what came and went since
    can be named; ``recorded`` is null and ``counted`` empty for a figure that is quoted alone.
    """

    figure = models.ForeignKey(
        ReportedFigure, models.PROTECT, related_name="confirmations", verbose_name=_("reported figure")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="figure_confirmations", verbose_name=_("confirmed by")
    )
    at = models.DateTimeField(_("confirmed at"))
    reported = models.DecimalField(_("reported"), max_digits=14, decimal_places=4)
    recorded = models.PositiveIntegerField(_("recorded"), null=True)
    counted = models.JSONField(default=list, blank=True)
    note = models.TextField(_("note"), blank=True)

    class Meta:
        verbose_name = _("confirmation of a figure")
        verbose_name_plural = _("confirmations of figures")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.figure}: {self.by}"
