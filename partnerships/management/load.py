"""Many rows in little time, to try the product under load: whole rows of the factories, multiplied in the database.

A multiplied row leaves no history, no mark and no event; the plans are made as the reconciler would make them.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Max, Min, Model, QuerySet

from partnerships.factories import AgreementFactory, AgreementTypeFactory, MilestoneFactory, UserFactory
from partnerships.factories.organizations import EnterpriseFactory, InstitutionFactory
from partnerships.factories.users import UnitFactory
from partnerships.models import (
    Agreement,
    AgreementParty,
    AgreementTerm,
    Milestone,
    ReminderMark,
    ReminderPlan,
    Role,
    SearchEntry,
    Sweep,
    Unit,
    UnitMembership,
    User,
)
from partnerships.models.reasons import Reason
from partnerships.models.sort_keys import sort_keys
from partnerships.reminders.reconcile import SWEEP
from partnerships.reminders.rule_set import RuleSet, fingerprint
from partnerships.reminders.schedule import Moment
from partnerships.statuses import PlanStatus


@dataclass(frozen=True)
class Load:
    """The number of rows to make, by kind.

    The milestones are due evenly over ``days`` days from a week after today on. With ``busy_days`` exactly
    ``due_a_day`` are due on each of the first ones, and the others over ``days`` days a month later.
    """

    agreements: int
    milestones_each: int
    people: int = 100
    units: int = 10
    days: int = 1000
    busy_days: int = 0
    due_a_day: int = 0
    is_findable: bool = True  # the search index of a large load takes longer than all the rest

    @property
    def milestones(self) -> int:
        return self.agreements * self.milestones_each


def make_load(load: Load, *, now: dt.datetime, today: dt.date) -> None:
    """Make the rows in one transaction; a million milestones take a minute or two.

    It sets ids itself, so nobody may write meanwhile. Afterwards the plans are as a sweep would have left them: those
    whose time has passed are ``NOT_NEEDED``.
    """
    _give_room()
    with transaction.atomic():
        tag = uuid.uuid4().hex[:6]  # names are unique, and this may be the second load
        units = _make_units(load, tag)
        first_person = _make_people(load, units, tag)
        first_milestone = _make_agreements(load, units, first_person, today)
        # Left by the factories. The plans are made below, so the reconciler has nothing to do for them.
        ReminderMark.objects.filter(milestone__gte=first_milestone).delete()
        _plan(first_milestone, now)
        state = {"began_at": now, "fingerprint": fingerprint(), "is_finished": True}
        Sweep.objects.update_or_create(name=SWEEP, defaults=state)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # else the first queries are planned for empty tables


def _give_room() -> None:
    """Give SQLite a larger cache: with its usual two megabytes it reads and writes the indexes again and again."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size = -500000")


def _make_units(load: Load, tag: str) -> Unit:
    """Return the first unit; the others have the ids after it."""
    first = UnitFactory.create(name=f"Load {tag} unit 0")
    multiply(first, load.units - 1, name=f"'Load {tag} unit ' || n")
    return first


def _make_people(load: Load, first_unit: Unit, tag: str) -> int:
    first = UserFactory.create(
        username=f"load-{tag}-0", name="Load person 0", coordinator_in=first_unit, is_sample=True
    )
    changes = {"username": f"'load-{tag}-' || n", "name": "'Load person ' || n"}
    base = multiply(first, load.people - 1, email=f"'load-{tag}-' || n || '@example.org'", **changes)
    place = UnitMembership.objects.get(user=first, role=Role.COORDINATOR)
    multiply(place, load.people - 1, user_id=f"{base} + n", unit_id=f"{first_unit.pk} + n % {load.units}")
    return first.pk


def _make_agreements(load: Load, first_unit: Unit, first_person: int, today: dt.date) -> int:
    """Give agreement n to person n, in turn, and to their unit. Return the id of the first milestone."""
    first = AgreementFactory.create(
        signed=True,
        title="Load agreement 0",
        type=AgreementTypeFactory.create(code=f"load-{first_unit.pk}", name="Load type"),
        unit=first_unit,
        coordinator=User.objects.get(pk=first_person),
        parties=[InstitutionFactory.create(), EnterpriseFactory.create()],
        is_sample=True,
    )
    person = f"{first_person} + n % {load.people}"
    unit = f"{first_unit.pk} + n % {load.people} % {load.units}"
    changes = {"title": "'Load agreement ' || n", "unit_id": unit, "coordinator_id": person, "created_by_id": person}
    agreements = multiply(first, load.agreements - 1, **changes)
    for party in AgreementParty.objects.filter(agreement=first):
        multiply(party, load.agreements - 1, agreement_id=f"{agreements} + n")
    multiply(AgreementTerm.objects.get(agreement=first), load.agreements - 1, agreement_id=f"{agreements} + n")
    if load.is_findable:
        _make_findable(first, agreements, load.agreements - 1, "'load agreement ' || n")
    return _make_milestones(load, first, agreements, today)


def _make_milestones(load: Load, agreement: Agreement, agreements: int, today: dt.date) -> int:
    first = MilestoneFactory.create(
        agreement=agreement, title="Load milestone 0", due_on=today + dt.timedelta(days=7), is_sample=True
    )
    number = f"(n % {load.agreements})"  # of the agreement; the first one was there before the others
    person = f"{agreement.coordinator_id} + {number} % {load.people}"
    milestones = multiply(
        first,
        load.milestones - 1,
        title="'Load milestone ' || n",
        due_on=_day_after(today, _days_ahead(load)),
        agreement_id=f"CASE WHEN {number} = 0 THEN {agreement.pk} ELSE {agreements} + {number} END",
        unit_id=f"{agreement.unit_id} + {number} % {load.people} % {load.units}",
        owner_id=person,
    )
    if load.is_findable:
        _make_findable(first, milestones, load.milestones - 1, "'load milestone ' || n")
    return first.pk


def _days_ahead(load: Load) -> str:
    """Return SQL for the days from today to the due date of milestone n; the first one, n = 0, is due in a week."""
    busy = load.busy_days * load.due_a_day
    if not busy:
        return f"7 + n % {load.days}"
    return f"CASE WHEN n < {busy} THEN 7 + n / {load.due_a_day} ELSE {37 + load.busy_days} + n % {load.days} END"


def _day_after(day: dt.date, days: str) -> str:
    if connection.vendor == "sqlite":
        return f"date('{day.isoformat()}', ({days}) || ' days')"
    return f"DATE '{day.isoformat()}' + ({days})"


def _make_findable(row: Model, base: int, count: int, words: str) -> None:
    entry = SearchEntry.objects.get(content_type=ContentType.objects.get_for_model(row), object_id=row.pk)
    multiply(entry, count, object_id=f"{base} + n", text=words)


def multiply(row: Model, count: int, **changes: str) -> int:
    """Insert ``count`` copies of a saved ``row``; ``changes`` say in SQL how copy ``n`` (from 1 on) differs, by column.

    Return the base of their ids: copy ``n`` has the id base + n.
    """
    model, quote = type(row), connection.ops.quote_name
    base = model._base_manager.aggregate(last=Max("pk"))["last"]
    values = {column: f"row.{quote(column)}" for column in _columns(model)}
    values |= {"id": f"{base} + n", **changes}
    for key in sort_keys(model):
        name = next((column for column in key.columns if column in changes), None)
        if name is not None:
            values[key.name] = f"lower({changes[name]})"  # the sort key of a name in plain Latin letters
    if "code" in values:
        values["code"] = "NULL"  # unique, and only for what is seeded
    columns, table = ", ".join(map(quote, values)), quote(model._meta.db_table)
    statement = f"""
        INSERT INTO {table} ({columns})
        WITH RECURSIVE series(n) AS (SELECT 1 WHERE {count} > 0 UNION ALL SELECT n + 1 FROM series WHERE n < {count})
        SELECT {", ".join(values.values())} FROM series, {table} AS row WHERE row.id = {row.pk}
    """  # noqa: S608 - names of our tables and numbers
    with connection.cursor() as cursor:
        cursor.execute(statement)
    _let_ids_go_on(model)
    return base


def _columns(model: type[Model]) -> list[str]:
    return [str(field.column) for field in model._meta.local_concrete_fields]


def _plan(first_milestone: int, now: dt.datetime) -> None:
    """Make the plans. All milestones of one day have the same times, which are computed once and joined."""
    rule_set = RuleSet.load()
    moments = [plan for milestone in _one_of_each_day(first_milestone) for plan in _plans_of(rule_set, milestone, now)]
    fields = [field for field in ReminderPlan._meta.local_concrete_fields if field.name not in {"id", "milestone"}]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    values = [
        [field.get_db_prep_save(getattr(plan, field.attname), connection) for field in fields] for plan in moments
    ]
    table, places = ReminderPlan._meta.db_table, ", ".join("%s" for _field in fields)
    with connection.cursor() as cursor:
        # The names are of our own table and its columns.
        cursor.execute(f"CREATE TEMPORARY TABLE load_plan AS SELECT {columns} FROM {table} WHERE 1 = 0")  # noqa: S608
        cursor.executemany(f"INSERT INTO load_plan ({columns}) VALUES ({places})", values)  # noqa: S608
        cursor.execute(f"""
            INSERT INTO {table} (milestone_id, {columns})
            SELECT milestone.id, load_plan.* FROM {Milestone._meta.db_table} AS milestone
            JOIN load_plan ON load_plan.due_on = milestone.due_on WHERE milestone.id >= {first_milestone}
        """)  # noqa: S608
        cursor.execute("DROP TABLE load_plan")


def _one_of_each_day(first_milestone: int) -> QuerySet[Milestone]:
    days = Milestone.objects.filter(pk__gte=first_milestone).values("due_on").annotate(first=Min("pk"))
    return Milestone.objects.filter(pk__in=list(days.values_list("first", flat=True))).order_by("due_on")


def _plans_of(rule_set: RuleSet, milestone: Milestone, now: dt.datetime) -> list[ReminderPlan]:
    zone = rule_set.units.zones[milestone.unit_id].key
    return [
        _planned(ReminderPlan(rule_id=rule, due_on=milestone.due_on, time_zone=zone), when, now)
        for rule, when in rule_set.wanted(milestone).items()
    ]


def _planned(plan: ReminderPlan, when: Moment, now: dt.datetime) -> ReminderPlan:
    is_too_late = when.send_at <= now
    plan.send_at = plan.next_attempt_at = when.send_at
    plan.expires_at, plan.is_provisional = when.expires_at, when.is_provisional
    plan.status = PlanStatus.NOT_NEEDED if is_too_late else PlanStatus.PLANNED
    plan.reason = Reason.NOT_NEEDED if is_too_late else ""
    return plan


def _let_ids_go_on(model: type[Model]) -> None:
    """Set the sequences after the ids that were set by hand."""
    # A sequence of PostgreSQL counts only the ids that it gave out, and would give out these once more.
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [model]):
            cursor.execute(statement)
