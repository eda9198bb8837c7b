"""Events where institutions and enterprises meet, and who took part."""

from collections.abc import Collection, Mapping
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

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
    exactly_one,
)
from partnerships.models.organizations import Contact, Organization, Region, names_of
from partnerships.models.users import ScopedQuerySet, Unit, User
from partnerships.statuses import EventStatus


class EventQuerySet(ScopedQuerySet):
    """Events are readable by everybody with a role and edited by their unit."""

    def in_scope(self, user: User) -> Q:
        return Q() if user.scope.roles else Q(pk__in=[])

    def recorded(self) -> Self:
        """Return events without those that were recorded in error."""
        return self.filter(status=EventStatus.RECORDED)

    def search(self, text: str) -> Self:
        return self.filter(pk__in=SearchEntry.objects.matching(Event, text))

    def of_organizations(self, ids: Collection[int]) -> Self:
        return self.filter(Exists(Participation.objects.filter(event=OuterRef("pk"), organization__in=ids)))


class Event(BilingualModel, SeededModel, SearchableModel, VersionedModel):
    """A docking meeting, a signing ceremony, a conference. One event may be several of these at once."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="events", verbose_name=_("unit"))
    starts_on = DayColumn(_("starts on"))
    ends_on = DayColumn(_("ends on"), null=True, blank=True)
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, related_name="events", verbose_name=_("region")
    )
    place = LineField(_("place"), max_length=200, blank=True)
    summary = models.TextField(_("summary"), blank=True)
    agenda = models.TextField(_("agenda"), blank=True, default="", db_default="")
    minutes = models.TextField(
        _("minutes"),
        blank=True,
        default="",
        db_default="",
        help_text=_("What was said and agreed: for people of the unit and the office."),
    )
    is_participant_list_complete = models.BooleanField(
        _("all participants are listed"),
        default=True,
        help_text=_("Off when a source says there were more than it names."),
    )
    is_follow_up_list_complete = models.BooleanField(
        _("all activities are listed"),
        default=True,
        help_text=_("Off when a source says there were more visits or activities than it names."),
    )

    status = StatusField(EventStatus, db_default=EventStatus.RECORDED)
    withdrawn_on = models.DateField(_("withdrawn on"), null=True, editable=False)

    # The section of its page that has a part. Parts that are not named here are in the first one.
    page_sections: ClassVar[Mapping[str, str]] = {
        "took-part": "people",
        "people": "people",
        "figures": "files",
        "documents": "files",
        "happened": "history",
    }

    objects = EventQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-starts_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="event_ends_after_start",
                violation_error_code="ends_on",
                violation_error_message=_("An event cannot end before it starts."),
            ),
            models.CheckConstraint(condition=Q(status__in=EventStatus.values), name="event_status_known"),
            models.CheckConstraint(
                condition=Q(status="withdrawn", withdrawn_on__isnull=False)
                | Q(status="recorded", withdrawn_on__isnull=True),
                name="event_withdrawn_has_date",
            ),
        ]
        indexes = [models.Index(fields=["-starts_on", "-id"], name="event_by_date")]  # the list, newest first

    def get_absolute_url(self) -> str:
        return reverse("event_detail", args=[self.pk])

    def search_words(self) -> list[str]:
        return [self.name, self.name_zh, self.place, self.summary, self.agenda, *names_of(self.region)]


class EventKind(OfficeModel):
    """One of the things an event was."""

    class Kind(models.TextChoices):
        DOCKING_MEETING = "docking_meeting", _("Docking meeting")
        SIGNING_CEREMONY = "signing_ceremony", _("Signing ceremony")
        CONFERENCE = "conference", _("Conference")
        FAIR = "fair", _("Fair")
        WORKSHOP = "workshop", _("Workshop")
        OPENING = "opening", _("Opening")

    event = models.ForeignKey(Event, models.CASCADE, related_name="kinds", verbose_name=_("event"))
    kind = models.CharField(_("kind"), max_length=30, choices=Kind)

    history = History()

    class Meta:
        verbose_name = _("kind of event")
        verbose_name_plural = _("kinds of event")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "kind"],
                name="event_kind_unique",
                violation_error_code="kind",
                violation_error_message=_("The event is of this kind already."),
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class Participation(OfficeModel):
    """A participant of an event; ``name_as_printed`` alone stands for a name that nobody could resolve yet."""

    class Role(models.TextChoices):
        HOST = "host", _("Host")
        ORGANIZER = "organizer", _("Organizer")
        PARTICIPANT = "participant", _("Participant")
        SIGNATORY = "signatory", _("Signed an agreement")
        GUEST = "guest", _("Guest")

    event = models.ForeignKey(Event, models.CASCADE, related_name="participations", verbose_name=_("event"))
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="participations",
        verbose_name=_("organization"),
    )
    name_as_printed = LineField(_("name as printed"), max_length=200, blank=True)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.PARTICIPANT)
    note = LineField(_("note"), max_length=300, blank=True)

    history = History()

    class Meta:
        verbose_name = _("participation")
        verbose_name_plural = _("participations")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "organization"],
                condition=Q(organization__isnull=False),
                name="participation_unique",
                violation_error_code="organization",
                violation_error_message=_("This organization is listed already."),
            ),
            models.CheckConstraint(
                condition=Q(organization__isnull=False) | ~Q(name_as_printed=""),
                name="participation_names_somebody",
                violation_error_code="organization",
                violation_error_message=_("Choose an organization, or give the name as it was printed."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.organization) if self.organization_id else self.name_as_printed

    @property
    def is_unresolved(self) -> bool:
        return self.organization_id is None


class EventPersonQuerySet(ScopedQuerySet):
    """People at events: colleagues one sees, and contacts of organizations that one's units hold."""

    def in_scope(self, user: User) -> Q:
        return Q(user__in=User.objects.visible_to(user)) | Q(contact__in=Contact.objects.visible_to(user))


class EventPerson(OfficeModel):
    """A person invited to an event: one of ours (``user``) or a partner's (``contact``), what they answered, and whether they came."""

    class Answer(models.TextChoices):
        ACCEPTED = "accepted", pgettext_lazy("answer to an invitation", "Accepted")
        DECLINED = "declined", pgettext_lazy("answer to an invitation", "Declined")

    class Attendance(models.TextChoices):
        CAME = "came", _("Came")
        ABSENT = "absent", _("Did not come")

    event = models.ForeignKey(Event, models.CASCADE, related_name="people", verbose_name=_("event"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="event_invitations",
        verbose_name=_("colleague"),
    )
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, related_name="event_invitations", verbose_name=_("contact")
    )
    invited_on = DayColumn(_("invited on"), null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=10, choices=Answer, blank=True)
    attendance = models.CharField(_("attendance"), max_length=10, choices=Attendance, blank=True)
    note = LineField(_("note"), max_length=300, blank=True)

    objects = EventPersonQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("person at an event")
        verbose_name_plural = _("people at an event")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=exactly_one("user", "contact"),
                name="event_person_is_one",
                violation_error_code="user",
                violation_error_message=_("Choose a colleague or a contact."),
            ),
            models.UniqueConstraint(
                fields=["event", "user"],
                name="event_user_unique",
                violation_error_code="user",
                violation_error_message=_("This person is listed already."),
            ),
            models.UniqueConstraint(
                fields=["event", "contact"],
                name="event_contact_unique",
                violation_error_code="contact",
                violation_error_message=_("This person is listed already."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.user or self.contact)
