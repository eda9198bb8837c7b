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
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    epoch_1904: bool = False
    # The words of the lines of one cell that begin a section, such as Europe or 2023, with the numbers of their rows.
    sections: tuple[tuple[int, str], ...] = ()
    # The row of the headings, and the first rows of the sheet in words, from which another one may be chosen.
    header: int = 0
    first_rows: tuple[tuple[int, str], ...] = ()
