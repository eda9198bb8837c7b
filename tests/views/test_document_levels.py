"""Documents for all who see the record, for its unit, or for leads: nobody else comes across them, wherever they look."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from partnerships.exceptions import NotAllowed
from partnerships.factories import (
    DocumentFactory,
    DocumentVersionFactory,
    EventFactory,
    OrganizationUnitFactory,
    ProgrammeFactory,
    UnitFactory,
    UserFactory,
)
from partnerships.models import AgreementUnit, Document
from partnerships.permissions import may
from partnerships.workflows.documents import edit_document, register_document
from tests.services.drawing import undrawn
from tests.views.sections import section_url
from tests.views.sent import errors, filled
from tests.views.world import World, make_world

UNDER_AGREEMENT = ("agreement", "milestone", "activity")
OWN, LEADS = {"viewer", "coordinator", "lead", "staff", "system_admin"}, {"lead", "staff", "system_admin"}
READERS = {
    ("agreement", "holders"): OWN | {"participant", "participating_lead"},
    ("agreement", "unit"): OWN,
    ("agreement", "leads"): LEADS,
    ("organization", "holders"): OWN | {"holder", "leading_holder"},
    ("organization", "unit"): OWN,
    ("organization", "leads"): LEADS,
}
ROLES = (
    *("viewer", "coordinator", "lead", "staff", "system_admin", "user_admin", "outsider"),
    *("participant", "participating_lead", "holder", "leading_holder", "twin"),
)


@pytest.fixture
def world(world: World) -> World:
    """The world with a unit that takes part in its agreement, one that holds its enterprise too, and a twin."""
    participating, holding = UnitFactory(), UnitFactory()
    AgreementUnit.objects.create(agreement=world.agreement, unit=participating)
    OrganizationUnitFactory(organization=world.enterprise, unit=holding)
    world.people |= {
        "participant": UserFactory(coordinator_in=participating),
        "participating_lead": UserFactory(lead_in=participating),
        "holder": UserFactory(coordinator_in=holding),
        "leading_holder": UserFactory(lead_in=holding),
        "twin": make_world("South").lead,
    }
    return world


def papers(world: World, level: str) -> dict[str, Document]:
    """A document with a file on each kind of record, called after level and record."""
    targets = {name: getattr(world, name) for name in UNDER_AGREEMENT} | {"organization": world.enterprise}
    made = {}
    for name, target in targets.items():
        unit = world.unit if name == "organization" else None
        title = f"Findings for {level} about the {name}"
        document = DocumentFactory(**{name: target}, title=title, level=level, unit=unit, kind="signed_paper")
        DocumentVersionFactory(document=document, original_name=f"findings-{level}-{name}.txt")
        made[name] = document
    return made


def readers(name: str, level: str) -> set[str]:
    return READERS["organization" if name == "organization" else "agreement", level]


@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_a_document_is_reached_but_by_its_readers(
    role: str, world: World, client_of: Callable[[Any], Client]
) -> None:
    documents, user = {level: papers(world, level) for level in Document.Level.values}, world.people[role]
    client = client_of(user)
    pages = [
        section_url(world.agreement, "files"),
        section_url(world.agreement, "history"),
        world.milestone.get_absolute_url(),
        world.activity.get_absolute_url(),
        section_url(world.enterprise, "files"),
        section_url(world.enterprise, "history"),
        reverse("document_add", args=["agreement", world.agreement.pk]),
        f"{reverse('search')}?q=findings",
        reverse("admin:partnerships_document_changelist"),
        f"{reverse('admin:partnerships_document_changelist')}?q=findings",
        reverse("admin:partnerships_agreement_change", args=[world.agreement.pk]),
        reverse("admin:partnerships_agreement_history", args=[world.agreement.pk]),
    ]
    text = "".join(client.get(page).text for page in pages)

    for level, name, document in [(one, *made) for one in documents for made in documents[one].items()]:
        here, reads = f"{level} {name}", role in readers(name, level)
        addresses = [reverse("document_download", args=[document.pk, 1])]
        addresses += [reverse(f"document_{what}", args=[document.pk]) for what in ("edit", "replace")]
        addresses += [
            reverse(f"admin:partnerships_document_{what}", args=[document.pk]) for what in ("change", "history")
        ]
        answers = [undrawn(client, address) for address in addresses]
        statuses = [answer.status_code for answer in answers]
        for answer in answers:
            b"".join(answer)
        assert (document.title in text) is reads, here
        assert (f"findings-{level}-{name}.txt" in text) is reads, here
        assert Document.objects.visible_to(user).filter(pk=document.pk).exists() is reads, here
        assert may(user, "document.view", document) is reads, here
        assert may(user, "history.view", document) is reads, here
        assert statuses[0] == (200 if reads else 404), here
        if not reads:
            assert not {200} & set(statuses), (here, statuses)


def test_an_auditor_reads_the_history_alone(world: World) -> None:
    document, auditor = papers(world, "leads")["agreement"], UserFactory(auditor=True)

    assert [may(auditor, action, document) for action in ("history.view", "document.view")] == [True, False]


@pytest.mark.parametrize(
    ("role", "levels"),
    [
        ("coordinator", ["holders", "unit"]),
        ("lead", ["holders", "unit", "leads"]),
        ("staff", ["holders", "unit", "leads"]),
        ("participating_lead", []),
    ],
)
def test_a_level_is_offered_to_those_who_read_it(
    role: str, levels: list[str], world: World, client_of: Callable[[Any], Client]
) -> None:
    client = client_of(world.people[role])
    document = DocumentFactory(agreement=world.agreement)
    DocumentVersionFactory(document=document, uploaded_by=world.people[role])

    added = client.get(reverse("document_add", args=["agreement", world.agreement.pk])).context["form"]
    edited = client.get(reverse("document_edit", args=[document.pk])).context["form"]

    for form in (added, edited):
        offered = form.fields["level"].choices if "level" in form.fields else []
        assert [value for value, _label in offered] == levels


@pytest.mark.parametrize(("role", "level"), [("coordinator", "leads"), ("participant", "unit"), ("holder", "unit")])
def test_nobody_makes_a_document_that_they_could_not_read(role: str, level: str, world: World) -> None:
    actor = world.people[role]
    target: dict[str, Any] = {"organization": world.enterprise} if role == "holder" else {"agreement": world.agreement}
    unit = world.unit if role == "holder" else None
    document = DocumentFactory(**target, unit=unit)
    DocumentVersionFactory(document=document, uploaded_by=actor)
    common = {"actor": actor, "today": None}

    with pytest.raises(NotAllowed, match="the office can open this document"):
        edit_document(document, changes={"level": level}, **common)
    if role != "holder":  # whose own uploads are of their own unit
        new = Document(**target, title="Theirs", level=level)
        with pytest.raises(NotAllowed, match="the office can open this document"):
            register_document(new, file=SimpleUploadedFile("a.txt", b"Words"), at=None, **common)


def test_a_document_of_an_organization_is_of_the_unit_that_uploaded_it(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    client, url = client_of(world.people["holder"]), reverse("document_add", args=["organization", world.enterprise.pk])
    sent = {"kind": "annex", "title": "Terms", "level": "unit", "file": SimpleUploadedFile("terms.txt", b"Words")}

    client.post(url, sent)

    kept = Document.objects.get(title="Terms")
    assert kept.unit == world.people["holder"].memberships.get().unit
    assert may(world.people["leading_holder"], "document.view", kept)
    assert not may(world.lead, "document.view", kept)
    assert list(Document.objects.visible_to(world.lead).filter(pk=kept.pk)) == []


def test_what_the_office_uploads_to_an_organization_is_for_all_its_holders(world: World) -> None:
    document = DocumentFactory(organization=world.enterprise, level="leads")

    people = [world.people[role] for role in ("lead", "leading_holder", "coordinator", "holder")]
    assert [may(person, "document.view", document) for person in people] == [True, True, False, False]
    seen = [Document.objects.visible_to(person).filter(pk=document.pk).exists() for person in people]
    assert seen == [True, True, False, False]


def test_the_same_file_beside_one_that_the_person_may_not_read_is_kept_for_them(
    world: World, client_of: Callable[[Any], Client]
) -> None:
    hidden = DocumentFactory(agreement=world.agreement, title="Terms", kind="annex", level="leads")
    DocumentVersionFactory(document=hidden, original_name="terms.txt", content=b"Words")
    client = client_of(world.people["participant"])
    sent = {"kind": "annex", "title": "Terms", "file": SimpleUploadedFile("terms.txt", b"Words")}

    client.post(reverse("document_add", args=["agreement", world.agreement.pk]), sent)

    assert Document.objects.filter(title="Terms", level="holders").count() == 1


def test_readers_are_changed_on_the_page_with_history(world: World, client_of: Callable[[Any], Client]) -> None:
    client, url = client_of(world.lead), reverse("document_edit", args=[world.version.document_id])
    page = client.get(url)

    answer = client.post(url, filled(page) | {"level": "leads", "title": "Offer"})
    stale = client.post(url, filled(page) | {"level": "unit"})

    document = Document.objects.get(pk=world.version.document_id)
    assert answer.url == f"{section_url(world.agreement, 'files')}#documents"
    assert (document.title, document.level, stale.status_code) == ("Offer", "leads", 409)
    assert (document.history.first().level, document.history.first().history_user) == ("leads", world.lead)
    assert "Leads of the unit and the office" in client.get(section_url(world.agreement, "files")).text
    assert errors(client.post(url, filled(undrawn(client, url)) | {"level": "nobody"})).keys() == {"level"}


def test_a_policy_for_the_unit_alone_is_not_everybodys(world: World) -> None:
    document = DocumentFactory(programme=ProgrammeFactory(unit=world.unit), kind="policy", level="unit")

    people = [world.people[role] for role in ("viewer", "outsider")]
    assert [may(person, "document.view", document) for person in people] == [True, False]
    assert [Document.objects.visible_to(person).count() for person in people] == [2, 0]


def test_a_paper_of_an_event_for_leads(world: World, client_of: Callable[[Any], Client]) -> None:
    event = EventFactory(unit=world.unit)
    DocumentFactory(event=event, title="Draft speech", level="leads")

    shown = {
        role: "Draft speech" in client_of(world.people[role]).get(section_url(event, "files")).text for role in ROLES
    }

    assert {role for role, is_shown in shown.items() if is_shown} == LEADS
