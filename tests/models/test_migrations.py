"""Old code goes on inserting rows while an update is rolled out, and rows on record get what a new column needs."""

import datetime as dt
from importlib import import_module

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField
from django.db.models import NOT_PROVIDED

from partnerships.factories import (
    DAY,
    AgreementFactory,
    ContactFactory,
    EnterpriseFactory,
    OrganizationUnitFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Contact, HistoryPermit, Role, StatusChange, UnitMembership

FIRST_OF_UPGRADES = "0003"


def test_a_column_of_a_later_migration_may_be_left_out_by_old_code() -> None:
    later = [
        (name, migration)
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app == "partnerships" and name >= FIRST_OF_UPGRADES
    ]

    required = [
        f"{name}: {operation.model_name}.{operation.name}"
        for name, migration in later
        for operation in migration.operations
        if isinstance(operation, AddField)
        and not operation.field.many_to_many
        and not operation.field.null
        and operation.field.db_default is NOT_PROVIDED
    ]

    assert later
    assert required == []


@pytest.mark.django_db
def test_a_contact_gets_the_unit_of_its_creator_where_that_is_clear() -> None:
    own, other = UnitFactory(), UnitFactory()
    creators = {
        "of one unit": UserFactory(coordinator_in=own),
        "of both holders": UserFactory(lead_in=own),
        "a viewer": UserFactory(viewer_in=own),
        "of the office": UserFactory(staff=True),
        "unknown": None,
    }
    UnitMembership.objects.create(user=creators["of both holders"], unit=other, role=Role.COORDINATOR)
    partner = EnterpriseFactory(held_by=own)
    OrganizationUnitFactory(organization=partner, unit=other)
    contacts = {name: ContactFactory(organization=partner, name=name) for name in creators}
    with HistoryPermit.objects.granted(HistoryPermit.Kind.SAMPLE):
        for name, creator in creators.items():
            Contact.history.filter(id=contacts[name].pk).update(history_user=creator)
    Contact.objects.update(unit=None)

    import_module("partnerships.migrations.0024_contacts_of_units").fill_units(apps, None)

    assert dict(Contact.objects.values_list("name", "unit")) == {**dict.fromkeys(creators), "of one unit": own.pk}


STEPS = [("suspend", 1), ("resume", 2), ("suspend", 3), ("resume", 4)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("steps", "columns", "expected"),
    [
        (STEPS, True, [(1, 2)]),
        ([*STEPS, ("suspend", 5)], True, [(1, 2), (3, 4)]),
        (STEPS[:2], True, []),
        ([*STEPS, ("terminate", 5), ("reinstate", 6)], False, [(1, 2), (3, 4)]),
        ([*STEPS[:3], ("terminate", 5), ("reinstate", 6)], False, [(1, 2), (3, 5)]),
        ([*STEPS, ("unsign", 7)], False, []),
    ],
)
def test_suspensions_that_later_ones_overwrote_are_read_from_the_steps(
    steps: list[tuple[str, int]], columns: bool, expected: list[tuple[int, int]]
) -> None:
    agreement = AgreementFactory(signed=True, **({"suspended_on": DAY, "resumed_on": DAY} if columns else {}))
    for name, number in steps:
        step = StatusChange.objects.create(record=agreement, transition=name, from_status="", to_status="")
        with HistoryPermit.objects.granted(HistoryPermit.Kind.SAMPLE):
            StatusChange.objects.filter(pk=step.pk).update(at=dt.datetime(2026, 4, number, 4, tzinfo=dt.UTC))
    import_module("partnerships.migrations.0091_past_suspensions").fill_past_suspensions(apps, None)

    found = agreement.past_suspensions.values_list("suspended_on", "resumed_on")
    assert [(since.day, until.day) for since, until in found] == expected


def test_a_new_database_takes_the_first_migrations_in_one() -> None:
    plan = MigrationLoader(None).graph.forwards_plan(("partnerships", "0001_squashed_0064_bulk_acts"))

    assert [name for app, name in plan if app == "partnerships"] == ["0001_squashed_0064_bulk_acts"]
