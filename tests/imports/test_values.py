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
from partnerships.imports.values import Duration, Money, Read, read_value
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


@pytest.mark.parametrize(
    ("cell", "amount", "currency"),
    [
        ("叁拾万", 300_000, ""),
        ("三十万元", 300_000, "CNY"),
        ("人民币伍拾万元整", 500_000, "CNY"),
        ("壹佰贰拾叁万肆仟伍佰陆拾柒元捌角玖分", Decimal("1234567.89"), "CNY"),
        ("两万五千", 25_000, ""),
        ("2万5千美元", 25_000, "USD"),
        ("一亿二千万", 120_000_000, ""),
        ("贰仟零伍元", 2005, "CNY"),
        ("人民币（大写）叁拾万元整（￥300000.00）", 300_000, "CNY"),
        ("500万元（人民币）", 5_000_000, "CNY"),
        ("100万元（含税）", 1_000_000, "CNY"),
        ("合计100w", 1_000_000, ""),
        ("1.000.000,50 EUR", Decimal("1000000.50"), "EUR"),
        ("零", 0, ""),
    ],
)
def test_amounts_in_words(cell: str, amount: Decimal | int, currency: str) -> None:
    assert register("amount", cell) == Read(Money(Decimal(amount), currency))


@pytest.mark.parametrize("cell", ["两万五", "一百二万", "30-50万", "不少于100万", "免费", "三十万元（50万元）", "1e6"])
def test_amounts_of_two_readings_or_none(cell: str) -> None:
    assert register("amount", cell).problem is not None


@pytest.mark.parametrize("cell", ["-5万", "(5万)", "（50,000）", "−3000", "负三万", -50_000, -0.5])
def test_a_negative_amount_is_refused_at_its_cell(cell: Cell) -> None:
    assert "an amount cannot be negative" in (register("amount", cell).problem or "")


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("叁拾人", 30),
        ("两百人次", 200),
        ("１２０", 120),
        ("120名学生", 120),
        ("约30人", 30),
        ("30余人", 30),
        ("100+", 100),
    ],
)
def test_counts_of_people(cell: str, number: int) -> None:
    read = read_value(KINDS["activities"].field("headcount"), cell)
    assert read.value == number
    assert bool(read.note) == any(sign in cell for sign in "约余+")


@pytest.mark.parametrize("cell", ["-5", "(5)", -5, 2.5, "30-40", "若干"])
def test_what_is_no_count_of_people(cell: Cell) -> None:
    assert read_value(KINDS["activities"].field("headcount"), cell).problem is not None


@pytest.mark.parametrize(
    ("cell", "months"), [("三个月", 3), ("叁个月", 3), ("半年", 6), ("three months", 3), ("一年", 12)]
)
def test_notice_in_words(cell: str, months: int) -> None:
    assert register("notice_months", cell).value == months


@pytest.mark.parametrize(
    ("cell", "months"), [("叁年", 36), ("三年整", 36), ("壹拾年", 120), ("一年半", 18), ("５年", 60)]
)
def test_terms_in_formal_digits(cell: str, months: int) -> None:
    assert register("duration", cell).value == Duration(months)


PRECISIONS = {1: Precision.YEAR, 2: Precision.MONTH, 3: Precision.DAY}


def of(*numbers: int) -> PartialDate:
    year, month, day = (*numbers, 1, 1)[:3]
    return PartialDate(dt.date(year, month, day), PRECISIONS[len(numbers)])


@pytest.mark.parametrize(
    ("cell", "date"),
    [
        ("31.12.2025", of(2025, 12, 31)),
        ("31/12/2025", of(2025, 12, 31)),
        ("12/31/2025", of(2025, 12, 31)),
        ("05-05-2025", of(2025, 5, 5)),
        ("12.2025", of(2025, 12)),
        (12.2025, of(2025, 12)),
        ("202103", of(2021, 3)),
        (202103, of(2021, 3)),
        ("2021、3、5", of(2021, 3, 5)),
        ("2021\\3\\5", of(2021, 3, 5)),
        ("21年3月5日", of(2021, 3, 5)),
        ("98年", of(1998)),
        ("贰零贰壹年", of(2021)),
        ("２０２１．３．５", of(2021, 3, 5)),
        ("2021 spring", of(2021)),
    ],
)
def test_dates_with_the_year_last_or_short(cell: Cell, date: PartialDate) -> None:
    assert register("signed_on", cell).value == date


@pytest.mark.parametrize(
    ("cell", "readings"),
    [
        ("01/02/2026", ["Feb. 1, 2026", "Jan. 2, 2026"]),
        ("Dec-25", ["December 2025", "December 25"]),
        ("31.12.25", ["Dec. 25, 2031", "Dec. 31, 2025"]),
        ("25.6.1", ["June 1, 2025"]),
        ("5-Mar-21", ["March 5, 2021"]),
    ],
)
def test_a_date_in_doubt_is_refused_with_what_it_may_mean(cell: str, readings: list[str]) -> None:
    problem = register("signed_on", cell).problem or ""
    assert [words for words in readings if words not in problem] == []


@pytest.mark.parametrize(
    ("cell", "order", "date"),
    [
        ("05/06/2023", "day_first", of(2023, 6, 5)),
        ("05/06/2023", "month_first", of(2023, 5, 6)),
        ("31.12.25", "day_first", of(2025, 12, 31)),
        ("25.6.1", "year_first", of(2025, 6, 1)),
        ("Nov-21", "day_first", of(2021, 11)),
        ("5-Mar-21", "day_first", of(2021, 3, 5)),
        ("2023-06-05", "day_first", of(2023, 6, 5)),
        ("31/12/2022", "month_first", of(2022, 12, 31)),
        ("13/13/2022", "day_first", None),
    ],
)
def test_the_order_of_dates_is_chosen_for_all_rows(cell: str, order: str, date: PartialDate | None) -> None:
    assert register("signed_on", cell, order=order).value == date


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("2025-06-31", "no such day"),
        ("30/02/2021", "no such day"),
        ("0001-01-01", "between the years"),
        (dt.date(1, 1, 1), "between the years"),
        (dt.datetime(9999, 12, 31, tzinfo=dt.UTC), "between the years"),
        (dt.datetime(1900, 2, 28, tzinfo=dt.UTC), "small number"),
        (60, "is not a date"),
        (0, "is not a date"),
        ("民国110年", "not a date"),
    ],
)
def test_days_that_no_record_has(cell: Cell, words: str) -> None:
    assert words in (register("signed_on", cell).problem or "")


@pytest.mark.parametrize("cell", ["待定", "TBD", "？", "……", "to be confirmed"])
def test_what_is_not_known_yet_is_left_empty(cell: str) -> None:
    assert register("signed_on", cell) == Read(None)
