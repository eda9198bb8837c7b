"""The archive of a data exit: a zip with tables, files, a description and, last, a manifest. Read as if a stranger had made it."""

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from partnerships.management.backups.databases import known_migrations
from partnerships.management.data_exit import dictionary
from partnerships.management.data_exit.errors import DataExitError
from partnerships.management.data_exit.tables import (
    LEFT_OUT,
    exit_models,
    last_ids,
    lines_of,
    snapshot,
    stored_uploads,
)

FORMAT = 1
PRODUCT = "partnerships data exit"
MANIFEST, README, DICTIONARY = "manifest.json", "README.md", "dictionary.csv"
TABLES, FILES = "tables/", "files/"
CHUNK = 1024 * 1024
LARGEST_MANIFEST = 100 * CHUNK
LONGEST_LINE = 256 * CHUNK  # a mail with its attachments
# What unpacks to more than this many times its size is made to fill a disk, unless it is small anyway.
MOST_TIMES, SMALL = 250, 20 * CHUNK


@dataclass
class ArchiveManifest:
    """``entries`` are the files of the archive with size and sha256, ``rows`` the number of rows of each table.

    ``last_ids`` are the last ids that the tables have given, ``missing`` the uploads that were gone already.
    """

    format: int
    product: str
    version: str
    taken_at: str
    migrations: list[str]
    with_passwords: bool
    left_out: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    last_ids: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def upload_count(self) -> int:
        return sum(name.startswith(FILES) for name in self.entries)


def write_archive(path: Path, *, version: str, taken_at: str, with_passwords: bool) -> ArchiveManifest:
    """Write the archive of this site at ``path``, which does not exist yet, row by row."""
    manifest = ArchiveManifest(
        FORMAT, PRODUCT, version, taken_at, sorted(known_migrations()), with_passwords, dict(LEFT_OUT)
    )
    # It holds personal data: readable by its owner alone, and never written over another file.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            with snapshot():
                for model in exit_models():
                    table = model._meta.db_table
                    with _entry(archive, manifest, f"{TABLES}{table}.jsonl") as out:
                        manifest.rows[table] = sum(
                            1 for line in lines_of(model, with_passwords=with_passwords) if out.write(line)
                        )
                manifest.last_ids, uploads = last_ids(), stored_uploads()
            # An upload is stored before its row and never changed, so each file that the snapshot names is complete.
            for name in uploads:
                _add_upload(archive, manifest, name)
            for name, text in (
                (DICTIONARY, dictionary.columns_as_csv(with_passwords=with_passwords)),
                (README, dictionary.readme(manifest.rows, with_passwords=with_passwords)),
            ):
                with _entry(archive, manifest, name) as out:
                    out.write(text.encode())
            archive.writestr(MANIFEST, json.dumps(asdict(manifest), ensure_ascii=False, indent=1))
        file.flush()
        os.fsync(file.fileno())
    return manifest


class _HashedOutput:
    """A file of the archive that counts its size and checksum while it is written."""

    def __init__(self, out: IO[bytes]) -> None:
        self.out, self.size, self.digest = out, 0, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.digest.update(data)
        return self.out.write(data)


@contextmanager
def _entry(
    archive: zipfile.ZipFile, manifest: ArchiveManifest, name: str, *, is_packed: bool = False
) -> Iterator[_HashedOutput]:
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    with archive.open(info, "w", force_zip64=True) as out:
        hashed = _HashedOutput(out)
        yield hashed
    manifest.entries[name] = {"sha256": hashed.digest.hexdigest(), "size": hashed.size}


def _add_upload(archive: zipfile.ZipFile, manifest: ArchiveManifest, name: str) -> None:
    try:
        source = default_storage.open(name)
    except FileNotFoundError:
        manifest.missing.append(name)
        return
    # Papers and pictures are packed already.
    with source, _entry(archive, manifest, FILES + name, is_packed=True) as out:
        while data := source.read(CHUNK):
            out.write(data)


class Archive:
    """An archive that is read. Each file is compared with the manifest while it is read; a difference is refused."""

    def __init__(self, file: zipfile.ZipFile, size: int) -> None:
        self._file = file
        self._infos = {info.filename: info for info in file.infolist()}
        self._check_entries(size)
        self.manifest = self._read_manifest()
        named = {name: one["size"] for name, one in self.manifest.entries.items()}
        if named != {name: info.file_size for name, info in self._infos.items() if name != MANIFEST}:
            raise DataExitError(_("The archive has other files than its manifest says."))

    def _check_entries(self, size: int) -> None:
        infos = self._file.infolist()
        tables = {f"{TABLES}{model._meta.db_table}.jsonl" for model in exit_models()}
        if len(infos) != len(self._infos):
            raise DataExitError(_("The archive holds a file twice."))
        for info in infos:
            name = info.filename
            parts = name.removeprefix(FILES).split("/")
            is_upload = name.startswith(FILES) and not {"", ".", ".."} & set(parts) and "\\" not in name
            if not (is_upload or name in tables | {MANIFEST, README, DICTIONARY}) or info.flag_bits & 1:
                raise DataExitError(
                    _("The archive holds something that does not belong there: %(name)r.") % {"name": name}
                )
            if info.file_size > max(SMALL, MOST_TIMES * info.compress_size):
                raise DataExitError(_("%(name)s unpacks to far more than is usual; it is not read.") % {"name": name})
        if sum(info.compress_size for info in infos) > size:  # files that share their bytes
            raise DataExitError(_("The archive is not what `manage.py export_all` writes."))
        if missing := sorted((tables | {MANIFEST}) - self._infos.keys()):
            raise DataExitError(_("The archive lacks %(name)s.") % {"name": missing[0]})

    def _read_manifest(self) -> ArchiveManifest:
        if self._infos[MANIFEST].file_size > LARGEST_MANIFEST:
            raise DataExitError(_("The manifest of the archive cannot be read."))
        try:
            manifest = ArchiveManifest(**json.loads(self._file.read(MANIFEST)))
            _check_types(manifest)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise DataExitError(_("The manifest of the archive cannot be read.")) from error
        if (manifest.product, manifest.format) != (PRODUCT, FORMAT):
            raise DataExitError(_("The archive is not what `manage.py export_all` writes."))
        return manifest

    def lines(self, table: str) -> Iterator[bytes]:
        """Return the lines of a table. Raises ``DataExitError`` at the end if they are not what was written."""
        name, count = f"{TABLES}{table}.jsonl", 0
        with self._opened(name) as (file, digest):
            while line := file.readline(LONGEST_LINE):
                digest.update(line)
                count += 1
                yield line
        if count != self.manifest.rows.get(table):
            raise _differs(name)

    def check_description(self) -> None:
        for name in sorted({README, DICTIONARY} & self._infos.keys()):
            with self._opened(name) as (file, digest):
                while data := file.read(CHUNK):
                    digest.update(data)

    def unpack_uploads(self, into: Path) -> list[str]:
        """Unpack the uploads into the empty folder ``into`` and return their names."""
        names = [name for name in self._infos if name.startswith(FILES)]
        if sum(self._infos[name].file_size for name in names) > shutil.disk_usage(into).free:
            raise DataExitError(_("There is not enough room for the files of the archive."))
        for name in names:
            target = into / name.removeprefix(FILES)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._opened(name) as (file, digest), target.open("xb") as out:
                while data := file.read(CHUNK):
                    digest.update(data)
                    out.write(data)
        return [name.removeprefix(FILES) for name in names]

    @contextmanager
    def _opened(self, name: str) -> Iterator[tuple[IO[bytes], Any]]:
        digest = hashlib.sha256()
        with self._file.open(name) as file:
            yield file, digest
        if digest.hexdigest() != self.manifest.entries[name]["sha256"]:
            raise _differs(name)


def _check_types(manifest: ArchiveManifest) -> None:
    """Raise ``ValueError`` for a manifest that holds something else than one of ours."""
    texts = [manifest.version, manifest.taken_at, *manifest.migrations, *manifest.missing]
    numbers = [*manifest.rows.values(), *manifest.last_ids.values()]
    are_right = (
        all(isinstance(text, str) for text in texts)
        and all(type(number) is int and 0 <= number < 2**63 for number in numbers)
        and all(one.keys() == {"sha256", "size"} for one in manifest.entries.values())
    )
    if not are_right:
        raise ValueError(manifest.product)


def _differs(name: str) -> DataExitError:
    return DataExitError(_("%(name)s is not what was exported: its checksum differs.") % {"name": name})


@contextmanager
def opened_archive(path: Path) -> Iterator[Archive]:
    """Open an archive for reading; whatever is wrong with it is a ``DataExitError``."""
    try:
        with zipfile.ZipFile(path) as file:
            yield Archive(file, path.stat().st_size)
    except FileNotFoundError as error:
        raise DataExitError(_("There is no file %(path)s.") % {"path": path}) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        words = _("%(path)s is no archive, or not all of it: %(error)s")
        raise DataExitError(words % {"path": path, "error": error}) from error
