"""Columns of remarks and of words that the office has no choice for: no row is lost for them."""

import pytest

from partnerships.factories import (
    AgreementTypeFactory,
    CooperationAreaFactory,
    InstitutionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.imports.acts import ask_for_check, ask_for_commit, choose
from partnerships.imports.runs import run
from partnerships.models import Agreement
from tests.imports.batches import NOW
from tests.imports.test_runs import checked

pytestmark = pytest.mark.django_db

REGISTER = "合作单位,单位性质,签订日期,协议类型,合作内容,备注\n{}\n"
FREE = "甲乙大学,大学,2023-05-01,战略合作协议,共建实习基地并联合申报项目，每年派学生实习,档案在办公室\n丙丁大学,大学,2023-06-01,战略合作协议,人才培养方面开展合作,"
LISTED = "甲乙大学,大学,2023-05-01,战略合作协议,培训、咨询,\n丙丁大学,大学,2023-06-01,战略合作协议,培训、旅游,"


@pytest.mark.parametrize(("rows", "field"), [(FREE, "summary"), (LISTED, "areas")])
def test_a_column_of_areas_or_of_free_text_is_told_by_the_offices_own_areas(rows: str, field: str) -> None:
    """What the agreement is about, in sentences, is no list of areas: such rows are not rejected for unknown words."""
    staff, unit = UserFactory(staff=True), UnitFactory(organization=InstitutionFactory(name="Our College"))
    AgreementTypeFactory(name="Strategic", name_zh="战略合作协议")
    for code, name in (("training", "培训"), ("consulting", "咨询")):
        CooperationAreaFactory(code=code, name=code, name_zh=name)
    imported = checked(REGISTER.format(rows), actor=staff, kind="register", unit=unit, columns={})
    assert imported.layout["columns"]["4"] == field
    assert imported.counts == ({"new": 2} if field == "summary" else {"new": 1, "rejected": 1})
    if field == "areas":
        values = {"values": {"areas": {"*": "@note"}}}
        choose(imported, {**imported.recipe, **values}, actor=staff)
        imported = run(ask_for_check(imported, actor=staff, now=NOW).pk, clock=lambda: NOW)
        assert imported.counts == {"new": 2}
    run(ask_for_commit(imported, actor=staff, now=NOW).pk, clock=lambda: NOW)
    summaries = [record.summary for record in Agreement.objects.order_by("pk")]
    assert summaries == (
        ["共建实习基地并联合申报项目，每年派学生实习\n档案在办公室", "人才培养方面开展合作"]
        if field == "summary"
        else ["", "Cooperation areas: 旅游"]
    )
