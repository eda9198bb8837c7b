"""Sample agreements in every status, moved there by verbs in the name of people who may take the step."""

import datetime as dt
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from partnerships.dates import add_months
from partnerships.demo.office import SampleOffice, sample_code
from partnerships.demo.people import COLLEGE
from partnerships.factories import (
    AgreementAreaFactory,
    AgreementFactory,
    AgreementPartyFactory,
    AgreementTermFactory,
    AgreementUnitFactory,
    CustodyStepFactory,
    MilestoneFactory,
)
from partnerships.models import Agreement, AgreementTerm, CustodyStep, Event, MilestoneKind
from partnerships.workflows.agreements import (
    approve_agreement,
    cancel_agreement,
    complete_agreement,
    record_signed_agreement,
    renew_agreement,
    return_agreement,
    sign_agreement,
    submit_agreement,
    suspend_agreement,
    terminate_agreement,
)
from partnerships.workflows.milestones import meet_milestone

PRESIDENT = "Professor Zhu Wenbin"
YEARLY = MappingProxyType({"recurs_every_months": 12})
Step = CustodyStep.Step
# Step, on whose desk, since when in days from today.
HOIST_PAPERS = (
    (Step.PRINTED, "Wu Jianguo, Cooperation office", -4),
    (Step.SENT, "Shuangniao Group, Jin Haifeng", -3),
    (Step.RETURNED, "Wu Jianguo, Cooperation office", -1),
    (Step.SEALED, "Seal office of the college", 0),
)
WORKSTATION_PAPERS = (
    (Step.PRINTED, "Wu Jianguo, Cooperation office", -5),
    (Step.SENT, "Kunyu Automation, Yao Lili", -3),
)


def add_agreements(office: SampleOffice) -> dict[str, Agreement]:
    """Add all sample agreements and return them by short name."""
    makers = (
        _hoist,
        _talent,
        _coating,
        _intake,
        _chain_standard,
        _housing,
        _quiet,
        _springs,
        _grinding,
        _valves,
        _data_lab,
        _bearings,
        _workstation,
        _secrecy,
        _skills_week,
    )
    return {maker.__name__.strip("_"): maker(office) for maker in makers}


def _draft(
    office: SampleOffice,
    code: str,
    *,
    by: str,
    on: dt.date,
    unit: str,
    kind: str,
    title: str,
    partners: Mapping[str, str],
    areas: Iterable[str],
    term: Mapping[str, object] | None = None,
    **more: object,
) -> Agreement:
    """Add a draft of the college with ``partners``, which maps codes of organizations to the names of who signs."""
    person = office.people[by]
    agreement = office.add(
        AgreementFactory,
        code,
        by=person,
        on=on,
        unit=office.units[unit],
        type=office.agreement_type(kind),
        title=title,
        created_by=person,
        **{"coordinator": person, **more},
    )
    for organization, signatory in {COLLEGE: PRESIDENT, **partners}.items():
        party = {"organization": office.organization(organization), "signatory_person": signatory}
        office.add_part(AgreementPartyFactory, by=person, on=on, agreement=agreement, **party)
    for area in areas:
        office.add_part(AgreementAreaFactory, by=person, on=on, agreement=agreement, area=office.area(area))
    if term:
        office.add_part(AgreementTermFactory, by=person, on=on, agreement=agreement, **term)
    return agreement


def _reviewed(office: SampleOffice, agreement: Agreement, *, lead: str, submitted: int, approved: int) -> Agreement:
    """Submit the agreement by its author and approve it by ``lead``; days from today."""
    agreement = office.take(submit_agreement, agreement, by=agreement.created_by, on=office.day(submitted))
    return office.take(approve_agreement, agreement, by=office.people[lead], on=office.day(approved))


def _signed_papers(office: SampleOffice, agreement: Agreement, steps: Iterable[tuple[str, str, int]]) -> None:
    for step, desk_of, since in steps:
        day = office.day(since)
        custody = {"step": step, "desk": desk_of, "since": day}
        office.add_part(CustodyStepFactory, by=office.people["wu"], on=day, agreement=agreement, **custody)


class ManualMilestone(NamedTuple):
    """A milestone that somebody enters by hand; ``made`` and ``due`` are days from today."""

    name: str
    made: int
    due: int
    title: str
    title_zh: str
    more: Mapping[str, object] = MappingProxyType({})


def _add_milestones(office: SampleOffice, agreement: Agreement, *milestones: ManualMilestone) -> None:
    for milestone in milestones:
        office.add(
            MilestoneFactory,
            f"milestone-{milestone.name}",
            by=agreement.coordinator,
            on=office.day(milestone.made),
            agreement=agreement,
            due_on=office.day(milestone.due),
            title=milestone.title,
            title_zh=milestone.title_zh,
            **milestone.more,
        )


def _years(start: dt.date, years: int, **term: object) -> dict[str, object]:
    ends_on = add_months(start, 12 * years) - dt.timedelta(days=1)
    return {"starts_on": start, "ends_on": ends_on, **term}


def _hoist(office: SampleOffice) -> Agreement:
    """The thread: signed today, with milestones in the days to come."""
    agreement = _draft(
        office,
        "hoist",
        by="chen",
        on=office.day(-14),
        unit="mechanical",
        kind="project",
        title="Joint development of an electric chain hoist with load monitoring",
        reference="ME-PRJ-07",
        partners={"shuangniao-group": "Jin Haifeng"},
        areas=("technical-research", "technical-services", "talent-training"),
        term=_years(office.today, 2, notice=3),
        amount=680_000,
        summary="Load cell, overload cut-off and a service app for a 2 t hoist; two student theses a year.",
    )
    agreement = _reviewed(office, agreement, lead="ma", submitted=-8, approved=-5)
    _signed_papers(office, agreement, HOIST_PAPERS)
    agreement = office.take(sign_agreement, agreement, by=office.people["ma"], on=office.today, today=office.today)
    _hoist_tasks(office, agreement)
    return agreement


def _hoist_tasks(office: SampleOffice, agreement: Agreement) -> None:
    owed = {
        "kind": MilestoneKind.OBLIGATION,
        "party": agreement.parties.get(organization__code="shuangniao-group"),
        "requires_acceptance": True,
    }
    by_sun = {"owner": office.people["sun"]}
    _add_milestones(
        office,
        agreement,
        ManualMilestone("hoist-filing", 0, 0, "File the sealed original and its scan", "归档盖章原件及扫描件"),
        ManualMilestone("hoist-copies", 0, 3, "Send each party its signed copy", "向各方寄送签署文本"),
        ManualMilestone(
            "hoist-data", 0, 10, "Hand over the load test data of the present hoist", "移交现有产品载荷试验数据", owed
        ),
        ManualMilestone("hoist-plan", 0, 31, "Agree on the test plan for the prototype", "商定样机试验方案", by_sun),
    )


def _talent(office: SampleOffice) -> Agreement:
    """A lively one: trainings, research and visits hang under it."""
    signed = office.day(-310)
    agreement = _draft(
        office,
        "talent",
        by="chen",
        on=office.day(-335),
        unit="mechanical",
        kind="strategic-cooperation",
        title="Strategic cooperation on training and applied research in gear manufacturing",
        reference="ME-STR-02",
        partners={"zhongyi-machinery": "Shen Meihua"},
        areas=("training", "talent-training", "technical-research", "consulting"),
        term=_years(signed, 3, notice=3, renews_tacitly=True),
        summary="Two trainings a year, a joint research line on gears, teachers spend summers in the plant.",
    )
    office.add_part(
        AgreementUnitFactory,
        by=office.people["chen"],
        on=office.day(-335),
        agreement=agreement,
        unit=office.units["information"],
    )
    agreement = _reviewed(office, agreement, lead="ma", submitted=-325, approved=-320)
    agreement = office.take(sign_agreement, agreement, by=office.people["ma"], on=signed, today=office.today)
    _signed_papers(office, agreement, [(Step.FILED, "Archive, shelf 3, folder ME-STR-02", -290)])
    by_sun = {"owner": office.people["sun"]}
    _add_milestones(
        office,
        agreement,
        ManualMilestone(
            "talent-certificates", -30, -6, "Send the certificates of the spindle training", "寄送主轴培训证书"
        ),
        ManualMilestone("talent-calendar", -60, 4, "Settle next year's training calendar", "商定明年培训计划", YEARLY),
        ManualMilestone(
            "talent-summer", -60, 75, "Name the teachers for the summer in the plant", "确定暑期下企业教师名单", by_sun
        ),
    )
    return agreement


def _coating(office: SampleOffice) -> Agreement:
    """A project under the strategic cooperation, its first report due soon."""
    signed = office.day(-166)
    agreement = _draft(
        office,
        "coating",
        by="sun",
        on=office.day(-190),
        unit="mechanical",
        kind="project",
        title="Wear-resistant coatings for small-module gears",
        reference="ME-PRJ-05",
        parent=Agreement.objects.get(code=sample_code("talent")),
        partners={"zhongyi-machinery": "Shen Meihua"},
        areas=("technical-research",),
        term=_years(signed, 1, notice=1),
        amount=320_000,
    )
    agreement = _reviewed(office, agreement, lead="ma", submitted=-180, approved=-172)
    return office.take(sign_agreement, agreement, by=office.people["wu"], on=signed, today=office.today)


def _intake(office: SampleOffice) -> Agreement:
    signed = office.day(-96)
    agreement = _draft(
        office,
        "intake",
        by="he",
        on=office.day(-130),
        unit="information",
        kind="employment-base",
        title="Employment base for automation and industrial software",
        reference="IT-EB-01",
        partners={"sample-kunyu": "Yao Lili"},
        areas=("talent-training", "training"),
        term=_years(signed, 3),
        summary="Up to 20 interns a year; the enterprise names a mentor for each group of five.",
    )
    agreement = _reviewed(office, agreement, lead="guo", submitted=-120, approved=-110)
    return office.take(sign_agreement, agreement, by=office.people["guo"], on=signed, today=office.today)


def _chain_standard(office: SampleOffice) -> Agreement:
    """Its end, notice and lead time put the decision date a fortnight from today."""
    ends_on = office.today + dt.timedelta(days=105)
    agreement = _draft(
        office,
        "chain-standard",
        by="sun",
        on=office.day(-640),
        unit="mechanical",
        kind="project",
        title="Group standard for special-purpose conveyor chains",
        reference="ME-PRJ-01",
        partners={"special-chain-wheel": "Fu Guoping", "shengzhou-machinery-industry-association": "Lou Jianhua"},
        areas=("standard-construction", "consulting"),
        term={"starts_on": office.day(-700), "ends_on": ends_on, "notice": 60, "notice_unit": "days", "lead_days": 30},
    )
    recorded = office.day(-640)
    return office.take(record_signed_agreement, agreement, by=office.people["sun"], on=office.day(-700), today=recorded)


def _housing(office: SampleOffice) -> Agreement:
    """Went on tacitly when its first term ended: the dates that matter are those of the second."""
    first_end = office.day(-70)
    agreement = _draft(
        office,
        "housing",
        by="sun",
        on=office.day(-420),
        unit="mechanical",
        kind="memorandum",
        title="Memorandum on the machining of aluminum housings",
        reference="ME-MOU-01",
        partners={"tiansheng-machinery": "Pan Zhiyong"},
        areas=("technical-services", "consulting"),
        term={"starts_on": office.day(-434), "ends_on": first_end, "notice": 2, "renews_tacitly": True},
    )
    recorded = office.day(-420)
    agreement = office.take(
        record_signed_agreement, agreement, by=office.people["sun"], on=office.day(-434), today=recorded
    )
    _add_milestones(
        office,
        agreement,
        ManualMilestone("housing-parts", -300, -155, "Measure the first ten housings", "测量首批十件壳体"),
    )
    ends_on = first_end + dt.timedelta(days=365)
    renewed_on = first_end + dt.timedelta(days=1)
    basis = AgreementTerm.Basis.TACIT
    renew_agreement(agreement, actor=office.people["ma"], on=renewed_on, basis=basis, ends_on=ends_on)
    return Agreement.objects.get(pk=agreement.pk)


def _quiet(office: SampleOffice) -> Agreement:
    """Its coordinator has left and nothing happened since the signing."""
    agreement = _draft(
        office,
        "quiet",
        by="ma",
        on=office.day(-300),
        unit="mechanical",
        kind="memorandum",
        title="Memorandum on export training for small manufacturers",
        reference="ME-MOU-02",
        coordinator=office.people["zheng"],
        partners={"gaoxiang-industry-and-trade": ""},
        areas=("training", "publicity-and-promotion"),
    )
    recorded = office.day(-300)
    return office.take(record_signed_agreement, agreement, by=office.people["ma"], on=office.day(-330), today=recorded)


def _springs(office: SampleOffice) -> Agreement:
    agreement = _draft(
        office,
        "springs",
        by="sun",
        on=office.day(-260),
        unit="mechanical",
        kind="strategic-cooperation",
        title="Fatigue laboratory for springs: shared use and student projects",
        reference="ME-STR-03",
        partners={"universal-spring": ""},
        areas=("technical-services", "talent-training"),
        term=_years(office.day(-250), 2, notice=1),
    )
    recorded = office.day(-245)
    agreement = office.take(
        record_signed_agreement, agreement, by=office.people["sun"], on=office.day(-250), today=recorded
    )
    reason = "The enterprise is moving its plant; both sides agreed to rest until the laboratory is set up again."
    return office.take(suspend_agreement, agreement, by=office.people["ma"], on=office.day(-45), reason=reason)


def _grinding(office: SampleOffice) -> Agreement:
    """Done and closed; ``activities`` completes its consulting first."""
    agreement = _draft(
        office,
        "grinding",
        by="chen",
        on=office.day(-410),
        unit="mechanical",
        kind="memorandum",
        title="Advice on dust-free grinding lines",
        reference="ME-MOU-03",
        partners={"fengli-crushing-equipment": ""},
        areas=("consulting",),
        term=_years(office.day(-400), 2),
    )
    recorded = office.day(-400)
    return office.take(record_signed_agreement, agreement, by=office.people["chen"], on=recorded, today=recorded)


def close_grinding(office: SampleOffice, agreement: Agreement) -> None:
    agreement = Agreement.objects.get(pk=agreement.pk)
    office.take(complete_agreement, agreement, by=office.people["ma"], on=office.day(-58))


def _valves(office: SampleOffice) -> Agreement:
    agreement = _draft(
        office,
        "valves",
        by="he",
        on=office.day(-280),
        unit="information",
        kind="project",
        title="Leak detection for large valves by acoustic sensors",
        reference="IT-PRJ-02",
        partners={"sample-dongou": "Hu Zhenyu"},
        areas=("technical-research",),
        term=_years(office.day(-262), 2),
        amount=450_000,
    )
    agreement = _reviewed(office, agreement, lead="guo", submitted=-275, approved=-268)
    agreement = office.take(sign_agreement, agreement, by=office.people["guo"], on=office.day(-262), today=office.today)
    kick_off = agreement.milestones.get(title="Kick-off meeting")
    evidence = "Minutes of the kick-off at the plant."
    office.take(meet_milestone, kick_off, by=office.people["he"], on=office.day(-240), evidence=evidence)
    reason = "The enterprise gave up the product line; both sides ended the project in writing."
    return office.take(terminate_agreement, agreement, by=office.people["guo"], on=office.day(-92), reason=reason)


def _data_lab(office: SampleOffice) -> Agreement:
    return _draft(
        office,
        "data-lab",
        by="he",
        on=office.day(-2),
        unit="information",
        kind="strategic-cooperation",
        title="Teaching laboratory for industrial data",
        partners={"sample-lanting": "Wang Siqi"},
        areas=("talent-training", "training"),
        summary="The enterprise lends software licenses; the curriculum is still being discussed.",
    )


def _bearings(office: SampleOffice) -> Agreement:
    agreement = _draft(
        office,
        "bearings",
        by="sun",
        on=office.day(-9),
        unit="mechanical",
        kind="project",
        title="Noise reduction in precision bearings",
        partners={"sample-haotian": "Dai Jun"},
        areas=("technical-research", "technical-services"),
        term=_years(office.day(20), 2, notice=2),
        amount=260_000,
    )
    return office.take(submit_agreement, agreement, by=office.people["sun"], on=office.day(-4))


def _workstation(office: SampleOffice) -> Agreement:
    """Approved, printed, on its way: it will be signed at the ceremony next week."""
    agreement = _draft(
        office,
        "workstation",
        by="he",
        on=office.day(-20),
        unit="information",
        kind="workstation",
        title="Doctoral workstation for machine vision",
        reference="IT-WS-01",
        event=Event.objects.get(code=sample_code("event-ceremony")),
        partners={"sample-kunyu": "Yao Lili"},
        areas=("technical-research", "talent-training"),
        term=_years(office.day(9), 3, notice=3),
    )
    agreement = _reviewed(office, agreement, lead="guo", submitted=-12, approved=-6)
    _signed_papers(office, agreement, WORKSTATION_PAPERS)
    return agreement


def _secrecy(office: SampleOffice) -> Agreement:
    agreement = _draft(
        office,
        "secrecy",
        by="he",
        on=office.day(-15),
        unit="information",
        kind="confidentiality",
        title="Confidentiality for the teaching laboratory",
        partners={"sample-lanting": "Wang Siqi"},
        areas=(),
    )
    agreement = office.take(submit_agreement, agreement, by=office.people["he"], on=office.day(-10))
    reason = "Please say which customer data the students may see, and for how long the duty lasts."
    return office.take(return_agreement, agreement, by=office.people["guo"], on=office.day(-3), reason=reason)


def _skills_week(office: SampleOffice) -> Agreement:
    agreement = _draft(
        office,
        "skills-week",
        by="chen",
        on=office.day(-150),
        unit="mechanical",
        kind="memorandum",
        title="Joint skills week with the training center",
        partners={"sample-training-center": ""},
        areas=("training", "publicity-and-promotion"),
    )
    reason = "The center's halls are being rebuilt; both sides will talk again next year."
    return office.take(cancel_agreement, agreement, by=office.people["chen"], on=office.day(-120), reason=reason)
