"""Demands at each stage, the answers to them, and what the college has on offer."""

from partnerships.demo.office import SampleOffice, sample_code
from partnerships.demo.people import COLLEGE
from partnerships.factories import AchievementFactory, AnswerFactory, DemandFactory
from partnerships.models import Achievement, Answer, Demand
from partnerships.workflows.demands import (
    agree_with_project,
    ask_demand,
    choose_answer,
    close_demand,
    decline_answer,
    propose_answer,
    shortlist_answer,
    watch_deadline,
)


def add_demands(office: SampleOffice) -> None:
    _add_achievements(office)
    _released(office)
    _asked(office)
    _answered(office)
    _agreed(office)
    _without_a_match(office)


def _add_achievements(office: SampleOffice) -> None:
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
        given = {"unit": office.units[unit], "organization": office.organization(COLLEGE), **values}
        office.add(AchievementFactory, f"achievement-{code}", by=office.people[by], on=office.day(-180), **given)


def _release(
    office: SampleOffice, code: str, *, by: str, unit: str, asker: str, on: int, due: int, **values: str
) -> Demand:
    """Release a demand; ``on`` and ``due`` are days from today."""
    person, day = office.people[by], office.day(on)
    demand = office.add(
        DemandFactory,
        f"demand-{code}",
        by=person,
        on=day,
        unit=office.units[unit],
        owner=person,
        organization=office.organization(asker),
        released_on=day,
        deadline_on=office.day(due),
        **values,
    )
    watch_deadline(demand, actor=person, on=day)
    return demand


def _ask(office: SampleOffice, demand: Demand, unit: str, *, on: int, **values: object) -> Answer:
    """Ask a unit in the name of the demand's owner; the first question moves the demand to *asked*."""
    owner, day = demand.owner, office.day(on)
    if not demand.answers.exists():
        office.take(ask_demand, demand, by=owner, on=day)
    return office.add_part(AnswerFactory, by=owner, on=day, demand=demand, unit=office.units[unit], **values)


def _propose(office: SampleOffice, answer: Answer, by: str, *, on: int, summary: str) -> Answer:
    day = office.day(on)
    proposed = office.take(propose_answer, answer, by=office.people[by], on=day, summary=summary)
    office.backdate(answer.demand, day)
    return proposed


def _fresh(demand: Demand) -> Demand:
    return Demand.objects.get(pk=demand.pk)


def _released(office: SampleOffice) -> None:
    _release(
        office,
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


def _asked(office: SampleOffice) -> None:
    demand = _release(
        office,
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
    _ask(office, demand, "information", on=-18)
    _ask(office, _fresh(demand), "mechanical", on=-18, person="Professor Qian Weimin")


def _answered(office: SampleOffice) -> None:
    demand = _release(
        office,
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
    answer = _ask(office, demand, "information", on=-50, person="Guo Min")
    answer = _propose(
        office, answer, "he", on=-31, summary="Shift the time stamps, coarsen the work orders, keep the signals."
    )
    office.take(shortlist_answer, answer, by=office.people["he"], on=office.day(-12))
    other = _ask(office, _fresh(demand), "mechanical", on=-49)
    reason = "The spindle laboratory has no data of its own to mix in."
    office.take(decline_answer, other, by=office.people["sun"], on=office.day(-40), reason=reason)


def _agreed(office: SampleOffice) -> None:
    demand = _release(
        office,
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
    answer = _ask(office, demand, "information", on=-131, person="Guo Min", **fits)
    answer = _propose(office, answer, "he", on=-118, summary="A trial on the belt of plant 2 with the camera we have.")
    he = office.people["he"]
    office.take(choose_answer, answer, by=he, on=office.day(-104))
    day, partner = office.day(-97), office.organization(COLLEGE)
    title = "Counting mixed cable clips by camera"
    office.take(agree_with_project, _fresh(demand), by=he, on=day, title=title, partner=partner)
    office.backdate(demand, day)


def _without_a_match(office: SampleOffice) -> None:
    demand = _release(
        office,
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
    _ask(office, demand, "mechanical", on=-200)
    reason = "Nobody at the college coats by plasma; the enterprise was told of an institute that does."
    office.take(close_demand, _fresh(demand), by=office.people["chen"], on=office.day(-151), reason=reason)
