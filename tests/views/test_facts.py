"""Each fact of the two articles is read from a page: with what was printed, what we assumed, what is open."""

import datetime as dt
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.urls import reverse

from partnerships.factories import UserFactory
from partnerships.management.seeding.articles import seed_articles
from partnerships.models import Agreement, Event, Facility, Organization, Programme, ReportedFigure, Source

pytestmark = [pytest.mark.django_db]

TODAY = dt.date(2026, 3, 2)
UNIVERSITY = "nanjing-university-of-industrial-vocational-technology"
MEMBERS = [
    "Fengli Crushing Equipment",
    "Gaoxiang Industry and Trade",
    "Shuangniao Group",
    "Special Chain Wheel",
    "Tiansheng Machinery",
    "Universal Spring",
    "Zhongyi Machinery",
]
AREAS = [
    "Consulting",
    "Publicity and promotion",
    "Standard construction",
    "Talent training",
    "Technical research",
    "Technical services",
    "Training",
]
# As the list of figures shows them: what is counted, reported, recorded, to register.
FIGURES = [
    ("National inspection-free products of the members", "1", "0", "1"),
    ("Chinese well-known trademarks of the members", "1", "0", "1"),
    ("First-batch national “Little Giants” among the members", "1", "0", "1"),
    ("Zhejiang “invisible champions” among the members", "1", "0", "1"),
    ("Cultivating enterprises among the members", "7", "0", "7"),
    ("Shaoxing “invisible champions” among the members", "20", "0", "20"),
    ("Zhejiang famous brand products of the members", "7", "0", "7"),
    ("Zhejiang famous trademarks of the members", "4", "0", "4"),
    ("Zhejiang well-known trade names of the members", "2", "0", "2"),
    ("Provincial enterprise research institutes of the members", "2", "0", "2"),
    ("Provincial enterprise technology centers of the members", "3", "0", "3"),
    ("National high-tech enterprises among the members", "54", "0", "54"),
    ("Members' share of the city's national high-tech enterprises", "more than 1/3", "", ""),
    ("Strategic cooperation agreements signed", "9", "0", "9"),
    ("Employment bases opened", "8", "1", "7"),
    ("Professor (doctoral) workstations opened", "8", "1", "7"),
    ("Enterprises that released demands", "3", "1", "2"),
    ("Enterprise representatives present", "nearly 200", "", ""),
]


@pytest.fixture(scope="module")
def seeded_articles(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic(), time_machine.travel(TODAY):
        seed_articles(today=TODAY)
        yield
        transaction.set_rollback(True)


@pytest.fixture
def client(seeded_articles: None, db: None) -> Client:
    reader = Client()
    reader.force_login(UserFactory(staff=True))
    return reader


def words(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


def rows_of(html: str) -> list[str]:
    """The rows of a page's table, in words."""
    return [words(row).strip() for row in re.findall(r"<tr>(.*?)</tr>", html.partition("<tbody>")[2], re.DOTALL)]


def page(client: Client, row: Any) -> str:
    response = client.get(row.get_absolute_url())
    assert response.status_code == 200
    return words(response.text.partition("<main")[2])


def coded(model: Any, code: str) -> Any:
    return model.objects.get(code=code)


def absent(text: str, *facts: str) -> list[str]:
    return [fact for fact in facts if fact not in text]


def test_the_framework_agreement_and_what_is_unknown_of_it(client: Client) -> None:
    text = page(client, coded(Agreement, "shengzhou-framework-agreement"))

    signed = "“Framework Agreement on Integration of Industry and Education, School Bank (Enterprise) Cooperation”"
    facts = [signed, "Zhejiang Industrial Vocational and Technical College", "Zhejiang Polytechnic Institute", *MEMBERS]
    assert absent(text, *facts, "Shengzhou Machinery Industry Association", "for itself and its members") == []
    assert absent(text, "Parties 9 list incomplete", "Signed on June 4, 2024", "Year not printed; 2024 assumed.") == []
    assert absent(text, "open-ended", "review on June 4, 2026", "nobody looks after it", "quiet") == []


def test_the_seven_areas_it_promises_stand_without_a_delivery(client: Client) -> None:
    text = page(client, coded(Agreement, "shengzhou-framework-agreement"))

    assert absent(text, *AREAS) == []
    assert text.count("nothing yet") == 7


def test_the_meeting_its_hosts_its_agreement_and_the_visits(client: Client) -> None:
    text = page(client, coded(Event, "shengzhou-docking-meeting"))

    assert absent(text, "Docking meeting", "Signing ceremony", "June 4, 2024", "Year not printed; 2024 assumed.") == []
    assert text.count(" Host ") == 2
    assert absent(text, "Agreements signed at it 1", "Follow-ups that arose from it 4 list incomplete") == []
    visited = ("Gaoxiang Industry and Trade", "Shuangniao Group", "Tiansheng Machinery", "Zhongyi Machinery")
    assert absent(text, *(f"Visit to {name}" for name in visited)) == []


def test_the_association_its_members_its_region_and_its_figures(client: Client) -> None:
    text = page(client, coded(Organization, "shengzhou-machinery-industry-association"))

    assert absent(text, *MEMBERS, "Shengzhou · Shaoxing", "Association") == []
    assert text.count(" is a member ") == 7 + 3  # thrice with the note that it is concluded
    assert absent(text, "Reported and recorded 13", "54 reported · 0 recorded · 54 to register") == []


def test_the_industry_of_the_region_stands_with_the_source(client: Client) -> None:
    text = page(client, coded(Source, "article-shengzhou"))

    pillar = "Machinery is one of the city's three pillar industries, developed over about 70 years."
    assert absent(text, "“one of the three pillar industries of Shengzhou City”".strip("“”"), pillar) == []


@pytest.mark.parametrize(
    "code", ["zhejiang-industrial-vocational-and-technical-college", "nanjing-arts-institute", "southeast-university"]
)
def test_an_institution_stands_in_its_region_by_our_assumption(code: str, client: Client) -> None:
    text = page(client, coded(Organization, code))

    assert absent(text, "Institution", "our assumption") == []


def test_the_university_under_each_of_its_names(client: Client) -> None:
    text = page(client, coded(Organization, UNIVERSITY))

    names = [
        "Nanjing University of Industrial Vocational Technology",
        "Nanjing Industrial Vocational and Technical University",
        "Nanjing University of Vocational and Technical Sciences",
        "Nanjing University of Technology",
        "NUIST",
    ]
    assert absent(text, *names, "First publicly funded", "national dual-creation demonstration base") == []
    assert absent(text, "more than 30 reported", "Nanjing · Jiangsu", "Joint facilities 2") == []


def test_the_conference_and_the_name_nobody_can_tell(client: Client) -> None:
    text = page(client, coded(Event, "nanjing-promotion-conference"))

    assert absent(text, "Jan. 12, 2024", "Year not printed; 2024 inferred", "Took part 7 list incomplete") == []
    assert "“General Institute of Technology for the Land Industry … Ltd.” not identified" in text
    assert absent(text, "to do", "Demand of Aliyun Innovation Center", "content not published") == []


def test_the_conference_reports_more_than_is_recorded(client: Client) -> None:
    text = page(client, coded(Event, "nanjing-promotion-conference"))

    assert re.findall(r"(\d+) reported · (\d+) recorded · (\d+) to register", text) == [
        ("9", "0", "9"),
        ("8", "1", "7"),
        ("8", "1", "7"),
        ("3", "1", "2"),
    ]
    assert "nearly 200 reported" in text


@pytest.mark.parametrize(
    ("code", "enterprise"),
    [
        ("nanjing-employment-base-high-precision-railway", "Nanjing High Precision Railway Transportation Equipment"),
        ("nanjing-workstation-panda-electronic", "Nanjing Panda Electronic Equipment Co."),
    ],
)
def test_a_facility_with_both_its_sides(code: str, enterprise: str, client: Client) -> None:
    text = page(client, coded(Facility, code))

    assert absent(text, enterprise, "Nanjing University of Industrial Vocational Technology", "Run by 2") == []
    assert absent(text, "Opened on Jan. 12, 2024", "our assumption", "Review the joint facility", "nobody") == []


def test_a_demand_whose_content_nobody_knows(client: Client) -> None:
    [row] = rows_of(client.get(reverse("demand_list")).text)
    text = words(
        client.get(reverse("demand_detail", args=[coded(Event, "nanjing-promotion-conference").demands.get().pk])).text
    )

    assert absent(row, "Aliyun Innovation Center", "content not published", "Released") == []
    assert absent(text, "The content is not published", "to do Ask the enterprise for the wording.") == []
    assert "As put to universities" not in text


def test_the_programme_with_organizers_places_policy_and_progress(client: Client) -> None:
    text = page(client, coded(Programme, "zijin-action"))

    organizers = [
        "Nanjing Municipal Bureau of Industry and Information Technology",
        "Administrative Committee of Xianlin University Town",
    ]
    places = ["Nanjing University", "Southeast University", "Nanjing Arts Institute"]
    assert absent(text, *organizers, *places, "enterprises ask questions, universities answer them") == []
    assert (text.count(" Organizer "), text.count("Visited under the programme")) == (2, 3)
    assert absent(text, "Nanjing: policies and measures", "No file yet.", "nearly 500 reported · 3 recorded") == []


def test_there_are_26_figures_12_schemes_1_programme_and_2_sources(client: Client) -> None:
    lists = ("figure_list", "honour_scheme_list", "programme_list", "source_list", "honour_list")

    counts = {name: client.get(reverse(name)).context["page"].paginator.count for name in lists}

    assert counts == {
        "figure_list": 26,
        "honour_scheme_list": 12,
        "programme_list": 1,
        "source_list": 2,
        "honour_list": 0,
    }


@pytest.mark.parametrize(("name", "reported", "recorded", "to_register"), FIGURES)
def test_a_figure_beside_what_is_on_record(
    name: str, reported: str, recorded: str, to_register: str, client: Client
) -> None:
    html = client.get(reverse("figure_list"), {"q": name}).text

    [row] = rows_of(html)
    assert row.startswith(name)
    assert re.findall(r'class="quoted"><b>(.*?)</b>', html) == [reported]
    assert re.findall(r'class="counted"[^>]*><b>(.*?)</b>', html) == ([recorded] if recorded else [])
    assert re.findall(r'class="missing"><b>(.*?)</b>', html) == ([to_register] if to_register else [])
    assert ("quoted alone" in row) == (not recorded)


def test_the_figures_of_nanjing_with_their_qualifiers(client: Client) -> None:
    html = client.get(reverse("figure_list"), {"source": coded(Source, "article-nanjing").pk}).text

    shown = sorted(re.findall(r'class="quoted"><b>(.*?)</b>', html))
    expected = [
        "1,122",
        "107",
        "21",
        "213",
        "3",
        "8",
        "8",
        "9",
        "more than 30",
        "nearly 200",
        "nearly 500",
        "no. 8",
        "× 2",
    ]
    assert shown == sorted(expected)
    assert len(rows_of(html)) == 13


def test_every_recorded_number_opens_exactly_its_list(client: Client) -> None:
    html = client.get(reverse("figure_list")).text
    links = re.findall(r'class="counted" href="([^"]+)"><b>(\d+)</b>', html)

    listed = [client.get(unescape(url)).context["page"].paginator.count for url, _count in links]

    assert len(links) == ReportedFigure.objects.comparable().count() == 18
    assert listed == [int(count) for _url, count in links]


def test_every_number_of_the_progress_opens_exactly_its_list(client: Client) -> None:
    html = client.get(coded(Programme, "zijin-action").get_absolute_url()).text
    links = re.findall(r'class="counted" href="([^"]+programme=[^"]+)"><b>(\d+)</b>', html)

    listed = [client.get(unescape(url)).context["page"].paginator.count for url, _count in links]

    assert listed == [int(count) for _url, count in links] == [1, 0, 2, 1, 3]


@pytest.mark.parametrize("code", ["article-nanjing", "article-shengzhou"])
def test_a_source_shows_every_phrase_and_assumption_it_is_cited_with(code: str, client: Client) -> None:
    source = coded(Source, code)
    response = client.get(source.get_absolute_url())

    printed = {fact.printed for section in response.context["sections"] for fact in section.facts}
    noted = words(response.text)
    assert printed == set(source.citations.exclude(printed="").values_list("printed", flat=True))
    assert [row.note for row in source.citations.all() if words(row.note) not in noted] == []
    assert response.text.count('type="checkbox"') == len(printed)


def test_what_a_source_leaves_open_is_a_to_do(client: Client) -> None:
    pages = [client.get(coded(Source, code).get_absolute_url()) for code in ("article-shengzhou", "article-nanjing")]

    shengzhou, nanjing = ([to_do.what for to_do in page.context["to_dos"]] for page in pages)
    agreement = coded(Agreement, "shengzhou-framework-agreement").title
    assert [what.partition(" “")[0] for what in shengzhou[:2]] == ["More took part in", "More visits followed"]
    assert shengzhou[2:] == [
        f"“{agreement}” was signed by more parties than are named (“etc.”).",
        "12 figures count more than the records hold: the source does not name the others.",
    ]
    assert (
        nanjing[0]
        == "The name “General Institute of Technology for the Land Industry … Ltd.” is garbled or cannot be told."
    )
    assert nanjing[2] == "What Aliyun Innovation Center asked for is not published."
    assert nanjing[-1].startswith("6 figures")


def test_the_one_ladder_of_honours_is_our_assumption(client: Client) -> None:
    html = client.get(reverse("honour_scheme_list"), {"q": "cultivating"}).text

    [row] = rows_of(html)
    assert absent(row, "Provincial", "Zhejiang “invisible champion”", "general knowledge") == []


def test_a_date_of_an_event_says_on_lists_that_its_year_is_assumed(client: Client) -> None:
    events = rows_of(client.get(reverse("event_list")).text)
    host = page(client, coded(Organization, "shengzhou-machinery-industry-association"))

    assert [("our assumption" in row) for row in events] == [True, True]
    assert "June 4, 2024 our assumption" in host
