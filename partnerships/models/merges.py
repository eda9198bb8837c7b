"""Records that were entered twice and merged into one, and pairs that are known to be different."""

from collections.abc import Collection
from typing import Self

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from partnerships.models.base import OfficeModel
from partnerships.models.organizations import Contact, Organization


class MergeQuerySet(models.QuerySet):
    def of(self, model: type[models.Model]) -> Self:
        """Return the merges of organizations, or those of contacts."""
        return self.filter(content_type=ContentType.objects.get_for_model(model))

    def standing(self) -> Self:
        """Return the merges that were not undone."""
        return self.filter(undone_at=None)

    def into(self, row: models.Model) -> Self:
        """Return the merges into ``row``, undone ones included."""
        return self.of(type(row)).filter(kept_id=row.pk)

    def kept_instead_of(self, model: type[models.Model], pk: int) -> int | None:
        """Return the id of the record that stands for ``pk`` now, however often it was merged; None if it was never merged."""
        kept, into = None, dict(self.of(model).standing().values_list("merged_id", "kept_id"))
        while pk in into:
            kept = pk = into.pop(pk)
        return kept

    def ids_merged_into(self, row: models.Model) -> set[int]:
        """Return the ids of all records that ``row`` stands for beside its own."""
        found: set[int] = set()
        level: Collection[int] = [row.pk]
        while level:
            rows = self.of(type(row)).standing().filter(kept_id__in=level)
            level = set(rows.values_list("merged_id", flat=True)) - found
            found |= level
        return found


class Merge(models.Model):
    """One record merged into another of the same model, with what its undo needs.

    ``moved`` names each row that was given another value, with the columns before and after; ``removed`` each row that was
    there twice and its last history row, the merged record first; ``added`` the rows that the merge made. ``before`` and
    ``after`` are the history rows of the record that was kept. Values of the records themselves are in their histories
    alone, where an erasure finds them.
    """

    content_type = models.ForeignKey(ContentType, models.PROTECT, limit_choices_to=Q(app_label="partnerships"))
    kept_id = models.PositiveBigIntegerField()
    merged_id = models.PositiveBigIntegerField()
    name = models.CharField(_("merged record"), max_length=300)
    kept_name = models.CharField(_("kept record"), max_length=300)
    moved = models.JSONField(default=list, blank=True, encoder=DjangoJSONEncoder)
    removed = models.JSONField(default=list, blank=True)
    added = models.JSONField(default=list, blank=True)
    before = models.PositiveBigIntegerField(null=True)
    after = models.PositiveBigIntegerField(null=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="merges", verbose_name=_("merged by")
    )
    at = models.DateTimeField(_("merged at"), auto_now_add=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="merges_undone", verbose_name=_("undone by")
    )
    undone_at = models.DateTimeField(_("undone at"), null=True)
    # What the undo left as it was, in words, each with the name of its table.
    left = models.JSONField(default=list, blank=True)

    objects = MergeQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["content_type", "merged_id"], condition=Q(undone_at__isnull=True), name="merge_once_at_a_time"
            ),
            models.CheckConstraint(condition=~Q(kept_id=F("merged_id")), name="merge_of_two_records"),
        ]
        indexes = [models.Index(fields=["content_type", "kept_id"], name="merge_by_kept")]

    def __str__(self) -> str:
        return f"{self.name} → {self.kept_name}"

    def get_absolute_url(self) -> str:
        return reverse("merge_detail", args=[self.pk])

    @property
    def model(self) -> type[Organization] | type[Contact]:
        return Organization if self.content_type.model == "organization" else Contact


class DifferentPair(OfficeModel):
    """Two records that look alike and were said to be different; they are not shown as duplicates any more."""

    first: models.ForeignKey
    second: models.ForeignKey
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("time"), auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.first} ≠ {self.second}"


class DifferentOrganizations(DifferentPair):
    first = models.ForeignKey(Organization, models.CASCADE, related_name="different_from")
    second = models.ForeignKey(Organization, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("pair of different organizations")
        verbose_name_plural = _("pairs of different organizations")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="different_organizations_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="different_organizations_in_order"),
        ]


class DifferentContacts(DifferentPair):
    first = models.ForeignKey(Contact, models.CASCADE, related_name="different_from")
    second = models.ForeignKey(Contact, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("pair of different contacts")
        verbose_name_plural = _("pairs of different contacts")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="different_contacts_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="different_contacts_in_order"),
        ]
