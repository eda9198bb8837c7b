"""The terms an agreement runs for, and the amendments that change them."""

import datetime as dt
from dataclasses import dataclass

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from partnerships.dates import EARLIEST_DAY, LATEST_DAY, IsWorkday, add_months, shift_to_workday
from partnerships.models.base import DayColumn, History, OfficeModel, SmallNumberColumn

# Bounds for typing errors: 30 years entered as 30,000 months would leave the calendar.
LONGEST_PERIOD_MONTHS = 1200
LONGEST_PERIOD_DAYS = 3650


@dataclass(frozen=True)
class DecisionDate:
    """The day by which the office has to decide, and the days it was counted from."""

    ends_on: dt.date
    notice_by: dt.date  # the last day on which notice can be given
    lead_from: dt.date  # the lead time before that
    decide_on: dt.date  # moved to the working day before


class AgreementTerm(OfficeModel):
    """A period the agreement runs for. A tacit renewal adds one; signed terms change by amendment only."""

    class Basis(models.TextChoices):
        ORIGINAL = "original", _("As signed")
        TACIT = "tacit", _("Renewed tacitly")
        EXPRESS = "express", _("Renewed expressly")
        AMENDMENT = "amendment", _("Changed by an amendment")

    class NoticeUnit(models.TextChoices):
        DAYS = "days", _("days")
        MONTHS = "months", _("months")

    agreement = models.ForeignKey(
        "partnerships.Agreement", models.CASCADE, related_name="terms", verbose_name=_("agreement")
    )
    number = SmallNumberColumn(_("number"), default=1)
    starts_on = DayColumn(_("starts on"))
    ends_on = DayColumn(_("ends on"), null=True, blank=True, help_text=_("Empty when open-ended."))
    review_on = DayColumn(
        _("review on"), null=True, blank=True, help_text=_("An open-ended term needs a date of review.")
    )
    basis = models.CharField(_("basis"), max_length=20, choices=Basis, default=Basis.ORIGINAL)
    renews_tacitly = models.BooleanField(
        _("renews tacitly"), default=False, help_text=_("Goes on unless a party gives notice.")
    )
    notice = SmallNumberColumn(_("notice period"), default=0, validators=[MaxValueValidator(LONGEST_PERIOD_DAYS)])
    notice_unit = models.CharField(_("counted in"), max_length=10, choices=NoticeUnit, default=NoticeUnit.MONTHS)
    lead_days = SmallNumberColumn(
        _("lead time (days)"), default=30, validators=[MaxValueValidator(LONGEST_PERIOD_DAYS)]
    )

    history = History()

    class Meta:
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "number"],
                name="agreement_term_number_unique",
                violation_error_code="number",
                violation_error_message=_("There is a term of this number already."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="agreement_term_ends_after_start",
                violation_error_code="ends_on",
                violation_error_message=_("A term cannot end before it starts."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=False) | Q(review_on__isnull=False),
                name="agreement_term_has_end_or_review",
                violation_error_code="ends_on",
                violation_error_message=_("A term needs an end, or a date of review when it is open-ended."),
            ),
            models.CheckConstraint(
                condition=Q(review_on__isnull=True) | Q(review_on__gte=F("starts_on")),
                name="agreement_term_review_after_start",
                violation_error_code="review_on",
                violation_error_message=_("The review cannot lie before the start."),
            ),
            models.CheckConstraint(
                condition=Q(starts_on__gte=EARLIEST_DAY),
                name="agreement_term_start_sane",
                violation_error_code="starts_on",
                violation_error_message=_("Please check the year."),
            ),
            models.CheckConstraint(
                condition=(Q(ends_on__isnull=True) | Q(ends_on__lte=LATEST_DAY))
                & (Q(review_on__isnull=True) | Q(review_on__lte=LATEST_DAY)),
                name="agreement_term_end_sane",
                violation_error_code="ends_on",
                violation_error_message=_("Please check the years; leave the end empty when there is none."),
            ),
            models.CheckConstraint(
                condition=Q(notice__lte=LONGEST_PERIOD_DAYS, lead_days__lte=LONGEST_PERIOD_DAYS),
                name="agreement_term_periods_sane",
                violation_error_code="notice",
                violation_error_message=_("A notice or lead time of more than ten years is a slip."),
            ),
        ]
        indexes = [
            models.Index(fields=["ends_on"], name="agreement_term_by_end"),  # expiring within
        ]

    def __str__(self) -> str:
        return f"{self.starts_on.isoformat()} – {self.ends_on.isoformat() if self.ends_on else '…'}"

    def decision_date(self, is_workday: IsWorkday) -> DecisionDate | None:
        """End minus notice minus lead time, moved to the working day before; None when open-ended."""
        if self.ends_on is None:
            return None
        if self.notice_unit == self.NoticeUnit.MONTHS:
            notice_by = add_months(self.ends_on, -self.notice)
        else:
            notice_by = self.ends_on - dt.timedelta(days=self.notice)
        # Notice and lead time are calendar time. Only the day of the decision itself has to be a working day.
        lead_from = notice_by - dt.timedelta(days=self.lead_days)
        return DecisionDate(self.ends_on, notice_by, lead_from, shift_to_workday(lead_from, is_workday, step=-1))


class Amendment(models.Model):
    """A signed change of a signed agreement; made and applied by ``workflows.amend_agreement`` alone."""

    agreement = models.ForeignKey(
        "partnerships.Agreement", models.PROTECT, related_name="amendments", verbose_name=_("agreement")
    )
    number = SmallNumberColumn(_("number"))
    signed_on = DayColumn(_("signed on"))
    effective_on = DayColumn(_("effective on"))
    summary = models.TextField(_("what changed"))
    term = models.OneToOneField(
        AgreementTerm,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="amendment",
        verbose_name=_("resulting term"),
    )

    history = History()

    class Meta:
        verbose_name = _("amendment")
        verbose_name_plural = _("amendments")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "number"], name="amendment_number_unique"),
        ]

    def __str__(self) -> str:
        return _("Amendment %(number)s") % {"number": self.number}
