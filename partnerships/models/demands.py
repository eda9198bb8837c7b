"""Enterprises ask, universities answer: demands, achievements on offer, answers, and what came of them."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.models.activities import Activity
from partnerships.models.agreements import Agreement
from partnerships.models.base import (
    BilingualModel,
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
    exactly_one,
)
from partnerships.models.events import Event
from partnerships.models.organizations import Organization, through_column
from partnerships.models.sort_keys import ByName, NamedModel, SortKeyField
from partnerships.models.users import ScopedQuerySet, Unit, User, away_alone, left_alone
from partnerships.statuses import AnswerStatus, DemandStatus


class DemandQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        """Return the condition for demands of the user's units, or asked of one of them."""
        asked = Answer.objects.filter(demand=OuterRef("pk"), unit__in=user.scope.unit_ids)
        return Q(unit__in=user.scope.unit_ids) | Q(Exists(asked))

    def search(self, text: str) -> Self:
        own = SearchEntry.objects.matching(Demand, text)
        named = SearchEntry.objects.matching(Organization, text)
        return self.filter(Q(pk__in=own) | Q(organization__in=named) | Q(through__in=named))

    def in_regions(self, ids: Collection[int]) -> Self:
        return self.filter(organization__region__in=ids)

    def pending(self) -> Self:
        return self.exclude(status__in=(DemandStatus.AGREED, DemandStatus.NO_MATCH))

    def orphaned(self) -> Self:
        """Pending, and nobody who can be reached looks after it."""
        return self.pending().filter(left_alone("owner"))

    def owner_away(self, today: dt.date) -> Self:
        """Pending, and the owner is absent without a deputy."""
        return self.pending().filter(away_alone("owner", today))


class Demand(TitledModel, NamedModel, SeededModel, SearchableModel, VersionedModel):
    """A demand of an enterprise, in its own words and reworded by the office for universities.

    A demand known from a source that does not print its content is recorded as such, without inventing any.
    """

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="demands", verbose_name=_("unit"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="demands",
        verbose_name=_("owner"),
    )
    organization = models.ForeignKey(Organization, models.PROTECT, related_name="demands", verbose_name=_("asked by"))
    through = through_column("arranged_demands")
    sort_key = SortKeyField("title")
    sort_key_zh = SortKeyField("title_zh", "title")
    is_content_published = models.BooleanField(
        _("content is known"), default=True, help_text=_("Off when a source names the demand, but not what it asks.")
    )
    original_wording = models.TextField(_("original wording"), blank=True)
    rewritten_wording = models.TextField(
        _("rewritten wording"), blank=True, help_text=_("As the office puts it to universities.")
    )
    field = LineField(pgettext_lazy("of knowledge", "field"), max_length=100, blank=True)
    deadline_on = DayColumn(_("deadline"), null=True, blank=True)
    event = models.ForeignKey(
        Event, models.PROTECT, null=True, blank=True, related_name="demands", verbose_name=_("released at")
    )

    status = StatusField(DemandStatus)
    released_on = DayColumn(_("released on"))
    asked_on = models.DateField(_("asked on"), null=True, editable=False)
    answered_on = models.DateField(_("answered on"), null=True, editable=False)
    agreed_on = models.DateField(_("agreed on"), null=True, editable=False)
    closed_on = models.DateField(_("closed without a match on"), null=True, editable=False)

    # The section of its page that has a part. Parts that are not named here are in the first one.
    page_sections: ClassVar[Mapping[str, str]] = {
        "documents": "files",
        "happened": "history",
    }

    objects = DemandQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("demand")
        verbose_name_plural = _("demands")
        ordering = ["-released_on", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=DemandStatus.values), name="demand_status_known"),
            models.CheckConstraint(
                condition=Q(is_content_published=True) | Q(original_wording="", rewritten_wording=""),
                name="demand_unpublished_has_no_wording",
                violation_error_code="is_content_published",
                violation_error_message=_("There is a wording, so the content is known."),
            ),
            models.CheckConstraint(
                condition=Q(is_content_published=False) | ~Q(original_wording="") | ~Q(rewritten_wording=""),
                name="demand_published_has_wording",
                violation_error_code="original_wording",
                violation_error_message=_("Give the wording, or say that the content is not known."),
            ),
            models.CheckConstraint(
                condition=~Q(through=F("organization")),
                name="demand_not_through_asker",
                violation_error_code="through",
                violation_error_message=_(
                    "The organization that asks cannot be its own intermediary: leave this empty."
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "status", "-id"], name="demand_by_unit"),  # the lists of a unit
            models.Index(fields=["event", "status"], name="demand_by_event"),  # counted against reported figures
        ]

    def get_absolute_url(self) -> str:
        return reverse("demand_detail", args=[self.pk])

    def search_words(self) -> list[str]:
        return [self.title, self.title_zh, self.field, self.original_wording, self.rewritten_wording]

    @property
    def is_pending(self) -> bool:
        return self.status not in {DemandStatus.AGREED, DemandStatus.NO_MATCH}


class AchievementQuerySet(ScopedQuerySet):
    """Achievements are on offer to everybody with a role."""

    def in_scope(self, user: User) -> Q:
        return Q() if user.scope.roles else Q(pk__in=[])

    def search(self, text: str) -> Self:
        own = SearchEntry.objects.matching(Achievement, text)
        owners = SearchEntry.objects.matching(Organization, text)
        return self.filter(Q(pk__in=own) | Q(organization__in=owners))


class Achievement(BilingualModel, SeededModel, SearchableModel, VersionedModel):
    """A research achievement that an institution offers."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="achievements", verbose_name=_("unit"))
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="achievements", verbose_name=_("offered by")
    )
    field = LineField(pgettext_lazy("of knowledge", "field"), max_length=100, blank=True)
    description = models.TextField(_("description"), blank=True)
    intellectual_property = LineField(_("intellectual property"), max_length=200, blank=True)
    people = LineField(_("people behind it"), max_length=200, blank=True)
    is_on_offer = models.BooleanField(_("on offer"), default=True)

    objects = AchievementQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("achievement")
        verbose_name_plural = _("achievements")
        ordering = [ByName(), "pk"]

    def get_absolute_url(self) -> str:
        return reverse("achievement_detail", args=[self.pk])

    def search_words(self) -> list[str]:
        return [self.name, self.name_zh, self.field, self.description]


class AnswerQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        """Return the condition for answers to demands of the user's units, and the own answers of the user's units."""
        return Q(unit__in=user.scope.unit_ids) | Q(demand__unit__in=user.scope.unit_ids)


class Answer(VersionedModel):
    """A unit asked to answer a demand, and how far its answer came."""

    demand = models.ForeignKey(Demand, models.CASCADE, related_name="answers", verbose_name=_("demand"))
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="answers", verbose_name=_("unit"))
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="answers",
        verbose_name=_("institution"),
        help_text=_("Whose researchers answer, where it is not the unit's own."),
    )
    person = LineField(_("who answers"), max_length=150, blank=True)
    achievement = models.ForeignKey(
        Achievement, models.PROTECT, null=True, blank=True, related_name="answers", verbose_name=_("achievement")
    )
    match_reason = LineField(_("why it fits"), max_length=300, blank=True)
    summary = models.TextField(_("answer"), blank=True)
    status = StatusField(AnswerStatus, _("stage"))
    asked_on = models.DateField(_("asked on"), null=True, editable=False)
    proposed_on = models.DateField(_("proposed on"), null=True, editable=False)
    shortlisted_on = models.DateField(_("shortlisted on"), null=True, editable=False)
    chosen_on = models.DateField(_("chosen on"), null=True, editable=False)
    declined_on = models.DateField(_("declined on"), null=True, editable=False)

    objects = AnswerQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("answer")
        verbose_name_plural = _("answers")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["demand", "unit", "person"],
                name="answer_unique",
                violation_error_code="person",
                violation_error_message=_("This person of this unit was asked already."),
            ),
            models.CheckConstraint(condition=Q(status__in=AnswerStatus.values), name="answer_status_known"),
            models.UniqueConstraint(
                fields=["demand"],
                condition=Q(status="chosen"),
                name="answer_chosen_once",
                violation_error_message=_("Another answer was chosen already."),
            ),
        ]

    def __str__(self) -> str:
        return self.person or str(self.unit)

    def get_absolute_url(self) -> str:
        """Return the address of the answer on its demand's page."""
        return f"{self.demand.get_absolute_url()}#answer-{self.pk}"


class DemandOutcome(OfficeModel):
    """The outcome of a demand: a link to the agreement or research project that it led to."""

    demand = models.ForeignKey(Demand, models.PROTECT, related_name="outcomes", verbose_name=_("demand"))
    answer = models.ForeignKey(
        Answer, models.PROTECT, null=True, blank=True, related_name="outcomes", verbose_name=_("answer")
    )
    agreement = models.ForeignKey(
        Agreement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="demand_outcomes",
        verbose_name=_("agreement"),
    )
    activity = models.ForeignKey(
        Activity, models.PROTECT, null=True, blank=True, related_name="demand_outcomes", verbose_name=_("project")
    )

    history = History()

    class Meta:
        verbose_name = _("outcome of a demand")
        verbose_name_plural = _("outcomes of a demand")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=exactly_one("agreement", "activity"),
                name="demand_outcome_is_one_thing",
                violation_error_message=_("An outcome is an agreement or a project."),
            ),
            models.UniqueConstraint(
                fields=["demand", "agreement"],
                condition=Q(agreement__isnull=False),
                name="demand_outcome_agreement_unique",
            ),
            models.UniqueConstraint(
                fields=["demand", "activity"],
                condition=Q(activity__isnull=False),
                name="demand_outcome_activity_unique",
            ),
        ]

    def __str__(self) -> str:
        return str(self.agreement or self.activity)
