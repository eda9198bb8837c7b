"""Reminder rules, which people keep, and the plans made from them. Mails have their list on the pages."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from partnerships.admin.base import PlainAdmin, ReadOnlyInline, RecordAdmin, admin_url, cut, status_badge
from partnerships.admin.filters import AttentionFilter, OpenFilter, ScopedRelatedFilter
from partnerships.admin.navigation import Attention, Tier, WorstCase
from partnerships.admin.versions import RootForm
from partnerships.mailing.rule_preview import preview
from partnerships.models import (
    Milestone,
    MilestoneKind,
    ReminderItem,
    ReminderPlan,
    ReminderRule,
)
from partnerships.requests import user_of
from partnerships.statuses import PlanStatus

PREVIEW = "_preview"


class ReminderRuleForm(RootForm):
    @property
    def is_preview(self) -> bool:
        return PREVIEW in self.data

    def is_valid(self) -> bool:
        """Return False for a preview, which is then shown again as it was typed and not saved."""
        return super().is_valid() and not self.is_preview


Direction, Audience = ReminderRule.Direction, ReminderRule.Audience
# The columns of the matrix: when a rule speaks. A rule without an offset speaks on the due date itself.
MOMENTS = (
    (Direction.APPEARS, _("When it appears")),
    (Direction.BEFORE, _("Before")),
    ("", _("On the due date")),
    (Direction.AFTER, pgettext_lazy("the due date", "After")),
    (Direction.UNANSWERED, _("When nobody answers")),
)
READERS = {
    Audience.OWNER: _("owner"),
    Audience.DEPUTY: _("deputy"),
    Audience.LEAD: _("leads"),
    Audience.PARTY: _("contacts of the party"),
    Audience.NOBODY: pgettext_lazy("reminder rule", "nobody"),
}


@dataclass(frozen=True)
class RuleChip:
    """A rule as it stands in a cell of the matrix."""

    rule: ReminderRule
    link: str
    offset: str
    reader: str
    scope: str

    @property
    def css_class(self) -> str:
        names = {"pt-rule-up": self.rule.audience == Audience.LEAD, "pt-rule-off": not self.rule.is_enabled}
        return " ".join(name for name, is_set in names.items() if is_set)


def rule_matrix(rules: Iterable[ReminderRule]) -> list[tuple[str, list[list[RuleChip]]]]:
    """Return the kinds of milestones, each with its rules for each moment."""
    cells: dict[tuple[str, str], list[RuleChip]] = defaultdict(list)
    for rule in rules:
        is_timed = bool(rule.offset) or rule.direction == Direction.APPEARS
        cells[rule.milestone_kind, rule.direction if is_timed else ""].append(_chip(rule))
    known = {kind for kind, _moment in cells}
    return [
        (str(kind.label), [cells[kind, moment] for moment, _label in MOMENTS])
        for kind in MilestoneKind
        if kind in known
    ]


def _chip(rule: ReminderRule) -> RuleChip:
    reader = rule.named_person if rule.audience == Audience.NAMED else READERS[Audience(rule.audience)]
    scope = " · ".join(str(part) for part in (rule.unit, rule.agreement_type) if part)
    return RuleChip(rule, admin_url(rule), rule.offset_in_words if rule.offset else "", str(reader), scope)


@admin.register(ReminderRule)
class ReminderRuleAdmin(RecordAdmin):
    view_action, add_action, change_action = "reminder_rule.view", "reminder_rule.edit", "reminder_rule.edit"
    history_action = None
    form = ReminderRuleForm
    list_display = ("rule", "audience", "named_person", "scope", "send_time", "shift", "is_enabled")
    list_filter = (
        "milestone_kind",
        "audience",
        "is_enabled",
        ("unit", ScopedRelatedFilter),
        ("agreement_type", ScopedRelatedFilter),
    )
    list_select_related = ("unit", "named_person", "agreement_type", "agreement")
    search_fields = ("unit__name", "unit__name_zh", "named_person__name", "agreement__title", "agreement__title_zh")
    ordering = ("milestone_kind", "direction", "-offset", "pk")
    autocomplete_fields = ("named_person", "agreement")
    change_form_outer_before_template = "admin/partnerships/preview.html"
    list_intro_template = "admin/partnerships/rule_matrix.html"
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
        self, request: HttpRequest, context: dict[str, Any], *args: object, **kwargs: object
    ) -> HttpResponse:
        """Add the preview button, and the preview of the rule as it is typed."""
        form = context["adminform"].form
        if isinstance(form, ReminderRuleForm) and form.is_preview and not form.errors:
            context["preview"] = preview(form.instance, user=user_of(request), now=timezone.now())
        if self.may_edit(request, context.get("original")):
            button = {"action_name": PREVIEW, "description": _("Preview"), "icon": "visibility", "attrs": {}}
            context["actions_submit_line"] = [button]
        return super().render_change_form(request, context, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show all rules at one glance above the list, unless the list is filtered. Those of single agreements stand in the list."""
        context: dict[str, Any] = {}
        if not request.GET.keys() - {"o", "p"}:
            rules = self.get_queryset(request).select_related("unit", "named_person", "agreement_type")
            rules = rules.filter(agreement=None).order_by("milestone_kind", "-offset", "audience", "pk")
            context = {"moments": [label for _moment, label in MOMENTS], "matrix": rule_matrix(rules)}
        return super().changelist_view(request, context | (extra_context or {}))

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


class PlanItemInline(ReadOnlyInline):
    """The readers of a plan's reminders, each with a link to the mail on the pages."""

    model = ReminderItem
    fields = ("reader", "why_words", "mail", "cancel_words")
    verbose_name_plural = _("to whom it went")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ReminderItem]":
        return super().get_queryset(request).select_related("person", "contact", "delivery")

    @display(description=pgettext_lazy("reminder rule", "to"))
    def reader(self, item: ReminderItem) -> str:
        return str(item.reader)

    @display(description=_("why this person"))
    def why_words(self, item: ReminderItem) -> str:
        return item.why_words

    @display(description=_("why not"))
    def cancel_words(self, item: ReminderItem) -> str:
        return item.cancel_words or "–"

    @display(description=_("mail"))
    def mail(self, item: ReminderItem) -> str:
        url, label = item.delivery.get_absolute_url(), status_badge(item.delivery)
        return format_html('<a class="pt-link" href="{}">{}</a> {}', url, item.delivery, label)


@admin.register(ReminderPlan)
class ReminderPlanAdmin(PlainAdmin):
    """Plans, which nobody edits. Users see the plans of the milestones they may see."""

    view_action = "delivery.view"
    open_rows = staticmethod(lambda rows, today: rows.filter(status=PlanStatus.PLANNED))
    open_label = _("Reminders to come")
    list_display = ("send_at", "milestone", "rule_words", "due_on", "status_label", "reason_cut")
    list_filter = (OpenFilter, AttentionFilter, "status", "send_at", "next_attempt_at")
    list_select_related = ("milestone", "rule")
    search_fields = ("milestone__title", "milestone__title_zh")
    search_help_text = _("Milestone, agreement or partner, in Chinese or English")
    ordering = ("send_at", "pk")
    inlines = (PlanItemInline,)
    attention = {
        "missed": Attention(
            _("Reminders that were missed"),
            "danger",
            "notifications_off",
            lambda rows, today: rows.filter(status=PlanStatus.MISSED),
            rank=5,
            tier=Tier.TODAY,
            worst=WorstCase("due_on", ("milestone__agreement", "rule")),
        ),
    }
    fieldsets = (
        (None, {"fields": ("milestone", "rule", ("due_on", "send_at"), ("status_label", "reason_words"))}),
        (_("How it was counted"), {"fields": (("time_zone", "is_provisional"), ("next_attempt_at", "expires_at"))}),
    )
    readonly_fields = (
        *("milestone", "rule", "due_on", "send_at", "status_label", "reason_words"),
        *("time_zone", "is_provisional", "next_attempt_at", "expires_at"),
    )

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Ask without the row, because a plan names no unit. The queryset has only visible rows."""
        return self.allows(request, self.view_action)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        if search_term.strip():
            found = Milestone.objects.search(search_term, reader=user_of(request))
            queryset = queryset.filter(milestone__in=found.order_by().values("pk"))
        return queryset, False

    @display(description=_("rule"), ordering="rule")
    def rule_words(self, plan: ReminderPlan) -> str:
        return cut(f"{plan.rule} · {plan.rule.get_audience_display()}")

    @display(description=_("reason"), ordering="reason")
    def reason_cut(self, plan: ReminderPlan) -> str:
        return cut(plan.reason_words)

    @display(description=_("reason"), ordering="reason")
    def reason_words(self, plan: ReminderPlan) -> str:
        return plan.reason_words

    @display(description=_("status"), ordering="status")
    def status_label(self, plan: ReminderPlan) -> str:
        return status_badge(plan)
