"""The stored value that words of an office stand for: 企业 is an enterprise, 在履行 is in force."""

import re
from collections.abc import Iterable
from functools import lru_cache

from partnerships.countries import country_code
from partnerships.imports.kinds import Choices, Field
from partnerships.inputs import parse_currency
from partnerships.names import fold

SHORTEST_PART, LONG_WORD = 2, 7
# Negations: “not in force” is another status, although it has the words of “in force”.
NEGATION = re.compile(r"未|不|非|无| (?:not?|non|never|un) ")


def guess_choices(field: Field, texts: Iterable[str]) -> dict[str, str | None]:
    """Return for each text of a column the value of ``field`` it most probably stands for; None where that is open."""
    if field.refers_to == "country":
        return {text: country_code(text) for text in texts}
    if field.refers_to == "currency":
        return {text: parse_currency(text) for text in texts}
    return {text: find_choice(field, text) for text in texts}


def find_choice(field: Field, text: str, *, is_whole: bool = False) -> str | None:
    """Return the value that a text names: by a word for it or, unless ``is_whole``, as the one whose word is within the text."""
    words = _words_of(_frozen(field.choices))
    key = squash(text)
    if not key:
        return None
    if key in words:
        return words[key]
    return None if is_whole else _within(key, text, words)


@lru_cache(maxsize=8192)  # a column says few words, and often
def squash(text: str) -> str:
    return re.sub(r"[\W_]+", "", fold(text))


def _frozen(choices: Choices) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((value, tuple(words)) for value, words in choices.items())


@lru_cache(maxsize=64)
def _words_of(choices: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, str]:
    """Return the values by their folded words; a word that two values share names the first."""
    found: dict[str, str] = {}
    for value, words in choices:
        for word in (value, *words):
            found.setdefault(squash(word), value)
    return found


def _within(key: str, text: str, words: dict[str, str]) -> str | None:
    """Return the value of the longest word in a text, where all words of that length name the same."""
    spaced = f" {re.sub(r'[^a-z0-9]+', ' ', fold(text))} "
    near = [
        (len(word), value)
        for word, value in words.items()
        if len(word) >= SHORTEST_PART and (_has_word(word, key, spaced) if word.isascii() else word in key)
    ]
    longest = {value for length, value in near if length == max(length for length, _value in near)}
    return longest.pop() if len(longest) == 1 and not NEGATION.search(spaced + key) else None


def _has_word(word: str, key: str, spaced: str) -> bool:
    """Whether a Latin word stands in a text; a long one may be several words there, whose spaces are gone."""
    return word in key if len(word) >= LONG_WORD else f" {word} " in spaced
