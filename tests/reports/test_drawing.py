"""The charts: each mark with its words and its list, scales, hatching, and nothing to draw."""

import datetime as dt
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from django.utils import translation

from partnerships.reports import drawing
from partnerships.reports.canvas import Canvas, element, paper
from partnerships.reports.chart_tables import chart_tables
from partnerships.reports.headline import headline
from partnerships.reports.overview_figures import MONTHS, ReportPeriod, RowName
from tests.reports.overviews import (
    COMING,
    DAY,
    DONE,
    ENDED,
    SIGNED,
    empty_overview,
    listed,
    make_overview,
    months_of,
    units_of,
)

OVERVIEW = make_overview()
FILE = paper(640)


def parsed(drawn: str) -> ET.Element:
    return ET.fromstring(drawn)  # noqa: S314 (drawn by us)


def links(drawn: str) -> list[ET.Element]:
    return [one for one in parsed(drawn).iter() if one.tag.endswith("a") and "href" in one.attrib]


def titles(drawn: str) -> list[str]:
    return [one.text or "" for one in parsed(drawn).iter() if one.tag.endswith("title")]


def all_charts(canvas: Canvas = drawing.PAGE) -> dict[str, str]:
    return {
        "months": drawing.draw_months(OVERVIEW.months, OVERVIEW.period, canvas),
        "contact": drawing.draw_contact(OVERVIEW.units, canvas),
        "promised": drawing.draw_promised(OVERVIEW.units, OVERVIEW.areas, canvas),
        "coming": drawing.draw_coming(OVERVIEW.units, DAY, OVERVIEW.decide_until, canvas),
    }


@pytest.mark.parametrize("key", ["months", "contact", "promised", "coming"])
def test_each_mark_on_a_page_has_words_and_a_list_and_the_first_is_a_stop_of_the_tab_key(key: str) -> None:
    found = links(all_charts()[key])

    assert len(found) > 20
    assert all(one.attrib["href"].startswith("/") and one.attrib["aria-label"] for one in found)
    assert [one.attrib.get("tabindex") for one in found] == [None, *["-1"] * (len(found) - 1)]


@pytest.mark.parametrize("key", ["months", "contact", "promised", "coming"])
def test_a_page_stretches_a_drawing_and_a_file_has_it_in_pixels_with_its_own_colors(key: str) -> None:
    page, file = all_charts()[key], all_charts(FILE)[key]

    assert 'width="100%"' in page
    assert "viewBox" not in page
    assert " style=" not in page + file
    assert "var(" not in file
    assert "%" not in re.sub(r"<title>.*?</title>", "", file)
    assert 'viewBox="0 0 640 ' in file
    assert not links(file)
    assert titles(file)[: len(titles(page))] == titles(page)


def test_a_month_is_as_high_as_what_it_counts_and_links_to_exactly_that() -> None:
    drawn = drawing.draw_months(OVERVIEW.months, OVERVIEW.period)
    by_title = {one.attrib["aria-label"]: one for one in links(drawn)}
    four, two = by_title["Mar 2025: 4 signed"], by_title["Jan 2025: 2 signed"]
    height = {one: float(one.findall("rect")[-1].attrib["height"]) for one in (four, two)}

    assert height[four] == 2 * height[two]
    assert four.attrib["href"] == "/agreements/?signed_from=2025-03-01"
    ended = by_title["Dec 2024: 3 ended"].findall("rect")[-1].attrib
    assert (ended["fill"], float(ended["y"])) == ("url(#hatch)", 65)
    assert "Nov 2026: Visits, 18" in by_title


def test_totals_are_those_of_the_period() -> None:
    drawn = drawing.draw_months(OVERVIEW.months, OVERVIEW.period)
    academic = drawing.draw_months(OVERVIEW.months, ReportPeriod(2025, is_academic=True))

    assert f"{sum(SIGNED[-11:])}</tspan>" in drawn
    assert "in 2026" in drawn
    assert "in 2025/26" in academic
    assert f"{sum(SIGNED[-15:-3])}</tspan>" in academic


def test_many_agreements_have_an_axis_instead_of_numbers_and_few_do_so_where_there_is_little_room() -> None:
    few = drawing.draw_months(months_of(), ReportPeriod(2026))
    many = drawing.draw_months(months_of([90 * count for count in SIGNED], ENDED, DONE), ReportPeriod(2026))

    assert ('class="wide"' in few, 'class="narrow">5<' in few) == (True, True)
    assert ("wide" in many, "narrow" in many, ">500<" in many) == (False, False, True)


@pytest.mark.parametrize(
    ("highest", "steps", "top"), [(0, 3, 3), (3, 3, 3), (51, 3, 60), (61, 3, 150), (450, 2, 1000), (1999, 2, 2000)]
)
def test_an_axis_has_steps_of_one_two_or_five(highest: int, steps: int, top: int) -> None:
    assert drawing.nice_top(highest, steps) == top


def test_contact_lies_on_its_side_of_the_line_and_late_ones_are_hatched() -> None:
    drawn = drawing.draw_contact(OVERVIEW.units)
    by_title = {one.attrib["aria-label"]: one.findall("rect")[-1].attrib for one in links(drawn)}
    recent = by_title["Mechanical: 91–180 days, 7"]
    late, never = by_title["Mechanical: 181–365 days, 6"], by_title["Mechanical: more than a year ago, or never, 2"]
    line = float(recent["x"][:-1]) + float(recent["width"][:-1])

    assert late["fill"] == "url(#hatch-late)"
    assert float(late["x"][:-1]) > line
    assert float(never["x"][:-1]) == pytest.approx(float(late["x"][:-1]) + float(late["width"][:-1]), abs=0.02)
    assert ">30<" in drawn  # 12 + 11 + 7


@pytest.mark.parametrize(("recent", "older"), [(0, 900), (900, 0), (1, 1)])
def test_contact_never_leaves_its_place(recent: int, older: int) -> None:
    unit = replace(OVERVIEW.units[0], contact=[listed(count) for count in (recent, 0, 0, older, 0)])

    for one in links(drawing.draw_contact([unit])):
        bar = one.findall("rect")[-1].attrib
        assert 0 <= float(bar["x"][:-1]) <= float(bar["x"][:-1]) + float(bar["width"][:-1]) <= 100


def test_little_delivered_is_bold_and_nothing_promised_is_a_dash() -> None:
    drawn = drawing.draw_promised(OVERVIEW.units, OVERVIEW.areas)
    by_title = {one.attrib["aria-label"]: one for one in links(drawn)}
    low, high = by_title["Construction, R&D: 5 of 11 delivered"], by_title["Mechanical, Training: 31 of 34 delivered"]

    assert low.find("text") is not None
    assert low.findall("text")[0].attrib.get("font-weight") == "600"
    assert "font-weight" not in high.findall("text")[0].attrib
    assert low.findall("rect")[0].attrib["fill-opacity"] == "0.4"
    assert high.findall("rect")[0].attrib["fill-opacity"] == "0"
    assert drawn.count(">–<") == 1  # of trade, no facility


def test_long_numbers_are_shown_as_a_share() -> None:
    promised = replace(OVERVIEW.units[0].promised[0], promised=1802, delivered=listed(1643))
    drawn = drawing.draw_promised([replace(OVERVIEW.units[0], promised=[promised])], OVERVIEW.areas)

    assert ">91%<" in drawn
    assert "Mechanical, Training: 1,643 of 1,802 delivered" in drawn


def test_dates_of_one_week_become_one_shape_with_their_number_and_list() -> None:
    close = [[(10, "decide"), (11, "decide"), (12, "ends")], *([[]] * (len(COMING) - 1))]
    drawn = drawing.draw_coming(units_of(close), DAY, OVERVIEW.decide_until)
    single, both = links(drawn)

    assert single.attrib["aria-label"] == "Dec 11, ends, decided: Zhongyi, Strategic cooperation"
    assert single.attrib["href"] == "/agreements/102/"
    assert both.attrib["aria-label"] == "Week of Dec 9, decide by: 2 agreements of Mechanical"
    assert both.attrib["href"] == "/agreements/?picked=100.101"
    assert both.findall("text")[0].text == "2"


def test_a_decision_with_a_proposal_is_full_and_an_end_is_a_square() -> None:
    drawn = drawing.draw_coming(OVERVIEW.units, DAY, OVERVIEW.decide_until)
    shapes = {
        kind: next(one for one in links(drawn) if f", {kind}:" in one.attrib["aria-label"])
        for kind in ("decide by", "proposal ready", "ends, decided")
    }

    assert shapes["decide by"].findall("path")[0].attrib["fill"] == "var(--surface)"
    assert shapes["proposal ready"].findall("path")[0].attrib["fill"] == "var(--c1)"
    assert not shapes["ends, decided"].findall("path")


def test_a_trend_has_a_hollow_dot_a_year_ago_and_leaves_months_without_record_out() -> None:
    whole = parsed(drawing.draw_trend(range(MONTHS)))
    part = parsed(drawing.draw_trend([None] * (MONTHS - 3) + [4, 4, 5]))

    assert (len(whole.findall("line")), len(whole.findall("circle"))) == (MONTHS - 1, 2)
    assert whole.attrib["aria-hidden"] == "true"
    assert (len(part.findall("line")), len(part.findall("circle"))) == (2, 1)
    assert drawing.draw_trend([None] * (MONTHS - 1) + [4]) == ""


def test_ranks_of_a_file_have_names_and_numbers() -> None:
    loads, regions = drawing.draw_loads(OVERVIEW.people, FILE), drawing.draw_regions(OVERVIEW.regions, FILE)

    assert "Lin Feng" in loads
    assert "7 / 15" in loads
    assert "url(#hatch-late)" in loads
    assert "Yuecheng" in regions
    assert len(parsed(regions).findall(".//{http://www.w3.org/2000/svg}line")) == len(OVERVIEW.regions)


def test_nothing_to_draw_is_drawn_as_nothing() -> None:
    nothing = empty_overview()

    assert not links(drawing.draw_months(nothing.months, nothing.period))
    assert not links(drawing.draw_contact([]))
    assert not links(drawing.draw_promised([], []))
    assert not links(drawing.draw_coming([], DAY, DAY))
    assert headline(nothing, DAY) == ""


def test_names_and_words_are_escaped() -> None:
    unit = replace(OVERVIEW.units[0], unit=RowName(1, "<b>&", ""))

    assert "&lt;b&gt;&amp;: up to 30 days, 12" in drawing.draw_contact([unit])
    assert element("text", "<", x=1, fill_opacity=0.5) == '<text x="1" fill-opacity="0.5">&lt;</text>'


def test_long_names_are_cut_in_a_file_by_their_width() -> None:
    assert drawing.cut("Mechanical and Electrical Engineering", 96) == "Mechanical and…"
    assert drawing.cut("机械与电气工程学院", 60) == "机械与电…"
    assert drawing.cut("Trade", 96) == "Trade"


def test_tables_have_the_figures_of_their_charts_with_the_same_lists() -> None:
    tables = chart_tables(OVERVIEW)
    newest = tables["months"].rows[0]

    assert [cell.shown for cell in newest] == ["Nov 2026", "5", "2", "20", "13", "18"]
    assert newest[1].address == "/agreements/?signed_from=2026-11-01"
    unit = dict(zip(tables["units"].headings, (cell.shown for cell in tables["units"].rows[0]), strict=True))
    assert (unit["In force"], unit["Training"], unit["decide by"], unit["ends, decided"]) == ("38", "31/34", "3", "2")
    assert [len(row) for row in tables["coming"].rows] == [5] * sum(map(len, COMING))
    assert all(len(table.headings) == len(row) for table in tables.values() for row in table.rows)


def in_words(sentences: str) -> str:
    return re.sub(r"<[^>]+>", "", sentences).replace("\N{NO-BREAK SPACE}", " ")


SENTENCES = {
    "usual": "142 agreements are in force, 9 of them on a renewal that nobody has confirmed. "
    "107 had contact in the last 180 days, 35 did not. 12 need a decision by Mar 31, 2027.",
    "one": "1 agreement is in force, on a renewal that nobody has confirmed. "
    "It had no contact in the last 180 days. 1 needs a decision by Mar 31, 2027.",
    "all well": "142 agreements are in force. All of them had contact in the last 180 days. "
    "None needs a decision by Mar 31, 2027.",
}
LINKS = {"usual": 5, "one": 4, "all well": 2}
CHANGES = {
    "usual": {},
    "one": {
        "in_force": listed(1),
        "renewals_to_confirm": listed(1),
        "in_contact": listed(0),
        "without_contact": listed(1),
        "to_decide": listed(1),
    },
    "all well": {"renewals_to_confirm": listed(0), "without_contact": listed(0), "to_decide": listed(0)},
}


@pytest.mark.parametrize("key", SENTENCES)
def test_the_headline_says_it_in_words(key: str) -> None:
    sentences = headline(make_overview(**CHANGES[key]), DAY)

    assert in_words(sentences) == SENTENCES[key]
    assert sentences.count("<a href=") == LINKS[key]


def test_the_headline_of_a_day_in_the_past_says_so() -> None:
    sentences = headline(make_overview(), DAY + dt.timedelta(days=60))

    assert in_words(sentences) == (
        "On Nov 29, 2026, 142 agreements were in force. 107 had contact in the last 180 days, 35 did not."
    )


def test_chinese_has_its_own_months_and_words() -> None:
    with translation.override("zh-hans"):
        drawn = drawing.draw_months(OVERVIEW.months, OVERVIEW.period)
        sentences = headline(OVERVIEW, DAY)

    assert "2026年11月：签订5份" in drawn
    assert ">1月<" in drawn
    plain = in_words(sentences)
    assert (
        plain
        == "现行有效协议142份，其中9份续签尚未确认。近180天内有联系的107份，未联系的35份。2027年3月31日前须作出续签决定的12份。"
    )
