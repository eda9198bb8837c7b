"""Sample activities in every status, contact notes, and the steps of milestones."""

from collections.abc import Iterable, Mapping
from typing import Any

from partnerships.demo.office import SampleOffice, sample_code
from partnerships.factories import ActivityCreditFactory, ActivityFactory, ActivityOrganizationFactory
from partnerships.factories.activities import DETAIL_FACTORIES
from partnerships.models import Activity, ActivityKind, Agreement, ContactNote, Event, Milestone
from partnerships.workflows.activities import (
    cancel_activity,
    complete_activity,
    follow_activity,
    postpone_activity,
    register_contact_note,
    start_activity,
)
from partnerships.workflows.milestones import (
    accept_milestone,
    meet_milestone,
    move_milestone,
    send_back_milestone,
    submit_milestone,
    waive_milestone,
)

Channel = ContactNote.Channel


def add_activities(office: SampleOffice, agreements: Mapping[str, Agreement]) -> None:
    for agreement, follow_up in FOLLOW_UPS:
        follow_up(office, agreements[agreement])
    _calls(office, agreements)
    _milestones_worked_on(office)


def _plan(
    office: SampleOffice,
    code: str,
    *,
    by: str,
    made: int,
    kind: ActivityKind,
    agreement: Agreement,
    partners: Iterable[str],
    areas: Iterable[str] = (),
    starts: int | None = None,
    ends: int | None = None,
    details: Mapping[str, object] | None = None,
    **values: object,
) -> Activity:
    """Add a planned activity with its details; ``made``, ``starts`` and ``ends`` are days from today."""
    person, on = office.people[by], office.day(made)
    activity = office.add(
        ActivityFactory,
        f"activity-{code}",
        by=person,
        on=on,
        kind=kind,
        agreement=agreement,
        owner=person,
        starts_on=None if starts is None else office.day(starts),
        ends_on=None if ends is None else office.day(ends),
        **values,
    )
    if details is not None:
        office.add_part(DETAIL_FACTORIES[kind], by=person, on=on, activity=activity, **details)
    for organization in partners:
        taking_part = {"organization": office.organization(organization)}
        office.add_part(ActivityOrganizationFactory, by=person, on=on, activity=activity, **taking_part)
        for area in areas:
            credit = {"area": office.area(area), **taking_part}
            office.add_part(ActivityCreditFactory, by=person, on=on, activity=activity, **credit)
    follow_activity(activity, actor=person, on=on)
    return activity


def _start(office: SampleOffice, activity: Activity, on: int) -> Activity:
    return office.take(start_activity, activity, by=activity.owner, on=office.day(on))


def _complete(office: SampleOffice, activity: Activity, on: int, summary: str, **next_step: object) -> Activity:
    given = {"summary": summary, **next_step}
    return office.take(complete_activity, activity, by=activity.owner, on=office.day(on), **given)


def _train_at_zhongyi(office: SampleOffice, agreement: Agreement, code: str, title: str, **values: Any) -> Activity:
    """Plan a training of the strategic cooperation."""
    return _plan(
        office,
        code,
        by="chen",
        kind=ActivityKind.TRAINING,
        agreement=agreement,
        partners=["zhongyi-machinery"],
        areas=["training"],
        title=title,
        **values,
    )


def _measuring(office: SampleOffice, agreement: Agreement) -> None:
    title = "Measuring technology for gear inspectors"
    details = {"audience": "Inspectors of the gear shop", "headcount": 18, "hours": 21}
    place = "Metrology room, building 4"
    days = {"made": -290, "starts": -244, "ends": -242}
    training = _train_at_zhongyi(office, agreement, "measuring", title, details=details, place=place, **days)
    _complete(
        office,
        _start(office, training, -244),
        -242,
        "18 inspectors trained, 17 passed. The plant asks for a follow-up on spindles.",
        next_step="Offer a spindle maintenance training",
        next_step_on=office.day(-200),
    )


def _spindles(office: SampleOffice, agreement: Agreement) -> None:
    """Add the training that the workshop asked for."""
    title = "Spindle maintenance for shift leaders"
    details = {"audience": "Shift leaders and maintenance staff", "headcount": 24, "hours": 16}
    workshop = Event.objects.get(code=sample_code("event-workshop"))
    where = {"place": "Zhongyi Machinery, hall 1", "event": workshop}
    days = {"made": -46, "starts": -38, "ends": -36}
    training = _train_at_zhongyi(office, agreement, "spindle", title, details=details, **where, **days)
    _complete(
        office,
        _start(office, training, -38),
        -36,
        "24 people took part; the exercises on balancing took longer than planned.",
        no_next_step_reason="The certificates are a milestone of the agreement.",
    )


def _programming(office: SampleOffice, agreement: Agreement) -> None:
    title = "Programming five-axis machines, part 1"
    details = {"audience": "Machine operators", "headcount": 20, "hours": 24}
    days = {"made": -21, "starts": 17, "ends": 19}
    place = "CNC center of the school"
    _train_at_zhongyi(office, agreement, "programming", title, details=details, place=place, **days)


def _vision_basics(office: SampleOffice, agreement: Agreement) -> None:
    training = _plan(
        office,
        "vision-basics",
        by="he",
        made=-60,
        kind=ActivityKind.TRAINING,
        agreement=agreement,
        partners=["sample-kunyu"],
        areas=["training"],
        starts=-12,
        title="Machine vision basics for mentors",
        details={"audience": "Mentors of the interns", "headcount": 6, "hours": 8},
    )
    reason = "Two of the mentors are abroad for a commissioning until the end of next month."
    office.take(postpone_activity, training, by=office.people["he"], on=office.day(-14), reason=reason)


def _coating_trials(office: SampleOffice, agreement: Agreement) -> None:
    trials = _plan(
        office,
        "coating-trials",
        by="sun",
        made=-160,
        kind=ActivityKind.RESEARCH_PROJECT,
        agreement=agreement,
        partners=["zhongyi-machinery"],
        areas=["technical-research"],
        starts=-150,
        ends=190,
        title="Coating trials on small-module gears",
        details={
            "principal_investigator": "Professor Lin Guodong",
            "budget": 320_000,
            "outcomes": "First series: wear down by a fifth against the uncoated gear.",
            "intellectual_property": "Joint; publication after the enterprise agrees.",
        },
    )
    _start(office, trials, -148)


def _load_cell(office: SampleOffice, agreement: Agreement) -> None:
    _plan(
        office,
        "load-cell",
        by="chen",
        made=0,
        kind=ActivityKind.RESEARCH_PROJECT,
        agreement=agreement,
        partners=["shuangniao-group"],
        areas=["technical-research"],
        starts=14,
        ends=400,
        title="Load cell and overload cut-off for the 2 t hoist",
        details={"principal_investigator": "Dr. Qian Xiaoling", "budget": 410_000},
    )


def _acoustics(office: SampleOffice, agreement: Agreement) -> None:
    project = _plan(
        office,
        "acoustic",
        by="he",
        made=-255,
        kind=ActivityKind.RESEARCH_PROJECT,
        agreement=agreement,
        partners=["sample-dongou"],
        starts=-240,
        title="Acoustic signatures of leaking valves",
        details={"principal_investigator": "Dr. Bao Yifan", "budget": 450_000},
    )
    reason = "Ended with the agreement; the measurements stay with the school."
    office.take(
        cancel_activity, _start(office, project, -238), by=office.people["he"], on=office.day(-92), reason=reason
    )


def _visit_to_interns(office: SampleOffice, agreement: Agreement) -> None:
    visit = _plan(
        office,
        "visit-kunyu",
        by="he",
        made=-40,
        kind=ActivityKind.VISIT,
        agreement=agreement,
        partners=["sample-kunyu"],
        areas=["talent-training"],
        starts=-25,
        title="Visit to the interns and their mentors",
        place="Shaoxing Kunyu Automation",
        details={
            "host": office.organization("sample-kunyu"),
            "delegation": "He Qiang and two class teachers",
            "findings": "Eleven interns work in three groups; the vision group lacks a mentor.",
        },
    )
    _complete(
        office,
        visit,
        -25,
        "All eleven interns were met; the enterprise wants to keep four of them.",
        next_step="Ask for a mentor for the vision group",
        next_step_on=office.day(1),
    )


def _visit_to_test_stand(office: SampleOffice, agreement: Agreement) -> None:
    host = office.organization("shuangniao-group")
    _plan(
        office,
        "visit-shuangniao",
        by="chen",
        made=0,
        kind=ActivityKind.VISIT,
        agreement=agreement,
        partners=["shuangniao-group"],
        areas=["technical-services"],
        starts=8,
        title="First look at the hoist test stand",
        place="Shuangniao Group, test hall",
        details={"host": host, "delegation": "Chen Yulan, Sun Hao, Dr. Qian Xiaoling"},
    )


def _interns(office: SampleOffice, agreement: Agreement) -> None:
    first = _plan(
        office,
        "interns",
        by="he",
        made=-80,
        kind=ActivityKind.INTERNSHIP,
        agreement=agreement,
        partners=["sample-kunyu"],
        areas=["talent-training"],
        starts=-55,
        ends=65,
        title="First intake: eleven interns in assembly and software",
    )
    _start(office, first, -55)


def _dust(office: SampleOffice, agreement: Agreement) -> None:
    advice = _plan(
        office,
        "dust",
        by="chen",
        made=-390,
        kind=ActivityKind.CONSULTING,
        agreement=agreement,
        partners=["fengli-crushing-equipment"],
        areas=["consulting"],
        starts=-370,
        ends=-70,
        title="Layout of a dust-free grinding line",
    )
    _complete(
        office,
        _start(office, advice, -370),
        -70,
        "Layout handed over and accepted; the line runs.",
        no_next_step_reason="What was promised is done; the agreement can be closed.",
    )


# Under which agreement, what was done: oldest first within each.
FOLLOW_UPS = (
    ("talent", _measuring),
    ("talent", _spindles),
    ("talent", _programming),
    ("coating", _coating_trials),
    ("valves", _acoustics),
    ("intake", _interns),
    ("intake", _visit_to_interns),
    ("intake", _vision_basics),
    ("grinding", _dust),
    ("hoist", _load_cell),
    ("hoist", _visit_to_test_stand),
)
# By whom, when in days from today, under which agreement, with whom, how and what.
CALLS = (
    ("chen", -18, "talent", "shen", Channel.CALL, "Certificates: names are checked, two corrections to come."),
    ("chen", -9, "talent", "shen", Channel.MESSAGE, "Proposed two dates for the talk about next year's calendar."),
    (
        "sun",
        -33,
        "coating",
        "shen",
        Channel.EMAIL,
        "Sent the wear figures of the first series; they want a second.",
    ),
    (
        "sun",
        -52,
        "chain_standard",
        "fu",
        Channel.IN_PERSON,
        "Draft 3 of the standard went through; two clauses open.",
    ),
    ("sun", -66, "housing", "pan", Channel.CALL, "They are content to let the memorandum go on for another year."),
    ("chen", -1, "hoist", "jin", Channel.MESSAGE, "Their copies are signed and on the way back."),
    ("he", -16, "workstation", "yao", Channel.CALL, "The room is ready; the sign is being made."),
)


def _calls(office: SampleOffice, agreements: Mapping[str, Agreement]) -> None:
    for number, (person, day, name, contact, channel, summary) in enumerate(CALLS, start=1):
        note = ContactNote(
            happened_on=office.day(day),
            unit=agreements[name].unit,
            channel=channel,
            summary=summary,
            agreement=agreements[name],
            contact=office.contacts[contact],
            is_sample=True,
            code=sample_code(f"note-{number}"),
        )
        register_contact_note(note, actor=office.people[person], today=office.today)


def _milestones_worked_on(office: SampleOffice) -> None:
    """Take milestones to each status at least once: met, accepted, submitted, sent back, waived, moved."""
    _met(office)
    for title, day in (("Interim report", -524), ("Final report", -342)):
        _accepted(office, _of("chain-standard", title), day)
    ma, sun, he = office.people["ma"], office.people["sun"], office.people["he"]
    report = _of("coating", "Interim report")
    report = office.take(
        submit_milestone, report, by=sun, on=office.day(-20), evidence="Draft of the report, 14 pages."
    )
    reason = "The figures of the second series are missing; please add them."
    report = office.take(send_back_milestone, report, by=ma, on=office.day(-15), reason=reason)
    office.take(submit_milestone, report, by=sun, on=office.day(-2), evidence="Report with both series, 17 pages.")
    moved = {"due_on": office.day(70), "reason": "The interns stay until then."}
    office.take(move_milestone, _of("intake", "Review of the first intake"), by=he, on=office.day(-25), **moved)
    parts = _of("housing", "Measure the first ten housings")
    reason = "The enterprise measured them itself and sent the figures."
    office.take(waive_milestone, parts, by=ma, on=office.day(-160), reason=reason)


def _met(office: SampleOffice) -> None:
    plan = "Agree on the first year's work plan"
    done = (
        (_of("talent", plan), -281, "Work plan signed by both sides."),
        (
            _of("talent", "Half-year meeting of both managements"),
            -131,
            "Minutes of the meeting, both presidents present.",
        ),
        (_of("springs", plan), -221, "Work plan, third version, confirmed by mail."),
        (_of("coating", "Kick-off meeting"), -164, "Minutes of the kick-off, filed with the agreement."),
        (_of("intake", "First intake of interns agreed"), -41, "List of eleven interns, confirmed by mail."),
        (
            Milestone.objects.get(activity__code=sample_code("activity-measuring"), derived_key=""),
            -204,
            "Offer sent; the training was ordered.",
        ),
    )
    for milestone, day, evidence in done:
        office.take(meet_milestone, milestone, by=milestone.owner, on=office.day(day), evidence=evidence)


def _accepted(office: SampleOffice, milestone: Milestone, day: int) -> None:
    evidence = f"{milestone.title}, accepted by the working group."
    submitted = office.take(submit_milestone, milestone, by=milestone.owner, on=office.day(day), evidence=evidence)
    office.take(accept_milestone, submitted, by=office.people["ma"], on=office.day(day + 7))


def _of(agreement: str, title: str) -> Milestone:
    return Milestone.objects.get(agreement__code=sample_code(agreement), activity=None, title=title)
