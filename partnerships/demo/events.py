"""Sample events: a past workshop and a coming ceremony."""

from partnerships.demo.office import SampleOffice
from partnerships.demo.people import COLLEGE
from partnerships.factories import EventFactory, EventKindFactory, MilestoneFactory, ParticipationFactory
from partnerships.models import Event, EventKind, Participation, Region

Kind, Role = EventKind.Kind, Participation.Role


def add_events(office: SampleOffice) -> None:
    _add_workshop(office)
    ceremony = _add_ceremony(office)
    office.add(
        MilestoneFactory,
        "milestone-invitations",
        by=office.people["he"],
        on=office.day(-21),
        event=ceremony,
        owner=office.people["he"],
        kind="action_point",
        title="Send the invitations and the running order",
        title_zh="发送请柬和议程",
        due_on=office.day(2),
    )


def _add_workshop(office: SampleOffice) -> Event:
    return _add_event(
        office,
        "event-workshop",
        made=-75,
        held=-47,
        unit="mechanical",
        by="chen",
        name="Workshop: what the plants need from training",
        name_zh="企业培训需求研讨会",
        place="School of Mechanical Engineering, hall 2",
        kinds=[Kind.WORKSHOP],
        took_part={
            COLLEGE: Role.HOST,
            "sample-smart-association": Role.ORGANIZER,
            "zhongyi-machinery": Role.PARTICIPANT,
            "shuangniao-group": Role.PARTICIPANT,
            "sample-haotian": Role.PARTICIPANT,
            "sample-skills-bureau": Role.GUEST,
        },
        summary="Fourteen training wishes were collected; spindle maintenance was named most often.",
    )


def _add_ceremony(office: SampleOffice) -> Event:
    return _add_event(
        office,
        "event-ceremony",
        made=-21,
        held=9,
        unit="information",
        by="he",
        name="Signing ceremony and opening of the machine vision workstation",
        name_zh="机器视觉工作站签约暨揭牌仪式",
        place="Shaoxing Kunyu Automation, visitor center",
        kinds=[Kind.SIGNING_CEREMONY, Kind.OPENING],
        took_part={COLLEGE: Role.SIGNATORY, "sample-kunyu": Role.HOST},
        summary="",
    )


def _add_event(
    office: SampleOffice,
    code: str,
    *,
    made: int,
    held: int,
    unit: str,
    by: str,
    kinds: list[str],
    took_part: dict[str, str],
    **values: str,
) -> Event:
    """Add an event. ``made`` and ``held`` are days from today; ``took_part`` maps codes of organizations to roles."""
    person, on = office.people[by], office.day(made)
    region = Region.objects.get(code="shaoxing")
    event = office.add(
        EventFactory,
        code,
        by=person,
        on=on,
        unit=office.units[unit],
        region=region,
        starts_on=office.day(held),
        **values,
    )
    for kind in kinds:
        office.add_part(EventKindFactory, by=person, on=on, event=event, kind=kind)
    for organization, role in took_part.items():
        taking_part = {"organization": office.organization(organization), "role": role}
        office.add_part(ParticipationFactory, by=person, on=on, event=event, **taking_part)
    return event
