"""The type of text on screen, words for a list of names, and generated text in both languages."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import ngettext, override, pgettext

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    # Plain text, or text that is translated into the reader's language when it is shown.
    LazyText = str | _StrPromise
else:
    LazyText = str | Promise

NAMES_SHOWN = 2


def in_both_languages(words: Callable[[], str]) -> tuple[str, str]:
    """Return a generated name in English and in Chinese; the latter is empty where it is the same."""
    with override("en"):
        name = words()
    with override("zh-hans"):
        name_zh = words()
    return name, name_zh if name_zh != name else ""


def name_all(names: Iterable[object]) -> str:
    """Return the names in one line."""
    return pgettext("between two names", ", ").join(map(str, names))


def name_a_few(names: Sequence[str]) -> str:
    """Return two names and how many more there are."""
    more = len(names) - NAMES_SHOWN
    shown = " · ".join(names[:NAMES_SHOWN])
    if more <= 0:
        return shown
    return ngettext("%(names)s and %(more)s more", "%(names)s and %(more)s more", more) % {
        "names": shown,
        "more": more,
    }
