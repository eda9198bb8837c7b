"""Overviews with invented numbers, for tests of charts and pages that need no rows."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from partnerships.dates import add_months
from partnerships.reports.overview_figures import (
    MONTHS,
    ComingDate,
    FigureScope,
    KeyFigure,
    ListedCount,
    MonthFigures,
    Overview,
    PersonLoad,
    PromisedFigures,
    RegionFigures,
    ReportPeriod,
    RowName,
    UnitFigures,
)

DAY = dt.date(2026, 11, 29)
SIGNED = (1, 2, 1, 4, 3, 2, 4, 1, 1, 4, 3, 4, 2, 2, 1, 4, 3, 3, 5, 1, 1, 5, 4, 5)
ENDED = (3, 0, 0, 2, 1, 1, 3, 1, 0, 2, 1, 1, 4, 1, 0, 2, 1, 1, 4, 1, 1, 2, 2, 2)
DONE = (31, 24, 10, 36, 38, 38, 33, 15, 14, 40, 41, 44, 36, 29, 13, 43, 45, 44, 40, 18, 17, 48, 49, 51)
UNITS = (
    ("Mechanical", "机械工程学院", (12, 11, 7, 6, 2)),
    ("Information", "信息工程学院", (9, 9, 7, 5, 1)),
    ("Construction", "建筑工程学院", (4, 6, 5, 4, 3)),
    ("Trade", "商贸学院", (5, 6, 5, 4, 1)),
    ("Health", "健康护理学院", (4, 5, 3, 3, 1)),
    ("Design", "艺术设计学院", (2, 3, 4, 3, 2)),
)
AREAS = (
    ("Training", "培训"),
    ("Placement", "实习就业"),
    ("R&D", "技术研发"),
    ("Courses", "课程共建"),
    ("Facilities", "共建基地"),
    ("Visits", "互访交流"),
)
KEPT = (
    ((31, 34), (18, 22), (21, 30), (9, 12), (8, 9), (14, 15)),
    ((20, 24), (15, 17), (14, 19), (12, 13), (4, 6), (9, 11)),
    ((9, 16), (11, 15), (5, 11), (4, 8), (3, 4), (6, 8)),
    ((16, 17), (13, 14), (2, 4), (6, 7), (0, 0), (8, 9)),
    ((12, 13), (14, 14), (1, 3), (5, 6), (3, 3), (4, 5)),
    ((5, 8), (4, 7), (3, 6), (2, 3), (0, 2), (1, 3)),
)
# Days from ``DAY``, by unit.
COMING = (
    ((9, "proposed"), (34, "decide"), (50, "ends"), (69, "proposed"), (140, "decide"), (172, "decide"), (190, "ends")),
    ((20, "decide"), (58, "proposed"), (91, "ends"), (121, "decide"), (200, "decide"), (240, "ends"), (270, "decide")),
    ((14, "decide"), (28, "ends"), (43, "decide"), (88, "decide"), (160, "proposed"), (188, "ends")),
    ((49, "proposed"), (80, "ends"), (96, "decide"), (150, "decide"), (220, "decide")),
    ((66, "decide"), (135, "ends"), (212, "decide")),
    ((27, "ends"), (84, "decide"), (213, "ends"), (260, "decide")),
)
PEOPLE = (
    ("Lin Feng", "林峰", 7, 15),
    ("Chen Yulan", "陈玉兰", 5, 14),
    ("Sun Hao", "孙浩", 4, 12),
    ("Zhou Min", "周敏", 2, 12),
    ("Zheng Wei", "郑伟", 1, 10),
    ("Qian Lu", "钱璐", 3, 8),
    ("Xu Ting", "徐婷", 1, 7),
    ("He Jing", "何静", 0, 7),
)
REGIONS = (
    ("Yuecheng", "越城区", 34, 31),
    ("Keqiao", "柯桥区", 29, 26),
    ("Shangyu", "上虞区", 21, 18),
    ("Zhuji", "诸暨市", 18, 17),
    ("Shengzhou", "嵊州市", 12, 10),
    ("Xinchang", "新昌县", 9, 9),
    ("Hangzhou", "杭州市", 8, 7),
    ("Ningbo", "宁波市", 6, 5),
)


def listed(value: int, address: str = "agreement_list", **query: str) -> ListedCount:
    return ListedCount(value, address, query)


def trend(last: int, by: int = 1) -> list[int]:
    """Return a trend of ``MONTHS`` numbers that ends with ``last``."""
    return [max(last - by * ((place * 7) % 5 + place // 3), 0) for place in reversed(range(MONTHS))]


def months_of(
    signed: Sequence[int] = SIGNED, ended: Sequence[int] = ENDED, done: Sequence[int] = DONE
) -> list[MonthFigures]:
    """Return ``MONTHS`` months up to that of ``DAY``."""
    found = []
    for place, (begun, over, held) in enumerate(zip(signed, ended, done, strict=True)):
        first = add_months(DAY.replace(day=1), place - MONTHS + 1)
        days = {"from": first.isoformat()}
        by_group = {"training": round(held * 0.4), "project": round(held * 0.25)}
        by_group["visit"] = held - sum(by_group.values())
        found.append(
            MonthFigures(
                first,
                listed(begun, signed_from=days["from"]),
                listed(over, ended_from=days["from"]),
                {group: listed(count, "activity_list", group=group, **days) for group, count in by_group.items()},
            )
        )
    return found


def units_of(coming: Sequence[Sequence[tuple[int, str]]] = COMING) -> list[UnitFigures]:
    found = []
    for number, (en, zh, ages) in enumerate(UNITS, start=1):
        in_unit = {"unit": str(number)}
        promised = [
            PromisedFigures(RowName(place, *AREAS[place - 1]), of, listed(kept, area=str(place), **in_unit))
            for place, (kept, of) in enumerate(KEPT[number - 1], start=1)
        ]
        dates = [
            ComingDate(DAY + dt.timedelta(days=days), kind, 100 * number + place, "Strategic cooperation", "Zhongyi")
            for place, (days, kind) in enumerate(coming[number - 1])
        ]
        contact = [listed(count, contact=str(place), **in_unit) for place, count in enumerate(ages)]
        found.append(UnitFigures(RowName(number, en, zh), listed(sum(ages), **in_unit), contact, promised, dates))
    return found


def key_figures() -> list[KeyFigure]:
    return [
        KeyFigure("in_force", listed(142, in_force="yes"), 127, trend(142)),
        KeyFigure("signed", listed(34, signed_from="2026-01-01"), 29, SIGNED),
        KeyFigure("delivered", listed(312, kept="yes"), 74, trend(78), of=398),
        KeyFigure("overdue", listed(23, "milestone_list", due="overdue"), 31, trend(23), is_worse_higher=True),
        KeyFigure("without_contact", listed(35, quiet="yes"), 29, trend(35), is_worse_higher=True),
        KeyFigure("unassigned", listed(4, orphaned="yes"), 7, trend(4), is_worse_higher=True),
    ]


def make_overview(**changes: Any) -> Overview:
    """Return the overview of an office with 142 agreements in force in six units."""
    overview = Overview(
        period=ReportPeriod(2026),
        scope=FigureScope(),
        day=DAY,
        in_force=listed(142, in_force="yes"),
        renewals_to_confirm=listed(9, to_confirm="yes"),
        in_contact=listed(107, in_force="yes", contact="recent"),
        without_contact=listed(35, quiet="yes"),
        to_decide=listed(12, decide_until="2027-03-31"),
        decide_until=dt.date(2027, 3, 31),
        key_figures=key_figures(),
        months=months_of(),
        areas=[RowName(place, en, zh) for place, (en, zh) in enumerate(AREAS, start=1)],
        units=units_of(),
        people=[
            PersonLoad(
                RowName(place, en, zh),
                listed(late, "milestone_list", owner=str(place), due="overdue"),
                listed(due, "milestone_list", owner=str(place)),
            )
            for place, (en, zh, late, due) in enumerate(PEOPLE, start=1)
        ],
        unowned=listed(4, orphaned="yes"),
        regions=[
            RegionFigures(RowName(place, en, zh), listed(now, region=str(place)), ago)
            for place, (en, zh, now, ago) in enumerate(REGIONS, start=1)
        ],
    )
    return replace(overview, **changes)


def empty_overview() -> Overview:
    """Return the overview of an office that has not registered anything yet."""
    nothing = listed(0)
    figures = [replace(one, count=nothing, year_ago=None, trend=[None] * MONTHS) for one in key_figures()]
    return make_overview(
        in_force=nothing,
        renewals_to_confirm=nothing,
        in_contact=nothing,
        without_contact=nothing,
        to_decide=nothing,
        key_figures=[replace(one, of=0) if one.is_share else one for one in figures],
        months=months_of([0] * MONTHS, [0] * MONTHS, [0] * MONTHS),
        areas=[],
        units=[],
        people=[],
        unowned=nothing,
        regions=[],
    )
