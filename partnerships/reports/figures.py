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
    FacilityKind,
    Organization,
    OrganizationKind,
    Programme,
    ProgrammeMeasure,
    ReportedFigure,
    User,
)
from partnerships.models.figures import ReportedFigureQuerySet
from partnerships.models.users import ScopedQuerySet
from partnerships.statuses import EventStatus, HonourStatus
from partnerships.texts import LazyText

# Gives the id of what a figure is about ("event", "scheme", ...), or a reference to it in an outer query.
Subject = Callable[[str], Any]
Rule = Callable[[Subject], QuerySet]


def _event_agreements(of: Subject) -> QuerySet:
    return Agreement.objects.filter(event=of("event"), signed_on__isnull=False)


def _event_facilities(kind: FacilityKind) -> Rule:
    return lambda of: Facility.objects.filter(event=of("event"), kind=kind, opened_on__isnull=False)


def _event_demands(of: Subject) -> QuerySet:
    return Demand.objects.filter(event=of("event"))


def _event_participants(of: Subject) -> QuerySet:
    return Organization.objects.filter(kind=OrganizationKind.ENTERPRISE, participations__event=of("event"))


def _programme_enterprises(of: Subject) -> QuerySet:
    return Organization.objects.filter(
        kind=OrganizationKind.ENTERPRISE,
        participations__event__status=EventStatus.RECORDED,
        participations__event__programme_items__programme=of("programme"),
    )


def _holding(scheme: Any) -> dict[str, object]:
    """Return the condition for holders of ``scheme``. Honours of the sample and withdrawn ones do not count."""
    return {"honours__scheme": scheme, "honours__is_sample": False, "honours__status": HonourStatus.RECORDED}


def _members_with_honour(of: Subject) -> QuerySet:
    members = Organization.objects.filter(association_rows__association=of("organization"))
    return members.filter(**_holding(of("scheme")))


def _region_with_honour(of: Subject) -> QuerySet:
    # Regions are four levels deep at most: country, province, city, county.
    region = of("region")
    inside = Q(region=region) | Q(region__parent=region) | Q(region__parent__parent=region)
    holders = Organization.objects.filter(**_holding(of("scheme")))
    return holders.filter(inside | Q(region__parent__parent__parent=region))


RULES: Mapping[str, Rule] = {
    CountingRule.EVENT_AGREEMENTS: _event_agreements,
    CountingRule.EVENT_EMPLOYMENT_BASES: _event_facilities(FacilityKind.EMPLOYMENT_BASE),
    CountingRule.EVENT_WORKSTATIONS: _event_facilities(FacilityKind.WORKSTATION),
    CountingRule.EVENT_DEMANDS: _event_demands,
    CountingRule.EVENT_PARTICIPANTS: _event_participants,
    CountingRule.PROGRAMME_ENTERPRISES: _programme_enterprises,
    CountingRule.MEMBERS_WITH_HONOUR: _members_with_honour,
    CountingRule.REGION_WITH_HONOUR: _region_with_honour,
}


def recorded(figure: ReportedFigure) -> ScopedQuerySet | None:
    """Return the records that count against ``figure``; None when it is quoted alone."""
    rule = RULES.get(figure.counting_rule)
    if rule is None:
        return None
    counted = rule(lambda name: getattr(figure, f"{name}_id"))
    # By id: the joins of a rule may meet a row twice.
    return counted.model.objects.filter(pk__in=counted.values("pk"), is_sample=False)


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


# Programmes


def _labelled(model: type[Event] | type[Agreement] | type[Facility] | type[Demand]) -> Callable[[int], QuerySet]:
    return lambda programme_id: model.objects.filter(programme_items__programme=programme_id)


_MEASURES: Mapping[str, Callable[[int], QuerySet]] = {
    ProgrammeMeasure.EVENTS: lambda pk: _labelled(Event)(pk).filter(status=EventStatus.RECORDED),
    ProgrammeMeasure.AGREEMENTS: lambda pk: _labelled(Agreement)(pk).filter(signed_on__isnull=False),
    ProgrammeMeasure.FACILITIES: lambda pk: _labelled(Facility)(pk).filter(opened_on__isnull=False),
    ProgrammeMeasure.DEMANDS: _labelled(Demand),
    ProgrammeMeasure.ENTERPRISES: lambda pk: _programme_enterprises(lambda _name: pk),
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
