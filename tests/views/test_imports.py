"""The pages of an import: a file is chosen, its rows are checked, mended and decided, imported and undone."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook, load_workbook

from partnerships.factories import (
    AgreementTypeFactory,
    ContactFactory,
    EnterpriseFactory,
    HonourSchemeFactory,
    ImportFactory,
    ImportRecipeFactory,
    ImportRowFactory,
    InstitutionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.imports.acts import correct
from partnerships.imports.runs import run
from partnerships.models import Import, ImportRecipe, Organization, OrganizationUnit, SecurityEvent, Unit
from partnerships.views import imports
from partnerships.workflows.organizations import edit_organization
from tests.views.world import World

HEAD = "名称,单位性质,行业\n"
QUERIES_OF_ROWS = 8
FILE = HEAD + "阿尔法机械有限公司,企业,机械\n贝塔研究院,高等院校,\n伽马,某种单位,\n"


def upload(client: Client, text: str, *, kind: str = "organizations", **data: Any) -> Import:
    """Choose a file on the page, and let its process do the check."""
    file = SimpleUploadedFile("partners.csv", text.encode())
    response = client.post("/imports/add/", {"kind": kind, "file": file, **data})
    assert response.status_code == 302, response.context["form"].errors
    return check(Import.objects.get(pk=int(response["Location"].strip("/").split("/")[-1])))


def check(imported: Import) -> Import:
    assert Import.objects.get(pk=imported.pk).is_under_way
    return run(imported.pk, clock=timezone.now)


def test_a_file_becomes_records_and_goes_again(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    imported = upload(client, FILE, unit=world.unit.pk)
    page = client.get(f"/imports/{imported.pk}/")

    assert imported.layout["sheet"] == "partners"
    assert imported.counts == {"new": 2, "rejected": 1}
    assert "Import 2 rows" in page.text
    assert "“某种单位”" in page.text

    client.post(f"/imports/{imported.pk}/commit/")
    assert check(imported).status == "committed"
    assert Organization.objects.filter(name__in=["阿尔法机械有限公司", "贝塔研究院"]).count() == 2
    assert "Undo the import" in client.get(f"/imports/{imported.pk}/").text

    client.post(f"/imports/{imported.pk}/undo/")
    assert check(imported).status == "undone"
    assert not Organization.objects.filter(name="阿尔法机械有限公司").exists()
    assert client.get(f"/imports/{imported.pk}/?undo=reversed").text.count('<tbody id="row-') == 2


def test_words_are_chosen_once_for_all_rows(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    imported = upload(client, FILE, unit=world.unit.pk)
    values = client.get(f"/imports/{imported.pk}/?section=values")
    assert [text.text for text in values.context["values"][0].texts if text.value is None] == ["某种单位"]

    chosen = {"text-kind": ["某种单位", "企业"], "value-kind": ["association", "enterprise"]}
    client.post(f"/imports/{imported.pk}/choose/values/", chosen)

    assert check(imported).counts == {"new": 3}


def test_the_office_is_asked_for_a_scheme_that_is_missing(world: World, client_of: Callable[[Any], Client]) -> None:
    """A coordinator cannot add one; the office sees what is asked for until it is there."""
    coordinator, office = client_of(world.coordinator), client_of(world.people["staff"])
    text = "企业名称,荣誉名称,认定日期\n阿尔法机械有限公司,领航工厂,2024-05-01\n"
    imported = upload(coordinator, text, kind="honours", unit=world.unit.pk)
    address = f"/imports/{imported.pk}/"
    assert "Add a choice" not in coordinator.get(f"{address}?section=values").text
    assert "/admin/partnerships/honourscheme/add/" in office.get(f"{address}?section=values").text

    chosen = {"text-scheme": ["领航工厂"], "value-scheme": ["@asked"]}
    coordinator.post(f"{address}choose/values/", chosen)
    assert check(imported).counts == {"rejected": 1}
    assert imported.rows.get().messages == ["Honor: The office was asked to add “领航工厂”."]
    assert not coordinator.get("/imports/").context["requests"]
    (asked,) = office.get("/imports/").context["requests"]
    form = office.get(asked.add_url).context["adminform"].form
    assert (asked.words, form.initial["name"]) == ("领航工厂", "领航工厂")

    HonourSchemeFactory(name="Pilot factory", name_zh="领航工厂")
    assert not office.get("/imports/").context["requests"]
    coordinator.post(f"{address}check/")
    assert check(imported).counts == {"new": 1}


def test_dates_with_two_readings_are_one_problem(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    text = "Organization,Honor,Granted\n" + "".join(
        f"Alpha {number} Ltd,Pilot,{day}\n" for number, day in enumerate(("05/06/2023", "07/08/2023", "5.6.23"))
    )
    HonourSchemeFactory(name="Pilot")
    imported = upload(client, text, kind="honours", unit=world.unit.pk)
    (group,) = client.get(f"/imports/{imported.pk}/").context["problems"]
    assert group.count == 3
    assert "may be “" in group.example


def test_a_column_is_left_out_or_read_as_another_field(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    imported = upload(client, FILE, unit=world.unit.pk)
    columns = client.get(f"/imports/{imported.pk}/?section=columns").context["columns"]
    assert [(column.heading, column.field) for column in columns] == [
        ("名称", "name"),
        ("单位性质", "kind"),
        ("行业", "industry"),
    ]
    assert columns[0].samples == ["阿尔法机械有限公司", "贝塔研究院", "伽马"]

    client.post(f"/imports/{imported.pk}/choose/columns/", {"column-0": "name", "column-1": "", "column-2": ""})
    client.post(f"/imports/{check(imported).pk}/choose/rules/", {"existing": "ask", "default-kind": "enterprise"})

    assert check(imported).counts == {"new": 3}
    assert imported.rows.get(number=4).values["kind"] == "enterprise"


def test_another_sheet_of_the_file_is_read(world: World, client_of: Callable[[Any], Client]) -> None:
    book = Workbook()
    for name, rows in {"说明": 1, "企业名单": 3, "协会": 2}.items():
        sheet = book.create_sheet(name)
        sheet.append(("名称", "单位性质"))
        for number in range(rows):
            sheet.append((f"{name}{number}单位", "企业"))
    file = BytesIO()
    book.save(file)
    client = client_of(world.coordinator)
    data = {"kind": "organizations", "file": SimpleUploadedFile("list.xlsx", file.getvalue()), "unit": world.unit.pk}
    client.post("/imports/add/", data)
    imported = check(Import.objects.get())
    assert imported.layout["sheet"] == "企业名单"
    assert "协会 (2)" in client.get(f"/imports/{imported.pk}/?section=columns").text

    client.post(f"/imports/{imported.pk}/choose/sheet/", {"sheet": "协会"})

    imported = check(imported)
    assert (imported.layout["sheet"], imported.counts) == ("协会", {"new": 2})


def test_a_cell_is_mended_in_its_row(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    imported = upload(client, FILE, unit=world.unit.pk)
    row = imported.rows.get(outcome="rejected")
    address = f"/imports/{imported.pk}/rows/{row.pk}/"
    form = client.get(address, headers={"HX-Request": "true"})
    assert form.text.count("<textarea") == 3
    assert form.text.count('aria-invalid="true"') == 1

    changed = client.post(address, {"cell-0": "伽马", "cell-1": "行业协会"}, headers={"HX-Request": "true"})
    assert "Check all rows again" in changed.text
    row.refresh_from_db()
    assert row.corrections == {"1": "行业协会"}

    client.post(f"/imports/{imported.pk}/check/")
    assert check(imported).counts == {"new": 3}


def test_two_people_mend_different_cells_of_a_row(world: World) -> None:
    imported = ImportFactory(created_by=world.coordinator, unit=world.unit, status="checked")
    ImportRowFactory(imported=imported, cells=["甲", "乙"])
    mine, theirs = imported.rows.get(), imported.rows.get()
    correct(mine, 0, "丙", actor=world.coordinator)
    correct(theirs, 1, "丁", actor=world.lead)

    assert imported.rows.get().corrections == {"0": "丙", "1": "丁"}


def test_a_look_alike_is_decided_in_the_row(world: World, client_of: Callable[[Any], Client]) -> None:
    known = EnterpriseFactory(name="Moshi Machinery", name_zh="浙江默示机械厂", held_by=world.unit)
    client = client_of(world.coordinator)
    imported = upload(client, HEAD + "默示机械厂,企业,\n", unit=world.unit.pk)
    row = imported.rows.get()
    assert imported.counts == {"undecided": 1}
    page = client.get(f"/imports/{imported.pk}/?outcome=undecided")
    assert f'name="answer" value="{known.pk}"' in page.text

    client.post(f"/imports/{imported.pk}/rows/{row.pk}/", {"answer": "nonsense"})
    assert imported.rows.get().decisions == {}
    client.post(f"/imports/{imported.pk}/rows/{row.pk}/", {"answer": str(known.pk)})
    client.post(f"/imports/{imported.pk}/check/")

    assert check(imported).counts == {"changed": 1}
    assert imported.rows.get().record == Organization.objects.get(pk=known.pk)


def test_rows_with_the_same_problem_are_shown_together(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    imported = upload(client, HEAD + "甲公司,某甲,\n乙公司,某乙,\n,企业,\n", unit=world.unit.pk)
    groups = client.get(f"/imports/{imported.pk}/").context["problems"]

    assert [group.count for group in groups] == [2, 1]
    page = client.get(f"/imports/{imported.pk}/?problem={groups[0].key}")
    assert [shown.row.number for shown in page.context["rows"]] == [2, 3]


def test_an_undo_says_first_what_it_takes_back(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    imported = upload(client, FILE, unit=world.unit.pk)
    client.post(f"/imports/{imported.pk}/commit/")
    check(imported)
    kept = Organization.objects.get(name="贝塔研究院")
    edit_organization(
        kept, actor=world.people["staff"], today=timezone.localdate(), changes={"website": "https://beta.example"}
    )

    page = client.get(f"/imports/{imported.pk}/?ask=undo").text
    assert "1 record that it made is deleted" in page
    assert "1 record stays" in page
    assert "expected" not in client.get(f"/imports/{imported.pk}/").context
    assert (
        "expected"
        not in client_of(world.people["staff"])
        .get(f"/imports/{upload(client, FILE, unit=world.unit.pk).pk}/?ask=undo")
        .context
    )


REGISTER = "合作单位,单位性质,签订日期,协议类型,联系人\n甲乙大学,大学,2023-05-01,框架协议,王小明\n丙丁大学、甲乙大学,大学,2023-06-01,框架协议,\n"


def test_what_rows_add_beside_their_records_is_named_before_the_import(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    AgreementTypeFactory(code="framework", name="Framework", name_zh="框架协议")
    Unit.objects.filter(pk=world.unit.pk).update(organization=InstitutionFactory(name="North college"))
    client = client_of(world.coordinator)
    imported = upload(client, REGISTER, kind="register", unit=world.unit.pk)
    assert imported.counts == {"new": 2}
    page = client.get(f"/imports/{imported.pk}/?adds=organization")
    assert [(key, number) for key, _label, number in page.context["adds"]] == [("organization", 2), ("contact", 1)]
    assert {one.name for one in page.context["added"]} == {"甲乙大学", "丙丁大学"}
    page = client.get(f"/imports/{imported.pk}/?adds=contact")
    assert [shown.row.number for shown in page.context["rows"]] == [2]


def test_another_row_of_headings_is_chosen_and_kept_in_the_recipe(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    client = client_of(world.coordinator)
    text = "a,b\nKind,Name\nName,Kind\nAlpha Works,enterprise\n"
    imported = upload(client, text, unit=world.unit.pk)
    assert imported.layout["first_rows"][:2] == [[1, "a b"], [2, "Kind Name"]]
    client.post(f"/imports/{imported.pk}/choose/sheet/", {"header": "3"})
    imported = check(imported)
    assert (imported.layout["header"], imported.recipe["header"], imported.counts) == (3, 3, {"new": 1})
    assert upload(client, text, unit=world.unit.pk).layout["header"] != 3

    client.post(f"/imports/{imported.pk}/choose/sheet/", {"header": "-1"})
    imported = check(imported)
    assert (imported.layout["headings"], imported.rows.count()) == (["A", "B"], 4)
    client.post(f"/imports/{imported.pk}/choose/columns/", {"column-0": "name", "column-1": "kind"})
    imported = check(imported)
    assert imported.counts["new"] == 1
    assert [shown.field for shown in client.get(f"/imports/{imported.pk}/?section=columns").context["columns"]] == [
        "name",
        "kind",
    ]


def test_a_coordinator_does_not_see_what_the_check_of_the_office_found(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    """The office may see and compare records of other units; its questions would tell what they say."""
    text = "名称,单位性质,备注\n甲乙大学有限公司,企业,ours\n"
    secret = EnterpriseFactory(name="甲乙大学有限公司", description="SECRET")
    OrganizationUnit.objects.create(organization=secret, unit=UnitFactory())
    office = client_of(world.people["staff"])
    imported = upload(office, text, unit=world.unit.pk)
    assert "SECRET" in office.get(f"/imports/{imported.pk}/").text

    client = client_of(world.coordinator)
    row = imported.rows.get()
    page = client.get(f"/imports/{imported.pk}/")
    assert "checked these rows and may see records that you may not" in page.text
    assert "SECRET" not in page.text + client.get(f"/imports/{imported.pk}/rows/{row.pk}/").text
    left_out = load_workbook(BytesIO(client.get(f"/imports/{imported.pk}/left-out.xlsx").getvalue())).active
    assert not any("SECRET" in str(cell) for line in left_out.iter_rows(values_only=True) for cell in line)
    row.refresh_from_db()
    assert row.problems != []

    client.post(f"/imports/{imported.pk}/check/")
    check(imported)
    page = client.get(f"/imports/{imported.pk}/")
    assert "SECRET" not in page.text
    assert "checked these rows" not in page.text


def test_a_run_that_waits_for_another_one_says_so(world: World, client_of: Callable[[Any], Client]) -> None:
    about = {"unit": world.unit, "created_by": world.coordinator, "status": "checking", "heartbeat_at": timezone.now()}
    imported = ImportFactory(**about, is_waiting=True)
    page = client_of(world.coordinator).get(f"/imports/{imported.pk}/").text
    assert "Waiting in line: another import is running." in page
    assert 'hx-trigger="every 1s"' in page
    assert "<progress" not in page


def test_a_template_is_downloaded_in_the_persons_language(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    assert "/imports/template/honours.xlsx" in client.get("/imports/add/").text
    sheet, explained = load_workbook(BytesIO(client.get("/imports/template/honours.xlsx").getvalue())).worksheets
    assert [cell.value for cell in sheet[1]][:3] == ["Organization", "Unified social credit code", "Honor"]
    assert [cell.value for cell in explained[1]][:2] == ["Column", "Required"]
    assert client.get("/imports/template/other.xlsx").status_code == 404


def test_the_rows_left_out_come_back_as_a_file(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    imported = upload(client, FILE, unit=world.unit.pk)
    response = client.get(f"/imports/{imported.pk}/left-out.xlsx")
    sheet = load_workbook(BytesIO(response.getvalue())).active
    rows = list(sheet.iter_rows(values_only=True))

    assert rows[0] == ("名称", "单位性质", "行业", "Reason")
    assert rows[1][:2] == ("伽马", "某种单位")
    assert response["Cache-Control"] == "private, no-store"
    assert SecurityEvent.objects.filter(kind=SecurityEvent.Kind.EXPORT_FETCHED).count() == 1


def test_a_recipe_is_kept_shared_used_and_deleted(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    imported = upload(client, FILE, unit=world.unit.pk)
    client.post(f"/imports/{imported.pk}/choose/values/", {"text-kind": ["某种单位"], "value-kind": ["association"]})
    check(imported)
    client.post(f"/imports/{imported.pk}/keep/", {"name": "Yearbook", "is_shared": "on"})
    recipe = ImportRecipe.objects.get()

    lead = client_of(world.lead)
    assert "Yearbook" in lead.get("/imports/").text
    assert upload(lead, FILE, unit=world.unit.pk, recipe=recipe.pk).counts == {"new": 3}
    assert lead.post(f"/imports/recipes/{recipe.pk}/delete/").status_code == 403
    assert client_of(world.people["outsider"]).post(f"/imports/recipes/{recipe.pk}/delete/").status_code == 404
    assert client.post(f"/imports/recipes/{recipe.pk}/delete/").status_code == 302
    assert not ImportRecipe.objects.exists()


def test_a_recipe_is_taken_along_as_a_file(world: World, client_of: Callable[[Any], Client]) -> None:
    client = client_of(world.coordinator)
    imported = upload(client, FILE, unit=world.unit.pk)
    client.post(f"/imports/{imported.pk}/choose/values/", {"text-kind": ["某种单位"], "value-kind": ["association"]})
    check(imported)
    content = client.get(f"/imports/{imported.pk}/recipe.json").getvalue()

    recipe = SimpleUploadedFile("organizations-recipe.json", content)
    assert upload(client, FILE, unit=world.unit.pk, recipe_file=recipe).counts == {"new": 3}


@pytest.mark.parametrize(
    "content",
    [b"Name,Kind", b"\xff\xfe", b"[]", b'{"what": 1}', b'{"title": "\\ud800"}', b"[" * 100_000, b" " * 2**20 + b"{}"],
)
def test_a_file_that_is_no_recipe_is_refused_at_its_field(
    content: bytes, world: World, client_of: Callable[[Any], Client]
) -> None:
    data = {"kind": "organizations", "unit": world.unit.pk, "file": SimpleUploadedFile("list.csv", FILE.encode())}
    data["recipe_file"] = SimpleUploadedFile("recipe.json", content)
    response = client_of(world.coordinator).post("/imports/add/", data)
    assert set(response.context["form"].errors) == {"recipe_file"}
    assert not Import.objects.exists()


def test_one_recipe_is_chosen(world: World, client_of: Callable[[Any], Client]) -> None:
    recipe = ImportRecipeFactory(owner=world.coordinator)
    data = {"kind": "organizations", "unit": world.unit.pk, "file": SimpleUploadedFile("list.csv", FILE.encode())}
    data |= {"recipe": recipe.pk, "recipe_file": SimpleUploadedFile("recipe.json", b"{}")}
    form = client_of(world.coordinator).post("/imports/add/", data).context["form"]
    assert form.errors == {"recipe_file": ["Choose one recipe: a saved one, or one from a file."]}


def test_a_recipe_of_another_kind_and_a_missing_file_are_refused_at_their_fields(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    recipe = ImportRecipeFactory(owner=world.coordinator, kind="contacts")
    data = {"kind": "organizations", "unit": world.unit.pk, "recipe": recipe.pk}
    form = client_of(world.coordinator).post("/imports/add/", data).context["form"]

    assert set(form.errors) == {"recipe", "file"}


@pytest.mark.parametrize("path", ["check/", "commit/", "undo/", "again/", "keep/", "choose/columns/"])
def test_nobody_else_changes_an_import(path: str, world: World, client_of: Callable[[Any], Client]) -> None:
    imported = upload(client_of(world.coordinator), FILE, unit=world.unit.pk)
    before = Import.objects.filter(pk=imported.pk).values().get()

    for role in ("viewer", "nobody", "outsider"):
        assert client_of(world.people[role]).post(f"/imports/{imported.pk}/{path}").status_code == 404
    assert Import.objects.filter(pk=imported.pk).values().get() == before


def test_a_person_cannot_import_for_a_unit_of_others(world: World, client_of: Callable[[Any], Client]) -> None:
    other = UnitFactory()
    file = SimpleUploadedFile("partners.csv", FILE.encode())
    response = client_of(world.coordinator).post(
        "/imports/add/", {"kind": "organizations", "file": file, "unit": other.pk}
    )

    assert set(response.context["form"].errors) == {"unit"}
    assert not Import.objects.exists()


def test_a_page_of_rows_costs_the_same_for_one_and_many(
    world: World, client_of: Callable[[Any], Client], django_assert_num_queries: Any
) -> None:
    staff = client_of(UserFactory(staff=True))
    for text in (FILE, HEAD + "".join(f"第{number}公司,某{number},\n" for number in range(40))):
        imported = upload(staff, text, unit=world.unit.pk)
        staff.get(f"/imports/{imported.pk}/")
        with django_assert_num_queries(QUERIES_OF_ROWS):
            staff.get(f"/imports/{imported.pk}/")


@pytest.mark.parametrize("count", [1, 3])
def test_a_page_of_imported_rows_costs_the_same_for_one_and_three(
    count: int, world: World, client_of: Callable[[Any], Client], django_assert_num_queries: Any
) -> None:
    staff = client_of(UserFactory(staff=True))
    contacts = ContactFactory.create_batch(count)
    imported = ImportFactory(status="committed", committed_at=timezone.now(), layout={"headings": [], "columns": {}})
    for number, record in enumerate(contacts, 1):
        ImportRowFactory(imported=imported, number=number, outcome="new", record=record)
    staff.get(f"/imports/{imported.pk}/")

    with django_assert_num_queries(QUERIES_OF_ROWS + 1):
        page = staff.get(f"/imports/{imported.pk}/")
    assert all(record.get_absolute_url() in page.text for record in contacts)


def test_older_imports_are_on_further_pages(
    world: World, client_of: Callable[[Any], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "IMPORTS_A_PAGE", 1)
    older, newer = ImportFactory(name="older.xlsx"), ImportFactory(name="newer.xlsx")
    staff = client_of(UserFactory(staff=True))

    assert list(staff.get("/imports/").context["page"]) == [newer]
    assert list(staff.get("/imports/?page=2").context["page"]) == [older]


def test_texts_that_the_database_does_not_take_are_refused_or_cleaned(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    client = client_of(world.coordinator)
    imported = upload(client, "Name,Kind\nAlpha,what\n", unit=world.unit.pk)
    row = imported.rows.get()
    address = f"/imports/{imported.pk}/"

    client.post(f"{address}rows/{row.pk}/", {"cell-0": "Be\0ta"})
    client.post(f"{address}choose/values/", {"text-kind": ["wh\0at"], "value-kind": ["enterprise"]})
    for name in ("x" * 101, "na\0me"):
        assert client.post(f"{address}keep/", {"name": name}, follow=True).status_code == 200

    row.refresh_from_db()
    imported.refresh_from_db()
    assert row.corrections == {"0": "Beta"}
    assert imported.recipe["values"] == {}
    assert not ImportRecipe.objects.exists()

    Import.objects.filter(pk=imported.pk).update(name="n" * 200)
    client.post(f"{address}keep/", {"name": ""})
    assert ImportRecipe.objects.get().name == "n" * 100
