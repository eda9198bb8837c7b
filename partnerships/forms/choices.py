"""The rows that a person may choose in a form, for drop-downs, autocompletes and posted ids alike."""

from typing import Any, cast

from django import forms
from django.db.models import Model, QuerySet

from partnerships.models import AgreementType, CooperationArea, Role, Statement, Unit, User, WorkCalendar
from partnerships.permissions import may

# Models without visible_to() whose rows everybody may choose; other models without it offer nothing.
SHARED = frozenset({Statement, WorkCalendar})


def choosable(model: type[Model], user: User) -> QuerySet:
    """Return the rows of ``model`` that ``user`` may refer to: those they see; of units those they may write in."""
    if model is Unit:
        return _units(user)
    if model is User:
        return User.objects.visible_to(user).filter(is_active=True)
    if model in {AgreementType, CooperationArea}:
        active = model._default_manager.filter(is_active=True)
        return active if may(user, "reference.view") else active.none()
    rows = model._default_manager.all()
    if hasattr(rows, "visible_to"):
        return rows.visible_to(user)
    return rows if model in SHARED else rows.none()


def offer_rows(form: forms.BaseForm, name: str, rows: QuerySet[Any]) -> forms.ModelChoiceField:
    """Limit the choices of the field ``name`` of a form to ``rows``, and return the field."""
    field = cast("forms.ModelChoiceField", form.fields[name])
    field.queryset = rows
    return field


def _units(user: User) -> QuerySet:
    if user.sees_all_units or may(user, "unit.edit"):
        return Unit.objects.all()
    return Unit.objects.filter(pk__in=user.scope.unit_ids_as(Role.COORDINATOR))
