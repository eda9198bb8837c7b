"""A reported figure is confirmed with the records counted against it, and what changes later stays visible."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.exceptions import NotAllowed, StaleVersion
from partnerships.factories import NOON, AgreementFactory, ReportedFigureFactory, UserFactory
from partnerships.models import FigureConfirmation, ReportedFigure, User
from partnerships.reports.figures import confirmed
from partnerships.workflows.figures import confirm_figure
from partnerships.workflows.records import edit_record

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
TODAY = dt.date(2026, 3, 2)


@pytest.fixture
def figure() -> ReportedFigure:
    return ReportedFigureFactory(compared=True, value=3)


@pytest.fixture
def lead(figure: ReportedFigure) -> User:
    return UserFactory(name="Ma Xiuying", lead_in=figure.unit)


def test_the_numbers_and_the_records_of_the_day_are_kept(figure: ReportedFigure, lead: User) -> None:
    counted = AgreementFactory.create_batch(2, event=figure.event, signed=True)
    AgreementFactory(event=figure.event, signed=True, is_sample=True)

    kept = confirm_figure(figure, actor=lead, now=NOON, note="One signed later.")

    assert (kept.reported, kept.recorded, kept.by, kept.at, kept.note) == (3, 2, lead, NOON, "One signed later.")
    assert kept.counted == sorted(row.pk for row in counted)
    assert [one.is_unchanged for one in confirmed(figure)] == [True]


def test_what_changed_since_is_named(figure: ReportedFigure, lead: User) -> None:
    first, _second = AgreementFactory.create_batch(2, event=figure.event, signed=True)
    confirm_figure(figure, actor=lead, now=NOON)
    first.event = None
    first.save()
    AgreementFactory.create_batch(3, event=figure.event, signed=True)
    edit_record(figure, actor=lead, today=TODAY, changes={"value": 5})

    [since] = confirmed(ReportedFigure.objects.get())

    assert (since.added, since.gone, since.is_reworded) == (3, 1, True)
    assert since.confirmation.recorded == 2


def test_a_figure_that_is_quoted_alone_is_confirmed_without_records(lead: User, figure: ReportedFigure) -> None:
    alone = ReportedFigure.objects.get(pk=ReportedFigureFactory(share=True, unit=figure.unit).pk)

    assert confirm_figure(alone, actor=lead, now=NOON).recorded is None
    assert [one.is_unchanged for one in confirmed(alone)] == [True]


def test_leads_and_the_office_confirm_nobody_else(figure: ReportedFigure) -> None:
    for person in (UserFactory(coordinator_in=figure.unit), UserFactory(viewer_in=figure.unit), UserFactory()):
        with pytest.raises(NotAllowed):
            confirm_figure(figure, actor=person, now=NOON)

    confirm_figure(figure, actor=UserFactory(staff=True), now=NOON)
    assert FigureConfirmation.objects.count() == 1


def test_a_figure_that_somebody_changed_meanwhile_is_not_confirmed(figure: ReportedFigure, lead: User) -> None:
    seen = ReportedFigure.objects.get()
    edit_record(figure, actor=lead, today=TODAY, changes={"value": 4})

    with pytest.raises(StaleVersion):
        confirm_figure(seen, actor=lead, now=NOON)


def test_the_page_shows_who_confirmed_what(client: Client, figure: ReportedFigure, lead: User) -> None:
    AgreementFactory(event=figure.event, signed=True)
    client.force_login(lead)
    address = reverse("figure_confirm", args=[figure.pk])

    shown = client.get(address)
    client.post(address, {"version": figure.version, "note": "Counted by hand."})
    AgreementFactory(event=figure.event, signed=True)
    page = client.get(figure.get_absolute_url()).text

    assert "reported 3 and recorded 1" in shown.text
    for words in ("Ma Xiuying", "Reported 3, recorded 1 · 1 counted since", "Counted by hand."):
        assert words in page


def test_a_confirmed_figure_is_not_deleted_as_a_mistake(client: Client, figure: ReportedFigure, lead: User) -> None:
    confirm_figure(figure, actor=lead, now=NOON)
    client.force_login(lead)

    answer = client.get(reverse("figure_delete", args=[figure.pk]))

    assert ReportedFigure.objects.filter(pk=figure.pk).exists()
    assert "confirmation" in answer.text
