"""Names folded for people who look for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partnerships.names import fold, has_invisible_characters, name_key, search_text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Zhongyi \n Machinery ", "zhongyi machinery"),
        ("ＺＨＯＮＧＹＩ　（嵊州）", "zhongyi (嵊州)"),
        ("Straße", "strasse"),
        ("浙江\u200b纺织\ufeff", "浙江纺织"),
        ("a\x00b", "ab"),
        ("Co\xadope\u2028ration\U000e0041", "coope ration"),
        ("葛\U000e0100城", "葛城"),
        ("", ""),
    ],
)
def test_folded(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Zhongyi Machinery Co., Ltd.", "zhongyimachinery"),
        ("Zhongyi Machinery Group Company Limited", "zhongyimachinery"),
        ("浙江中谊机械股份有限公司", "浙江中谊机械"),
        ("中谊集团有限公司", "中谊"),
        ("中国集团学院", "中国集团学院"),
        ("Costco", "costco"),
        ("Zhongyi Private Limited", "zhongyi"),
        ("Zhongyi S.A. de C.V.", "zhongyi"),
        ("Zhongyi UG (haftungsbeschränkt)", "zhongyi"),
        ("株式会社", "株式会社"),
        ("Group", "group"),
        ("集团", "集团"),
        ("Co., Ltd.", "co"),
        ("—", ""),
    ],
)
def test_the_distinctive_part(name: str, key: str) -> None:
    assert name_key(name) == key


def test_a_column_without_a_value_adds_nothing_to_a_search_entry() -> None:
    assert search_text(["A-B", None, "", "a-b"]) == "a-b\nab"


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    "character",
    [
        *("\x00", "\r", "\n", "\t", "\x7f", "\x85", "\u200b", "\u202e", "\u2066", "\ufeff"),
        *("\u2028", "\u2029", "\xad", "\U000e0041", "\U000e007f", "\u034f", "\u061c", "\u180e", "\u2065", "\u206a"),
        *("\u3164", "\uffa0", "\u115f", "\u2800", "\ufe0f", "\ufe00", "\U000e0100", "\u180b", "\ufff9", "\U0001d173"),
        *("协\ufe0f", "⚠\ufe0f\ufe0f", "1\ufe0f", "协\U000e0100\U000e0101", "\u200d"),
    ],
)
def test_invisible(character: str) -> None:
    assert has_invisible_characters(f"Title{character}Bcc")


@pytest.mark.parametrize(
    "text",
    [
        "浙江中谊（嵊州）机械",
        "Société “Générale” – 2026",
        "ａ　ｂ",
        "⚠\ufe0f 1\ufe0f\u20e3 ☎\ufe0e",
        "葛\U000e0100城",
        "ᠮ\u180b",
        "한글",
        "ไทย",
    ],
)
def test_visible(text: str) -> None:
    assert not has_invisible_characters(text)
