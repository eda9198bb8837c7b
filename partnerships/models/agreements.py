"""Agreements: their status, dates and people, and the querysets that find them."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, Exists, F, Max, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Least
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partnerships.models.agreement_types import AgreementType
from partnerships.models.base import (
    AmountColumn,
    CurrencyColumn,
    History,
    LineField,
    PrecisionColumn,
    SearchableModel,
    SearchEntry,
    SeededModel,
    SmallNumberColumn,
    StatusField,
    TitledModel,
    VersionedModel,
)
from partnerships.models.organizations import Organization, through_column
from partnerships.models.papers import CustodyStep
from partnerships.models.parties import COPIES_ARE_FEW, MOST_COPIES, AgreementParty, AgreementUnit
from partnerships.models.sort_keys import NamedModel, SortKeyField
from partnerships.models.suspensions import PastSuspension
from partnerships.models.terms import AgreementTerm, last_term, running_period
from partnerships.models.users import Role, ScopedQuerySet, Unit, User, away_alone, left_alone
from partnerships.partial_dates import PartialDate, Precision, partial_date
from partnerships.statuses import AgreementStatus

# Later than any day that we count with, for what has no end.
NEVER = Value(dt.date.max, output_field=models.DateField())


class AgreementQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        participates = AgreementUnit.objects.filter(agreement=OuterRef("pk"), unit__in=user.scope.unit_ids)
        return Q(unit__in=user.scope.unit_ids) | Q(Exists(participates))

    def followed_up_by(self, user: User) -> Self:
        """Return agreements under which ``user`` may enter activities; cancelled ones are left out.

        The queryset for ``may(user, "agreement.follow_up", agreement)``.
        """
        rows = self.visible_to(user).exclude(status=AgreementStatus.CANCELLED)
        if user.sees_all_units:
            return rows
        units = user.scope.unit_ids_as(Role.COORDINATOR)
        participates = AgreementUnit.objects.filter(agreement=OuterRef("pk"), unit__in=units)
        return rows.filter(Q(unit__in=units) | Q(Exists(participates)))

    def search(self, text: str) -> Self:
        """Return agreements with these words in their own text, or in the name of a party or of who arranged it."""
        own = SearchEntry.objects.matching(Agreement, text)
        named = SearchEntry.objects.matching(Organization, text)
        parties = AgreementParty.objects.filter(organization__in=named)
        return self.filter(Q(pk__in=own) | Q(pk__in=parties.values("agreement")) | Q(through__in=named))

    def of_organizations(self, ids: Collection[int]) -> Self:
        return self.filter(Exists(AgreementParty.objects.filter(agreement=OuterRef("pk"), organization__in=ids)))

    def in_regions(self, ids: Collection[int]) -> Self:
        """Return the agreements with a partner in one of these regions; our own organization is a party of each."""
        parties = AgreementParty.objects.filter(agreement=OuterRef("pk"), organization__region__in=ids)
        return self.filter(Exists(parties.exclude(organization=Coalesce(OuterRef("unit__organization"), 0))))

    def in_force(self, day: dt.date) -> Self:
        """Return agreements signed by ``day``, neither suspended nor ended on it, with a term or automatic renewal that covers it."""
        terms = AgreementTerm.objects.filter(agreement=OuterRef("pk"), starts_on__lte=day)
        suspended = PastSuspension.objects.filter(agreement=OuterRef("pk"), suspended_on__lte=day, resumed_on__gt=day)
        return self.filter(
            Exists(terms.filter(_lasts_to(day))),
            ~Exists(suspended),
            Q(suspended_on__isnull=True) | Q(suspended_on__gt=day) | Q(resumed_on__lte=day),
            Q(terminated_on__isnull=True) | Q(terminated_on__gt=day),
            Q(completed_on__isnull=True) | Q(completed_on__gt=day),
            signed_on__lte=day,
        )

    def expired(self, today: dt.date) -> Self:
        """Return agreements whose last term ended before ``today`` without a renewal, and which nobody has closed yet."""
        terms = AgreementTerm.objects.filter(agreement=OuterRef("pk"))
        return self.filter(
            Exists(terms),
            ~Exists(terms.filter(_lasts_to(today))),
            status__in=(AgreementStatus.SIGNED, AgreementStatus.SUSPENDED),
        )

    def expiring(self, today: dt.date, *, until: dt.date) -> Self:
        """Return agreements in force that end between ``today`` and ``until``; none that renews itself beyond it."""
        terms = AgreementTerm.objects.filter(agreement=OuterRef("pk"))
        # In force, it has a term that covers today. If none lasts beyond ``until``, the last one ends in between.
        return self.in_force(today).exclude(Exists(terms.filter(_lasts_to(until + dt.timedelta(days=1)))))

    def with_dates_to_complete(self) -> Self:
        """Return signed agreements whose signing, first start or last end is not known to the day.

        As rows what ``dates_to_complete`` says of one.
        """
        terms = AgreementTerm.objects.filter(agreement=OuterRef("agreement"))
        starts = ~Q(starts_precision=Precision.DAY) & ~Q(Exists(terms.filter(number__lt=OuterRef("number"))))
        ends = ~Q(ends_precision=Precision.DAY) & ~Q(Exists(terms.filter(number__gt=OuterRef("number"))))
        rough = AgreementTerm.objects.filter(starts | ends, agreement=OuterRef("pk"))
        return self.filter(
            ~Q(signed_precision=Precision.DAY) | Q(Exists(rough)),
            status__in=(AgreementStatus.SIGNED, AgreementStatus.SUSPENDED),
        )

    def orphaned(self) -> Self:
        """Return agreements that are not closed and have no coordinator who can be reached."""
        return self.not_closed().filter(left_alone("coordinator"))

    def owner_away(self, today: dt.date) -> Self:
        """Return agreements that are not closed and whose coordinator is absent without a deputy."""
        return self.not_closed().filter(away_alone("coordinator", today))

    def with_ended_on(self, day: dt.date) -> Self:
        """Add ``ended_on``: the day on which a signed agreement was closed or its last term ended; null while neither had by ``day``.

        The last day of a term is still in force, so that the term has ended once that day is over.
        """
        has_ended = Q(closed_on__lte=day) & Q(closed_on__lte=F("last_day")) | Q(last_day__lt=day)
        rows = self.with_last_day().alias(closed_on=Coalesce("terminated_on", "completed_on", NEVER))
        return rows.annotate(
            ended_on=Case(
                When(has_ended, signed_on__isnull=False, then=Least("closed_on", "last_day")),
                output_field=models.DateField(),
            )
        )

    def with_last_day(self) -> Self:
        """Add ``last_day``: the last one of the terms, as recorded or by automatic renewals; ``NEVER`` without an end."""
        terms = AgreementTerm.objects.filter(agreement=OuterRef("pk")).order_by().values("agreement")
        last = terms.annotate(last=Max(lasts_until())).values("last")
        return self.annotate(last_day=Coalesce(Subquery(last), NEVER))

    def ran_between(self, first: dt.date, last: dt.date) -> Self:
        """Return signed agreements with a term that covers a day from ``first`` to ``last`` before they were closed."""
        terms = AgreementTerm.objects.filter(_lasts_to(first), agreement=OuterRef("pk"), starts_on__lte=last)
        return self.filter(
            Exists(terms),
            Q(terminated_on__isnull=True) | Q(terminated_on__gt=first),
            Q(completed_on__isnull=True) | Q(completed_on__gt=first),
            signed_on__lte=last,
        )

    def not_closed(self) -> Self:
        return self.exclude(
            status__in=(AgreementStatus.COMPLETED, AgreementStatus.TERMINATED, AgreementStatus.CANCELLED)
        )

    def with_paper(self) -> Self:
        """Add ``paper_desk`` and ``paper_since``: where the original is, and since when."""
        steps = CustodyStep.objects.filter(agreement=OuterRef("pk")).order_by("-since", "-pk")
        return self.annotate(
            paper_desk=Subquery(steps.values("desk")[:1]), paper_since=Subquery(steps.values("since")[:1])
        )

    def with_standing(self, today: dt.date) -> Self:
        """Add ``is_in_force``, ``is_expired``, and ``is_renewal_to_confirm``: it runs by a renewal that nobody has recorded."""
        this = Agreement.objects.filter(pk=OuterRef("pk"))
        recorded = AgreementTerm.objects.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gte=today), agreement=OuterRef("pk")
        )
        return self.annotate(
            is_in_force=Exists(this.in_force(today)),
            is_expired=Exists(this.expired(today)),
            is_renewal_to_confirm=Exists(this.in_force(today).filter(~Exists(recorded))),
        )


def _lasts_to(day: dt.date) -> Q:
    """Return the condition for terms that end on ``day`` or later, as recorded or by automatic renewals."""
    later = AgreementTerm.objects.filter(agreement=OuterRef("agreement"), number__gt=OuterRef("number"))
    renewed = Q(renewal=AgreementTerm.Renewal.AUTOMATIC) & (Q(renews_until__isnull=True) | Q(renews_until__gte=day))
    return Q(ends_on__isnull=True) | Q(ends_on__gte=day) | renewed & ~Q(Exists(later))


def lasts_until() -> Case:
    """Return the expression for the last day of a term, as recorded or by automatic renewals; ``NEVER`` where it has none."""
    later = AgreementTerm.objects.filter(agreement=OuterRef("agreement"), number__gt=OuterRef("number"))
    return Case(
        When(ends_on__isnull=True, then=NEVER),
        When(~Q(Exists(later)), renewal=AgreementTerm.Renewal.AUTOMATIC, then=Coalesce("renews_until", NEVER)),
        default="ends_on",
        output_field=models.DateField(),
    )


class Agreement(TitledModel, NamedModel, SeededModel, SearchableModel, VersionedModel):
    """An agreement: promises, parties and terms. Only ``workflows`` writes its status and the dates of the status."""

    unit = models.ForeignKey(
        Unit,
        models.PROTECT,
        related_name="agreements",
        verbose_name=_("unit"),
        help_text=_("Owns the agreement: approves, amends and closes it."),
    )
    type = models.ForeignKey(AgreementType, models.PROTECT, related_name="agreements", verbose_name=_("type"))
    title = LineField(_("title"), max_length=300)
    title_zh = LineField(_("Chinese title"), max_length=300, blank=True, default="", db_default="")
    sort_key = SortKeyField("title")
    sort_key_zh = SortKeyField("title_zh", "title")
    title_as_signed = LineField(_("title as signed"), max_length=300, blank=True)
    reference = LineField(_("reference"), max_length=50, blank=True)
    coordinator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="coordinated_agreements",
        verbose_name=_("coordinator"),
    )
    event = models.ForeignKey(
        "partnerships.Event",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="agreements",
        verbose_name=_("signed at"),
    )
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        verbose_name=_("under the framework"),
    )
    predecessor = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="successors",
        verbose_name=_("follows on"),
    )
    through = through_column("arranged_agreements")
    amount = AmountColumn(_("amount"), max_digits=14, decimal_places=2, null=True, blank=True)
    currency = CurrencyColumn(_("currency"))
    is_party_list_complete = models.BooleanField(
        _("all parties are listed"),
        default=True,
        help_text=_("Off when a source says there were more than it names."),
    )
    summary = models.TextField(_("summary"), blank=True)
    archive_number = LineField(
        _("archive number"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text=_("The number under which the archive keeps the original."),
    )
    copies = SmallNumberColumn(
        _("copies made"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_COPIES)],
    )

    status = StatusField(AgreementStatus)
    submitted_on = models.DateField(_("submitted on"), null=True, editable=False)
    returned_on = models.DateField(_("returned on"), null=True, editable=False)
    approved_on = models.DateField(_("approved on"), null=True, editable=False)
    signed_on = models.DateField(_("signed on"), null=True, editable=False)
    # How much of the day of signing is known. ``signed_on`` is the first day that it may be; ``signed_at_latest`` is the last,
    # at most the day of registration, and null where the day is known.
    signed_precision = PrecisionColumn(_("of the signing"), editable=False)
    signed_at_latest = models.DateField(null=True, editable=False)
    suspended_on = models.DateField(_("suspended on"), null=True, editable=False)
    resumed_on = models.DateField(_("resumed on"), null=True, editable=False)
    completed_on = models.DateField(_("completed on"), null=True, editable=False)
    terminated_on = models.DateField(_("terminated on"), null=True, editable=False)
    cancelled_on = models.DateField(_("cancelled on"), null=True, editable=False)
    # The end of the period that runs today, an automatic renewal included; null when open-ended or without a term. It is
    # kept by ``workflows.derivation.update_current_end`` and the daily sweep, and the audit checks it.
    current_ends_on = models.DateField(_("runs until"), null=True, editable=False)
    current_ends_precision = PrecisionColumn(_("of the end"), editable=False)
    recorded_on = models.DateField(
        _("registered as already signed on"), null=True, editable=False
    )  # set by record_signed_agreement only: such an agreement claims no approval
    is_signing_confirmed = models.BooleanField(
        _("signing confirmed"), default=False, editable=False
    )  # by who signed it, the office, or a lead who did not enter it: from then on the unit holds the parties
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="created_agreements",
        verbose_name=_("created by"),
    )

    # The section of its page that has a part. Parts that are not named here are in the first one.
    page_sections: ClassVar[Mapping[str, str]] = {
        "activities": "work",
        "log": "work",
        "notes": "work",
        "facilities": "work",
        "people-to-contact": "work",
        "reminders": "work",
        "parties": "terms",
        "terms": "terms",
        "framework": "terms",
        "related": "terms",
        "about": "terms",
        "approval": "terms",
        "sources": "terms",
        "documents": "files",
        "paper": "files",
        "payments": "files",
        "happened": "history",
    }

    objects = AgreementQuerySet.as_manager()
    history = History(excluded_fields=("current_ends_on", "current_ends_precision"))

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["unit", "reference"],
                condition=~Q(reference=""),
                name="agreement_reference_unique_in_unit",
                violation_error_code="reference",
                violation_error_message=_("This unit has an agreement of this reference already."),
            ),
            models.CheckConstraint(condition=Q(status__in=AgreementStatus.values), name="agreement_status_known"),
            models.CheckConstraint(
                condition=~Q(status__in=["signed", "suspended", "completed", "terminated"])
                | Q(signed_on__isnull=False),
                name="agreement_signed_has_date",
                violation_error_message=_("A signed agreement has a date of signing."),
            ),
            models.CheckConstraint(
                condition=Q(is_signing_confirmed=False) | Q(signed_on__isnull=False),
                name="agreement_confirmed_is_signed",
            ),
            models.CheckConstraint(
                condition=~Q(status="suspended") | Q(suspended_on__isnull=False),
                name="agreement_suspended_has_date",
            ),
            models.CheckConstraint(
                condition=Q(status="terminated", terminated_on__isnull=False)
                | (~Q(status="terminated") & Q(terminated_on__isnull=True)),
                name="agreement_terminated_has_date",
            ),
            models.CheckConstraint(
                condition=Q(status="completed", completed_on__isnull=False)
                | (~Q(status="completed") & Q(completed_on__isnull=True)),
                name="agreement_completed_has_date",
            ),
            models.CheckConstraint(
                condition=~Q(parent=F("id")),
                name="agreement_not_below_itself",
                violation_error_code="parent",
                violation_error_message=_("An agreement cannot be its own framework."),
            ),
            models.CheckConstraint(
                condition=~Q(predecessor=F("id")),
                name="agreement_not_after_itself",
                violation_error_code="predecessor",
                violation_error_message=_("An agreement cannot follow itself."),
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gte=0),
                name="agreement_amount_not_negative",
                violation_error_code="amount",
                violation_error_message=_("An amount cannot be negative."),
            ),
            models.CheckConstraint(
                condition=Q(copies__isnull=True) | Q(copies__range=(1, MOST_COPIES)),
                name="agreement_copies_sane",
                violation_error_code="copies",
                violation_error_message=COPIES_ARE_FEW,
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "status", "-id"], name="agreement_by_unit"),  # the lists of a unit
            models.Index(fields=["status", "signed_on"], name="agreement_by_status"),  # in force, quiet, in review
            models.Index(fields=["coordinator", "status"], name="agreement_by_coordinator"),  # my agreements
            models.Index(fields=["current_ends_on", "id"], name="agreement_by_end"),
        ]

    def clean(self) -> None:
        for field in ("parent", "predecessor"):
            if self._is_among_its_own(field):
                raise ValidationError({field: _("This agreement comes back to itself there.")})

    def _is_among_its_own(self, field: str) -> bool:
        """Whether going up by ``field`` leads back here: one query for each step up, and there are few."""
        above, seen = getattr(self, f"{field}_id"), set()
        while above is not None and above not in seen:
            if above == self.pk:
                return True
            seen.add(above)
            above = Agreement.objects.filter(pk=above).values_list(f"{field}_id", flat=True).first()
        return False

    def get_absolute_url(self) -> str:
        return reverse("agreement_detail", args=[self.pk])

    def search_words(self) -> list[str]:
        return [self.title, self.title_zh, self.title_as_signed, self.reference, self.archive_number, self.summary]

    @property
    def is_signing_to_confirm(self) -> bool:
        """Whether it was registered as already signed and is still unconfirmed."""
        was_signed = self.is_signed or self.status in {AgreementStatus.COMPLETED, AgreementStatus.TERMINATED}
        return was_signed and not self.is_signing_confirmed

    @property
    def is_editable(self) -> bool:
        """Title, parties, terms and areas may be edited: it is neither under review nor signed."""
        return self.status in {AgreementStatus.DRAFT, AgreementStatus.RETURNED}

    @property
    def signing_date(self) -> dt.date:
        """Return the day of signing; call it on a signed agreement alone, which always has one."""
        if self.signed_on is None:
            raise ValueError("not signed")
        return self.signed_on

    @property
    def signed(self) -> PartialDate | None:
        return partial_date(self.signed_on, self.signed_precision) if self.signed_on else None

    @property
    def runs_until(self) -> PartialDate | None:
        return partial_date(self.current_ends_on, self.current_ends_precision)

    @property
    def latest_signing(self) -> dt.date:
        """Return the last day on which it may have been signed, which contact and default milestones count from."""
        return self.signed_at_latest or self.signing_date

    @property
    def is_signed(self) -> bool:
        return self.status in {AgreementStatus.SIGNED, AgreementStatus.SUSPENDED}

    @property
    def dates_to_complete(self) -> dict[str, PartialDate]:
        """Return the dates of a signed agreement that are not known to the day, by their names in ``complete_dates``."""
        if not self.is_signed:
            return {}
        terms = sorted(self.terms.all(), key=lambda term: term.number)
        dates = {"signed_on": self.signed}
        if terms:
            dates |= {"starts_on": terms[0].starts, "ends_on": terms[-1].ends}
        return {name: date for name, date in dates.items() if date is not None and not date.is_complete}

    @property
    def has_ended(self) -> bool:
        return self.status in {AgreementStatus.COMPLETED, AgreementStatus.TERMINATED, AgreementStatus.CANCELLED}

    @property
    def current_term(self) -> AgreementTerm | None:
        """Return the term with the highest number; without a query if the terms are prefetched."""
        return last_term(self.terms.all())

    def end_of_period(self, day: dt.date, terms: "Iterable[AgreementTerm] | None" = None) -> dt.date | None:
        """Return the end of the period that runs on ``day``; of a draft or a closed agreement, that of its last term.

        ``terms`` are its terms, where the caller has read them.
        """
        terms = self.terms.all() if terms is None else terms
        if not self.is_signed:
            term = last_term(terms)
            return term.ends_on if term else None
        period = running_period(terms, day)
        return period.ends_on if period else None
