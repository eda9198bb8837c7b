"""The kind of paper in the title of an agreement, and with whom it was made: "MoU with X", 关于…的合作备忘录."""

import re
from dataclasses import dataclass

from partnerships.imports.kinds import AGREEMENT_TYPES
from partnerships.imports.parties import is_organization
from partnerships.names import fold

# Words that are the name of a kind of paper, and of nothing else: "framework" alone may be anything.
PAPER_WORDS = {
    word: code
    for code, words in AGREEMENT_TYPES.items()
    for word in words
    if word.endswith(
        (
            "agreement",
            "memorandum",
            "understanding",
            "mou",
            "m.o.u.",
            "moa",
            "nda",
            "intent",
            "loi",
            "书",
            "备忘录",
            "协议",
        )
    )
}
_ENGLISH = "|".join(re.escape(word) for word in sorted(PAPER_WORDS, key=len, reverse=True) if word.isascii())
_CHINESE = "|".join(re.escape(word) for word in sorted(PAPER_WORDS, key=len, reverse=True) if not word.isascii())
LONGEST_TITLE = 300
BETWEEN = r" ?(?:\(mou\)|\(loi\)|\(moa\)|\(nda\))? ?"
PAPER_FIRST = re.compile(
    rf"(?P<paper>{_ENGLISH}){BETWEEN}(?:(?: on [^-:]+)? (?:with|between)(?: the)? | ?[-:–—] ?)(?P<partner>.+)",
    re.IGNORECASE,
)
PARTNER_FIRST = re.compile(rf"(?P<partner>.+?) ?[-:–—] ?(?P<paper>{_ENGLISH}){BETWEEN}", re.IGNORECASE)
PARTNER_SPACE_PAPER = re.compile(rf"(?P<partner>.+?)[ (]+(?P<paper>{_ENGLISH})\)?", re.IGNORECASE)
CHINESE_WITH = re.compile(
    rf"(?:我[校院方]|双方)?(?:与|和|同|跟)(?P<partner>.+?)(?:(?:签署|签订|关于|之间|开展|合作|共建).*?)?的?(?P<paper>{_CHINESE})"
)
CHINESE_ALL = re.compile(
    rf"(?:关于)?(?P<partner>.+?)(?:关于.+?|共建.+?|开展.+?|合作共建.+?)?的?(?P<paper>{_CHINESE})(?:（.*）|\(.*\))?"
)
CHINESE_COLON = re.compile(rf"(?P<paper>{_CHINESE}) ?[-:：—－] ?(?P<partner>.+)")
CHINESE_AND = re.compile(r"(?<=.{3})(?:与|和|及|、|—|－|-| )(?=.{3})")
ANY_PAPER = re.compile(rf"\b(?:{_ENGLISH})\b|{_CHINESE}", re.IGNORECASE)


@dataclass(frozen=True)
class Paper:
    """A title taken apart: the code of the agreement type, and the names of the parties in it."""

    type: str = ""
    parties: tuple[str, ...] = ()


def read_paper(title: str, *, is_party: bool = False) -> Paper:
    """Return the kind of paper that a title names, and the parties where they are plainly named.

    ``is_party`` is said of a text that stands where a party's name is expected: then what is left is one.
    """
    words = " ".join(title.split()).strip(" .。")
    if len(words) > LONGEST_TITLE:
        return Paper()
    if fold(words) in PAPER_WORDS:
        return Paper(_code(words))
    for form in (PAPER_FIRST, CHINESE_COLON, CHINESE_WITH):
        if found := form.fullmatch(words):
            return Paper(_code(found["paper"]), _names(found["partner"]))
    if found := PARTNER_FIRST.fullmatch(words) or (PARTNER_SPACE_PAPER.fullmatch(words) if is_party else None):
        return Paper(_code(found["paper"]), (found["partner"].strip(" -("),))
    if found := CHINESE_ALL.fullmatch(words):
        names = _names(found["partner"])
        return Paper(_code(found["paper"]), names if len(names) > 1 or is_party or is_organization(names[0]) else ())
    named = ANY_PAPER.search(words)
    return Paper(_code(named[0]) if named else "")


def _code(paper: str) -> str:
    return PAPER_WORDS[fold(paper)]


def _names(words: str) -> tuple[str, ...]:
    words = words.strip()
    if words.isascii():
        parts = (
            re.split(r" and (?:the )?(?=[A-Z])", words)
            if " between " in words or words.count(" and ") == 1
            else [words]
        )
        return (
            tuple(part.strip() for part in parts) if all(is_organization(part) for part in parts) else (words.strip(),)
        )
    parts = CHINESE_AND.split(words)
    return tuple(part.strip() for part in parts) if all(is_organization(part) for part in parts) else (words.strip(),)
