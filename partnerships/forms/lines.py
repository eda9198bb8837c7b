"""A form of a row with the lines that belong to it, as many as somebody asks for, with or without a script."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db import models
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.translation import gettext as _

from partnerships.exceptions import DomainError
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.numbers import number_or_none
from partnerships.forms.versions import Conflict, VersionedForm

MOST_LINES = 100
# Buttons that send a form to be shown again, not to be kept: look for a row, add a line.
LOOK, MORE = "look", "more"


class LineForm(forms.ModelForm):
    """One line. What is ``rare`` stands behind the rest, open where something is said there."""

    rare: frozenset[str] = frozenset()

    @property
    def in_front(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in self.rare]

    @property
    def behind(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name in self.rare]

    @property
    def has_more(self) -> bool:
        return any(field.errors or field.value() != self.fields[field.name].initial for field in self.behind)


class RowsMixin(forms.BaseInlineFormSet):
    """The rows of one root on a page, while somebody else may change them: none twice, none that is gone."""

    model: type[models.Model]
    data: QueryDict
    prefix: str
    duplicate: str

    # What it is made anew with, besides what every formset of a root is.
    made_with: tuple[str, ...] = ()

    def clean(self) -> None:
        """Django leaves the root out of what has to be unique, and so misses a row that somebody else added meanwhile.

        A row that is not one of these, forged or gone, must not come back as a new one.
        """
        super().clean()
        if self.is_valid() and self.instance.pk is not None:
            for form in self.kept_forms:
                self._refuse_twice(form)
        for line in self._gone():
            if not self._is_removed(line):
                line.add_error(None, _("This line is not there any more. Please open the page again."))

    def _refuse_twice(self, form: forms.ModelForm) -> None:
        """The forms Django compares itself: they may change places (``edits.changed_parts``). Other rows may not."""
        row = form.instance
        others = self.model._base_manager.exclude(pk__in=[form.instance.pk for form in self.initial_forms])
        for rule in row._meta.constraints:
            if (
                isinstance(rule, models.UniqueConstraint)
                and self.fk.name in rule.fields
                and _is_taken(rule, row, others)
            ):
                field = rule.violation_error_code if rule.violation_error_code in form.fields else None
                form.add_error(field, str(rule.get_violation_error_message()))

    def get_unique_error_message(self, unique_check: Sequence[str]) -> str:
        """The words of the constraint that two of the lines break, as the verb says them."""
        fields = {*unique_check, self.fk.name}
        rules = (rule for rule in self.model._meta.constraints if isinstance(rule, models.UniqueConstraint))
        rule = next((rule for rule in rules if set(rule.fields) == fields), None)
        self.duplicate = str(rule.violation_error_message if rule else super().get_unique_error_message(unique_check))
        return self.duplicate

    def get_form_error(self) -> str:
        return self.duplicate

    @property
    def kept_forms(self) -> list[forms.ModelForm]:
        removed = self.deleted_forms
        return [form for form in self.forms if form.has_changed() and form not in removed]

    def caught_up(self, conflict: Conflict) -> Any:
        """Beside a conflict: the lines as they are now, where the page had none because they were locked.

        A line whose row somebody removed goes as well, or is a new one where something else was typed in it.
        """
        if not self.management_form.is_valid():
            return self._with(None)
        gone = self._gone()
        typed = [line for line in gone if self._was_typed_in(line, conflict)]
        return self._with(self._moved(gone, typed)) if gone else self

    def _with(self, data: QueryDict | None) -> Any:
        own = {"instance": self.instance, "prefix": self.prefix, "queryset": self.queryset}
        own |= {name: getattr(self, name) for name in self.made_with}
        return type(self)(data=data, **own, form_kwargs=self.form_kwargs)

    def _gone(self) -> list[forms.ModelForm]:
        return [line for line in self.initial_forms if line.instance.pk is None]

    def _is_removed(self, line: forms.ModelForm) -> bool:
        return self._should_delete_form(line)  # type: ignore[attr-defined]

    def _was_typed_in(self, line: forms.ModelForm, conflict: Conflict) -> bool:
        """Whether a line says anything else than its row, which is gone, said when the page was opened."""
        if self._is_removed(line):
            return False
        pk, root = number_or_none(self.data.get(line.add_prefix("id"), "")), {self.fk.name: self.instance}
        rows = self.model.history.filter(id=pk, **root)  # type: ignore[attr-defined]
        was = conflict.opened_at and rows.filter(history_date__lte=conflict.opened_at).first()
        if not was:
            return True
        return self.form(self.data, prefix=line.prefix, instance=was.instance, **self.form_kwargs).has_changed()

    def _moved(self, gone: list[forms.ModelForm], typed: list[forms.ModelForm]) -> QueryDict:
        """What was sent, without the lines that are ``gone``; those ``typed`` in stand among the new ones."""
        kept = [line for line in self.initial_forms if line not in gone]
        lines, data = [*kept, *typed, *self.extra_forms], self.data.copy()
        for name in self.data:
            if any(name.startswith(f"{line.prefix}-") for line in self.forms):
                del data[name]
        for number, line in enumerate(lines):
            of_row = {line.add_prefix("id"), line.add_prefix("DELETE")} if line in typed else set()
            for name in self.data:
                if name.startswith(f"{line.prefix}-") and name not in of_row:
                    moved = self.add_prefix(number) + name.removeprefix(str(line.prefix))
                    data.setlist(moved, self.data.getlist(name))
        data[f"{self.prefix}-INITIAL_FORMS"], data[f"{self.prefix}-TOTAL_FORMS"] = str(len(kept)), str(len(lines))
        return data


class LineFormSet(RowsMixin):
    """What was typed as rows: those to keep, and those to remove."""

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        if data is not None and data.get(MORE) == self.prefix and self.forms:
            self._fill_in(self.forms[-1], data)

    def _fill_in(self, line: forms.BaseForm, data: QueryDict) -> None:
        """A line that was just asked for starts as on a fresh page, ticks and all."""
        if any(name.startswith(f"{line.prefix}-") for name in data):
            return
        for field in line:
            if field.initial not in {None, "", False}:
                data[field.html_name] = "on" if field.initial is True else str(field.initial)

    def leave_unjudged(self) -> None:
        """Show what was typed without a word about what is missing: nobody asked to keep it yet."""
        self._errors: list[ErrorDict] = []
        self._non_form_errors = self.error_class()
        for form in self.forms:
            form._errors = ErrorDict()  # type: ignore[attr-defined]

    @property
    def kept(self) -> list[models.Model]:
        return [form.instance for form in self.kept_forms]

    @property
    def removed(self) -> list[models.Model]:
        return [form.instance for form in self.deleted_forms if form.instance.pk]


def _is_taken(rule: models.UniqueConstraint, row: models.Model, others: models.QuerySet) -> bool:
    values = {name: row.serializable_value(name) for name in rule.fields}
    condition = rule.condition or models.Q()
    if None in values.values() or not others.filter(condition, **values).exists():
        return False
    return not condition or condition.check(row._get_field_expression_map(row._meta))  # type: ignore[attr-defined]


def is_shown_again(data: QueryDict) -> bool:
    return LOOK in data or MORE in data


def with_more_lines(data: QueryDict | None) -> QueryDict | None:
    """What was sent, with one more line of the formset that the button names."""
    if data is None or MORE not in data:
        return data
    key, more = f"{data[MORE]}-TOTAL_FORMS", data.copy()
    lines = number_or_none(more.get(key, ""))
    if lines is not None:
        more[key] = str(min(lines + 1, MOST_LINES))
    return more


class FormWithLines(DomainFormMixin, VersionedForm):
    """A row with ``formsets`` of what belongs to it: valid together, kept as one edit."""

    formsets: tuple[LineFormSet, ...] = ()

    def is_valid(self) -> bool:
        return all([super().is_valid(), *(lines.is_valid() for lines in self.formsets)])

    @property
    def kept(self) -> list[models.Model]:
        return [row for lines in self.formsets for row in lines.kept]

    @property
    def removed(self) -> list[models.Model]:
        return [row for lines in self.formsets for row in lines.removed]

    def place_of(self, error: DomainError) -> tuple[forms.BaseForm, str | None]:
        """A part that stands in a line: the line."""
        lines = (line for formset in self.formsets for line in formset.forms)
        line = next((line for line in lines if line.instance is error.part), None)
        return (line, error.field) if line is not None else super().place_of(error)

    @property
    def has_line_errors(self) -> bool:
        return self.is_bound and any(lines.total_error_count() for lines in self.formsets)

    def catch_up(self, conflict: Conflict) -> None:
        self.formsets = tuple(lines.caught_up(conflict) for lines in self.formsets)

    def leave_unjudged(self) -> None:
        super().leave_unjudged()
        for lines in self.formsets:
            lines.leave_unjudged()


def lines_of(root: type[models.Model], model: type[models.Model], form: type[forms.ModelForm], **kwargs: Any) -> Any:
    return forms.inlineformset_factory(
        root,
        model,
        form=form,
        formset=LineFormSet,
        can_delete_extra=False,
        absolute_max=MOST_LINES,
        validate_max=True,
        **{"max_num": MOST_LINES, **kwargs},
    )
