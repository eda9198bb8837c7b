"""Joint facilities: employment bases, workstations, laboratories and training bases run together."""

import datetime as dt
from collections.abc import Collection
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partnerships.models.agreement_types import CooperationArea
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
    VersionedModel,
    WholeNumberColumn,
)
from partnerships.models.events import Event
from partnerships.models.organizations import Organization, Region
from partnerships.models.sort_keys import ByName
from partnerships.models.users import ScopedQuerySet, Unit, User, away_alone, left_alone
from partnerships.statuses import FacilityStatus


class FacilityKind(models.TextChoices):
    EMPLOYMENT_BASE = "employment_base", _("Employment base")
    WORKSTATION = "workstation", _("Professor (doctoral) workstation")
    JOINT_LABORATORY = "joint_laboratory", _("Joint laboratory")
    TRAINING_BASE = "training_base", _("Training base")


class FacilityQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        """Return the condition for facilities of the user's units or under an agreement the user sees."""
        agreements = Agreement.objects.filter(Agreement.objects.in_scope(user))
        return Q(unit__in=user.scope.unit_ids) | Q(agreement__in=agreements.values("pk"))

    def search(self, text: str) -> Self:
        own = SearchEntry.objects.matching(Facility, text)
        partners = FacilityPartner.objects.filter(organization__in=SearchEntry.objects.matching(Organization, text))
        return self.filter(Q(pk__in=own) | Q(pk__in=partners.values("facility")))

    def of_organizations(self, ids: Collection[int]) -> Self:
        return self.filter(Exists(FacilityPartner.objects.filter(facility=OuterRef("pk"), organization__in=ids)))

    def running(self) -> Self:
        """Opened at some time and not closed since."""
        return self.filter(status__in=(FacilityStatus.OPENED, FacilityStatus.SUSPENDED))

    def credited(self) -> Self:
        """Return facilities that count for an area: planned, or opened at some time, under a signed agreement."""
        signed = Q(agreement__isnull=True) | Q(agreement__signed_on__isnull=False)
        counts = Q(status=FacilityStatus.PLANNED) | Q(opened_on__isnull=False)
        return self.filter(signed, counts, area__isnull=False)

    def not_closed(self) -> Self:
        return self.exclude(status=FacilityStatus.CLOSED)

    def orphaned(self) -> Self:
        """Return facilities that are not closed and have no owner who can be reached."""
        return self.not_closed().filter(left_alone("owner"))

    def owner_away(self, today: dt.date) -> Self:
        """Return facilities that are not closed and whose owner is absent without a deputy."""
        return self.not_closed().filter(away_alone("owner", today))


class Facility(BilingualModel, SeededModel, SearchableModel, VersionedModel):
    """A joint facility. It is reviewed every year while it is open; status and its dates are the workflow's."""

    kind = models.CharField(_("kind"), max_length=30, choices=FacilityKind)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="facilities", verbose_name=_("unit"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="facilities",
        verbose_name=_("owner"),
    )
    agreement = models.ForeignKey(
        Agreement, models.PROTECT, null=True, blank=True, related_name="facilities", verbose_name=_("agreement")
    )
    area = models.ForeignKey(
        CooperationArea,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="facilities",
        verbose_name=_("counts for"),
        help_text=_("The area of the agreement in which it counts as one delivery once it has opened."),
    )
    event = models.ForeignKey(
        Event, models.PROTECT, null=True, blank=True, related_name="facilities", verbose_name=_("opened at")
    )
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, related_name="facilities", verbose_name=_("region")
    )
    site = LineField(_("site"), max_length=200, blank=True)
    starts_on = DayColumn(_("agreed from"), null=True, blank=True)
    ends_on = DayColumn(_("agreed until"), null=True, blank=True)
    capacity = WholeNumberColumn(
        _("capacity (people)"), null=True, blank=True, validators=[MaxValueValidator(1_000_000)]
    )
    summary = models.TextField(_("summary"), blank=True)

    status = StatusField(FacilityStatus)
    opened_on = models.DateField(_("opened on"), null=True, editable=False)
    suspended_on = models.DateField(_("suspended on"), null=True, editable=False)
    closed_on = models.DateField(_("closed on"), null=True, editable=False)

    objects = FacilityQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("joint facility")
        verbose_name_plural = _("joint facilities")
        ordering = [ByName(), "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=FacilityKind.values), name="facility_kind_known"),
            models.CheckConstraint(condition=Q(status__in=FacilityStatus.values), name="facility_status_known"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=False, ends_on__gte=F("starts_on")),
                name="facility_ends_after_start",
                violation_error_code="ends_on",
                violation_error_message=_("A facility cannot end before it starts."),
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["opened", "suspended"]) | Q(opened_on__isnull=False),
                name="facility_opened_has_date",
            ),
            models.CheckConstraint(
                condition=Q(status="closed", closed_on__isnull=False) | ~Q(status="closed") & Q(closed_on__isnull=True),
                name="facility_closed_has_date",
            ),
        ]
        indexes = [
            models.Index(fields=["unit", "status", "-id"], name="facility_by_unit"),  # the lists of a unit
            models.Index(fields=["event", "kind"], name="facility_by_event"),  # counted against reported figures
        ]

    def get_absolute_url(self) -> str:
        return reverse("facility_detail", args=[self.pk])

    def search_words(self) -> list[str]:
        return [self.name, self.name_zh, self.site, self.summary]


class FacilityPartner(OfficeModel):
    """A side of a joint facility and who heads it there."""

    facility = models.ForeignKey(Facility, models.CASCADE, related_name="partners", verbose_name=_("joint facility"))
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="facility_rows", verbose_name=_("organization")
    )
    is_host = models.BooleanField(_("on its site"), default=False)
    head = LineField(_("head on this side"), max_length=150, blank=True)

    history = History()

    class Meta:
        verbose_name = _("side of a facility")
        verbose_name_plural = _("sides of a facility")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["facility", "organization"],
                name="facility_partner_unique",
                violation_error_code="organization",
                violation_error_message=_("This organization is listed already."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.organization)
