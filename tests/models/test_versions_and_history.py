"""A stale save is refused through every root, and each save leaves one history row with its actor."""

import inspect
import sys
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import update_last_login
from django.core import management
from django.core.exceptions import ValidationError
from django.db import models

from partnerships import factories
from partnerships.acts import caused_by, current_reason, recorded_as
from partnerships.exceptions import StaleVersion
from partnerships.factories import (
    AgreementFactory,
    EnterpriseFactory,
    EventFactory,
    InstitutionFactory,
    MilestoneFactory,
    OrganizationNameFactory,
    RegionFactory,
    UserFactory,
)
from partnerships.models import Agreement, Enterprise, Event, Institution, Milestone, Organization, Region, User
from partnerships.models.base import VersionedModel
from partnerships.workflows.transitions import delete_as, save_as

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def factory_of(model: type[models.Model]) -> Any:
    """The factory of a model, or of its concrete class."""
    made = [value for value in vars(factories).values() if inspect.isclass(value) and hasattr(value, "_meta")]
    exact = [factory for factory in made if factory._meta.model is model]
    return (exact or [factory for factory in made if factory._meta.model._meta.concrete_model is model])[0]


# Without what the proxies of each kind have in common: nobody makes one of these.
OURS = [
    model
    for model in apps.get_app_config("partnerships").get_models()
    if not model.__name__.startswith("Historical") and model.__name__ != "OrganizationOfKind"
]
ROOTS = [model for model in OURS if issubclass(model, VersionedModel)]
# The concrete class, and the proxies through which the admin saves it.
TRACKED = [model for model in OURS if hasattr(model._meta.concrete_model, "history")]
# Written by machines alone, or append-only: they are the record themselves.
UNTRACKED = {
    "BulkAct",
    "CeremonyDraft",
    "ComponentHeartbeat",
    "Delivery",
    "DifferentContacts",
    "DifferentOrganizations",
    "Merge",
    "DeliveryEvent",
    "DeliveryNotice",
    "DocumentVersion",
    "Erasure",
    "Export",
    "FeedToken",
    "FigureConfirmation",
    "HistoryPermit",
    "Import",
    "ImportRecipe",
    "ImportRow",
    "MailHold",
    "MailRelay",
    "NameKey",
    "ReminderItem",
    "PastSuspension",
    "PasswordRequest",
    "ReminderMark",
    "ReminderPlan",
    "SavedView",
    "SearchEntry",
    "SecurityEvent",
    "StatusChange",
    "Sweep",
    "UserSession",
}


def test_what_is_tracked_and_what_is_not() -> None:
    names = {model.__name__ for model in OURS}
    assert names - {model.__name__ for model in TRACKED} == UNTRACKED
    assert {model.__name__ for model in ROOTS} == {
        "Achievement",
        "Activity",
        "Agreement",
        "AgreementType",
        "Answer",
        "Association",
        "Citation",
        "ColumnSet",
        "Contact",
        "ContactNote",
        "CooperationArea",
        "Demand",
        "Document",
        "Enterprise",
        "Event",
        "Facility",
        "GovernmentBody",
        "Honour",
        "HonourScheme",
        "Institution",
        "Milestone",
        "Organization",
        "Payment",
        "Programme",
        "Region",
        "ReminderRule",
        "Report",
        "ReportedFigure",
        "Source",
        "Unit",
        "User",
        "WorkCalendar",
    }


@pytest.mark.parametrize("model", ROOTS, ids=lambda model: model.__name__)
def test_a_stale_save_is_refused_and_a_second_one_of_the_same_object_is_not(model: type[Any]) -> None:
    row = factory_of(model)()
    first, stale = model.objects.get(pk=row.pk), model.objects.get(pk=row.pk)
    first.save()
    first.save()
    with pytest.raises(StaleVersion) as refusal:
        stale.save()
    assert (refusal.value.current, first.version, stale.version) == (3, 3, 1)
    assert model.objects.get(pk=row.pk).version == 3


def test_saving_a_deleted_row_is_refused() -> None:
    event = EventFactory()
    Event.objects.get(pk=event.pk).delete()
    with pytest.raises(StaleVersion) as refusal:
        event.save()
    assert (refusal.value.current, Event.objects.count()) == (None, 0)


@pytest.mark.parametrize("model", TRACKED, ids=lambda model: model.__name__)
def test_a_save_leaves_one_history_row_with_the_actor(model: type[Any]) -> None:
    row = model.objects.get(pk=factory_of(model)().pk)
    actor = UserFactory()
    tracked = model._meta.concrete_model.history
    before = tracked.filter(id=row.pk).count()
    save_as(row, actor)
    rows = tracked.filter(id=row.pk)
    assert (before, rows.count(), rows.first().history_user) == (1, 2, actor)


@pytest.mark.parametrize("model", TRACKED, ids=lambda model: model.__name__)
def test_a_deletion_leaves_one_history_row_with_the_actor(model: type[Any]) -> None:
    row = model.objects.get(pk=factory_of(model)().pk)
    actor, pk = UserFactory(), row.pk
    tracked = model._meta.concrete_model.history
    delete_as(row, actor)
    deletions = tracked.filter(id=pk, history_type="-")
    assert [deletion.history_user for deletion in deletions] == [actor]


def test_a_login_leaves_no_history_and_no_version() -> None:
    person = User.objects.get(pk=UserFactory(password="a sample password").pk)
    update_last_login(None, person)
    person.set_password("another sample password")
    person.save(update_fields=["password"])
    assert (person.history.count(), User.objects.get(pk=person.pk).version) == (1, 1)


def test_an_organization_has_one_history_through_every_class() -> None:
    made = InstitutionFactory()
    for model in (Organization, Institution):
        row = model.objects.get(pk=made.pk)
        row.industry = model.__name__
        row.save()
    industries = Organization.history.filter(id=made.pk).values_list("industry", flat=True)
    assert list(industries) == ["Institution", "Organization", ""]


def test_a_proxy_reads_and_makes_its_kind_only() -> None:
    college, enterprise = InstitutionFactory(), EnterpriseFactory()
    assert ([row.pk for row in Institution.objects.all()], [row.pk for row in Enterprise.objects.all()]) == (
        [college.pk],
        [enterprise.pk],
    )
    assert Organization.objects.get(pk=college.pk).kind == "institution"


def test_a_refused_save_leaves_object_and_row_as_they_were() -> None:
    agreement = Agreement.objects.get(pk=AgreementFactory().pk)
    agreement.amount = "not a number"
    with pytest.raises(ValidationError):
        agreement.save()
    assert (agreement.version, agreement.history.count()) == (1, 1)
    agreement.amount = 5
    agreement.save()
    assert agreement.version == 2


def test_touching_gives_the_next_version_without_history() -> None:
    agreement = Agreement.objects.get(pk=AgreementFactory().pk)
    stale = Agreement.objects.get(pk=agreement.pk)
    agreement.touch()
    assert (agreement.version, Agreement.objects.get(pk=agreement.pk).version, agreement.history.count()) == (2, 2, 1)
    with pytest.raises(StaleVersion):
        stale.touch()


def test_the_reason_of_a_change_stands_in_its_history_row_alone() -> None:
    row = Milestone.objects.get(pk=MilestoneFactory().pk)
    save_as(row, None, reason="x" * 300)
    save_as(row, None)
    assert list(row.history.values_list("history_change_reason", flat=True)) == [None, "x" * 100, None]


def test_a_name_added_is_no_new_version_of_the_organization() -> None:
    name = OrganizationNameFactory()
    assert Organization.objects.get(pk=name.organization_id).version == 1


def test_history_says_what_a_change_belonged_to() -> None:
    region = RegionFactory()

    def reason_of_change(verb_says: str = "") -> str | None:
        save_as(region, None, reason=verb_says)
        return region.history.latest("history_id").history_change_reason

    with recorded_as("Many at once"):
        said = [reason_of_change(), reason_of_change("Moved")]
        with caused_by("Import 3, row 7"):
            said.append(reason_of_change())
        delete_as(RegionFactory(name="Gone"), None)
    assert [*said, reason_of_change()] == ["Many at once", "Moved", "Import 3, row 7", None]
    assert Region.history.get(history_type="-").history_change_reason == "Many at once"


def test_history_says_which_command_changed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(management, "execute_from_command_line", lambda _arguments: seen.append(current_reason()))
    monkeypatch.setattr(sys, "argv", ["manage.py", "createsuperuser", "--username", "somebody"])

    import_module("manage").main()

    assert seen == ["manage.py createsuperuser"]
