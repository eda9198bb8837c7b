"""Demands at each stage, the answers to them, and what the college has on offer."""

from typing import Any

from partnerships.factories import AchievementFactory, AnswerFactory, DemandFactory
from partnerships.management.sample.desk import Desk, sample_code
from partnerships.management.sample.people import COLLEGE
from partnerships.models import Achievement, Answer, Demand
from partnerships.workflows.demands import (
    agree_with_project,
    ask_demand,
    choose_answer,
    close_demand,
    decline_answer,
    follow_demand,
    propose_answer,
    shortlist_answer,
)


def add_demands(desk: Desk) -> None:
    _add_achievements(desk)
    _released(desk)
    _asked(desk)
    _answered(desk)
    _agreed(desk)
    _without_a_match(desk)


def _add_achievements(desk: Desk) -> None:
    for code, by, unit, values in (
        (
            "clip-vision",
            "he",
            "information",
            {
                "name": "Recognition of small plastic parts on a moving belt",
                "name_zh": "传送带小型塑料件视觉识别",
                "field": "Machine vision",
                "intellectual_property": "Software copyright, registered",
                "people": "Guo Min, two doctoral candidates",
            },
        ),
        (
            "grease",
            "sun",
            "mechanical",
            {
                "name": "Dosing of grease in miniature bearings",
                "name_zh": "微型轴承定量注脂技术",
                "field": "Bearings",
                "intellectual_property": "Utility model",
                "people": "Professor Qian Weimin",
            },
        ),
    ):
        given = {"unit": desk.units[unit], "organization": desk.organization(COLLEGE), **values}
        desk.add(AchievementFactory, f"achievement-{code}", by=desk.people[by], on=desk.day(-180), **given)


def _release(desk: Desk, code: str, *, by: str, unit: str, asker: str, on: int, due: int, **values: str) -> Demand:
    """``on`` and ``due`` in days from today."""
    person, day = desk.people[by], desk.day(on)
    demand = desk.add(
        DemandFactory,
        f"demand-{code}",
        by=person,
        on=day,
        unit=desk.units[unit],
        owner=person,
        organization=desk.organization(asker),
        released_on=day,
        deadline_on=desk.day(due),
        **values,
    )
    follow_demand(demand, actor=person, on=day)
    return demand


def _ask(desk: Desk, demand: Demand, unit: str, *, on: int, **values: Any) -> Answer:
    """A unit asked by the demand's owner; the first makes the demand *asked*."""
    owner, day = demand.owner, desk.day(on)
    if not demand.answers.exists():
        desk.take(ask_demand, demand, by=owner, on=day)
    return desk.add_part(AnswerFactory, by=owner, on=day, demand=demand, unit=desk.units[unit], **values)


def _propose(desk: Desk, answer: Answer, by: str, *, on: int, summary: str) -> Answer:
    day = desk.day(on)
    proposed = desk.take(propose_answer, answer, by=desk.people[by], on=day, summary=summary)
    desk.backdate(answer.demand, day)
    return proposed


def _fresh(demand: Demand) -> Demand:
    return Demand.objects.get(pk=demand.pk)


def _released(desk: Desk) -> None:
    _release(
        desk,
        "quiet-bearings",
        by="sun",
        unit="mechanical",
        asker="sample-haotian",
        on=-3,
        due=26,
        title="Quieter bearings for the motors of e-bikes",
        field="Bearings",
        original_wording="Customers send motors back because they whistle at 25 km/h. We do not know where it comes from.",
    )


def _asked(desk: Desk) -> None:
    demand = _release(
        desk,
        "valve-leaks",
        by="chen",
        unit="mechanical",
        asker="sample-dongou",
        on=-24,
        due=11,
        title="Finding small leaks on the valve test bench",
        field="Measuring technology",
        original_wording="Our people listen for leaks. The small ones nobody hears.",
        rewritten_wording="Acoustic or optical detection of leaks below 1 ml/min on a water test bench, cycle time 40 s.",
    )
    _ask(desk, demand, "information", on=-18)
    _ask(desk, _fresh(demand), "mechanical", on=-18, person="Professor Qian Weimin")


def _answered(desk: Desk) -> None:
    demand = _release(
        desk,
        "shop-data",
        by="he",
        unit="information",
        asker="sample-lanting",
        on=-58,
        due=19,
        title="Machine data that students may work with",
        field="Industrial software",
        original_wording="We would give data to the class if nobody could tell whose machines they are.",
    )
    answer = _ask(desk, demand, "information", on=-50, person="Guo Min")
    answer = _propose(
        desk, answer, "he", on=-31, summary="Shift the time stamps, coarsen the work orders, keep the signals."
    )
    desk.take(shortlist_answer, answer, by=desk.people["he"], on=desk.day(-12))
    other = _ask(desk, _fresh(demand), "mechanical", on=-49)
    reason = "The spindle laboratory has no data of its own to mix in."
    desk.take(decline_answer, other, by=desk.people["sun"], on=desk.day(-40), reason=reason)


def _agreed(desk: Desk) -> None:
    demand = _release(
        desk,
        "cable-clips",
        by="he",
        unit="information",
        asker="sample-kunyu",
        on=-140,
        due=-60,
        title="Counting mixed cable clips without sorting them",
        field="Machine vision",
        original_wording="Twelve people sort clips by hand before they are counted.",
    )
    achievement = Achievement.objects.get(code=sample_code("achievement-clip-vision"))
    fits = {"achievement": achievement, "match_reason": "Recognizes parts of 8 mm at the speed of their belt."}
    answer = _ask(desk, demand, "information", on=-131, person="Guo Min", **fits)
    answer = _propose(desk, answer, "he", on=-118, summary="A trial on the belt of plant 2 with the camera we have.")
    he = desk.people["he"]
    desk.take(choose_answer, answer, by=he, on=desk.day(-104))
    day, partner = desk.day(-97), desk.organization(COLLEGE)
    title = "Counting mixed cable clips by camera"
    desk.take(agree_with_project, _fresh(demand), by=he, on=day, title=title, partner=partner)
    desk.backdate(demand, day)


def _without_a_match(desk: Desk) -> None:
    demand = _release(
        desk,
        "glass-molds",
        by="chen",
        unit="mechanical",
        asker="sample-dongou",
        on=-210,
        due=-150,
        title="Plasma coating of molds for glass fittings",
        field="Surface technology",
        original_wording="The molds wear out after 20,000 shots.",
    )
    _ask(desk, demand, "mechanical", on=-200)
    reason = "Nobody at the college coats by plasma; the enterprise was told of an institute that does."
    desk.take(close_demand, _fresh(demand), by=desk.people["chen"], on=desk.day(-151), reason=reason)
