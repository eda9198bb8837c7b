"""A report as a Word document, made from the office's own template in a process with limits."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from partnerships.exceptions import DomainError
from partnerships.reports import docx_process
from partnerships.reports.report_document import ReportDocument

OWN_TEMPLATE = Path(__file__).with_name("report.docx")
PROGRAM = Path(docx_process.__file__)
MEGABYTE = 1 << 20
LIMITS = {"memory": 1024 * MEGABYTE, "seconds": 30, "size": 30 * MEGABYTE}


class UnusableTemplate(DomainError):
    """The office's template could not be filled: it is no Word document, has a mistake, or takes too much time or room."""


def office_template() -> Path:
    """Return the template that the office put into the folder of the site, or ours."""
    own: Path = settings.DATA_DIR / "report-template.docx"
    return own if own.is_file() else OWN_TEMPLATE


def docx_of(document: ReportDocument, template: Path | None = None, limits: dict[str, int] = LIMITS) -> bytes:
    """Return the bytes of a document. Raises ``UnusableTemplate``."""
    values: dict[str, Any] = asdict(document)
    for section, plain in zip(document.sections, values["sections"], strict=True):
        del plain["chart"]
        if section.table is not None:
            plain["table"] = {"headings": list(section.table.headings), "rows": section.table.shown}
    try:
        made = subprocess.run(
            # Isolated: neither the environment nor the folder it runs in changes what it imports.
            [sys.executable, "-I", str(PROGRAM), str((template or office_template()).resolve()), json.dumps(limits)],
            input=json.dumps(values).encode(),
            capture_output=True,
            timeout=limits["seconds"],
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnusableTemplate(_("The Word template takes too long to fill. Simplify its loops.")) from error
    if made.returncode or not made.stdout.startswith(b"PK"):
        raise UnusableTemplate(
            _("The Word template cannot be filled. Check its fields, or remove it to use the standard one.")
        )
    return made.stdout
