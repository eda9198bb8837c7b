"""Sample facilities: one opened, one suspended, one planned."""

from collections.abc import Mapping

from partnerships.demo.office import SampleOffice, sample_code
from partnerships.demo.people import COLLEGE
from partnerships.factories import FacilityFactory, FacilityPartnerFactory
from partnerships.models import Agreement, Event, Facility, FacilityKind, Region
from partnerships.workflows.facilities import open_facility, suspend_facility


def add_facilities(office: SampleOffice, agreements: Mapping[str, Agreement]) -> None:
    _add_opened(office, agreements["intake"])
    _add_suspended(office)
    _add_planned(office, agreements["workstation"])


def _add_opened(office: SampleOffice, agreement: Agreement) -> None:
    base = _plan(
        office,
        "base",
        by="he",
        made=-110,
        heads={"sample-kunyu": "Yao Lili", COLLEGE: "He Qiang"},
        kind=FacilityKind.EMPLOYMENT_BASE,
        agreement=agreement,
        name="Employment base for automation, Kunyu plant 2",
        name_zh="坤宇二厂自动化就业实习基地",
        capacity=20,
    )
    office.take(open_facility, base, by=office.people["he"], on=office.day(-90), today=office.today)


def _add_suspended(office: SampleOffice) -> None:
    laboratory = _plan(
        office,
        "laboratory",
        by="sun",
        made=-760,
        heads={COLLEGE: "Professor Qian Weimin", "sample-haotian": "Dai Jun"},
        kind=FacilityKind.JOINT_LABORATORY,
        name="Joint laboratory for bearing noise",
        name_zh="轴承噪声联合实验室",
        site="Building 6, ground floor",
        capacity=12,
    )
    sun = office.people["sun"]
    laboratory = office.take(open_facility, laboratory, by=sun, on=office.day(-700), today=office.today)
    reason = "The foundations of the test bench are being renewed."
    office.take(suspend_facility, laboratory, by=sun, on=office.day(-17), reason=reason)


def _add_planned(office: SampleOffice, agreement: Agreement) -> None:
    _plan(
        office,
        "workstation",
        by="he",
        made=-19,
        heads={"sample-kunyu": "Yao Lili", COLLEGE: "Guo Min"},
        kind=FacilityKind.WORKSTATION,
        agreement=agreement,
        event=Event.objects.get(code=sample_code("event-ceremony")),
        name="Doctoral workstation for machine vision",
        name_zh="机器视觉博士工作站",
        capacity=4,
    )


def _plan(
    office: SampleOffice, code: str, *, by: str, made: int, heads: Mapping[str, str], **values: object
) -> Facility:
    """Add a planned facility. ``heads`` maps the code of each side to its head there; the first side is the host."""
    person, on = office.people[by], office.day(made)
    unit = office.units["information" if by == "he" else "mechanical"]
    given = {"unit": unit, "owner": person, "region": Region.objects.get(code="shaoxing"), **values}
    facility = office.add(FacilityFactory, f"facility-{code}", by=person, on=on, **given)
    for number, (organization, head) in enumerate(heads.items()):
        side = {"organization": office.organization(organization), "head": head, "is_host": number == 0}
        office.add_part(FacilityPartnerFactory, by=person, on=on, facility=facility, **side)
    return facility
