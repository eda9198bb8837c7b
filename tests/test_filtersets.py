"""Each filter of each list against the rows it leaves; a filter without a test here fails the last one."""

import datetime as dt
from typing import Any

import pytest
from django.http import QueryDict

from partnerships import filtersets
from partnerships.factories import (
    DAY,
    AchievementFactory,
    ActivityCreditFactory,
    ActivityFactory,
    AgreementFactory,
    AgreementTypeFactory,
    AssociationFactory,
    ContactNoteFactory,
    CooperationAreaFactory,
    DemandFactory,
    EnterpriseFactory,
    EventFactory,
    EventKindFactory,
    FacilityFactory,
    HonourFactory,
    HonourSchemeFactory,
    MilestoneFactory,
    ParticipationFactory,
    ProgrammeFactory,
    ProgrammeItemFactory,
    RegionFactory,
    ReportedFigureFactory,
    SourceFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import (
    Achievement,
    Activity,
    Agreement,
    CountingRule,
    Demand,
    Event,
    Facility,
    Honour,
    HonourScheme,
    Milestone,
    Organization,
    Programme,
    ReportedFigure,
    Source,
)

pytestmark = pytest.mark.django_db


def found(filterset: Any, rows: Any, query: str, user: Any) -> list[Any]:
    filtered = filterset(QueryDict(query), rows.objects.visible_to(user), user=user, today=DAY)
    assert filtered.form.errors == {}
    return sorted(filtered.qs, key=lambda row: row.pk)


@pytest.fixture
def staff() -> Any:
    return UserFactory(staff=True)


AWAY = {"absent_from": DAY - dt.timedelta(days=1), "absent_until": DAY + dt.timedelta(days=1)}


def covered(unit: Any) -> Any:
    """A coordinator of ``unit`` who is away, and whose deputy is there."""
    return UserFactory(**AWAY, deputy=UserFactory(), coordinator_in=unit)


@pytest.fixture
def agreements(staff: Any) -> dict[str, Any]:
    """Rows that differ from each other in what the filters ask for."""
    parent = UnitFactory(name="Parent")
    forge, bank = EnterpriseFactory(name="Forge Co., Ltd.", name_zh="锻造有限公司"), EnterpriseFactory(name="Bank")
    area, unit = CooperationAreaFactory(), UnitFactory(parent=parent)
    kept = AgreementFactory(
        title="Kept alive",
        signed=True,
        coordinator=covered(unit),
        unit=unit,
        parties=[forge, bank],
        areas=[area],
    )
    ContactNoteFactory(agreement=kept, happened_on=DAY)
    long_ago = DAY - dt.timedelta(days=300)
    silent = AgreementFactory(
        title="Silent",
        signed=True,
        coordinator=UserFactory(**AWAY),
        signed_on=long_ago,
        with_term__ends_on=DAY + dt.timedelta(days=60),
    )
    MilestoneFactory(agreement=silent, due_on=DAY - dt.timedelta(days=1))
    left = AgreementFactory(title="Left alone", orphaned=True, created_by=None, type=AgreementTypeFactory())
    figure = ReportedFigureFactory(event=EventFactory(), compared=True)
    kept.event = figure.event
    kept.save()
    left.parent = kept
    left.save()
    programme = ProgrammeItemFactory(agreement=kept).programme
    ProgrammeItemFactory(programme=programme, agreement=left)  # a draft: labelled, and not counted
    return {
        "kept": kept,
        "silent": silent,
        "left": left,
        "parent": parent,
        "area": area,
        "forge": forge,
        "figure": figure,
        "programme": programme,
    }


AGREEMENT_CASES = {
    "q": ("q=kept", ["kept"]),
    "status": ("status=signed", ["kept", "silent"]),
    "type": ("type={left.type.pk}", ["left"]),
    "unit": ("unit={parent.pk}", ["kept"]),
    "coordinator": ("coordinator={silent.coordinator.pk}", ["silent"]),
    "area": ("area={area.pk}", ["kept"]),
    "party": ("party=锻造", ["kept"]),
    "expiring": ("expiring=90", ["silent"]),
    "in_force": ("in_force=yes", ["kept", "silent"]),
    "quiet": ("quiet=yes", ["silent"]),
    "orphaned": ("orphaned=yes", ["left"]),
    "away": ("away=yes", ["silent"]),
    "overdue": ("overdue=yes", ["silent"]),
    "organization": ("organization={forge.pk}", ["kept"]),
    "under": ("under={kept.pk}", ["left"]),
    "figure": ("figure={figure.pk}", ["kept"]),
    "programme": ("programme={programme.pk}", ["kept"]),
}


@pytest.mark.parametrize("name", AGREEMENT_CASES)
def test_agreements(name: str, agreements: dict[str, Any], staff: Any) -> None:
    query, expected = AGREEMENT_CASES[name]

    rows = found(filtersets.AgreementFilterSet, Agreement, query.format(**agreements), staff)

    assert rows == [agreements[key] for key in expected]


@pytest.mark.parametrize("words", ["锻造", "forge CO", "ｆｏｒｇｅ"])
def test_words_find_an_agreement_by_its_partner(words: str, agreements: dict[str, Any], staff: Any) -> None:
    assert found(filtersets.AgreementFilterSet, Agreement, f"q={words}", staff) == [agreements["kept"]]


def test_filters_narrow_each_other(agreements: dict[str, Any], staff: Any) -> None:
    assert found(filtersets.AgreementFilterSet, Agreement, "in_force=yes&quiet=yes", staff) == [agreements["silent"]]


@pytest.fixture
def milestones(staff: Any) -> dict[str, Any]:
    late = MilestoneFactory(title="Late report", due_on=DAY - dt.timedelta(days=2))
    agreement = late.agreement
    return {
        "late": late,
        "soon": MilestoneFactory(
            title="Soon", due_on=DAY, kind="review", agreement=agreement, owner=UserFactory(**AWAY)
        ),
        "later": MilestoneFactory(title="Later", due_on=DAY + dt.timedelta(days=20), orphaned=True),
        "met": MilestoneFactory(title="Met", met=True, agreement=agreement),
    }


MILESTONE_CASES = {
    "q": ("q=report", ["late"]),
    "status": ("status=met", ["met"]),
    "kind": ("kind=review", ["soon"]),
    "unit": ("unit={late.unit.pk}", ["late", "soon"]),
    "owner": ("owner={soon.owner.pk}", ["soon"]),
    "due": ("due=overdue", ["late"]),
    "orphaned": ("orphaned=yes", ["later"]),
    "away": ("away=yes", ["soon"]),
    "agreement": ("agreement={later.agreement.pk}", ["later"]),
}


@pytest.mark.parametrize("name", MILESTONE_CASES)
def test_milestones(name: str, milestones: dict[str, Any], staff: Any) -> None:
    query, expected = MILESTONE_CASES[name]

    rows = found(filtersets.MilestoneFilterSet, Milestone, query.format(**milestones), staff)

    assert rows == [milestones[key] for key in expected]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["late", "soon", "later"]),
        ("status=all", ["late", "soon", "later", "met"]),
        ("due=week", ["soon"]),
        ("due=month", ["soon", "later"]),
        ("due=quarter", ["soon", "later"]),
    ],
)
def test_milestones_still_to_be_done_unless_asked(
    query: str, expected: list[str], milestones: dict[str, Any], staff: Any
) -> None:
    assert found(filtersets.MilestoneFilterSet, Milestone, query, staff) == [milestones[key] for key in expected]


@pytest.fixture
def activities(staff: Any) -> dict[str, Any]:
    forge, area = EnterpriseFactory(name="Forge"), CooperationAreaFactory()
    visit = ActivityFactory(title="Visit to the forge", visit=True, owner=None, organizations=[forge])
    below = AgreementFactory(signed=True, parent=visit.agreement)
    done = ActivityFactory(title="Course", completed=True, owner=staff, agreement=below)
    ActivityCreditFactory(activity=visit, area=area)
    ActivityCreditFactory(activity=visit, organization=forge)
    ActivityCreditFactory(activity=done, area=area, organization=forge)
    left = ActivityFactory(title="Talks", kind="meeting", owner=UserFactory(**AWAY))
    return {"left": left, "visit": visit, "done": done, "forge": forge, "area": area}


ACTIVITY_CASES = {
    "q": ("q=course", ["done"]),
    "status": ("status=unfinished", ["visit", "left"]),
    "orphaned": ("orphaned=yes", ["visit"]),
    "away": ("away=yes", ["left"]),
    "kind": ("kind=visit", ["visit"]),
    "unit": ("unit={done.unit.pk}", ["done"]),
    "owner": ("owner={done.owner.pk}", ["done"]),
    "party": ("party=forge", ["visit"]),
    "area": ("area={area.pk}", ["visit", "done"]),
    "agreement": ("agreement={visit.agreement.pk}", ["visit"]),
    "framework": ("framework={visit.agreement.pk}", ["visit", "done"]),
    "credited": ("credited={forge.pk}", ["visit", "done"]),
    "organization": ("organization={forge.pk}", ["visit"]),
}


@pytest.mark.parametrize("name", ACTIVITY_CASES)
def test_activities(name: str, activities: dict[str, Any], staff: Any) -> None:
    query, expected = ACTIVITY_CASES[name]

    rows = found(filtersets.ActivityFilterSet, Activity, query.format(**activities), staff)

    assert rows == [activities[key] for key in expected]


def test_one_credit_has_the_area_and_the_organization(activities: dict[str, Any], staff: Any) -> None:
    query = "area={area.pk}&credited={forge.pk}".format(**activities)

    assert found(filtersets.ActivityFilterSet, Activity, query, staff) == [activities["done"]]


def test_activities_of_one_status(activities: dict[str, Any], staff: Any) -> None:
    assert found(filtersets.ActivityFilterSet, Activity, "status=completed", staff) == [activities["done"]]


@pytest.fixture
def organizations() -> dict[str, Any]:
    province, unit = RegionFactory(name="Province"), UnitFactory()
    figure = ReportedFigureFactory(event=EventFactory(), counting_rule=CountingRule.EVENT_PARTICIPANTS)
    forge = EnterpriseFactory(name="Forge", name_zh="锻造厂", region=RegionFactory(parent=province))
    union = AssociationFactory(name="Union", held_by=unit)
    gone = EnterpriseFactory(name="Gone", archived_on=DAY)
    for organization in (forge, union, gone):
        ParticipationFactory(event=figure.event, organization=organization)
    return {
        "forge": forge,
        "union": union,
        "gone": gone,
        "province": province,
        "person": UserFactory(coordinator_in=unit),
        "figure": figure,
        "programme": ProgrammeItemFactory(event=figure.event).programme,
    }


ORGANIZATION_CASES = {
    "q": ("q=锻造", ["forge"]),
    "kind": ("kind=association", ["union"]),
    "region": ("region={province.pk}", ["forge"]),
    "mine": ("mine=yes", ["union"]),
    "archived": ("archived=yes", ["forge", "union", "gone"]),
    # What is counted is listed, archived or not.
    "figure": ("figure={figure.pk}", ["forge", "gone"]),
    "programme": ("programme={programme.pk}", ["forge", "gone"]),
}


@pytest.mark.parametrize("name", ORGANIZATION_CASES)
def test_organizations(name: str, organizations: dict[str, Any]) -> None:
    query, expected = ORGANIZATION_CASES[name]
    person = organizations["person"]

    rows = found(filtersets.OrganizationFilterSet, Organization, query.format(**organizations), person)

    assert rows == [organizations[key] for key in expected]


EVENT_CASES = {
    "q": ("q=meeting", ["meeting"]),
    "kind": ("kind=fair", ["fair"]),
    "programme": ("programme={programme.pk}", ["fair"]),
    "organization": ("organization={guest.pk}", ["fair"]),
}


@pytest.mark.parametrize("name", EVENT_CASES)
def test_events(name: str, staff: Any) -> None:
    query, expected = EVENT_CASES[name]
    events = {"meeting": EventFactory(name="Docking meeting"), "fair": EventFactory(name="Spring fair")}
    EventKindFactory(event=events["fair"], kind="fair")

    programme = ProgrammeItemFactory(event=events["fair"]).programme
    guest = ParticipationFactory(event=events["fair"]).organization
    rows = found(filtersets.EventFilterSet, Event, query.format(programme=programme, guest=guest), staff)

    assert rows == [events[key] for key in expected]


@pytest.fixture
def facilities(staff: Any) -> dict[str, Any]:
    figure = ReportedFigureFactory(event=EventFactory(), counting_rule=CountingRule.EVENT_EMPLOYMENT_BASES)
    forge = EnterpriseFactory(name="Forge")
    base = FacilityFactory(name="Base", opened=True, event=figure.event, partners=[forge], owner=UserFactory(**AWAY))
    programme = ProgrammeItemFactory(facility=base).programme
    planned = FacilityFactory(name="Laboratory", kind="joint_laboratory", event=figure.event, owner=None)
    ProgrammeItemFactory(programme=programme, facility=planned)
    under = AgreementFactory()
    planned.agreement = under
    planned.save()
    return {
        "base": base,
        "planned": planned,
        "figure": figure,
        "programme": programme,
        "forge": forge,
        "under": under,
    }


FACILITY_CASES = {
    "q": ("q=forge", ["base"]),
    "status": ("status=planned", ["planned"]),
    "kind": ("kind=joint_laboratory", ["planned"]),
    "orphaned": ("orphaned=yes", ["planned"]),
    "away": ("away=yes", ["base"]),
    "unit": ("unit={planned.unit.pk}", ["planned"]),
    "owner": ("owner={base.owner.pk}", ["base"]),
    "party": ("party=forge", ["base"]),
    "organization": ("organization={forge.pk}", ["base"]),
    "agreement": ("agreement={under.pk}", ["planned"]),
    "figure": ("figure={figure.pk}", ["base"]),
    "programme": ("programme={programme.pk}", ["base"]),
}


@pytest.mark.parametrize("name", FACILITY_CASES)
def test_facilities(name: str, facilities: dict[str, Any], staff: Any) -> None:
    query, expected = FACILITY_CASES[name]

    rows = found(filtersets.FacilityFilterSet, Facility, query.format(**facilities), staff)

    assert rows == [facilities[key] for key in expected]


@pytest.fixture
def demands(staff: Any) -> dict[str, Any]:
    figure = ReportedFigureFactory(event=EventFactory(), counting_rule=CountingRule.EVENT_DEMANDS)
    forge = EnterpriseFactory(name="Forge")
    return {
        "hot": DemandFactory(
            title="Bearings run hot", organization=forge, event=figure.event, owner=UserFactory(**AWAY)
        ),
        "silent": DemandFactory(title="Not printed", unpublished=True, no_match=True),
        "left": DemandFactory(title="Left alone", original_wording="A wish", owner=None),
        "figure": figure,
    }


DEMAND_CASES = {
    "q": ("q=bearings", ["hot"]),
    "status": ("status=pending", ["hot", "left"]),
    "orphaned": ("orphaned=yes", ["left"]),
    "away": ("away=yes", ["hot"]),
    "unit": ("unit={silent.unit.pk}", ["silent"]),
    "owner": ("owner={hot.owner.pk}", ["hot"]),
    "party": ("party=forge", ["hot"]),
    "unpublished": ("unpublished=yes", ["silent"]),
    "organization": ("organization={hot.organization.pk}", ["hot"]),
    "figure": ("figure={figure.pk}", ["hot"]),
    "programme": ("programme={programme.pk}", ["silent"]),
}


@pytest.mark.parametrize("name", DEMAND_CASES)
def test_demands(name: str, demands: dict[str, Any], staff: Any) -> None:
    query, expected = DEMAND_CASES[name]
    demands["programme"] = ProgrammeItemFactory(demand=demands["silent"]).programme

    rows = found(filtersets.DemandFilterSet, Demand, query.format(**demands), staff)

    assert rows == [demands[key] for key in expected]


def test_demands_of_one_status(demands: dict[str, Any], staff: Any) -> None:
    assert found(filtersets.DemandFilterSet, Demand, "status=no_match", staff) == [demands["silent"]]


ACHIEVEMENT_CASES = {
    "q": ("q=cage", ["cage"]),
    "unit": ("unit={gone.unit.pk}", ["gone"]),
    "on_offer": ("on_offer=yes", ["cage"]),
}


@pytest.mark.parametrize("name", ACHIEVEMENT_CASES)
def test_achievements(name: str, staff: Any) -> None:
    query, expected = ACHIEVEMENT_CASES[name]
    rows = {"cage": AchievementFactory(name="Ceramic cage"), "gone": AchievementFactory(is_on_offer=False)}

    listed = found(filtersets.AchievementFilterSet, Achievement, query.format(**rows), staff)

    assert listed == [rows[key] for key in expected]


PROGRAMME_CASES = {"q": ("q=action", ["action"]), "unit": ("unit={other.unit.pk}", ["other"])}


@pytest.mark.parametrize("name", PROGRAMME_CASES)
def test_programmes(name: str, staff: Any) -> None:
    query, expected = PROGRAMME_CASES[name]
    rows = {"action": ProgrammeFactory(name="Action"), "other": ProgrammeFactory()}

    listed = found(filtersets.ProgrammeFilterSet, Programme, query.format(**rows), staff)

    assert listed == [rows[key] for key in expected]


@pytest.fixture
def honours() -> dict[str, Any]:
    """``DAY`` lies in the first half of its year."""
    lower = HonourSchemeFactory(name="Cultivated", ladder=True)
    forge = EnterpriseFactory(name="Forge")
    return {
        "last": HonourFactory(valid_until=dt.date(DAY.year, 6, 30), scheme__level="municipal"),
        "after": HonourFactory(valid_until=dt.date(DAY.year, 7, 1), scheme=lower, organization=forge),
        "withdrawn": HonourFactory(scheme=lower, withdrawn=True),
    }


HONOUR_CASES = {
    "q": ("q=cultivated", ["after"]),
    "scheme": ("scheme={after.scheme.pk}", ["after"]),
    "level": ("level=municipal", ["last"]),
    "party": ("party=forge", ["after"]),
    "organization": ("organization={last.organization.pk}", ["last"]),
    "lapsing": ("lapsing=yes", ["last"]),
    "could_rise": ("could_rise=yes", ["after"]),
    "withdrawn": ("withdrawn=yes", ["withdrawn"]),
}


@pytest.mark.parametrize("name", HONOUR_CASES)
def test_honours(name: str, honours: dict[str, Any], staff: Any) -> None:
    query, expected = HONOUR_CASES[name]

    rows = found(filtersets.HonourFilterSet, Honour, query.format(**honours), staff)

    assert rows == [honours[key] for key in expected]


@pytest.mark.parametrize(("month", "day"), [(1, 1), (6, 30)])
def test_the_first_half_year_ends_in_june(month: int, day: int) -> None:
    assert filtersets.half_year_end(dt.date(2026, month, day)) == dt.date(2026, 6, 30)


@pytest.mark.parametrize(("month", "day"), [(7, 1), (12, 31)])
def test_the_second_half_year_ends_in_december(month: int, day: int) -> None:
    assert filtersets.half_year_end(dt.date(2026, month, day)) == dt.date(2026, 12, 31)


SCHEME_CASES = {"q": ("q=giant ministry", ["giant"]), "level": ("level=municipal", ["city"])}


@pytest.mark.parametrize("name", SCHEME_CASES)
def test_honour_schemes(name: str, staff: Any) -> None:
    query, expected = SCHEME_CASES[name]
    rows = {
        "giant": HonourSchemeFactory(name="Little Giant", issuer="Ministry"),
        "city": HonourSchemeFactory(name="City giant", level="municipal"),
    }

    listed = found(filtersets.HonourSchemeFilterSet, HonourScheme, query, staff)

    assert listed == [rows[key] for key in expected]


@pytest.fixture
def figures() -> dict[str, Any]:
    whole = ReportedFigureFactory(name="All of them", value=1, compared=True)
    AgreementFactory(event=whole.event, signed=True)
    return {
        "whole": whole,
        "partly": ReportedFigureFactory(name="Some of them", compared=True),
        "share": ReportedFigureFactory(name="A part of the city", share=True),
    }


FIGURE_CASES = {
    "q": ("q=1/3 more", ["share"]),
    "source": ("source={partly.source.pk}", ["partly"]),
    "measure": ("measure=share", ["share"]),
    "compared": ("compared=yes", ["whole", "partly"]),
    "to_register": ("to_register=yes", ["partly"]),
}


@pytest.mark.parametrize("name", FIGURE_CASES)
def test_figures(name: str, figures: dict[str, Any], staff: Any) -> None:
    query, expected = FIGURE_CASES[name]

    rows = found(filtersets.FigureFilterSet, ReportedFigure, query.format(**figures), staff)

    assert rows == [figures[key] for key in expected]


SOURCE_CASES = {"q": ("q=news morning", ["news"])}


@pytest.mark.parametrize("name", SOURCE_CASES)
def test_sources(name: str, staff: Any) -> None:
    query, expected = SOURCE_CASES[name]
    rows = {"news": SourceFactory(title="Morning news"), "other": SourceFactory(title="Evening news")}

    assert found(filtersets.SourceFilterSet, Source, query, staff) == [rows[key] for key in expected]


def test_a_list_takes_no_figure_that_counts_other_rows(figures: dict[str, Any], staff: Any) -> None:
    data = QueryDict(f"figure={figures['partly'].pk}")

    filterset = filtersets.DemandFilterSet(data, Demand.objects.visible_to(staff), user=staff, today=DAY)

    assert list(filterset.form.errors) == ["figure"]


def test_choices_are_those_of_ones_scope(agreements: dict[str, Any]) -> None:
    kept = agreements["kept"]
    person = kept.coordinator

    filterset = filtersets.AgreementFilterSet(
        QueryDict(""), Agreement.objects.visible_to(person), user=person, today=DAY
    )

    assert list(filterset.form.fields["unit"].queryset) == [kept.unit]
    assert list(filterset.form.fields["coordinator"].queryset) == [person]


@pytest.mark.parametrize(
    "query",
    [
        "status=bogus",
        "quiet=maybe",
        "unit=999999",
        "type=x",
        "expiring=-1",
        "q=%00",
        f"q={'a' * 201}",
        f"area={10**30}",
    ],
)
def test_a_bad_value_is_named_and_the_other_filters_stay(query: str, agreements: dict[str, Any], staff: Any) -> None:
    data = QueryDict(f"{query}&in_force=yes")

    filterset = filtersets.AgreementFilterSet(data, Agreement.objects.visible_to(staff), user=staff, today=DAY)

    assert list(filterset.form.errors) == [query.partition("=")[0]]
    assert set(filterset.qs) == {agreements["kept"], agreements["silent"]}


def test_an_unknown_filter_is_named(agreements: dict[str, Any], staff: Any) -> None:
    data = QueryDict("coordinator__password__startswith=a&page=2&sort=title")

    filterset = filtersets.AgreementFilterSet(data, Agreement.objects.visible_to(staff), user=staff, today=DAY)

    assert filterset.unknown == ["coordinator__password__startswith"]
    assert filterset.qs.count() == 3


def test_what_is_chosen_is_said_in_words_and_can_be_removed(agreements: dict[str, Any], staff: Any) -> None:
    data = QueryDict("status=signed&quiet=yes&page=3&sort=title")

    filterset = filtersets.AgreementFilterSet(data, Agreement.objects.visible_to(staff), user=staff, today=DAY)

    assert filterset.form.errors == {}
    assert filterset.chosen == [
        {"label": "Status", "value": "Signed", "without": "?quiet=yes&sort=title"},
        {"label": "Quiet", "value": "", "without": "?status=signed&sort=title"},
    ]


CALENDAR_CASES: dict[str, list[tuple[str, dict[str, str]]]] = {
    "q": [("q=forge", {"milestone": "Forge report", "activity": "Forge visit", "event": "Forge fair"})],
    "kind": [
        ("kind=milestone", {"milestone": "Bank report, Forge report"}),
        ("kind=activity", {"activity": "Bank visit, Forge visit"}),
        ("kind=event", {"event": "Bank fair, Forge fair"}),
    ],
    "unit": [
        ("unit={parent}", {"milestone": "Forge report", "activity": "Forge visit", "event": "Forge fair"}),
    ],
    "owner": [("owner={lin}", {"milestone": "Forge report", "activity": "Forge visit"})],
    "mine": [("mine=yes", {"milestone": "Bank report", "activity": "Bank visit"})],
}


@pytest.mark.parametrize(("query", "expected"), [case for cases in CALENDAR_CASES.values() for case in cases])
def test_calendar_filters(query: str, expected: dict[str, str], staff: Any) -> None:
    parent, lin = UnitFactory(), UserFactory()
    for name, unit, owner in (("Forge", UnitFactory(parent=parent), lin), ("Bank", UnitFactory(), staff)):
        MilestoneFactory(title=f"{name} report", agreement__unit=unit, owner=owner)
        ActivityFactory(title=f"{name} visit", agreement__unit=unit, owner=owner)
        EventFactory(name=f"{name} fair", unit=unit)
    query = query.format(parent=parent.pk, lin=lin.pk)

    rows = {
        kind: found(filtersets.CalendarFilterSet, model, query, staff)
        for kind, model in (("milestone", Milestone), ("activity", Activity), ("event", Event))
    }

    assert {kind: ", ".join(sorted(map(str, those))) for kind, those in rows.items() if those} == expected


@pytest.mark.parametrize(
    ("filterset", "cases"),
    [
        (filtersets.AgreementFilterSet, AGREEMENT_CASES),
        (filtersets.MilestoneFilterSet, MILESTONE_CASES),
        (filtersets.ActivityFilterSet, ACTIVITY_CASES),
        (filtersets.OrganizationFilterSet, ORGANIZATION_CASES),
        (filtersets.EventFilterSet, EVENT_CASES),
        (filtersets.FacilityFilterSet, FACILITY_CASES),
        (filtersets.DemandFilterSet, DEMAND_CASES),
        (filtersets.AchievementFilterSet, ACHIEVEMENT_CASES),
        (filtersets.ProgrammeFilterSet, PROGRAMME_CASES),
        (filtersets.HonourFilterSet, HONOUR_CASES),
        (filtersets.HonourSchemeFilterSet, SCHEME_CASES),
        (filtersets.FigureFilterSet, FIGURE_CASES),
        (filtersets.SourceFilterSet, SOURCE_CASES),
        (filtersets.CalendarFilterSet, CALENDAR_CASES),
    ],
)
def test_every_filter_has_a_test(filterset: Any, cases: dict[str, Any]) -> None:
    assert set(filterset.base_filters) == set(cases)
