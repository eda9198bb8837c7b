"""The lines of a ceremony: one form for each kind of thing that happened there."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.forms.ceremonies.fields import (
    Choices,
    DraftPartForm,
    in_both_languages,
    line_field,
    offer,
    select,
)
from partnerships.forms.ceremonies.head import EventForm
from partnerships.forms.ceremonies.names import Who
from partnerships.forms.domain import possible_day
from partnerships.forms.possible_duplicates import AnotherField, another_field
from partnerships.forms.steps import DateInput
from partnerships.models import Agreement, FacilityKind, Organization, OrganizationKind, Participation
from partnerships.workflows import ceremonies
from partnerships.workflows.agreements import TITLE_IS_THERE, agreements_of_title

NEW, PRINTED = "new", "printed"


class CeremonyLineForm(DraftPartForm):
    """One line of a section; a blank one counts for nothing."""

    # Those that name an organization of the ceremony.
    references: tuple[str, ...] = ()

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        super().__init__(*args, empty_permitted=True, use_required_attribute=False, **kwargs)
        self.choices = choices

    def line(self, head: EventForm) -> Any:
        """What the line says, for the verb."""
        raise NotImplementedError

    @property
    def number(self) -> str:
        return self.prefix.rpartition("-")[2]

    @property
    def section(self) -> str:
        return self.prefix.rpartition("-")[0]

    def typed(self, name: str) -> str:
        """As it came, unchecked."""
        return self.data.get(self.add_prefix(name), "")

    @property
    def kind_named(self) -> str:
        """What reported figures of one kind are compared with."""
        return self.typed("kind")


class PresentLine(CeremonyLineForm):
    """An organization that was there. ``seen`` are the look-alikes that stood beside it when the page was sent."""

    name = line_field(gettext_lazy("Organization"))
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Participation.Role.choices)
    choice = forms.CharField(label=gettext_lazy("Which organization it is"), required=False, max_length=20)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=OrganizationKind.choices, required=False)
    seen = forms.CharField(required=False)

    def __init__(self, *args: Any, who: Who, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.who = who

    def has_changed(self) -> bool:
        """A line without a name names nobody, whatever stands beside it."""
        return bool(self.who.name)

    @property
    def chosen(self) -> str:
        """What is ticked: what the person chose, else the one organization of this very name, else a new one where
        nothing on record looks alike. One that was chosen and cannot be any more is asked for again.
        """
        asked = self.typed("choice")
        if asked in {NEW, PRINTED} or any(str(row.pk) == asked for row in self.who.found):
            return asked
        if self.who.same:
            return str(self.who.same.pk)
        return "" if self.who.found or asked else NEW

    @property
    def organization(self) -> Organization | None:
        return next((row for row in self.who.found if str(row.pk) == self.chosen), None)

    @property
    def kind_named(self) -> str:
        if self.organization:
            return self.organization.kind
        return self.typed("kind") if self.chosen == NEW else ""

    def clean(self) -> dict[str, Any]:
        values, chosen = super().clean() or self.cleaned_data, self.chosen
        values["choice"] = chosen
        if not chosen:
            self.add_error(
                "choice", _("Which of these is it? If none, say that it is new, or keep the name as printed.")
            )
        unseen = {str(row.pk) for row in self.who.found} - set(values.get("seen", "").split(","))
        if chosen == NEW and unseen:
            self.add_error(
                "choice", _("Similar names are on record: if it is none of these, record the ceremony once more.")
            )
        if chosen == NEW and not values.get("kind"):
            self.add_error("kind", self.fields["kind"].error_messages["required"])
        return values

    def line(self, head: EventForm) -> ceremonies.Present:
        values = self.cleaned_data
        kind = values["kind"] if values["choice"] == NEW else ""
        return ceremonies.Present(
            key=self.prefix,
            name=values["name"],
            role=values["role"],
            organization=self.organization,
            kind=kind,
            confirmed_different=self.who.alike,
        )


class KeptLine(CeremonyLineForm):
    """A line of which something becomes that a unit and a person look after; empty: those of the event."""

    seldom: tuple[str, ...] = ("unit", "coordinator")

    unit = select(gettext_lazy("Unit"), required=False)
    coordinator = select(gettext_lazy("Coordinator"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self.fields["unit"], self.choices.units, empty=_("as above"))
        offer(self.fields["coordinator"], self.choices.people, empty=_("as above"))

    @property
    def has_more(self) -> bool:
        """Whether something stands among the fields that are seldom needed."""
        return any(self.data.getlist(self.add_prefix(name)) not in ([], [""]) for name in self.seldom)

    def kept(self, head: EventForm) -> dict[str, Any]:
        values = {name: self.cleaned_data[name] or head.cleaned_data[name] for name in ("unit", "coordinator")}
        return {"key": self.prefix, **values}


class TwoSidedLine(KeptLine):
    """Our side, and the partner it was done with."""

    references = ("ours", "partner", "others")
    ours = forms.ChoiceField(label=gettext_lazy("Our side"), required=False)
    partner = forms.ChoiceField(label=gettext_lazy("Partner"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("ours", "partner"):
            offer(self.fields[name], self.choices.present, empty="—")

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


class SignedLine(TwoSidedLine):
    seldom = ("unit", "coordinator", "title_as_signed", "others", "areas", "for_members", "more_signed")

    type = select(gettext_lazy("Type"))
    title = line_field(gettext_lazy("Title"), 300)
    title_as_signed = line_field(gettext_lazy("Title as signed, where it differs"), 300, required=False)
    others = forms.MultipleChoiceField(
        label=gettext_lazy("Further parties"), required=False, widget=forms.CheckboxSelectMultiple
    )
    areas = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Areas promised"), required=False, widget=forms.CheckboxSelectMultiple
    )
    for_members = forms.BooleanField(
        label=gettext_lazy("An association among them signs for its members, too"), required=False
    )
    more_signed = forms.BooleanField(label=gettext_lazy("More signed it than are named here"), required=False)
    is_another = AnotherField(label=gettext_lazy("It is another one"), initial=frozenset())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A tick stays on the page while lines come and go.
        self.ask_about(another_field(self).to_python(self.typed("is_another")))
        self.fields["ours"].required = True
        offer(self.fields["type"], self.choices.types, empty="—")
        offer(self.fields["areas"], self.choices.areas)
        offer(self.fields["others"], self.choices.present)

    def ask_about(self, found: frozenset[int]) -> None:
        """Show the box that asks whether it is another agreement than these; without any there is no box."""
        another_field(self).ask_about(found)
        self.has_duplicates = bool(found)

    def check_duplicates(self, head: EventForm) -> None:
        """Ask about agreements of the unit with this title that nobody has confirmed to be others."""
        unit = self.cleaned_data.get("unit") or head.cleaned_data.get("unit")
        title = self.cleaned_data.get("title")
        if not unit or not title:
            return
        found = frozenset(agreements_of_title(Agreement(unit=unit, title=title)).values_list("pk", flat=True))
        self.ask_about(found)
        if found - self.cleaned_data.get("is_another", frozenset()):
            self.add_error("is_another", TITLE_IS_THERE)

    def line(self, head: EventForm) -> ceremonies.SignedAgreement:
        values = self.cleaned_data
        return ceremonies.SignedAgreement(
            **self.kept(head),
            type=values["type"],
            title=values["title"],
            title_as_signed=values["title_as_signed"],
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
        name = {"name": self.cleaned_data["name"], "name_zh": ""}
        if not name["name"]:
            name = in_both_languages(lambda: f"{FacilityKind(kind).label} · {partner}"[:200])
        return ceremonies.OpenedFacility(**self.kept(head), **name, kind=kind, partners=self.sides())


class ReleasedLine(KeptLine):
    references = ("organization",)

    organization = forms.ChoiceField(label=gettext_lazy("Asked by"))
    title = line_field(gettext_lazy("Title"), required=False)
    wording = forms.CharField(
        label=gettext_lazy("Wording"), max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    is_unpublished = forms.BooleanField(label=gettext_lazy("Its content was not published"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self.fields["organization"], self.choices.present, empty="—")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        wording, is_unpublished = values.get("wording"), values.get("is_unpublished")
        if wording and values.get("title") == "":
            self.add_error("title", self.fields["title"].error_messages["required"])
        if wording and is_unpublished:
            self.add_error("wording", _("There is a wording, so it is known."))
        elif wording == "" and not is_unpublished:
            self.add_error("wording", _("Give the wording, or say that the content was not published."))
        return values

    def line(self, head: EventForm) -> ceremonies.ReleasedDemand:
        values = {name: self.cleaned_data[name] for name in ("organization", "title", "wording")}
        return ceremonies.ReleasedDemand(**self.kept(head), **values)


class VisitedLine(KeptLine):
    references = ("organization",)

    organization = forms.ChoiceField(label=gettext_lazy("Visited"))
    on = forms.DateField(label=gettext_lazy("Date"), required=False, widget=DateInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self.fields["organization"], self.choices.present, empty="—")

    def clean_on(self) -> dt.date | None:
        return possible_day(self.cleaned_data["on"])

    def line(self, head: EventForm) -> ceremonies.VisitedPartner:
        on = self.cleaned_data["on"] or head.cleaned_data["starts_on"]
        return ceremonies.VisitedPartner(**self.kept(head), organization=self.cleaned_data["organization"], on=on)
