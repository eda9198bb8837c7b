"""The page that shows, exports and erases what is on record about an account or a contact, for system administrators."""

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from partnerships.forms.personal_data import ErasureForm, PersonalDataForm
from partnerships.models import Contact, Delivery, Erasure, User
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.workflows.personal_data import data_address, texts_naming


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def personal_data(request: UserRequest, pk: int, kind: str) -> HttpResponse:
    """``kind`` is ``user`` or ``contact``. The button that was pressed says which form was sent."""
    rows: Any = User.objects.all() if kind == "user" else Contact.objects.select_related("organization")
    person = visible_or_404(rows, request, pk)
    require_or_403(request.user, "person.erase", person)
    erasure = Erasure.objects.of(person).select_related("by").first()
    found = [] if erasure else texts_naming(person)
    sent = request.POST if request.method == "POST" else None
    act, today = request.POST.get("act"), timezone.localdate()
    export = PersonalDataForm(sent if act == "export" else None, row=person, today=today, auto_id="export_%s")
    erase = ErasureForm(sent if act == "erase" else None, row=person, today=today, found=found, auto_id="erase_%s")
    if export.is_bound and export.is_valid() and (data := export.apply(request.user)) is not None:
        return _as_file(data, name=f"{kind}-{pk}.json")
    if erase.is_bound and erase.is_valid() and erase.apply(request.user) is not None:
        messages.success(request, _("Erased. The texts of old mails are searched within the next minutes."))
        return redirect(data_address(person))
    for form in (export, erase):
        if form.is_bound:
            form.send_version_of(person)
    context = {
        "person": person,
        "is_user": kind == "user",
        "back": reverse("admin:partnerships_user_change", args=[pk]) if kind == "user" else person.get_absolute_url(),
        "erasure": erasure,
        "export": export,
        "erase": erase,
        "mail_count": Delivery.objects.filter(**{"person" if kind == "user" else "contact": person}).count(),
        "history_count": person.history.count(),
    }
    return render(request, "partnerships/personal_data.html", context)


def _as_file(data: dict[str, Any], *, name: str) -> HttpResponse:
    text = json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
