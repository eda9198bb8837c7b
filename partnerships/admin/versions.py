"""The forms of the admin: a row, and the rows that belong to it, within what a person may choose and do."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest
from unfold.forms import PaginationInlineFormSet

from partnerships.exceptions import DomainError, PossibleDuplicate
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.lines import RowsMixin
from partnerships.forms.versions import VersionedForm

MOST_DUPLICATES_SHOWN = 5


class ScopedChoicesMixin(forms.BaseModelForm):
    """A form that offers the current value of a row, even if the person could not choose it anew."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, form_field in self.fields.items():
            current = getattr(self.instance, f"{name}_id", None)
            if current and isinstance(form_field, forms.ModelChoiceField) and form_field.queryset is not None:
                # Otherwise Django would refuse the form, although the person changed another field.
                offered = form_field.queryset
                form_field.queryset = offered.model._base_manager.filter(
                    Q(pk__in=offered.order_by().values("pk")) | Q(pk=current)
                )


class PartForm(ScopedChoicesMixin, forms.ModelForm):
    """A row that belongs to another one. In a table its labels head the columns, so each field carries its name as well."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("aria-label", str(field.label))


class PartFormSet(RowsMixin, PaginationInlineFormSet):
    """The rows of one root; each shows what the verb refused about it."""

    extra_arguments = ("request", "per_page", "count", "count_variant", "provided_queryset")
    # The request of the page; the theme gives its own ``request`` to paginated formsets alone.
    sent_by: HttpRequest | None = None

    def clean(self) -> None:
        super().clean()
        refused: Refused | None = getattr(self.sent_by, "refused", None)
        for form in self.forms if refused else ():
            if refused and form.prefix == refused.prefix:
                form.add_error(refused.field if refused.field in form.fields else None, str(refused.error))


@dataclass(frozen=True)
class Refused:
    """A refusal by the verb, and its place: the prefix of the part's form, None for the root's."""

    error: DomainError
    prefix: str | None = None

    @property
    def field(self) -> str | None:
        return self.error.field

    @classmethod
    def at(cls, error: DomainError, formsets: Iterable[forms.BaseInlineFormSet]) -> "Refused":
        """Find the line of the part that the verb refused."""
        lines = (line for formset in formsets for line in formset.forms)
        return cls(error, next((line.prefix for line in lines if line.instance is error.part), None))


class RootForm(ScopedChoicesMixin, DomainFormMixin, VersionedForm):
    """The form of a root: refuses a stale version, and shows what the verb refused.

    The admin sets ``request``, with ``request.refused``, what the verb refused in a first attempt.
    """

    request: HttpRequest

    def clean(self) -> dict[str, object] | None:
        cleaned = super().clean()
        refused: Refused | None = getattr(self.request, "refused", None)
        if refused is not None and refused.prefix is None:
            self.add_refusal(refused.error)
        return cleaned

    def add_refusal(self, error: DomainError) -> None:
        super().add_refusal(error)
        if isinstance(error, PossibleDuplicate) and "is_another" in self.fields:
            rows = self._meta.model._default_manager.filter(pk__in=error.found)[:MOST_DUPLICATES_SHOWN]
            self.fields["is_another"].help_text = ", ".join(str(row) for row in rows)

    def arguments(self) -> dict[str, object]:
        """Return further arguments of the verb, from fields that the form has besides the columns of the row."""
        return {"confirmed_different": self.cleaned_data["is_another"]} if "is_another" in self.fields else {}
