"""The headings of registers, in Chinese and English, and the fields behind them."""

import pytest

from partnerships.imports.columns import guess_columns, is_known_heading
from partnerships.imports.completion import complete
from partnerships.imports.kinds import KINDS
from partnerships.imports.parties import PlacedName
from partnerships.imports.sheets import Sheet, tables_in
from partnerships.imports.tables import Row, Table
from partnerships.imports.values import Duration, read_value

REGISTERS = {
    "register": [
        (
            "S.No: | Name of the University/Institution:partner | Country:country | Date of Signing:signed_on | Validity:duration"
            " | Nature of Agreement:type | Coordinating Department:unit | Faculty Coordinator:coordinator | Remarks:summary"
        ),
        (
            "Partner Institution:partner | City:region | Country:country | Agreement Type:type | Start Date:starts_on"
            " | End Date:ends_on | Status:status | Liaison:contact | Liaison E-mail:contact_email"
        ),
        (
            "序号: | 国（境）外合作院校名称:partner | 国别:country | 协议类型:type | 签署日期:signed_on | 有效期:duration"
            " | 到期时间:ends_on | 承办学院:unit | 联系人:contact | 联系电话:contact_phone | 备注:summary"
        ),
        (
            "序号: | 项目名称:title | 甲方:partner | 乙方:partner | 丙方:partner | 签约时间:signed_on | 合作起止时间:duration"
            " | 合同金额(万元):amount | 币种:currency | 项目负责人:coordinator | 执行情况:status"
        ),
        (
            "协议编号:reference | 协议名称:title | 合作单位:partner | 合作单位性质:partner_kind | 签订日期:signed_on"
            " | 生效日期:starts_on | 截止日期:ends_on | 是否自动续期:renewal | 归口部门:unit | 经办人:coordinator | 档案号:archive_number"
        ),
        (
            "序号: | 合作项目:title | 签约各方 甲方:partner | 签约各方 乙方:partner | 签约时间:signed_on | 合作期限:duration"
            " | 牵头部门:unit | 对方联系人:contact | 联系方式:contact_phone | 履约情况:status"
        ),
        (
            "No: | Partner Institution, Country:partner | Nature of the MoU:type | Date of Signature:signed_on"
            " | In-charge (our side):coordinator | Partner Focal Point:contact | E-mail:contact_email | Remarks:summary"
        ),
    ],
    "organizations": [
        (
            "单位名称:name | 统一社会信用代码:uscc | 单位类型:kind | 所在地:region | 行业:industry | 地址:address | 联系人:contact"
            " | 电话:phone | 网址:website"
        ),
        "University (English):name | University (Chinese):name_zh | Country:country | Website:website",
        "Institution Name:name | Chinese Name:name_zh | Type:kind | Country:country | City:region | Website:website",
    ],
    "contacts": ["姓名:name | 单位:organization | 职务:position | 手机:phone | 邮箱:email | 微信号:wechat | 备注:note"],
    "honours": [
        "No: | Company:organization | Award:scheme | Year:granted_on | Valid until:valid_until | Issued by:issuer",
        "序号: | 企业名称:organization | 认定批次:batch | 公布时间:granted_on | 有效期:duration",
    ],
    "activities": [
        (
            "活动名称:title | 活动类型:kind | 合作单位:partner | 开始时间:starts_on | 结束时间:ends_on | 地点:place"
            " | 参加人数:headcount | 负责人:owner | 活动总结:summary"
        )
    ],
    "milestones": ["协议名称:agreement | 节点:title | 截止日期:due_on | 责任人:owner | 完成情况:status"],
    "agreements": [
        "Sr. No.: | Name of Institution & Country:partner | Date of MoU:signed_on | Valid upto:ends_on | Purpose:summary",
        "序号: | 大学名称（英文）:partner | 大学名称（中文）: | 签约日期:signed_on | 到期日:ends_on | 协议种类:type | 是否续签:renewal",
        "协议名称:title | 协议对方:partner | 签订时间:signed_on | 终止时间:ends_on | 我方联系人:coordinator",
        "Title:title | Partner:partner | Type:type | Signed:signed_on | Until:ends_on | Amount:amount | Currency:currency",
    ],
}
CASES = [(kind, line) for kind, lines in REGISTERS.items() for line in lines]


@pytest.mark.parametrize(("kind", "line"), CASES)
def test_headings_name_their_fields(kind: str, line: str) -> None:
    pairs = [cell.strip().rpartition(":") for cell in line.split("|")]
    headings = tuple(heading for heading, _colon, _name in pairs)
    table = Table("", "", headings, (Row(2, (None,) * len(headings)),))

    assert guess_columns(kind, table) == {place: name for place, (*_words, name) in enumerate(pairs) if name}


def test_a_line_across_the_table_is_no_row_of_headings() -> None:
    """The author and the day of a list, in one merged cell right above the headings."""
    headings = ("序号", "企业名称", "认定类别", "认定年度")
    rows = (
        Row(1, ("填报单位：经信局 填报日期：2025年11月3日", None, None, None)),
        Row(2, headings),
        Row(3, (1, "甲厂", "某类", 2025)),
    )
    (table,) = tables_in(Sheet("名单", rows, merged=((0, 0, 0, 3),)))
    assert (table.headings, len(table.rows)) == (headings, 1)


@pytest.mark.parametrize(
    "heading", ["合作单位", "Partner (English)", "* 签订日期", "国家/Country", "备 注", "No.", "ｅ－ｍａｉｌ"]
)
def test_known_headings(heading: str) -> None:
    assert is_known_heading(heading)


@pytest.mark.parametrize("words", ["Keio University", "浙江大学", "2021", "on the way", ""])
def test_what_is_no_heading(words: str) -> None:
    assert not is_known_heading(words)


FIELDS = KINDS["register"].by_name


def completed(**cells: str) -> dict[str, object]:
    values = {name: read_value(FIELDS[name], cell).value for name, cell in cells.items()}
    values["notes"] = sorted({name for name, _note in complete(FIELDS, values)})
    return values


def test_a_partner_named_with_the_paper_is_the_partner_alone() -> None:
    assert completed(partner="MoU with Aalto University, Espoo, Finland") == {
        "partner": (PlacedName("Aalto University", "Espoo", "FI"),),
        "title": "MoU with Aalto University",
        "type": "memorandum",
        "notes": ["partner"],
    }


def test_the_title_names_type_and_partners_where_no_column_does() -> None:
    read = completed(title="绍兴学院与浙江默示机械厂合作备忘录")
    assert (read["type"], read["notes"]) == ("memorandum", ["partner", "type"])
    assert read["partner"] == (PlacedName("绍兴学院"), PlacedName("浙江默示机械厂"))


def test_columns_count_more_than_the_title() -> None:
    read = completed(title="MoU with Aalto University", type="项目协议", partner="Keio University")
    assert (read["type"], read["partner"], read["notes"]) == ("project", (PlacedName("Keio University"),), [])


def test_a_term_under_the_heading_of_an_end() -> None:
    assert completed(ends_on="Till consent") == {"duration": Duration(is_open_ended=True), "notes": []}
    assert completed(ends_on="5 years", duration="3 years") == {"duration": Duration(36), "notes": []}


def test_a_currency_in_a_column_of_its_own() -> None:
    amounts = completed(amount="5000", currency="美元"), completed(amount="€5000", currency="USD")
    assert [amount["amount"].currency for amount in amounts] == ["USD", "EUR"]  # type: ignore[attr-defined]
