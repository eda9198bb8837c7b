"""Sample documents: small PDF files that every viewer opens."""

import datetime as dt
from collections.abc import Sequence

from django.core.files.base import ContentFile

from partnerships.demo.office import SampleOffice
from partnerships.models import Document, User
from partnerships.workflows.documents import add_version

PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"


def add_file(office: SampleOffice, document: Document, person: User, on: dt.date) -> None:
    """Give a sample document its file."""
    title = document.title
    content = pdf(["SAMPLE - no real document", "", title, str(document.target), f"{on.isoformat()}, {person.name}"])
    name = f"{title.replace(', ', ' ').replace(' ', '-').lower()}.pdf"
    add_version(document, actor=person, file=ContentFile(content, name=name), at=office.moment(on))


def pdf(lines: Sequence[str]) -> bytes:
    """Return one A4 page with ``lines`` of Latin text."""
    text = " T* ".join(f"({_escaped(line)}) Tj" for line in lines)
    stream = f"BT /F1 14 Tf 20 TL 72 770 Td {text} ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        PAGE,
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, offsets = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    entries = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    table = f"xref\n0 {size}\n0000000000 65535 f \n{entries}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return f"{body}{table}startxref\n{len(body)}\n%%EOF\n".encode("ascii", errors="replace")


def _escaped(line: str) -> str:
    plain = line.encode("ascii", errors="replace").decode()
    return plain.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
