"""Forms that call a verb: input becomes the verb's arguments, and what the verb refuses a message at its field."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django import forms
from django.db import models, transaction
from django.forms.utils import ErrorDict
from django.utils.translation import gettext as _

from partnerships.exceptions import DomainError, PossibleDuplicate
from partnerships.forms.possible_duplicates import AnotherField
from partnerships.models import User
from partnerships.workflows.edits import check_not_in_future
from partnerships.workflows.transitions import check_day


class DomainFormMixin(forms.BaseForm):
    """A form of one verb, the same for pages and admin.

    ``field_names`` maps a field as the verb calls it to the field of the form, where the two differ; ``part_fields`` a
    model of parts to the field that asks for them.
    """

    field_names: Mapping[str, str] = {}
    part_fields: Mapping[type[models.Model], str] = {}
    files_to_choose_again: Sequence[forms.BoundField] = ()

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound and self.errors:
            self.ask_for_files_again()

    def ask_for_files_again(self) -> None:
        """Say at each chosen file that it has to be chosen again: a browser does not keep it when a page is shown anew."""
        chosen = [self[name] for name, field in self.fields.items() if isinstance(field, forms.FileField)]
        self.files_to_choose_again = [file for file in chosen if file.data and not file.errors]
        for file in self.files_to_choose_again:
            file.help_text = _("Please choose the file again: nothing was saved, and browsers forget a chosen file.")

    def hide_errors(self) -> None:
        """Show what was typed without errors: nobody asked to save it yet."""
        self._errors = ErrorDict()

    def keep(self, actor: User, **about: Any) -> Any:
        """Call the verb with what was typed and return what it kept."""
        raise NotImplementedError

    def transaction(self) -> AbstractContextManager[object]:
        """Return the context around the verb; one that commits in batches needs another."""
        return transaction.atomic()

    def apply(self, actor: User, **about: object) -> Any | None:
        """Return what the verb kept, or None with its refusal among the errors. Call it on a valid form."""
        try:
            with self.transaction():
                return self.keep(actor, **about)
        except DomainError as error:
            self.add_refusal(error)
            self.ask_for_files_again()
            return None

    def add_refusal(self, error: DomainError) -> None:
        """Show the refusal at the field it names, or above the form. Look-alikes are offered to be confirmed."""
        form, name = self.place_of(error)
        asked = form.fields.get(name or "")
        if isinstance(error, PossibleDuplicate) and isinstance(asked, AnotherField):
            asked.ask_about(error.found)
        form.add_error(name if asked is not None else None, str(error))

    def place_of(self, error: DomainError) -> tuple[forms.BaseForm, str | None]:
        """Return the form and the field that ask for what was refused."""
        name = (self.part_fields.get(type(error.part)) if error.part else None) or error.field
        return self, self.field_names.get(name, name) if name else None


@contextmanager
def refusals_as_errors() -> Iterator[None]:
    """Turn the refusal of a rule into an error of the field that is being cleaned."""
    try:
        yield
    except DomainError as error:
        raise forms.ValidationError(str(error)) from error


def past_day(day: dt.date, *, today: dt.date) -> dt.date:
    """Return a day on which something is said to have happened; one that lies ahead is an error of its field."""
    with refusals_as_errors():
        check_not_in_future(day, today=today, field="")
    return day


def possible_day(day: dt.date | None) -> dt.date | None:
    """Return a day of years that people plan in; one of another year is an error of its field."""
    with refusals_as_errors():
        if day:
            check_day(day, field="")
    return day
