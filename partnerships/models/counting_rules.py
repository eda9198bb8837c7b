"""The rules by which records are counted against a reported figure.

Every record counts, whoever reads the number: what a source reports does not depend on the reader. Sample rows never count.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from partnerships.models.agreements import Agreement
from partnerships.models.demands import Demand
from partnerships.models.facilities import Facility, FacilityKind
from partnerships.models.figures import CountingRule, ReportedFigure
from partnerships.models.organizations import Organization, OrganizationKind
from partnerships.models.users import ScopedQuerySet
from partnerships.statuses import EventStatus, HonourStatus

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


def programme_enterprises(of: Subject) -> QuerySet:
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
    CountingRule.PROGRAMME_ENTERPRISES: programme_enterprises,
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
