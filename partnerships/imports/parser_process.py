"""The parser of spreadsheets, a program of its own: it reads one foreign file under limits and prints what is in it.

``files.py`` starts it by its path, so it imports nothing of ours. Each line it prints is a value of JSON: an object begins a
sheet or refuses the file, a list is a row. Dates are lists of a letter and their ISO form.
"""

import contextlib
import csv
import datetime as dt
import io
import json
import math
import re
import resource
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

CHUNK = 1 << 20
MOST_ENTRIES = 2000
# A sheet of one repeated word packs by a factor of some 100; what packs better is no sheet that somebody filled in.
MOST_PACKED, SMALL_ENTRY = 250, 5 << 20
OLE, ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"
OTHER_FILES = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf")
WEB_PAGE = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype|html|table|meta|head|\?xml|style|div)", re.IGNORECASE | re.DOTALL
)
# A formula whose result is not in the file: no value behind it, or an empty one that is not said to be a text.
FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
NO_RESULT = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)\s*(<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>|</(?:\w+:)?c>)"
)
FAR_COLUMN = re.compile(rb'<(?:\w+:)?c r="[A-Z]{3,}')
REPEATED = re.compile(rb"<table:table-cell\b[^>]*number-columns-repeated[^>]*>")
FAILED = re.compile(
    rb'<(?:\w+:)?c (?=[^>]*t="e")[^>]*?r="([A-Z]{1,3}[0-9]{1,7})"[^>]*>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]{1,20})</',
    re.DOTALL,
)
MOST_FAILED = 5000
ODS_TAG = re.compile(rb"<table:(covered-table-cell|table-cell|table-row|table)(?=[\s/>])([^>]*)>")
MOST_MERGED = 20_000
DATE_1904 = re.compile(rb'date1904="(?:1|true)"')
DELIMITERS = ",;\t|，；"  # the last two are what is typed where a Chinese keyboard is on
SAMPLE_ROWS = 60
TEXT_SAMPLE = 200_000
WESTERN = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿßœšžÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŒŠŽ–—‘’“”„…€°§«»·ªº\xa0"
ENCODINGS = ["gb18030", "big5", "shift_jis", "euc_kr", "cp1252", "cp1250", "cp1251"]


# Sheet -> number of the row -> place of the column -> the error that stands there.
FailedCells = dict[str, dict[int, dict[int, str]]]
# Sheet -> first row, first column, last row and last column of each merged cell, from 0.
MergedCells = dict[str, list[list[int]]]


class RefusedFile(Exception):
    """A file that is not read; ``code`` names the message."""

    def __init__(self, code: str, **about: object) -> None:
        super().__init__(code)
        self.code, self.about = code, about


def limit_resources(memory: int, seconds: int) -> None:
    for kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        # Not every system knows each of them.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, limit))


def check_archive(archive: zipfile.ZipFile, size: int, limits: dict[str, Any]) -> None:
    """Refuse an archive that unpacks to too much, or holds what can act: macros and links to other files."""
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    overlapping = sum(entry.compress_size for entry in entries) > size
    if len(entries) > MOST_ENTRIES or unpacked > limits["unpacked"] or overlapping:
        raise RefusedFile("bomb")
    for entry in entries:
        if entry.file_size > SMALL_ENTRY and entry.file_size > MOST_PACKED * max(entry.compress_size, 1):
            raise RefusedFile("bomb")
        if entry.flag_bits & 1:
            raise RefusedFile("password")
    names = [entry.filename.lower() for entry in entries]
    if any(name.endswith(("vbaproject.bin", "vbadata.xml")) or "/macrosheets/" in name for name in names):
        raise RefusedFile("macros")
    if any(name.startswith(("basic/", "scripts/")) for name in names):
        raise RefusedFile("macros")
    if any("/externallinks/" in name for name in names):
        raise RefusedFile("links")


def chunks_of(archive: zipfile.ZipFile, name: str, limits: dict[str, Any]) -> Iterator[bytes]:
    """Unpack an entry piece by piece; one that is longer than it says is refused."""
    done, rest = 0, b""
    with archive.open(name) as entry:
        while piece := entry.read(CHUNK):
            done += len(piece)
            if done > limits["unpacked"]:
                raise RefusedFile("bomb")
            if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
                raise RefusedFile("damaged")
            piece = rest + piece
            cut = piece.rfind(b"<table:table-cell " if name == "content.xml" else b"<c ", max(0, len(piece) - 65536))
            # A cell at the border of two pieces is looked at whole, in the second.
            piece, rest = (piece[:cut], piece[cut:]) if cut > 0 else (piece, b"")
            yield piece
    yield rest


def sheet_paths(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the path of each sheet by its name, as the workbook of an xlsx file says."""
    try:
        book, links = archive.read("xl/workbook.xml"), archive.read("xl/_rels/workbook.xml.rels")
    except KeyError:
        raise RefusedFile("damaged") from None
    targets = {}
    for tag in re.findall(rb"<Relationship\b[^>]*>", links):
        attributes = dict(re.findall(rb'(\w+)="([^"]*)"', tag))
        targets[attributes.get(b"Id", b"")] = attributes.get(b"Target", b"").decode()
    paths = {}
    for tag in re.findall(rb"<(?:\w+:)?sheet\b[^>]*>", book):
        attributes = dict(re.findall(rb'([\w:]+)="([^"]*)"', tag))
        target = targets.get(attributes.get(b"r:id", b""), "")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        paths[attributes.get(b"name", b"").decode()] = path
    return paths


def check_sheets(archive: zipfile.ZipFile, limits: dict[str, Any]) -> FailedCells:
    """Refuse formulas whose results are not in the file, and cells far to the right.

    Return the cells of each sheet whose formulas failed, which the library takes for empty.
    """
    failed: FailedCells = {}
    known = set(archive.namelist())
    for name, path in sheet_paths(archive).items():
        if path not in known:
            continue
        failed[name] = {}
        for piece in chunks_of(archive, path, limits):
            if b't="e"' in piece:
                for cell, error in FAILED.findall(piece)[:MOST_FAILED]:
                    number, place = place_of(cell)
                    failed[name].setdefault(number, {})[place] = error.decode()
            if FAR_COLUMN.search(piece):
                raise RefusedFile("columns", sheet=name, limit=limits["columns"])
            if FORMULA.search(piece):
                for attributes, end in NO_RESULT.findall(piece):
                    is_empty_text = b't="str"' in attributes and b"v" in end.split(b"/")[0].replace(b"</", b"")
                    if not is_empty_text:
                        raise RefusedFile("formulas", sheet=name)
    return failed


def place_of(reference: bytes) -> tuple[int, int]:
    """Return the number of the row and the place of the column, from 0, of a cell such as B12."""
    letters, number = reference.rstrip(b"0123456789"), reference.lstrip(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    column = 0
    for letter in letters:
        column = column * 26 + letter - 64
    return int(number), column - 1


def open_workbook(path: str, head: bytes, limits: dict[str, Any]) -> Iterator[Any]:
    """Read an xlsx, ods or xls file, told apart by what is in it: its ending may be wrong."""
    epoch_1904 = False
    failed: FailedCells = {}
    spans = OdsSpans()
    if head.startswith(ZIP):
        with open(path, "rb") as file:  # noqa: PTH123  # this program knows nothing but names of files
            size = file.seek(0, io.SEEK_END)
            with zipfile.ZipFile(file) as archive:
                check_archive(archive, size, limits)
                names = archive.namelist()
                if "xl/workbook.xml" in names:
                    failed = check_sheets(archive, limits)
                    epoch_1904 = DATE_1904.search(archive.read("xl/workbook.xml")) is not None
                elif "content.xml" in names and b"spreadsheet" in archive.read("mimetype"):
                    if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
                        raise RefusedFile("password")
                    for piece in chunks_of(archive, "content.xml", limits):
                        if b"table:cell-range-source" in piece:
                            raise RefusedFile("links")
                        check_repeated(piece, limits)
                        spans.read(piece)
                elif "xl/workbook.bin" in names:
                    raise RefusedFile("binary")
                else:
                    raise RefusedFile("other")
    else:
        check_ole(path)
    with open(path, "rb") as file:  # noqa: PTH123
        yield from sheets_of(CalamineWorkbook.from_filelike(file), limits, failed, spans.merged, epoch_1904=epoch_1904)


class OdsSpans:
    """Finds the merged cells of an ods file, which the library does not tell."""

    def __init__(self) -> None:
        self.merged: MergedCells = {}
        self._sheet: list[list[int]] = []
        self._row = self._next_row = self._column = 0

    def read(self, piece: bytes) -> None:
        """Go on with the next piece of the content, which begins and ends between two tags."""
        for tag, attributes in ODS_TAG.findall(piece):
            if tag == b"table":
                name = re.search(rb'table:name="([^"]*)"', attributes)
                self._sheet = self.merged.setdefault(_unescaped(name[1].decode()) if name else "", [])
                self._row = self._next_row = self._column = 0
            elif tag == b"table-row":
                self._row, self._column = self._next_row, 0
                self._next_row += _count(rb"rows-repeated", attributes)
            else:
                right, down = _count(rb"columns-spanned", attributes), _count(rb"rows-spanned", attributes)
                if right * down > 1 and len(self._sheet) < MOST_MERGED:
                    self._sheet.append([self._row, self._column, self._row + down - 1, self._column + right - 1])
                self._column += _count(rb"columns-repeated", attributes)


def _unescaped(text: str) -> str:
    for sign, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(sign, character)
    return text


def _count(name: bytes, attributes: bytes) -> int:
    found = re.search(rb"table:number-" + name + rb'="(\d{1,7})"', attributes)
    return int(found[1]) if found else 1


def check_repeated(piece: bytes, limits: dict[str, Any]) -> None:
    """Refuse cells of an ods file that repeat their value over more columns than a table has."""
    for tag in REPEATED.findall(piece):
        count = re.search(rb'number-columns-repeated="(\d+)"', tag)
        if count and b":value" in tag and int(count[1]) > limits["columns"]:
            raise RefusedFile("columns", sheet="", limit=limits["columns"])


def check_ole(path: str) -> None:
    """Refuse an old file, or the envelope of a new one, that is encrypted, holds macros or is no spreadsheet."""
    with open(path, "rb") as file:  # noqa: PTH123
        content = file.read()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise RefusedFile("password")
    if "_VBA_PROJECT_CUR".encode("utf-16-le") in content:
        raise RefusedFile("macros")
    if not any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
        raise RefusedFile("other")


def sheets_of(
    book: CalamineWorkbook, limits: dict[str, Any], failed: FailedCells, merged_in_ods: MergedCells, *, epoch_1904: bool
) -> Iterator[Any]:
    for about in book.sheets_metadata:
        if about.typ == SheetTypeEnum.MacroSheet or about.typ == SheetTypeEnum.Vba:  # noqa: PLR1714  # they have no hash
            raise RefusedFile("macros")
        if about.typ != SheetTypeEnum.WorkSheet:
            continue
        sheet = book.get_sheet_by_name(about.name)
        if sheet.width > limits["columns"]:
            raise RefusedFile("columns", sheet=about.name, limit=limits["columns"])
        merged = [[*first, *last] for first, last in sheet.merged_cell_ranges or []]
        merged = merged or merged_in_ods.get(about.name, [])
        yield {
            "sheet": about.name,
            "merged": merged,
            "is_hidden": about.visible != SheetVisibleEnum.Visible,
            "epoch_1904": epoch_1904,
        }
        # The rows are counted from the first one of the sheet, the cells from the first column with something in it.
        left = sheet.start[1] if sheet.start else 0
        for number, cells in numbered(sheet.iter_rows(), 0, left, limits, about.name):
            for place, error in failed.get(about.name, {}).get(number, {}).items():
                cells.extend([None] * (place + 1 - len(cells)))
                cells[place] = error
            yield [number, cells]


def numbered(rows: Any, top: int, left: int, limits: dict[str, Any], sheet: str) -> Iterator[Any]:
    """Return the rows that hold something, each with its number first."""
    count = 0
    for number, row in enumerate(rows, top + 1):
        cells = [plain(cell) for cell in row]
        while cells and cells[-1] is None:
            cells.pop()
        if not cells:
            continue
        count += 1
        if count > limits["rows"]:
            raise RefusedFile("rows", sheet=sheet, limit=limits["rows"])
        if len(cells) > limits["columns"]:
            raise RefusedFile("columns", sheet=sheet, limit=limits["columns"])
        yield [number, [None] * left + cells]


def plain(cell: Any) -> Any:
    """Return a cell as JSON has it; None where nothing is in it."""
    if isinstance(cell, str):
        cell = cell.replace("\0", "")  # the database takes none
        return cell if cell.strip("\ufeff \t\r\n\xa0\u3000\u200b") else None
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() else cell if math.isfinite(cell) else None
    if isinstance(cell, dt.datetime):
        return ["d", cell.date().isoformat()] if cell.time() == dt.time() else ["t", cell.isoformat()]
    if isinstance(cell, dt.date):
        return ["d", cell.isoformat()]
    if isinstance(cell, dt.time | dt.timedelta):
        return str(cell)
    return cell


def decoded(content: bytes) -> str:
    """Return the text of a file in the encoding it is in: one of Unicode, that of the office's country, or a guess."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding)
    low, high = content[:TEXT_SAMPLE:2].count(0), content[1:TEXT_SAMPLE:2].count(0)
    # In Chinese text of UTF-16 a zero is half of a comma or a line break, and all stand on the same side.
    if min(low, high) == 0 and max(low, high) > 1 and len(content) % 2 == 0:
        return content.decode("utf-16-le" if high else "utf-16-be")
    if b"\0" in content:
        raise RefusedFile("other")
    with contextlib.suppress(UnicodeDecodeError):
        return content.decode("utf-8")
    with contextlib.suppress(UnicodeDecodeError):
        text = content.decode("gb18030")
        if is_simplified(text):
            return text
    western = content.decode("cp1252", "replace")
    if all(sign.isascii() or sign in WESTERN for sign in western):
        return western
    from charset_normalizer import from_bytes  # few files need it, and it takes long to load

    guess = from_bytes(content[:TEXT_SAMPLE], cp_isolation=ENCODINGS).best()
    return content.decode(guess.encoding if guess else "cp1252")


def is_simplified(text: str) -> bool:
    """Whether most foreign signs are among the 3,755 most common Chinese ones: those of other encodings would not be."""
    foreign = [
        sign for sign in text[:TEXT_SAMPLE] if sign > "\x7f" and not "\u3000" <= sign <= "\u303f" and sign < "\uff00"
    ]
    common = sum(b"\xb0\xa1" <= sign.encode("gb2312", "ignore") <= b"\xd7\xf9" for sign in foreign)
    return bool(foreign) and common >= 0.75 * len(foreign)


def delimiter_of(text: str) -> str:
    """Return the sign that splits the first rows most evenly, into the most cells."""

    def quality(delimiter: str) -> tuple[float, int]:
        reader = csv.reader(io.StringIO(text[:TEXT_SAMPLE], newline=""), delimiter=delimiter)
        rows = [row for row, _ in zip(reader, range(SAMPLE_ROWS), strict=False) if any(row)]
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            return 0.0, 0
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        return round(count / len(rows), 1), width

    return max(DELIMITERS, key=quality)


def text_rows(content: bytes, name: str, limits: dict[str, Any]) -> Iterator[Any]:
    text = decoded(content)
    csv.field_size_limit(len(text) + 1)
    if not text.strip("\ufeff \r\n\t,;"):
        raise RefusedFile("empty")
    top = 0
    if found := re.match(r'"?sep=(.)"?\r?\n', text):  # for Excel, which takes it for no row
        delimiter, text, top = found[1], text[found.end() :], 1
    else:
        delimiter = delimiter_of(text)
    yield {"sheet": name, "merged": [], "is_hidden": False, "epoch_1904": False}
    try:
        yield from numbered(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), top, 0, limits, name)
    except csv.Error:
        raise RefusedFile("damaged") from None


def read(path: str, name: str, limits: dict[str, Any]) -> Iterator[Any]:
    with open(path, "rb") as file:  # noqa: PTH123
        head = file.read(4096)
        if not head.strip():
            raise RefusedFile("empty")
        if head.startswith((ZIP, OLE)):
            yield from open_workbook(path, head, limits)
            return
        if head.startswith(OTHER_FILES):
            raise RefusedFile("other")
        if WEB_PAGE.match(head.removeprefix(b"\xef\xbb\xbf")):
            raise RefusedFile("web_page")
        yield from text_rows(head + file.read(), name, limits)


def lines_of(values: Iterator[Any], limits: dict[str, Any]) -> Iterator[str]:
    """Return values as JSON; refuse a file whose cells hold far more together than the file does."""
    left = limits["text"]
    for value in values:
        line = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
        left -= len(line)
        if left < 0:
            raise RefusedFile("memory")
        yield line


def main() -> NoReturn:
    path, name, options = sys.argv[1:4]
    limits = json.loads(options)
    limit_resources(limits["memory"], limits["seconds"])
    write = sys.stdout.write
    try:
        for line in lines_of(read(path, name, limits), limits):
            write(line + "\n")
    except RefusedFile as refused:
        write(json.dumps({"refused": refused.code, **refused.about}) + "\n")
    except PasswordError:
        write('{"refused": "password"}\n')
    except MemoryError:
        write('{"refused": "memory"}\n')
    except BaseException:  # noqa: BLE001  # a panic of the library is no Exception
        write('{"refused": "damaged"}\n')
    write('{"end": true}\n')
    sys.exit(0)


if __name__ == "__main__":
    main()
