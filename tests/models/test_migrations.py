"""Old code goes on inserting rows while an update is rolled out, and rows on record get what a new column needs."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddField
from django.db.models import NOT_PROVIDED

from partnerships.factories import (
    ContactFactory,
    EnterpriseFactory,
    OrganizationUnitFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Contact, HistoryPermit, Role, UnitMembership

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


def test_a_new_database_takes_the_first_migrations_in_one() -> None:
    plan = MigrationLoader(None).graph.forwards_plan(("partnerships", "0001_squashed_0064_bulk_acts"))

    assert [name for app, name in plan if app == "partnerships"] == ["0001_squashed_0064_bulk_acts"]
