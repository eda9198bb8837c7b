"""How long an agreement runs, in the words of offices."""

import re
import unicodedata
from dataclasses import dataclass, replace

from partnerships.inputs import CHINESE_NUMBER, PLAIN_SIGNS, in_digits, parse_partial_day
from partnerships.partial_dates import PartialDate

LONGEST_MONTHS = 1200
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBERS = {word: str(number) for number, word in enumerate(WORDS, 1)}
NUMBERS |= {"fifteen": "15", "twenty": "20", "thirty": "30", "half a": "0.5", "a": "1", "an": "1"}
NUMBER_WORD = re.compile(rf"\b({'|'.join(sorted(NUMBERS, key=len, reverse=True))})\b(?= |-)")
# "three (3) years" says it twice.
SAID_TWICE = re.compile(r"(\d+) ?\(\1\)")
LENGTH = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)[ -]*(?:个|個|周|整)? ?(?P<unit>years?|yrs?\.?|y\b|months?|mos?\b\.?|年半?|个?月|学年|载)"
    r"(?: ?(?:and|,|零)? ?(?P<half>(?:a )?half|半)| ?(?:and|,|又|零)? ?(?P<months>\d+) ?(?:months?|个?月))?(?: years?)?"
)
OPEN_ENDED = re.compile(
    r"indefinite(?:ly)?|open[- ]?ended|permanent(?:ly)?|unlimited|no (?:end|expiry|expiration)(?: date)?|perpetual|ongoing|long[- ]term"
    r"|(?:un)?till? (?:mutual )?(?:consent|terminat\w+|cancell?ed|revoked|further notice|notice|one party|either party)\b.*"
    r"|valid until terminated.*|continuous|without (?:limit|end|expiry)|no fixed term|n/?a - open"
    r"|长期有效|长期|永久有效|永久|无固定期限|无限期|不限期?|不设期限|无期限|持续有效|一直有效|未约定期限|未约定|无约定期限"
)
UNTIL = re.compile(
    r"(?:valid |effective |in force |runs? )?(?:until|till|to|through|expires?(?: on)?|ends?(?: on)?|up to|有效期?至|到期日[:：]?|至|截至|截止到?|到)"
    r" ?(?P<date>.+?)(?:止|为止|到期|终止)?$"
)
BETWEEN_DATES = re.compile(r"起?至|到|—+|--+|~|～| to | until | through |-")
AUTOMATIC = re.compile(
    r"automatic\w*|auto[- ]?renew\w*|tacit\w*|at a time|roll(?:ing|s|ed)? ?over|rolling|evergreen|self-renew\w*"
    r"|自动(?:续|顺|延|展)\w*|自动|顺延|滚动|续展|默认续"
)
AGREED = re.compile(
    r"renewable|may be (?:renewed|extended)|can be (?:renewed|extended)|extend\w*|renew(?:al|ed|s)?|option|mutual|extra|optional"
    r"|协商|可续|可延|续签|续约|续期|另行|双方同意|延长|延期"
)
NOT_RENEWED = re.compile(
    r"non[- ]?renewable|not renew\w*|no (?:automatic )?renewal|without renewal|不续|不自动|不再续|到期(?:自动)?终止|到期(?:自动)?失效"
)
TIMES = re.compile(r"(?:at most |up to |max(?:imum|\.)? ?)?(?:(\d+) ?(?:times|次)|(once)|(twice)|(一次))")
SAME_AGAIN = re.compile(r"(?:same|equal|like) (?:period|term|duration)|相同期限|同等期限|同样期限|相同的?期限")
SUM = re.compile(r"(\d+) ?(?:years?|年)? ?\+ ?(\d+)(?: ?\+ ?(\d+))?(?: ?\+ ?(\d+))? ?(?:years?|yrs?|年)?")
PLAIN = re.compile(r"(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Duration:
    """A term as words name it: a length in months, an end, or neither when it is open-ended; and what comes after it.

    ``renewal`` has the values of ``AgreementTerm.Renewal``: none, automatic, agreed. ``renewal_limit`` is how many times.
    """

    months: int | None = None
    ends: PartialDate | None = None
    is_open_ended: bool = False
    renewal: str = "none"
    renewal_months: int | None = None
    renewal_limit: int | None = None
    starts: PartialDate | None = None


def parse_duration(text: str, *, unit: str = "years") -> Duration | None:
    """Return the term that a text such as ``3 years, then 1 year at a time`` or ``三年，到期自动续一年`` names, or None.

    A number alone counts years, or what ``unit`` says: "months".
    """
    words = " ".join(unicodedata.normalize("NFKC", text).translate(PLAIN_SIGNS).lower().split()).strip(" .;。")
    words = NUMBER_WORD.sub(lambda found: NUMBERS[found[1]], words)
    words = CHINESE_NUMBER.sub(
        in_digits, words.replace("两年", "二年").replace("两个", "二个").replace("半年", "6个月")
    )
    words = SAID_TWICE.sub(r"\1", words)
    if found := SUM.fullmatch(words):
        return _in_parts([int(number) for number in found.groups() if number])
    if found := PLAIN.fullmatch(words):
        return _whole(float(found[1]) * (1 if unit == "months" else 12))
    return _open_ended(words) or _with_end(words) or _with_length(words)


def _in_parts(years: list[int]) -> Duration | None:
    """Return a term written as 3+2: three years, and two by agreement; of several parts, all of one length."""
    first, more = years[0], years[1:]
    if len(set(more)) > 1:
        return None
    base = _whole(first * 12)
    return base and replace(base, renewal="agreed", renewal_months=more[0] * 12, renewal_limit=len(more))


def _whole(months: float) -> Duration | None:
    return Duration(int(months)) if months == int(months) and 1 <= months <= LONGEST_MONTHS else None


def _open_ended(words: str) -> Duration | None:
    found = OPEN_ENDED.match(words)
    rest = words[found.end() :].strip(" ,;()") if found else words
    return Duration(is_open_ended=True) if found and not LENGTH.search(rest) and not parse_partial_day(rest) else None


def _with_end(words: str) -> Duration | None:
    clause, behind = _first_clause(words)
    if found := UNTIL.fullmatch(clause):
        if ends := parse_partial_day(found["date"]):
            return _renewed(Duration(ends=ends), behind)
        return None
    dates = clause.removeprefix("from ").removeprefix("自").removeprefix("从")
    for found in BETWEEN_DATES.finditer(dates):
        starts, ends = (
            parse_partial_day(dates[: found.start()]),
            parse_partial_day(re.sub("为?止$", "", dates[found.end() :])),
        )
        if starts and ends and starts.first <= ends.last:
            return _renewed(Duration(starts=starts, ends=ends), behind)
    return None


def _first_clause(words: str) -> tuple[str, str]:
    """Return what stands before the first comma that is not part of a date, and the rest."""
    for found in re.finditer(r"[,;(，；]", words):
        if re.match(r" ?\d{4}\b", words[found.end() :]):
            continue
        return words[: found.start()].strip(), words[found.end() :].strip()
    return words, ""


def _length(found: re.Match[str]) -> float:
    number, unit = float(found["number"]), found["unit"]
    months = number if unit.startswith("mo") or unit.endswith("月") else number * 12
    return months + (6 if found["half"] or unit == "年半" else 0) + int(found["months"] or 0)


def _with_length(words: str) -> Duration | None:
    found = LENGTH.search(words)
    if found is None:
        return None
    before = words[: found.start()].strip(" ,:;(")
    if before and not re.fullmatch(
        r"(?:valid |effective |in force |initial(?:ly)? |first |a |period of |term of |duration of |for |of |(?:the )?(?:term|duration|period|validity)[: ]*(?:is )?"
        r"|有效期限?|期限|合作期限?|协议|本协议|为期|自签(?:署|订|字)之日起(?:生效)?|自生效之日起|签(?:署|订|约)之日起|签[署订]后|首期|先签|,|，|:|：|为| )*",
        before + " ",
    ):
        return None
    base = _whole(_length(found))
    return _renewed(base, words[found.end() :]) if base else None


def _renewed(base: Duration, words: str) -> Duration | None:
    """Return the term with what the words behind it say about its renewal; None for words that say something else."""
    words = words.strip(" ,;()，；。.、")
    if dates := _with_end(words):
        return dates  # 五年（2021—2026）
    if not words or re.fullmatch(
        r"(?:in total|term|period|from (?:the )?(?:date of )?(?:signing|signature|last signature|effective date)|有效期?|期|内有效|内|有效|after signing|from signing|fixed|期限)*",
        words,
    ):
        return base
    if NOT_RENEWED.search(words):
        return base
    limit = TIMES.search(words)
    times = _times(limit) if limit else None
    without_times = TIMES.sub(" ", words) if limit else words
    length = LENGTH.search(without_times)
    months = int(_length(length)) if length else None
    if AUTOMATIC.search(words) or (length and re.search(r"\bthen\b|each|every|thereafter|每次|以后", words)):
        return replace(base, renewal="automatic", renewal_months=months, renewal_limit=times)
    if AGREED.search(words) or SAME_AGAIN.search(words):
        return replace(base, renewal="agreed", renewal_months=months, renewal_limit=times)
    return None


def _times(found: re.Match[str]) -> int:
    return int(found[1]) if found[1] else 2 if found[3] else 1
