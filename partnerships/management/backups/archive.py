"""The file of a backup: a tar with the database, the uploads and, last, the manifest. Read as if a stranger had made it."""

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

FORMAT = 2  # 1: before version 0.2.0
PRODUCT = "partnerships"
MANIFEST = "manifest.json"
DATABASE = "database"
UPLOADS = "uploads/"
LARGEST_MANIFEST = 200 * 1024 * 1024
CHUNK = 1024 * 1024


class BackupError(Exception):
    """Why there is no backup, or why this one is not restored: a sentence for the operator."""


@dataclass
class Manifest:
    """``rows`` by table, ``files`` by their name in the tar with sha256 and size; ``missing``: uploads that were gone."""

    format: int
    product: str
    version: str
    taken_at: str
    database: str  # "sqlite" or "postgresql"
    migrations: list[str]
    rows: dict[str, int]
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def write(path: Path, manifest: Manifest, database: Path, uploads: Iterable[str]) -> None:
    """Write the tar at ``path``, flush it to the disk, and complete ``manifest``."""
    # A backup holds personal data: readable by its owner alone, and never written over another file.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            with database.open("rb") as source:
                _add(tar, manifest, DATABASE, source, database.stat().st_size)
            for name in uploads:
                _add_upload(tar, manifest, name)
            # The manifest comes last: the checksums are known once everything has been read.
            text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
            tar.addfile(_entry(MANIFEST, len(text)), io.BytesIO(text))
        file.flush()
        os.fsync(file.fileno())


def _add_upload(tar: tarfile.TarFile, manifest: Manifest, name: str) -> None:
    try:
        source = default_storage.open(name)
    except FileNotFoundError:
        manifest.missing.append(name)
        return
    with source:
        _add(tar, manifest, UPLOADS + name, source, source.size)


def _add(tar: tarfile.TarFile, manifest: Manifest, name: str, source: Any, size: int) -> None:
    hashed = _Hashed(source)
    tar.addfile(_entry(name, size), hashed)  # type: ignore[arg-type] # it reads, and that is all that is asked
    manifest.files[name] = {"sha256": hashed.digest.hexdigest(), "size": size}


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    return entry


class _Hashed:
    """A file that counts its checksum while it is read."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.digest = hashlib.sha256()

    def read(self, size: int) -> bytes:
        data: bytes = self.source.read(size)
        self.digest.update(data)
        return data


def unpack(path: Path, into: Path) -> Manifest:
    """Unpack the whole backup into the empty folder ``into`` and check every name, size and checksum.

    Raises ``BackupError`` when anything is not as the manifest says, or is not a plain file below ``into``: links,
    devices, and names that lead elsewhere.
    """
    found: dict[str, object] = {}
    text = b""
    try:
        # "r:" refuses a compressed file, which could be a bomb of a few kilobytes.
        with tarfile.open(path, "r:") as tar:
            for entry in tar:
                name = _checked_name(entry, found)
                source = tar.extractfile(entry)
                assert source is not None  # a plain file, as was checked
                if name == MANIFEST:
                    text = source.read(LARGEST_MANIFEST)
                else:
                    found[name] = _unpack_one(source, into / name)
    except FileNotFoundError as error:
        raise BackupError(_("There is no file %(path)s.") % {"path": path}) from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BackupError(
            _("%(path)s is no backup, or not all of it: %(error)s") % {"path": path, "error": error}
        ) from error
    manifest = _read_manifest(path, text)
    _compare(manifest, found)
    return manifest


def _checked_name(entry: tarfile.TarInfo, found: dict[str, object]) -> str:
    name = entry.name
    parts = name.removeprefix(UPLOADS).split("/")
    is_safe = not {"", ".", ".."} & set(parts) and "\\" not in name and "\0" not in name
    is_known = name in {MANIFEST, DATABASE} or name.startswith(UPLOADS)
    if not (entry.isreg() and is_safe and is_known) or name in found:
        raise BackupError(_("The backup holds something that does not belong there: %(name)r.") % {"name": name})
    return name


def _unpack_one(source: Any, target: Path) -> dict[str, object]:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hashed = _Hashed(source)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        _copy(hashed, file)
    return {"sha256": hashed.digest.hexdigest(), "size": target.stat().st_size}


def _copy(source: _Hashed, target: BinaryIO) -> None:
    while data := source.read(CHUNK):
        target.write(data)


def _read_manifest(path: Path, text: bytes) -> Manifest:
    if not text:
        raise BackupError(_("%(path)s is not all of a backup: its end is missing.") % {"path": path})
    try:
        values = json.loads(text)
        made_by, written_as = values["product"], values["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BackupError(_("The manifest of the backup cannot be read.")) from error
    if made_by != PRODUCT:
        raise BackupError(_("This is a backup of something else: %(what)r.") % {"what": made_by})
    if written_as == 1:
        raise BackupError(
            _("The backup was made by a version before 0.2.0, which this one cannot restore. Nothing was changed.")
        )
    if written_as != FORMAT:
        raise BackupError(
            _("The backup is written in format %(format)r; this version reads format %(known)s.")
            % {"format": written_as, "known": FORMAT}
        )
    return _typed(values)


def _typed(values: Any) -> Manifest:
    try:
        manifest = Manifest(**values)
    except TypeError as error:
        raise BackupError(_("The manifest of the backup cannot be read.")) from error
    shapes = {
        "version": str,
        "taken_at": str,
        "database": str,
        "migrations": list,
        "rows": dict,
        "files": dict,
        "missing": list,
    }
    is_sound = all(isinstance(getattr(manifest, name), shape) for name, shape in shapes.items())
    if not is_sound or not all(isinstance(count, int) for count in manifest.rows.values()):
        raise BackupError(_("The manifest of the backup cannot be read."))
    return manifest


def _compare(manifest: Manifest, found: Mapping[str, object]) -> None:
    for name in sorted(manifest.files.keys() | found.keys()):
        if name not in found:
            raise BackupError(_("The backup lacks %(name)s, which its manifest names.") % {"name": name})
        if found[name] != manifest.files.get(name):
            raise BackupError(_("%(name)s is not what was backed up: its checksum differs.") % {"name": name})
    if DATABASE not in found:
        raise BackupError(_("The backup lacks %(name)s, which its manifest names.") % {"name": DATABASE})


def put_uploads_in_place(directory: Path) -> int:
    """Move what was unpacked to where the site keeps uploads, and return how many. Others that are there stay."""
    root = directory / UPLOADS
    count = 0
    for source in sorted(path for path in root.rglob("*") if path.is_file()):
        target = Path(default_storage.path(str(source.relative_to(root))))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source, target)
        count += 1
    return count
