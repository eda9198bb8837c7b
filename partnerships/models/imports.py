"""Imports of an office's spreadsheets: the file, what was chosen for it, its rows, and recipes kept for the next file."""

import datetime as dt
from typing import Any, Self
from uuid import uuid4

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.models.base import LineField, StatusField
from partnerships.models.sort_keys import ByName, NamedModel, SortKeyField
from partnerships.models.users import Role, ScopedQuerySet, Unit, User
from partnerships.statuses import ImportStatus

# A run that has not been heard of for so long has ended without a word; on SQLite a commit is silent while it writes.
SILENT_AFTER = dt.timedelta(minutes=2)
UNDER_WAY = (ImportStatus.CHECKING, ImportStatus.COMMITTING, ImportStatus.UNDOING)


class ImportKind(models.TextChoices):
    ORGANIZATIONS = "organizations", _("Organizations")
    CONTACTS = "contacts", _("Contacts")
    AGREEMENTS = "agreements", _("Agreements")
    HONOURS = "honours", _("Honors")
    ACTIVITIES = "activities", _("Activities")
    MILESTONES = "milestones", _("Milestones")
    REGISTER = "register", _("Register: agreements with partners and contacts")


class RowOutcome(models.TextChoices):
    """The result of a row of a file, in the preview and in the import."""

    NEW = "new", pgettext_lazy("imported row", "New")
    CHANGED = "changed", pgettext_lazy("imported row", "Changed")
    UNCHANGED = "unchanged", pgettext_lazy("imported row", "Unchanged")
    UNDECIDED = "undecided", pgettext_lazy("imported row", "To be decided")
    REJECTED = "rejected", pgettext_lazy("imported row", "Rejected")


IMPORTABLE = (RowOutcome.NEW, RowOutcome.CHANGED)
LEFT_OUT = (RowOutcome.REJECTED, RowOutcome.UNDECIDED)


class RowUndo(models.TextChoices):
    """The result of undoing a row."""

    REVERSED = "reversed", pgettext_lazy("undone row", "Undone")
    KEPT = "kept", pgettext_lazy("undone row", "Kept: changed since")
    FAILED = "failed", pgettext_lazy("undone row", "Could not be undone")


def import_path(_imported: "Import", _name: str) -> str:
    """Return a random path below the imports; the name that people see is in the row."""
    return f"imports/{uuid4().hex}"


class ImportQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        """Return the condition for imports of units where the user enters records: files hold phones."""
        return Q(unit__in=user.scope.unit_ids_as(Role.COORDINATOR))

    def under_way(self) -> Self:
        return self.filter(status__in=UNDER_WAY)

    def is_next(self, imported: "Import", now: dt.datetime) -> bool:
        """Whether no other run that lives waits before this one; those with lower numbers come first."""
        before = self.under_way().filter(is_waiting=True, pk__lt=imported.pk, heartbeat_at__gte=now - SILENT_AFTER)
        return not before.exists()

    def silent(self, now: dt.datetime) -> Self:
        """Return runs that have not been heard of for a while: their process ended, and nothing of it was saved."""
        return self.under_way().filter(Q(heartbeat_at__isnull=True) | Q(heartbeat_at__lt=now - SILENT_AFTER))


class Import(models.Model):
    """A file that is brought in: what was chosen for it (``recipe``), and how far it has come.

    ``attempts`` is also the epoch of a run: a process whose import was started again may no longer write.
    """

    kind = models.CharField(_("kind"), max_length=20, choices=ImportKind)
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="imports", verbose_name=_("unit")
    )
    file = models.FileField(_("file"), upload_to=import_path)
    name = LineField(pgettext_lazy("of a file", "name"), max_length=200)
    digest = models.CharField(max_length=64, editable=False)
    recipe = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    # The headings, the fields of their columns, and what else the rows were read by.
    layout = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    language = models.CharField(max_length=10, choices=settings.LANGUAGES)
    status = StatusField(ImportStatus)
    # The number of rows with each outcome; after an undo, with each result of it, too.
    counts = models.JSONField(default=dict, blank=True)
    rows_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    is_waiting = models.BooleanField(default=False, db_default=False, editable=False)  # for another run to end
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, editable=False)
    error = models.TextField(_("error"), blank=True)
    act = models.CharField(max_length=60, blank=True, editable=False)  # as in the reminder marks of its records
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="imports", verbose_name=_("created by")
    )
    # The run under way, or the last one, acts with the permissions of this person.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("asked by"),
    )
    created_at = models.DateTimeField(_("created"))
    committed_at = models.DateTimeField(pgettext_lazy("import", "imported"), null=True, editable=False)
    undone_at = models.DateTimeField(_("undone at"), null=True, editable=False)

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("noun", "import")
        verbose_name_plural = _("imports")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ImportStatus.values), name="import_status_known"),
            models.CheckConstraint(condition=Q(kind__in=ImportKind.values), name="import_kind_known"),
            models.CheckConstraint(
                condition=~Q(status__in=["committed", "undoing", "undone"]) | Q(committed_at__isnull=False),
                name="import_committed_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="undone") | Q(undone_at__isnull=False), name="import_undone_has_time"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("import_detail", args=[self.pk])

    @property
    def is_under_way(self) -> bool:
        return self.status in UNDER_WAY

    @property
    def importable_count(self) -> int:
        """Return how many rows an import brings in, or has brought in."""
        return sum(self.counts.get(outcome, 0) for outcome in IMPORTABLE)

    @property
    def left_out_count(self) -> int:
        return sum(self.counts.get(outcome, 0) for outcome in LEFT_OUT)

    def is_silent(self, now: dt.datetime) -> bool:
        """Whether a run is under way and has not been heard of for a while."""
        return self.is_under_way and (self.heartbeat_at is None or self.heartbeat_at < now - SILENT_AFTER)


class ImportRowQuerySet(models.QuerySet):
    def left_out(self) -> Self:
        """Return the rows that stay out, in the order of the file."""
        return self.filter(outcome__in=LEFT_OUT).order_by("pk")


class ImportRow(models.Model):
    """A row of the file: its cells, what people corrected and decided, and what it made or changed.

    ``key`` is what tells the row from others, such as a credit code or a folded name; by it a later file with the same
    row finds the record. ``values`` are those of the record as this row left them.
    """

    imported = models.ForeignKey(Import, models.CASCADE, related_name="rows", verbose_name=Import._meta.verbose_name)
    number = models.PositiveIntegerField(_("row"))
    sheet = models.CharField(_("sheet"), max_length=200, blank=True)
    cells = models.JSONField(blank=True, encoder=DjangoJSONEncoder)
    corrections = models.JSONField(default=dict, blank=True)  # column -> text typed instead of the cell
    # Decisions of people: folded name -> the id of the record it is, or "new"; "existing" -> "file" or "record".
    decisions = models.JSONField(default=dict, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=RowOutcome, blank=True)
    problems = models.JSONField(default=list, blank=True)  # of {"field", "message"}
    look_alikes = models.JSONField(default=list, blank=True)  # of {"name", "found": ids}
    changes = models.JSONField(
        default=list, blank=True, encoder=DjangoJSONEncoder
    )  # of {"record", "field", "before", "after"}
    key = models.CharField(max_length=300, blank=True)
    content_type = models.ForeignKey(ContentType, models.PROTECT, null=True, related_name="+")
    object_id = models.PositiveBigIntegerField(null=True)
    record = GenericForeignKey("content_type", "object_id")
    values = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    # The records it made or changed, in order, with their version then; for the undo.
    made = models.JSONField(default=list, blank=True, encoder=DjangoJSONEncoder)
    undo = models.CharField(_("undo"), max_length=10, choices=RowUndo, blank=True)
    undo_note = models.TextField(blank=True)

    objects = ImportRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("imported row")
        verbose_name_plural = _("imported rows")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["imported", "sheet", "number"], name="import_row_once"),
            models.CheckConstraint(condition=Q(outcome__in=["", *RowOutcome.values]), name="import_row_outcome_known"),
        ]
        indexes = [
            models.Index(fields=["imported", "outcome", "id"], name="import_row_by_outcome"),
            models.Index(fields=["key"], name="import_row_by_key"),  # the same row in a later file
            models.Index(fields=["content_type", "object_id"], name="import_row_by_record"),
        ]

    def __str__(self) -> str:
        return f"{self.sheet} {self.number}".strip()

    @property
    def messages(self) -> list[str]:
        return [problem["message"] for problem in self.problems]


class ImportRecipeQuerySet(ScopedQuerySet):
    def in_scope(self, user: User) -> Q:
        """Return the condition for the user's own recipes, and those shared with their units."""
        return Q(owner=user) | Q(is_shared=True, unit__in=user.scope.unit_ids_as(Role.COORDINATOR))


class ImportRecipe(NamedModel):
    """The choices made for a file, under a name, to be used for the next one.

    A preference of one person or unit, not a record of the office: no history, no version.
    """

    name = LineField(_("name"), max_length=100)
    sort_key = SortKeyField("name")
    kind = models.CharField(_("kind"), max_length=20, choices=ImportKind)
    content: Any = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="import_recipes", verbose_name=_("owner")
    )
    unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="import_recipes", verbose_name=_("unit")
    )
    is_shared = models.BooleanField(_("shared with the unit"), default=False)

    objects = ImportRecipeQuerySet.as_manager()

    class Meta:
        verbose_name = _("import recipe")
        verbose_name_plural = _("import recipes")
        ordering = [ByName(), "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "kind", "name"],
                name="import_recipe_name_unique",
                violation_error_message=_("You have a recipe of this name already."),
            ),
            models.CheckConstraint(condition=Q(kind__in=ImportKind.values), name="import_recipe_kind_known"),
        ]

    def __str__(self) -> str:
        return self.name
