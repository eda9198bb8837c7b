"""The filter of the page of agreements without contact."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partnerships.forms.choices import offer_rows
from partnerships.inputs import WholeNumberField
from partnerships.models import Agreement, AgreementParty, CooperationArea, Organization, Unit, User
from partnerships.models.activities import QUIET_AFTER_DAYS


class QuietForm(forms.Form):
    """The number of ``days`` without contact; the other fields are set by links on the page."""

    days = WholeNumberField(label=_("Days without contact"), min_value=1, max_value=3650, required=False)
    unit = forms.ModelChoiceField(label=_("Unit"), queryset=Unit.objects.none(), required=False)
    coordinator = forms.ModelChoiceField(label=_("Coordinator"), queryset=User.objects.none(), required=False)
    party = forms.ModelChoiceField(label=_("Partner"), queryset=Organization.objects.none(), required=False)
    area = forms.ModelChoiceField(label=_("Area promised"), queryset=CooperationArea.objects.all(), required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seen = Agreement.objects.visible_to(user)
        parties = AgreementParty.objects.filter(agreement__in=seen.values("pk"))
        choices = {
            "unit": Unit.objects.filter(pk__in=seen.values("unit")),
            "coordinator": User.objects.filter(pk__in=seen.values("coordinator")),
            "party": Organization.objects.filter(pk__in=parties.values("organization")),
        }
        for name, rows in choices.items():
            offer_rows(self, name, rows)

    @property
    def days_asked(self) -> int:
        return self.cleaned_data.get("days") or QUIET_AFTER_DAYS

    @property
    def chosen(self) -> dict[str, Any]:
        """The valid values of all fields but the days."""
        named = ((name, self.cleaned_data.get(name)) for name in ("unit", "coordinator", "party", "area"))
        return {name: value for name, value in named if value is not None}
