"""Programmes in the admin: labels from both ends, and target, recorded and reported side by side."""

import pytest

from partnerships.factories import (
    AgreementFactory,
    EventFactory,
    FacilityFactory,
    ProgrammeFactory,
    ProgrammeItemFactory,
    ProgrammeTargetFactory,
    ReportedFigureFactory,
    UserFactory,
)
from partnerships.models import ProgrammeItem
from tests.admin.forms import change_url, save

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(enter):
    return enter(UserFactory(staff=True))


def test_target_recorded_and_reported_stand_side_by_side(office):
    programme, event = ProgrammeFactory(), EventFactory()
    ProgrammeTargetFactory(programme=programme, value=20)
    ProgrammeItemFactory(programme=programme, event=event)
    ProgrammeItemFactory(programme=programme, agreement=AgreementFactory(signed=True, event=event))
    figure = ReportedFigureFactory(event=event, compared=True)

    lines = {line.measure: (line, reported) for line, reported in office.get(change_url(programme)).context["progress"]}

    line, reported = lines["agreements"]
    assert (line.target, line.recorded) == (20, 1)
    assert reported == [(figure, '<q class="pt-quoted">exactly 9</q>')]


@pytest.mark.parametrize("factory", [EventFactory, AgreementFactory])
def test_the_label_is_put_on_from_the_other_end(office, factory):
    row, programme = factory(), ProgrammeFactory()
    new = {"programme_items-TOTAL_FORMS": "1", "programme_items-0-programme": str(programme.pk)}

    save(office, row, **new)

    assert [item.target for item in ProgrammeItem.objects.filter(programme=programme)] == [row]


@pytest.mark.parametrize("known", [True, False])
def test_the_same_label_is_not_put_on_twice(office, known):
    programme, event = ProgrammeFactory(), EventFactory()
    rows = [ProgrammeItemFactory(programme=programme, event=event)] if known else []
    twice = {"items-0-event": str(event.pk), "items-1-event": str(event.pk), "items-TOTAL_FORMS": "2"}

    response = save(office, programme, **twice)

    assert "It belongs to the program already." in response.content.decode()
    assert list(ProgrammeItem.objects.all()) == rows


def test_whoever_has_open_what_gets_the_label_or_loses_it_is_told(office):
    programme, stays = ProgrammeFactory(), EventFactory()
    before, after, gone = AgreementFactory(), AgreementFactory(), FacilityFactory()
    for item in ({"event": stays}, {"agreement": before}, {"facility": gone}):
        ProgrammeItemFactory(programme=programme, **item)

    save(office, programme, **{"items-1-agreement": str(after.pk), "items-2-DELETE": "on"})

    versions = [type(row).objects.get(pk=row.pk).version - row.version for row in (stays, before, after, gone)]
    assert versions == [0, 1, 1, 1]
    assert [item.target for item in programme.items.all()] == [stays, after]


def test_an_item_is_one_thing(office):
    programme, event = ProgrammeFactory(), EventFactory()
    two = {"items-0-event": str(event.pk), "items-0-agreement": str(AgreementFactory().pk)}

    response = save(office, programme, **two, **{"items-TOTAL_FORMS": "1"})

    assert "An item is an event, an agreement, a facility or a demand." in response.content.decode()
    assert ProgrammeItem.objects.count() == 0


def test_of_its_items_a_lead_sees_those_they_may_see(enter):
    programme = ProgrammeFactory()
    mine = ProgrammeItemFactory(programme=programme, agreement=AgreementFactory(unit=programme.unit))
    ProgrammeItemFactory(programme=programme, agreement=AgreementFactory(title="Theirs"))
    public = ProgrammeItemFactory(programme=programme, event=EventFactory())

    page = enter(UserFactory(lead_in=programme.unit)).get(change_url(programme))

    items = next(part.formset for part in page.context["inline_admin_formsets"] if part.formset.prefix == "items")
    assert list(items.get_queryset()) == [mine, public]
    assert "Theirs" not in page.content.decode()
