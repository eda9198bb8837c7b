"""How names are folded so that a person finds them and a name matches itself."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from opencc import OpenCC

# Legal forms are stripped at the ends only: 中国集团学院 keeps its middle.
LEGAL_FORMS = (
    "股份有限公司",
    "有限责任公司",
    "集团有限公司",
    "有限公司",
    "集团公司",
    "公司",
    "集团",
    "co ltd",
    "company limited",
    "corporation",
    "limited",
    "company",
    "group",
    "corp",
    "inc",
    "ltd",
    "llc",
    "co",
    *("s a", "sa", "ag", "gmbh", "gmbh co kg", "kg", "se", "s p a", "spa", "s r l", "srl", "s a s", "sas", "sarl"),
    *("b v", "bv", "n v", "nv", "oy", "oyj", "ab", "a s", "as", "plc", "pty ltd", "pte ltd", "sdn bhd", "k k", "kk"),
    *("private limited", "pvt ltd", "s a de c v", "ltda", "lda", "llp", "lp", "l l c", "aps", "d o o", "s r o"),
    *("aktiengesellschaft", "kgaa", "gmbh co kgaa", "ggmbh", "e v", "ug", "ug haftungsbeschrankt", "sp z o o"),
    *("kabushiki kaisha", "株式会社", "주식회사"),
)
# A branch is named after its company: 中国工商银行股份有限公司嵊州支行. Elsewhere than at the end only these say nothing.
INNER_LEGAL_FORMS = re.compile("股份有限公司|有限责任公司|集团有限公司|有限公司")
# The places before a Chinese name, each with the sign for its level: 浙江省嵊州市 is written 浙江嵊州 as well.
_PLACE_BEFORE = re.compile("([\u4e00-\u9fff]{2,4}?)[省市区县](?=[\u4e00-\u9fff]{2})")
# The shortest end of a longer name that may be a name of its own: four signs of Chinese, or some two words of Latin.
SHORTEST_END_CHINESE, SHORTEST_END_LATIN = 4, 10
# From this many letters or Chinese signs on, a word with punctuation is searched without it.
SHORTEST_SQUASHED, SHORTEST_SQUASHED_CHINESE = 4, 2
# A phone number with the prefix of its country is longer; a shorter one, such as an extension, says nothing.
LONGEST_NATIONAL_PHONE, SHORTEST_PHONE = 12, 7
# Long enough to tell names apart, and short enough for an index of PostgreSQL, which takes 2,704 bytes.
LONGEST_SORT_KEY = 400
_CHINESE_SIGNS = re.compile("[\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
# Family names that are read in another way than the same signs elsewhere: 单 is shan, not dan.
_FAMILY_NAMES = dict(
    entry.split(maxsplit=1)
    for entry in [
        "万俟 mo4 qi2",
        "单 shan4",
        "曾 zeng1",
        "仇 qiu2",
        "解 xie4",
        "区 ou1",
        "查 zha1",
        "任 ren2",
        "盖 ge3",
        "朴 piao2",
        "翟 zhai2",
        "乐 yue4",
        "缪 miao4",
        "覃 qin2",
        "种 chong2",
        "燕 yan1",
        "员 yun4",
        "折 she2",
        "那 na1",
        "哈 ha3",
        "华 hua4",
        "召 shao4",
        "佴 nai4",
        "黑 he4",
        "秘 bi4",
        "繁 po2",
        "句 gou1",
        "祭 zhai4",
        "葛 ge3",
        "应 ying1",
        "都 du1",
        "相 xiang4",
    ]
)
_FAMILY_NAME = re.compile("|".join(_FAMILY_NAMES))
# Signs between two numbers in one column; two mobile numbers need none.
_PHONE_BORDERS = re.compile(r"[/;,、|\\或]|(?<=[0-9]{11}) +(?=1[3-9][0-9]{9})")
_EXTENSION = re.compile(r"(?:转|分机|ext\.?) *[0-9]+")
# The second way to write these letters without accents: Müller is Muller or Mueller.
_TWO_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Ø": "Oe", "Å": "Aa"}
)
# Letters that Unicode does not take apart into a plain letter and an accent.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i", "ħ": "h"}
)
_ACCENTS = re.compile(r"[\u0300-\u036f]")
_PUNCTUATION = re.compile(r"[\W_]+", re.UNICODE)
# Line breaks, other controls, the marks that reorder text and whatever else leaves no mark: in one line they hide what
# it really says. Most are "default ignorable" in Unicode; the others are the signs that look like a space and are none.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# A variation selector chooses the form of the sign before it: an emoji in color, a keycap, a form of a Chinese or Mongolian sign.
_VARIANT = re.compile(
    "[\u203c-\u3299\U0001f000-\U0001faff\xa9\xae][\ufe0e\ufe0f]"
    "|[#*0-9]\ufe0f\u20e3"
    "|[\u3001-\u303f\u3400-\u9fff\uf900-\ufaff\uff01-\uff1f\U00020000-\U0003ffff][\ufe00-\ufe02\U000e0100-\U000e01ef]"
    "|[\u1820-\u18aa][\u180b-\u180d\u180f]"
)


def fold(text: str) -> str:
    """Return the form in which text is searched and compared.

    Width, case, accents, traditional Chinese signs, runs of white space and invisible characters are folded.
    """
    # Invisible signs go first: between two signs, one would keep these from being composed.
    seen = _INVISIBLE.sub("", " ".join(text.split()))
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", seen).casefold())
    # Composed again, because some scripts, such as Korean, were taken apart into letters. Composing may make capitals.
    plain = unicodedata.normalize("NFKC", _ACCENTS.sub("", plain).translate(_PLAIN_LETTERS)).casefold()
    return " ".join(_INVISIBLE.sub("", " ".join(plain.translate(_simplified_signs()).split())).split())


def has_chinese(text: str) -> bool:
    return _CHINESE_SIGNS.search(text) is not None


@cache
def _simplified_signs() -> dict[int, str]:
    """Return the simplified sign of each traditional one, sign by sign: so a part of a name folds as the whole name does."""
    signs = [chr(number) for number in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    simplified = dict(zip(signs, OpenCC("t2s").convert("\n".join(signs)).split("\n"), strict=True))
    # Twice: a few signs are simplified in two steps.
    return {ord(sign): simplified.get(simple, simple) for sign, simple in simplified.items() if sign != simple}


def _squash(folded: str) -> str:
    return _PUNCTUATION.sub("", folded)


def _spelled_out(text: str) -> str:
    """Return the text with two letters for an umlaut and its like."""
    return unicodedata.normalize("NFC", text).translate(_TWO_LETTERS)


def search_text(phrases: Iterable[str | None]) -> str:
    """Return what is stored to find a row by: each phrase folded, once as it is and once without spaces and punctuation."""
    spellings = [spelling for phrase in phrases if phrase for spelling in (phrase, _spelled_out(phrase))]
    folded = [fold(spelling) for spelling in dict.fromkeys(spellings)]
    lines = [form for text in folded for form in (text, _squash(text))]
    return "\n".join(dict.fromkeys(line for line in lines if line))


def search_words(text: str) -> list[str]:
    """Return the words of a search in the form in which each has to be found in ``search_text``."""
    # Text that holds a word also holds it without punctuation, so one form is enough. Short words keep theirs: "as" is
    # found almost everywhere, "a/s" is not.
    words = ((word, _squash(word)) for word in fold(text).split())
    return [squashed if len(squashed) >= _shortest_squashed(squashed) else word for word, squashed in words]


def _shortest_squashed(word: str) -> int:
    return SHORTEST_SQUASHED if word.isascii() else SHORTEST_SQUASHED_CHINESE


def person_key(name: str) -> str:
    """Return the form in which names of persons are compared: 王 小明 is 王小明."""
    return _squash(fold(name))


def phone_keys(text: str) -> set[str]:
    """Return the digits of each number in a phone column, without the prefix of China and the zero before an area.

    >>> phone_keys("+86 139-0575-0001 / 0086 575 83000001") == phone_keys("13905750001, 0575-83000001")
    True
    """
    keys = set()
    for number in _PHONE_BORDERS.split(_EXTENSION.sub("", fold(text)).replace("(0)", "")):
        digits = re.sub("[^0-9]", "", number)
        if digits.startswith("0086"):
            digits = digits[4:]
        elif digits.startswith("86") and ("+" in number or len(digits) > LONGEST_NATIONAL_PHONE):
            digits = digits[2:]
        keys.add(digits.lstrip("0"))
    return {key for key in keys if len(key) >= SHORTEST_PHONE}


def name_key(name: str) -> str:
    """Return the distinctive part of a name, without legal forms, punctuation and spaces; empty when it has no letter.

    >>> name_key("Zhongyi Machinery Co., Ltd.") == name_key("ＺＨＯＮＧＹＩ machinery")
    True
    """
    words = " ".join(_PUNCTUATION.sub(" ", fold(name).replace("&", " and ")).split()).removeprefix("the ")
    words = words.removeprefix("株式会社") or words
    return (_without_legal_forms(words) or words).replace(" ", "")


def name_keys(name: str) -> set[str]:
    """Return the keys under which look-alikes are found.

    They are those of the name, of what stands before its first comma, of the name with two letters for each umlaut,
    without legal forms inside it, and without the signs for the level of the places it begins with.
    """
    spellings = (
        name,
        re.split(r"[,，、]", name, maxsplit=1)[0],
        _spelled_out(name),
        INNER_LEGAL_FORMS.sub("", fold(name)),
    )
    keys = {name_key(spelling) for spelling in spellings}
    return (keys | {_without_place_levels(key) for key in keys}) - {""}


def _without_place_levels(key: str) -> str:
    places = ""
    while found := _PLACE_BEFORE.match(key):
        places, key = places + found[1], key[found.end() :]
    return places + key


def shortest_end(key: str) -> int:
    """Return how many signs an end of this key needs at least to be taken for a name of its own."""
    return SHORTEST_END_LATIN if key.isascii() else SHORTEST_END_CHINESE


def _without_legal_forms(words: str) -> str:
    for form in sorted(LEGAL_FORMS, key=len, reverse=True):
        separator = " " if form.isascii() else ""
        if words.endswith(separator + form):
            return _without_legal_forms(words[: -len(separator + form)].strip())
    return words


def pinyin_readings(signs: str) -> list[list[str]]:
    """Return the syllables of each Chinese sign in Pinyin without tones, the usual one first; other text as it is."""
    from pypinyin import Style, pinyin  # its dictionaries are a sixth of the start of a process, and many need none

    usual = [syllable for (syllable,) in pinyin(signs, style=Style.NORMAL)]
    others = pinyin(signs, style=Style.NORMAL, heteronym=True)
    return [list(dict.fromkeys([first, *readings])) for first, readings in zip(usual, others, strict=True)]


@lru_cache(maxsize=4096)  # most saves leave the name as it is, and reading one takes 0.15 ms
def sort_key(name: str, *, is_person: bool = False) -> str:
    """Return the key whose bytes sort a name as people look it up: Latin by letter, Chinese by Pinyin among it.

    >>> sorted(["王伟", "Xiamen", "汪洋", "Wang Li", "张三"], key=sort_key)
    ['Wang Li', '汪洋', '王伟', 'Xiamen', '张三']
    """
    words = " ".join(_PUNCTUATION.sub(" ", fold(name)).split())
    family = ""
    if is_person and (found := _FAMILY_NAME.match(words)):
        family = _with_signs(_FAMILY_NAMES[found[0]].split(), found[0])
        words = words[found.end() :]
    return (family + _CHINESE_SIGNS.sub(lambda signs: _sounds(signs[0]), words))[:LONGEST_SORT_KEY]


def _sounds(signs: str) -> str:
    from pypinyin import Style, pinyin  # see pinyin_readings

    # A tone always follows the letters: lin2 comes before ling2, and 西安 (xi1) before 先 (xian1).
    readings = pinyin(
        signs,
        style=Style.TONE3,
        neutral_tone_with_five=True,
        errors=lambda unknown: [[sign] for sign in unknown],  # type: ignore[arg-type,return-value]  # lists are taken, too
    )
    return _with_signs([reading for (reading,) in readings], signs)


def _with_signs(readings: list[str], signs: str) -> str:
    """Return each reading with its sign, which keeps names of the same sound but other signs apart."""
    return "".join(_dictionary_order(reading) + sign for reading, sign in zip(readings, signs, strict=True))


def _dictionary_order(reading: str) -> str:
    """Put ü behind u and before ua, as dictionaries do: lv3, which is lü, becomes lu8."""
    if "v" not in reading:
        return reading
    return f"{reading[:-1].replace('v', 'u')}{int(reading[-1]) + 5}"


def invisible_character(text: str) -> str | None:
    """Return the first character that one line of text may not have, or None."""
    found = _INVISIBLE.search(_VARIANT.sub("", text))
    return found[0] if found else None


def has_invisible_characters(text: str) -> bool:
    return invisible_character(text) is not None
