"""The ordered approval steps of a type, recorded while an agreement is in review."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partnerships.exceptions import InvalidInput, NotAllowed, StaleVersion, TransitionRefused
from partnerships.factories import DAY, AgreementFactory, ApprovalStepFactory, UnitFactory, UserFactory
from partnerships.models import Agreement, ApprovalRecord, ApprovalStep, Milestone, User
from partnerships.reports.agreement_timeline import agreement_timeline
from partnerships.workflows.agreements import (
    approve_agreement,
    record_approval_step,
    return_agreement,
    submit_agreement,
)
from tests.services.drawing import undrawn
from tests.views.sent import filled

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def unit() -> Any:
    return UnitFactory()


@pytest.fixture
def coordinator(unit: Any) -> User:
    return UserFactory(name="Coordinator", coordinator_in=unit)


@pytest.fixture
def lead(unit: Any) -> User:
    return UserFactory(name="Lead", lead_in=unit)


@pytest.fixture
def agreement(unit: Any, coordinator: User) -> Agreement:
    """In review; its type asks for a legal check, then the president's meeting."""
    draft = AgreementFactory(unit=unit, ready=True, created_by=coordinator, coordinator=coordinator)
    ApprovalStepFactory(
        type=draft.type, position=2, name="President's meeting", name_zh="校长办公会", needs_meeting=True
    )
    ApprovalStepFactory(type=draft.type, position=1, name="Legal check", name_zh="法务审核")
    return submit_agreement(Agreement.objects.get(pk=draft.pk), actor=coordinator, on=DAY)


def step(name: str) -> ApprovalStep:
    return ApprovalStep.objects.get(name=name)


def record(agreement: Agreement, name: str, actor: User, **more: Any) -> ApprovalRecord:
    values = {"on": DAY, "today": DAY, **more}
    return record_approval_step(Agreement.objects.get(pk=agreement.pk), step(name), actor=actor, **values)


MEETING = {"meeting": "Office meeting", "number": "2026-7"}


def title(agreement: Agreement) -> tuple[str, str]:
    row = Milestone.objects.get(agreement=agreement, kind="approval")
    return row.title, row.title_zh


def test_the_steps_are_recorded_in_order_and_then_it_is_approved(
    agreement: Agreement, coordinator: User, lead: User
) -> None:
    def approve() -> Agreement:
        return approve_agreement(Agreement.objects.get(pk=agreement.pk), actor=lead, on=DAY)

    assert title(agreement)[0] == "Approve the agreement or return it (next step: Legal check)"
    assert "法务审核" in title(agreement)[1]
    with pytest.raises(TransitionRefused, match="first: Legal check, President's meeting"):
        approve()
    with pytest.raises(TransitionRefused, match="not the next one"):
        record(agreement, "President's meeting", coordinator, **MEETING)

    first = record(agreement, "Legal check", coordinator, note="With two remarks")
    assert (first.recorded_by, first.history.get().history_user) == (coordinator, coordinator)
    assert "President's meeting" in title(agreement)[0]
    with pytest.raises(TransitionRefused, match="not the next one"):
        record(agreement, "Legal check", coordinator)  # a second click
    with pytest.raises(TransitionRefused, match="first: President's meeting"):
        approve()
    record(agreement, "President's meeting", lead, **MEETING)

    assert title(agreement)[0] == "Approve the agreement or return it"
    assert approve().status == "approved"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "meeting"),
        ({"meeting": "Office meeting"}, "number"),
        ({**MEETING, "on": DAY - dt.timedelta(days=1)}, "on"),
        ({**MEETING, "on": DAY + dt.timedelta(days=1)}, "on"),
    ],
)
def test_a_meeting_is_named_and_the_days_go_in_order(
    agreement: Agreement, coordinator: User, values: dict[str, Any], field: str
) -> None:
    record(agreement, "Legal check", coordinator)

    with pytest.raises(InvalidInput) as refusal:
        record(agreement, "President's meeting", coordinator, **values)

    assert refusal.value.field == field


def test_whether_a_step_needs_a_meeting_is_read_and_not_taken_from_the_caller(
    agreement: Agreement, coordinator: User
) -> None:
    record(agreement, "Legal check", coordinator)
    claimed = ApprovalStep(pk=step("President's meeting").pk, needs_meeting=False)
    with pytest.raises(InvalidInput):
        record_approval_step(agreement, claimed, actor=coordinator, on=DAY, today=DAY)


def test_returned_it_begins_anew_and_the_history_keeps_the_earlier_records(
    agreement: Agreement, coordinator: User, lead: User
) -> None:
    record(agreement, "Legal check", coordinator)
    row = return_agreement(Agreement.objects.get(pk=agreement.pk), actor=lead, on=DAY, reason="The term is missing")
    with pytest.raises(TransitionRefused, match="in review"):
        record(agreement, "President's meeting", coordinator, **MEETING)

    submit_agreement(Agreement.objects.get(pk=row.pk), actor=coordinator, on=DAY)

    assert list(ApprovalRecord.objects.all()) == []
    assert "Legal check" in title(agreement)[0]
    assert ApprovalRecord.history.filter(agreement=agreement.pk, history_type="+").count() == 1
    shown = [
        entry.what for entry in agreement_timeline(Agreement.objects.get(pk=agreement.pk), coordinator).newest_first()
    ]
    assert "Approval step recorded: Legal check" in shown


def test_my_work_offers_to_approve_once_each_step_is_recorded(
    agreement: Agreement, coordinator: User, lead: User
) -> None:
    client = Client()
    client.force_login(lead)
    approve, next_one = (
        reverse("agreement_step", args=[agreement.pk, name]) for name in ("approve", "record-approval")
    )

    page = client.get("/").text
    assert [approve in page, next_one in page, "Record: Legal check" in page] == [False, True, True]
    line = f"form-milestone-{Milestone.objects.get(kind='approval').pk}"
    form = client.get(next_one, headers={"HX-Request": "true", "HX-Target": line}).text
    assert ["Record: Legal check" in form, "<html" in form] == [True, False]

    record(agreement, "Legal check", coordinator)
    record(agreement, "President's meeting", coordinator, **MEETING)
    page = client.get("/").text
    assert [approve in page, next_one in page] == [True, False]


def test_the_admin_records_each_step_and_then_approves(agreement: Agreement, lead: User) -> None:
    client = Client()
    client.force_login(lead)
    change = reverse("admin:partnerships_agreement_change", args=[agreement.pk])
    shown = []
    for typed in ({}, MEETING, None):
        buttons = {button.name: button for button in client.get(change).context["buttons"]}
        recording = buttons.get("record-approval")
        shown.append((recording and recording.label, buttons["approve"].refusal))
        if recording is not None and typed is not None:
            assert client.post(recording.link, filled(undrawn(client, recording.link)) | typed).status_code == 302

    first, second = "Legal check", "President's meeting"
    assert shown == [
        (f"Record: {first}", f"Record the approval steps first: {first}, {second}."),
        (f"Record: {second}", f"Record the approval steps first: {second}."),
        (None, None),
    ]


def test_a_viewer_and_another_unit_record_nothing_and_an_old_page_neither(
    agreement: Agreement, unit: Any, coordinator: User
) -> None:
    for stranger in (UserFactory(viewer_in=unit), UserFactory(lead_in=UnitFactory())):
        with pytest.raises(NotAllowed):
            record(agreement, "Legal check", stranger)
    old = Agreement.objects.get(pk=agreement.pk)
    Agreement.objects.get(pk=agreement.pk).save()
    with pytest.raises(StaleVersion):
        record_approval_step(old, step("Legal check"), actor=coordinator, on=DAY, today=DAY)


def test_a_type_without_steps_is_approved_at_once(unit: Any, coordinator: User, lead: User) -> None:
    draft = AgreementFactory(unit=unit, ready=True, created_by=coordinator, coordinator=coordinator)
    submitted = submit_agreement(Agreement.objects.get(pk=draft.pk), actor=coordinator, on=DAY)

    assert approve_agreement(submitted, actor=lead, on=DAY).status == "approved"


def test_the_page_shows_the_steps_and_records_the_next(agreement: Agreement, coordinator: User) -> None:
    client = Client()
    client.force_login(coordinator)
    page = agreement.get_absolute_url()
    address = reverse("agreement_step", args=[agreement.pk, "record-approval"])
    assert "Record: Legal check" in client.get(page).text

    form = client.get(address).context["form"]
    sent = {"version": form["version"].value(), "step": form["step"].value(), "on": DAY.isoformat(), "note": "Fine"}
    assert client.post(address, sent).status_code == 302
    assert client.post(address, sent).status_code != 302  # the second click is refused

    shown = " ".join(client.get(page, {"section": "terms"}).text.split())
    assert "recorded by Coordinator" in shown
    assert "Record: President" in shown
    assert [str(row) for row in ApprovalRecord.objects.all()] == ["Legal check"]
