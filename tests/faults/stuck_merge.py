"""A process that merges two organizations or contacts, says so when everything has moved, and never comes to an end.

Arguments: ``organization`` or ``contact``, the id of the record that stays, and of the other one.
"""

import datetime as dt
import sys
import threading

import django

django.setup()

from partnerships.models import Contact, Organization  # noqa: E402
from partnerships.workflows import merges  # noqa: E402


def wait_for_ever(*_what: object) -> None:
    print("moved", flush=True)
    threading.Event().wait()


merges._remove_merged = wait_for_ever
model, merge = {
    "organization": (Organization, merges.merge_organizations),
    "contact": (Contact, merges.merge_contacts),
}[sys.argv[1]]
kept, gone = (model.objects.get(pk=pk) for pk in sys.argv[2:4])
merge(kept, gone, actor=None, today=dt.date(2026, 3, 2))
