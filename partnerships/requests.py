"""The types of the requests that views handle."""

from typing import cast

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from partnerships.models import User


class UserRequest(HttpRequest):
    """A request of a user who is logged in, as the views behind ``login_required`` get it."""

    user: User
    htmx: HtmxDetails


def user_of(request: HttpRequest) -> User:
    """Return the user of a request to the admin, whose site lets in nobody who is not logged in."""
    return cast("User", request.user)
