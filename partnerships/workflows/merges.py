"""Merging an organization or a contact that was entered twice into the one that stays, and undoing it.

Everything that refers to the merged record refers to the kept one afterwards, found by the foreign keys of all models and by
content type and id. Where both have the same row already, such as two holdings by one unit, one of them goes and what
refers to it moves as well. ``Merge`` lists both kinds for the undo.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Max, ProtectedError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from partnerships.acts import recorded_as
from partnerships.exceptions import InvalidInput, TransitionRefused
from partnerships.models import (
    Activity,
    Agreement,
    AgreementParty,
    Answer,
    AssociationMembership,
    Citation,
    Contact,
    ContactPosition,
    Demand,
    DifferentContacts,
    DifferentOrganizations,
    Facility,
    HistoryPermit,
    ImportRow,
    Merge,
    Milestone,
    MilestoneKind,
    NameKey,
    Organization,
    OrganizationCode,
    OrganizationName,
    OrganizationUnit,
    ReminderItem,
    ReminderMark,
    SearchEntry,
    StatusChange,
    Unit,
    User,
)
from partnerships.models.drafts import MERGED
from partnerships.permissions import require
from partnerships.workflows.deletions import concrete, relations_to
from partnerships.workflows.derivation import Derived, derive_milestones
from partnerships.workflows.edits import changed_columns
from partnerships.workflows.milestones import take_milestone_step
from partnerships.workflows.organizations import CONTACT, NOTED_WITHIN, ORGANIZATION, update_liaison_milestones
from partnerships.workflows.transitions import delete_as, lock_as_read, refuse_erased, save_as

Mergeable = TypeVar("Mergeable", Organization, Contact)

# Written anew with the record itself, or deleted with it.
DERIVED_ROWS: tuple[type[models.Model], ...] = (NameKey, SearchEntry, ReminderMark)
# They name a record by content type and id.
NAMING_BY_TYPE: tuple[type[models.Model], ...] = (Citation, StatusChange, ImportRow)
# Locked before organizations, in the order of docs/architecture.md, with the column by which their parts name them.
LOCKED_BEFORE: tuple[tuple[str, type[models.Model]], ...] = (
    ("activity", Activity),
    ("agreement", Agreement),
    ("facility", Facility),
    ("demand", Demand),
    ("answer", Answer),
)
ACTIONS_OF_MERGE: dict[type[models.Model], tuple[str, ...]] = {
    Organization: ("organization.merge",),
    Contact: ("contact.edit", "contact.view_personal"),
}
# The scheme under which a credit code is kept that the merged organization had and the kept one has not.
OTHER_CREDIT_CODE = "USCC"


@dataclass
class _Work:
    """A merge under way: what was done so far, as ``Merge`` keeps it, and the agreements to look at afterwards."""

    actor: User | None
    today: dt.date
    reason: str
    moved: list[list[Any]] = field(default_factory=list)
    removed: list[list[Any]] = field(default_factory=list)
    agreements: set[int] = field(default_factory=set)

    def save(self, row: models.Model, **values: object) -> None:
        """Save the columns of a row with history, or write them where the model has none."""
        columns = [_column(row, name) for name in values]
        before = {column.attname: getattr(row, column.attname) for column in columns}
        for name, value in values.items():
            setattr(row, name, value)
        after = {column.attname: getattr(row, column.attname) for column in columns}
        if before != after:
            _write(row, after, self.actor, self.reason)
            self.moved.append([row._meta.label, row.pk, {name: [before[name], after[name]] for name in before}])

    def remove(self, row: models.Model, *, is_merged: bool = False) -> None:
        """Delete a row, and remember its last history row, which has all of its columns."""
        pk, model = row.pk, concrete(type(row))
        delete_as(row, self.actor, reason=self.reason)
        last = model.history.filter(id=pk).latest("history_id").pk  # type: ignore[attr-defined]
        self.removed.insert(0 if is_merged else len(self.removed), [model._meta.label, pk, last])


def merge_organizations(
    kept: Organization,
    merged: Organization,
    *,
    actor: User | None,
    today: dt.date,
    from_merged: Collection[str] = (),
) -> Merge:
    """Merge ``merged`` into ``kept``, which takes the columns ``from_merged`` from it, its names and its codes.

    Either record may have changed since it was read: ``StaleVersion``. Refused for an organization and its own part. The
    leads of all units that hold one of the two are asked to note it.
    """
    with transaction.atomic(), recorded_as(_reason(merged)):
        _check_two(kept, merged)
        _lock_around(kept, merged)
        before, gone = _locked(kept, merged, actor)
        if gone.pk in before.ids_above_and_below():
            raise TransitionRefused(_("One of them is part of the other. Take it out first, if they are the same."))
        if before.is_sample and not gone.is_sample:
            raise TransitionRefused(
                _("The one to keep belongs to the sample, which is removed some day. Keep the other.")
            )
        before, after = ORGANIZATION.begin(before, _taken(ORGANIZATION.fields, gone, from_merged), actor=actor)
        work = _Work(actor, today, _reason(gone))
        units = _units_of(before, gone)
        first = before.history.latest("history_id").pk
        _move_references(gone, before, work)
        _remove_positions_held_twice(work, organization=before)
        _remove_merged(gone, work)
        after.code = before.code or gone.code
        parts = [*_names_to_keep(before, gone, after), *_codes_to_keep(before, gone, after)]
        if not ORGANIZATION.finish(before, after, parts, actor=actor):
            after.touch()
        merge = _record(after, gone, work, first, parts)
        _settle_agreements(work)
        _tell_holders(merge, after, units, gettext_noop("Merged: %(name)s"), actor=actor, on=today)
    return merge


def merge_contacts(
    kept: Contact, merged: Contact, *, actor: User | None, today: dt.date, from_merged: Collection[str] = ()
) -> Merge:
    """Merge ``merged`` into ``kept``, which takes the columns ``from_merged`` from it, and its positions.

    Whoever asked for no mail under one of the two gets none afterwards.
    """
    with transaction.atomic(), recorded_as(_reason(merged)):
        _check_two(kept, merged)
        _lock_around(kept, merged)
        before, gone = _locked(kept, merged, actor)
        for one in (before, gone):
            refuse_erased(one)
        before, after = CONTACT.begin(before, _taken(CONTACT.fields, gone, from_merged), actor=actor)
        if gone.mail_stopped_on and not after.mail_stopped_on:
            after.mail_stopped_on, after.mail_stopped_address = gone.mail_stopped_on, gone.mail_stopped_address
        work = _Work(actor, today, _reason(gone))
        first = before.history.latest("history_id").pk
        _move_references(gone, before, work)
        _remove_merged(gone, work)
        parts = _positions_to_keep(gone, after, today)
        if not CONTACT.finish(before, after, parts, actor=actor):
            after.touch()
        _remove_positions_held_twice(work, contact=after)
        merge = _record(after, gone, work, first, parts)
        _settle_agreements(work)
        update_liaison_milestones(after, actor=actor, on=today)
    return merge


def undo_merge(merge: Merge, *, actor: User | None, today: dt.date, now: dt.datetime) -> Merge:
    """Bring the merged record back, with all that was moved from it and is as the merge left it.

    What somebody changed since stays with the record that was kept; ``left`` says what.
    """
    with transaction.atomic(), recorded_as(f"Undone: merge {merge.pk}"):
        locked = Merge.objects.select_for_update(no_key=True).get(pk=merge.pk)
        kept = locked.model.objects.filter(pk=locked.kept_id).first()
        if locked.undone_at is not None:
            raise TransitionRefused(_("This merge is undone already."))
        if kept is None:
            raise TransitionRefused(_("The record that was kept is gone. Undo what became of it first."))
        _lock_around(kept)
        kept = lock_as_read(kept)
        require_both(actor, [kept])
        if isinstance(kept, Contact):
            refuse_erased(kept)
        work = _Work(actor, today, f"Undone: {_reason(kept)}"[:100])
        units = _units_of(kept) if isinstance(kept, Organization) else set()
        left = _take_back_additions(locked, work)
        left += _put_back_columns(locked, kept, work)
        left += _bring_back_removed(locked, work)
        left += _move_back(locked, work)
        require_both(actor, [locked.model.objects.get(pk=locked.merged_id)])
        locked.undone_at, locked.undone_by, locked.left = now, actor, left
        locked.save()
        _settle_agreements(work)
        if isinstance(kept, Contact):
            for one in (kept, Contact.objects.get(pk=locked.merged_id)):
                update_liaison_milestones(one, actor=actor, on=today)
        else:
            title = gettext_noop("Separated again: %(name)s")
            _tell_holders(locked, kept, units, title, actor=actor, on=today)
    return locked


def mark_as_different(first: Mergeable, second: Mergeable, *, actor: User | None) -> None:
    """Remember that two records which look alike are not the same."""
    model = DifferentOrganizations if isinstance(first, Organization) else DifferentContacts
    _check_two(first, second)
    for one in (first, second):
        require(actor, "organization.edit" if isinstance(one, Organization) else "contact.edit", one)
    low, high = sorted((first.pk, second.pk))
    model.objects.get_or_create(first_id=low, second_id=high, defaults={"by": actor})


def forget_difference(first: Mergeable, second: Mergeable, *, actor: User | None) -> None:
    """Show two records as possible duplicates again."""
    model = DifferentOrganizations if isinstance(first, Organization) else DifferentContacts
    for one in (first, second):
        require(actor, "organization.edit" if isinstance(one, Organization) else "contact.edit", one)
    low, high = sorted((first.pk, second.pk))
    model.objects.filter(first=low, second=high).delete()


def _check_two(kept: models.Model, merged: models.Model) -> None:
    if kept.pk == merged.pk:
        raise InvalidInput(_("These are not two records."))


def _reason(row: models.Model) -> str:
    # Without the name: the history of other rows would keep that of a person.
    return f"{MERGED}{row._meta.verbose_name} {row.pk}"


def _taken(fields: Collection[str], gone: models.Model, from_merged: Collection[str]) -> dict[str, object]:
    return {name: getattr(gone, name) for name in fields if name in from_merged}


def _locked(kept: Mergeable, merged: Mergeable, actor: User | None) -> tuple[Mergeable, Mergeable]:
    """Return both records, locked by id so that two merges of the same pair do not wait for each other for ever."""
    rows: dict[int, Mergeable] = {}
    for row in sorted((kept, merged), key=lambda row: row.pk):
        if row is merged:
            # The weaker lock of ``lock_as_read`` lets others insert rows that refer to it, which would be deleted with it.
            list(type(row)._base_manager.select_for_update().filter(pk=row.pk).values_list("pk"))
        rows[row.pk] = lock_as_read(row)
    require_both(actor, rows.values())
    return rows[kept.pk], rows[merged.pk]


def require_both(actor: User | None, rows: Iterable[Organization | Contact]) -> None:
    """Raise ``NotAllowed`` unless the actor may merge each of the records, and so take them apart again."""
    for row in rows:
        for action in ACTIONS_OF_MERGE[concrete(type(row))]:
            require(actor, action, row)


def last_state(merge: Merge) -> Any:
    """Return the merged record as it was last; None if its history is erased or was never listed."""
    if not merge.removed:
        return None
    label, _pk, last = merge.removed[0]
    past = _model(label).history.filter(history_id=last).first()  # type: ignore[attr-defined]
    return past.instance if past else None


def _lock_around(*rows: models.Model) -> None:
    """Lock the activities, agreements, facilities and demands that name one of ``rows``, before these are locked."""
    ids: dict[type[models.Model], set[int]] = defaultdict(set)
    for relation in relations_to(type(rows[0])):
        named = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": rows})
        for name, root in LOCKED_BEFORE:
            if concrete(relation.related_model) is root:
                ids[root] |= set(named.values_list("pk", flat=True))
            elif any(
                column.name == name and column.related_model is root for column in relation.related_model._meta.fields
            ):
                ids[root] |= set(named.exclude(**{name: None}).values_list(name, flat=True))
    for _name, root in LOCKED_BEFORE:
        locked = root._base_manager.select_for_update(no_key=True).filter(pk__in=ids[root]).order_by("pk")
        list(locked.values_list("pk"))


def _units_of(*organizations: Organization) -> set[int]:
    holders = OrganizationUnit.objects.filter(organization__in=organizations)
    return set(holders.values_list("unit_id", flat=True))


def _references(row: models.Model) -> Iterator[tuple[str, models.Model]]:
    """Yield each row that refers to ``row`` with the name of its column, in the order of their ids."""
    for relation in relations_to(type(row)):
        if relation.related_model not in DERIVED_ROWS and not relation.related_model._meta.proxy:
            name = relation.field.name
            for other in relation.related_model._base_manager.filter(**{name: row.pk}).order_by("pk"):
                yield name, other


def _move_references(gone: models.Model, kept: models.Model, work: _Work) -> None:
    for name, row in list(_references(gone)):
        # A row that refers to both, or that an earlier step removed, is read as it is now.
        current = type(row)._base_manager.filter(pk=row.pk).first()
        if current is not None and getattr(current, f"{name}_id") == gone.pk:
            _move(current, name, gone, kept, work)
    types = ContentType.objects.get_for_model(gone), {"object_id": kept.pk}
    for model in NAMING_BY_TYPE:
        for row in model._base_manager.filter(content_type=types[0], object_id=gone.pk).order_by("pk"):
            work.save(row, **types[1])


def _move(row: models.Model, name: str, gone: models.Model, kept: models.Model, work: _Work) -> None:
    """Let one row refer to the kept record; where that has such a row already, merge the two."""
    if isinstance(row, DifferentOrganizations | DifferentContacts):
        _move_pair(row, gone, kept)
        return
    if isinstance(row, AssociationMembership) and kept.pk in (row.association_id, row.member_id):
        work.remove(row)  # nobody is a member of itself
        return
    agreement = getattr(row, "agreement_id", None)
    if isinstance(row, AgreementParty) and agreement is not None:
        work.agreements.add(agreement)
    same = _same_row_of(row, name, kept)
    if same is None:
        work.save(row, **{name: kept})
    elif isinstance(row, Milestone):
        _keep_both_milestones(row, name, kept, work)
    elif isinstance(row, ReminderItem):
        # Both were or will be sent, each in its own mail: the second counts as a repeat.
        items = ReminderItem.objects.filter(plan=row.plan_id, contact=kept.pk)
        last = items.aggregate(last=Max("generation"))["last"]
        work.save(row, contact=kept, generation=last + 1)
    else:
        _fill_in(same, row, work)
        _move_references(row, same, work)
        work.remove(row)


def _move_pair(pair: DifferentOrganizations | DifferentContacts, gone: models.Model, kept: models.Model) -> None:
    other = pair.second_id if pair.first_id == gone.pk else pair.first_id
    pair.delete()
    if other != kept.pk:
        low, high = sorted((other, kept.pk))
        type(pair).objects.get_or_create(first_id=low, second_id=high, defaults={"by": pair.by})


def _same_row_of(row: models.Model, name: str, kept: models.Model) -> models.Model | None:
    """Return the row of the kept record that a unique constraint lets stand only once, if there is one."""
    rows = type(row)._base_manager
    for rule in row._meta.constraints:
        if isinstance(rule, models.UniqueConstraint) and name in rule.fields:
            values = {key: getattr(row, _column(row, key).attname) for key in rule.fields}
            values[name] = kept.pk
            if None in values.values():
                continue
            counted = rows.filter(rule.condition) if rule.condition is not None else rows.all()
            if not counted.filter(pk=row.pk).exists():
                continue
            if found := counted.filter(**values).exclude(pk=row.pk).first():
                return found
    return None


def _keep_both_milestones(row: Milestone, name: str, kept: models.Model, work: _Work) -> None:
    """Keep both: the one of the merged record is cancelled, if it was pending, and follows nothing any more."""
    if row.is_pending:
        reason = _("The same stands at the record that it was merged into.")
        before = row.status
        row = take_milestone_step(row, "cancel", actor=work.actor, on=work.today, reason=reason, is_consequence=True)
        work.moved.append(
            [row._meta.label, row.pk, {"status": [before, row.status], "cancelled_on": [None, work.today]}]
        )
    work.save(row, derived_key="", **{name: kept})


def _fill_in(row: models.Model, other: models.Model, work: _Work) -> None:
    """Fill empty columns of a row from the one that goes, unless the two do not go together."""
    empty = {
        column.name: getattr(other, column.name)
        for column in row._meta.concrete_fields
        if column.editable
        and getattr(row, column.attname) in (None, "")
        and getattr(other, column.attname) not in (None, "")
    }
    if isinstance(row, OrganizationUnit) and isinstance(other, OrganizationUnit) and other.is_granted:
        empty["is_granted"] = True
    if not empty:
        return
    tried = type(row)._base_manager.get(pk=row.pk)
    for name, value in empty.items():
        setattr(tried, name, value)
    try:
        tried.clean()
        tried.validate_constraints()
    except ValidationError:
        return
    work.save(row, **empty)


def _remove_merged(gone: models.Model, work: _Work) -> None:
    try:
        work.remove(gone, is_merged=True)
    except (ProtectedError, IntegrityError) as error:
        raise TransitionRefused(_("Something refers to it meanwhile. Please open the page again.")) from error


def _names_to_keep(before: Organization, gone: Organization, after: Organization) -> list[OrganizationName]:
    """Return the names that neither the kept record nor its other names have."""
    known = {after.name, after.name_zh, "", *after.other_names.values_list("name", flat=True)}
    names = dict.fromkeys([gone.name, gone.name_zh, before.name, before.name_zh])
    return [
        OrganizationName(name=name, kind=OrganizationName.Kind.OTHER_SPELLING) for name in names if name not in known
    ]


def _codes_to_keep(before: Organization, gone: Organization, after: Organization) -> list[OrganizationCode]:
    """Return the credit code that is dropped, as an external code, by which the organization is found."""
    dropped = {before.uscc, gone.uscc} - {after.uscc, None}
    return [OrganizationCode(scheme=OTHER_CREDIT_CODE, code=code) for code in sorted(filter(None, dropped))]


def _positions_to_keep(gone: Contact, after: Contact, today: dt.date) -> list[ContactPosition]:
    """Return the main position of the merged contact as a further or former one, unless the kept one has it."""
    is_same = gone.organization_id == after.organization_id and gone.position in ("", after.position)
    if is_same and (gone.is_active or not after.is_active):
        return []
    until = None if gone.is_active else gone.until or gone.departure_noted_on or today
    position = ContactPosition(organization=gone.organization, position=gone.position, since=gone.since, until=until)
    held = after.positions.filter(organization=gone.organization_id, position=gone.position, until=until)
    return [] if held.exists() else [position]


def _remove_positions_held_twice(
    work: _Work, *, contact: Contact | None = None, organization: Organization | None = None
) -> None:
    """Remove current positions that have become the main one of their contact."""
    rows = ContactPosition.objects.current().select_related("contact").order_by("pk")
    rows = rows.filter(contact=contact) if contact else rows.filter(organization=organization)
    for row in rows:
        if (row.organization_id, row.position) == (row.contact.organization_id, row.contact.position):
            work.remove(row)


def _record(kept: Mergeable, gone: Mergeable, work: _Work, before: int, parts: Collection[models.Model]) -> Merge:
    merged_id = work.removed[0][1]
    return Merge.objects.create(
        content_type=ContentType.objects.get_for_model(concrete(type(kept))),
        kept_id=kept.pk,
        merged_id=merged_id,
        name=str(gone),
        kept_name=str(kept),
        moved=work.moved,
        removed=work.removed,
        added=[[part._meta.label, part.pk] for part in parts],
        before=before,
        after=kept.history.latest("history_id").pk,
        by=work.actor,
    )


def _settle_agreements(work: _Work) -> None:
    """Update the milestones of agreements whose parties were merged, and have their reminders looked at."""
    for agreement in Agreement.objects.filter(pk__in=work.agreements, signed_on__isnull=False).order_by("pk"):
        derive_milestones(agreement, actor=work.actor, on=work.today)
    ReminderMark.leave_on(Milestone.objects.pending().filter(agreement__in=work.agreements))


def _tell_holders(
    merge: Merge, organization: Organization, units: Collection[int], title: str, *, actor: User | None, on: dt.date
) -> None:
    """Ask the leads of the holding units to note the merge; nobody is told about the sample."""
    if actor is None or organization.is_sample:
        return
    names = f"{merge.name} → {merge.kept_name}"
    for unit in Unit.objects.filter(pk__in=units, is_sample=False).order_by("pk"):
        key = f"merge:{merge.pk}:{unit.pk}:{'undone' if merge.undone_at else 'done'}"
        derived = Derived(key, MilestoneKind.NEW_HOLDER, title, on + NOTED_WITHIN, name=names, name_zh=names)
        columns = {"kind": derived.kind, "due_on": derived.due_on, "derived_key": key, **derived.titles()}
        save_as(Milestone(unit=unit, organization=organization, **columns), actor)


def _take_back_additions(merge: Merge, work: _Work) -> list[str]:
    """Remove the names, codes and positions that the merge added, unless somebody changed them since."""
    left = []
    for label, pk in merge.added:
        row = _row(label, pk)
        if row is None:
            continue
        if row.history.filter(id=pk).count() > 1:
            left.append(_in_words(row))
        else:
            delete_as(row, work.actor, reason=work.reason)
    return left


def _put_back_columns(merge: Merge, kept: Any, work: _Work) -> list[str]:
    """Give the kept record the values back that it had before, where it still has those of the merge."""
    past = {row.pk: row for row in kept.history.filter(history_id__in=[merge.before, merge.after])}
    if len(past) < 2 or merge.before is None or merge.after is None:
        return []
    before, after = past[merge.before].instance, past[merge.after].instance
    left = []
    for name in sorted(changed_columns(before, after) - {"version", "sort_key", "sort_key_zh"}):
        column = kept._meta.get_field(name).attname
        if getattr(kept, column) == getattr(after, column):
            setattr(kept, column, getattr(before, column))
        else:
            left.append(f"{kept._meta.get_field(name).verbose_name}: {getattr(kept, name)}")
    try:
        with transaction.atomic():
            save_as(kept, work.actor, reason=work.reason)
    except IntegrityError as error:
        words = _("The values of before do not go together with what was changed since. Correct them by hand first.")
        raise TransitionRefused(words) from error
    return left


def _bring_back_removed(merge: Merge, work: _Work) -> list[str]:
    """Save the removed rows again as their histories have them, the merged record first."""
    left = []
    for position, (label, _pk, last) in enumerate(merge.removed):
        model = _model(label)
        past = model.history.filter(history_id=last).first()  # type: ignore[attr-defined]
        row = past.instance if past else None
        if row is None:
            if position == 0:
                raise TransitionRefused(_("The history of the merged record is not there any more."))
            continue
        row._state.adding = True
        row._history_user, row._change_reason = work.actor, work.reason
        if isinstance(row, Contact) and row.mail_stopped_on:
            row.mail_stopped_address = row.email
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as error:
            if position == 0:
                raise TransitionRefused(
                    _("The merged record cannot come back: another one has its code or what else is unique.")
                ) from error
            left.append(_in_words(row))
    return left


def _move_back(merge: Merge, work: _Work) -> list[str]:
    """Give the moved rows their values of before, the last one first, where they still have those of the merge."""
    left: dict[str, None] = {}
    for label, pk, values in reversed(merge.moved):
        row = _row(label, pk)
        if row is None:
            continue  # deleted since, or removed by the merge and back with its values
        columns = {name: row._meta.get_field(name) for name in values}
        current = {name: getattr(row, name) for name in values}
        expected = {name: columns[name].to_python(pair[1]) for name, pair in values.items()}
        if current != expected:
            left[_in_words(row)] = None
            continue
        work_row = {name: columns[name].to_python(pair[0]) for name, pair in values.items()}
        for name, value in work_row.items():
            setattr(row, name, value)
        try:
            with transaction.atomic():
                _write(row, work_row, work.actor, work.reason)
        except IntegrityError:
            left[_in_words(row)] = None
            continue
        if isinstance(row, AgreementParty):
            work.agreements.add(row.agreement_id)
    return list(left)


def _column(row: models.Model, name: str) -> models.Field:
    return cast("models.Field", row._meta.get_field(name))


def _write(row: models.Model, values: dict[str, object], actor: User | None, reason: str) -> None:
    if hasattr(type(row), "history"):
        row._state.fields_cache.clear()
        if isinstance(row, Milestone):
            row.is_put_back = True  # whoever it waits for had it before, or it stays with them
        save_as(row, actor, reason=reason)
    elif isinstance(row, StatusChange):
        with HistoryPermit.objects.granted(HistoryPermit.Kind.MERGE, by=actor, reason=reason):
            StatusChange.objects.filter(pk=row.pk).update(**values)
    else:
        type(row)._base_manager.filter(pk=row.pk).update(**values)


def _model(label: str) -> type[models.Model]:
    return apps.get_model(label)


def _row(label: str, pk: object) -> Any:
    return _model(label)._base_manager.filter(pk=pk).first()


def _in_words(row: models.Model) -> str:
    return f"{row._meta.verbose_name}: {row}"
