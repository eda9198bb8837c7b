"""The search in all histories and steps at once: by person, record, field, period and cause, newest first.

One statement reads the newest rows of each table, each with a limit of its own, so that its cost does not grow with the
tables: each has an index by time and one by person. What follows in pages begins below the last row shown.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import (
    DateTimeField,
    Exists,
    F,
    Field,
    ForeignKey,
    Func,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.utils.translation import gettext as _

from partnerships.models import (
    Contact,
    ContactPosition,
    Document,
    HistoryPermit,
    SearchEntry,
    StatusChange,
    UnitMembership,
    User,
)
from partnerships.models.history_triggers import protected_models
from partnerships.names import search_words
from partnerships.reports.timeline_sources import past_label, value_text

PAGE_SIZE = 50
MOST_RECORDS = 500  # found by their words
MOST_PEOPLE = 50
STEPS, PERMITS = "statuschange", "historypermit"
# Accounts are not for the office. Values by which a person is reached are named, never shown.
ACCOUNTS = (User, UnitMembership)
UNSHOWN: Mapping[type[Model], frozenset[str]] = {
    User: frozenset({"email"}),
    Contact: frozenset({"phone", "email", "wechat", "note"}),
    ContactPosition: frozenset(),
}
NAMES = ("title", "title_zh", "name", "name_zh")
Cursor = tuple[dt.datetime, int, int]


@dataclass(frozen=True)
class HistorySearch:
    """The conditions of a search. ``kind`` is the name of a model; ``since`` and ``until`` are moments; ``words`` name a record."""

    user: User
    since: dt.datetime
    until: dt.datetime | None = None
    person: str = ""
    kind: str = ""
    words: str = ""
    field: str = ""
    cause: str = ""


@dataclass(frozen=True)
class HistorySource:
    """One table that is searched: a history, the steps of workflows, or the permits. ``of`` is the model it is about."""

    number: int
    table: type[Model]
    of: type[Model]
    at: str
    person: str
    cause: str

    @property
    def key(self) -> str:
        return str(self.of._meta.model_name)

    @property
    def is_history(self) -> bool:
        return self.at == "history_date"


@dataclass(frozen=True)
class HistoryLine:
    """One change: what was done to which record, when, by whom and why."""

    at: dt.datetime
    person: User | None
    what: str
    record: str
    kind: str
    changes: Sequence[str]
    cause: str
    model: type[Model]
    pk: int | None  # None of what is about no single record


@dataclass(frozen=True)
class HistoryPage:
    lines: Sequence[HistoryLine]
    following: Cursor | None


@cache
def _all_sources() -> Sequence[HistorySource]:
    histories: list[Any] = [one for one in protected_models() if hasattr(one, "tracked_fields")]
    found = [(one, one.instance_type, "history_date", "history_user", "history_change_reason") for one in histories]
    found += [
        (StatusChange, StatusChange, "at", "actor", "reason"),
        (HistoryPermit, HistoryPermit, "at", "by", "reason"),
    ]
    return [HistorySource(number, *columns) for number, columns in enumerate(found)]


def sources_for(user: User) -> list[HistorySource]:
    """Return the tables that the user may search. Accounts and roles are for system administrators and auditors."""
    sees_accounts = user.is_superuser or user.is_auditor
    return [one for one in _all_sources() if sees_accounts or one.of not in ACCOUNTS]


def fields_of(user: User, kind: str) -> list[Field]:
    """Return the columns of a kind of record that a search can name."""
    source = next((one for one in sources_for(user) if one.key == kind and one.is_history), None)
    columns: Any = source.table.tracked_fields if source else ()  # type: ignore[attr-defined]
    return [one for one in columns if one.name not in {"id", "version"}]


def search_history(asked: HistorySearch, after: Cursor | None = None) -> HistoryPage:
    """Return the next page: one statement over all tables, then at most three for each kind of record on the page."""
    found = _newest(asked, after)
    by_source: dict[int, list[int]] = defaultdict(list)
    for _at, number, pk in found[:PAGE_SIZE]:
        by_source[number].append(pk)
    lines = {(number, pk): line for number, keys in by_source.items() for pk, line in _lines(number, keys, asked.user)}
    shown = [lines[number, pk] for _at, number, pk in found[:PAGE_SIZE]]
    return HistoryPage(shown, found[PAGE_SIZE - 1] if len(found) > PAGE_SIZE else None)


def _newest(asked: HistorySearch, after: Cursor | None) -> list[Cursor]:
    people = None
    if asked.person:
        named = Q(name__icontains=asked.person) | Q(username__icontains=asked.person)
        people = list(User.objects.filter(named).order_by("pk").values_list("pk", flat=True)[:MOST_PEOPLE])
    parts, values = list[str](), list[Any]()
    for source in sources_for(asked.user):
        rows = _rows(source, asked, people)
        if rows is None:
            continue
        if after:
            at, number, pk = after
            same = {source.at: at}
            below = Q(**{f"{source.at}__lt": at})
            if source.number < number:
                below |= Q(**same)
            elif source.number == number:
                below |= Q(pk__lt=pk, **same)
            rows = rows.filter(below)
        rows = rows.order_by(_time_of(source, is_by_person=people is not None).desc(), "-pk")
        read = rows.values_list(source.at, Value(source.number), "pk")[: PAGE_SIZE + 1]
        try:
            sql, given = read.query.sql_with_params()
        except EmptyResultSet:  # Django sees that no row can meet the conditions
            continue
        parts.append(f"SELECT * FROM ({sql}) AS part{source.number}")  # noqa: S608 - a statement of Django's
        values += given
    if not parts:
        return []
    whole = " UNION ALL ".join(parts) + f" ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT {PAGE_SIZE + 1}"
    with connection.cursor() as cursor:
        cursor.execute(whole, values)
        return [(_moment(at), number, pk) for at, number, pk in cursor.fetchall()]


def _time_of(source: HistorySource, *, is_by_person: bool) -> F | Func:
    """Return the time to sort by. SQLite would look for a person's few rows along the whole index by time, so it gets none."""
    if is_by_person and connection.vendor == "sqlite":
        return Func(F(source.at), template="+%(expressions)s", output_field=DateTimeField())
    return F(source.at)


def _moment(value: Any) -> dt.datetime:
    """Return a time as the database gives it; SQLite gives it in UTC without a zone, or as text."""
    moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _rows(source: HistorySource, asked: HistorySearch, people: Sequence[int] | None) -> QuerySet | None:
    """Return the rows of one table that are asked for; None where it has none of them."""
    rows = source.table._base_manager.filter(**{f"{source.at}__gte": asked.since})
    if asked.until:
        rows = rows.filter(**{f"{source.at}__lt": asked.until})
    if people is not None:
        rows = rows.filter(**{f"{source.person}__in": people})
    if asked.cause:
        rows = rows.filter(**{f"{source.cause}__icontains": asked.cause})
    if source.of is Document and not asked.user.is_auditor:
        rows = rows.filter(id__in=Document.objects.visible_to(asked.user).order_by().values("pk"))
    if source.key == STEPS:
        return _steps(rows, asked)
    if asked.kind and asked.kind != source.key:
        return None
    if source.key == PERMITS:
        return None if asked.words or asked.field else rows
    if asked.words:
        rows = rows.filter(_named(source, asked.words))
    return _changing(source, rows, asked.field) if asked.field else rows


def _steps(rows: QuerySet, asked: HistorySearch) -> QuerySet | None:
    """Return the steps of the kind of record that is asked for."""
    if asked.field:
        return None
    if asked.kind and asked.kind != STEPS:
        rows = rows.filter(content_type__app_label="partnerships", content_type__model=asked.kind)
    if asked.words:
        entries = SearchEntry.objects.filter(content_type=OuterRef("content_type"), object_id=OuterRef("object_id"))
        for word in search_words(asked.words):
            entries = entries.filter(text__contains=word)
        rows = rows.filter(Exists(entries))
    return rows


def _named(source: HistorySource, words: str) -> Q:
    """Return the condition for states of records found by ``words`` as they are now, or called so in that state."""
    found = SearchEntry.objects.matching(source.of, words)
    named = Q(id__in=list(found.values_list("object_id", flat=True)[:MOST_RECORDS]))
    columns = {one.name for one in source.table._meta.concrete_fields}
    for name in (one for one in NAMES if one in columns):
        named |= Q(**{f"{name}__icontains": words})
    return named


def _changing(source: HistorySource, rows: QuerySet, name: str) -> QuerySet | None:
    """Return the rows that changed a column: those before which the record had another value."""
    if name not in {one.name for one in source.table._meta.concrete_fields}:
        return None
    earlier = source.table._base_manager.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
    rows = rows.filter(history_type="~").annotate(before=Subquery(earlier.order_by("-history_id").values(name)[:1]))
    is_same = Q(**{name: F("before")}) | Q(**{f"{name}__isnull": True}, before__isnull=True)
    return rows.exclude(is_same)


def _lines(number: int, keys: Sequence[int], user: User) -> list[tuple[int, HistoryLine]]:
    source = _all_sources()[number]
    rows: dict[int, Any] = source.table._base_manager.select_related(source.person).in_bulk(keys)
    if source.key == STEPS:
        names = _names_of_records(rows.values())
        return [(pk, _line_of_step(row, names)) for pk, row in rows.items()]
    if source.key == PERMITS:
        return [(pk, _line_of_permit(row)) for pk, row in rows.items()]
    before = _earlier(source, keys)
    wholes = _wholes(source, list(rows.values()))
    return [(pk, _line_of_change(source, row, before.get(pk), wholes)) for pk, row in rows.items()]


def _earlier(source: HistorySource, keys: Sequence[int]) -> dict[int, Any]:
    """Return the state before each of the states ``keys`` that are changes."""
    table = source.table._base_manager
    earlier = table.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id")).order_by("-history_id")
    asked = table.filter(pk__in=keys, history_type="~").annotate(before=Subquery(earlier.values("history_id")[:1]))
    found = dict(asked.values_list("pk", "before"))
    states = table.in_bulk([pk for pk in found.values() if pk])
    return {pk: states[before] for pk, before in found.items() if before in states}


def _wholes(source: HistorySource, rows: Sequence[Any]) -> dict[int, str]:
    """Return the names of the records that rows without a name belong to, by the id of these."""
    part_of = _part_of(source)
    if part_of is None:
        return {}
    model: Any = part_of.related_model
    ids = {getattr(row, part_of.attname) for row in rows} - {None}
    return {pk: str(whole) for pk, whole in model._base_manager.in_bulk(list(ids)).items()}


@cache
def _part_of(source: HistorySource) -> ForeignKey | None:
    """Return the column by which a row without a name is part of a record that has one."""
    fields = source.table.tracked_fields  # type: ignore[attr-defined]
    if {one.name for one in fields} & {"title", "name"}:
        return None
    wholes = (one for one in fields if isinstance(one, ForeignKey) and one.related_model is not User)
    return next((one for one in wholes if _has_name(one.related_model)), None)


def _has_name(model: Any) -> bool:
    return bool({one.name for one in model._meta.concrete_fields} & {"title", "name"})


def _line_of_change(source: HistorySource, row: Any, before: Any | None, wholes: Mapping[int, str]) -> HistoryLine:
    words = {"+": _("Added"), "~": _("Changed"), "-": _("Deleted")}
    return HistoryLine(
        at=row.history_date,
        person=row.history_user,
        what=words[row.history_type],
        record=_name_of(source, row, wholes),
        kind=str(source.of._meta.verbose_name),
        changes=_changes(source, row, before) if before is not None else (),
        cause=row.history_change_reason or "",
        model=source.of,
        pk=row.id,
    )


def _name_of(source: HistorySource, row: Any, wholes: Mapping[int, str]) -> str:
    if part_of := _part_of(source):
        return wholes.get(getattr(row, part_of.attname), "") or f"{row.id}"
    return str(getattr(row, "title", "") or getattr(row, "name", "") or getattr(row, "name_zh", "") or row.id)


def _changes(source: HistorySource, row: Any, before: Any) -> list[str]:
    """Describe each changed column: with the values if they are short, and reach no person."""
    unshown, found = UNSHOWN.get(source.of, frozenset()), []
    for column in _changed_columns(row, before):
        name = str(column.verbose_name)
        if column.name in unshown or column.is_relation or column.get_internal_type() in {"TextField", "JSONField"}:
            found.append(name)
        else:
            old, new = (value_text(getattr(state, column.attname), column) for state in (before, row))
            found.append(_("%(field)s: %(old)s → %(new)s") % {"field": name, "old": old, "new": new})
    return found


def _changed_columns(row: Any, before: Any) -> list[Field]:
    columns = (one for one in type(row).tracked_fields if one.name != "version")
    return [one for one in columns if getattr(row, one.attname) != getattr(before, one.attname)]


def _names_of_records(steps: Iterable[StatusChange]) -> dict[tuple[int, int], str]:
    """Return the names of the records whose steps these are, by kind and id; one query for each kind."""
    ids: dict[int, set[int]] = defaultdict(set)
    for step in steps:
        ids[step.content_type_id].add(step.object_id)
    names: dict[tuple[int, int], str] = {}
    for kind, keys in ids.items():
        model: Any = ContentType.objects.get_for_id(kind).model_class()
        if model is not None and _has_name(model):
            names |= {(kind, pk): str(row) for pk, row in model._base_manager.in_bulk(list(keys)).items()}
    return names


def _line_of_step(row: StatusChange, names: Mapping[tuple[int, int], str]) -> HistoryLine:
    model = ContentType.objects.get_for_id(row.content_type_id).model_class()
    return HistoryLine(
        at=row.at,
        person=row.actor,
        what=past_label(model, row.transition),
        record=names.get((row.content_type_id, row.object_id), f"{row.object_id}"),
        kind=str(model._meta.verbose_name if model else row.content_type),
        changes=(),
        cause=row.reason,
        model=model or StatusChange,
        pk=row.object_id,
    )


def _line_of_permit(row: HistoryPermit) -> HistoryLine:
    words = str(row.get_kind_display())
    return HistoryLine(row.at, row.by, words, "", str(row._meta.verbose_name), (), row.reason, HistoryPermit, None)
