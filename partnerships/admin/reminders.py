"""Reminder rules, kept by people; plans and deliveries, written by the machine and read here with their reasons."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe
from unfold.decorators import display

from partnerships.admin.base import OfficeAdmin, PlainAdmin, ReadOnlyInline, status_badge
from partnerships.admin.filters import (
    AboutKindFilter,
    AboutUnitFilter,
    AttentionFilter,
    ReceiverFilter,
    ScopedRelatedFilter,
)
from partnerships.admin.mail_holds import RELEASE, ReleaseMixin
from partnerships.admin.navigation import Attention
from partnerships.admin.steps import StepsMixin, Verb
from partnerships.admin.versions import RootForm
from partnerships.forms import mails
from partnerships.forms.mails import may_be_repeated, send_again_form
from partnerships.mailing.rule_preview import preview
from partnerships.models import (
    Delivery,
    DeliveryEvent,
    DeliveryNotice,
    Milestone,
    ReminderItem,
    ReminderPlan,
    ReminderRule,
)
from partnerships.permissions import may, refusal
from partnerships.statuses import DeliveryStatus, PlanStatus

PREVIEW = "_preview"


class ReminderRuleForm(RootForm):
    @property
    def is_preview(self) -> bool:
        return PREVIEW in self.data

    def is_valid(self) -> bool:
        """Never for a preview, so that whoever asks in order to save does not; its page comes back as it was typed."""
        return super().is_valid() and not self.is_preview

    def clean_agreement(self) -> Any:
        agreement = self.cleaned_data["agreement"]
        if agreement and "agreement" in self.changed_data:
            reason = refusal(self.request.user, "reminder_rule.edit", ReminderRule(agreement=agreement))
            if reason is not None:
                raise forms.ValidationError(reason)
        return agreement

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        is_for_all = not self.errors and self.cleaned_data["unit"] is None and self.cleaned_data["agreement"] is None
        if is_for_all and not self.request.user.sees_all_units:
            self.add_error("unit", _("Rules for all units are the office's; choose a unit or an agreement."))
        return cleaned


@admin.register(ReminderRule)
class ReminderRuleAdmin(OfficeAdmin):
    view_action, add_action, change_action = "reminder_rule.view", "reminder_rule.edit", "reminder_rule.edit"
    delete_action = "reminder_rule.edit"
    history_action = None
    form = ReminderRuleForm
    list_display = ("rule", "audience", "named_person", "scope", "send_time", "shift", "is_enabled")
    list_display_links = ("rule",)
    list_filter = (
        "milestone_kind",
        "audience",
        "is_enabled",
        ("unit", ScopedRelatedFilter),
        ("agreement_type", ScopedRelatedFilter),
    )
    list_select_related = ("unit", "named_person", "agreement_type", "agreement")
    search_fields = ("unit__name", "unit__name_zh", "named_person__name", "agreement__title")
    ordering = ("milestone_kind", "direction", "-offset", "pk")
    autocomplete_fields = ("named_person", "agreement")
    change_form_outer_before_template = "admin/partnerships/preview.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "milestone_kind",
                    ("offset", "offset_unit"),
                    "direction",
                    ("send_time", "shift"),
                    "is_enabled",
                )
            },
        ),
        (_("To whom"), {"fields": (("audience", "named_person"),)}),
        (_("For which"), {"fields": ("unit", ("agreement_type", "agreement"))}),
    )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With a button that shows what the rule would do as it is typed, and what it showed."""
        form = context["adminform"].form
        if isinstance(form, ReminderRuleForm) and form.is_preview and not form.errors:
            context["preview"] = preview(form.instance, user=request.user, now=timezone.now())
        if self.may_edit(request, context.get("original")):
            button = {"action_name": PREVIEW, "description": _("Preview"), "icon": "visibility", "attrs": {}}
            context["actions_submit_line"] = [button]
        return super().render_change_form(request, context, *args, **kwargs)

    def may_edit(self, request: HttpRequest, rule: ReminderRule | None) -> bool:
        return self.has_change_permission(request, rule) if rule else self.has_add_permission(request)

    @display(description=_("rule"), ordering="milestone_kind")
    def rule(self, rule: ReminderRule) -> str:
        return str(rule)

    @display(description=_("for which"), ordering="unit")
    def scope(self, rule: ReminderRule) -> str:
        if rule.agreement is not None:
            return str(rule.agreement)
        return " · ".join(str(part) for part in (rule.unit or _("All units"), rule.agreement_type) if part)


class MachineWrittenAdmin(PlainAdmin):
    """Rows nobody edits: who sees the milestone sees what was planned and sent about it."""

    view_action = "delivery.view"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The queryset decides which rows exist for a person; the rows themselves name no unit."""
        return self.allows(request, self.view_action)

    @display(description=_("reason"), ordering="reason")
    def reason_words(self, row: ReminderPlan | Delivery) -> str:
        return row.reason_words

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [name for row in self.get_fieldsets(request, obj) for name in _flat(row[1]["fields"])]


def _flat(fields: Any) -> list[str]:
    return [name for row in fields for name in (row if isinstance(row, tuple) else (row,))]


class ItemInline(ReadOnlyInline):
    model = ReminderItem
    verbose_name_plural = _("what it says, and why to this person")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return (
            super()
            .get_queryset(request)
            .select_related("plan__milestone", "plan__rule", "person", "contact", "delivery")
        )

    @display(description=pgettext_lazy("reminder rule", "to"))
    def reader(self, item: ReminderItem) -> str:
        return str(item.reader)

    @display(description=_("milestone"))
    def milestone(self, item: ReminderItem) -> str:
        url = reverse("admin:partnerships_milestone_change", args=[item.plan.milestone_id])
        return format_html('<a class="pt-link" href="{}">{}</a>', url, item.plan.milestone)

    @display(description=_("rule"))
    def rule(self, item: ReminderItem) -> str:
        return str(item.plan.rule)

    @display(description=_("why this person"))
    def why_words(self, item: ReminderItem) -> str:
        return item.why_words

    @display(description=_("why not"))
    def cancel_words(self, item: ReminderItem) -> str:
        return item.cancel_words or "–"

    @display(description=_("delivery"))
    def outcome(self, item: ReminderItem) -> str:
        url = reverse("admin:partnerships_delivery_change", args=[item.delivery_id])
        return format_html('<a class="pt-link" href="{}">{}</a> {}', url, item.delivery, status_badge(item.delivery))


class PlanItemInline(ItemInline):
    fields = ("reader", "why_words", "outcome", "cancel_words")
    verbose_name_plural = _("to whom it went")


class DeliveryItemInline(ItemInline):
    fields = ("milestone", "rule", "why_words", "cancel_words")


@admin.register(ReminderPlan)
class ReminderPlanAdmin(MachineWrittenAdmin):
    list_display = ("milestone", "rule", "due_on", "send_at", "status_label", "reason_words")
    list_filter = (AttentionFilter, "status", "send_at", "next_attempt_at")
    list_select_related = ("milestone", "rule")
    search_fields = ("milestone__title",)
    search_help_text = _("Milestone, agreement or partner, in Chinese or English")
    ordering = ("-send_at", "-pk")
    inlines = (PlanItemInline,)
    attention = {
        "missed": Attention(
            _("Reminders that were missed"),
            "danger",
            "notifications_off",
            lambda rows, today: rows.filter(status=PlanStatus.MISSED),
            rank=10,
        ),
    }
    fieldsets = (
        (None, {"fields": ("milestone", "rule", ("due_on", "send_at"), ("status_label", "reason_words"))}),
        (_("How it was counted"), {"fields": (("time_zone", "is_provisional"), ("next_attempt_at", "expires_at"))}),
    )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        if search_term.strip():
            queryset = queryset.filter(milestone__in=Milestone.objects.search(search_term).order_by().values("pk"))
        return queryset, False

    @display(description=_("status"), ordering="status")
    def status_label(self, plan: ReminderPlan) -> str:
        return status_badge(plan)


class NoticeInline(ReadOnlyInline):
    """Who was told that the mail did not get through."""

    model = DeliveryNotice
    fk_name = "delivery"
    fields = ("person", "mail")
    verbose_name_plural = _("who was told that it did not get through")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("person", "notice")

    @display(description=_("mail"))
    def mail(self, row: DeliveryNotice) -> str:
        return status_badge(row.notice)


class DeliveryEventInline(ReadOnlyInline):
    model = DeliveryEvent
    fields = ("at", "from_label", "to_label", "note_words", "actor")
    verbose_name_plural = _("what happened, step by step")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("actor")

    @display(description=_("from"))
    def from_label(self, event: DeliveryEvent) -> Any:
        return dict(DeliveryStatus.choices).get(event.from_status, event.from_status)

    @display(description=_("to"))
    def to_label(self, event: DeliveryEvent) -> Any:
        return event.to_words

    @display(description=_("note"))
    def note_words(self, event: DeliveryEvent) -> str:
        return event.note_words


VERBS = (
    Verb(
        "send_again",
        _("Send again"),
        "delivery.resend",
        lambda row, _request, data: send_again_form(row, data),
        may_be_repeated,
    ),
    RELEASE,
)


@admin.register(Delivery)
class DeliveryAdmin(ReleaseMixin, StepsMixin, MachineWrittenAdmin):
    has_steps = False
    verbs = VERBS
    list_display = ("headline", "reader", "status_label", "reason_words", "queued_at", "sent_at", "attempts")
    list_filter = (
        AttentionFilter,
        "status",
        ReceiverFilter,
        AboutKindFilter,
        AboutUnitFilter,
        "kind",
        "queued_at",
        "sent_at",
    )
    list_select_related = ("person", "contact")
    search_fields = ("subject", "person__name", "contact__name", "address", "message_id")
    search_help_text = _("Subject, person, address, milestone, agreement or partner")
    ordering = ("-pk",)
    inlines = (DeliveryItemInline, NoticeInline, DeliveryEventInline)
    attention = {
        "trouble": Attention(
            _("Mails failed or uncertain"),
            "danger",
            "unsubscribe",
            lambda rows, today: rows.not_through(),
            rank=7,
        ),
        "held": Attention(
            _("Mails held until somebody lets them go"),
            "warning",
            "front_hand",
            lambda rows, today: rows.held(),
            rank=6,
        ),
    }
    outcome_fields = (
        ("reader", "address"),
        "subject",
        ("kind", "digest_on"),
        ("status_label", "reason_words"),
        ("queued_at", "handed_at", "sent_at"),
        ("attempts", "next_attempt_at"),
        ("smtp_code", "smtp_reply"),
        "message_id",
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """What holds a contact's address is for those who may read that."""
        is_private = obj is not None and not mails.may_read_address(obj, request.user)
        withheld = {"address", "smtp_reply"} if is_private else set()
        rows = [field if isinstance(field, tuple) else (field,) for field in self.outcome_fields]
        fields = [tuple(name for name in row if name not in withheld) for row in rows]
        shown = ((None, {"fields": fields}),)
        if obj is None or not may(request.user, "delivery.view_body", obj):
            return shown
        if not obj.message:
            return (*shown, (_("The mail as it went out"), {"fields": ("unwritten",)}))
        shown += (
            (_("The mail as it went out"), {"fields": ("rendered",) if is_private else ("rendered", "download")}),
            (_("Its text"), {"fields": ("body",), "classes": ("collapse",)}),
        )
        return shown if is_private else (*shown, (_("Its headers"), {"fields": ("headers",), "classes": ("collapse",)}))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """By its own words, or by those of the milestones it speaks of, of their agreements and partners."""
        words = search_term.strip()
        if not words:
            return queryset, False
        found, _duplicates = super().get_search_results(request, queryset, words)
        about = Delivery.objects.about(Milestone.objects.visible_to(request.user).search(words))
        return queryset.filter(Q(pk__in=found.order_by().values("pk")) | Q(pk__in=about.order_by().values("pk"))), False

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        views = (("message", self.message_view, "message/"), ("eml", self.eml_view, "message.eml"))
        own = [
            path(f"<int:object_id>/{address}", self.admin_site.admin_view(view), name=f"{name}_{what}")
            for what, view, address in views
        ]
        return [*own, *super().get_urls()]

    @method_decorator([require_safe, never_cache, xframe_options_sameorigin])
    def message_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return mails.frame(self._in_scope(request, object_id), request.user)

    @method_decorator([require_safe, never_cache])
    def eml_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return mails.file(self._in_scope(request, object_id), request.user)

    def _in_scope(self, request: HttpRequest, object_id: int) -> Delivery:
        return get_object_or_404(self.get_queryset(request), pk=object_id)

    @display(description=pgettext_lazy("reminder rule", "to"), ordering="person__name")
    def reader(self, delivery: Delivery) -> str:
        return str(delivery.reader)

    @display(description=_("subject"), ordering="subject")
    def headline(self, delivery: Delivery) -> str:
        return delivery.subject or delivery.message_id

    @display(description=_("status"), ordering="status")
    def status_label(self, delivery: Delivery) -> str:
        return status_badge(delivery)

    @display(description=_("text"))
    def unwritten(self, delivery: Delivery) -> Any:
        return _("Not written yet.")

    @display(description=_("as it looks"))
    def rendered(self, delivery: Delivery) -> str:
        url = reverse("admin:partnerships_delivery_message", args=[delivery.pk])
        note = _("Shown without scripts and without fetching anything; its links do not open here.")
        frame = '<iframe class="pt-frame" src="{}" sandbox="" loading="lazy" title="{}"></iframe><small>{}</small>'
        return format_html(frame, url, delivery, note)

    @display(description=_("exact bytes"))
    def download(self, delivery: Delivery) -> str:
        url = reverse("admin:partnerships_delivery_eml", args=[delivery.pk])
        return format_html('<a class="pt-link" href="{}" download>{}</a>', url, _("Save as a file (.eml)"))

    @display(description=_("text"))
    def body(self, delivery: Delivery) -> str:
        return format_html('<pre class="pt-mail">{}</pre>', mails.text_of(mails.parsed(delivery)))

    @display(description=_("headers"))
    def headers(self, delivery: Delivery) -> str:
        return format_html('<pre class="pt-mail">{}</pre>', mails.headers_of(mails.parsed(delivery)))
