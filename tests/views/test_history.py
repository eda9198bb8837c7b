"""The search in all histories: who finds what, by what, and at which cost."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from partnerships.factories import (
    AgreementFactory,
    ContactFactory,
    EnterpriseFactory,
    MilestoneFactory,
    RegionFactory,
    StatusChangeFactory,
    UserFactory,
)
from partnerships.models import Contact, HistoryPermit, User
from partnerships.reports.history_search import HistorySearch, search_history
from partnerships.workflows.transitions import delete_as, save_as

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
PAGE = "/history/"


@pytest.fixture
def auditor() -> User:
    return UserFactory(name="Auditor", auditor=True)


@pytest.fixture
def lin() -> User:
    return UserFactory(name="Lin Yu", username="lin")


@pytest.fixture
def find(auditor: User) -> Callable[..., list[str]]:
    """Return a function that searches and returns lines as ``kind: what record``, newest first."""

    def found(user: User | None = None, **asked: Any) -> list[str]:
        asked = {"since": timezone.now() - dt.timedelta(days=30), **asked}
        lines = search_history(HistorySearch(user or auditor, **asked)).lines
        return [f"{line.kind}: {line.what} {line.record}".strip() for line in lines]

    return found


def test_by_person_kind_words_field_period_and_cause(lin: User, find: Callable[..., list[str]]) -> None:
    now = timezone.now()
    works = EnterpriseFactory(name="North Works", website="https://old.example")
    works.website = "https://north.example"
    save_as(works, lin, reason="Import 3, row 7")
    region = RegionFactory(name="Utrecht", saved_at=now - dt.timedelta(days=40))
    delete_as(RegionFactory(name="Atlantis"), lin)

    assert find(person="lin yu") == ["organization: Changed North Works", "region: Deleted Atlantis"]
    assert find(person="nobody") == []
    assert find(kind="region", words="atlan") == ["region: Deleted Atlantis", "region: Added Atlantis"]
    assert find(kind="organization", words="north works", field="website") == ["organization: Changed North Works"]
    assert find(kind="organization", field="industry") == []
    assert find(cause="row 7") == ["organization: Changed North Works"]
    assert find(kind="region", words="utrecht") == []
    assert find(kind="region", words="utrecht", since=now - dt.timedelta(days=41)) == ["region: Added Utrecht"]
    assert find(kind="region", since=now - dt.timedelta(days=41), until=now - dt.timedelta(days=1)) == [
        "region: Added Utrecht"
    ]
    assert region.pk


def test_steps_and_changes_of_history_are_found_too(find: Callable[..., list[str]], lin: User) -> None:
    agreement = AgreementFactory(in_review=True, title="Joint lab")
    StatusChangeFactory(record=agreement, actor=lin, reason="Ready")
    with HistoryPermit.objects.granted(HistoryPermit.Kind.ERASURE, by=lin, reason="Asked for"):
        pass

    assert find(person="lin", kind="agreement") == ["agreement: Submitted for review Joint lab"]
    assert find(kind="agreement", words="joint lab", cause="ready") == ["agreement: Submitted for review Joint lab"]
    assert find(kind="historypermit") == ["change of history: Personal data erased"]


def test_values_that_reach_a_person_are_named_and_not_shown(auditor: User, client_of: Callable[[Any], Client]) -> None:
    contact = ContactFactory(name="Li Na", phone="0571-8888", position="Dean")
    contact.phone, contact.position = "0571-9999", "Provost"
    save_as(contact, None)

    text = " ".join(client_of(auditor).get(PAGE, {"kind": "contact"}).text.split())

    assert "0571" not in text
    assert ("Dean → Provost" in text, ">phone</div>" in text) == (True, True)


def test_accounts_are_for_system_administrators_and_auditors(find: Callable[..., list[str]]) -> None:
    account = UserFactory(name="Somebody New")
    staff, administrator = UserFactory(staff=True), UserFactory(system_admin=True)

    assert any("Somebody New" in line for line in find(kind="user"))
    assert any("Somebody New" in line for line in find(administrator, kind="user"))
    assert [line for line in find(staff) if line.startswith("user:")] == []
    assert find(staff, kind="user") == []
    assert account.pk


@pytest.mark.parametrize("role", ["lead_in", "coordinator_in", "viewer_in"])
def test_people_of_units_read_the_histories_of_their_records_only(
    role: str, client_of: Callable[[Any], Client], lin: User
) -> None:
    person = UserFactory(**{role: AgreementFactory().unit})
    assert client_of(person).get(PAGE).status_code == 403


def test_pages_go_on_below_the_last_line_and_show_each_once(auditor: User, client_of: Callable[[Any], Client]) -> None:
    client, at = client_of(auditor), timezone.now() - dt.timedelta(hours=1)
    names = [f"Region {number}" for number in range(60)] + [f"Works {number}" for number in range(60)]
    for name in names:
        (RegionFactory if name.startswith("Region") else EnterpriseFactory)(name=name, saved_at=at)

    seen, address = list[str](), PAGE
    while address:
        context = client.get(address).context
        seen += [line.record for line, _address in context["lines"]]
        address = context["older"]

    assert [seen.count(name) for name in names] == [1] * len(names)
    assert client.get(PAGE, {"after": "nonsense"}).status_code == 200
    assert client.get(PAGE, {"since": "2026-02-01", "until": "2026-01-01"}).context["lines"] == []


@pytest.mark.parametrize("rows", [1, 8])
def test_the_page_costs_the_same_with_more_rows(
    rows: int, auditor: User, lin: User, client_of: Callable[[Any], Client], django_assert_num_queries: Any
) -> None:
    agreement = AgreementFactory()
    for _row in range(rows):
        milestone = MilestoneFactory(agreement=agreement)
        milestone.title = "Another"
        save_as(milestone, lin)
        contact = ContactFactory()
        contact.position = "Dean"
        save_as(contact, lin)
    client = client_of(auditor)
    client.get(PAGE, {"person": "lin"})

    with django_assert_num_queries(11):
        client.get(PAGE, {"person": "lin"})
    assert Contact.history.count() == 2 * rows
