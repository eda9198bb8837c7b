"""Two people at one row: the second save is refused, explained and lost nothing."""

import datetime as dt
import re

import pytest
import time_machine
from django.utils import timezone

from partnerships.factories import (
    AchievementFactory,
    AgreementFactory,
    AgreementTypeFactory,
    AnswerFactory,
    AssociationFactory,
    CitationFactory,
    CooperationAreaFactory,
    DemandFactory,
    EnterpriseFactory,
    FacilityFactory,
    GovernmentBodyFactory,
    HonourFactory,
    HonourSchemeFactory,
    InstitutionFactory,
    OrganizationFactory,
    OrganizationNameFactory,
    ProgrammeFactory,
    RegionFactory,
    ReportedFigureFactory,
    UnitFactory,
    UserFactory,
    WorkCalendarFactory,
)
from partnerships.models import Agreement, Organization, OrganizationName
from tests.admin.forms import change_url, filled, save
from tests.services.drawing import undrawn

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(enter):
    return enter(UserFactory(staff=True, name="Office"))


def test_a_stale_save_is_refused_and_shows_mine_theirs_and_the_original(office):
    agreement = AgreementFactory(title="As opened")
    mine = filled(undrawn(office, change_url(agreement))) | {"title": "Mine"}
    save(office, agreement, title="Theirs")

    response = office.post(change_url(agreement), mine)

    assert response.status_code == 200
    row = response.context["conflict"].differences[0]
    assert (row.label, row.mine, row.theirs, row.original) == ("Title", "Mine", "Theirs", "As opened")
    assert response.context["adminform"].form["title"].value() == "Mine"
    agreement.refresh_from_db()
    assert agreement.title == "Theirs"


def test_a_second_deliberate_save_goes_through(office):
    agreement = AgreementFactory(title="As opened")
    mine = filled(undrawn(office, change_url(agreement))) | {"title": "Mine"}
    save(office, agreement, title="Theirs")
    refused = office.post(change_url(agreement), mine)

    response = office.post(change_url(agreement), filled(refused))

    assert response.status_code == 302
    agreement.refresh_from_db()
    assert (agreement.title, agreement.version) == ("Mine", 3)


@pytest.mark.parametrize(
    ("factory", "field"),
    [
        (FacilityFactory, "site"),
        (DemandFactory, "field"),
        (AnswerFactory, "person"),
        (AchievementFactory, "field"),
        (ProgrammeFactory, "summary"),
        (HonourSchemeFactory, "issuer"),
        (HonourFactory, "batch"),
        (ReportedFigureFactory, "printed"),
        (AgreementTypeFactory, "name_zh"),
        (CooperationAreaFactory, "name_zh"),
        (RegionFactory, "note"),
        (WorkCalendarFactory, "name_zh"),
        (CitationFactory, "note"),
    ],
)
def test_each_root_refuses_a_stale_save(office, factory, field):
    row = factory(**{field: "As opened"})
    mine = filled(undrawn(office, change_url(row))) | {field: "Mine"}
    save(office, row, **{field: "Theirs"})

    response = office.post(change_url(row), mine)

    conflict = response.context["conflict"]
    assert [(row.mine, row.theirs, row.original) for row in conflict.differences] == [("Mine", "Theirs", "As opened")]
    assert getattr(type(row).objects.get(pk=row.pk), field) == "Theirs"


@pytest.mark.parametrize("version", ["", "0", "999", "x", "-1"])
def test_a_missing_or_forged_version_is_stale(office, version):
    agreement = AgreementFactory(title="As it is")

    response = save(office, agreement, title="Mine", version=version)

    assert response.status_code == 200
    agreement.refresh_from_db()
    assert agreement.title == "As it is"


def test_the_version_of_a_root_covers_its_inlines(office):
    name = OrganizationNameFactory(name="Old name")
    organization = name.organization
    mine = filled(undrawn(office, change_url(organization))) | {"other_names-0-name": "My name"}
    save(office, organization, **{"other_names-0-name": "Their name"})

    response = office.post(change_url(organization), mine)

    rows = [(row.mine, row.theirs, row.original) for row in response.context["conflict"].differences]
    assert rows == [("My name", "Their name", "Old name")]
    assert OrganizationName.objects.get().name == "Their name"
    assert Organization.objects.get(pk=organization.pk).version == 2


def test_what_only_they_changed_is_not_undone_by_saving_again(office):
    agreement = AgreementFactory(ready=True, title="As opened", is_party_list_complete=False)
    page = filled(undrawn(office, change_url(agreement)))
    theirs = {"title": "Theirs", "is_party_list_complete": "on", "parties-0-signatory_person": "Ms Lin"}
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=5)):
        save(office, agreement, **theirs, **{"parties-1-role": "witness", "parties-1-name_as_signed": "Theirs"})

        refused = office.post(change_url(agreement), page | {"reference": "HZ-1", "parties-1-name_as_signed": "Mine"})
        office.post(change_url(agreement), filled(refused))

    agreement.refresh_from_db()
    first, second = agreement.parties.order_by("pk")
    assert refused.text.count("not changed by me") == 4
    assert (agreement.title, agreement.reference, agreement.is_party_list_complete) == ("Theirs", "HZ-1", True)
    assert [first.signatory_person, second.role, second.name_as_signed] == ["Ms Lin", "witness", "Mine"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({}, ["Second"]),
        ({"other_names-0-name": "Typed"}, ["Second", "Typed"]),
        ({"other_names-0-DELETE": "on"}, ["Second"]),
    ],
)
def test_a_row_removed_meanwhile_goes_unless_something_was_typed_in_it(office, typed, kept):
    first = OrganizationNameFactory(name="First")
    organization = first.organization
    OrganizationNameFactory(organization=organization, name="Second")
    page = filled(undrawn(office, change_url(organization))) | {"description": "Mine"} | typed
    with time_machine.travel(timezone.now() + dt.timedelta(minutes=5)):
        save(office, organization, **{"other_names-0-DELETE": "on"})

        refused = office.post(change_url(organization), page)
        saved = office.post(change_url(organization), filled(refused))

    assert (refused.text.count("removed meanwhile"), saved.status_code) == (1, 302)
    assert 'value="Second"' in refused.text
    organization.refresh_from_db()
    assert organization.description == "Mine"
    assert list(organization.other_names.order_by("pk").values_list("name", flat=True)) == kept


def test_a_box_unticked_on_a_stale_page_is_a_change(office):
    agreement = AgreementFactory(is_party_list_complete=True)
    page = office.get(change_url(agreement))
    mine = filled(page)
    del mine["is_party_list_complete"]
    agreement.touch()

    refused = office.post(change_url(agreement), mine)
    office.post(change_url(agreement), filled(refused))

    agreement.refresh_from_db()
    assert agreement.is_party_list_complete is False
    assert [f'name="{name}"' in page.text for name in ("version", "opened_at", "boxes")] == [True] * 3


def test_a_row_added_meanwhile_is_shown(office):
    organization = OrganizationFactory()
    mine = filled(undrawn(office, change_url(organization))) | {"description": "Mine"}
    OrganizationNameFactory(organization=organization, name="Short form")
    organization.touch()

    response = office.post(change_url(organization), mine)

    theirs = [row.theirs for row in response.context["conflict"].differences]
    assert theirs == ["–", "added meanwhile: Short form"]


def test_a_part_that_both_added_is_refused_at_its_row_when_it_is_saved_again(office):
    agreement, enterprise = AgreementFactory(ready=True), EnterpriseFactory()
    added = {"organization": str(enterprise.pk), "role": "signatory", "is_for_itself": "on"}
    data = filled(undrawn(office, change_url(agreement))) | {"parties-TOTAL_FORMS": "3"}
    data |= {f"parties-2-{name}": value for name, value in added.items()}
    office.post(change_url(agreement), data)
    refused = office.post(change_url(agreement), data)

    response = office.post(change_url(agreement), filled(refused))

    assert response.status_code == 200
    assert "This organization is a party already." in response.text
    assert agreement.parties.filter(organization=enterprise).count() == 1


def test_what_was_typed_into_a_field_locked_meanwhile_is_shown(office):
    agreement = AgreementFactory(ready=True, title="As opened")
    mine = filled(undrawn(office, change_url(agreement))) | {"title": "Typed in vain"}
    Agreement.objects.get(pk=agreement.pk).save()
    Agreement.objects.filter(pk=agreement.pk).update(status="in_review")

    response = office.post(change_url(agreement), mine)

    rows = {row.label: row.mine for row in response.context["conflict"].differences}
    assert rows == {"Title": "Typed in vain"}


@pytest.mark.parametrize(
    "factory", [OrganizationFactory, InstitutionFactory, EnterpriseFactory, AssociationFactory, GovernmentBodyFactory]
)
def test_an_edit_is_one_history_row_with_its_actor(office, factory):
    organization = factory()

    save(office, organization, address="1 Station Road")

    edits = Organization.history.filter(id=organization.pk, history_type="~")
    assert [(edit.history_user.name, edit.address) for edit in edits] == [("Office", "1 Station Road")]


def test_the_history_shows_choices_by_their_labels_and_a_dash_for_nothing(office):
    organization = OrganizationFactory(country="DE")
    save(office, organization, country="HK", part_of=str(OrganizationFactory(name="Harbor Group").pk))

    html = office.get(change_url(organization).replace("change/", "history/")).text

    shown = [" ".join(text.split()) for text in re.sub(r"<[^>]+>", "\n", html).splitlines()]
    assert {"Germany", "Hong Kong, China", "–", "Harbor Group"} <= set(shown)
    assert {"DE", "HK", "Deleted organization (pk=None)"}.isdisjoint(shown)


def test_an_edit_of_an_inline_alone_is_one_row_in_its_history_and_none_in_the_roots(office):
    name = OrganizationNameFactory()

    save(office, name.organization, **{"other_names-0-name": "Another name"})

    assert [row.history_user.name for row in name.history.filter(history_type="~")] == ["Office"]
    assert name.organization.history.filter(history_type="~").count() == 0


def test_the_history_of_a_root_has_the_changes_of_its_parts(office, enter):
    name = OrganizationNameFactory(name="Former name")
    save(office, name.organization, **{"other_names-0-name": "Another name"})
    address = change_url(name.organization).replace("change/", "history/")

    changes = office.get(address).context["part_changes"]

    assert [(change.kind, change.part, change.columns) for change in changes] == [
        ("Other name", str(name.__class__.objects.get()), [("Name", "Former name", "Another name")]),
        ("Other name", str(name.__class__.objects.get()), []),
    ]
    lead = enter(UserFactory(lead_in=UnitFactory()))
    assert "part_changes" not in lead.get(address).context


def test_saving_without_a_change_is_no_edit(office):
    organization = OrganizationFactory()

    response = save(office, organization)

    assert response.status_code == 302
    organization.refresh_from_db()
    assert (organization.version, organization.history.count()) == (1, 1)


def test_an_earlier_state_can_be_read_but_not_written(office):
    organization = OrganizationFactory(name="First")
    save(office, organization, name="Second")
    url = f"/admin/partnerships/organization/{organization.pk}/history/{organization.history.last().pk}/"

    assert office.get(url).status_code == 200
    assert office.post(url, {"name": "First", "kind": "enterprise"}).status_code == 405
    organization.refresh_from_db()
    assert organization.name == "Second"


@pytest.mark.parametrize(
    "forged", [{"version": "²"}, {"version": "9" * 5000}, {"version": "7", "opened_at": "2020-13-45T00:00"}]
)
def test_a_forged_version_counts_as_stale(office, forged):
    agreement = AgreementFactory(title="As opened")

    response = save(office, agreement, title="Mine", **forged)

    assert response.status_code == 200
    assert response.context["conflict"].now == agreement


@pytest.mark.parametrize("version", ["first", "²", "9" * 30])
def test_an_earlier_state_that_cannot_be_is_not_found(office, version):
    response = office.get(change_url(AgreementFactory()).replace("change/", f"history/{version}/"))

    assert response.status_code == 404


def test_a_query_with_nul_is_refused(office):
    responses = [office.get(url) for url in ("/admin/partnerships/agreement/?q=a%00", "/agreements/?q=%00")]

    assert [response.status_code for response in responses] == [400, 400]
