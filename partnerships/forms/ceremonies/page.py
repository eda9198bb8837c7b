"""The ceremony form as a whole: its sections, adding and removing lines, and its errors."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.exceptions import DomainError, PossibleDuplicate
from partnerships.forms.ceremonies.fields import Choices, DraftPartForm
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
from partnerships.forms.ceremonies.names import match_names
from partnerships.forms.lines import INCOMPLETE
from partnerships.forms.numbers import number_or_none
from partnerships.models import FacilityKind, OrganizationKind, Participation, User
from partnerships.models.organizations import telling_key
from partnerships.texts import LazyText
from partnerships.workflows import ceremonies

# Per section, so that the page stays readable and the request within its limit of fields.
MOST_LINES = 60
MOST_ADDED = 30
BLANK_LINES = 3
BLANK_PRESENT = {"role": Participation.Role.PARTICIPANT.value, "kind": OrganizationKind.ENTERPRISE.value}
HEADINGS: Mapping[str, LazyText] = {
    "present": gettext_lazy("Participants"),
    "agreements": gettext_lazy("Agreements signed"),
    "facilities": gettext_lazy("Joint facilities opened"),
    "demands": gettext_lazy("Demands released"),
    "visits": gettext_lazy("Visits after the meeting"),
}
# Not focused in a new line: rarely needed, or filled in already.
FILLED_LATER = {"unit", "coordinator"}
# The text of a list of agreements that is not in the lines yet.
PASTED = "pasted"
# Field as the verbs call it -> field of a line.
FIELD_NAMES = {"is_another": "choice", "owner": "coordinator"}
SECTIONS: Mapping[str, type[CeremonyLineForm]] = {
    "present": PresentLine,
    "agreements": SignedLine,
    "facilities": OpenedLine,
    "demands": ReleasedLine,
    "visits": VisitedLine,
}


def line_numbers(data: QueryDict, section: str) -> list[str]:
    """Return the numbers of a section's lines in their order; a line keeps its number when others go.

    A line whose number is missing from the list comes at the end: it is not dropped without a word.
    """
    return list(dict.fromkeys([*_listed(data, section), *_typed_in(data, section)]))[:MOST_LINES]


def _listed(data: QueryDict, section: str) -> list[str]:
    numbers = map(number_or_none, data.getlist(section))
    return [str(number) for number in numbers if number is not None]


def _typed_in(data: QueryDict, section: str) -> list[str]:
    line = re.compile(rf"{section}-([0-9]{{1,18}})-")
    return [str(int(found[1])) for name in data if (found := line.match(name))]


def is_incomplete(data: QueryDict, section: str) -> bool:
    """Whether the page was sent with lines missing from its list of them, or with more lines than it takes."""
    listed = set(_listed(data, section))
    return (
        len(data.getlist(section)) > len(_listed(data, section))
        or not listed.issuperset(_typed_in(data, section))
        or len(listed) > MOST_LINES
    )


def add_lines(data: QueryDict, section: str, count: int, **values: str) -> str:
    """Add ``count`` lines with ``values``; return the key of the first, or "" if the section is full."""
    numbers = line_numbers(data, section)
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
    """Remove a line, and clear every field that refers to it."""
    gone = f"{section}-{number}"
    data.setlist(section, [kept for kept in line_numbers(data, section) if kept != number])
    for name in list(data):
        if name.startswith(f"{gone}-"):
            del data[name]
        elif gone in data.getlist(name):
            data.setlist(name, [value for value in data.getlist(name) if value != gone])


def blank_ceremony(user: User) -> QueryDict:
    """Return the values of a new page: the person's unit, if they have only one, and the person as coordinator."""
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
    """One section of the page: its lines and the reported figures that they are compared with."""

    name: str
    lines: list[CeremonyLineForm]
    figures: list[ReportedForm]

    @property
    def heading(self) -> str:
        return str(HEADINGS[self.name])

    @property
    def last_kind(self) -> str:
        """Return the type or kind of the last line, offered for the next one."""
        return self.lines[-1].typed("type") or self.lines[-1].typed("kind") if self.lines else ""

    @property
    def filled(self) -> list[CeremonyLineForm]:
        return [line for line in self.lines if line.has_changed()]


class OpenDraftForm(forms.Form):
    """The draft that a page works on, and the version that it has read or saved last.

    ``overwrite`` is the newer version that a warning was about: the person chose to overwrite it.
    """

    key = forms.UUIDField()
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    overwrite = forms.IntegerField(required=False, widget=forms.HiddenInput)


class CeremonyForm:
    """The whole page: ``head``, ``sections`` by name, and all their forms in ``forms``."""

    def __init__(self, data: QueryDict, *, user: User, today: dt.date, is_checked: bool = True) -> None:
        self.data, self.user, self.is_checked = data, user, is_checked
        self._numbers = {name: line_numbers(data, name) for name in SECTIONS}
        typed = {number: data.get(f"present-{number}-name", "").strip() for number in self._numbers["present"]}
        self.choices = Choices(user, {f"present-{number}": name for number, name in typed.items() if name})
        self.head = EventForm(data, choices=self.choices, today=today, is_checked=is_checked)
        self._matches = match_names(data, typed, user)
        self.figures = [
            ReportedForm(data, rule=rule, section=section, name=name, label=label, is_checked=is_checked)
            for rule, (section, name, label) in FIGURES.items()
        ]
        self.sections = {name: self._section(name) for name in SECTIONS}
        lines = [line for section in self.sections.values() for line in section.lines]
        self.forms: list[DraftPartForm] = [self.head, *lines, *self.figures]

    def _section(self, name: str) -> CeremonySection:
        lines = []
        for number in self._numbers[name]:
            more: dict[str, Any] = {"choices": self.choices, "is_checked": self.is_checked}
            if name == "present":
                more["match"] = self._matches[number]
            lines.append(SECTIONS[name](self.data, prefix=f"{name}-{number}", **more))
        section = CeremonySection(name, lines, [figure for figure in self.figures if figure.section == name])
        for figure in section.figures:
            kind = COUNTED_KINDS.get(figure.rule)
            figure.named = sum(1 for line in section.filled if kind in {None, line.kind_named})
        return section

    def focus_on(self, key: str) -> None:
        """Put the cursor in the first empty field of a new line."""
        line = next((form for form in self.forms if key and form.prefix == key), None)
        if isinstance(line, CeremonyLineForm):
            empty = (name for name in line.fields if name not in FILLED_LATER and not line.typed(name))
            line.fields[next(empty)].widget.attrs["autofocus"] = True

    @property
    def type_choices(self) -> list[tuple[str, str]]:
        return [(key, str(row)) for key, row in self.choices.types.items()]

    @property
    def facility_choices(self) -> Sequence[tuple[str, LazyText]]:
        return FacilityKind.choices

    @property
    def problems(self) -> list[tuple[str, str, LazyText, str]]:
        """Return all errors of the page as (place, anchor, label of the field, message)."""
        found = []
        for form in self.forms:
            found += [
                (self._place(form), *_field_of(form, name), str(error))
                for name, all_of in form.errors.items()
                for error in all_of
            ]
        return found

    def _place(self, form: DraftPartForm) -> str:
        """Name the place of a form, such as "Agreements signed, line 2"; empty for the event itself."""
        if isinstance(form, ReportedForm):
            return str(form.label)
        if not isinstance(form, CeremonyLineForm):
            return ""
        number = self.sections[form.section].lines.index(form) + 1
        return _("%(part)s, line %(number)s") % {"part": HEADINGS[form.section], "number": number}

    def is_valid(self) -> bool:
        """Validate every form, so that the page shows all errors at once."""
        # A list: all() of a generator would stop at the first invalid form.
        answers = [form.is_valid() for form in self.forms]
        for name in SECTIONS:
            if is_incomplete(self.data, name):
                self.head.add_error(None, f"{HEADINGS[name]}: {INCOMPLETE}")
        if self.data.get(PASTED, "").strip():
            self.head.add_error(None, _("Pasted lines are left over: make lines of them, or delete them."))
        self._refuse_duplicates()
        self._refuse_unresolved()
        self._check_source()
        for line in self.sections["agreements"].filled:
            if isinstance(line, SignedLine):
                line.check_duplicates(self.head)
        return all(answers) and all(form.is_valid() for form in self.forms)

    def _refuse_duplicates(self) -> None:
        seen: set[object] = set()
        for line in self.sections["present"].filled:
            if isinstance(line, PresentLine):
                one = line.organization or telling_key(line.match.name) or line.match.name
                if one in seen:
                    line.add_error("name", _("This organization is listed already."))
                seen.add(one)

    def _refuse_unresolved(self) -> None:
        """Refuse lines that refer to a participant whose organization is not known."""
        lines = self.sections["present"].filled
        printed = {line.prefix for line in lines if line.cleaned_data.get("choice") == PRINTED}
        for line in (line for section in self.sections.values() for line in section.filled):
            for name in line.references:
                chosen = line.cleaned_data.get(name) or ()
                if printed.intersection([chosen] if isinstance(chosen, str) else chosen):
                    line.add_error(name, _("This name is kept as printed: say above which organization it is."))

    def _check_source(self) -> None:
        """Require a source for reported figures, and a figure or a quotation for a source."""
        values, errors = self.head.cleaned_data, self.head.errors
        is_named = bool(values.get("source") or values.get("source_title"))
        is_counted = any(figure.is_given for figure in self.figures if figure.is_valid())
        if (is_counted or values.get("source_printed")) and not is_named and "source_title" not in errors:
            self.head.add_error("source_title", _("Which source says this?"))
        if is_named and not is_counted and not values.get("source_printed") and "source_printed" not in errors:
            self.head.add_error("source_printed", _("Say what it prints about the event, or give a number it reports."))

    def ceremony(self) -> ceremonies.Ceremony:
        """Return the arguments for the verb; call it on a valid form."""

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
            source=self.head.chosen_source(),
            printed=self.head.cleaned_data["source_printed"],
        )

    def add_refusal(self, error: DomainError) -> None:
        """Show the refusal of a verb at the field and the line that it names."""
        prefix, _dash, name = (error.field or "").rpartition("-")
        form = next((form for form in self.forms if prefix and form.prefix == prefix), self.head)
        # A look-alike was registered since the page checked.
        if isinstance(form, SignedLine) and isinstance(error, PossibleDuplicate):
            form.ask_about(error.found)
        else:
            name = FIELD_NAMES.get(name, name)
        form.add_error(name if name in form.fields else None, str(error))


def _field_of(form: DraftPartForm, name: str) -> tuple[str, LazyText]:
    if name not in form.fields:
        return "", ""
    field = form[name]
    return field.id_for_label or field.auto_id, field.label
