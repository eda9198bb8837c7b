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

from partnerships.factories import UnitFactory, UserFactory
from partnerships.models import Agreement, Event, Facility, Organization, Programme, ReportedFigure, Source
from partnerships.seeding.articles import seed_articles
from tests.views.sections import whole_page

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
    ("Specialized and new enterprises brought to the universities", "nearly 500", "", ""),
    ("National manufacturing single champions", "21", "", ""),
    ("National “Little Giants”", "213", "0", "213"),
    ("Provincial specialized and new small and medium-sized enterprises", "1,122", "", ""),
    ("National “Little Giants” new in 2023", "107", "", ""),
    ("Rank in the country by new national “Little Giants”", "no. 8", "", ""),
    ("Growth of the total of national “Little Giants”", "× 2", "", ""),
    ("Fortune 500 companies in in-depth cooperation", "more than 30", "", ""),
]
SOURCES = ((Source, "article-shengzhou"), (Source, "article-nanjing"))
# What a reader finds under each sentence of an article, by its number.
SENTENCES: dict[str, dict[int, list[str]]] = {
    "article-shengzhou": {
        1: ["Nothing to record: it is the title, kept with the source."],
        2: [
            "Shengzhou Machinery Industry Association",
            "Zhejiang Industrial Vocational and Technical College",
            "docking meeting and signing ceremony, Shengzhou",
            " June 4 ",
            "Year not printed; 2024 assumed.",
        ],
        3: ["The association and the college presented themselves to each other"],
        4: [
            *MEMBERS,
            "Framework agreement on the integration",
            "with Zhejiang Polytechnic Institute",
            "“School Bank” is taken for a mistranslation",
            "was signed by more parties than are named",
        ],
        5: ["one of the three pillar industries of Shengzhou City", "Region"],
        6: ["Machinery is one of the city's three pillar industries, developed over about 70 years."],
        7: [
            *(name for name, reported, _recorded, _missing in FIGURES[:11] if reported),
            "7 reported · 0 recorded · 7 to register",
            "20 reported · 0 recorded · 20 to register",
            "Shaoxing “invisible champion” Honor scheme",
            "Cultivating enterprise for the Zhejiang “invisible champion” Honor scheme",
        ],
        8: ["54 reported · 0 recorded · 54 to register", "more than 1/3 reported", "National high-tech enterprise"],
        9: ["Nothing to record: it states an aim"],
        10: ["Nothing to record: it states an aim"],
        11: [*AREAS, "long-term cooperation relationship", "No end is printed: open-ended."],
        12: ["Nothing to record: it states an aim"],
        13: [
            *(f"Visit to {name}" for name in ("Zhongyi Machinery", "Shuangniao Group", "Tiansheng Machinery")),
            "Visit to Gaoxiang Industry and Trade",
            "More visits followed",
        ],
    },
    "article-nanjing": {
        1: ["Nanjing Industrial Vocational and Technical University"],
        2: [
            "Year not printed; 2024 inferred",
            "promotion conference",
            "University of Vocational and Technical University",
        ],
        3: ["Nanjing University of Technology"],
        4: [
            "“General Institute of Technology for the Land Industry … Ltd.” is garbled",
            "9 reported · 0 recorded · 9 to register",
            "8 reported · 1 recorded · 7 to register",
            "Nanjing High Precision Railway Transportation Equipment Co., Ltd.",
            "Nanjing Panda Electronic Equipment Co.",
        ],
        5: ["nearly 200 reported", "NUIST", "More took part in"],
        6: [
            "3 reported · 1 recorded · 2 to register",
            "Demand of Aliyun Innovation Center, content not published",
            "What Aliyun Innovation Center asked for is not published.",
            "taken for the field of the demand",
        ],
        7: ["Nothing to record: it says again what an earlier sentence says."],
        8: ["Nanjing: policies and measures", "Get the paper and upload it."],
        9: [
            "Nanjing Municipal Bureau of Industry and Information Technology",
            "Nanjing University",
            "Southeast University",
            "Nanjing Arts Institute",
            "enterprises ask questions, universities answer them",
            "nearly 500 reported",
        ],
        10: ["Nothing to record: it says again"],
        11: ["21 reported", "213 reported · 0 recorded · 213 to register", "1,122 reported", "Printed twice"],
        12: ["107 reported", "no. 8 reported", "× 2 reported"],
        13: [
            "more than 30 reported",
            "First publicly funded undergraduate",
            "national dual-creation demonstration base",
            "has been recognized as a national-level dual-creation demonstration base",
        ],
        14: [
            "Administrative Committee of Xianlin University Town",
            "in the fields of intelligent manufacturing, green manufacturing, artificial intelligence",
        ],
        15: ["Nothing to record: it says again"],
        16: ["Nanjing Bureau of Industry and Information Technology"],
        17: ["Nothing to record: it states an aim"],
    },
}


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


def table_rows(html: str) -> list[str]:
    return re.findall(r"<tr>(.*?)</tr>", html.partition("<tbody>")[2], re.DOTALL)


def rows_of(html: str) -> list[str]:
    """The rows of a page's table, in words."""
    return [words(row).strip() for row in table_rows(html)]


def page(client: Client, row: Any) -> str:
    assert client.get(row.get_absolute_url()).status_code == 200
    return words(whole_page(client, row).partition("<main")[2])


def sentences_of(html: str) -> dict[int, str]:
    """What stands under each sentence of a source's page, in words, in the page's order."""
    parts = re.split(r'<li id="sentence-(\d+)">', html)[1:]
    return {int(number): words(text) for number, text in zip(parts[::2], parts[1::2], strict=True)}


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
    assert absent(text, "open-ended", "review on June 4, 2026", "unassigned", "no contact") == []


def test_the_seven_areas_it_promises_stand_without_a_delivery(client: Client) -> None:
    text = page(client, coded(Agreement, "shengzhou-framework-agreement"))

    assert absent(text, *AREAS) == []
    assert text.count("nothing yet") == 7  # each area; the parties have a circle


def test_the_meeting_its_hosts_its_agreement_and_the_visits(client: Client) -> None:
    text = page(client, coded(Event, "shengzhou-docking-meeting"))

    assert absent(text, "Docking meeting", "Signing ceremony", "June 4, 2024", "Year not printed; 2024 assumed.") == []
    assert text.count(" Host ") == 2
    assert absent(text, "Agreements signed at it 1", "Activities that arose from it 4 list incomplete") == []
    visited = ("Gaoxiang Industry and Trade", "Shuangniao Group", "Tiansheng Machinery", "Zhongyi Machinery")
    assert absent(text, *(f"Visit to {name}" for name in visited)) == []


def test_the_association_its_members_its_region_and_its_figures(client: Client) -> None:
    text = page(client, coded(Organization, "shengzhou-machinery-industry-association"))

    assert absent(text, *MEMBERS, "Shengzhou · Shaoxing", "Association") == []
    assert text.count(" is a member ") == 7 + 3  # thrice with the note that it is concluded
    assert absent(text, "Press figures vs. records 13", "54 reported · 0 recorded · 54 to register") == []


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


@pytest.mark.parametrize(
    "code", ["shengzhou-machinery-industry-association", "zhejiang-industrial-vocational-and-technical-college"]
)
def test_who_held_the_meeting_took_part_in_the_visits(code: str, client: Client) -> None:
    assert "Visits 4" in page(client, coded(Organization, code))


def test_authors_honour_and_strengths_are_shown(client: Client) -> None:
    university = page(client, coded(Organization, UNIVERSITY))
    strengths = "Strengths Intelligent manufacturing, green manufacturing, artificial intelligence"
    assert absent(university, strengths, "National dual-creation demonstration base") == []
    assert "By Wu Hongfu, Zhang Weihong" in page(client, coded(Source, "article-shengzhou"))
    found = client.get(reverse("organization_list"), {"q": "artificial intelligence"}).text
    assert "Nanjing University of Industrial Vocational Technology" in found


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
    assert absent(text, "Opened on Jan. 12, 2024", "our assumption", "Review the joint facility", "unassigned") == []


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
    assert (text.count(" Organizer "), text.count("Visited under the program")) == (2, 3)
    assert absent(text, "Nanjing: policies and measures", "No file yet.", "nearly 500 reported") == []


def test_there_are_26_figures_13_schemes_1_programme_and_2_sources(client: Client) -> None:
    lists = ("figure_list", "honour_scheme_list", "programme_list", "source_list", "honour_list")

    counts = {name: client.get(reverse(name)).context["page"].paginator.count for name in lists}

    assert counts == {
        "figure_list": 26,
        "honour_scheme_list": 13,
        "programme_list": 1,
        "source_list": 2,
        "honour_list": 1,
    }


@pytest.mark.parametrize(("name", "reported", "recorded", "to_register"), FIGURES)
def test_a_figure_beside_what_is_on_record(
    name: str, reported: str, recorded: str, to_register: str, client: Client
) -> None:
    html = client.get(reverse("figure_list"), {"q": name}).text

    [row] = [row for row in table_rows(html) if re.match(rf"{re.escape(name)} (?!new)", words(row).strip())]
    assert re.findall(r'class="quoted"><b>(.*?)</b>', row) == [reported]
    assert re.findall(r'class="counted"[^>]*><b>(.*?)</b>', row) == ([recorded] if recorded else [])
    assert re.findall(r'class="missing"><b>(.*?)</b>', row) == ([to_register] if to_register else [])
    assert ("press figure only" in row) == (not recorded)


def test_no_figure_is_left_out_of_these(client: Client) -> None:
    assert len(FIGURES) == ReportedFigure.objects.count() == 26


def test_every_recorded_number_opens_exactly_its_list(client: Client) -> None:
    html = client.get(reverse("figure_list")).text
    links = re.findall(r'class="counted" href="([^"]+)"><b>(\d+)</b>', html)

    listed = [client.get(unescape(url)).context["page"].paginator.count for url, _count in links]

    assert len(links) == ReportedFigure.objects.comparable().count() == 17
    assert listed == [int(count) for _url, count in links]


def test_every_number_of_the_progress_opens_exactly_its_list(client: Client) -> None:
    html = client.get(coded(Programme, "zijin-action").get_absolute_url()).text
    links = re.findall(r'class="counted" href="([^"]+programme=[^"]+)"><b>(\d+)</b>', html)

    listed = [client.get(unescape(url)).context["page"].paginator.count for url, _count in links]

    assert listed == [int(count) for _url, count in links] == [1, 0, 2, 1, 3]


def test_a_coordinator_reads_the_same_numbers_and_how_many_they_may_not_see(client: Client) -> None:
    reader = Client()
    reader.force_login(UserFactory(coordinator_in=UnitFactory()))
    pages = [
        reverse("figure_list"),
        *(coded(*row).get_absolute_url() for row in ((Programme, "zijin-action"), *SOURCES)),
    ]

    for url in pages:
        theirs, ours = (
            re.findall(r'class="(?:counted|missing)".*?</b>', one.get(url).text) for one in (reader, client)
        )
        assert theirs == ours
    figure = coded(ReportedFigure, "nanjing-conference-employment-bases")
    for url in (figure.get_absolute_url(), f"{reverse('facility_list')}?figure={figure.pk}"):
        assert "1 more that you may not see" in words(reader.get(url).text)
        assert "may not see" not in words(client.get(url).text)
    sentence = sentences_of(reader.get(pages[-1]).text)[6]
    assert absent(sentence, "3 reported · 1 recorded · 2 to register", "1 more that you may not see") == []
    assert "in the units you can access" in words(reader.get(reverse("facility_list")).text)
    assert "in all units" in words(client.get(reverse("facility_list")).text)


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_each_sentence_can_be_ticked_in_the_articles_order(code: str, client: Client) -> None:
    html = client.get(coded(Source, code).get_absolute_url()).text

    shown = sentences_of(html)
    assert list(shown) == list(SENTENCES[code]) == list(range(1, len(shown) + 1))
    assert html.partition("<main")[2].partition("</main>")[0].count('type="checkbox"') == len(shown)


@pytest.mark.parametrize(("code", "number"), [(code, number) for code, rows in SENTENCES.items() for number in rows])
def test_under_a_sentence_stands_what_is_held_of_it(code: str, number: int, client: Client) -> None:
    shown = sentences_of(client.get(coded(Source, code).get_absolute_url()).text)

    assert absent(shown[number], *SENTENCES[code][number]) == []


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_a_sentence_without_a_record_says_why(code: str, client: Client) -> None:
    sentences = client.get(coded(Source, code).get_absolute_url()).context["sentences"]

    held = {sentence.statement.number: bool(sentence.facts) for sentence in sentences}
    reasons = {sentence.statement.number: bool(sentence.statement.nothing_to_record) for sentence in sentences}
    assert {number: is_held != reasons[number] for number, is_held in held.items()} == dict.fromkeys(held, True)


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_every_phrase_and_assumption_stands_under_a_sentence(code: str, client: Client) -> None:
    source = coded(Source, code)
    response = client.get(source.get_absolute_url())

    shown = {(part.statement.pk, printed) for part in response.context["sentences"] for printed in part.facts}
    noted = words(response.text)
    assert shown == set(source.citations.exclude(printed="").values_list("statement", "printed"))
    assert [row.note for row in source.citations.all() if words(row.note) not in noted] == []
    assert response.context["sections"] == []


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
        == "The name “General Institute of Technology for the Land Industry … Ltd.” is garbled or cannot be identified."
    )
    assert nanjing[2] == "What Aliyun Innovation Center asked for is not published."
    assert nanjing[-1].startswith("5 figures")


def test_the_one_ladder_of_honours_is_our_assumption(client: Client) -> None:
    html = client.get(reverse("honour_scheme_list"), {"q": "cultivating"}).text

    [row] = rows_of(html)
    assert absent(row, "Provincial", "Zhejiang “invisible champion”", "general knowledge") == []


def test_a_date_of_an_event_says_on_lists_that_its_year_is_assumed(client: Client) -> None:
    events = rows_of(client.get(reverse("event_list")).text)
    host = page(client, coded(Organization, "shengzhou-machinery-industry-association"))

    assert [("our assumption" in row) for row in events] == [True, True]
    assert "June 4, 2024 our assumption" in host
