"""The terms an agreement runs for, how they are renewed, and the amendments that change them."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from partnerships.dates import EARLIEST_DAY, LATEST_DAY, IsWorkday, add_months, shift_to_workday, whole_months
from partnerships.models.base import DayColumn, History, OfficeModel, PrecisionColumn, SmallNumberColumn
from partnerships.partial_dates import PartialDate, Precision, partial_date

# Bounds for typing errors: 30 years entered as 30,000 months would leave the calendar.
LONGEST_PERIOD_MONTHS = 1200
LONGEST_PERIOD_DAYS = 3650
# The renewals of the shortest length until the last day that we count with are fewer.
MOST_MONTHS = 12 * (LATEST_DAY.year - EARLIEST_DAY.year + 1)


@dataclass(frozen=True)
class DecisionDate:
    """The day by which the office has to decide, and the days it was counted from."""

    ends_on: dt.date
    notice_by: dt.date  # the last day on which notice can be given
    lead_from: dt.date  # the lead time before that
    decide_on: dt.date  # moved to the working day before


class AgreementTerm(OfficeModel):
    """A period the agreement runs for. A recorded renewal adds one; signed terms change by amendment only.

    Automatic renewals happen by the calendar, whether they are recorded or not; ``running_period`` finds where one is.
    """

    class Basis(models.TextChoices):
        ORIGINAL = "original", _("As signed")
        TACIT = "tacit", _("Renewed automatically")
        EXPRESS = "express", _("Renewed by agreement")
        AMENDMENT = "amendment", _("Changed by an amendment")

    class Renewal(models.TextChoices):
        NONE = "none", _("Ends")
        AUTOMATIC = "automatic", _("Renews automatically")
        AGREED = "agreed", _("Renews by agreement")

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
    # The columns of a date hold the first day that it may be, and that of an end the last: then the agreement is in force
    # by the widest reading. Decisions are counted from the first day that the end may be.
    starts_precision = PrecisionColumn(_("of the start"))
    ends_precision = PrecisionColumn(_("of the end"))
    basis = models.CharField(_("basis"), max_length=20, choices=Basis, default=Basis.ORIGINAL)
    renewal = models.CharField(
        _("at the end"),
        max_length=20,
        choices=Renewal,
        default=Renewal.NONE,
        db_default=Renewal.NONE,
        help_text=_("Automatic: it goes on unless a party gives notice."),
    )
    renewal_months = SmallNumberColumn(
        _("renews for (months)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_PERIOD_MONTHS)],
        help_text=_("Empty: as long as the term."),
    )
    renewal_limit = SmallNumberColumn(
        _("renews at most (times)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_PERIOD_MONTHS)],
        help_text=_("Empty: without limit."),
    )
    notice_given_on = DayColumn(_("notice given on"), null=True, blank=True, editable=False)
    # The last day of the last automatic renewal, for queries; null without automatic renewal or without a limit to it.
    renews_until = models.DateField(null=True, editable=False)
    notice = SmallNumberColumn(_("notice period"), default=0, validators=[MaxValueValidator(LONGEST_PERIOD_DAYS)])
    notice_unit = models.CharField(_("counted in"), max_length=10, choices=NoticeUnit, default=NoticeUnit.MONTHS)
    lead_days = SmallNumberColumn(
        _("lead time (days)"), default=30, validators=[MaxValueValidator(LONGEST_PERIOD_DAYS)]
    )

    history = History(excluded_fields=("renews_until",))

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
                violation_error_message=_("Notice and lead time can be at most ten years each."),
            ),
            models.CheckConstraint(
                condition=Q(renewal__in=["none", "automatic", "agreed"]), name="agreement_term_renewal_known"
            ),
            models.CheckConstraint(
                condition=~Q(renewal="automatic") | Q(ends_on__isnull=False),
                name="agreement_term_renewed_has_end",
                violation_error_code="renewal",
                violation_error_message=_("Only a term with an end can renew automatically."),
            ),
            models.CheckConstraint(
                condition=(Q(renewal_months__isnull=True) | Q(renewal_months__range=(1, LONGEST_PERIOD_MONTHS)))
                & (Q(renewal_limit__isnull=True) | Q(renewal_limit__range=(1, LONGEST_PERIOD_MONTHS))),
                name="agreement_term_renewals_sane",
                violation_error_code="renewal_months",
                violation_error_message=_("A renewal lasts between a month and a hundred years."),
            ),
        ]
        indexes = [
            models.Index(fields=["ends_on"], name="agreement_term_by_end"),  # expiring within
        ]

    def __str__(self) -> str:
        return f"{self.starts} – {self.ends or '…'}"

    def clean(self) -> None:
        if self.starts_on or self.starts_precision == Precision.UNKNOWN:
            self.starts_on = PartialDate(self.starts_on or EARLIEST_DAY, self.starts_precision).first
        if self.ends_precision == Precision.UNKNOWN:
            self.ends_on = None
        elif self.ends_on:
            self.ends_on = PartialDate(self.ends_on, self.ends_precision).last

    @property
    def starts(self) -> PartialDate | None:
        return partial_date(self.starts_on, self.starts_precision)

    @property
    def ends(self) -> PartialDate | None:
        return partial_date(self.ends_on, self.ends_precision)

    @property
    def length_of_renewal(self) -> int:
        """Return for how many months it renews: as entered, or else the whole months of the term itself."""
        if self.renewal_months or self.ends_on is None:
            return self.renewal_months or 0
        return max(whole_months(self.starts_on, self.ends_on), 1)  # a term of some days is renewed by the month

    @property
    def renewal_words(self) -> str:
        """Return what happens at its end, such as "Renews automatically for 24 months, at most 2 times"."""
        words = str(self.get_renewal_display())
        if self.renewal == self.Renewal.NONE:
            return words
        months = self.length_of_renewal
        words = ngettext("%(renewal)s for %(count)s month", "%(renewal)s for %(count)s months", months) % {
            "renewal": words,
            "count": months,
        }
        if self.renewal_limit is None:
            return words
        return ngettext(
            "%(renewal)s, at most %(count)s time", "%(renewal)s, at most %(count)s times", self.renewal_limit
        ) % {"renewal": words, "count": self.renewal_limit}

    def notice_by(self, ends_on: dt.date) -> dt.date:
        """Return the last day on which notice can be given for a period that ends on ``ends_on``."""
        if self.notice_unit == self.NoticeUnit.MONTHS:
            return add_months(ends_on, -self.notice)
        return ends_on - dt.timedelta(days=self.notice)

    def decision_date(self, is_workday: IsWorkday, ends_on: dt.date | None = None) -> DecisionDate | None:
        """Return the end minus notice minus lead time, moved to the working day before; None when open-ended.

        ``ends_on`` is the end of the running period where that is an automatic renewal of this term.
        """
        ends_on = ends_on or self.ends_on
        if ends_on is None:
            return None
        ends_on = PartialDate(ends_on, self.ends_precision).first
        notice_by = self.notice_by(ends_on)
        # Notice and lead time are calendar time. Only the day of the decision itself has to be a working day.
        lead_from = notice_by - dt.timedelta(days=self.lead_days)
        return DecisionDate(ends_on, notice_by, lead_from, shift_to_workday(lead_from, is_workday, step=-1))


@dataclass(frozen=True)
class Period:
    """A period that an agreement runs for: a term on record, or an automatic renewal that nobody has recorded yet.

    ``number`` is that of its term, or the one that its term gets when the renewal is recorded. ``term`` is the last term
    on record, whose conditions apply.
    """

    number: int
    starts_on: dt.date
    ends_on: dt.date | None
    term: AgreementTerm

    @property
    def is_recorded(self) -> bool:
        return self.number == self.term.number

    def has_ended(self, day: dt.date) -> bool:
        return self.ends_on is not None and self.ends_on < day


@dataclass(frozen=True)
class AutomaticRenewals:
    """The automatic renewals of a term, on record or not.

    The n-th ends n lengths after the end of the term that began them, always counted from there: chained clamping would
    make 31 January, 28 February, 28 March of what is 31 March.
    """

    last: AgreementTerm
    first_end: dt.date
    months: int
    recorded: int  # how many of them are terms on record; the last of these is ``last``
    limit: int | None

    def end(self, times: int) -> dt.date:
        """Return the last day of the ``times``-th renewal, or the last day that we count with."""
        return min(add_months(self.first_end, min(self.months * times, MOST_MONTHS)), LATEST_DAY)

    @property
    def final(self) -> int | None:
        """Return how many there can be: as agreed, or until notice ends them; None without limit."""
        final = self.limit
        given_on = self.last.notice_given_on
        if given_on is not None:
            ended_by_notice = self.recorded
            # Notice after its day does not stop the next renewal any more, only the one after that.
            while self.last.notice_by(self.end(ended_by_notice)) < given_on and ended_by_notice != final:
                ended_by_notice += 1
            final = ended_by_notice
        return None if final is None else max(final, self.recorded)

    @property
    def until(self) -> dt.date | None:
        """Return the last day of the last renewal; None when they have no limit."""
        return None if self.final is None else self.end(self.final)

    def running(self, day: dt.date) -> int:
        """Return which of them runs on ``day``: the first that does not end before it, or the last there is."""
        final = self.final
        # The loop starts one before the renewal that ``day`` is in, so that it takes two turns and not hundreds.
        times = max(self.recorded, whole_months(self.first_end, day) // self.months - 1)
        while self.end(times) < min(day, LATEST_DAY):
            times += 1
        return times if final is None else min(times, final)

    def period(self, times: int) -> Period:
        starts_on = self.last.starts_on
        if times > self.recorded:
            starts_on = self.end(times - 1) + dt.timedelta(days=1)
        ends_on = self.last.ends_on if times == self.recorded else self.end(times)
        return Period(self.last.number + times - self.recorded, starts_on, ends_on, self.last)

    def elapsed(self, day: dt.date) -> list[Period]:
        """Return the renewals that began on ``day`` or before and are not on record yet, oldest first."""
        return [self.period(times) for times in range(self.recorded + 1, self.running(day) + 1)]


def automatic_renewals(terms: Iterable[AgreementTerm]) -> AutomaticRenewals | None:
    """Return the automatic renewals of an agreement with these ``terms``; None where the last one does not renew so."""
    ordered = sorted(terms, key=lambda term: term.number)
    last = ordered[-1] if ordered else None
    if last is None or last.ends_on is None or last.renewal != AgreementTerm.Renewal.AUTOMATIC:
        return None
    recorded, began = 0, last
    for earlier in reversed(ordered[:-1]):
        if began.basis != AgreementTerm.Basis.TACIT or earlier.ends_on is None:
            break
        recorded, began = recorded + 1, earlier
    first_end = began.ends_on or last.ends_on
    renewals = AutomaticRenewals(last, first_end, began.length_of_renewal, recorded, last.renewal_limit)
    if renewals.end(recorded) != last.ends_on:
        # Somebody entered another end for the last one: what follows counts from there.
        left = None if last.renewal_limit is None else max(last.renewal_limit - recorded, 0)
        renewals = AutomaticRenewals(last, last.ends_on, last.length_of_renewal, 0, left)
    return renewals


def last_term(terms: Iterable[AgreementTerm]) -> AgreementTerm | None:
    """Return the term with the highest number; None without one."""
    return max(terms, key=lambda term: term.number, default=None)


def running_period(terms: Iterable[AgreementTerm], day: dt.date) -> Period | None:
    """Return the period that runs on ``day``, or the last there is when it has ended; None without a term."""
    terms = list(terms)
    last = last_term(terms)
    if last is None:
        return None
    renewals = automatic_renewals(terms)
    if renewals is None:
        return Period(last.number, last.starts_on, last.ends_on, last)
    return renewals.period(renewals.running(day))


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
