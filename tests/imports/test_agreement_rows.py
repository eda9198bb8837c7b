"""Rows of a register: the agreement with its partners, contacts and dates, signed long ago."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from partnerships.durations import Duration
from partnerships.factories import (
    AgreementTypeFactory,
    CooperationAreaFactory,
    EnterpriseFactory,
    InstitutionFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.inputs import Money
from partnerships.models import Agreement, Contact, Milestone, MilestoneKind, Organization, ReminderMark, Unit, User
from partnerships.statuses import AgreementStatus
from tests.imports.batches import TODAY, batch, bring_in, day, messages, names, outcomes, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def unit() -> Unit:
    AgreementTypeFactory(code="memorandum", name="Memorandum")
    return UnitFactory(organization=InstitutionFactory(name="Our College"))


def register(unit: Unit, *rows: dict[str, Any], actor: User | None = None, **recipe: Any) -> Any:
    recipe.setdefault("defaults", {"type": "memorandum"})
    return bring_in(batch("register", unit=unit, actor=actor, **recipe), *rows)


def test_a_row_makes_agreement_partners_contact_and_term(unit: Unit) -> None:
    CooperationAreaFactory(code="training", name="Training")
    row = {
        "title": "Memorandum with X",
        "reference": "M-1",
        "partner": names("X University"),
        "signed_on": day(2025, 6, 1),
        "duration": Duration(months=36, renewal="automatic", renewal_months=12),
        "contact": (person("Ann Smith", position="Dean"),),
        "contact_email": "ann@example.org",
        "signatory_person": ("Rector Y",),
        "areas": ("training",),
        "amount": Money(Decimal(1000000)),
        "country": "GB",
    }
    (work,) = register(unit, row)
    assert (outcomes([work]), messages(work)) == (["new"], [])
    agreement = Agreement.objects.get()
    parties = {str(party.organization): party for party in agreement.parties.all()}
    assert set(parties) == {"Our College", "X University"}
    assert (parties["X University"].signatory_person, parties["X University"].liaison) == (
        "Rector Y",
        Contact.objects.get(email="ann@example.org", position="Dean"),
    )
    term = agreement.terms.get()
    assert (term.ends_on, term.renewal, term.renewal_months) == (dt.date(2028, 5, 31), "automatic", 12)
    assert (agreement.status, agreement.signed_on, agreement.recorded_on) == ("signed", dt.date(2025, 6, 1), TODAY)
    assert (agreement.amount, agreement.current_ends_on) == (1000000, dt.date(2028, 5, 31))
    assert Organization.objects.get(name="X University").country == "GB"
    assert [one["model"] for one in work.made] == ["organization", "contact", "agreement"]


def test_a_partner_is_made_once_and_several_parties_stand_in_a_cell(unit: Unit) -> None:
    works = register(
        unit,
        {"title": "A", "partner": names("甲大学", "乙公司"), "signed_on": day(2024, 5, 1)},
        {"title": "B", "partner": names("乙 公司"), "signed_on": day(2025)},
    )
    assert outcomes(works) == ["new", "new"]
    assert Organization.objects.count() == 3
    assert {str(party.organization) for party in Agreement.objects.get(title="A").parties.all()} == {
        "Our College",
        "甲大学",
        "乙公司",
    }
    assert str(Agreement.objects.get(title="B").signed) == "2025"


def test_the_same_row_again_changes_nothing_and_the_same_title_of_others_is_another_agreement(unit: Unit) -> None:
    row = {"title": "合作备忘录", "partner": names("甲大学"), "signed_on": day(2025, 3)}
    other = {**row, "partner": names("乙大学")}
    assert outcomes(register(unit, row, other)) == ["new", "new"]
    again = register(unit, row, other)
    assert outcomes(again) == ["unchanged", "unchanged"]
    renewed = register(unit, {**row, "signed_on": day(2026, 1, 5)})
    assert (outcomes(renewed), Agreement.objects.count()) == (["new"], 3)


def test_an_old_agreement_mails_nobody_and_asks_for_nothing_of_the_past(unit: Unit) -> None:
    coordinator = UserFactory(coordinator_in=unit)
    row = {"partner": names("甲大学"), "signed_on": day(2015, 3, 1), "duration": Duration(months=24)}
    lasting = {"partner": names("乙大学"), "signed_on": day(2015, 3, 1), "duration": Duration(is_open_ended=True)}
    works = register(unit, row, lasting, actor=coordinator)
    assert outcomes(works) == ["new", "new"]
    over, running = Agreement.objects.order_by("pk")
    assert (over.status, over.completed_on) == (AgreementStatus.COMPLETED, dt.date(2017, 2, 28))
    assert running.status == AgreementStatus.SIGNED
    pending = Milestone.objects.pending()
    assert {milestone.agreement for milestone in pending} == {running}
    assert all(milestone.due_on >= TODAY for milestone in pending)
    # A lead is asked to confirm what a coordinator brought in; nothing of it is announced by mail.
    assert MilestoneKind.CONFIRM_REGISTRATION in {milestone.kind for milestone in pending}
    assert not ReminderMark.objects.filter(appearance__gt=0).exists()


@pytest.mark.parametrize(
    ("status", "expected"), [("draft", "draft"), ("terminated", "terminated"), ("suspended", "signed")]
)
def test_the_status_of_the_register_is_kept(unit: Unit, status: str, expected: str) -> None:
    (work,) = register(unit, {"partner": names("甲大学"), "signed_on": day(2025, 3, 1), "status": status})
    assert (work.outcome, Agreement.objects.get().status) == ("new", expected)


def test_a_signing_that_is_not_known_is_kept_so(unit: Unit) -> None:
    register(unit, {"partner": names("甲大学"), "ends_on": day(2027, 12)})
    agreement = Agreement.objects.get()
    assert (str(agreement.signed), agreement.terms.get().ends_on) == ("date not known", dt.date(2027, 12, 31))


def test_what_was_signed_is_not_changed_by_a_later_file_but_its_summary_is(unit: Unit) -> None:
    row = {"reference": "M-1", "title": "M", "partner": names("甲大学"), "signed_on": day(2025, 3, 1), "summary": "one"}
    register(unit, row)
    made = batch("register", unit=unit, defaults={"type": "memorandum"}, existing="file")
    (work,) = bring_in(made, {**row, "summary": "two"})
    assert (work.outcome, Agreement.objects.get().summary) == ("changed", "two")


def test_a_partner_whose_kind_is_not_known_and_a_missing_type_are_refused(unit: Unit) -> None:
    works = register(unit, {"partner": names("Ruritania 2020"), "signed_on": day(2025)})
    works += register(unit, {"partner": names("甲大学")}, defaults={})
    assert outcomes(works) == ["rejected", "rejected"]
    assert (Agreement.objects.count(), Organization.objects.count()) == (0, 1)


def test_a_list_of_agreements_makes_no_partners(unit: Unit) -> None:
    EnterpriseFactory(name="乙公司")
    made = batch("agreements", unit=unit, defaults={"type": "memorandum"})
    works = bring_in(
        made,
        {"partner": names("乙公司"), "signed_on": day(2025)},
        {"partner": names("甲大学"), "signed_on": day(2025)},
    )
    assert outcomes(works) == ["new", "rejected"], [messages(w) for w in works]


def test_a_row_says_that_its_unit_has_no_organization_which_signs(unit: Unit) -> None:
    row = {"title": "MoU", "partner": names("X University"), "signed_on": day(2025, 6, 1)}
    (work,) = register(UnitFactory(name="New unit"), row)
    assert outcomes([work]) == ["rejected"]
    (message,) = messages(work)
    assert message.startswith("Our side is missing: “New unit” has no organization that signs for it.")
    (work,) = register(unit, {**row, "partner": names("Our College")})
    assert messages(work) == ["The row names our own organization alone: add the other party."]
    two = {**row, "partner": names("X University", "Y University")}
    assert outcomes(register(UnitFactory(), two)) == ["new"]
