"""The admin in a real browser: its theme works under the policy and asks no other host."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from partnerships.factories import (
    ActivityFactory,
    AgreementFactory,
    CitationFactory,
    ContactFactory,
    DemandFactory,
    EnterpriseFactory,
    EventFactory,
    EventKindFactory,
    FacilityFactory,
    ProgrammeFactory,
    ReportedFigureFactory,
    SourceFactory,
    UnitFactory,
    UserFactory,
)
from tests.admin.forms import change_url
from tests.services.processes import PATIENCE
from tests.views.test_every_page import violations
from tests.views.world import make_world


def pages_of(world: Any) -> list[str]:
    rows = (world.agreement, world.milestone, world.activity, world.enterprise)
    names = [(row, f"admin:partnerships_{row._meta.model_name}") for row in rows]
    return [
        reverse("admin:index"),
        *(reverse(f"{name}_changelist") for _row, name in names),
        *(reverse(f"{name}_add") for _row, name in names),
        *(reverse(f"{name}_change", args=[row.pk]) for row, name in names),
    ]


def test_no_page_of_the_admin_complains_or_asks_another_host(db: None, open_page: Callable[..., Any]) -> None:
    pages = pages_of(make_world("North"))
    page = open_page(pages[0], UserFactory(is_staff=True))

    for address in pages:
        page.emulate_media(color_scheme="light")
        page.goto(address)
        page.emulate_media(color_scheme="dark")


def test_each_field_has_a_name_and_stays_in_its_place(db: None, open_page: Callable[..., Any]) -> None:
    source = SourceFactory(title="A long headline that a box beside another one has no room for " * 4)
    figure = ReportedFigureFactory(event=EventKindFactory().event, source=source)
    demand = DemandFactory(event=figure.event, organization=EnterpriseFactory(name="A firm with a long name " * 6))
    rows = (figure, demand, figure.event, CitationFactory(source=source, record=figure.event), ContactFactory())
    page = open_page(reverse("admin:index"), UserFactory(is_staff=True))
    found, too_wide = {}, []

    for row in rows:
        name = str(row._meta.model_name)
        page.goto(change_url(row))
        page.wait_for_function("document.querySelectorAll('.select2-selection:not([aria-label])').length == 0")
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 844})
            found[name, width] = violations(page, "label", "select-name", "aria-input-field-name", "color-contrast")
            if page.evaluate("document.documentElement.scrollWidth") > width:
                too_wide.append((name, width))

    assert ({look: broken for look, broken in found.items() if broken}, too_wide) == ({}, [])


def choose(page: Any, line: Any, name: str) -> None:
    line.locator(".select2-selection").first.click()
    page.locator(".select2-search__field").fill(name)
    page.locator(".select2-results__option", has_text=name).first.click()
    line.locator(".select2-selection__rendered", has_text=name).first.wait_for()


@pytest.mark.parametrize(
    ("of", "prefix", "typed"),
    [
        ("agreement", "parties", "name_as_signed"),
        ("event", "participations", "note"),
        ("activity", "partners", None),
        ("facility", "partners", "head"),
        ("programme", "organizers", None),
    ],
)
def test_a_line_keeps_its_choice_when_one_before_it_is_removed(
    of: str, prefix: str, typed: str | None, db: None, open_page: Callable[..., Any]
) -> None:
    unit, quay, harbor = UnitFactory(), EnterpriseFactory(name="Quay Works"), EnterpriseFactory(name="Harbor Works")
    rows = {
        "agreement": AgreementFactory,
        "event": EventFactory,
        "activity": ActivityFactory,
        "facility": FacilityFactory,
        "programme": ProgrammeFactory,
    }
    row = rows[of](unit=unit)
    page = open_page(change_url(row), UserFactory(is_staff=True))
    group = page.locator(f"#{prefix}-group")
    lines = group.locator(".form-group:not(.empty-form)")
    known = lines.count()

    for _line in range(3):
        group.locator(".add-row").click()
    choose(page, lines.nth(known + 1), quay.name)
    choose(page, lines.nth(known + 2), harbor.name)
    if typed:
        lines.nth(known + 2).locator(f"[name$={typed}]").fill("Mr Zhou")
    lines.nth(known).locator(".delete-template").click()
    expect(lines).to_have_count(known + 2, timeout=PATIENCE * 1000)
    choose(page, lines.nth(known), harbor.name)
    choose(page, lines.nth(known + 1), quay.name)
    with page.expect_navigation():
        page.locator("[name=_save]").click()

    kept = getattr(row, prefix).filter(organization__in=[quay, harbor]).order_by("pk")
    assert [one.organization for one in kept] == [harbor, quay]
    assert not typed or [getattr(one, typed) for one in kept] == ["", "Mr Zhou"]
