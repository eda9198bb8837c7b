"""Images and PDF files are shown on a page, all other files are only downloaded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.demo.documents import pdf, png
from partnerships.factories import DocumentVersionFactory
from partnerships.models import DocumentVersion, SecurityEvent
from tests.services.stack import eventually
from tests.views.sections import section_url
from tests.views.test_security import STRICT
from tests.views.world import World

FILES = {
    "image/png": ("gate.png", png(20, 10)),
    "image/jpeg": ("gate.jpg", b"\xff\xd8\xff"),
    "image/webp": ("gate.webp", b"RIFF0000WEBP"),
    "application/pdf": ("plan.pdf", pdf(["Plan"])),
}
INLINE = {"default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'self'"}


def version_of(world: World, content_type: str, **given: Any) -> DocumentVersion:
    name, content = FILES.get(content_type, ("file", b"<script>alert(1)</script>"))
    common = {"document__agreement": world.agreement, "document__title": "Gate", "content_type": content_type}
    version: DocumentVersion = DocumentVersionFactory(**common | {"original_name": name, "content": content} | given)
    return version


def page_of(version: DocumentVersion) -> str:
    return reverse("document_preview", args=[version.document_id, version.number])


def file_of(version: DocumentVersion) -> str:
    return reverse("document_inline", args=[version.document_id, version.number])


def policy(response: Any) -> set[str]:
    return {part.strip() for part in response["Content-Security-Policy"].split(";")}


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.people["viewer"])


@pytest.mark.parametrize("content_type", FILES)
def test_what_browsers_show_safely_opens_on_a_page(content_type: str, world: World, client: Client) -> None:
    version = version_of(world, content_type)

    listed = client.get(section_url(world.agreement, "files")).text
    page = client.get(page_of(version))
    file = client.get(file_of(version))

    name, content = FILES[content_type]
    assert f'href="{page_of(version)}"' in listed
    assert ("<img" in page.text, "<object" in page.text) == (version.is_image, not version.is_image)
    assert file_of(version) in page.text
    assert reverse("document_download", args=[version.document_id, 1]) in page.text
    assert policy(page) == STRICT - {"object-src 'none'"} | {"object-src 'self'"}
    assert page["X-Frame-Options"] == "DENY"
    assert (b"".join(file), file["Content-Type"]) == (content, content_type)
    assert file["Content-Disposition"] == f'inline; filename="{name}"'
    assert (policy(file), file["X-Frame-Options"]) == (INLINE, "SAMEORIGIN")
    assert (file["X-Content-Type-Options"], file["Cache-Control"]) == ("nosniff", "private, no-store")


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "text/plain; charset=utf-8", "image/tiff"])
def test_other_files_are_only_downloaded(content_type: str, world: World, client: Client) -> None:
    version = version_of(world, content_type)
    download = reverse("document_download", args=[version.document_id, 1])

    listed = client.get(section_url(world.agreement, "files")).text

    assert f'href="{download}"' in listed
    assert client.get(page_of(version)).url == download
    assert client.get(file_of(version)).status_code == 404


def test_what_is_shown_is_written_like_a_download(world: World, client: Client) -> None:
    version = version_of(world, "application/pdf")

    client.get(page_of(version))
    b"".join(client.get(file_of(version)))

    [event] = SecurityEvent.objects.filter(kind=SecurityEvent.Kind.DOCUMENT_DOWNLOADED)
    assert (event.user, event.about) == (world.people["viewer"], "Gate · plan.pdf")


def test_a_file_lost_from_the_store_is_said(world: World, client: Client) -> None:
    version = version_of(world, "application/pdf")
    Path(version.file.path).unlink()

    for address in (page_of(version), file_of(version)):
        answer = client.get(address)
        assert (answer.status_code, "no longer in the store" in answer.text) == (404, True)


@pytest.mark.parametrize("role", ["outsider", "coordinator"])
def test_what_one_may_not_read_is_not_shown(role: str, world: World, client_of: Callable[[Any], Client]) -> None:
    version = version_of(world, "application/pdf", document__level="leads")
    client = client_of(world.people[role])

    assert [client.get(address).status_code for address in (page_of(version), file_of(version))] == [404, 404]


class TestInABrowser:
    @pytest.mark.parametrize("width", [390, 1440])
    def test_an_image_is_shown_and_opens_by_itself(
        self, width: int, world: World, open_page: Callable[..., Any]
    ) -> None:
        version = version_of(world, "image/png")
        page = open_page(section_url(world.agreement, "files"), world.coordinator, width=width)

        page.get_by_role("link", name="gate.png").first.click()
        image = page.get_by_role("img", name="Gate")
        image.wait_for()
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="Open in a new tab").press("Enter")

        assert image.evaluate("image => image.naturalWidth") == 20
        opened.value.wait_for_url(f"**{file_of(version)}")
        assert page.locator("#broken").is_hidden()

    def test_a_pdf_is_shown_by_the_browser(self, world: World, open_page: Callable[..., Any]) -> None:
        version = version_of(world, "application/pdf")
        page = open_page(page_of(version), world.coordinator)

        # The viewer is a frame of the browser's own, and it loads the file once more into another one.
        def frames() -> list[str]:
            page.title()  # frames are noted while the driver is asked something
            return [frame.url for frame in page.frames if frame.url.endswith(file_of(version))]

        eventually(lambda: len(frames()) == 2)

        assert page.get_by_text("Your browser does not show PDF files").is_hidden()

    def test_a_broken_image_is_said(self, world: World, open_page: Callable[..., Any]) -> None:
        version = version_of(world, "image/jpeg")
        page = open_page(page_of(version), world.coordinator)

        page.get_by_role("alert").get_by_text("it may be damaged").wait_for()

        assert page.locator("img.preview").is_hidden()
