"""Records whose edits have no consequences: events, what is on offer or quoted, rules of reminders, reference data."""

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput, TransitionRefused
from partnerships.models import (
    Achievement,
    AgreementType,
    ApprovalStep,
    CalendarDay,
    Citation,
    CooperationArea,
    Event,
    EventKind,
    EventPerson,
    HonourScheme,
    Participation,
    ProgrammeItem,
    Region,
    ReminderRule,
    ReportedFigure,
    Source,
    Statement,
    TypeMilestone,
    Unit,
    User,
    WorkCalendar,
)
from partnerships.names import fold, person_key
from partnerships.permissions import require
from partnerships.statuses import EventStatus
from partnerships.workflows.edits import Aggregate, Row, changed_columns
from partnerships.workflows.transitions import lock

NAMES = ("name", "name_zh")
_CODE = frozenset({"code"})  # seeds and imports find the row by it
RECORDS: Mapping[type[models.Model], Aggregate] = {
    aggregate.model: aggregate
    for aggregate in (
        Aggregate(Event, "event.add", "event.edit", parts=(EventKind, Participation, EventPerson, ProgrammeItem)),
        Aggregate(Achievement, "achievement.edit", "achievement.edit"),
        Aggregate(Source, "source.add", "source.edit", parts=(Statement,)),
        Aggregate(Citation, "citation.add", "citation.edit", fixed=frozenset({"content_type", "object_id"})),
        Aggregate(ReportedFigure, "figure.edit", "figure.edit"),
        Aggregate(HonourScheme, "reference.edit", "reference.edit"),
        Aggregate(AgreementType, "reference.edit", "reference.edit", parts=(TypeMilestone, ApprovalStep), fixed=_CODE),
        Aggregate(CooperationArea, "reference.edit", "reference.edit", fixed=_CODE),
        Aggregate(Region, "reference.edit", "reference.edit", fixed=_CODE),
        Aggregate(WorkCalendar, "reference.edit", "reference.edit", parts=(CalendarDay,), fixed=_CODE),
        Aggregate(ReminderRule, "reminder_rule.edit", "reminder_rule.edit"),
        Aggregate(Unit, "unit.edit", "unit.edit"),
    )
}


# Reference data whose names must differ, with the columns in which two of one name may: there are many Drum Tower
# Districts, each in a city of its own.
NAMED_WITHIN: Mapping[type[models.Model], tuple[str, ...]] = {
    AgreementType: (),
    CooperationArea: (),
    Region: ("parent",),
    HonourScheme: ("level", "issuer"),
    WorkCalendar: (),
    Unit: ("parent",),
}


def register_record(row: Row, *, actor: User | None, today: dt.date, parts: Sequence[models.Model] = ()) -> Row:
    """Register a row of one of ``RECORDS`` with its parts."""
    with transaction.atomic():
        if type(row) in NAMED_WITHIN:
            # There is no row to lock yet: of two of one name at the same moment the second waits and is refused.
            lock(ContentType.objects.get_for_model(row))
            _check_name(row)
        _check_people(parts, actor)
        RECORDS[type(row)].register(row, parts, actor=actor)
        if isinstance(row, Unit):
            _check_fallback_person(row)
    return row


def edit_record(
    row: Row,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
) -> Row:
    """Change a row of one of ``RECORDS`` and its parts as one version."""
    aggregate = RECORDS[type(row)]
    with transaction.atomic():
        is_tree = any(column.related_model is aggregate.model for column in row._meta.concrete_fields)
        if is_tree or (type(row) in NAMED_WITHIN and changes.keys() & set(NAMES)):
            # In a tree one row is changed at a time: two edits at once could each make half of a circle. And of two
            # edits to one name the second is refused.
            lock(ContentType.objects.get_for_model(row))
        before, after = aggregate.begin(row, changes, actor=actor)
        _check_people(parts, actor)
        if isinstance(before, Event) and before.status == EventStatus.WITHDRAWN:
            raise TransitionRefused(_("This event was withdrawn. Restore it first."))
        if isinstance(after, Unit) and "parent" in changed_columns(before, after):
            # Roles reach down the tree: a person who moves a unit below their own would see its rows.
            require(actor, "user.grant_admin")
        if type(after) in NAMED_WITHIN and changed_columns(before, after) & {*NAMES, *NAMED_WITHIN[type(after)]}:
            _check_name(after)
        aggregate.finish(before, after, parts, removed, actor=actor)
        if isinstance(after, Unit) and changed_columns(before, after) & {"fallback_person", "parent"}:
            _check_fallback_person(after)
    return after


def _check_people(parts: Sequence[models.Model], actor: User | None) -> None:
    """Refuse a person at an event whom the actor does not see: the list would show the name."""
    for part in parts:
        if isinstance(part, EventPerson) and actor is not None:
            for name, person in (("user", part.user), ("contact", part.contact)):
                if person and not type(person).objects.visible_to(actor).filter(pk=person.pk).exists():
                    raise InvalidInput(_("Choose one of the people you see."), field=name, part=part)


def _check_name(row: Any) -> None:
    """Raise ``InvalidInput`` for a name that another row has, however it is spaced, accented or written."""
    others = type(row)._base_manager.exclude(pk=row.pk)
    for name in NAMED_WITHIN[type(row)]:
        value = getattr(row, name)
        others = others.filter(**({f"{name}__isnull": True} if value is None else {name: value}))
    taken = {_folded(name): name for names in others.values_list(*NAMES) for name in names if name}
    for field in NAMES:
        if found := taken.get(_folded(getattr(row, field))):
            raise InvalidInput(_("There is one of this name already: %(name)s.") % {"name": found}, field=field)


def _folded(name: str) -> str:
    return person_key(name) or fold(name)


def _check_fallback_person(unit: Unit) -> None:
    """Raise ``InvalidInput`` for a fallback person who does not see the unit, and so not the work they would get."""
    if unit.fallback_person_id is None:
        return
    person = User.objects.get(pk=unit.fallback_person_id)  # anew: their scope was perhaps read before this change
    if not Unit.objects.visible_to(person).filter(pk=unit.pk).exists():
        words = _("This person may not see the %(kind)s.") % {"kind": unit._meta.verbose_name}
        raise InvalidInput(words, field="fallback_person")
