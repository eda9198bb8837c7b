"""Forms that add what somebody has to do, and that change what it says."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from partnerships.forms.choices import offer_rows
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.names import EitherTitleMixin
from partnerships.forms.office_day import office_today
from partnerships.forms.steps import VerbForm
from partnerships.inputs import DayField, DayInput, WholeNumberField
from partnerships.models import AgreementParty, Milestone, MilestoneKind, User
from partnerships.models.base import validate_visible_text
from partnerships.models.milestones import DERIVED_KINDS
from partnerships.workflows.milestones import edit_milestone, new_action_point, register_milestone

LONGEST_RECURRENCE_MONTHS = 120


class ActionPointForm(EitherTitleMixin, DomainFormMixin, forms.Form):
    """One line: what, by when, by whom; oneself unless another is chosen."""

    title = forms.CharField(label=_("Task"), max_length=200, validators=[validate_visible_text])
    title_zh = forms.CharField(label=_("Chinese title"), max_length=200, validators=[validate_visible_text])
    due_on = DayField(label=_("By when"), widget=DayInput)
    owner = forms.ModelChoiceField(label=_("Owner"), queryset=User.objects.none(), empty_label=None)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_rows(self, "owner", User.objects.visible_to(user).reachable())
        self.fields["owner"].initial = user.pk

    def keep(self, actor: User, **about: Any) -> Milestone:
        milestone = new_action_point(about["target"], **self.cleaned_data)
        return register_milestone(milestone, actor=actor, today=office_today(milestone))


class MilestoneFields(EitherTitleMixin, VerbForm):
    """The fields that a new milestone of an agreement and an open one have in common."""

    title = forms.CharField(label=_("Task"), max_length=200, validators=[validate_visible_text])
    title_zh = forms.CharField(label=_("Chinese title"), max_length=200, validators=[validate_visible_text])
    description = forms.CharField(
        label=_("Details"), required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 3})
    )
    party = forms.ModelChoiceField(
        label=_("Owed by"), queryset=AgreementParty.objects.none(), required=False, empty_label="—"
    )
    recurs_every_months = WholeNumberField(
        label=_("Repeats every (months)"), required=False, min_value=1, max_value=LONGEST_RECURRENCE_MONTHS
    )
    requires_acceptance = forms.BooleanField(
        label=_("A lead accepts it"), required=False, help_text=_("Otherwise the owner marks it as done.")
    )

    def offer_parties(self, agreement_id: int | None) -> None:
        parties = AgreementParty.objects.filter(agreement=agreement_id).select_related("organization")
        offer_rows(self, "party", parties)


class NewMilestoneForm(MilestoneFields):
    """Adds a milestone to an agreement: an obligation of a party, a review, or whatever else has a date."""

    kind = forms.ChoiceField(label=_("Kind"))
    due_on = DayField(label=_("By when"), widget=DayInput)
    owner = forms.ModelChoiceField(label=_("Owner"), queryset=User.objects.none(), empty_label=None)

    field_order = (
        "kind",
        "title",
        "title_zh",
        "due_on",
        "owner",
        "party",
        "description",
        "recurs_every_months",
        "requires_acceptance",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(kind.value, kind.label) for kind in MilestoneKind if kind not in DERIVED_KINDS]
        cast("forms.ChoiceField", self.fields["kind"]).choices = kinds
        self.fields["kind"].initial = MilestoneKind.OBLIGATION
        offer_rows(self, "owner", User.objects.visible_to(user).reachable())
        self.fields["owner"].initial = self.row.coordinator_id or user.pk
        self.offer_parties(self.row.pk)

    def call(self, actor: User, values: dict[str, Any]) -> Milestone:
        milestone = new_action_point(self.row)
        for name, value in values.items():
            setattr(milestone, name, value)
        return register_milestone(milestone, actor=actor, today=self.today)


class EditMilestoneForm(MilestoneFields):
    """Changes what an open milestone says and how it is closed; its date and owner have forms of their own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.row.agreement_id:
            self.offer_parties(self.row.agreement_id)
        else:
            del self.fields["party"]
        for name in set(self.fields) - {"version"}:
            self.fields[name].initial = getattr(self.row, f"{name}_id" if name == "party" else name)

    def call(self, actor: User, values: dict[str, Any]) -> Milestone:
        return edit_milestone(self.row, actor=actor, today=self.today, changes=values)
