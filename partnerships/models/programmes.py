"""Programmes: what several events, agreements, facilities and demands belong to."""

from collections.abc import Mapping
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

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
    VersionedModel,
    WholeNumberColumn,
    exactly_one,
)
from partnerships.models.demands import Demand
from partnerships.models.events import Event
from partnerships.models.facilities import Facility
from partnerships.models.organizations import Organization
from partnerships.models.sort_keys import ByName
from partnerships.models.users import Role, ScopedQuerySet, Unit, User

PROGRAMME_ITEMS = ("event", "agreement", "facility", "demand")


class ProgrammeMeasure(models.TextChoices):
    """The records that a target counts; ``reports.figures`` defines how."""

    EVENTS = "events", _("events held")
    AGREEMENTS = "agreements", _("agreements signed")
    FACILITIES = "facilities", _("facilities opened")
    DEMANDS = "demands", _("demands released")
    ENTERPRISES = "enterprises", _("enterprises taking part")


class ProgrammeQuerySet(ScopedQuerySet):
    """Programmes are readable by everybody with a role and edited by their unit."""

    def in_scope(self, user: User) -> Q:
        return Q() if user.scope.roles else Q(pk__in=[])

    def edited_by(self, user: User) -> Self:
        """Return programmes that ``user`` may edit, and so put on records as a label.

        As rows what ``may(user, "programme.edit", programme)`` says of one.
        """
        return self if user.sees_all_units else self.filter(unit__in=user.scope.unit_ids_as(Role.COORDINATOR))

    def search(self, text: str) -> Self:
        return self.filter(pk__in=SearchEntry.objects.matching(Programme, text))


class Programme(BilingualModel, SeededModel, SearchableModel, VersionedModel):
    """A label with organizers, a period and target figures."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="programmes", verbose_name=_("unit"))
    starts_on = DayColumn(_("starts on"), null=True, blank=True)
    ends_on = DayColumn(_("ends on"), null=True, blank=True)
    summary = models.TextField(_("summary"), blank=True)

    # The section of its page that has a part. Parts that are not named here are in the first one.
    page_sections: ClassVar[Mapping[str, str]] = {
        "items": "items",
        "documents": "files",
        "happened": "history",
    }

    objects = ProgrammeQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("program")
        verbose_name_plural = _("programs")
        ordering = [ByName(), "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="programme_ends_after_start",
                violation_error_code="ends_on",
                violation_error_message=_("A program cannot end before it starts."),
            ),
        ]

    def get_absolute_url(self) -> str:
        return reverse("programme_detail", args=[self.pk])

    def search_words(self) -> list[str]:
        return [self.name, self.name_zh, self.summary]


class ProgrammeOrganizer(OfficeModel):
    """An organization that runs a programme, or one at which it takes place."""

    class Role(models.TextChoices):
        ORGANIZER = "organizer", _("Organizer")
        VENUE = "venue", _("Visited under the program")

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="organizers", verbose_name=_("program"))
    organization = models.ForeignKey(
        Organization, models.PROTECT, related_name="programme_rows", verbose_name=_("organization")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.ORGANIZER)

    history = History()

    class Meta:
        verbose_name = _("organizer")
        verbose_name_plural = _("organizers")
        ordering = ["role", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "organization", "role"],
                name="programme_organizer_unique",
                violation_error_code="organization",
                violation_error_message=_("This organization is listed already."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.organization)


class ProgrammeItem(OfficeModel):
    """The label on one event, agreement, facility or demand; each may carry several programmes."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="items", verbose_name=_("program"))
    event = models.ForeignKey(
        Event, models.CASCADE, null=True, blank=True, related_name="programme_items", verbose_name=_("event")
    )
    agreement = models.ForeignKey(
        Agreement, models.CASCADE, null=True, blank=True, related_name="programme_items", verbose_name=_("agreement")
    )
    facility = models.ForeignKey(
        Facility, models.CASCADE, null=True, blank=True, related_name="programme_items", verbose_name=_("facility")
    )
    demand = models.ForeignKey(
        Demand, models.CASCADE, null=True, blank=True, related_name="programme_items", verbose_name=_("demand")
    )

    history = History()

    class Meta:
        verbose_name = _("item of a program")
        verbose_name_plural = _("items of a program")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=exactly_one(*PROGRAMME_ITEMS),
                name="programme_item_is_one_thing",
                violation_error_message=_("An item is an event, an agreement, a facility or a demand."),
            ),
            *(
                models.UniqueConstraint(
                    fields=["programme", item],
                    condition=Q(**{f"{item}__isnull": False}),
                    name=f"programme_item_{item}_unique",
                    violation_error_message=_("It belongs to the program already."),
                )
                for item in PROGRAMME_ITEMS
            ),
        ]

    def __str__(self) -> str:
        return str(self.target)

    @property
    def target(self) -> VersionedModel:
        return next(getattr(self, name) for name in PROGRAMME_ITEMS if getattr(self, f"{name}_id"))


class ProgrammeTarget(OfficeModel):
    """A number the programme wants to reach, counted by the stated measure."""

    programme = models.ForeignKey(Programme, models.CASCADE, related_name="targets", verbose_name=_("program"))
    measure = models.CharField(_("measure"), max_length=20, choices=ProgrammeMeasure)
    value = WholeNumberColumn(_("target"))
    by_on = DayColumn(pgettext_lazy("a date", "by"), null=True, blank=True)
    note = LineField(_("note"), max_length=200, blank=True)

    history = History()

    class Meta:
        verbose_name = _("target figure")
        verbose_name_plural = _("target figures")
        ordering = ["measure", "by_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["programme", "measure"],
                name="programme_target_unique",
                violation_error_code="measure",
                violation_error_message=_("The program has a target for this already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.value} {self.get_measure_display()}"
