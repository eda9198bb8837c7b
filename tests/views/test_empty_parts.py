"""Parts without rows say what is the case: nothing yet, nothing any more, or nothing the reader can access."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from partnerships.factories import DAY, AgreementFactory, EnterpriseFactory
from partnerships.models import Agreement
from tests.views.sections import section_url
from tests.views.world import World


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


APPEAR = "Milestones appear when it is signed."
OPEN = "Nothing is open under this agreement."
ENDED = "The agreement has ended: no milestone is open."
NO_TERM_YET = "No term yet: it gets one when it is signed."


@pytest.mark.parametrize(
    ("status", "milestones", "term"),
    [
        ("draft", APPEAR, NO_TERM_YET),
        ("approved", APPEAR, NO_TERM_YET),
        ("signed", OPEN, None),
        ("suspended", OPEN, None),
        ("completed", ENDED, None),
        ("terminated", ENDED, None),
        ("cancelled", ENDED, "No term: it was never signed."),
    ],
)
def test_an_agreement_without_milestones(
    status: str, milestones: str, term: str | None, world: World, client: Client
) -> None:
    is_signed = term is None
    agreement = AgreementFactory(unit=world.unit, coordinator=world.coordinator, signed=is_signed)
    Agreement.objects.filter(pk=agreement.pk).update(
        status=status, **{f"{status}_on": DAY} if is_signed and status != "signed" else {}
    )
    page = client.get(agreement.get_absolute_url()).text + client.get(section_url(agreement, "terms")).text

    shown = [text for text in (APPEAR, OPEN, ENDED, NO_TERM_YET, "No term: it was never signed.") if text in page]

    assert shown == [milestones, *([term] if term else [])]


@pytest.mark.parametrize(
    ("notice", "lead_days", "lines"),
    [
        (0, 0, []),
        (0, 30, ["minus 30 days for the office to decide"]),
        (1, 0, ["minus notice of 1 month"]),
        (3, 30, ["minus notice of 3 months", "minus 30 days for the office to decide"]),
    ],
)
def test_the_decision_date_names_only_what_was_taken_off(
    notice: int, lead_days: int, lines: list[str], world: World, client: Client
) -> None:
    term: Any = world.agreement.current_term
    term.ends_on, term.notice, term.lead_days = dt.date(2027, 12, 31), notice, lead_days
    term.save()

    page = " ".join(client.get(world.agreement.get_absolute_url()).text.split())

    assert page.count("minus ") == len(lines)
    assert [line for line in lines if line not in page] == []


def test_a_new_organization_has_nothing_yet_and_one_of_another_unit_may_have_more(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    outsider = client_of(world.people["outsider"])

    new = outsider.get(EnterpriseFactory().get_absolute_url()).text
    held = outsider.get(world.enterprise.get_absolute_url()).text

    assert [text in new for text in ("No agreements yet.", "No activities yet.", "none you can access")] == [
        True,
        True,
        False,
    ]
    assert ["No agreements yet." in held, "none you can access" in held] == [False, True]
