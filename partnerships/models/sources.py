"""Sources of facts (articles and papers), their sentences, and citations of what they printed."""

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from partnerships.models.base import (
    DayColumn,
    History,
    LineField,
    OfficeModel,
    ReferenceModel,
    SearchableModel,
    SearchedPart,
    SeededModel,
    SmallNumberColumn,
    VersionedModel,
)
from partnerships.models.sort_keys import ByName, NamedModel, SortKeyField
from partnerships.models.users import ScopedQuerySet, User


class SourceQuerySet(ScopedQuerySet):
    """Sources are readable by everybody with a role."""

    def in_scope(self, user: User) -> Q:
        return Q() if user.scope.roles else Q(pk__in=[])


class Source(NamedModel, SeededModel, SearchableModel, VersionedModel):
    """An article or paper that facts were taken from."""

    title = LineField(_("title"), max_length=300)
    sort_key = SortKeyField("title")
    publisher = LineField(_("publisher"), max_length=200, blank=True)
    authors = LineField(_("authors"), max_length=300, blank=True, default="", db_default="")
    published_on = DayColumn(_("published on"), null=True, blank=True)
    url = models.URLField(_("address"), blank=True)
    note = models.TextField(_("note"), blank=True)

    objects = SourceQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = [ByName(), "pk"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("source_detail", args=[self.pk])

    def search_words(self) -> list[str]:
        said = [text for texts in self.statements.values_list("text", "text_zh") for text in texts]
        return [self.title, self.publisher, self.authors, self.note, *said]


class Statement(SearchedPart, OfficeModel):
    """One sentence of a source, in its order: its opening words as printed, and what it says in words of our own.

    The source itself is not kept. ``nothing_to_record`` says why no record is cited from it.
    """

    SEARCHED_WITH = "source"

    class Reason(models.TextChoices):
        TITLE = "title", _("it is the title, kept with the source")
        REPEATS = "repeats", _("it says again what an earlier sentence says")
        AIM = "aim", _("it states an aim, nothing that was done or agreed")

    source = models.ForeignKey(Source, models.CASCADE, related_name="statements", verbose_name=_("source"))
    number = SmallNumberColumn(_("number"))
    opening = LineField(_("opening words, as printed"), max_length=120)
    text = models.TextField(_("what it says, in our words"))
    text_zh = models.TextField(_("the same in Chinese"), blank=True)
    nothing_to_record = models.CharField(
        _("nothing to record, because"), max_length=20, choices=Reason.choices, blank=True
    )

    history = History()

    class Meta:
        verbose_name = _("sentence")
        verbose_name_plural = _("sentences")
        ordering = ["source", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "number"],
                name="statement_number_unique",
                violation_error_code="number",
                violation_error_message=_("The source has a sentence of this number already."),
            ),
            models.CheckConstraint(
                condition=Q(number__gte=1),
                name="statement_number_from_one",
                violation_error_code="number",
                violation_error_message=_("Sentences are numbered from 1."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} · {self.opening}"

    @property
    def display_text(self) -> str:
        if (get_language() or "").startswith("zh"):
            return self.text_zh or self.text
        return self.text

    @property
    def anchor(self) -> str:
        return f"sentence-{self.number}"


class CitationQuerySet(models.QuerySet):
    def of(self, row: models.Model) -> models.QuerySet:
        """Return the citations of one row with their sources."""
        target = ContentType.objects.get_for_model(row)
        return self.filter(content_type=target, object_id=row.pk).select_related("source")


class Citation(ReferenceModel):
    """A citation: what a source printed about one field of a record, or (``field`` empty) about the record.

    ``is_assumption`` marks what we concluded and the source does not say; pages show it wherever the value is shown.
    """

    source = models.ForeignKey(Source, models.PROTECT, related_name="citations", verbose_name=_("source"))
    statement = models.ForeignKey(
        Statement, models.PROTECT, related_name="citations", verbose_name=_("sentence"), null=True, blank=True
    )
    content_type = models.ForeignKey(ContentType, models.PROTECT)
    object_id = models.PositiveBigIntegerField()
    record = GenericForeignKey("content_type", "object_id")
    field = models.CharField(_("field"), max_length=50, blank=True)
    printed = models.TextField(_("as printed"), blank=True)
    is_assumption = models.BooleanField(_("our assumption"), default=False)
    note = models.TextField(_("note"), blank=True)

    objects = CitationQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name = _("citation")
        verbose_name_plural = _("citations")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "content_type", "object_id", "field"], name="citation_unique"),
            models.CheckConstraint(
                condition=~Q(printed="") | Q(is_assumption=True),
                name="citation_prints_or_assumes",
                violation_error_code="printed",
                violation_error_message=_("Say what was printed, or mark it as our assumption."),
            ),
        ]
        indexes = [models.Index(fields=["content_type", "object_id"], name="citation_by_record")]  # a record's page

    def __str__(self) -> str:
        return f"{self.source}: {self.field or self.content_type.name}"

    def get_absolute_url(self) -> str:
        """Return the page of the record; that of the source for a part of a record, which has none."""
        return str(getattr(self.record, "get_absolute_url", self.source.get_absolute_url)())

    def clean(self) -> None:
        if self._state.adding and self.record is None:
            raise ValidationError(_("The record that this is about does not exist."))
        if self.statement is not None and self.statement.source_id != self.source_id:
            raise ValidationError({"statement": _("This sentence is of another source.")})
