"""A list of agreements pasted into the form of a signing event becomes its lines; what cannot be read stays."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from partnerships.factories import DAY, AgreementTypeFactory, EnterpriseFactory
from partnerships.forms.ceremonies import take_pasted
from partnerships.models import Agreement, AgreementType, Organization
from tests.views.world import World

FORM = reverse("event_ceremony")
Read = dict[str, str]


@pytest.fixture
def kinds(db: None) -> list[AgreementType]:
    return [
        AgreementTypeFactory(name="Employment", name_zh="就业合作协议"),
        AgreementTypeFactory(name="Joint training", name_zh="联合培养"),
    ]


def read(text: str, kinds: list[AgreementType]) -> tuple[list[Read], list[str], str]:
    """Each line as partner, title, type and amount; why others were not read; the text that is left."""
    data = QueryDict(mutable=True)
    data["pasted"] = text
    unread = take_pasted(data, kinds)
    names = {str(kind.pk): kind.name for kind in kinds}
    lines = []
    for number in data.getlist("agreements"):
        about = {name: data.get(f"agreements-{number}-{name}", "") for name in ("title", "type", "amount", "partner")}
        about["partner"], about["type"] = data[f"{about['partner']}-name"], names.get(about["type"], "")
        lines.append({name: value for name, value in about.items() if value})
    return lines, [one.reason for one in unread], data["pasted"]


@pytest.mark.parametrize(
    "text",
    [
        "Quay Works Co., Ltd.\tJoint training\tTraining of fitters\t100万",
        "1\tQuay Works Co., Ltd.\tTraining of fitters\tJoint training\t1,000,000.00",
        "Quay Works Co., Ltd., Joint training, Training of fitters, 1,000,000",
        "3. Quay Works Co., Ltd.  Joint training  Training of fitters  100万元",
        "Partner\tTitle\tNo.\tAmount\tType\nQuay Works Co., Ltd.\tTraining of fitters\t7\t1000000\tjoint training",
        "\n  Quay Works Co., Ltd.; Joint training; Training of fitters; 1000000  \r\n\n",
    ],
)
def test_a_line_is_read_however_it_is_separated(text: str, kinds: list[AgreementType]) -> None:
    [line], unread, left = read(text, kinds)

    amount = line.pop("amount")
    assert line == {"partner": "Quay Works Co., Ltd.", "type": "Joint training", "title": "Training of fitters"}
    assert (float(amount), unread, left) == (1_000_000, [], "")


@pytest.mark.parametrize(
    "text",
    [
        "中益机械有限公司 就业合作协议 2026届实习协议 50万",
        "中益机械有限公司 就业合作 2026届实习协议 50万",
        "1、中益机械有限公司，就业合作协议，2026届实习协议，50万元",
        "序号\t企业名称\t协议类型\t协议名称\t金额\n1\t中益机械有限公司\t就业合作协议\t2026届实习协议\t500000",
    ],
)
def test_a_line_is_read_in_chinese(text: str, kinds: list[AgreementType]) -> None:
    [line], unread, _left = read(text, kinds)

    amount = line.pop("amount")
    assert line == {"partner": "中益机械有限公司", "type": "Employment", "title": "2026届实习协议"}
    assert (float(amount), unread) == (500_000, [])


def test_a_line_of_english_words_ends_with_its_type(kinds: list[AgreementType]) -> None:
    lines, unread, _left = read("Quay Works joint training\nHarbor Works", kinds)

    assert lines == [
        {"partner": "Quay Works", "type": "Joint training", "title": "Joint training"},
        {"partner": "Harbor Works"},
    ]
    assert unread == []


def test_what_cannot_be_read_stays_with_its_reason(kinds: list[AgreementType]) -> None:
    lines, unread, left = read("12345\nQuay Works, Employment, Interns, 2025, Mr Zhou\n" + "x" * 201, kinds)

    assert [line["partner"] for line in lines] == ["Quay Works"]
    assert unread == [
        "No partner was found in this line.",
        "Taken over, except for: 2025 · Mr Zhou",
        "This is too long for a name or a title.",
    ]
    assert left == "12345\n" + "x" * 201


def test_more_lines_than_there_is_room_for_stay(kinds: list[AgreementType]) -> None:
    lines, unread, left = read("\n".join(f"Works {chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(62)), kinds)

    assert (len(lines), len(unread), len(left.splitlines())) == (60, 2, 2)


def test_the_partners_are_looked_up_and_nothing_is_saved_before_the_event_is(
    world: World, client_of: Callable[[Any], Client], kinds: list[AgreementType]
) -> None:
    client = client_of(world.coordinator)
    EnterpriseFactory(name="Harbor Works Co., Ltd.")
    page = client.get(FORM)
    asked = {"key": str(page.context["opened"].key), "version": "0", "present": ["0", "1", "2"], "name": "Meeting"}
    asked |= {"starts_on": DAY.isoformat(), "kinds": "signing", "present-0-name": "North college"}
    asked |= {"present-0-role": "host", "present-0-kind": "institution", "unit": str(world.unit.pk)}
    text = "Harbor Works Co., Ltd.\tEmployment\tInterns\nQuay Works\tEmployment\nHarbor Works Co., Ltd.\tJoint training\n99"

    answer = client.post(FORM, asked | {"pasted": text, "action": "paste-agreements"})

    form = answer.context["form"]
    present = {line.typed("name"): line.chosen for line in form.sections["present"].lines if line.typed("name")}
    known = Organization.objects.get(name="Harbor Works Co., Ltd.")
    assert {present["Harbor Works Co., Ltd."], present["Quay Works"]} == {str(known.pk), "new"}
    partners = [line.typed("partner") for line in form.sections["agreements"].lines]
    assert (len(partners), partners[0]) == (3, partners[2])
    assert all(line.typed("ours") == "present-0" for line in form.sections["agreements"].lines)
    assert "No partner was found in this line." in answer.text
    assert '<textarea id="pasted" name="pasted"' in answer.text
    assert Agreement.objects.filter(title="Interns").exists() is False

    asked["version"] = str(answer.context["opened"].version)
    refused = client.post(FORM, asked | {"pasted": "99", "action": "record"})
    assert "Pasted lines are left over: make lines of them, or delete them." in refused.text
