"""A row of a file on its way to a record, and what all kinds of rows need for that."""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from django.db import DEFAULT_DB_ALIAS, DatabaseError, DataError, IntegrityError, connections, models, transaction
from django.utils.translation import gettext as _

from partnerships.acts import caused_by, constraints_unchecked
from partnerships.exceptions import DomainError, InvalidInput, PossibleDuplicate, PossibleTypo
from partnerships.imports.recipes import Recipe
from partnerships.late_inserts import inserts_under_way
from partnerships.models import ImportRow, Organization, RowOutcome, Unit, User
from partnerships.names import fold
from partnerships.partial_dates import PartialDate
from partnerships.permissions import may

NEW = "new"
LONGEST_KEY = 300
# So many organizations of earlier rows are kept in memory.
MOST_ORGANIZATIONS = 200


class Undecided(DomainError):
    """A person has to decide about the row: ``found`` are the look-alikes of ``name``, ``field`` is the field concerned."""

    def __init__(self, message: str, *, field: str, name: str = "", found: Sequence[models.Model] = ()) -> None:
        super().__init__(message, field=field)
        self.name = name
        self.found = found


@dataclass
class WorkRow:
    """A row with its typed values, and what becomes of it."""

    number: int
    sheet: str = ""
    cells: list[Any] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    decisions: dict[str, str] = field(default_factory=dict)
    problems: list[dict[str, str]] = field(default_factory=list)
    outcome: str = ""
    key: str = ""
    record: models.Model | None = None
    imported: dict[str, Any] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    look_alikes: list[dict[str, Any]] = field(default_factory=list)
    made: list[dict[str, Any]] = field(default_factory=list)
    pk: int | None = None

    def get(self, name: str) -> Any:
        return self.values.get(name)

    def text(self, name: str) -> str:
        return self.values.get(name) or ""

    def note(self, message: str, field: str = "") -> None:
        """Add a remark that does not refuse the row."""
        self.problems.append({"field": field, "message": str(message), "note": "1"})

    @property
    def fingerprint(self) -> str:
        """Return what must be the same in the preview and in the import; ids of new records differ between the two."""
        changes = [{**change, "record": ""} for change in self.changes]
        problems = [problem["message"] for problem in self.problems]
        known = [(one["model"], one["act"], one["pk"] if one["act"] == "changed" else 0) for one in self.made]
        # Sorted: PostgreSQL keeps the keys of JSON in an order of its own.
        return json.dumps([str(self.outcome), self.key, changes, problems, known], sort_keys=True, default=str)

    def refuse(self, outcome: RowOutcome, error: DomainError) -> None:
        self.outcome, self.record = outcome, None
        self.changes, self.made, self.imported = [], [], {}
        self.problems.append({"field": error.field or "", "message": str(error)})

    def did(self, record: models.Model, act: str, before: Mapping[str, Any] | None = None) -> None:
        """Note that the row made or changed a record; ``before`` are the columns it changed, as they were."""
        entry = {"model": str(record._meta.model_name), "pk": record.pk, "act": act, "name": str(record)[:200]}
        if before is not None:
            entry["before"] = {name: getattr(value, "pk", value) for name, value in before.items()}
        self.made.append(entry)


class EarlierRows(Protocol):
    """The rows of earlier imports by their keys."""

    def get(self, key: str, /) -> ImportRow | None:
        """Return the row with this key, if there is one."""


class RememberedOrganizations:
    """Organizations by folded name: the ids of all of them, and the last ones as they are, which later rows often name again."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._recent: dict[int, Organization] = {}

    def add(self, found: Mapping[str, Organization]) -> None:
        for key, organization in found.items():
            self._ids[key] = organization.pk
            self._keep(organization)

    def get(self, key: str) -> Organization | None:
        pk = self._ids.get(key)
        if pk is None:
            return None
        found = self._recent.get(pk) or Organization.objects.filter(pk=pk).first()
        if found is not None:
            self._keep(found)
        return found

    def _keep(self, organization: Organization) -> None:
        self._recent.pop(organization.pk, None)
        self._recent[organization.pk] = organization
        if len(self._recent) > MOST_ORGANIZATIONS:
            del self._recent[next(iter(self._recent))]


@dataclass
class Batch:
    """A run over all rows of a file: who imports what for which unit, and what was found or made so far."""

    actor: User | None
    unit: Unit | None
    now: dt.datetime
    today: dt.date
    recipe: Recipe
    kind: str
    label: str = ""
    choices: Mapping[str, Mapping[str, models.Model]] = field(default_factory=dict)
    earlier: EarlierRows = field(default_factory=dict[str, ImportRow])
    # Organizations by folded name, made or found by earlier rows; the second is what the row under way adds.
    organizations: RememberedOrganizations = field(default_factory=RememberedOrganizations)
    added: dict[str, Organization] = field(default_factory=dict)
    rows_of: dict[int, int] = field(default_factory=dict)  # organizations made by this run -> number of the row
    seen: dict[str, int] = field(default_factory=dict)  # keys -> number of the row

    def unit_of(self, row: WorkRow) -> Unit:
        """Return the unit that a record of the row belongs to: that of its own column, or that of the import."""
        unit = self.chosen("unit", row.get("unit")) or self.unit
        if not isinstance(unit, Unit):
            raise InvalidInput(
                _("The unit is missing: choose one for the import, or a column that names it."), field="unit"
            )
        return unit

    def chosen(self, refers_to: str, value: str | None) -> Any:
        """Return the row that a value of a field with ``refers_to`` stands for; None without a value."""
        if not value:
            return None
        found = self.choices.get(refers_to, {}).get(value)
        if found is None:
            raise InvalidInput(_("“%(value)s” is not on record.") % {"value": value}, field=refers_to)
        return found

    def visible(self, model: type[Any]) -> Any:
        """Return the rows of ``model`` that the person who imports may see; no other one is compared with the file."""
        rows = model.objects.all()
        return rows if self.actor is None else model.objects.visible_to(self.actor)

    def may_change(self, row: WorkRow, record: models.Model) -> bool:
        """Whether the person who imports may edit the record; if not, note that it stays as it is.

        Asked before anything of the record is compared: a difference would tell what it says.
        """
        if self.actor is None or may(self.actor, f"{record._meta.model_name}.edit", record):
            return True
        words = _("%(name)s stays as it is on record: you may not change it.") % {"name": record}
        if words not in (problem["message"] for problem in row.problems):
            row.note(words)
        return False

    def from_earlier(self, row: WorkRow, rows: models.QuerySet[Any]) -> Any:
        """Return the record among ``rows`` that an earlier import made or changed by the same row; None where there is none."""
        earlier = self.earlier.get(row.key)
        if earlier is None or earlier.object_id is None or earlier.content_type is None:
            return None
        is_of_model = earlier.content_type.model == rows.model._meta.model_name
        return rows.filter(pk=earlier.object_id).first() if is_of_model else None

    def last(self, row: WorkRow, record: models.Model) -> Mapping[str, Any]:
        """Return the values that an earlier import gave the record; empty where none did."""
        earlier = self.earlier.get(row.key)
        return earlier.values if earlier and earlier.object_id == record.pk else {}


Apply = Callable[[WorkRow, Batch], None]


def refusals(problems: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Return the problems of a row that keep it out, without mere notes."""
    return [problem for problem in problems if "note" not in problem]


def process(row: WorkRow, batch: Batch, apply: Apply) -> None:
    """Turn a row into its record in a savepoint; what refuses it becomes the outcome of the row, and leaves nothing."""
    if refusals(row.problems):
        row.outcome = RowOutcome.REJECTED
        return
    before = {**vars(row), "problems": list(row.problems)}
    try:
        try:
            _apply_quickly(row, batch, apply)
        except DatabaseError:  # Once more, with the checks that find words for it.
            vars(row).update(before, problems=list(before["problems"]), changes=[], made=[])
            _apply_with_checks(row, batch, apply)
    except Undecided as error:
        row.refuse(RowOutcome.UNDECIDED, error)
        found = [_look_alike(one, batch) for one in error.found]
        row.look_alikes = [{"name": error.name, "found": found}] if found else []
        return
    except (PossibleTypo, PossibleDuplicate) as error:
        row.refuse(RowOutcome.UNDECIDED, error)
        return
    except DomainError as error:
        row.refuse(RowOutcome.REJECTED, error)
        return
    except (IntegrityError, DataError) as error:
        # A row must not stop all others where a rule is the database's alone.
        words = _("The database does not take this row: %(error)s")
        row.refuse(RowOutcome.REJECTED, InvalidInput(words % {"error": str(error).split("\n", 1)[0][:200]}))
        return
    batch.organizations.add(batch.added)
    for one in row.made:
        if one["act"] == "made" and one["model"] == "organization":
            batch.rows_of.setdefault(one["pk"], row.number)
    if row.key:
        batch.seen.setdefault(row.key, row.number)


def _apply_quickly(row: WorkRow, batch: Batch, apply: Apply) -> None:
    """Apply a row in one savepoint, with constraints left to the database.

    Raises a ``DatabaseError`` when something in it was refused that only an inner savepoint would have taken back.
    """
    batch.added = {}
    with _collecting(), transaction.atomic(), caused_by(_cause(row, batch)):
        with constraints_unchecked(), _without_savepoints():
            apply(row, batch)
        if connections[DEFAULT_DB_ALIAS].needs_rollback:
            raise transaction.TransactionManagementError("refused inside")


def _apply_with_checks(row: WorkRow, batch: Batch, apply: Apply) -> None:
    batch.added = {}
    if inserts := inserts_under_way():
        inserts.write()  # what verbs roll back inside must not take rows of before with it
    with transaction.atomic(), caused_by(_cause(row, batch)):
        apply(row, batch)


@contextmanager
def _collecting() -> Iterator[None]:
    """Keep history, search entries and marks to be inserted many at a time, where a run has a place for them."""
    inserts = inserts_under_way()
    with inserts.collecting() if inserts else nullcontext():
        yield


@contextmanager
def _without_savepoints() -> Iterator[None]:
    """Make the transactions of verbs inside set no savepoints, of which a row would have some fifty.

    What one of them refuses then stops everything until the savepoint of the row is rolled back.
    """
    with _savepoints_by(lambda: None):
        yield


@contextmanager
def kept_apart() -> Iterator[None]:
    """Give a verb that may refuse a savepoint of its own, so that the row can go on."""
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    inside = wrapper.savepoint
    inserts = inserts_under_way()
    with (
        inserts.taking_back() if inserts else nullcontext(),
        _savepoints_by(type(wrapper).savepoint.__get__(wrapper)),
        transaction.atomic(),
        _savepoints_by(inside),
    ):
        yield


@contextmanager
def _savepoints_by(savepoint: Callable[[], str | None]) -> Iterator[None]:
    """Make ``transaction.atomic`` set its savepoints by this function; one that returns None sets none."""
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    before = wrapper.savepoint
    wrapper.savepoint = savepoint
    try:
        yield
    finally:
        wrapper.savepoint = before


def _cause(row: WorkRow, batch: Batch) -> str:
    origin = " ".join(str(row.get(name)) for name in ("entered_by", "entered_on") if row.get(name))
    words = f"{batch.label}, {row.number}" if batch.label else ""
    return f"{words} · {origin}" if origin else words


def _look_alike(record: models.Model, batch: Batch) -> dict[str, Any]:
    """Return how a look-alike is shown and chosen; one that an earlier row makes has no id that lasts."""
    made_by = batch.rows_of.get(record.pk) if isinstance(record, Organization) else None
    token = f"row:{made_by}" if made_by else str(record.pk)
    return {"token": token, "name": str(record)}


def check_once(row: WorkRow, batch: Batch) -> None:
    """Raise ``InvalidInput`` for a second row of the same key."""
    if row.key in batch.seen:
        number = batch.seen[row.key]
        raise InvalidInput(_("The same as row %(number)s of the file.") % {"number": number})


def finish(row: WorkRow, record: models.Model, *, is_new: bool, values: Mapping[str, Any]) -> None:
    """Note the outcome of a row that was brought in."""
    row.record = record
    row.imported = {name: plain(value) for name, value in values.items()}
    if is_new:
        row.outcome = RowOutcome.NEW
    else:
        row.outcome = RowOutcome.CHANGED if row.changes or row.made else RowOutcome.UNCHANGED


def changes_to(
    row: WorkRow, record: Any, values: Mapping[str, Any], batch: Batch, *, decides: str = "existing"
) -> dict[str, Any]:
    """Return the columns of a record on record that the row changes, and note them in it.

    A record that the person may not edit stays. What the file does not say stays, too. What an earlier import wrote is updated; what is empty is filled in. What a person
    changed since the last import stays while the file says the same as then. Any other difference is asked about, unless
    the recipe or the row decides it.
    """
    if not batch.may_change(row, record):
        return {}
    last = batch.last(row, record)
    decision = row.decisions.get(decides) or batch.recipe.existing
    changed: dict[str, Any] = {}
    differing: list[str] = []
    for name, value in values.items():
        current = getattr(record, name)
        if value in (None, "") or plain(current) == plain(value):
            continue
        if name in last and last[name] == plain(value):
            continue  # the file says what it said, and a person changed the record since
        is_ours = name in last and last[name] == plain(current)
        if current in (None, "") or is_ours or decision == "file":
            changed[name] = value
        elif decision == "ask":
            differing.append(name)
    if differing:
        raise Undecided(_differing(record, values, differing), field=differing[0])
    for name, value in changed.items():
        note_change(row, record, name, getattr(record, name), value)
    return changed


def update_record(row: WorkRow, batch: Batch, record: Any, values: Mapping[str, Any], edit: Callable[..., Any]) -> Any:
    """Change a record on record by the verb ``edit``, as far as ``changes_to`` says."""
    changes = changes_to(row, record, values, batch)
    if not changes:
        return record
    before = {name: getattr(record, name) for name in changes}
    edited = edit(record, actor=batch.actor, today=batch.today, changes=changes)
    row.did(edited, "changed", before)
    return edited


def note_change(row: WorkRow, record: Any, name: str, before: Any, after: Any) -> None:
    label = str(record._meta.get_field(name).verbose_name)
    row.changes.append({"record": str(record), "field": label, "before": shown(before), "after": shown(after)})


def _differing(record: Any, values: Mapping[str, Any], names: list[str]) -> str:
    parts = []
    for name in names:
        label = record._meta.get_field(name).verbose_name
        facts = {"label": label, "current": shown(getattr(record, name)), "value": shown(values[name])}
        parts.append(_("%(label)s: “%(current)s” on record, “%(value)s” in the file") % facts)
    return "; ".join(parts)


def plain(value: Any) -> Any:
    """Return a value as JSON holds it, so that it can be compared with one that was stored."""
    if isinstance(value, models.Model):
        return value.pk
    if isinstance(value, PartialDate):
        return f"{value.first.isoformat()}/{value.precision}"
    if isinstance(value, Decimal):
        return str(value.normalize())
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, str):
        return str(value)
    return value


def shown(value: Any) -> str:
    return "" if value is None else str(value)


def key_of(*parts: Any) -> str:
    """Return what tells a row from others, from its folded parts; a long one by its digest."""
    key = "|".join(fold(str(plain(part) if part is not None else "")) for part in parts)
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def look_alikes_of(record: models.Model, name: str, error: PossibleDuplicate, *, field: str) -> Undecided:
    """Return the question whether ``record`` is one of the look-alikes that a verb found."""
    found = type(record)._base_manager.filter(pk__in=error.found).order_by("pk")
    return Undecided(str(error), field=field, name=name, found=list(found))
