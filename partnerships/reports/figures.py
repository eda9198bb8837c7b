"""Reported against recorded: which records count against a quoted figure or a programme's target.

One queryset per rule serves the number and the list it opens, so that the two cannot differ. Every record counts, whoever
reads the number: what a source reports does not depend on the reader. The list behind it shows what the reader may see,
and says how many more there are. Sample rows never count.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Exists, F, IntegerField, Model, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from partnerships.models import (
    Agreement,
    CountingRule,
    Demand,
    Event,
    Facility,
    FigureConfirmation,
    Programme,
    ProgrammeMeasure,
    ReportedFigure,
    User,
)
from partnerships.models.counting_rules import RULES, Rule, programme_enterprises, recorded
from partnerships.models.figures import ReportedFigureQuerySet
from partnerships.models.users import ScopedQuerySet
from partnerships.statuses import EventStatus
from partnerships.texts import LazyText


def hidden_count(counted: ScopedQuerySet, user: User) -> int:
    """Return how many of the ``counted`` records ``user`` may not see."""
    return 0 if user.sees_all_units else counted.count() - counted.visible_to(user).count()


def rules_counting(model: type[Model]) -> list[str]:
    """Return the rules that count rows of ``model``: figures with one of them open a list of such rows."""
    return [name for name, rule in RULES.items() if rule(lambda _name: None).model is model]


def counted_model(figure: ReportedFigure) -> type[Model] | None:
    """Return the model whose rows are counted against ``figure``; None if it is only quoted."""
    rule = RULES.get(figure.counting_rule)
    return rule(lambda _name: None).model if rule else None


def with_recorded(figures: ReportedFigureQuerySet) -> ReportedFigureQuerySet:
    """Add ``recorded_count`` to each figure in the same query: the length of ``recorded``, null when quoted alone."""
    counts = [When(counting_rule=name, then=_count(rule)) for name, rule in RULES.items()]
    return figures.annotate(recorded_count=Case(*counts, default=None, output_field=IntegerField(null=True)))


def with_some_to_register(figures: ReportedFigureQuerySet) -> ReportedFigureQuerySet:
    """Return the figures that report more than is recorded, with ``recorded_count``."""
    return with_recorded(figures).filter(recorded_count__lt=F("value")).exclude(qualifier__in=ReportedFigure.ROUNDED)


def _count(rule: Rule) -> Coalesce:
    # values() of a constant makes one group of all rows, so the subquery has one row, or none where nothing counts.
    rows = rule(lambda name: OuterRef(f"{name}_id")).filter(is_sample=False).order_by()
    counted = rows.annotate(one=Value(1)).values("one").annotate(rows=Count("pk", distinct=True)).values("rows")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def to_register(figure: Any) -> Decimal | None:
    """Return how many more the source reports than ``figure.recorded_count`` holds.

    None if it is only quoted, or rounded: the difference to a rounded number says nothing.
    """
    if figure.recorded_count is None or figure.qualifier in ReportedFigure.ROUNDED:
        return None
    return max(figure.value - figure.recorded_count, Decimal(0))


@dataclass(frozen=True)
class Confirmed:
    """A confirmation, and what is different now: records counted since, records no longer counted, another reported number."""

    confirmation: FigureConfirmation
    added: int
    gone: int
    is_reworded: bool

    @property
    def is_unchanged(self) -> bool:
        return not (self.added or self.gone or self.is_reworded)


def confirmed(figure: ReportedFigure) -> list[Confirmed]:
    """Return the confirmations of a figure, the latest first; two queries."""
    rows = list(figure.confirmations.select_related("by"))
    counted = recorded(figure) if rows else None
    now = set() if counted is None else set(counted.values_list("pk", flat=True))
    return [
        Confirmed(row, len(now - set(row.counted)), len(set(row.counted) - now), row.reported != figure.value)
        for row in rows
    ]


# Programmes


def _labelled(model: type[Event] | type[Agreement] | type[Facility] | type[Demand]) -> Callable[[int], QuerySet]:
    return lambda programme_id: model.objects.filter(programme_items__programme=programme_id)


_MEASURES: Mapping[str, Callable[[int], QuerySet]] = {
    ProgrammeMeasure.EVENTS: lambda pk: _labelled(Event)(pk).filter(status=EventStatus.RECORDED),
    ProgrammeMeasure.AGREEMENTS: lambda pk: _labelled(Agreement)(pk).filter(signed_on__isnull=False),
    ProgrammeMeasure.FACILITIES: lambda pk: _labelled(Facility)(pk).filter(opened_on__isnull=False),
    ProgrammeMeasure.DEMANDS: _labelled(Demand),
    ProgrammeMeasure.ENTERPRISES: lambda pk: programme_enterprises(lambda _name: pk),
}


@dataclass(frozen=True)
class Progress:
    """One line of a programme's progress: what it wants, what is recorded, what was reported."""

    measure: str
    label: LazyText
    recorded: int
    target: int | None
    by_on: dt.date | None
    reported: list[ReportedFigure]


def measured(programme: Programme, measure: str) -> ScopedQuerySet:
    """Return the records that count for ``measure``."""
    counted = _MEASURES[measure](programme.pk)
    return counted.model.objects.filter(pk__in=counted.values("pk"), is_sample=False)


def measure_counting(model: type[Model]) -> str:
    """Return the measure that counts rows of ``model``; there is one for each list a programme's numbers open."""
    return next(name for name, counted in _MEASURES.items() if counted(0).model is model)


def programme_progress(programme: Programme) -> list[Progress]:
    """Return a line for each measure. It takes one query for each count, and one each for targets and figures."""
    targets = {target.measure: target for target in programme.targets.all()}
    figures = _figures_by_measure(programme)
    lines = []
    for measure, label in ProgrammeMeasure.choices:
        target = targets.get(measure)
        lines.append(
            Progress(
                measure=measure,
                label=label,
                recorded=measured(programme, measure).count(),
                target=target.value if target else None,
                by_on=target.by_on if target else None,
                reported=figures.get(measure, []),
            )
        )
    return lines


_FIGURES_OF_MEASURE = {
    CountingRule.EVENT_AGREEMENTS: ProgrammeMeasure.AGREEMENTS,
    CountingRule.EVENT_EMPLOYMENT_BASES: ProgrammeMeasure.FACILITIES,
    CountingRule.EVENT_WORKSTATIONS: ProgrammeMeasure.FACILITIES,
    CountingRule.EVENT_DEMANDS: ProgrammeMeasure.DEMANDS,
    CountingRule.PROGRAMME_ENTERPRISES: ProgrammeMeasure.ENTERPRISES,
}


def _figures_by_measure(programme: Programme) -> dict[str, list[ReportedFigure]]:
    """Return the figures about the programme itself and about its events."""
    of_events = Exists(Event.objects.filter(pk=OuterRef("event"), programme_items__programme=programme))
    figures = ReportedFigure.objects.filter(Q(programme=programme) | Q(of_events)).select_related("source", "event")
    found: dict[str, list[ReportedFigure]] = {}
    for figure in figures:
        measure = _FIGURES_OF_MEASURE.get(CountingRule(figure.counting_rule)) if figure.counting_rule else None
        if measure:
            found.setdefault(measure, []).append(figure)
    return found
