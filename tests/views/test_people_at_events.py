"""People at events: on the event's page for those who see them, entered there and in the admin."""

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.exceptions import InvalidInput
from partnerships.factories import (
    DAY,
    ContactFactory,
    EventFactory,
    EventPersonFactory,
    OrganizationUnitFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Contact, Event, EventPerson, Unit, User
from partnerships.workflows.records import edit_record
from tests.services.drawing import undrawn
from tests.views.sections import whole_page
from tests.views.sent import filled

pytestmark = pytest.mark.django_db


def contact_of(unit: Unit, name: str) -> Contact:
    return ContactFactory(name=name, organization=OrganizationUnitFactory(unit=unit).organization)


def page_of(event: object, person: User) -> str:
    client = Client()
    client.force_login(person)
    return whole_page(client, event)


def test_the_page_names_whom_one_sees() -> None:
    own, other = UnitFactory(), UnitFactory()
    reader, colleague = UserFactory(viewer_in=own), UserFactory(name="Colleague", viewer_in=own)
    event = EventFactory(unit=own, agenda="9:00 Welcome", minutes="They agreed.")
    EventPersonFactory(event=event, user=colleague, answer="accepted")
    EventPersonFactory(event=event, user=None, contact=contact_of(own, "Wang Wei"), attendance="came")
    EventPersonFactory(event=event, user=None, contact=contact_of(other, "Hidden Hu"))

    page = page_of(event, reader)

    assert all(words in page for words in ("Colleague", "Wang Wei", "Came", "9:00 Welcome", "They agreed."))
    assert "Hidden Hu" not in page
    assert "There are others whom you do not see." in page
    assert "Hidden Hu" in page_of(event, UserFactory(staff=True))


def test_minutes_are_read_by_the_unit_and_the_office_alone() -> None:
    event, stranger = EventFactory(minutes="They quarrelled."), UserFactory(viewer_in=UnitFactory())

    assert "They quarrelled." not in page_of(event, stranger)
    assert "They quarrelled." in page_of(event, UserFactory(staff=True))
    assert list(Event.objects.search("quarrelled")) == []


def test_nobody_lists_a_person_they_do_not_see() -> None:
    unit = UnitFactory()
    event, lead = EventFactory(unit=unit), UserFactory(lead_in=unit)
    hidden = contact_of(UnitFactory(), "Hidden Hu")

    with pytest.raises(InvalidInput) as refused:
        edit_record(event, actor=lead, today=DAY, parts=[EventPerson(contact=hidden)])

    assert refused.value.field == "contact"
    assert not event.people.exists()


def test_a_coordinator_enters_who_came_and_leaves_others_alone() -> None:
    unit = UnitFactory()
    event, person = EventFactory(unit=unit), contact_of(unit, "Wang Wei")
    hidden = EventPersonFactory(event=event, user=None, contact=contact_of(UnitFactory(), "Hidden Hu"))
    client, address = Client(), reverse("event_people", args=[event.pk])
    client.force_login(UserFactory(coordinator_in=unit))

    page = client.post(address, filled(undrawn(client, address), more="people"))
    line = {"people__0__contact": person.pk, "people__0__attendance": "came", "people__0__invited_on": "2026-03-01"}
    answer = client.post(address, filled(page, minutes="They agreed.", **line))

    event.refresh_from_db()
    assert (answer.status_code, event.minutes, "Hidden Hu" in page.text) == (302, "They agreed.", False)
    rows = {row.contact: row.attendance for row in event.people.all()}
    assert rows == {person: "came", hidden.contact: ""}
    assert event.people.get(contact=person).history.count() == 1
