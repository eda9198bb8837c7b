"""The list pages: their cost in queries, their order, their pages, what they say when a filter is wrong."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from partnerships.factories import (
    DAY,
    AchievementFactory,
    ActivityFactory,
    DemandFactory,
    EventFactory,
    HonourFactory,
    MilestoneFactory,
    OrganizationFactory,
    OrganizationUnitFactory,
    ProgrammeFactory,
    ReceiptFactory,
    ReminderItemFactory,
    ReportedFigureFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.lists import LISTS
from partnerships.lists.agreements import AgreementList
from partnerships.models import Unit
from tests.views.world import World, make_world

# Session, person and their scope (2) are in each, and column sets of the export. Drop-downs of filters cost nothing until the form is opened.
QUERIES = {
    "my_work": 13,
    "agreement_list": 17,  # with counts of views, last contact, and what was delivered of promised
    "mail_list": 11,
    "milestone_list": 12,
    "activity_list": 12,
    "organization_list": 12,
    "event_list": 11,
    "facility_list": 11,
    "payment_list": 10,
    "demand_list": 10,
    "achievement_list": 10,
    "programme_list": 10,
    "honour_list": 10,
    "honour_scheme_list": 10,
    "figure_list": 10,
    "source_list": 9,
}


def more_of_everything(world: World, count: int) -> None:
    """``count`` further worlds below the unit, so that the same person sees them."""
    for number in range(count):
        other = make_world(f"More {number}")
        Unit.objects.filter(pk=other.unit.pk).update(parent=world.unit)
        other.milestone.owner = world.coordinator
        other.milestone.save()
        EventFactory(unit=other.unit, name=f"More {number}")
        ReceiptFactory(payment__agreement=other.agreement, payment__purpose=f"More {number}")
        ReminderItemFactory(plan__milestone=other.milestone)
        one_of_each_shared(other.unit, f"More {number}")


def one_of_each_shared(unit: Any, name: str) -> None:
    AchievementFactory(unit=unit, name=f"{name} achievement")
    ProgrammeFactory(unit=unit, name=f"{name} programme")
    HonourFactory(unit=unit, scheme__name=f"{name} honour", organization__name=f"{name} holder")
    ReportedFigureFactory(unit=unit, name=f"{name} figure", compared=True, source__title=f"{name} source")


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", QUERIES)
def test_a_list_costs_the_same_for_one_row_and_three(
    name: str,
    rows: int,
    world: World,
    client_of: Callable[[Any], Client],
    django_assert_num_queries: Any,
) -> None:
    EventFactory(unit=world.unit)
    ReceiptFactory(payment__agreement=world.agreement)
    ReminderItemFactory(plan__milestone=world.milestone)
    one_of_each_shared(world.unit, "North")
    more_of_everything(world, rows - 1)
    client = client_of(world.coordinator)
    client.get(reverse(name))  # content types are read once per process

    with django_assert_num_queries(QUERIES[name]):
        response = client.get(reverse(name))

    assert response.text.count("More ") >= rows - 1


# The lists that cost other roles more or less than a coordinator.
OTHERS: dict[str, dict[str, int]] = {
    "lead": {"my_work": 23},
    "viewer": {"my_work": 11, "mail_list": 10},
    "staff": {"my_work": 23, "agreement_list": 18},
}


def test_a_list_costs_every_role_the_same_for_one_row_and_three(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    EventFactory(unit=world.unit)
    ReceiptFactory(payment__agreement=world.agreement)
    ReminderItemFactory(plan__milestone=world.milestone)
    one_of_each_shared(world.unit, "North")
    clients = {role: client_of(world.people[role]) for role in OTHERS}

    def queries() -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {role: {} for role in OTHERS}
        for role, client in clients.items():
            for name, usual in QUERIES.items():
                with CaptureQueriesContext(connection) as context:
                    assert client.get(reverse(name)).status_code == 200
                if len(context) != usual:
                    found[role][name] = len(context)
        return found

    queries()  # content types are read once per process
    one = queries()
    more_of_everything(world, 2)

    assert queries() == one == OTHERS


def titles(client: Client, query: str) -> list[str]:
    return [row.title for row in client.get(reverse("agreement_list") + query).context["rows"]]


def test_a_list_is_sorted_by_its_columns(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)

    assert titles(client, "?sort=title") == ["North draft", "North signed"]
    assert titles(client, "?sort=-title") == ["North signed", "North draft"]
    assert titles(client, "?sort=signed_on") == ["North signed", "North draft"]  # what has no date comes last
    assert titles(client, "?sort=-signed_on") == ["North signed", "North draft"]


NAMES = {
    "en": ["alpha Tools", "Beta", "beta Gamma", "Čedok", "Zeta"],
    "zh-hans": ["alpha Tools", "安徽大学", "Čedok", "长安集团", "重庆大学"],
}
PEOPLE = ["单田芳", "wang Li", "王芳", "曾志伟"]


@pytest.mark.parametrize("language", NAMES)
@pytest.mark.parametrize("address", ["organization_list", "admin:partnerships_organization_changelist"])
def test_names_are_sorted_as_the_reader_sees_them(
    address: str, language: str, db: None, client_of: Callable[[Any], Client]
) -> None:
    chinese = {"Zeta": "安徽大学", "Beta": "长安集团", "beta Gamma": "重庆大学"}
    for name in ("Zeta", "beta Gamma", "Čedok", "alpha Tools", "Beta"):
        OrganizationFactory(name=name, name_zh=chinese.get(name, ""))
    client = client_of(UserFactory(staff=True, language=language))

    page = client.get(reverse(address))

    rows = page.context["cl"].result_list if "cl" in page.context else page.context["rows"]
    with translation.override(language):
        assert [name for name in map(str, rows) if name in NAMES[language]] == NAMES[language]


@pytest.mark.parametrize("language", NAMES)
def test_people_in_a_drop_down_are_sorted_by_pinyin(
    language: str, db: None, client_of: Callable[[Any], Client]
) -> None:
    for name in PEOPLE[::-1]:
        OrganizationUnitFactory(coordinator=UserFactory(name=name))
    client = client_of(UserFactory(staff=True, language=language))

    page = client.get(reverse("organization_list"), {"filters": "open"}).text

    assert [found for found in re.findall(r">([^<>]+)</option>", page) if found in PEOPLE] == PEOPLE


@pytest.mark.parametrize(("asked", "first"), [("0", "Alpha"), ("-0", "beta"), ("1", "beta"), ("-1", "Alpha")])
def test_each_column_of_names_in_the_admin_sorts_by_its_own(
    asked: str, first: str, db: None, client_of: Callable[[Any], Client]
) -> None:
    UnitFactory(name="Alpha", name_zh="重庆")
    UnitFactory(name="beta", name_zh="安徽")
    client = client_of(UserFactory(staff=True, language="zh-hans"))

    page = client.get(reverse("admin:partnerships_unit_changelist"), {"o": asked})

    shown = [row.name for row in page.context["cl"].result_list]
    assert next(name for name in shown if name in {"Alpha", "beta"}) == first


@pytest.mark.parametrize("column", [column.sort for column in AgreementList.columns if column.sort])
def test_every_heading_sorts(column: str, world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)

    page = client.get(
        reverse("agreement_list"), {"sort": column, "columns": [one.name for one in AgreementList.columns]}
    )

    assert page.context["list"].is_known_sort is True
    assert 'aria-sort="ascending"' in page.text
    assert f"sort=-{column}" in page.text


def test_an_unknown_order_is_named(world: World, client_of: Callable[[Any], Client]) -> None:
    page = client_of(world.coordinator).get(reverse("agreement_list"), {"sort": "coordinator__password"})

    assert "The list cannot be sorted like that" in page.text
    assert len(page.context["rows"]) == 2


def test_a_bad_filter_is_named_beside_its_field(world: World, client_of: Callable[[Any], Client]) -> None:
    page = client_of(world.coordinator).get(reverse("agreement_list"), {"status": "bogus", "orphaned": "yes"})

    assert page.status_code == 200
    assert "A filter could not be applied; the others are." in page.text
    assert "bogus is not one of the available choices." in page.text
    assert page.context["rows"] == []


def test_no_row_is_on_two_pages(
    world: World, client_of: Callable[[Any], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    MilestoneFactory.create_batch(5, agreement=world.agreement, owner=world.coordinator)
    monkeypatch.setattr("partnerships.views.lists.USUAL_PAGE_SIZE", 3)
    client = client_of(world.coordinator)

    pages = [client.get(reverse("milestone_list"), {"page": number, "sort": "due_on"}) for number in (1, 2, 3)]

    seen = [row.pk for page in pages for row in page.context["rows"]]
    assert len(seen) == len(set(seen)) == 7
    assert pages[0].context["page"].paginator.count == 7


def test_the_counts_of_a_lead_open_lists_of_as_many(world: World, client_of: Callable[[Any], Client]) -> None:
    MilestoneFactory(agreement=world.agreement, orphaned=True)
    MilestoneFactory(agreement=world.agreement, submitted=True)
    ReminderItemFactory(plan__milestone=world.milestone, delivery__status="held")
    ReminderItemFactory(plan__milestone=world.milestone, delivery__sent=True)
    client = client_of(world.lead)

    attention = client.get(reverse("my_work")).context["attention"]

    listed = [client.get(item["url"]).context["page"].paginator.count for item in attention]
    assert [item["count"] for item in attention] == listed == [0, 1, 1, 1, 0, 1, 0]


def test_search_finds_all_kinds_by_chinese_and_english(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)

    by_chinese = client.get(reverse("search"), {"q": "中益"}).text
    by_english = client.get(reverse("search"), {"q": "north milestone"}).text

    assert ["North Works" in by_chinese, "North signed" in by_chinese, "North milestone" in by_chinese] == [True] * 3
    assert ["North milestone" in by_english, "North draft" in by_english] == [True, False]


def test_an_address_has_no_empty_parameters(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)

    asked = client.get(reverse("agreement_list"), {"q": "", "status": "signed", "unit": "", "page": ""})
    bare = client.get(reverse("agreement_list"), {"q": ""})

    assert [answer.url for answer in (asked, bare)] == ["/agreements/?status=signed", "/agreements/"]


def test_density_and_columns_are_kept_and_given_up(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    address = reverse("agreement_list")

    def shown() -> tuple[list[str], bool]:
        page = client.get(address)
        return [column.name for column in page.context["list"].shown_columns], page.context["is_compact"]

    usual = shown()
    kept = client.get(
        address, {"columns": ["reference", "nonsense"], "keep": "columns", "density": "compact", "q": "n"}
    )
    chosen = shown()
    client.get(address, {"keep": "usual", "density": "huge"})

    assert (usual[1], kept.url) == (False, "/agreements/?q=n")
    assert chosen == (["partners", "title", "reference"], True)
    assert shown() == (usual[0], True)
    assert [column.name for column in client.get(reverse("demand_list")).context["list"].shown_columns][:2] == [
        "organization",
        "demand",
    ]


def test_choices_of_filters_are_read_once_their_form_is_opened(
    world: World, client_of: Callable[[Any], Client], django_assert_num_queries: Any
) -> None:
    client = client_of(world.coordinator)
    client.get(reverse("demand_list"))

    with django_assert_num_queries(10):
        closed = client.get(reverse("demand_list")).text
    with django_assert_num_queries(14):
        opened = client.get(reverse("demand_list"), {"filters": "open"}).text

    assert ['id="filter-form"' in page for page in (closed, opened)] == [False, True]


def test_a_page_that_is_not_there_and_a_range_without_a_day_are_named(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    client = client_of(world.coordinator)

    beyond = client.get(reverse("agreement_list"), {"page": "9"}).text
    reversed_range = client.get(
        reverse("agreement_list"), {"signed_from": "2026-06-01", "signed_until": "2026-05-01"}
    ).text

    assert "There is no page 9. This is page 1." in beyond
    assert "“Signed from” is later than “Signed until”: correct one of the two dates." in reversed_range


def test_what_is_found_is_counted_beside_what_there_is(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)

    pages = [client.get(reverse("agreement_list"), query) for query in ({}, {"q": "draft"})]

    assert [(page.context["page"].paginator.count, page.context["all_count"]) for page in pages] == [(2, 2), (1, 2)]
    assert '<span class="number">1</span> of <span class="number">2</span>' in pages[1].text


@pytest.mark.parametrize("key", LISTS)
def test_every_preset_is_a_list_and_marked_as_the_one_shown(
    key: str, db: None, client_of: Callable[[Any], Client]
) -> None:
    client = client_of(UserFactory(system_admin=True, staff=True))

    for preset in LISTS[key].presets:
        page = client.get(f"{reverse(key)}?{preset.query}")
        listed = page.context["list"]
        assert (listed.has_problems, listed.is_preset, page.text.count('aria-current="true"')) == (False, True, 2)


def test_the_number_beside_a_preset_is_the_length_of_its_list(world: World, client_of: Callable[[Any], Client]) -> None:
    MilestoneFactory(agreement=world.agreement, orphaned=True)
    MilestoneFactory(agreement=world.agreement, submitted=True)
    client = client_of(world.lead)

    for key in ("agreement_list", "milestone_list"):
        counted = [one for one in client.get(reverse(key)).context["presets"] if one.number is not None]
        found = [client.get(f"{reverse(key)}?{one.query}").context["page"].paginator.count for one in counted]
        assert [one.number for one in counted] == found
    assert found == [0, 1, 3, 1, 1]


def test_the_page_of_a_record_leads_back_to_the_list_as_it_was_left(
    world: World, client_of: Callable[[Any], Client], django_assert_num_queries: Any
) -> None:
    last = DemandFactory(unit=world.unit, title="Zinc, north")
    client = client_of(world.coordinator)
    without = client.get(world.demand.get_absolute_url()).text
    client.get(reverse("demand_list"), {"q": "north", "sort": "title", "filters": "open"})

    with django_assert_num_queries(16):  # two of them for the ids of the list
        back = client.get(world.demand.get_absolute_url()).text
    client.force_login(world.lead)
    others = client.get(world.demand.get_absolute_url()).text

    assert 'href="/demands/?q=north&amp;sort=title"' in back
    assert ("1 of 2" in back, f'rel="next" href="{last.get_absolute_url()}"' in back) == (True, True)
    assert ['href="/demands/"' in page and "list-place" not in page for page in (without, others)] == [True, True]


def test_activities_and_agreements_open_on_what_is_to_be_done(world: World, client_of: Callable[[Any], Client]) -> None:
    for title, how in {"over": {"completed": True}, "someday": {"starts_on": None}, "next": {}}.items():
        ActivityFactory(agreement=world.agreement, title=title, **{"starts_on": DAY, **how})
    client = client_of(world.coordinator)

    listed = [row.title for row in client.get(reverse("activity_list")).context["rows"]]

    assert listed.index("next") < listed.index("someday") < listed.index("over")
    assert titles(client, "") == ["North signed", "North draft"]
