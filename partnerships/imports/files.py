"""Reading a spreadsheet that somebody sent: in a process with limits, which refuses what may do harm."""

import datetime as dt
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from django.utils.translation import gettext as _

from partnerships.imports import parser_process
from partnerships.imports.sheets import Sheet, tables_in
from partnerships.imports.tables import Cell, Row, Table

PARSER = Path(parser_process.__file__)
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How much a file may ask for: bytes as sent and unpacked, rows and columns of a sheet, memory and time of the parser.

    ``text`` is what the parser prints of all sheets: a text of an xlsx file is kept once, however many cells have it.
    """

    size: int = 50 * MEGABYTE
    unpacked: int = 500 * MEGABYTE
    text: int = 300 * MEGABYTE
    rows: int = 200_000
    columns: int = 500
    memory: int = 1024 * MEGABYTE
    seconds: int = 60


LIMITS = Limits()


class UnreadableFile(Exception):
    """A file that is no spreadsheet we read. The message is for the person who sent it."""


def read_tables(
    path: Path, *, limits: Limits = LIMITS, name: str = "", header: int = 0, header_sheet: str = ""
) -> list[Table]:
    """Return the tables of a file.

    ``name`` is the name the file had when it was sent; it names the one sheet of a text file. ``header`` is the row
    of the headings where a person has chosen it, of ``header_sheet`` or of each sheet.
    """
    sheets = read_sheets(path, limits=limits, name=name)
    tables = [
        table for sheet in sheets for table in tables_in(sheet, header if header_sheet in {"", sheet.name} else 0)
    ]
    if not tables:
        raise UnreadableFile(_("There is no table in this file: a row of headings with rows below it."))
    return tables


def check_size(size: int, limits: Limits = LIMITS) -> None:
    """Raise ``UnreadableFile`` for a file of more bytes than are read."""
    if size > limits.size:
        raise UnreadableFile(
            _("The file has more than %(limit)s MB. Split it, or remove pictures.") % {"limit": limits.size // MEGABYTE}
        )


def read_sheets(path: Path, *, limits: Limits = LIMITS, name: str = "") -> list[Sheet]:
    """Return what is in the visible sheets of a file. Raises ``UnreadableFile``."""
    check_size(path.stat().st_size, limits)
    return [sheet for sheet in _sheets(path, Path(name or path.name).stem, limits) if not sheet.is_hidden]


@dataclass
class _Parser:
    """The parser at work: kills it when its time is over."""

    process: "subprocess.Popen[str]"
    seconds: int
    is_late: bool = False
    timer: threading.Timer = field(init=False)

    def __enter__(self) -> Self:
        self.timer = threading.Timer(self.seconds, self._stop)
        self.timer.daemon = True
        self.timer.start()
        return self

    def _stop(self) -> None:
        self.is_late = True
        self.process.kill()

    def __exit__(self, *_error: object) -> None:
        self.timer.cancel()
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def _sheets(path: Path, name: str, limits: Limits) -> Iterator[Sheet]:
    options = {key: getattr(limits, key) for key in ("unpacked", "text", "rows", "columns", "memory", "seconds")}
    process = subprocess.Popen(
        # Isolated: neither the environment nor the folder it runs in changes what it imports.
        [sys.executable, "-I", str(PARSER), str(path.resolve()), name, json.dumps(options)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="ascii",
        env={},
    )
    with _Parser(process, limits.seconds):
        yield from _collected(process, limits)


def _collected(process: "subprocess.Popen[str]", limits: Limits) -> Iterator[Sheet]:
    """Return each sheet once all its lines are here. One without the last line was stopped by a limit."""
    about: dict[str, Any] | None = None
    rows: list[Row] = []
    texts: dict[str, str] = {}  # a word that comes in ten thousand rows is kept once
    assert process.stdout
    for line in process.stdout:
        value = json.loads(line)
        if isinstance(value, list):
            number, cells = value
            rows.append(Row(number, tuple(_cell(cell, texts) for cell in cells)))
            continue
        if "refused" in value:
            raise UnreadableFile(_refusal(value))
        if about is not None:
            yield _sheet(about, rows)
        if "end" in value:
            return
        about, rows = value, []
    raise UnreadableFile(_refusal({"refused": "memory"}))


def _sheet(about: dict[str, Any], rows: list[Row]) -> Sheet:
    merged = tuple(tuple(one) for one in about["merged"])
    return Sheet(
        about["sheet"],
        tuple(rows),
        merged,
        is_hidden=about["is_hidden"],
        epoch_1904=about["epoch_1904"],
    )


def _cell(cell: Any, texts: dict[str, str]) -> Cell:
    if isinstance(cell, str):
        return texts.setdefault(cell, cell)
    if isinstance(cell, list):
        letter, text = cell
        return dt.date.fromisoformat(text) if letter == "d" else dt.datetime.fromisoformat(text)
    return cell


def _refusal(found: Mapping[str, Any]) -> str:
    """Return what is wrong with a refused file and what to do about it."""
    again = _("Save it as an Excel workbook (.xlsx) and try again.")
    messages = {
        "bomb": _("The file unpacks to far more than a spreadsheet holds, so it was not opened."),
        "password": _("The file is protected with a password. Save it without one and try again."),
        "macros": _("The file contains macros. Save it as an Excel workbook without macros (.xlsx) and try again."),
        "links": _("The file takes values from other files. Copy the sheet, paste it as values and try again."),
        "formulas": _(
            "Sheet “%(sheet)s” has formulas without results. Open the file in Excel or WPS, save it and try again."
        ),
        "columns": _("Sheet “%(sheet)s” has more than %(limit)s columns. Remove those that are not needed."),
        "rows": _("Sheet “%(sheet)s” has more than %(limit)s rows. Split the file."),
        "memory": _("The file is too large to be read. Split it, or copy the cells into a new file."),
        "web_page": _("This is a web page with the ending of a spreadsheet. Open it in Excel or WPS.") + " " + again,
        "binary": _("Binary workbooks (.xlsb) are not read.") + " " + again,
        "empty": _("The file is empty."),
        "other": _(
            "This is not a spreadsheet. Excel (.xlsx, .xls), OpenDocument (.ods) and text files (.csv, .tsv) are read."
        ),
        "damaged": _("The file is damaged.") + " " + again,
    }
    return str(messages[found["refused"]] % {key: found.get(key, "") for key in ("sheet", "limit")})
