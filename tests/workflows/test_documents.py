"""Uploads: what is kept, and what is refused before it is."""

import hashlib
import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from partnerships.exceptions import InvalidInput, NotAllowed
from partnerships.factories import DAY, NOON, AgreementFactory, DocumentFactory, UnitFactory, UserFactory
from partnerships.models import Document, DocumentVersion
from partnerships.workflows import documents
from partnerships.workflows.documents import MSI_CLASS, OLE, add_version, edit_document, register_document

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 32
PDF = b"%PDF-1.7\n"


def office_file(*parts):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for part in ("[Content_Types].xml", *parts):
            archive.writestr(part, "<x/>")
    return content.getvalue()


def zip_file(*parts):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for part in parts:
            archive.writestr(part, "<html>stored as it is</html>")
    return content.getvalue()


def compound_file(*entries, root_class=b""):
    """An older Office file as far as its kind shows: the signature, the class of its root, the names of its streams."""
    return OLE + bytes(504) + root_class + b"".join(f"{entry}\0".encode("utf-16-le") for entry in entries)


def content_of(version):
    with version.file.open() as file:
        return file.read()


def upload(name, content):
    return add_version(
        DocumentFactory(), actor=None, file=SimpleUploadedFile(name, content, content_type="text/html"), at=NOON
    )


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("paper.pdf", PDF, "application/pdf"),
        ("PAPER.PDF", PDF, "application/pdf"),
        ("photo.png", PNG, "image/png"),
        ("photo.jpeg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("minutes.txt", "会议纪要".encode("gb18030"), "text/plain; charset=utf-8"),
        (
            "minutes.docx",
            office_file("word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("minutes.doc", compound_file("WordDocument"), "application/msword"),
        ("numbers.xls", compound_file("Workbook"), "application/vnd.ms-excel"),
        ("slides.ppt", compound_file("PowerPoint Document"), "application/vnd.ms-powerpoint"),
        ("合作协议.wps", compound_file("WordDocument"), "application/wps-office.wps"),
        ("数据.et", compound_file("Workbook"), "application/wps-office.et"),
        ("汇报.dps", compound_file("PowerPoint Document"), "application/wps-office.dps"),
        ("通知.OFD", zip_file("OFD.xml", "Doc_0/Document.xml"), "application/ofd"),
        ("IMG_0001.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        ("photo.heic", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "image/heic"),
        ("photos.zip", zip_file("gate.jpg", "index.html"), "application/zip"),
        ("reply.eml", b"From: a@example.org\r\nSubject: Visit\r\n on Monday\r\n\r\n<html>Yes</html>", "message/rfc822"),
    ],
)
def test_a_file_is_kept_with_its_type_size_and_checksum(name, content, content_type):
    version = upload(name, content)

    version.refresh_from_db()
    assert (version.number, version.original_name, version.content_type) == (1, name, content_type)
    assert (version.size, version.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert content_of(version) == content
    assert name not in version.file.name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.pdf", b""),
        ("page.html", b"<html></html>"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("no-ending", PDF),
        ("page.pdf", b"<html></html>"),
        ("page.txt", b"<!DOCTYPE html><script>alert(1)</script>"),
        ("drawing.txt", b"  <svg onload='alert(1)'/>"),
        ("program.txt", b"MZ\x90\x00\x03"),
        ("picture.png", b"GIF89a" + PNG),
        ("sheet.xlsx", office_file("word/document.xml")),
        ("macros.docx", office_file("word/document.xml", "word/vbaProject.bin")),
        ("broken.docx", b"PK\x03\x04broken"),
        ("page.doc", b"<html></html>"),
        ("page.zip", b"<!DOCTYPE html><script>alert(1)</script>"),
        ("drawing.heic", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("film.heic", b"\0\0\0\x18ftypisom\0\0\0\0isomheic"),
        ("program.wps", b"MZ\x90\x00" + bytes(600)),
        ("installer.doc", compound_file("Property", root_class=MSI_CLASS)),
        ("macros.xls", compound_file("Workbook", "_VBA_PROJECT_CUR")),
        ("sheet.ofd", office_file("xl/workbook.xml")),
        ("self-extracting.zip", b"MZ\x90\x00" + zip_file("a.txt")),
        ("page-before.zip", b"<html></html>" + zip_file("a.txt")),
        ("before.zip", b"PK\3\4" + PDF + zip_file("a.txt")),
        ("after.zip", zip_file("a.txt") + b"<html></html>"),
        ("nothing-in-it.zip", zip_file()),
        ("page.eml", b"<html>\n\n</html>"),
        ("page.eml", b"From: a@example.org\nSubject: <script>alert(1)</script>\n\nHi"),
        ("words.eml", b"Dear all,\n\nhere are the minutes."),
        ("archive-behind.pdf", PDF + zip_file("a.class")),
        ("archive-behind.doc", compound_file("WordDocument") + zip_file("a.class")),
        ("page-behind.jpg", b"\xff\xd8\xff\xe0<html><script>alert(1)</script>"),
        ("paper\u202efdp.exe", PDF),
        ("a" * 200 + ".pdf", PDF),
    ],
)
def test_what_is_not_taken_leaves_nothing_behind(name, content, media_root):
    file = SimpleUploadedFile("x.pdf", content)
    file._name = name
    document = DocumentFactory()
    with pytest.raises(InvalidInput) as refused:
        add_version(document, actor=None, file=file, at=NOON)

    assert refused.value.field == "file"
    assert DocumentVersion.objects.count() == 0
    assert not media_root.exists()


def test_a_document_with_macros_is_refused_with_the_remedy():
    for name, content in (
        ("macros.docx", office_file("word/document.xml", "word/vbaProject.bin")),
        ("macros.xls", compound_file("Workbook", "_VBA_PROJECT_CUR")),
    ):
        with pytest.raises(InvalidInput, match="macros"):
            upload(name, content)


def test_a_file_above_the_limit_is_refused(monkeypatch):
    monkeypatch.setattr(documents, "LARGEST_FILE", 8)

    with pytest.raises(InvalidInput):
        upload("paper.pdf", PDF)


def test_versions_are_added_and_never_replaced():
    document = DocumentFactory()
    for content in (PDF + b"1", PDF + b"2"):
        add_version(document, actor=None, file=SimpleUploadedFile("paper.pdf", content), at=NOON)

    assert [version.number for version in document.versions.all()] == [2, 1]
    assert [content_of(version)[-1:] for version in document.versions.all()] == [b"2", b"1"]


def test_another_unit_uploads_nothing(media_root):
    stranger = UserFactory(lead_in=UnitFactory())

    with pytest.raises(NotAllowed):
        add_version(DocumentFactory(), actor=stranger, file=SimpleUploadedFile("paper.pdf", PDF), at=NOON)

    assert not media_root.exists()


def test_a_file_whose_row_cannot_be_written_is_removed(media_root, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(DocumentVersion, "save", fail)

    with pytest.raises(OSError, match="disk full"):
        upload("paper.pdf", PDF)

    assert [path for path in media_root.rglob("*") if path.is_file()] == []


def test_a_new_document_is_kept_with_its_file_or_not_at_all():
    agreement = AgreementFactory(signed=True)
    actor = UserFactory(coordinator_in=agreement.unit)
    bad = Document(agreement=agreement, kind="annex", title="Annex")

    with pytest.raises(InvalidInput):
        register_document(bad, actor=actor, file=SimpleUploadedFile("a.exe", b"MZ"), today=NOON.date(), at=NOON)
    kept = register_document(bad, actor=actor, file=SimpleUploadedFile("a.pdf", PDF), today=NOON.date(), at=NOON)

    assert list(agreement.documents.all()) == [kept]
    assert (kept.history.get().history_user, kept.versions.get().uploaded_by) == (actor, actor)


def test_the_same_file_again_is_no_new_version():
    document = DocumentFactory()
    names = ("a.pdf", "a.pdf", "b.pdf")

    versions = [add_version(document, actor=None, file=SimpleUploadedFile(name, PDF), at=NOON) for name in names]

    assert [version.number for version in versions] == [1, 1, 2]


def test_an_earlier_version_sent_anew_is_kept():
    agreement = AgreementFactory(signed=True)

    def add(content, name="a.pdf"):
        document, file = Document(agreement=agreement, kind="annex", title="Annex"), SimpleUploadedFile(name, content)
        return register_document(document, actor=None, file=file, today=NOON.date(), at=NOON)

    first = add(PDF + b"1")
    add_version(first, actor=None, file=SimpleUploadedFile("a.pdf", PDF + b"2"), at=NOON)

    assert add(PDF + b"2") == first
    assert content_of(add(PDF + b"1").versions.get()) == PDF + b"1"
    assert agreement.documents.count() == 2


def test_who_may_not_upload_adds_no_document():
    agreement = AgreementFactory(signed=True)
    document = Document(agreement=agreement, kind="annex", title="Annex")
    viewer = UserFactory(viewer_in=agreement.unit)

    with pytest.raises(NotAllowed):
        register_document(document, actor=viewer, file=SimpleUploadedFile("a.pdf", PDF), today=NOON.date(), at=NOON)

    assert Document.objects.count() == 0


def test_a_unit_that_takes_part_replaces_and_renames_only_what_it_uploaded():
    agreement = AgreementFactory(signed=True, units=[UnitFactory()])
    guest = UserFactory(coordinator_in=agreement.participating_units.get().unit)
    owner = UserFactory(coordinator_in=agreement.unit)

    def kept_by(actor):
        document = Document(agreement=agreement, kind="signed_paper", title=f"Of {actor}")
        return register_document(document, actor=actor, today=DAY, at=NOON, file=paper(PDF))

    def paper(content):
        return SimpleUploadedFile("paper.pdf", content)

    signed, own = kept_by(owner), kept_by(guest)

    with pytest.raises(NotAllowed):
        add_version(signed, actor=guest, file=paper(PDF + b"2"), at=NOON)
    with pytest.raises(NotAllowed):
        edit_document(signed, actor=guest, today=DAY, changes={"title": "Another"})
    assert (signed.versions.count(), Document.objects.get(pk=signed.pk).title) == (1, signed.title)
    for actor in (guest, owner):
        add_version(own, actor=actor, file=paper(PDF + str(actor).encode()), at=NOON)
    assert edit_document(own, actor=guest, today=DAY, changes={"title": "Annex"}).title == "Annex"
