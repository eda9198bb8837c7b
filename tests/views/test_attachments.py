"""Photos and minutes on an activity: kept together or not at all, shown and served to those who see it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from partnerships.models import Document
from tests.views.world import World

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 32


def photo(name: str, content: bytes = PNG) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/html")


def attach(client: Client, world: World, *files: Any) -> Any:
    return client.post(reverse("activity_attach", args=[world.activity.pk]), {"kind": "photo", "files": list(files)})


def test_several_at_once_are_kept_and_shown(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)

    answer = attach(client, world, photo("gate.png"), photo("厂区.png"))

    kept = Document.objects.filter(activity=world.activity).order_by("pk")
    assert answer.url == f"{world.activity.get_absolute_url()}#documents"
    assert [(row.title, row.kind, row.versions.get().content_type) for row in kept] == [
        ("gate", "photo", "image/png"),
        ("厂区", "photo", "image/png"),
    ]
    page = client.get(world.activity.get_absolute_url()).text
    assert page.count("<img") == 2
    file = client.get(reverse("document_download", args=[kept[0].pk, 1]))
    assert (b"".join(file), file["X-Content-Type-Options"]) == (PNG, "nosniff")


def test_one_bad_file_keeps_none_and_is_named(world: World, client_of: Callable[[Any], Client]) -> None:
    answer = attach(client_of(world.coordinator), world, photo("gate.png"), photo("page.png", b"<html>"))

    assert answer.status_code == 200
    assert "page.png: The content of this file does not fit its name (.png)." in answer.text
    assert Document.objects.filter(activity=world.activity).count() == 0


def test_no_file_is_asked_for(world: World, client_of: Callable[[Any], Client]) -> None:
    answer = attach(client_of(world.coordinator), world)

    assert "This field is required." in answer.text


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("outsider", 404), ("user_admin", 404)])
def test_others_may_not(role: str, status: int, world: World, client_of: Callable[[Any], Client]) -> None:
    answer = attach(client_of(world.people[role]), world, photo("gate.png"))

    assert (answer.status_code, Document.objects.filter(activity=world.activity).count()) == (status, 0)


class TestInABrowser:
    @pytest.mark.parametrize(("width", "has_scripts"), [(390, False), (1440, True)])
    def test_photos_are_added_from_the_page(
        self, width: int, has_scripts: bool, world: World, open_page: Callable[..., Any], tmp_path: Path
    ) -> None:
        page = open_page(world.activity.get_absolute_url(), world.coordinator, width=width, has_scripts=has_scripts)
        for photo_name in ("gate.png", "hall.png"):
            page.screenshot(path=tmp_path / photo_name)

        page.get_by_role("link", name="Add photos or minutes").click()
        page.get_by_label("Photos or minutes").set_input_files([tmp_path / "gate.png", tmp_path / "hall.png"])
        page.get_by_role("button", name="Upload").click()
        page.get_by_role("img", name="hall").wait_for()

        assert page.get_by_role("img", name="gate").count() == 1
