"""The types of the requests that views handle."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from partnerships.models import User


class UserRequest(HttpRequest):
    """A request of a user who is logged in, as the views behind ``login_required`` get it."""

    user: User
    htmx: HtmxDetails
