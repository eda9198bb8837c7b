"""Papers brought in on the pages: a new one, and the next version of one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from partnerships.factories import UnitFactory, UserFactory
from partnerships.models import AgreementUnit, Document
from partnerships.models.base import address_of_part
from tests.views.sections import section_url
from tests.views.sent import errors
from tests.views.world import World, make_world

PDF = b"%PDF-1.7\n" + b"0" * 64


def paper(name: str = "signed.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/html")


def add(target: str, row: Any) -> str:
    return reverse("document_add", args=[target, row.pk])


def replace(world: World) -> str:
    return reverse("document_replace", args=[world.version.document_id])


@pytest.fixture
def client(world: World, client_of: Callable[[Any], Client]) -> Client:
    return client_of(world.coordinator)


@pytest.mark.parametrize(
    ("target", "row"),
    [("agreement", "agreement"), ("organization", "enterprise"), ("facility", "facility"), ("demand", "demand")],
)
def test_a_paper_is_kept_and_shown_where_it_belongs(target: str, row: str, world: World, client: Client) -> None:
    about = getattr(world, row)
    page = client.get(about.get_absolute_url()).text

    answer = client.post(add(target, about), {"kind": "annex", "level": "holders", "title": "Annex 1", "file": paper()})

    kept = Document.objects.get(title="Annex 1")
    assert add(target, about) in page
    assert answer.url == address_of_part(about, "documents")
    assert (getattr(kept, f"{target}_id"), kept.versions.get().uploaded_by) == (about.pk, world.coordinator)
    assert kept.history.get().history_user == world.coordinator
    page = client.get(address_of_part(about, "documents")).text
    assert "Annex 1" in page
    assert reverse("document_replace", args=[kept.pk]) in page


def test_a_signed_agreement_without_its_paper_asks_for_that(world: World, client: Client) -> None:
    first = client.get(add("agreement", world.agreement)).context["form"]
    Document.objects.create(agreement=world.agreement, kind="signed_paper", title="Scan")
    then = client.get(add("agreement", world.agreement)).context["form"]

    assert [first["kind"].value(), first["title"].value()] == ["signed_paper", "Signed agreement"]
    assert [then["kind"].value(), then["title"].value()] == ["other", ""]


def test_the_same_paper_sent_twice_is_kept_once(world: World, client: Client) -> None:
    for _ in range(2):
        client.post(
            add("agreement", world.agreement),
            {"kind": "annex", "level": "holders", "title": "Annex 1", "file": paper()},
        )

    assert Document.objects.get(title="Annex 1").versions.count() == 1


def test_a_new_version_follows_the_old_one(world: World, client: Client) -> None:
    for _ in range(2):
        answer = client.post(replace(world), {"file": paper("新版.pdf")})

    versions = world.version.document.versions.order_by("number")
    assert answer.url == address_of_part(world.agreement, "documents")
    assert [version.original_name for version in versions] == ["minutes.txt", "新版.pdf"]
    assert client.get(section_url(world.agreement, "files")).text.index("新版.pdf") > 0


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (None, "This field is required."),
        (("page.html", PDF), "Files of this kind are not accepted"),
        (("page.pdf", b"<html>"), "does not fit its name"),
        (("empty.pdf", b""), "The submitted file is empty."),
    ],
)
def test_a_bad_file_is_said_at_its_field_and_keeps_nothing(file: Any, words: str, world: World, client: Client) -> None:
    sent = {"kind": "annex", "level": "holders", "title": "Annex 1"}

    added, replaced = (
        client.post(address, sent | ({"file": paper(*file)} if file else {}))
        for address in (add("agreement", world.agreement), replace(world))
    )

    assert [words in errors(page)["file"][0] for page in (added, replaced)] == [True, True]
    assert 'value="Annex 1"' in added.text
    assert Document.objects.filter(title="Annex 1").count() == 0
    assert world.version.document.versions.count() == 1


@pytest.mark.parametrize("title", ["", "x" * 10_000, "a\r\nb", "nul\0l"])
def test_a_bad_title_is_said_at_its_field(title: str, world: World, client: Client) -> None:
    answer = client.post(
        add("agreement", world.agreement), {"kind": "annex", "level": "holders", "title": title, "file": paper()}
    )

    assert list(errors(answer)) == ["title"]


@pytest.mark.parametrize(
    ("role", "statuses"), [("viewer", [403, 403, 403]), ("outsider", [404, 404, 403]), ("user_admin", [404, 404, 404])]
)
def test_others_may_not(role: str, statuses: list[int], world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.people[role])
    addresses = [add("agreement", world.agreement), replace(world), add("organization", world.enterprise)]

    answers = [
        client.post(address, {"kind": "annex", "level": "holders", "title": "Theirs", "file": paper()}).status_code
        for address in addresses
    ]

    assert answers == statuses
    assert Document.objects.filter(title="Theirs").count() == 0


def test_what_has_no_place_for_papers_is_no_page(world: World, client: Client) -> None:
    assert client.get(reverse("document_add", args=["user", world.coordinator.pk])).status_code == 404


def test_a_twin_units_papers_do_not_exist(world: World, client: Client) -> None:
    twin = make_world("South")

    assert client.post(add("facility", twin.facility), {"file": paper()}).status_code == 404
    assert client.post(add("demand", twin.demand), {"file": paper()}).status_code == 404


def test_a_unit_that_takes_part_is_offered_new_versions_of_its_own_papers_alone(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    unit = UnitFactory()
    AgreementUnit.objects.create(agreement=world.agreement, unit=unit)
    guest = client_of(UserFactory(coordinator_in=unit))
    guest.post(
        add("agreement", world.agreement), {"kind": "annex", "level": "holders", "title": "Annex 1", "file": paper()}
    )
    others = Document.objects.create(agreement=world.agreement, kind="annex", title="Annex 2")

    page = guest.get(section_url(world.agreement, "files")).text

    addresses = [reverse("document_replace", args=[row.pk]) for row in (Document.objects.get(title="Annex 1"), others)]
    assert [address in page for address in addresses] == [True, False]
    assert [guest.get(address).status_code for address in addresses] == [200, 403]
