"""How long an agreement runs, in the words of offices."""

import re
import unicodedata
from dataclasses import dataclass, replace

from partnerships.inputs import CHINESE_NUMBER, FORMAL_DIGITS, PLAIN_SIGNS, in_digits, parse_partial_day
from partnerships.partial_dates import PartialDate

LONGEST_MONTHS, LONGEST_TERM = 1200, 300
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
NUMBERS = {word: str(number) for number, word in enumerate(WORDS, 1)}
NUMBERS |= {"fifteen": "15", "twenty": "20", "thirty": "30", "half a": "0.5", "a": "1", "an": "1"}
NUMBER_WORD = re.compile(rf"\b({'|'.join(sorted(NUMBERS, key=len, reverse=True))})\b(?= |-)")
# "three (3) years" says it twice.
SAID_TWICE = re.compile(rf"(\d+) ?\((?:\1|{'|'.join(NUMBERS)})\)")
# Words about notice and early ends, which are no length of a renewal: 期满前三个月无异议.
ABOUT_NOTICE = re.compile(
    r"(?:期满|到期|届满)之?前 ?\d+ ?个?(?:月|日|天)|提前 ?\d+ ?个?(?:月|日|天)"
    r"|(?:at least )?\d+ ?(?:months?|days?|weeks?)['’]? ?(?:before|prior|notice|in advance|written|advance)[^,;]*|\bunless .*"
)
ANNUALLY = re.compile(r"annual|yearly|every year|each year|逐年|每年|按年")
STARTING = re.compile(r"(?:from|starting(?: on)?|as of|beginning(?: on)?|自|从) ?(?P<date>.+?)起?(?:算|计算)?")
STARTING_BEFORE = re.compile(r"(?:自|从)?(?P<date>\d{4}.+?)(?:起|开始)(?:算|计算)?")
LENGTH = re.compile(
    r"(?<!\d)(?P<number>\d{1,4}(?:\.\d+)?)(?<!\d{4})[ -]*(?:周|整)? ?(?P<unit>years?|yrs?\.?|y\b|months?|mos?\b\.?|academic years?|年半?|个月|学年|载)"
    r"(?: ?(?:and|,|零)? ?(?P<half>(?:a )?half|半)| ?(?:and|,|又|零)? ?(?P<months>\d+) ?(?:months?|个月))?(?: years?)?"
)
OPEN_ENDED = re.compile(
    r"(?:valid )?(?:for )?(?:1 )?indefinite(?:ly)?|in perpetuity|open[- ]?ended|permanent(?:ly)?|unlimited|no (?:end|expiry|expiration)(?: date)?|perpetual|ongoing|long[- ]term"
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
TIMES = re.compile(
    r"(?:at most |up to |max(?:imum|\.)? ?)?(?:(\d+) ?(?:times|次)|(once|1 (?:further|additional|more))|(twice)|(一次))"
)
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
    if len(text) > LONGEST_TERM:
        return None
    words = " ".join(
        unicodedata.normalize("NFKC", text).replace("個", "个").translate(PLAIN_SIGNS).lower().split()
    ).strip(" .;。")
    words = re.sub(r"(?<=年)整$", "", words.translate(FORMAL_DIGITS))
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
    months = number if unit.startswith("mo") or unit == "个月" else number * 12
    return months + (6 if found["half"] or unit == "年半" else 0) + int(found["months"] or 0)


def _with_length(words: str) -> Duration | None:
    found = LENGTH.search(words)
    if found is None:
        return None
    before = words[: found.start()].strip(" ,:;(")
    starts = None
    if since := STARTING_BEFORE.fullmatch(before):
        before, starts = "", parse_partial_day(since["date"])
        if starts is None:
            return None
    if before and not re.fullmatch(
        r"(?:valid |effective |in force |initial(?:ly)? |first |a |period of |term of |duration of |for |of |(?:the )?(?:term|duration|period|validity)[: ]*(?:is )?"
        r"|有效期限?|期限|合作期限?|协议|本协议|为期|自签(?:署|订|字)之日起(?:生效)?|自生效之日起|签(?:署|订|约)之日起|签[署订]后|首期|先签|,|，|:|：|为| )*",
        before + " ",
    ):
        return None
    base = _whole(_length(found))
    return _renewed(replace(base, starts=starts), words[found.end() :]) if base else None


def _renewed(base: Duration, words: str) -> Duration | None:
    """Return the term with what the words behind it say about its renewal; None for words that say something else."""
    words = ABOUT_NOTICE.sub(" ", words).strip(" ,;()，；。.、")
    return _with_dates(base, words) or _with_renewal(base, words)


def _with_dates(base: Duration, words: str) -> Duration | None:
    """Return the term with the dates that stand behind it: 五年（2021—2026）, 5 years from 1 March 2021."""
    if dates := _with_end(words):
        return dates
    if base.ends and LENGTH.fullmatch(words):
        return base  # 2021-2026 (5 years)
    since = STARTING.fullmatch(words)
    starts = parse_partial_day(since["date"]) if since else None
    return replace(base, starts=starts) if starts else None


def _with_renewal(base: Duration, words: str) -> Duration | None:
    if (
        not words
        or NOT_RENEWED.search(words)
        or re.fullmatch(
            r"(?:in total|term|period|from (?:the )?(?:date of )?(?:signing|signature|last signature|effective date)|自签[署订字]之日起(?:生效|计算)?|自生效之日起(?:计算)?|有效期?|期|内有效|内|有效|after signing|from signing|fixed|期限)*",
            words,
        )
    ):
        return base
    limit = TIMES.search(words)
    times = _times(limit) if limit else None
    without_times = TIMES.sub(" ", words) if limit else words
    length = LENGTH.search(without_times)
    months = int(_length(length)) if length else 12 if ANNUALLY.search(words) else None
    if AUTOMATIC.search(words) or (length and re.search(r"\bthen\b|each|every|thereafter|每次|以后", words)):
        return replace(base, renewal="automatic", renewal_months=months, renewal_limit=times)
    if AGREED.search(words) or SAME_AGAIN.search(words):
        return replace(base, renewal="agreed", renewal_months=months, renewal_limit=times)
    return None


def _times(found: re.Match[str]) -> int:
    return int(found[1]) if found[1] else 2 if found[3] else 1
