"""The personal data of an account or a contact: exported, or erased with history and mails.

The row of an erased person stays without a name, because agreements, steps and mails refer to it. Texts in which the person
is named are masked: those that people wrote where the administrator ticked them, those that the system wrote wherever they
mean this person. Texts of old mails are searched by the ticks (``clear_mails``).
"""

import datetime as dt
import json
import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from functools import cached_property, partial
from typing import Any
from urllib.parse import quote, quote_plus

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.translation import gettext as _
from simple_history.models import HistoricalChanges

from partnerships.exceptions import TransitionRefused
from partnerships.models import (
    AgreementParty,
    BulkAct,
    CeremonyDraft,
    Contact,
    ContactNote,
    ContactPosition,
    Delivery,
    DeliveryEvent,
    Erasure,
    EventPerson,
    Export,
    HistoryPermit,
    Import,
    ImportRow,
    MailRelay,
    Merge,
    NameKey,
    PasswordRequest,
    SavedView,
    SearchEntry,
    SecurityEvent,
    StatusChange,
    UnitMembership,
    User,
    UserSession,
)
from partnerships.models.base import LineField
from partnerships.models.sort_keys import SortKeyField
from partnerships.permissions import require
from partnerships.statuses import DeliveryStatus, ExportStatus
from partnerships.workflows.organizations import stop_contact_mail, update_liaison_milestones
from partnerships.workflows.transitions import delete_as, lock, lock_as_read, save_as
from partnerships.workflows.users import deactivate_user

logger = logging.getLogger(__name__)

Person = User | Contact
Kind = SecurityEvent.Kind

# In place of a name; as long as the shortest word that is looked for, so that it fits any column.
MASK = "██"
SHORTEST_WORD = len(MASK)
SHORTEST_NUMBER = 7  # digits of a phone number that mean one person inside a text
SHORTEST_CHINESE = 3  # signs of a Chinese name; 高峰 is also a part of 高峰论坛
EXCERPT = 30  # characters shown on either side of a name
MAILS_AT_ONCE = 200
BATCHES_AT_ONCE = 10  # in one tick

# The columns by which a person is called and reached, and those that say more about them.
CALLED: Mapping[type[models.Model], tuple[str, ...]] = {
    User: ("name", "username", "email"),
    Contact: ("name", "email", "phone", "wechat", "mail_stopped_address"),
}
# Columns written by the system; nobody chooses among these rows.
WRITTEN_BY_SYSTEM: Mapping[type[models.Model], tuple[str, ...]] = {
    SecurityEvent: ("name", "about", "detail"),
    Delivery: ("address", "subject", "smtp_reply"),
    DeliveryEvent: ("note",),
    MailRelay: ("trouble",),
    PasswordRequest: ("email",),
    Export: ("query",),
    Import: ("name", "error"),
    ImportRow: ("undo_note",),
    Merge: ("name", "kept_name"),
    SavedView: ("name", "query"),
    LogEntry: ("object_repr", "change_message"),
}
# Log-ins under a name. Rows of two names would become the same row, so they are deleted.
LOGINS: tuple[type[models.Model], ...] = (AccessAttempt, AccessFailureLog, AccessLog)
# Derived from other columns, or searched in another way.
NOT_SEARCHED: tuple[type[models.Model], ...] = (
    SearchEntry,
    NameKey,
    CeremonyDraft,
    UserSession,
    Erasure,
    HistoryPermit,
)
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
IN_FLIGHT = (DeliveryStatus.CLAIMED, DeliveryStatus.HANDING)


@dataclass(frozen=True)
class Words:
    """The words by which a person is or was called and reached.

    ``unique`` are the words that no other account or contact has. ``telling`` are those of them that identify the person
    inside a longer text, too: addresses, numbers, and names of two words or of three Chinese signs that are no part of
    another person's name. Each stands there as it is and as it is written in addresses of pages and in JSON.
    """

    called: frozenset[str]
    unique: frozenset[str]
    telling: frozenset[str]

    @classmethod
    def of(cls, person: Person) -> "Words":
        columns = CALLED[type(person)]
        past = type(person).history.filter(id__in=_ids_of(person))
        known = [column for column in columns if _has_column(past.model, column)]
        rows = [*past.values_list(*known), [getattr(person, column) for column in columns]]
        called = {word.strip() for row in rows for word in row if len(word.strip()) >= SHORTEST_WORD}
        unique = {word for word in called if not _is_others(word, person, "iexact")}
        telling = {word for word in unique if _is_telling(word) and not _is_others(word, person, "icontains")}
        return cls(_with_encoded(called), frozenset(word.casefold() for word in unique), _with_encoded(telling))

    @cached_property
    def _patterns(self) -> dict[bool, "re.Pattern[str] | None"]:
        return {True: pattern(self.called), False: pattern(self.telling)}

    def masked(self, text: str, *, is_theirs: bool) -> str:
        """Return the text with each word masked; unless the row ``is_theirs``, words that may mean another person stay."""
        if text.casefold() in self.unique:
            return MASK
        found = self._patterns[is_theirs]
        return found.sub(MASK, text) if found else text

    def found_in(self, text: str) -> "re.Match[str] | None":
        named = self._patterns[True]
        return named.search(text) if named else None


def pattern(words: Iterable[str]) -> "re.Pattern[str] | None":
    """Return a pattern that finds the words: in Latin letters and digits only whole ones, whatever their case."""
    parts = [_part(word) for word in sorted(words, key=len, reverse=True)]
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def _part(word: str) -> str:
    latin = "0-9A-Za-zÀ-ɏ"
    # wei.li@pku.edu.cn is not li@pku.edu.cn, and neither is li@pku.edu.cn.hk; a full stop may end a sentence.
    before, after = (rf"[{latin}._+-]", rf"(?:[{latin}]|[.-][{latin}])") if "@" in word else (rf"[{latin}]",) * 2
    starts, ends = (re.match(f"[{latin}]", sign) for sign in (word[0], word[-1]))
    return (f"(?<!{before})" if starts else "") + re.escape(word) + (f"(?!{after})" if ends else "")


def _with_encoded(words: Iterable[str]) -> frozenset[str]:
    """Return the words, and how they are written in the addresses of pages and in JSON."""
    encodings: tuple[Callable[[str], str], ...] = (str, quote, quote_plus, lambda word: json.dumps(word)[1:-1])
    return frozenset(encode(word) for word in words for encode in encodings)


def _ids_of(person: Person) -> set[int]:
    """Return the id of the person and, of a contact, the ids of the records that were merged into it."""
    return {person.pk, *Merge.objects.ids_merged_into(person)}


def _is_telling(word: str, *, in_mail: bool = False) -> bool:
    """Whether the word identifies a person inside a longer text. A mail may lose its text for a name of two Chinese signs, too."""
    if "@" in word:
        return True
    if not word.isascii():
        return in_mail or len(word) >= SHORTEST_CHINESE
    digits = len(re.sub("[^0-9]", "", word))
    return digits >= SHORTEST_NUMBER or len(word.split()) > 1


def _is_others(word: str, person: Person, lookup: str) -> bool:
    """Whether another account or contact is called or reached by the word, or by one that contains it."""
    for model, columns in CALLED.items():
        same = Q()
        for column in columns:
            same |= Q(**{f"{column}__{lookup}": word})
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
    texts: list[str] = field(default_factory=list)
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
            self.texts.append(text)
            start, end = max(found.start() - EXCERPT, 0), found.end() + EXCERPT
            excerpt = " ".join(text[start:end].split())
            self.excerpts["…" * (start > 0) + excerpt + "…" * (end < len(text))] = None


def texts_naming(person: Person) -> list[FoundText]:
    """Return the records whose texts name the person, without their own row and what the system wrote."""
    words = Words.of(person)
    found: dict[tuple[type[models.Model], int], FoundText] = {}
    for model in _written_by_people():
        key = model._meta.pk.attname
        for rows, id_column, shows in ((model._base_manager, key, True), (_history_of(model), key, False)):
            if rows is None:
                continue
            columns = _text_columns(rows.model)
            for row in rows.filter(_naming(words.called, columns)).values(id_column, *columns):
                if (model, row[id_column]) == (type(person), person.pk):
                    continue
                one = found.setdefault((model, row[id_column]), FoundText(model, row[id_column]))
                for column in columns:
                    one.note(words, row[column] or "", shows=shows)
    return [_with_row(one) for one in found.values() if one.is_named]


def export_personal_data(person: Person, *, actor: User | None, reason: str) -> dict[str, Any]:
    """Return what is on record about the person as plain values, and write into the security log that it was taken out.

    ``refers`` has the ids of all rows that refer to the person, by table and column.
    """
    require(actor, "person.export_data", person)
    SecurityEvent.objects.record(Kind.DATA_EXPORTED, actor, about=str(person), link=data_address(person), detail=reason)
    is_user = isinstance(person, User)
    reader = "person" if is_user else "contact"
    mails = Delivery.objects.filter(**{reader: person.pk}).order_by("pk")
    data: dict[str, Any] = {
        "record": _plain(type(person)._base_manager, {"pk": person.pk})[0],
        "history": _plain(type(person).history.model._base_manager, {"id": person.pk}),
        "mails": [_mail_as_data(mail) for mail in mails.iterator(MAILS_AT_ONCE)],
        "texts": [{"in": str(one.row or one.key), "texts": one.texts} for one in texts_naming(person)],
        "events": _plain(EventPerson._base_manager, {"user" if is_user else "contact": person.pk}),
        "refers": _references_to(person),
    }
    if is_user:
        no_keys = {"session_key", "session_data"}
        data |= {
            "roles": _plain(UnitMembership._base_manager, {"user": person.pk}),
            "steps": _plain(StatusChange._base_manager, {"actor": person.pk}),
            "sessions": _plain(UserSession._base_manager, {"user": person.pk}, leave_out=no_keys),
            "saved_views": _plain(SavedView._base_manager, {"user": person.pk}),
            "security_log": _plain(SecurityEvent._base_manager, {"user": person.pk}),
        }
    else:
        data["positions"] = _plain(ContactPosition._base_manager, {"contact": person.pk})
        data["contact_notes"] = _plain(ContactNote._base_manager, {"contact": person.pk})
    return data


def _references_to(person: Person) -> dict[str, list[int]]:
    """Return the ids of the rows that refer to the person, by table and column; the history has too many to name."""
    found = {}
    for relation in person._meta.related_objects:
        model: Any = relation.related_model
        if not issubclass(model, HistoricalChanges):
            ids = (
                model._base_manager.filter(**{relation.field.name: person.pk})
                .order_by("pk")
                .values_list("pk", flat=True)
            )
            found[f"{model._meta.model_name}.{relation.field.name}"] = list(ids)
    return {name: ids for name, ids in found.items() if ids}


def erase_person(
    person: Person, *, actor: User | None, today: dt.date, reason: str, texts: Collection[str] = ()
) -> Person:
    """Remove a person's data for good, from row and history, from mails, log and the ``texts`` (keys of ``FoundText``).

    An open account is deactivated first, which hands its work over. Agreements, steps and mails go on referring to the row.
    """
    try:
        with transaction.atomic():
            # One erasure at a time: of two that mask the same text at once, each would put back what the other masked.
            lock(ContentType.objects.get_for_model(Erasure))
            with HistoryPermit.objects.granted(HistoryPermit.Kind.ERASURE, by=actor, reason=data_address(person)):
                return _erase(person, actor=actor, today=today, reason=reason, texts=texts)
    except IntegrityError as error:
        words = _("Two records would get the same masked name. Change one of the ticked texts by hand first.")
        raise TransitionRefused(words) from error


def _erase(person: Person, *, actor: User | None, today: dt.date, reason: str, texts: Collection[str]) -> Person:
    locked = lock_as_read(person)
    require(actor, "person.erase", locked)
    if Erasure.objects.of(locked).exists():
        raise TransitionRefused(_("The data of this person is erased already."))
    words = Words.of(locked)
    if isinstance(locked, User) and locked.is_active:
        locked = deactivate_user(locked, actor=actor)
    if isinstance(locked, User):
        _close_account(locked, actor)
    else:
        _keep_stop_for_others(locked, on=today)
        locked.departure_noted_on = locked.departure_noted_on or today
    _erase_row(locked, words, actor)
    if isinstance(locked, Contact):
        update_liaison_milestones(locked, actor=actor, on=today)
        _end_as_liaison(locked, actor)
    for model in _written_by_people():
        prefix = f"{model._meta.model_name}-"
        for key in sorted(key for key in texts if key.startswith(prefix)):
            _mask_record(model, int(key.removeprefix(prefix)), words)
    for model in WRITTEN_BY_SYSTEM:
        _mask(_but_in_flight(model._base_manager.all()), words, theirs=_refers_to(model, locked))
    for model in LOGINS:
        typed = model._base_manager.values_list("pk", "username")
        named = [pk for pk, name in typed if words.masked(name or "", is_theirs=False) == MASK]
        model._base_manager.filter(pk__in=named).delete()
    _mask_drafts(words)
    _mask_imports(words)
    _mask_merges(words)
    _forget_mails_to(locked)
    _withdraw_exports()
    _forget_undo()
    last_mail = Delivery.objects.aggregate(last=Max("pk"))["last"] or 0
    about = {"user": locked} if isinstance(locked, User) else {"contact": locked}
    said = words.masked(reason, is_theirs=True)
    searched = sorted(
        word for word in words.called if word.casefold() in words.unique and _is_telling(word, in_mail=True)
    )
    Erasure.objects.create(by=actor, reason=said, words=searched, last_mail=last_mail, **about)
    SecurityEvent.objects.record(Kind.PERSON_ERASED, actor, about=str(locked), link=data_address(locked), detail=said)
    return locked


def data_address(person: Person) -> str:
    return reverse("user_data" if isinstance(person, User) else "contact_data", args=[person.pk])


def clear_mails(*, now: dt.datetime, is_over: Callable[[], bool] = lambda: False) -> int:
    """Remove subject and text of some mails that went to erased people or name them, and return how many these were."""
    cleared = 0
    for erasure in Erasure.objects.unfinished():
        for _batch in range(BATCHES_AT_ONCE):
            if is_over():
                return cleared
            found = _clear_some_mails(erasure, now=now)
            if found is None:
                break
            cleared += found
    return cleared


def _clear_some_mails(erasure: Erasure, *, now: dt.datetime) -> int | None:
    """Read the next mails for one erasure and return how many lost their text; None when there is nothing left to do now."""
    erasure.refresh_from_db()
    read_to, last = erasure.mails_read_to, erasure.last_mail
    # A mail that is being sent may get its text, address and answer yet: reading goes on when it has arrived.
    in_flight = Delivery.objects.filter(pk__gt=read_to, pk__lte=last, status__in=IN_FLIGHT).order_by("pk")
    end = in_flight.values_list("pk", flat=True).first() or last + 1
    mails = Delivery.objects.filter(pk__gt=read_to, pk__lt=end, message__isnull=False).order_by("pk")
    read = list(mails.values_list("pk", "message")[:MAILS_AT_ONCE])
    named_by = pattern(erasure.words)
    named = [pk for pk, message in read if named_by and _names(named_by, pk, bytes(message or b""))]
    with transaction.atomic():
        locked = Erasure.objects.unfinished().select_for_update().filter(pk=erasure.pk, mails_read_to=read_to).first()
        if locked is None:
            return None
        Delivery.objects.filter(pk__in=named).update(message=None, subject="")
        locked.mails_cleared += len(named)
        locked.mails_read_to = read[-1][0] if read else end - 1
        if locked.mails_read_to >= last:
            _finish(locked, now=now)
        locked.save()
    if locked.done_at and connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(
                "PRAGMA wal_checkpoint(TRUNCATE)"
            )  # otherwise old pages stay in the file beside the database
    return len(named) if read and not locked.done_at else None


def _finish(erasure: Erasure, *, now: dt.datetime) -> None:
    """Clear what senders wrote about mails that were under way during the erasure, and forget the words."""
    person = erasure.user or erasure.contact
    _forget_mails_to(person)  # type: ignore[arg-type]  # a constraint: it is of one person
    words = Words(frozenset(erasure.words), frozenset(), frozenset(filter(_is_telling, erasure.words)))
    for rows in (Delivery.objects.filter(pk__lte=erasure.last_mail), DeliveryEvent.objects.filter(at__gte=erasure.at)):
        _mask(_but_in_flight(rows), words, theirs=Q(pk__in=[]))
    erasure.words, erasure.done_at = [], now


def _names(named_by: "re.Pattern[str]", pk: int, message: bytes) -> bool:
    """Whether a mail names the person. One that cannot be read counts as naming them."""
    try:
        return bool(named_by.search(text_of_mail(message)))
    except (ValueError, LookupError):  # of headers and encodings
        logger.exception("Mail %s could not be read for an erasure; its text is removed", pk)
        return True


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
        if _text_columns(model) or hasattr(model, "history"):
            yield model


def _text_columns(model: type[models.Model]) -> Sequence[str]:
    """Return the columns of words. Names and addresses of other people are no texts about this one."""
    if model in WRITTEN_BY_SYSTEM:
        return WRITTEN_BY_SYSTEM[model]
    called = {name for base, names in CALLED.items() if model in {base, _history_model(base)} for name in names}
    # These fields hold what people write; a plain CharField holds codes, zones and hashes.
    return [
        column.name
        for column in model._meta.concrete_fields
        if isinstance(column, LineField | models.TextField | models.URLField) or column.name == "history_change_reason"
        if column.name not in called and not column.choices
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
    if model is Merge:
        types = ContentType.objects.get_for_model(person)
        refers |= Q(kept_id=person.pk, content_type=types) | Q(merged_id=person.pk, content_type=types)
    if model is SecurityEvent:
        refers |= Q(link=data_address(person))
        if isinstance(person, User):
            refers |= Q(link=reverse("admin:partnerships_user_history", args=[person.pk]))
    if model is LogEntry:
        refers |= Q(content_type=ContentType.objects.get_for_model(person), object_id=str(person.pk))
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


def _end_as_liaison(contact: Contact, actor: User | None) -> None:
    """Leave the members of an association without the liaison: nobody can be asked for an erased person."""
    for association in contact.liaison_of_members.select_for_update(no_key=True):
        association.members_liaison = None
        save_as(association, actor, reason="Personal data erased")


def _erase_row(person: Person, words: Words, actor: User | None) -> None:
    """Empty the columns about the person, in the row and in each state of its history."""
    name = _("Erased person %(number)s") % {"number": person.pk}
    erased: dict[str, object]
    if isinstance(person, User):
        erased = {"name": name, "username": f"erased-{person.pk}", "email": ""}
    else:
        erased = {
            "name": name,
            **dict.fromkeys(("position", "email", "phone", "wechat", "preferred_channel", "note"), ""),
            **dict.fromkeys(("since", "until"), None),
        }
        person.is_active, person.mail_stopped_on, person.mail_stopped_address = False, None, ""
        ids = _ids_of(person)
        for rows in (AgreementParty.objects, AgreementParty.history):
            rows.filter(signatory__in=ids).update(signatory_position="")
        person.positions.all().delete()
        ContactPosition.history.filter(contact__in=ids).delete()
        _erase_lent_values(person, erased)
    for column, value in erased.items():
        setattr(person, column, value)
    save_as(person, actor, reason="Personal data erased")
    past = type(person).history.filter(id__in=_ids_of(person))
    past.update(**erased)
    _mask(past, words, theirs=Q())


def _erase_lent_values(contact: Contact, erased: Mapping[str, object]) -> None:
    """Empty what another contact had of this one until their merge was undone; what it still has is its own."""
    own = Contact.history.filter(id=contact.pk).order_by()
    for merge in Merge.objects.of(Contact).filter(merged_id=contact.pk, undone_at__isnull=False):
        other = Contact.objects.filter(pk=merge.kept_id)
        lent = Contact.history.filter(id=merge.kept_id, history_id__gte=merge.after)
        for column, value in erased.items():
            theirs = lent.filter(**{f"{column}__in": own.exclude(**{f"{column}__isnull": True}).values(column)})
            theirs.exclude(**{f"{column}__in": other.values(column)}).update(**{column: value})


def _mask_record(model: type[models.Model], pk: int, words: Words) -> None:
    """Mask the words in a record and in its history.

    Nobody is named as its author: the administrator did not edit a draft or answer a reminder.
    """
    row = model._base_manager.select_for_update(no_key=True).filter(pk=pk).first()
    if row is not None:
        old = {column: getattr(row, column) or "" for column in _text_columns(model)}
        masked = {column: words.masked(text, is_theirs=True) for column, text in old.items()}
        for column, text in masked.items():
            setattr(row, column, text)
        if masked != old:
            save_as(row, None, reason="Personal data erased")
    history = _history_of(model)
    if history is not None:
        _mask(history.filter(**{model._meta.pk.attname: pk}), words, theirs=Q())


def _but_in_flight(rows: models.QuerySet) -> models.QuerySet:
    """Leave out mails that are being sent: their sender would wait for us in the middle of a session."""
    return rows.exclude(status__in=IN_FLIGHT) if rows.model is Delivery else rows


def _mask(rows: models.QuerySet, words: Words, *, theirs: Q) -> None:
    """Mask the words in all texts of the rows. In those that meet ``theirs``, also words that may mean somebody else."""
    columns = _text_columns(rows.model)
    rows = rows.filter(_naming(words.called, columns)).order_by("pk")
    own = set(rows.filter(theirs).values_list("pk", flat=True))
    for row in rows.select_for_update(no_key=True).values("pk", *columns):
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


def _mask_imports(words: Words) -> None:
    """Mask the words in the rows of imports, and remove the files they came from, and those that nobody has read yet."""
    columns = ("cells", "corrections", "problems", "look_alikes", "changes", "values", "made")
    # Searched as text: it is JSON, whose words stand among those of the person in their encoded form, too.
    texts = {f"{column}_text": Cast(column, models.TextField()) for column in columns}
    # A key is what a later file finds the record by; names are folded in it.
    named = ImportRow.objects.annotate(**texts).filter(_naming(words.called, texts)).order_by("pk")
    of_imports: set[int] = set()
    for row in named.select_for_update(of=("self",)):
        masked = {column: _mask_values(getattr(row, column), words) for column in columns}
        if any(masked[column] != getattr(row, column) for column in columns):
            of_imports.add(row.imported_id)
            ImportRow.objects.filter(pk=row.pk).update(**masked, key="")
    unread = Import.objects.filter(rows__isnull=True)
    for imported in (Import.objects.filter(pk__in=of_imports) | unread).distinct().exclude(file=""):
        transaction.on_commit(partial(imported.file.storage.delete, str(imported.file.name)))
        Import.objects.filter(pk=imported.pk).update(file="")


def _mask_merges(words: Words) -> None:
    """Mask the words in what merges keep for their undo."""
    columns = ("moved", "left")
    texts = {f"{column}_text": Cast(column, models.TextField()) for column in columns}
    named = Merge.objects.annotate(**texts).filter(_naming(words.called, texts)).order_by("pk")
    for merge in named.select_for_update(of=("self",)):
        Merge.objects.filter(pk=merge.pk).update(
            **{column: _mask_values(getattr(merge, column), words) for column in columns}
        )


def _mask_values(value: Any, words: Words) -> Any:
    if isinstance(value, dict):
        return {key: _mask_values(one, words) for key, one in value.items()}
    if isinstance(value, list):
        return [_mask_values(one, words) for one in value]
    return words.masked(value, is_theirs=False) if isinstance(value, str) else value


def _forget_mails_to(person: Person) -> None:
    """Remove text, address and answers of the mails to the person that are not being sent."""
    mails = _but_in_flight(Delivery.objects.filter(_reader(person)))
    DeliveryEvent.objects.filter(delivery__in=mails.order_by().values("pk")).update(note="")
    mails.update(message=None, address="", smtp_reply="")


def _withdraw_exports() -> None:
    """Have the next tick remove the files of finished exports, and write those under way anew: any may name the person."""
    Export.objects.filter(status=ExportStatus.DONE).update(finished_at=LONG_AGO)
    under_way = Export.objects.filter(status=ExportStatus.RUNNING)
    # Another number of attempts: the process that writes the file now may not finish it.
    under_way.update(status=ExportStatus.WAITING, attempts=F("attempts") + 1)


def _forget_undo() -> None:
    """Remove what acts on many rows keep for half an hour's undo: reasons from before may name the person."""
    BulkAct.objects.all().delete()


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
