"""Calendar addresses: made, read, revoked."""

import datetime as dt
import secrets

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from partnerships.exceptions import InvalidInput, TransitionRefused
from partnerships.models import FeedToken, User
from partnerships.models.feeds import hash_token
from partnerships.permissions import require

MOST_FEEDS = 10
TOKEN_BYTES = 32
# Calendar programs read every few minutes; the time of the last reading is written no more often than this.
NOTED_EVERY = dt.timedelta(hours=1)


def open_feed(user: User, *, actor: User | None, name: str, now: dt.datetime) -> tuple[FeedToken, str]:
    """Create an address and return it with its secret, which is shown only now. Raises ``InvalidInput`` for its name."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with transaction.atomic():
        # Of two clicks at once the second waits, and counts the address of the first.
        owner = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        feed = FeedToken(user=owner, name=" ".join(name.split()), token_hash=hash_token(token), created_at=now)
        require(actor, "feed.own", feed)
        if owner.feeds.count() >= MOST_FEEDS:
            raise TransitionRefused(_("You have enough links: revoke one that you no longer use."))
        try:
            feed.full_clean()
        except ValidationError as error:
            raise InvalidInput(" ".join(error.messages), field="name") from error
        feed.save()
    return feed, token


def revoke_feed(feed: FeedToken, *, actor: User | None) -> None:
    """Delete an address; nobody can read the calendar by it from now on."""
    require(actor, "feed.own", feed)
    feed.delete()


def note_reading(feed: FeedToken, *, content_tag: str, now: dt.datetime) -> dt.datetime:
    """Record that the feed was read, and return since when its content is unchanged."""
    if feed.content_tag == content_tag and feed.changed_at and feed.fetched_at and now - feed.fetched_at < NOTED_EVERY:
        return feed.changed_at
    changed_at = feed.changed_at
    if feed.content_tag != content_tag or changed_at is None:
        # HTTP dates count whole seconds: two contents of the same second would look unchanged to a client.
        at_least = changed_at + dt.timedelta(seconds=1) if changed_at else now
        changed_at = max(now.replace(microsecond=0), at_least.replace(microsecond=0))
    FeedToken.objects.filter(pk=feed.pk).update(fetched_at=now, content_tag=content_tag, changed_at=changed_at)
    return changed_at
