"""What the two articles say is on record, each row with what was printed and what we assumed."""

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from partnerships.models import (
    Activity,
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementTerm,
    Citation,
    Demand,
    Document,
    Event,
    HistoryPermit,
    Milestone,
    Organization,
    OrganizationName,
    Participation,
    Programme,
    ProgrammeOrganizer,
    Source,
    Unit,
    WorkCalendar,
    quiet_agreements,
    workday_test,
)
from partnerships.seeding import articles as seeding
from partnerships.seeding.articles import fixtures, seed_articles
from partnerships.seeding.rows import SeedingReport
from tests.seeding.conftest import TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

SHENGZHOU_MEMBERS = [
    "Fengli Crushing Equipment",
    "Gaoxiang Industry and Trade",
    "Shuangniao Group",
    "Special Chain Wheel",
    "Tiansheng Machinery",
    "Universal Spring",
    "Zhongyi Machinery",
]


def framework() -> Agreement:
    return Agreement.objects.get(code="shengzhou-framework-agreement")


def cited(row: models.Model) -> dict[str, tuple[str, bool]]:
    return {citation.field: (citation.printed, citation.is_assumption) for citation in Citation.objects.of(row)}


def names(organizations: Any) -> list[str]:
    return list(organizations.order_by("name").values_list("name", flat=True))


def test_the_framework_agreement_has_nine_signatories_and_more_unnamed(articles: SeedingReport) -> None:
    parties = AgreementParty.objects.filter(agreement=framework(), role="signatory")
    assert parties.count() == 9
    assert list(parties.filter(signs_for_members=True).values_list("organization__name", "is_for_itself")) == [
        ("Shengzhou Machinery Industry Association", True)
    ]
    assert framework().is_party_list_complete is False
    college = parties.get(organization__kind="institution")
    assert college.name_as_signed == "Zhejiang Polytechnic Institute"


def test_it_promises_seven_areas(articles: SeedingReport) -> None:
    assert sorted(AgreementArea.objects.filter(agreement=framework()).values_list("area__name", flat=True)) == [
        "Consulting",
        "Publicity and promotion",
        "Standard construction",
        "Talent training",
        "Technical research",
        "Technical services",
        "Training",
    ]


def test_it_is_recorded_as_signed_without_an_approval_or_an_owner(articles: SeedingReport) -> None:
    agreement = framework()
    assert (agreement.status, agreement.signed_on, agreement.recorded_on) == ("signed", dt.date(2024, 6, 4), TODAY)
    assert (agreement.approved_on, agreement.submitted_on, agreement.coordinator) == (None, None, None)
    assert agreement.title_as_signed.endswith("School Bank (Enterprise) Cooperation")
    assert "Bank" not in agreement.title


def test_it_is_open_ended_with_a_review_on_the_next_anniversary(articles: SeedingReport) -> None:
    term = AgreementTerm.objects.get(agreement=framework())
    assert (term.starts_on, term.ends_on, term.review_on) == (dt.date(2024, 6, 4), None, dt.date(2026, 6, 4))
    assert cited(term)["review_on"] == ("", True)


def test_it_shows_as_orphaned_and_quiet(articles: SeedingReport) -> None:
    assert list(Agreement.objects.orphaned()) == [framework()]
    assert list(quiet_agreements(Agreement.objects.all(), TODAY)) == [framework()]
    assert list(Milestone.objects.overdue(TODAY)) == []


def test_four_visits_followed_the_ceremony_and_more_unnamed(articles: SeedingReport) -> None:
    event = Event.objects.get(code="shengzhou-docking-meeting")
    visits = Activity.objects.completed().filter(kind="visit", agreement=framework(), event=event)
    assert sorted(visits.values_list("visit__host__name", flat=True)) == [
        "Gaoxiang Industry and Trade",
        "Shuangniao Group",
        "Tiansheng Machinery",
        "Zhongyi Machinery",
    ]
    hosts = {"shengzhou-machinery-industry-association", "zhejiang-industrial-vocational-and-technical-college"}
    for visit in visits:
        taking_part = set(visit.partners.values_list("organization__code", flat=True))
        assert taking_part == {*hosts, visit.visit.host.code}
        joined = visit.partners.filter(organization__code__in=hosts)
        assert all(Citation.objects.of(row).get().is_assumption for row in joined)
    assert [visit.credits.count() for visit in visits] == [0, 0, 0, 0]
    assert (event.is_follow_up_list_complete, event.agreements.get()) == (False, framework())


def test_the_ceremony_was_a_meeting_and_a_signing_hosted_by_both(articles: SeedingReport) -> None:
    event = Event.objects.get(code="shengzhou-docking-meeting")
    assert sorted(event.kinds.values_list("kind", flat=True)) == ["docking_meeting", "signing_ceremony"]
    assert names(Organization.objects.filter(participations__event=event, participations__role="host")) == [
        "Shengzhou Machinery Industry Association",
        "Zhejiang Industrial Vocational and Technical College",
    ]
    assert event.starts_on == dt.date(2024, 6, 4)
    assert cited(event)["starts_on"] == ("June 4", True)


def test_the_organizations_of_both_articles_by_kind(articles: SeedingReport) -> None:
    assert names(Organization.objects.filter(association_rows__isnull=False)) == SHENGZHOU_MEMBERS
    assert names(Organization.objects.filter(kind="government_body")) == [
        "Administrative Committee of Xianlin University Town",
        "Nanjing Municipal Bureau of Industry and Information Technology",
    ]
    assert names(Organization.objects.filter(kind="institution")) == [
        "Nanjing Arts Institute",
        "Nanjing University",
        "Nanjing University of Industrial Vocational Technology",
        "Southeast University",
        "Zhejiang Industrial Vocational and Technical College",
    ]
    assert Organization.objects.count() == 18


def test_one_university_under_the_names_the_article_prints(articles: SeedingReport) -> None:
    university = Organization.objects.get(code="nanjing-university-of-industrial-vocational-technology")
    assert sorted(university.other_names.values_list("name", flat=True)) == [
        "NUIST",
        "Nanjing Industrial Vocational and Technical University",
        "Nanjing University of Technology",
        "Nanjing University of Vocational and Technical Sciences",
        "Nanjing University of Vocational and Technical University",
    ]
    assert list(Organization.objects.search("NUIST")) == [university]
    assert list(Organization.objects.look_alikes("NUIST")) == []
    assert not OrganizationName.objects.filter(source=None).exists()


def test_a_garbled_name_stays_unresolved_on_its_event(articles: SeedingReport) -> None:
    garbled = Participation.objects.get(organization=None)
    assert garbled.event.code == "nanjing-promotion-conference"
    assert garbled.name_as_printed == "General Institute of Technology for the Land Industry … Ltd."
    assert cited(garbled.event)["starts_on"] == ("January 12", True)


def test_a_chinese_name_is_marked_as_ours(articles: SeedingReport) -> None:
    named = Organization.objects.exclude(name_zh="")
    unmarked = [row.code for row in named if not Citation.objects.of(row).filter(field="name_zh", is_assumption=True)]
    assert (unmarked, named.count()) == ([], 17)
    assert (framework().title_zh, cited(framework())["title_zh"]) == ("产教融合、校企合作框架协议", ("", True))
    assert list(Organization.objects.filter(name_zh="").values_list("code", flat=True)) == ["tiansheng-machinery"]


def test_what_else_the_articles_say_is_on_record(articles: SeedingReport) -> None:
    university = Organization.objects.get(code="nanjing-university-of-industrial-vocational-technology")
    assert university.strengths == "Intelligent manufacturing, green manufacturing, artificial intelligence"
    honour = university.honours.get()
    assert (honour.scheme.level, Citation.objects.of(honour).get(field="granted_on").is_assumption) == (
        "national",
        True,
    )
    demand = Demand.objects.get()
    assert (demand.field, Citation.objects.of(demand).get(field="field").is_assumption) == (
        "Intelligent manufacturing",
        True,
    )
    assert Source.objects.get(code="article-shengzhou").authors == "Wu Hongfu, Zhang Weihong"
    kinds = Event.objects.get(code="nanjing-promotion-conference").kinds.values_list("kind", flat=True)
    assert set(kinds) == {"conference", "signing_ceremony", "docking_meeting"}


def test_the_region_is_a_tree(articles: SeedingReport) -> None:
    region = Organization.objects.get(code="zhongyi-machinery").region
    path = []
    while region:
        path.append(region.code)
        region = region.parent
    assert path == ["shengzhou", "shaoxing", "zhejiang", "china"]


def seeded_rows() -> list[models.Model]:
    """Everything with a history that the articles' fixtures made, the rows without a source of their own left out."""
    left_out = {
        "source",
        "statement",
        "citation",
        "agreementtype",
        "typemilestone",
        "milestone",
        "organizationunit",
        "reminderrule",
    }
    left_out |= {"workcalendar", "calendarday"}
    ours = apps.get_app_config("partnerships").get_models()
    tracked = [model for model in ours if hasattr(model, "history") and not model._meta.proxy]
    rows = [row for model in tracked if model._meta.model_name not in left_out for row in model._base_manager.all()]
    configured = {entry["code"] for section in fixtures()[0].values() for entry in section}
    return [row for row in rows if getattr(row, "code", None) not in configured]


def test_every_record_has_its_citation(articles: SeedingReport) -> None:
    rows = seeded_rows()
    assert [str(row) for row in rows if not Citation.objects.of(row).exists()] == []
    assert len(rows) == 153
    assert sorted(Source.objects.values_list("code", flat=True)) == ["article-nanjing", "article-shengzhou"]


def test_a_citation_names_a_field_of_its_record(articles: SeedingReport) -> None:
    for citation in Citation.objects.exclude(field=""):
        assert citation.record._meta.get_field(citation.field)


def test_what_the_fixtures_make_is_valid(articles: SeedingReport) -> None:
    for row in seeded_rows():
        row.full_clean()


def test_there_is_one_unit_and_nobody(articles: SeedingReport) -> None:
    assert [unit.name for unit in Unit.objects.all()] == ["Cooperation office"]
    assert set(Agreement.history.values_list("history_user", flat=True)) == {None}


def test_the_calendar_knows_worked_weekends(articles: SeedingReport) -> None:
    calendar = WorkCalendar.objects.get(code="CN")
    is_workday = workday_test(calendar)
    assert (is_workday(dt.date(2026, 1, 4)), is_workday(dt.date(2026, 1, 2))) == (True, False)  # a Sunday, a Friday
    assert calendar.covered_until >= dt.date(2026, 12, 31)


def test_a_second_run_writes_nothing(articles: SeedingReport) -> None:
    assert articles.changes > 300
    with CaptureQueriesContext(
        connection,
    ) as queries:
        again = seed_articles(today=TODAY + dt.timedelta(days=400))
    assert (again.changes, again.differences) == (0, [])
    writes = [query["sql"] for query in queries if not query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE"))]
    assert writes == []


def test_the_command_says_what_it_did(articles: SeedingReport) -> None:
    out = StringIO()
    call_command("seed_articles", stdout=out)
    assert out.getvalue() == "Articles and reference data: 0 changes.\n"


def test_what_staff_changed_is_reported_and_stays(articles: SeedingReport) -> None:
    center = Organization.objects.get(code="aliyun-innovation-center")
    center.name = "Alibaba Cloud Innovation Center"
    center.save()
    event = Event.objects.get(code="nanjing-promotion-conference")
    event.starts_on = dt.date(2023, 1, 12)
    event.save()
    again = seed_articles(today=TODAY)
    assert again.changes == 0
    assert again.differences == [
        f"Organization “{center}”: name is “Alibaba Cloud Innovation Center”; seeded as “Aliyun Innovation Center”.",
        f"Event “{event}”: starts on is “2023-01-12”; seeded as “2024-01-12”.",
    ]


def test_what_staff_removed_is_not_made_again(articles: SeedingReport) -> None:
    OrganizationName.objects.get(name="NUIST").delete()
    Document.objects.get(code="nanjing-policies-and-measures").delete()
    again = seed_articles(today=TODAY)
    assert again.changes == 0
    university = "Nanjing University of Industrial Vocational Technology"
    assert again.differences == [
        f"Other name “{university} · NUIST · short”: changed or removed by staff; it stays so.",
        "Document “nanjing-policies-and-measures”: changed or removed by staff; it stays so.",
    ]


def test_what_belongs_to_a_removed_row_is_left_out_with_the_reason(articles: SeedingReport) -> None:
    institute = Organization.objects.get(code="nanjing-arts-institute")
    ProgrammeOrganizer.objects.filter(organization=institute).delete()
    institute.delete()
    again = seed_articles(today=TODAY)
    organizer = f"{Programme.objects.get()} · {institute.code} · venue"
    organization = f"Organization “{institute.code}”"
    assert again.changes == 0
    assert again.differences == [
        f"{organization}: changed or removed by staff; it stays so.",
        f"Organizer “{organizer}”: {organization}, which it refers to, is not there.",
    ]


def test_what_was_never_there_is_made_beside_what_is(articles: SeedingReport) -> None:
    Citation.objects.filter(source__code="article-nanjing").delete()
    with HistoryPermit.objects.granted(HistoryPermit.Kind.SAMPLE):
        Citation.history.all().delete()
    again = seed_articles(today=TODAY)
    assert list(+again.created) == ["citations"]


def test_a_fixture_with_an_unknown_section_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "fixtures", lambda: [{"organisations": []}])
    with pytest.raises(CommandError, match="organisations"):
        seed_articles(today=TODAY)
