"""Nobody approves what they wrote themselves, whatever page they write and approve on."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.factories import AgreementFactory, UnitFactory, UserFactory
from partnerships.models import Agreement, User
from partnerships.workflows.agreements import return_agreement, submit_agreement
from tests.admin.forms import save, step_url

pytestmark = pytest.mark.django_db


def edit_in_admin(client: Client, draft: Agreement) -> Any:
    return save(client, draft, title="Written by the lead")


def upload(client: Client, draft: Agreement) -> Any:
    paper = SimpleUploadedFile("annex.pdf", b"%PDF-1.7 annex")
    url = reverse("document_add", args=["agreement", draft.pk])
    return client.post(url, {"kind": "annex", "level": "holders", "title": "Annex", "file": paper})


def add_milestone(client: Client, draft: Agreement) -> Any:
    url = reverse("milestone_add", args=["agreement", draft.pk])
    owner = draft.coordinator_id
    return client.post(url, {"title": "Pay the first part", "due_on": "2030-03-01", "owner": str(owner)})


def step_on_page(row: Agreement) -> str:
    return reverse("agreement_step", args=[row.pk, "approve"])


def step_in_admin(row: Agreement) -> str:
    return step_url(row, "approve")


@pytest.mark.parametrize("address", [step_on_page, step_in_admin])
@pytest.mark.parametrize("edit", [edit_in_admin, upload, add_milestone])
def test_a_lead_who_edited_and_returned_a_draft_does_not_approve_it(edit: Any, address: Any) -> None:
    unit, today = UnitFactory(), timezone.localdate()
    coordinator, lead, other_lead = (
        UserFactory(coordinator_in=unit),
        UserFactory(lead_in=unit),
        UserFactory(lead_in=unit),
    )
    draft = AgreementFactory(ready=True, unit=unit, created_by=coordinator, coordinator=coordinator)
    clients = {person: Client() for person in (lead, other_lead)}
    for person, client in clients.items():
        client.force_login(person)

    assert edit(clients[lead], draft).status_code == 302
    submitted = submit_agreement(Agreement.objects.get(pk=draft.pk), actor=coordinator, on=today)
    returned = return_agreement(submitted, actor=lead, on=today, reason="Names")
    again = submit_agreement(returned, actor=coordinator, on=today)

    def approve(person: User) -> tuple[int, str]:
        response = clients[person].post(address(again), {"version": str(again.version), "on": today.isoformat()})
        return response.status_code, Agreement.objects.get(pk=draft.pk).status

    assert approve(lead)[1] == "in_review"
    assert approve(other_lead) == (302, "approved")
