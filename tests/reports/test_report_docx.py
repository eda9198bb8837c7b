"""A report as a Word document, and templates that want more than the words of a report."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from docx.opc.constants import RELATIONSHIP_TYPE

from partnerships.factories import ReportFactory, ReportTextFactory, UserFactory
from partnerships.lists import exports
from partnerships.reports.report_document import ReportDocument
from partnerships.reports.report_docx import LIMITS, UnusableTemplate, docx_of
from tests.reports.report_figures import document_of, make_figures

pytestmark = pytest.mark.django_db
TEMPLATE_ELSEWHERE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate"
SYNTAX = '{{ 7 * 7 }} {% for x in y %} <b> & #read("/etc/passwd") 共建产业学院'


@pytest.fixture
def document() -> ReportDocument:
    report = ReportFactory(year=2026, language="zh-hans")
    ReportTextFactory(report=report, section="summary", text=f"{SYNTAX}\n\nSecond\x07paragraph.")
    return document_of(report, make_figures())


def words_of(made: bytes) -> str:
    opened = docx.Document(io.BytesIO(made))
    cells = [cell.text for table in opened.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in opened.paragraphs), *cells])


def template_of(path: Path, *lines: str) -> Path:
    made = docx.Document()
    for line in lines:
        made.add_paragraph(line)
    made.save(str(path))
    return path


def refusal(document: ReportDocument, template: Path, **limits: Any) -> str:
    with pytest.raises(UnusableTemplate) as refused:
        docx_of(document, template=template, limits=replace(LIMITS, **limits))
    return str(refused.value)


def test_our_template_has_the_words_and_numbers_of_the_report(document: ReportDocument) -> None:
    found = words_of(docx_of(document))

    assert document.title in found
    assert document.confirmed in found
    for section in document.sections:
        assert section.title in found
        for number in section.key_numbers:
            assert number.value in found
        for row in section.table.shown if section.table else []:
            assert all(cell in found for cell in row)


def test_a_text_with_the_syntax_of_a_template_is_a_text(document: ReportDocument) -> None:
    found = words_of(docx_of(document))

    assert SYNTAX in found
    assert "Second paragraph." in found


def test_an_office_has_a_template_of_its_own(document: ReportDocument, tmp_path: Path) -> None:
    lines = ("报告：{{ title }}", "{{ by_key.summary.paragraphs | length }}", "{% if changes %}changed{% endif %}")

    found = words_of(docx_of(document, template=template_of(tmp_path / "own.docx", *lines)))

    assert found.splitlines()[:2] == [f"报告：{document.title}", "2"]
    assert "changed" not in found


def test_the_template_of_the_office_takes_the_place_of_ours(
    document: ReportDocument, tmp_path: Path, settings: Any
) -> None:
    settings.DATA_DIR = tmp_path
    assert document.title in words_of(docx_of(document))

    template_of(tmp_path / "report-template.docx", "{{ number }}")

    assert words_of(docx_of(document)).strip() == document.number


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "no template may read"),
        ("{{ title.__init__.__globals__ }}", "no template may read"),
        ("{{ ''|attr('__class__')|attr('__mro__') }}", "does not have"),
        ("{{ '{0.__class__.__mro__}'.format(title) }}", "no template may read"),
        ("{{ sections.append(1) }}", "no template may read"),
        ("{{ cycler.__init__.__globals__.os.popen('id').read() }}", "no template may read"),
        ("{{ self.__init__.__globals__ }}", "no template may read"),
        ("{% include '/etc/passwd' %}", "cannot be read"),
        ("{{ lipsum.__globals__ }}", "does not have"),
        ("{{ surname }}", "does not have"),
        ("{% for %}", "cannot be read"),
    ],
)
def test_a_template_reads_nothing_but_the_report(
    document: ReportDocument, tmp_path: Path, line: str, words: str
) -> None:
    assert words in refusal(document, template_of(tmp_path / "hostile.docx", line))


@pytest.mark.parametrize(
    "line",
    [
        "{{ 'a' * 3000000000 }}",
        "{{ '%3000000000s'|format(1) }}",
        "{{ 9 ** (9 ** 9) }}",
        "{% for a in long %}" * 5 + "{% endfor %}" * 5,
    ],
)
def test_a_template_has_little_time_and_memory(document: ReportDocument, tmp_path: Path, line: str) -> None:
    words = refusal(document, template_of(tmp_path / "greedy.docx", "{% set long = title * 99 %}" + line), seconds=2)

    assert words in {"The template takes too long.", "The template makes too much of a document."}


def changed(path: Path, name: str, content: bytes) -> Path:
    """Our template with one part more, or another one."""
    with zipfile.ZipFile(template_of(path, "{{ title }}")) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, old in (parts | {name: content}).items():
            archive.writestr(entry, content if entry == name else old)
    return path


def test_a_template_that_can_act_is_refused(document: ReportDocument, tmp_path: Path) -> None:
    entity = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><d>&x;</d>'
    found = [
        refusal(document, changed(tmp_path / "macros.docx", "word/vbaProject.bin", b"MZ")),
        refusal(document, changed(tmp_path / "object.docx", "word/embeddings/oleObject1.bin", b"MZ")),
        refusal(document, changed(tmp_path / "entity.docx", "word/document.xml", entity)),
        refusal(document, changed(tmp_path / "entity16.docx", "word/document.xml", entity.decode().encode("utf-16"))),
    ]

    assert ["macros" in words for words in found] == [True] * 4


def test_a_template_that_fetches_what_is_elsewhere_is_refused(document: ReportDocument, tmp_path: Path) -> None:
    made = docx.Document()
    made.part.relate_to("https://example.org/t.dotm", TEMPLATE_ELSEWHERE, is_external=True)
    made.save(str(tmp_path / "remote.docx"))
    linked = docx.Document()
    linked.part.relate_to("https://example.org/", RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    linked.save(str(tmp_path / "linked.docx"))

    assert "from other places" in refusal(document, tmp_path / "remote.docx")
    assert docx_of(document, template=tmp_path / "linked.docx")


def test_what_is_no_document_is_refused(document: ReportDocument, tmp_path: Path) -> None:
    bomb = changed(tmp_path / "bomb.docx", "word/media/zeros.png", bytes(120 << 20))
    (tmp_path / "text.docx").write_text("Dear all")
    with zipfile.ZipFile(tmp_path / "zip.docx", "w") as archive:
        archive.writestr("notes.txt", "none")

    assert refusal(document, bomb) == "The template is too large, or unpacks to too much."
    assert refusal(document, tmp_path / "text.docx") == "This is no Word document (docx)."
    assert refusal(document, tmp_path / "zip.docx") == "This is no Word document (docx)."
    assert "There is no template" in refusal(document, tmp_path / "missing.docx")


def test_a_command_tries_a_template(tmp_path: Path) -> None:
    report = ReportFactory(year=2026, language="en")
    UserFactory(staff=True)
    out = tmp_path / "report.docx"
    asked = ["report", "year", "--year=2026", f"--unit={report.unit.name}", "--format=docx", f"--out={out}"]

    call_command(*asked, f"--template={template_of(tmp_path / 'own.docx', '{{ number }}')}")
    made = words_of(out.read_bytes())
    out.unlink()
    with pytest.raises(CommandError, match="no template may read"):
        call_command(*asked, f"--template={template_of(tmp_path / 'bad.docx', '{{ title.__class__.__mro__ }}')}")

    assert made.strip() == report.number
    assert not out.exists()


def test_the_worker_makes_the_document() -> None:
    report = ReportFactory(year=2026, language="zh-hans")
    reader = UserFactory(viewer_in=report.unit)
    export = exports.request_report_file(report, actor=reader, file_format="docx", now=timezone.now())

    assert exports.make(export, clock=timezone.now)

    with export.file.open("rb") as file:
        assert "草稿" in words_of(file.read())
