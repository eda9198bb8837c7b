"""Two organizations and two contacts that are the same: found, compared, merged and separated again in a real browser."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from partnerships.factories import ContactFactory, DocumentFactory, EnterpriseFactory
from partnerships.models import Contact, Merge
from tests.services.processes import PATIENCE
from tests.views.world import World

SOON = PATIENCE * 1000


@pytest.mark.parametrize("width", [390, 1440])
def test_an_organization_is_merged_and_separated_again(width: int, world: World, open_page: Callable[..., Any]) -> None:
    kept = EnterpriseFactory(name="South Works")
    gone = EnterpriseFactory(name="South Works Ltd.", name_zh="南方厂", website="https://south.example")
    DocumentFactory(organization=gone, title="Its brochure")
    page = open_page(reverse("duplicates"), world.people["staff"], width=width)

    pair = page.get_by_role("listitem").filter(has_text="South Works Ltd.")
    pair.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="Same organization?")).to_be_visible(timeout=SOON)
    choice = page.get_by_role("radio", name="南方厂")
    choice.focus()
    page.keyboard.press("Space")
    expect(choice).to_be_checked(timeout=SOON)
    page.get_by_role("button", name="Merge").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("leads here from now on")).to_be_visible(timeout=SOON)

    page.goto(f"{origin(page)}{reverse('organization_detail', args=[gone.pk])}?section=files")
    expect(page.get_by_role("heading", name="South Works", exact=True)).to_be_visible(timeout=SOON)
    page.goto(f"{origin(page)}{kept.get_absolute_url()}?section=history")
    expect(page.get_by_text("Merged into this record: South Works Ltd.")).to_be_visible(timeout=SOON)

    page.goto(f"{origin(page)}{Merge.objects.get().get_absolute_url()}")
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.get_by_text("there are two records again")).to_be_visible(timeout=SOON)
    page.goto(f"{origin(page)}{gone.get_absolute_url()}")
    expect(page.get_by_role("heading", name="South Works Ltd.")).to_be_visible(timeout=SOON)


def test_two_people_who_are_one_are_merged_from_the_list(world: World, open_page: Callable[..., Any]) -> None:
    about = {"organization": world.enterprise, "unit": world.unit, "phone": "13800138000"}
    for email in ("", "lin@north.example"):
        ContactFactory(name="Lin Hai", email=email, **about)
    page = open_page(f"{reverse('duplicates')}?kind=contacts", world.coordinator, width=390)

    page.get_by_role("link", name="Compare").first.click()
    expect(page.get_by_role("heading", name="Same person?")).to_be_visible(timeout=SOON)
    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_text("leads here from now on")).to_be_visible(timeout=SOON)

    assert Contact.objects.get(name="Lin Hai").email == "lin@north.example"


def origin(page: Any) -> str:
    return str(page.evaluate("location.origin"))
