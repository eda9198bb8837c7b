"""Forms of acts on many rows: what is entered once for all of them."""

import datetime as dt
import re
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.forms.choices import choosable, offer_rows
from partnerships.forms.domain import past_day
from partnerships.inputs import DayField, DayInput, WholeNumberField
from partnerships.models import ContactNote, CooperationArea, Programme, Role, Unit, UnitMembership, User
from partnerships.models.terms import LONGEST_PERIOD_MONTHS
from partnerships.workflows.bulk import BulkKind, Picked

_PICK = re.compile(r"(\d{1,18})(?:-(\d{1,9}))?", re.ASCII)
# Farther than that nobody plans by counting days.
MOST_DAYS = 3660


def workers(user: User) -> QuerySet[User]:
    """Return the people who can take over work: those who can be reached and are of the office, coordinators or leads."""
    works = UnitMembership.objects.filter(user=OuterRef("pk"), role__gte=Role.COORDINATOR)
    return User.objects.visible_to(user).reachable().filter(Q(is_staff=True) | Q(Exists(works)))


def picked_rows(values: list[str]) -> list[Picked]:
    """Return the rows that a page sent, as ids with or without a version; each once, anything else is left out."""
    found: dict[int, Picked] = {}
    for value in values:
        for pk, version in _PICK.findall(value):
            found.setdefault(int(pk), Picked(int(pk), int(version) if version else None))
    return list(found.values())


class BulkForm(forms.Form):
    """The input of an act. Without required fields it can be previewed at once."""

    needs_one_of: frozenset[str] = frozenset()

    def __init__(self, *args: Any, user: User, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.today = user, today
        if "on" in self.fields:
            self.fields["on"].initial = today

    def clean_on(self) -> dt.date:
        return past_day(self.cleaned_data["on"], today=self.today)

    def initial_values(self) -> dict[str, Any] | None:
        """Return the values with which the form is shown; None where a required field has none."""
        values = {name: self.get_initial_for_field(field, name) for name, field in self.fields.items()}
        is_complete = all(values[name] for name, field in self.fields.items() if field.required)
        return values if is_complete and not self.needs_one_of else None


class BulkReassignForm(BulkForm):
    owner = forms.ModelChoiceField(
        label=pgettext_lazy("handing over", "To whom"), queryset=User.objects.none(), empty_label=_("Choose a person")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_rows(self, "owner", workers(self.user))


class ReasonField(forms.CharField):
    def __init__(self) -> None:
        super().__init__(label=_("Reason"), max_length=2000)


class BulkMoveForm(BulkForm):
    """Moves to one day, or each row by the same number of days."""

    needs_one_of = frozenset({"due_on", "starts_on", "days"})

    due_on = DayField(label=_("New date"), widget=DayInput, required=False)
    days = WholeNumberField(
        label=_("Or move by (days)"),
        required=False,
        min_value=-MOST_DAYS,
        max_value=MOST_DAYS,
        help_text=_("Each date moves by that many days; a negative number moves it earlier."),
    )
    reason = ReasonField()
    day = "due_on"

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not self.errors and bool(values[self.day]) == bool(values["days"]):
            self.add_error(self.day, _("Enter either a date or a number of days."))
        return values


class BulkMoveActivitiesForm(BulkMoveForm):
    due_on = None  # type: ignore[assignment]  # how Django takes a field away
    reason = None  # type: ignore[assignment]
    starts_on = DayField(label=_("New start date"), widget=DayInput, required=False)
    day = "starts_on"
    field_order = ("starts_on", "days")


class BulkSnoozeForm(BulkForm):
    until = DayField(label=pgettext_lazy("snooze", "Until"), widget=DayInput)
    reason = ReasonField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["until"].initial = self.today + dt.timedelta(days=7)
        self.fields["until"].widget.attrs["min"] = (self.today + dt.timedelta(days=1)).isoformat()


class BulkDoneForm(BulkForm):
    on = DayField(label=_("Done on"), widget=DayInput)
    evidence = forms.CharField(
        label=pgettext_lazy("of a milestone", "Evidence"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("In a sentence: what was done, with whom, where the paper is."),
    )


class BulkLogForm(BulkForm):
    channel = forms.ChoiceField(label=_("How"), choices=ContactNote.Channel.choices)
    on = DayField(label=pgettext_lazy("day of a contact", "When"), widget=DayInput)
    summary = forms.CharField(label=_("What was said"), max_length=5000, widget=forms.Textarea(attrs={"rows": 2}))


class BulkUnitForm(BulkForm):
    unit = forms.ModelChoiceField(label=_("Unit"), queryset=Unit.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_rows(self, "unit", choosable(Unit, self.user))


class BulkProgrammeForm(BulkForm):
    programme = forms.ModelChoiceField(label=_("Program"), queryset=Programme.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_rows(self, "programme", Programme.objects.visible_to(self.user).edited_by(self.user))


class BulkAreaForm(BulkForm):
    area = forms.ModelChoiceField(label=_("Cooperation area"), queryset=CooperationArea.objects.none())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_rows(self, "area", choosable(CooperationArea, self.user))


class BulkRenewForm(BulkForm):
    months = WholeNumberField(
        label=_("Renew for (months)"),
        initial=12,
        min_value=1,
        max_value=LONGEST_PERIOD_MONTHS,
        help_text=_(
            "Starts from the current end date. If an automatic renewal is waiting for confirmation, it is recorded instead."
        ),
    )


class BulkCompleteForm(BulkForm):
    on = DayField(label=_("Completed on"), widget=DayInput)


class BulkPostponeForm(BulkForm):
    reason = ReasonField()


_FORMS: dict[str, type[BulkForm]] = {
    "reassign": BulkReassignForm,
    "move": BulkMoveForm,
    "snooze": BulkSnoozeForm,
    "done": BulkDoneForm,
    "log": BulkLogForm,
    "unit": BulkUnitForm,
    "programme": BulkProgrammeForm,
    "area": BulkAreaForm,
    "renew": BulkRenewForm,
    "complete": BulkCompleteForm,
    "postpone": BulkPostponeForm,
}


def bulk_form(kind: BulkKind) -> type[BulkForm]:
    """Return the form that asks for what ``kind`` needs."""
    is_activity = kind.key == "move" and kind.permission.startswith("activity.")
    return BulkMoveActivitiesForm if is_activity else _FORMS[kind.key]
