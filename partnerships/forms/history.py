"""The form of the search in all histories."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from partnerships.inputs import DayField
from partnerships.models import User
from partnerships.operations.pipeline_state import day_bounds
from partnerships.reports.history_search import HistorySearch, fields_of, sources_for

DAYS_AT_FIRST = 90
LONGEST_WORDS = 100


class HistorySearchForm(forms.Form):
    """Asks for person, record, field, period and cause; a period is always given, so that no search reads all of history."""

    person = forms.CharField(label=_("Person"), required=False, max_length=LONGEST_WORDS)
    kind = forms.ChoiceField(label=_("Kind of record"), required=False)
    words = forms.CharField(label=_("Record"), required=False, max_length=LONGEST_WORDS)
    field = forms.ChoiceField(label=_("Field"), required=False)
    since = DayField(label=_("Since"))
    until = DayField(label=_("Until"), required=False)
    cause = forms.CharField(label=_("Cause"), required=False, max_length=LONGEST_WORDS)

    def __init__(self, data: Any, *, user: User, today: dt.date) -> None:
        given = {name: data[name] for name in self.base_fields if data.get(name)}
        super().__init__({"since": (today - dt.timedelta(days=DAYS_AT_FIRST)).isoformat(), **given})
        self.user = user
        kinds = {one.key: capfirst(str(one.of._meta.verbose_name)) for one in sources_for(user)}
        columns = {one.name: capfirst(str(one.verbose_name)) for one in fields_of(user, given.get("kind", ""))}
        for name, found in (("kind", kinds), ("field", columns)):
            choice: Any = self.fields[name]
            choice.choices = [("", _("Any")), *sorted(found.items(), key=lambda one: one[1])]
        self.fields["field"].disabled = not columns
        for name in ("since", "until"):
            self.fields[name].widget.input_type = "date"

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("since") and values.get("until") and values["until"] < values["since"]:
            self.add_error("until", ValidationError(_("This is before the first day.")))
        return values

    def asked(self) -> HistorySearch:
        values, zone = self.cleaned_data, timezone.get_current_timezone()
        until = values["until"] and day_bounds(values["until"], zone)[1]
        texts = {name: values[name] or "" for name in ("person", "kind", "words", "field", "cause")}
        return HistorySearch(self.user, day_bounds(values["since"], zone)[0], until, **texts)
