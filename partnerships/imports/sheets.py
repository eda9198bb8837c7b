"""The tables in a sheet: where their headings are, which rows belong to them, and which are titles, sections and totals."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partnerships.countries import country_code
from partnerships.imports.choices import squash
from partnerships.imports.columns import is_known_heading, is_name_heading
from partnerships.imports.tables import Cell, Row, Table
from partnerships.inputs import parse_partial_day
from partnerships.names import fold

# Headings are looked for in the first rows of a table only.
ROWS_BEFORE_HEADINGS = 40
# As many rows are offered to choose the headings from.
FIRST_ROWS = 15
NO_HEADER = -1
LONGEST_HEADING = 80
LONGEST_SECTION = 100
# With fewer filled cells in a usual row, a line of one cell is a row like others.
NARROWEST_WITH_SECTIONS = 3
TOTALS = {"合计", "总计", "小计", "共计", "总数", "总和", "本页小计", "累计"}
TOTALS |= {"total", "totals", "subtotal", "sub-total", "grand total", "sum", "in total"}
CONTINENTS = {"africa", "asia", "europe", "oceania", "america", "north america", "south america", "latin america"}
CONTINENTS |= {"middle east", "asia pacific", "asia-pacific", "australia and oceania", "central america", "americas"}
CONTINENTS |= {
    "亚洲",
    "欧洲",
    "非洲",
    "大洋洲",
    "美洲",
    "北美洲",
    "南美洲",
    "拉丁美洲",
    "北美",
    "南美",
    "港澳台",
    "港澳台地区",
}
# One word in every language: recipes find a column by its heading.
SECTION = "Section 分组"
COUNT_BEHIND = re.compile(r" ?[(（]\d+[^()（）]{0,12}[)）]$")  # Europe (12)
REMARK = re.compile(
    r"[*※＊†]|注[：:\d]|备注[：:]|说明[：:]|资料来源|来源[：:]|notes?[ :]|source|remarks?[ :]", re.IGNORECASE
)
# The line of those who made and checked a list, which stands below it.
SIGN_OFF = re.compile(
    r"(?:制表|制单|填表|填报|编制|审核|复核|审批|批准|经办|校对|统计|负责|分管|报送|主管)(?:人|员|者|领导|单位|部门|日期|时间)?"
    r"(?:[（(]?(?:签字|签名|签章|盖章|公章)[)）]?)?[：:]"
    r"|(?:制表|填表|填报|审核|复核|审批)(?:人|员|单位|日期|时间)(?: |$)"
    r"|(?:prepared|compiled|completed|checked|reviewed|verified|approved|authori[sz]ed|submitted) by\b",
    re.IGNORECASE,
)
Merged = tuple[int, int, int, int]


@dataclass(frozen=True)
class Sheet:
    """A sheet as it was read: the rows that hold something. ``merged`` are first row, first column, last row, last column, from 0."""

    name: str
    rows: tuple[Row, ...]
    merged: tuple[Merged, ...] = ()
    is_hidden: bool = False
    epoch_1904: bool = False


def tables_in(sheet: Sheet, header: int = 0) -> list[Table]:
    """Return the tables of a sheet. ``header`` is the row of the headings where a person has chosen it, or NO_HEADER."""
    rows = _filled_down(sheet)
    tables = [_without_header(sheet, rows)] if header == NO_HEADER else _tables(sheet, rows, header)
    return [replace(table, first_rows=_first_rows(rows, table.header)) for table in tables if table.rows]


def _first_rows(rows: Sequence[Row], header: int) -> tuple[tuple[int, str], ...]:
    near = [row for place, row in enumerate(rows) if place < FIRST_ROWS or row.number == header]
    return tuple((row.number, _words(row)[:LONGEST_SECTION]) for row in near)


def _without_header(sheet: Sheet, rows: list[Row]) -> Table:
    """Return all rows as a table whose headings are the letters of the columns."""
    width = max((len(row.cells) for row in rows), default=0)
    letters = tuple(_letters(place) for place in range(width))
    padded = tuple(_padded(row, width) for row in rows)
    found = Table(sheet.name, "", letters, padded, epoch_1904=sheet.epoch_1904, header=NO_HEADER)
    return _without_empty_columns(replace(found, headings=tuple(_used_headings(found))))


def _used_headings(table: Table) -> Iterator[str]:
    for place, heading in enumerate(table.headings):
        yield heading if any(row.cells[place] is not None for row in table.rows) else ""


def _letters(place: int) -> str:
    return (_letters(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _tables(sheet: Sheet, rows: list[Row], header: int) -> Iterator[Table]:
    chosen = next((place for place, row in enumerate(rows) if row.number == header), None)
    start = chosen if chosen is not None else _header(rows, sheet.merged)
    if start is None:
        return
    titles = [_words(row) for row in rows[:start]]
    while start is not None:
        headings, first = _headings(rows, start, sheet.merged)
        body, after = _body(rows, first, headings, _lines_across(sheet.merged, len(headings)))
        found = replace(
            body,
            sheet=sheet.name,
            title=" · ".join(words for words in titles if words),
            epoch_1904=sheet.epoch_1904,
            header=rows[start].number,
        )
        yield _with_sections(_without_empty_columns(found))
        start, titles = (
            after,
            [words for row in rows[first:after] if after and (words := _title_before(row, rows, after))],
        )


def _title_before(row: Row, rows: Sequence[Row], header: int) -> str:
    """Return the words of a line of one cell right above the headings of a further table."""
    place = header - 1
    while place >= 0 and len(_filled(rows[place])) == 1:
        if rows[place].number == row.number:
            return _words(row)
        place -= 1
    return ""


def _filled_down(sheet: Sheet) -> list[Row]:
    """Return the rows with the value of a merged cell in each row that it spans."""
    tall = [one for one in sheet.merged if one[2] > one[0]]
    if not tall:
        return list(sheet.rows)
    by_number = {row.number: list(row.cells) for row in sheet.rows}
    numbers = sorted(by_number)
    filled: dict[
        int, int
    ] = {}  # column -> the last row filled; merged cells do not overlap, unless somebody means harm
    for top, left, bottom, _right in sorted(tall):
        first = by_number.get(top + 1, [])
        value = first[left] if left < len(first) else None
        if value is None:
            continue
        # A row that holds nothing of its own is no row.
        start = bisect_left(numbers, max(top + 2, filled.get(left, 0) + 1))
        for number in numbers[start : bisect_right(numbers, bottom + 1)]:
            cells = by_number[number]
            cells.extend([None] * (left + 1 - len(cells)))
            cells[left] = value
        filled[left] = max(bottom + 1, filled.get(left, 0))
    return [Row(number, tuple(cells)) for number, cells in sorted(by_number.items())]


def _filled(row: Row) -> list[int]:
    return [place for place, cell in enumerate(row.cells) if cell is not None]


def _words(row: Row) -> str:
    return " ".join(" ".join(str(row.cells[place]).split()) for place in _filled(row))


def _is_text(cell: Cell) -> bool:
    """Whether a cell may be a heading: short text, and no number or date."""
    if not isinstance(cell, str) or len(cell) > LONGEST_HEADING:
        return False
    words = cell.strip()
    return not words.replace(".", "").replace(",", "").replace("-", "").replace("/", "").isdigit()


def _known(row: Row) -> int:
    return sum(isinstance(cell, str) and is_known_heading(cell) for cell in row.cells)


def _header(rows: Sequence[Row], merged: Sequence[Merged]) -> int | None:
    """Return the place of the row of headings: that with most known ones, or the first row of text."""
    near = rows[:ROWS_BEFORE_HEADINGS]
    widest = max((len(_filled(row)) for row in near), default=0)
    known = [_known(row) if _looks_like_headings(row) else 0 for row in near]
    best = max(known, default=0)
    if best and best >= min(2, widest):
        # A row below may hold as many words that are headings elsewhere: "University", "Company".
        found = known.index(best)
        return found - 1 if found and _is_second_row(rows[found - 1], rows[found], merged) else found
    candidates = [place for place, row in enumerate(near) if len(_filled(row)) >= max(1, 0.6 * widest)]
    texts = [place for place in candidates if all(_is_text(near[place].cells[at]) for at in _filled(near[place]))]
    return texts[0] if texts else None


def _looks_like_headings(row: Row) -> bool:
    filled = _filled(row)
    return bool(filled) and sum(_is_text(row.cells[place]) for place in filled) >= 0.7 * len(filled)


def _headings(rows: Sequence[Row], start: int, merged: Sequence[Merged]) -> tuple[tuple[str, ...], int]:
    """Return the headings, and the place of the first row below them. Two rows of headings become one."""
    top = _spread(rows[start], merged)
    below = rows[start + 1] if start + 1 < len(rows) else None
    if below is None or not _is_second_row(rows[start], below, merged):
        return tuple(top), start + 1
    width = max(len(top), len(below.cells))
    both = []
    for place in range(width):
        upper = top[place] if place < len(top) else ""
        lower = _heading(below.cells[place]) if place < len(below.cells) else ""
        both.append(lower if not upper or upper == lower else f"{upper} {lower}".strip())
    return tuple(both), start + 2


def _heading(cell: Cell) -> str:
    return "" if cell is None else " ".join(str(cell).split())


def _spread(row: Row, merged: Sequence[Merged]) -> list[str]:
    """Return the headings of a row, each in all columns that its merged cell spans."""
    cells = [_heading(cell) for cell in row.cells]
    for top, left, _bottom, right in merged:
        if top == row.number - 1 and right > left and left < len(cells):
            cells.extend([""] * (right + 1 - len(cells)))
            cells[left : right + 1] = [cells[left]] * (right + 1 - left)
    return cells


def _is_second_row(upper: Row, lower: Row, merged: Sequence[Merged]) -> bool:
    """Whether ``lower`` holds the headings below those of ``upper``: for each that spans columns, one for each column."""
    if lower.number != upper.number + 1 or _is_line_across(upper, lower, merged):
        return False
    filled = [place for place, cell in enumerate(lower.cells) if cell is not None]
    if len(filled) < 2 or not all(_is_text(lower.cells[place]) for place in filled):
        return False
    above = list(upper.cells) + [None] * (len(lower.cells) - len(upper.cells))
    wide = [one for one in merged if one[0] == upper.number - 1 and one[3] > one[1]]
    spanned = {place for _top, left, _bottom, right in wide for place in range(left, right + 1)}
    new = [place for place in filled if above[place] is None or place in spanned]
    own = [
        place for place in filled if place not in new and squash(str(above[place])) != squash(str(lower.cells[place]))
    ]
    if not new:
        return False
    if wide:
        return all(place in spanned for place in new) and not own
    # Without merged cells: a heading with another one below it begins a group, so nothing stands to its right.
    groups = all(place + 1 >= len(above) or above[place + 1] is None for place in own)
    # A line of the title above the headings, such as 制表单位：合作处, is no row of headings.
    heads = [str(cell) for cell in upper.cells if cell is not None]
    known_above = sum(map(is_known_heading, heads)) >= len(heads) / 2
    known_below = sum(is_known_heading(str(lower.cells[place])) for place in filled) >= len(filled) / 2
    return groups and bool(own) and known_above and known_below


def _is_line_across(upper: Row, lower: Row, merged: Sequence[Merged]) -> bool:
    """Whether the one cell of ``upper`` spans most columns: a title, or the line with author and day above the headings."""
    if len(_filled(upper)) != 1:
        return False
    return any(
        top == upper.number - 1 and right - left + 1 > len(lower.cells) / 2 for top, left, _bottom, right in merged
    )


def _lines_across(merged: Sequence[Merged], width: int) -> frozenset[int]:
    """Return the numbers of the rows with a merged cell over most columns."""
    return frozenset(top + 1 for top, left, _bottom, right in merged if right - left + 1 > width / 2)


def _body(
    rows: Sequence[Row], first: int, headings: tuple[str, ...], across: frozenset[int]
) -> tuple[Table, int | None]:
    """Return the table of the rows from ``first`` on, and the place of the headings of the next one."""
    kept: list[Row] = []
    sections: list[tuple[int, str]] = []
    notes: list[str] = []
    after = None
    usual = _usual_width(rows[first:])
    for place in range(first, len(rows)):
        row = rows[place]
        if _repeats(row, headings):
            notes.append(_("Row %(row)s repeats the headings.") % {"row": row.number})
        elif _begins_table(rows, place):
            after = place
            break
        elif _is_total(row):
            notes.append(_("Row %(row)s is a total: %(words)s.") % {"row": row.number, "words": _words(row)})
        elif len(_filled(row)) == 1 and (row.number in across or _is_section(row, headings, usual)):
            sections.append((row.number, _words(row)[:LONGEST_SECTION]))
        else:
            kept.append(row)
    remarks = list(_lines_below(kept, usual))
    last = kept[-1].number if kept else 0
    # Lines below the last row are a remark about the table, or the title of the next one.
    remarks += [(number, words) for number, words in sections if number > last]
    if after is None:
        notes.extend(
            _("Row %(row)s is a remark: %(words)s.") % {"row": number, "words": words} for number, words in remarks
        )
    within = tuple(one for one in sections if one[0] < last)
    if within:
        notes.append(_note_about_sections(within))
    width = max([len(headings), *(len(row.cells) for row in kept)])
    padded = tuple(_padded(row, width) for row in kept)
    return Table("", "", headings + ("",) * (width - len(headings)), padded, tuple(notes), sections=within), after


def _note_about_sections(sections: Sequence[tuple[int, str]]) -> str:
    return ngettext(
        "%(count)s line is the heading of a section: %(words)s.",
        "%(count)s lines are headings of sections: %(words)s.",
        len(sections),
    ) % {"count": len(sections), "words": ", ".join(words for _number, words in sections[:10])}


def _lines_below(kept: list[Row], usual: int) -> Iterator[tuple[int, str]]:
    """Take remarks, and the names of those who made and checked the list, off the end of its rows."""
    while True:
        if len(kept) > 1 and _is_sign_off(kept[-1]):
            row = kept.pop()
            yield row.number, _words(row)
        elif remarks := _without_remarks(kept, usual):
            yield from remarks
        else:
            return


def _is_sign_off(row: Row) -> bool:
    cells = [" ".join(str(row.cells[place]).split()) for place in _filled(row)]
    return bool(SIGN_OFF.match(cells[0]))


def _without_remarks(kept: list[Row], usual: int) -> list[tuple[int, str]]:
    """Take the lines of one cell below the table off its rows: behind a gap, or beginning as remarks do."""
    start = len(kept)
    while start and len(_filled(kept[start - 1])) == 1:
        start -= 1
    if usual < NARROWEST_WITH_SECTIONS or start == 0:
        return []
    for place in range(start, len(kept)):
        is_apart = kept[place].number > kept[place - 1].number + 1
        if is_apart or REMARK.match(_words(kept[place])):
            remarks = [(row.number, _words(row)) for row in kept[place:]]
            del kept[place:]
            return remarks
    return []


def _padded(row: Row, width: int) -> Row:
    return row if len(row.cells) == width else Row(row.number, row.cells + (None,) * (width - len(row.cells)))


def _usual_width(rows: Sequence[Row]) -> int:
    """Return how many cells are filled in a usual row: the median of the first ones."""
    widths = sorted(len(_filled(row)) for row in rows[:200])
    several = [width for width in widths if width > 1]
    return several[len(several) // 2] if several else 1


def _repeats(row: Row, headings: Sequence[str]) -> bool:
    """Whether a row says the headings once more. Compared as they are written: folding each row would take seconds."""
    pairs = zip(row.cells, headings, strict=False)
    same = sum(
        isinstance(cell, str) and (cell == heading or _heading(cell) == heading) for cell, heading in pairs if heading
    )
    return same > 1 and same >= 0.8 * len(_filled(row))


def _begins_table(rows: Sequence[Row], place: int) -> bool:
    """Whether a row holds the headings of a further table: most are known, and a gap or a title is above them."""
    row, before = rows[place], rows[place - 1]
    filled = _filled(row)
    is_apart = row.number > before.number + 1 or len(_filled(before)) == 1
    return is_apart and len(filled) > 1 and _looks_like_headings(row) and _known(row) >= max(2, 0.6 * len(filled))


def _is_total(row: Row) -> bool:
    """Whether a row says nothing but numbers behind the word for a total; Total is a company, too."""
    texts: list[str] = []
    for cell in row.cells:
        if cell is None or isinstance(cell, int | float):
            continue
        if texts or not isinstance(cell, str) or len(cell) > LONGEST_HEADING:
            return False
        if not _is_number(cell):
            texts.append(cell)
    if not texts:
        return False
    word = fold(texts[0]).replace(" ", "" if texts[0][:1] > "\x7f" else " ").rstrip(":： ")
    return word in TOTALS or any(word.startswith((f"{one}:", f"{one}：")) for one in TOTALS)


def _is_number(text: str) -> bool:
    return text.strip().replace(",", "").replace(".", "").replace("%", "").isdigit()


def _is_section(row: Row, headings: Sequence[str], usual: int) -> bool:
    """Whether a line of one cell heads a part of the table.

    Where the names stand in the first column, only a continent, a country, a year or a numbered line does.
    """
    if usual < NARROWEST_WITH_SECTIONS:
        return False
    place = _filled(row)[0]
    cell = row.cells[place]
    if isinstance(cell, float | bool):
        return False
    if _heads_part(str(cell)):
        return True
    if not isinstance(cell, str):
        return False
    used = next((at for at, heading in enumerate(headings) if heading), 0)
    return place <= used and not is_name_heading(headings[place] if place < len(headings) else "")


def _heads_part(words: str) -> bool:
    folded = fold(words).rstrip(":： ")
    plain = folded.split("(")[0].strip()
    plain = plain.lstrip("一二三四五六七八九十0123456789ivx.、 )") if plain[:1] in "一二三四五六七八九十(" else plain
    if plain in CONTINENTS or country_code(plain):
        return True
    date = parse_partial_day(words.removesuffix("度"))
    return date is not None and not date.is_complete


def _with_sections(table: Table) -> Table:
    """Add a column with the section of each row, so that a country or a year which heads many rows is not lost."""
    if not table.sections:
        return table
    rows = []
    sections = list(table.sections)
    current: Cell = None
    for row in table.rows:
        while sections and sections[0][0] < row.number:
            current = COUNT_BEHIND.sub("", sections.pop(0)[1])
        rows.append(Row(row.number, (*row.cells, current)))
    return replace(table, headings=(*table.headings, SECTION), rows=tuple(rows))


def _without_empty_columns(table: Table) -> Table:
    """Leave out the columns that have neither a heading nor a cell."""
    used = [
        place
        for place, heading in enumerate(table.headings)
        if heading or any(row.cells[place] is not None for row in table.rows)
    ]
    if len(used) == len(table.headings):
        return table
    rows = tuple(Row(row.number, tuple(row.cells[place] for place in used)) for row in table.rows)
    return replace(table, headings=tuple(table.headings[place] for place in used), rows=rows)
