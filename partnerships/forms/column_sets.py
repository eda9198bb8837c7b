"""The form of a column set: its name, for whom it is kept, and its columns in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from partnerships.forms.choices import choosable, offer_rows
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.lines import LOOK, MORE
from partnerships.forms.versions import VersionedForm
from partnerships.models import ColumnSet, Unit, User
from partnerships.models.lists import FIXED_TEXT, RUNNING_NUMBER
from partnerships.texts import LazyText
from partnerships.workflows.column_sets import KEYS, MOST_COLUMNS, save_column_set

UP, DOWN, REMOVE = "up", "down", "remove"


@dataclass
class ColumnLine:
    """A column of the file as the form shows it. ``focused`` is the button that the person is at."""

    column: str
    heading: str = ""
    text: str = ""
    focused: str = ""
    our_heading: LazyText = ""
    impossible: tuple[str, ...] = ()

    @property
    def is_number(self) -> bool:
        return self.column == RUNNING_NUMBER

    @property
    def is_text(self) -> bool:
        return self.column == FIXED_TEXT


class ColumnSetForm(DomainFormMixin, VersionedForm):
    """A column set, new or on record. ``offered`` are the columns of its list: their names and our headings.

    Its lines send one value each of ``KEYS``, in order. A button moves or removes a line, or adds one; nothing is saved
    then.
    """

    # Drop-downs of which each choice says something: none of them is left out.
    needs_one_of = frozenset({"unit", "language"})

    class Meta:
        model = ColumnSet
        fields = ["name", "unit", "language", "day_form"]

    list_title: LazyText = ""

    def __init__(self, data: QueryDict | None = None, *, user: User, offered: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.offered = offered
        self.lines = (
            self._lines_sent(data) if data is not None else [ColumnLine(**one) for one in self.instance.columns]
        )
        for line in self.lines:
            line.our_heading = offered.get(line.column, "")
        if self.lines:
            self.lines[0].impossible += (UP,)
            self.lines[-1].impossible += (DOWN,)
        units = offer_rows(self, "unit", choosable(Unit, user))
        units.label, units.empty_label = _("Kept for"), _("The whole office")
        if not user.sees_all_units:  # sets for everybody are the office's
            units.required, units.empty_label = True, None
        self.fields["language"].label = _("Language of the file")
        self.fields["language"].choices = [  # type: ignore[attr-defined]
            ("", _("That of the reader")),
            *self.fields["language"].choices[1:],  # type: ignore[attr-defined]
        ]

    def _lines_sent(self, data: QueryDict) -> list[ColumnLine]:
        """Return the lines as they were sent, with what the pressed button does to them."""
        sent: Sequence[Any] = [data.getlist(key) for key in KEYS]
        lines = [ColumnLine(*values) for values in zip(*sent, strict=False)][:MOST_COLUMNS]
        act, _dash, number = data.get(LOOK, "").partition("-")
        place = int(number) if number.isdecimal() and len(number) < 4 else len(lines)
        if place < len(lines):
            self._act(lines, place, act)
        if (added := data.get(MORE)) in {RUNNING_NUMBER, FIXED_TEXT, *self.offered} and len(lines) < MOST_COLUMNS:
            line = ColumnLine(str(added), focused=UP)
            lines.insert(0 if line.is_number else len(lines), line)
        return lines

    def _act(self, lines: list[ColumnLine], place: int, act: str) -> None:
        """Move or remove a line, and leave the focus where the person goes on."""
        line = lines.pop(place)
        if act == REMOVE:
            if lines:
                lines[min(place, len(lines) - 1)].focused = REMOVE
            return
        place = max(place - 1, 0) if act == UP else min(place + 1, len(lines))
        lines.insert(place, line)
        line.focused = DOWN if place == 0 else UP if place == len(lines) - 1 else act

    @property
    def additions(self) -> list[tuple[str, LazyText]]:
        """Return the buttons that add a line: a column of the list, the number of the row, a text."""
        first = next(iter(self.offered))
        return [
            (first, _("Add a column")),
            (RUNNING_NUMBER, _("Add the running number")),
            (FIXED_TEXT, _("Add a fixed text")),
        ]

    @property
    def acts(self) -> list[tuple[str, LazyText, str]]:
        """Return the buttons of a line, with the path of their icon."""
        return [
            (UP, _("Move up"), "M8 13V3M3.5 7.5 8 3l4.5 4.5"),
            (DOWN, _("Move down"), "M8 3v10M3.5 8.5 8 13l4.5-4.5"),
            (REMOVE, _("Remove"), "M3.5 3.5l9 9M12.5 3.5l-9 9"),
        ]

    def keep(self, actor: User, **about: object) -> ColumnSet:
        columns = [{key: getattr(line, key) for key in KEYS} for line in self.lines]
        known = {RUNNING_NUMBER, FIXED_TEXT, *self.offered}
        # A column that the list had once stays, and is empty in the file; it is taken out here.
        columns = [one for one in columns if one["column"] in known]
        if self.instance._state.adding:
            self.instance.columns = columns
            return save_column_set(self.instance, actor=actor)
        changes = {name: self.cleaned_data[name] for name in self.changed_data if name in (self._meta.fields or ())}
        return save_column_set(self.instance, actor=actor, changes={**changes, "columns": columns})
