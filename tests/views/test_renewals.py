"""Renewals and notice on the pages and in the admin: what is asked, what is offered, and who may."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.dates import add_months, last_day_of
from partnerships.factories import AgreementFactory, CooperationAreaFactory
from partnerships.models import Agreement
from partnerships.workflows.agreements import sign_agreement
from partnerships.workflows.derivation import derive_milestones
from tests.views.sent import errors
from tests.views.sent import send as sent
from tests.views.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def renewed(world: World) -> Agreement:
    """An agreement whose year ended ten days ago and that renews itself by the year."""
    today = timezone.localdate()
    ended_on = today - dt.timedelta(days=10)
    first = add_months(ended_on, -12) + dt.timedelta(days=1)
    made = AgreementFactory(
        approved=True,
        unit=world.unit,
        coordinator=world.coordinator,
        title="Yearly cooperation",
        areas=[CooperationAreaFactory()],
        with_term__starts_on=first,
        with_term__ends_on=ended_on,
        with_term__notice=2,
        with_term__renewal="automatic",
    )
    agreement = sign_agreement(Agreement.objects.get(pk=made.pk), actor=None, on=first, today=first)
    derive_milestones(agreement, actor=None, on=today)
    return Agreement.objects.get(pk=made.pk)


def step(agreement: Agreement, name: str) -> str:
    return reverse("agreement_step", args=[agreement.pk, name])


def send(client: Client, agreement: Agreement, name: str, **values: Any) -> Any:
    agreement.refresh_from_db()
    return client.post(step(agreement, name), {"version": agreement.version, **values}, follow=True)


def test_the_pages_agree_on_a_renewal_that_nobody_recorded(
    world: World, renewed: Agreement, client_of: Callable[[Any], Client]
) -> None:
    lead = client_of(world.lead)
    page = lead.get(renewed.get_absolute_url()).text
    assert "Renewal to confirm" in page
    assert ("expired" in page, step(renewed, "confirm-renewal") in page) == (False, True)

    listed = lead.get(reverse("agreement_list"), {"in_force": "yes"}).text
    assert ("Yearly cooperation" in listed, "Renewal to confirm" in listed) == (True, True)
    assert "Yearly cooperation" not in lead.get(reverse("agreement_list"), {"expiring": "365"}).text
    work = lead.get(reverse("my_work")).text
    assert ("Confirm that the agreement was renewed" in work, step(renewed, "confirm-renewal") in work) == (True, True)
    coordinator = client_of(world.coordinator)
    assert step(renewed, "confirm-renewal") not in coordinator.get(renewed.get_absolute_url()).text
    assert coordinator.get(step(renewed, "confirm-renewal")).status_code == 403


def test_a_lead_confirms_the_renewal(world: World, renewed: Agreement, client_of: Callable[[Any], Client]) -> None:
    lead = client_of(world.lead)
    assert "Will be recorded" in lead.get(step(renewed, "confirm-renewal")).text
    answer = send(lead, renewed, "confirm-renewal")
    assert ("The renewal is recorded." in answer.text, renewed.terms.count()) == (True, 2)
    assert "Renewal to confirm" not in answer.text
    assert lead.get(step(renewed, "confirm-renewal")).status_code == 409


def test_notice_and_its_end(world: World, renewed: Agreement, client_of: Callable[[Any], Client]) -> None:
    lead = client_of(world.lead)
    answer = send(lead, renewed, "notice", on=timezone.localdate().isoformat())
    assert ("The notice is recorded." in answer.text, "it is not renewed again" in answer.text) == (True, True)
    assert step(renewed, "take-back-notice") in answer.text
    asked = lead.get(reverse("agreement_step", args=[renewed.pk, "end_by_notice"])).text
    assert "The end can be recorded from" in asked
    early = send(lead, renewed, "end_by_notice", on=timezone.localdate().isoformat())
    assert "By the notice it runs until" in early.text
    assert "The notice is taken back." in send(lead, renewed, "take-back-notice").text
    assert "No notice was given." in send(lead, renewed, "end_by_notice", on="2026-01-01").text


def test_an_amendment_makes_it_end(world: World, renewed: Agreement, client_of: Callable[[Any], Client]) -> None:
    today = timezone.localdate().isoformat()
    values = {"signed_on": today, "effective_on": today, "summary": "Ends with the year", "renewal": "none"}
    assert "The amendment is recorded." in send(client_of(world.lead), renewed, "amend", **values).text
    renewed.refresh_from_db()
    term = renewed.current_term
    assert term is not None
    assert (term.renewal, term.basis, renewed.terms.count()) == ("none", "amendment", 3)


def test_quantities_are_asked_for_beside_each_area(world: World, client_of: Callable[[Any], Client]) -> None:
    lead, promise = client_of(world.lead), world.agreement.promised_areas.get()
    typed = {f"quantity_{promise.pk}": "2", f"counted_{promise.pk}": "courses", f"per_{promise.pk}": "year"}
    assert step(world.agreement, "quantities") in lead.get(world.agreement.get_absolute_url()).text
    assert "North area: How much" in lead.get(step(world.agreement, "quantities")).text
    wrong = send(lead, world.agreement, "quantities", **typed | {f"quantity_{promise.pk}": ""})
    assert wrong.context["form"].errors.keys() == {f"quantity_{promise.pk}"}
    assert "The quantities are recorded." in send(lead, world.agreement, "quantities", **typed).text
    promise.refresh_from_db()
    assert (promise.quantity, promise.counted, promise.per) == (2, "courses", "year")


@pytest.mark.parametrize("name", ["confirm-renewal", "notice", "renew", "amend", "quantities"])
def test_the_administration_offers_the_same(
    world: World, renewed: Agreement, name: str, client_of: Callable[[Any], Client]
) -> None:
    office = client_of(world.people["staff"])
    address = reverse("admin:partnerships_agreement_change", args=[renewed.pk])
    assert f"/{name}/" in office.get(address).text


def test_a_term_is_entered_by_its_length(world: World, client_of: Callable[[Any], Client]) -> None:
    draft, client = world.draft, client_of(world.coordinator)
    term = {"term__0__starts_on": "2026-03-01", "term__0__ends_on": "", "term__0__length": "60"}
    answer = sent(client, reverse("agreement_edit", args=[draft.pk]), **term)
    assert answer.status_code == 302, errors(answer)
    draft.refresh_from_db()
    assert draft.current_ends_on == last_day_of(dt.date(2026, 3, 1), 60) == dt.date(2031, 2, 28)


@pytest.mark.parametrize("precision", ["year", "unknown"])
def test_a_length_needs_a_start_of_which_the_day_is_known(
    world: World, precision: str, client_of: Callable[[Any], Client]
) -> None:
    term = {"term__0__starts_on": "", "term__0__starts_precision": precision, "term__0__length": "12"}
    if precision == "year":
        term |= {"term__0__starts_on": "2024-06-15"}
    answer = sent(client_of(world.coordinator), reverse("agreement_edit", args=[world.draft.pk]), **term)
    words = "Give the end, as far as it is known: a length counts from a start whose day is known."
    assert errors(answer) == {"term-0-ends_on": [words]}


def test_an_agreement_of_a_year_is_registered_and_completed(world: World, client_of: Callable[[Any], Client]) -> None:
    lead = client_of(world.lead)
    today = timezone.localdate()
    draft = AgreementFactory(with_parties=True, unit=world.unit, coordinator=world.coordinator, title="Old letter")
    values = {"on": "2021-05-05", "precision": "year"}
    assert send(client_of(world.coordinator), draft, "record_signed", **values).status_code == 200
    page = lead.get(draft.get_absolute_url()).text
    assert ("date incomplete" in page, "Jan. 1, 2021" in page, "2021-01-01" in page) == (True, False, False)
    listed = lead.get(reverse("agreement_list"), {"dates": "yes"}).text
    assert ("Old letter" in listed, "Jan. 1, 2021" in listed) == (True, False)
    assert "On record: 2021" in lead.get(step(draft, "complete-dates")).text
    assert "Enter at least one date." in send(lead, draft, "complete-dates").text
    wrong = send(lead, draft, "complete-dates", signed_on=today.isoformat())
    assert "On record is: 2021." in wrong.text
    done = send(lead, draft, "complete-dates", signed_on="2021-05-06", starts_on="2021-05-06")
    assert ("The dates are recorded." in done.text, "date incomplete" in done.text) == (True, False)


GIVE_THE_DAY, IN_FUTURE = "Give the day, or say that it is not known.", "This day lies in the future."


@pytest.mark.parametrize(
    ("on", "precision", "error"),
    [
        ("", "day", GIVE_THE_DAY),
        ("", "unknown", ""),
        ("2026-12-15", "day", IN_FUTURE),
        ("2026-12-15", "year", ""),  # any day of the year is chosen, and today is in March
        ("2027-01-15", "year", IN_FUTURE),
    ],
)
def test_a_day_is_asked_for_as_far_as_it_is_known(
    world: World, on: str, precision: str, error: str, client_of: Callable[[Any], Client]
) -> None:
    draft = AgreementFactory(with_parties=True, unit=world.unit, coordinator=world.coordinator)
    answer = send(client_of(world.coordinator), draft, "record_signed", on=on, precision=precision)
    assert [words for words in (GIVE_THE_DAY, IN_FUTURE) if words in answer.text] == ([error] if error else [])
    draft.refresh_from_db()
    assert draft.is_signed != bool(error)


def test_the_page_of_a_lead_reads_the_terms_once(
    world: World, renewed: Agreement, client_of: Callable[[Any], Client]
) -> None:
    lead = client_of(world.lead)
    with CaptureQueriesContext(connection) as queries:
        lead.get(renewed.get_absolute_url())
        read = [query["sql"] for query in queries if query["sql"].startswith('SELECT "partnerships_agreementterm"')]
    assert len(read) == 1
