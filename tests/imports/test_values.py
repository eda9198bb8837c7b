"""Cells of any content become a value or a problem, never an error; some forms of cells that no spreadsheet of the folder has."""

import datetime as dt
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partnerships.imports.choices import guess_choices
from partnerships.imports.kinds import KINDS, Field, Kind
from partnerships.imports.papers import read_paper
from partnerships.imports.tables import Cell
from partnerships.imports.values import Read, read_value
from partnerships.partial_dates import PartialDate, Precision

FIELDS = [field for kind in KINDS.values() for field in kind.fields]
CELLS = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="0123456789年月日-+./,，、()（）至年万亿元eE@<> AabyearsMoU大学公司", max_size=30),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.none(),
)


@given(cell=CELLS, field=st.sampled_from(FIELDS), epoch_1904=st.booleans())
def test_any_cell_has_a_value_or_a_problem(cell: Cell, field: Field, epoch_1904: bool) -> None:
    read = read_value(field, cell, epoch_1904=epoch_1904)
    assert read.problem is None or read.value is None
    assert read.value != ()


@pytest.mark.parametrize("sign", ["年", "1 ", "（", "a, ", "与", "大学、", "1年", "MoU - ", "@a.b ", "\n", "- "])
def test_a_cell_of_the_longest_text_is_read_at_once(sign: str) -> None:
    text = sign * (32_767 // len(sign))
    began = time.process_time()
    for name in (
        "partner",
        "title",
        "signed_on",
        "duration",
        "amount",
        "contact",
        "contact_phone",
        "contact_email",
        "type",
    ):
        read_value(KINDS["register"].field(name), text)
    read_paper(text, is_party=True)
    assert time.process_time() - began < 3


def register(name: str, cell: Cell, **about: object) -> Read:
    return read_value(KINDS["register"].field(name), cell, **about)  # type: ignore[arg-type]


@pytest.mark.parametrize("cell", ["-", "—", "/", "N/A", "无", " \xa0", "\u3000", "", None])
def test_what_is_typed_for_nothing(cell: str | None) -> None:
    assert register("reference", cell) == Read(None)


def test_nothing_may_be_a_choice() -> None:
    assert register("renewal", "无") == Read("none")


def test_a_decision_about_words_counts_more_than_the_words_themselves() -> None:
    assert register("status", "在履行", mapping={"在履行": "suspended"}) == Read("suspended")
    assert register("status", "某种状态", mapping={"某种状态": ""}) == Read(None)


def test_choices_of_the_office_are_added_to_those_known() -> None:
    scheme = KINDS["honours"].field("scheme").with_choices({"little-giant": ("Little Giant", "专精特新“小巨人”企业")})
    assert read_value(scheme, "国家级专精特新小巨人企业") == Read("little-giant")
    kind = KINDS["register"].field("type").with_choices({"memorandum": ("Memorandum", "备忘录"), "own": ("自有类型",)})
    assert [read_value(kind, words).value for words in ("MoU", "自有类型", "战略合作协议")] == [
        "memorandum",
        "own",
        None,
    ]


def test_guesses_for_the_words_of_a_column() -> None:
    kind = KINDS["organizations"].field("kind")
    assert guess_choices(kind, ["企业", "高校", "某物"]) == {"企业": "enterprise", "高校": "institution", "某物": None}
    status = KINDS["agreements"].field("status")
    guessed = {"在履行": "signed", "Not in force": None, "未生效": None, "Expired": "completed"}
    assert guess_choices(status, guessed) == guessed


def test_several_choices_of_which_one_is_unknown_name_it() -> None:
    areas = KINDS["register"].field("areas").with_choices({"training": ("培训",), "consulting": ("咨询", "Consulting")})
    assert read_value(areas, "培训、咨询").value == ("training", "consulting")
    read = read_value(areas, "培训，旅游")
    assert (read.value, "旅游" in (read.problem or ""), "培训" in (read.problem or "")) == (None, True, False)


def test_a_number_of_days_is_no_number_of_months() -> None:
    assert register("notice_months", "3个月") == Read(3)
    assert register("notice_months", "90 days").problem is not None
    assert register("notice_months", 1.5) == Read(Decimal("1.5"))


def test_the_unknown_date_is_a_value() -> None:
    assert register("signed_on", "不详").value == PartialDate(dt.date(1900, 1, 1), Precision.UNKNOWN)


def test_texts_of_lines_keep_them_and_titles_do_not() -> None:
    assert register("summary", "one \r\n\r\n two").value == "one\ntwo"
    assert register("title", "one\ntwo").value == "one two"


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_fields_of_a_kind_are_named_once(kind: Kind) -> None:
    names = [field.name for field in kind.fields]
    assert len(names) == len(set(names)) == len(kind.by_name)
