"""A report as a Word document, and templates that try to do more than fill it."""

import io
import time
from pathlib import Path
from typing import Any

import docx
import pytest

from partnerships.factories import ReportFactory, ReportTextFactory
from partnerships.reports import report_docx
from partnerships.reports.report_docx import LIMITS, UnusableTemplate, docx_of
from tests.reports.report_figures import document_of, make_figures

pytestmark = pytest.mark.django_db
SYNTAX = "{{ 7*7 }} {% for x in y %} <b>&amp; #set page()"


def words_of(content: bytes) -> str:
    document = docx.Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def template(path: Path, *paragraphs: str) -> Path:
    document = docx.Document()
    for words in paragraphs:
        document.add_paragraph(words)
    document.save(str(path / "template.docx"))
    return path / "template.docx"


def test_the_document_has_figures_tables_and_texts_as_typed() -> None:
    report = ReportTextFactory(report__language="zh-hans", report__year=2026, text=SYNTAX).report

    words = words_of(docx_of(document_of(report, make_figures())))

    for expected in ("2026年度合作工作报告", "133", "机械工程学院", "Zhongyi Machinery", SYNTAX):
        assert expected in words


def test_the_office_has_a_template_of_its_own(tmp_path: Path, settings: Any) -> None:
    template(tmp_path, "Ours: {{ title }}").rename(tmp_path / "report-template.docx")
    settings.DATA_DIR = tmp_path

    words = words_of(docx_of(document_of(ReportFactory(year=2026), make_figures())))

    assert words == "Ours: Annual report on cooperation 2026"


HOSTILE = {
    "attribute": "{{ title.__class__.__mro__ }}",
    "function": "{{ title.format(sections) }}",
    "globals": "{{ cycler.__init__.__globals__ }}",
    "import": "{% include '/etc/passwd' %}",
    "mistake": "{% for x in sections %}",
}


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_template_reaches_nothing_but_the_values(words: str, tmp_path: Path) -> None:
    document = document_of(ReportFactory(), make_figures())

    try:
        found = words_of(docx_of(document, template(tmp_path, words)))
    except UnusableTemplate:
        return
    assert found.strip() == ""


@pytest.mark.parametrize(
    "paragraphs",
    [
        [
            "{% for a in s %}{% for b in s %}{% for c in s %}{% for d in s %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}"
        ],
        ["{{ 'x' * 9999999999 }}"],
        ["{{ 9 ** 999999999 }}"],
    ],
    ids=["loops", "memory", "power"],
)
def test_a_template_has_little_time_and_room(paragraphs: list[str], tmp_path: Path) -> None:
    many = "{% set s = ('x' * 3000) %}"
    document = document_of(ReportFactory(), make_figures())
    began = time.monotonic()

    with pytest.raises(UnusableTemplate):
        docx_of(document, template(tmp_path, many + paragraphs[0]), {**LIMITS, "seconds": 3})
    assert time.monotonic() - began < 30


def test_what_is_no_word_document_is_refused(tmp_path: Path) -> None:
    (tmp_path / "template.docx").write_bytes(b"no document")

    with pytest.raises(UnusableTemplate, match="cannot be filled"):
        docx_of(document_of(ReportFactory(), make_figures()), tmp_path / "template.docx")
    assert report_docx.OWN_TEMPLATE.is_file()
