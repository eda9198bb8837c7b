"""Filters that Django has no field for: a switch, a day, a person."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters.filters import QuerySetRequestMixin

from partnerships.dates import EARLIEST_DAY, LATEST_DAY
from partnerships.models import User

# Of a drop-down; where there are more people, a name or a part of it is typed.
MOST_PEOPLE = 100


class SwitchInput(forms.CheckboxInput):
    """A checkbox that is ``yes`` or absent in the address; anything else is a bad value, not an unchecked box."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, check_test=lambda value: value == "yes")

    def format_value(self, value: Any) -> str:
        return "yes"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.get(name)


class SwitchFilter(django_filters.ChoiceFilter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[("yes", _("Yes"))], widget=SwitchInput, **kwargs)


class DayInput(forms.DateInput):
    """The browser's own date picker; ISO in the address in every language."""

    input_type = "date"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, format="%Y-%m-%d")


class DayFilter(django_filters.DateFilter):
    """A day that people plan in: the year 0024 is a slip, and its message stands beside the field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        bounds = [MinValueValidator(EARLIEST_DAY), MaxValueValidator(LATEST_DAY)]
        super().__init__(*args, widget=DayInput, validators=bounds, **kwargs)


class DaysFilter(django_filters.NumberFilter):
    """A number of days, ten years of them at most."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=1, max_value=3650, **kwargs)

    def get_max_validator(self) -> None:
        return None  # the field has its own


class PersonInput(forms.Select):
    """A drop-down of people, or where they are too many for one, a field for a name or a part of it."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        people = self.choices.queryset  # type: ignore[attr-defined]
        offered = list(people[: MOST_PEOPLE + 1])
        if len(offered) > MOST_PEOPLE:
            shown = people.filter(pk=value).first() if is_id(value) else value
            return forms.TextInput(self.attrs | {"maxlength": 150}).render(name, shown, attrs, renderer)
        first = [("", self.choices.field.empty_label)]  # type: ignore[attr-defined]
        choices = first + [(person.pk, str(person)) for person in offered]
        return forms.Select(self.attrs, choices).render(name, value, attrs, renderer)


class PersonField(forms.ModelChoiceField):
    """The people meant, as a list: the one of an id, or all whose name has what was typed in it."""

    widget = PersonInput
    default_error_messages = {
        "nobody": _("Nobody here is called “%(name)s”."),
        "too_many": _("Too many people are called “%(name)s”: write more of the name."),
    }

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values or is_id(value):
            person = super().to_python(value)
            return [] if person is None else [person]
        name = forms.CharField(max_length=150).clean(value)
        found = list(self.queryset.filter(name__icontains=name)[: MOST_PEOPLE + 1])
        if len(found) in {0, MOST_PEOPLE + 1}:
            code = "too_many" if found else "nobody"
            raise ValidationError(self.error_messages[code], code=code, params={"name": name})
        return found


class PersonFilter(QuerySetRequestMixin, django_filters.Filter):
    """Keeps to the rows of the people meant."""

    field_class = PersonField

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("empty_label", _("Any"))
        super().__init__(lookup_expr="in", queryset=User.objects.none(), **kwargs)


def is_id(value: Any) -> bool:
    text = str(value)
    return text.isascii() and text.isdigit() and len(text) < 19


def opened_by(label: Any, model: type[Model], **how: str) -> django_filters.ModelChoiceFilter:
    """A filter that a number on another page sets: no field of the form, and a chip once it is set.

    ``how`` it keeps to the rows of one of ``model``: a ``field_name``, or a ``method``.
    """
    rows = model._default_manager.none()
    return django_filters.ModelChoiceFilter(label=label, queryset=rows, widget=forms.HiddenInput, **how)


def people_of(rows: QuerySet, field: str) -> QuerySet:
    """Whoever is ``field`` of one of ``rows``, by name."""
    return User.objects.filter(Exists(rows.order_by().filter(**{field: OuterRef("pk")}))).order_by("name", "pk")
