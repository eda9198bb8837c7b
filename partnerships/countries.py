"""Countries and regions of ISO 3166-1, and their names in English and Chinese, which are those of CLDR but for three."""

from collections.abc import Mapping
from functools import cache, lru_cache

from babel import Locale
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from partnerships.names import fold, sort_key
from partnerships.texts import LazyText

HOME = "CN"
COMMON = ("CN", "HK", "MO", "TW", "US", "GB", "DE", "FR", "IT", "RU", "JP", "KR", "SG", "MY", "TH", "AU", "CA")
# CLDR names these as well, which are no codes of ISO 3166-1.
NOT_ISO = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"})
OWN_NAMES: Mapping[str, Mapping[str, str]] = {
    "en": {"HK": "Hong Kong, China", "MO": "Macao, China", "TW": "Taiwan, China"},
    "zh_Hans": {"HK": "中国香港", "MO": "中国澳门", "TW": "中国台湾"},
}

# Words for countries that are neither their names nor their codes in CLDR, folded.
OTHER_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("usa", "u.s.a.", "u.s.", "united states of america", "america", "美利坚合众国"), "US"),
    **dict.fromkeys(
        ("uk", "u.k.", "great britain", "england", "scotland", "wales", "northern ireland", "英格兰", "苏格兰"), "GB"
    ),
    **dict.fromkeys(
        ("prc", "p.r. china", "p.r.china", "pr china", "people's republic of china", "mainland china"), "CN"
    ),
    **dict.fromkeys(("taiwan", "taiwan, china", "taiwan china", "taiwan, r.o.c.", "台湾", "台湾地区"), "TW"),
    **dict.fromkeys(
        ("hong kong", "hong kong sar", "hong kong, china", "香港", "香港特别行政区", "中国香港特别行政区"), "HK"
    ),
    **dict.fromkeys(("macao", "macau", "macao, china", "澳门", "澳门特别行政区"), "MO"),
    **dict.fromkeys(("korea", "republic of korea", "south korea", "s. korea", "韩国", "大韩民国", "南韩"), "KR"),
    **dict.fromkeys(("north korea", "dprk", "朝鲜"), "KP"),
    **dict.fromkeys(("russia", "russian federation", "俄罗斯联邦", "俄国"), "RU"),
    **dict.fromkeys(("turkey", "turkiye", "土耳其"), "TR"),
    **dict.fromkeys(("czech republic", "czechia", "捷克共和国"), "CZ"),
    **dict.fromkeys(("holland", "the netherlands", "荷兰王国"), "NL"),
    **dict.fromkeys(("uae", "u.a.e.", "阿联酋"), "AE"),
    **dict.fromkeys(("viet nam", "vietnam"), "VN"),
    **dict.fromkeys(("laos", "lao pdr", "老挝"), "LA"),
    **dict.fromkeys(("ivory coast", "cote d'ivoire", "科特迪瓦"), "CI"),
    **dict.fromkeys(("macedonia", "北马其顿", "马其顿"), "MK"),
    **dict.fromkeys(("iran", "islamic republic of iran"), "IR"),
    **dict.fromkeys(("syria", "syrian arab republic"), "SY"),
    **dict.fromkeys(("burma", "myanmar", "缅甸"), "MM"),
    **dict.fromkeys(("bosnia", "bosnia and herzegovina", "波黑"), "BA"),
    **dict.fromkeys(("ireland", "republic of ireland"), "IE"),
    "deutschland": "DE",
    "espana": "ES",
    "italia": "IT",
    "brasil": "BR",
    "mexico": "MX",
    "中华人民共和国": "CN",
    "中国大陆": "CN",
    "新西兰": "NZ",
    "沙特": "SA",
}


@lru_cache(maxsize=4096)  # an import asks for each row, and folding takes its time
def country_code(words: str) -> str | None:
    """Return the code of a country or region that words name, in Chinese or English, by its code or a usual name."""
    return _codes_by_word().get(fold(words).removeprefix("the ").strip(" .。"))


@cache
def _codes_by_word() -> dict[str, str]:
    named = {fold(name): code for locale in OWN_NAMES for code, name in _names(locale).items()}
    return (
        {code.casefold(): code for code in _names("en")}
        | named
        | {words.strip("."): code for words, code in OTHER_NAMES.items()}
    )


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
