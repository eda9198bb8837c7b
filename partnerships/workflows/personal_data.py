"""The personal data of an account or a contact: exported, or erased with history and mails.

The row of an erased person stays without a name, because agreements, steps and mails refer to it. Texts in which the person
is named are masked: those that people wrote where the administrator ticked them, those that the system wrote wherever they
mean this person. Texts of old mails are searched by the ticks (``clear_mails``).
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from functools import cached_property, partial
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from simple_history.models import HistoricalChanges

from partnerships.exceptions import TransitionRefused
from partnerships.models import (
    CeremonyDraft,
    Contact,
    Delivery,
    DeliveryEvent,
    Erasure,
    Export,
    FeedToken,
    MailRelay,
    NameKey,
    PasswordRequest,
    ReminderItem,
    SavedView,
    SearchEntry,
    SecurityEvent,
    StatusChange,
    UnitMembership,
    User,
    UserSession,
)
from partnerships.models.sort_keys import SortKeyField
from partnerships.permissions import require
from partnerships.statuses import DeliveryStatus, ExportStatus
from partnerships.workflows.organizations import stop_contact_mail
from partnerships.workflows.transitions import delete_as, lock, lock_as_read, save_as
from partnerships.workflows.users import deactivate_user

Person = User | Contact
Kind = SecurityEvent.Kind

# In place of a name; as long as the shortest word that is looked for, so that it fits any column.
MASK = "██"
SHORTEST_WORD = len(MASK)
SHORTEST_NUMBER = 7  # digits of a phone number that mean one person inside a text
EXCERPT = 30  # characters shown on either side of a name
MAILS_AT_ONCE = 200

# The columns by which a person is called and reached, and those that say more about them.
CALLED: Mapping[type[models.Model], tuple[str, ...]] = {
    User: ("name", "username", "email"),
    Contact: ("name", "email", "phone", "wechat", "mail_stopped_address"),
}
# Written by the system; nobody chooses among these rows.
WRITTEN_BY_SYSTEM: tuple[type[models.Model], ...] = (
    SecurityEvent,
    Delivery,
    DeliveryEvent,
    ReminderItem,
    MailRelay,
    PasswordRequest,
    Export,
    SavedView,
    LogEntry,
    AccessAttempt,
    AccessFailureLog,
    AccessLog,
)
# Derived from other columns, or without words of people.
NOT_SEARCHED: tuple[type[models.Model], ...] = (SearchEntry, NameKey, CeremonyDraft, UserSession, FeedToken, Erasure)


@dataclass(frozen=True)
class Words:
    """The words by which a person is or was called and reached.

    ``unique`` are the words that no other account and no other contact has, ``telling`` those of them that mean this person
    inside a text as well: addresses, numbers, and names of more than one word or in Chinese.
    """

    called: frozenset[str]
    unique: frozenset[str]
    telling: frozenset[str]

    @classmethod
    def of(cls, person: Person) -> "Words":
        columns = CALLED[type(person)]
        past = type(person).history.filter(id=person.pk)
        known = [column for column in columns if _has_column(past.model, column)]
        rows = [*past.values_list(*known), [getattr(person, column) for column in columns]]
        called = {word.strip() for row in rows for word in row if len(word.strip()) >= SHORTEST_WORD}
        unique = {word for word in called if not _is_others(word, person)}
        return cls(frozenset(called), frozenset(unique), frozenset(filter(_is_telling, unique)))

    @cached_property
    def _patterns(self) -> dict[bool, "re.Pattern[str] | None"]:
        return {True: pattern(self.called), False: pattern(self.telling)}

    def masked(self, text: str, *, is_theirs: bool) -> str:
        """Return the text with each word masked; unless the row ``is_theirs``, words that may mean another person stay."""
        if text in self.unique:
            return MASK
        found = self._patterns[is_theirs]
        return found.sub(MASK, text) if found else text

    def found_in(self, text: str) -> "re.Match[str] | None":
        named = self._patterns[True]
        return named.search(text) if named else None


def pattern(words: Iterable[str]) -> "re.Pattern[str] | None":
    """Return a pattern that finds the words: in Latin letters and digits only whole ones, whatever their case."""
    latin = "[0-9A-Za-zÀ-ɏ]"
    parts = [
        (f"(?<!{latin})" if re.match(latin, word) else "")
        + re.escape(word)
        + (f"(?!{latin})" if re.match(latin, word[-1]) else "")
        for word in sorted(words, key=len, reverse=True)
    ]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _is_telling(word: str) -> bool:
    if "@" in word or not word.isascii():
        return True
    digits = len(re.sub("[^0-9]", "", word))
    return digits >= SHORTEST_NUMBER or len(word.split()) > 1


def _is_others(word: str, person: Person) -> bool:
    """Whether another account or contact is called or reached by the word."""
    for model, columns in CALLED.items():
        same = Q()
        for column in columns:
            same |= Q(**{f"{column}__iexact": word})
        others = model._base_manager.filter(same)
        if isinstance(person, model):
            others = others.exclude(pk=person.pk)
        if others.exists():
            return True
    return False


@dataclass
class FoundText:
    """A record in whose texts, as they are or in its history, the person is named.

    ``row`` is None where the record was deleted. ``is_certain``: the words mean nobody else on record.
    """

    model: type[models.Model]
    pk: int
    row: models.Model | None = None
    excerpts: dict[str, None] = field(default_factory=dict)
    is_named: bool = False
    is_certain: bool = False

    @property
    def key(self) -> str:
        return f"{self.model._meta.model_name}-{self.pk}"

    def note(self, words: Words, text: str, *, shows: bool) -> None:
        found = words.found_in(text)
        if found is None:
            return
        self.is_named = True
        self.is_certain = self.is_certain or words.masked(text, is_theirs=False) != text
        if shows:
            start, end = max(found.start() - EXCERPT, 0), found.end() + EXCERPT
            excerpt = " ".join(text[start:end].split())
            self.excerpts["…" * (start > 0) + excerpt + "…" * (end < len(text))] = None


def texts_naming(person: Person) -> list[FoundText]:
    """Return the records whose texts name the person, beside their own row and what the system wrote."""
    words = Words.of(person)
    found: dict[tuple[type[models.Model], int], FoundText] = {}
    for model in _written_by_people():
        key = model._meta.pk.attname
        for rows, id_column, shows in ((model._base_manager, key, True), (_history_of(model), key, False)):
            if rows is None:
                continue
            columns = _text_columns(rows.model)
            for row in rows.filter(_naming(words.called, columns)).values(id_column, *columns):
                one = found.setdefault((model, row[id_column]), FoundText(model, row[id_column]))
                for column in columns:
                    one.note(words, row[column] or "", shows=shows)
    return [_with_row(one) for one in found.values() if one.is_named]


def export_personal_data(person: Person, *, actor: User | None, reason: str) -> dict[str, Any]:
    """Return everything on record about the person as plain values, and write into the security log that it was taken out."""
    with transaction.atomic():
        require(actor, "person.export_data", person)
        SecurityEvent.objects.record(
            Kind.DATA_EXPORTED, actor, about=str(person), link=data_address(person), detail=reason
        )
        is_user = isinstance(person, User)
        mails = Delivery.objects.filter(**{"person" if is_user else "contact": person.pk}).order_by("pk")
        data: dict[str, Any] = {
            "record": _plain(type(person)._base_manager, {"pk": person.pk})[0],
            "history": _plain(type(person).history.model._base_manager, {"id": person.pk}),
            "mails": [_mail_as_data(mail) for mail in mails.iterator(MAILS_AT_ONCE)],
            "texts": [{"in": str(one.row or one.key), "texts": list(one.excerpts)} for one in texts_naming(person)],
        }
        if is_user:
            data |= {
                "roles": _plain(UnitMembership._base_manager, {"user": person.pk}),
                "steps": _plain(StatusChange._base_manager, {"actor": person.pk}),
                "sessions": _plain(
                    UserSession._base_manager, {"user": person.pk}, leave_out={"session_key", "session_data"}
                ),
                "saved_views": _plain(SavedView._base_manager, {"user": person.pk}),
                "security_log": _plain(SecurityEvent._base_manager, {"user": person.pk}),
            }
        return data


def erase_person(
    person: Person, *, actor: User | None, today: dt.date, reason: str, texts: Collection[str] = ()
) -> Person:
    """Remove a person's data for good, from row and history, from mails, log and the ``texts`` (keys of ``FoundText``).

    An open account is deactivated first, which hands its work over. Agreements, steps and mails go on referring to the row.
    """
    with transaction.atomic():
        locked = lock_as_read(person)
        require(actor, "person.erase", locked)
        if Erasure.objects.of(locked).exists():
            raise TransitionRefused(_("The data of this person is erased already."))
        words, named = Words.of(locked), [one for one in texts_naming(locked) if one.key in texts]
        if isinstance(locked, User) and locked.is_active:
            locked = deactivate_user(locked, actor=actor)
        if isinstance(locked, User):
            _close_account(locked, actor)
        else:
            _keep_stop_for_others(locked, on=today)
        _erase_row(locked, words, actor)
        for one in named:
            _mask_record(one, words, actor)
        for model in WRITTEN_BY_SYSTEM:
            _mask_rows(model, words, locked)
        _mask_drafts(words)
        _forget_mails_to(locked)
        _remove_export_files()
        about = {"user": locked} if isinstance(locked, User) else {"contact": locked}
        said = words.masked(reason, is_theirs=True)
        Erasure.objects.create(by=actor, reason=said, words=sorted(words.telling), **about)
        SecurityEvent.objects.record(
            Kind.PERSON_ERASED, actor, about=str(locked), link=data_address(locked), detail=said
        )
    return locked


def data_address(person: Person) -> str:
    return reverse("user_data" if isinstance(person, User) else "contact_data", args=[person.pk])


def clear_mails(*, now: dt.datetime, is_over: Callable[[], bool] = lambda: False) -> int:
    """Remove the stored text of mails that went to erased people or name them, and return how many these were."""
    cleared = 0
    for erasure in Erasure.objects.unfinished():
        found: int | None = 0
        while found is not None and not is_over():
            cleared += found
            found = _clear_some_mails(erasure.pk, now=now)
    return cleared


def _clear_some_mails(pk: int, *, now: dt.datetime) -> int | None:
    """Read the next mails for one erasure and return how many lost their text; None when there is nothing left to do now."""
    with transaction.atomic():
        erasure = Erasure.objects.unfinished().select_for_update().filter(pk=pk).first()
        if erasure is None:
            return None
        person = _reader(erasure.user or erasure.contact)
        if Delivery.objects.filter(person, status__in=(DeliveryStatus.CLAIMED, DeliveryStatus.HANDING)).exists():
            return None  # its sender may still write the text: the next tick goes on
        mails = Delivery.objects.filter(pk__gt=erasure.mails_read_to, message__isnull=False).order_by("pk")
        read = list(mails.values_list("pk", "message", "person_id", "contact_id")[:MAILS_AT_ONCE])
        telling = pattern(erasure.words)
        named = [
            pk
            for pk, message, *readers in read
            if readers == [erasure.user_id, erasure.contact_id]
            or (telling and telling.search(text_of_mail(bytes(message or b""))))
        ]
        Delivery.objects.filter(pk__in=named).update(message=None)
        erasure.mails_cleared += len(named)
        if read:
            erasure.mails_read_to = read[-1][0]
        else:
            erasure.words, erasure.done_at = [], now
        erasure.save()
        return len(named) if read else None


def text_of_mail(message: bytes) -> str:
    """Return the subject, the names and the texts of a stored mail."""
    parsed = BytesParser(policy=policy.default).parsebytes(message or b"")
    headers = [str(parsed.get(name, "")) for name in ("Subject", "From", "To", "Reply-To")]
    parts = [part.get_content() for part in parsed.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*headers, *parts])


def _written_by_people() -> Iterator[type[models.Model]]:
    for model in apps.get_app_config("partnerships").get_models():
        is_history = issubclass(model, HistoricalChanges)
        if is_history or model._meta.proxy or model in WRITTEN_BY_SYSTEM or model in NOT_SEARCHED:
            continue
        if _text_columns(model):
            yield model


def _text_columns(model: type[models.Model]) -> list[str]:
    """Return the columns of free text. Names and addresses of other people are no texts about this one."""
    called = {name for base, names in CALLED.items() if model in {base, _history_model(base)} for name in names}
    return [
        column.name
        for column in model._meta.concrete_fields
        if isinstance(column, models.CharField | models.TextField)
        and not (column.choices or column.primary_key or isinstance(column, SortKeyField) or column.name in called)
    ]


def _has_column(model: type[models.Model], name: str) -> bool:
    return any(column.name == name for column in model._meta.concrete_fields)


def _history_model(model: Any) -> type[models.Model] | None:
    return model.history.model if hasattr(model, "history") else None


def _history_of(model: type[models.Model]) -> models.Manager | None:
    history = _history_model(model)
    return history._base_manager if history else None


def _naming(words: Iterable[str], columns: Iterable[str]) -> Q:
    """Return the condition for rows that may name the person; ``Words`` decides."""
    words, named = list(words), Q(pk__in=[])
    for column in columns:
        for word in words:
            named |= Q(**{f"{column}__icontains": word})
    return named


def _with_row(found: FoundText) -> FoundText:
    found.row = found.model._base_manager.filter(pk=found.pk).first()
    return found


def _reader(person: Any) -> Q:
    return Q(person=person) if isinstance(person, User) else Q(contact=person)


def _refers_to(model: type[models.Model], person: Person) -> Q:
    """Return the condition for rows about this account or contact, whoever else has the same name."""
    refers = Q(pk__in=[])
    for column in model._meta.concrete_fields:
        if column.related_model is type(person):
            refers |= Q(**{column.name: person.pk})
    if model is SecurityEvent and isinstance(person, User):
        refers |= Q(link=reverse("admin:partnerships_user_history", args=[person.pk]))
    return refers


def _close_account(user: User, actor: User | None) -> None:
    """Take away what an account may do, and what it alone has: sessions, feeds, views, unfinished ceremonies."""
    for membership in user.memberships.all():
        delete_as(membership, actor)
    for rows in (user.sessions, user.feeds, user.saved_views, user.ceremony_drafts.filter(event=None)):
        rows.all().delete()
    user.is_user_admin = user.is_auditor = user.is_staff = user.is_superuser = False
    user.deputy = user.absent_from = user.absent_until = None
    user.set_unusable_password()


def _keep_stop_for_others(contact: Contact, *, on: dt.date) -> None:
    """Stop mail to the contacts who share the address, if this one asked for none: the stop would go with the address."""
    if contact.mail_stopped_on and contact.mail_stopped_address:
        for other in Contact.objects.filter(email__iexact=contact.mail_stopped_address).exclude(pk=contact.pk):
            stop_contact_mail(other, on=on)


def _erase_row(person: Person, words: Words, actor: User | None) -> None:
    """Empty the columns about the person, in the row and in each state of its history."""
    name = _("Erased person %(number)s") % {"number": person.pk}
    if isinstance(person, User):
        erased = {"name": name, "username": f"erased-{person.pk}", "email": ""}
    else:
        erased = {
            "name": name,
            **dict.fromkeys(("position", "email", "phone", "wechat", "preferred_channel", "note"), ""),
        }
        person.is_active, person.mail_stopped_on, person.mail_stopped_address = False, None, ""
    for column, value in erased.items():
        setattr(person, column, value)
    save_as(person, actor, reason="Personal data erased")
    past = type(person).history.filter(id=person.pk)
    past.update(**erased)
    _mask(past, words, theirs=Q())


def _mask_record(found: FoundText, words: Words, actor: User | None) -> None:
    """Mask the words in a record and in its history."""
    if found.row is not None:
        row = lock(found.row)
        for column in _text_columns(found.model):
            setattr(row, column, words.masked(getattr(row, column) or "", is_theirs=True))
        save_as(row, actor, reason="Personal data erased")
    history = _history_of(found.model)
    if history is not None:
        _mask(history.filter(**{found.model._meta.pk.attname: found.pk}), words, theirs=Q())


def _mask_rows(model: type[models.Model], words: Words, person: Person) -> None:
    _mask(model._base_manager.all(), words, theirs=_refers_to(model, person))


def _mask(rows: models.QuerySet, words: Words, *, theirs: Q) -> None:
    """Mask the words in all texts of the rows. In those that meet ``theirs``, also words that may mean somebody else."""
    columns = _text_columns(rows.model)
    rows = rows.filter(_naming(words.called, columns))
    own = set(rows.filter(theirs).values_list("pk", flat=True))
    for row in rows.values("pk", *columns):
        masked = {name: words.masked(row[name] or "", is_theirs=row["pk"] in own) for name in columns}
        changed = {name: text for name, text in masked.items() if text != (row[name] or "")}
        if rows.model is Delivery and "address" in changed:
            changed["address"] = ""  # one mask for many people would look like one mailbox
        if changed:
            rows.model._base_manager.filter(pk=row["pk"]).update(**changed)


def _mask_drafts(words: Words) -> None:
    """Mask the words in unfinished ceremonies."""
    for draft in CeremonyDraft.objects.unfinished().select_for_update():
        content = _mask_values(draft.content, words)
        if content != draft.content:
            draft.content, draft.version = content, draft.version + 1
            draft.save()


def _mask_values(value: Any, words: Words) -> Any:
    if isinstance(value, dict):
        return {key: _mask_values(one, words) for key, one in value.items()}
    if isinstance(value, list):
        return [_mask_values(one, words) for one in value]
    return words.masked(value, is_theirs=False) if isinstance(value, str) else value


def _forget_mails_to(person: Person) -> None:
    """Remove text, address and answer of the mails to the person; one that is being sent loses them with a later tick."""
    mails = Delivery.objects.filter(_reader(person))
    mails.exclude(status__in=(DeliveryStatus.CLAIMED, DeliveryStatus.HANDING)).update(
        message=None, address="", smtp_reply=""
    )


def _remove_export_files() -> None:
    """Remove the files of finished exports: any of them may name the person, and each can be made again."""
    for export in Export.objects.filter(status=ExportStatus.DONE):
        transaction.on_commit(partial(export.file.storage.delete, str(export.file.name)))
        Export.objects.filter(pk=export.pk).update(status=ExportStatus.REMOVED, file="")


def _plain(rows: models.Manager, of: Mapping[str, object], leave_out: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return rows as column -> value, without passwords and keys for sorting."""
    names = [
        column.attname
        for column in rows.model._meta.concrete_fields
        if not isinstance(column, SortKeyField) and column.attname not in {"password", *leave_out}
    ]
    return list(rows.filter(**of).order_by("pk").values(*names))


def _mail_as_data(mail: Delivery) -> dict[str, Any]:
    columns = ("queued_at", "sent_at", "status", "address", "subject")
    text = text_of_mail(bytes(mail.message)) if mail.message else ""
    return {**{name: getattr(mail, name) for name in columns}, "text": text}
