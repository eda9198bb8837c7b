"""Sample documents: small files that every viewer opens, a PDF each and an image for a photo."""

import datetime as dt
import struct
import zlib
from collections.abc import Sequence

from django.core.files.base import ContentFile

from partnerships.demo.office import SampleOffice
from partnerships.models import Document, User
from partnerships.workflows.documents import add_version

PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"


def add_file(office: SampleOffice, document: Document, person: User, on: dt.date) -> None:
    """Give a sample document its file."""
    title = document.title
    if document.kind == Document.Kind.PHOTO:
        content, ending = png(), "png"
    else:
        lines = ["SAMPLE - no real document", "", title, str(document.target), f"{on.isoformat()}, {person.name}"]
        content, ending = pdf(lines), "pdf"
    name = f"{title.replace(', ', ' ').replace(' ', '-').lower()}.{ending}"
    add_version(document, actor=person, file=ContentFile(content, name=name), at=office.moment(on))


def png(width: int = 480, height: int = 320) -> bytes:
    """Return an image of colors that fade into each other."""
    rows = (bytes((0, *(b for x in range(width) for b in (60, 90 + x // 4, 90 + y // 3)))) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b""))
    packed = (struct.pack(">I", len(data)) + name + data + _checksum(name + data) for name, data in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def _checksum(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


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
