"""What the two articles report and what opened at the conference, beside what is on record."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from partnerships.models import (
    Citation,
    Demand,
    Document,
    Facility,
    Honour,
    HonourScheme,
    Milestone,
    Organization,
    Participation,
    Programme,
    ReportedFigure,
    Source,
)
from partnerships.models.counting_rules import recorded
from partnerships.reports.figures import programme_progress, to_register, with_recorded
from partnerships.seeding.rows import SeedingReport
from tests.seeding.conftest import TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

CONFERENCE_DAY = dt.date(2024, 1, 12)
UNIVERSITY = "Nanjing University of Industrial Vocational Technology"
# What each article reports: code, value, qualifier, measure, as of, and how many records count (None: quoted alone).
MEMBERS = [
    ("national-inspection-free-product", 1),
    ("chinese-well-known-trademark", 1),
    ("little-giant", 1),
    ("zhejiang-invisible-champion", 1),
    ("zhejiang-invisible-champion-cultivating-enterprise", 7),
    ("shaoxing-invisible-champion", 20),
    ("zhejiang-famous-brand-product", 7),
    ("zhejiang-famous-trademark", 4),
    ("zhejiang-well-known-trade-name", 2),
    ("provincial-enterprise-research-institute", 2),
    ("provincial-enterprise-technology-center", 3),
    ("national-high-tech-enterprise", 54),
]
NANJING = [
    ("nanjing-conference-agreements", 9, "exact", "count", "2024-01-12", 0),
    ("nanjing-conference-employment-bases", 8, "exact", "count", "2024-01-12", 1),
    ("nanjing-conference-workstations", 8, "exact", "count", "2024-01-12", 1),
    ("nanjing-conference-demands", 3, "exact", "count", "2024-01-12", 1),
    ("nanjing-conference-representatives", 200, "nearly", "count", "2024-01-12", None),
    ("zijin-action-enterprises", 500, "nearly", "count", "2024-01-12", None),
    ("nanjing-single-champions", 21, "exact", "count", "2023", None),
    ("nanjing-little-giants", 213, "exact", "count", "2023", 0),
    ("nanjing-provincial-specialized-and-new-smes", 1122, "exact", "count", "2023", None),
    ("nanjing-new-little-giants-2023", 107, "exact", "count", "2023", None),
    ("nanjing-new-little-giants-rank-2023", 8, "exact", "rank", "2023", None),
    ("nanjing-little-giants-growth-2023", 2, "exact", "ratio", "2023", None),
    ("nanjing-university-fortune-500-companies", 30, "more_than", "count", "2024-01-12", None),
]


def reported_by(source: str) -> list[ReportedFigure]:
    figures = ReportedFigure.objects.filter(source__code=source).order_by("pk")
    return list(with_recorded(figures))


def as_of(figure: ReportedFigure) -> str:
    return str(figure.as_of.year) if figure.as_of_precision == "year" else figure.as_of.isoformat()


def cited(row: Any) -> dict[str, tuple[str, bool]]:
    return {citation.field: (citation.printed, citation.is_assumption) for citation in Citation.objects.of(row)}


def names(rows: Any) -> list[str]:
    return sorted(str(row) for row in rows)


def test_twelve_counts_of_the_members_and_no_honour_of_any(articles: SeedingReport) -> None:
    *counts, _share = reported_by("article-shengzhou")
    shown = [(figure.scheme.code, figure.value, figure.recorded_count) for figure in counts]
    assert shown == [(code, value, 0) for code, value in MEMBERS]
    assert {str(figure.subject) for figure in counts} == {"Shengzhou Machinery Industry Association"}
    assert {(figure.qualifier, as_of(figure)) for figure in counts} == {("exact", "2024-06-04")}
    assert not Honour.objects.filter(organization__association_rows__isnull=False).exists()


def test_the_share_is_quoted_alone(articles: SeedingReport) -> None:
    share = reported_by("article-shengzhou")[-1]
    assert (share.measure, share.qualifier, share.value) == ("share", "more_than", Decimal("0.3333"))
    assert share.printed == "more than 1/3 of the city's national high-tech enterprises"
    assert (share.recorded_count, to_register(share)) == (None, None)


def test_thirteen_figures_of_nanjing(articles: SeedingReport) -> None:
    shown = [
        (figure.code, figure.value, figure.qualifier, figure.measure, as_of(figure), figure.recorded_count)
        for figure in reported_by("article-nanjing")
    ]
    assert shown == NANJING


def test_the_difference_at_the_conference_is_a_to_do(articles: SeedingReport) -> None:
    conference = [figure for figure in reported_by("article-nanjing") if figure.event_id and figure.counting_rule]
    shown = [(figure.value, figure.recorded_count, to_register(figure)) for figure in conference]
    assert shown == [(9, 0, 9), (8, 1, 7), (8, 1, 7), (3, 1, 2)]


def test_every_figure_says_what_was_printed_and_as_of_when(articles: SeedingReport) -> None:
    figures = [*reported_by("article-shengzhou"), *reported_by("article-nanjing")]
    assert len(figures) == 26
    assert [figure.code for figure in figures if cited(figure)[""] != (figure.printed, False)] == []
    assert [figure.code for figure in figures if "as_of" not in cited(figure)] == []


def test_what_is_recorded_are_the_named_ones(articles: SeedingReport) -> None:
    figures = {figure.code: figure for figure in ReportedFigure.objects.comparable()}
    assert names(recorded(figures["nanjing-conference-employment-bases"])) == [
        "Employment base with Nanjing High Precision Railway Transportation Equipment"
    ]
    # Brought to other universities than the one of the conference, whose participants are on record.
    assert "zijin-action-enterprises" not in figures


def test_thirteen_honour_schemes_on_three_levels(articles: SeedingReport) -> None:
    levels = HonourScheme.objects.values_list("level", flat=True)
    assert sorted(levels) == ["municipal"] + ["national"] * 5 + ["provincial"] * 7
    assert list(HonourScheme.objects.exclude(issuer="").values_list("code", "issuer")) == [
        ("little-giant", "Ministry of Industry and Information Technology")
    ]
    assert not HonourScheme.objects.exclude(validity_months=None).exists()


def test_the_one_ladder_is_our_assumption(articles: SeedingReport) -> None:
    lower = HonourScheme.objects.exclude(next_scheme=None).get()
    assert (lower.code, lower.next_scheme.code) == (
        "zhejiang-invisible-champion-cultivating-enterprise",
        "zhejiang-invisible-champion",
    )
    assert cited(lower)["next_scheme"] == ("", True)


@pytest.mark.parametrize(
    ("kind", "enterprise"),
    [
        ("employment_base", "Nanjing High Precision Railway Transportation Equipment Co., Ltd."),
        ("workstation", "Nanjing Panda Electronic Equipment Co."),
    ],
)
def test_a_facility_opened_at_the_conference_with_both_sides(
    articles: SeedingReport, kind: str, enterprise: str
) -> None:
    facility = Facility.objects.get(kind=kind)
    assert (facility.status, facility.opened_on, facility.owner) == ("opened", CONFERENCE_DAY, None)
    assert facility.event.code == "nanjing-promotion-conference"
    assert names(facility.partners.all()) == sorted([enterprise, UNIVERSITY])
    assert cited(facility)["opened_on"] == ("January 12", True)


def test_its_review_is_on_the_next_anniversary(articles: SeedingReport) -> None:
    reviews = Milestone.objects.filter(kind="facility_review")
    shown = set(reviews.values_list("due_on", "recurs_every_months", "owner", "status"))
    assert reviews.count() == 2
    assert shown == {(dt.date(2027, 1, 12), 12, None, "open")}
    assert reviews.overdue(TODAY).count() == 0


def test_a_demand_without_its_content(articles: SeedingReport) -> None:
    demand = Demand.objects.get()
    assert (demand.organization.name, demand.status) == ("Aliyun Innovation Center", "released")
    assert (demand.is_content_published, demand.original_wording, demand.rewritten_wording) == (False, "", "")
    assert (demand.event.code, demand.released_on) == ("nanjing-promotion-conference", CONFERENCE_DAY)
    assert demand.organization.holders.count() == 0, "a demand makes no holder"


def test_the_programme_with_its_organizers_and_the_universities_visited(articles: SeedingReport) -> None:
    programme = Programme.objects.get()
    assert names(programme.organizers.filter(role="organizer")) == [
        "Administrative Committee of Xianlin University Town",
        "Nanjing Municipal Bureau of Industry and Information Technology",
    ]
    assert names(programme.organizers.filter(role="venue")) == [
        "Nanjing Arts Institute",
        "Nanjing University",
        "Southeast University",
    ]
    assert (programme.starts_on, programme.ends_on) == (None, None)


def test_the_programme_labels_the_conference_and_what_came_of_it(articles: SeedingReport) -> None:
    programme = Programme.objects.get()
    assert [type(item.target).__name__ for item in programme.items.all()] == ["Event", "Facility", "Facility", "Demand"]
    progress = programme_progress(programme)
    shown = {line.measure: (line.recorded, line.target, [int(row.value) for row in line.reported]) for line in progress}
    assert shown == {
        "events": (1, None, []),
        "agreements": (0, None, [9]),
        "facilities": (2, None, [8, 8]),
        "demands": (1, None, [3]),
        "enterprises": (3, None, []),
    }


def test_the_policy_is_a_title_without_its_text(articles: SeedingReport) -> None:
    document = Document.objects.get()
    assert (document.kind, document.target, document.versions.count()) == ("policy", Programme.objects.get(), 0)
    assert cited(document)[""][0].endswith("a number of policies and measures")


def test_what_nobody_could_resolve_stays_so(articles: SeedingReport) -> None:
    unresolved = Participation.objects.filter(organization=None)
    assert [str(row) for row in unresolved] == ["General Institute of Technology for the Land Industry … Ltd."]
    assert not Organization.objects.filter(name__contains="Land Industry").exists()
    assert Source.objects.count() == 2
