"""The part of the ceremony form about the event itself, and the figures that the press reported."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from partnerships.forms.ceremonies.fields import (
    Choices,
    DraftPartForm,
    line_field,
    offer_choices,
    select,
)
from partnerships.forms.choices import offer_rows
from partnerships.forms.domain import past_day, possible_day
from partnerships.forms.names import EitherNameMixin
from partnerships.forms.picks import PickField, pick_field
from partnerships.inputs import DayField, DayInput, WholeNumberField
from partnerships.models import (
    CountingRule,
    Event,
    EventKind,
    FacilityKind,
    OrganizationKind,
    Region,
    ReportedFigure,
    Source,
)
from partnerships.texts import LazyText, in_both_languages
from partnerships.workflows import ceremonies

# Counting rule -> section, name of the figure, label of its field.
FIGURES: Mapping[str, tuple[str, LazyText, LazyText]] = {
    CountingRule.EVENT_PARTICIPANTS: (
        "present",
        gettext_lazy("Enterprises taking part"),
        gettext_lazy("Enterprises reported"),
    ),
    CountingRule.EVENT_AGREEMENTS: (
        "agreements",
        gettext_lazy("Agreements signed"),
        gettext_lazy("Agreements reported"),
    ),
    CountingRule.EVENT_EMPLOYMENT_BASES: (
        "facilities",
        gettext_lazy("Employment bases opened"),
        gettext_lazy("Employment bases reported"),
    ),
    CountingRule.EVENT_WORKSTATIONS: (
        "facilities",
        gettext_lazy("Workstations opened"),
        gettext_lazy("Workstations reported"),
    ),
    CountingRule.EVENT_DEMANDS: ("demands", gettext_lazy("Demands released"), gettext_lazy("Demands reported")),
}
# Fields of a source that is not on record.
NEW_SOURCE = ("source_title", "source_authors", "source_publisher", "source_published_on", "source_url")
# Counting rule -> the only kind of line that it counts.
COUNTED_KINDS: Mapping[str, str] = {
    CountingRule.EVENT_PARTICIPANTS: OrganizationKind.ENTERPRISE,
    CountingRule.EVENT_EMPLOYMENT_BASES: FacilityKind.EMPLOYMENT_BASE,
    CountingRule.EVENT_WORKSTATIONS: FacilityKind.WORKSTATION,
}


class EventForm(EitherNameMixin, DraftPartForm):
    """The event, the default unit and coordinator of its lines, and the source of the reported figures."""

    name = line_field(gettext_lazy("Name of the event"))
    name_zh = line_field(gettext_lazy("Chinese name"), required=False)
    starts_on = DayField(label=gettext_lazy("Date"), widget=DayInput)
    ends_on = DayField(label=gettext_lazy("Last day"), required=False, widget=DayInput)
    place = line_field(gettext_lazy("Place"), required=False)
    region = forms.ModelChoiceField(label=gettext_lazy("Region"), queryset=Region.objects.all(), required=False)
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("What it was"),
        choices=EventKind.Kind.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Select all that apply.")},
    )
    unit = select(gettext_lazy("Unit"))
    coordinator = select(gettext_lazy("Default owner"))
    programme = PickField(
        "programme",
        label=gettext_lazy("Program"),
        required=False,
        help_text=gettext_lazy("Put on the event, and on what was signed, opened and released at it."),
    )
    through = PickField(
        "organization",
        label=pgettext_lazy("an intermediary", "Through"),
        required=False,
        help_text=gettext_lazy("The association or other body that brought the parties together."),
    )
    more_took_part = forms.BooleanField(label=gettext_lazy("More took part than are listed"), required=False)
    more_followed = forms.BooleanField(label=gettext_lazy("More visits followed than are listed"), required=False)
    source = forms.ModelChoiceField(
        label=gettext_lazy("Source on record"), queryset=Source.objects.none(), required=False
    )
    source_title = line_field(gettext_lazy("Or a new one: its title"), 300, required=False)
    source_authors = line_field(gettext_lazy("Authors"), 300, required=False)
    source_publisher = line_field(gettext_lazy("Publisher"), required=False)
    source_published_on = DayField(label=gettext_lazy("Published on"), required=False, widget=DayInput)
    source_url = forms.URLField(label=gettext_lazy("Address"), required=False, assume_scheme="https")
    source_printed = forms.CharField(
        label=gettext_lazy("What it says about the event, as printed"),
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, choices: Choices, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        offer_choices(self.fields["unit"], choices.units, empty=_("Choose a unit"))
        offer_choices(self.fields["coordinator"], choices.people, empty=_("Choose a person"))
        for name in ("programme", "through"):
            pick_field(self, name).offer_to(choices.user)
        offer_rows(self, "source", Source.objects.visible_to(choices.user))

    def clean_starts_on(self) -> dt.date:
        return past_day(self.cleaned_data["starts_on"], today=self.today)

    def clean_ends_on(self) -> dt.date | None:
        return possible_day(self.cleaned_data["ends_on"])

    def clean_source_published_on(self) -> dt.date | None:
        return possible_day(self.cleaned_data["source_published_on"])

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        starts_on, ends_on = values.get("starts_on"), values.get("ends_on")
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", _("An event cannot end before it starts."))
        about_new = [name for name in NEW_SOURCE if values.get(name)]
        if values.get("source") and about_new:
            self.add_error(about_new[0], _("Choose the source on record or give a new one, not both."))
        elif about_new and not values.get("source_title") and "source_title" not in self.errors:
            self.add_error("source_title", _("Give the title of the source."))
        return values

    def event(self) -> Event:
        values = self.cleaned_data
        return Event(
            **{name: values[name] for name in ("name", "name_zh", "starts_on", "ends_on", "place", "region", "unit")},
            is_participant_list_complete=not values["more_took_part"],
            is_follow_up_list_complete=not values["more_followed"],
        )

    def chosen_source(self) -> Source | None:
        """Return the chosen source, or a new one that is not saved yet."""
        values = self.cleaned_data
        if values["source"] or not values["source_title"]:
            return values["source"]
        return Source(
            title=values["source_title"],
            authors=values["source_authors"],
            publisher=values["source_publisher"],
            published_on=values["source_published_on"],
            url=values["source_url"],
        )


class ReportedForm(DraftPartForm):
    """The number that the press reported under one counting rule."""

    qualifier = forms.ChoiceField(
        label=gettext_lazy("How exactly"),
        choices=ReportedFigure.Qualifier.choices,
        initial=ReportedFigure.Qualifier.EXACT,
        required=False,
    )
    value = WholeNumberField(label=gettext_lazy("Reported"), min_value=0, max_value=10**9, required=False)
    printed = line_field(
        gettext_lazy("As printed"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("as printed")}),
    )

    def __init__(self, *args: Any, rule: str, name: LazyText, label: LazyText, section: str, **kwargs: Any) -> None:
        super().__init__(*args, prefix=f"reported-{rule}", **kwargs)
        self.rule, self.name, self.label, self.section = rule, name, label, section
        self.named = 0

    @property
    def typed(self) -> int | None:
        """Return the number that was typed, None if it is not valid; the page compares it with the number of lines."""
        try:
            return self.fields["value"].clean(self["value"].value())
        except forms.ValidationError:
            return None

    @property
    def missing(self) -> int:
        return max((self.typed or 0) - self.named, 0)

    def clean(self) -> dict[str, object]:
        values = super().clean() or self.cleaned_data
        qualifier = values.get("qualifier") or ReportedFigure.Qualifier.EXACT
        is_typed = values.get("printed") or qualifier != ReportedFigure.Qualifier.EXACT
        if is_typed and values.get("value") is None and "value" in values:
            self.add_error("value", self.fields["value"].error_messages["required"])
        return values

    @property
    def is_given(self) -> bool:
        return self.cleaned_data.get("value") is not None

    def reported(self) -> ceremonies.ReportedCount:
        values = self.cleaned_data
        qualifier = values["qualifier"] or ReportedFigure.Qualifier.EXACT
        name, name_zh = in_both_languages(lambda: str(self.name))
        figure = ReportedFigure(
            name=name,
            name_zh=name_zh,
            value=Decimal(values["value"]),
            qualifier=qualifier,
            printed=values["printed"] or str(values["value"]),
            counting_rule=self.rule,
        )
        return ceremonies.ReportedCount(key=self.prefix, figure=figure)
