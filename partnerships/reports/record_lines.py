"""The life lines of demands, joint facilities, honours and programmes."""

import datetime as dt
from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from partnerships.models import Demand, Facility, Honour, Programme, ProgrammeTarget
from partnerships.reports.life_line import LifeLine, life_of, point_of


def demand_line(demand: Demand, today: dt.date) -> LifeLine | None:
    """Return the line from the release of a demand to its outcome, with the deadline while it is open."""
    over_on = demand.agreed_on or demand.closed_on
    points = [
        point_of("start", pgettext("date on a line", "Released"), demand.released_on, today),
        point_of("asked", pgettext("date on a line", "Units asked"), demand.asked_on, today),
        point_of("answered", pgettext("date on a line", "Answered"), demand.answered_on, today),
        point_of("closed", pgettext("date on a line", "Agreed"), demand.agreed_on, today),
        point_of("closed", pgettext("date on a line", "No match"), demand.closed_on, today),
        point_of("decide", _("Deadline"), None if over_on else demand.deadline_on, today),
    ]
    return life_of(points, today, over_on=over_on)


def facility_line(facility: Facility, today: dt.date) -> LifeLine | None:
    """Return the line of a facility from the agreed start or the opening to the agreed end or the closing."""
    closed_on = facility.closed_on
    is_early = facility.opened_on is None or (facility.starts_on and facility.starts_on < facility.opened_on)
    points = [
        point_of("start", _("Agreed from"), facility.starts_on if is_early else None, today),
        point_of("signed", pgettext("date on a line", "Opened"), facility.opened_on, today),
        point_of("suspended", _("Suspended"), None if closed_on else facility.suspended_on, today),
        point_of("closed", pgettext("date on a line", "Closed"), closed_on, today),
        point_of("end", _("Agreed until"), None if closed_on else facility.ends_on, today),
    ]
    return life_of(points, today, over_on=closed_on)


def honour_line(honour: Honour, today: dt.date) -> LifeLine | None:
    """Return the line of an honour from its granting to the day it lapses."""
    points = [
        point_of("signed", pgettext("date on a line", "Granted"), honour.granted_on, today),
        point_of("end", _("Valid until"), honour.valid_until, today),
    ]
    return life_of(points, today)


def programme_line(programme: Programme, targets: Iterable[ProgrammeTarget], today: dt.date) -> LifeLine | None:
    """Return the line of a programme with the days by which its targets are to be reached."""
    dated = {target.by_on: target for target in targets if target.by_on}
    points = [
        point_of("start", pgettext("date on a line", "Start"), programme.starts_on, today),
        *(point_of("decide", _("Target: %(target)s") % {"target": one}, day, today) for day, one in dated.items()),
        point_of("end", pgettext("date on a line", "End"), programme.ends_on, today),
    ]
    over_on = programme.ends_on if programme.ends_on and programme.ends_on < today else None
    return life_of(points, today, over_on=over_on)
