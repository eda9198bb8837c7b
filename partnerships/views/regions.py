"""The page of a region: what there is in it and in its parts."""

from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.models import Organization, Region
from partnerships.models.users import Tree
from partnerships.reports.region_relations import partners_by_region, relations_in
from partnerships.requests import UserRequest
from partnerships.views.base import visible_or_404
from partnerships.views.citations import citations_of
from partnerships.views.record_acts import adding, record_groups
from partnerships.views.related import figures_about

PARTNERS_SHOWN = 12


@dataclass(frozen=True)
class PartOfRegion:
    """A region directly below that of the page, with how many partners lie in it and its own parts."""

    region: Region
    partner_count: int


@login_required
@require_safe
def region_detail(request: UserRequest, pk: int) -> HttpResponse:
    region, user = visible_or_404(Region.objects.select_related("parent__parent__parent"), request, pk), request.user
    inside = _with_parts(region)
    tree = Tree({one.pk: one.parent_id for one in inside})
    ids = tree.parents.keys()
    partners = Organization.objects.visible_to(user).in_regions(ids).not_archived().partners()
    found = partners_by_region(ids, user)
    context = {
        "row": region,
        "region": region,
        "above": _above(region),
        "acts": record_groups(region, user, adds=adding(user, "figure", region=region.pk)),
        "relations": relations_in(region, user, timezone.localdate(), ids=ids, partner_count=found.total()),
        "parts": [
            PartOfRegion(one, sum(found[pk] for pk in tree.with_descendants([one.pk])))
            for one in inside
            if one.parent_id == region.pk
        ],
        "partners": list(partners.select_related("region")[:PARTNERS_SHOWN]),
        "figures": figures_about(user, region=region),
        "cited": citations_of([region]),
    }
    return render(request, "partnerships/regions/detail.html", context)


def _with_parts(region: Region) -> list[Region]:
    """Return the region and all its parts in one query; regions are four levels deep at most."""
    levels = ("pk", *("__".join(["parent"] * up) for up in (1, 2, 3)))
    return list(Region.objects.filter(reduce(or_, (Q(**{level: region.pk}) for level in levels))))


def _above(region: Region) -> list[Region]:
    """Return the regions it lies in, the widest first."""
    above = []
    while region.parent:
        region = region.parent
        above.append(region)
    return above[::-1]
