"""Documents with versions, on agreements, activities, events, milestones and organizations."""

from collections.abc import Collection, Mapping
from functools import reduce
from operator import or_
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partnerships.models.activities import Activity
from partnerships.models.agreements import Agreement
from partnerships.models.base import (
    History,
    LineField,
    SearchableModel,
    SearchedPart,
    SeededModel,
    VersionedModel,
    address_of_part,
    exactly_one,
)
from partnerships.models.demands import Demand
from partnerships.models.events import Event
from partnerships.models.facilities import Facility
from partnerships.models.honours import Honour
from partnerships.models.milestones import Milestone
from partnerships.models.organizations import Organization, OrganizationUnit
from partnerships.models.programmes import Programme
from partnerships.models.sort_keys import NamedModel, SortKeyField
from partnerships.models.users import Role, ScopedQuerySet, Unit, User

DOCUMENT_TARGETS = (
    "agreement",
    "activity",
    "event",
    "milestone",
    "organization",
    "facility",
    "demand",
    "programme",
    "honour",
)


SHOWN_IMAGES = frozenset({"image/jpeg", "image/png", "image/webp"})
UPLOADS = "documents"  # the folder of uploaded files


def upload_path(version: "DocumentVersion", filename: str) -> str:
    """Return a random path below the uploads; the name that people see is in the row."""
    # A name from outside could collide with another or lead to another folder, and would show in backups and logs.
    return f"{UPLOADS}/{uuid4().hex}"


class DocumentQuerySet(ScopedQuerySet):
    """A document is seen by whoever sees what it belongs to; those of shared rows by the units that hold them.

    Policy documents of a programme are published papers: whoever reads the programme reads them. The level of a document
    may narrow this to the document's unit, or to the leads of that unit.
    """

    def in_scope(self, user: User) -> Q:
        units = user.scope.unit_ids
        held = OrganizationUnit.objects.filter(unit__in=units)
        sees_target = (
            Q(agreement__in=Agreement.objects.visible_to(user).values("pk"))
            | Q(activity__in=Activity.objects.visible_to(user).values("pk"))
            | Q(event__unit__in=units)
            | Q(milestone__in=Milestone.objects.visible_to(user).values("pk"))
            | Q(organization__in=held.values("organization"))
            | Q(facility__in=Facility.objects.visible_to(user).values("pk"))
            | Q(demand__in=Demand.objects.visible_to(user).values("pk"))
            | Q(programme__unit__in=units)
            | Q(programme__in=Programme.objects.visible_to(user).values("pk"), kind=Document.Kind.POLICY)
            | Q(honour__unit__in=units)
        )
        levels = (
            Q(level=level) & (_of_units(user.scope.unit_ids_as(least)) if least else Q())
            for level, least in LEAST_ROLES.items()
        )
        return sees_target & reduce(or_, levels)


def _of_units(units: Collection[int]) -> Q:
    """Return the condition for documents that belong to ``units``: by the unit of their record, or as the unit that uploaded
    them to an organization. What the office uploaded to an organization belongs to all its holders.
    """
    held = OrganizationUnit.objects.filter(unit__in=units).values("organization")
    of_organizations = Q(organization__isnull=False, unit__in=units) | Q(unit=None, organization__in=held)
    others = (Q(**{f"{name}__unit__in": units}) for name in DOCUMENT_TARGETS if name != "organization")
    return reduce(or_, others, of_organizations)


class Document(NamedModel, SeededModel, SearchableModel, VersionedModel):
    """A signed paper, minutes, photos: the latest version is current, the earlier ones stay."""

    class Kind(models.TextChoices):
        SIGNED_PAPER = "signed_paper", _("Signed paper")
        ANNEX = "annex", _("Annex")
        MINUTES = "minutes", _("Minutes")
        PHOTO = "photo", _("Photo")
        EVIDENCE = "evidence", _("Evidence")
        POLICY = "policy", _("Policy document")
        OTHER = "other", _("Other")

    class Level(models.TextChoices):
        EVERYBODY = "holders", _("Anyone who can see the record it belongs to")
        UNIT = "unit", _("The unit and the office")
        LEADS = "leads", _("Leads of the unit and the office")

    title = LineField(_("title"), max_length=200)
    sort_key = SortKeyField("title")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind, default=Kind.OTHER)
    level = models.CharField(
        _("readers"), max_length=10, choices=Level, default=Level.EVERYBODY, db_default=Level.EVERYBODY.value
    )
    # Only for documents of organizations: the holder that uploaded it. Empty when the office did; then it is of all holders.
    unit = models.ForeignKey(
        Unit,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="entered_documents",
        verbose_name=_("entered by"),
    )
    agreement = models.ForeignKey(
        Agreement, models.PROTECT, null=True, blank=True, related_name="documents", verbose_name=_("agreement")
    )
    activity = models.ForeignKey(
        Activity, models.PROTECT, null=True, blank=True, related_name="documents", verbose_name=_("activity")
    )
    event = models.ForeignKey(
        Event, models.PROTECT, null=True, blank=True, related_name="documents", verbose_name=_("event")
    )
    milestone = models.ForeignKey(
        Milestone, models.PROTECT, null=True, blank=True, related_name="documents", verbose_name=_("milestone")
    )
    organization = models.ForeignKey(
        Organization,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="documents",
        verbose_name=_("organization"),
    )
    facility = models.ForeignKey(
        Facility, models.PROTECT, null=True, blank=True, related_name="documents", verbose_name=_("joint facility")
    )
    demand = models.ForeignKey(
        Demand, models.PROTECT, null=True, blank=True, related_name="documents", verbose_name=_("demand")
    )
    programme = models.ForeignKey(
        Programme, models.PROTECT, null=True, blank=True, related_name="documents", verbose_name=_("program")
    )
    honour = models.ForeignKey(
        Honour, models.PROTECT, null=True, blank=True, related_name="documents", verbose_name=_("honor")
    )

    objects = DocumentQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=exactly_one(*DOCUMENT_TARGETS),
                name="document_has_one_target",
                violation_error_message=_("A document belongs to exactly one thing."),
            ),
            models.CheckConstraint(condition=Q(level__in=["holders", "unit", "leads"]), name="document_level_known"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return the address of the documents on the page of what it belongs to."""
        target: Any = self.target
        return address_of_part(target, "documents")

    def search_words(self) -> list[str]:
        return [self.title, *self.versions.values_list("original_name", flat=True)]

    @property
    def target(self) -> models.Model:
        return next(getattr(self, name) for name in DOCUMENT_TARGETS if getattr(self, f"{name}_id"))

    @property
    def uploader(self) -> User | None:
        """The person who uploaded the first version."""
        versions = self.versions.all() if self.pk else ()
        return next((version.uploaded_by for version in versions if version.number == 1), None)

    @property
    def is_public_policy(self) -> bool:
        return self.kind == self.Kind.POLICY and self.programme_id is not None


# The lowest role in the unit of a document that may read it. None: no role is needed beyond seeing the record.
LEAST_ROLES: Mapping[str, Role | None] = {
    Document.Level.EVERYBODY: None,
    Document.Level.UNIT: Role.VIEWER,
    Document.Level.LEADS: Role.LEAD,
}


class DocumentVersion(SearchedPart):
    """One file as it was uploaded; never replaced, only followed by the next number."""

    SEARCHED_WITH = "document"

    document = models.ForeignKey(Document, models.CASCADE, related_name="versions", verbose_name=_("document"))
    number = models.PositiveSmallIntegerField(_("number"))
    file = models.FileField(_("file"), upload_to=upload_path)
    original_name = LineField(_("file name"), max_length=200)
    content_type = models.CharField(_("content type"), max_length=100)
    size = models.PositiveBigIntegerField(_("size"))  # bytes
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="uploads",
        verbose_name=_("uploaded by"),
    )
    uploaded_at = models.DateTimeField(_("uploaded at"))

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="document_version_number_unique"),
            models.CheckConstraint(condition=Q(size__gt=0), name="document_version_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.original_name} ({self.number})"

    @property
    def is_image(self) -> bool:
        """Whether browsers show it as an image; the type comes from our table of accepted files."""
        return self.content_type in SHOWN_IMAGES

    @property
    def is_shown(self) -> bool:
        """Whether pages show it. Images and PDF files cannot run scripts of this site; other types are only downloaded."""
        return self.is_image or self.content_type == "application/pdf"

    @property
    def address(self) -> str:
        """Return the address that opens it: the page that shows it, or the file."""
        name = "document_preview" if self.is_shown else "document_download"
        return reverse(name, args=[self.document_id, self.number])
