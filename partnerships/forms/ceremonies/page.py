"""The whole page of a ceremony: its sections, their lines as they come and go, and what all of it says."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.exceptions import DomainError, PossibleDuplicate
from partnerships.forms.ceremonies.fields import Choices
from partnerships.forms.ceremonies.head import COUNTED_KINDS, FIGURES, EventForm, ReportedForm
from partnerships.forms.ceremonies.lines import (
    PRINTED,
    CeremonyLineForm,
    OpenedLine,
    PresentLine,
    ReleasedLine,
    SignedLine,
    VisitedLine,
)
from partnerships.forms.ceremonies.names import who_is_who
from partnerships.forms.numbers import number_or_none
from partnerships.models import FacilityKind, OrganizationKind, Participation, User
from partnerships.models.organizations import telling_key
from partnerships.workflows import ceremonies

# In one section; the form has to stay readable, and within what a request may carry.
MOST_LINES = 60
MOST_ADDED = 30
BLANK_LINES = 3
BLANK_PRESENT = {"role": Participation.Role.PARTICIPANT.value, "kind": OrganizationKind.ENTERPRISE.value}
HEADINGS: Mapping[str, Any] = {
    "present": gettext_lazy("Who was there"),
    "agreements": gettext_lazy("Agreements signed"),
    "facilities": gettext_lazy("Joint facilities opened"),
    "demands": gettext_lazy("Demands released"),
    "visits": gettext_lazy("Visits after the meeting"),
}
# Seldom needed, or filled in by themselves.
FILLED_LATER = {"unit", "coordinator"}
SECTIONS: Mapping[str, type[CeremonyLineForm]] = {
    "present": PresentLine,
    "agreements": SignedLine,
    "facilities": OpenedLine,
    "demands": ReleasedLine,
    "visits": VisitedLine,
}


def numbers_of(data: QueryDict, section: str) -> list[str]:
    """The lines of a section in their order; each has a number that it keeps."""
    numbers = map(number_or_none, data.getlist(section))
    return list(dict.fromkeys(str(number) for number in numbers if number is not None))[:MOST_LINES]


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
class CeremonySection:
    """One part of the page: its lines, and what the press counted beside what they name."""

    name: str
    lines: list[CeremonyLineForm]
    figures: list[ReportedForm]

    @property
    def heading(self) -> str:
        return HEADINGS[self.name]

    @property
    def added_kind(self) -> str:
        """What the last lines were of: the next ones often are, too."""
        return self.lines[-1].typed("type") or self.lines[-1].typed("kind") if self.lines else ""

    @property
    def filled(self) -> list[CeremonyLineForm]:
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

    def _section(self, name: str) -> CeremonySection:
        lines = []
        for number in self._numbers[name]:
            more: dict[str, Any] = {"choices": self.choices, "is_checked": self.is_checked}
            if name == "present":
                more["who"] = self._who[number]
            lines.append(SECTIONS[name](self.data, prefix=f"{name}-{number}", **more))
        section = CeremonySection(name, lines, [figure for figure in self.figures if figure.section == name])
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
        if not isinstance(form, CeremonyLineForm):
            return ""
        number = self.sections[form.section].lines.index(form) + 1
        return _("%(part)s, line %(number)s") % {"part": HEADINGS[form.section], "number": number}

    def is_valid(self) -> bool:
        """Every form is asked, so that all that is missing is said at once."""
        answers = [form.is_valid() for form in self.forms]
        self._refuse_twins()
        self._refuse_unresolved()
        self._check_source()
        for line in self.sections["agreements"].filled:
            if isinstance(line, SignedLine):
                line.check_duplicates(self.head)
        return all(answers) and all(form.is_valid() for form in self.forms)

    def _refuse_twins(self) -> None:
        seen: set[object] = set()
        for line in self.sections["present"].filled:
            if isinstance(line, PresentLine):
                one = line.organization or telling_key(line.who.name) or line.who.name
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
            kinds=tuple(dict.fromkeys(self.head.cleaned_data["kinds"])),
            programme=self.head.cleaned_data["programme"],
            present=lines("present"),
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
        # A look-alike was registered since the page checked.
        if isinstance(form, SignedLine) and isinstance(error, PossibleDuplicate):
            form.ask_about(error.found)
        elif name == "is_another":
            name = "choice"
        form.add_error(name if name in form.fields else None, str(error))


def _field_of(form: Any, name: str) -> tuple[str, Any]:
    if name not in form.fields:
        return "", ""
    field = form[name]
    return field.id_for_label or field.auto_id, field.label
