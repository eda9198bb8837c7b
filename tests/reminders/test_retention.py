"""The retention rules remove what was kept long enough, to the day, and nothing else."""

import datetime as dt
import json
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.test.utils import override_settings

from partnerships.factories import (
    NOON,
    CeremonyDraftFactory,
    ContactFactory,
    DeliveryFactory,
    StatusChangeFactory,
    UserFactory,
)
from partnerships.models import (
    BulkAct,
    CeremonyDraft,
    ComponentHeartbeat,
    Contact,
    Delivery,
    DeliveryEvent,
    HistoryPermit,
    SecurityEvent,
    StatusChange,
    Sweep,
    UserSession,
)
from partnerships.operations import retention
from partnerships.operations.retention import apply_retention, removed_lately
from partnerships.reminders.clock import Clock
from partnerships.tick import run_tick

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
DAY, SECOND = dt.timedelta(days=1), dt.timedelta(seconds=1)
# The defaults of the settings.
MAILS, LOG, CONTACTS = 730 * DAY, 730 * DAY, 1825 * DAY


@pytest.fixture(autouse=True)
def _defaults(settings: Any) -> None:
    assert (settings.RETENTION_MAIL_DAYS * DAY, settings.RETENTION_SECURITY_LOG_DAYS * DAY) == (MAILS, LOG)
    assert settings.RETENTION_CONTACT_HISTORY_DAYS * DAY == CONTACTS


def event(*, at: dt.datetime) -> SecurityEvent:
    row = SecurityEvent.objects.record(SecurityEvent.Kind.LOGGED_IN, None, name="Lin")
    with HistoryPermit.objects.granted(HistoryPermit.Kind.SAMPLE):
        SecurityEvent._base_manager.filter(pk=row.pk).update(at=at)
    return row


def test_the_security_log_goes_to_the_second_and_with_a_permit() -> None:
    event(at=NOON - LOG - SECOND)
    kept = event(at=NOON - LOG)
    HistoryPermit.objects.count()

    assert apply_retention(now=NOON) == 1

    assert SecurityEvent.objects.get() == kept
    permit = HistoryPermit.objects.first()
    assert permit is not None
    assert (permit.kind, permit.reason, permit.by) == ("retention", "log", None)
    # Once a day: what comes of age meanwhile goes tomorrow.
    assert apply_retention(now=NOON + SECOND) == 0
    assert apply_retention(now=NOON + DAY) == 1


def test_mails_that_ended_lose_their_text_and_stay_as_what_happened() -> None:
    text = {"message": b"Subject: Due\r\n\r\nDear Lin", "address": "lin@example.org", "smtp_reply": "250 lin"}
    long_ago = NOON - MAILS - SECOND
    sent = DeliveryFactory(sent=True, queued_at=long_ago, subject="Due", **text)
    later = DeliveryFactory(sent=True, queued_at=NOON - MAILS, **text)
    failed = DeliveryFactory(failed=True, queued_at=long_ago, **text)
    waiting = DeliveryFactory(queued_at=long_ago, next_attempt_at=NOON, **text)
    note = DeliveryEvent.objects.create(delivery=sent, at=long_ago, to_status="sent", note="lin@example.org took it")

    assert apply_retention(now=NOON) == 1

    sent.refresh_from_db()
    note.refresh_from_db()
    assert (sent.message, sent.address, sent.smtp_reply, sent.subject, note.note) == (None, "", "", "Due", "")
    kept = Delivery.objects.filter(pk__in=[later.pk, failed.pk, waiting.pk])
    assert {bytes(row.message) for row in kept} == {text["message"]}


def test_a_month_by_mail_loses_its_images_after_ninety_days() -> None:
    month = {"kind": "month", "sent": True, "message": b"Subject: November"}
    old = DeliveryFactory(**month, month_on=NOON.date(), queued_at=NOON - 90 * DAY - SECOND)
    kept = DeliveryFactory(**month, month_on=NOON.date(), queued_at=NOON - 90 * DAY)

    assert apply_retention(now=NOON) == 1

    assert [Delivery.objects.get(pk=row.pk).message is None for row in (old, kept)] == [True, False]


def test_past_states_of_contacts_go_and_the_present_one_stays() -> None:
    old = NOON - CONTACTS - SECOND
    contact = ContactFactory(name="Lin", phone="1", saved_at=old)
    seeded = ContactFactory(name="Ours", code="contact-1", saved_at=old)
    for row, phone, at in ((contact, "2", old), (contact, "3", NOON - CONTACTS), (seeded, "4", old)):
        row.phone, row._history_date = phone, at
        row.save()
    unchanged = ContactFactory(name="Wu", saved_at=old)
    gone = ContactFactory(name="Gone", saved_at=old)
    just_gone = ContactFactory(name="Just gone", saved_at=old)
    for row, at in ((gone, old), (just_gone, NOON - DAY)):
        row._history_date = at
        row.delete()

    assert apply_retention(now=NOON) == 5

    phones = {
        name: list(Contact.history.filter(name=name).order_by("history_id").values_list("phone", "history_type"))
        for name in ("Lin", "Ours", "Wu", "Gone", "Just gone")
    }
    assert [phone for phone, _type in phones["Lin"]] == ["3"]
    assert len(phones["Ours"]) == 2
    assert [kind for name in ("Wu", "Gone", "Just gone") for _phone, kind in phones[name]] == ["+", "-"]
    assert contact.pk != unchanged.pk


def test_status_changes_are_never_removed() -> None:
    step = StatusChangeFactory()
    with HistoryPermit.objects.granted(HistoryPermit.Kind.SAMPLE):
        StatusChange.objects.filter(pk=step.pk).update(at=NOON - 20_000 * DAY)

    assert apply_retention(now=NOON) == 0
    assert StatusChange.objects.count() == 1


def test_what_only_serves_for_a_while_goes() -> None:
    user = UserFactory()
    for age in (31 * DAY, 29 * DAY):
        BulkAct.objects.create(actor=user, key="done", made_at=NOON - age, rows=[])
    for age in (181 * DAY, 179 * DAY):
        CeremonyDraftFactory(kept_at=NOON - age)
    for number, age in enumerate((2 * DAY, DAY / 2)):
        session = UserSession(session_key=f"{number}", session_data="", expire_date=NOON - age)
        session.save()
        attempt = AccessAttempt.objects.create(username="lin", ip_address=f"10.0.0.{number}", failures_since_start=1)
        AccessAttempt.objects.filter(pk=attempt.pk).update(attempt_time=NOON - age)

    assert apply_retention(now=NOON) == 4

    kept = [model.objects.count() for model in (BulkAct, CeremonyDraft, UserSession, AccessAttempt)]
    assert kept == [1, 1, 1, 1]
    row = ComponentHeartbeat.objects.get(name="retention")
    assert json.loads(row.note) == {"undo": 1, "drafts": 1, "attempts": 1, "sessions": 1}
    assert [count for _label, count in removed_lately({"retention": row})] == [1, 1, 1, 1]


def test_it_goes_on_where_it_stopped_and_counts_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "BATCHES", 2)
    for _number in range(7):
        event(at=NOON - LOG - DAY)

    removed = [apply_retention(now=NOON + number * SECOND) for number in range(8)]

    assert (removed[:4], sum(removed)) == ([2, 4, 1, 0], 7)
    assert Sweep.objects.get(name="retention").is_finished
    assert json.loads(ComponentHeartbeat.objects.get(name="retention").note) == {"log": 7}
    assert apply_retention(now=NOON + DAY, is_over=lambda: True) == 0


def test_zero_keeps_for_ever_and_another_setting_counts_at_once() -> None:
    event(at=NOON - 5000 * DAY)
    with override_settings(RETENTION_SECURITY_LOG_DAYS=0):
        assert apply_retention(now=NOON) == 0
    assert apply_retention(now=NOON) == 1


def test_every_tick_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    run_tick(Clock(NOON))
    assert Sweep.objects.filter(name="retention").exists()
