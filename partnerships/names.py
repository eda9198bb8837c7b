"""How names are folded so that a person finds them and a name matches itself."""

import re
import unicodedata

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
)
_PUNCTUATION = re.compile(r"[\W_]+", re.UNICODE)
# Line breaks, other controls and the marks that reorder text: in one line they hide what it really says.
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def fold(text: str) -> str:
    """Full width, case, runs of white space and invisible characters folded: the form in which text is searched."""
    # Normalized again: casefold takes some letters apart, and a name has to match itself however often it is folded.
    words = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).split()
    return " ".join(_INVISIBLE.sub("", " ".join(words)).split())


def name_key(name: str) -> str:
    """Return the distinctive part of a name, without legal forms, punctuation and spaces; empty when it has no letter.

    >>> name_key("Zhongyi Machinery Co., Ltd.") == name_key("ＺＨＯＮＧＹＩ machinery")
    True
    """
    words = " ".join(_PUNCTUATION.sub(" ", fold(name)).split())
    return (_without_legal_forms(words) or words).replace(" ", "")


def _without_legal_forms(words: str) -> str:
    for form in LEGAL_FORMS:
        separator = " " if form.isascii() else ""
        if words.endswith(separator + form):
            return _without_legal_forms(words[: -len(separator + form)].strip())
    return words


def has_invisible_characters(text: str) -> bool:
    return bool(_INVISIBLE.search(text))
