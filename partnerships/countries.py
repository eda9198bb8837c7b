"""Countries and regions of ISO 3166-1, and their names in English and Chinese, which are those of CLDR but for three."""

from collections.abc import Mapping
from functools import cache

from babel import Locale
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from partnerships.names import sort_key
from partnerships.texts import LazyText

HOME = "CN"
COMMON = ("CN", "HK", "MO", "TW", "US", "GB", "DE", "FR", "IT", "RU", "JP", "KR", "SG", "MY", "TH", "AU", "CA")
# CLDR names these as well, which are no codes of ISO 3166-1.
NOT_ISO = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"})
OWN_NAMES: Mapping[str, Mapping[str, str]] = {
    "en": {"HK": "Hong Kong, China", "MO": "Macao, China", "TW": "Taiwan, China"},
    "zh_Hans": {"HK": "中国香港", "MO": "中国澳门", "TW": "中国台湾"},
}


def country_name(code: str) -> str:
    """Return what the reader calls a country or region; the code itself if it is unknown."""
    return _names(_locale()).get(code, code)


def country_names(code: str) -> list[str]:
    """Return the names of a country or region in all languages."""
    return [_names(locale).get(code, code) for locale in OWN_NAMES]


def country_choices() -> list[tuple[LazyText, list[tuple[str, str]]]]:
    """Return the countries and regions for a drop-down, common ones first, the others by name."""
    names = _names(_locale())
    others = [(code, name) for code, name in names.items() if code not in COMMON]
    return [(_("Common"), [(code, names[code]) for code in COMMON]), (_("Others"), others)]


def _locale() -> str:
    return "zh_Hans" if (get_language() or "").startswith("zh") else "en"


@cache
def _names(locale: str) -> dict[str, str]:
    """Return the codes of ISO 3166-1 with their names, sorted by name."""
    known = {str(code): str(name) for code, name in Locale.parse(locale).territories.items()}
    names = {code: name for code, name in known.items() if len(code) == len(HOME) and code not in NOT_ISO}
    return dict(sorted({**names, **OWN_NAMES[locale]}.items(), key=lambda named: sort_key(named[1])))
