"""The pages of the mail log: the status and text of each mail, and the actions on those that need one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Max, Min, Prefetch, QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms import mails
from partnerships.forms.deliveries import DeliveryForm, ReleaseMailsForm, release_messages
from partnerships.lists.mails import MailList, items_seen_by, milestones_in
from partnerships.mailing.holding import count_held
from partnerships.models import Delivery, DeliveryEvent, DeliveryNotice, MailHold, User, hide_unseen
from partnerships.models.deliveries import DeliveryQuerySet
from partnerships.operations.security_log import note_contacts_viewed, note_mail_read
from partnerships.permissions import refusal
from partnerships.reminders.explain import advice_on
from partnerships.requests import UserRequest
from partnerships.texts import LazyText
from partnerships.views.base import require_or_403, visible_or_404
from partnerships.views.steps import impossible


@dataclass(frozen=True)
class MailAction:
    """An action on a mail: its permission, whether the mail's status ``fits``, its form, and the message afterwards."""

    title: LazyText
    permission: str
    fits: Callable[[Delivery], bool]
    make_form: Callable[[Delivery, QueryDict | None], DeliveryForm]
    done: LazyText


VERBS = {
    "send-again": MailAction(
        gettext_lazy("Send again"),
        "delivery.resend",
        mails.may_be_repeated,
        mails.send_again_form,
        gettext_lazy("This is the new mail. It goes out with the next run, within a minute or two."),
    ),
    "release": MailAction(
        gettext_lazy("Release"),
        "delivery.release",
        mails.is_held,
        mails.release_form,
        gettext_lazy("Released. It goes out within minutes, unless what it says no longer holds."),
    ),
}


# More mails than this are released all together, or in several steps.
MOST_TO_TICK = 100
MOST_READERS = 12


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mail_release(request: UserRequest) -> HttpResponse:
    """Show the held mails of the filtered list; POST releases all of them, or the ticked ones."""
    require_or_403(request.user, "delivery.release")
    listed = MailList(request.GET, user=request.user, today=timezone.localdate())
    held, data = listed.held(), request.POST if request.method == "POST" else None
    form = ReleaseMailsForm(data, row=held, now=timezone.now(), counts=count_held(held))
    back = reverse("mail_list") + (f"?{request.GET.urlencode()}" if request.GET else "")
    if data is not None and form.is_valid() and (done := form.apply(request.user)) is not None:
        for level, text in release_messages(done):
            messages.add_message(request, level, text)
        return redirect(back)
    context = {"form": form, "back": back, "hold": MailHold.objects.active().first(), **_preview(listed, held, form)}
    return render(request, "partnerships/mails/release.html", context)


def _preview(listed: MailList, held: QuerySet[Delivery], form: ReleaseMailsForm) -> dict[str, object]:
    """Count the held mails, by reader and age, and list the most pressing, which can be ticked."""
    pressing = held.order_by("due_on", "pk").values_list("pk", flat=True)[:MOST_TO_TICK]
    names = ("person", "contact", "person__name", "person__username", "contact__name")
    readers = list(held.order_by().values(*names).annotate(count=Count("pk")).order_by("-count", *names[2:]))
    return {
        **held.order_by().aggregate(made_first=Min("queued_at"), made_last=Max("queued_at"), due_first=Min("due_on")),
        "seen_at": form.now.isoformat(),
        "total": form.counts.total,
        "restored_at": form.counts.restored_at,
        "readers": [(_name_of(reader), reader["count"]) for reader in readers[:MOST_READERS]],
        "reader_count": len(readers),
        "more_readers": len(readers[MOST_READERS:]),
        "mails": listed.rows(pressing),
        "most": MOST_TO_TICK,
    }


def _name_of(reader: Mapping[str, object]) -> str:
    return str(reader["contact__name"] or reader["person__name"] or reader["person__username"])


@login_required
@require_safe
def mail_detail(request: UserRequest, pk: int) -> HttpResponse:
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
    if context["shows_address"] and mail.contact:
        note_contacts_viewed(user, [mail.contact], now=timezone.now())
    if message:
        note_mail_read(user, mail, now=timezone.now())
    hide_unseen(milestones_in(mail), user)
    return render(request, "partnerships/mails/detail.html", context)


@login_required
@require_safe
@never_cache
# The page of a mail shows its text in a frame, which Django's middleware refuses by default.
@xframe_options_sameorigin
def mail_message(request: UserRequest, pk: int) -> HttpResponse:
    mail = visible_or_404(Delivery.objects.all(), request, pk)
    response = mails.frame(mail, request.user)
    note_mail_read(request.user, mail, now=timezone.now())
    return response


@login_required
@require_safe
@never_cache
def mail_file(request: UserRequest, pk: int) -> HttpResponse:
    mail = visible_or_404(Delivery.objects.select_related("contact__organization"), request, pk)
    response = mails.file(mail, request.user)
    if mail.contact:
        note_contacts_viewed(request.user, [mail.contact], now=timezone.now())
    note_mail_read(request.user, mail, now=timezone.now())
    return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mail_step(request: UserRequest, pk: int, step: str) -> HttpResponse:
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


def _with_log(user: User) -> DeliveryQuerySet:
    events = DeliveryEvent.objects.select_related("actor").order_by("pk")
    notices = DeliveryNotice.objects.select_related("person", "notice").order_by("pk")
    log = (Prefetch("events", events), Prefetch("notices", notices), items_seen_by(user))
    return Delivery.objects.select_related("person", "contact__organization").prefetch_related(*log)


def _verbs(mail: Delivery, user: User) -> list[dict[str, object]]:
    """Return the actions that the mail's status allows, each with the reason why this person may not take it."""
    fitting = ((name, verb) for name, verb in VERBS.items() if verb.fits(mail))
    return [
        {"name": name, "label": verb.title, "refusal": refusal(user, verb.permission, mail)} for name, verb in fitting
    ]
