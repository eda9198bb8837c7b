"""A region at a glance: how much of each kind there is in it and its parts, and which list shows exactly that."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Count, QuerySet

from partnerships.models import Activity, Agreement, Demand, Event, Facility, Honour, Organization, Region, User
from partnerships.reports.relations import Relation


def relations_in(
    region: Region, user: User, today: dt.date, *, ids: Collection[int], partner_count: int
) -> dict[str, Relation]:
    """Return the numbers ``user`` may see, by name; one count each. ``ids`` are those of the region and its parts."""
    counted: Mapping[str, tuple[str, dict[str, str], QuerySet]] = {
        "agreements_in_force": (
            "agreement_list",
            {"in_force": "yes"},
            Agreement.objects.visible_to(user).in_regions(ids).in_force(today),
        ),
        "activities": ("activity_list", {}, Activity.objects.visible_to(user).in_regions(ids)),
        "demands_open": (
            "demand_list",
            {"status": "pending"},
            Demand.objects.visible_to(user).in_regions(ids).pending(),
        ),
        "facilities": ("facility_list", {}, Facility.objects.visible_to(user).in_regions(ids)),
        "honours": ("honour_list", {}, Honour.objects.visible_to(user).recorded().in_regions(ids)),
        "events": ("event_list", {}, Event.objects.visible_to(user).recorded().in_regions(ids)),
    }
    partners = Relation("organizations", "organization_list", {"region": region.pk}, partner_count)
    return {"organizations": partners} | {
        name: Relation(name, address, {"region": region.pk, **query}, rows.count())
        for name, (address, query, rows) in counted.items()
    }


def partners_by_region(ids: Collection[int], user: User) -> Counter[int]:
    """Return how many partners lie in each region itself, in one query."""
    rows: Any = Organization.objects.visible_to(user).in_regions(ids).not_archived().partners().order_by()
    return Counter(dict(rows.values_list("region").annotate(number=Count("pk"))))
