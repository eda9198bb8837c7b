"""The page on which the office pauses and resumes the sending of all mail."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.forms.deliveries import PauseSendingForm, ResumeSendingForm
from partnerships.models import MailHold
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403

PAUSES_SHOWN = 100


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mail_pauses(request: UserRequest) -> HttpResponse:
    """Show the pauses; POST begins one."""
    require_or_403(request.user, "mail_hold.edit")
    data, now = request.POST if request.method == "POST" else None, timezone.now()
    form = PauseSendingForm(data, row=None, now=now)
    if data is not None and form.is_valid() and form.apply(request.user) is not None:
        messages.success(request, _("Sending is paused."))
        return redirect("mail_pauses")
    active = MailHold.objects.active().first()
    context = {
        "form": form,
        "active": active,
        "resume_form": ResumeSendingForm(row=active, now=now),
        "pauses": MailHold.objects.select_related("by", "lifted_by")[:PAUSES_SHOWN],
    }
    return render(request, "partnerships/mails/pauses.html", context)


@login_required
@require_POST
def mail_resume(request: UserRequest, pk: int) -> HttpResponse:
    """End the pause that the button stood beside, so that a second click does not end a later one."""
    require_or_403(request.user, "mail_hold.edit")
    form = ResumeSendingForm(request.POST, row=get_object_or_404(MailHold, pk=pk), now=timezone.now())
    if form.is_valid() and form.apply(request.user) is not None:
        messages.success(request, _("Sending is resumed."))
    for error in form.non_field_errors():
        messages.error(request, str(error))
    return redirect("mail_pauses")
