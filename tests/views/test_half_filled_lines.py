"""A line of a form in which anything was typed is saved or refused, and never dropped without a word."""

from collections.abc import Callable
from typing import Any

import pytest
from django import forms
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    DAY,
    ContactFactory,
    EventFactory,
    FacilityFactory,
    PaymentFactory,
    ProgrammeFactory,
    ReportFactory,
    SourceFactory,
)
from partnerships.forms.lines import FormWithLines
from partnerships.forms.picks import PickField
from partnerships.inputs import DayField
from tests.services.drawing import undrawn
from tests.views.ceremony_page import CeremonyPage
from tests.views.sent import filled
from tests.views.world import World

# Page -> the prefixes of its lines.
PAGES = {
    "agreement_edit": ("parties", "areas", "term"),
    "organization_edit": ("names", "codes"),
    "contact_edit": ("positions",),
    "payment_edit": ("receipts",),
    "event_people": ("people",),
    "facility_edit": ("facilitypartner", "programmeitem"),
    "demand_edit": ("programmeitem",),
    "source_edit": ("statement",),
    "programme_edit": ("programmeorganizer", "programmetarget"),
    "event_edit": ("eventkind", "participation", "programmeitem"),
    "report_edit": ("reporttext",),
}


def row_of(page: str, world: World) -> Any:
    """The row whose page has the lines; all of them have room for one more."""
    return {
        "agreement_edit": lambda: world.draft,
        "organization_edit": lambda: world.enterprise,
        "contact_edit": lambda: ContactFactory(organization=world.enterprise, unit=world.unit),
        "payment_edit": lambda: PaymentFactory(agreement=world.agreement),
        "event_people": lambda: EventFactory(unit=world.unit),
        "facility_edit": lambda: FacilityFactory(unit=world.unit),
        "demand_edit": lambda: world.demand,
        "source_edit": SourceFactory,
        "programme_edit": lambda: ProgrammeFactory(unit=world.unit),
        "event_edit": lambda: EventFactory(unit=world.unit),
        "report_edit": lambda: ReportFactory(unit=world.unit),
    }[page]()


def typed_in(line: forms.BaseForm) -> dict[str, dict[str, str]]:
    """For each field of a blank line: what is sent if that field alone was filled in."""
    found: dict[str, dict[str, str]] = {}
    for name, field in line.fields.items():
        key = line.add_prefix(name)
        if field.widget.is_hidden or name == "DELETE" or isinstance(field, forms.BooleanField):
            continue
        if isinstance(field, PickField):
            found[name] = {f"{key}-words": "Nobody of this name"}
        elif isinstance(field, DayField):
            found[name] = {key: DAY.isoformat()}
        elif isinstance(field, forms.ChoiceField):
            values = [str(value) for value, _label in field.choices if value not in {"", field.initial}]
            found |= {name: {key: values[0]}} if values else {}
        elif isinstance(field, forms.DecimalField | forms.IntegerField):
            found[name] = {key: "3"}
        else:
            found[name] = {key: "typed"}
    return found


def test_each_form_with_lines_has_its_page_here() -> None:
    def below(form: type[FormWithLines]) -> set[str]:
        own = {form.__module__} if form.__module__.startswith("partnerships.") else set()
        return own.union(*(below(one) for one in form.__subclasses__()))

    assert below(FormWithLines) == {
        f"partnerships.forms.{name}"
        for name in ("lines", "agreements", "organizations", "payments", "events", "records", "reports")
    }


@pytest.mark.parametrize("page", PAGES)
def test_nothing_typed_in_a_line_is_dropped(page: str, world: World, client_of: Callable[[Any], Client]) -> None:
    ProgrammeFactory(unit=world.unit)  # lines about programmes are shown to those who may edit one
    client = client_of(world.people["staff"])
    dropped = []
    for prefix in PAGES[page]:
        address = reverse(page, args=[row_of(page, world).pk])
        more = client.post(address, filled(undrawn(client, address), more=prefix))
        lines = next(one for one in more.context["form"].formsets if one.prefix == prefix)
        blank, model = lines.forms[-1], lines.model
        assert blank.instance.pk is None
        for name, typed in typed_in(blank).items():
            rows = model._default_manager.count()
            sent = {key: value for key, value in filled(more).items() if not key.startswith(f"{blank.prefix}-")}
            first = {blank.add_prefix(one): str(value) for one in blank.fields if (value := blank[one].initial)}
            answer = client.post(address, sent | first | typed)
            if answer.status_code == 302 and model._default_manager.count() == rows:
                dropped.append((prefix, name))
            elif answer.status_code == 302:
                model._default_manager.order_by("-pk").first().delete()
                more = client.post(address, filled(undrawn(client, address), more=prefix))

    assert dropped == []


@pytest.mark.parametrize(
    ("line", "typed", "words"),
    [
        ("present-1", {"choice": "new"}, "This field is required."),
        ("", {"source_authors": "Li Wei"}, "Give the title of the source."),
        ("", {"source_url": "https://example.org/news"}, "Give the title of the source."),
        ("reported-event_agreements", {"printed": "more than thirty"}, "This field is required."),
        ("reported-event_agreements", {"qualifier": "at_least"}, "This field is required."),
    ],
)
def test_nothing_typed_about_a_signing_event_is_dropped(
    line: str, typed: dict[str, str], words: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    page = CeremonyPage(client_of(world.coordinator))
    page.fill(name="Meeting", starts_on=DAY.isoformat(), kinds=["signing"])

    answer = page.press("record", **{f"{line}-{name}" if line else name: value for name, value in typed.items()})

    assert answer.status_code == 200
    assert words in answer.text
