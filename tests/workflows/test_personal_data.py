"""A person's data is exported, and erased so that nothing in the database names them any more."""

import json
from collections.abc import Iterator
from email import message_from_bytes
from email.mime.text import MIMEText
from pathlib import Path
from urllib.parse import urlencode

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from partnerships.exceptions import NotAllowed, StaleVersion, TransitionRefused
from partnerships.factories import (
    AgreementFactory,
    AgreementPartyFactory,
    AssociationFactory,
    CeremonyDraftFactory,
    ContactFactory,
    ContactNoteFactory,
    DeliveryEventFactory,
    DeliveryFactory,
    ExportFactory,
    ImportRowFactory,
    MilestoneFactory,
    OrganizationUnitFactory,
    SavedViewFactory,
    UnitFactory,
    UnitMembershipFactory,
    UserFactory,
)
from partnerships.lists.exports import remove_old
from partnerships.models import (
    Agreement,
    BulkAct,
    Contact,
    Delivery,
    Erasure,
    HistoryPermit,
    SecurityEvent,
    UnitMembership,
    User,
)
from partnerships.models.drafts import people_behind_draft
from partnerships.operations.audit import audit
from partnerships.workflows.merges import merge_contacts, undo_merge
from partnerships.workflows.organizations import edit_contact
from partnerships.workflows.personal_data import (
    MASK,
    Words,
    clear_mails,
    erase_person,
    export_personal_data,
    pattern,
    texts_naming,
)
from partnerships.workflows.transitions import delete_as, save_as
from partnerships.workflows.undo import RowChange, record_act
from partnerships.workflows.users import activate_user, edit_user

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
NOW = timezone.now()
TODAY = timezone.localdate(NOW)


@pytest.fixture
def system_admin() -> User:
    return UserFactory(system_admin=True, name="Root")


def mail(text: str) -> bytes:
    return MIMEText(text, "plain", "utf-8").as_bytes()


def values() -> Iterator[tuple[str, str]]:
    """Every value in every table, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            for row in cursor.fetchall():
                for value in row:
                    is_binary = isinstance(value, bytes | memoryview)
                    yield table, bytes(value).decode(errors="replace") if is_binary else str(value)


def where(*words: str) -> set[str]:
    """The tables in which one of the words stands; texts of mails are decoded."""
    found = {table for table, value in values() if any(word.lower() in value.lower() for word in words)}
    written = Delivery.objects.exclude(message=None).values_list("message", flat=True)
    texts = [message_from_bytes(bytes(one)).get_payload(decode=True).decode() for one in written]
    if any(word.lower() in text.lower() for text in texts for word in words):
        found.add("mails")
    return found


def erase(person: User | Contact, actor: User, **options: object) -> User | Contact:
    certain = [one.key for one in texts_naming(person) if one.is_certain]
    return erase_person(person, actor=actor, today=TODAY, **{"reason": "Asked for it", "texts": certain, **options})


WORDS = ("Wang Xiaoming", "王晓明", "wang.xm", "xm@partner.example", "139-0575-0001", "wxid_wang")


def test_nothing_in_the_database_names_an_erased_contact(system_admin: User) -> None:
    contact = ContactFactory(
        name="Wang Xiaoming", email="xm@partner.example", phone="139-0575-0001", wechat="wxid_wang", position="Dean"
    )
    OrganizationUnitFactory(organization=contact.organization)
    contact.name = "王晓明"  # the history has the earlier name
    save_as(contact, system_admin, reason="Wang Xiaoming asked for it")
    party = AgreementPartyFactory(signatory_person="王晓明", organization=contact.organization)
    ContactNoteFactory(summary="Called Wang Xiaoming (139-0575-0001)", contact=contact)
    AgreementFactory(title_zh="王晓明工作站协议")
    note = MilestoneFactory(description="Ask wang xiaoming about the room")
    note.description = "Ask somebody else"
    note.save()
    DeliveryFactory(person=None, contact=contact, status="sent", sent_at=NOW, address=contact.email, message=mail("Hi"))
    DeliveryFactory(status="sent", sent_at=NOW, subject="Call 王晓明", message=mail("Call 王晓明"))
    DeliveryEventFactory(note="550 <xm@partner.example> unknown")
    CeremonyDraftFactory(content={"present-0-person": ["王晓明"]})
    person = {"name": "王晓明", "phone": "139-0575-0001"}
    ImportRowFactory(
        cells=["王晓明", "wxid_wang", 3], changes=[person], made=[person], values=person, key="contact|王晓明"
    )
    SecurityEvent.objects.record("contact_stopped", None, name="Wang Xiaoming")
    assert where(*WORDS) >= {
        "partnerships_contact",
        "partnerships_historicalcontact",
        "partnerships_searchentry",
        "mails",
    }

    breaches = audit(real_now=NOW)

    erase(contact, system_admin)
    clear_mails(now=NOW)

    assert where(*WORDS) == set()
    party.refresh_from_db()
    assert (party.signatory_person, party.organization) == (MASK, contact.organization)  # the fact stays
    assert audit(real_now=NOW) == breaches


def test_a_contact_who_was_merged_into_the_erased_one_is_erased_as_well(system_admin: User) -> None:
    organization = OrganizationUnitFactory().organization
    kept = ContactFactory(name="王晓明", email="", organization=organization)
    gone = ContactFactory(name="Wang Xiaoming", email="xm@partner.example", position="Dean", organization=organization)
    AgreementPartyFactory(signatory=gone, signatory_person="Wang Xiaoming", organization=organization)
    for one in (kept, gone):
        one.refresh_from_db()
    merge_contacts(kept, gone, actor=system_admin, today=TODAY)
    assert "partnerships_historicalcontact" in where("xm@partner.example")

    kept.refresh_from_db()
    erase(kept, system_admin)
    clear_mails(now=NOW)

    assert where(*WORDS) == set()


def test_what_another_had_of_the_erased_one_until_the_undo_is_erased(system_admin: User) -> None:
    organization = OrganizationUnitFactory().organization
    kept = ContactFactory(name="Lin Hao", email="", phone="", organization=organization)
    gone = ContactFactory(
        name="王晓明", email="xm@partner.example", phone="139-0575-0001", wechat="wxid_wang", organization=organization
    )
    for one in (kept, gone):
        one.refresh_from_db()
    taken = ["name", "email", "phone", "wechat"]
    merge = merge_contacts(kept, gone, actor=system_admin, today=TODAY, from_merged=taken)
    undo_merge(merge, actor=system_admin, today=TODAY, now=NOW)

    erase(Contact.objects.get(pk=gone.pk), system_admin)
    clear_mails(now=NOW)

    assert where(*WORDS) == set()
    assert set(Contact.history.filter(id=kept.pk).values_list("name", flat=True)) >= {"Lin Hao"}


def test_nothing_in_the_database_names_an_erased_user(system_admin: User, settings: object) -> None:
    unit = UnitFactory()
    unit.fallback_person = UserFactory(lead_in=unit)
    unit.save()
    user = UserFactory(name="Wang Xiaoming", username="wang.xm", email="xm@partner.example", coordinator_in=unit)
    agreement = AgreementFactory(unit=unit, coordinator=user, created_by=user, signed=True)
    save_as(agreement, user)
    DeliveryFactory(person=user, status="sent", sent_at=NOW, address=user.email, message=mail("Dear Wang Xiaoming"))
    DeliveryFactory(status="sent", sent_at=NOW, message=mail("Returned by Wang Xiaoming"))
    SavedViewFactory(user=user, name="Mine")
    LogEntry.objects.create(user=system_admin, object_repr="Wang Xiaoming", action_flag=2)
    SavedViewFactory(name="Theirs", query=urlencode({"party": "Wang Xiaoming", "text": "xm@partner.example"}))
    content_type = ContentType.objects.get_for_model(UnitMembership)
    message = json.dumps([{"added": {"object": "王晓明 · School"}}])
    LogEntry.objects.create(user=system_admin, content_type=content_type, change_message=message, action_flag=2)
    SecurityEvent.objects.record("login_failed", None, name="Wang.XM")
    for name in ("wang.xm", "xm@partner.example"):  # of one browser: masked, the two would be one row twice
        AccessAttempt.objects.create(
            username=name, ip_address="192.0.2.1", user_agent="x", failures_since_start=1, path_info="", http_accept=""
        )
    user.name = "王晓明"
    save_as(user, system_admin)

    erased = erase(user, system_admin)
    clear_mails(now=NOW)

    assert where(*WORDS) == set()
    agreement.refresh_from_db()
    assert agreement.coordinator == unit.fallback_person
    assert agreement.created_by == erased
    assert not erased.is_active
    assert not erased.memberships.exists()


def test_texts_of_people_are_masked_only_where_they_are_ticked(system_admin: User) -> None:
    contact = ContactFactory(name="王晓明")
    kept, masked = (
        MilestoneFactory(description="王晓明 in another town"),
        MilestoneFactory(evidence="Signed by 王晓明."),
    )

    erase(contact, system_admin, texts=[f"milestone-{masked.pk}"])

    kept.refresh_from_db()
    masked.refresh_from_db()
    assert (kept.description, masked.evidence) == ("王晓明 in another town", f"Signed by {MASK}.")
    assert masked.history.filter(evidence__contains="王晓明").count() == 0


def test_a_namesake_keeps_the_name(system_admin: User) -> None:
    contact = ContactFactory(name="王伟", email="one@partner.example")
    namesake = ContactFactory(name="王伟", email="two@partner.example")
    milestone = MilestoneFactory(description="王伟")
    SecurityEvent.objects.record("contact_stopped", None, name="王伟")

    assert [one.is_certain for one in texts_naming(contact)] == [False]
    erase(contact, system_admin)

    namesake.refresh_from_db()
    milestone.refresh_from_db()
    assert (namesake.name, milestone.description) == ("王伟", "王伟")
    assert SecurityEvent.objects.filter(name="王伟").exists()


@pytest.mark.parametrize(
    ("word", "text", "is_found"),
    [
        ("Li", "The Limited Company", False),
        ("Li", "Ask li, please", True),
        ("Li Na", "联系Li Na老师", True),
        ("王伟", "请王伟老师", True),
        ("0575-8300", "10575-83001", False),
        ("li@pku.example", "Write to li@pku.example.", True),
        ("li@pku.example", "wei.li@pku.example", False),
        ("li@pku.example", "li@pku.example.hk", False),
    ],
)
def test_latin_words_are_found_whole(word: str, text: str, *, is_found: bool) -> None:
    found = pattern([word])

    assert found is not None
    assert bool(found.search(text)) is is_found


def test_a_single_latin_word_means_nobody_for_certain() -> None:
    words = Words.of(UserFactory(name="Ford", username="ford", email="ford@college.example"))

    assert words.telling == {"ford@college.example", "ford%40college.example"}
    assert words.masked("Ford Motor", is_theirs=False) == "Ford Motor"
    assert words.masked("Ford Motor", is_theirs=True) == f"{MASK} Motor"


def test_a_word_inside_anothers_name_or_a_short_chinese_one_means_nobody_for_certain() -> None:
    ContactFactory(name="欧阳小李明华")
    short, inside = ContactFactory(name="高峰", email="", phone=""), ContactFactory(name="李明华", email="", phone="")

    assert Words.of(short).telling == Words.of(inside).telling == frozenset()
    assert Words.of(short).masked("中德高峰论坛", is_theirs=False) == "中德高峰论坛"
    assert Words.of(short).masked("高峰", is_theirs=False) == MASK


def test_masking_answers_no_reminder_and_edits_no_draft(system_admin: User) -> None:
    draft = AgreementFactory(summary="Drawn up by Wang Xiaoming")
    milestone = MilestoneFactory(description="Ask Wang Xiaoming")

    erase(ContactFactory(name="Wang Xiaoming"), system_admin)

    for row in (draft, milestone):
        assert row.history.latest().history_user is None
    assert system_admin.pk not in people_behind_draft(Agreement.objects.get(pk=draft.pk))


def test_reasons_in_the_history_of_rows_without_texts_are_masked(system_admin: User) -> None:
    membership = UnitMembershipFactory()
    delete_as(membership, system_admin, reason="Entered twice for Wang Xiaoming")

    erase(ContactFactory(name="Wang Xiaoming"), system_admin)
    clear_mails(now=NOW)

    assert where("Wang Xiaoming") == set()


def test_a_hash_or_a_zone_is_no_text_about_anybody() -> None:
    UnitFactory(time_zone="Europe/Paris")
    UserFactory(password="paris")

    assert texts_naming(ContactFactory(name="Paris")) == []


def test_it_is_in_the_security_log_with_its_reason_and_without_the_name(system_admin: User) -> None:
    contact = ContactFactory(name="王晓明")

    erase(contact, system_admin, reason="王晓明 wrote on 2 November")

    event, erasure = SecurityEvent.objects.get(kind="person_erased"), Erasure.objects.get(contact=contact)
    assert (event.user, event.detail) == (system_admin, f"{MASK} wrote on 2 November")
    assert (erasure.by, erasure.reason) == (system_admin, event.detail)
    permit = HistoryPermit.objects.get()
    assert (permit.kind, permit.by, permit.reason) == ("erasure", system_admin, f"/people/{contact.pk}/data/")


def test_the_search_of_mails_goes_on_after_an_interruption_and_forgets_the_words(
    system_admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partnerships.workflows.personal_data.MAILS_AT_ONCE", 2)
    contact = ContactFactory(name="王晓明", email="", phone="")
    for number in range(5):
        DeliveryFactory(status="sent", sent_at=NOW, message=mail(f"王晓明 {number}" if number % 2 else "Nobody"))
    erase(contact, system_admin)
    calls = iter([False, True, True])

    clear_mails(now=NOW, is_over=lambda: next(calls))
    between = Erasure.objects.get()
    clear_mails(now=NOW)

    erasure = Erasure.objects.get()
    assert (between.done_at, between.words, between.mails_cleared) == (None, ["王晓明"], 1)
    assert (erasure.done_at, erasure.words, erasure.mails_cleared) == (NOW, [], 2)
    assert Delivery.objects.exclude(message=None).count() == 3


def test_a_mail_that_is_being_sent_loses_its_text_afterwards(system_admin: User) -> None:
    contact = ContactFactory(name="王晓明", email="xm@partner.example")
    sending = DeliveryFactory(person=None, contact=contact, status="claimed", lease_until=NOW)
    other = DeliveryFactory(status="claimed", lease_until=NOW)
    erase(contact, system_admin)

    clear_mails(now=NOW)
    assert Erasure.objects.get().done_at is None
    sent = {"status": "sent", "sent_at": NOW, "subject": "Call 王晓明", "message": mail("王晓明")}
    Delivery.objects.filter(pk=sending.pk).update(
        address="xm@partner.example", smtp_reply="xm@partner.example ok", **sent
    )
    DeliveryEventFactory(delivery=sending, note="xm@partner.example ok", at=timezone.now())
    Delivery.objects.filter(pk=other.pk).update(**sent)
    clear_mails(now=NOW)

    assert where("王晓明", "xm@partner.example") == set()
    assert Erasure.objects.get().done_at == NOW


def test_a_mail_that_cannot_be_read_loses_its_text(system_admin: User) -> None:
    broken = DeliveryFactory(status="sent", sent_at=NOW, message=b"Content-Type: text/plain; charset=nowhere\n\nHi")
    erase(ContactFactory(name="王晓明"), system_admin)

    clear_mails(now=NOW)

    broken.refresh_from_db()
    assert broken.message is None
    assert Erasure.objects.get().done_at == NOW


def test_files_of_exports_go_and_one_under_way_is_written_anew(system_admin: User) -> None:
    record_act("snooze", [RowChange("milestone", 1)], actor=system_admin, now=NOW)
    done, running = ExportFactory(status="done", finished_at=NOW), ExportFactory(status="running", lease_until=NOW)
    done.file.save("1.csv", ContentFile("王晓明".encode()))

    erase(ContactFactory(name="王晓明"), system_admin)
    remove_old(now=NOW)

    path = Path(done.file.path)
    done.refresh_from_db()
    running.refresh_from_db()
    assert (done.status, done.file.name, path.exists()) == ("removed", "", False)
    assert (running.status, running.attempts) == ("waiting", 1)
    assert not BulkAct.objects.exists()  # an undo would put back what was written before


def test_others_with_the_address_of_a_stop_get_no_mail_either(system_admin: User) -> None:
    stopped = ContactFactory(
        email="desk@partner.example", mail_stopped_on=TODAY, mail_stopped_address="desk@partner.example"
    )
    other = ContactFactory(email="Desk@partner.example")

    erase(stopped, system_admin)

    other.refresh_from_db()
    assert other.mail_stopped_on == TODAY


def test_the_members_of_an_association_have_no_erased_person_as_liaison(system_admin: User) -> None:
    association = AssociationFactory()
    association.members_liaison = ContactFactory(organization=association)
    association.save()

    erase(association.members_liaison, system_admin)

    association.refresh_from_db()
    assert association.members_liaison is None
    assert association.history.latest().history_user == system_admin


def test_nobody_changes_or_revives_an_erased_person(system_admin: User) -> None:
    user, contact = erase(UserFactory(), system_admin), erase(ContactFactory(), system_admin)

    for refused in (
        lambda: edit_user(user, actor=system_admin, today=TODAY, changes={"name": "Again"}),
        lambda: activate_user(user, actor=system_admin),
        lambda: edit_contact(contact, actor=system_admin, today=TODAY, changes={"name": "Again"}),
        lambda: erase(contact, system_admin),
    ):
        with pytest.raises(TransitionRefused):
            refused()


def test_administrators_cannot_erase_themselves_nor_a_page_that_is_old(system_admin: User) -> None:
    with pytest.raises(TransitionRefused):
        erase(system_admin, system_admin)
    contact = ContactFactory()
    save_as(Contact.objects.get(pk=contact.pk), system_admin)
    with pytest.raises(StaleVersion):
        erase(contact, system_admin)


@pytest.mark.parametrize("role", ["staff", "user_admin"])
def test_only_system_administrators_export_and_erase(role: str) -> None:
    actor, contact = UserFactory(**{role: True}), ContactFactory(name="王晓明")

    with pytest.raises(NotAllowed):
        erase(contact, actor)
    with pytest.raises(NotAllowed):
        export_personal_data(contact, actor=actor, reason="Curious")
    contact.refresh_from_db()
    assert contact.name == "王晓明"


def test_an_export_holds_record_history_mails_roles_and_texts(system_admin: User) -> None:
    user = UserFactory(name="王晓明", email="xm@partner.example", password="secret-word", coordinator_in=UnitFactory())
    user.name = "Wang Xiaoming"
    save_as(user, system_admin)
    DeliveryFactory(person=user, status="sent", sent_at=NOW, address=user.email, message=mail("Dear 王晓明"))
    AgreementFactory(summary="Drawn up by 王晓明")

    data = export_personal_data(user, actor=system_admin, reason="Asked for it")

    assert data["record"]["email"] == "xm@partner.example"
    assert {row["name"] for row in data["history"]} == {"王晓明", "Wang Xiaoming"}
    assert "Dear 王晓明" in data["mails"][0]["text"]
    assert len(data["roles"]) == 1
    assert data["texts"][0]["texts"] == ["Drawn up by 王晓明"]
    assert len(data["refers"]["delivery.person"]) == 1
    assert "password" not in json.dumps(data, default=str)
    assert SecurityEvent.objects.get(kind="data_exported").detail == "Asked for it"
