"""Documents and their files: checked at the upload, and stored unchanged."""

import datetime as dt
import hashlib
import re
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
from partnerships.permissions import may, require
from partnerships.workflows.edits import Aggregate
from partnerships.workflows.transitions import lock

LARGEST_FILE = 25 * 1024 * 1024
# Limits against zip bombs, files of a few kilobytes that unpack to gigabytes. A large Office document stays below.
LARGEST_UNPACKED = 500 * 1024 * 1024
MOST_PARTS = 10_000
HEAD = 8192


# How older Office files begin, and what names an installer of Windows, which begins so as well.
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MSI_CLASS = bytes.fromhex("84100c0000000000c000000000000046")
# The bytes at the start of a file in which browsers look for markup when they guess its type.
SNIFFED = 1024
MARKUP = re.compile(rb"<(?:!doctype|html|head|body|svg|script|iframe)\b", re.IGNORECASE)


def _starts_with(*magic: bytes) -> Callable[[File], bool]:
    return lambda file: _head(file).startswith(magic) and _is_one_thing(file)


def _is_webp(file: File) -> bool:
    head = _head(file)
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP" and _is_one_thing(file)


def _is_heic(file: File) -> bool:
    head = _head(file)
    brands = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
    return head[4:8] == b"ftyp" and head[8:12] in brands and _is_one_thing(file)


def _is_ole(file: File) -> bool:
    """Whether it is an older Office or WPS file: a compound file, which installers of Windows are as well."""
    file.seek(0)
    content = file.read()
    return content.startswith(OLE) and MSI_CLASS not in content and _is_one_thing(file)


def _is_one_thing(file: File) -> bool:
    """Whether a binary file is neither a page nor an archive to a program that looks elsewhere than at its start."""
    return MARKUP.search(_head(file)[:SNIFFED]) is None and not _ends_as_zip(file)


def _ends_as_zip(file: File) -> bool:
    """Whether the end of the file is the end of a zip: unpackers start there, whatever stands before."""
    # The record at the end: 22 bytes, the last two of them the length of the comment that follows.
    file.seek(max(0, file.size - 22 - 0xFFFF))
    tail = file.read()
    found = tail.rfind(b"PK\5\6")
    while found >= 0:
        if found + 22 <= len(tail) and found + 22 + int.from_bytes(tail[found + 20 : found + 22], "little") == len(
            tail
        ):
            return True
        found = tail.rfind(b"PK\5\6", 0, found)
    return False


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


def _is_mail(file: File) -> bool:
    """Whether it is an e-mail: header lines with a sender, an empty line, the message."""
    file.seek(0)
    content = file.read()
    headers = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0]
    lines = headers.splitlines()
    names = {line.partition(b":")[0].lower() for line in lines if not line.startswith((b" ", b"\t"))}
    are_headers = bool(lines) and all(re.match(rb"[!-9;-~]+:|[ \t]", line) for line in lines)
    return are_headers and {b"from"} < names and MARKUP.search(headers) is None and b"\0" not in content


def _is_zip(*parts: str) -> Callable[[File], bool]:
    """Return a check for a zip that has ``parts`` and is no zip bomb."""

    def looks_right(file: File) -> bool:
        names = _names_in_zip(file)
        return bool(names) and set(parts) <= names

    return looks_right


def _names_in_zip(file: File) -> set[str]:
    """Return the names in a zip; none for another file, a zip behind something else, or a zip bomb."""
    if not (_head(file).startswith(b"PK\3\4") and _ends_as_zip(file)):
        return set()
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        return set()
    is_sane = len(entries) <= MOST_PARTS and sum(entry.file_size for entry in entries) <= LARGEST_UNPACKED
    # Something may stand before a zip that looks like the start of one.
    starts_there = any(entry.header_offset == 0 for entry in entries)
    return {entry.filename for entry in entries} if is_sane and starts_there else set()


def _has_macros(file: File) -> bool:
    """Whether an Office document has macros, also one that was renamed from .docm to .docx."""
    if _head(file).startswith(OLE):
        file.seek(0)
        return "_VBA_PROJECT".encode("utf-16-le") in file.read()
    return any(name.casefold().endswith("vbaproject.bin") for name in _names_in_zip(file))


@dataclass(frozen=True)
class FileType:
    content_type: str
    looks_right: Callable[[File], bool]


_JPEG = FileType("image/jpeg", _starts_with(b"\xff\xd8\xff"))
_OOXML = "application/vnd.openxmlformats-officedocument"
# Pages show JPEG, PNG, WebP and PDF (``DocumentVersion.is_shown``); all others are only downloaded.
FILE_TYPES: Mapping[str, FileType] = {
    ".pdf": FileType("application/pdf", _starts_with(b"%PDF-")),
    ".ofd": FileType("application/ofd", _is_zip("OFD.xml")),
    ".docx": FileType(f"{_OOXML}.wordprocessingml.document", _is_zip("[Content_Types].xml", "word/document.xml")),
    ".xlsx": FileType(f"{_OOXML}.spreadsheetml.sheet", _is_zip("[Content_Types].xml", "xl/workbook.xml")),
    ".pptx": FileType(f"{_OOXML}.presentationml.presentation", _is_zip("[Content_Types].xml", "ppt/presentation.xml")),
    ".doc": FileType("application/msword", _is_ole),
    ".xls": FileType("application/vnd.ms-excel", _is_ole),
    ".ppt": FileType("application/vnd.ms-powerpoint", _is_ole),
    ".wps": FileType("application/wps-office.wps", _is_ole),
    ".et": FileType("application/wps-office.et", _is_ole),
    ".dps": FileType("application/wps-office.dps", _is_ole),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".png": FileType("image/png", _starts_with(b"\x89PNG\r\n\x1a\n")),
    ".webp": FileType("image/webp", _is_webp),
    ".heic": FileType("image/heic", _is_heic),
    ".tif": FileType("image/tiff", _starts_with(b"II*\0", b"MM\0*")),
    ".tiff": FileType("image/tiff", _starts_with(b"II*\0", b"MM\0*")),
    ".txt": FileType("text/plain; charset=utf-8", _is_text),
    ".csv": FileType("text/csv; charset=utf-8", _is_text),
    ".eml": FileType("message/rfc822", _is_mail),
    ".zip": FileType("application/zip", _is_zip()),
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
            _("Files of this kind are not accepted; these are: {kinds}.").format(kinds=ACCEPTED_KINDS), field="file"
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
    if _has_macros(file):
        raise InvalidInput(_("This file contains macros. Please save it without them first."), field="file")
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
        if document.organization:
            document.unit = document.organization.entering_unit(actor)
        require(actor, "document.upload", document)
        same = {"kind": document.kind, "title": document.title, "level": document.level, target: document.target}
        for known in Document.objects.filter(**same):
            # A copy that the actor may not read does not count: they would not see the document they uploaded.
            if _is_current(known, file) and (actor is None or may(actor, "document.view", known)):
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
    """Change its title, kind or readers; with a ``file``, which becomes the current version, kept ``at`` a time."""
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
