"""Names of organizations in a cell: several of them, each with its place behind it."""

import re
from dataclasses import dataclass
from functools import lru_cache

from partnerships.countries import HOME, OTHER_NAMES, country_code
from partnerships.names import LEGAL_FORMS, fold

# Words that names of organizations end with in Chinese, and hold in other languages.
CHINESE_ENDS = re.compile(
    r"(?:大学|学院|学校|中学|小学|中专|技校|公司|集团|研究院|研究所|科学院|协会|学会|商会|联盟|联合会|基金会|委员会|政府|局|厅|部|处"
    r"|办公室|办|中心|医院|银行|支行|分行|工厂|厂|店|园区|开发区|管委会|实验室|图书馆|博物馆|出版社|报社|电视台|合作社|总会|分会|促进会|院|所|社|馆)$"
)
WORDS = re.compile(
    r"\b(?:universi\w+|college|institut\w*|school|academy|akademi\w*|politecnico|polytechnic\w*|hochschule|fachhochschule|ecole|escuela|facult\w*"
    r"|ministry|embassy|government|bureau|council|commission|association|federation|chamber|society|foundation|hospital|bank|museum|library"
    r"|centre|center|laborator\w+|agency|authority|corporation|company|group|inc|ltd|llc|gmbh|plc|s\.?a\.?|ag|corp|limited|consulate|department)\b",
    re.IGNORECASE,
)
PARTS_OF_ORGANIZATIONS = re.compile(
    r"\b(?:schools?|facult(?:y|ies)|departments?|divisions?|laborator\w+|colleges?|institutes?|centres?|centers?) (?:of|for)\b",
    re.IGNORECASE,
)
WHOLE = re.compile(r"\b(?:universi\w+|academy|polytechnic\w*|hospital)\b", re.IGNORECASE)
LABEL = re.compile(r"^(?:[甲乙丙丁戊己]方|party [a-z]|partner ?\d?|合作方|签约方|见证方)[ :：]+", re.IGNORECASE)
NUMBERING = re.compile(r"^(?:\d{1,2}[.、)）](?!\d)|[(（]\d{1,2}[)）]|[①-⑳]|[•·▪\-–—*])\s*")
LONGEST_LEGAL_PART, LONGEST_NAME = 20, 300
NAME_IN_BRACKETS = re.compile(r"(?P<name>.+?) ?[(（](?P<place>[^()（）]+)[)）]$")
# Universities of several campuses, whose names go on behind the comma: University of California, Berkeley.
CAMPUSES = re.compile(
    r"(?:University of (?:California|Texas|North Carolina|Wisconsin|Illinois|Michigan|Minnesota|Missouri|Massachusetts|Maryland|Nebraska|Colorado|Tennessee|Hawaii)"
    r"|California State University|State University of New York)(?: at)?",
    re.IGNORECASE,
)
# Hong Kong, China is named by both.
OF_CHINA = {"HK", "MO", "TW"}
# Names of states of the United States that are countries as well, so that a name which ends with one is left whole.
TWO_READINGS = {"georgia", "jersey"}


@dataclass(frozen=True)
class PlacedName:
    """A name and the place that stood behind it: "X University, New Taipei, Taiwan", "东京大学（日本）"."""

    name: str
    place: str = ""
    country: str = ""  # a code of ISO 3166-1, or empty


@lru_cache(maxsize=8192)
def is_organization(words: str) -> bool:
    """Whether words look like the whole name of an organization, and not like a place or a part of a name."""
    plain = re.sub(r"[(（][^()（）]*[)）]$", "", words.strip()).strip()
    return len(plain) > 3 and (bool(CHINESE_ENDS.search(plain)) or bool(WORDS.search(fold(plain))))


def split_names(text: str) -> list[str]:
    """Return the names in a cell.

    Line breaks, 、, ； and ; separate names always. A comma, a slash or "and" does so only between two whole names:
    北京大学/清华大学 are two, while "Novo Nordisk A/S", "Zhongyi Co., Ltd." and "X University, New Taipei, Taiwan" are one.
    """
    lines = [part for line in re.split(r"[\r\n;；、|]+", text) for part in re.split(r"(?<=.)(?=[①-⑳])", line)]
    parts = [_bare(line) for line in lines]
    return [name for part in parts if part for name in _between_whole_names(part)]


def _bare(line: str) -> str:
    return LABEL.sub("", NUMBERING.sub("", " ".join(line.split()).strip(" ,，"))).strip(" ,，")


def _between_whole_names(part: str) -> list[str]:
    if len(part) > 10 * LONGEST_NAME:
        return [part]
    for separator in (r"[,，]", r"\s*[/／]\s*", r" and (?:the )?(?=[A-Z])| & ", r"(?<=.{2})(?:与|和|及)(?=.{2})"):
        pieces = [piece.strip() for piece in re.split(separator, part)]
        if len(pieces) < 2:
            continue
        names = _with_their_places(pieces) if separator == r"[,，]" else pieces
        if len(names) > 1 and all(is_organization(name) for name in names) and not _is_part_of_other(names):
            return [name for each in names for name in _between_whole_names(each)]
    return [part]


def _with_their_places(pieces: list[str]) -> list[str]:
    """Join what is no name of its own, such as a place or a legal form, to the name before it."""
    names: list[str] = []
    for piece in pieces:
        is_legal_form = len(piece) <= LONGEST_LEGAL_PART and re.sub(r"\W+", " ", fold(piece)).strip() in LEGAL_FORMS
        if names and (is_legal_form or piece[:1].islower() or not is_organization(piece)):
            names[-1] = f"{names[-1]}, {piece}"
        else:
            names.append(piece)
    return names


def _is_part_of_other(names: list[str]) -> bool:
    """Whether a school or faculty is named beside the university it is part of."""
    parts = [name for name in names if PARTS_OF_ORGANIZATIONS.search(name) and not WHOLE.search(name)]
    return bool(parts) and len(parts) < len(names) and len(names) == 2


def split_place(text: str) -> PlacedName:
    """Return the name before a place: behind commas where the last words are a country, or in brackets at the end."""
    words = " ".join(text.split())
    if len(words) > LONGEST_NAME:
        return PlacedName(words)
    if found := NAME_IN_BRACKETS.fullmatch(words):
        pieces = [piece.strip() for piece in re.split(r"[,，·]", found["place"])]
        if code := _country(pieces[-1]):
            return PlacedName(found["name"].strip(), _place(pieces[:-1]), code)
        if len(pieces) > 1 and (code := _country(pieces[0])):
            return PlacedName(found["name"].strip(), _place(pieces[1:]), code)
    pieces = [piece.strip() for piece in re.split(r"[,，]| [-–—] ", words)]
    if len(pieces) > 1 and (code := _country(pieces[-1])):
        rest = pieces[:-1]
        if code == HOME and _country(rest[-1]) in OF_CHINA:
            code = _country(rest.pop()) or code  # Hong Kong SAR, China
        name = rest[:1]
        if len(rest) > 1 and CAMPUSES.fullmatch(rest[0]):
            name = rest[:2]
        while len(name) < len(rest) and _is_of_name(rest[len(name)]):
            name.append(rest[len(name)])
        return PlacedName(", ".join(name), _place(rest[len(name) :]), code)
    chinese = re.fullmatch(r"(?P<country>[\u4e00-\u9fff]{2,8})[·•:：\- ](?P<name>.{3,})", words)
    if chinese and (code := _country(chinese["country"])):
        return PlacedName(chinese["name"], "", code)
    return PlacedName(words)


def _is_of_name(piece: str) -> bool:
    return (
        re.sub(r"\W+", " ", fold(piece)).strip() in LEGAL_FORMS
        or bool(PARTS_OF_ORGANIZATIONS.search(piece))
        or is_organization(piece)
    )


def _country(piece: str) -> str | None:
    """Return the country that a place names. Two letters may be a state: Berkeley, CA."""
    folded = fold(piece).strip(" .")
    if folded in TWO_READINGS or (
        len(folded) < 3 and folded.isascii() and folded not in OTHER_NAMES and folded != "us"
    ):
        return None
    return country_code(piece)


def _place(pieces: list[str]) -> str:
    return ", ".join(piece for piece in pieces if piece)
