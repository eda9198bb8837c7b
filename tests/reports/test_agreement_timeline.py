"""The timeline of an agreement says in words what was done and to which values."""

import datetime as dt

import pytest
from django.utils.translation import override

from partnerships.factories import AgreementFactory, UserFactory
from partnerships.models import Agreement
from partnerships.reports.agreement_timeline import agreement_timeline
from partnerships.workflows.agreements import confirm_signing, record_signed_agreement, sign_agreement
from partnerships.workflows.terms import complete_dates, confirm_renewal, give_notice, renew_agreement, take_back_notice

pytestmark = pytest.mark.django_db

SIGNED = dt.date(2025, 11, 1)
TODAY = dt.date(2026, 11, 29)


def fresh(agreement: Agreement) -> Agreement:
    return Agreement.objects.get(pk=agreement.pk)


def shown(agreement: Agreement) -> list[tuple[str, str]]:
    entries = agreement_timeline(fresh(agreement), UserFactory(staff=True)).newest_first()
    return [(entry.what, entry.detail) for entry in entries][::-1]


def test_renewals_and_notices_are_named_as_what_was_done() -> None:
    term = {"starts_on": SIGNED, "ends_on": dt.date(2026, 11, 20), "notice": 2, "renewal": "automatic"}
    agreement = AgreementFactory(approved=True, **{f"with_term__{name}": value for name, value in term.items()})
    sign_agreement(fresh(agreement), actor=None, on=SIGNED, today=SIGNED)

    confirm_renewal(fresh(agreement), actor=None, on=TODAY)
    give_notice(fresh(agreement), actor=None, on=TODAY, today=TODAY)
    take_back_notice(fresh(agreement), actor=None, on=TODAY)
    renew_agreement(fresh(agreement), actor=None, on=TODAY, ends_on=dt.date(2030, 11, 20))

    told = shown(agreement)
    assert {
        ("Renewed automatically until Nov. 20, 2027", ""),
        ("Recorded a notice (Nov. 29, 2026)", ""),
        ("Took back the notice", ""),
        ("Renewed until Nov. 20, 2030", ""),
    } <= set(told)
    assert "notice given" not in str(told)
    assert "changed" not in str(told)  # the signing fills in the name of each party


def test_values_are_shown_by_their_labels_and_dates_as_the_reader_writes_them() -> None:
    term = {"starts_on": dt.date(2025, 1, 1), "starts_precision": "year"}
    draft = AgreementFactory(with_parties=True, **{f"with_term__{name}": value for name, value in term.items()})
    agreement = record_signed_agreement(fresh(draft), actor=draft.coordinator, on=SIGNED, precision="year", today=TODAY)
    office = UserFactory(staff=True)

    complete_dates(fresh(agreement), actor=office, today=TODAY, signed_on=SIGNED, starts_on=SIGNED)
    confirm_signing(fresh(agreement), actor=office, on=TODAY)

    with override("zh-hans"):
        told = str(shown(agreement))
    assert "签署日期：2025年 → 2025年11月1日" in told
    assert "签署已确认：否 → 是" in told
    assert "开始日期：2025年 → 2025年11月1日" in told
    assert [
        word for word in ("year", "signed at latest", "True", "2025-1", "精确程度", "签署时名称") if word in told
    ] == []
