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
    "character", ["\x00", "\r", "\n", "\t", "\x7f", "\x85", "\u200b", "\u202e", "\u2066", "\ufeff"]
)
def test_invisible(character: str) -> None:
    assert has_invisible_characters(f"Title{character}Bcc")


@pytest.mark.parametrize("text", ["浙江中谊（嵊州）机械", "Société “Générale” – 2026", "ａ　ｂ"])
def test_visible(text: str) -> None:
    assert not has_invisible_characters(text)
