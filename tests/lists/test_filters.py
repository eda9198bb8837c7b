"""Each filter of each list against the rows it leaves; a filter without a test here fails the last one."""

import datetime as dt
from copy import deepcopy
from typing import Any

import pytest
from django.http import QueryDict

from partnerships.factories import (
    DAY,
    NOON,
    AchievementFactory,
    ActivityCreditFactory,
    ActivityFactory,
    AgreementAreaFactory,
    AgreementFactory,
    AgreementPartyFactory,
    AgreementTermFactory,
    AgreementTypeFactory,
    AnswerFactory,
    AssociationFactory,
    AssociationMembershipFactory,
    ContactFactory,
    ContactNoteFactory,
    CooperationAreaFactory,
    CustodyStepFactory,
    DeliveryFactory,
    DemandFactory,
    EnterpriseFactory,
    EventFactory,
    EventKindFactory,
    FacilityFactory,
    HonourFactory,
    HonourSchemeFactory,
    InstitutionFactory,
    MilestoneFactory,
    OrganizationUnitFactory,
    ParticipationFactory,
    PaymentFactory,
    ProgrammeFactory,
    ProgrammeItemFactory,
    ProgrammeOrganizerFactory,
    RegionFactory,
    ReminderItemFactory,
    ReportedFigureFactory,
    ReportFactory,
    ReportTextFactory,
    SourceFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.lists import LISTS
from partnerships.lists.achievements import AchievementFilterSet
from partnerships.lists.activities import ActivityFilterSet
from partnerships.lists.agreements import AgreementFilterSet
from partnerships.lists.calendar import CalendarFilterSet
from partnerships.lists.demands import DemandFilterSet
from partnerships.lists.events import EventFilterSet
from partnerships.lists.facilities import FacilityFilterSet
from partnerships.lists.figures import FigureFilterSet
from partnerships.lists.filters import ActiveFilter
from partnerships.lists.honours import HonourFilterSet, HonourSchemeFilterSet, half_year_end
from partnerships.lists.mails import MailFilterSet
from partnerships.lists.milestones import MilestoneFilterSet
from partnerships.lists.organizations import OrganizationFilterSet
from partnerships.lists.payments import PaymentFilterSet, PaymentList
from partnerships.lists.programmes import ProgrammeFilterSet
from partnerships.lists.reports import ReportFilterSet
from partnerships.lists.sources import SourceFilterSet
from partnerships.models import (
    Achievement,
    Activity,
    Agreement,
    CountingRule,
    Delivery,
    Demand,
    Event,
    Facility,
    Honour,
    HonourScheme,
    Milestone,
    Organization,
    Programme,
    Report,
    ReportedFigure,
    Source,
)

pytestmark = pytest.mark.django_db


def days(count: int) -> str:
    """The day ``count`` days after ``DAY``, as it stands in an address."""
    return (DAY + dt.timedelta(days=count)).isoformat()


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
    parent, province, home = UnitFactory(name="Parent"), RegionFactory(), RegionFactory()
    county = RegionFactory(parent=RegionFactory(parent=province))
    forge = EnterpriseFactory(name="Forge Co., Ltd.", name_zh="锻造有限公司", country="DE", region=county)
    bank, ours = EnterpriseFactory(name="Bank"), InstitutionFactory(region=home)
    area, unit = CooperationAreaFactory(), UnitFactory(parent=parent, organization=ours)
    chamber = AssociationFactory(name="Chamber")
    kept = AgreementFactory(
        title="Kept alive",
        signed=True,
        coordinator=covered(unit),
        unit=unit,
        parties=[ours, forge, bank],
        areas=[area],
        through=AssociationFactory(name="Chain Association", part_of=chamber),
    )
    kept.parties.filter(organization=forge).update(liaison=ContactFactory(organization=forge, name="Li Wei"))
    giant = HonourFactory(organization=forge, valid_until=DAY).scheme
    ContactNoteFactory(agreement=kept, happened_on=DAY)
    long_ago = DAY - dt.timedelta(days=300)
    silent = AgreementFactory(
        title="Silent",
        signed=True,
        coordinator=UserFactory(**AWAY),
        signed_on=long_ago,
        with_term__ends_on=DAY + dt.timedelta(days=60),
    )
    Agreement.objects.filter(pk=silent.pk).update(signed_precision="month")
    MilestoneFactory(agreement=silent, due_on=DAY - dt.timedelta(days=1))
    CustodyStepFactory(agreement=silent, desk="Archive, shelf 3")
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
        "province": province,
        "home": home,
        "giant": giant,
        "chamber": chamber,
    }


AGREEMENT_CASES = {
    "q": ("q=kept", ["kept"]),
    "status": ("status=open", ["kept", "silent", "left"]),
    "type": ("type={left.type.pk}", ["left"]),
    "unit": ("unit={parent.pk}", ["kept"]),
    "coordinator": ("coordinator={silent.coordinator.pk}", ["silent"]),
    "area": ("area={area.pk}", ["kept"]),
    "party": ("party=锻造", ["kept"]),
    "kind": ("kind=institution", ["silent"]),
    "country": ("country=DE", ["kept"]),
    "region": ("region={province.pk}", ["kept"]),
    "honour": ("honour={giant.pk}", ["kept"]),
    "honoured": ("honoured=valid", ["kept"]),
    "signed_from": (f"signed_from={days(0)}", ["kept"]),
    "signed_until": (f"signed_until={days(-1)}", ["silent"]),
    "in_force_on": (f"in_force_on={days(-100)}", ["silent"]),
    "as_of": (f"as_of={days(-100)}&in_force=yes", ["silent"]),
    "ended_from": (f"as_of={days(61)}&ended_from={days(60)}", ["silent"]),
    "ended_until": (f"as_of={days(61)}&ended_until={days(60)}", ["silent"]),
    "ran_from": (f"ran_from={days(61)}", ["kept"]),
    "ran_until": (f"ran_until={days(-1)}", ["silent"]),
    "contact_from": (f"contact_from={days(0)}", ["kept"]),
    "contact_until": (f"contact_until={days(-300)}", ["silent"]),
    "beside": ("beside={parent.pk}.{silent.unit.pk}", ["left"]),
    "ends_from": (f"ends_from={days(61)}", ["kept"]),
    "ends_until": (f"ends_until={days(60)}", ["silent"]),
    "expiring": ("expiring=60", ["silent"]),
    "quiet_days": ("quiet_days=299", ["silent"]),
    "quiet_since": (f"quiet_since={days(-299)}", ["silent"]),
    "in_force": ("in_force=yes", ["kept", "silent"]),
    "quiet": ("quiet=yes", ["silent"]),
    "liaison": ("liaison=wei", ["kept"]),
    "paper": ("paper=archive", ["silent"]),
    "orphaned": ("orphaned=yes", ["left"]),
    "away": ("away=yes", ["silent"]),
    "overdue": ("overdue=yes", ["silent"]),
    "dates": ("dates=yes", ["silent"]),
    "to_confirm": ("to_confirm=yes", []),
    "mine": ("mine=yes", []),
    "organization": ("organization={forge.pk}", ["kept"]),
    "through": ("through=chain", ["kept"]),
    "arranged_by": ("arranged_by={chamber.pk}", ["kept"]),
    "under": ("under={kept.pk}", ["left"]),
    "figure": ("figure={figure.pk}", ["kept"]),
    "programme": ("programme={programme.pk}", ["kept"]),
    "of_programme": ("of_programme={programme.pk}", ["kept", "left"]),
}


@pytest.mark.both_databases
@pytest.mark.parametrize("name", AGREEMENT_CASES)
def test_agreements(name: str, agreements: dict[str, Any], staff: Any) -> None:
    query, expected = AGREEMENT_CASES[name]

    rows = found(AgreementFilterSet, Agreement, query.format(**agreements), staff)

    assert rows == [agreements[key] for key in expected]


@pytest.mark.parametrize("words", ["锻造", "forge CO", "ｆｏｒｇｅ", "chain association", "chamber"])
def test_words_find_an_agreement_by_its_partner(words: str, agreements: dict[str, Any], staff: Any) -> None:
    assert found(AgreementFilterSet, Agreement, f"q={words}", staff) == [agreements["kept"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("expiring=59", []),
        ("quiet_days=300", []),
        (f"quiet_since={days(-300)}", []),
        (f"in_force_on={days(61)}", ["kept"]),
        (f"ends_from={days(60)}&ends_until={days(60)}", ["silent"]),
        (f"as_of={days(60)}&ended_from={days(0)}", []),  # the last day of the term
        (f"as_of={days(60)}&ended_until={days(0)}", []),
        (f"ran_from={days(-300)}&ran_until={days(-300)}", ["silent"]),
        (f"ran_from={days(-302)}&ran_until={days(-301)}", []),
        (f"as_of={days(-120)}&quiet=yes", []),
        (f"as_of={days(-119)}&quiet=yes", ["silent"]),
        (f"signed_from={days(-300)}&signed_until={days(-300)}", ["silent"]),
        ("region={home.pk}", []),  # our own organization is a party of each, and tells nothing
        ("honour={giant.pk}&honoured=lapsing", ["kept"]),
    ],
)
def test_agreements_at_the_edges(query: str, expected: list[str], agreements: dict[str, Any], staff: Any) -> None:
    rows = found(AgreementFilterSet, Agreement, query.format(**agreements), staff)

    assert rows == [agreements[key] for key in expected]


@pytest.mark.both_databases
def test_the_end_is_that_of_the_last_term(staff: Any) -> None:
    renewed = AgreementFactory(signed=True, with_term__ends_on=DAY)
    AgreementTermFactory(agreement=renewed, number=2, starts_on=DAY + dt.timedelta(days=1))

    asked = [f"ends_until={days(0)}", f"ends_from={days(1)}"]

    assert [found(AgreementFilterSet, Agreement, query, staff) for query in asked] == [[], [renewed]]


def test_renewals_to_confirm_run_beyond_the_last_term_on_record(staff: Any) -> None:
    ended = DAY - dt.timedelta(days=1)
    signed: dict[str, Any] = {
        "signed": True,
        "signed_on": DAY - dt.timedelta(days=90),
        "with_term__renewal": "automatic",
    }
    renewed, _running = (AgreementFactory(**signed, with_term__ends_on=day) for day in (ended, DAY))

    assert found(AgreementFilterSet, Agreement, "to_confirm=yes", staff) == [renewed]


@pytest.mark.parametrize(
    ("filterset", "factory", "owner"),
    [
        (AgreementFilterSet, AgreementFactory, "coordinator"),
        (MilestoneFilterSet, MilestoneFactory, "owner"),
        (ActivityFilterSet, ActivityFactory, "owner"),
        (FacilityFilterSet, FacilityFactory, "owner"),
        (DemandFilterSet, DemandFactory, "owner"),
    ],
)
def test_mine_are_those_i_look_after(filterset: Any, factory: Any, owner: str, staff: Any) -> None:
    mine, _other = factory(**{owner: staff}), factory()

    assert found(filterset, type(mine), "mine=yes", staff) == [mine]


def test_our_own_organization_is_no_partner_unless_asked_for(staff: Any) -> None:
    ours, forge = InstitutionFactory(name="Our college"), EnterpriseFactory(name="Forge")
    UnitFactory(organization=ours)

    listed = [found(OrganizationFilterSet, Organization, query, staff) for query in ("", "ours=yes", "q=college")]

    assert listed == [[forge], [ours, forge], [ours]]


def test_a_range_that_ends_before_it_begins_is_named(staff: Any) -> None:
    data = QueryDict("signed_from=2026-06-01&signed_until=2026-05-01&ends_from=2026-05-01&ends_until=2026-05-01")

    asked = AgreementFilterSet(data, Agreement.objects.all(), user=staff, today=DAY)

    assert asked.reversed_ranges == [("Signed from", "Signed until")]


@pytest.mark.both_databases
def test_one_honour_has_the_title_and_lapses(staff: Any) -> None:
    forge = EnterpriseFactory()
    lasting = HonourFactory(organization=forge, valid_until=None).scheme
    lapsing = HonourFactory(organization=forge, valid_until=DAY).scheme
    withdrawn = HonourFactory(organization=forge, withdrawn=True).scheme

    asked = [f"honour={scheme.pk}&honoured={state}" for scheme in (lasting, lapsing) for state in ("valid", "lapsing")]
    asked += [f"honour={withdrawn.pk}"]

    listed = [found(OrganizationFilterSet, Organization, query, staff) for query in asked]
    assert listed == [[forge], [], [forge], [forge], []]


def test_filters_narrow_each_other(agreements: dict[str, Any], staff: Any) -> None:
    assert found(AgreementFilterSet, Agreement, "in_force=yes&quiet=yes", staff) == [agreements["silent"]]


@pytest.fixture
def milestones(staff: Any) -> dict[str, Any]:
    late = MilestoneFactory(title="Late report", due_on=DAY - dt.timedelta(days=2))
    agreement = late.agreement
    forge = EnterpriseFactory(name="Forge", name_zh="锻造", region=RegionFactory())
    AgreementPartyFactory(agreement=agreement, organization=forge)
    return {
        "area": AgreementAreaFactory(agreement=agreement).area,
        "programme": ProgrammeItemFactory(agreement=agreement).programme,
        "late": late,
        "forge": forge,
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
    "mine": ("mine=yes", []),
    "waits_for": ("waits_for={soon.owner.pk}", ["soon"]),
    "due": ("due=overdue", ["late"]),
    "due_from": (f"due_from={days(1)}", ["later"]),
    "due_until": (f"due_until={days(-1)}", ["late"]),
    "party": ("party=锻造", ["late", "soon"]),
    "partner": ("partner={forge.pk}", ["late", "soon"]),
    "type": ("type={later.agreement.type.pk}", ["later"]),
    "area": ("area={area.pk}", ["late", "soon"]),
    "of_programme": ("of_programme={programme.pk}", ["late", "soon"]),
    "region": ("region={forge.region.pk}", ["late", "soon"]),
    "as_of": (f"as_of={days(-1)}", ["late", "soon", "later", "met"]),
    "orphaned": ("orphaned=yes", ["later"]),
    "away": ("away=yes", ["soon"]),
    "agreement": ("agreement={later.agreement.pk}", ["later"]),
}


@pytest.mark.both_databases
@pytest.mark.parametrize("name", MILESTONE_CASES)
def test_milestones(name: str, milestones: dict[str, Any], staff: Any) -> None:
    query, expected = MILESTONE_CASES[name]

    rows = found(MilestoneFilterSet, Milestone, query.format(**milestones), staff)

    assert rows == [milestones[key] for key in expected]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["late", "soon", "later"]),
        ("status=all", ["late", "soon", "later", "met"]),
        ("due=week", ["soon"]),
        ("due=month", ["soon", "later"]),
        ("due=quarter", ["soon", "later"]),
        (f"as_of={days(0)}", ["late", "soon", "later"]),
        (f"as_of={days(-1)}&due=overdue", ["late"]),
        (f"as_of={days(-3)}&due=week", ["late", "soon"]),
    ],
)
def test_milestones_still_to_be_done_unless_asked(
    query: str, expected: list[str], milestones: dict[str, Any], staff: Any
) -> None:
    assert found(MilestoneFilterSet, Milestone, query, staff) == [milestones[key] for key in expected]


@pytest.mark.both_databases
@pytest.mark.parametrize("count", [1, 3])
def test_milestones_that_wait_for_several_leads(count: int, staff: Any, django_assert_num_queries: Any) -> None:
    leads = [UserFactory(name=f"Lead {number}", lead_in=UnitFactory()) for number in range(count)]
    submitted = [MilestoneFactory(submitted=True, unit=lead.memberships.get().unit) for lead in leads]
    own = MilestoneFactory(owner=leads[0])
    MilestoneFactory(submitted=True)

    # The people, four for the leads, the milestones.
    with django_assert_num_queries(6):
        assert found(MilestoneFilterSet, Milestone, "waits_for=lead", staff) == [*submitted, own]


@pytest.fixture
def activities(staff: Any) -> dict[str, Any]:
    province, area = RegionFactory(), CooperationAreaFactory()
    forge = EnterpriseFactory(name="Forge", region=RegionFactory(parent=province))
    visit = ActivityFactory(title="Visit to the forge", visit=True, owner=None, organizations=[forge])
    below = AgreementFactory(signed=True, parent=visit.agreement)
    chamber = AssociationFactory(name="Chamber")
    through = AssociationFactory(name="Chain Association", part_of=chamber)
    done = ActivityFactory(title="Course", completed=True, owner=staff, agreement=below, through=through)
    ActivityCreditFactory(activity=visit, area=area)
    ActivityCreditFactory(activity=visit, organization=forge)
    ActivityCreditFactory(activity=done, area=area, organization=forge)
    after = DAY + dt.timedelta(days=9)
    left = ActivityFactory(title="Talks", kind="meeting", owner=UserFactory(**AWAY), starts_on=after)
    programme = ProgrammeItemFactory(agreement=below).programme
    rows = {"left": left, "visit": visit, "done": done, "forge": forge, "area": area, "chamber": chamber}
    return {**rows, "province": province, "programme": programme}


ACTIVITY_CASES = {
    "q": ("q=course", ["done"]),
    "through": ("through=chain", ["done"]),
    "arranged_by": ("arranged_by={chamber.pk}", ["done"]),
    "status": ("status=unfinished", ["visit", "left"]),
    "orphaned": ("orphaned=yes", ["visit"]),
    "away": ("away=yes", ["left"]),
    "mine": ("mine=yes", ["done"]),
    "kind": ("kind=visit", ["visit"]),
    "unit": ("unit={done.unit.pk}", ["done"]),
    "owner": ("owner={done.owner.pk}", ["done"]),
    "party": ("party=forge", ["visit"]),
    "region": ("region={province.pk}", ["visit"]),
    "type": ("type={done.agreement.type.pk}", ["done"]),
    "of_programme": ("of_programme={programme.pk}", ["done"]),
    "on_from": (f"on_from={days(1)}", ["left"]),
    "on_until": (f"on_until={days(8)}", ["visit", "done"]),
    "completed_from": (f"completed_from={days(0)}", ["done"]),
    "completed_until": (f"completed_until={days(0)}", ["done"]),
    "area": ("area={area.pk}", ["visit", "done"]),
    "agreement": ("agreement={visit.agreement.pk}", ["visit"]),
    "framework": ("framework={visit.agreement.pk}", ["visit", "done"]),
    "credited": ("credited={forge.pk}", ["visit", "done"]),
    "organization": ("organization={forge.pk}", ["visit"]),
}


@pytest.mark.both_databases
@pytest.mark.parametrize("name", ACTIVITY_CASES)
def test_activities(name: str, activities: dict[str, Any], staff: Any) -> None:
    query, expected = ACTIVITY_CASES[name]

    rows = found(ActivityFilterSet, Activity, query.format(**activities), staff)

    assert rows == [activities[key] for key in expected]


def test_one_credit_has_the_area_and_the_organization(activities: dict[str, Any], staff: Any) -> None:
    query = "area={area.pk}&credited={forge.pk}".format(**activities)

    assert found(ActivityFilterSet, Activity, query, staff) == [activities["done"]]


@pytest.mark.both_databases
def test_what_takes_place_until_when(staff: Any) -> None:
    """A project without an end goes on until it is completed; a meeting is over with its day."""
    long, before = {"kind": "consulting", "starts_on": DAY - dt.timedelta(days=50)}, DAY - dt.timedelta(days=9)
    going, done = ActivityFactory(in_progress=True, **long), ActivityFactory(completed=True, **long)
    ended = ActivityFactory(kind="meeting", starts_on=before, ends_on=DAY)
    ActivityFactory(kind="meeting", starts_on=before)
    ActivityFactory(cancelled=True, **long)

    asked = [f"on_from={days(-8)}", f"on_from={days(1)}"]

    listed = [found(ActivityFilterSet, Activity, query, staff) for query in asked]
    assert listed == [[going, done, ended], [going]]


def test_activities_arisen_from_an_event_of_the_programme(staff: Any) -> None:
    event = EventFactory()
    programme = ProgrammeItemFactory(event=event).programme
    arisen = ActivityFactory(event=event)
    ActivityFactory()

    assert found(ActivityFilterSet, Activity, f"of_programme={programme.pk}", staff) == [arisen]


def test_activities_of_kinds_that_have_no_group_of_their_own(activities: dict[str, Any], staff: Any) -> None:
    rows = found(ActivityFilterSet, Activity, "kind=rest", staff)
    assert rows == [activities["done"], activities["left"]]


def test_activities_of_one_status(activities: dict[str, Any], staff: Any) -> None:
    assert found(ActivityFilterSet, Activity, "status=completed", staff) == [activities["done"]]


@pytest.fixture
def organizations() -> dict[str, Any]:
    province, unit = RegionFactory(name="Province"), UnitFactory()
    figure = ReportedFigureFactory(event=EventFactory(), counting_rule=CountingRule.EVENT_PARTICIPANTS)
    forge = EnterpriseFactory(name="Forge", name_zh="锻造厂", region=RegionFactory(parent=province))
    union = AssociationFactory(name="Union", name_zh="联盟")
    college = InstitutionFactory(name="College", country="DE")
    holder = OrganizationUnitFactory(organization=union, unit=unit)
    AssociationMembershipFactory(association=union, member=forge)
    AssociationMembershipFactory(association=union, member=college, until=DAY - dt.timedelta(days=1))
    AgreementFactory(unit=unit, signed=True, parties=[union, forge])
    AgreementFactory(signed=True, parties=[union, college])  # of another unit
    gone = EnterpriseFactory(name="Gone", archived_on=DAY)
    workshop = EnterpriseFactory(name="Workshop", part_of=EnterpriseFactory(name="Branch", part_of=college))
    for organization in (forge, union, gone):
        ParticipationFactory(event=figure.event, organization=organization)
    return {
        "forge": forge,
        "union": union,
        "gone": gone,
        "college": college,
        "branch": workshop.part_of,
        "workshop": workshop,
        "unit": unit,
        "keeper": holder.coordinator,
        "giant": HonourFactory(organization=forge).scheme,
        "province": province,
        "person": UserFactory(coordinator_in=unit),
        "figure": figure,
        "programme": ProgrammeItemFactory(event=figure.event).programme,
    }


ORGANIZATION_CASES = {
    "q": ("q=锻造", ["forge"]),
    "kind": ("kind=association", ["union"]),
    "region": ("region={province.pk}", ["forge"]),
    "unit": ("unit={unit.pk}", ["union"]),
    "coordinator": ("coordinator={keeper.pk}", ["union"]),
    "institution_type": ("institution_type=vocational_college", ["college"]),
    "country": ("country=DE", ["college"]),
    "part_of": ("part_of=college", ["branch", "workshop"]),
    "organization": ("organization={college.pk}", ["branch", "workshop"]),
    "member_of": ("member_of=联盟", ["forge"]),
    "honour": ("honour={giant.pk}", ["forge"]),
    "honoured": ("honoured=valid", ["forge"]),
    "in_force": ("in_force=yes", ["forge", "union"]),
    "of_programme": ("of_programme={programme.pk}", ["forge", "union"]),
    "mine": ("mine=yes", ["union"]),
    "ours": ("ours=yes", ["forge", "union", "college", "branch", "workshop"]),
    "archived": ("archived=yes", ["forge", "union", "college", "gone", "branch", "workshop"]),
    # What is counted is listed, archived or not.
    "figure": ("figure={figure.pk}", ["forge", "gone"]),
    "programme": ("programme={programme.pk}", ["forge", "gone"]),
}


@pytest.mark.both_databases
@pytest.mark.parametrize("name", ORGANIZATION_CASES)
def test_organizations(name: str, organizations: dict[str, Any]) -> None:
    query, expected = ORGANIZATION_CASES[name]
    person = organizations["person"]

    rows = found(OrganizationFilterSet, Organization, query.format(**organizations), person)

    assert rows == [organizations[key] for key in expected]


def test_the_organizers_of_a_programme_are_of_it(staff: Any) -> None:
    organizer = ProgrammeOrganizerFactory()
    ProgrammeOrganizerFactory()
    query = f"of_programme={organizer.programme_id}"

    assert found(OrganizationFilterSet, Organization, query, staff) == [organizer.organization]


def test_who_looks_after_an_organization_elsewhere_is_not_asked() -> None:
    elsewhere = OrganizationUnitFactory()
    viewer = UserFactory(viewer_in=UnitFactory())
    data = QueryDict(f"coordinator={elsewhere.coordinator.pk}")

    asked = OrganizationFilterSet(data, Organization.objects.visible_to(viewer), user=viewer, today=DAY)

    assert list(asked.form.errors) == ["coordinator"]


EVENT_CASES = {
    "q": ("q=meeting", ["meeting"]),
    "kind": ("kind=fair", ["fair"]),
    "region": ("region={province.pk}", ["fair"]),
    "unit": ("unit={meeting.unit.pk}", ["meeting"]),
    "on_from": (f"on_from={days(1)}", ["fair"]),
    "on_until": (f"on_until={days(-1)}", ["fair"]),
    "party": ("party=guest", ["fair"]),
    "programme": ("programme={programme.pk}", ["fair"]),
    "of_programme": ("of_programme={programme.pk}", ["fair"]),
    "organization": ("organization={guest.pk}", ["fair"]),
    "withdrawn": ("withdrawn=yes", ["never"]),
}


@pytest.mark.both_databases
@pytest.mark.parametrize("name", EVENT_CASES)
def test_events(name: str, staff: Any) -> None:
    """The fair goes on for days around that of the meeting."""
    query, expected = EVENT_CASES[name]
    province, day = RegionFactory(), dt.timedelta(days=1)
    region = RegionFactory(parent=province)
    meeting = EventFactory(name="Docking meeting", starts_on=DAY)
    fair = EventFactory(name="Spring fair", starts_on=DAY - day, ends_on=DAY + day, region=region)
    EventKindFactory(event=fair, kind="fair")
    guest = ParticipationFactory(event=fair, organization__name="Guest").organization
    programme = ProgrammeItemFactory(event=fair).programme
    never = EventFactory(name="Never held", withdrawn=True, starts_on=DAY)
    events = {"meeting": meeting, "fair": fair, "never": never}

    query = query.format(programme=programme, guest=guest, province=province, **events)

    assert found(EventFilterSet, Event, query, staff) == [events[key] for key in expected]


def test_who_took_part_is_found_by_the_name_as_printed(staff: Any) -> None:
    printed = ParticipationFactory(unresolved=True, name_as_printed="Huzhou Works")
    ParticipationFactory(unresolved=True)

    assert found(EventFilterSet, Event, "party=huzhou", staff) == [printed.event]


@pytest.fixture
def facilities(staff: Any) -> dict[str, Any]:
    figure = ReportedFigureFactory(event=EventFactory(), counting_rule=CountingRule.EVENT_EMPLOYMENT_BASES)
    forge = EnterpriseFactory(name="Forge")
    base = FacilityFactory(name="Base", opened=True, event=figure.event, partners=[forge], owner=UserFactory(**AWAY))
    programme = ProgrammeItemFactory(facility=base).programme
    province = RegionFactory()
    planned = FacilityFactory(
        name="Laboratory",
        kind="joint_laboratory",
        event=figure.event,
        owner=None,
        region=RegionFactory(parent=province),
        starts_on=DAY,
        ends_on=DAY + dt.timedelta(days=30),
    )
    ProgrammeItemFactory(programme=programme, facility=planned)
    under = AgreementFactory(signed=True)
    planned.agreement, planned.area = under, CooperationAreaFactory()
    planned.save()
    base.agreement, base.area = AgreementFactory(signed=True, parent=under), CooperationAreaFactory()
    base.save()
    return {
        "base": base,
        "planned": planned,
        "figure": figure,
        "programme": programme,
        "forge": forge,
        "under": under,
        "province": province,
    }


FACILITY_CASES = {
    "q": ("q=forge", ["base"]),
    "status": ("status=planned", ["planned"]),
    "kind": ("kind=joint_laboratory", ["planned"]),
    "orphaned": ("orphaned=yes", ["planned"]),
    "away": ("away=yes", ["base"]),
    "mine": ("mine=yes", []),
    "unit": ("unit={planned.unit.pk}", ["planned"]),
    "owner": ("owner={base.owner.pk}", ["base"]),
    "party": ("party=forge", ["base"]),
    "organization": ("organization={forge.pk}", ["base"]),
    "agreement": ("agreement={under.pk}", ["planned"]),
    "framework": ("framework={under.pk}", ["base", "planned"]),
    "area": ("area={planned.area.pk}", ["planned"]),
    "counts": ("counts=delivered", ["base"]),
    "credited": ("credited={forge.pk}", ["base"]),
    "region": ("region={province.pk}", ["planned"]),
    "opened_from": (f"opened_from={days(0)}", ["base"]),
    "opened_until": (f"opened_until={days(0)}", ["base"]),
    "ends_from": (f"ends_from={days(30)}", ["planned"]),
    "ends_until": (f"ends_until={days(30)}", ["planned"]),
    "of_programme": ("of_programme={programme.pk}", ["base", "planned"]),
    "figure": ("figure={figure.pk}", ["base"]),
    "programme": ("programme={programme.pk}", ["base"]),
}


@pytest.mark.parametrize("name", FACILITY_CASES)
def test_facilities(name: str, facilities: dict[str, Any], staff: Any) -> None:
    query, expected = FACILITY_CASES[name]

    rows = found(FacilityFilterSet, Facility, query.format(**facilities), staff)

    assert rows == [facilities[key] for key in expected]


@pytest.fixture
def demands(staff: Any) -> dict[str, Any]:
    figure = ReportedFigureFactory(event=EventFactory(), counting_rule=CountingRule.EVENT_DEMANDS)
    province, day = RegionFactory(), dt.timedelta(days=1)
    forge = EnterpriseFactory(name="Forge", region=RegionFactory(parent=province))
    chamber = AssociationFactory(name="Chamber")
    silent = DemandFactory(title="Not printed", unpublished=True, no_match=True, released_on=DAY - day)
    AnswerFactory(demand=silent)
    return {
        "hot": DemandFactory(
            title="Bearings run hot",
            organization=forge,
            event=figure.event,
            owner=UserFactory(**AWAY),
            field="Metallurgy 冶金",
            deadline_on=DAY + day,
        ),
        "silent": silent,
        "left": DemandFactory(
            title="Left alone",
            original_wording="A wish",
            owner=None,
            deadline_on=DAY,
            released_on=DAY - day,
            through=AssociationFactory(name="Chain Association", part_of=chamber),
        ),
        "chamber": chamber,
        "province": province,
        "figure": figure,
    }


DEMAND_CASES = {
    "q": ("q=bearings", ["hot"]),
    "status": ("status=pending", ["hot", "left"]),
    "orphaned": ("orphaned=yes", ["left"]),
    "away": ("away=yes", ["hot"]),
    "mine": ("mine=yes", []),
    "unit": ("unit={silent.unit.pk}", ["silent"]),
    "owner": ("owner={hot.owner.pk}", ["hot"]),
    "party": ("party=forge", ["hot"]),
    "through": ("through=chain", ["left"]),
    "arranged_by": ("arranged_by={chamber.pk}", ["left"]),
    "unpublished": ("unpublished=yes", ["silent"]),
    "unanswered": ("unanswered=yes", ["hot", "left"]),
    "field": ("field=冶金", ["hot"]),
    "region": ("region={province.pk}", ["hot"]),
    "deadline_from": (f"deadline_from={days(1)}", ["hot"]),
    "deadline_until": (f"deadline_until={days(0)}", ["left"]),
    "released_from": (f"released_from={days(0)}", ["hot"]),
    "released_until": (f"released_until={days(-1)}", ["silent", "left"]),
    "of_programme": ("of_programme={programme.pk}", ["silent"]),
    "organization": ("organization={hot.organization.pk}", ["hot"]),
    "figure": ("figure={figure.pk}", ["hot"]),
    "programme": ("programme={programme.pk}", ["silent"]),
}


@pytest.mark.parametrize("name", DEMAND_CASES)
def test_demands(name: str, demands: dict[str, Any], staff: Any) -> None:
    query, expected = DEMAND_CASES[name]
    demands["programme"] = ProgrammeItemFactory(demand=demands["silent"]).programme

    rows = found(DemandFilterSet, Demand, query.format(**demands), staff)

    assert rows == [demands[key] for key in expected]


@pytest.fixture
def payments() -> dict[str, Any]:
    forge = EnterpriseFactory(name="Forge", name_zh="锻造")
    kept = AgreementFactory(signed=True, parties=[InstitutionFactory(), forge])
    late = PaymentFactory(agreement=kept, purpose="Scholarship 奖学金", due_on=DAY - dt.timedelta(days=1))
    PaymentFactory(agreement=AgreementFactory(ready=True), purpose="Of a draft")
    return {
        "late": late,
        "software": PaymentFactory(purpose="Licenses", currency="USD", is_in_kind=True, due_on=DAY),
        "undated": PaymentFactory(purpose="Some day", due_on=None),
        "forge": forge,
    }


PAYMENT_CASES = {
    "q": ("q=奖学金", ["late"]),
    "state": ("state=overdue", ["late"]),
    "party": ("party=锻造", ["late"]),
    "unit": ("unit={late.agreement.unit.pk}", ["late"]),
    "currency": ("currency=USD", ["software"]),
    "due_from": (f"due_from={days(0)}", ["software"]),
    "due_until": (f"due_until={days(-1)}", ["late"]),
    "in_kind": ("in_kind=yes", ["software"]),
    "agreement": ("agreement={undated.agreement.pk}", ["undated"]),
    "organization": ("organization={forge.pk}", ["late"]),
}


@pytest.mark.both_databases
@pytest.mark.parametrize("name", PAYMENT_CASES)
def test_payments(name: str, payments: dict[str, Any], staff: Any) -> None:
    query, expected = PAYMENT_CASES[name]

    listed = PaymentList(QueryDict(query.format(**payments)), user=staff, today=DAY)

    assert listed.filterset.form.errors == {}
    assert sorted(listed.ids()) == sorted(payments[key].pk for key in expected)


@pytest.mark.both_databases
def test_follow_ups_and_demands_are_found_by_who_arranged_them(
    activities: dict[str, Any], demands: dict[str, Any], staff: Any
) -> None:
    assert found(ActivityFilterSet, Activity, "q=chain", staff) == [activities["done"]]
    assert found(DemandFilterSet, Demand, "q=chain", staff) == [demands["left"]]


def test_demands_of_one_status(demands: dict[str, Any], staff: Any) -> None:
    assert found(DemandFilterSet, Demand, "status=no_match", staff) == [demands["silent"]]


ACHIEVEMENT_CASES = {
    "q": ("q=cage", ["cage"]),
    "unit": ("unit={gone.unit.pk}", ["gone"]),
    "party": ("party=锻造", ["cage"]),
    "field": ("field=ceramics", ["cage"]),
    "on_offer": ("on_offer=yes", ["cage"]),
}


@pytest.mark.parametrize("name", ACHIEVEMENT_CASES)
def test_achievements(name: str, staff: Any) -> None:
    query, expected = ACHIEVEMENT_CASES[name]
    cage = AchievementFactory(name="Ceramic cage", field="Ceramics", organization__name_zh="锻造学院")
    rows = {"cage": cage, "gone": AchievementFactory(is_on_offer=False)}

    listed = found(AchievementFilterSet, Achievement, query.format(**rows), staff)

    assert listed == [rows[key] for key in expected]


PROGRAMME_CASES = {
    "q": ("q=action", ["action"]),
    "unit": ("unit={other.unit.pk}", ["other"]),
    "party": ("party=bureau", ["other"]),
    "on_from": (f"on_from={days(1)}", ["other"]),
    "on_until": (f"on_until={days(-1)}", ["other"]),
}


@pytest.mark.parametrize("name", PROGRAMME_CASES)
def test_programmes(name: str, staff: Any) -> None:
    """The other one has no dates: nobody knows that it is over."""
    query, expected = PROGRAMME_CASES[name]
    action = ProgrammeFactory(name="Action", starts_on=DAY, ends_on=DAY)
    rows = {"action": action, "other": ProgrammeOrganizerFactory().programme}

    listed = found(ProgrammeFilterSet, Programme, query.format(**rows), staff)

    assert listed == [rows[key] for key in expected]


REPORT_CASES = {
    "q": ("q=growth", ["school"]),
    "kind": ("kind=programme", ["programme"]),
    "year": ("year=2024", ["programme"]),
    "unit": ("unit={above.pk}", ["school"]),
    "status": ("status=draft", ["school", "programme"]),
}


@pytest.mark.parametrize("name", REPORT_CASES)
def test_reports(name: str, staff: Any) -> None:
    query, expected = REPORT_CASES[name]
    above = UnitFactory()
    school = ReportTextFactory(report__unit__parent=above, report__year=2026, text="Growth in all areas").report
    other = ReportFactory(kind="programme", programme=ProgrammeFactory(), year=2024)

    listed = found(ReportFilterSet, Report, query.format(above=above), staff)

    assert listed == [{"school": school, "programme": other}[key] for key in expected]


@pytest.fixture
def honours() -> dict[str, Any]:
    """``DAY`` lies in the first half of its year."""
    lower, province = HonourSchemeFactory(name="Cultivated", ladder=True), RegionFactory()
    forge = EnterpriseFactory(name="Forge", region=RegionFactory(parent=province))
    return {
        "province": province,
        "last": HonourFactory(valid_until=dt.date(DAY.year, 6, 30), scheme__level="municipal"),
        "after": HonourFactory(
            valid_until=dt.date(DAY.year, 7, 1),
            scheme=lower,
            organization=forge,
            granted_on=DAY - dt.timedelta(days=1),
        ),
        "withdrawn": HonourFactory(scheme=lower, withdrawn=True),
    }


HONOUR_CASES = {
    "q": ("q=cultivated", ["after"]),
    "scheme": ("scheme={after.scheme.pk}", ["after"]),
    "level": ("level=municipal", ["last"]),
    "party": ("party=forge", ["after"]),
    "organization": ("organization={last.organization.pk}", ["last"]),
    "region": ("region={province.pk}", ["after"]),
    "unit": ("unit={last.unit.pk}", ["last"]),
    "granted_from": (f"granted_from={days(0)}", ["last"]),
    "granted_until": (f"granted_until={days(-1)}", ["after"]),
    "lapses_from": (f"lapses_from={DAY.year}-07-01", ["after"]),
    "lapses_until": (f"lapses_until={DAY.year}-06-30", ["last"]),
    "valid": ("valid=yes", ["last", "after"]),
    "lapsing": ("lapsing=yes", ["last"]),
    "could_rise": ("could_rise=yes", ["after"]),
    "withdrawn": ("withdrawn=yes", ["withdrawn"]),
}


@pytest.mark.parametrize("name", HONOUR_CASES)
def test_honours(name: str, honours: dict[str, Any], staff: Any) -> None:
    query, expected = HONOUR_CASES[name]

    rows = found(HonourFilterSet, Honour, query.format(**honours), staff)

    assert rows == [honours[key] for key in expected]


@pytest.mark.parametrize(("month", "day"), [(1, 1), (6, 30)])
def test_the_first_half_year_ends_in_june(month: int, day: int) -> None:
    assert half_year_end(dt.date(2026, month, day)) == dt.date(2026, 6, 30)


@pytest.mark.parametrize(("month", "day"), [(7, 1), (12, 31)])
def test_the_second_half_year_ends_in_december(month: int, day: int) -> None:
    assert half_year_end(dt.date(2026, month, day)) == dt.date(2026, 12, 31)


SCHEME_CASES = {"q": ("q=giant ministry", ["giant"]), "level": ("level=municipal", ["city"])}


@pytest.mark.parametrize("name", SCHEME_CASES)
def test_honour_schemes(name: str, staff: Any) -> None:
    query, expected = SCHEME_CASES[name]
    rows = {
        "giant": HonourSchemeFactory(name="Little Giant", issuer="Ministry"),
        "city": HonourSchemeFactory(name="City giant", level="municipal"),
    }

    listed = found(HonourSchemeFilterSet, HonourScheme, query, staff)

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

    rows = found(FigureFilterSet, ReportedFigure, query.format(**figures), staff)

    assert rows == [figures[key] for key in expected]


SOURCE_CASES = {"q": ("q=news morning", ["news"])}


@pytest.mark.parametrize("name", SOURCE_CASES)
def test_sources(name: str, staff: Any) -> None:
    query, expected = SOURCE_CASES[name]
    rows = {"news": SourceFactory(title="Morning news"), "other": SourceFactory(title="Evening news")}

    assert found(SourceFilterSet, Source, query, staff) == [rows[key] for key in expected]


def test_a_list_takes_no_figure_that_counts_other_rows(figures: dict[str, Any], staff: Any) -> None:
    data = QueryDict(f"figure={figures['partly'].pk}")

    filterset = DemandFilterSet(data, Demand.objects.visible_to(staff), user=staff, today=DAY)

    assert list(filterset.form.errors) == ["figure"]


def test_choices_are_those_of_ones_scope(agreements: dict[str, Any]) -> None:
    kept = agreements["kept"]
    person = kept.coordinator

    filterset = AgreementFilterSet(QueryDict(""), Agreement.objects.visible_to(person), user=person, today=DAY)

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
        "expiring=0",
        "expiring=3651",
        "quiet_days=ten",
        "signed_from=2026-02-30",
        "in_force_on=0024-03-02",
        f"ends_until={'9' * 200}",
        "quiet_since=%00",
        "coordinator=%00",
        "coordinator=nobody of this name",
        f"coordinator={10**30}",
        f"coordinator={'a' * 10_000}",
        "region=x",
        "honoured=lapsed",
    ],
)
def test_a_bad_value_is_named_and_the_other_filters_stay(query: str, agreements: dict[str, Any], staff: Any) -> None:
    data = QueryDict(f"{query}&in_force=yes")

    filterset = AgreementFilterSet(data, Agreement.objects.visible_to(staff), user=staff, today=DAY)

    assert list(filterset.form.errors) == [query.partition("=")[0]]
    assert set(filterset.qs) == {agreements["kept"], agreements["silent"]}


def test_an_unknown_filter_is_named(agreements: dict[str, Any], staff: Any) -> None:
    data = QueryDict("coordinator__password__startswith=a&page=2&sort=title")

    filterset = AgreementFilterSet(data, Agreement.objects.visible_to(staff), user=staff, today=DAY)

    assert filterset.unknown == ["coordinator__password__startswith"]
    assert filterset.qs.count() == 3


def test_what_is_chosen_is_said_in_words_and_can_be_removed(agreements: dict[str, Any], staff: Any) -> None:
    data = QueryDict("status=signed&quiet=yes&page=3&sort=title")

    filterset = AgreementFilterSet(data, Agreement.objects.visible_to(staff), user=staff, today=DAY)

    assert filterset.form.errors == {}
    assert filterset.active == [
        ActiveFilter("Status", "Signed", "?quiet=yes&sort=title"),
        ActiveFilter("Without contact", "", "?status=signed&sort=title"),
    ]


@pytest.fixture
def mails(staff: Any) -> dict[str, Any]:
    agreement = AgreementFactory(title="Gears", signed=True)
    AgreementPartyFactory(agreement=agreement, organization=EnterpriseFactory(name="Forge", name_zh="锻造"))
    failed = ReminderItemFactory(
        plan__milestone=MilestoneFactory(title="Report 报告", agreement=agreement),
        person=UserFactory(name="Lin Hao"),
        delivery__failed=True,
    ).delivery
    held = ReminderItemFactory(
        plan__milestone=MilestoneFactory(
            title="Talks", kind="review", agreement__coordinator=staff, owner=UserFactory()
        ),
        delivery__status="held",
        delivery__queued_at=NOON + dt.timedelta(days=1),
    ).delivery
    to_staff = ReminderItemFactory(
        plan__milestone=MilestoneFactory(title="Seen", owner=None),
        person=staff,
        delivery__sent=True,
        delivery__queued_at=NOON + dt.timedelta(days=2),
    ).delivery
    return {"failed": failed, "held": held, "to_staff": to_staff, "agreement": agreement}


MAIL_CASES = {
    "q": ("q=报告", ["failed"]),
    "status": ("status=waiting", ["failed", "held"]),
    "person": ("person={failed.person.pk}", ["failed"]),
    "made_from": (f"made_from={days(1)}", ["held", "to_staff"]),
    "made_until": (f"made_until={days(0)}", ["failed"]),
    "unit": ("unit={agreement.unit.pk}", ["failed"]),
    "party": ("party=锻造", ["failed"]),
    "kind": ("kind=review", ["held"]),
    "mine": ("mine=yes", ["to_staff"]),
    "looked_after": ("looked_after=yes", ["held"]),
    "agreement": ("agreement={agreement.pk}", ["failed"]),
}


@pytest.mark.both_databases
@pytest.mark.parametrize("name", MAIL_CASES)
def test_mails(name: str, mails: dict[str, Any], staff: Any) -> None:
    query, expected = MAIL_CASES[name]

    rows = found(MailFilterSet, Delivery, query.format(**mails), staff)

    assert rows == [mails[key] for key in expected]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=lin", ["failed"]),
        ("q=forge", ["failed"]),
        ("party=gears", ["failed"]),
        ("status=held", ["held"]),
        (f"made_from={days(1)}&made_until={days(1)}", ["held"]),
    ],
)
def test_mails_at_the_edges(query: str, expected: list[str], mails: dict[str, Any], staff: Any) -> None:
    assert found(MailFilterSet, Delivery, query, staff) == [mails[key] for key in expected]


def test_a_digest_is_not_found_by_what_it_says_of_another_unit() -> None:
    ours, theirs = MilestoneFactory(title="Our report"), MilestoneFactory(title="Their secret", kind="review")
    digest = DeliveryFactory(kind="digest", digest_on=DAY, person=ours.owner)
    for milestone in (ours, theirs):
        ReminderItemFactory(plan__milestone=milestone, person=ours.owner, delivery=digest)
    person = UserFactory(lead_in=ours.unit)

    asked = ["q=report", "q=secret", "kind=review", "party=" + theirs.agreement.title]

    listed = [found(MailFilterSet, Delivery, query, person) for query in asked]
    assert listed == [[digest], [], [], []]


def test_what_was_typed_stands_in_its_field_and_days_and_people_in_words(
    agreements: dict[str, Any], staff: Any
) -> None:
    person = agreements["silent"].coordinator
    data = QueryDict(f"signed_until={days(-1)}&coordinator={person.pk}")

    filterset = AgreementFilterSet(data, Agreement.objects.visible_to(staff), user=staff, today=DAY)

    assert filterset.form.errors == {}
    assert [(chip.label, chip.value) for chip in filterset.active] == [
        ("Coordinator", str(person)),
        ("Signed until", "March 1, 2026"),
    ]
    assert f'value="{days(-1)}"' in str(filterset.form["signed_until"])


def test_regions_are_offered_down_from_the_province(agreements: dict[str, Any], staff: Any) -> None:
    RegionFactory()  # in which nobody is
    county = agreements["forge"].region

    form = AgreementFilterSet(QueryDict(), Agreement.objects.all(), user=staff, today=DAY).form

    offered = set(form.fields["region"].queryset)
    assert offered == {county, county.parent, agreements["province"], agreements["home"]}


def people_filter(query: str, person: Any) -> Any:
    rows = Milestone.objects.visible_to(person)
    return MilestoneFilterSet(QueryDict(query), rows, user=person, today=DAY)


@pytest.mark.both_databases
def test_more_people_than_a_drop_down_holds_are_asked_for_by_name(staff: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partnerships.lists.filter_fields.MOST_PEOPLE", 2)
    lin, liu = (MilestoneFactory(owner=UserFactory(name=name)) for name in ("Lin Hao", "Liu Hao 浩"))
    form = people_filter(f"owner={lin.owner.pk}", staff).form
    assert [f'<option value="{lin.owner.pk}" selected>' in str(form["owner"]) for _twice in range(2)] == [True, True]
    wang = MilestoneFactory(owner=UserFactory(name="Wang Hao"))

    asked = {words: people_filter(f"owner={words}", staff) for words in ("", lin.owner.pk, "li", "浩", "hao", "zhao")}

    assert {words: set(one.qs) for words, one in asked.items()} == {
        "": {lin, liu, wang},
        lin.owner.pk: {lin},
        "li": {lin, liu},
        "浩": {liu},
        "hao": {lin, liu, wang},
        "zhao": {lin, liu, wang},
    }
    assert [asked[words].form.errors.get("owner") for words in ("hao", "zhao")] == [
        ["Too many people are called “hao”: write more of the name."],
        ["Nobody here is called “zhao”."],
    ]
    assert asked["li"].active[0].value == "Lin Hao · Liu Hao 浩"
    assert list(people_filter(f"owner={'9' * 5000}", staff).form.errors) == ["owner"]
    shown = str(asked[lin.owner.pk].form["owner"])
    assert ['type="text"' in shown, 'value="Lin Hao"' in shown, "Wang" in shown] == [True, True, False]


def test_nobody_elses_people_are_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partnerships.lists.filter_fields.MOST_PEOPLE", 1)
    mine, other = (MilestoneFactory(owner=UserFactory(name=name)) for name in ("Lin Hao", "Lin Bo"))
    person = UserFactory(viewer_in=mine.unit)

    assert list(people_filter("owner=lin", person).qs) == [mine]
    assert list(people_filter(f"owner={other.owner_id}", person).form.errors) == ["owner"]


# By which filters what stands in a column is asked for: a new column fails here until there is one, or a reason.
FILTERED_BY: dict[str, dict[str, set[str]]] = {
    "achievement_list": {
        "achievement": {"q"},
        "organization": {"party"},
        "field": {"field"},
        "people": {"q"},
        "offer": {"on_offer"},
        "unit": {"unit"},
    },
    "activity_list": {
        "title": {"q"},
        "kind": {"kind"},
        "status": {"status"},
        "starts": {"on_from", "on_until"},
        "partners": {"party", "organization", "region"},
        "agreement": {"agreement", "framework"},
        "completed": {"completed_from", "completed_until"},
        "through": {"through", "arranged_by"},
        "owner": {"owner", "orphaned", "away", "mine"},
        "unit": {"unit"},
    },
    "agreement_list": {
        "title": {"q"},
        "partners": {"party", "organization", "country", "region", "kind", "honour"},
        "status": {"status", "in_force", "in_force_on"},
        "signed": {"signed_from", "signed_until"},
        "until": {"ends_from", "ends_until", "expiring", "ended_from", "ended_until", "ran_from", "ran_until"},
        "due": {"overdue"},
        "contact": {"quiet", "quiet_days", "quiet_since", "contact_from", "contact_until"},
        "reference": {"q"},
        "type": {"type"},
        "amount": set(),
        "currency": set(),
        "area": {"area"},
        "starts": {"in_force_on"},
        "notice": {"expiring"},
        "unit": {"unit"},
        "archive_number": {"q"},
        "paper": {"paper"},
        "paper_since": set(),  # the list sorts by it
        "delivered": {"area"},
        "liaisons": {"liaison"},
        "phones": {"liaison"},
        "through": {"through", "arranged_by"},
        "coordinator": {"coordinator", "orphaned", "away"},
    },
    "demand_list": {
        "demand": {"q"},
        "organization": {"party", "organization", "region"},
        "status": {"status"},
        "released": {"released_from", "released_until"},
        "deadline": {"deadline_from", "deadline_until"},
        "answers": {"unanswered"},
        "field": {"field"},
        "through": {"through", "arranged_by"},
        "owner": {"owner", "orphaned", "away", "mine"},
        "unit": {"unit"},
    },
    "event_list": {
        "event": {"q"},
        "date": {"on_from", "on_until"},
        "kinds": {"kind"},
        "region": {"region"},
        "participants": {"party", "organization"},
        "place": {"q"},
        "unit": {"unit"},
    },
    "facility_list": {
        "facility": {"q"},
        "area": {"area", "counts"},
        "kind": {"kind"},
        "partners": {"party", "organization", "credited"},
        "status": {"status"},
        "opened": {"opened_from", "opened_until"},
        "until": {"ends_from", "ends_until"},
        "site": {"q"},
        "owner": {"owner", "orphaned", "away", "mine"},
        "unit": {"unit"},
    },
    "honour_list": {
        "organization": {"party", "organization", "region"},
        "honour": {"scheme"},
        "level": {"level"},
        "granted": {"granted_from", "granted_until"},
        "until": {"lapses_from", "lapses_until", "valid", "lapsing"},
        "next": {"could_rise"},
        "batch": {"q"},
    },
    "mail_list": {
        "mail": {"q"},
        "reader": {"person", "mine"},
        "status": {"status"},
        "reason": {"status"},
        "about": {"party", "agreement", "kind", "unit", "looked_after"},
        "made": {"made_from", "made_until"},
        "sent": {"status"},
    },
    "milestone_list": {
        "partners": {"party", "partner"},
        "title": {"q"},
        "kind": {"kind"},
        "due": {"due", "due_from", "due_until"},
        "how_far": {"due"},
        "status": {"status"},
        "agreement": {"agreement", "party", "type", "area"},
        "owner": {"owner", "orphaned", "away"},
        "unit": {"unit"},
    },
    "organization_list": {
        "organization": {"q"},
        "part_of": {"part_of", "organization"},
        "kind": {"kind"},
        "country": {"country"},
        "region": {"region"},
        "holders": {"unit", "mine", "coordinator"},
        "industry": {"q"},
        "uscc": {"q"},
    },
    "payment_list": {
        "purpose": {"q"},
        "party": {"party", "organization"},
        "due": {"due_from", "due_until"},
        "how_far": {"state"},
        "amount": set(),
        "received": {"state"},
        "open": {"state"},
        "currency": {"currency"},
        "state": {"state"},
        "agreement": {"agreement"},
        "in_kind": {"in_kind"},
        "unit": {"unit"},
    },
    "programme_list": {
        "programme": {"q"},
        "starts": {"on_from"},
        "ends": {"on_until"},
        "events": set(),  # the event list has a filter for the programme
        "unit": {"unit"},
    },
    "report_list": {
        "report": {"q", "kind"},
        "year": {"year"},
        "unit": {"unit"},
        "edition": set(),
        "status": {"status"},
        "confirmed_by": set(),
        "confirmed_at": set(),  # the list sorts by it
    },
    "security_event_list": {
        "at": {"since", "until"},
        "kind": {"kind"},
        "person": {"person", "q"},
        "address": {"address"},
        "about": {"q"},
        "detail": {"q"},
    },
}
# Some dozens of rows, and what was printed: words find it.
CATALOGUES = {"figure_list", "honour_scheme_list", "source_list"}
# A cell of several rows, or a number counted for the shown rows: no one order is right, or none is cheap.
UNSORTED = {
    *("area", "how_far", "subject", "notice", "starts"),
    *("about", "partners", "holders", "kinds", "reason", "delivered", "liaisons", "phones", "paper"),
    *("answers", "events", "figures", "participants", "missing", "quotations", "recorded", "rule"),
    *("open", "state"),  # of payments
    "country",  # shown by its name, in the language of the reader; stored is its code
}


def test_what_stands_in_a_column_can_be_asked_for() -> None:
    columns = {key: {column.name for column in one.columns} for key, one in LISTS.items() if key not in CATALOGUES}
    filters = {key: set(LISTS[key].filterset_class.base_filters) for key in FILTERED_BY}

    assert {key: set(asked) for key, asked in FILTERED_BY.items()} == columns
    missing = {key: set().union(*asked.values()) - filters[key] for key, asked in FILTERED_BY.items()}
    assert {key: names for key, names in missing.items() if names} == {}


def test_every_column_sorts_unless_nothing_is_its_order() -> None:
    unsorted = {column.name for one in LISTS.values() for column in one.columns if not column.sort}

    assert unsorted == UNSORTED


@pytest.mark.parametrize("filterset", [one.filterset_class for one in LISTS.values()])
def test_what_stands_in_front_is_a_few(filterset: Any) -> None:
    assert set(filterset.FRONT) <= set(filterset.base_filters)
    assert len(filterset.FRONT) <= 4
    # A copy: a filter keeps the field it has made once, and those of the class are everybody's.
    hidden = {name for name, one in deepcopy(filterset.base_filters).items() if one.field.widget.is_hidden}
    assert filterset.FRONT or len(filterset.base_filters.keys() - hidden) <= 6


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
        kind: found(CalendarFilterSet, model, query, staff)
        for kind, model in (("milestone", Milestone), ("activity", Activity), ("event", Event))
    }

    assert {kind: ", ".join(sorted(map(str, those))) for kind, those in rows.items() if those} == expected


@pytest.mark.parametrize(
    ("filterset", "cases"),
    [
        (AgreementFilterSet, AGREEMENT_CASES),
        (MailFilterSet, MAIL_CASES),
        (MilestoneFilterSet, MILESTONE_CASES),
        (ActivityFilterSet, ACTIVITY_CASES),
        (OrganizationFilterSet, ORGANIZATION_CASES),
        (EventFilterSet, EVENT_CASES),
        (FacilityFilterSet, FACILITY_CASES),
        (DemandFilterSet, DEMAND_CASES),
        (PaymentFilterSet, PAYMENT_CASES),
        (AchievementFilterSet, ACHIEVEMENT_CASES),
        (ProgrammeFilterSet, PROGRAMME_CASES),
        (ReportFilterSet, REPORT_CASES),
        (HonourFilterSet, HONOUR_CASES),
        (HonourSchemeFilterSet, SCHEME_CASES),
        (FigureFilterSet, FIGURE_CASES),
        (SourceFilterSet, SOURCE_CASES),
        (CalendarFilterSet, CALENDAR_CASES),
    ],
)
def test_every_filter_has_a_test(filterset: Any, cases: dict[str, Any]) -> None:
    assert set(filterset.base_filters) == set(cases)
