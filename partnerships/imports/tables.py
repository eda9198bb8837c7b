"""The tables of a spreadsheet as they were found in it, before anything is made of their cells."""

import datetime as dt
from dataclasses import dataclass

Cell = str | int | float | bool | dt.date | dt.datetime | None


@dataclass(frozen=True)
class Row:
    """A row of a table. ``number`` is the one that a person sees beside it in the sheet, counted from 1."""

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A table of a sheet, under one row of headings.

    ``title`` is what stands above the headings, or heads the part of the sheet: a continent, a year. ``headings`` and
    the cells of a row have the same length. Totals and repeated headings are not among the rows; ``notes`` name them.
    """

    sheet: str
    title: str
    header_row: int
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    epoch_1904: bool = False
    # The section each row stands in, by its number, where a line of one cell begins one: Europe, 2023.
    sections: tuple[tuple[int, str], ...] = ()

    def section_of(self, number: int) -> str:
        """Return the words of the line of one cell above a row, or the title where there is none."""
        return next((words for start, words in reversed(self.sections) if start < number), self.title)
