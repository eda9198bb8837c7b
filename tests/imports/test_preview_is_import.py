"""The preview of any file is exactly what its import does, and a second import of it changes nothing."""

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from partnerships.factories import AgreementTypeFactory, EnterpriseFactory, InstitutionFactory, UnitFactory, UserFactory
from partnerships.imports.acts import ask_for_check, ask_for_commit, upload_import
from partnerships.imports.recipes import Recipe
from partnerships.imports.runs import run
from partnerships.models import Agreement, Import, Organization
from tests.imports.batches import NOW

pytestmark = pytest.mark.both_databases
COLUMNS = {"Partner": "partner", "Title": "title", "Signed": "signed_on", "Ends": "ends_on", "Contact": "contact"}
# Names that are the same folded, resemble each other, are on record, or say nothing of their kind.
PARTNERS = st.sampled_from(
    ["甲大学", "甲 大学", "乙公司", "浙江默示机械厂", "默示机械厂", "Nestle Ltd", "Nestlé S.A.", "Some", ""]
)
DAYS = st.sampled_from(["2015", "2020-03", "2025-05-01", "2099-01-01", "soon", ""])
ROWS = st.tuples(PARTNERS, st.sampled_from(["", "MoU", "mou"]), DAYS, DAYS, st.sampled_from(["", "王小明", "王 小明"]))


class PreviewTest(TestCase):
    @settings(max_examples=12)
    @given(st.lists(ROWS, min_size=1, max_size=4), st.sampled_from(["ask", "new"]))
    def test_preview_is_import(self, rows: list[tuple[str, ...]], look_alikes: str) -> None:
        with transaction.atomic():
            AgreementTypeFactory(code="memorandum")
            EnterpriseFactory(name="Nestle")
            unit = UnitFactory(organization=InstitutionFactory(name="Our College"))
            self.actor = UserFactory(staff=True)
            text = "\n".join(",".join(cells) for cells in [tuple(COLUMNS), *rows])
            recipe = Recipe(columns=COLUMNS, defaults={"type": "memorandum"}, look_alikes=look_alikes)  # type: ignore[arg-type]
            upload = {"name": "list.csv", "actor": self.actor, "unit": unit, "now": NOW, "recipe": recipe}
            imported = upload_import("register", ContentFile(text.encode(), "list.csv"), **upload)
            before = self.counts()
            imported = self.check(imported)
            assert self.counts() == before
            preview = [(row.outcome, row.key, row.changes, row.problems) for row in imported.rows.all()]
            if imported.status != "checked" or not {"new", "changed"} & imported.counts.keys():
                return
            imported = run(ask_for_commit(imported, actor=self.actor, now=NOW).pk, clock=lambda: NOW)
            assert (imported.status, imported.error) == ("committed", "")
            assert [(row.outcome, row.key, row.changes, row.problems) for row in imported.rows.all()] == preview
            again = upload_import("register", ContentFile(text.encode(), "list.csv"), **upload)
            assert not {"new", "changed"} & self.check(again).counts.keys()

    def check(self, imported: Import) -> Import:
        return run(ask_for_check(imported, actor=self.actor, now=NOW).pk, clock=lambda: NOW)

    def counts(self) -> tuple[int, int]:
        return Agreement.objects.count(), Organization.objects.count()
