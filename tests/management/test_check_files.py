"""`manage.py check_files` finds uploads without rows, rows without files, and files that changed."""

from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from partnerships.factories import DocumentVersionFactory

pytestmark = pytest.mark.django_db


def check(*options: str) -> tuple[list[str], str]:
    """Return the lines it printed and what it ended with, "" for success."""
    out = StringIO()
    try:
        call_command("check_files", *options, stdout=out)
    except CommandError as error:
        return out.getvalue().splitlines(), str(error)
    return out.getvalue().splitlines(), ""


def test_all_is_well_with_and_without_uploads() -> None:
    well = (["Each file has its document, and each document its file."], "")

    assert check() == well
    DocumentVersionFactory(content=b"signed")
    assert check("--content") == well


def test_it_names_what_one_has_without_the_other() -> None:
    kept = DocumentVersionFactory(content=b"signed", document__title="Agreement")
    lost = DocumentVersionFactory(content=b"lost", document__title="Minutes")
    lost.file.storage.delete(lost.file.name)
    default_storage.save("documents/stray", ContentFile(b"whose?"))

    lines, end = check()

    assert lines == ["File without a document: documents/stray", f"Missing file of “Minutes”, version 1: {lost.file}"]
    assert end == "Found: 2."
    assert default_storage.exists(str(kept.file))
    assert default_storage.exists("documents/stray")  # it changes nothing


def test_with_content_it_finds_a_file_that_changed() -> None:
    version = DocumentVersionFactory(content=b"signed", document__title="Agreement")
    with version.file.storage.open(str(version.file), "wb") as file:
        file.write(b"forged")

    assert check()[1] == ""
    assert check("--content") == ([f"Changed file of “Agreement”, version 1: {version.file}"], "Found: 1.")
