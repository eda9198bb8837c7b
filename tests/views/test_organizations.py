"""The organization's page: numbers that open their lists, clocks of honours, look-alikes, what happened, and the cost."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    DAY,
    ActivityFactory,
    AgreementFactory,
    AssociationMembershipFactory,
    ContactFactory,
    ContactNoteFactory,
    DemandFactory,
    DocumentVersionFactory,
    EnterpriseFactory,
    EventFactory,
    FacilityFactory,
    HonourFactory,
    HonourSchemeFactory,
    OrganizationCodeFactory,
    OrganizationNameFactory,
    ParticipationFactory,
    PaymentFactory,
    ReceiptFactory,
    UserFactory,
)
from partnerships.lists import LISTS
from partnerships.reports.relations import relations_of
from tests.views.sections import cost, section_url
from tests.views.world import World, make_world


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def words(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


def part(html: str, name: str) -> str:
    return re.search(rf'<section[^>]* aria-labelledby="{name}".*?</section>', html, re.DOTALL)[0]  # type: ignore[index]


def one_of_each(world: World) -> None:
    """One more of each relation, and one of each that must not count: another stage, or another organization."""
    enterprise, unit = world.enterprise, world.unit
    AgreementFactory(unit=unit, parties=[enterprise])
    ActivityFactory(agreement=world.agreement, completed=True, visit=True, organizations=[enterprise])
    ActivityFactory(agreement=world.agreement, cancelled=True, organizations=[enterprise])
    ActivityFactory(agreement=world.agreement, visit=True, organizations=[EnterpriseFactory()])
    FacilityFactory(unit=unit, opened=True, partners=[enterprise])
    HonourFactory(unit=unit, organization=enterprise)
    HonourFactory(unit=unit, organization=enterprise, withdrawn=True)
    DemandFactory(unit=unit, organization=enterprise, no_match=True)
    ParticipationFactory(event=EventFactory(unit=unit), organization=enterprise)
    ReceiptFactory(payment__agreement=world.agreement, payment__party=world.agreement.parties.last())
    PaymentFactory(agreement=world.agreement, party=world.agreement.parties.first())
    PaymentFactory(agreement=world.draft)
    AgreementFactory(unit=unit, through=enterprise)
    ActivityFactory(unit=unit, agreement=None, owner=None, through=enterprise)
    DemandFactory(unit=unit, through=enterprise)


# At a glance


def test_the_relations_are_counted(world: World) -> None:
    one_of_each(world)

    relations = relations_of(world.enterprise, world.coordinator, DAY)

    assert {name: relation.count for name, relation in relations.items()} == {
        "agreements_in_force": 1,
        "agreements": 3,
        "delivered": 1,
        "unfinished": 1,
        "activities": 3,
        "visits": 1,
        "facilities": 2,
        "honours": 1,
        "demands_open": 1,
        "demands": 2,
        "payments": 1,
        "events": 1,
        "parts": 0,
        "arranged_agreements": 1,
        "arranged_activities": 1,
        "arranged_demands": 1,
    }


def test_parts_are_counted_with_the_whole_and_not_the_other_way_round(world: World) -> None:
    whole = EnterpriseFactory()
    world.enterprise.part_of = EnterpriseFactory(part_of=whole)
    world.enterprise.save()
    one_of_each(world)
    AgreementFactory(unit=world.unit, signed=True, parties=[whole, world.enterprise])  # counted once

    above, below = (relations_of(one, world.coordinator, DAY) for one in (whole, world.enterprise))

    assert above.pop("parts").count == 2
    assert below.pop("parts").count == 0
    assert {name: relation.count for name, relation in above.items()} == {
        name: relation.count for name, relation in below.items()
    }
    assert above["agreements"].count == 4
    assert relations_of(whole.parts.get(), world.coordinator, DAY)["agreements"].count == 4


@pytest.mark.parametrize("is_whole", [False, True])
@pytest.mark.parametrize("role", ["coordinator", "outsider", "staff"])
def test_every_number_is_the_length_of_its_list(role: str, is_whole: bool, world: World) -> None:
    one_of_each(world)
    person, organization = world.people[role], world.enterprise
    if is_whole:
        organization = world.enterprise.part_of = EnterpriseFactory()
        world.enterprise.save()
        EnterpriseFactory(part_of=world.enterprise, archived_on=DAY)

    for relation in relations_of(organization, person, DAY).values():
        data = QueryDict(mutable=True)
        data.update({name: str(value) for name, value in relation.query.items()})
        rows = LISTS[relation.address](data, user=person, today=DAY)
        assert (rows.filterset.form.errors, rows.filterset.unknown) == ({}, [])
        assert rows.ids().count() == relation.count, relation


def test_a_number_on_the_page_opens_its_list(world: World, client: Client) -> None:
    one_of_each(world)

    html = client.get(world.enterprise.get_absolute_url()).text
    glance = html.partition('<dl class="glance">')[2].partition("</dl>")[0]

    numbers = re.findall(r'href="(/[^"]+)">\s*(?:<b>)?(\d+)', glance)
    assert len(numbers) == 13
    for address, number in numbers:
        assert client.get(unescape(address)).context["page"].paginator.count == int(number)


def test_what_was_arranged_through_it_is_named_in_singular_and_plural(world: World, client: Client) -> None:
    ActivityFactory(unit=world.unit, agreement=None, owner=None, through=world.enterprise)
    for _again in "ab":
        DemandFactory(unit=world.unit, through=world.enterprise)

    html = client.get(world.enterprise.get_absolute_url()).text
    glance = html.partition("Arranged through it")[2].partition("</dd>")[0]

    assert words(glance).split() == ["0", "agreements", "1", "activity", "2", "demands"]


def test_the_twins_count_only_their_own(world: World) -> None:
    twin = make_world("South")
    AgreementFactory(unit=twin.unit, signed=True, parties=[world.enterprise])

    own, foreign = (relations_of(world.enterprise, unit.coordinator, DAY) for unit in (world, twin))

    assert (own["agreements"].count, foreign["agreements"].count) == (2, 1)
    assert (own["unfinished"].count, foreign["unfinished"].count) == (1, 0)


def test_who_arranged_something_holds_nothing_and_shows_it_to_nobody_else(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    twin = make_world("South")
    rows = [
        AgreementFactory(unit=twin.unit, title="Their pact", through=world.enterprise, signed=True),
        ActivityFactory(agreement=twin.agreement, title="Their visit", through=world.enterprise),
        DemandFactory(unit=twin.unit, title="Their wish", through=world.enterprise),
    ]

    own, foreign = (relations_of(world.enterprise, unit.coordinator, DAY) for unit in (world, twin))

    arranged = ["arranged_agreements", "arranged_activities", "arranged_demands"]
    assert [(own[name].count, foreign[name].count) for name in arranged] == [(0, 1)] * 3
    assert [holder.unit for holder in world.enterprise.holders.all()] == [world.unit]
    client = client_of(world.coordinator)
    page = client.get(world.enterprise.get_absolute_url()).text
    assert ("Arranged through it" in page, "Their" in page) == (False, False)
    for row in rows:
        assert client.get(row.get_absolute_url()).status_code == 404
        their_page = client_of(twin.coordinator).get(row.get_absolute_url(), {"section": "terms"}).text
        assert world.enterprise.get_absolute_url() in their_page


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (None, "no end"),
        (DAY - dt.timedelta(days=1), "lapsed"),
        (DAY + dt.timedelta(days=5), "lapses in 5 days"),
    ],
)
def test_an_honour_has_its_clock(until: dt.date | None, said: str, world: World, client: Client) -> None:
    scheme = HonourSchemeFactory(name="Giant", next_scheme=HonourSchemeFactory(name="Champion"))
    granted = DAY - dt.timedelta(days=100)
    HonourFactory(unit=world.unit, organization=world.enterprise, scheme=scheme, granted_on=granted, valid_until=until)

    honours = words(part(client.get(section_url(world.enterprise, "related")).text, "honours"))

    assert said in honours
    assert "next level: Champion" in honours


# Look-alikes


def test_a_similar_name_is_a_warning_with_a_comparison(world: World, client: Client) -> None:
    before = client.get(world.enterprise.get_absolute_url()).text
    other = EnterpriseFactory(name="North Works Group")

    after = client.get(world.enterprise.get_absolute_url()).text

    assert ["similar name" in page for page in (before, after)] == [False, True]
    assert reverse("organization_compare", args=[world.enterprise.pk, other.pk]) in after


def test_an_archived_look_alike_does_not_disturb(world: World, client: Client) -> None:
    EnterpriseFactory(name="North Works Group", archived_on=DAY)

    assert "similar name" not in client.get(world.enterprise.get_absolute_url()).text


def test_two_stand_side_by_side_with_what_differs(world: World, client: Client) -> None:
    other = EnterpriseFactory(name="North Works Group", name_zh=world.enterprise.name_zh, uscc=None)

    response = client.get(reverse("organization_compare", args=[world.enterprise.pk, other.pk]))

    differs = {str(fact["label"]): fact["differs"] for fact in response.context["facts"]}
    assert differs["Name"]
    assert not differs["Chinese name"]
    assert "Address" not in differs  # the other one is nobody's of this person


def test_the_details_of_two_are_compared_by_who_holds_both(world: World, client_of: Callable[[Any], Client]) -> None:
    other = EnterpriseFactory(name="North Works Group", address="Hill Street 7")
    address = reverse("organization_compare", args=[world.enterprise.pk, other.pk])

    pages = [client_of(person).get(address).text for person in (world.coordinator, world.people["staff"])]

    assert ["Hill Street 7" in page for page in pages] == [False, True]


def test_a_part_and_its_whole_are_no_look_alikes(world: World, client: Client) -> None:
    valves = EnterpriseFactory(name="North Works Valves", part_of=world.enterprise)
    branch = EnterpriseFactory(name="North Works Valves Shaoxing", part_of=valves)

    for row in (world.enterprise, valves, branch):
        assert "similar name" not in client.get(row.get_absolute_url()).text


# Country


def test_a_foreign_country_is_shown_and_our_own_goes_without_saying(world: World, client: Client) -> None:
    foreign = EnterpriseFactory(name="Formosa Tools", country="TW")
    compare = reverse("organization_compare", args=[world.enterprise.pk, foreign.pk])

    pages = [words(client.get(row.get_absolute_url()).text) for row in (world.enterprise, foreign)]
    facts = {
        str(fact["label"]): [value for _one, value in fact["values"]] for fact in client.get(compare).context["facts"]
    }
    listed = words(client.get(reverse("organization_list"), {"country": "TW"}).text)

    assert ["Taiwan, China" in page for page in pages] == [False, True]
    assert facts["Country or region"] == ["China", "Taiwan, China"]
    assert "Country or region Taiwan, China" in listed
    assert "Formosa Tools" in listed


# Names and codes


@pytest.mark.parametrize(
    ("language", "shown"),
    [("en", ["North Works Co., Ltd.", "中益机械有限公司"]), ("zh-hans", ["中益机械有限公司", "North Works Co., Ltd."])],
)
def test_the_header_has_the_name_in_both_languages(
    language: str, shown: list[str], world: World, client: Client
) -> None:
    world.coordinator.language = language
    world.coordinator.save()

    html = client.get(world.enterprise.get_absolute_url()).text
    head, _h1, after = html.partition('<section class="card record-head"')[2].partition("</h1>")

    assert shown[0] in head
    assert shown[1] in after.partition("</div>")[0]


def test_other_names_say_when_they_were_used(world: World, client: Client) -> None:
    first, last = dt.date(2012, 3, 1), dt.date(2019, 6, 30)
    for name, period in (
        ("Forge", {"kind": "legal", "valid_from": last}),
        ("Smithy", {"kind": "former", "valid_until": last}),
        ("Old forge", {"kind": "former", "valid_from": first, "valid_until": last}),
        ("Works", {}),
    ):
        OrganizationNameFactory(organization=world.enterprise, name=name, **period)

    names = words(part(client.get(world.enterprise.get_absolute_url()).text, "names"))

    for shown in (
        "Forge Registered name · since June 30, 2019",
        "Smithy Former name · until June 30, 2019",
        "Old forge Former name · March 1, 2012 – June 30, 2019",
        "Works Short form",
    ):
        assert shown in names


def test_external_codes_belong_to_the_details(world: World, client_of: Callable[[Any], Client]) -> None:
    OrganizationCodeFactory(organization=world.enterprise, scheme="Erasmus", code="D NECKART01")
    address = world.enterprise.get_absolute_url()

    shown = {role: "D NECKART01" in client_of(world.people[role]).get(address).text for role in ("viewer", "outsider")}

    assert shown == {"viewer": True, "outsider": False}


# Parts


def test_a_part_names_its_whole_and_the_whole_its_parts(world: World, client: Client) -> None:
    part_of_it = EnterpriseFactory(name="Foundry", part_of=world.enterprise)
    AgreementFactory(unit=world.unit, signed=True, parties=[part_of_it], title="Castings")

    above, below = (client.get(row.get_absolute_url()).text for row in (world.enterprise, part_of_it))

    assert f'<a href="{world.enterprise.get_absolute_url()}">{world.enterprise}</a>' in below
    assert f'href="{part_of_it.get_absolute_url()}">Foundry</a>' in part(
        client.get(section_url(world.enterprise, "related")).text, "parts"
    )
    assert "Castings" in words(part(above, "agreements"))
    assert "Numbers and lists include its parts" in above
    assert "Numbers and lists include its parts" not in below


# What happened


def test_what_happened_is_told_as_far_as_one_may_see(
    world: World, client: Client, client_of: Callable[[Any], Client]
) -> None:
    ActivityFactory(agreement=world.agreement, completed=True, title="First visit", organizations=[world.enterprise])
    ContactNoteFactory(agreement=None, unit=world.unit, organization=world.enterprise, summary="A word in passing")
    HonourFactory(unit=world.unit, organization=world.enterprise, scheme__name="Giant")
    ParticipationFactory(
        event=EventFactory(unit=world.unit, name="Next fair", starts_on=DAY + dt.timedelta(days=9)),
        organization=world.enterprise,
    )
    world.enterprise.address = "Hill Street 7"
    world.enterprise.save()
    address = section_url(world.enterprise, "history")

    own = words(part(client.get(address).text, "timeline"))
    foreign = words(part(client_of(world.people["outsider"]).get(address).text, "timeline"))

    shared = ("Honor granted: Giant",)
    private = ("Agreement signed: North signed", "First visit", "A word in passing", "Hill Street 7")
    assert [said in own for said in (*shared, *private)] == [True] * 5
    assert [said in foreign for said in (*shared, *private)] == [True, False, False, False, False]
    assert "Next fair" not in own


def test_htmx_gets_the_timeline_alone(world: World, client: Client) -> None:
    some = client.get(world.enterprise.get_absolute_url(), headers={"HX-Request": "true"}).text

    assert some.lstrip().startswith("<section")
    assert "<h1" not in some


# Cost


def more_of_everything(world: World, count: int) -> None:
    enterprise, unit = world.enterprise, world.unit
    for number in range(count):
        one_of_each(world)
        ContactFactory(organization=enterprise)
        OrganizationNameFactory(organization=enterprise)
        OrganizationCodeFactory(organization=enterprise)
        EnterpriseFactory(name=f"North Works Group {number}")
        one_of_each(replace(world, enterprise=EnterpriseFactory(part_of=enterprise)))
        AssociationMembershipFactory(member=enterprise)
        ContactNoteFactory(agreement=None, unit=unit, organization=enterprise)
        DocumentVersionFactory(document__agreement=None, document__organization=enterprise)
        enterprise.refresh_from_db()
        enterprise.address = f"Hill Street {number}"
        enterprise.save()


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_costs_a_fixed_number_of_queries(count: int, world: World, client_of: Callable[[Any], Client]) -> None:
    more_of_everything(world, count)
    sections = ("overview", "related", "files", "history")
    pages = [section_url(world.enterprise, name) for name in sections]

    clients = {role: client_of(world.people[role]) for role in ("lead", "coordinator", "viewer")}

    for client in clients.values():
        for page in pages:
            client.get(page)  # the first view of a day notes in the security log whose numbers it shows
    costs = {role: [cost(client, page) for page in pages] for role, client in clients.items()}

    assert costs == {"lead": [49, 52, 29, 35], "coordinator": [49, 52, 29, 35], "viewer": [49, 52, 28, 35]}


@pytest.mark.parametrize("count", [1, 3])
def test_comparing_costs_a_fixed_number_of_queries(
    count: int, world: World, client_of: Callable[[Any], Client], django_assert_num_queries: Any
) -> None:
    more_of_everything(world, count)
    client = client_of(UserFactory(staff=True))
    address = reverse("organization_compare", args=[world.enterprise.pk, EnterpriseFactory().pk])
    client.get(address)

    with django_assert_num_queries(46):
        client.get(address)
