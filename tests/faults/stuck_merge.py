"""A process that merges two organizations, says so when everything has moved, and never comes to an end.

Arguments: the id of the organization that stays, and of the other one.
"""

import datetime as dt
import sys
import threading

import django

django.setup()

from partnerships.models import Organization  # noqa: E402
from partnerships.workflows import merges  # noqa: E402


def wait_for_ever(*_what: object) -> None:
    print("moved", flush=True)
    threading.Event().wait()


merges._remove_merged = wait_for_ever
kept, gone = (Organization.objects.get(pk=pk) for pk in sys.argv[1:3])
merges.merge_organizations(kept, gone, actor=None, today=dt.date(2026, 3, 2))
