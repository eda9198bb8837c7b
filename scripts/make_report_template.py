"""Make partnerships/reports/report.docx, the Word template of reports: run it after a change, and commit the document."""

from pathlib import Path

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

ACCENT, QUIET = RGBColor(0x0B, 0x61, 0x58), RGBColor(0x5F, 0x69, 0x71)
TARGET = Path(__file__).parent.parent / "partnerships" / "reports" / "report.docx"


def look(style, size, *, is_bold=False, color=None, before=0, after=4):
    style.font.name, style.font.size, style.font.bold = "Calibri", Pt(size), is_bold
    # Word takes Chinese letters from a font of their own.
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "微软雅黑")
    if color is not None:
        style.font.color.rgb = color
    style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)


def add(document, words, style="Normal"):
    return document.add_paragraph(words, style=style)


def border(paragraph, place):
    edges, line = OxmlElement("w:pBdr"), OxmlElement(f"w:{place}")
    for name, value in (("val", "single"), ("sz", "12"), ("space", "4"), ("color", "0B6158")):
        line.set(qn(f"w:{name}"), value)
    edges.append(line)
    paragraph._p.get_or_add_pPr().append(edges)


def table(document, head, row, *, cells=1):
    """Add a table of a heading row, a row for each of the loop, and the rows that hold the loop."""
    made = document.add_table(rows=0, cols=cells)
    made.style = "Report table"
    for values in (head, row[0], row[1], row[2]):
        if values:
            for cell, words in zip(made.add_row().cells, values, strict=True):
                cell.text = words
    return made


def begin():
    """Return an empty document of A4 with our styles."""
    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = Mm(20)
    page.top_margin = page.bottom_margin = Mm(20)
    styles = document.styles
    look(styles["Normal"], 10)
    look(styles["Title"], 24, is_bold=True, color=RGBColor(0x1B, 0x21, 0x26), after=2)
    look(styles["Subtitle"], 12, color=QUIET, after=10)
    look(styles["Heading 1"], 13, is_bold=True, color=ACCENT, before=14, after=4)
    look(styles["Caption"], 8.5, color=QUIET)
    plain = styles["Title"].element.get_or_add_pPr()
    for edge in plain.findall(qn("w:pBdr")):
        plain.remove(edge)
    grid = styles.add_style("Report table", 3)
    grid.base_style = styles["Table Grid"]

    return document


def add_head(document):
    border(add(document, "{{ office or unit }}"), "bottom")
    add(document, "{{ title }}", "Title")
    add(document, "{{ subtitle }}", "Subtitle")
    add(document, "{{ confirmed }}").runs[0].bold = True
    add(document, "{{ confirmed_note }}", "Caption")
    add(document, "{%p for words in changes %}")
    add(document, "{{ words }}", "List Bullet")
    add(document, "{%p endfor %}")
    add(document, "{{ number }}, {{ edition }}", "Caption")


def add_sections(document):
    add(document, "{%p for section in sections %}")
    add(document, "{{ section.number }}  {{ section.title }}", "Heading 1")
    add(document, "{%p if section.key_numbers %}")
    numbers = (
        ("{%tr for one in section.key_numbers %}", "", ""),
        (
            "{{ one.label }}",
            "{{ one.value }}",
            "{{ one.notes | join(', ') }}",
        ),
        ("{%tr endfor %}", "", ""),
    )
    found = table(document, None, numbers, cells=3)
    strong = found.rows[1].cells[1].paragraphs[0]
    strong.runs[0].bold, strong.alignment = True, WD_ALIGN_PARAGRAPH.RIGHT
    add(document, "{%p endif %}")
    add(document, "{%p for words in section.paragraphs %}")
    add(document, "{{ words }}")
    add(document, "{%p endfor %}")
    add(document, "{%p if section.signature %}")
    add(document, "{{ section.signature }}", "Caption")
    add(document, "{%p endif %}")
    add(document, "{%p if section.rows %}")
    # The columns are a loop as well: each section has others.
    columns = document.add_table(rows=4, cols=3)
    columns.style = "Report table"
    marks = ("{%tc for words in section.headings %}", "{{ words }}", "{%tc endfor %}")
    cells = ("{%tc for words in row %}", "{{ words }}", "{%tc endfor %}")
    loops = ("{%tr for row in section.rows %}", "", ""), cells, ("{%tr endfor %}", "", "")
    for line, values in zip(columns.rows, (marks, *loops), strict=True):
        for cell, words in zip(line.cells, values, strict=True):
            cell.text = words
    columns.rows[0].cells[1].paragraphs[0].runs[0].bold = True
    for line in columns.rows:
        for run in line.cells[1].paragraphs[0].runs:
            run.font.size = Pt(9)
    repeated = OxmlElement("w:tblHeader")
    columns.rows[0]._tr.get_or_add_trPr().append(repeated)
    add(document, "{%p endif %}")
    add(document, "{%p if section.note %}")
    add(document, "{{ section.note }}", "Caption")
    add(document, "{%p endif %}")
    add(document, "{%p endfor %}")


def main():
    document = begin()
    add_head(document)
    add_sections(document)
    add(document, "{%p for words in footnotes %}")
    add(document, "{{ words }}", "Caption")
    add(document, "{%p endfor %}")

    foot = document.sections[0].footer.paragraphs[0]
    foot.text = "{{ title }}    {{ footer }}"
    foot.style = document.styles["Caption"]
    document.core_properties.title, document.core_properties.author = "{{ title }}", ""
    document.core_properties.comments = ""
    document.save(TARGET)


if __name__ == "__main__":
    main()
