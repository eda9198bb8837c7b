"""The retention rules: what is removed once it was kept long enough. A tick of each day applies them, in batches.

Status changes are never removed, and of the histories of records only past states of contacts are.
"""

import datetime as dt
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from partnerships.models import (
    BulkAct,
    CeremonyDraft,
    ComponentHeartbeat,
    Contact,
    ContactPosition,
    Delivery,
    DeliveryEvent,
    HistoryPermit,
    SecurityEvent,
    Sweep,
    UserSession,
)
from partnerships.statuses import DeliveryStatus
from partnerships.texts import LazyText

logger = logging.getLogger(__name__)

NAME = "retention"
BATCH = 500
BATCHES = 12  # in one tick; the next one goes on
# Mails of which nothing more is to come. Those that failed or are uncertain keep their text until a person has decided.
ENDED = (DeliveryStatus.SENT, DeliveryStatus.CANCELLED, DeliveryStatus.SKIPPED)
UNDO_DAYS = 30
MONTH_DAYS = 90  # the month by mail has images, and its figures can be read on the overview
DRAFT_DAYS = 180
ATTEMPT_DAYS = 1  # a pause after wrong passwords takes a quarter of an hour

Remove = Callable[[Sequence[Any]], object]


@dataclass(frozen=True)
class RetentionRule:
    """Something that is removed after some days; with 0 it is kept for ever.

    ``due(limit)`` are the rows from before ``limit`` that are still to be removed, and ``remove`` does it by their keys.
    Rules with the same key are counted together.
    """

    key: str
    label: LazyText
    days: Callable[[], int]
    due: Callable[[dt.datetime], models.QuerySet]
    remove: Remove
    needs_permit: bool = False

    def apply(self, now: dt.datetime, *, after_pk: int) -> Sequence[Any]:
        """Remove the next rows and return their keys, in order."""
        days = self.days()
        if not days:
            return ()
        with transaction.atomic():
            due = self.due(now - dt.timedelta(days=days)).order_by("pk")
            if after_pk:
                due = due.filter(pk__gt=after_pk)
            keys = list(due.values_list("pk", flat=True)[:BATCH])
            if keys:
                granted = HistoryPermit.objects.granted(HistoryPermit.Kind.RETENTION, reason=self.key)
                with granted if self.needs_permit else nullcontext():
                    self.remove(keys)
        return keys


def _delete(model: type[models.Model]) -> Remove:
    def remove(keys: Sequence[Any]) -> None:
        model._base_manager.filter(pk__in=keys).delete()

    return remove


def _older(model: type[models.Model], column: str) -> Callable[[dt.datetime], models.QuerySet]:
    return lambda limit: model._base_manager.filter(**{f"{column}__lt": limit})


def _mails_with_text(limit: dt.datetime) -> models.QuerySet:
    told = Q(message__isnull=False) | ~Q(address="") | ~Q(smtp_reply="")
    return Delivery.objects.filter(told, status__in=ENDED, queued_at__lt=limit)


def _month_mails(limit: dt.datetime) -> models.QuerySet:
    return _mails_with_text(limit).filter(kind=Delivery.Kind.MONTH)


def _clear_mails(keys: Sequence[Any]) -> None:
    DeliveryEvent.objects.filter(delivery__in=keys).exclude(note="").update(note="")
    Delivery.objects.filter(pk__in=keys).update(message=None, address="", smtp_reply="")


def _past_states(model: Any) -> Callable[[dt.datetime], models.QuerySet]:
    """Return how to find past states of rows: all but the newest, and that of a deleted row, too.

    What came from a file of ours keeps its states, by which seeding knows that somebody deleted it.
    """
    history = model.history.model
    of_ours = {"code": None} if any(column.name == "code" for column in history._meta.fields) else {}

    def due(limit: dt.datetime) -> models.QuerySet:
        later = history.objects.filter(id=OuterRef("id"), history_id__gt=OuterRef("history_id"))
        old = history.objects.filter(history_date__lt=limit, **of_ours)
        return old.filter(Exists(later) | Q(history_type="-"))

    return due


def _mail_days() -> int:
    return settings.RETENTION_MAIL_DAYS


def _log_days() -> int:
    return settings.RETENTION_SECURITY_LOG_DAYS


def _history_days() -> int:
    return settings.RETENTION_CONTACT_HISTORY_DAYS


RULES: Sequence[RetentionRule] = (
    RetentionRule("mails", _("Texts of mails"), _mail_days, _mails_with_text, _clear_mails),
    RetentionRule(
        "log",
        _("Lines of the security log"),
        _log_days,
        _older(SecurityEvent, "at"),
        _delete(SecurityEvent),
        needs_permit=True,
    ),
    RetentionRule("mails", _("Texts of mails"), lambda: MONTH_DAYS, _month_mails, _clear_mails),
    *(
        RetentionRule(
            "contacts",
            _("Past states of contacts"),
            _history_days,
            _past_states(model),
            _delete(model.history.model),
            needs_permit=True,
        )
        for model in (Contact, ContactPosition)
    ),
    RetentionRule(
        "undo", _("Undo of acts on many rows"), lambda: UNDO_DAYS, _older(BulkAct, "made_at"), _delete(BulkAct)
    ),
    RetentionRule(
        "drafts",
        _("Unfinished signing events"),
        lambda: DRAFT_DAYS,
        _older(CeremonyDraft, "kept_at"),
        _delete(CeremonyDraft),
    ),
    *(
        RetentionRule(
            "attempts", _("Log-in attempts"), lambda: ATTEMPT_DAYS, _older(model, "attempt_time"), _delete(model)
        )
        for model in (AccessAttempt, AccessFailureLog, AccessLog)
    ),
    RetentionRule(
        "sessions", _("Expired sessions"), lambda: 1, _older(UserSession, "expire_date"), _delete(UserSession)
    ),
)


def apply_retention(*, now: dt.datetime, is_over: Callable[[], bool] = lambda: False) -> int:
    """Apply the rules, once on each day of the site's zone and after a change of a setting; return how many rows were removed.

    Each call removes a bounded number of rows, and the next one goes on. Any number of processes may do so at once.
    """
    today = timezone.localdate(now)
    position = Sweep.objects.under_way(
        NAME, now=now, fingerprint=_fingerprint(), is_due=lambda began_at: timezone.localdate(began_at) < today
    )
    if position is None:
        return 0
    removed: Counter[str] = Counter()
    for _batch in range(BATCHES):
        if position is None or is_over():
            break
        rule = RULES[position.part]
        keys = rule.apply(now, after_pk=position.after_pk)
        following = _following(position, keys)
        if not position.replace_with(following):
            break  # another process goes on
        removed[rule.key] += len(keys)
        position = None if following.is_finished else following
    _note(removed, now=now)
    if found := +removed:
        logger.info("Removed after their time: %s", ", ".join(f"{key} {count}" for key, count in found.items()))
    return removed.total()


def removed_lately(heartbeats: Mapping[str, ComponentHeartbeat]) -> list[tuple[LazyText, int]]:
    """Return how much of each kind was removed when the rules were last applied, without what was none."""
    row = heartbeats.get(NAME)
    counts = _counts(row) if row else {}
    labels = {rule.key: rule.label for rule in RULES}
    return [(label, counts[key]) for key, label in labels.items() if counts.get(key)]


def _fingerprint() -> str:
    return " ".join(str(rule.days()) for rule in RULES)


def _following(position: Sweep, keys: Sequence[Any]) -> Sweep:
    """Return where to go on. A table whose keys are no numbers begins anew: what was removed is not found again."""
    if len(keys) == BATCH:
        return position.moved(after_pk=keys[-1] if isinstance(keys[-1], int) else 0)
    if position.part + 1 < len(RULES):
        return position.moved(part=position.part + 1)
    return position.moved(is_finished=True)


def _counts(row: ComponentHeartbeat) -> dict[str, int]:
    return json.loads(row.note) if row.note else {}


def _note(removed: Counter[str], *, now: dt.datetime) -> None:
    """Add the numbers to those of the same day, for the page *System status*."""
    row = ComponentHeartbeat.objects.filter(name=NAME).first()
    is_same_day = row is not None and timezone.localdate(row.at) == timezone.localdate(now)
    counts = Counter(_counts(row)) if row and is_same_day else Counter[str]()
    counts.update(removed)
    note = json.dumps(+counts)
    ComponentHeartbeat.objects.update_or_create(name=NAME, defaults={"at": now, "note": note})
