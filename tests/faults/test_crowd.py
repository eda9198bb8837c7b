"""A crowd claims at once. On SQLite, where one process writes at a time, nobody gets a lock error."""

import pytest
from django.db import connection, connections

from partnerships.mailing.claim import claim_next
from partnerships.mailing.expand import expand_due
from partnerships.models import Delivery
from tests.faults.office import DUE_AT, open_office
from tests.reminders.conftest import MovableClock
from tests.reminders.test_races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def test_each_of_two_hundred_gets_one(db: None) -> None:
    crowd = 200 if connection.vendor == "sqlite" else 60  # a server has connections for so many
    open_office(crowd)
    expand_due(MovableClock(DUE_AT))
    claimed: list[int] = []

    def claim_one() -> None:
        claim = claim_next(MovableClock(DUE_AT))
        claimed.append(claim.delivery.pk if claim else 0)
        connections.close_all()

    at_once(crowd, claim_one)

    while 0 in claimed:  # all that was free was locked by others at that moment (PostgreSQL): once more, alone
        claimed.remove(0)
        claim_one()
    assert sorted(claimed) == sorted(Delivery.objects.values_list("pk", flat=True))
