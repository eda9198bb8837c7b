"""Base classes of models: versions, codes, two languages, history and search."""

import unicodedata
from collections.abc import Collection
from functools import cache, reduce
from operator import or_
from typing import Any, ClassVar

from django import forms
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.manager import HistoryManager
from simple_history.models import HistoricalRecords

from partnerships.acts import current_reason
from partnerships.countries import HOME, country_choices
from partnerships.exceptions import StaleVersion
from partnerships.inputs import AmountField, CurrencyField, DayField, WholeNumberField, validate_currency
from partnerships.late_inserts import current_inserts
from partnerships.models.sort_keys import NamedModel, SortKeyField, is_reader_chinese
from partnerships.names import invisible_character, search_text, search_words
from partnerships.partial_dates import Precision
from partnerships.statuses import Status
from partnerships.texts import LazyText


def validate_visible_text(value: str) -> None:
    """Refuse control and direction-changing characters: they hide what a title or a mail subject really says."""
    if character := invisible_character(value):
        name = unicodedata.name(character, "").lower() or f"U+{ord(character):04X}"
        raise ValidationError(
            _(
                "This contains an invisible or line-breaking character after “%(before)s” (%(name)s). Please delete it or "
                "type the text again."
            )
            % {"before": value[: value.index(character)][-20:], "name": name}
        )


class LineField(models.CharField):
    """One line of text: no line breaks and no invisible characters."""

    default_validators = [validate_visible_text]


class PlainColumn(models.Field):
    """A field that migrations know as Django's own field of the same column."""

    django_field: type[models.Field]

    def clone(self) -> models.Field:  # type: ignore[override]  # not a field of this class
        _name, _path, args, options = self.deconstruct()
        return self.django_field(*args, **options)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, _path, args, options = super().deconstruct()
        return name, f"django.db.models.{self.django_field.__name__}", list(args), options


class DayColumn(PlainColumn, models.DateField):
    """A date that people may type in any form that has one reading."""

    django_field = models.DateField

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**{"form_class": DayField, **kwargs})


def _is_about(constraint: models.BaseConstraint, column: str) -> bool:
    return getattr(constraint, "violation_error_code", None) == column


class AmountColumn(PlainColumn, models.DecimalField):
    """A number, never negative, that people may type with separators or counted in 万 or 亿."""

    django_field = models.DecimalField

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        # In the words of the column's own constraint, where it has one: a form refuses before the constraint does.
        said = [one.violation_error_message for one in self.model._meta.constraints if _is_about(one, self.name)]
        messages = {"error_messages": {"min_value": said[0]}} if len(said) == 1 else {}
        return super().formfield(**{"form_class": AmountField, "min_value": 0, **messages, **kwargs})


class WholeNumberMixin(PlainColumn):
    """A whole number that people may type with separators."""

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**{"form_class": WholeNumberField, **kwargs})


class WholeNumberColumn(WholeNumberMixin, models.PositiveIntegerField):
    django_field = models.PositiveIntegerField


class SmallNumberColumn(WholeNumberMixin, models.PositiveSmallIntegerField):
    django_field = models.PositiveSmallIntegerField

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**{"is_small": True, **kwargs})


class PrecisionColumn(PlainColumn, models.CharField):
    """How much is known of the date in the column beside it."""

    django_field = models.CharField

    def __init__(self, verbose_name: LazyText, **options: Any) -> None:
        known = {"max_length": 10, "choices": Precision, "default": Precision.DAY, "db_default": Precision.DAY}
        super().__init__(verbose_name, **{**known, **options})


class CurrencyColumn(PlainColumn, models.CharField):
    """A currency of ISO 4217."""

    django_field = models.CharField
    default_validators = [validate_currency]

    def __init__(self, verbose_name: LazyText, **options: Any) -> None:
        super().__init__(verbose_name, **{"max_length": 3, "default": "CNY", **options})

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**{"form_class": CurrencyField, **kwargs})


class CountryColumn(PlainColumn, models.CharField):
    """A country or region of ISO 3166-1."""

    django_field = models.CharField

    def __init__(self, verbose_name: LazyText, **options: Any) -> None:
        known = {"max_length": 2, "choices": country_choices, "default": HOME, "db_default": HOME}
        super().__init__(verbose_name, **{**known, **options})

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        # Without the choices: migrations know the column alone.
        name, path, args, options = super().deconstruct()
        return name, path, args, {key: value for key, value in options.items() if key != "choices"}


class StatusField(PlainColumn, models.CharField):
    """The status of a row, at first the first of ``statuses``; only the workflow verbs write it."""

    django_field = models.CharField

    def __init__(
        self,
        statuses: type[Status],
        verbose_name: LazyText | None = None,
        *,
        editable: bool = False,
        **options: Any,
    ) -> None:
        self.statuses = statuses
        label, first = verbose_name or _("status"), next(iter(statuses))
        super().__init__(label, max_length=20, choices=statuses, default=first, editable=editable, **options)


def status_of(row: models.Model) -> Status:
    """Return the status of a row with its label and tone."""
    field = row._meta.get_field("status")
    if not isinstance(field, StatusField):
        raise TypeError(f"{row._meta.label} has no status")
    return field.statuses(field.value_from_object(row))


# Characters that the library keeps of the reason for a change.
LONGEST_CHANGE_REASON = 100


class CachedHistoryManager(HistoryManager):
    """The library's manager with its class cached."""

    # The library builds the class anew at each ``row.history``, which takes 2 ms.
    @classmethod
    @cache
    def from_queryset(
        cls, queryset_class: type[models.QuerySet], class_name: str | None = None
    ) -> type[models.Manager]:
        return super().from_queryset(queryset_class, class_name)


class LateHistoryRow(models.Model):
    """A row of a history, which an import inserts later together with others."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        inserts = current_inserts()
        if inserts is not None:
            inserts.keep(type(self), self)
        else:
            super().save(*args, **kwargs)


class History(HistoricalRecords):
    """History rows for every save of a row, also through a proxy class such as ``Institution``."""

    def __init__(self, *, excluded_fields: Collection[str] = ()) -> None:
        manager = CachedHistoryManager
        super().__init__(excluded_fields=list(excluded_fields), history_manager=manager, bases=(LateHistoryRow,))

    def fields_included(self, model: type[models.Model]) -> list[models.Field]:
        """Leave out sort keys: they follow from the names."""
        return [field for field in super().fields_included(model) if not isinstance(field, SortKeyField)]

    def get_change_reason_for_object(self, instance: models.Model, history_type: str, using: str) -> str | None:
        """Return the reason of the verb, else what the change belongs to; the column takes 100 characters."""
        given = super().get_change_reason_for_object(instance, history_type, using)
        return given or current_reason()[:LONGEST_CHANGE_REASON] or None

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        # Django sends the signals of a proxy with the proxy as sender, and the library listens to the concrete class alone.
        if sender._meta.proxy and sender._meta.concrete_model is self.cls:
            models.signals.post_save.connect(self.post_save, sender=sender, weak=False)
            models.signals.pre_delete.connect(self.pre_delete, sender=sender, weak=False)
            models.signals.post_delete.connect(self.post_delete, sender=sender, weak=False)
            # The history pages of the admin look for the manager on the class that they show.
            sender._meta.simple_history_manager_attribute = self.manager_name  # type: ignore[attr-defined]
            return
        super().finalize(sender, **kwargs)

    def post_save(self, instance: models.Model, created: bool, using: str | None = None, **kwargs: Any) -> None:
        update_fields = kwargs.get("update_fields")
        # Otherwise each log-in, which saves ``last_login`` alone, would leave a history row.
        if update_fields is not None and set(update_fields) <= set(self.excluded_fields):
            return
        super().post_save(instance, created, using=using, **kwargs)


def none_of(*fields: str) -> Q:
    """Return the condition that all of the nullable ``fields`` are null."""
    return Q(**{f"{field}__isnull": True for field in fields})


def exactly_one(*fields: str) -> Q:
    """Return the condition that one of the nullable ``fields`` is set and the others are null."""
    return reduce(or_, (Q(**{f"{other}__isnull": other != field for other in fields}) for field in fields))


def is_one_of(field: str, values: Collection[str]) -> models.Func:
    """Return the condition ``field__in=values`` with the values in the text of the statement, not as its parameters.

    SQLite uses a partial index (``WHERE status IN ('open', 'submitted')``) only for a condition it can read there.
    ``values`` are constants of the code: they are not escaped.
    """
    words = ", ".join(f"'{value}'" for value in values)
    return models.Func(
        models.F(field), template=f"%(expressions)s IN ({words})", output_field=models.BooleanField(), arity=1
    )


class OfficeModel(models.Model):
    """Base of models that show the message of a constraint at a field.

    A named constraint carries the field its message belongs to as its ``violation_error_code``.
    """

    class Meta:
        abstract = True

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        try:
            super().validate_constraints(exclude)
        except ValidationError as error:
            raise ValidationError(_on_their_fields(error, self, exclude or ())) from error


def _on_their_fields(
    error: ValidationError, row: models.Model, exclude: Collection[str]
) -> dict[str, list[ValidationError]]:
    names = {field.name for field in row._meta.concrete_fields} - set(exclude)
    placed: dict[str, list[ValidationError]] = {}
    for name, problems in error.error_dict.items():
        for problem in problems:
            field = problem.code if name == NON_FIELD_ERRORS and problem.code in names else name
            placed.setdefault(field, []).append(problem)
    return placed


class VersionedModel(OfficeModel):
    """The root of an aggregate: each save needs the version it was read with and leaves the next one.

    Each ``save``, by a verb or not, raises ``StaleVersion`` when the row was changed meanwhile.
    """

    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    # Columns that machines write on their own; saving only these is not an edit.
    UNVERSIONED_FIELDS: frozenset[str] = frozenset()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        update_fields = kwargs.get("update_fields")
        if self._state.adding or (update_fields is not None and set(update_fields) <= self.UNVERSIONED_FIELDS):
            super().save(*args, **kwargs)
            return
        read_version = self.version
        try:
            with transaction.atomic():
                self._check_version()
                self.version = read_version + 1
                if update_fields is not None:
                    kwargs["update_fields"] = {*update_fields, "version"}
                super().save(*args, **kwargs)
        except BaseException:
            # The database is rolled back, so the object must not keep a version that was never saved.
            self.version = read_version
            raise

    def _check_version(self) -> None:
        # no_key: a transaction that inserted a row with a foreign key to this one holds a share lock on the key. Two of
        # them would wait for each other if the key was locked as well.
        rows = type(self)._base_manager.select_for_update(no_key=True).filter(pk=self.pk)
        current = rows.values_list("version", flat=True).first()
        if current != self.version:
            raise StaleVersion(_("Somebody else changed this since you opened it."), current=current)

    def touch(self) -> None:
        """Write the next version of a root of which only a part was changed."""
        with transaction.atomic():
            self._check_version()
            self.version += 1
            # update(), not save(): the root itself is the same, so it gets no history row.
            type(self)._base_manager.filter(pk=self.pk).update(version=self.version)


class ReferenceModel(VersionedModel):
    """A versioned row of reference data, or a citation.

    Their versions came after 0.2.0, so the database fills them in for running code that does not know the column.
    """

    version = models.PositiveIntegerField(_("version"), default=1, db_default=1, editable=False)

    class Meta:
        abstract = True


class SeededModel(models.Model):
    """A row that may come from the articles or from the sample.

    ``code`` is its natural key for seeding, null for what people enter; ``is_sample`` marks what one command removes.
    """

    code = models.CharField(_("code"), max_length=100, unique=True, null=True, blank=True, editable=False)
    is_sample = models.BooleanField(_("sample"), default=False, editable=False)

    class Meta:
        abstract = True


class TitledModel(models.Model):
    """``title``, and ``title_zh`` in Chinese where there is one; shown in the reader's language, or what there is."""

    title = LineField(_("title"), max_length=200)
    title_zh = LineField(_("Chinese title"), max_length=200, blank=True, default="", db_default="")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.display_title

    @property
    def display_title(self) -> str:
        return (self.title_zh if is_reader_chinese() else "") or self.title

    @property
    def other_title(self) -> str:
        """Return the title beside the one that is shown, for a row that has two."""
        return next((title for title in (self.title_zh, self.title) if title != self.display_title), "")


class BilingualModel(NamedModel, OfficeModel):
    """``name`` in the Latin alphabet and ``name_zh`` in Chinese; shown in the reader's language, or what there is."""

    name = LineField(_("name"), max_length=200)
    name_zh = LineField(_("Chinese name"), max_length=200, blank=True)
    sort_key = SortKeyField("name")
    sort_key_zh = SortKeyField("name_zh", "name")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return (self.name_zh if is_reader_chinese() else "") or self.name

    @property
    def other_name(self) -> str:
        """Return the name beside the one that is shown, for a row that has two."""
        return next((name for name in (self.name_zh, self.name) if name != self.display_name), "")


class SearchEntryQuerySet(models.QuerySet):
    def matching(self, model: type[models.Model], text: str) -> models.QuerySet:
        """Return the ids of the rows of ``model`` whose text contains every word of ``text``, Chinese or English."""
        entries = self.filter(content_type=ContentType.objects.get_for_model(model))
        for word in search_words(text):
            entries = entries.filter(text__contains=word)
        return entries.values("object_id")


class SearchEntry(models.Model):
    """The folded text by which a row is found; machine-written, so it lives outside the versioned row.

    One column with one trigram index on PostgreSQL (see the migration) in place of ``icontains`` over joins.
    """

    content_type = models.ForeignKey(ContentType, models.CASCADE)
    object_id = models.PositiveBigIntegerField()
    text = models.TextField()

    objects = SearchEntryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["content_type", "object_id"], name="search_entry_one_per_row"),
        ]

    def __str__(self) -> str:
        return self.text.partition("\n")[0]


def _write_entries(entries: list[SearchEntry]) -> None:
    """Insert the entries, or give those that are there already their new text."""
    unique = ["content_type", "object_id"]
    SearchEntry.objects.bulk_create(entries, update_conflicts=True, unique_fields=unique, update_fields=["text"])


class SearchableModel(models.Model):
    """A row with a search entry, rewritten with each save of it or of a row that lends it words."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            self.refresh_search()

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            self._search_entries().delete()
            return super().delete(*args, **kwargs)

    def search_words(self) -> list[str]:
        raise NotImplementedError

    def refresh_search(self) -> bool:
        """Write the search entry anew and return whether it changed; while rows are kept to be inserted later, say that it did."""
        inserts = current_inserts()
        if inserts is not None:
            content_type, text = ContentType.objects.get_for_model(self), search_text(self.search_words())
            entry = SearchEntry(content_type=content_type, object_id=self.pk, text=text)
            inserts.keep(SearchEntry, entry, key=(content_type.pk, self.pk), write=_write_entries)
            return True
        # Locked before the words are read: of two edits that both change them, the second then sees those of the first.
        known = self._search_entries().select_for_update().values_list("text", flat=True).first()
        text = search_text(self.search_words())
        if known is None:
            SearchEntry.objects.create(
                content_type=ContentType.objects.get_for_model(self), object_id=self.pk, text=text
            )
        elif known != text:
            self._search_entries().update(text=text)
        return known != text

    def _search_entries(self) -> SearchEntryQuerySet:
        return SearchEntry.objects.filter(content_type=ContentType.objects.get_for_model(self), object_id=self.pk)


class SearchedPart(models.Model):
    """A row that lends its words to the row it belongs to: it rewrites that search entry when it is saved or deleted."""

    SEARCHED_WITH: ClassVar[str]  # the foreign key to that row

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            whole = self._lock_whole()
            super().save(*args, **kwargs)
            whole.refresh_search()

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        with transaction.atomic():
            whole = self._lock_whole()
            deleted = super().delete(*args, **kwargs)
            whole.refresh_search()
        return deleted

    def _lock_whole(self) -> SearchableModel:
        # The lock makes the second of two simultaneous additions see the words of the first when it writes the entry.
        whole: SearchableModel = getattr(self, self.SEARCHED_WITH)
        list(type(whole)._base_manager.select_for_update(no_key=True).filter(pk=whole.pk).values_list("pk"))
        return whole


def address_of_part(row: Any, part: str) -> str:
    """Return the address of a part of a record's page, such as its documents; a page in sections says where each part is."""
    section = getattr(row, "page_sections", {}).get(part, "")
    query = f"?section={section}" if section else ""
    return f"{row.get_absolute_url()}{query}#{part}"
