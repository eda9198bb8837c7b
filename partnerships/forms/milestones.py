"""Adding what somebody has to do."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partnerships.forms.choices import offer_rows
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.names import EitherTitleMixin
from partnerships.forms.office_day import office_today
from partnerships.inputs import DayField, DayInput
from partnerships.models import Milestone, User
from partnerships.models.base import validate_visible_text
from partnerships.workflows.milestones import new_action_point, register_milestone


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
