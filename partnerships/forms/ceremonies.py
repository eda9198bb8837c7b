"""The one form of a whole ceremony: the event, and its lines by section."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.dates import EARLIEST_DAY, LATEST_DAY
from partnerships.exceptions import DomainError
from partnerships.forms.steps import DateInput
from partnerships.models import (
    AgreementType,
    CooperationArea,
    CountingRule,
    Event,
    EventKind,
    FacilityKind,
    Organization,
    OrganizationKind,
    Participation,
    Region,
    ReportedFigure,
    Role,
    Source,
    Unit,
    User,
)
from partnerships.models.base import validate_visible_text
from partnerships.models.organizations import telling_key
from partnerships.workflows import ceremonies

# In one section; the form has to stay readable, and within what a request may carry.
MOST_LINES = 60
MOST_ADDED = 30
MOST_CANDIDATES = 6
BLANK_LINES = 3
NEW, PRINTED = "new", "printed"
BLANK_PRESENT = {"role": Participation.Role.PARTICIPANT.value, "kind": OrganizationKind.ENTERPRISE.value}


class DraftForm(forms.Form):
    """``is_checked`` off: shown as it was left, and nobody is told yet what is missing."""

    def __init__(self, *args: Any, is_checked: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_checked = is_checked

    @property
    def errors(self) -> ErrorDict:
        return super().errors if self.is_checked else ErrorDict()


def line_field(label: Any, length: int = 200, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=length, validators=[validate_visible_text], **more)


def clean_day(day: dt.date | None) -> dt.date | None:
    if day and not EARLIEST_DAY <= day <= LATEST_DAY:
        raise forms.ValidationError(
            _("%(day)s cannot be meant: please check the year.") % {"day": day.isoformat()}, code="invalid"
        )
    return day


@dataclass
class Choices:
    """What the selects of the page offer ``user``, read once for all lines; ``present`` are names by key."""

    user: User
    present: dict[str, str] = field(default_factory=dict)

    @cached_property
    def units(self) -> dict[str, Unit]:
        """Those whose ceremonies the person enters."""
        rows = Unit.objects.visible_to(self.user)
        if not self.user.sees_all_units:
            rows = rows.filter(pk__in=self.user.scope.unit_ids_as(Role.COORDINATOR))
        return by_key(rows)

    @cached_property
    def people(self) -> dict[str, User]:
        return by_key(User.objects.visible_to(self.user).reachable())

    @cached_property
    def types(self) -> dict[str, AgreementType]:
        return by_key(AgreementType.objects.filter(is_active=True))

    @cached_property
    def areas(self) -> dict[str, CooperationArea]:
        return by_key(CooperationArea.objects.filter(is_active=True))


def by_key(rows: Iterable[Any]) -> dict[str, Any]:
    return {str(row.pk): row for row in rows}


def select(label: Any, **more: Any) -> forms.TypedChoiceField:
    """A select without its options: they are read once for all lines, and ``offer`` fills them in."""
    return forms.TypedChoiceField(label=label, empty_value=None, **more)


def offer(field: Any, rows: Mapping[str, Any], *, empty: Any = None) -> None:
    """The options of a select or of check boxes; what was chosen is cleaned to the row itself."""

    def row_of(key: str) -> Any:
        if key not in rows:
            raise ValueError(key)
        return rows[key]

    blank = [] if empty is None else [("", empty)]
    field.choices = [*blank, *((key, str(row)) for key, row in rows.items())]
    field.coerce = row_of


class EventForm(DraftForm):
    """The event itself, who looks after what was made at it, and where the reported figures stand."""

    name = line_field(gettext_lazy("Name of the event"))
    name_zh = line_field(gettext_lazy("Chinese name"), required=False)
    starts_on = forms.DateField(label=gettext_lazy("Date"), widget=DateInput)
    ends_on = forms.DateField(label=gettext_lazy("Last day"), required=False, widget=DateInput)
    place = line_field(gettext_lazy("Place"), required=False)
    region = forms.ModelChoiceField(label=gettext_lazy("Region"), queryset=Region.objects.all(), required=False)
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("What it was"),
        choices=EventKind.Kind.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Tick what it was; several are possible.")},
    )
    unit = select(gettext_lazy("Unit"))
    coordinator = select(gettext_lazy("Who looks after all of it"))
    more_took_part = forms.BooleanField(label=gettext_lazy("More took part than are named here"), required=False)
    more_followed = forms.BooleanField(label=gettext_lazy("More visits followed than are named here"), required=False)
    source = forms.ModelChoiceField(
        label=gettext_lazy("Source on record"), queryset=Source.objects.none(), required=False
    )
    source_title = line_field(gettext_lazy("Or a new one: its title"), 300, required=False)
    source_publisher = line_field(gettext_lazy("Publisher"), required=False)
    source_published_on = forms.DateField(label=gettext_lazy("Published on"), required=False, widget=DateInput)
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
        offer(self.fields["unit"], choices.units, empty=_("Choose a unit"))
        offer(self.fields["coordinator"], choices.people, empty=_("Choose a person"))
        self.fields["source"].queryset = Source.objects.visible_to(choices.user)

    def clean_starts_on(self) -> dt.date | None:
        day = clean_day(self.cleaned_data["starts_on"])
        if day and day > self.today:
            raise forms.ValidationError(_("This day lies in the future."))
        return day

    def clean_ends_on(self) -> dt.date | None:
        return clean_day(self.cleaned_data["ends_on"])

    def clean_source_published_on(self) -> dt.date | None:
        return clean_day(self.cleaned_data["source_published_on"])

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        starts_on, ends_on = values.get("starts_on"), values.get("ends_on")
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", _("An event cannot end before it starts."))
        if values.get("source") and values.get("source_title"):
            self.add_error("source_title", _("Choose the source on record or give a new one, not both."))
        return values

    def event(self) -> Event:
        values = self.cleaned_data
        return Event(
            **{name: values[name] for name in ("name", "name_zh", "starts_on", "ends_on", "place", "region", "unit")},
            is_participant_list_complete=not values["more_took_part"],
            is_follow_up_list_complete=not values["more_followed"],
        )

    def source_named(self) -> Source | None:
        """The one chosen, or a new one that is not saved yet."""
        values = self.cleaned_data
        if values["source"] or not values["source_title"]:
            return values["source"]
        return Source(
            title=values["source_title"],
            publisher=values["source_publisher"],
            published_on=values["source_published_on"],
            url=values["source_url"],
        )


class Line(DraftForm):
    """One line of a section; a blank one counts for nothing."""

    # Those that name an organization of the ceremony.
    references: tuple[str, ...] = ()

    def __init__(self, *args: Any, choices: Choices, **kwargs: Any) -> None:
        super().__init__(*args, empty_permitted=True, use_required_attribute=False, **kwargs)
        self.choices = choices

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


@dataclass
class Who:
    """Which organization a name may be: those on record that look alike, and whether they were shown before."""

    name: str = ""
    found: list[Organization] = field(default_factory=list)

    @property
    def same(self) -> Organization | None:
        """The one organization of this very name."""
        key = telling_key(self.name)
        same = [row for row in self.found if key and key in {telling_key(row.name), telling_key(row.name_zh)}]
        return same[0] if len(same) == 1 else None

    @property
    def ids(self) -> str:
        return ",".join(str(row.pk) for row in self.found)


class PresentLine(Line):
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
        nothing on record looks alike.
        """
        asked = self.typed("choice")
        if asked in {NEW, PRINTED} or any(str(row.pk) == asked for row in self.who.found):
            return asked
        if self.who.same:
            return str(self.who.same.pk)
        return "" if self.who.found else NEW

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

    def present(self) -> ceremonies.Present:
        values = self.cleaned_data
        kind = values["kind"] if values["choice"] == NEW else ""
        return ceremonies.Present(
            key=self.prefix, name=values["name"], role=values["role"], organization=self.organization, kind=kind
        )


class KeptLine(Line):
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ours"].required = True
        offer(self.fields["type"], self.choices.types, empty="—")
        offer(self.fields["areas"], self.choices.areas)
        offer(self.fields["others"], self.choices.present)

    def line(self, head: EventForm) -> ceremonies.Signed:
        values = self.cleaned_data
        return ceremonies.Signed(
            **self.kept(head),
            type=values["type"],
            title=values["title"],
            title_as_signed=values["title_as_signed"],
            parties=self.sides(),
            areas=tuple(values["areas"]),
            is_party_list_complete=not values["more_signed"],
            signs_for_members=values["for_members"],
        )


class OpenedLine(TwoSidedLine):
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=[("", "—"), *FacilityKind.choices])
    name = line_field(gettext_lazy("Name"), required=False)

    def line(self, head: EventForm) -> ceremonies.Opened:
        kind, partner = self.cleaned_data["kind"], self.choices.present[self.cleaned_data["partner"]]
        name = self.cleaned_data["name"] or f"{FacilityKind(kind).label} · {partner}"[:200]
        return ceremonies.Opened(**self.kept(head), kind=kind, name=name, partners=self.sides())


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

    def line(self, head: EventForm) -> ceremonies.Released:
        values = {name: self.cleaned_data[name] for name in ("organization", "title", "wording")}
        return ceremonies.Released(**self.kept(head), **values)


class VisitedLine(KeptLine):
    references = ("organization",)

    organization = forms.ChoiceField(label=gettext_lazy("Visited"))
    on = forms.DateField(label=gettext_lazy("Date"), required=False, widget=DateInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self.fields["organization"], self.choices.present, empty="—")

    def clean_on(self) -> dt.date | None:
        return clean_day(self.cleaned_data["on"])

    def line(self, head: EventForm) -> ceremonies.Visited:
        on = self.cleaned_data["on"] or head.cleaned_data["starts_on"]
        return ceremonies.Visited(**self.kept(head), organization=self.cleaned_data["organization"], on=on)


class ReportedForm(DraftForm):
    """How many the press counted."""

    qualifier = forms.ChoiceField(
        label=gettext_lazy("How exactly"),
        choices=ReportedFigure.Qualifier.choices,
        initial=ReportedFigure.Qualifier.EXACT,
        required=False,
    )
    value = forms.IntegerField(label=gettext_lazy("Reported"), min_value=0, max_value=10**9, required=False)
    printed = line_field(gettext_lazy("As printed"), required=False)

    def __init__(self, *args: Any, rule: str, name: Any, label: Any, section: str, **kwargs: Any) -> None:
        super().__init__(*args, prefix=f"reported-{rule}", **kwargs)
        self.rule, self.name, self.label, self.section = rule, name, label, section
        self.named = 0

    @property
    def typed(self) -> int | None:
        """The number as far as it can be read, for the line that compares it with what is named."""
        text = self.data.get(self.add_prefix("value"), "")
        return int(text) if text.isdecimal() and len(text) < 10 else None

    @property
    def missing(self) -> int:
        return max((self.typed or 0) - self.named, 0)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("printed") and values.get("value") is None and "value" in values:
            self.add_error("value", self.fields["value"].error_messages["required"])
        return values

    @property
    def is_given(self) -> bool:
        return self.cleaned_data.get("value") is not None

    def reported(self) -> ceremonies.Reported:
        values = self.cleaned_data
        qualifier = values["qualifier"] or ReportedFigure.Qualifier.EXACT
        return ceremonies.Reported(
            key=self.prefix,
            rule=self.rule,
            name=str(self.name),
            value=Decimal(values["value"]),
            qualifier=qualifier,
            printed=values["printed"] or str(values["value"]),
        )


# Rule -> section, the figure's name, and the question of the form.
FIGURES: Mapping[str, tuple[str, Any, Any]] = {
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

# Those of one kind alone.
COUNTED_KINDS: Mapping[str, str] = {
    CountingRule.EVENT_PARTICIPANTS: OrganizationKind.ENTERPRISE,
    CountingRule.EVENT_EMPLOYMENT_BASES: FacilityKind.EMPLOYMENT_BASE,
    CountingRule.EVENT_WORKSTATIONS: FacilityKind.WORKSTATION,
}
HEADINGS: Mapping[str, Any] = {
    "present": gettext_lazy("Who was there"),
    "agreements": gettext_lazy("Agreements signed"),
    "facilities": gettext_lazy("Joint facilities opened"),
    "demands": gettext_lazy("Demands released"),
    "visits": gettext_lazy("Visits after the meeting"),
}
# Seldom needed, or filled in by themselves.
FILLED_LATER = {"unit", "coordinator"}
SECTIONS: Mapping[str, type[Line]] = {
    "present": PresentLine,
    "agreements": SignedLine,
    "facilities": OpenedLine,
    "demands": ReleasedLine,
    "visits": VisitedLine,
}


def numbers_of(data: QueryDict, section: str) -> list[str]:
    """The lines of a section in their order; each has a number that it keeps."""
    numbers = (number for number in data.getlist(section) if number.isdecimal() and number.isascii())
    return list(dict.fromkeys(number for number in numbers if len(number) < 5))[:MOST_LINES]


def add_lines(data: QueryDict, section: str, count: int, **values: str) -> str:
    """``count`` further lines, each with ``values``: the key of the first; empty when a section holds no more."""
    numbers = numbers_of(data, section)
    if len(numbers) + count > MOST_LINES:
        return ""
    first = max(map(int, numbers), default=-1) + 1
    added = [str(number) for number in range(first, first + count)]
    data.setlist(section, [*numbers, *added])
    for number in added:
        for name, value in values.items():
            data[f"{section}-{number}-{name}"] = value
    return f"{section}-{first}"


def remove_line(data: QueryDict, section: str, number: str) -> None:
    """The line goes, and wherever the organization it names was chosen nobody is now."""
    gone = f"{section}-{number}"
    data.setlist(section, [kept for kept in numbers_of(data, section) if kept != number])
    for name in list(data):
        if name.startswith(f"{gone}-"):
            del data[name]
        elif gone in data.getlist(name):
            data.setlist(name, [value for value in data.getlist(name) if value != gone])


def blank_ceremony(user: User) -> QueryDict:
    """What a new page starts with: the person's unit, where they have one, and themselves."""
    data, choices = QueryDict(mutable=True), Choices(user)
    if len(choices.units) == 1:
        data["unit"] = next(iter(choices.units))
    if str(user.pk) in choices.people:
        data["coordinator"] = str(user.pk)
    add_lines(data, "present", 1, **BLANK_PRESENT | {"role": Participation.Role.HOST})
    add_lines(data, "present", BLANK_LINES - 1, **BLANK_PRESENT)
    return data


@dataclass(frozen=True)
class Section:
    """One part of the page: its lines, and what the press counted beside what they name."""

    name: str
    lines: list[Line]
    figures: list[ReportedForm]

    @property
    def added_kind(self) -> str:
        """What the last lines were of: the next ones often are, too."""
        return self.lines[-1].typed("type") or self.lines[-1].typed("kind") if self.lines else ""

    @property
    def filled(self) -> list[Line]:
        return [line for line in self.lines if line.has_changed()]


class CeremonyForm:
    """The whole page: ``head``, ``sections`` by name, and every form of it in ``forms``."""

    def __init__(self, data: QueryDict, *, user: User, today: dt.date, is_checked: bool = True) -> None:
        self.data, self.user, self.is_checked = data, user, is_checked
        self._numbers = {name: numbers_of(data, name) for name in SECTIONS}
        typed = {number: data.get(f"present-{number}-name", "").strip() for number in self._numbers["present"]}
        self.choices = Choices(user, {f"present-{number}": name for number, name in typed.items() if name})
        self.head = EventForm(data, choices=self.choices, today=today, is_checked=is_checked)
        self._who = who_is_who(data, typed, user)
        self.figures = [
            ReportedForm(data, rule=rule, section=section, name=name, label=label, is_checked=is_checked)
            for rule, (section, name, label) in FIGURES.items()
        ]
        self.sections = {name: self._section(name) for name in SECTIONS}
        lines = [line for section in self.sections.values() for line in section.lines]
        self.forms: list[Any] = [self.head, *lines, *self.figures]

    def _section(self, name: str) -> Section:
        common = {"choices": self.choices, "is_checked": self.is_checked}
        lines = []
        for number in self._numbers[name]:
            more = {"who": self._who[number]} if name == "present" else {}
            lines.append(SECTIONS[name](self.data, prefix=f"{name}-{number}", **common, **more))
        section = Section(name, lines, [figure for figure in self.figures if figure.section == name])
        for figure in section.figures:
            kind = COUNTED_KINDS.get(figure.rule)
            figure.named = sum(1 for line in section.filled if kind in {None, line.kind_named})
        return section

    def focus_on(self, key: str) -> None:
        """Where to go on: the first field of a new line that its start left open."""
        line = next((form for form in self.forms if key and form.prefix == key), None)
        if line:
            empty = (name for name in line.fields if name not in FILLED_LATER and not line.typed(name))
            line.fields[next(empty)].widget.attrs["autofocus"] = True

    @property
    def type_choices(self) -> list[tuple[str, str]]:
        return [(key, str(row)) for key, row in self.choices.types.items()]

    @property
    def facility_choices(self) -> list[tuple[str, Any]]:
        return FacilityKind.choices

    @property
    def problems(self) -> list[tuple[str, str, Any, str]]:
        """Where something is missing or refused: place, anchor, the name of the field, and why."""
        found = []
        for form in self.forms:
            found += [
                (self._place(form), *_field_of(form, name), error)
                for name, all_of in form.errors.items()
                for error in all_of
            ]
        return found

    def _place(self, form: Any) -> str:
        """ "Agreements signed, line 2"; empty for the event itself."""
        if isinstance(form, ReportedForm):
            return str(form.label)
        if not isinstance(form, Line):
            return ""
        number = self.sections[form.section].lines.index(form) + 1
        return _("%(part)s, line %(number)s") % {"part": HEADINGS[form.section], "number": number}

    def is_valid(self) -> bool:
        """Every form is asked, so that all that is missing is said at once."""
        answers = [form.is_valid() for form in self.forms]
        self._refuse_twins()
        self._refuse_unresolved()
        self._check_source()
        return all(answers) and all(form.is_valid() for form in self.forms)

    def _refuse_twins(self) -> None:
        seen = set()
        for line in self.sections["present"].filled:
            chosen = line.cleaned_data.get("choice")
            one = chosen if chosen and chosen.isdecimal() else telling_key(line.who.name) or line.who.name
            if one in seen:
                line.add_error("name", _("This organization is listed already."))
            seen.add(one)

    def _refuse_unresolved(self) -> None:
        """A name that nobody can tell yet signs and opens nothing."""
        lines = self.sections["present"].filled
        printed = {line.prefix for line in lines if line.cleaned_data.get("choice") == PRINTED}
        for line in (line for section in self.sections.values() for line in section.filled):
            for name in line.references:
                chosen = line.cleaned_data.get(name) or ()
                if printed.intersection([chosen] if isinstance(chosen, str) else chosen):
                    line.add_error(name, _("This name is kept as printed: say above which organization it is."))

    def _check_source(self) -> None:
        """A number needs its source, and a source something that it says."""
        values, errors = self.head.cleaned_data, self.head.errors
        is_named = bool(values.get("source") or values.get("source_title"))
        is_counted = any(figure.is_given for figure in self.figures if figure.is_valid())
        if (is_counted or values.get("source_printed")) and not is_named and "source_title" not in errors:
            self.head.add_error("source_title", _("Which source says this?"))
        if is_named and not is_counted and not values.get("source_printed") and "source_printed" not in errors:
            self.head.add_error("source_printed", _("Say what it prints about the event, or give a number it reports."))

    def ceremony(self) -> ceremonies.Ceremony:
        """What the page says; call it on a valid one."""

        def lines(name: str) -> tuple[Any, ...]:
            return tuple(line.line(self.head) for line in self.sections[name].filled)

        return ceremonies.Ceremony(
            event=self.head.event(),
            kinds=tuple(self.head.cleaned_data["kinds"]),
            present=tuple(line.present() for line in self.sections["present"].filled),
            signed=lines("agreements"),
            opened=lines("facilities"),
            released=lines("demands"),
            visited=lines("visits"),
            reported=tuple(figure.reported() for figure in self.figures if figure.is_given),
            source=self.head.source_named(),
            printed=self.head.cleaned_data["source_printed"],
        )

    def refuse(self, error: DomainError) -> None:
        """The reason of a verb, beside the field of the line that it names."""
        prefix, _dash, name = (error.field or "").rpartition("-")
        form = next((form for form in self.forms if prefix and form.prefix == prefix), self.head)
        form.add_error(name if name in form.fields else None, str(error))


def _field_of(form: Any, name: str) -> tuple[str, Any]:
    if name not in form.fields:
        return "", ""
    field = form[name]
    return field.id_for_label or field.auto_id, field.label


def who_is_who(data: QueryDict, typed: Mapping[str, str], user: User) -> dict[str, Who]:
    """For each line of those present the organizations its name may mean: three queries for all lines.

    What was chosen stays among them, however it is spelled.
    """
    rows = Organization.objects.visible_to(user).not_archived()
    asked = {number: data.get(f"present-{number}-choice", "") for number in typed}
    ids = {int(pk) for pk in asked.values() if pk.isdecimal() and pk.isascii() and len(pk) < 19}
    chosen = rows.select_related("region").in_bulk(ids) if ids else {}
    alike = rows.look_alikes_of({name for name in typed.values() if name})
    found = {}
    for number, name in typed.items():
        own = [row for pk, row in chosen.items() if str(pk) == asked[number]]
        others = [row for row in alike.get(name, []) if row not in own]
        found[number] = Who(name, [*own, *others][:MOST_CANDIDATES])
    return found


def who_may_be(name: str, user: User) -> Who:
    """While one types: what looks alike first, then what contains the words."""
    rows = Organization.objects.visible_to(user).not_archived().select_related("region")
    alike = rows.look_alikes_of([name])[name]
    found = {row.pk: row for row in (*alike, *rows.search(name)[:MOST_CANDIDATES])} if name else {}
    return Who(name, list(found.values())[:MOST_CANDIDATES])
