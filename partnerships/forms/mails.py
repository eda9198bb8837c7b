"""The text and attachments of a mail, for pages and admin alike, shown so that nothing in it can run."""

import email
import email.policy
import re
from email.message import EmailMessage

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.forms.deliveries import ReleaseForm, SendAgainForm
from partnerships.mailing.holding import count_held
from partnerships.models import Delivery, User
from partnerships.models.deliveries import NOT_THROUGH
from partnerships.permissions import may, refusal
from partnerships.statuses import DeliveryStatus

# Content policy for the HTML of a mail: no scripts, no forms, nothing from elsewhere, no way out of the frame.
NOTHING_BUT_STYLE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
# The header with the address at which a contact stops our mails, with its folded lines.
STOP_ADDRESS = re.compile(rb"^List-Unsubscribe:.*\r\n(?:[ \t].*\r\n)*", re.MULTILINE)


def shown_bytes(delivery: Delivery) -> bytes:
    """Return the message without the secret address that lets its reader, and nobody else, stop or resume our mails."""
    return STOP_ADDRESS.sub(b"List-Unsubscribe: <hidden>\r\n", bytes(delivery.message or b""), count=1)


def parsed(delivery: Delivery) -> EmailMessage:
    return email.message_from_bytes(shown_bytes(delivery), policy=email.policy.default)


def text_of(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain",))
    return part.get_content() if part else ""


def headers_of(message: EmailMessage) -> str:
    return "\n".join(f"{name}: {value}" for name, value in message.items())


def may_read_address(delivery: Delivery, user: User) -> bool:
    """Whether the user may see the address; that of a contact is also in headers and in answers of the server."""
    return delivery.contact is None or may(user, "contact.view_personal", delivery.contact)


def frame(delivery: Delivery, user: User) -> HttpResponse:
    """Return the mail as a mail program shows it, for a frame that runs and fetches nothing."""
    part = _read(delivery, user).get_body(preferencelist=("html", "plain"))
    if part is None:
        raise Http404
    response = HttpResponse(part.get_content(), content_type=f"{part.get_content_type()}; charset=utf-8")
    response["Content-Security-Policy"] = NOTHING_BUT_STYLE
    return response


def file(delivery: Delivery, user: User) -> HttpResponse:
    """Return the mail as a download, byte for byte but for the address at which a contact stops our mails."""
    _read(delivery, user)
    if not may_read_address(delivery, user):
        raise PermissionDenied(_("The file names the address of a contact, which is not shown to you."))
    response = HttpResponse(shown_bytes(delivery), content_type="message/rfc822")
    response["Content-Disposition"] = f'attachment; filename="mail-{delivery.pk}.eml"'
    response["Content-Security-Policy"] = NOTHING_BUT_STYLE
    return response


def _read(delivery: Delivery, user: User) -> EmailMessage:
    """Answer 403 if the user may not read the mail, 404 if it is not written yet."""
    reason = refusal(user, "delivery.view_body", delivery)
    if reason is not None:
        raise PermissionDenied(str(reason))
    if not delivery.message:
        raise Http404
    return parsed(delivery)


def send_again_form(row: Delivery, data: QueryDict | None) -> SendAgainForm:
    return SendAgainForm(data, row=row, now=timezone.now())


def release_form(row: Delivery, data: QueryDict | None) -> ReleaseForm:
    counts = count_held(Delivery.objects.filter(pk=row.pk))
    return ReleaseForm(data, row=row, now=timezone.now(), counts=counts)


def may_be_repeated(row: Delivery) -> bool:
    """Whether it can be sent again; a notice cannot, the list shows the same."""
    return row.status in NOT_THROUGH and row.kind != Delivery.Kind.NOTICE


def is_held(row: Delivery) -> bool:
    return row.status == DeliveryStatus.HELD
