"""Reported against recorded: which records count against a quoted figure or a programme's target.

One queryset per rule serves the number and the list it opens, so that the two cannot differ. Sample rows never count.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce

from partnerships.models import (
    Agreement,
    CountingRule,
    Demand,
    Event,
    Facility,
    FacilityKind,
    Honour,
    Organization,
    OrganizationKind,
    Participation,
    Programme,
    ProgrammeMeasure,
    ReportedFigure,
)

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
    here = Participation.objects.filter(event=of("event")).values("organization")
    return Organization.objects.filter(kind=OrganizationKind.ENTERPRISE, pk__in=here)


def _programme_enterprises(of: Subject) -> QuerySet:
    there = Participation.objects.filter(event__programme_items__programme=of("programme")).values("organization")
    return Organization.objects.filter(kind=OrganizationKind.ENTERPRISE, pk__in=there)


def _members_with_honour(of: Subject) -> QuerySet:
    held = Honour.objects.filter(scheme=of("scheme"), is_sample=False).values("organization")
    return Organization.objects.filter(association_rows__association=of("organization"), pk__in=held)


def _region_with_honour(of: Subject) -> QuerySet:
    """Regions are four levels deep at most: country, province, city, county."""
    held = Honour.objects.filter(scheme=of("scheme"), is_sample=False).values("organization")
    region = of("region")
    inside = Q(region=region) | Q(region__parent=region) | Q(region__parent__parent=region)
    return Organization.objects.filter(inside | Q(region__parent__parent__parent=region), pk__in=held)


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


def recorded(figure: ReportedFigure, user: Any) -> QuerySet | None:
    """The records ``user`` may see that count against ``figure``; None when it is quoted alone."""
    rule = RULES.get(figure.counting_rule)
    if rule is None:
        return None
    return rule(lambda name: getattr(figure, f"{name}_id")).filter(is_sample=False).visible_to(user)  # type: ignore[attr-defined]


def with_recorded(figures: QuerySet, user: Any) -> QuerySet:
    """Adds ``recorded_count`` to each figure in the same query: the length of ``recorded``, null when quoted alone."""
    counts = [When(counting_rule=rule, then=_count(rows, user)) for rule, rows in RULES.items()]
    return figures.annotate(recorded_count=Case(*counts, default=None, output_field=IntegerField(null=True)))


def _count(rule: Rule, user: Any) -> Coalesce:
    rows = rule(lambda name: OuterRef(f"{name}_id")).filter(is_sample=False).visible_to(user)  # type: ignore[attr-defined]
    counted = rows.order_by().annotate(one=Value(1)).values("one").annotate(rows=Count("pk")).values("rows")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def to_register(figure: Any) -> Decimal | None:
    """How many more the source reports than ``figure.recorded_count`` says we hold; None when quoted alone."""
    if figure.recorded_count is None:
        return None
    return max(figure.value - figure.recorded_count, Decimal(0))


# Programmes


def _labelled(model: Any) -> Callable[[int], QuerySet]:
    return lambda programme_id: model.objects.filter(programme_items__programme=programme_id, is_sample=False)


_MEASURES: Mapping[str, Callable[[int], QuerySet]] = {
    ProgrammeMeasure.EVENTS: _labelled(Event),
    ProgrammeMeasure.AGREEMENTS: lambda pk: _labelled(Agreement)(pk).filter(signed_on__isnull=False),
    ProgrammeMeasure.FACILITIES: lambda pk: _labelled(Facility)(pk).filter(opened_on__isnull=False),
    ProgrammeMeasure.DEMANDS: _labelled(Demand),
    ProgrammeMeasure.ENTERPRISES: lambda pk: _programme_enterprises(lambda _name: pk).filter(is_sample=False),
}


@dataclass(frozen=True)
class Progress:
    """One line of a programme's progress: what it wants, what is recorded, what was reported."""

    measure: str
    label: Any
    recorded: int
    target: int | None
    by_on: dt.date | None
    reported: list[ReportedFigure]


def measured(programme: Programme, measure: str, user: Any) -> QuerySet:
    """The records ``user`` may see that count for ``measure``."""
    return _MEASURES[measure](programme.pk).visible_to(user)  # type: ignore[attr-defined]


def programme_progress(programme: Programme, user: Any) -> list[Progress]:
    """One line for each measure, in a bounded number of queries: one count each, targets and figures once."""
    targets = {target.measure: target for target in programme.targets.all()}
    figures = _figures_by_measure(programme)
    lines = []
    for measure, label in ProgrammeMeasure.choices:
        target = targets.get(measure)
        lines.append(
            Progress(
                measure=measure,
                label=label,
                recorded=measured(programme, measure, user).count(),
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
    """The figures about the programme itself and about its events."""
    of_events = Exists(Event.objects.filter(pk=OuterRef("event"), programme_items__programme=programme))
    figures = ReportedFigure.objects.filter(Q(programme=programme) | Q(of_events)).select_related("source", "event")
    found: dict[str, list[ReportedFigure]] = {}
    for figure in figures:
        measure = _FIGURES_OF_MEASURE.get(CountingRule(figure.counting_rule)) if figure.counting_rule else None
        if measure:
            found.setdefault(measure, []).append(figure)
    return found
