"""Links from a promise that is about to be missed."""

from django.urls import reverse
from django.utils.http import urlencode

from partnerships.reports.promises import Shortfall, is_promised_to


def plan_address(shortfall: Shortfall) -> str:
    """Return the address that plans an activity for a promise, with its area and a party filled in.

    The agreement should have its parties prefetched.
    """
    agreement = shortfall.agreement
    others = [party.organization_id for party in agreement.parties.all() if is_promised_to(agreement, party)]
    query = {"area": shortfall.promise.area_id, **({"organization": others[0]} if others else {})}
    return f"{reverse('activity_add', args=[agreement.pk])}?{urlencode(query)}"
