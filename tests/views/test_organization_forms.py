"""Organizations and the people there, added and edited on the pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    ContactFactory,
    EnterpriseFactory,
    OrganizationNameFactory,
    RegionFactory,
    UnitFactory,
    UnitMembershipFactory,
)
from partnerships.forms.organizations import LOOK_ALIKES_SHOWN
from partnerships.models import Contact, Organization
from tests.services.drawing import undrawn
from tests.views.sent import box, errors, filled, send
from tests.views.world import World, make_world

ADD = "/organizations/add/"
CODE = "91110000600037341L"


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


def edit(organization: Any) -> str:
    return reverse("organization_edit", args=[organization.pk])


def add_person(organization: Any) -> str:
    return reverse("contact_add", args=[organization.pk])


class TestAdding:
    def test_it_is_kept_with_its_names_and_held_by_ones_unit(self, world: World, client: Client) -> None:
        region = RegionFactory()
        page = client.post(ADD, filled(undrawn(client, ADD), more="names"))

        answer = client.post(
            ADD,
            filled(
                page,
                kind="enterprise",
                name="Harbor Works Co., Ltd.",
                name_zh="港湾机械有限公司",
                region=str(region.pk),
                uscc=CODE.lower(),
                website="harbor.example",
                names__0__name="Harbor",
            ),
        )

        made = Organization.objects.get(name="Harbor Works Co., Ltd.")
        assert answer.url == made.get_absolute_url()
        assert (made.region, made.uscc, made.website) == (region, CODE, "https://harbor.example")
        assert [name.name for name in made.other_names.all()] == ["Harbor"]
        holder = made.holders.get()
        assert (holder.unit, holder.coordinator) == (world.unit, world.coordinator)
        assert made.history.get().history_user == world.coordinator
        assert list(Organization.objects.search("harbor")) == [made]

    def test_the_name_one_looked_for_stands_there(self, client: Client) -> None:
        assert 'name="name" value="Harbor"' in client.get(f"{ADD}?name=Harbor").text
        assert 'name="name_zh" value="港湾"' in client.get(f"{ADD}?name=港湾").text

    def test_look_alikes_are_shown_with_who_holds_them_and_do_not_block(self, world: World, client: Client) -> None:
        typed = {"kind": "enterprise", "name": "North Works"}

        warned = send(client, ADD, **typed)

        assert errors(warned) == {
            "is_another": ["There are similar names on record. Check them first, and confirm if it is none of them."]
        }
        assert world.enterprise.get_absolute_url() in warned.text
        assert "North school" in warned.text
        assert Organization.objects.filter(name="North Works").count() == 0
        ticked = filled(warned, is_another=box(warned))
        client.post(ADD, ticked)
        assert Organization.objects.filter(name="North Works").count() == 1
        twice = client.post(ADD, ticked)
        assert list(errors(twice)) == ["is_another"]
        assert Organization.objects.filter(name="North Works").count() == 1

    def test_another_name_in_an_edit_is_compared_too(self, world: World, client: Client) -> None:
        there = EnterpriseFactory(name="Harbor Works")
        url = reverse("organization_edit", args=[world.enterprise.pk])

        warned = send(client, url, name="Harbor Works Ltd.")

        assert list(errors(warned)) == ["is_another"]
        assert there.get_absolute_url() in warned.text
        client.post(url, filled(warned, is_another=box(warned)))
        assert Organization.objects.get(pk=world.enterprise.pk).name == "Harbor Works Ltd."

    def test_more_look_alikes_than_are_shown_do_not_block(self, client: Client) -> None:
        for number in range(LOOK_ALIKES_SHOWN + 2):
            EnterpriseFactory(name=f"Harbor Works {number}")

        warned = send(client, ADD, kind="enterprise", name="Harbor Works")
        client.post(ADD, filled(warned, is_another=box(warned)))

        assert Organization.objects.filter(name="Harbor Works").count() == 1

    def test_the_chinese_name_is_compared_too(self, client: Client) -> None:
        warned = send(client, ADD, kind="enterprise", name="Something else", name_zh="中益机械")

        assert list(errors(warned)) == ["is_another"]

    def test_sent_twice_it_is_kept_once(self, client: Client) -> None:
        typed = {"kind": "enterprise", "name": "Harbor Works"}

        answers = [send(client, ADD, **typed).status_code for _ in range(2)]

        assert (answers, Organization.objects.filter(name="Harbor Works").count()) == ([302, 200], 1)

    def test_the_holder_is_a_unit_of_ones_own(self, client: Client) -> None:
        answer = send(client, ADD, kind="enterprise", name="Harbor Works", unit=str(UnitFactory().pk))

        assert list(errors(answer)) == ["unit"]

    def test_with_several_units_one_says_which(self, world: World, client: Client) -> None:
        second = UnitFactory()
        UnitMembershipFactory(user=world.coordinator, unit=second, role=20)

        asked = send(client, ADD, kind="enterprise", name="Harbor Works")
        client.post(ADD, filled(asked, unit=str(second.pk)))

        assert list(errors(asked)) == ["unit"]
        assert Organization.objects.get(name="Harbor Works").holders.get().unit == second

    def test_the_office_may_leave_it_to_nobody(self, world: World, client_of: Callable[[Any], Client]) -> None:
        send(client_of(world.people["staff"]), ADD, kind="enterprise", name="Harbor Works")

        assert Organization.objects.get(name="Harbor Works").holders.count() == 0

    @pytest.mark.parametrize(
        ("field", "value", "where"),
        [
            ("name", "x" * 10_000, "name"),
            ("name", "a\r\nb", "name"),
            ("name", "nul\0l", "name"),
            ("kind", "empire", "kind"),
            ("uscc", "123", "uscc"),
            ("website", "javascript:alert(1)", "website"),
            ("region", "99999999999999999999", "region"),
            ("institution_type", "university", "institution_type"),
            ("description", "nul\0l", "description"),
            ("names__TOTAL_FORMS", "x", "names"),
        ],
    )
    def test_bad_input_is_said_at_its_field(self, field: str, value: str, where: str, client: Client) -> None:
        typed = {"kind": "enterprise", "name": "Harbor Works", "address": "Quay 5", field: value}

        answer = send(client, ADD, **typed)

        assert (answer.status_code, where in errors(answer)) == (200, True)
        assert 'value="Quay 5"' in answer.text
        assert Organization.objects.filter(address="Quay 5").count() == 0

    def test_a_credit_code_is_one_organizations(self, client: Client) -> None:
        EnterpriseFactory(uscc=CODE)

        answer = send(client, ADD, kind="enterprise", name="Harbor Works", uscc=CODE)

        assert errors(answer) == {"uscc": ["Another organization has this unified social credit code."]}

    @pytest.mark.parametrize("typed", ["9111 0000 6000 3734 1L", "91110000-600037341l"])
    def test_a_code_may_be_typed_in_groups(self, typed: str, client: Client) -> None:
        assert send(client, ADD, kind="enterprise", name="Harbor Works", uscc=typed).status_code == 302
        assert Organization.objects.filter(uscc=CODE).exists()

    @pytest.mark.parametrize("code", ["91350211M00013FA1N", "91110000600037341M"])
    def test_a_wrong_check_digit_is_asked_about(self, code: str, client: Client) -> None:
        typed = {"kind": "enterprise", "name": "Harbor Works", "uscc": code}

        asked = send(client, ADD, **typed)
        assert errors(asked) == {"is_code_right": [f"The check digit of {code} does not match. Is the code correct?"]}
        assert 'name="is_code_right"' in asked.text
        assert send(client, ADD, **typed, is_code_right="on").status_code == 302
        made = Organization.objects.get(uscc=code)
        assert send(client, edit(made), address="Quay 5").status_code == 302

    @pytest.mark.parametrize(
        "code", ["9111000060003734I1", "91110000600037341", "9111000060003734101", "A1110000600037341L"]
    )
    def test_what_cannot_be_a_credit_code_is_refused(self, code: str, client: Client) -> None:
        answer = send(client, ADD, kind="enterprise", name="Harbor Works", uscc=code, is_code_right="on")
        assert (answer.status_code, list(errors(answer))) == (200, ["uscc"])


class TestEditing:
    def test_names_come_change_and_go_as_one_edit(self, world: World, client: Client) -> None:
        old = OrganizationNameFactory(organization=world.enterprise, name="Old")
        OrganizationNameFactory(organization=world.enterprise, name="Zhong")
        version = Organization.objects.get(pk=world.enterprise.pk).version

        send(client, edit(world.enterprise), address="Quay 5", names__0__DELETE="on", names__1__name="Zhongyi")

        kept = Organization.objects.get(pk=world.enterprise.pk)
        assert (kept.address, kept.version) == ("Quay 5", version + 1)
        assert [name.name for name in kept.other_names.all()] == ["Zhongyi"]
        assert type(old).history.filter(id=old.pk, history_type="-").get().history_user == world.coordinator

    @pytest.mark.both_databases
    def test_names_that_change_places_are_the_same_names(self, world: World, client: Client) -> None:
        for name in ("Harbor", "Zhongyi"):
            OrganizationNameFactory(organization=world.enterprise, name=name)

        send(client, edit(world.enterprise), names__0__name="Zhongyi", names__1__name="Harbor")

        names = world.enterprise.other_names.order_by("pk")
        assert [(name.name, name.history.count()) for name in names] == [("Harbor", 1), ("Zhongyi", 1)]
        assert {row.pk for row in Organization.objects.search("zhongyi")} == {world.enterprise.pk}

    def test_nothing_changed_is_no_edit(self, world: World, client: Client) -> None:
        before = Organization.objects.get(pk=world.enterprise.pk).version

        send(client, edit(world.enterprise))

        assert Organization.objects.get(pk=world.enterprise.pk).version == before

    def test_a_stale_page_shows_both_and_loses_nothing(
        self, world: World, client: Client, client_of: Callable[[Any], Client]
    ) -> None:
        mine = filled(undrawn(client, edit(world.enterprise)), address="Mine")
        send(client_of(world.lead), edit(world.enterprise), address="Theirs")

        refused = client.post(edit(world.enterprise), mine)

        row = refused.context["conflict"].differences[0]
        assert (refused.status_code, row.mine, row.theirs, row.original) == (409, "Mine", "Theirs", "–")
        client.post(edit(world.enterprise), filled(refused))
        assert Organization.objects.get(pk=world.enterprise.pk).address == "Mine"

    def test_a_name_of_another_organization_is_not_taken_for_one_of_its_own(self, world: World, client: Client) -> None:
        OrganizationNameFactory(organization=world.enterprise, name="Zhong")
        theirs = OrganizationNameFactory(name="Theirs")

        answer = send(client, edit(world.enterprise), names__0__id=str(theirs.pk), names__0__name="Mine")

        assert list(errors(answer)) == ["names-0-__all__"]
        assert [name.name for name in world.enterprise.other_names.all()] == ["Zhong"]

    def test_saved_again_with_a_name_they_added_too_says_so_at_the_line(self, world: World, client: Client) -> None:
        page = client.post(edit(world.enterprise), filled(undrawn(client, edit(world.enterprise)), more="names"))
        data = filled(page, names__0__name="Harbor")

        client.post(edit(world.enterprise), data)
        again = client.post(edit(world.enterprise), filled(client.post(edit(world.enterprise), data)))

        assert errors(again) == {"names-0-name": ["This name is recorded already."]}
        assert world.enterprise.other_names.count() == 1

    def test_the_page_leads_there_for_holders_alone(self, world: World, client_of: Callable[[Any], Client]) -> None:
        page = {
            role: client_of(world.people[role]).get(world.enterprise.get_absolute_url()).text
            for role in ("coordinator", "viewer", "outsider")
        }

        for address in (edit(world.enterprise), add_person(world.enterprise)):
            assert {role for role, text in page.items() if address in text} == {"coordinator"}


class TestPeople:
    def test_a_person_is_added_and_shown(self, world: World, client: Client) -> None:
        answer = send(client, add_person(world.enterprise), name="Zhou Min", phone="0575-1", permission="ask")

        person = Contact.objects.get(name="Zhou Min")
        assert answer.url == f"{world.enterprise.get_absolute_url()}#contacts"
        assert (person.organization_id, person.permission) == (world.enterprise.pk, "ask")
        assert person.history.get().history_user == world.coordinator
        page = client.get(world.enterprise.get_absolute_url()).text
        assert "ask North school before contacting" in page[page.index("Zhou Min") :]

    def test_sent_twice_there_is_one(self, world: World, client: Client) -> None:
        for _ in range(2):
            send(client, add_person(world.enterprise), name="Zhou Min", phone="0575-1")

        assert Contact.objects.filter(name="Zhou Min").count() == 1

    def test_who_left_is_marked_and_stays(self, world: World, client: Client) -> None:
        data = filled(undrawn(client, reverse("contact_edit", args=[world.contact.pk])))
        del data["is_active"]

        client.post(reverse("contact_edit", args=[world.contact.pk]), data)

        world.contact.refresh_from_db()
        assert (world.contact.is_active, world.contact.version) == (False, 2)
        assert "no longer there" in client.get(world.enterprise.get_absolute_url()).text

    def test_a_stale_page_shows_both(self, world: World, client: Client, client_of: Callable[[Any], Client]) -> None:
        address = reverse("contact_edit", args=[world.contact.pk])
        mine = filled(undrawn(client, address), phone="1")
        send(client_of(world.lead), address, phone="2")

        refused = client.post(address, mine)

        row = refused.context["conflict"].differences[0]
        assert (refused.status_code, row.mine, row.theirs) == (409, "1", "2")

    @pytest.mark.parametrize("button", ["look", "more"])
    def test_a_button_of_another_page_keeps_nothing(self, button: str, world: World, client: Client) -> None:
        for address in (add_person(world.enterprise), reverse("contact_edit", args=[world.contact.pk])):
            page = send(client, address, position="Head of works", **{button: "x"})

            assert (page.status_code, errors(page), 'value="Head of works"' in page.text) == (200, {}, True)
        assert Contact.objects.filter(position="Head of works").count() == 0

    def test_nobody_moves_a_person_by_a_forged_field(self, world: World, client: Client) -> None:
        other = EnterpriseFactory()

        send(client, reverse("contact_edit", args=[world.contact.pk]), position="Head", organization=str(other.pk))

        world.contact.refresh_from_db()
        assert (world.contact.organization_id, world.contact.position) == (world.enterprise.pk, "Head")

    @pytest.mark.parametrize(
        ("field", "value"),
        [("name", "x" * 10_000), ("name", "a\nb"), ("email", "a@b\n@c"), ("phone", "\0"), ("language", "xx")],
    )
    def test_bad_input_is_said_at_its_field(self, field: str, value: str, world: World, client: Client) -> None:
        typed = {"name": "Zhou Min", "position": "Head of works", field: value}

        answer = send(client, add_person(world.enterprise), **typed)

        assert (list(errors(answer)), 'value="Head of works"' in answer.text) == ([field], True)

    @pytest.mark.parametrize(("role", "statuses"), [("viewer", [403, 403, 403]), ("outsider", [403, 403, 404])])
    def test_others_may_not(
        self, role: str, statuses: list[int], world: World, client_of: Callable[[Any], Client]
    ) -> None:
        theirs = ContactFactory(organization=make_world("South").enterprise)
        client = client_of(world.people[role])
        addresses = [edit(world.enterprise), add_person(world.enterprise)]
        addresses.append(reverse("contact_edit", args=[world.contact.pk]))

        assert [client.post(address, {"name": "Theirs"}).status_code for address in addresses] == statuses
        assert client.post(reverse("contact_edit", args=[theirs.pk]), {"name": "x"}).status_code == 404
        assert Organization.objects.filter(name="Theirs").count() == 0


class TestNames:
    """One name is enough, and the reader's language comes first."""

    @pytest.mark.parametrize(("language", "first"), [("en", "name"), ("zh-hans", "name_zh")])
    def test_the_name_in_the_readers_language_is_asked_first_and_missed(
        self, language: str, first: str, world: World, client: Client
    ) -> None:
        type(world.coordinator).objects.filter(pk=world.coordinator.pk).update(language=language)

        refused = send(client, ADD, kind="enterprise", name="", name_zh=" ")

        fields = [name for name in refused.context["form"].fields if name.startswith("name")]
        assert (fields[0], list(errors(refused))) == (first, [first])

    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ({"name": "", "name_zh": "港湾机械厂"}, ("港湾机械厂", "港湾机械厂")),
            ({"name": "Harbor Works", "name_zh": ""}, ("Harbor Works", "")),
            ({"name": "Harbor Works", "name_zh": "港湾机械厂"}, ("Harbor Works", "港湾机械厂")),
        ],
    )
    def test_one_name_is_enough(self, typed: dict[str, str], kept: tuple[str, str], client: Client) -> None:
        send(client, ADD, kind="enterprise", **typed)

        made = Organization.objects.latest("pk")
        assert (made.name, made.name_zh) == kept
        page = client.get(made.get_absolute_url()).text
        assert page.count("<h1") == 1
        assert ('lang="zh-Hans"' in page) == (kept[1] not in {"", kept[0]})


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://ror.org/03YRM5C26", "03yrm5c26"),
        ("ror.org/03yrm5c26/", "03yrm5c26"),
        ("03yrm5c26", "03yrm5c26"),
        ("https://ror.example/03yrm5c26", "https://ror.example/03yrm5c26"),
    ],
)
def test_of_a_pasted_ror_address_the_id_is_kept(typed: str, kept: str, world: World, client: Client) -> None:
    page = client.post(ADD, filled(undrawn(client, ADD), more="codes"))

    client.post(ADD, filled(page, kind="enterprise", name="Quay", codes__0__scheme="ROR", codes__0__code=typed))

    assert Organization.objects.get(name="Quay").codes.get().code == kept
