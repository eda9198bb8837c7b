"""The sample looks like an office at work, is marked as sample throughout, and its people can work."""

import datetime as dt
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from partnerships.demo.documents import pdf
from partnerships.models import (
    Activity,
    Agreement,
    Answer,
    Demand,
    DemandOutcome,
    Facility,
    Honour,
    Milestone,
    Organization,
    ReportedFigure,
    StatusChange,
    User,
    quiet_agreements,
)
from partnerships.models.drafts import people_behind_draft
from partnerships.permissions import may
from partnerships.reports.figures import with_recorded
from partnerships.statuses import ActivityStatus, AgreementStatus, DemandStatus, MilestoneStatus
from tests.seeding.conftest import NOW, PASSWORD, TODAY, sample_of
from tests.views.sections import whole_page

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_every_status_is_there(sample: None) -> None:
    assert set(sample_of(Agreement).values_list("status", flat=True)) == set(AgreementStatus)
    assert set(sample_of(Activity).values_list("status", flat=True)) == set(ActivityStatus)
    assert set(sample_of(Milestone).values_list("status", flat=True)) == set(MilestoneStatus)
    assert set(sample_of(Demand).values_list("status", flat=True)) == set(DemandStatus)
    assert set(sample_of(Facility).values_list("status", flat=True)) == {"planned", "opened", "suspended"}
    assert set(Answer.objects.values_list("status", flat=True)) == {"asked", "shortlisted", "chosen", "declined"}


def test_a_demand_came_from_an_achievement_to_a_project(sample: None) -> None:
    outcome = DemandOutcome.objects.get()
    assert (outcome.demand.code, outcome.activity.is_sample) == ("sample-demand-cable-clips", True)
    assert outcome.answer.achievement.code == "sample-achievement-clip-vision"
    steps = StatusChange.objects.of(outcome.demand)
    assert list(steps.values_list("transition", flat=True)) == ["ask", "answer", "agree"]
    assert not steps.filter(at__gte=NOW).exists()


def test_a_group_has_a_subsidiary_and_a_foreign_partner_its_code(sample: None) -> None:
    subsidiary = Organization.objects.get(code="sample-dongou-casting")
    assert (subsidiary.part_of.code, subsidiary.country) == ("sample-dongou", "CN")
    former = subsidiary.other_names.get(kind="former")
    assert former.valid_until < TODAY
    foreign = Organization.objects.exclude(country="CN").get()
    assert (foreign.country, [str(code) for code in foreign.codes.all()]) == ("DE", ["Erasmus D NECKART01"])


def test_a_reader_of_chinese_sees_titles_in_chinese(sample: None) -> None:
    untitled = [row for model in (Agreement, Activity, Demand) for row in model.objects.filter(title_zh="")]
    assert untitled == []


def test_an_association_arranged_an_agreement_a_visit_and_a_demand(sample: None) -> None:
    association = Organization.objects.get(code="sample-smart-association")
    assert [row.title for row in association.arranged_agreements.all()] == [
        "Group standard for special-purpose conveyor chains"
    ]
    assert [row.kind for row in association.arranged_activities.all()] == ["visit"]
    assert association.arranged_demands.count() == 1


def test_the_members_of_the_association_have_a_liaison(sample: None) -> None:
    association = Organization.objects.get(code="sample-smart-association")
    assert association.members_liaison.name == "Xie Wanqing"
    assert association.member_rows.count() == 3


def test_two_honours_lapse_this_half_year_and_one_could_rise(sample: None) -> None:
    lapsing = Honour.objects.lapsing(TODAY, until=dt.date(2026, 6, 30))
    assert sorted(lapsing.values_list("code", flat=True)) == [
        "sample-honour-haotian-cultivating",
        "sample-honour-kunyu-high-tech",
    ]
    assert [honour.code for honour in Honour.objects.could_rise(TODAY)] == ["sample-honour-haotian-cultivating"]
    watched = Milestone.objects.filter(kind="honour_lapse").values_list("owner", flat=True)
    assert (len(watched), None in watched) == (3, False)


def test_the_sample_never_counts_against_a_reported_figure(sample: None) -> None:
    figures = with_recorded(ReportedFigure.objects.comparable())
    assert sum(figure.recorded_count for figure in figures) == 3  # as without it


def test_the_thread_is_signed_today_with_milestones_to_come(sample: None) -> None:
    agreement = Agreement.objects.get(code="sample-hoist")
    assert (agreement.status, agreement.signed_on) == ("signed", TODAY)
    assert [party.organization.code for party in agreement.parties.all()] == [
        "zhejiang-industrial-vocational-and-technical-college",
        "shuangniao-group",
    ]
    soon = agreement.milestones.filter(derived_key="").due_between(TODAY, TODAY + dt.timedelta(days=31))
    assert list(soon.values_list("title", "due_on")) == [
        ("File the sealed original and its scan", TODAY),
        ("Send each party its signed copy", dt.date(2026, 3, 5)),
        ("Hand over the load test data of the present hoist", dt.date(2026, 3, 12)),
        ("Kick-off meeting", dt.date(2026, 4, 2)),
        ("Agree on the test plan for the prototype", dt.date(2026, 4, 2)),
    ]


def test_lists_for_attention_are_not_empty(sample: None) -> None:
    milestones = sample_of(Milestone)
    assert milestones.overdue(TODAY).count() == 3
    assert milestones.due_between(TODAY, TODAY + dt.timedelta(days=6)).count() == 7  # with approval and revision
    assert [row.title for row in milestones.orphaned().overdue(TODAY)] == ["Get in touch with the partners"]
    quarter = TODAY + dt.timedelta(days=120)
    assert [row.code for row in sample_of(Agreement).expiring(TODAY, until=quarter)] == ["sample-chain-standard"]
    assert [row.code for row in quiet_agreements(sample_of(Agreement), TODAY)] == ["sample-quiet"]


def test_no_step_was_taken_by_the_system_or_after_now(sample: None) -> None:
    steps = StatusChange.objects.filter(content_type__model="agreement").exclude(transition="record_signed")
    assert steps.filter(actor=None).count() == 0
    assert StatusChange.objects.filter(at__gte=NOW, actor__isnull=False, content_type__model="agreement").count() == 0
    for agreement in sample_of(Agreement):
        days = [getattr(agreement, f"{step}_on") for step in ("submitted", "approved", "signed", "completed")]
        assert [day for day in days if day] == sorted(day for day in days if day and day <= TODAY)


def test_an_approval_is_never_ones_own(sample: None) -> None:
    approvals = StatusChange.objects.filter(transition="approve", content_type__model="agreement")
    assert approvals.count() == 6
    for approval in approvals:
        assert approval.actor != approval.record.created_by


def test_the_one_in_review_waits_for_the_lead(sample: None) -> None:
    waiting = Agreement.objects.get(status=AgreementStatus.IN_REVIEW)
    lead, author = User.objects.get(username="ma.xiuying"), User.objects.get(username="sun.hao")
    assert [may(person, "agreement.approve", waiting) for person in (lead, author)] == [True, False]


def test_the_returned_one_can_still_be_approved_by_its_lead(sample: None) -> None:
    returned = Agreement.objects.get(status=AgreementStatus.RETURNED)
    assert people_behind_draft(returned) == {User.objects.get(username="he.qiang").pk}


def test_deliveries_are_credited_to_what_was_promised(sample: None) -> None:
    talent = Agreement.objects.get(code="sample-talent")
    credited = talent.activities.completed().values_list("credits__area__code", "credits__organization__code")
    assert list(credited) == [("training", "zhongyi-machinery")] * 2


@pytest.mark.parametrize("role", ["Coordinator", "Unit lead", "Viewer", "Office staff", "System administrator"])
def test_its_people_can_log_in(sample: None, role: str) -> None:
    out = StringIO()
    call_command("seed_sample", password=PASSWORD, stdout=out)
    line = next(line for line in out.getvalue().splitlines() if role in line)
    person = User.objects.get(username=line.split()[0])
    assert person.is_active
    assert person.check_password(PASSWORD)
    assert person.email == f"{person.username}@example.org"


def test_the_head_of_the_office_is_one_of_its_staff(sample: None) -> None:
    head = User.objects.get(username="zhou.lifang")

    assert (head.is_staff, head.sees_all_units, may(head, "delivery.release")) == (True, True, True)


def test_a_paper_opens() -> None:
    content = pdf(["Agreement (signed)", "嵊州"])
    table = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
    assert content[table:].startswith(b"xref\n")
    assert b"(Agreement \\(signed\\)) Tj" in content


def test_department_people_meet_the_framework_of_the_articles(sample: None, client: Client) -> None:
    framework = Agreement.objects.get(code="shengzhou-framework-agreement")
    client.force_login(User.objects.get(username="chen.yulan"))
    below = Agreement.objects.get(code="sample-talent")

    page = whole_page(client, below)

    assert below.parent == framework
    assert "Publicity and promotion" in page.partition('aria-labelledby="framework"')[2].partition("</section>")[0]
    assert client.get(framework.get_absolute_url()).status_code == 404
