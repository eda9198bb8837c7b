"""The log of mails: what became of each reminder, what it said, and how to help one that did not get through."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms import mails
from partnerships.lists import MailRows
from partnerships.lists.mails import items_seen_by
from partnerships.models import Delivery, DeliveryEvent, DeliveryNotice
from partnerships.permissions import refusal
from partnerships.reminders.explain import advice_on
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.lists import ListPage
from partnerships.views.steps import impossible


@dataclass(frozen=True)
class Verb:
    """What a person decides about a mail. ``fits``: whether its state allows it; ``done``: what is said afterwards."""

    title: Any
    permission: str
    fits: Callable[[Delivery], bool]
    make_form: Callable[[Delivery, Any], forms.Form]
    done: Any


VERBS = {
    "send-again": Verb(
        gettext_lazy("Send again"),
        "delivery.resend",
        mails.may_be_repeated,
        mails.send_again_form,
        gettext_lazy("This is the new mail. It goes out with the next run, within a minute or two."),
    ),
    "release": Verb(
        gettext_lazy("Release"),
        "delivery.release",
        mails.is_held,
        mails.release_form,
        gettext_lazy("Released. It goes out within minutes, unless what it says no longer holds."),
    ),
}


class MailList(ListPage):
    rows_class = MailRows
    template_name = "partnerships/mails/list.html"


@login_required
@require_safe
def mail_detail(request: HttpRequest, pk: int) -> HttpResponse:
    mail, user = visible_or_404(_with_log(request.user), request, pk), request.user
    body_refusal = refusal(user, "delivery.view_body", mail)
    message = mails.parsed(mail) if mail.message and body_refusal is None else None
    context = {
        "mail": mail,
        "today": timezone.localdate(),
        "advice": advice_on(mail),
        "verbs": _verbs(mail, user),
        "shows_address": body_refusal is None and mails.may_read_address(mail, user),
        "body_refusal": body_refusal,
        "text": mails.text_of(message) if message else "",
        "headers": mails.headers_of(message) if message else "",
    }
    return render(request, "partnerships/mails/detail.html", context)


@login_required
@require_safe
@never_cache
@xframe_options_sameorigin
def mail_message(request: HttpRequest, pk: int) -> HttpResponse:
    return mails.frame(visible_or_404(Delivery.objects.all(), request, pk), request.user)


@login_required
@require_safe
@never_cache
def mail_file(request: HttpRequest, pk: int) -> HttpResponse:
    return mails.file(visible_or_404(Delivery.objects.all(), request, pk), request.user)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mail_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    mail = visible_or_404(Delivery.objects.all(), request, pk)
    if step not in VERBS:
        raise Http404(f"no step {step}")
    verb = VERBS[step]
    require_or_403(request.user, verb.permission, mail)
    if not verb.fits(mail):
        return impossible(request, mail, verb.title)
    form = verb.make_form(mail, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and (made := form.apply(request.user)) is not None:
        messages.success(request, verb.done)
        return redirect(made)
    context = {"form": form, "row": mail, "title": verb.title, "today": timezone.localdate()}
    return render(request, "partnerships/step.html", context | {"back": mail.get_absolute_url()})


def _with_log(user: Any) -> Any:
    events = DeliveryEvent.objects.select_related("actor").order_by("pk")
    notices = DeliveryNotice.objects.select_related("person", "notice").order_by("pk")
    log = (Prefetch("events", events), Prefetch("notices", notices), items_seen_by(user))
    return Delivery.objects.select_related("person", "contact").prefetch_related(*log)


def _verbs(mail: Delivery, user: Any) -> list[dict[str, Any]]:
    """What the state of the mail allows, each with why this person may not, if so."""
    fitting = ((name, verb) for name, verb in VERBS.items() if verb.fits(mail))
    return [
        {"name": name, "label": verb.title, "refusal": refusal(user, verb.permission, mail)} for name, verb in fitting
    ]
