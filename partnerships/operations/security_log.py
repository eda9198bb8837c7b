"""Writes the security events that are saved with no other change: log-ins, refusals, downloads and views.

Verbs write theirs with ``SecurityEvent.objects.record``, in the transaction of the change.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from django.db import DatabaseError, transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.acts import current_address, note_refusal
from partnerships.models import Contact, Delivery, SecurityEvent, User

Kind = SecurityEvent.Kind
# While log-ins are paused, the first try in so long is written, and not each of a thousand.
PAUSE_NOTED_EVERY = dt.timedelta(minutes=15)

logger = logging.getLogger(__name__)


def note_event(kind: str, user: User | None, **facts: str) -> None:
    """Write an event. Where the database does not take it, the process's log does, and the page is shown."""
    with _or_into_the_process_log(kind, user, facts):
        SecurityEvent.objects.record(kind, user, **facts)


def note_failed_login(name: str, *, page: str) -> None:
    """Write that somebody typed this name with a wrong password.

    A name that no account has is kept as typed, cut to the column: it shows which names are being tried.
    """
    note_event(Kind.LOGIN_FAILED, User.objects.filter(username=name).first(), name=name, detail=page)


def note_paused_login(name: str, *, page: str, network: str, now: dt.datetime) -> None:
    """Write that log-ins from this network are paused, where that is not written yet.

    Whoever goes on trying, with other names and addresses of the network, does not fill the log.
    """
    since = now - PAUSE_NOTED_EVERY
    if not SecurityEvent.objects.filter(at__gt=since, kind=Kind.LOGIN_PAUSED, address=network).exists():
        user = User.objects.filter(username=name).first()
        note_event(Kind.LOGIN_PAUSED, user, name=name, address=network, detail=page)


def note_contacts_viewed(user: User, contacts: Iterable[Contact], *, now: dt.datetime) -> None:
    """Write that ``user`` was shown phones or addresses of these contacts: once per organization and day.

    Contacts without any are left out. Their organizations must be loaded.
    """
    reached = (one.organization for one in contacts if one.phone or one.email or one.wechat)
    _note_viewed(user, {organization.get_absolute_url(): str(organization) for organization in reached}, now=now)


def note_mail_read(user: User, mail: Delivery, *, now: dt.datetime) -> None:
    """Write that ``user`` was shown the phones or addresses in the text of a mail to somebody else."""
    if user.pk == mail.person_id or mail.person_id is None:
        return
    told = SecurityEvent.objects.filter(user=mail.person_id, kind=Kind.CONTACTS_MAILED, detail=mail.get_absolute_url())
    _note_viewed(user, dict(told.values_list("link", "about")), now=now)


def _note_viewed(user: User, about: Mapping[str, str], *, now: dt.datetime) -> None:
    """Write a line for each organization, address -> name, that has none of the day yet."""
    if not about:
        return
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    today = SecurityEvent.objects.filter(user=user, at__gte=midnight, kind=Kind.CONTACTS_VIEWED, link__in=about)
    noted = set(today.values_list("link", flat=True))
    events = SecurityEvent.objects
    rows = [
        SecurityEvent(**events.values_of(Kind.CONTACTS_VIEWED, user, about=name, link=link))
        for link, name in about.items()
        if link not in noted
    ]
    if rows:
        with _or_into_the_process_log(Kind.CONTACTS_VIEWED, user, about):
            events.bulk_create(rows)


def note_hidden(model: type[Model], pk: int) -> None:
    """Remember a request for a row outside the scope of its user: the page says that there is none."""
    if model._base_manager.filter(pk=pk).exists():
        note_refusal(_("%(kind)s %(id)s is outside the scope") % {"kind": model._meta.verbose_name, "id": pk})


@contextmanager
def _or_into_the_process_log(kind: str, user: User | None, facts: Mapping[str, str]) -> Iterator[None]:
    """Save what is written inside; where the database does not take it, log it, so that the page is shown."""
    try:
        with transaction.atomic():
            yield
    except DatabaseError:
        words = "Security event not saved: %s, account %s from %s: %s"
        logger.exception(words, kind, user and user.pk, current_address(), dict(facts))
