"""Hard spreadsheets, made when a test asks for one: each is named for its trap, and says what is right.

``TRAPS`` are read with the kind ``register`` unless they say another. ``REGISTERS`` are shaped as offices keep theirs.
"""

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import xlwt

from partnerships.durations import Duration
from partnerships.imports.parties import PlacedName
from partnerships.imports.people import PersonInCell
from partnerships.inputs import Money
from partnerships.partial_dates import PartialDate

Rows = Sequence[Sequence[object]]
AALTO = ["Aalto University", "Finland", "5 years"]
CELL_KINDS = {str: "string", int: "float", float: "float"}


@dataclass(frozen=True)
class Trap:
    """A spreadsheet with what is right: the values of each row, or the beginning of the refusal.

    ``problems`` are the fields of each row that are refused, ``notes`` words that the table's notes hold.
    """

    name: str
    build: Callable[[Path], Path]
    rows: list[dict[str, Any]] = field(default_factory=list)
    kind: str = "register"
    refused: str = ""
    problems: list[set[str]] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()  # of the rows, as a person sees them
    title: str | None = None


def day(year: int, month: int, of_month: int) -> PartialDate:
    return PartialDate(dt.date(year, month, of_month))


def month(year: int, of_year: int) -> PartialDate:
    return PartialDate(dt.date(year, of_year, 1), "month")


def year(number: int) -> PartialDate:
    return PartialDate(dt.date(number, 1, 1), "year")


def names(*given: str | tuple[str, str, str]) -> tuple[PlacedName, ...]:
    return tuple(PlacedName(one) if isinstance(one, str) else PlacedName(*one) for one in given)


def years(number: int, **renewal: Any) -> Duration:
    return Duration(number * 12, **renewal)


def money(amount: int, currency: str = "") -> Money:
    return Money(Decimal(amount), currency)


# How files are made.


def xlsx(rows: Rows, *, merged: Sequence[str] = (), more: dict[str, Rows] | None = None) -> Callable[[Path], Path]:
    """Return a builder of an Excel workbook; ``more`` are further sheets, hidden ones with a dot before their names."""

    def build(folder: Path) -> Path:
        book = openpyxl.Workbook()
        _fill(book.active, rows)
        for cells in merged:
            book.active.merge_cells(cells)
        for name, others in (more or {}).items():
            sheet = book.create_sheet(name.removeprefix("."))
            _fill(sheet, others)
            sheet.sheet_state = "hidden" if name.startswith(".") else "visible"
        book.save(folder / "register.xlsx")
        return folder / "register.xlsx"

    return build


def _fill(sheet: Any, rows: Rows) -> None:
    for number, row in enumerate(rows, 1):
        for place, cell in enumerate(row, 1):
            if cell is not None:
                sheet.cell(number, place, cell)


def epoch_1904(rows: Rows) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        book = openpyxl.Workbook()
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        _fill(book.active, rows)
        book.save(folder / "mac.xlsx")
        return folder / "mac.xlsx"

    return build


def xls(rows: Rows) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        book = xlwt.Workbook()
        sheet = book.add_sheet("Register")
        style = xlwt.easyxf(num_format_str="yyyy-mm-dd")
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if cell is not None:
                    sheet.write(number, place, cell, *([style] if isinstance(cell, dt.date) else []))
        book.save(str(folder / "old.xls"))
        return folder / "old.xls"

    return build


def text(content: str, *, encoding: str = "utf-8", name: str = "register.csv") -> Callable[[Path], Path]:
    return raw(content.encode(encoding), name)


def raw(content: bytes, name: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return build


def archive(parts: dict[str, str | bytes], name: str) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as packed:
            for path, content in parts.items():
                packed.writestr(path, content)
        return folder / name

    return build


BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
LINKS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
)
ROOT = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"'
    ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'


def cells(rows: Rows) -> str:
    """Return rows as the XML of a sheet; a cell that begins with a < is XML already."""
    lines = []
    for number, row in enumerate(rows, 1):
        written = [
            str(cell)
            if str(cell).startswith("<")
            else f'<c r="{chr(65 + place)}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
            for place, cell in enumerate(row)
        ]
        lines.append(f'<row r="{number}">{"".join(written)}</row>')
    return f"<sheetData>{''.join(lines)}</sheetData>"


def workbook(sheet: str, *, name: str = "raw.xlsx", **more: str | bytes) -> Callable[[Path], Path]:
    """Return a builder of a workbook from the XML of its one sheet. Further parts have __ for a slash in their names."""
    parts = {
        "_rels/.rels": ROOT,
        "[Content_Types].xml": TYPES,
        "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": LINKS,
    }
    extra = {path.replace("__", "/").replace("_dot_", "."): content for path, content in more.items()}
    return archive({**parts, "xl/worksheets/sheet1.xml": SHEET.format(sheet), **extra}, name)


COVERED = "covered by a merged cell"


def ods(table: str) -> Callable[[Path], Path]:
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        f'<office:body><office:spreadsheet><table:table table:name="Register">{table}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    return archive({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest}, "register.ods")


def ods_rows(rows: Rows, *, spans: dict[str, tuple[int, int]] | None = None) -> str:
    """Return the rows of a sheet; ``spans`` are the columns and rows of merged cells by their first value."""

    def cell(value: object) -> str:
        if value is None:
            return "<table:table-cell/>"
        if value == COVERED:
            return "<table:covered-table-cell/>"
        if across := (spans or {}).get(str(value)):
            span = f'table:number-columns-spanned="{across[0]}" table:number-rows-spanned="{across[1]}"'
            return f'<table:table-cell office:value-type="string" {span}><text:p>{value}</text:p></table:table-cell>'
        if isinstance(value, dt.date):
            return f'<table:table-cell office:value-type="date" office:date-value="{value}"><text:p>{value}</text:p></table:table-cell>'
        if isinstance(value, int):
            return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    return "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)


HEAD = ["Partner", "Country", "Duration"]
HEAD_ZH = ["合作单位", "协议名称", "签订日期"]
AALTO_READ = {"partner": names("Aalto University"), "country": "FI", "duration": years(5)}
KEIO = ["Keio University", "Japan", "3 years"]
KEIO_READ = {"partner": names("Keio University"), "country": "JP", "duration": years(3)}
LUND = ["Lund University", "Sweden", "1 year"]
LUND_READ = {"partner": names("Lund University"), "country": "SE", "duration": years(1)}
ROWS_ZH = [["浙江大学", "战略合作协议", dt.date(2021, 3, 5)], ["中易机械有限公司", "实习基地协议", "2022年9月"]]
READ_ZH = [
    {"partner": names("浙江大学"), "title": "战略合作协议", "signed_on": day(2021, 3, 5)},
    {"partner": names("中易机械有限公司"), "title": "实习基地协议", "signed_on": month(2022, 9)},
]
CSV_ZH = "合作单位,协议名称,签订日期\r\n浙江大学,战略合作协议,2021-3-5\r\n中易机械有限公司,实习基地协议,2022年9月\r\n"


def dated(*given: object) -> list[list[object]]:
    return [
        ["Partner", "Signed on"],
        *([f"{letter} University", cell] for letter, cell in zip("ABCDEFGHIJ", given, strict=False)),
    ]


def dates(*read: PartialDate | None) -> list[dict[str, Any]]:
    return [
        {"partner": names(f"{letter} University"), **({"signed_on": one} if one else {})}
        for letter, one in zip("ABCDEFGHIJ", read, strict=False)
    ]


def column(heading: str, *given: object) -> Rows:
    return [
        ["Partner", heading],
        *([f"{letter} University", cell] for letter, cell in zip("ABCDEFGHIJ", given, strict=False)),
    ]


def read(name: str, *values: object) -> list[dict[str, Any]]:
    return [
        {"partner": names(f"{letter} University"), **({} if value is None else {name: value})}
        for letter, value in zip("ABCDEFGHIJ", values, strict=False)
    ]


def problems(name: str, *which: bool) -> list[set[str]]:
    return [{name} if one else set() for one in which]


LAYOUT = [
    Trap(
        "sections_by_country",
        xlsx([["Partner", "Duration"], ["Japan"], KEIO[::2], ["FINLAND (1)"], AALTO[::2]], merged=["A2:B2", "A4:B4"]),
        [KEIO_READ, AALTO_READ],
    ),
    Trap(
        "按年份分段而无日期列",
        xlsx(
            [
                ["序号", "合作单位", "协议名称"],
                ["2021年"],
                [1, "浙江大学", "战略合作协议"],
                ["二〇二二年度"],
                [2, "宁波大学", "实习协议"],
            ]
        ),
        [
            {"partner": names("浙江大学"), "title": "战略合作协议", "signed_on": year(2021)},
            {"partner": names("宁波大学"), "title": "实习协议", "signed_on": year(2022)},
        ],
    ),
    Trap(
        "title_rows_above_the_headings",
        xlsx([["List of Memoranda"], ["As of 2026"], [], HEAD, AALTO, KEIO]),
        [AALTO_READ, KEIO_READ],
        numbers=(5, 6),
        title="List of Memoranda · As of 2026",
    ),
    Trap(
        "标题和制表单位在表头之上",
        xlsx(
            [["校外合作协议一览表"], ["制表单位：合作处", None, "日期：2026年3月"], HEAD_ZH, *ROWS_ZH], merged=["A1:C1"]
        ),
        READ_ZH,
        title="校外合作协议一览表 · 制表单位：合作处 日期：2026年3月",
    ),
    Trap(
        "sections_by_continent",
        xlsx([HEAD, ["Asia"], KEIO, ["EUROPE (2)"], AALTO, LUND], merged=["A2:C2"]),
        [KEIO_READ, AALTO_READ, LUND_READ],
        notes=("Asia, EUROPE (2)",),
        numbers=(3, 5, 6),
    ),
    Trap(
        "按年份分段",
        xlsx([HEAD_ZH, ["2021年度"], ROWS_ZH[0], ["2022年"], ROWS_ZH[1]]),
        READ_ZH,
        notes=("2021年度, 2022年",),
    ),
    Trap(
        "section_by_faculty_over_all_columns",
        xlsx([HEAD, ["Faculty of Arts"], KEIO, ["Faculty of Law"], AALTO], merged=["A2:C2", "A4:C4"]),
        [KEIO_READ, AALTO_READ],
        notes=("Faculty of Arts, Faculty of Law",),
    ),
    Trap(
        "partner_of_whom_only_the_name_is_known",
        xlsx([HEAD, KEIO, ["Aalto University"], LUND]),
        [KEIO_READ, {"partner": names("Aalto University")}, LUND_READ],
    ),
    Trap(
        "headings_repeated_on_each_page",
        xlsx([HEAD, KEIO, HEAD, AALTO]),
        [KEIO_READ, AALTO_READ],
        notes=("Row 3 repeats",),
    ),
    Trap(
        "两层表头合并单元格",
        xlsx(
            [
                ["序号", "合作方", None, "签订日期"],
                [None, "名称", "国家", None],
                [1, "浙江大学", "中国", dt.date(2021, 3, 5)],
            ],
            merged=["A1:A2", "B1:C1", "D1:D2"],
        ),
        [{"partner": names("浙江大学"), "country": "CN", "signed_on": day(2021, 3, 5)}],
        numbers=(3,),
    ),
    Trap(
        "two_rows_of_headings_without_merged_cells",
        xlsx([["Partner", None, "Term"], ["Name", "Country", "Duration"], KEIO]),
        [KEIO_READ],
        numbers=(3,),
    ),
    Trap(
        "partner_merged_over_its_agreements",
        xlsx(
            [["Partner", "Title", "Signed on"], ["Keio University", "MoU", 2019], [None, "Exchange", 2021]],
            merged=["A2:A3"],
        ),
        [
            {"partner": names("Keio University"), "title": "MoU", "signed_on": year(2019)},
            {"partner": names("Keio University"), "title": "Exchange", "signed_on": year(2021)},
        ],
    ),
    Trap(
        "open_document_with_a_partner_merged_over_its_agreements",
        ods(
            '<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="3"/></table:table-row>'
            + ods_rows(
                [["Partner", "Title", "Signed on"], ["Keio University", "MoU", 2019], [COVERED, "Exchange", 2021]],
                spans={"Keio University": (1, 2)},
            )
        ),
        [
            {"partner": names("Keio University"), "title": "MoU", "signed_on": year(2019)},
            {"partner": names("Keio University"), "title": "Exchange", "signed_on": year(2021)},
        ],
        numbers=(4, 5),
    ),
    Trap(
        "开放文档两层表头合并单元格",
        ods(
            ods_rows(
                [
                    ["序号", "合作方", COVERED, "签订日期"],
                    [COVERED, "名称", "国家", COVERED],
                    [1, "浙江大学", "中国", dt.date(2021, 3, 5)],
                ],
                spans={"序号": (1, 2), "合作方": (2, 1), "签订日期": (1, 2)},
            )
        ),
        [{"partner": names("浙江大学"), "country": "CN", "signed_on": day(2021, 3, 5)}],
        numbers=(3,),
    ),
    Trap(
        "合计行",
        xlsx([["合作单位", "协议名称", "金额"], ["浙江大学", "项目协议", 5000], ["合 计", None, 5000]]),
        [{"partner": names("浙江大学"), "title": "项目协议", "amount": money(5000)}],
        notes=("Row 3 is a total",),
    ),
    Trap(
        "company_called_total",
        xlsx([["Partner", "Country", "Amount"], ["Total", "France", 5], ["Total", None, 5]]),
        [{"partner": names("Total"), "country": "FR", "amount": money(5)}],
        notes=("Row 3 is a total",),
    ),
    Trap(
        "remarks_below_the_table",
        xlsx([HEAD, KEIO, AALTO, [], ["* renewed in 2024"], ["Source: office"]]),
        [KEIO_READ, AALTO_READ],
        notes=("* renewed in 2024", "Source: office"),
    ),
    Trap(
        "制表人和审核人",
        xlsx(
            [
                ["合作单位", "协议名称", "金额"],
                ["浙江大学", "项目协议", 5000],
                ["制表公司", "审核协议", 70],
                ["合计", None, 5070],
                ["注：金额单位为元"],
                ["制表人：周", "审核人：吴", "2026年6月30日"],
                ["填表人", "郑"],
            ]
        ),
        [
            {"partner": names("浙江大学"), "title": "项目协议", "amount": money(5000)},
            {"partner": names("制表公司"), "title": "审核协议", "amount": money(70)},
        ],
        notes=("制表人：周 审核人：吴 2026年6月30日", "填表人 郑", "注：金额单位为元"),
        numbers=(2, 3),
    ),
    Trap(
        "prepared_by_below_the_table",
        xlsx([HEAD, KEIO, AALTO, ["Prepared by: Ann Smith", None, "Checked by: Ben Wu"], ["Approved by"]]),
        [KEIO_READ, AALTO_READ],
        notes=("Prepared by: Ann Smith Checked by: Ben Wu", "Approved by"),
    ),
    Trap(
        "empty_rows_and_columns_between",
        xlsx(
            [
                ["Partner", None, "Country", "", "Duration"],
                [],
                ["Keio University", None, "Japan", "  ", "3 years"],
                [None, "\u3000"],
                ["Aalto University", None, "Finland", None, "5 years"],
            ]
        ),
        [KEIO_READ, AALTO_READ],
        numbers=(3, 5),
    ),
    Trap(
        "table_begins_in_the_middle_of_the_sheet",
        xlsx([[], [], [], [None, None, *HEAD], [None, None, *KEIO]]),
        [KEIO_READ],
        numbers=(5,),
    ),
    Trap("hidden_sheet_with_old_rows", xlsx([HEAD, KEIO], more={".old": [HEAD, AALTO]}), [KEIO_READ]),
    Trap(
        "one_sheet_for_each_year",
        xlsx([HEAD, KEIO], more={"2022": [HEAD, AALTO], "empty": []}),
        [KEIO_READ, AALTO_READ],
    ),
    Trap(
        "two_tables_of_other_headings_in_one_sheet",
        xlsx(
            [
                HEAD,
                KEIO,
                [],
                ["Enterprises"],
                ["Partner", "Duration", "Signed on"],
                ["Zhongyi Company", "5 years", 2020],
            ]
        ),
        [KEIO_READ, {"partner": names("Zhongyi Company"), "duration": years(5), "signed_on": year(2020)}],
    ),
    Trap("中英文对照表头", xlsx([["合作单位 Partner", "国家/Country", "有效期\nDuration (*)"], KEIO]), [KEIO_READ]),
    Trap(
        "e_mail_addresses_without_a_heading",
        xlsx([["Partner", None, "Country"], ["Keio University", "a@keio.jp", "Japan"]]),
        [{"partner": names("Keio University"), "contact_email": "a@keio.jp", "country": "JP"}],
    ),
    Trap(
        "e_mail_addresses_under_contact",
        xlsx([["Partner", "Contact"], ["Keio University", "a@keio.jp"], ["Aalto University", "b@aalto.fi"]]),
        [
            {"partner": names("Keio University"), "contact_email": "a@keio.jp"},
            {"partner": names("Aalto University"), "contact_email": "b@aalto.fi"},
        ],
    ),
    Trap(
        "甲方乙方丙方各一列",
        xlsx([["协议名称", "乙方", "合作方"], ["战略合作协议", "浙江大学", "嵊州市人民政府"]]),
        [{"title": "战略合作协议", "partner": names("浙江大学", "嵊州市人民政府")}],
    ),
]
VALUES = [
    Trap(
        "numbers_stored_as_text",
        xlsx(column("Amount", "1,000", " 5000 ", "１２３")),
        read("amount", money(1000), money(5000), money(123)),
    ),
    Trap(
        "phones_stored_as_numbers",
        xlsx(column("Phone", 13800000000, 57583000001.0, "1.3800000001E10")),
        read("contact_phone", "13800000000", "57583000001", "13800000001"),
    ),
    Trap(
        "phones_cut_by_the_spreadsheet",
        text("Partner,Phone\nA University,1.38E+10\nB University,0575-83000001\n"),
        read("contact_phone", None, "0575-83000001"),
        problems=problems("contact_phone", True, False),
    ),
    Trap(
        "codes_stored_as_numbers",
        xlsx(column("Reference", 12, "0012", 123456789012345678)),
        read("reference", "12", "0012", None),
        problems=problems("reference", False, False, True),
    ),
    Trap(
        "全角数字和空格",
        xlsx([HEAD_ZH, ["浙江大学\u3000", "战略\xa0合作协议", "２０２１年３月５日"]]),
        [{"partner": names("浙江大学"), "title": "战略 合作协议", "signed_on": day(2021, 3, 5)}],
    ),
    Trap(
        "invisible_signs_in_names", xlsx([HEAD, ["Keio\xa0University\u200b", "\ufeffJapan", "3\xa0years"]]), [KEIO_READ]
    ),
    Trap("serial_days_of_1900_without_a_format", xlsx(dated(43881, 43881.5, "43881")), dates(*[day(2020, 2, 20)] * 3)),
    Trap(
        "serial_days_of_1904", epoch_1904(dated(42419, dt.date(2020, 2, 20))), dates(day(2020, 2, 20), day(2020, 2, 20))
    ),
    Trap(
        "dates_as_people_write_them",
        xlsx(dated("February 20,2020", "2023年3月", "2021", 2021, "20200220", "Mar. 2023", "2021.3", "2020/2/20 0:00")),
        dates(
            day(2020, 2, 20),
            month(2023, 3),
            year(2021),
            year(2021),
            day(2020, 2, 20),
            month(2023, 3),
            month(2021, 3),
            day(2020, 2, 20),
        ),
    ),
    Trap(
        "dates_of_two_readings",
        text("Partner,Signed on\nA University,01/02/2026\nB University,12/31/25\nC University,2026-01-02\n"),
        dates(None, None, day(2026, 1, 2)),
        problems=problems("signed_on", True, True, False),
    ),
    Trap(
        "month_ten_that_became_one",
        xlsx(dated(2021.1, 2021.3, 2021.12)),
        dates(None, month(2021, 3), month(2021, 12)),
        problems=problems("signed_on", True, False, False),
    ),
    Trap(
        "民国纪年不猜",
        xlsx(dated("民国100年3月", "2011年3月")),
        dates(None, month(2011, 3)),
        problems=problems("signed_on", True, False),
    ),
    Trap(
        "durations_in_english",
        xlsx(
            column(
                "Period of validity",
                "5 years",
                "three years",
                "3 years, then 1 year at a time",
                "3+2",
                "Till consent",
                "until June 2027",
                5,
            )
        ),
        read(
            "duration",
            years(5),
            years(3),
            years(3, renewal="automatic", renewal_months=12),
            years(3, renewal="agreed", renewal_months=24, renewal_limit=1),
            Duration(is_open_ended=True),
            Duration(ends=month(2027, 6)),
            years(5),
        ),
    ),
    Trap(
        "中文期限",
        xlsx(column("有效期", "五年", "三年，到期自动续一年", "长期", "至2027年6月30日", "2021-2024", "看情况")),
        read(
            "duration",
            years(5),
            years(3, renewal="automatic", renewal_months=12),
            Duration(is_open_ended=True),
            Duration(ends=day(2027, 6, 30)),
            Duration(starts=year(2021), ends=year(2024)),
            None,
        ),
        problems=problems("duration", False, False, False, False, False, True),
    ),
    Trap(
        "number_of_months_as_the_heading_says",
        xlsx(column("期限（月）", 36, "12")),
        read("duration", Duration(36), Duration(12)),
    ),
    Trap(
        "end_that_never_comes",
        xlsx(column("Expiry date", "Till consent", dt.date(2027, 6, 30), "N/A")),
        read("ends_on", Duration(is_open_ended=True), day(2027, 6, 30), None),
    ),
    Trap(
        "金额单位在表头",
        xlsx(column("金额（万元）", 100, "1.5", "2亿元")),
        read("amount", money(1_000_000, "CNY"), money(15_000, "CNY"), money(200_000_000, "CNY")),
    ),
    Trap(
        "amounts_with_currencies",
        xlsx(column("Amount", "USD 50,000", "50万欧元", "€1.5 million", "free")),
        read("amount", money(50_000, "USD"), money(500_000, "EUR"), money(1_500_000, "EUR"), None),
        problems=problems("amount", False, False, False, True),
    ),
    Trap(
        "places_behind_names",
        xlsx([["Partner"], ["X University, New Taipei, Taiwan"], ["东京大学（日本）"], ["Zhongyi Co., Ltd."]]),
        [
            {"partner": names(("X University", "New Taipei", "TW"))},
            {"partner": names(("东京大学", "", "JP"))},
            {"partner": names("Zhongyi Co., Ltd.")},
        ],
    ),
    Trap(
        "several_parties_in_a_cell",
        xlsx(
            [
                ["Partner", "Country"],
                ["北京大学/清华大学", "中国"],
                ["甲方：嵊州市人民政府\n乙方：浙江大学；绍兴文理学院", "中国"],
                ["Novo Nordisk A/S", "Denmark"],
            ]
        ),
        [
            {"partner": names("北京大学", "清华大学"), "country": "CN"},
            {"partner": names("嵊州市人民政府", "浙江大学", "绍兴文理学院"), "country": "CN"},
            {"partner": names("Novo Nordisk A/S"), "country": "DK"},
        ],
    ),
    Trap(
        "persons_with_their_phones",
        xlsx(column("联系人", "王小明 13800000000", "王小明/李红", "Prof. John Smith <js@x.edu>")),
        read(
            "contact",
            (PersonInCell("王小明", phone="13800000000"),),
            (PersonInCell("王小明"), PersonInCell("李红")),
            (PersonInCell("John Smith", "Prof.", email="js@x.edu"),),
        ),
    ),
    Trap(
        "several_addresses_in_a_cell",
        xlsx(column("E-mail", "a@x.edu; b@x.edu", "mailto:c@x.edu", "none at x", "")),
        read("contact_email", "a@x.edu", "c@x.edu", None, None),
        problems=problems("contact_email", False, False, True, False),
    ),
    Trap(
        "statuses_in_words",
        xlsx(column("履行状态", "在履行", "已到期", "Terminated", "某种状态", "—")),
        read("status", "signed", "completed", "terminated", None, None),
        problems=problems("status", False, False, False, True, False),
    ),
    Trap(
        "企业性质的各种写法",
        xlsx(
            [
                ["单位名称", "单位类型"],
                ["甲大学", "民办高校"],
                ["乙公司", "高新技术企业"],
                ["丙协会", "社会组织"],
                ["丁局", "党政机关"],
            ]
        ),
        [
            {"name": PlacedName(one), "kind": kind}
            for one, kind in (
                ("甲大学", "institution"),
                ("乙公司", "enterprise"),
                ("丙协会", "association"),
                ("丁局", "government_body"),
            )
        ],
        kind="organizations",
    ),
    Trap(
        "cells_whose_formulas_failed",
        text("Partner,Signed on\nA University,#REF!\nB University,2021\n"),
        dates(None, year(2021)),
        problems=problems("signed_on", True, False),
    ),
    Trap(
        "signs_that_were_lost",
        text("Partner,Title\nA University,Coop\ufffdration\n"),
        [{"partner": names("A University")}],
        problems=[{"title"}],
    ),
]
FILES = [
    Trap(
        "cells_with_errors_of_formulas",
        workbook(cells([["Partner", "Amount"], ["Keio University", '<c r="B2" t="e"><f>1/0</f><v>#DIV/0!</v></c>']])),
        [{"partner": names("Keio University")}],
        problems=[{"amount"}],
    ),
    Trap("csv_utf_8_with_bom", text(CSV_ZH, encoding="utf-8-sig"), READ_ZH),
    Trap("csv_utf_8_without_bom", text(CSV_ZH), READ_ZH, numbers=(2, 3)),
    Trap("csv_utf_16", text(CSV_ZH, encoding="utf-16"), READ_ZH),
    Trap("csv_utf_16_without_bom", text(CSV_ZH, encoding="utf-16-le"), READ_ZH),
    Trap("csv_gbk", text(CSV_ZH, encoding="gbk"), READ_ZH),
    Trap(
        "csv_gb18030_with_rare_signs",
        text(CSV_ZH.replace("中易机械", "㛃𠀀机械"), encoding="gb18030"),
        [READ_ZH[0], READ_ZH[1] | {"partner": names("㛃𠀀机械有限公司")}],
    ),
    Trap(
        "csv_big5",
        text(
            "合作單位,協議名稱,簽訂日期\n國立臺灣大學,合作備忘錄,2021年\n國立成功大學,學術交流協議,2022年\n",
            encoding="big5",
        ),
        [
            {"partner": names("國立臺灣大學"), "title": "合作備忘錄", "signed_on": year(2021)},
            {"partner": names("國立成功大學"), "title": "學術交流協議", "signed_on": year(2022)},
        ],
    ),
    Trap(
        "csv_latin_1",
        text("Partner;Country\nÉcole supérieure de Genève;Switzerland\nNestlé S.A.;Switzerland\n", encoding="cp1252"),
        [
            {"partner": names("École supérieure de Genève"), "country": "CH"},
            {"partner": names("Nestlé S.A."), "country": "CH"},
        ],
    ),
    Trap(
        "csv_with_semicolons",
        text('Partner;Country;Duration\n"Keio, University";Japan;3 years\n'),
        [KEIO_READ | {"partner": names("Keio, University")}],
    ),
    Trap(
        "tsv", text("Partner\tCountry\tDuration\nKeio University\tJapan\t3 years\n", name="register.tsv"), [KEIO_READ]
    ),
    Trap("全角逗号分隔", text("合作单位，协议名称，签订日期\n浙江大学，战略合作协议，2021-3-5\n"), READ_ZH[:1]),
    Trap(
        "csv_with_sep_line",
        text("sep=;\nPartner;Country;Duration\nKeio University;Japan;3 years\n"),
        [KEIO_READ],
        numbers=(3,),
    ),
    Trap(
        "csv_with_line_breaks_in_cells",
        text('Partner,Country\n"Keio University\nAalto University",Japan\n'),
        [{"partner": names("Keio University", "Aalto University"), "country": "JP"}],
    ),
    Trap("old_xls", xls([["List"], [], [None, *HEAD_ZH], *([None, *row] for row in ROWS_ZH)]), READ_ZH, numbers=(4, 5)),
    Trap(
        "open_document",
        ods(ods_rows([["List"], [], [None, *HEAD_ZH], *([None, *row] for row in ROWS_ZH)])),
        READ_ZH,
        numbers=(4, 5),
    ),
    Trap(
        "text_with_the_ending_xls",
        text("Partner\tCountry\tDuration\nKeio University\tJapan\t3 years\n", name="export.xls"),
        [KEIO_READ],
    ),
    Trap(
        "workbook_with_the_ending_csv",
        lambda folder: xlsx([HEAD, KEIO])(folder).rename(folder / "register.csv"),
        [KEIO_READ],
    ),
    Trap(
        "formulas_with_their_results",
        workbook(
            cells(
                [
                    ["Partner", "Amount"],
                    ["Keio University", '<c r="B2"><f>2*3</f><v>6</v></c>'],
                    ["Aalto University", '<c r="B3" t="str"><f>""</f><v></v></c>'],
                ]
            )
        ),
        [{"partner": names("Keio University"), "amount": money(6)}, {"partner": names("Aalto University")}],
    ),
    Trap(
        "dimension_tag_of_a_whole_sheet",
        workbook('<dimension ref="A1:XFD1048576"/>' + cells([HEAD, KEIO])),
        [KEIO_READ],
    ),
    Trap(
        "cell_in_the_last_row",
        workbook(cells([HEAD, KEIO])[:-12] + '<row r="1048576"><c r="A1048576"><v> </v></c></row></sheetData>'),
        [KEIO_READ],
    ),
]


def bomb(folder: Path) -> Path:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as inner:
        inner.writestr("xl/workbook.xml", BOOK)
        with inner.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(40):
                sheet.write(b" " * (1 << 20))
    return raw(packed.getvalue(), "bomb.xlsx")(folder)


def lying(folder: Path) -> Path:
    """Return an archive whose directory says that a sheet of many megabytes has a hundred bytes."""
    path = workbook(cells([HEAD, KEIO]) + " " * 3_000_000)(folder)
    content = bytearray(path.read_bytes())
    place = content.rfind(b"PK\x01\x02", 0, content.rfind(b"xl/worksheets/sheet1.xml"))
    content[place + 24 : place + 28] = (100).to_bytes(4, "little")
    path.write_bytes(content)
    return path


def cut(folder: Path) -> Path:
    path = xlsx([HEAD, *[KEIO] * 100])(folder)
    path.write_bytes(path.read_bytes()[:-3000])
    return path


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OLE_HEAD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
HOSTILE = [
    Trap(
        "formulas_without_results",
        xlsx([["Partner", "Amount"], ["Keio University", "=2*3"]]),
        refused="Sheet “Sheet” has formulas without results",
    ),
    Trap("zip_bomb", bomb, refused="The file unpacks to far more"),
    Trap("archive_that_lies_about_its_size", lying, refused="The file is damaged"),
    Trap(
        "cell_in_the_last_column",
        workbook(cells([HEAD, [*KEIO, '<c r="XFD2"><v>1</v></c>']])),
        refused="Sheet “Sheet1” has more than 500 columns",
    ),
    Trap(
        "hundred_thousand_columns",
        text(",".join(["Partner"] * 100_000) + "\n"),
        refused="Sheet “register” has more than 500 columns",
    ),
    Trap(
        "macros",
        workbook(cells([HEAD, KEIO]), name="register.xlsm", xl__vbaProject_dot_bin=b"x"),
        refused="The file contains macros",
    ),
    Trap(
        "macros_with_the_ending_xlsx",
        workbook(cells([HEAD, KEIO]), xl__vbaProject_dot_bin=b"x"),
        refused="The file contains macros",
    ),
    Trap(
        "old_file_with_macros",
        raw(OLE_HEAD + "Workbook".encode("utf-16-le") + "_VBA_PROJECT_CUR".encode("utf-16-le"), "old.xls"),
        refused="The file contains macros",
    ),
    Trap(
        "links_to_other_files",
        workbook(cells([HEAD, KEIO]), xl__externalLinks__externalLink1_dot_xml="<externalLink/>"),
        refused="The file takes values from other files",
    ),
    Trap(
        "encrypted",
        raw(OLE_HEAD + "EncryptedPackage".encode("utf-16-le"), "secret.xlsx"),
        refused="The file is protected with a password",
    ),
    Trap(
        "web_page_with_the_ending_xls",
        text("<html><table><tr><td>Partner</td></tr></table></html>", name="export.xls"),
        refused="This is a web page",
    ),
    Trap("pdf_with_the_ending_xlsx", raw(b"%PDF-1.7\n...", "register.xlsx"), refused="This is not a spreadsheet"),
    Trap(
        "word_document",
        archive({"word/document.xml": "<x/>", "[Content_Types].xml": TYPES}, "register.xlsx"),
        refused="This is not a spreadsheet",
    ),
    Trap(
        "old_word_document",
        raw(OLE_HEAD + "WordDocument".encode("utf-16-le"), "register.xls"),
        refused="This is not a spreadsheet",
    ),
    Trap("binary_file", raw(b"Partner\0\1\2\3,Country\n", "register.csv"), refused="This is not a spreadsheet"),
    Trap("empty_file", raw(b"", "register.csv"), refused="The file is empty"),
    Trap("text_of_separators_alone", text(",,,\n,,,\n"), refused="The file is empty"),
    Trap("workbook_without_a_table", xlsx([["hello"]]), refused="There is no table"),
    Trap("cut_off_while_it_was_sent", cut, refused="The file is damaged"),
    Trap(
        "entities_that_grow",
        archive(
            {
                "[Content_Types].xml": TYPES,
                "xl/workbook.xml": BOOK,
                "xl/_rels/workbook.xml.rels": LINKS,
                "xl/worksheets/sheet1.xml": ENTITIES + SHEET.format(cells([HEAD, ["&b;", "x", "y"]])),
            },
            "entities.xlsx",
        ),
        refused="The file is damaged",
    ),
    Trap(
        "ods_with_a_billion_repeated_cells",
        ods(
            '<table:table-row table:number-rows-repeated="1000000">'
            '<table:table-cell table:number-columns-repeated="1000000" office:value-type="float" office:value="1"/></table:table-row>'
        ),
        refused="Sheet “” has more than 500 columns",
    ),
]
TRAPS = [*LAYOUT, *VALUES, *FILES, *HOSTILE]


# Registers as offices keep them: shaped like public ones, with names of nobody.


def memoranda_by_continent() -> Rows:
    """Return an international office's list of memoranda, with durations in words."""
    head = [
        "No.",
        "Partner Institution",
        "Country",
        "Type of Agreement",
        "Date Signed",
        "Duration",
        "Status",
        "Contact Person",
        "E-mail",
    ]
    places = {
        "ASIA": [
            ("Sakura University", "Japan"),
            ("Hanbit University", "Republic of Korea"),
            ("Formosa Institute of Technology, New Taipei", "Taiwan"),
        ],
        "EUROPE": [
            ("Northern Lights University", "Finland"),
            ("École des Rivières", "France"),
            ("Hochschule am Wald", "Germany"),
        ],
        "AMERICAS": [("Prairie State College", "USA"), ("Universidad del Sol", "Mexico")],
        "OCEANIA": [("Southern Cross Polytechnic", "New Zealand")],
    }
    words = [
        "5 years",
        "three (3) years",
        "3 years, then 1 year at a time",
        "Indefinite",
        "until June 2027",
        "5 years, renewable for another 5 years",
        "2 years; extendable once for 1 year",
        "Till consent",
        "3+2",
    ]
    signed = [
        "February 20,2020",
        dt.date(2021, 3, 5),
        "2019",
        "March 2018",
        2022,
        dt.date(2023, 11, 1),
        "15 May 2024",
        "2017",
        dt.date(2020, 6, 30),
    ]
    rows: list[Sequence[object]] = [["MEMORANDA OF UNDERSTANDING AND AGREEMENTS"], ["International Office"], []]
    number = 0
    for continent, partners in places.items():
        rows += [[continent], head]
        for partner, country in partners:
            kind = "Memorandum of Understanding" if number % 2 == 0 else "General Agreement"
            person = ["Dr. Anna Example", "Prof. Li Wei", "Ms. Eva Muster", None][number % 4]
            address = f"office{number}@partner.example" if person else None
            rows.append(
                [
                    number + 1,
                    partner,
                    country,
                    kind,
                    signed[number],
                    words[number],
                    "Active" if number % 4 else "Renewed",
                    person,
                    address,
                ]
            )
            number += 1
    return [*rows, ["Total", None, None, None, None, None, number], [], ["* as reported by the faculties"]]


def specialized_enterprises() -> Rows:
    """Return a list of 专精特新 enterprises with their honours and batches."""
    head = [
        "序号",
        "企业名称",
        "统一社会信用代码",
        "认定类型",
        "级别",
        "批次",
        "认定时间",
        "有效期至",
        "所在区县",
        "主导产品",
    ]
    kinds = ["专精特新“小巨人”企业", "省级专精特新中小企业", "创新型中小企业"]
    rows: list[Sequence[object]] = [["嵊州市专精特新企业名单"], ["（截至2026年6月）"], head]
    for number in range(1, 31):
        kind = number % 3
        code = f"91330683MA{number:07d}X"
        granted: object = [dt.date(2021, 7, 1), "2022年8月", "2023.9"][number % 3]
        until: object = [dt.date(2024, 6, 30), "2025年8月", "长期有效"][number % 3]
        rows.append(
            [
                number,
                f"嵊州市示例{number}号机械有限公司",
                code,
                kinds[kind],
                ["国家级", "省级", "市级"][kind],
                f"第{'一二三四五'[number % 5]}批",
                granted,
                until,
                "嵊州市",
                "电机、厨具",
            ]
        )
    return [*rows, ["合计", 30]]


def city_cooperation() -> Rows:
    """Return a city's register of cooperation, with several parties in an agreement."""
    head = [
        "编号",
        "协议名称",
        "签约各方",
        "签订日期",
        "有效期",
        "金额（万元）",
        "履行状态",
        "牵头部门",
        "联系人及电话",
        "备注",
    ]
    body: list[Sequence[object]] = [
        [
            "2021-001",
            "战略合作协议",
            "嵊州市人民政府\n浙江大学",
            dt.date(2021, 3, 5),
            "五年",
            500,
            "在履行",
            "科技局",
            "王小明 13800000001",
            None,
        ],
        [
            "2021-002",
            "关于共建实习基地的合作协议",
            "绍兴文理学院、中易机械有限公司；越剧小镇发展集团",
            "2021年6月",
            "三年，到期自动续一年",
            None,
            "在履行",
            "教体局",
            "李红（科长）0575-83000001",
            "每年评估",
        ],
        [
            "2022-003",
            "产学研合作备忘录",
            "北京大学/清华大学",
            "2022.9",
            "长期",
            "1.5",
            "在履行",
            "科技局",
            "赵强/钱丽",
            None,
        ],
        [
            "2019-004",
            "人才培养框架协议",
            "①上海交通大学②嵊州市职业教育中心",
            2019,
            "2019-2024",
            80,
            "已到期",
            "人社局",
            "孙伟 处长",
            "已归档",
        ],
        [
            "2023-005",
            "友好学校协议",
            "东京示例大学（日本）",
            "2023年11月8日",
            "至2028年11月",
            None,
            "暂停",
            "外事办",
            "Prof. Ken Sato <sato@example.jp>",
            None,
        ],
    ]
    return [
        ["嵊州市市校合作协议台账"],
        ["填报单位：合作办", None, None, "填报日期：2026年6月30日"],
        head,
        *body,
        ["合计", None, None, None, None, 581.5],
    ]


REGISTERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "memoranda_by_continent": ("register", xlsx(memoranda_by_continent())),
    "specialized_enterprises": ("honours", xlsx(specialized_enterprises(), merged=["A1:J1"])),
    "city_cooperation": ("register", xlsx(city_cooperation(), merged=["A1:J1"])),
}


def many_rows(count: int) -> Iterator[list[object]]:
    """Return a large register, for measurements."""
    yield ["Partner", "Country", "Signed on", "Duration", "Contact", "Phone", "E-mail", "Amount", "Status", "Remarks"]
    for number in range(count):
        yield [
            f"University {number}, Osaka, Japan",
            "Japan",
            dt.date(2020, 1 + number % 12, 1),
            "5 years",
            f"Person {number}",
            13800000000 + number,
            f"p{number}@example.org",
            number * 10,
            "Active",
            "none so far",
        ]
