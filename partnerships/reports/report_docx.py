"""A report as a Word document: the office's own template, or ours, is filled in a process with limits."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from partnerships.exceptions import DomainError
from partnerships.reports import docx_process
from partnerships.reports.report_document import DocumentSection, ReportDocument

FILLER = Path(docx_process.__file__)
# Ours. An office begins its own with a copy of it, and puts that into the folder of the site's data.
TEMPLATE = Path(__file__).with_name("report.docx")
OFFICE_TEMPLATE = "report-template.docx"
MEGABYTE = 1 << 20
NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class TemplateLimits:
    """How much a template may ask for: bytes as kept and unpacked, memory and time of the filler."""

    size: int = 20 * MEGABYTE
    unpacked: int = 100 * MEGABYTE
    memory: int = 768 * MEGABYTE
    seconds: int = 20


LIMITS = TemplateLimits()


class UnusableTemplate(DomainError):
    """A template that cannot be filled. The message is for the person who keeps it."""


def office_template() -> Path:
    """Return the template of the office, ours where it has none."""
    own: Path = settings.DATA_DIR / OFFICE_TEMPLATE
    return own if own.exists() else TEMPLATE


def docx_of(document: ReportDocument, *, template: Path | None = None, limits: TemplateLimits = LIMITS) -> bytes:
    """Return the filled template, without one that of the office. Raises ``UnusableTemplate``."""
    template = template or office_template()
    if not template.is_file():
        raise UnusableTemplate(_("There is no template at %(path)s.") % {"path": template})
    try:
        done = subprocess.run(
            # Isolated: neither the environment nor the folder it runs in changes what it imports.
            [sys.executable, "-I", str(FILLER), str(template.resolve()), json.dumps(asdict(limits))],
            input=json.dumps(_clean(template_values(document))).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            # The filler counts processor time; on a busy machine the clock runs faster.
            timeout=3 * limits.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnusableTemplate(_refusal({"refused": "time"})) from None
    head, _line, made = done.stdout.partition(b"\n")
    # Without a first line it was stopped by a limit.
    answer = json.loads(head) if head else {"refused": "time" if done.returncode < 0 else "memory"}
    if "refused" in answer or answer["done"] != str(len(made)):
        raise UnusableTemplate(_refusal(answer))
    return made


def template_values(document: ReportDocument) -> dict[str, Any]:
    """Return what a template can name: plain text, lists and mappings alone. docs/reports.md lists the names."""
    sections = [_section(one) for one in document.sections]
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "office": document.office,
        "unit": document.unit,
        "number": document.number,
        "edition": document.edition,
        "is_confirmed": document.is_confirmed,
        "confirmed": document.confirmed,
        "confirmed_note": document.confirmed_note,
        "changes": list(document.changes),
        "footer": document.footer,
        "footnotes": list(document.footnotes),
        "sections": sections,
        # For a template that places each section itself: ``by_key.summary.paragraphs``.
        "by_key": {one["key"]: one for one in sections},
    }


def _clean(value: Any) -> Any:
    """Return the values without characters that XML cannot hold."""
    if isinstance(value, str):
        return NOT_IN_XML.sub(" ", value)
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list) else value


def _section(section: DocumentSection) -> dict[str, Any]:
    table, text = section.table, section.text
    return {
        "key": section.key,
        "number": section.number,
        "title": section.title,
        "key_numbers": [
            {"label": one.label, "value": one.value, "notes": list(one.notes)} for one in section.key_numbers
        ],
        "headings": list(table.headings) if table else [],
        "rows": table.shown if table else [],
        "paragraphs": list(text.paragraphs) if text else [],
        "signature": text.signature if text else "",
        "note": section.note,
    }


def _refusal(answer: Mapping[str, str]) -> str:
    messages = {
        "other": _("This is no Word document (docx)."),
        "bomb": _("The template is too large, or unpacks to too much."),
        "acts": _("The template has macros, embedded files or parts from other places. Save it without them."),
        "unsafe": _("The template asks for what no template may read: %(detail)s"),
        "unknown": _("The template names a value that a report does not have: %(detail)s"),
        "syntax": _("The template cannot be read: %(detail)s"),
        "memory": _("The template makes too much of a document."),
        "time": _("The template takes too long."),
    }
    words = messages.get(answer["refused"], _("The template is damaged."))
    return words % {"detail": answer.get("detail", "")} if "%(detail)s" in words else words
