"""Documents and their files: checked at the upload, and stored unchanged."""

import datetime as dt
import hashlib
import unicodedata
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

from django.core.files.base import File
from django.db import models, transaction
from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput
from partnerships.models import Activity, Document, DocumentVersion, User
from partnerships.models.documents import DOCUMENT_TARGETS
from partnerships.models.office_day import office_day
from partnerships.names import has_invisible_characters
from partnerships.permissions import require
from partnerships.workflows.edits import Aggregate
from partnerships.workflows.transitions import lock

LARGEST_FILE = 25 * 1024 * 1024
# Limits against zip bombs, files of a few kilobytes that unpack to gigabytes. A large Office document stays below.
LARGEST_UNPACKED = 500 * 1024 * 1024
MOST_PARTS = 10_000
HEAD = 8192


def _starts_with(*magic: bytes) -> Callable[[File], bool]:
    return lambda file: _head(file).startswith(magic)


def _is_webp(file: File) -> bool:
    head = _head(file)
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def _is_text(file: File) -> bool:
    """Whether it is text in UTF-8, UTF-16 or GBK, and nothing a browser would take for a page."""
    file.seek(0)
    content = file.read()
    for encoding in ("utf-8-sig", "utf-16", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return not any(ord(char) < 32 and char not in "\t\n\r\f" for char in text) and not _looks_like_markup(text)
    return False


def _looks_like_markup(text: str) -> bool:
    # Some browsers guess the type by the first bytes; a page or picture with a script would run with the user's rights.
    start = text.lstrip().casefold()
    return start.startswith(("<!doctype", "<html", "<svg", "<script", "<?xml"))


def _is_office(part: str) -> Callable[[File], bool]:
    """Return a check for an Office document: a zip that has ``part``, without macros, and no zip bomb."""

    def looks_right(file: File) -> bool:
        try:
            with zipfile.ZipFile(file) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, ValueError, OSError):
            return False
        names = {entry.filename for entry in entries}
        is_sane = len(entries) <= MOST_PARTS and sum(entry.file_size for entry in entries) <= LARGEST_UNPACKED
        # A document with macros that was renamed from .docm to .docx still has this part.
        has_macros = any(name.casefold().endswith("vbaproject.bin") for name in names)
        return is_sane and not has_macros and {"[Content_Types].xml", part} <= names

    return looks_right


@dataclass(frozen=True)
class FileType:
    content_type: str
    looks_right: Callable[[File], bool]


_JPEG = FileType("image/jpeg", _starts_with(b"\xff\xd8\xff"))
_OOXML = "application/vnd.openxmlformats-officedocument"
FILE_TYPES: Mapping[str, FileType] = {
    ".pdf": FileType("application/pdf", _starts_with(b"%PDF-")),
    ".docx": FileType(f"{_OOXML}.wordprocessingml.document", _is_office("word/document.xml")),
    ".xlsx": FileType(f"{_OOXML}.spreadsheetml.sheet", _is_office("xl/workbook.xml")),
    ".pptx": FileType(f"{_OOXML}.presentationml.presentation", _is_office("ppt/presentation.xml")),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".png": FileType("image/png", _starts_with(b"\x89PNG\r\n\x1a\n")),
    ".webp": FileType("image/webp", _is_webp),
    ".tif": FileType("image/tiff", _starts_with(b"II*\0", b"MM\0*")),
    ".tiff": FileType("image/tiff", _starts_with(b"II*\0", b"MM\0*")),
    ".txt": FileType("text/plain; charset=utf-8", _is_text),
    ".csv": FileType("text/csv; charset=utf-8", _is_text),
}


ACCEPTED_KINDS = ", ".join(sorted(extension.removeprefix(".") for extension in FILE_TYPES))


def check_upload(file: File) -> FileType:
    """Return the type of a file, by its name and its content. Raises ``InvalidInput`` when it is not accepted."""
    # The type comes from our table. The one that the browser claims is chosen by whoever sends the file.
    name = _clean_name(file)
    extension = PurePath(name).suffix.casefold()
    file_type = FILE_TYPES.get(extension)
    if file_type is None:
        raise InvalidInput(
            _("Files of this kind are not accepted; these are: %(kinds)s.") % {"kinds": ACCEPTED_KINDS}, field="file"
        )
    if not file.size:
        raise InvalidInput(_("This file is empty."), field="file")
    if file.size > LARGEST_FILE:
        raise InvalidInput(_("This file is too large: 25 MB at most."), field="file")
    if not file_type.looks_right(file):
        raise InvalidInput(
            _("The content of this file does not fit its name (%(extension)s).") % {"extension": extension},
            field="file",
        )
    file.seek(0)
    return file_type


def add_version(document: Document, *, actor: User | None, file: File, at: dt.datetime) -> DocumentVersion:
    """Store ``file`` as the next version; the earlier ones stay as they are. The current file sent again is stored once.

    Effects in order: the file is checked and hashed, stored under a name that says nothing, and its row is written.
    A file whose row could not be written is removed again.
    """
    file_type = check_upload(file)
    with transaction.atomic():
        locked = lock(document)
        latest, sha256 = locked.versions.first(), _sha256(file)
        require(actor, "document.replace" if latest else "document.upload", locked)
        if latest and (latest.sha256, latest.original_name) == (sha256, _clean_name(file)):
            return latest
        version = DocumentVersion(
            document=locked,
            number=latest.number + 1 if latest else 1,
            original_name=_clean_name(file),
            content_type=file_type.content_type,
            size=file.size,
            sha256=sha256,
            uploaded_by=actor,
            uploaded_at=at,
        )
        version.file.save(version.original_name, file, save=False)
        _save_or_discard(version)
    return version


# A document stays with what it belongs to: moving it would open it to others.
DOCUMENT = Aggregate(Document, "document.upload", "document.replace", fixed=frozenset(DOCUMENT_TARGETS))


def register_document(
    document: Document,
    *,
    actor: User | None,
    today: dt.date,
    file: File | None,
    at: dt.datetime,
    parts: Sequence[models.Model] = (),
) -> Document:
    """Keep a new document with its first file, or none of both. The same one sent twice is kept once."""
    if not file:
        raise InvalidInput(_("Choose a file."), field="file")
    check_upload(file)
    target = next(name for name in DOCUMENT_TARGETS if getattr(document, f"{name}_id"))
    with transaction.atomic():
        # Of two identical uploads at once the second waits here, and then finds the document of the first.
        lock(document.target)
        require(actor, "document.upload", document)
        for known in Document.objects.filter(kind=document.kind, title=document.title, **{target: document.target}):
            if _is_current(known, file):
                # The page goes on with the row it gave us: it links to the document.
                document.pk, document._state.adding = known.pk, False
                document.refresh_from_db()
                return document
        DOCUMENT.register(document, parts, actor=actor)
        add_version(document, actor=actor, file=file, at=at)
    return document


def edit_document(
    document: Document,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[models.Model] = (),
    removed: Sequence[models.Model] = (),
    file: File | None = None,
    at: dt.datetime | None = None,
) -> Document:
    """Change its title or kind; with a ``file``, which becomes the current version, kept ``at`` a time."""
    with transaction.atomic():
        before, after = DOCUMENT.begin(document, changes, actor=actor)
        DOCUMENT.finish(before, after, parts, removed, actor=actor)
        if file and at:
            add_version(after, actor=actor, file=file, at=at)
    return after


def attach_to_activity(
    activity: Activity, *, actor: User | None, kind: str, files: Sequence[File], at: dt.datetime
) -> list[Document]:
    """Register each of ``files`` as a document of its own, called after the file. All of them, or none.

    Raises ``InvalidInput`` on ``files`` with the name of the first that is not taken.
    """
    for file in files:
        try:
            check_upload(file)
        except InvalidInput as error:
            raise InvalidInput(f"{PurePath(str(file.name)).name}: {error}", field="files") from error
    common: dict[str, Any] = {"actor": actor, "today": office_day(activity, at), "at": at}
    with transaction.atomic():
        titles = (PurePath(_clean_name(file)).stem for file in files)
        rows = (Document(activity=activity, kind=kind, title=title) for title in titles)
        return [register_document(row, file=file, **common) for row, file in zip(rows, files, strict=True)]


def _is_current(document: Document, file: File) -> bool:
    latest = document.versions.first()
    return latest is not None and (latest.sha256, latest.original_name) == (_sha256(file), _clean_name(file))


def _save_or_discard(version: DocumentVersion) -> None:
    # The disk knows no transaction. BaseException: also when the process is stopped, or a file would stay without a row.
    try:
        version.save()
    except BaseException:
        version.file.delete(save=False)
        raise


def _clean_name(file: Any) -> str:
    """Return the last part of the name; refuses characters that would hide its real ending."""
    name = unicodedata.normalize("NFC", PurePath(str(file.name or "").replace("\\", "/")).name)
    if has_invisible_characters(name):
        raise InvalidInput(_("The name of this file contains invisible characters."), field="file")
    if len(name) > 200:
        raise InvalidInput(_("The name of this file is too long: 200 characters at most."), field="file")
    return name


def _head(file: File) -> bytes:
    file.seek(0)
    return file.read(HEAD)


def _sha256(file: File) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
