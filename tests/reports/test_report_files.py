"""The files of a report: what is in a PDF and a workbook, and that texts of people are data."""

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typst
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from partnerships.exceptions import NotAllowed
from partnerships.factories import DAY, NOON, ReportFactory, ReportTextFactory, UserFactory
from partnerships.lists import exports
from partnerships.models import Export, Report, UnitMembership
from partnerships.reports import report_pdf
from partnerships.reports.frozen import to_json
from partnerships.reports.report_files import FILE_FORMATS, file_of
from partnerships.reports.report_pdf import MissingFont, pdf_of
from partnerships.reports.report_xlsx import xlsx_of
from partnerships.workflows.reports import confirm_report
from tests.reports.overviews import empty_overview
from tests.reports.report_figures import document_of, make_figures

pytestmark = pytest.mark.django_db
HOSTILE = '#set page(fill: red)\n#read("report.typ")\n#panic() $x$ {{ 7*7 }} {% for x in y %} <b>&amp; =1+1'


def confirmed(report: Report) -> Report:
    person = UserFactory(lead_in=report.unit, name="Wang Jianguo")
    return confirm_report(report, actor=person, now=NOON, on=DAY, figures=to_json(make_figures()))


def book_of(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("figures", [make_figures(), make_figures(empty_overview())], ids=["full", "empty"])
def test_a_pdf_is_made_of_every_report(language: str, figures: Any) -> None:
    report = ReportTextFactory(report__language=language, text=HOSTILE).report

    content = file_of(report, figures, [], "pdf")

    assert content.startswith(b"%PDF-")


def test_the_pdf_shows_the_figures_and_chinese_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler is asked for the words of the page, as it sets them."""
    report = ReportTextFactory(report__language="zh-hans", report__year=2026, text=HOSTILE).report
    asked: dict[str, Any] = {}
    monkeypatch.setattr(typst, "compile", lambda *about, **more: asked.update(more) or b"")
    pdf_of(document_of(report, make_figures()))
    monkeypatch.undo()
    same = {name: asked[name] for name in ("root", "font_paths", "sys_inputs")}

    headings = json.dumps(json.loads(typst.query(str(report_pdf.TEMPLATE), "heading", **same)), ensure_ascii=False)

    assert "2026年度合作工作报告" in headings
    assert "各单位情况" in headings

    data = json.loads(same["sys_inputs"]["report"])
    assert "机械工程学院" in str(data["sections"])
    assert data["sections"][0]["key_numbers"][0]["value"] == "133"


def test_a_text_is_data_and_never_source() -> None:
    report = ReportTextFactory(text=HOSTILE).report

    document = document_of(report, make_figures())
    first = book_of(xlsx_of(document)).worksheets[0]
    texts = [cell.value for row in first.iter_rows() for cell in row if cell.value]

    (section,) = [one for one in document.sections if one.key == "summary"]
    assert section.text is not None
    assert list(section.text.paragraphs) == HOSTILE.splitlines()
    assert set(HOSTILE.splitlines()) <= set(texts)
    assert file_of(report, make_figures(), [], "pdf").startswith(b"%PDF-")


def test_a_pdf_needs_a_font_with_chinese_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_pdf, "chinese_font", lambda: None)

    with override("en"), pytest.raises(MissingFont, match=r"Install fonts-noto-cjk, or put a font file into .*fonts"):
        file_of(ReportFactory(), make_figures(), [], "pdf")
    assert file_of(ReportFactory(), make_figures(), [], "xlsx").startswith(b"PK")


def test_cells_of_a_workbook_have_their_types() -> None:
    book = book_of(file_of(ReportFactory(year=2026), make_figures(), [], "xlsx"))

    signed = next(sheet for sheet in book if sheet.title.endswith("Agreements signed"))
    units = next(sheet for sheet in book if sheet.title.endswith("By unit"))
    day, title = signed["A2"], signed["B2"]
    assert (day.value.date(), day.number_format) == (dt.date(2026, 3, 2), "yyyy-mm-dd")
    assert title.data_type == "s"
    assert (units["A2"].data_type, units["B2"].data_type, units["B2"].value) == ("s", "n", 35)
    assert signed["A3"].value == "and 12 more"


def test_a_formula_in_a_text_stays_text() -> None:
    report = ReportTextFactory(text="=1+1").report

    first = book_of(file_of(report, make_figures(), [], "xlsx")).worksheets[0]

    (cell,) = [cell for row in first.iter_rows() for cell in row if cell.value == "=1+1"]
    assert cell.data_type == "s"


def test_the_page_shows_days_in_the_language_of_the_report(client: Client) -> None:
    report = confirmed(ReportFactory(language="zh-hans", year=2026))
    client.force_login(UserFactory(viewer_in=report.unit, language="en"))

    page = client.get(report.get_absolute_url()).text

    # A row of a list; the facts above the report are in the reader's language.
    assert "2026年5月31日" in page
    assert "May 31, 2026" not in page


# In the background


def test_a_file_is_made_in_the_background_with_progress(client: Client) -> None:
    report = confirmed(ReportFactory())
    client.force_login(UserFactory(viewer_in=report.unit))

    answer = client.post(reverse("report_file", args=[report.pk]), {"format": "xlsx"})

    export = Export.objects.get()
    assert answer.url == reverse("export_detail", args=[export.pk])
    assert "The report is being made" in client.get(answer.url).text
    assert exports.make(export, clock=timezone.now)
    assert "The report is ready." in client.get(answer.url).text
    export.refresh_from_db()
    assert (export.rows_done, export.rows_total) == (3, 3)
    downloaded = client.get(reverse("export_download", args=[export.pk]))
    assert f"{report.number}-" in downloaded["Content-Disposition"]
    assert b"".join(downloaded.streaming_content).startswith(b"PK")


def test_a_file_is_for_readers_of_the_report(client: Client) -> None:
    report = confirmed(ReportFactory())
    outsider, reader = UserFactory(viewer_in=ReportFactory().unit), UserFactory(viewer_in=report.unit)
    client.force_login(outsider)
    assert client.post(reverse("report_file", args=[report.pk]), {"format": "pdf"}).status_code == 404
    with pytest.raises(NotAllowed):
        exports.request_report_file(report, actor=outsider, file_format="pdf", now=NOON)

    export = exports.request_report_file(report, actor=reader, file_format="xlsx", now=timezone.now())
    UnitMembership.objects.filter(user=reader).delete()
    assert not exports.make(export, clock=timezone.now) or export.status == "failed"


def test_only_formats_of_reports_are_made(client: Client) -> None:
    report = confirmed(ReportFactory())
    client.force_login(UserFactory(staff=True))

    assert client.post(reverse("report_file", args=[report.pk]), {"format": "csv"}).status_code == 404
    asked = {"list": "agreement_list", "query": "", "format": "pdf", "columns": "all"}
    assert client.post(reverse("export_add"), asked).status_code == 404


# The command


@pytest.mark.parametrize("file_format", FILE_FORMATS)
def test_the_command_writes_the_latest_confirmed_edition(file_format: str, tmp_path: Path, capsys: Any) -> None:
    report = confirmed(ReportFactory(unit__name="Mechanical", year=2026))
    ReportFactory(unit=report.unit, year=2026)
    out = tmp_path / f"report.{file_format}"

    call_command("report", "year", "--year", "2026", "--unit", "Mechanical", "--format", file_format, "--out", str(out))

    assert out.read_bytes()[:4] == {"pdf": b"%PDF", "xlsx": b"PK\x03\x04", "docx": b"PK\x03\x04"}[file_format]
    assert f"{report.number}, edition 1, confirmed" in capsys.readouterr().out


def test_the_command_says_that_there_is_no_such_report(tmp_path: Path) -> None:
    ReportFactory(unit__name="Mechanical", year=2026)

    for asked, words in ((["--unit", "Nowhere"], "0 units"), ([], "no such report")):
        with pytest.raises(CommandError, match=words):
            call_command("report", "year", "--year", "2026", *asked, "--out", str(tmp_path / "report.pdf"))
