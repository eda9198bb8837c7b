"""Uploaded files and their rows: what one has without the other."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.core.files.storage import default_storage

from partnerships.models import DocumentVersion
from partnerships.models.documents import UPLOADS

CHUNK = 1 << 20  # bytes


def files_without_rows() -> list[str]:
    """Return the names of uploaded files that no version of a document refers to, in order.

    A file that is being uploaded at this moment may be among them: its row comes after it.
    """
    if not default_storage.exists(UPLOADS):
        return []
    _folders, files = default_storage.listdir(UPLOADS)
    known = set(DocumentVersion.objects.values_list("file", flat=True))
    return sorted({f"{UPLOADS}/{name}" for name in files} - known)


def rows_without_files() -> Iterator[DocumentVersion]:
    """Yield the versions of documents whose file is missing."""
    for version in _versions():
        if not version.file.storage.exists(str(version.file)):
            yield version


def rows_with_other_files() -> Iterator[DocumentVersion]:
    """Yield the versions whose file is there and holds something else than was uploaded. Reads every file."""
    for version in _versions():
        storage = version.file.storage
        if storage.exists(str(version.file)) and _sha256(storage, str(version.file)) != version.sha256:
            yield version


def _versions() -> Iterator[DocumentVersion]:
    return DocumentVersion.objects.select_related("document").order_by("pk").iterator()


def _sha256(storage: Any, name: str) -> str:
    digest = hashlib.sha256()
    with storage.open(name) as content:
        for part in iter(lambda: content.read(CHUNK), b""):
            digest.update(part)
    return digest.hexdigest()
