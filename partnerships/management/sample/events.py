"""A workshop that was, a ceremony that will be."""

from partnerships.factories import EventFactory, EventKindFactory, MilestoneFactory, ParticipationFactory
from partnerships.management.sample.desk import Desk
from partnerships.management.sample.people import COLLEGE
from partnerships.models import Event, EventKind, Participation, Region

Kind, Role = EventKind.Kind, Participation.Role


def add_events(desk: Desk) -> None:
    _add_event(
        desk,
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
    ceremony = _add_event(
        desk,
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
    desk.add(
        MilestoneFactory,
        "milestone-invitations",
        by=desk.people["he"],
        on=desk.day(-21),
        event=ceremony,
        owner=desk.people["he"],
        kind="action_point",
        title="Send the invitations and the running order",
        title_zh="发送请柬和议程",
        due_on=desk.day(2),
    )


def _add_event(
    desk: Desk,
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
    """``made`` and ``held`` in days from today; ``took_part`` maps an organization's code to its role."""
    person, on = desk.people[by], desk.day(made)
    region = Region.objects.get(code="shaoxing")
    event = desk.add(
        EventFactory, code, by=person, on=on, unit=desk.units[unit], region=region, starts_on=desk.day(held), **values
    )
    for kind in kinds:
        desk.add_part(EventKindFactory, by=person, on=on, event=event, kind=kind)
    for organization, role in took_part.items():
        taking_part = {"organization": desk.organization(organization), "role": role}
        desk.add_part(ParticipationFactory, by=person, on=on, event=event, **taking_part)
    return event
