"""Forms that compare the version of a row when they are saved, and the conflict shown if somebody else was faster."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from partnerships.forms.numbers import number_or_none
from partnerships.models import User
from partnerships.texts import LazyText

EMPTY = "–"


class StampField(forms.CharField):
    """A hidden field about the page itself, such as when it was opened; it never counts as a change."""

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False)

    def has_changed(self, initial: object, data: object) -> bool:
        return False


class VersionedForm(forms.ModelForm):
    """A form of a row that has a ``version``. Without a version, or for a new row, nothing is compared.

    Validate it in the transaction that saves. A stale form is invalid and has a ``conflict``; it shows what was typed
    with the current version, so that sending it again overwrites on purpose.
    """

    data: QueryDict
    version = StampField()
    opened_at = StampField()
    boxes = StampField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conflict: Conflict | None = None
        if self.instance.pk is None or not hasattr(self.instance, "version"):
            del self.fields["version"], self.fields["opened_at"], self.fields["boxes"]
            return
        self.fields["version"].initial = self.instance.version
        self.fields["opened_at"].initial = timezone.now().isoformat()
        self.fields["boxes"].initial = self._boxes

    def _boxes(self) -> str:
        """Return the names of its checkboxes: a browser sends nothing for one that is not ticked."""
        return " ".join(name for name, asked in self.fields.items() if isinstance(asked.widget, forms.CheckboxInput))

    @property
    def changed_labels(self) -> list[str]:
        """Return the names of the fields that were changed, as in a sentence."""
        return list(dict.fromkeys(_in_a_sentence(str(self[name].label)) for name in self.changed_data))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if "version" in self.fields:
            self._check_version()
        return cleaned

    def _check_version(self) -> None:
        """Compare the versions, and note a conflict if somebody else saved meanwhile."""
        # Under the lock of the row: otherwise two forms could both find their version current.
        rows = type(self.instance)._base_manager.select_for_update(no_key=True)
        now = rows.get(pk=self.instance.pk)
        submitted = self.cleaned_data.get("version") or "0"
        if submitted != str(now.version):
            opened_at = _moment(self.cleaned_data.get("opened_at") or "")
            boxes = frozenset((self.cleaned_data.get("boxes") or "").split())
            self.conflict = Conflict(now, number_or_none(submitted) or 0, opened_at, boxes)
            self.add_error(None, _("Somebody else changed this since you opened it. Nothing is lost: see below."))
            self._accept_current(now.version)

    def _accept_current(self, version: int) -> None:
        """Continue from the current version: the next save overwrites on purpose."""
        self.data = self.data.copy()
        self.data[self.add_prefix("version")] = str(version)
        self.data[self.add_prefix("opened_at")] = timezone.now().isoformat()
        self.data[self.add_prefix("boxes")] = self._boxes()

    def differences_beside(self, conflict: "Conflict") -> Iterable["Difference"]:
        """Return the differences in fields that are not columns of the row."""
        return ()

    def follow_current_rows(self, conflict: "Conflict") -> None:
        """Replace the lines by those of the current rows, so that the form can be sent again."""


@dataclass(frozen=True)
class Difference:
    """One field: as the person typed it, as it is now, and as it was when the form was opened.

    ``form`` and ``name`` are its form field, if it has one, and ``sent`` the values a browser would send for theirs.
    ``is_left_out`` means that the page had no such field.
    """

    label: LazyText
    mine: str
    theirs: str
    original: str
    form: Any = None
    name: str = ""
    sent: tuple[str, ...] = ()
    is_left_out: bool = False

    @property
    def is_theirs_alone(self) -> bool:
        return self.is_left_out or self.mine == self.original

    def take_over(self) -> None:
        if self.form is not None and self.name in self.form.fields:
            self.form.data.setlist(self.form.add_prefix(self.name), self.sent)
            self.form.errors.pop(self.name, None)


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and timezone.is_aware(moment) else None


@dataclass
class Conflict:
    """A refused save. ``now`` is the row as it is, ``submitted`` the version the form was opened with.

    ``boxes`` are the checkboxes that the page had.
    """

    now: Any
    submitted: int
    opened_at: dt.datetime | None
    boxes: frozenset[str] = frozenset()
    differences: list[Difference] = field(default_factory=list)
    reader: User | None = None

    @property
    def last_change(self) -> Any:
        """Return the newest history row of the root, which says who changed it and when."""
        return self.now.history.select_related("history_user").first()

    def describe(self, form: VersionedForm, formsets: Iterable[forms.BaseInlineFormSet] = (), *, reader: User) -> None:
        """Fill in ``differences`` for ``reader``; rows that they may neither choose nor see are not named."""
        self.reader = reader
        parts = (part for rows in formsets for part in self._of_parts(rows))
        self.differences = [*self._of_root(form), *form.differences_beside(self), *parts]

    def _of_root(self, form: forms.ModelForm) -> Iterator[Difference]:
        history = self.now.history.filter(version__lte=self.submitted).order_by("-version", "-history_id")
        original = history.first()
        yield from self._of_columns(form, self.now, original, _posted_fields(form))

    def _of_columns(
        self, form: forms.ModelForm, row: models.Model, original: models.Model | None, names: Iterable[str]
    ) -> Iterator[Difference]:
        for name in names:
            model_field: Any = row._meta.get_field(name)
            theirs, before = self._shown(form, model_field, row), self._shown(form, model_field, original)
            mine = self._mine(form, model_field)
            if mine != theirs:
                sent = _as_sent(getattr(row, model_field.attname))
                left_out = self._is_left_out(form, name)
                yield Difference(_label(model_field), mine, theirs, before, form, name, sent, is_left_out=left_out)

    def _is_left_out(self, form: forms.ModelForm, name: str) -> bool:
        """Whether the page had no such field: it was locked, or hid a value from the reader."""
        key, asked = form.add_prefix(name), form.fields.get(name)
        if asked is None:
            return False
        # A browser sends nothing for a box that is not ticked, so ``boxes`` says which ones the page had.
        if isinstance(asked.widget, forms.CheckboxInput):
            return key not in form.data and name not in self.boxes
        return asked.widget.value_omitted_from_data(form.data, form.files, key)

    def _shown(self, form: forms.ModelForm, model_field: models.Field, row: models.Model | None) -> str:
        """Return the text of a column of ``row`` as far as the reader may know it."""
        return self._in_words(form, model_field, getattr(row, model_field.attname)) if row else EMPTY

    def _in_words(self, form: forms.ModelForm, model_field: models.Field, value: object) -> str:
        return display_value(
            model_field, value, is_named=not _is_scoped(model_field) or self._may_know(form, model_field, value)
        )

    def _mine(self, form: forms.ModelForm, model_field: models.Field) -> str:
        """Return the text of what the person typed, even if the field is locked by now or its input invalid."""
        if model_field.name in getattr(form, "cleaned_data", {}):
            value = form.cleaned_data[model_field.name]
            return display_value(model_field, value.pk if isinstance(value, models.Model) else value)
        typed = str(form.data.get(form.add_prefix(model_field.name), ""))
        if isinstance(model_field, models.BooleanField):
            return display_value(model_field, bool(typed))
        try:
            value = model_field.to_python(typed) if typed else None
        except forms.ValidationError:
            return typed
        return self._in_words(form, model_field, value)

    def _may_know(self, form: forms.ModelForm, model_field: models.Field, pk: object) -> bool:
        rows = _related_model(model_field)._default_manager.visible_to(self.reader)
        offered = getattr(form.fields.get(model_field.name), "queryset", rows)
        return any(known.filter(pk=pk).exists() for known in (offered, rows))

    def take_over(self, form: VersionedForm, formsets: Iterable[Any] = ()) -> None:
        """Put what only the others changed into the forms, so that saving again does not undo it."""
        for rows in formsets:
            rows.data = rows.data.copy()
            for line in rows.forms:
                line.data = rows.data
        for difference in self.differences:
            if difference.is_theirs_alone:
                difference.take_over()
        form.follow_current_rows(self)

    def row_differences(
        self, form: VersionedForm, row: models.Model | None, names: Iterable[str]
    ) -> Iterator[Difference]:
        """Return the differences in columns of a part that the form asks for by the same names."""
        if row:
            yield from self._of_columns(form, row, _part_as_opened(row, self.opened_at), names)

    def first_row_differences(self, form: VersionedForm, name: str, rows: QuerySet) -> Iterator[Difference]:
        """Return the difference in the first of the ``rows``, which the form asks for as one choice ``name``."""
        theirs, before = (
            min(kept, key=lambda row: row.pk, default=None) for kept in (rows.all(), self._as_opened(rows))
        )
        yield from self._of_columns(form, theirs or rows.model(), before, [name])

    def rows_differences(self, field: forms.BoundField, mine: Iterable[str], rows: QuerySet) -> Iterator[Difference]:
        """Return the difference in parts that ``field`` asks for as several choices, compared by their names."""
        ours, theirs = set(mine), {str(row) for row in rows.all()}
        if ours != theirs:
            sent = tuple(str(value) for value in field.initial or ())
            before = _joined(str(row) for row in self._as_opened(rows))
            yield Difference(field.label, _joined(ours), _joined(theirs), before, field.form, field.name, sent)

    def _as_opened(self, rows: Any) -> list[models.Model]:
        if self.opened_at is None:
            return []
        root = {rows.field.name: self.now}
        return list(rows.model.history.as_of(self.opened_at).filter(**root))

    def _of_parts(self, formset: Any) -> Iterator[Difference]:
        if not formset.management_form.is_valid():
            return
        for form in formset.initial_forms:
            if form.instance.pk is None:
                yield Difference(formset.model._meta.verbose_name, _typed(form), str(_("removed meanwhile")), EMPTY)
            elif form.has_changed():
                yield from self._of_part(form)
        posted = {form.instance.pk for form in formset.initial_forms}
        for row in formset.get_queryset():
            if row.pk not in posted:
                yield Difference(row._meta.verbose_name, EMPTY, _("added meanwhile: %(row)s") % {"row": row}, EMPTY)

    def _of_part(self, form: forms.ModelForm) -> Iterator[Difference]:
        original = _part_as_opened(form.instance, self.opened_at)
        theirs_row = type(form.instance)._base_manager.get(pk=form.instance.pk)
        for name in form.changed_data:
            model_field = _model_field(form, name)
            if model_field is None:
                continue
            label = f"{theirs_row._meta.verbose_name} “{theirs_row}”: {_label(model_field)}"
            theirs, before = self._shown(form, model_field, theirs_row), self._shown(form, model_field, original)
            sent = _as_sent(getattr(theirs_row, model_field.attname))
            yield Difference(label, self._mine(form, model_field), theirs, before, form, name, sent)


def _as_sent(value: object) -> tuple[str, ...]:
    """Return what a browser sends for a value: nothing for a checkbox that is not ticked."""
    if isinstance(value, bool):
        return ("on",) if value else ()
    return ("" if value is None else value.isoformat() if isinstance(value, dt.date) else str(value),)


def _joined(words: Iterable[str]) -> str:
    return "; ".join(sorted(words)) or EMPTY


def _posted_fields(form: forms.ModelForm) -> list[str]:
    """Return the fields of the form, and those that were sent but are locked by now."""
    names = [model_field.name for model_field in form.instance._meta.concrete_fields if model_field.editable]
    return [name for name in names if name in form.fields or name in form.data]


def _is_scoped(model_field: models.Field) -> bool:
    """Whether it refers to rows that not everybody sees."""
    # The page of a conflict names the chosen rows, and a forged id must not reveal the name of one.
    return model_field.is_relation and hasattr(_related_model(model_field)._default_manager.all(), "visible_to")


def _related_model(model_field: models.Field) -> Any:
    return model_field.related_model


def _typed(form: forms.ModelForm) -> str:
    values = [str(form.data.get(form.add_prefix(name), "")) for name in form.fields if name not in {"id", "DELETE"}]
    return " · ".join(value for value in values if value) or EMPTY


def _part_as_opened(part: Model, opened_at: dt.datetime | None) -> Model | None:
    if opened_at is None or not hasattr(part, "history"):
        return None
    return part.history.filter(history_date__lte=opened_at).first()


def _model_field(form: forms.ModelForm, name: str) -> models.Field | None:
    try:
        found = form.instance._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return found if found.concrete else None


def _in_a_sentence(label: str) -> str:
    """Return the label with a small letter, unless it begins with an abbreviation."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def _label(model_field: models.Field) -> str:
    label = str(model_field.verbose_name)
    return label[:1].upper() + label[1:]


def display_value(model_field: models.Field, value: object, *, is_named: bool = True) -> str:
    """Return the text of a column's value: names for ids, labels for choices, local dates."""
    if value is None or value == "":
        return EMPTY
    if model_field.is_relation and not is_named:
        return f"#{value}"
    if model_field.is_relation:
        row = _related_model(model_field)._base_manager.filter(pk=value).first()
        return str(row) if row else f"#{value}"
    if model_field.choices:
        return str(dict(model_field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return str(formats.localize(value))
