"""Two rows of reference data do not get the same name, whichever way it is written."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    AgreementTypeFactory,
    CooperationAreaFactory,
    HonourSchemeFactory,
    RegionFactory,
    UnitFactory,
    UserFactory,
    WorkCalendarFactory,
)
from partnerships.models import User
from tests.admin.forms import filled, save

pytestmark = pytest.mark.django_db

FACTORIES: list[Any] = [
    AgreementTypeFactory,
    CooperationAreaFactory,
    RegionFactory,
    HonourSchemeFactory,
    WorkCalendarFactory,
    UnitFactory,
]
EACH = pytest.mark.parametrize("factory", FACTORIES, ids=lambda factory: factory._meta.model.__name__)
WRITTEN = [
    {"name": "Café  cooperation"},
    {"name": "ＣＡＦＥ cooperation"},
    {"name": "cafe Cooperation "},
    {"name": "Cafe-cooperation."},
    {"name": "Other", "name_zh": "咖啡 合作"},
    {"name": "咖啡合作"},
]


@pytest.fixture
def office() -> Client:
    client = Client()
    client.force_login(UserFactory(system_admin=True))
    return client


def add(client: Client, like: Any, **typed: str) -> Any:
    """Add a row with the values of another one, and other names and another code."""
    url = reverse(f"admin:partnerships_{like._meta.model_name}_add")
    page = client.get(url)
    fields = page.context["adminform"].form.fields
    values = {
        name: str(getattr(like, f"{name}_id", None) or getattr(like, name) or "")
        for name in fields
        if name != "is_another"
    }
    values = {name: value for name, value in values.items() if value not in {"", "False"}}
    return client.post(url, filled(page) | values | {"code": "another", "name_zh": ""} | typed)


@EACH
@pytest.mark.parametrize("typed", WRITTEN, ids=lambda typed: " ".join(typed.values()))
def test_a_name_that_is_there_already_is_refused(factory: Any, typed: dict[str, str], office: Client) -> None:
    known = factory(name="Café cooperation", name_zh="咖啡合作")
    other = factory(name="Something else", name_zh="")

    added = add(office, known, **typed)
    edited = save(office, other, **({"parent": sent(known)} if hasattr(known, "parent_id") else {}), **typed)

    for answer in (added, edited):
        errors = answer.context["adminform"].form.errors
        assert next(text for texts in errors.values() for text in texts).startswith("There is one of this name already")
    assert factory._meta.model.objects.filter(name_zh="咖啡合作").count() == 1


def sent(row: Any) -> str:
    return str(row.parent_id or "")


def test_regions_of_one_name_may_lie_in_different_places(office: Client) -> None:
    one, other = RegionFactory(name="Nanjing"), RegionFactory(name="Fuzhou")
    district = RegionFactory(name="Gulou", parent=one)

    answers = [add(office, district, name="GULOU", parent=str(parent.pk)) for parent in (one, other)]

    assert [answer.status_code for answer in answers] == [200, 302]


@EACH
def test_a_row_keeps_its_own_name(factory: Any, office: Client) -> None:
    row = factory(name="Café cooperation", name_zh="咖啡合作")

    answer = save(office, row, name="CAFÉ cooperation")

    assert answer.status_code == 302


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@EACH
def test_a_chinese_name_alone_is_enough(factory: Any, language: str, office: Client) -> None:
    like = factory()
    User.objects.update(language=language)

    response = add(office, like, name="", name_zh="产学合作")

    assert response.status_code == 302, response.context["errors"]
    row = type(like)._default_manager.latest("pk")
    assert (row.name, row.name_zh) == ("产学合作", "产学合作")
