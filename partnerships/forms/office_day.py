"""Today at the office of a record: the day that pages and the admin hand to the verbs as ``today``."""

import datetime as dt

from django.utils import timezone

from partnerships.models.office_day import office_day


def office_today(row: object = None) -> dt.date:
    """Return today where the unit is that ``row`` is or belongs to; without one, today in the site's zone."""
    return office_day(row, timezone.now())
