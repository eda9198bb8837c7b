"""An organization at a glance: how much there is of each relation, and which list shows exactly that."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from partnerships.models import (
    Activity,
    ActivityKind,
    Agreement,
    Demand,
    Event,
    Facility,
    Honour,
    Organization,
    Payment,
    User,
)
from partnerships.models.organizations import with_parts

# The rows that may name who brought the parties together, with their lists.
ARRANGED: Mapping[str, tuple[str, Any]] = {
    "agreements": ("agreement_list", Agreement),
    "activities": ("activity_list", Activity),
    "demands": ("demand_list", Demand),
}


@dataclass(frozen=True)
class Relation:
    """A number: ``count`` rows of the list ``address`` filtered by ``query``."""

    name: str
    address: str
    query: Mapping[str, str | int]
    count: int


def relations_of(
    organization: Organization, user: User, today: dt.date, *, ids: set[int] | None = None
) -> dict[str, Relation]:
    """Return the numbers ``user`` may see, by name; one count each. The parts of the organization count as well.

    ``ids`` are those of the organization and its parts, if the caller has read them already.
    """
    ids = ids or with_parts(organization)
    agreements = Agreement.objects.visible_to(user).of_organizations(ids)
    activities = Activity.objects.visible_to(user).of_organizations(ids)
    parts = Organization.objects.visible_to(user).filter(pk__in=ids - {organization.pk})
    demands = Demand.objects.visible_to(user).of_organizations(ids)
    counted: dict[str, tuple[str, dict[str, str], QuerySet]] = {
        "agreements_in_force": ("agreement_list", {"in_force": "yes"}, agreements.in_force(today)),
        "agreements": ("agreement_list", {}, agreements),
        "delivered": ("activity_list", {"status": "completed"}, activities.completed()),
        "unfinished": ("activity_list", {"status": "unfinished"}, activities.unfinished()),
        "activities": ("activity_list", {}, activities),
        "visits": ("activity_list", {"kind": ActivityKind.VISIT.value}, activities.filter(kind=ActivityKind.VISIT)),
        "facilities": ("facility_list", {}, Facility.objects.visible_to(user).of_organizations(ids)),
        "honours": ("honour_list", {}, Honour.objects.visible_to(user).recorded().of_organizations(ids)),
        "demands_open": ("demand_list", {"status": "pending"}, demands.pending()),
        "demands": ("demand_list", {}, demands),
        "payments": ("payment_list", {}, Payment.objects.visible_to(user).agreed().of_organizations(ids)),
        "events": ("event_list", {}, Event.objects.visible_to(user).recorded().of_organizations(ids)),
        "parts": ("organization_list", {"archived": "yes"}, parts),
    }
    arranged = {
        f"arranged_{words}": Relation(
            f"arranged_{words}",
            address,
            {"arranged_by": organization.pk},
            model.objects.visible_to(user).filter(through__in=ids).count(),
        )
        for words, (address, model) in ARRANGED.items()
    }
    relations = {
        name: Relation(name, address, {"organization": organization.pk, **query}, rows.count())
        for name, (address, query, rows) in counted.items()
    }
    return relations | arranged
