"""Rules in the admin: who may make which, what is refused where, and the preview that saves nothing."""

import datetime as dt

import pytest
from django.urls import reverse

from partnerships.factories import (
    NOON,
    AgreementFactory,
    AgreementTypeFactory,
    CalendarDayFactory,
    MilestoneFactory,
    ReminderPlanFactory,
    ReminderRuleFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import ReminderMark, ReminderPlan, ReminderRule
from partnerships.statuses import PlanStatus
from tests.admin.forms import change_url, filled, save
from tests.services.drawing import undrawn

pytestmark = pytest.mark.django_db
ADD = reverse("admin:partnerships_reminderrule_add")


@pytest.fixture(autouse=True)
def noon(time_machine):
    """Monday 2 March 2026, eight in the evening in Shanghai."""
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def office(enter):
    return enter(UserFactory(staff=True))


def post(client, **fields):
    """The page for a new rule, filled with ``fields`` and saved; empty values leave a field empty."""
    return client.post(ADD, filled(undrawn(client, ADD)) | {"offset": "7", "milestone_kind": "agreement", **fields})


def test_all_rules_are_shown_by_kind_and_moment_above_the_list(office):
    ReminderRuleFactory(offset=30)
    ReminderRuleFactory(offset=0, audience="lead")
    ReminderRuleFactory(
        offset=5, direction="unanswered", audience="lead", unit=UnitFactory(name="North"), is_enabled=False
    )
    ReminderRuleFactory(milestone_kind="review", offset=0, direction="appears")
    ReminderRuleFactory(agreement=AgreementFactory())
    address = reverse("admin:partnerships_reminderrule_changelist")

    page = office.get(address)

    found = [
        (kind, [[(chip.offset, chip.reader, chip.scope) for chip in chips] for chips in cells])
        for kind, cells in page.context["matrix"]
    ]
    assert found == [
        (
            "Agreement milestone",
            [[], [("30 days", "owner", "")], [("", "leads", "")], [], [("5 working days", "leads", "North")]],
        ),
        ("Review", [[("", "owner", "")], [], [], [], []]),
    ]
    assert "switched off" in page.text
    assert "matrix" not in office.get(address, {"audience__exact": "lead"}).context


def ask(client, **fields):
    return post(client, _preview="", **fields).context.get("preview")


def due(days, **fields):
    return MilestoneFactory(due_on=NOON.date() + dt.timedelta(days=days), **fields)


def errors(response):
    return {name: list(problems) for name, problems in response.context["adminform"].form.errors.items()}


def test_a_preview_shows_the_reminders_and_saves_nothing(office):
    soon, later, _past, far = due(30), due(60), due(5), due(500)

    shown = ask(office)

    assert [(line.plan.milestone, line.at.isoformat()) for line in shown.lines] == [
        (soon, "2026-03-25T08:00:00+08:00"),
        (later, "2026-04-24T08:00:00+08:00"),
        (far, "2027-07-08T08:00:00+08:00"),
    ]
    assert [[one.reader for one in line.recipients] for line in shown.lines] == [
        [soon.owner],
        [later.owner],
        [far.owner],
    ]
    months = [(dt.date(2026, 3, 1), 1), (dt.date(2026, 4, 1), 1), (dt.date(2027, 7, 1), 1)]
    assert (shown.count, shown.months, shown.change) == (3, months, None)
    assert (ReminderRule.objects.count(), ReminderPlan.objects.count()) == (0, 0)


def test_a_preview_shows_the_first_mail_as_it_would_read(office):
    milestone = due(30, title="Open the laboratory", owner__language="en")

    wording = ask(office).wording

    assert wording.reader == milestone.owner
    assert "Open the laboratory" in wording.subject
    assert "in 7 days" in wording.subject
    assert "You own this milestone." in wording.text


def test_a_preview_of_what_is_wrong_says_what_is_wrong(office):
    response = post(office, _preview="", offset="1000000000")

    assert list(errors(response)) == ["offset"]
    assert "preview" not in response.context


def test_a_preview_of_a_change_keeps_the_rule_as_it_is_and_the_page_as_typed(office):
    rule = ReminderRuleFactory(offset=7)
    due(30)

    response = save(office, rule, _preview="", offset="14")

    assert [line.at.day for line in response.context["preview"].lines] == [18]
    assert response.context["adminform"].form["offset"].value() == "14"
    rule.refresh_from_db()
    assert (rule.offset, rule.version, rule.history.count()) == (7, 1, 1)
    assert save(office, rule, offset="14").status_code == 302


def test_a_preview_of_a_change_says_what_is_new_moved_and_gone(office):
    lead = UserFactory(lead_in=due(20).unit)
    rule = ReminderRuleFactory(offset=7)
    late = due(200)

    moved = save(office, rule, _preview="", offset="45").context["preview"]
    assert [(line.plan.milestone, line.change) for line in moved.lines] == [(late, "previously 2026-09-11 08:00")]
    assert (moved.change.before, moved.change.moved, moved.change.new, moved.change.dropped) == (2, 1, 0, 1)
    assert "moves 1, gives 0 to other readers and drops 1." in page_of(save(office, rule, _preview="", offset="45"))

    to_leads = save(office, rule, _preview="", audience="lead").context["preview"]
    assert to_leads.change.other_readers == 2
    assert [[one.reader for one in line.recipients] for line in to_leads.lines] == [[lead], []]

    other_kind = save(office, rule, _preview="", milestone_kind="review").context["preview"]
    assert (other_kind.count, other_kind.change.dropped) == (0, 2)


def page_of(response):
    return " ".join(response.content.decode().split())


def test_a_preview_leaves_out_what_was_mailed_already(office):
    rule = ReminderRuleFactory(offset=7)
    mailed, _open = due(30), due(31)
    ReminderPlanFactory(milestone=mailed, rule=rule, status=PlanStatus.EXPANDED)

    response = save(office, rule, _preview="", offset="8")

    assert [line.plan.milestone for line in response.context["preview"].lines] == [_open]


def test_an_override_says_what_it_replaces(office):
    general = ReminderRuleFactory(offset=3)
    agreement = AgreementFactory()
    due(30, agreement=agreement)
    due(31, agreement=agreement)
    due(32)

    shown = ask(office, agreement=agreement.pk)

    assert (shown.replaced, shown.count) == ([(general, 2)], 2)


def test_a_rule_to_nobody_shows_what_falls_silent(office):
    general = ReminderRuleFactory(offset=3)
    milestone = due(30)

    shown = ask(office, audience="nobody", agreement_type=milestone.agreement.type_id)

    assert (shown.replaced, shown.lines) == ([(general, 1)], [])


def test_a_preview_of_many_shows_the_first_and_counts_all(office):
    agreement = AgreementFactory()
    for day in range(10, 70):
        due(day, agreement=agreement)

    shown = ask(office)

    assert (len(shown.lines), shown.more, shown.count) == (50, 10, 60)


def test_a_preview_says_where_nobody_can_be_told(office):
    due(30, owner=None)

    shown = ask(office)

    assert (shown.count, shown.without_reader, shown.wording) == (0, 1, None)


@pytest.mark.parametrize("count", [1, 20])
def test_a_preview_costs_the_same_with_more_milestones(office, count, django_assert_max_num_queries):
    for _each in range(count):
        due(30)
    page = filled(office.get(ADD)) | {"offset": "7", "milestone_kind": "agreement", "_preview": ""}

    with django_assert_max_num_queries(41):
        assert office.post(ADD, page).context["preview"].count == count


def test_a_lead_sees_the_milestones_of_their_unit_alone(enter):
    milestone, _foreign = due(30), due(30)
    lead = enter(UserFactory(lead_in=milestone.unit))

    assert [line.plan.milestone for line in ask(lead, unit=milestone.unit_id).lines] == [milestone]


def test_a_lead_makes_rules_of_a_type_within_their_unit_and_of_their_agreements(enter):
    unit, agreement_type = UnitFactory(), AgreementTypeFactory()
    lead, agreement = enter(UserFactory(lead_in=unit)), AgreementFactory(unit=unit)

    post(lead, unit=unit.pk, agreement_type=agreement_type.pk)
    post(lead, agreement=agreement.pk)

    scopes = ReminderRule.objects.order_by("pk").values_list("unit", "agreement_type", "agreement")
    assert list(scopes) == [(unit.pk, agreement_type.pk, None), (None, None, agreement.pk)]


def test_a_lead_makes_no_rule_for_all_units_nor_for_another_units_agreement(enter):
    unit = UnitFactory()
    lead = enter(UserFactory(lead_in=unit))
    foreign, shared = AgreementFactory(), AgreementFactory()
    shared.participating_units.create(unit=unit)

    for_all = post(lead, agreement_type=AgreementTypeFactory().pk)
    assert errors(for_all) == {
        "unit": ["Rules for all units are the office's; choose a unit or an agreement."],
    }
    assert errors(post(lead, agreement=foreign.pk)) == {
        "agreement": ["Select a valid choice. That choice is not one of the available choices."]
    }
    assert errors(post(lead, agreement=shared.pk)) == {"agreement": ["Only a lead of its unit may do this."]}
    assert ReminderRule.objects.count() == 0


def test_a_rule_of_an_agreement_is_seen_by_those_who_see_it_and_edited_by_its_lead(enter):
    rule = ReminderRuleFactory(agreement=AgreementFactory())
    lead, stranger = UserFactory(lead_in=rule.agreement.unit), UserFactory(lead_in=UnitFactory())

    assert save(enter(lead), rule, offset="3").status_code == 302
    assert list(ReminderRule.objects.visible_to(stranger)) == []
    assert enter(stranger).get(change_url(rule)).status_code == 302  # not there
    rule.refresh_from_db()
    assert rule.offset == 3


def test_a_reader_gets_no_preview(enter):
    shared = AgreementFactory()
    reader = UserFactory(lead_in=UnitFactory())
    shared.participating_units.create(unit=reader.memberships.get().unit)
    rule = ReminderRuleFactory(agreement=shared)

    page = enter(reader).get(change_url(rule))

    assert "_preview" not in page.content.decode()
    assert enter(reader).post(change_url(rule), {"_preview": ""}).status_code == 403


def test_what_is_wrong_stands_on_its_field(office):
    inactive = UserFactory(is_active=False)
    ReminderRuleFactory(offset=7)

    assert list(errors(post(office, audience="named", named_person=inactive.pk))) == ["named_person"]
    assert list(errors(post(office, audience="nobody"))) == ["audience"]
    assert list(errors(post(office, direction="unanswered", offset="61"))) == ["offset"]
    assert errors(post(office)) == {"offset": ["There is such a rule already; two would remind twice."]}
    agreement = AgreementFactory()
    both = post(office, agreement=agreement.pk, agreement_type=agreement.type_id)
    assert list(errors(both)) == ["agreement"]


def test_a_preview_of_an_escalation_counts_what_is_without_an_answer_today(office):
    due(30)

    shown = ask(office, direction="unanswered", offset="5", audience="lead")

    assert (shown.count, shown.waits) == (0, True)


def test_a_calendar_is_edited_with_its_history(office):
    day = CalendarDayFactory()

    response = save(office, day.calendar, **{"days-0-name": "Spring Festival"})

    assert response.status_code == 302
    assert [row.name for row in day.history.all()] == ["Spring Festival", ""]
    assert day.history.first().history_user is not None


def test_nothing_is_marked_by_a_preview(office):
    due(30)
    marks = ReminderMark.objects.count()

    ask(office)

    assert ReminderMark.objects.count() == marks
