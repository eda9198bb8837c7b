"""Honour schemes (titles that authorities give to enterprises) and who holds them until when."""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partnerships.models.base import (
    BilingualModel,
    DayColumn,
    History,
    LineField,
    SearchableModel,
    SearchEntry,
    SeededModel,
    SmallNumberColumn,
    StatusField,
    VersionedModel,
)
from partnerships.models.organizations import Organization
from partnerships.models.sort_keys import ByName
from partnerships.models.users import ScopedQuerySet, Unit, User
from partnerships.statuses import HonourStatus


class HonourSchemeQuerySet(ScopedQuerySet):
    """The catalogue is readable by everybody with a role."""

    def in_scope(self, user: User) -> Q:
        return Q() if user.scope.roles else Q(pk__in=[])


class HonourScheme(BilingualModel, SeededModel, VersionedModel):
    """A title such as "Little Giant": who gives it, on which level, for how long, and which title comes next."""

    class Level(models.TextChoices):
        NATIONAL = "national", _("National")
        PROVINCIAL = "provincial", _("Provincial")
        MUNICIPAL = "municipal", _("Municipal")

    level = models.CharField(_("level"), max_length=20, choices=Level)
    issuer = LineField(_("issuer"), max_length=200, blank=True)
    validity_months = SmallNumberColumn(
        _("valid for (months)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(1200)],
        help_text=_("Empty when it does not lapse, or when that is not known."),
    )
    next_scheme = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="previous_schemes",
        verbose_name=_("next level"),
        help_text=_("The title a holder can apply for next."),
    )

    objects = HonourSchemeQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("honor scheme")
        verbose_name_plural = _("honor schemes")
        ordering = [ByName(), "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(next_scheme=F("id")),
                name="honour_scheme_not_after_itself",
                violation_error_code="next_scheme",
                violation_error_message=_("A scheme cannot be its own next level."),
            ),
        ]

    def clean(self) -> None:
        if self.pk and self.next_scheme and self in self.next_scheme.with_levels_above():
            words = _("This scheme comes below it already: the ladder would be a circle.")
            raise ValidationError({"next_scheme": words})

    def get_absolute_url(self) -> str:
        return reverse("honour_scheme_detail", args=[self.pk])

    def with_levels_above(self) -> Iterator["HonourScheme"]:
        """Return the scheme and the levels above it, each once."""
        seen: set[int] = set()
        scheme: HonourScheme | None = self
        while scheme is not None and scheme.pk not in seen:
            yield scheme
            seen.add(scheme.pk)
            scheme = scheme.next_scheme


class HonourQuerySet(ScopedQuerySet):
    """Honours are public: readable by everybody with a role, edited by the unit that watches them."""

    def in_scope(self, user: User) -> Q:
        return Q() if user.scope.roles else Q(pk__in=[])

    def search(self, text: str) -> Self:
        own = SearchEntry.objects.matching(Honour, text)
        holders = SearchEntry.objects.matching(Organization, text)
        return self.filter(Q(pk__in=own) | Q(organization__in=holders))

    def in_regions(self, ids: Collection[int]) -> Self:
        return self.filter(organization__region__in=ids)

    def recorded(self) -> Self:
        """Return honours without those that were recorded in error."""
        return self.filter(status=HonourStatus.RECORDED)

    def valid(self, today: dt.date) -> Self:
        """Granted, and not lapsed on ``today``."""
        return self.recorded().filter(Q(valid_until__isnull=True) | Q(valid_until__gte=today), granted_on__lte=today)

    def lapsing(self, today: dt.date, *, until: dt.date) -> Self:
        return self.recorded().filter(valid_until__range=(today, until))

    def could_rise(self, today: dt.date) -> Self:
        """Valid, their scheme has a next level, and the holder does not have that one yet."""
        higher = Honour.objects.valid(today).filter(
            organization=OuterRef("organization"), scheme=OuterRef("scheme__next_scheme")
        )
        return self.valid(today).filter(~Exists(higher), scheme__next_scheme__isnull=False)


class Honour(SeededModel, SearchableModel, VersionedModel):
    """An honour an organization holds; before it lapses somebody has to act, so it has a derived milestone."""

    scheme = models.ForeignKey(HonourScheme, models.PROTECT, related_name="honours", verbose_name=_("scheme"))
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="honours", verbose_name=_("organization")
    )
    unit = models.ForeignKey(
        Unit, models.PROTECT, related_name="honours", verbose_name=_("unit"), help_text=_("Watches the dates.")
    )
    batch = LineField(_("batch"), max_length=50, blank=True)
    granted_on = DayColumn(_("granted on"))
    valid_until = DayColumn(_("valid until"), null=True, blank=True)
    evidence = models.TextField(_("evidence"), blank=True)

    status = StatusField(HonourStatus)
    withdrawn_on = models.DateField(_("withdrawn on"), null=True, editable=False)

    objects = HonourQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("honor")
        verbose_name_plural = _("honors")
        ordering = ["-granted_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["scheme", "organization", "granted_on"],
                # Withdrawn honours do not count: one that was recorded in error must not block the right one.
                condition=Q(status=HonourStatus.RECORDED),
                name="honour_unique",
                violation_error_code="granted_on",
                violation_error_message=_("This honor is recorded already."),
            ),
            models.CheckConstraint(condition=Q(status__in=HonourStatus.values), name="honour_status_known"),
            models.CheckConstraint(
                condition=Q(status="withdrawn", withdrawn_on__isnull=False)
                | Q(status="recorded", withdrawn_on__isnull=True),
                name="honour_withdrawn_has_date",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("granted_on")),
                name="honour_lapses_after_grant",
                violation_error_code="valid_until",
                violation_error_message=_("An honor cannot lapse before it was granted."),
            ),
        ]
        indexes = [models.Index(fields=["valid_until"], name="honour_by_lapse")]  # who lapses this half-year

    def __str__(self) -> str:
        return f"{self.scheme} · {self.organization}"

    def get_absolute_url(self) -> str:
        return reverse("honour_detail", args=[self.pk])

    def search_words(self) -> list[str]:
        return [self.scheme.name, self.scheme.name_zh, self.batch, self.evidence]
