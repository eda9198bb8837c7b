"""The admin in a real browser: its theme works under the policy and asks no other host."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from partnerships.factories import (
    CitationFactory,
    ContactFactory,
    DemandFactory,
    EnterpriseFactory,
    EventKindFactory,
    ReportedFigureFactory,
    SourceFactory,
    UserFactory,
)
from tests.admin.forms import change_url
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
