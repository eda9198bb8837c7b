"""Files leave as attachments, under their own name, to whoever may have them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from partnerships.factories import DocumentVersionFactory, EventFactory, ProgrammeFactory
from partnerships.workflows.documents import FILE_TYPES
from tests.views.sections import section_url
from tests.views.world import World


def address(version: Any, number: int | None = None) -> str:
    return reverse("document_download", args=[version.document_id, number or version.number])


def test_a_file_is_an_attachment_under_its_own_name(world: World, client_of: Callable[[Any], Client]) -> None:
    version = DocumentVersionFactory(
        document__agreement=world.agreement, original_name="签署 协议.html", content_type="text/html"
    )

    response = client_of(world.coordinator).get(address(version))

    assert b"".join(response) == b"Minutes of the meeting\n"
    assert response["Content-Disposition"] == (
        "attachment; filename*=utf-8''%E7%AD%BE%E7%BD%B2%20%E5%8D%8F%E8%AE%AE.html"
    )
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_a_version_that_does_not_exist_is_no_page(world: World, client_of: Callable[[Any], Client]) -> None:
    assert client_of(world.coordinator).get(address(world.version, 7)).status_code == 404


def test_a_file_lost_from_the_store_is_no_error_page(world: World, client_of: Callable[[Any], Client]) -> None:
    Path(world.version.file.path).unlink()

    assert client_of(world.coordinator).get(address(world.version)).status_code == 404


def test_the_papers_of_an_event_are_its_units(world: World, client_of: Callable[[Any], Client]) -> None:
    """Whoever has a role reads the event; its papers stay with its unit."""
    version = DocumentVersionFactory(document__agreement=None, document__event=EventFactory(unit=world.unit))

    own = client_of(world.coordinator).get(address(version))
    foreign = client_of(world.people["outsider"]).get(address(version))

    assert b"".join(own) == b"Minutes of the meeting\n"
    assert foreign.status_code == 404


def test_a_policy_of_a_programme_is_everybodys_to_read(world: World, client_of: Callable[[Any], Client]) -> None:
    programme = ProgrammeFactory(unit=world.unit)
    version = DocumentVersionFactory(
        document__agreement=None, document__programme=programme, document__kind="policy", document__title="City policy"
    )
    outsider = client_of(world.people["outsider"])

    assert b"".join(outsider.get(address(version))) == b"Minutes of the meeting\n"
    assert "City policy" in outsider.get(section_url(programme, "files")).text


def test_the_choice_of_a_file_says_what_is_accepted_and_asks_again(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    client, url = client_of(world.coordinator), reverse("document_add", args=["agreement", world.agreement.pk])

    asked = client.get(url).text
    again = client.post(url, {"title": "", "kind": "other", "file": SimpleUploadedFile("paper.txt", b"Words")})

    accepted = re.findall(r'accept="([^"]*)"', asked)
    assert [set(kinds.split(",")) for kinds in accepted] == [set(FILE_TYPES)]
    assert "csv, doc, docx, dps, eml, et, heic" in asked
    assert again.text.count("Please choose the file again") == 2  # above the form, and at the field


class TestInABrowser:
    @pytest.mark.parametrize("in_admin", [False, True])
    def test_a_file_that_would_be_refused_is_named_before_it_is_sent(
        self, in_admin: bool, world: World, open_page: Callable[..., Any]
    ) -> None:
        page_of_agreement = reverse("document_add", args=["agreement", world.agreement.pk])
        address = reverse("admin:partnerships_document_add") if in_admin else page_of_agreement
        page = open_page(address, world.people["staff"])
        file = page.locator("input[type=file]")

        file.set_input_files({"name": "program.exe", "mimeType": "text/plain", "buffer": b"MZ"})
        page.get_by_role("alert").get_by_text("program.exe: Files of this kind are not accepted").wait_for()
        assert file.input_value() == ""
        file.evaluate("input => input.dataset.largest = 8")
        file.set_input_files({"name": "paper.pdf", "mimeType": "text/plain", "buffer": b"%PDF-1.7 "})
        page.get_by_role("alert").get_by_text("paper.pdf: This file is too large").wait_for()
        file.set_input_files({"name": "PAPER.PDF", "mimeType": "text/plain", "buffer": b"%PDF-1.7"})

        assert (page.get_by_role("alert").count(), file.input_value()) == (0, "C:\\fakepath\\PAPER.PDF")
