"""Sample documents: small PDF files that every viewer opens."""

from collections.abc import Sequence

from django.core.files.base import ContentFile

from partnerships.demo.office import SampleOffice, sample_code
from partnerships.factories import DocumentFactory
from partnerships.models import Activity, Agreement, Document
from partnerships.workflows.documents import add_version

PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"


def add_documents(office: SampleOffice) -> None:
    hoist = Agreement.objects.get(code=sample_code("hoist"))
    talent = Agreement.objects.get(code=sample_code("talent"))
    visit = Activity.objects.get(code=sample_code("activity-visit-kunyu"))
    paper = {"kind": Document.Kind.SIGNED_PAPER}
    _add(office, "document-hoist", by="wu", on=0, title="Signed agreement, scan", agreement=hoist, **paper)
    _add(office, "document-talent", by="wu", on=-290, title="Signed agreement, scan", agreement=talent, **paper)
    minutes = {"kind": Document.Kind.MINUTES, "agreement": None, "activity": visit}
    _add(office, "document-visit", by="he", on=-24, title="Minutes of the visit", **minutes)


def _add(office: SampleOffice, code: str, *, by: str, on: int, title: str, **values: object) -> None:
    person, day = office.people[by], office.day(on)
    document = office.add(DocumentFactory, code, by=person, on=day, title=title, **values)
    content = pdf(
        ["SAMPLE - no real document", "", title, str(document.target), f"{day.isoformat()}, {person.name}"],
    )
    name = f"{title.replace(', ', ' ').replace(' ', '-').lower()}.pdf"
    add_version(document, actor=person, file=ContentFile(content, name=name), at=office.moment(day))


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
