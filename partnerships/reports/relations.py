"""An organization at a glance: how much there is of each relation, and which list shows exactly that."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from partnerships.models import Activity, ActivityKind, Agreement, Demand, Event, Facility, Honour, Organization, User


@dataclass(frozen=True)
class Relation:
    """A number: ``count`` rows of the list ``address`` filtered by ``query``."""

    name: str
    address: str
    query: Mapping[str, str | int]
    count: int


def relations_of(organization: Organization, user: User, today: dt.date) -> dict[str, Relation]:
    """Return the numbers ``user`` may see, by name; one count each."""
    agreements = Agreement.objects.visible_to(user).filter(parties__organization=organization)
    activities = Activity.objects.visible_to(user).filter(partners__organization=organization)
    demands = Demand.objects.visible_to(user).filter(organization=organization)
    counted: dict[str, tuple[str, dict[str, str], QuerySet]] = {
        "agreements_in_force": ("agreement_list", {"in_force": "yes"}, agreements.in_force(today)),
        "agreements": ("agreement_list", {}, agreements),
        "delivered": ("activity_list", {"status": "completed"}, activities.completed()),
        "unfinished": ("activity_list", {"status": "unfinished"}, activities.unfinished()),
        "activities": ("activity_list", {}, activities),
        "visits": ("activity_list", {"kind": ActivityKind.VISIT.value}, activities.filter(kind=ActivityKind.VISIT)),
        "facilities": (
            "facility_list",
            {},
            Facility.objects.visible_to(user).filter(partners__organization=organization),
        ),
        "honours": ("honour_list", {}, Honour.objects.visible_to(user).recorded().filter(organization=organization)),
        "demands_open": ("demand_list", {"status": "pending"}, demands.pending()),
        "demands": ("demand_list", {}, demands),
        "events": (
            "event_list",
            {},
            Event.objects.visible_to(user).recorded().filter(participations__organization=organization),
        ),
    }
    return {
        name: Relation(name, address, {"organization": organization.pk, **query}, rows.count())
        for name, (address, query, rows) in counted.items()
    }
