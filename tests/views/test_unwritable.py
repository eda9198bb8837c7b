"""Pages say that nothing can be saved or that a file is lost, and nothing is left half done."""

import datetime as dt
import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from partnerships.factories import DAY, NOON
from partnerships.models import Document
from tests.views.world import World


def full_disk(*_arguments: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


@contextmanager
def read_only_database() -> Iterator[None]:
    """Let the database refuse every change, as a server that stands by or a volume that is read-only does."""
    is_sqlite = connection.vendor == "sqlite"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = 1" if is_sqlite else "SET LOCAL transaction_read_only = on")
            yield
            transaction.set_rollback(True)
    finally:
        if is_sqlite:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA query_only = 0")


@pytest.mark.both_databases
def test_pages_are_still_read_where_nothing_can_be_saved(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)

    # By now the session would be saved with the time of its last use.
    with time_machine.travel(NOON + dt.timedelta(minutes=5), tick=False), read_only_database():
        read = client.get(world.agreement.get_absolute_url())
        saved = client.post(reverse("agreement_step", args=[world.draft.pk, "submit"]), {"version": 1, "on": DAY})

    assert (read.status_code, saved.status_code) == (200, 503)
    assert "North signed" in read.text


def test_a_full_disk_during_an_upload_is_said_and_leaves_nothing(
    world: World, client_of: Callable[[Any], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Document.objects.count()
    monkeypatch.setattr("django.core.files.storage.filesystem.locks.lock", full_disk)
    address = reverse("document_add", args=["agreement", world.agreement.pk])
    file = SimpleUploadedFile("plan.txt", b"The plan")

    response = client_of(world.coordinator).post(
        address, {"kind": "other", "level": "holders", "title": "Plan", "file": file}
    )

    assert response.status_code == 503
    assert "Nothing can be saved at the moment" in response.text
    assert Document.objects.count() == before


def test_a_file_that_was_not_written_whole_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.core.files.storage.filesystem.locks.lock", full_disk)

    with pytest.raises(OSError, match="No space"):
        default_storage.save("documents/half.txt", ContentFile(b"half"))

    assert not default_storage.exists("documents/half.txt")


def test_a_lost_file_has_a_page_that_says_so(world: World, client_of: Callable[[Any], Client]) -> None:
    Path(world.version.file.path).unlink()

    address = reverse("document_download", args=[world.version.document_id, world.version.number])
    response = client_of(world.coordinator).get(address)

    assert response.status_code == 404
    assert "The file is missing" in response.text
