"""Countries and regions: all of ISO 3166-1, named as offices in China name them, in the reader's language."""

import pytest
from django.utils.translation import override

from partnerships.countries import country_choices, country_code, country_name, country_names


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_each_is_offered_once(language: str) -> None:
    with override(language):
        (_common, first), (_others, rest) = country_choices()

    codes = [code for code, _name in (*first, *rest)]
    assert (len(codes), len(set(codes)), codes[0]) == (249, 249, "CN")
    assert {"XK", "EU", "UN", "ZZ"}.isdisjoint(codes)


@pytest.mark.parametrize(
    ("code", "english", "chinese"),
    [
        ("TW", "Taiwan, China", "中国台湾"),
        ("HK", "Hong Kong, China", "中国香港"),
        ("MO", "Macao, China", "中国澳门"),
        ("DE", "Germany", "德国"),
        ("??", "??", "??"),
    ],
)
def test_each_has_a_name_in_both_languages(code: str, english: str, chinese: str) -> None:
    shown = []
    for language in ("en", "zh-hans"):
        with override(language):
            shown.append(country_name(code))

    assert shown == country_names(code) == [english, chinese]


@pytest.mark.parametrize(
    ("language", "beginning"),
    [("en", ["Afghanistan", "Åland Islands", "Albania"]), ("zh-hans", ["阿尔巴尼亚", "阿尔及利亚", "阿富汗"])],
)
def test_the_others_are_in_the_order_of_their_names(language: str, beginning: list[str]) -> None:
    with override(language):
        _common, (_others, rest) = country_choices()

    assert [name for _code, name in rest[:3]] == beginning


@pytest.mark.parametrize(
    ("words", "code"),
    [
        *(
            ("Taiwan", "TW"),
            ("中国台湾", "TW"),
            ("台灣", "TW"),
            ("Hong Kong SAR", "HK"),
            ("U.S.A.", "US"),
            ("England", "GB"),
        ),
        *(
            ("日本", "JP"),
            ("Deutschland", "DE"),
            ("Türkiye", "TR"),
            ("the Netherlands", "NL"),
            ("Korea", "KR"),
            ("FI", "FI"),
        ),
        *(("Atlantis", None), ("", None), ("欧洲", None)),
    ],
)
def test_words_name_a_country(words: str, code: str | None) -> None:
    assert country_code(words) == code
