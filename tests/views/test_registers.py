"""Five rows each of three registers, shaped like those of real offices, entered by hand through the pages."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.factories import (
    AgreementTypeFactory,
    HonourSchemeFactory,
    InstitutionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Agreement, Contact, Honour, Organization, Unit
from partnerships.partial_dates import Precision
from partnerships.statuses import AgreementStatus
from tests.admin import forms as admin_forms
from tests.services.drawing import undrawn
from tests.views.sent import box, errors, filled, send

pytestmark = pytest.mark.django_db

# University, country, faculty, our offices, their people, year of signing, last year.
INTERNATIONAL = [
    ("Hochschule Nordstadt", "DE", "Faculty of Mechanical Engineering", (0, 1), ("Jan Weber", "Ute Klein"), 2019, 2029),
    ("Hochschule Nordstadt", "DE", "Faculty of Design", (1,), ("Ute Klein",), 2021, 2026),
    ("Université de la Côte", "FR", "", (0,), ("Luc Moreau",), 2022, 2027),
    ("National Bay University", "TW", "College of Engineering", (0, 1, 2), ("陳志明", "林美玲"), 2018, 2028),
    ("Harbour Polytechnic", "HK", "", (2,), ("Wong Ka Yan",), 2023, 2028),
]
# Partner, kind, registry and number, last year of the agreement.
WITH_CODES = [
    ("嘉禾职业学院", "institution", ("Ministry of Education", "4133012345"), 2027),
    ("Technische Akademie Süd", "institution", ("Erasmus", "D SUED01"), 2026),
    ("Delta Institute of Technology", "institution", ("ROR", "03abc9x77"), 2030),
    ("瑞丰装备有限公司", "enterprise", ("Provincial list", "ZJ-2021-0117"), 2028),
    ("永昌模具有限公司", "enterprise", ("Provincial list", "ZJ-2021-0118"), 2026),
]
# Subsidiary and its honour, with the batch in which it was granted.
GROUP = [
    ("天衡集团轴承有限公司", "第三批"),
    ("天衡集团机床有限公司", "第四批"),
    ("天衡集团软件有限公司", "第四批"),
    ("天衡集团材料有限公司", ""),
    ("天衡集团物流有限公司", "第五批"),
]


@pytest.fixture
def office(client_of: Callable[[Any], Client]) -> Client:
    return client_of(UserFactory(staff=True, language="en"))


@pytest.fixture
def units() -> list[Unit]:
    return [UnitFactory(name=f"School {number}", organization=InstitutionFactory()) for number in "ABC"]


def organization(client: Client, name: str, kind: str, unit: Unit, **more: str) -> Organization:
    """Add an organization, or return the one of that name; look-alikes are other ones."""
    found = Organization.objects.filter(name=name).first() or Organization.objects.filter(name_zh=name).first()
    if found:
        return found
    address = reverse("organization_add")
    page = client.post(address, filled(undrawn(client, address), more="codes"))
    column = "name" if name.isascii() or "é" in name or "ü" in name else "name_zh"
    typed = {"kind": kind, column: name, "unit": str(unit.pk), **more}
    answer = client.post(address, filled(page, **typed))
    if answer.status_code == 200 and errors(answer).keys() == {"is_another"}:
        answer = client.post(address, filled(answer, is_another=box(answer)))
    assert answer.status_code == 302, errors(answer)
    return Organization.objects.get(**{column: name})


def person(client: Client, at: Organization, name: str) -> Contact:
    """Add a person, or a further position of one on record, and return the contact."""
    known = Contact.objects.filter(name=name).first()
    if known is None:
        answer = send(client, reverse("contact_add", args=[at.pk]), name=name)
    else:
        address = reverse("contact_edit", args=[known.pk])
        page = client.post(address, filled(undrawn(client, address), more="positions"))
        answer = client.post(address, filled(page, positions__0__organization=str(at.pk)))
    assert answer.status_code == 302, errors(answer)
    return Contact.objects.get(name=name)


def name_liaison(client: Client, made: Agreement, partner: Organization, liaison: Contact) -> None:
    party = made.parties.get(organization=partner)
    answer = send(client, reverse("agreement_step", args=[made.pk, "people"]), **{f"liaison-{party.pk}": liaison.pk})
    assert answer.status_code == 302, errors(answer)


def agreement(
    client: Client, title: str, partner: Organization, units: list[Unit], signed: int, last: int
) -> Agreement:
    """Register an agreement of which only the years are known, in one unit; further ones take part."""
    lead, *others = units
    answer = send(
        client,
        reverse("agreement_add"),
        type=str(AgreementTypeFactory().pk),
        unit=str(lead.pk),
        title=title,
        on=f"{signed}-05-01",
        precision=Precision.YEAR,
        parties__0__organization=str(lead.organization_id),
        parties__1__organization=str(partner.pk),
        term__0__starts_on=f"{signed}-05-01",
        term__0__starts_precision=Precision.YEAR,
        term__0__ends_on=f"{last}-05-01",
        term__0__ends_precision=Precision.YEAR,
    )
    assert answer.status_code == 302, errors(answer)
    made = Agreement.objects.get(title=title)
    if others:
        lines = {f"participating_units-{number}-unit": str(unit.pk) for number, unit in enumerate(others)}
        count = {"participating_units-TOTAL_FORMS": str(len(others))}
        assert admin_forms.save(client, made, **lines, **count).status_code == 302
    return made


def test_an_international_office_enters_faculties_offices_people_and_years(office: Client, units: list[Unit]) -> None:
    for name, country, faculty, offices, people, signed, last in INTERNATIONAL:
        ours = [units[number] for number in offices]
        partner = organization(office, name, "institution", ours[0], country=country, institution_type="university")
        if faculty:
            more = {"country": country, "part_of": str(partner.pk), "institution_type": "university"}
            partner = organization(office, faculty, "institution", ours[0], **more)
        contacts = [person(office, partner, one) for one in people]
        made = agreement(office, f"Memorandum with {faculty or name}", partner, ours, signed, last)
        name_liaison(office, made, partner, contacts[0])

    rows = Agreement.objects.order_by("pk")
    assert [row.status for row in rows] == [AgreementStatus.SIGNED] * 5
    assert [str(row.signed) for row in rows] == ["2019", "2021", "2022", "2018", "2023"]
    assert [row.current_ends_on for row in rows] == [dt.date(row[6], 12, 31) for row in INTERNATIONAL]
    assert [1 + row.participating_units.count() for row in rows] == [len(row[3]) for row in INTERNATIONAL]
    assert Contact.objects.filter(name="Ute Klein").count() == 1
    for faculty in ("Faculty of Mechanical Engineering", "Faculty of Design"):
        assert "Ute Klein" in office.get(Organization.objects.get(name=faculty).get_absolute_url()).text
    assert [row.parties.last().liaison.name for row in rows] == [row[4][0] for row in INTERNATIONAL]
    nordstadt = Organization.objects.get(name="Hochschule Nordstadt")
    page = office.get(nordstadt.get_absolute_url()).text
    assert "Faculty of Design" in page
    listed = office.get(reverse("agreement_list"), {"organization": nordstadt.pk}).context["rows"]
    assert {row.title for row in listed} == {
        "Memorandum with Faculty of Mechanical Engineering",
        "Memorandum with Faculty of Design",
    }
    taiwan = office.get(reverse("organization_list"), {"country": "TW"}).text
    assert "Taiwan, China" in taiwan
    assert "National Bay University" in taiwan


def test_a_list_with_external_codes_and_last_years(office: Client, units: list[Unit]) -> None:
    for name, kind, (scheme, code), last in WITH_CODES:
        more = {"codes__0__scheme": scheme, "codes__0__code": code}
        more |= {"institution_type": "vocational_college"} if kind == "institution" else {}
        partner = organization(office, name, kind, units[0], **more)
        agreement(office, f"Agreement with {name}", partner, units[:1], 2024, last)

    for name, _kind, (_scheme, code), last in WITH_CODES:
        found = Organization.objects.search(code).get()
        assert name in {found.name, found.name_zh}
        assert Agreement.objects.get(parties__organization=found).current_ends_on == dt.date(last, 12, 31)
    address = reverse("organization_add")
    page = office.post(address, filled(undrawn(office, address), more="codes"))
    typed = {"kind": "enterprise", "name": "Another works", "unit": str(units[0].pk)}
    again = office.post(
        address, filled(page, **typed, codes__0__scheme="provincial list", codes__0__code="zj-2021-0117")
    )
    assert errors(again).keys() == {"is_another"}  # the number of somebody else


def test_a_group_with_subsidiaries_and_their_honours(office: Client, units: list[Unit]) -> None:
    group, scheme = (
        organization(office, "天衡集团有限公司", "enterprise", units[0]),
        HonourSchemeFactory(name="Little giant"),
    )
    add = reverse("admin:partnerships_honour_add")
    for name, batch in GROUP:
        one = organization(office, name, "enterprise", units[0], part_of=str(group.pk))
        if batch:
            typed = {"scheme": str(scheme.pk), "organization": str(one.pk), "unit": str(units[0].pk), "batch": batch}
            page = office.get(add)
            assert office.post(add, admin_forms.filled(page) | typed | {"granted_on": "2023-07-01"}).status_code == 302

    assert group.parts.count() == 5
    assert Honour.objects.count() == 4
    listed = office.get(reverse("honour_list"), {"organization": group.pk}).context["rows"]
    assert {row.batch for row in listed} == {"第三批", "第四批", "第五批"}
