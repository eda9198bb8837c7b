"""The day of the office: dates on record are compared with the day where the unit is, wherever its people travel."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone, or the site's own when the machine no longer knows the name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: a folder of zones, such as Asia
        # A reminder an hour off is better than none.
        return ZoneInfo(settings.TIME_ZONE)


def office_day(row: object, at: dt.datetime) -> dt.date:
    """Return the day of ``at`` in the zone of the unit that ``row`` is or belongs to; else in the site's.

    The zone of the person who looks decides only what their own pages call today.
    """
    zone = getattr(row, "time_zone", None) or getattr(getattr(row, "unit", None), "time_zone", None)
    return timezone.localdate(at, zone_named(zone or settings.TIME_ZONE))
