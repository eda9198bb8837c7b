"""An import in a browser, with the real process of its runs: from a register of an office to its agreements and back."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from openpyxl import Workbook

from partnerships.factories import AgreementTypeFactory, InstitutionFactory
from partnerships.models import Agreement, Import, Unit
from tests.views.hand import Hand
from tests.views.test_every_page import violations
from tests.views.world import World

ROWS = (
    ("校企合作协议台账（2021—2026）",),
    ("序号", "协议名称", "合作单位", "单位性质", "签订日期", "期限", "协议类型", "联系人", "联系电话"),
    (
        1,
        "产教融合合作协议",
        "温州德昌电器有限公司、温州市电子商会",
        "企业",
        "2023年3月5日",
        "三年",
        "战略合作协议",
        "王小明",
        "13800001111",
    ),
    (
        2,
        "共建实习基地协议",
        "杭州安视数字技术股份有限公司",
        "企业",
        "2021.6",
        "5年，到期自动续一年",
        "战略合作协议",
        "李雷",
        "0571-88075998",
    ),
    (3, "技术开发合同", "绍兴某某厂", "企业", "01/02/2026", "两年", "战略合作协议", "", ""),
)


@pytest.fixture
def own_processes(monkeypatch: pytest.MonkeyPatch, media_root: Path, transactional_db: None) -> None:
    """Point the processes of imports at the database and the uploads of the test."""
    name = connection.settings_dict["NAME"]
    monkeypatch.setenv("DATABASE_URL", re.sub(r"/\w+(?=\?|$)", f"/{name}", os.environ["DATABASE_URL"], count=1))
    monkeypatch.setenv("DATA_DIR", str(media_root.parent))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.settings")


@pytest.mark.parametrize("width", [1440, 390])
def test_a_register_comes_in_and_goes_again(
    width: int, world: World, open_page: Callable[..., Any], own_processes: None, tmp_path: Path
) -> None:
    Unit.objects.filter(pk=world.unit.pk).update(organization=InstitutionFactory(name="North college"))
    AgreementTypeFactory(name="Strategic cooperation agreement", name_zh="战略合作协议")
    book = Workbook()
    for row in ROWS:
        book.active.append(row)
    book.save(tmp_path / "register.xlsx")
    page, hand = open_page("/imports/", world.coordinator, width=width), Hand()

    hand.tap(page.get_by_role("link", name="Import a spreadsheet"))
    page.set_input_files("[name=file]", tmp_path / "register.xlsx")
    hand.tap(page.get_by_role("button", name="Check the file"))
    rejected = page.get_by_role("link", name="Rejected")
    rejected.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
    hand.tap(rejected)
    hand.tap(page.get_by_role("link", name="Edit row 5"))
    day = page.get_by_label("签订日期")
    day.wait_for()
    assert violations(page) == []
    hand.type(day, "2026-01-02")
    hand.tap(page.get_by_role("button", name="Save", exact=True))
    hand.tap(page.get_by_role("button", name="Check all rows again"))
    hand.tap(page.get_by_role("button", name="Import 3 rows"))
    undo = page.get_by_role("link", name="Undo the import")
    undo.wait_for()
    titles = [str(row[1]) for row in ROWS[2:]]
    assert Agreement.objects.filter(title__in=titles).count() == 3

    page.get_by_role("link", name="New organizations 4").wait_for()
    hand.tap(undo)
    page.wait_for_load_state()
    assert violations(page) == []
    hand.tap(page.get_by_role("button", name="Undo the import"))
    page.get_by_role("link", name="Undone").wait_for()
    assert not Agreement.objects.filter(title__in=titles).exists()
    assert Import.objects.get().counts["reversed"] == 3
    assert (hand.taps, hand.texts) == (10, 1)
