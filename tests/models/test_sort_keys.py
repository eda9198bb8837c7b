"""Rows in the order of the names that the reader sees; the same order on both databases."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.utils import translation

from partnerships.factories import (
    AgreementFactory,
    ContactFactory,
    MilestoneFactory,
    OrganizationFactory,
    OrganizationUnitFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.lists import LISTS
from partnerships.models import Agreement, Contact, Milestone, Organization, OrganizationUnit, Unit, User
from partnerships.models.sort_keys import ByName, fill_sort_keys, order_by_column
from partnerships.names import sort_key

pytestmark = pytest.mark.django_db

# Spaces, case, accents, punctuation and signs of other planes: what the rules of a language would weigh in another way.
NAMES = [
    *("alpha  Tools", "Alpha-Tools B", "alphat", "Álpha", "(Beta)", "beta", "Zeta", "ōmega", "3M", "10 Works", "Œuvre"),
    *(
        "中国大学",
        "中 国大学",
        "重庆大学",
        "长安集团",
        "安徽",
        "𠮷野",
        "さくら",
        "Завод",
        "中谊ABC",
        "ABC中谊",
        "吕家",
        "罗家",
    ),
]


@pytest.mark.both_databases
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_database_sorts_as_the_keys_do(language: str) -> None:
    rows = [OrganizationFactory(name=name, name_zh=NAMES[-number] * (number % 2)) for number, name in enumerate(NAMES)]
    with translation.override(language):
        expected = sorted(rows, key=lambda row: (sort_key(row.display_name), row.pk))

        assert list(Organization.objects.all()) == expected
        assert list(Organization.objects.order_by(ByName().desc(), "-pk")) == expected[::-1]
        assert list(Organization.objects.reverse()) == expected[::-1]


@pytest.mark.both_databases
@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("kind", [None, "enterprise"])
def test_the_directory_is_read_in_the_order_of_an_index(language: str, kind: str | None) -> None:
    rows = Organization.objects.filter(kind=kind) if kind else Organization.objects.all()
    with connection.cursor() as cursor, translation.override(language):
        if connection.vendor == "postgresql":
            # A table of a few rows is sorted otherwise; this asks whether the index could be used.
            cursor.execute(
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
            )

        plan = rows.filter(archived_on=None).values_list("pk")[:50].explain()

    assert "organization_by_" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.both_databases
def test_rows_are_sorted_by_the_name_of_another_row() -> None:
    office, college = UnitFactory(name="Office", name_zh="安办"), UnitFactory(name="college", name_zh="学院")
    organization = OrganizationFactory()
    rows = {unit: OrganizationUnitFactory(organization=organization, unit=unit) for unit in (office, college)}

    assert list(OrganizationUnit.objects.all()) == [rows[college], rows[office]]
    assert list(OrganizationUnit.objects.order_by("unit")) == [rows[college], rows[office]]
    with translation.override("zh-hans"):
        assert list(Unit.objects.all()) == [office, college]
        assert list(OrganizationUnit.objects.all()) == [rows[office], rows[college]]
        assert list(OrganizationUnit.objects.order_by("unit")) == [rows[office], rows[college]]


def test_a_changed_name_has_another_key_however_it_is_saved() -> None:
    organization = OrganizationFactory(name="Alpha", name_zh="安徽")
    organization.name = "Beta"
    organization.save(update_fields=["name"])
    organization.refresh_from_db()
    assert (organization.sort_key, organization.sort_key_zh) == ("beta", sort_key("安徽"))
    organization.name_zh = ""
    organization.save()
    assert Organization.objects.get().sort_key_zh == "beta"
    (made,) = Organization.objects.bulk_create([Organization(name="Gamma", kind="enterprise")])
    assert Organization.objects.get(pk=made.pk).sort_key == "gamma"


def test_the_migration_fills_the_keys_of_rows_that_were_there_before() -> None:
    rows = [
        OrganizationFactory(name="Alpha", name_zh="安徽"),
        OrganizationFactory(name="Beta"),
        ContactFactory(name="曾志伟"),
        UserFactory(name="", username="lin"),
        AgreementFactory(title="Agreement", title_zh="协议"),
        MilestoneFactory(title="Report", title_zh="报告"),
    ]
    for model in (Organization, Contact, User, Agreement, Milestone):
        model._base_manager.update(**{key: "" for key in ("sort_key", "sort_key_zh") if hasattr(model, key)})

    migration = import_module("partnerships.migrations.0030_fill_sort_keys")
    migration.fill(apps, None)

    filled = [type(row)._base_manager.get(pk=row.pk) for row in rows]
    assert [row.sort_key for row in filled] == [row.sort_key for row in rows]
    assert "" not in {row.sort_key for row in rows}
    assert [getattr(row, "sort_key_zh", "") for row in filled] == [getattr(row, "sort_key_zh", "") for row in rows]


def test_a_large_table_is_filled_in_batches() -> None:
    for number in range(5):
        OrganizationFactory(name=f"Works {number}")
    Organization.objects.filter(name__in=("Works 1", "Works 4")).update(sort_key="")

    assert fill_sort_keys(Organization, batch=2) == 2
    assert fill_sort_keys(Organization, batch=2) == 0
    Organization.objects.filter(name="Works 2").update(sort_key_zh="")
    assert fill_sort_keys(Organization, are_missing=True) == 1
    assert not Organization.objects.filter(sort_key="").exists()


def test_no_list_and_no_model_is_sorted_by_the_letters_of_a_name() -> None:
    """A new named record declares ``sort_key`` and orders with ``ByName``."""
    names = {"name", "name_zh", "title", "title_zh"}
    models = [model for model in apps.get_app_config("partnerships").get_models() if not hasattr(model, "history_id")]
    raw = {
        f"{model.__name__}: {item}"
        for model in models
        for item in model._meta.ordering
        if isinstance(item, str) and item.removeprefix("-").split("__")[-1] in names
    }
    columns = {
        f"{key}: {column.sort}"
        for key, one in LISTS.items()
        for column in one.columns
        if column.sort.split("__")[-1] in names and not isinstance(order_by_column(one.model, column.sort), ByName)
    }

    assert (raw, columns) == (set(), {"security_event_list: name"})  # what was typed at the log-in
