"""What a field offers while one types: within one's scope, with what is chosen kept."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    AssociationFactory,
    ContactFactory,
    EnterpriseFactory,
    EventFactory,
    InstitutionFactory,
    OrganizationNameFactory,
    ProgrammeFactory,
    RegionFactory,
    SourceFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.forms.picks import PICKS
from partnerships.models import Contact, Organization
from tests.views.world import World, make_world


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def found(client: Client, kind: str, words: str, chosen: Any = "") -> list[str]:
    asked = {"field": "who", "who-words": words, "who": str(chosen)}
    page = client.get(reverse("pick", args=[kind]), asked)
    assert page.status_code == 200
    return [str(option["row"]) for option in page.context["options"]]


def test_each_kind_is_found_by_its_words(world: World, client: Client) -> None:
    EventFactory(name="Harbor fair")
    ProgrammeFactory(name="Harbor plan", unit=world.unit)
    RegionFactory(name="Harborland", name_zh="港区")
    SourceFactory(title="Harbor paper")
    person = UserFactory(name="Harbor Li", coordinator_in=world.unit)
    EnterpriseFactory(name="Harbor Works")
    ContactFactory(name="Harbor Wu", organization=world.enterprise)
    ContactFactory(name="Harbor Xu")  # of an organization that another unit holds

    hits = {kind: found(client, kind, "harbor") for kind in PICKS}

    assert hits == {
        "organization": ["Harbor Works"],
        "agreement": [],
        "event": ["Harbor fair"],
        "programme": ["Harbor plan"],
        "person": [person.name],
        "contact": ["Harbor Wu"],
        "region": ["Harborland"],
        "source": ["Harbor paper"],
    }
    assert found(client, "agreement", "north sig") == ["North signed"]
    assert found(client, "region", "港") == ["Harborland"]


def test_an_organization_is_found_by_any_of_its_names(client: Client) -> None:
    OrganizationNameFactory(organization=AssociationFactory(name="Motor association"), name="电机协会")

    assert found(client, "organization", "电机") == ["Motor association"]


def test_a_whole_is_offered_before_its_parts(client: Client) -> None:
    college = InstitutionFactory(name="Harbor College")
    school = EnterpriseFactory(name="Business School", part_of=college, country="DE")

    page = client.get(reverse("pick", args=["organization"]), {"field": "who", "who-words": "harbor"})

    assert [option["row"].pk for option in page.context["options"]] == [college.pk, school.pk]
    assert "Enterprise · Harbor College · Germany" in page.text


def test_it_stays_within_ones_scope(world: World, client: Client) -> None:
    make_world("South")

    assert found(client, "agreement", "signed") == ["North signed"]
    assert found(client, "person", world.people["outsider"].name) == []


def test_what_is_out_of_use_is_not_offered(world: World, client: Client) -> None:
    EnterpriseFactory(name="Old mill", archived_on="2025-01-01")
    UserFactory(name="Gone Li", coordinator_in=world.unit, is_active=False)

    assert (found(client, "organization", "old mill"), found(client, "person", "gone")) == ([], [])


def test_what_is_chosen_stays_in_front(world: World, client: Client) -> None:
    other = EnterpriseFactory(name="Harbor Works")

    assert found(client, "organization", "harbor", world.enterprise.pk) == [str(world.enterprise), str(other)]
    assert found(client, "organization", "harbor", other.pk) == [str(other)]


def test_many_hits_are_cut_and_said(client: Client) -> None:
    for number in range(9):
        EnterpriseFactory(name=f"Harbor {number}")

    page = client.get(reverse("pick", args=["organization"]), {"field": "who", "who-words": "harbor"})

    assert len(page.context["options"]) == 8
    assert "More results: add a word to narrow them down." in page.text


def test_it_costs_the_same_for_one_and_for_many(client: Client, django_assert_num_queries: Any) -> None:
    EnterpriseFactory(name="Quay 1", held_by=UnitFactory())
    for number in range(3):
        EnterpriseFactory(name=f"Harbor {number}", held_by=UnitFactory())
    found(client, "organization", "warm")  # content types
    for words in ("quay", "harbor"):
        with django_assert_num_queries(7):
            found(client, "organization", words)


@pytest.mark.parametrize("field", ["", "a b", '"><script>', "x" * 61, "名"])
def test_a_name_no_field_has_is_no_page(field: str, client: Client) -> None:
    assert client.get(reverse("pick", args=["organization"]), {"field": field}).status_code == 404


@pytest.mark.parametrize("chosen", ["x", "99999999999999999999999", "-1", "0"])
def test_a_forged_choice_is_none(chosen: str, client: Client) -> None:
    assert found(client, "organization", "nothing", chosen) == []


def test_what_there_is_none_of_is_no_page(client: Client) -> None:
    assert client.get(reverse("pick", args=["delivery"]), {"field": "who"}).status_code == 404


def test_it_asks_for_a_login_and_is_read_alone(client: Client) -> None:
    address = reverse("pick", args=["organization"])

    assert Client().get(address).status_code == 302
    assert client.post(address).status_code == 405


@pytest.mark.parametrize("role", ["nobody", "user_admin"])
def test_without_a_role_there_is_nothing_to_find(role: str, world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.people[role])

    assert [found(client, kind, "north") for kind in ("organization", "agreement", "event")] == [[], [], []]


class TestAddingWhatIsNotFound:
    """A row that a field does not find is added beside it, by the same verb as on its own page."""

    DIALOG = {"HX-Request": "true"}

    def address(self, kind: str = "organization", **more: str) -> str:
        return reverse("pick_add", args=[kind]) + "?" + urlencode({"field": "who", "into": "id_who"} | more)

    def test_it_is_offered_to_those_who_may_until_one_is_chosen(
        self, world: World, client: Client, client_of: Callable[[Any], Client]
    ) -> None:
        asked = {"field": "who", "who-words": "Quay Works", "adds": "yes"}
        address, offer = reverse("pick", args=["organization"]), "Add “Quay Works” as a new organization"

        assert offer in client.get(address, asked).text
        assert offer not in client.get(address, asked | {"who": str(world.enterprise.pk)}).text
        assert offer not in client_of(world.people["viewer"]).get(address, asked).text
        assert client_of(world.people["viewer"]).get(self.address()).status_code == 403

    def test_an_organization_of_just_this_name_is_not_offered_as_new(self, world: World, client: Client) -> None:
        asked = {"field": "who", "who-words": f" {world.enterprise.name.upper()}", "adds": "yes"}

        page = client.get(reverse("pick", args=["organization"]), asked).text

        assert world.enterprise.name in page
        assert "as a new organization" not in page

    def test_a_new_organization_is_chosen_in_the_field(self, world: World, client: Client) -> None:
        typed = {"adding": "yes", "kind": "enterprise", "name": "Quay Works", "country": "CN", "unit": world.unit.pk}

        answer = client.post(self.address(name="Quay Works"), typed, headers=self.DIALOG)

        made = Organization.objects.get(name="Quay Works")
        assert made.holders.get().unit == world.unit
        assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#id_who_choices", "innerHTML")
        assert f'name="who" value="{made.pk}" checked' in answer.text

    def test_look_alikes_are_asked_about(self, world: World, client: Client) -> None:
        typed = {"adding": "yes", "kind": "enterprise", "name": "North Works", "country": "CN", "unit": world.unit.pk}

        refused = client.post(self.address(), typed, headers=self.DIALOG)
        assert world.enterprise.name in refused.text
        assert Organization.objects.filter(name="North Works").exists() is False
        client.post(self.address(), typed | {"is_another": str(world.enterprise.pk)}, headers=self.DIALOG)

        assert Organization.objects.filter(name="North Works").exists()

    def test_a_new_person_belongs_to_an_organization_one_works_with(self, world: World, client: Client) -> None:
        typed = {"adding": "yes", "name": "Zhou Min", "permission": "ask"}
        theirs = make_world("South").enterprise

        refused = client.post(self.address("contact"), typed | {"organization": theirs.pk}, headers=self.DIALOG)
        client.post(self.address("contact"), typed | {"organization": world.enterprise.pk}, headers=self.DIALOG)

        assert "HX-Retarget" not in refused
        assert [row.organization for row in Contact.objects.filter(name="Zhou Min")] == [world.enterprise]

    def test_without_scripts_the_form_travels_along(self, world: World, client: Client) -> None:
        form = reverse("agreement_add")
        waiting = {
            "title": "Joint & training",
            "parties-1-organization-words": "Quay",
            "look": "x",
            "areas": ["1", "2"],
        }
        address = self.address(field="parties-1-organization", name="Quay")

        asked = client.post(address, waiting, headers={"Referer": f"http://testserver{form}?event=1"})
        sent = {"adding": "yes", "kind": "enterprise", "name": "Quay", "country": "CN", "unit": world.unit.pk}
        sent |= {name: asked.context[name] for name in ("held", "page")}
        added = client.post(address, sent)

        made = Organization.objects.get(name="Quay")
        assert added.context["page"] == f"{form}?event=1"
        assert added.context["fields"] == [
            ("title", "Joint & training"),
            ("parties-1-organization-words", "Quay"),
            *(("areas", "1"), ("areas", "2")),
            ("parties-1-organization", str(made.pk)),
        ]

    @pytest.mark.parametrize("page", ["", "https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"])
    def test_it_never_leads_to_another_site(self, page: str, world: World, client: Client) -> None:
        sent = {"adding": "yes", "kind": "enterprise", "name": "Quay", "country": "CN", "unit": world.unit.pk}

        answer = client.post(self.address(), sent | {"page": page, "held": "a=b"})

        assert answer.url == Organization.objects.get(name="Quay").get_absolute_url()

    @pytest.mark.parametrize("kind", ["region", "person", "agreement", "x"])
    def test_other_kinds_have_no_such_form(self, kind: str, client: Client) -> None:
        assert client.get(self.address(kind)).status_code == 404
