"""Forms that ask units about a demand and record its outcome."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partnerships.forms.choices import offer_rows
from partnerships.forms.domain import past_day
from partnerships.forms.names import EitherTitleMixin
from partnerships.forms.steps import VerbForm
from partnerships.inputs import DayField, DayInput
from partnerships.models import Activity, Agreement, AgreementType, Answer, Organization, OrganizationKind, Unit, User
from partnerships.workflows import demands


class DemandForm(VerbForm):
    """A verb on a demand that takes a day."""

    on = DayField(label=_("Date"), widget=DayInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = self.today

    def clean_on(self) -> dt.date:
        return past_day(self.cleaned_data["on"], today=self.today)


class AskUnitsForm(DemandForm):
    """Asks units that were not asked yet."""

    units = forms.ModelMultipleChoiceField(
        label=_("Units to ask"),
        queryset=Unit.objects.none(),
        error_messages={"invalid_choice": _("This unit was asked already, or does not exist.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = self.row.answers.filter(person="").values("unit")
        offer_rows(self, "units", Unit.objects.exclude(pk__in=asked))

    def call(self, actor: User, values: dict[str, Any]) -> list[Answer]:
        values["units"] = list(values["units"])
        return demands.ask_units(self.row, actor=actor, **values)


class OutcomeForm(EitherTitleMixin, DemandForm):
    """The fields of both outcomes: its titles, and the institution that it is agreed with."""

    title = forms.CharField(label=_("Title"), max_length=200)
    title_zh = forms.CharField(label=_("Chinese title"), max_length=200)
    partner = forms.ModelChoiceField(
        label=_("With"),
        queryset=Organization.objects.filter(kind=OrganizationKind.INSTITUTION).not_archived(),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.columns:
            self.fields[name].initial = getattr(self.row, name)


class AgreementOutcomeForm(OutcomeForm):
    field_names = {"is_another": "title"}

    agreement_type = forms.ModelChoiceField(
        label=_("Type of agreement"), queryset=AgreementType.objects.filter(is_active=True)
    )

    def call(self, actor: User, values: dict[str, Any]) -> Agreement:
        return demands.agree_with_agreement(self.row, actor=actor, **values)


class ProjectOutcomeForm(OutcomeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["partner"].required = False

    def call(self, actor: User, values: dict[str, Any]) -> Activity:
        return demands.agree_with_project(self.row, actor=actor, **values)
