"""Merging organizations and contacts: every reference moves, what is there twice is listed, and the undo brings all back."""

import datetime as dt
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import OperationalError, connection, models, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simple_history.models import HistoricalChanges

from partnerships.exceptions import InvalidInput, NotAllowed, StaleVersion, TransitionRefused
from partnerships.factories import (
    DAY,
    NOON,
    AchievementFactory,
    ActivityCreditFactory,
    ActivityFactory,
    ActivityOrganizationFactory,
    AgreementFactory,
    AgreementPartyFactory,
    AnswerFactory,
    AssociationFactory,
    AssociationMembershipFactory,
    CitationFactory,
    ContactFactory,
    ContactNoteFactory,
    ContactPositionFactory,
    DeliveryFactory,
    DemandFactory,
    DocumentFactory,
    EnterpriseFactory,
    EventFactory,
    EventPersonFactory,
    FacilityFactory,
    FacilityPartnerFactory,
    HonourFactory,
    HonourSchemeFactory,
    ImportRowFactory,
    MilestoneFactory,
    OrganizationCodeFactory,
    OrganizationNameFactory,
    OrganizationUnitFactory,
    ParticipationFactory,
    ProgrammeFactory,
    ProgrammeOrganizerFactory,
    ReminderItemFactory,
    ReminderPlanFactory,
    ReportedFigureFactory,
    StatusChangeFactory,
    UnitFactory,
    UserFactory,
    VisitFactory,
)
from partnerships.models import (
    AgreementParty,
    Contact,
    ContactPosition,
    DifferentContacts,
    DifferentOrganizations,
    Merge,
    Milestone,
    MilestoneKind,
    NameKey,
    Organization,
    OrganizationKind,
    OrganizationName,
    OrganizationUnit,
    SearchEntry,
)
from partnerships.models.drafts import people_behind_draft
from partnerships.workflows import merges
from partnerships.workflows.deletions import relations_to
from partnerships.workflows.merges import (
    DERIVED_ROWS,
    forget_difference,
    mark_as_different,
    merge_contacts,
    merge_organizations,
    undo_merge,
)
from partnerships.workflows.organizations import edit_organization, register_contact
from tests.imports.test_killed_runs import environment
from tests.services.histories import count_without_reason
from tests.services.processes import start_process
from tests.services.stack import eventually
from tests.together import refused, run_together

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

# Counted up by each save, or follows from other columns.
WRITTEN_ANEW = {"version", "sort_key", "sort_key_zh", "appearance"}


class Shared:
    """What rows of both organizations have in common, so that some of them are there twice."""

    def __init__(self) -> None:
        self.unit = UnitFactory()
        self.agreement = AgreementFactory(signed=True)
        self.activity = ActivityFactory(completed=True)
        self.facility = FacilityFactory()
        self.event = EventFactory()
        self.programme = ProgrammeFactory()
        self.scheme = HonourSchemeFactory()
        self.association = AssociationFactory()
        self.person = ContactFactory()
        self.area = ActivityCreditFactory().area
        self.plan = ReminderPlanFactory()


# A row that refers to an organization, by model and column.
OF_ORGANIZATION: dict[tuple[str, str], Callable[[Any, Shared], Any]] = {
    ("Unit", "organization"): lambda row, shared: UnitFactory(organization=row),
    ("Organization", "part_of"): lambda row, shared: EnterpriseFactory(part_of=row),
    ("OrganizationName", "organization"): lambda row, shared: OrganizationNameFactory(organization=row, name="Same"),
    ("OrganizationCode", "organization"): lambda row, shared: OrganizationCodeFactory(organization=row, code="0one"),
    ("AssociationMembership", "association"): lambda row, shared: AssociationMembershipFactory(association=row),
    ("AssociationMembership", "member"): lambda row, shared: AssociationMembershipFactory(
        association=shared.association, member=row
    ),
    ("OrganizationUnit", "organization"): lambda row, shared: OrganizationUnitFactory(
        organization=row, unit=shared.unit, coordinator=None
    ),
    ("Contact", "organization"): lambda row, shared: ContactFactory(organization=row),
    ("ContactPosition", "organization"): lambda row, shared: ContactPositionFactory(
        contact=shared.person, organization=row
    ),
    ("AgreementParty", "organization"): lambda row, shared: AgreementPartyFactory(
        agreement=shared.agreement, organization=row
    ),
    ("Agreement", "through"): lambda row, shared: AgreementFactory(through=row),
    ("Activity", "through"): lambda row, shared: ActivityFactory(through=row),
    ("ActivityOrganization", "organization"): lambda row, shared: ActivityOrganizationFactory(
        activity=shared.activity, organization=row
    ),
    ("ActivityCredit", "organization"): lambda row, shared: ActivityCreditFactory(
        activity=shared.activity, area=shared.area, organization=row
    ),
    ("Visit", "host"): lambda row, shared: VisitFactory(host=row),
    ("ContactNote", "organization"): lambda row, shared: ContactNoteFactory(
        agreement=None, unit=shared.unit, organization=row, author=None
    ),
    ("Participation", "organization"): lambda row, shared: ParticipationFactory(event=shared.event, organization=row),
    ("Milestone", "organization"): lambda row, shared: MilestoneFactory(
        organization=row, unit=shared.unit, kind=MilestoneKind.NEW_HOLDER, derived_key="new_holder:1:2"
    ),
    ("Demand", "organization"): lambda row, shared: DemandFactory(organization=row),
    ("Demand", "through"): lambda row, shared: DemandFactory(through=row),
    ("Achievement", "organization"): lambda row, shared: AchievementFactory(organization=row),
    ("Answer", "organization"): lambda row, shared: AnswerFactory(organization=row),
    ("FacilityPartner", "organization"): lambda row, shared: FacilityPartnerFactory(
        facility=shared.facility, organization=row
    ),
    ("Honour", "organization"): lambda row, shared: HonourFactory(organization=row, scheme=shared.scheme),
    ("ProgrammeOrganizer", "organization"): lambda row, shared: ProgrammeOrganizerFactory(
        programme=shared.programme, organization=row
    ),
    ("Document", "organization"): lambda row, shared: DocumentFactory(organization=row),
    ("ReportedFigure", "organization"): lambda row, shared: ReportedFigureFactory(organization=row),
    ("Citation", "record"): lambda row, shared: CitationFactory(record=row),
    ("ImportRow", "record"): lambda row, shared: ImportRowFactory(record=row),
    ("StatusChange", "record"): lambda row, shared: StatusChangeFactory(record=row, actor=None),
}
OF_CONTACT: dict[tuple[str, str], Callable[[Any, Shared], Any]] = {
    ("Organization", "members_liaison"): lambda row, shared: AssociationFactory(members_liaison=row),
    ("ContactPosition", "contact"): lambda row, shared: ContactPositionFactory(
        contact=row, organization=shared.association
    ),
    ("AgreementParty", "signatory"): lambda row, shared: AgreementPartyFactory(signatory=row),
    ("AgreementParty", "liaison"): lambda row, shared: AgreementPartyFactory(liaison=row),
    ("ContactNote", "contact"): lambda row, shared: ContactNoteFactory(contact=row),
    ("EventPerson", "contact"): lambda row, shared: EventPersonFactory(event=shared.event, user=None, contact=row),
    ("ReminderItem", "contact"): lambda row, shared: ReminderItemFactory(
        plan=shared.plan, person=None, contact=row, delivery=DeliveryFactory(person=None, contact=row)
    ),
    ("Delivery", "contact"): lambda row, shared: DeliveryFactory(person=None, contact=row),
    ("Citation", "record"): lambda row, shared: CitationFactory(record=row),
    ("ImportRow", "record"): lambda row, shared: ImportRowFactory(record=row),
}
PAIRS = {
    ("DifferentOrganizations", "first"),
    ("DifferentOrganizations", "second"),
    ("DifferentContacts", "first"),
    ("DifferentContacts", "second"),
}
NOT_MERGED = {("Erasure", "contact")}  # an erased person is not merged


@pytest.mark.parametrize(("model", "makers"), [(Organization, OF_ORGANIZATION), (Contact, OF_CONTACT)])
def test_every_reference_is_tried(model: type[models.Model], makers: dict[tuple[str, str], Any]) -> None:
    found = {
        (relation.related_model.__name__, relation.field.name)
        for relation in relations_to(model)
        if relation.related_model not in DERIVED_ROWS and not relation.related_model._meta.proxy
    }
    assert found - PAIRS - NOT_MERGED == {key for key in makers if key[1] != "record"}


def staff() -> Any:
    return UserFactory(staff=True)


def two_organizations() -> tuple[Organization, Organization]:
    one = AssociationFactory(name="North Works Ltd.", name_zh="北方厂")
    other = AssociationFactory(name="North Works Co., Ltd.", name_zh="北方有限公司", website="https://north.example")
    return Organization.objects.get(pk=one.pk), Organization.objects.get(pk=other.pk)


def two_contacts() -> tuple[Contact, Contact]:
    organization = EnterpriseFactory()
    one = ContactFactory(organization=organization, name="王强", email="", phone="")
    other = ContactFactory(organization=organization, name="王 强", position="Director")
    return one, other


def fresh(row: Any) -> Any:
    return type(row)._base_manager.get(pk=row.pk)


def columns_of_all() -> dict[tuple[str, Any], dict[str, object]]:
    """Return every row with its columns, without versions and what is written anew."""
    left_out = (*DERIVED_ROWS, Merge)
    return {
        (model._meta.label, row[model._meta.pk.attname]): {
            key: value for key, value in row.items() if key not in WRITTEN_ANEW
        }
        for model in apps.get_app_config("partnerships").get_models()
        if not issubclass(model, HistoricalChanges) and model not in left_out and not model._meta.proxy
        for row in model._base_manager.values()
    }


@pytest.mark.parametrize("reference", OF_ORGANIZATION, ids=".".join)
def test_each_reference_to_an_organization_moves(reference: tuple[str, str]) -> None:
    kept, gone = two_organizations()
    row = OF_ORGANIZATION[reference](gone, Shared())
    column = "object_id" if reference[1] == "record" else f"{reference[1]}_id"

    merge_organizations(kept, gone, actor=staff(), today=DAY)

    assert getattr(fresh(row), column) == kept.pk
    assert not Organization.objects.filter(pk=gone.pk).exists()


@pytest.mark.parametrize("reference", OF_CONTACT, ids=".".join)
def test_each_reference_to_a_contact_moves(reference: tuple[str, str]) -> None:
    kept, gone = two_contacts()
    row = OF_CONTACT[reference](gone, Shared())
    column = "object_id" if reference[1] == "record" else f"{reference[1]}_id"

    merge_contacts(fresh(kept), fresh(gone), actor=staff(), today=DAY)

    assert getattr(fresh(row), column) == kept.pk
    assert not Contact.objects.filter(pk=gone.pk).exists()


ROWS = st.lists(st.tuples(st.sampled_from(sorted(OF_ORGANIZATION)), st.booleans()), max_size=8, unique=True)
ROWS_OF_CONTACT = st.lists(st.tuples(st.sampled_from(sorted(OF_CONTACT)), st.booleans()), max_size=6, unique=True)


def check_law(kept: Any, gone: Any, makers: Any, rows: Any, merge_records: Callable[..., Merge]) -> None:
    """Rows before are rows after with those that were there twice; after the undo each row is as it was."""
    shared = Shared()
    for key, is_of_both in rows:
        for row in [gone, kept] if is_of_both else [gone]:
            if (row, key) != (kept, ("Unit", "organization")):
                makers[key](row, shared)
    actor = UserFactory(staff=True)
    before = columns_of_all()

    reasonless = count_without_reason()

    merge = merge_records(fresh(kept), fresh(gone), actor=actor, today=DAY)

    after = columns_of_all()
    removed, added = {(label, pk) for label, pk, _last in merge.removed}, {(label, pk) for label, pk in merge.added}
    assert set(before) - set(after) == removed
    # New are what the merge lists and the milestones that ask to note it or follow from the merged parties.
    news = {label for label, _pk in set(after) - set(before) - added}
    assert news <= {"partnerships.Milestone", "partnerships.StatusChange", "partnerships.HistoryPermit"}

    undo_merge(merge, actor=actor, today=DAY, now=NOON)

    assert fresh(merge).left == []
    after = columns_of_all()
    assert {key: after.get(key) for key in before} == before
    assert count_without_reason() == reasonless


class TestLaw:
    @pytest.mark.parametrize("number", range(6))
    @settings(max_examples=1, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_of_organizations(self, number: int, data: Any) -> None:
        with transaction.atomic():
            check_law(*two_organizations(), OF_ORGANIZATION, data.draw(ROWS), merge_organizations)
            transaction.set_rollback(True)

    def test_of_organizations_with_every_row_twice(self) -> None:
        rows = [(key, True) for key in OF_ORGANIZATION]
        check_law(*two_organizations(), OF_ORGANIZATION, rows, merge_organizations)

    @pytest.mark.parametrize("number", range(3))
    @settings(max_examples=1, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_of_contacts(self, number: int, data: Any) -> None:
        with transaction.atomic():
            check_law(*two_contacts(), OF_CONTACT, data.draw(ROWS_OF_CONTACT), merge_contacts)
            transaction.set_rollback(True)

    def test_of_contacts_with_every_row_twice(self) -> None:
        check_law(*two_contacts(), OF_CONTACT, [(key, True) for key in OF_CONTACT], merge_contacts)


class TestOrganizations:
    def test_names_are_kept_as_other_names_and_found(self) -> None:
        kept, gone = two_organizations()
        merge_organizations(kept, gone, actor=staff(), today=DAY, from_merged=["name", "website"])

        now = fresh(kept)
        assert (now.name, now.name_zh, now.website) == ("North Works Co., Ltd.", "北方厂", "https://north.example")
        others = now.other_names.values_list("name", "kind")
        assert set(others) == {("North Works Ltd.", "other_spelling"), ("北方有限公司", "other_spelling")}
        assert Organization.objects.search("北方有限公司").get() == now
        assert not SearchEntry.objects.filter(object_id=gone.pk, content_type__model="organization").exists()
        assert not NameKey.objects.filter(organization=gone.pk).exists()

    def test_a_credit_code_that_is_not_chosen_is_kept_as_another_code(self) -> None:
        kept, gone = two_organizations()
        Organization.objects.filter(pk=kept.pk).update(uscc="91330000142944445H")
        Organization.objects.filter(pk=gone.pk).update(uscc="91330683146370190Y")
        merge_organizations(fresh(kept), fresh(gone), actor=staff(), today=DAY, from_merged=["uscc"])

        assert fresh(kept).uscc == "91330683146370190Y"
        assert list(fresh(kept).codes.values_list("scheme", "code")) == [("USCC", "91330000142944445H")]

    def test_the_obligations_of_both_are_those_of_the_one_party(self) -> None:
        kept, gone = two_organizations()
        agreement = AgreementFactory(signed=True)
        party = AgreementPartyFactory(agreement=agreement, organization=kept)
        other = AgreementPartyFactory(agreement=agreement, organization=gone, signatory_person="Ms Lin")
        owed = MilestoneFactory(agreement=agreement, party=other)
        merge_organizations(kept, gone, actor=staff(), today=DAY)

        assert fresh(owed).party == party
        assert (fresh(party).signatory_person, AgreementParty.objects.filter(pk=other.pk).exists()) == ("Ms Lin", False)

    def test_who_merges_is_not_behind_the_drafts_of_the_partner(self) -> None:
        kept, gone = two_organizations()
        draft = AgreementFactory(parties=[gone])
        actor = staff()
        merge = merge_organizations(kept, gone, actor=actor, today=DAY)
        assert actor.pk not in people_behind_draft(draft)

        undo_merge(merge, actor=actor, today=DAY, now=NOON)
        assert actor.pk not in people_behind_draft(draft)

    def test_the_leads_of_both_holders_are_told(self) -> None:
        kept, gone = two_organizations()
        first, second = UnitFactory(), UnitFactory()
        OrganizationUnitFactory(organization=kept, unit=first)
        OrganizationUnitFactory(organization=gone, unit=second)
        merge = merge_organizations(kept, gone, actor=staff(), today=DAY)

        told = Milestone.objects.filter(organization=kept, kind=MilestoneKind.NEW_HOLDER)
        assert {row.unit for row in told} == {first, second}
        assert {row.title for row in told} == {"Merged: North Works Co., Ltd. → North Works Ltd."}
        undo_merge(merge, actor=staff(), today=DAY, now=NOON)
        assert told.filter(title__startswith="Separated again: ").count() == 2

    def test_history_says_by_whom_and_why(self) -> None:
        kept, gone = two_organizations()
        actor = staff()
        document = DocumentFactory(organization=gone)
        merge_organizations(kept, gone, actor=actor, today=DAY)

        last = fresh(document).history.latest("history_id")
        assert (last.history_user, last.history_change_reason) == (actor, f"Merged: organization {gone.pk}")
        removal = Organization.history.filter(id=gone.pk).latest("history_id")
        assert (removal.history_type, removal.history_user) == ("-", actor)

    def test_the_old_id_leads_to_the_kept_one_through_any_number_of_merges(self) -> None:
        kept, gone = two_organizations()
        last = EnterpriseFactory(name="North Works Holding")
        actor = staff()
        merge_organizations(kept, gone, actor=actor, today=DAY)
        merge_organizations(Organization.objects.get(pk=last.pk), fresh(kept), actor=actor, today=DAY)

        assert Merge.objects.kept_instead_of(Organization, gone.pk) == last.pk
        assert Merge.objects.kept_instead_of(Organization, last.pk) is None
        assert Merge.objects.ids_merged_into(last) == {kept.pk, gone.pk}

    def test_known_differences_move_along(self) -> None:
        kept, gone = two_organizations()
        third, actor = EnterpriseFactory(), staff()
        mark_as_different(gone, Organization.objects.get(pk=third.pk), actor=actor)
        mark_as_different(kept, gone, actor=actor)
        merge_organizations(kept, gone, actor=actor, today=DAY)

        [pair] = DifferentOrganizations.objects.all()
        assert {pair.first_id, pair.second_id} == {kept.pk, third.pk}

    def test_a_pair_is_remembered_once_and_forgotten(self) -> None:
        one, other = two_contacts()
        actor = staff()
        mark_as_different(one, other, actor=actor)
        mark_as_different(other, one, actor=actor)
        assert DifferentContacts.objects.count() == 1
        forget_difference(other, one, actor=actor)
        assert not DifferentContacts.objects.exists()

    def test_refused(self) -> None:
        kept, gone = two_organizations()
        actor = staff()
        with pytest.raises(InvalidInput, match="not two records"):
            merge_organizations(kept, kept, actor=actor, today=DAY)
        with pytest.raises(NotAllowed):
            merge_organizations(kept, gone, actor=UserFactory(lead_in=UnitFactory()), today=DAY)
        Organization.objects.filter(pk=gone.pk).update(part_of=kept)
        with pytest.raises(TransitionRefused, match="part of the other"):
            merge_organizations(kept, fresh(gone), actor=actor, today=DAY)
        Organization.objects.filter(pk=gone.pk).update(part_of=None)
        Organization.objects.filter(pk=kept.pk).update(is_sample=True)
        with pytest.raises(TransitionRefused, match="Keep the other"):
            merge_organizations(fresh(kept), fresh(gone), actor=actor, today=DAY)
        assert Organization.objects.filter(pk__in=[kept.pk, gone.pk]).count() == 2

    def test_of_two_merges_in_opposite_directions_the_second_is_refused(self) -> None:
        kept, gone = two_organizations()
        actor = staff()
        merge_organizations(kept, gone, actor=actor, today=DAY)
        with pytest.raises(StaleVersion):
            merge_organizations(gone, kept, actor=actor, today=DAY)


class TestContacts:
    def test_the_merged_position_is_kept(self) -> None:
        kept, gone = two_contacts()
        merge_contacts(kept, gone, actor=staff(), today=DAY, from_merged=["email", "phone"])

        now = fresh(kept)
        assert (now.email, now.phone) == (gone.email, gone.phone)
        assert [(row.position, row.until) for row in now.positions.all()] == [("Director", None)]

    def test_one_who_left_elsewhere_has_a_former_position(self) -> None:
        kept, gone = two_contacts()
        elsewhere = EnterpriseFactory()
        Contact.objects.filter(pk=gone.pk).update(organization=elsewhere, is_active=False, until=dt.date(2025, 6, 30))
        merge_contacts(kept, fresh(gone), actor=staff(), today=DAY)

        [former] = ContactPosition.objects.filter(contact=kept)
        assert (former.organization_id, former.until) == (elsewhere.pk, dt.date(2025, 6, 30))

    def test_a_stop_of_mails_holds_for_the_kept_one(self) -> None:
        kept, gone = two_contacts()
        Contact.objects.filter(pk=gone.pk).update(mail_stopped_on=DAY, mail_stopped_address=gone.email)
        merge_contacts(kept, fresh(gone), actor=staff(), today=DAY)

        assert (fresh(kept).mail_stopped_on, fresh(kept).mail_stopped_address) == (DAY, gone.email)

    def test_nobody_merges_what_they_may_not_read(self) -> None:
        unit, other = UnitFactory(), UnitFactory()
        organization = EnterpriseFactory()
        for one in (unit, other):
            OrganizationUnitFactory(organization=organization, unit=one)
        coordinator = UserFactory(coordinator_in=unit)
        kept = register_contact(
            Contact(organization=organization, name="王强", phone="13800000001"), actor=coordinator, today=DAY
        )
        gone = register_contact(
            Contact(organization=organization, name="王强强", phone="13800000002"),
            actor=UserFactory(coordinator_in=other),
            today=DAY,
        )
        with pytest.raises(NotAllowed):
            merge_contacts(kept, gone, actor=coordinator, today=DAY)
        assert Contact.objects.filter(pk=gone.pk).exists()


class TestUndo:
    def test_what_somebody_changed_since_stays_and_is_named(self) -> None:
        kept, gone = two_organizations()
        actor = staff()
        document, note = DocumentFactory(organization=gone), OrganizationNameFactory(organization=gone, name="North")
        merge = merge_organizations(kept, gone, actor=actor, today=DAY, from_merged=["website"])
        third = EnterpriseFactory()
        now = fresh(kept)
        edit_organization(now, actor=actor, today=DAY, changes={"website": "https://other.example"})
        moved_on = fresh(document)
        moved_on.organization = Organization.objects.get(pk=third.pk)
        moved_on.save()
        undone = undo_merge(merge, actor=actor, today=DAY, now=NOON)

        assert fresh(gone).website == "https://north.example"
        assert fresh(kept).website == "https://other.example"
        assert fresh(document).organization_id == third.pk
        assert fresh(note).organization_id == gone.pk
        assert undone.left == ["website: https://other.example", f"document: {document.title}"]
        assert not OrganizationName.objects.filter(organization=kept).exists()

    def test_only_once_and_only_by_those_who_merge(self) -> None:
        kept, gone = two_organizations()
        merge = merge_organizations(kept, gone, actor=staff(), today=DAY)
        with pytest.raises(NotAllowed):
            undo_merge(merge, actor=UserFactory(lead_in=UnitFactory()), today=DAY, now=NOON)
        undo_merge(merge, actor=staff(), today=DAY, now=NOON)
        with pytest.raises(TransitionRefused, match="undone already"):
            undo_merge(merge, actor=staff(), today=DAY, now=NOON)
        assert Merge.objects.kept_instead_of(Organization, gone.pk) is None

    def test_of_contacts_needs_the_right_to_both(self) -> None:
        unit, other = UnitFactory(), UnitFactory()
        organization = EnterpriseFactory(held_by=unit)
        OrganizationUnitFactory(organization=organization, unit=other, coordinator=None)
        kept = ContactFactory(organization=organization, unit=unit, name="王强")
        gone = ContactFactory(organization=organization, unit=other, name="王强强")
        merge = merge_contacts(fresh(kept), fresh(gone), actor=staff(), today=DAY)
        with pytest.raises(NotAllowed):
            undo_merge(merge, actor=UserFactory(coordinator_in=unit), today=DAY, now=NOON)
        assert not Contact.objects.filter(pk=gone.pk).exists()

    def test_of_the_first_of_two_waits_for_the_second(self) -> None:
        kept, gone = two_organizations()
        last, actor = EnterpriseFactory(), staff()
        merge = merge_organizations(kept, gone, actor=actor, today=DAY)
        second = merge_organizations(Organization.objects.get(pk=last.pk), fresh(kept), actor=actor, today=DAY)
        with pytest.raises(TransitionRefused, match="is gone"):
            undo_merge(merge, actor=actor, today=DAY, now=NOON)
        undo_merge(second, actor=actor, today=DAY, now=NOON)
        undo_merge(merge, actor=actor, today=DAY, now=NOON)
        assert Organization.objects.filter(pk__in=[kept.pk, gone.pk, last.pk]).count() == 3

    def test_holders_are_two_again(self) -> None:
        kept, gone = two_organizations()
        unit = UnitFactory()
        OrganizationUnitFactory(organization=kept, unit=unit, coordinator=None, is_granted=False)
        OrganizationUnitFactory(organization=gone, unit=unit)
        merge = merge_organizations(kept, gone, actor=staff(), today=DAY)
        assert OrganizationUnit.objects.get(organization=kept).is_granted
        undo_merge(merge, actor=staff(), today=DAY, now=NOON)
        assert not OrganizationUnit.objects.get(organization=kept).is_granted
        assert OrganizationUnit.objects.get(organization=gone).is_granted


def test_an_association_and_its_member_may_be_the_same() -> None:
    kept, gone = two_organizations()
    Organization.objects.filter(pk=gone.pk).update(kind=OrganizationKind.ENTERPRISE)
    AssociationMembershipFactory(association=kept, member=fresh(gone))
    merge = merge_organizations(kept, fresh(gone), actor=staff(), today=DAY)

    assert [label for label, *_rest in merge.removed] == [
        "partnerships.Organization",
        "partnerships.AssociationMembership",
    ]


@pytest.mark.django_db(transaction=True)
def test_of_two_merges_in_opposite_directions_at_once_one_wins() -> None:
    kept, gone = two_organizations()
    documents = [DocumentFactory(organization=one) for one in (kept, gone)]
    actor = staff()
    results = run_together(
        partial(merge_organizations, fresh(kept), fresh(gone), actor=actor, today=DAY),
        partial(merge_organizations, fresh(gone), fresh(kept), actor=actor, today=DAY),
    )
    assert len(refused(results)) == 1
    [left] = Organization.objects.filter(pk__in=[kept.pk, gone.pk])
    assert {fresh(document).organization_id for document in documents} == {left.pk}


@pytest.mark.django_db(transaction=True)
def test_nobody_adds_to_a_record_that_is_about_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, gone = two_organizations()
    remove = merges._remove_merged

    def add() -> str:
        briefly = "PRAGMA busy_timeout = 100" if connection.vendor == "sqlite" else "SET lock_timeout = '100ms'"
        try:
            with connection.cursor() as cursor:
                cursor.execute(briefly)
            with transaction.atomic():
                Contact(organization_id=gone.pk, name="Ann").save()
        except OperationalError:
            return "waits"
        return "added"

    answers: list[str] = []

    def add_meanwhile(*given: Any, **named: Any) -> None:
        answers.extend(run_together(add))
        remove(*given, **named)

    monkeypatch.setattr(merges, "_remove_merged", add_meanwhile)
    merge_organizations(kept, gone, actor=staff(), today=DAY)
    assert answers == ["waits"]


@pytest.mark.django_db(transaction=True)
def test_of_two_merges_of_contacts_in_opposite_directions_at_once_one_wins() -> None:
    kept, gone = two_contacts()
    notes = [ContactNoteFactory(contact=one) for one in (kept, gone)]
    actor = staff()
    results = run_together(
        partial(merge_contacts, fresh(kept), fresh(gone), actor=actor, today=DAY),
        partial(merge_contacts, fresh(gone), fresh(kept), actor=actor, today=DAY),
    )
    assert len(refused(results)) == 1
    [left] = Contact.objects.filter(pk__in=[kept.pk, gone.pk])
    assert {fresh(note).contact_id for note in notes} == {left.pk}


@pytest.mark.django_db(transaction=True)
def test_of_two_undos_at_once_one_is_refused() -> None:
    kept, gone = two_contacts()
    actor = staff()
    merge = merge_contacts(fresh(kept), fresh(gone), actor=actor, today=DAY)
    undo = partial(undo_merge, merge, actor=actor, today=DAY, now=NOON)
    assert len(refused(run_together(undo, undo))) == 1
    assert Contact.objects.filter(pk__in=[kept.pk, gone.pk]).count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["organization", "contact"])
def test_a_merge_that_is_killed_midway_changes_nothing(kind: str, tmp_path: Path) -> None:
    is_contact = kind == "contact"
    kept, gone = two_contacts() if is_contact else two_organizations()
    row = ContactNoteFactory(contact=gone) if is_contact else DocumentFactory(organization=gone)
    log = tmp_path / "merge.log"
    command = [sys.executable, "-m", "tests.faults.stuck_merge", kind, str(kept.pk), str(gone.pk)]
    process = start_process(command, log=log, env=environment())
    eventually(lambda: process.poll() is not None or "moved" in log.read_text())
    process.kill()
    assert process.wait() != 0, log.read_text()

    assert getattr(fresh(row), f"{kind}_id") == gone.pk
    assert not Merge.objects.exists()
    (merge_contacts if is_contact else merge_organizations)(fresh(kept), fresh(gone), actor=staff(), today=DAY)
    assert getattr(fresh(row), f"{kind}_id") == kept.pk
