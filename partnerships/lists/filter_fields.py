"""Filters for a switch, a day, a number of days and a person."""

from collections.abc import Mapping

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.forms.models import ModelChoiceIterator
from django.forms.renderers import BaseRenderer
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_filters.filters import QuerySetRequestMixin

from partnerships.dates import EARLIEST_DAY, LATEST_DAY
from partnerships.inputs import DayField, DayInput, WholeNumberField
from partnerships.lists.cells import Text
from partnerships.models import Unit, User

# More people than this do not fit into a drop-down: the reader types a name or a part of it.
MOST_PEOPLE = 100


class SwitchInput(forms.CheckboxInput):
    """A checkbox that is ``yes`` or missing in the address; any other value is an error, not an unchecked box."""

    def __init__(self, attrs: dict[str, object] | None = None) -> None:
        super().__init__(attrs, check_test=lambda value: value == "yes")

    def format_value(self, value: object) -> str:
        return "yes"

    def value_from_datadict(self, data: Mapping[str, str], files: object, name: str) -> str | None:  # type: ignore[override]  # text, so that other values are errors
        return data.get(name)


class SwitchFilter(django_filters.ChoiceFilter):
    """A filter that is on or off."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(choices=[("yes", _("Yes"))], widget=SwitchInput, **kwargs)


class DayFilter(django_filters.DateFilter):
    """A day within the years people plan in: a mistyped year such as 0024 is an error of the field."""

    field_class = DayField

    def __init__(self, *args: object, **kwargs: object) -> None:
        bounds = [MinValueValidator(EARLIEST_DAY), MaxValueValidator(LATEST_DAY)]
        super().__init__(*args, **{"widget": DayInput, "validators": bounds, **kwargs})


class DaysFilter(django_filters.NumberFilter):
    """A number of days, at most ten years."""

    field_class = WholeNumberField

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, min_value=1, max_value=3650, **kwargs)

    def get_max_validator(self) -> None:
        return None  # the field has its own


class PersonInput(forms.Select):
    """A drop-down of people, or a text field for a name when there are too many people for one."""

    choices: ModelChoiceIterator

    def render(
        self, name: str, value: object, attrs: dict[str, object] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        people = self.choices.queryset
        offered = list(people[: MOST_PEOPLE + 1])
        if len(offered) > MOST_PEOPLE:
            shown = people.filter(pk=value).first() if str(value).isdecimal() else value
            return forms.TextInput(self.attrs | {"maxlength": 150}).render(name, shown, attrs, renderer)
        first = [("", self.choices.field.empty_label)]
        choices = first + [(person.pk, str(person)) for person in offered]
        return forms.Select(self.attrs, choices).render(name, value, attrs, renderer)


class PersonField(forms.ModelChoiceField):
    """A list of people: the person with an id, or everybody whose name contains the typed text."""

    widget = PersonInput
    default_error_messages = {
        "nobody": _("Nobody here is called “%(name)s”."),
        "too_many": _("Too many people are called “%(name)s”: write more of the name."),
    }

    def to_python(self, value: object) -> object:
        if value in self.empty_values or str(value).isdecimal():
            person = super().to_python(value)
            return [] if person is None else [person]
        name = forms.CharField(max_length=150).clean(value)
        people = User.objects.none() if self.queryset is None else self.queryset
        found = list(people.filter(name__icontains=name)[: MOST_PEOPLE + 1])
        if len(found) in {0, MOST_PEOPLE + 1}:
            code = "too_many" if found else "nobody"
            raise ValidationError(self.error_messages[code], code=code, params={"name": name})
        return found


class PersonFilter(QuerySetRequestMixin, django_filters.Filter):
    """Filter the rows by one or more people."""

    field_class = PersonField

    def __init__(self, **kwargs: object) -> None:
        super().__init__(lookup_expr="in", queryset=User.objects.none(), empty_label=_("Anyone"), **kwargs)


class UnitsField(forms.ModelChoiceField):
    """Several units, as their ids with dots between."""

    widget = forms.HiddenInput

    def to_python(self, value: object) -> object:
        ids = [int(pk) for pk in str(value or "").split(".") if pk.isdecimal() and len(pk) < 19]
        return list(self.queryset.filter(pk__in=ids)) if ids and self.queryset is not None else []


class UnitsFilter(QuerySetRequestMixin, django_filters.Filter):
    """Filter the rows by several units; numbers of pages link to it, and it has no field in the form."""

    field_class = UnitsField

    def __init__(self, **kwargs: object) -> None:
        super().__init__(queryset=Unit.objects.none(), **kwargs)


def linked_filter(label: Text, model: type[Model], **how: str) -> django_filters.ModelChoiceFilter:
    """Return a filter that links on other pages set: it has no field in the form, but can be removed once it is set.

    ``how`` is the ``field_name`` or the ``method`` that finds the rows of one record of ``model``.
    """
    rows = model._default_manager.none()
    return django_filters.ModelChoiceFilter(label=label, queryset=rows, widget=forms.HiddenInput, **how)


def people_of(rows: QuerySet, field: str) -> QuerySet:
    """Return the people who are ``field`` of one of ``rows``, by name."""
    return User.objects.filter(Exists(rows.order_by().filter(**{field: OuterRef("pk")})))
