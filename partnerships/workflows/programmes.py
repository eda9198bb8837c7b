"""Programmes with their organizers and targets, and what belongs to them."""

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from django.db import models, transaction

from partnerships.models import Programme, ProgrammeItem, ProgrammeOrganizer, ProgrammeTarget, User
from partnerships.models.base import VersionedModel
from partnerships.models.programmes import PROGRAMME_ITEMS
from partnerships.workflows.edits import Aggregate
from partnerships.workflows.transitions import lock

PROGRAMME = Aggregate(
    Programme,
    "programme.edit",
    "programme.edit",
    parts=(ProgrammeOrganizer, ProgrammeTarget, ProgrammeItem),
)


def register_programme(
    programme: Programme, *, actor: User | None, today: dt.date, parts: Sequence[models.Model] = ()
) -> Programme:
    """Register a programme with its organizers, targets and items."""
    with transaction.atomic():
        PROGRAMME.register(programme, parts, actor=actor)
        _touch_relabeled(parts, {})
    return programme


def edit_programme(
    programme: Programme,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
) -> Programme:
    """Change a programme and its parts as one version."""
    with transaction.atomic():
        before, after = PROGRAMME.begin(programme, changes, actor=actor)
        ids = [part.pk for part in (*parts, *removed) if isinstance(part, ProgrammeItem)]
        items = ProgrammeItem.objects.filter(pk__in=ids).select_related(*PROGRAMME_ITEMS)
        labeled = {item.pk: item.target for item in items}
        PROGRAMME.finish(before, after, parts, removed, actor=actor)
        _touch_relabeled(parts, labeled)
    return after


def _touch_relabeled(parts: Sequence[models.Model], labeled: Mapping[int, VersionedModel]) -> None:
    """Give each record that got or lost the label its next version.

    ``labeled`` maps the changed or removed items to the records they were about before.
    """
    # The label is part of the record, so a page of the record that is open elsewhere is stale now.
    now = {part.pk: part.target for part in parts if isinstance(part, ProgrammeItem)}
    moved = {pk for pk in (*labeled, *now) if labeled.get(pk) != now.get(pk)}
    targets = {target for pk in moved for target in (labeled.get(pk), now.get(pk)) if target is not None}
    # In one order: two edits at once that move the label between the same rows must not wait for each other.
    for target in sorted(targets, key=lambda target: (target._meta.model_name, target.pk)):
        lock(target).touch()
