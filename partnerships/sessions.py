"""The store of sessions (``SESSION_ENGINE``), and the list of the sessions of a person that are still open."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends import db
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from partnerships.models import User, UserSession

# Keys in a session. Times are seconds since 1970; ``USED_AT`` and ``ADDRESS`` are those of the last use.
BEGUN_AT, USED_AT, ADDRESS, BROWSER = "begun_at", "used_at", "address", "browser"
IDLE_AT_MOST = dt.timedelta(hours=8)
# The office, auditors and the administrators see everybody's data.
IDLE_AT_MOST_IN_OFFICE = dt.timedelta(hours=1)
MOST_LISTED = 50

# The first one that stands in a browser's description of itself counts: most also name those they are compatible with.
BROWSERS = {
    "MicroMessenger": "WeChat",
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "HarmonyOS": "HarmonyOS",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "Linux": "Linux",
}


class SessionStore(db.SessionStore):
    """Django's sessions in the database, in rows that know the account and hold the hash of the key.

    Requests are handled synchronously, so the asynchronous methods of the base class are not adapted.
    """

    @classmethod
    def get_model_class(cls) -> type[UserSession]:
        return UserSession

    def _get_session_from_db(self) -> UserSession | None:
        found = UserSession.objects.filter(session_key=hash_key(self.session_key or ""), expire_date__gt=timezone.now())
        row = found.first()
        if row is None:
            self._session_key = None
        return row

    def exists(self, session_key: str) -> bool:
        return super().exists(hash_key(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> UserSession:
        row = super().create_model_instance(data)
        return UserSession(
            session_key=hash_key(row.session_key),
            session_data=row.session_data,
            expire_date=row.expire_date,
            user_id=data.get(SESSION_KEY),
        )

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            super().delete(hash_key(key))


def hash_key(key: str) -> str:
    """Return what the table holds of a key. A key is long and random, so its hash needs no salt."""
    return hashlib.sha256(key.encode()).hexdigest()[: UserSession._meta.get_field("session_key").max_length]


@dataclass(frozen=True)
class OpenSession:
    """A session that would still let its browser in, as its owner is shown it; unknown times are None."""

    row: UserSession
    begun_at: dt.datetime | None
    used_at: dt.datetime | None
    address: str
    browser: str
    is_current: bool


def idle_limit(user: User) -> dt.timedelta:
    """Return how long a session of this person may be left alone before it ends."""
    is_in_office = user.sees_all_units or user.is_user_admin or user.is_auditor
    return IDLE_AT_MOST_IN_OFFICE if is_in_office else IDLE_AT_MOST


def open_sessions(user: User, *, current_key: str | None, now: dt.datetime) -> list[OpenSession]:
    """Return the person's sessions, the last used first, without those ended by a new password or by lack of use."""
    current, idle_since = hash_key(current_key or ""), now - idle_limit(user)
    found: list[OpenSession] = []
    for row in UserSession.objects.filter(user=user, expire_date__gt=now).order_by("-expire_date")[:MOST_LISTED]:
        data = SessionStore().decode(row.session_data)
        one = OpenSession(
            row=row,
            begun_at=_moment(data.get(BEGUN_AT)),
            used_at=_moment(data.get(USED_AT)),
            address=data.get(ADDRESS, ""),
            browser=data.get(BROWSER, ""),
            is_current=row.session_key == current,
        )
        is_alive = constant_time_compare(data.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
        if is_alive and (one.used_at is None or one.used_at >= idle_since):
            found.append(one)
    return sorted(found, key=lambda one: one.used_at or idle_since, reverse=True)


def browser_in_words(description: str) -> str:
    """Return browser and system in a ``User-Agent`` header, as "Firefox · Windows"; "" for what is not known."""
    known = (next((name for sign, name in names.items() if sign in description), "") for names in (BROWSERS, SYSTEMS))
    return " · ".join(filter(None, known))


def _moment(seconds: int | None) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC)
