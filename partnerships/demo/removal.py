"""Removes the sample: its rows, the rows under them and their history, and nothing else."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models import Model, ProtectedError, Q
from django.db.models.deletion import Collector

from partnerships.demo.office import sample_rows
from partnerships.models import (
    Achievement,
    Activity,
    Agreement,
    Amendment,
    Citation,
    Contact,
    ContactNote,
    Delivery,
    DeliveryEvent,
    DeliveryNotice,
    Demand,
    DemandOutcome,
    Document,
    DocumentVersion,
    Event,
    Facility,
    HistoryPermit,
    Honour,
    Milestone,
    Organization,
    OrganizationUnit,
    Payment,
    ReminderItem,
    ReminderPlan,
    ReminderRule,
    SearchEntry,
    Source,
    StatusChange,
    Unit,
    UnitMembership,
    User,
)
from partnerships.seeding.reference import wait_for_other_seeding

# In the order in which those that stay are named.
KEEPABLE = (
    Agreement,
    Activity,
    Milestone,
    ContactNote,
    Facility,
    Demand,
    Achievement,
    Honour,
    Event,
    Organization,
    Contact,
    Document,
    Unit,
    User,
    Source,
)
# What milestones and documents of the sample belong to.
PARENTS = ("agreement", "activity", "event", "organization", "facility", "demand", "honour")


@dataclass
class SampleRemoval:
    """The number of records removed, and the names of those that stay because real records use them."""

    count: int = 0
    kept: list[str] = field(default_factory=list)


def remove_sample() -> SampleRemoval:
    """Remove sample rows and the rows under them, dependents first, in one transaction.

    A row that a real record refers to stays, and is named. Sample people who stay can no longer log in, because
    everybody knows their password. Files of documents are deleted after the commit.
    """
    removal = SampleRemoval()
    with HistoryPermit.objects.granted(HistoryPermit.Kind.SAMPLE, reason="Sample removed"):
        wait_for_other_seeding()
        files = dict(DocumentVersion.objects.filter(document__in=_documents()).values_list("pk", "file"))
        for rows in _dependents_first():
            _remove(rows, removal)
        removal.kept = [f"{_kind(row)} “{row}”" for model in KEEPABLE for row in sample_rows(model)]
        _lock_out(sample_rows(User))
        kept_files = set(DocumentVersion.objects.filter(pk__in=files).values_list("pk", flat=True))
        gone = [name for pk, name in files.items() if pk not in kept_files]
        transaction.on_commit(lambda: _delete_files(gone))
    return removal


def _dependents_first() -> Iterator[models.QuerySet]:
    """Yield the rows to remove, dependents first. Each queryset is read only when those before it are gone."""
    yield _notes()
    yield _documents()
    yield from _reminders()
    yield _milestones()
    yield DemandOutcome.objects.filter(demand__is_sample=True)
    yield sample_rows(Demand)
    yield sample_rows(Achievement)
    yield _under_the_sample(Facility, "agreement")
    yield _under_the_sample(Honour, "organization")
    yield _under_the_sample(Activity, "agreement")
    yield Amendment.objects.filter(agreement__is_sample=True)
    yield _under_the_sample(Payment, "agreement")
    yield sample_rows(Agreement).order_by("-pk")  # children and successors are younger
    yield sample_rows(Event)
    yield OrganizationUnit.objects.filter(unit__is_sample=True, unit__agreements=None, unit__activities=None)
    _clear_members_liaisons()
    yield sample_rows(Contact)
    yield sample_rows(Organization).order_by("-pk")  # parts are younger
    yield _under_the_sample(ReminderRule, "unit")
    _clear_fallback_people()
    yield UnitMembership.objects.filter(user__is_sample=True, unit__is_sample=True)
    yield sample_rows(User)
    yield sample_rows(Unit).order_by("-pk")
    yield sample_rows(Source)


def _under_the_sample(model: type[models.Model], *parents: str) -> models.QuerySet:
    """Return the sample rows of ``model`` and those that people added under a sample ``parent``."""
    belongs = Q(is_sample=True)
    for parent in parents:
        belongs |= Q(**{f"{parent}__is_sample": True})
    return model._base_manager.filter(belongs)


def _milestones() -> models.QuerySet:
    return _under_the_sample(Milestone, *PARENTS)


def _documents() -> models.QuerySet:
    of_milestones = Q(milestone__in=_milestones().values("pk"))
    of_others = _under_the_sample(Document, *PARENTS)
    return Document._base_manager.filter(of_milestones | Q(pk__in=of_others.values("pk")))


def _notes() -> models.QuerySet:
    """Return the notes to remove. Notes about a real agreement stay, even if they name a sample contact."""
    own = Q(agreement__isnull=False, agreement__is_sample=False)
    return _under_the_sample(ContactNote, "agreement", "organization", "contact", "milestone").exclude(own)


def _reminders() -> Iterator[models.QuerySet]:
    """Yield the reminders of sample milestones. A digest that has items about others stays, with these items."""
    plans = ReminderPlan.objects.filter(milestone__in=_milestones().values("pk"))
    carried = list(Delivery.objects.filter(items__plan__in=plans).values_list("pk", flat=True))
    yield ReminderItem.objects.filter(plan__in=plans)
    empty = Delivery.objects.filter(Q(pk__in=carried) | Q(person__is_sample=True), items=None)
    yield DeliveryNotice.objects.filter(delivery__in=empty)
    yield DeliveryEvent.objects.filter(delivery__in=empty)
    yield empty
    yield plans


def _clear_members_liaisons() -> None:
    """Clear the liaisons of members: an association and its contact refer to each other."""
    ours = Q(is_sample=True) | Q(members_liaison__is_sample=True)
    for association in Organization._base_manager.filter(ours, members_liaison__isnull=False):
        association.members_liaison = None
        association.save()


def _clear_fallback_people() -> None:
    """Clear the fallback people: a unit and its fallback person refer to each other."""
    for unit in sample_rows(Unit).filter(fallback_person__is_sample=True):
        unit.fallback_person = None
        unit.save()


def _remove(rows: models.QuerySet, removal: SampleRemoval) -> None:
    """Delete the rows together, or one by one if some of them are in use."""
    try:
        removal.count += _delete(rows)
    except ProtectedError:
        for row in rows:
            _remove_one(row, removal)


def _remove_one(row: models.Model, removal: SampleRemoval) -> None:
    try:
        removal.count += _delete(type(row)._base_manager.filter(pk=row.pk))
    except ProtectedError:
        return  # named in the end with everything else that is kept


def _delete(rows: models.QuerySet) -> int:
    """Delete ``rows`` and what cascades, with their history. ``ProtectedError`` is raised before anything is deleted."""
    collector = Collector(using=rows.db)
    collector.collect(list(rows))
    doomed = {model: [row.pk for row in found] for model, found in collector.data.items()}
    count, _by_model = collector.delete()
    for model, keys in doomed.items():
        _delete_references(model, keys)
    return count


def _delete_references(model: type[Model], keys: list[int]) -> None:
    """Delete the rows without a foreign key to the deleted ones: search, citations, status changes, and history."""
    content_type = ContentType.objects.get_for_model(model)
    for about in (SearchEntry, Citation, StatusChange):
        about._base_manager.filter(content_type=content_type, object_id__in=keys).delete()
    if hasattr(model, "history"):
        model.history.filter(**{f"{model._meta.pk.attname}__in": keys}).delete()


def _lock_out(people: Iterable[User]) -> None:
    for person in people:
        person.is_active = False
        person.set_unusable_password()
        person.save()


def _delete_files(names: Iterable[str]) -> None:
    for name in names:
        default_storage.delete(name)


def _kind(row: models.Model) -> str:
    name = str(row._meta.verbose_name)
    return name[:1].upper() + name[1:]
