"""Forms for what can be done with a mail."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from partnerships.exceptions import DomainError
from partnerships.models import Delivery, User
from partnerships.reminders.again import send_again
from partnerships.statuses import DeliveryStatus

# The mail server may have taken it: nobody knows.
MAYBE_ARRIVED = frozenset({DeliveryStatus.UNCERTAIN, DeliveryStatus.UNCONFIRMED})


class SendAgainForm(forms.Form):
    """Sends the reminders of a listed mail once more; there is nothing to fill in."""

    def __init__(self, *args: Any, row: Delivery, now: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        self.now = now

    @property
    def warnings(self) -> list[str]:
        if self.row.status in MAYBE_ARRIVED:
            return [_("This mail may have arrived. Sent again, it may arrive twice.")]
        return []

    def apply(self, actor: User) -> Delivery | None:
        """The new delivery, or None with the reason among the form's errors."""
        try:
            return send_again(self.row, actor=actor, now=self.now)
        except DomainError as error:
            self.add_error(None, str(error))
            return None
