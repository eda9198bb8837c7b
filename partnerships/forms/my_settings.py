"""My settings."""

from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from partnerships.forms.choices import offer_rows
from partnerships.forms.domain import DomainFormMixin
from partnerships.inputs import DayInput, time_zone_choices
from partnerships.models import User
from partnerships.workflows.users import edit_preferences


class PreferencesForm(DomainFormMixin, forms.ModelForm):
    """Language, time zone, when and how reminders arrive, and who stands in while one is absent."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    time_zone = forms.ChoiceField(label=_("Time zone"))
    reminder_hour = forms.TypedChoiceField(
        label=_("Digest and month come at"),
        coerce=int,
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        help_text=_(
            "In your time zone. With one reminder alone it looks like a single mail; without any there is none."
        ),
    )

    class Meta:
        model = User
        fields = [
            "language",
            "time_zone",
            "decision_mode",
            "reminder_mode",
            "contact_mode",
            "news_mode",
            "gets_month_mail",
            "reminder_hour",
            "deputy",
            "absent_from",
            "absent_until",
        ]
        widgets = {"absent_from": DayInput, "absent_until": DayInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["news_mode"].help_text = _(
            "What is new on your list: given to you, or sent back. Whatever you choose above, decisions, decision dates, "
            "obligations, what you get as a lead or fallback person, and notices of mails that did not get through always "
            "come by mail; what is more than a day late comes in a digest."
        )
        self.fields["deputy"].help_text = _("Gets your reminders while you are absent.")
        self.fields["version"].initial = self.instance.version
        cast("forms.ChoiceField", self.fields["time_zone"]).choices = time_zone_choices(self.instance.time_zone)
        colleagues = User.objects.visible_to(self.instance).reachable().exclude(pk=self.instance.pk)
        offer_rows(self, "deputy", colleagues).empty_label = pgettext("deputy", "Nobody")

    def keep(self, actor: User, **about: object) -> User:
        self.instance.version = self.cleaned_data["version"]
        changes = {name: self.cleaned_data[name] for name in self.changed_data if name in self.Meta.fields}
        return edit_preferences(self.instance, actor=actor, today=timezone.localdate(), changes=changes)
