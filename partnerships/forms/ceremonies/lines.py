"""The lines of the ceremony form: one form class for each section."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.forms.ceremonies.fields import (
    Choices,
    DraftPartForm,
    line_field,
    offer_choices,
    select,
)
from partnerships.forms.ceremonies.head import EventForm
from partnerships.forms.ceremonies.names import NameMatch
from partnerships.forms.domain import possible_day
from partnerships.forms.names import EitherTitleMixin
from partnerships.forms.possible_duplicates import AnotherField, another_field
from partnerships.inputs import AmountField, DayField, DayInput
from partnerships.models import Agreement, FacilityKind, Organization, OrganizationKind, Participation
from partnerships.texts import in_both_languages
from partnerships.workflows import ceremonies
from partnerships.workflows.agreements import TITLE_IS_THERE, agreements_of_title

NEW, PRINTED = "new", "printed"


class CeremonyLineForm(DraftPartForm):
    """One line of a section; a blank line is ignored."""

    # The fields that refer to a participant of the ceremony.
    references: tuple[str, ...] = ()

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        super().__init__(*args, empty_permitted=True, use_required_attribute=False, **kwargs)
        self.choices = choices

    def line(self, head: EventForm) -> object:
        """Return the argument of ``record_ceremony`` for this line."""
        raise NotImplementedError

    @property
    def number(self) -> str:
        return self.prefix.rpartition("-")[2]

    @property
    def section(self) -> str:
        return self.prefix.rpartition("-")[0]

    def typed(self, name: str) -> str:
        """Return what was typed in a field, unchecked."""
        return self.data.get(self.add_prefix(name), "")

    @property
    def kind_named(self) -> str:
        """Return the kind of this line, by which reported figures of one kind are compared."""
        return self.typed("kind")


class PresentLine(CeremonyLineForm):
    """An organization that took part. ``seen`` holds the ids of the look-alikes that the page showed beside it."""

    name = line_field(gettext_lazy("Organization"))
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Participation.Role.choices)
    choice = forms.CharField(label=gettext_lazy("Which organization it is"), required=False, max_length=20)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=OrganizationKind.choices, required=False)
    seen = forms.CharField(required=False)

    def __init__(self, *args: Any, match: NameMatch, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.match = match

    def has_changed(self) -> bool:
        """A line without a name is blank, unless somebody chose who it is: the role and the kind have values at first."""
        return bool(self.match.name or self.typed("choice"))

    @property
    def chosen(self) -> str:
        """Return the option that is ticked: an id, "new", "printed", or empty if the person has to choose.

        The person's own choice comes first, then the only organization of exactly this name, then "new" if there are no
        look-alikes. A chosen organization that is no longer on offer has to be chosen again.
        """
        asked = self.typed("choice")
        if asked in {NEW, PRINTED} or any(str(row.pk) == asked for row in self.match.found):
            return asked
        if self.match.same:
            return str(self.match.same.pk)
        return "" if self.match.found or asked else NEW

    @property
    def organization(self) -> Organization | None:
        return next((row for row in self.match.found if str(row.pk) == self.chosen), None)

    @property
    def kind_named(self) -> str:
        if self.organization:
            return self.organization.kind
        return self.typed("kind") if self.chosen == NEW else ""

    def clean(self) -> dict[str, Any]:
        values, chosen = super().clean() or self.cleaned_data, self.chosen
        values["choice"] = chosen
        if not chosen and self.match.name:
            self.add_error(
                "choice", _("Which of these is it? If none, say that it is new, or keep the name as printed.")
            )
        unseen = {str(row.pk) for row in self.match.found} - set(values.get("seen", "").split(","))
        if chosen == NEW and unseen:
            self.add_error(
                "choice", _("Similar names are on record: if it is none of these, save the event once more.")
            )
        if chosen == NEW and not values.get("kind"):
            self.add_error("kind", self.fields["kind"].error_messages["required"])
        return values

    def line(self, head: EventForm) -> ceremonies.Participant:
        values = self.cleaned_data
        kind = values["kind"] if values["choice"] == NEW else ""
        return ceremonies.Participant(
            key=self.prefix,
            name=values["name"],
            role=values["role"],
            organization=self.organization,
            kind=kind,
            confirmed_different=self.match.alike,
        )


class OwnedLine(CeremonyLineForm):
    """A line whose record gets a unit and a coordinator; by default those of the event."""

    rare: tuple[str, ...] = ("unit", "coordinator")

    unit = select(gettext_lazy("Unit"), required=False)
    coordinator = select(gettext_lazy("Coordinator"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_choices(self.fields["unit"], self.choices.units, empty=_("as above"))
        offer_choices(self.fields["coordinator"], self.choices.people, empty=_("as above"))

    @property
    def has_more(self) -> bool:
        """Whether any of the rarely needed fields is filled in."""
        return any(self.data.getlist(self.add_prefix(name)) not in ([], [""]) for name in self.rare)

    def common(self, head: EventForm) -> dict[str, Any]:
        values = {name: self.cleaned_data[name] or head.cleaned_data[name] for name in ("unit", "coordinator")}
        return {"key": self.prefix, **values}


class TwoSidedLine(OwnedLine):
    """A line with our side and a partner."""

    references = ("ours", "partner", "others")
    ours = forms.ChoiceField(label=gettext_lazy("Our side"), required=False)
    partner = forms.ChoiceField(label=gettext_lazy("Partner"))

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name in ("ours", "partner"):
            offer_choices(self.fields[name], self.choices.present, empty="—")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("ours") and values.get("ours") == values.get("partner"):
            self.add_error("partner", _("This is our side already: choose another organization."))
        return values

    def sides(self) -> tuple[str, ...]:
        values = self.cleaned_data
        return tuple(
            key for key in dict.fromkeys([values["ours"], values["partner"], *values.get("others", ())]) if key
        )


class SignedLine(EitherTitleMixin, TwoSidedLine):
    rare: tuple[str, ...] = (
        *("unit", "coordinator", "title_as_signed", "amount", "others", "areas", "for_members", "more_signed"),
    )

    type = select(gettext_lazy("Type"))
    title = line_field(gettext_lazy("Title"), 300)
    title_zh = line_field(gettext_lazy("Chinese title"), 300)
    title_as_signed = line_field(gettext_lazy("Title as signed, where it differs"), 300, required=False)
    amount = AmountField(
        label=gettext_lazy("Amount (CNY)"), required=False, min_value=0, max_digits=14, decimal_places=2
    )
    others = forms.MultipleChoiceField(
        label=gettext_lazy("Further parties"), required=False, widget=forms.CheckboxSelectMultiple
    )
    areas = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Areas promised"), required=False, widget=forms.CheckboxSelectMultiple
    )
    for_members = forms.BooleanField(
        label=gettext_lazy("An association among them signs for its members, too"), required=False
    )
    more_signed = forms.BooleanField(label=gettext_lazy("More parties signed than are listed"), required=False)
    is_another = AnotherField(label=gettext_lazy("This is a different agreement"), initial=frozenset())

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.rare = (*self.rare, self.names_in_order[1].name)
        # Keep a tick while lines are added and removed.
        self.ask_about(another_field(self).to_python(self.typed("is_another")))
        self.fields["ours"].required = True
        offer_choices(self.fields["type"], self.choices.types, empty="—")
        offer_choices(self.fields["areas"], self.choices.areas)
        offer_choices(self.fields["others"], self.choices.present)

    def ask_about(self, found: frozenset[int]) -> None:
        """Ask whether this is another agreement than those found; if none were found, the page shows no checkbox."""
        another_field(self).ask_about(found)
        self.has_duplicates = bool(found)

    def check_duplicates(self, head: EventForm) -> None:
        """Ask about agreements of the unit with this title that were not confirmed as different."""
        unit = self.cleaned_data.get("unit") or head.cleaned_data.get("unit")
        titles = {name: self.cleaned_data.get(name, "") for name in self.columns}
        if not unit or not titles["title"]:
            return
        found = frozenset(agreements_of_title(Agreement(unit=unit, **titles)).values_list("pk", flat=True))
        self.ask_about(found)
        if found - self.cleaned_data.get("is_another", frozenset()):
            self.add_error("is_another", TITLE_IS_THERE)

    def line(self, head: EventForm) -> ceremonies.SignedAgreement:
        values = self.cleaned_data
        return ceremonies.SignedAgreement(
            **self.common(head),
            type=values["type"],
            title=values["title"],
            title_zh=values["title_zh"],
            title_as_signed=values["title_as_signed"],
            amount=values["amount"],
            through=head.cleaned_data["through"],
            parties=self.sides(),
            areas=tuple(dict.fromkeys(values["areas"])),
            is_party_list_complete=not values["more_signed"],
            signs_for_members=values["for_members"],
            confirmed_different=values["is_another"],
        )


class OpenedLine(TwoSidedLine):
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=[("", "—"), *FacilityKind.choices])
    name = line_field(gettext_lazy("Name"), required=False)

    def line(self, head: EventForm) -> ceremonies.OpenedFacility:
        kind, partner = self.cleaned_data["kind"], self.choices.present[self.cleaned_data["partner"]]
        name, name_zh = self.cleaned_data["name"], ""
        if not name:
            name, name_zh = in_both_languages(lambda: f"{FacilityKind(kind).label} · {partner}"[:200])
        common = self.common(head)
        return ceremonies.OpenedFacility(**common, name=name, name_zh=name_zh, kind=kind, partners=self.sides())


class ReleasedLine(EitherTitleMixin, OwnedLine):
    references = ("organization",)

    organization = forms.ChoiceField(label=gettext_lazy("Asked by"))
    title = line_field(gettext_lazy("Title"), required=False)
    title_zh = line_field(gettext_lazy("Chinese title"))
    wording = forms.CharField(
        label=gettext_lazy("Wording"), max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    is_unpublished = forms.BooleanField(label=gettext_lazy("Its content was not published"), required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.rare = (*self.rare, self.names_in_order[1].name)
        offer_choices(self.fields["organization"], self.choices.present, empty="—")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        wording, is_unpublished = values.get("wording"), values.get("is_unpublished")
        if wording and values.get("title") == "":
            first = self.names_in_order[0].name
            self.add_error(first, self.fields[first].error_messages["required"])
        if wording and is_unpublished:
            self.add_error("wording", _("There is a wording, so it is known."))
        elif wording == "" and not is_unpublished:
            self.add_error("wording", _("Give the wording, or say that the content was not published."))
        return values

    def line(self, head: EventForm) -> ceremonies.ReleasedDemand:
        values = {name: self.cleaned_data[name] for name in ("organization", *self.columns, "wording")}
        return ceremonies.ReleasedDemand(**self.common(head), **values)


class VisitedLine(OwnedLine):
    references = ("organization",)

    organization = forms.ChoiceField(label=gettext_lazy("Visited"))
    on = DayField(label=gettext_lazy("Date"), required=False, widget=DayInput)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        offer_choices(self.fields["organization"], self.choices.present, empty="—")

    def clean_on(self) -> dt.date | None:
        return possible_day(self.cleaned_data["on"])

    def line(self, head: EventForm) -> ceremonies.VisitedPartner:
        on = self.cleaned_data["on"] or head.cleaned_data["starts_on"]
        return ceremonies.VisitedPartner(**self.common(head), organization=self.cleaned_data["organization"], on=on)
