"""Which field each column of a table holds, by its heading and by what is in it."""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from functools import cache

from partnerships.countries import country_code
from partnerships.durations import parse_duration
from partnerships.imports.choices import find_choice, squash
from partnerships.imports.date_readings import date_of_one_reading, readings_of_date
from partnerships.imports.kinds import KINDS, NAME, NOTE_FIELDS, ORGANIZATION, PARTNERS, TITLE, Field, Kind
from partnerships.imports.parties import is_organization, split_place
from partnerships.imports.people import EMAIL
from partnerships.imports.tables import Cell, Table
from partnerships.imports.values import SEPARATORS
from partnerships.inputs import parse_partial_day, parse_phone, parse_serial_day

SAMPLE = 40
# How sure a guess is: a heading word for word, without what is in brackets, a word within it, and what is in the column.
EXACT, WITHOUT_BRACKETS, WITHIN, BY_CONTENT = 100, 90, 40, 30
# Our own label of the field, as in a template.
OWN_LABEL = 110
# E-mail addresses under "Contact" are no names of persons.
BY_ADDRESSES = 60
LONGEST_CHOICE = 20
MOSTLY, ALMOST_ALL = 0.6, 0.9
SERIAL_NUMBERS = {
    "no",
    "nr",
    "sn",
    "s/n",
    "#",
    "index",
    "序号",
    "序",
    "行号",
    "编号序",
    "number",
    "serialnumber",
    "serialno",
    "项次",
}
BRACKETS = re.compile(r"[(（\[【][^)）\]】]*[)）\]】]")
# A column of digits without a heading holds phone numbers if they begin as these do.
PHONE_BEGINS = re.compile(r"\+|0\d|1[3-9]\d{9}$")
LANGUAGE = re.compile(r"english|chinese|英文|中文|外文", re.IGNORECASE)
CREDIT_CODE = re.compile(r"[0-9A-HJ-NP-RTUWXY]{18}")


def guess_columns(kind: str, table: Table, fields: Sequence[Field] | None = None) -> dict[int, str]:
    """Return the field of each column that can be told; each once, but parties, witnesses and remarks as often as there are columns.

    ``fields`` are those of the kind with the choices of an office: a column of mostly other words is one of remarks.
    """
    fields = fields or KINDS[kind].fields
    samples = [_sample(table, place) for place in range(len(table.headings))]
    guesses = [
        (score, -order, -place)
        for place, heading in enumerate(table.headings)
        for order, field in enumerate(fields)
        if (score := _score(field, KINDS[kind], heading, samples[place])) > 0
    ]
    found: dict[int, str] = {}
    left: set[int] = set()  # columns that say plainly what they hold, which another one holds already
    for score, order, place in sorted(guesses, reverse=True):
        field, column = fields[-order], -place
        if column in found or column in left:
            continue
        if _is_free_text(field, samples[column]):
            field = next((one for one in fields if one.name in NOTE_FIELDS), field)
            found[column] = field.name
        elif field.name not in found.values() or _may_come_again(field, score, table.headings[column]):
            found[column] = field.name
        elif score >= WITHOUT_BRACKETS:
            left.add(column)
    return dict(sorted(found.items()))


def _is_free_text(field: Field, sample: list[Cell]) -> bool:
    """Whether a column is named like one of areas, and holds sentences or words that the office has no area for."""
    share = _share(field, sample) if field.several and field.refers_to else None
    return share is not None and share < MOSTLY


def _may_come_again(field: Field, score: float, heading: str) -> bool:
    """Whether several columns may hold a field: 乙方, 丙方; but not the same partner once more in another language."""
    is_of_parties = field.several and field.kind == "names"
    return (
        (is_of_parties or field.name in NOTE_FIELDS) and score >= WITHOUT_BRACKETS and LANGUAGE.search(heading) is None
    )


def _sample(table: Table, place: int) -> list[Cell]:
    cells = (row.cells[place] for row in table.rows if row.cells[place] is not None)
    return [cell for cell, _number in zip(cells, range(SAMPLE), strict=False)]


def _score(field: Field, kind: Kind, heading: str, sample: list[Cell]) -> float:
    """Return how well a field fits a column; 0 if it does not."""
    by_heading = _heading_score(field, heading)
    share = _share(field, sample)
    if field.kind == "email" and share is not None and share >= ALMOST_ALL:
        by_heading = max(by_heading, BY_ADDRESSES)
    if by_heading == 0:
        return (
            BY_CONTENT * share if share and share >= MOSTLY and _is_told_by_content(field, kind, heading, sample) else 0
        )
    if share is None:
        return by_heading
    if field.kind == "choice" and share < MOSTLY and all(len(str(cell)) > LONGEST_CHOICE for cell in sample):
        return 0  # a report under 执行情况, and not a status
    # A heading counts less where the cells say something else: e-mail addresses under "Contact".
    return by_heading * (0.5 + 0.5 * share) if share < MOSTLY else by_heading + share


def _is_told_by_content(field: Field, kind: Kind, heading: str, sample: list[Cell]) -> bool:
    """Whether what is in a column says that it holds the field: a date under no heading is the first of the kind."""
    if field.kind not in TELLING or is_known_heading(heading) or is_serial_number(heading):
        return False
    if field.kind == "phone":
        return all(PHONE_BEGINS.match(str(cell).removesuffix(".0")) for cell in sample)
    return field.kind not in OF_MANY or field is next(one for one in kind.fields if one.kind == field.kind)


def _heading_score(field: Field, heading: str) -> float:
    if is_serial_number(heading):
        return 0
    words = _words_of(field)
    keys = heading_keys(heading)
    if keys and keys[0] in _folded(field.labels):
        return OWN_LABEL
    if keys and keys[0] in words:
        return EXACT
    if any(key in words for key in keys):
        return WITHOUT_BRACKETS
    within = [len(word) for word in words if len(word) >= 2 and any(_is_within(word, heading, key) for key in keys[:2])]
    return WITHIN + min(max(within), 20) if within else 0


def _is_within(word: str, heading: str, key: str) -> bool:
    if not word.isascii():
        return word in key
    return f" {word} " in f" {re.sub('[^a-z0-9]+', ' ', heading.lower())} " or (len(word) > 6 and word in key)


def heading_keys(heading: str) -> list[str]:
    """Return the folded forms of a heading: whole, without what is in brackets, and its two languages apart."""
    plain = heading.replace("*", " ")
    forms = [plain, BRACKETS.sub(" ", plain), *re.split(r"[/／\n]", plain)]
    inside = [found[0].strip("()（）[]【】") for found in BRACKETS.finditer(plain)]
    latin = " ".join(re.findall(r"[A-Za-z][A-Za-z0-9 '&.-]*", plain))
    chinese = "".join(re.findall("[\u4e00-\u9fff]+", BRACKETS.sub(" ", plain)))
    both = [latin, chinese] if latin and chinese else []
    # Of two rows of headings the lower one: 签约各方 乙方.
    lower = [] if latin else plain.split()[-1:]
    return list(dict.fromkeys(key for form in (*forms, *both, *inside, *lower) if (key := squash(form))))


@cache
def _known_words() -> frozenset[str]:
    return frozenset(word for kind in KINDS.values() for field in kind.fields for word in _words_of(field))


def _words_of(field: Field) -> frozenset[str]:
    return _folded((field.name, *field.synonyms, *field.labels))


@cache
def _folded(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(squash(word.replace("_", " ")) for word in words)


def is_known_heading(heading: str) -> bool:
    """Whether a text is a heading of some field, or the one of the running numbers."""
    return is_serial_number(heading) or any(key in _known_words() for key in heading_keys(heading))


def is_serial_number(heading: str) -> bool:
    return heading.strip().lower() in SERIAL_NUMBERS or squash(heading) in SERIAL_NUMBERS


def is_name_heading(heading: str) -> bool:
    """Whether the cells below a heading are names of organizations or titles."""
    words = frozenset[str]().union(*(_words_of(field) for field in (NAME, ORGANIZATION, PARTNERS, TITLE)))
    return any(key in words for key in heading_keys(heading))


def _share(field: Field, sample: list[Cell]) -> float | None:
    """Return which part of the cells a field would take; None where any text fits."""
    tests: dict[str, Callable[[Cell], bool]] = {
        "email": lambda cell: isinstance(cell, str) and EMAIL.search(cell) is not None,
        "phone": _is_phone,
        "date": _is_date,
        "duration": lambda cell: (
            isinstance(cell, int | dt.date) or (isinstance(cell, str) and parse_duration(cell) is not None)
        ),
        "names": lambda cell: isinstance(cell, str) and is_organization(split_place(cell).name),
        "name": lambda cell: isinstance(cell, str) and is_organization(split_place(cell).name),
        "number": lambda cell: isinstance(cell, int | float) or (isinstance(cell, str) and any(map(str.isdigit, cell))),
        "amount": lambda cell: isinstance(cell, int | float) or (isinstance(cell, str) and any(map(str.isdigit, cell))),
    }
    test = tests.get(field.kind)
    if field.name == "uscc":
        test = _is_credit_code
    elif field.refers_to == "country":
        test = _is_country
    elif field.several and field.refers_to and field.choices:
        test = lambda cell: isinstance(cell, str) and _are_known(field, cell)  # noqa: E731
    elif field.kind == "choice" and field.choices and not field.refers_to:
        test = lambda cell: isinstance(cell, str) and find_choice(field, cell) is not None  # noqa: E731
    elif field.kind == "person":
        test = _is_person
    if test is None or not sample:
        return None
    return sum(map(test, sample)) / len(sample)


def _are_known(field: Field, cell: str) -> bool:
    pieces = [piece for piece in SEPARATORS.split(cell) if piece.strip()]
    return any(find_choice(field, piece, is_whole=True) for piece in pieces) or find_choice(field, cell) is not None


# Kinds of values that are told without a heading. A number alone may be anything.
TELLING = {"email", "phone", "date", "name", "names", "code", "choice"}
OF_MANY = {"date", "name", "names"}


def _is_phone(cell: Cell) -> bool:
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return False
    digits = re.sub(r"\D", "", str(cell).removesuffix(".0"))
    return (
        len(digits) >= 7
        and parse_phone(cell) is not None
        and parse_partial_day(str(cell)) is None
        and "@" not in str(cell)
    )


def _is_date(cell: Cell) -> bool:
    if isinstance(cell, dt.date):
        return True
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return parse_serial_day(cell) is not None
    return isinstance(cell, str) and (
        parse_partial_day(cell) is not None
        or date_of_one_reading(cell) is not None
        or readings_of_date(cell) != []
        or (parse_duration(cell) is not None and not cell.strip().isdigit())
    )


def _is_person(cell: Cell) -> bool:
    if not isinstance(cell, str) or not any(map(str.isalpha, cell)):
        return False
    return not is_organization(cell) and not EMAIL.fullmatch(cell.strip())


def _is_credit_code(cell: Cell) -> bool:
    return isinstance(cell, str) and CREDIT_CODE.fullmatch(cell.strip().upper()) is not None


def _is_country(cell: Cell) -> bool:
    return isinstance(cell, str) and len(cell.strip()) > 1 and country_code(cell) is not None
