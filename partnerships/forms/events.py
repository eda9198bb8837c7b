"""The form of the people at an event, with its agenda and minutes."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from partnerships.forms.lines import FormWithLines, LineForm, LineFormSet, line_formset, with_more_lines
from partnerships.forms.office_day import office_today
from partnerships.forms.picks import PickField, pick_field
from partnerships.inputs import DayInput
from partnerships.models import Event, EventPerson, User
from partnerships.workflows.records import edit_record


class EventPersonForm(LineForm):
    contact = PickField("contact", label=_("Contact"), required=False)
    user = PickField("person", label=_("Or a colleague"), required=False)

    class Meta:
        model = EventPerson
        fields = ["contact", "user", "invited_on", "answer", "attendance", "note"]
        widgets = {"invited_on": DayInput}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("contact", "user"):
            pick_field(self, name).offer_to(user, current=getattr(self.instance, f"{name}_id"))


class EventPeopleForm(FormWithLines):
    """Edits who was invited to an event, what they answered and whether they came, as far as the user sees them."""

    class Meta:
        model = Event
        fields = ["agenda", "minutes"]
        widgets = {"agenda": forms.Textarea(attrs={"rows": 3}), "minutes": forms.Textarea(attrs={"rows": 5})}

    def __init__(self, data: QueryDict | None = None, *, user: User, **kwargs: Any) -> None:
        data = with_more_lines(data)
        super().__init__(data, **kwargs)
        seen = EventPerson.objects.visible_to(user).select_related("user", "contact__organization")
        lines = line_formset(Event, EventPerson, EventPersonForm, extra=0)
        about = {"instance": self.instance, "prefix": "people", "queryset": seen, "form_kwargs": {"user": user}}
        self.formsets = (lines(data, **about),)

    @property
    def people(self) -> LineFormSet:
        return self.formsets[0]

    def keep(self, actor: User, **about: object) -> Event:
        changes = {name: self.cleaned_data[name] for name in self.changed_data if name in self.Meta.fields}
        rows: dict[str, Any] = {"parts": self.parts, "removed": self.removed}
        return edit_record(self.instance, actor=actor, today=office_today(self.instance), changes=changes, **rows)
