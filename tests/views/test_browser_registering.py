"""From an empty list to a signed agreement, on the pages alone: a coordinator and a lead, with scripts and without."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from partnerships.factories import (
    AgreementFactory,
    AgreementTypeFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    InstitutionFactory,
    TypeMilestoneFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Agreement, Organization
from partnerships.statuses import AgreementStatus
from tests.views.hand import Hand
from tests.views.test_every_page import violations


@pytest.fixture
def unit(transactional_db: None) -> Any:
    """A school with nothing in it but its people; the college it belongs to."""
    college = InstitutionFactory(name="Harbor College")
    TypeMilestoneFactory(type=AgreementTypeFactory(name="Framework"), title="Work plan agreed", months_after_signing=1)
    CooperationAreaFactory(name="Training")
    return UnitFactory(name="School of Machines", organization=college)


@pytest.fixture
def chen(unit: Any) -> Any:
    return UserFactory(coordinator_in=unit)


@pytest.fixture
def ma(unit: Any) -> Any:
    return UserFactory(lead_in=unit)


def take(page: Any, step: str, done: str) -> None:
    """Takes a step of the agreement on its page, today."""
    page.get_by_role("link", name=step, exact=True).first.click()
    page.get_by_role("button", name=step, exact=True).click()
    page.get_by_text(done).wait_for()


@pytest.mark.parametrize("width", [390, 1440])
def test_from_an_empty_list_to_a_signed_agreement(
    width: int, chen: Any, ma: Any, open_page: Callable[..., Any], tmp_path: Path
) -> None:
    page = open_page("/", chen, width=width)
    page.get_by_role("link", name="Register an agreement").click()
    page.get_by_role("group", name="Party 2").get_by_role("searchbox").fill("Quay Works")
    page.get_by_role("button", name="Add “Quay Works” as a new organization").click()
    dialog = page.get_by_role("dialog")
    assert (dialog.get_by_label("Kind").input_value(), dialog.get_by_label("Name", exact=True).input_value()) == (
        "enterprise",
        "Quay Works",
    )
    dialog.get_by_role("button", name="Add and choose").click()
    dialog.wait_for(state="hidden")
    assert page.get_by_role("group", name="Party 2").get_by_label("Quay Works").is_checked()

    page.get_by_label("Type", exact=True).select_option("Framework")
    page.locator("#id_title").fill("Joint training centre")
    assert page.get_by_role("group", name="Party 1").get_by_label("Harbor College").is_checked()
    second = page.get_by_role("group", name="Party 2")
    page.get_by_role("button", name="Add a party").click()
    page.get_by_role("group", name="Party 3").wait_for()
    assert second.get_by_label("Quay Works").is_checked()
    page.get_by_label("Cooperation area").select_option("Training")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", level=1, name="Joint training centre").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.get_by_label("More actions").click()
    page.get_by_role("link", name="Edit the agreement").click()
    page.get_by_label("Reference").fill("SM-1")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved:").wait_for()
    note, crumbs = page.locator(".notes").bounding_box(), page.locator(".crumbs").bounding_box()
    assert crumbs["y"] - note["y"] - note["height"] >= 12
    take(page, "Submit for review", "Submitted for review.")

    lead = open_page(page.url, ma, width=width)
    take(lead, "Approve", "Approved.")
    page.goto(lead.url)
    assert page.get_by_role("link", name="Record the signing", exact=True).count() == 0
    take(lead, "Record the signing", "Signing recorded.")

    page.goto(f"{lead.url.partition('?')[0].partition('#')[0]}?section=files")
    page.get_by_role("link", name="Add a document").click()
    page.screenshot(path=tmp_path / "signed.png")
    page.get_by_label("File").set_input_files(tmp_path / "signed.png")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Uploaded.").wait_for()

    made = Agreement.objects.get()
    assert (made.status, made.reference, made.signed_on) == (AgreementStatus.SIGNED, "SM-1", timezone.localdate())
    assert [party.name_as_signed for party in made.parties.all()] == ["Harbor College", "Quay Works"]
    assert made.milestones.filter(title="Work plan agreed").count() == 1
    assert made.documents.get().kind == "signed_paper"


@pytest.mark.parametrize("width", [390, 1440])
def test_an_enterprise_with_a_signed_agreement_takes_few_clicks(
    width: int, chen: Any, open_page: Callable[..., Any]
) -> None:
    AgreementTypeFactory(name="Employment")
    page, hand = open_page("/", chen, width=width), Hand()

    hand.tap(page.get_by_role("link", name="Register an agreement"))
    hand.tap(page.get_by_label("Type", exact=True))
    page.get_by_label("Type", exact=True).select_option("Framework")
    hand.type(page.locator("#id_on"), timezone.localdate().isoformat())
    hand.type(page.get_by_role("group", name="Party 2").get_by_role("searchbox"), "Quay Works")
    hand.tap(page.get_by_role("button", name="Add “Quay Works” as a new organization"))
    page.get_by_role("dialog").wait_for()
    assert violations(page) == []
    hand.tap(page.get_by_role("button", name="Add and choose"))
    page.get_by_role("dialog").wait_for(state="hidden")
    hand.tap(page.get_by_role("button", name="Save"))
    page.get_by_role("heading", level=1, name="Framework with Quay Works").wait_for()

    assert (hand.taps, hand.texts) == (7, 2)
    made = Agreement.objects.get()
    assert (made.status, made.signed_on, made.coordinator) == (AgreementStatus.SIGNED, timezone.localdate(), chen)
    assert [party.name_as_signed for party in made.parties.all()] == ["Harbor College", "Quay Works"]
    assert Organization.objects.get(name="Quay Works").holders.get().unit == made.unit


def test_without_scripts_the_same_forms_do(chen: Any, ma: Any, open_page: Callable[..., Any]) -> None:
    page = open_page("/organizations/add/", chen, width=390, has_scripts=False)
    page.get_by_label("Kind").select_option("Enterprise")
    page.get_by_label("Name", exact=True).fill("Quay Works")
    page.get_by_role("button", name="Add another name").click()
    page.get_by_role("group", name="Name 1").get_by_label("Name", exact=True).fill("Quay")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Register an agreement").click()
    page.locator("#id_title").fill("Joint training centre")
    page.get_by_label("Type", exact=True).select_option("Framework")
    page.get_by_role("button", name="Add a party").click()
    third = page.get_by_role("group", name="Party 3")
    third.get_by_role("searchbox").fill("Guild of Fitters")
    third.get_by_role("button", name="Find").click()
    page.get_by_role("button", name="Add “Guild of Fitters” as a new organization").click()
    page.get_by_label("Kind").select_option("Association")
    page.get_by_role("button", name="Add and choose").click()
    page.get_by_role("button", name="Back to the form").click()
    assert page.locator("#id_title").input_value() == "Joint training centre"
    assert page.get_by_role("group", name="Party 3").get_by_label("Guild of Fitters").is_checked()
    page.locator("#id_title").press("Enter")
    page.get_by_role("heading", level=1, name="Joint training centre").wait_for()
    take(page, "Submit for review", "Submitted for review.")

    lead = open_page(page.url, ma, width=390, has_scripts=False)
    take(lead, "Approve", "Approved.")
    take(lead, "Record the signing", "Signing recorded.")

    made = Agreement.objects.get()
    assert made.status == AgreementStatus.SIGNED
    parties = [party.name_as_signed for party in made.parties.all()]
    assert parties == ["Harbor College", "Quay Works", "Guild of Fitters"]
    assert list(Organization.objects.search("quay")) == [made.parties.all()[1].organization]


def test_the_form_is_readable_while_one_types_when_refused_and_when_stale(
    unit: Any, chen: Any, open_page: Callable[..., Any]
) -> None:
    draft = AgreementFactory(unit=unit, title="Joint training centre")
    EnterpriseFactory(name="Quay Works")
    page, found = open_page("/agreements/add/", chen, width=390), {}

    page.get_by_role("group", name="Party 2").get_by_role("searchbox").fill("Quay")
    page.get_by_role("group", name="Party 2").get_by_label("Quay Works").check()
    page.evaluate("for (const more of document.querySelectorAll('main details')) more.open = true")
    found["typing"] = violations(page)
    page.get_by_label("Type", exact=True).select_option("Framework")
    page.locator("#id_title").fill(draft.title)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Is it this one?").wait_for()
    found["refused"] = violations(page)
    page.goto(f"/agreements/{draft.pk}/edit/")
    draft.touch()
    page.locator("#id_title").fill("Mine")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Somebody else changed this").wait_for()
    found["stale"] = violations(page)

    assert found == {"typing": [], "refused": [], "stale": []}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_answer_that_comes_late_takes_no_choice_away(chen: Any, open_page: Callable[..., Any]) -> None:
    page, held = open_page("/agreements/add/", chen), []
    field = page.get_by_role("group", name="Party 2")
    field.get_by_role("searchbox").fill("harbor")
    field.get_by_role("radio").wait_for()
    page.route("**/picks/**", lambda route: held.append(route))  # noqa: PLW0108 - the driver looks at its signature

    with page.expect_request("**/picks/**"):
        field.get_by_role("searchbox").fill("harbor col")
    field.get_by_label("Harbor College").check()
    with page.expect_response("**/picks/**"):
        held[0].continue_()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    assert field.get_by_label("Harbor College").is_checked()


def test_words_typed_further_are_looked_up_instead(chen: Any, open_page: Callable[..., Any]) -> None:
    page = open_page("/agreements/add/", chen)
    field = page.get_by_role("group", name="Party 2")
    page.route("**/picks/**", lambda route: None, times=1)  # the first is never answered

    with page.expect_request("**/picks/**"):
        field.get_by_role("searchbox").fill("harbour")
    field.get_by_role("searchbox").fill("harbor")

    field.get_by_label("Harbor College").wait_for()
