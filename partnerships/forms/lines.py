"""Forms of a row with lines for its parts; lines can be added with or without a script."""

import re
from typing import Any, Self

from django import forms
from django.db import models
from django.forms.formsets import INITIAL_FORM_COUNT, TOTAL_FORM_COUNT
from django.forms.utils import ErrorDict, ErrorList
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.exceptions import DomainError
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.numbers import number_or_none
from partnerships.forms.versions import Conflict, VersionedForm

MOST_LINES = 100
COUNTS = (TOTAL_FORM_COUNT, INITIAL_FORM_COUNT)
INCOMPLETE = gettext_lazy("The page was incomplete, so nothing was saved. Please check these lines and save again.")
# Buttons that send the form to be shown again, not to be saved: search for a row, add a line.
LOOK, MORE = "look", "more"


class LineForm(forms.ModelForm):
    """One line. Its ``rare`` fields are folded away unless one of them is filled in."""

    rare: frozenset[str] = frozenset()

    @property
    def legend(self) -> str:
        """Return the heading of the line; empty for the usual heading with a number."""
        return ""

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in self.rare]

    @property
    def rare_fields(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name in self.rare]

    @property
    def has_more(self) -> bool:
        return any(field.errors or field.value() != self.fields[field.name].initial for field in self.rare_fields)


class RowsMixin(forms.BaseInlineFormSet):
    """A formset for the parts of one root, which somebody else may change meanwhile."""

    model: type[models.Model]
    data: QueryDict
    prefix: str
    _non_form_errors: ErrorList

    # Names of further arguments that a new instance needs, besides those of every inline formset.
    extra_arguments: tuple[str, ...] = ()
    # Whether the counts of lines were missing or did not fit the lines. Without any line the current rows are shown.
    is_incomplete = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            self._count_lines_sent()

    def _count_lines_sent(self) -> None:
        """Note counts that do not fit the lines, and correct them: Django would drop lines beyond them without a word."""
        line = re.compile(rf"{re.escape(self.prefix)}-([0-9]{{1,4}})-(?![0-9]+-)(?!\w+_FORMS$)")
        numbers = {int(found[1]) for name in self.data if (found := line.match(name))}
        sent = max(numbers, default=-1) + 1
        total, initial = (number_or_none(self.data.get(f"{self.prefix}-{count}", "")) for count in COUNTS)
        if total is not None and initial is not None and sent <= total and initial <= total:
            return
        self.is_incomplete, self.is_bound = True, bool(numbers)
        pk = self.model._meta.pk.name
        kept = [number for number in numbers if self.data.get(f"{self.prefix}-{number}-{pk}")]
        self.data = self.data.copy()
        for count, number in zip(COUNTS, (sent, max(kept, default=-1) + 1), strict=True):
            self.data[f"{self.prefix}-{count}"] = str(number)

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_incomplete:
            self._non_form_errors.append(str(INCOMPLETE))

    def clean(self) -> None:
        """Refuse a line whose row is missing."""
        super().clean()
        # Django would save a line as a new row if its own was deleted, or if its id is forged.
        for line in self._missing():
            if not self._is_removed(line):
                line.add_error(None, _("This line is not there any more. Please open the page again."))

    def validate_unique(self) -> None:
        """Leave this to the verb: it compares each line with all rows, and lines may exchange their rows."""

    @property
    def changed_forms(self) -> list[forms.ModelForm]:
        removed = self.deleted_forms
        return [form for form in self.forms if form.has_changed() and form not in removed]

    def with_current_rows(self, conflict: Conflict) -> Self:
        """Return the formset for the page that shows a conflict.

        If the page had no lines because they were locked, the new formset has the current rows. A line whose row somebody
        removed is dropped, or becomes a new line if it was edited.
        """
        if not self.management_form.is_valid():
            return self._remade(None)
        missing = self._missing()
        typed = [line for line in missing if self._has_new_input(line, conflict)]
        return self._remade(self._renumbered(missing, typed)) if missing else self

    def _remade(self, data: QueryDict | None) -> Self:
        own = {"instance": self.instance, "prefix": self.prefix, "queryset": self.queryset}
        own |= {name: getattr(self, name) for name in self.extra_arguments}
        return type(self)(data=data, **own, form_kwargs=self.form_kwargs)

    def _missing(self) -> list[forms.ModelForm]:
        return [line for line in self.initial_forms if line.instance.pk is None]

    def _is_removed(self, line: forms.ModelForm) -> bool:
        return self._should_delete_form(line)  # type: ignore[attr-defined]

    def _has_new_input(self, line: forms.ModelForm, conflict: Conflict) -> bool:
        """Whether a line whose row is missing differs from that row as it was when the page was opened."""
        if self._is_removed(line):
            return False
        pk, root = number_or_none(self.data.get(line.add_prefix("id"), "")), {self.fk.name: self.instance}
        rows = self.model.history.filter(id=pk, **root)  # type: ignore[attr-defined]
        was = conflict.opened_at and rows.filter(history_date__lte=conflict.opened_at).first()
        if not was:
            return True
        return self.form(self.data, prefix=line.prefix, instance=was.instance, **self.form_kwargs).has_changed()

    def _renumbered(self, missing: list[forms.ModelForm], typed: list[forms.ModelForm]) -> QueryDict:
        """Return the sent data without the ``missing`` lines; those ``typed`` in become new lines."""
        kept = [line for line in self.initial_forms if line not in missing]
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
    """A formset of a page: the changed lines as ``parts`` for a verb, and the rows to remove."""

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        if data is not None and data.get(MORE) == self.prefix and self.forms:
            self._fill_in(self.forms[-1], data)

    def _fill_in(self, line: forms.BaseForm, data: QueryDict) -> None:
        """Give a line that was just added its initial values, ticks included."""
        if any(name.startswith(f"{line.prefix}-") for name in data):
            return
        for field in line:
            if field.initial not in {None, "", False}:
                data[field.html_name] = "on" if field.initial is True else str(field.initial)

    def hide_errors(self) -> None:
        """Show what was typed without errors: nobody asked to save it yet."""
        self._errors: list[ErrorDict] = []
        self._non_form_errors = self.error_class()
        for form in self.forms:
            form._errors = ErrorDict()  # type: ignore[attr-defined]

    @property
    def parts(self) -> list[models.Model]:
        return [form.instance for form in self.changed_forms]

    @property
    def removed(self) -> list[models.Model]:
        return [form.instance for form in self.deleted_forms if form.instance.pk]


def is_shown_again(data: QueryDict) -> bool:
    return LOOK in data or MORE in data


def with_more_lines(data: QueryDict | None) -> QueryDict | None:
    """Return the sent data with one more line in the formset that the button names."""
    if data is None or MORE not in data:
        return data
    key, more = f"{data[MORE]}-TOTAL_FORMS", data.copy()
    lines = number_or_none(more.get(key, ""))
    if lines is not None:
        more[key] = str(min(lines + 1, MOST_LINES))
    return more


class FormWithLines(DomainFormMixin, VersionedForm):
    """A form of a row with ``formsets`` for its parts, validated together and saved as one edit."""

    formsets: tuple[LineFormSet, ...] = ()

    def is_valid(self) -> bool:
        # A list: all() of a generator would stop at the first invalid form, and the page shows all errors at once.
        return all([super().is_valid(), *(lines.is_valid() for lines in self.formsets)])

    @property
    def parts(self) -> list[models.Model]:
        return [row for lines in self.formsets for row in lines.parts]

    @property
    def removed(self) -> list[models.Model]:
        return [row for lines in self.formsets for row in lines.removed]

    @property
    def changed_labels(self) -> list[str]:
        changed = [lines for lines in self.formsets if lines.parts or lines.removed]
        return [*super().changed_labels, *(str(lines.model._meta.verbose_name_plural) for lines in changed)]

    def place_of(self, error: DomainError) -> tuple[forms.BaseForm, str | None]:
        """Return the line of a part that was refused."""
        lines = (line for formset in self.formsets for line in formset.forms)
        line = next((line for line in lines if line.instance is error.part), None)
        return (line, error.field) if line is not None else super().place_of(error)

    @property
    def has_line_errors(self) -> bool:
        return self.is_bound and any(lines.total_error_count() for lines in self.formsets)

    def follow_current_rows(self, conflict: Conflict) -> None:
        self.formsets = tuple(lines.with_current_rows(conflict) for lines in self.formsets)

    def hide_errors(self) -> None:
        super().hide_errors()
        for lines in self.formsets:
            lines.hide_errors()


def line_formset(
    root: type[models.Model], model: type[models.Model], form: type[forms.ModelForm], **kwargs: Any
) -> Any:
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
