"""Titles in Chinese beside the others: each reader gets those of their language, and either is enough in a form."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import (
    ActivityFactory,
    AgreementFactory,
    AgreementTypeFactory,
    InstitutionFactory,
    MilestoneFactory,
    UserFactory,
)
from partnerships.models import Activity, Agreement, Demand, Milestone, User
from tests.views.world import World

pytestmark = pytest.mark.django_db

CHINESE = "zh-hans"


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    """A coordinator who reads Chinese."""
    User.objects.filter(pk=world.coordinator.pk).update(language=CHINESE)
    return client_of(world.coordinator)


def no_lines(*sections: str) -> dict[str, Any]:
    return {f"{section}-{name}": 0 for section in sections for name in ("TOTAL_FORMS", "INITIAL_FORMS")}


@pytest.mark.parametrize(("language", "shown"), [("en", ["Brass", "Zinc"]), (CHINESE, ["安全协议", "黄铜协议"])])
@pytest.mark.parametrize(
    ("address", "sort"),
    [("agreement_list", {"sort": "title"}), ("admin:partnerships_agreement_changelist", {"o": "1"})],
)
def test_a_list_shows_and_sorts_by_the_readers_title(
    address: str, sort: dict[str, str], language: str, shown: list[str], client_of: Callable[[Any], Client]
) -> None:
    for title, title_zh in (("Brass", "黄铜协议"), ("Zinc", "安全协议")):
        AgreementFactory(title=title, title_zh=title_zh)

    page = client_of(UserFactory(staff=True, language=language, is_staff=True)).get(reverse(address), sort).text

    found = [page.index(title) for title in shown]
    assert found == sorted(found)


def test_pages_and_choices_name_it_in_the_readers_language(
    world: World, client: Client, client_of: Callable[[Any], Client]
) -> None:
    world.agreement.title_zh = "校企合作协议"
    world.agreement.save()
    Activity.objects.filter(pk=world.activity.pk).update(title_zh="车间参观")
    Demand.objects.filter(pk=world.demand.pk).update(title_zh="低噪声轴承")
    addresses = [
        *(row.get_absolute_url() for row in (world.agreement, world.activity, world.demand, world.milestone)),
        *(reverse(f"{name}_list") for name in ("agreement", "activity", "demand")),
        reverse("my_work"),
    ]
    chinese = {address: client.get(address).text for address in addresses}

    for row, title in ((world.agreement, "校企合作协议"), (world.activity, "车间参观"), (world.demand, "低噪声轴承")):
        shown = [address for address in addresses if title in chinese[address]]
        assert row.get_absolute_url() in shown
        # The pages of agreements and demands name both: whoever holds the paper in the other language finds it.
        in_both = {world.agreement.get_absolute_url(), world.demand.get_absolute_url()}
        elsewhere = [address for address in addresses if address not in in_both]
        assert [address for address in elsewhere if f">{row.title}<" in chinese[address]] == []
        assert f"<h1>{title}" not in client_of(world.lead).get(row.get_absolute_url()).text
    for words in ("校企", world.agreement.title):
        assert "校企合作协议" in client.get(reverse("search"), {"q": words}).text


def test_a_title_in_chinese_alone_is_enough(world: World, client: Client) -> None:
    typed = {"unit": world.unit.pk, "type": AgreementTypeFactory().pk, "currency": "CNY"}
    typed |= no_lines("parties", "areas", "term")

    page = client.get(reverse("agreement_add")).text
    missing = client.post(reverse("agreement_add"), {**typed, "title": "", "title_zh": ""})
    client.post(reverse("agreement_add"), {**typed, "title": "", "title_zh": "学生实习实训协议"})

    assert page.index('name="title_zh"') < page.index('name="title"')
    # Without a title the agreement is named by its type and partners; without these, too, one is asked for.
    labels = re.findall(r'<label for="id_title(?:_zh)?".*?</label>', page, re.DOTALL)
    assert ["选填" in label for label in labels] == [True, True]
    assert missing.context["form"].errors.keys() == {"title_zh"}
    made = Agreement.objects.get(title_zh="学生实习实训协议")
    assert (made.title, made.created_by) == ("学生实习实训协议", world.coordinator)


def test_a_follow_up_without_a_title_is_named_in_both_languages(world: World, client: Client) -> None:
    partner = world.agreement.parties.first().organization
    partner.name, partner.name_zh = "North Works", "北方工厂"
    partner.save()
    values = {
        "kind": "visit",
        "agreement": world.agreement.pk,
        "organizations": [partner.pk],
        "starts_on": "2027-03-01",
    }

    response = client.post(reverse("activity_log"), values)

    assert response.status_code == 302, response.context["form"].errors
    made = Activity.objects.latest("pk")
    assert (made.title, made.title_zh) == ("Visit: North Works", "走访：北方工厂")
    assert made.milestones.get(derived_key="start").title_zh == "启动“走访：北方工厂”"


def test_an_agreement_from_a_demand_takes_both_titles(world: World, client: Client) -> None:
    world.demand.title_zh = "低噪声轴承"
    world.demand.save()
    step = reverse("demand_step", args=[world.demand.pk, "agreement"])
    offered = client.get(step).context["form"]
    values = {name: offered[name].value() for name in ("version", "title", "title_zh")}

    client.post(
        step,
        {
            **values,
            "on": timezone.localdate().isoformat(),
            "agreement_type": AgreementTypeFactory().pk,
            "partner": InstitutionFactory().pk,
        },
    )

    made = Agreement.objects.latest("pk")
    assert (made.title, made.title_zh) == (world.demand.title, "低噪声轴承")


def test_an_action_point_has_a_title_in_chinese(world: World, client: Client) -> None:
    values = {"title": "Send the minutes", "title_zh": "寄送会议纪要", "due_on": "2027-03-01"}

    client.post(
        reverse("milestone_add", args=["agreement", world.agreement.pk]), {**values, "owner": world.coordinator.pk}
    )

    assert Milestone.objects.get(title="Send the minutes").title_zh == "寄送会议纪要"


def test_a_missing_title_in_chinese_is_added_to_a_signed_agreement_once(world: World, client: Client) -> None:
    address = reverse("agreement_edit", args=[world.agreement.pk])
    names = client.get(address).context["form"].fields.keys()
    first = {"version": world.agreement.version, "title_zh": "校企合作协议", "coordinator": world.coordinator.pk}

    client.post(address, {**first, **no_lines("papers")})

    assert {"title", "title_zh"} & names == {"title_zh"}
    world.agreement.refresh_from_db()
    assert (world.agreement.title_zh, world.agreement.history.first().history_user) == (
        "校企合作协议",
        world.coordinator,
    )
    assert "title_zh" not in client.get(address).context["form"].fields


def test_what_belongs_to_an_agreement_is_sorted_by_its_title(client_of: Callable[[Any], Client]) -> None:
    for title, title_zh in (("Brass", "黄铜协议"), ("Zinc", "安全协议")):
        agreement = AgreementFactory(title=title, title_zh=title_zh, signed=True)
        MilestoneFactory(agreement=agreement, title=f"Report on {title}", title_zh=f"{title_zh}报告")
        ActivityFactory(agreement=agreement, unit=agreement.unit)

    for language, shown in (("en", ["Brass", "Zinc"]), (CHINESE, ["安全协议", "黄铜协议"])):
        reader = client_of(UserFactory(staff=True, language=language))
        for address in ("milestone_list", "activity_list"):
            rows = reader.get(reverse(address), {"sort": "agreement__title"}).context["rows"]
            named = [row.agreement.title_zh if language == CHINESE else row.agreement.title for row in rows]
            assert [title for title in named if title in shown] == shown, (address, language)
