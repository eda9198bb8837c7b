"""The storage of uploads and exports on a disk, and a test whether an error means that nothing can be written."""

import errno
from typing import Any

from django.core.files.storage import FileSystemStorage
from django.db import DatabaseError
from django.utils.deconstruct import deconstructible


@deconstructible(path="partnerships.storage.WholeFileStorage")
class WholeFileStorage(FileSystemStorage):
    """Files under MEDIA_ROOT; one that could not be written to its end, because the disk is full, is removed."""

    def _save(self, name: str, content: Any) -> str:
        try:
            return super()._save(name, content)  # type: ignore[misc]
        except OSError:
            self.delete(name)
            raise


def is_unwritable(error: BaseException) -> bool:
    """Return whether this means that nothing can be saved now, whoever tries."""
    if isinstance(error, OSError):
        return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
    cause: Any = error.__cause__ if isinstance(error, DatabaseError) else None
    is_postgres = getattr(cause, "sqlstate", None) in {"25006", "53100"}  # read-only transaction, disk full
    return is_postgres or getattr(cause, "sqlite_errorcode", 0) & 0xFF in {8, 13}  # READONLY, FULL
