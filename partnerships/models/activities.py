"""Activities: trainings, research projects, visits and whatever else keeps a promise; calls and messages."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.models.agreement_types import CooperationArea
from partnerships.models.agreements import Agreement, AgreementQuerySet
from partnerships.models.base import (
    AmountColumn,
    CurrencyColumn,
    DayColumn,
    History,
    LineField,
    OfficeModel,
    SearchableModel,
    SearchEntry,
    SeededModel,
    StatusField,
    TitledModel,
    VersionedModel,
    WholeNumberColumn,
)
from partnerships.models.organizations import Contact, Organization, through_column
from partnerships.models.parties import MOST_PROMISED
from partnerships.models.sort_keys import NamedModel, SortKeyField
from partnerships.models.users import ScopedQuerySet, Unit, User, away_alone, left_alone
from partnerships.statuses import ActivityStatus

# Without contact for longer than this, an agreement in force counts as quiet.
QUIET_AFTER_DAYS = 180


class ActivityKind(models.TextChoices):
    TRAINING = "training", _("Training")
    RESEARCH_PROJECT = "research_project", _("Research project")
    VISIT = "visit", _("Visit")
    CONSULTING = "consulting", _("Consulting")
    TECHNICAL_SERVICE = "technical_service", _("Technical service")
    INTERNSHIP = "internship", _("Internship or placement")
    MEETING = "meeting", _("Meeting")
    PUBLICITY = "publicity", _("Publicity")
    OTHER = "other", _("Other")


# These go on until they are done: without a planned end, nobody can say when that should be.
LASTING_KINDS = frozenset(
    {ActivityKind.RESEARCH_PROJECT, ActivityKind.CONSULTING, ActivityKind.TECHNICAL_SERVICE, ActivityKind.INTERNSHIP}
)

# Charts and reports count the kinds in these groups; all other kinds are in the last one.
ACTIVITY_GROUPS: Mapping[str, tuple[str, ...]] = {
    "training": (ActivityKind.TRAINING,),
    "project": (ActivityKind.RESEARCH_PROJECT,),
    "visit": (ActivityKind.VISIT,),
}
OTHER_GROUP = "other"


class ActivityQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        """Return the condition for activities of the user's units or under an agreement the user sees."""
        agreements = Agreement.objects.filter(Agreement.objects.in_scope(user))
        return Q(unit__in=user.scope.unit_ids) | Q(agreement__in=agreements.values("pk"))

    def search(self, text: str) -> Self:
        own = SearchEntry.objects.matching(Activity, text)
        named = SearchEntry.objects.matching(Organization, text)
        partners = ActivityOrganization.objects.filter(organization__in=named)
        return self.filter(Q(pk__in=own) | Q(pk__in=partners.values("activity")) | Q(through__in=named))

    def of_organizations(self, ids: Collection[int]) -> Self:
        return self.filter(Exists(ActivityOrganization.objects.filter(activity=OuterRef("pk"), organization__in=ids)))

    def in_regions(self, ids: Collection[int]) -> Self:
        partners = ActivityOrganization.objects.filter(activity=OuterRef("pk"), organization__region__in=ids)
        return self.filter(Exists(partners))

    def completed(self) -> Self:
        return self.filter(status=ActivityStatus.COMPLETED)

    def of_other_kinds(self) -> Self:
        """Return the activities of kinds that are in no named one of ``ACTIVITY_GROUPS``."""
        return self.exclude(kind__in=[kind for kinds in ACTIVITY_GROUPS.values() for kind in kinds])

    def unfinished(self) -> Self:
        return self.exclude(status__in=(ActivityStatus.COMPLETED, ActivityStatus.CANCELLED))

    def lasting_until(self, day: dt.date) -> Self:
        """Return activities that are not over before ``day``.

        Without a planned end, a project lasts until it is completed, a visit one day."""
        going_on = Q(kind__in=LASTING_KINDS, starts_on__isnull=False) & (
            Q(completed_on__gte=day) | ~Q(status__in=(ActivityStatus.COMPLETED, ActivityStatus.CANCELLED))
        )
        return self.filter(Q(ends_on__gte=day) | Q(ends_on__isnull=True) & (Q(starts_on__gte=day) | going_on))

    def orphaned(self) -> Self:
        """Unfinished, and nobody who can be reached looks after it."""
        return self.unfinished().filter(left_alone("owner"))

    def owner_away(self, today: dt.date) -> Self:
        """Unfinished, and the owner is absent without a deputy."""
        return self.unfinished().filter(away_alone("owner", today))

    def credited(self, **to: object) -> Self:
        """Return activities that count: for an ``area``, an ``organization``, or both by one credit.

        What was cancelled does not count, nor what was done under an agreement that was never signed.
        """
        signed = Q(agreement__isnull=True) | Q(agreement__signed_on__isnull=False)
        counting = ActivityCredit.objects.filter(activity=OuterRef("pk"), **to)
        return self.filter(signed, Exists(counting)).exclude(status=ActivityStatus.CANCELLED)


class Activity(TitledModel, NamedModel, SeededModel, SearchableModel, VersionedModel):
    """An activity. What one kind needs beyond this is in ``Training``, ``ResearchProject`` or ``Visit``."""

    kind = models.CharField(_("kind"), max_length=30, choices=ActivityKind)
    sort_key = SortKeyField("title")
    sort_key_zh = SortKeyField("title_zh", "title")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="activities", verbose_name=_("unit"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="activities",
        verbose_name=_("owner"),
    )
    agreement = models.ForeignKey(
        Agreement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="activities",
        verbose_name=_("agreement"),
    )
    event = models.ForeignKey(
        "partnerships.Event",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="activities",
        verbose_name=_("origin"),
    )
    through = through_column("arranged_activities")
    starts_on = DayColumn(_("starts on"), null=True, blank=True)
    ends_on = DayColumn(_("ends on"), null=True, blank=True)
    place = LineField(_("place"), max_length=200, blank=True)
    summary = models.TextField(_("summary"), blank=True)
    next_step = LineField(_("next step"), max_length=200, blank=True)
    no_next_step_reason = LineField(_("why there is no next step"), max_length=300, blank=True)

    status = StatusField(ActivityStatus)
    started_on = models.DateField(_("started on"), null=True, editable=False)
    completed_on = models.DateField(_("completed on"), null=True, editable=False)
    postponed_on = models.DateField(_("postponed on"), null=True, editable=False)
    cancelled_on = models.DateField(_("cancelled on"), null=True, editable=False)

    objects = ActivityQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        ordering = ["-starts_on", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ActivityKind.values), name="activity_kind_known"),
            models.CheckConstraint(condition=Q(status__in=ActivityStatus.values), name="activity_status_known"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=False, ends_on__gte=F("starts_on")),
                name="activity_ends_after_start",
                violation_error_code="ends_on",
                violation_error_message=_("An activity cannot end before it starts."),
            ),
            models.CheckConstraint(
                condition=Q(status="completed", completed_on__isnull=False)
                | ~Q(status="completed") & Q(completed_on__isnull=True),
                name="activity_completed_has_date",
            ),
        ]
        indexes = [
            models.Index(fields=["agreement", "status", "completed_on"], name="activity_by_agreement"),  # quiet
            models.Index(fields=["unit", "status", "-id"], name="activity_by_unit"),  # the lists of a unit
            models.Index(fields=["owner", "status"], name="activity_by_owner"),  # my activities
        ]

    def get_absolute_url(self) -> str:
        return reverse("activity_detail", args=[self.pk])

    def search_words(self) -> list[str]:
        return [self.title, self.title_zh, self.place, self.summary]

    @property
    def planned_end(self) -> dt.date | None:
        """Return the last day; without one, a visit or a training is over on the day it starts."""
        return self.ends_on or (None if self.kind in LASTING_KINDS else self.starts_on)


class ActivityOrganization(OfficeModel):
    """An organization taking part in an activity."""

    activity = models.ForeignKey(Activity, models.CASCADE, related_name="partners", verbose_name=_("activity"))
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="activity_rows", verbose_name=_("organization")
    )

    history = History()

    class Meta:
        verbose_name = _("organization taking part")
        verbose_name_plural = _("organizations taking part")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["activity", "organization"],
                name="activity_organization_unique",
                violation_error_code="organization",
                violation_error_message=_("This organization takes part already."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.organization)


class ActivityCredit(OfficeModel):
    """A credit: an activity counts as delivery of a quantity in a promised area to an organization."""

    activity = models.ForeignKey(Activity, models.CASCADE, related_name="credits", verbose_name=_("activity"))
    area = models.ForeignKey(
        CooperationArea, models.PROTECT, related_name="credits", verbose_name=_("cooperation area")
    )
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="credits", verbose_name=_("organization")
    )
    quantity = WholeNumberColumn(
        _("quantity"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PROMISED)],
        help_text=_("In what the agreement counts, such as courses or places."),
    )

    history = History()

    class Meta:
        verbose_name = _("credit")
        verbose_name_plural = _("credits")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["activity", "area", "organization"],
                name="activity_credit_unique",
                violation_error_code="organization",
                violation_error_message=_("This counts already."),
            ),
            models.CheckConstraint(
                condition=Q(quantity__range=(1, MOST_PROMISED)),
                name="activity_credit_quantity_sane",
                violation_error_code="quantity",
                violation_error_message=_("What counts is a number from 1 to a million."),
            ),
        ]
        indexes = [
            models.Index(fields=["area", "organization"], name="activity_credit_by_promise"),  # promise x delivery
        ]

    def __str__(self) -> str:
        return credit_words(self.area, self.organization, self.quantity)


def credit_words(area: CooperationArea, organization: Organization, quantity: int) -> str:
    """Return a credit in words; the quantity is named where it is not one."""
    words = f"{area} · {organization}"
    return words if quantity == 1 else f"{words} · {quantity}"


class Training(OfficeModel):
    """The details of a training."""

    activity = models.OneToOneField(Activity, models.CASCADE, related_name="training", verbose_name=_("activity"))
    audience = LineField(_("audience"), max_length=200, blank=True)
    headcount = WholeNumberColumn(_("people trained"), null=True, blank=True, validators=[MaxValueValidator(1_000_000)])
    hours = AmountColumn(_("hours"), max_digits=6, decimal_places=1, null=True, blank=True)

    history = History()

    class Meta:
        verbose_name = _("training")
        verbose_name_plural = _("training")
        constraints = [
            models.CheckConstraint(
                condition=Q(hours__isnull=True) | Q(hours__gte=0),
                name="training_hours_not_negative",
                violation_error_code="hours",
                violation_error_message=_("Hours cannot be negative."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.activity)


class ResearchProject(OfficeModel):
    """The details of a research project."""

    activity = models.OneToOneField(
        Activity, models.CASCADE, related_name="research_project", verbose_name=_("activity")
    )
    principal_investigator = LineField(_("principal investigator"), max_length=150, blank=True)
    budget = AmountColumn(_("budget"), max_digits=14, decimal_places=2, null=True, blank=True)
    currency = CurrencyColumn(_("currency"))
    outcomes = models.TextField(_("outcomes"), blank=True)
    intellectual_property = models.TextField(_("intellectual property"), blank=True)

    history = History()

    class Meta:
        verbose_name = _("research project")
        verbose_name_plural = _("research project")
        constraints = [
            models.CheckConstraint(
                condition=Q(budget__isnull=True) | Q(budget__gte=0),
                name="research_project_budget_not_negative",
                violation_error_code="budget",
                violation_error_message=_("A budget cannot be negative."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.activity)


class Visit(models.Model):
    """The details of a visit."""

    activity = models.OneToOneField(Activity, models.CASCADE, related_name="visit", verbose_name=_("activity"))
    host = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="hosted_visits",
        verbose_name=_("host"),
    )
    delegation = models.TextField(_("delegation"), blank=True)
    findings = models.TextField(_("findings"), blank=True)

    history = History()

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visit")

    def __str__(self) -> str:
        return str(self.activity)


class ContactNoteQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        agreements = Agreement.objects.filter(Agreement.objects.in_scope(user))
        return Q(unit__in=user.scope.unit_ids) | Q(agreement__in=agreements.values("pk"))


class ContactNote(SeededModel, SearchableModel, VersionedModel):
    """A call, a message or a word in passing, logged in seconds."""

    class Channel(models.TextChoices):
        CALL = "call", _("Call")
        MESSAGE = "message", pgettext_lazy("channel of a contact", "Message")
        EMAIL = "email", _("E-mail")
        IN_PERSON = "in_person", _("In person")

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="contact_notes", verbose_name=_("unit"))
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="contact_notes",
        verbose_name=_("author"),
    )
    agreement = models.ForeignKey(
        Agreement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="contact_notes",
        verbose_name=_("agreement"),
    )
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="contact_notes",
        verbose_name=_("organization"),
    )
    contact = models.ForeignKey(
        Contact,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="contact_notes",
        verbose_name=_("contact"),
    )
    milestone = models.ForeignKey(
        "partnerships.Milestone",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="contact_notes",
        verbose_name=_("milestone"),
    )
    channel = models.CharField(_("how"), max_length=20, choices=Channel, default=Channel.CALL)
    happened_on = DayColumn(_("when"))
    summary = models.TextField(_("what was said"))

    objects = ContactNoteQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("contact note")
        verbose_name_plural = _("contact notes")
        ordering = ["-happened_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(agreement__isnull=False) | Q(organization__isnull=False),
                name="contact_note_is_about_something",
                violation_error_code="agreement",
                violation_error_message=_("Say which agreement or organization this is about."),
            ),
        ]
        indexes = [
            models.Index(fields=["agreement", "happened_on"], name="contact_note_by_agreement"),  # quiet
        ]

    def search_words(self) -> list[str]:
        return [self.summary]

    def __str__(self) -> str:
        return f"{self.happened_on.isoformat()} · {self.get_channel_display()}"


def quiet_agreements(
    agreements: AgreementQuerySet, today: dt.date, *, since: dt.date | None = None
) -> AgreementQuerySet:
    """Return those in force that had neither a completed activity nor a contact note since ``since``.

    ``since`` is ``QUIET_AFTER_DAYS`` before ``today`` unless given; an agreement signed after it is not quiet yet.
    Planned activities do not count, nor does what was done after ``today``, where that is a day in the past.
    """
    since = since or today - dt.timedelta(days=QUIET_AFTER_DAYS)
    until = max(since, today)
    done = Activity.objects.completed().filter(agreement=OuterRef("pk"), completed_on__range=(since, until))
    notes = ContactNote.objects.filter(agreement=OuterRef("pk"), happened_on__range=(since, until))
    signed = Q(signed_at_latest__isnull=True) | Q(signed_at_latest__lt=since)
    return agreements.in_force(today).filter(signed, ~Exists(done), ~Exists(notes), signed_on__lt=since)


def with_contacted_on(agreements: AgreementQuerySet, today: dt.date) -> AgreementQuerySet:
    """Add ``contacted_on``: the day of the last completed activity, contact note or signing, as it was known by ``today``.

    Those in force for which it lies before ``quiet_agreements``'s ``since`` are quiet.
    """
    done = Activity.objects.completed().filter(agreement=OuterRef("pk"), completed_on__lte=today)
    notes = ContactNote.objects.filter(agreement=OuterRef("pk"), happened_on__lte=today)
    signed = Coalesce("signed_at_latest", "signed_on")
    completed = Subquery(done.order_by("-completed_on").values("completed_on")[:1])
    noted = Subquery(notes.order_by("-happened_on").values("happened_on")[:1])
    # The greatest of a day and null is null on SQLite.
    latest = Greatest(signed, Coalesce(completed, signed), Coalesce(noted, signed), output_field=models.DateField())
    return agreements.annotate(contacted_on=latest)
