"""Deleting what was entered by mistake: a row to which nothing refers, with a reason that its history keeps."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import ProtectedError, Q, QuerySet
from django.utils.translation import gettext as _
from simple_history.models import HistoricalChanges

from partnerships.exceptions import InvalidInput, TransitionRefused
from partnerships.models import (
    Achievement,
    Activity,
    Agreement,
    AgreementType,
    AssociationMembership,
    Citation,
    Contact,
    ContactNote,
    CooperationArea,
    Demand,
    Event,
    Facility,
    Honour,
    HonourScheme,
    Milestone,
    Organization,
    Payment,
    Programme,
    ProgrammeItem,
    Region,
    ReminderPlan,
    ReminderRule,
    Report,
    ReportedFigure,
    Source,
    Unit,
    User,
    WorkCalendar,
)
from partnerships.models.milestones import MILESTONE_TARGETS
from partnerships.permissions import require
from partnerships.workflows.activities import ACTIVITY, CONTACT_NOTE, mark_answered
from partnerships.workflows.agreements import delete_draft
from partnerships.workflows.demands import DEMAND
from partnerships.workflows.derivation import derive_milestones
from partnerships.workflows.edits import Aggregate
from partnerships.workflows.facilities import FACILITY
from partnerships.workflows.honours import HONOUR
from partnerships.workflows.organizations import CONTACT, ORGANIZATION, check_holders, update_holders
from partnerships.workflows.payments import PAYMENT
from partnerships.workflows.programmes import PROGRAMME
from partnerships.workflows.records import RECORDS
from partnerships.workflows.reports import REPORT
from partnerships.workflows.transitions import delete_as, lock, lock_as_read

LONGEST_REASON = 100  # the column of the history library
# Parts that say as much about the row at their other end: who names this one there has to take it out first.
_LABELS = frozenset((ProgrammeItem, name) for name in ("programme", "event", "facility", "demand"))
SHARED_PARTS = _LABELS | {(AssociationMembership, "association")}

# Deleting is a correction. Where a record has no action for corrections, whoever edits it may delete it.
ACTIONS: Mapping[type[models.Model], str] = {
    Agreement: "agreement.delete",
    Payment: "payment.edit",
    Organization: "organization.archive",
    Contact: "contact.edit",
    Event: "event.correct",
    Honour: "honour.correct",
    Facility: "facility.correct",
    Demand: "demand.correct",
    Activity: "activity.correct",
    ContactNote: "contact_note.edit",
    Programme: "programme.edit",
    Achievement: "achievement.edit",
    Report: "report.edit",
    ReportedFigure: "figure.edit",
    Source: "source.edit",
    Citation: "citation.edit",
    HonourScheme: "reference.edit",
    AgreementType: "reference.edit",
    CooperationArea: "reference.edit",
    Region: "reference.edit",
    WorkCalendar: "reference.edit",
    ReminderRule: "reminder_rule.edit",
    Unit: "unit.edit",
}
_WITH_VERBS = (ORGANIZATION, CONTACT, HONOUR, FACILITY, DEMAND, ACTIVITY, CONTACT_NOTE, PAYMENT, PROGRAMME, REPORT)
_AGGREGATES: Mapping[type[models.Model], Aggregate] = {**RECORDS, **{one.model: one for one in _WITH_VERBS}}


def deletion_action(model: type[models.Model]) -> str | None:
    """Return the action that deletes a row of ``model``; None where rows are not deleted."""
    return ACTIONS.get(concrete(model))


def delete_record(row: models.Model, *, actor: User | None, today: dt.date, reason: str, is_undo: bool = False) -> None:
    """Delete a row that was entered by mistake, with its parts and the derived milestones that nobody has heard of.

    Refused while anything refers to it: that is taken out first, or the row is withdrawn, cancelled or archived instead.
    ``is_undo``: an import is undone, which has asked for its own permission.
    """
    reason = _checked(reason)
    if isinstance(row, Agreement):
        delete_draft(row, actor=actor, reason=reason)
        return
    with transaction.atomic():
        if isinstance(row, ContactNote) and row.agreement:
            lock(row.agreement)  # before the note, as when it is edited
        locked = lock_as_read(row)
        if isinstance(locked, Payment):
            locked.agreement = lock(locked.agreement)  # after the payment; it may be submitted just now
        if not is_undo:
            _check_may_delete(locked, actor)
        if references := references_to(locked):
            raise TransitionRefused(_refusal(locked, references))
        # Read before: afterwards nothing says any more which organizations ran the facility.
        sides = list(locked.partners.values_list("organization_id", flat=True)) if isinstance(locked, Facility) else []
        try:
            _delete(locked, actor, reason)
        except ProtectedError as error:  # somebody referred to it at this moment
            raise TransitionRefused(_("Something refers to it meanwhile. Please open the page again.")) from error
        if isinstance(locked, Facility):
            organizations = Organization.objects.filter(pk__in=sides)
            update_holders(organizations, unit=locked.unit, coordinator=locked.owner, actor=actor, on=today)
        if isinstance(locked, Activity | ContactNote | Payment) and locked.agreement:
            derive_milestones(locked.agreement, actor=actor, on=today)
        if isinstance(locked, ContactNote):
            mark_answered(locked)


def _check_may_delete(row: models.Model, actor: User | None) -> None:
    require(actor, ACTIONS[concrete(type(row))], row)
    if isinstance(row, Organization):
        check_holders(row.holders.select_related("unit"), actor)


def references_to(row: models.Model) -> list[QuerySet]:
    """Return the rows that refer to ``row`` or to what is deleted with it, those of each model as one queryset.

    A draft of an agreement names none: what was planned under it goes along.
    """
    if isinstance(row, Agreement):
        return []
    conditions: dict[type[models.Model], Q] = defaultdict(lambda: Q(pk__in=[]))
    cited: Q = Q(pk__in=[])
    for model, ids in _whole(row).items():
        for relation in relations_to(model):
            if not _goes_along(row, relation):
                conditions[relation.related_model] |= Q(**{f"{relation.field.name}__in": ids})
        # Citations point at a row by content type and id.
        cited |= Q(content_type=ContentType.objects.get_for_model(model), object_id__in=ids)
    going_along = _unheard_of(row).order_by().values("pk")
    cited |= Q(content_type=ContentType.objects.get_for_model(Milestone), object_id__in=going_along)
    found = {model: model._base_manager.filter(condition) for model, condition in conditions.items()}
    if Milestone in found:
        found[Milestone] = found[Milestone].exclude(pk__in=going_along)
    if not isinstance(row, Citation):
        citations = Citation.objects.filter(cited)
        found[Citation] = found[Citation] | citations if Citation in found else citations
    return [rows for rows in found.values() if rows.exists()]


@dataclass(frozen=True)
class Referrer:
    """A foreign key of ``related_model`` to a model."""

    related_model: type[models.Model]
    field: models.ForeignKey
    is_cascade: bool


def concrete(model: type[models.Model]) -> type[models.Model]:
    return cast("type[models.Model]", model._meta.concrete_model)


def relations_to(model: type[models.Model]) -> Iterator[Referrer]:
    """Yield the foreign keys that point at ``model``, without those of history."""
    for relation in concrete(model)._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel) and not issubclass(relation.related_model, HistoricalChanges):
            is_cascade = relation.on_delete is models.CASCADE
            yield Referrer(relation.related_model, relation.field, is_cascade)


def _goes_along(row: models.Model, relation: Referrer) -> bool:
    """Whether rows with this relation are deleted with ``row``: its parts, and what machines write beside it."""
    if relation.related_model in _AGGREGATES[concrete(type(row))].parts:
        return (relation.related_model, relation.field.name) not in SHARED_PARTS
    return relation.is_cascade and not hasattr(relation.related_model, "history")


def _parts(row: models.Model) -> list[models.Model]:
    parts = _AGGREGATES[concrete(type(row))].parts
    own = [
        relation
        for relation in relations_to(type(row))
        if relation.related_model in parts and _goes_along(row, relation)
    ]
    rows: list[models.Model] = []
    for relation in own:
        rows += relation.related_model._base_manager.filter(**{relation.field.name: row.pk})
    return rows


def _whole(row: models.Model) -> dict[type[models.Model], list[Any]]:
    """Return the ids of the row and its parts by model."""
    ids: dict[type[models.Model], list[Any]] = defaultdict(list)
    for one in (row, *_parts(row)):
        ids[concrete(type(one))].append(one.pk)
    return ids


def _unheard_of(row: models.Model) -> QuerySet[Milestone]:
    """Return the derived milestones of ``row`` under which nothing was done and about which no mail was made."""
    if row._meta.model_name not in MILESTONE_TARGETS:
        return Milestone.objects.none()
    derived = Milestone.objects.derived_of(row)
    done = Q(contact_notes__isnull=False) | Q(documents__isnull=False) | Q(reminder_plans__items__isnull=False)
    return derived.exclude(pk__in=derived.filter(done).values("pk"))


def _delete(row: models.Model, actor: User | None, reason: str) -> None:
    milestones = list(_unheard_of(row))
    ReminderPlan.objects.filter(milestone__in=milestones).delete()
    # One by one, so that the history of each says by whom and why.
    for one in (*milestones, *_parts(row), row):
        delete_as(one, actor, reason=reason)


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise InvalidInput(_("Please give a reason."), field="reason")
    if len(reason) > LONGEST_REASON:
        words = _("Please say it in at most %(longest)s characters.") % {"longest": LONGEST_REASON}
        raise InvalidInput(words, field="reason")
    return reason


def _refusal(row: models.Model, references: list[QuerySet]) -> str:
    kinds = ", ".join(sorted(str(rows.model._meta.verbose_name_plural) for rows in references))
    return _("“%(row)s” cannot be deleted: %(kinds)s refer to it.") % {"row": row, "kinds": kinds}
