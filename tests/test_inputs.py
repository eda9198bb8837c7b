"""Dates, amounts and currencies as people write them."""

import datetime as dt
from decimal import Decimal
from importlib import import_module
from zoneinfo import available_timezones

import pytest
from django.core.exceptions import ValidationError
from django.forms import BaseForm, DateField, DecimalField, IntegerField
from django.utils import translation
from django.utils.formats import date_format

from partnerships.inputs import (
    AmountField,
    CurrencyField,
    DayField,
    Money,
    WholeNumberField,
    parse_amount,
    parse_currency,
    parse_day,
    parse_money,
    parse_partial_day,
    parse_phone,
    parse_serial_day,
    time_zone_choices,
)
from partnerships.mailing.wording import long_date
from partnerships.models import Agreement
from partnerships.models.base import SmallNumberColumn
from partnerships.partial_dates import PartialDate

DAY = dt.date(2026, 3, 5)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-03-05", "2026-3-5", "2026/3/5", "2026.3.5", "2026. 3. 5", "20260305", " 2026 - 03 - 05 "),
        *(
            "2026年3月5日",
            "2026年03月05日",
            "2026 年 3 月 5 日",
            "2026年3月5号",
            "2026年3月5日星期四",
            "2026年3月5日（周四）",
        ),
        *(
            "２０２６-３-５",
            "２０２６－０３－０５",
            "２０２６年３月５日",
            "２０２６／３／５",
            "2026。3。5",
            "2026–03–05",
        ),
        *("March 5, 2026", "march 5 2026", "Mar. 5, 2026", "Mar 5th, 2026", "Thursday, March 5, 2026"),
        *("5 March 2026", "5th Mar. 2026", "5-Mar-2026", "Thu, 5 March 2026", "5th of March 2026"),
        *("March 5,2026", "2026-Mar-05", "2026 March 5", "2026, March 5", "2026.3.5.", "2026年3月5日。"),
        *("二〇二六年三月五日", "二○二六年三月五日", "2026年三月五日", "５ 三月 2026", "三月 5, 2026"),
    ],
)
def test_a_day(text: str) -> None:
    assert parse_day(text) == DAY


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("month", range(1, 13))
def test_each_date_we_print_can_be_typed(month: int, language: str) -> None:
    day = dt.date(2026, month, 28)
    with translation.override(language):
        printed = [date_format(day, "DATE_FORMAT"), date_format(day, "Y-m-d"), long_date(day)]
        assert [parse_day(text) for text in printed] == [day] * 3


@pytest.mark.parametrize(("text", "day"), [("二〇二五年十二月三十一日", (12, 31)), ("二〇二五年十月二十日", (10, 20))])
def test_a_day_in_chinese_numbers(text: str, day: tuple[int, int]) -> None:
    assert parse_day(text) == dt.date(2025, *day)


@pytest.mark.parametrize(
    "text",
    [
        *("12/31/25", "01/02/2026", "31/12/2026", "5.3.2026", "26-3-5", "3-5", "2026-3", "2026", "March 2026"),
        *("2026-02-30", "2026-13-01", "2026年13月1日", "0000-01-01", "2026-3/5", "2026年3-5", "Marching 5, 2026"),
        *("二〇二六年十三月五日", "二〇二六年三月三十二日", "26年3月5日", "2026年二十一十月五日", "3月5日", "三月"),
        *("Friday, March 5, 2026", "2026年3月5日星期五", "tomorrow", "46086", "2026-03-05 10:00", "2026-03-05'--"),
    ],
)
def test_no_day_without_doubt(text: str) -> None:
    assert parse_day(text) is None


@pytest.mark.parametrize(("language", "form"), [("en", "March 5, 2026"), ("zh-hans", "2026年3月5日")])
def test_the_refusal_shows_a_date_that_is_taken(language: str, form: str) -> None:
    with translation.override(language), pytest.raises(ValidationError) as refused:
        DayField().clean("12/31/25")

    assert "2026-03-05" in refused.value.messages[0]
    assert form in refused.value.messages[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *((text, "There is no such day.") for text in ("2026-02-30", "2026年13月1日", "February 30, 2026", "20260230")),
        *((text, "Enter the day as well") for text in ("2021", "2026-3", "2026年", "2026年3月", "二〇二六年三月")),
        *((text, "Enter a date such as") for text in ("tomorrow", "12/31/25", "Marching 5, 2026")),
    ],
)
def test_the_refusal_says_what_is_wrong_with_a_day(text: str, reason: str) -> None:
    with pytest.raises(ValidationError) as refused:
        DayField().clean(text)

    assert refused.value.messages[0].startswith(reason)


def test_an_amount_below_zero_is_refused_by_its_field() -> None:
    amount = Agreement._meta.get_field("amount").formfield()

    with pytest.raises(ValidationError) as refused:
        amount.clean("-3")

    assert refused.value.messages == ["An amount cannot be negative."]


@pytest.mark.parametrize("text", ["", "  ", "\u3000"])
def test_an_empty_date_and_amount(text: str) -> None:
    assert (DayField(required=False).clean(text), AmountField(required=False).clean(text)) == (None, None)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("1000000", 10**6), ("1,000,000", 10**6), ("１，０００，０００", 10**6), ("1 000 000", 10**6), ("0", 0)),
        *(("100万", 10**6), ("１００ 万", 10**6), ("100萬元", 10**6), ("1.2亿", 120_000_000), ("1.2億元", 120_000_000)),
        *(("3千万", 3 * 10**7), ("2百万", 2 * 10**6), ("1,200万", 12 * 10**6), ("12.50", Decimal("12.50")), ("-5", -5)),
        *(
            ("50元", 50),
            ("￥100万", 10**6),
            ("¥1,000", 1000),
            ("RMB 100万", 10**6),
            ("人民币100万元整", 10**6),
            ("100万元人民币", 10**6),
            ("1亿2千万", 120_000_000),
            ("1万亿", 10**12),
            ("1亿2000万元", 120_000_000),
            ("2億 50.5万", 200_505_000),
            ("100万元整", 10**6),
        ),
    ],
)
def test_an_amount(text: str, number: Decimal) -> None:
    assert parse_amount(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "1_000",
        "1,00,000",
        "1,5",
        "1.000.000",
        "NaN",
        "inf",
        "1e400",
        "万",
        "1万亿万",
        "1万2亿",
        "1亿20000万",
        "ten",
        "1 2",
        "0x10",
        pytest.param("9" * 2_000_000, id="two million digits"),
        "--5",
        "+-3",
        *("1e3", "1E3", "１e３", "1_000", "٣", "१०", "1٣", "3٣万", "Infinity", "NaN", "½", "²"),
    ],
)
def test_no_amount(text: str) -> None:
    assert parse_amount(text) is None
    for field in (AmountField(), WholeNumberField()):
        with pytest.raises(ValidationError):
            field.clean(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1000", 1000), ("1,000", 1000), ("１０００", 1000), ("10万", 10**5), ("1.2万", 12000), (" 7 ", 7)],
)
def test_a_whole_number(text: str, number: int) -> None:
    assert WholeNumberField().clean(text) == number


@pytest.mark.parametrize("text", ["12.5", "1.23456万", "9" * 5000])
def test_no_whole_number(text: str) -> None:
    with pytest.raises(ValidationError):
        WholeNumberField(max_value=10**6).clean(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(
            ("CNY", "CNY"),
            ("cny", "CNY"),
            ("人民币", "CNY"),
            ("rmb", "CNY"),
            ("ＲＭＢ", "CNY"),
            ("￥", "CNY"),
            ("¥", "CNY"),
        ),
        *(
            ("Chinese Yuan", "CNY"),
            ("美元", "USD"),
            ("us dollar", "USD"),
            ("欧元", "EUR"),
            ("港币", "HKD"),
            ("新台幣", "TWD"),
            ("歐元", "EUR"),
            ("卢布", "RUB"),
            ("DEM", "DEM"),
            ("CNY 人民币", "CNY"),
            ("美金", "USD"),
            ("S$", "SGD"),
            ("CNY USD", None),
        ),
        *(("XX1", None), ("XTS", None), ("Yuans", None), ("", None), ("ZZZ", None)),
    ],
)
def test_a_currency(text: str, code: str | None) -> None:
    assert parse_currency(text) == code


def test_currencies_are_offered_by_name_with_common_ones_first() -> None:
    with translation.override("zh-hans"):
        groups = list(CurrencyField().choices)

    assert groups[0][1][0] == ("CNY", "CNY 人民币")
    offered = [code for _group, choices in groups for code, _label in choices]
    assert len(offered) == len(set(offered)) > 150


def forms_below(form: type[BaseForm]) -> set[type[BaseForm]]:
    return {form}.union(*(forms_below(one) for one in form.__subclasses__()))


def test_every_form_takes_dates_and_amounts_as_people_write_them() -> None:
    """A form that declares Django's own field would refuse 2026年3月5日."""
    import_module("config.urls")  # pages, admin, lists
    ours = [form for form in forms_below(BaseForm) if form.__module__.startswith("partnerships.")]
    fields = [(form, name, field) for form in ours for name, field in getattr(form, "base_fields", {}).items()]

    assert len(ours) > 30
    typed = [(form, name, type(field)) for form, name, field in fields if not field.widget.is_hidden]
    assert [one for one in typed if one[2] in {DateField, DecimalField, IntegerField}] == []


@pytest.mark.parametrize(
    ("language", "first", "elsewhere"),
    [
        ("en", "Asia/Shanghai", "America/Argentina/Buenos Aires"),
        ("zh-hans", "上海 (Asia/Shanghai)", "布宜诺斯艾利斯 (America/Argentina/Buenos_Aires)"),
    ],
)
def test_common_time_zones_come_first_and_none_is_lost(language: str, first: str, elsewhere: str) -> None:
    with translation.override(language):
        common, others = (names for _label, names in time_zone_choices("Mars/Olympus"))

    assert (common[0], others[0]) == (("Asia/Shanghai", first), ("Mars/Olympus", "Mars/Olympus"))
    assert ("America/Argentina/Buenos_Aires", elsewhere) in others
    assert {zone for zone, _name in [*common, *others]} >= {zone for zone in available_timezones() if "/" in zone}


def test_the_example_of_a_whole_number_fits_the_numbers_that_are_asked_for() -> None:
    fields = (WholeNumberField(), WholeNumberField(max_value=99), SmallNumberColumn("months").formfield())
    examples = []
    for field in fields:
        assert field is not None
        with pytest.raises(ValidationError) as error:
            field.clean("many")
        examples.append(error.value.messages[0])

    assert ["such as 3." in example for example in examples] == [False, True, True]


@pytest.mark.parametrize(
    ("text", "day", "precision"),
    [
        ("February 20,2020", dt.date(2020, 2, 20), "day"),
        ("2021-03-05 00:00:00", dt.date(2021, 3, 5), "day"),
        ("2023年3月", dt.date(2023, 3, 1), "month"),
        ("二〇二一年三月", dt.date(2021, 3, 1), "month"),
        ("2021.3", dt.date(2021, 3, 1), "month"),
        ("2021-12", dt.date(2021, 12, 1), "month"),
        ("03/2021", dt.date(2021, 3, 1), "month"),
        ("Mar. 2023", dt.date(2023, 3, 1), "month"),
        ("2021年3月下旬", dt.date(2021, 3, 1), "month"),
        ("２０２１", dt.date(2021, 1, 1), "year"),
        ("2021年度", dt.date(2021, 1, 1), "year"),
        ("Spring 2021", dt.date(2021, 1, 1), "year"),
        ("2021年上半年", dt.date(2021, 1, 1), "year"),
        ("不详", dt.date(1900, 1, 1), "unknown"),
        ("unknown", dt.date(1900, 1, 1), "unknown"),
    ],
)
def test_a_date_is_read_as_far_as_it_is_known(text: str, day: dt.date, precision: str) -> None:
    assert parse_partial_day(text) == PartialDate(day, precision)


@pytest.mark.parametrize(
    "text", ["01/02/2026", "12/31/25", "2021.13", "2021-2024", "民国100年", "1821", "soon", "2021.0"]
)
def test_a_date_of_two_readings_or_none_is_no_partial_date(text: str) -> None:
    assert parse_partial_day(text) is None


@pytest.mark.parametrize(
    ("number", "epoch_1904", "expected"),
    [
        (43881, False, PartialDate(dt.date(2020, 2, 20))),
        (42419, True, PartialDate(dt.date(2020, 2, 20))),
        (43881.75, False, PartialDate(dt.date(2020, 2, 20))),
        (2021, False, PartialDate(dt.date(2021, 1, 1), "year")),
        (20200220, False, PartialDate(dt.date(2020, 2, 20))),
        (5, False, None),
        (13800000000, False, None),
    ],
)
def test_a_number_in_a_cell_is_a_serial_day_or_a_year(
    number: float, epoch_1904: bool, expected: PartialDate | None
) -> None:
    assert parse_serial_day(number, epoch_1904=epoch_1904) == expected


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("USD 50,000", 50_000, "USD"),
        ("€1.5 million", 1_500_000, "EUR"),
        ("$2M", 2_000_000, "USD"),
        ("50k EUR", 50_000, "EUR"),
        ("50万欧元", 500_000, "EUR"),
        ("3,000美元", 3_000, "USD"),
        ("100万元人民币", 1_000_000, "CNY"),
        ("5000元", 5_000, "CNY"),
        ("约100万元", 1_000_000, "CNY"),
        ("1亿2000万元", 120_000_000, "CNY"),
        ("１.2亿", 120_000_000, ""),
        ("1,000", 1_000, ""),
    ],
)
def test_an_amount_names_its_currency(text: str, amount: int, currency: str) -> None:
    assert parse_money(text) == Money(Decimal(amount), currency)


@pytest.mark.parametrize("text", ["", "abc", "100-200万", "人民币伍万伍", "50 apples", "USD 5 EUR", "9" * 100])
def test_what_is_no_amount_of_money(text: str) -> None:
    assert parse_money(text) is None


@pytest.mark.parametrize(
    ("value", "phone"),
    [
        (13800000000, "13800000000"),
        (13800000000.0, "13800000000"),
        ("1.3800000001E10", "13800000001"),
        ("1.38E+10", None),
        ("＋86 138 0000 0000", "+86 138 0000 0000"),
        ("0575-83000001转801", "0575-83000001转801"),
        ("13800000000.0", "13800000000"),
        ("call him", None),
        (12, None),
    ],
)
def test_a_phone_number_that_a_spreadsheet_took_for_a_number(value: str | float, phone: str | None) -> None:
    assert parse_phone(value) == phone
