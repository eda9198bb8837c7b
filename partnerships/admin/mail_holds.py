"""Mail that is held: all of it by a stop, or some as far more than usual; and how it is let go."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from unfold.decorators import display

from partnerships.admin.base import PlainAdmin, badge
from partnerships.admin.filters import AttentionFilter
from partnerships.admin.navigation import Attention
from partnerships.admin.steps import Button, StepsMixin, Verb, dress
from partnerships.forms.mails import is_held, release_form
from partnerships.forms.reminders import HoldForm, LiftForm, ReleaseManyForm, restore_warning, words_of
from partnerships.mailing.holding import count_held
from partnerships.models import Delivery, MailHold
from partnerships.permissions import may

SELECTED = "selected"
DELIVERIES = "admin:partnerships_delivery_changelist"
HOLDS = "admin:partnerships_mailhold_changelist"


RELEASE = Verb(
    "release", _("Release"), "delivery.release", lambda row, _request, data: release_form(row, data), is_held
)


def ask(
    page: Any, request: HttpRequest, form: forms.Form, *, label: Any, subject: Any, back: str, is_danger: bool = False
) -> HttpResponse:
    """The confirm page of something that is done to more than one row."""
    dress(form)
    context = {
        **page.admin_site.each_context(request),
        "title": label,
        "opts": page.opts,
        "subject": subject,
        "form": form,
        "button": Button("", label, None, request.get_full_path(), "danger" if is_danger else "primary"),
        "back": back,
        "media": page.media + form.media,
    }
    return TemplateResponse(request, "admin/partnerships/confirm.html", context)


class ReleaseMixin:
    """The list says how many of its mails are held; one page lets go all of what the list shows, or what was ticked."""

    list_before_template = "admin/partnerships/held_mail.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.release_view)
        return [path("release/", view, name="partnerships_delivery_release"), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The one bulk action: it leads to the page that asks."""
        if not may(request.user, "delivery.release"):
            return {}
        return {"release_selected": (_to_release_page, "release_selected", _("Release what is held"))}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            response.context_data |= self._held(request, response.context_data["cl"].queryset)
        return response

    def _held(self, request: HttpRequest, listed: QuerySet[Delivery]) -> dict[str, Any]:
        counts = count_held(listed)
        query = request.GET.urlencode()
        return {
            "held": counts,
            "held_warning": restore_warning(counts),
            "hold": MailHold.objects.active().first(),
            "may_hold": may(request.user, "mail_hold.edit"),
            "may_release": may(request.user, "delivery.release"),
            "release_link": reverse("admin:partnerships_delivery_release") + (f"?{query}" if query else ""),
        }

    def release_view(self, request: HttpRequest) -> HttpResponse:
        """GET asks, POST releases; the address carries the filters of the list, or the mails that were ticked."""
        if not may(request.user, "delivery.release"):
            raise PermissionDenied
        listed = self._listed(request).held()
        data = request.POST if request.method == "POST" else None
        form = ReleaseManyForm(data, row=listed, now=timezone.now(), counts=count_held(listed))
        if data is not None and form.is_valid() and (done := form.apply(request.user)) is not None:
            for level, text in words_of(done):
                messages.add_message(request, level, text)
            return HttpResponseRedirect(reverse(DELIVERIES))
        back = f"{reverse(DELIVERIES)}?attention=held"
        return ask(self, request, form, label=RELEASE.label, subject=self.opts.verbose_name_plural, back=back)

    def _listed(self, request: HttpRequest) -> QuerySet[Delivery]:
        """The mails the address names, among those the person sees. What it says wrongly names none."""
        asked = request.GET.copy()
        selected = asked.pop(SELECTED, None)
        if selected is not None:
            ids = [int(pk) for pk in selected[-1].split(",") if pk.isascii() and pk.isdigit() and len(pk) < 16]
            return self.get_queryset(request).filter(pk__in=ids)
        return self.get_changelist_instance(request).get_queryset(request)


def _to_release_page(page: Any, request: HttpRequest, mails: QuerySet[Delivery]) -> HttpResponse:
    link = reverse("admin:partnerships_delivery_release")
    if request.POST.get("select_across") == "1":
        return HttpResponseRedirect(f"{link}?{request.GET.urlencode()}")
    ids = ",".join(str(pk) for pk in mails.order_by("pk").values_list("pk", flat=True))
    return HttpResponseRedirect(f"{link}?{SELECTED}={ids}")


def _lift(row: MailHold, request: HttpRequest, data: Any) -> forms.Form:
    return LiftForm(data, row=row, now=timezone.now())


def _stands(row: MailHold) -> bool:
    return row.is_active


@admin.register(MailHold)
class MailHoldAdmin(StepsMixin, PlainAdmin):
    view_action = "mail_hold.edit"
    has_steps = False
    verbs: tuple[Verb, ...] = (Verb("lift", _("Let mail go again"), "mail_hold.edit", _lift, _stands),)
    list_display = ("why", "cause", "state", "since", "by", "lifted_at", "lifted_by")
    list_filter = (AttentionFilter, "cause", "is_active")
    list_select_related = ("by", "lifted_by")
    search_fields = ("note",)
    ordering = ("-pk",)
    list_before_template = "admin/partnerships/hold_all.html"
    attention = {
        "active": Attention(_("All mail is held"), "danger", "front_hand", lambda rows, today: rows.active(), rank=5),
    }
    fieldsets = (
        (None, {"fields": ("why", ("cause", "state"), ("since", "by"), ("lifted_at", "lifted_by"), "backup_taken_at")}),
    )
    readonly_fields: tuple[str | Callable[..., Any], ...] = (
        *("why", "cause", "state", "since", "by", "lifted_at", "lifted_by", "backup_taken_at"),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.hold_view)
        return [path("hold/", view, name="partnerships_mailhold_hold"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        hold = MailHold.objects.active().first()
        return super().changelist_view(request, {"hold": hold, **(extra_context or {})})

    def hold_view(self, request: HttpRequest) -> HttpResponse:
        """GET asks, POST holds all mail."""
        if not may(request.user, "mail_hold.edit"):
            raise PermissionDenied
        form = HoldForm(request.POST if request.method == "POST" else None, row=None, now=timezone.now())
        if request.method == "POST" and form.is_valid() and form.apply(request.user) is not None:
            messages.success(request, _("All mail is held."))
            return HttpResponseRedirect(reverse(HOLDS))
        label, subject = _("Hold all mail"), self.opts.verbose_name_plural
        return ask(self, request, form, label=label, subject=subject, back=reverse(HOLDS), is_danger=True)

    @display(description=_("why"), ordering="note")
    def why(self, hold: MailHold) -> str:
        return str(hold)

    @display(description=_("state"), ordering="is_active")
    def state(self, hold: MailHold) -> str:
        return badge(pgettext("mail hold", "active"), "danger") if hold.is_active else badge(_("ended"), "neutral")
