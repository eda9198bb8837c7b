"""Names folded for people who look for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partnerships.names import LONGEST_SORT_KEY, fold, has_invisible_characters, name_key, search_text, sort_key


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


@pytest.mark.parametrize(
    "names",
    [
        [
            "10 works",
            "3M",
            "Wang Li",
            "汪洋",
            "王伟",
            "wangcheng",
            "Xiamen",
            "张三",
        ],  # Latin by letter among the Chinese
        ["林", "令"],  # lin before ling
        ["西安", "先"],  # sign by sign: xi before xian
        ["李娜", "李伟", "里昂"],  # the same sound, another sign: kept apart
        ["长安集团", "重庆大学", "中国"],  # chang, chong: read by phrases
        ["陆", "吕", "罗"],  # lu, lü, luo
        ["《合同》", "（机械）", "“框架”协议"],  # without punctuation
        ["臺南", "台山", "台中"],  # a traditional sign is read as the simplified one
    ],
)
def test_names_in_the_order_of_pinyin(names: list[str]) -> None:
    assert sorted(names, key=sort_key) == names


def test_a_family_name_is_read_as_one() -> None:
    people = ["解晓东", "单田芳", "查良镛", "曾志伟", "区 丽", "Zorn"]

    by_name = sorted(people, key=lambda name: sort_key(name, is_person=True))

    assert by_name == ["区 丽", "单田芳", "解晓东", "曾志伟", "查良镛", "Zorn"]
    assert sort_key("单位").startswith("dan")


@given(st.text())
def test_every_name_has_a_key_that_fits_its_column(name: str) -> None:
    assert len(sort_key(name)) <= LONGEST_SORT_KEY
    assert sort_key(name) == sort_key(fold(name))
