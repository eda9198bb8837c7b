"""Agreements in the admin: locked after signing, moved by steps alone, registered in one form."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import (
    DAY,
    AgreementFactory,
    AgreementTypeFactory,
    CooperationAreaFactory,
    DocumentFactory,
    EnterpriseFactory,
    InstitutionFactory,
    MilestoneFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import Agreement, AgreementParty, Milestone, StatusChange
from partnerships.statuses import AgreementStatus
from tests.admin.forms import change_url, filled, save, step_url
from tests.services.drawing import undrawn

pytestmark = pytest.mark.django_db
REGISTER = "admin:partnerships_agreement_register_signed"


@pytest.fixture
def staff():
    return UserFactory(staff=True, name="Office")


@pytest.fixture
def office(enter, staff):
    return enter(staff)


def lead_of(unit):
    return UserFactory(lead_in=unit)


def test_posted_status_and_dates_have_no_effect(office):
    agreement = AgreementFactory(title="Draft")

    save(office, agreement, title="Edited", status="signed", signed_on="2026-03-02", created_by="1", recorded_on="x")

    agreement.refresh_from_db()
    assert (agreement.title, agreement.status, agreement.signed_on) == ("Edited", AgreementStatus.DRAFT, None)


def test_what_was_signed_is_locked(office):
    agreement = AgreementFactory(signed=True, title="As signed")
    party = agreement.parties.first()

    save(
        office,
        agreement,
        title="Forged",
        unit=str(UnitFactory().pk),
        summary="Filed on shelf 3",
        **{"parties-0-role": "witness", "parties-0-id": str(party.pk), "terms-0-ends_on": "2099-01-01"},
    )

    agreement.refresh_from_db()
    assert (agreement.title, agreement.summary) == ("As signed", "Filed on shelf 3")
    assert agreement.parties.filter(role="witness").count() == 0
    assert agreement.current_term.ends_on.year == DAY.year + 3


def test_a_draft_takes_its_milestones_along_to_another_unit(office):
    agreement, there = AgreementFactory(), UnitFactory()
    milestone, new_owner = MilestoneFactory(agreement=agreement), UserFactory(coordinator_in=there)

    save(office, agreement, unit=str(there.pk), coordinator=str(new_owner.pk))

    milestone.refresh_from_db()
    assert (milestone.unit, milestone.history.first().history_user is None) == (there, False)


def test_a_new_coordinator_takes_over_the_milestones(office):
    agreement = AgreementFactory(signed=True)
    milestone = MilestoneFactory(agreement=agreement)
    new_owner = UserFactory(coordinator_in=agreement.unit)

    save(office, agreement, coordinator=str(new_owner.pk))

    milestone.refresh_from_db()
    assert milestone.owner == new_owner


def test_a_coordinator_who_could_not_see_it_is_refused(office):
    agreement = AgreementFactory(signed=True)
    before = agreement.coordinator
    stranger = UserFactory(coordinator_in=UnitFactory())

    response = save(office, agreement, coordinator=str(stranger.pk))

    errors = response.context["adminform"].form.errors
    assert errors == {"coordinator": ["This person may not see the agreement."]}
    assert Agreement.objects.get().coordinator == before


def test_a_coordinator_who_could_not_see_it_in_another_unit_is_refused(office):
    agreement = AgreementFactory()

    response = save(office, agreement, unit=str(UnitFactory().pk))

    errors = response.context["adminform"].form.errors
    assert errors == {"coordinator": ["This person may not see the agreement."]}
    assert Agreement.objects.get().unit == agreement.unit


def test_a_step_is_asked_for_on_get_and_taken_on_post(enter):
    agreement = AgreementFactory(in_review=True)
    lead = lead_of(agreement.unit)
    client = enter(lead)
    url = step_url(agreement, "approve")

    page = client.get(url)
    assert page.status_code == 200
    assert Agreement.objects.get().status == AgreementStatus.IN_REVIEW

    response = client.post(url, {"version": "1", "on": "2026-03-03"})
    assert response.status_code == 302
    assert Agreement.objects.get().status == AgreementStatus.APPROVED
    assert StatusChange.objects.get().actor == lead


def test_a_step_without_its_reason_says_so_on_the_field(enter):
    agreement = AgreementFactory(in_review=True)

    response = enter(lead_of(agreement.unit)).post(step_url(agreement, "return"), {"version": "1", "on": "2026-03-03"})

    assert list(response.context["form"].errors) == ["reason"]


def test_a_refusal_of_the_domain_is_shown_and_changes_nothing(office):
    agreement = AgreementFactory()

    response = office.post(step_url(agreement, "submit"), {"version": "1", "on": "2026-03-03"})

    assert response.context["form"].non_field_errors() == [
        "An agreement needs at least two signatories; add the parties first."
    ]
    assert Agreement.objects.get().status == AgreementStatus.DRAFT


def test_who_may_not_take_a_step_sees_why_and_is_refused_by_the_address(office):
    agreement = AgreementFactory(in_review=True)

    page = office.get(change_url(agreement))

    refusals = {button.name: button.refusal for button in page.context["buttons"]}
    assert str(refusals["approve"]) == "Only a lead of its unit may do this."
    assert office.get(step_url(agreement, "approve")).status_code == 403
    assert office.post(step_url(agreement, "approve"), {"version": "1", "on": "2026-03-03"}).status_code == 403


def test_only_a_step_forward_is_a_main_button(office):
    page = office.get(change_url(AgreementFactory(approved=True)))

    kinds = [(button.name, button.kind) for button in page.context["buttons"]]
    assert kinds[:3] == [("sign", "primary"), ("return", "plain"), ("cancel", "danger")]


def test_a_step_the_status_does_not_have_leads_back_to_the_row(office):
    agreement = AgreementFactory()

    response = office.get(step_url(agreement, "terminate"))

    assert response.headers["Location"] == change_url(agreement)


def test_a_stale_step_is_refused_once(enter):
    agreement = AgreementFactory(in_review=True)
    client = enter(lead_of(agreement.unit))
    Agreement.objects.get().touch()

    refused = client.post(step_url(agreement, "approve"), {"version": "1", "on": "2026-03-03"})
    assert refused.context["form"].data["version"] == "2"
    assert Agreement.objects.get().status == AgreementStatus.IN_REVIEW

    client.post(step_url(agreement, "approve"), {"version": "2", "on": "2026-03-03"})
    assert Agreement.objects.get().status == AgreementStatus.APPROVED


def test_the_page_reads_the_terms_once_and_for_their_inline(office):
    agreement = AgreementFactory(signed=True)
    with CaptureQueriesContext(connection) as captured:
        assert office.get(change_url(agreement)).status_code == 200
    assert sum('FROM "partnerships_agreementterm"' in query["sql"] for query in captured) == 2


@pytest.mark.parametrize(
    ("verb", "values"),
    [
        ("renew", {"basis": "express", "ends_on": "2035-12-31"}),
        (
            "amend",
            {"signed_on": "2026-05-01", "effective_on": "2026-06-01", "summary": "Longer", "ends_on": "2031-01-01"},
        ),
    ],
)
def test_a_signed_agreement_gets_another_term_by_its_verbs(office, verb, values):
    agreement = AgreementFactory(signed=True)

    response = office.post(step_url(agreement, verb), {"version": "1", **values})

    assert response.status_code == 302
    assert agreement.terms.count() == 2


def test_parties_join_and_leave_later(office):
    agreement = AgreementFactory(signed=True)
    joining = EnterpriseFactory()

    assert office.get(step_url(agreement, "accede")).status_code == 200
    values = {"version": "1", "organization": str(joining.pk), "on": "2026-04-01", "role": "signatory"}
    office.post(step_url(agreement, "accede"), values)
    party = agreement.parties.get(organization=joining)
    office.post(step_url(agreement, "withdraw"), {"version": "2", "party": str(party.pk), "on": "2026-05-01"})

    party.refresh_from_db()
    assert (party.acceded_on, party.withdrew_on) == (dt.date(2026, 4, 1), dt.date(2026, 5, 1))


def test_a_call_is_logged_from_the_page_of_the_agreement(office, staff):
    agreement = AgreementFactory(signed=True)

    values = {"channel": "call", "on": "2026-03-10", "summary": "They ask for a date."}
    response = office.post(step_url(agreement, "log_contact"), values)

    assert response.status_code == 302
    assert [(note.summary, note.author) for note in agreement.contact_notes.all()] == [("They ask for a date.", staff)]


def test_drafts_are_deleted_by_the_verb_and_nothing_else_is(office):
    draft, signed = AgreementFactory(ready=True), AgreementFactory(signed=True)
    MilestoneFactory(agreement=draft)

    assert office.get(reverse("admin:partnerships_agreement_delete", args=[draft.pk])).status_code == 200
    office.post(reverse("admin:partnerships_agreement_delete", args=[draft.pk]), {"reason": "Twice", "version": 1})
    refused = office.post(
        reverse("admin:partnerships_agreement_delete", args=[signed.pk]), {"reason": "Twice", "version": 1}
    )

    assert refused.status_code == 403
    assert list(Agreement.objects.all()) == [signed]


def test_a_draft_with_work_done_under_it_says_why_it_stays(office):
    draft = AgreementFactory(ready=True)
    DocumentFactory(agreement=draft)

    url = reverse("admin:partnerships_agreement_delete", args=[draft.pk])
    response = office.post(url, {"reason": "Entered twice", "version": draft.version})

    words = response.context["form"].non_field_errors()
    assert words == ["Something was done under this draft already; cancel it instead."]
    assert Agreement.objects.count() == 1


@pytest.fixture
def registration(office):
    """The register form, filled in for two partners."""
    college, enterprise = InstitutionFactory(name="College", name_zh="学院"), EnterpriseFactory()
    data = filled(undrawn(office, reverse(REGISTER)))
    return data | {
        "title": "Framework",
        "on": "2025-11-20",
        "type": str(AgreementTypeFactory().pk),
        "unit": str(UnitFactory().pk),
        "parties-0-organization": str(college.pk),
        "parties-1-organization": str(enterprise.pk),
        "promised_areas-0-area": str(CooperationAreaFactory().pk),
        "terms-0-ends_on": "2028-11-19",
        "terms-0-notice": "3",
        "custody_steps-0-step": "filed",
        "custody_steps-0-desk": "Shelf 3",
        "custody_steps-0-since": "2025-12-01",
    }


def test_one_form_registers_an_agreement_that_was_signed_already(office, staff, registration):
    response = office.post(reverse(REGISTER), registration)

    assert response.status_code == 302
    agreement = Agreement.objects.get()
    assert (agreement.status, agreement.signed_on, agreement.approved_on) == ("signed", dt.date(2025, 11, 20), None)
    assert (agreement.created_by, agreement.title_as_signed) == (staff, "Framework")
    assert agreement.parties.first().name_as_signed == "学院"
    term = agreement.terms.get()
    assert (term.starts_on, term.ends_on, term.notice) == (dt.date(2025, 11, 20), dt.date(2028, 11, 19), 3)
    assert agreement.custody_steps.get().desk == "Shelf 3"
    assert agreement.promised_areas.count() == 1


def test_signed_in_this_year_without_a_term_it_is_open_ended_with_a_review(office, registration):
    registration["terms-0-ends_on"], registration["terms-0-notice"] = "", "0"
    year = timezone.localdate().year
    registration |= {"on": f"{year}-12-31", "precision": "year"}  # any day of the year may be chosen

    office.post(reverse(REGISTER), registration)

    agreement = Agreement.objects.get()
    term = agreement.terms.get()
    assert (agreement.signed_on, term.ends_on, term.review_on is not None) == (dt.date(year, 1, 1), None, True)


@pytest.mark.parametrize(
    ("slip", "where"),
    [
        ({"on": "2099-01-01"}, "on"),
        ({"on": "2099-01-01", "precision": "year"}, "on"),
        ({"on": ""}, "on"),
        ({"title": ""}, "title"),
        ({"title": "Two\nlines"}, "title"),
        ({"unit": "999999"}, "unit"),
        ({"parties-1-organization": ""}, "__all__"),
        ({"parties-1-role": "witness"}, "__all__"),
        ({"terms-0-ends_on": "2024-01-01"}, "terms"),
        ({"custody_steps-0-since": "yesterday"}, "custody_steps"),
    ],
)
def test_a_slip_is_shown_where_it_is_and_nothing_is_half_saved(office, registration, slip, where):
    response = office.post(reverse(REGISTER), registration | slip)

    assert response.status_code == 200
    formsets = [inline.formset for inline in response.context["inline_admin_formsets"]]
    wrong = {rows.prefix for rows in formsets if rows.total_error_count()}
    assert {*response.context["adminform"].form.errors, *wrong} == {where}
    assert (Agreement.objects.count(), AgreementParty.objects.count(), Milestone.objects.count()) == (0, 0, 0)


def test_a_title_the_unit_has_is_asked_about_and_can_be_confirmed(office, registration):
    office.post(reverse(REGISTER), registration)
    there = Agreement.objects.get()

    asked = office.post(reverse(REGISTER), registration)

    form = asked.context["adminform"].form
    assert list(form.errors) == ["is_another"]
    assert 'name="is_another"' in asked.content.decode()
    assert Agreement.objects.count() == 1
    office.post(reverse(REGISTER), registration | {"is_another": str(there.pk)})
    assert Agreement.objects.count() == 2


def test_a_lead_registers_for_their_own_units_only(enter, registration):
    lead = lead_of(UnitFactory())

    response = enter(lead).post(reverse(REGISTER), registration)

    assert list(response.context["adminform"].form.errors) == ["unit"]
    assert Agreement.objects.count() == 0
