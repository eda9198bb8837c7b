"""The shared steps of verbs that register or edit a record: permission, input, parts, one version, history.

An ``Aggregate`` declares what can be edited. Its verbs add their own locks, rules and consequences around it; see "How an
edit flows" in docs/architecture.md.
"""

import copy
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import ProtectedError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.acts import are_constraints_unchecked
from partnerships.exceptions import DomainError, InvalidInput, NotAllowed, TransitionRefused
from partnerships.models import Citation, Programme, ProgrammeItem, User
from partnerships.models.base import VersionedModel
from partnerships.permissions import require
from partnerships.workflows.transitions import check_day, check_input, delete_as, lock_as_read, save_as

Row = TypeVar("Row", bound=models.Model)

LINE_IS_GONE = gettext_lazy("This line is not there any more. Please open the page again.")


@dataclass(frozen=True)
class Aggregate:
    """A root with the rows that belong to it, and what may be changed of them by an edit.

    ``parts`` are the models whose rows belong to the root. ``fixed`` are the columns that stay as they were registered
    or that have a verb of their own; all other editable columns of the root may be changed.
    """

    model: type[models.Model]
    add_action: str
    edit_action: str
    parts: tuple[type[models.Model], ...] = ()
    fixed: frozenset[str] = frozenset()

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the columns that an edit may change."""
        columns = [field for field in self.model._meta.concrete_fields if field.editable and not field.primary_key]
        return tuple(field.name for field in columns if field.name not in self.fixed)

    def register(self, root: models.Model, parts: Iterable[models.Model] = (), *, actor: User | None) -> None:
        """Save a new root with its parts. Call it in the verb's transaction, after the verb's locks and rules."""
        is_under_agreement = getattr(root, "unit_id", None) is None and getattr(root, "agreement_id", None)
        _require_as_changed(actor, self.add_action, root, {"agreement" if is_under_agreement else "unit"})
        _save_checked(root, actor)
        self.save_parts(root, parts, (), actor=actor)

    def begin(self, row: Row, changes: Mapping[str, object], *, actor: User | None) -> tuple[Row, Row]:
        """Lock the row and return it as it is and as ``changes`` would leave it; nothing is saved yet.

        Raises ``StaleVersion`` when somebody changed it since ``row`` was read, and ``NotAllowed`` when the actor may
        not edit it as it is or as it would be.
        """
        unknown = changes.keys() - set(self.fields)
        if unknown:
            raise ValueError(f"an edit of {self.model.__name__} does not change {', '.join(sorted(unknown))}")
        before = lock_as_read(row)
        require(actor, self.edit_action, before)
        after = copy.copy(before)
        for name, value in changes.items():
            setattr(after, name, value)
        # Asked again for the row as it would be: nobody may move a row into a unit or agreement without the right there.
        _require_as_changed(actor, self.edit_action, after, changed_columns(before, after))
        return before, after

    def finish(
        self,
        before: models.Model,
        after: models.Model,
        parts: Iterable[models.Model] = (),
        removed: Iterable[models.Model] = (),
        *,
        actor: User | None,
    ) -> bool:
        """Save what ``begin`` prepared with the parts, as one version and one history row for each row that changed.

        Return whether anything changed; an edit that changes nothing leaves no version and no history.
        """
        is_changed = bool(changed_columns(before, after))
        if is_changed:
            _save_checked(after, actor)
        has_other_parts = self.save_parts(after, parts, removed, actor=actor)
        # The version counts for the root with its parts: somebody else's open page of it is stale now.
        if has_other_parts and not is_changed and isinstance(after, VersionedModel):
            after.touch()
        return is_changed or has_other_parts

    def save_parts(
        self, root: models.Model, parts: Iterable[models.Model], removed: Iterable[models.Model], *, actor: User | None
    ) -> bool:
        """Delete ``removed`` and save ``parts``, new or changed. Return whether there was anything to do."""
        parts, removed = list(parts), list(removed)
        for part in (*parts, *removed):
            if not isinstance(part, self.parts):
                raise TypeError(f"a {type(part).__name__} is no part of a {self.model.__name__}")
        changed = changed_parts(root, parts)
        if not isinstance(root, Programme):  # whoever edits the programme itself may choose what belongs to it
            _check_labels([*removed, *changed], actor)
        # Removals first: a new part may take a unique value that one of them gives up.
        for part in removed:
            _check_belongs(part, root)
            _remove_part(part, actor)
        for part in changed:
            with concerning(part):
                _save_checked(part, actor)
        return bool(removed or changed)


def _check_labels(parts: Iterable[models.Model], actor: User | None) -> None:
    """Raise ``NotAllowed`` for a label of a programme that the actor may not edit: labels change its figures."""
    for item in parts:
        if isinstance(item, ProgrammeItem):
            saved = ProgrammeItem.objects.filter(pk=item.pk).select_related("programme")
            for label in (*saved, item):
                with concerning(item):
                    require_at("programme", actor, "programme.edit", label.programme)


def changed_columns(before: models.Model, after: models.Model) -> set[str]:
    """Return the names of the columns in which the two states of a row differ."""
    columns = after._meta.concrete_fields
    return {field.name for field in columns if getattr(before, field.attname) != getattr(after, field.attname)}


@contextmanager
def concerning(part: models.Model) -> Iterator[None]:
    """Note on a refusal which part it is about, so that a form can show it in that line."""
    try:
        yield
    except DomainError as error:
        error.part = error.part or part
        raise


def check_not_in_future(day: dt.date, *, today: dt.date, field: str) -> None:
    """Raise ``InvalidInput`` for something that is said to have happened after ``today``."""
    check_day(day, field=field)
    if day > today:
        raise InvalidInput(_("This day lies in the future."), field=field)


def changed_parts(root: models.Model, parts: Iterable[models.Model]) -> list[models.Model]:
    """Return the parts that are new or differ from their rows, each as the row of ``root`` that it will be saved to."""
    changed: list[models.Model] = []
    by_model: dict[type[models.Model], list[models.Model]] = {}
    for part in parts:
        by_model.setdefault(type(part), []).append(part)
    for model, group in by_model.items():
        reference = reference_to(model, root, group)
        kept = [part for part in group if not part._state.adding]
        rows = model._base_manager.filter(**{reference: root.pk, "pk__in": [part.pk for part in kept]})
        current = {row.pk: row for row in rows}
        for part in group:
            if part._state.adding:
                setattr(part, reference, root)
            elif part.pk not in current:
                raise InvalidInput(LINE_IS_GONE, part=part)
        _match_rows_by_unique_key(kept, current, reference)
        # Rows that exist come first: a new one may take a value that one of them gives up.
        changed += [part for part in kept if changed_columns(current[part.pk], part)]
        changed += [part for part in group if part._state.adding]
    return changed


def _check_belongs(part: models.Model, root: models.Model) -> None:
    """Raise ``InvalidInput`` for a row that is gone or belongs to another root, whatever the part says of itself."""
    reference = reference_to(type(part), root, [part])
    if not type(part)._base_manager.filter(**{"pk": part.pk, reference: root.pk}).exists():
        # Above the form: a line that is to go may be hidden already.
        raise InvalidInput(LINE_IS_GONE)


def reference_to(model: type[models.Model], root: models.Model, parts: Iterable[models.Model] = ()) -> str:
    """Return the name of the foreign key by which rows of ``model``, and ``parts`` among them, belong to ``root``."""
    keys = [field for field in model._meta.concrete_fields if field.is_relation and field.related_model]
    names = [field.name for field in keys if isinstance(root, field.related_model)]  # type: ignore[arg-type]
    # A membership refers to two organizations; the parts say by which of the two they belong to this one.
    own = (name for name in names if all(part.serializable_value(name) == root.pk for part in parts))
    return next(own, names[0])


def _match_rows_by_unique_key(
    parts: list[models.Model], current: Mapping[object, models.Model], reference: str
) -> None:
    """When two lines swapped their organizations, save each to the row that has that organization already."""
    # Unique constraints are checked row by row, so the first of the two could not be saved otherwise. A
    # reference to a party also means that organization, not that line.
    owners = {key: pk for pk, row in current.items() for key in _unique_keys(row, reference)}
    taken: dict[object, models.Model] = {}
    others: list[models.Model] = []
    for part in parts:
        owner = next((owners[key] for key in _unique_keys(part, reference) if key in owners), None)
        if owner is None or owner in taken:
            others.append(part)
        else:
            taken[owner] = part
    free = [pk for pk in current if pk not in taken]
    for part in others:
        pk = part.pk if part.pk in free else free[0]
        free.remove(pk)
        taken[pk] = part
    for pk, part in taken.items():
        if part.pk != pk:
            _become(part, current[pk])


def _become(part: models.Model, row: models.Model) -> None:
    """Make ``part`` the new state of ``row``: what nobody edits stays the row's."""
    for field in part._meta.concrete_fields:
        if field.primary_key or not field.editable:
            setattr(part, field.attname, getattr(row, field.attname))


def _unique_keys(part: models.Model, reference: str) -> Iterator[tuple[object, ...]]:
    for rule in part._meta.constraints:
        if isinstance(rule, models.UniqueConstraint) and reference in rule.fields:
            values = [part.serializable_value(name) for name in rule.fields if name != reference]
            if None not in values:
                yield (rule.name, *values)


def _save_checked(row: models.Model, actor: User | None) -> None:
    """Save a row after its columns, its own rules and its constraints were checked, so that a refusal names the field."""
    check_input(row)
    for column in row._meta.concrete_fields:
        day = getattr(row, column.attname)
        # type(): a datetime is an instance of date as well, and DateTimeField of DateField.
        if isinstance(column, models.DateField) and column.editable and type(day) is dt.date:
            check_day(day, field=column.name)
    try:
        row.clean()
        if not are_constraints_unchecked():
            row.validate_unique()
            row.validate_constraints()
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        columns = {field.name for field in row._meta.concrete_fields}
        raise InvalidInput(" ".join(messages), field=name if name in columns else None) from error
    save_as(row, actor)


def require_at(field: str | None, actor: User | None, action: str, row: models.Model) -> None:
    """Check permission as ``require`` does; a refusal is about ``field``."""
    try:
        require(actor, action, row)
    except NotAllowed as error:
        error.field = field
        raise


def _require_as_changed(actor: User | None, action: str, row: models.Model, changed: set[str]) -> None:
    """Check permission for the row as it would be; a refusal stands at the unit or agreement that was chosen."""
    field = next((name for name in ("unit", "agreement") if name in changed), None)
    require_at(field, actor, action, row)


def check_not_cited(row: models.Model) -> None:
    """Raise ``TransitionRefused`` for a row that is to be deleted while a citation is about it."""
    # Citations point at a row by content type and id, which no foreign key protects.
    if Citation.objects.of(row).exists():
        raise _referred_to(row, {str(Citation._meta.verbose_name_plural)})


def _referred_to(row: models.Model, kinds: set[str]) -> TransitionRefused:
    # Without a field, so it is shown above the form: the page may have hidden the line that is to be removed.
    words = {"part": row, "kinds": ", ".join(sorted(kinds))}
    return TransitionRefused(_("“%(part)s” cannot be removed: there are %(kinds)s that refer to it.") % words)


def _remove_part(row: models.Model, actor: User | None) -> None:
    check_not_cited(row)
    try:
        delete_as(row, actor)
    except ProtectedError as error:
        raise _referred_to(row, {str(other._meta.verbose_name_plural) for other in error.protected_objects}) from error
