"""Accounts: registered with roles, edited, sent a link to set a password, deactivated and activated again.

Every change of a login, a role or an administrator's right is in the security log, and mailed to the person, at the old
address, too.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import send_mail
from django.db import models, transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.utils.translation import override

from partnerships import wake_up
from partnerships.exceptions import InvalidInput, TransitionRefused
from partnerships.models import (
    FeedToken,
    OrganizationUnit,
    PasswordRequest,
    Role,
    SecurityEvent,
    Unit,
    UnitMembership,
    User,
    UserSession,
)
from partnerships.models.users import read_tree
from partnerships.permissions import require
from partnerships.workflows.edits import Aggregate, changed_columns, changed_parts, concerning
from partnerships.workflows.handover import open_rows
from partnerships.workflows.milestones import give_milestones_to
from partnerships.workflows.transitions import lock_as_read, refuse_erased, save_as
from partnerships.workflows.undo import LOCK_ORDER

# Requests for a link to a new password that are counted, and kept, for an hour.
REQUESTS_COUNT_FOR = dt.timedelta(hours=1)
REQUESTS_PER_ADDRESS = 3
REQUESTS_PER_NETWORK = 20  # a whole college may sit behind one address
# Links mailed in one tick: each waits 20 seconds for a mail server that does not answer, and the reminders come after.
LINKS_AT_ONCE = 10

Kind = SecurityEvent.Kind

GRANTS = frozenset({"is_user_admin", "is_auditor", "is_staff", "is_superuser"})

# The password and the state of the account have verbs of their own.
BY_OTHER_VERBS = frozenset({"password", "last_login", "date_joined", "is_active"})

REMINDER_MODES = frozenset({"decision_mode", "reminder_mode", "contact_mode", "news_mode"})

# Reminders, absence and deputy are the person's own choice once they have an account: see ``PREFERENCES``.
USER = Aggregate(
    User,
    "user.edit",
    "user.edit",
    parts=(UnitMembership,),
    fixed=BY_OTHER_VERBS
    | REMINDER_MODES
    | {"gets_month_mail", "reminder_hour", "deputy", "absent_from", "absent_until"},
)
PREFERENCES = Aggregate(
    User,
    "user.edit_preferences",
    "user.edit_preferences",
    fixed=BY_OTHER_VERBS | GRANTS | {"username", "email", "name"},
)


def register_user(user: User, *, actor: User | None, today: dt.date, parts: Sequence[UnitMembership] = ()) -> User:
    """Register an account with its roles and without a password: it opens once the person has set one by a link."""
    with transaction.atomic():
        if any(getattr(user, name) for name in GRANTS):
            require(actor, "user.grant_admin")
        # An administrator never knows the password of another person.
        user.set_unusable_password()
        USER.register(user, actor=actor)
        before = _State.new(user)
        _require_roles(user, parts, (), actor=actor)
        USER.save_parts(user, parts, (), actor=actor)
        _check_deputy(user)
        _record(Kind.ACCOUNT_ADDED, user, actor)
        _announce_changes(user, before, actor=actor)
    return user


def edit_user(
    user: User,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[UnitMembership] = (),
    removed: Sequence[UnitMembership] = (),
) -> User:
    """Change an account and its roles as one version, and mail the person what changed of their login and their rights."""
    with transaction.atomic():
        before, after = USER.begin(user, changes, actor=actor)
        refuse_erased(before)
        _check_changes(before, after, actor)
        _require_roles(after, parts, removed, actor=actor)
        state = _State.of(before)
        USER.finish(before, after, parts, removed, actor=actor)
        _announce_changes(after, state, actor=actor)
    return after


def edit_preferences(
    user: User,
    *,
    actor: User | None,
    today: dt.date,
    changes: Mapping[str, object] = MappingProxyType({}),
    parts: Sequence[UnitMembership] = (),
    removed: Sequence[UnitMembership] = (),
) -> User:
    """Change what people choose for themselves: language, reminders, absence and deputy."""
    with transaction.atomic():
        before, after = PREFERENCES.begin(user, changes, actor=actor)
        if after.deputy_id != before.deputy_id:
            _check_deputy(after)
        PREFERENCES.finish(before, after, parts, removed, actor=actor)
    return after


def _check_changes(before: User, after: User, actor: User | None) -> None:
    changed = changed_columns(before, after)
    if changed & {"email", "username"}:
        require(actor, "user.edit_login", before)
    if changed & GRANTS:
        require(actor, "user.grant_admin")
    if before.is_superuser and not after.is_superuser and not _other_system_admins(before):
        raise InvalidInput(_("This is the last system administrator."), field="is_superuser")


def _check_deputy(user: User) -> None:
    """Raise ``InvalidInput`` for a deputy who cannot be reached or is no colleague: they see the person's work."""
    if user.deputy is None or user.deputy_id == user.pk:
        return  # that nobody stands in for themselves is a constraint
    if not User.objects.visible_to(user).reachable().filter(pk=user.deputy_id).exists():
        raise InvalidInput(_("Choose a colleague who is active and has an e-mail address."), field="deputy")


def _require_roles(
    user: User, parts: Iterable[UnitMembership], removed: Iterable[UnitMembership], *, actor: User | None
) -> None:
    """Check the right for each membership that changes, as it is on record and as it will be."""
    for membership in removed:
        _require_as_recorded(actor, membership)
    for changed in changed_parts(user, parts):
        with concerning(changed):
            if not changed._state.adding:
                _require_as_recorded(actor, changed)
            require(actor, "role.grant", changed)


def _require_as_recorded(actor: User | None, membership: models.Model) -> None:
    """Check the right for the role on record."""
    # The form may have set another role on the row, also on one that it deletes.
    require(actor, "role.grant", UnitMembership.objects.get(pk=membership.pk))


def send_password_link(user: User, *, actor: User | None) -> User:
    """Mail the person a link by which they set a password; it works once, and their password stays until then."""
    with transaction.atomic():
        locked = _lock(user, actor)
        if not locked.is_reachable:
            raise TransitionRefused(_("Activate the account and give it an e-mail address first."))
        save_as(locked, actor, reason=_("Link to set a password sent"))
        _record(Kind.LINK_SENT, locked, actor)
        context = {"sender": actor, **_link_to_set_password(locked)}
        _mail(locked, [locked.email], "registration/password_link", context)
    return locked


def request_password_link(email: str, *, network: str, now: dt.datetime) -> None:
    """Have the worker mail a link for a new password to the accounts with this address, if there are any.

    It does the same for every address, known or not, so neither its answer nor its time tells accounts apart. More
    requests than a person needs, for one address or from one network, are dropped without a word.
    """
    asked = PasswordRequest.objects.filter(asked_at__gt=now - REQUESTS_COUNT_FOR)
    email = email.lower()
    with transaction.atomic():
        by_address, by_network = asked.filter(email=email).count(), asked.filter(network=network).count()
        if by_address < REQUESTS_PER_ADDRESS and by_network < REQUESTS_PER_NETWORK:
            PasswordRequest.objects.create(email=email, network=network, asked_at=now)
            SecurityEvent.objects.record(Kind.RESET_REQUESTED, None, name=email)
            wake_up.wake_after_commit()


def send_requested_links(*, now: dt.datetime) -> int:
    """Mail some of the requested links, oldest first, forget old requests, and return how many mails go out."""
    PasswordRequest.objects.filter(asked_at__lt=now - REQUESTS_COUNT_FOR).delete()
    sent = 0
    with transaction.atomic():
        # Another worker at the same time skips the rows that are locked here, so each request is answered once.
        waiting = PasswordRequest.objects.filter(is_done=False).select_for_update(skip_locked=True)
        for request in waiting.order_by("pk")[:LINKS_AT_ONCE]:
            request.is_done = True
            request.save()
            # Also accounts without a password: a new account gets its first one this way.
            for user in User.objects.filter(email__iexact=request.email, is_active=True):
                _mail(user, [user.email], "registration/password_reset", _link_to_set_password(user))
                sent += 1
    return sent


def _link_to_set_password(user: User) -> dict[str, str]:
    # Django derives the token from the password, so the link no longer works once the password is set.
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return {"uid": uid, "token": default_token_generator.make_token(user)}


def change_password(user: User, *, actor: User | None, password: str, ends_feeds: bool = False) -> User:
    """Give the account the password that the person chose; it ends the other sessions, and the person is notified by mail.

    With ``ends_feeds``, for a password that was lost or stolen, their calendar addresses are gone as well.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        # Django ties each session to the hash of the password; its view renews the session of the person who asks.
        locked.set_password(password)
        save_as(locked, actor, reason=_("Password changed"))
        _record(Kind.PASSWORD_RESET if ends_feeds else Kind.PASSWORD_CHANGED, locked, actor)
        if ends_feeds:
            FeedToken.objects.filter(user=locked).delete()
        _mail(locked, [locked.email], "registration/password_changed", {})
    return locked


def end_sessions(sessions: Iterable[UserSession], *, actor: User | None) -> None:
    """End sessions: with their next request, their browsers have to log in again."""
    with transaction.atomic():
        for session in sessions:
            require(actor, "session.own", session)
            session.delete()
            if session.user:
                _record(Kind.SESSION_ENDED, session.user, actor)


def deactivate_user(user: User, *, actor: User | None) -> User:
    """Close the account and hand the person's open work to the fallback person of the unit it belongs to.

    Effects in order: the account is inactive and its password void; its calendar addresses are gone; agreements with their
    milestones, other milestones, activities, facilities, demands and held organizations move. Where no unit above names a
    fallback person who can be reached, work keeps its owner and shows up as orphaned.
    """
    with transaction.atomic():
        locked = _lock(user, actor)
        if actor is not None and locked.pk == actor.pk:
            raise TransitionRefused(_("Somebody else has to deactivate your account."))
        if not locked.is_active:
            raise TransitionRefused(_("This account is inactive already."))
        if locked.is_superuser and not _other_system_admins(locked):
            raise TransitionRefused(_("This is the last system administrator."))
        before = _State.of(locked)
        locked.is_active = False
        # Sessions depend on the password: without this, an old one would be valid again once the account is activated.
        locked.set_unusable_password()
        save_as(locked, actor)
        _announce_changes(locked, before, actor=actor)
        FeedToken.objects.filter(user=locked).delete()
        _hand_over(locked, actor=actor)
    return locked


def activate_user(user: User, *, actor: User | None) -> User:
    """Open the account again. Work that was handed over stays where it is; a new password has to be set."""
    with transaction.atomic():
        locked = _lock(user, actor)
        if locked.is_active:
            raise TransitionRefused(_("This account is active already."))
        refuse_erased(locked)
        before = _State.of(locked)
        locked.is_active = True
        save_as(locked, actor)
        _announce_changes(locked, before, actor=actor)
    return locked


@dataclass(frozen=True)
class _State:
    """The login, the roles and the rights of an account; the person is notified of each change by mail."""

    columns: Mapping[str, str | bool]
    roles: Mapping[Unit, Role]

    @classmethod
    def of(cls, user: User) -> "_State":
        columns = {name: getattr(user, name) for name in ("username", "email", "is_active", *sorted(GRANTS))}
        memberships = UnitMembership.objects.filter(user=user).select_related("unit")
        return cls(columns, {row.unit: Role(row.role) for row in memberships})

    @classmethod
    def new(cls, user: User) -> "_State":
        """Return the state of an account before it had any role or right."""
        return cls({**cls.of(user).columns, **dict.fromkeys(GRANTS, False)}, {})

    def changes_to(self, after: "_State") -> list[tuple[Kind, str]]:
        """Return the kind of event and a line for each difference, in the language that is active."""
        labels = {field.name: field.verbose_name for field in User._meta.concrete_fields}
        changes: list[tuple[Kind, str]] = []
        for name, old in self.columns.items():
            new = after.columns[name]
            if old != new:
                changes.append((_event_of(name, new), _change(labels[name], _in_words(old), _in_words(new))))
        for unit in {**self.roles, **after.roles}:
            old_role, new_role = self.roles.get(unit), after.roles.get(unit)
            if old_role != new_role:
                label = _("role in %(unit)s") % {"unit": unit}
                words = _change(label, *(role.label if role else "–" for role in (old_role, new_role)))
                changes.append((Kind.ROLES_CHANGED, words))
        return changes


def _event_of(column: str, value: str | bool) -> Kind:
    if column == "is_active":
        return Kind.ACTIVATED if value else Kind.DEACTIVATED
    return Kind.RIGHTS_CHANGED if column in GRANTS else Kind.LOGIN_CHANGED


def _change(label: object, old: object, new: object) -> str:
    return f"{label}: {old} → {new}"


def _in_words(value: str | bool) -> str:
    return (_("yes") if value else _("no")) if isinstance(value, bool) else value or "–"


def _record(kind: Kind, user: User, actor: User | None, detail: str = "") -> None:
    """Write a security event about an account; it leads to the account's history."""
    history = reverse("admin:partnerships_user_history", args=[user.pk])
    SecurityEvent.objects.record(kind, actor, about=str(user), link=history, detail=detail)


def _announce_changes(user: User, before: _State, *, actor: User | None) -> None:
    """Write what changed into the security log, and mail it to the person, at the old address as well."""
    # An attacker who takes an account over changes the address first; the owner reads the old one.
    after = _State.of(user)
    for kind, words in before.changes_to(after):
        _record(kind, user, actor, words)
    with override(user.language):
        lines = [words for _kind, words in before.changes_to(after)]
    if lines:
        addresses = dict.fromkeys(str(state.columns["email"]) for state in (before, after))
        _mail(user, addresses, "registration/account_changed", {"lines": lines, "changed_by": actor})


def _mail(user: User, addresses: Iterable[str], template: str, context: Mapping[str, object]) -> None:
    """Send a mail in the person's language once the transaction is committed; what the server refuses is logged."""
    site = urlsplit(settings.SITE_URL)
    context = {**context, "user": user, "domain": site.netloc, "protocol": site.scheme}
    with override(user.language):
        subject = " ".join(render_to_string(f"{template}_subject.txt", context).split())
        text = render_to_string(f"{template}_email.txt", context)
    for address in filter(None, addresses):
        # robust: the change is committed by now, so a failing mail server must not turn it into an error page.
        transaction.on_commit(partial(send_mail, subject, text, None, [address]), robust=True)


def open_work(user: User) -> dict[str, int]:
    """Return how much a deactivation would hand over, by kind."""
    rows = open_rows(user)
    return {
        "agreements": rows["agreement"].count(),
        "milestones": rows["milestone"].count(),
        "activities": rows["activity"].count(),
        "facilities": rows["facility"].count(),
        "demands": rows["demand"].count(),
        "organizations": user.held_organizations.count(),
    }


def _lock(user: User, actor: User | None) -> User:
    locked = lock_as_read(user)
    require(actor, "user.edit", locked)
    return locked


def _other_system_admins(user: User) -> bool:
    return User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk).exists()


def _hand_over(user: User, *, actor: User | None) -> None:
    """Hand over agreements first, since their milestones follow the coordinator; then what the person had beside them."""
    fallback, rows = _fallback_finder(user), open_rows(user)
    locked = {name: _lock_all(rows[name]) for name in LOCK_ORDER if name != "milestone"}
    holdings = _lock_all(OrganizationUnit.objects.filter(coordinator=user))
    for agreement in locked.pop("agreement"):
        if new_owner := fallback(agreement.unit_id):
            agreement.coordinator = new_owner
            save_as(agreement, actor)
            give_milestones_to(agreement, owner_id=agreement.coordinator_id, actor=actor, previous=user)
    milestones = _lock_all(rows["milestone"])  # without those that have moved with their agreement
    for owned in (*milestones, *chain(*locked.values())):
        _give(owned, "owner", fallback(owned.unit_id), actor=actor)
    for held in holdings:
        _give(held, "coordinator", fallback(held.unit_id), actor=actor)


def _lock_all(rows: QuerySet) -> list[Any]:
    return list(rows.order_by("pk").select_for_update(of=("self",), no_key=True))


def _give(row: Any, field: str, new_owner: User | None, *, actor: User | None) -> None:
    if new_owner is not None:
        setattr(row, field, new_owner)
        save_as(row, actor)


def _fallback_finder(user: User) -> Callable[[int], User | None]:
    """Return a function that finds the nearest fallback person at or above a unit who sees what belongs to the unit."""
    tree = read_tree(Unit)
    named = {unit.pk: unit.fallback_person for unit in Unit.objects.select_related("fallback_person")}

    def find(unit_id: int) -> User | None:
        people = (named[ancestor] for ancestor in tree.with_ancestors(unit_id))
        others = (person for person in people if person and person.is_reachable and person != user)
        return next((one for one in others if one.sees_all_units or one.scope.role_in(unit_id) is not None), None)

    return find
