"""Organizations, papers and persons as cells name them."""

import pytest

from partnerships.imports.papers import Paper, read_paper
from partnerships.imports.parties import PlacedName, split_names, split_place
from partnerships.imports.people import PersonInCell, split_people


@pytest.mark.parametrize(
    "name",
    [
        "Novo Nordisk A/S",
        "Nestlé S.A.",
        "TCP/IP Institute",
        "Zhongyi Machinery Co., Ltd.",
        "X University, New Taipei, Taiwan",
        "University of California, Berkeley",
        "School of Engineering, University of Tokyo",
        "Ministry of Science and Technology",
        "Trinity College Dublin, the University of Dublin",
        "Ernst & Young Ltd",
        "中国与葡语国家经贸合作论坛",
        "中国工商银行股份有限公司嵊州支行",
        "京/沪联合办事机构",
    ],
)
def test_one_name_stays_one(name: str) -> None:
    assert split_names(name) == [name]


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("北京大学/清华大学", ["北京大学", "清华大学"]),
        ("Keio University / Waseda University", ["Keio University", "Waseda University"]),
        ("Harvard University, Yale University", ["Harvard University", "Yale University"]),
        ("Aalto University and Keio University", ["Aalto University", "Keio University"]),
        ("北京大学与清华大学", ["北京大学", "清华大学"]),
        ("浙江大学、绍兴文理学院，嵊州市人民政府", ["浙江大学", "绍兴文理学院", "嵊州市人民政府"]),
        ("甲方：嵊州市人民政府\n乙方：浙江大学", ["嵊州市人民政府", "浙江大学"]),
        ("1. Aalto University\n2. Keio University", ["Aalto University", "Keio University"]),
        ("①北京大学②清华大学", ["北京大学", "清华大学"]),
        ("A University, B University, Japan", ["A University", "B University, Japan"]),
    ],
)
def test_several_names_in_a_cell(cell: str, names: list[str]) -> None:
    assert split_names(cell) == names


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("X University, New Taipei, Taiwan", PlacedName("X University", "New Taipei", "TW")),
        ("东京大学（日本）", PlacedName("东京大学", "", "JP")),
        ("德国 慕尼黑工业大学", PlacedName("慕尼黑工业大学", "", "DE")),
        ("The University of Hong Kong, Hong Kong SAR, China", PlacedName("The University of Hong Kong", "", "HK")),
        ("Lund University (Lund, Sweden)", PlacedName("Lund University", "Lund", "SE")),
        ("日本·早稻田大学", PlacedName("早稻田大学", "", "JP")),
        ("Zhongyi Co., Ltd., Shengzhou, China", PlacedName("Zhongyi Co., Ltd.", "Shengzhou", "CN")),
        ("ETH Zürich - Switzerland", PlacedName("ETH Zürich", "", "CH")),
        ("University of California, Berkeley, USA", PlacedName("University of California, Berkeley", "", "US")),
        ("University of California, Berkeley, CA", PlacedName("University of California, Berkeley, CA")),
        ("Emory University, Atlanta, Georgia", PlacedName("Emory University, Atlanta, Georgia")),
        ("中国科学院（宁波）材料所", PlacedName("中国科学院（宁波）材料所")),
    ],
)
def test_a_place_behind_a_name(cell: str, expected: PlacedName) -> None:
    assert split_place(cell) == expected


@pytest.mark.parametrize(
    ("title", "paper"),
    [
        ("MoU with Aalto University", Paper("memorandum", ("Aalto University",))),
        ("Memorandum of Understanding - University of Tokyo", Paper("memorandum", ("University of Tokyo",))),
        ("Memorandum of Understanding (MoU) with Keio University", Paper("memorandum", ("Keio University",))),
        (
            "Memorandum of Understanding between Keio University and Aalto University",
            Paper("memorandum", ("Keio University", "Aalto University")),
        ),
        ("Aalto University – MoU", Paper("memorandum", ("Aalto University",))),
        ("General Agreement with the University of Leeds", Paper("framework", ("University of Leeds",))),
        ("关于绍兴学院与浙江默示机械厂共建实习基地的合作备忘录", Paper("memorandum", ("绍兴学院", "浙江默示机械厂"))),
        ("绍兴学院与浙江默示机械厂合作协议", Paper("framework", ("绍兴学院", "浙江默示机械厂"))),
        ("与清华大学签署的战略合作协议", Paper("strategic-cooperation", ("清华大学",))),
        ("嵊州市人民政府 浙江大学 战略合作协议", Paper("strategic-cooperation", ("嵊州市人民政府", "浙江大学"))),
        ("合作备忘录：东京大学", Paper("memorandum", ("东京大学",))),
        ("战略合作协议", Paper("strategic-cooperation")),
        ("关于加强合作的框架协议", Paper("framework")),
        ("Student exchange", Paper()),
        ("Understanding the market", Paper()),
    ],
)
def test_the_kind_of_paper_in_a_title(title: str, paper: Paper) -> None:
    assert read_paper(title) == paper


def test_a_party_with_the_paper_behind_it() -> None:
    assert read_paper("Aalto University (MoU)", is_party=True) == Paper("memorandum", ("Aalto University",))


@pytest.mark.parametrize(
    ("cell", "people"),
    [
        ("王小明 13800000000", [PersonInCell("王小明", phone="13800000000")]),
        ("王小明13800000000", [PersonInCell("王小明", phone="13800000000")]),
        ("王小明（处长）0575-83000001", [PersonInCell("王小明", "处长", "0575-83000001")]),
        ("王小明 处长", [PersonInCell("王小明", "处长")]),
        ("联系人：王小明 电话：13800000000", [PersonInCell("王小明", phone="13800000000")]),
        ("Prof. John Smith <js@x.edu>", [PersonInCell("John Smith", "Prof.", email="js@x.edu")]),
        (
            "Zhang Wei, Director, +86 138 0000 0000",
            [PersonInCell("Zhang Wei", "Director", "+86 138 0000 0000")],
        ),
        ("张三（13800000000）", [PersonInCell("张三", phone="13800000000")]),
        ("王小明（合作处处长，13800000000）", [PersonInCell("王小明", "合作处处长", "13800000000")]),
        (
            "王小明13800000000李红13900000000",
            [PersonInCell("王小明", phone="13800000000"), PersonInCell("李红", phone="13900000000")],
        ),
        ("Dr. María García, Vice-Rector, m@u.es", [PersonInCell("María García", "Vice-Rector", email="m@u.es")]),
        ("Prof. Dr. Hans Müller (Dean)", [PersonInCell("Hans Müller", "Dean")]),
        ("Mr John Smith / Ms Jane Doe", [PersonInCell("John Smith"), PersonInCell("Jane Doe")]),
        ("Smith, John", [PersonInCell("John Smith")]),
        ("Wang, Director", [PersonInCell("Wang", "Director")]),
        ("Anna Lee +44 (0)20 7946 0000", [PersonInCell("Anna Lee", phone="+44 (0)20 7946 0000")]),
        ("Ms. Anna Lee", [PersonInCell("Anna Lee")]),
        ("王小明、李红", [PersonInCell("王小明"), PersonInCell("李红")]),
        (
            "王小明 13800000000，李红 13900000000",
            [PersonInCell("王小明", phone="13800000000"), PersonInCell("李红", phone="13900000000")],
        ),
        ("王小明/李红", [PersonInCell("王小明"), PersonInCell("李红")]),
        ("王小明\n13800000000\nwang@x.cn", [PersonInCell("王小明", phone="13800000000", email="wang@x.cn")]),
        ("A B, a@b.fi; C D, c@d.fi", [PersonInCell("A B", email="a@b.fi"), PersonInCell("C D", email="c@d.fi")]),
    ],
)
def test_persons_in_a_cell(cell: str, people: list[PersonInCell]) -> None:
    assert split_people(cell) == people
