"""Calendar addresses."""

import factory

from partnerships.factories.base import NOON, ModelFactory
from partnerships.factories.users import UserFactory
from partnerships.models import FeedToken
from partnerships.models.feeds import hash_token


class FeedTokenFactory(ModelFactory):
    """``FeedTokenFactory(token="...")`` is the address with that secret."""

    class Meta:
        model = FeedToken
        exclude = ("token",)

    token = factory.Sequence("secret-{}".format)
    user = factory.SubFactory(UserFactory)
    name = factory.Sequence("Calendar {}".format)
    token_hash = factory.LazyAttribute(lambda feed: hash_token(feed.token))
    created_at = NOON
