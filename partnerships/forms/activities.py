"""Planning a follow-up under an agreement."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from partnerships.exceptions import DomainError
from partnerships.forms.steps import DateInput
from partnerships.models import Activity, ActivityKind, Agreement, CooperationArea, Document, Organization, Unit, User
from partnerships.models.base import validate_visible_text
from partnerships.permissions import may
from partnerships.workflows.activities import plan_activity
from partnerships.workflows.documents import attach_to_activity

# What one kind needs beyond any follow-up: form field -> column of its detail table.
DETAILS: Mapping[str, Mapping[str, str]] = {
    ActivityKind.TRAINING: {"audience": "audience", "headcount": "headcount"},
    ActivityKind.RESEARCH_PROJECT: {"principal_investigator": "principal_investigator", "budget": "budget"},
    ActivityKind.VISIT: {"delegation": "delegation"},
}


class FollowUpForm(forms.ModelForm):
    """One plain form for every kind; what belongs to another kind than the chosen one is refused, not dropped."""

    organizations = forms.ModelMultipleChoiceField(
        label=_("With"), queryset=Organization.objects.none(), widget=forms.CheckboxSelectMultiple, required=False
    )
    areas = forms.ModelMultipleChoiceField(
        label=_("Counts for"),
        queryset=CooperationArea.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Each area counts as delivered to each organization once the follow-up is completed."),
    )
    audience = forms.CharField(label=_("Audience"), max_length=200, required=False, validators=[validate_visible_text])
    headcount = forms.IntegerField(
        label=_("People to be trained"),
        required=False,
        validators=[MinValueValidator(0), MaxValueValidator(1_000_000)],
    )
    principal_investigator = forms.CharField(
        label=_("Principal investigator"), max_length=150, required=False, validators=[validate_visible_text]
    )
    budget = forms.DecimalField(label=_("Budget (CNY)"), required=False, min_value=0, max_digits=14, decimal_places=2)
    delegation = forms.CharField(label=_("Delegation"), required=False, max_length=5000)

    class Meta:
        model = Activity
        fields = ["kind", "title", "starts_on", "ends_on", "place", "owner", "summary"]
        widgets = {"starts_on": DateInput, "ends_on": DateInput, "summary": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, agreement: Agreement, user: User, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.agreement, self.today = agreement, today
        self.instance.agreement, self.instance.unit = agreement, _unit_for(agreement, user)
        self.fields["organizations"].queryset = Organization.objects.filter(party_rows__agreement=agreement)
        promised = CooperationArea.objects.filter(promises__agreement=agreement)
        self.fields["areas"].queryset = promised or CooperationArea.objects.filter(is_active=True)
        self.fields["owner"].queryset = User.objects.visible_to(user).reachable()  # type: ignore[attr-defined]
        self.fields["owner"].initial = user.pk

    def groups(self) -> list[dict[str, Any]]:
        """The form's parts in the order they are shown."""
        in_details = {field for fields in DETAILS.values() for field in fields}
        plain = [self[name] for name in self.fields if name not in in_details]
        details = [
            {"legend": ActivityKind(kind).label, "fields": [self[name] for name in fields]}
            for kind, fields in DETAILS.items()
        ]
        return [{"legend": "", "fields": plain}, *details]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        starts_on, ends_on = values.get("starts_on"), values.get("ends_on")
        if ends_on and (starts_on is None or ends_on < starts_on):
            # Beside the field; the constraint behind it speaks about the row as a whole.
            self.add_error("ends_on", _("An activity cannot end before it starts."))
        for kind, fields in DETAILS.items():
            if kind == values.get("kind"):
                continue
            for name in fields:
                if values.get(name) not in (None, ""):
                    words = _("This belongs to the kind “%(kind)s”: choose that kind or leave this empty.")
                    self.add_error(name, words % {"kind": ActivityKind(kind).label})
        return values

    def apply(self, actor: User) -> Activity | None:
        """The planned follow-up, or None with the reason among the errors. Call it on a valid form."""
        values = self.cleaned_data
        columns = DETAILS.get(values["kind"], {})
        try:
            return plan_activity(
                actor=actor,
                on=self.today,
                unit=self.instance.unit,
                agreement=self.agreement,
                organizations=values["organizations"],
                areas=values["areas"],
                details={column: values[name] for name, column in columns.items()},
                **{name: values[name] for name in self.Meta.fields},
            )
        except DomainError as error:
            self.add_error(error.field if error.field in self.fields else None, str(error))
            return None


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Each file by itself; a list, also of one."""
        files = data if isinstance(data, list) else [data]
        return [super(FilesField, self).clean(file, initial) for file in files or [None]]


class AttachmentForm(forms.Form):
    """Files for an activity, each a document of its own."""

    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[
            (kind.value, kind.label) for kind in (Document.Kind.PHOTO, Document.Kind.MINUTES, Document.Kind.OTHER)
        ],
    )
    files = FilesField(label=_("Files"), help_text=_("Photos, PDF, Word, Excel or text, 25 MB each at most."))

    def apply(self, actor: User, activity: Activity, *, at: dt.datetime) -> list[Document]:
        """What was kept; nothing, with the reason among the errors, when one file is refused."""
        try:
            return attach_to_activity(activity, actor=actor, at=at, **self.cleaned_data)
        except DomainError as error:
            self.add_error(error.field if error.field in self.fields else None, str(error))
            return []


def _unit_for(agreement: Agreement, user: User) -> Unit:
    """The agreement's unit, or the participating unit that this person works for."""
    units = [agreement.unit, *(row.unit for row in agreement.participating_units.select_related("unit"))]
    own = (unit for unit in units if may(user, "activity.edit", Activity(unit=unit)))
    return next(own, agreement.unit)
