"""Forms for what can be done with a signed agreement beside its steps: renewed, amended, joined, left."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.forms.steps import DateInput, VerbForm
from partnerships.models import Agreement, AgreementParty, AgreementTerm, Organization, User
from partnerships.workflows import agreements


class RenewForm(VerbForm):
    """The next term, from the day after the current one."""

    basis = forms.ChoiceField(
        label=_("How it was renewed"),
        choices=[
            (AgreementTerm.Basis.EXPRESS.value, AgreementTerm.Basis.EXPRESS.label),
            (AgreementTerm.Basis.TACIT.value, AgreementTerm.Basis.TACIT.label),
        ],
    )
    ends_on = forms.DateField(label=_("New end"), required=False, widget=DateInput)
    review_on = forms.DateField(label=_("Or, without an end: review on"), required=False, widget=DateInput)

    def call(self, actor: User, values: dict[str, Any]) -> Any:
        return agreements.renew_agreement(self.row, actor=actor, on=self.today, **values)


class AmendForm(VerbForm):
    """A signed amendment; with an end or a date of review, the term changes from the day it takes effect."""

    signed_on = forms.DateField(label=_("Signed on"), widget=DateInput)
    effective_on = forms.DateField(label=_("Takes effect on"), widget=DateInput)
    summary = forms.CharField(label=_("What changed"), max_length=5000, widget=forms.Textarea(attrs={"rows": 3}))
    ends_on = forms.DateField(label=_("New end of the term"), required=False, widget=DateInput)
    review_on = forms.DateField(label=_("New date of review"), required=False, widget=DateInput)

    def call(self, actor: User, values: dict[str, Any]) -> Any:
        return agreements.amend_agreement(self.row, actor=actor, **values)


class AccedeForm(VerbForm):
    """A later signature. Whoever shows the form says which organizations there are to choose from."""

    organization = forms.ModelChoiceField(label=_("Organization"), queryset=Organization.objects.none())
    on = forms.DateField(label=_("Acceded on"), widget=DateInput)
    role = forms.ChoiceField(label=_("Role"), choices=AgreementParty.Role.choices)
    signatory_person = forms.CharField(label=_("Signed by"), max_length=150, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = Organization.objects.not_archived()  # type: ignore[attr-defined]
        self.fields["on"].initial = self.today

    def call(self, actor: User, values: dict[str, Any]) -> Any:
        return agreements.accede_party(self.row, actor=actor, **values)


class WithdrawForm(VerbForm):
    """A party leaves; its row stays."""

    party = forms.ModelChoiceField(label=_("Party"), queryset=AgreementParty.objects.none())
    on = forms.DateField(label=_("Withdrew on"), widget=DateInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["party"].queryset = remaining_parties(self.row)  # type: ignore[attr-defined]
        self.fields["on"].initial = self.today

    def call(self, actor: User, values: dict[str, Any]) -> Any:
        return agreements.withdraw_party(values["party"], actor=actor, on=values["on"])


def remaining_parties(agreement: Agreement) -> QuerySet[AgreementParty]:
    return agreement.parties.filter(withdrew_on__isnull=True).select_related("organization")
