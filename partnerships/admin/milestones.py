"""Milestones: everything dated that somebody must do."""

import datetime as dt
from typing import cast

from django import forms
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from partnerships.admin.agreements import choose_by_autocomplete, log_contact_form
from partnerships.admin.base import FieldSets, OfficeAdmin, TitledMixin, WordSearchMixin, cut, status_badge
from partnerships.admin.documents import DocumentInline
from partnerships.admin.filters import AttentionFilter, MineFilter, OpenFilter, ScopedRelatedFilter
from partnerships.admin.hidden_records import hides_records
from partnerships.admin.navigation import Attention, Tier, WorstCase, since
from partnerships.admin.steps import StepsMixin, Verb
from partnerships.admin.versions import RootForm
from partnerships.forms.choices import offer_rows
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.office_day import office_today
from partnerships.forms.steps import AssignForm, MoveForm, SnoozeForm, UnsnoozeForm
from partnerships.lists.cells import day, days_from, partner_names, urgency
from partnerships.lists.milestones import PARTIES
from partnerships.models import AgreementParty, Milestone, MilestoneKind
from partnerships.models.milestones import DERIVED_KINDS, MILESTONE_TARGETS
from partnerships.requests import user_of
from partnerships.statuses import MilestoneStatus
from partnerships.workflows.milestones import edit_milestone, last_day_of_snooze, register_milestone

DAYS_AHEAD = 7  # as on everybody's first page


class MilestoneForm(RootForm):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            offered = [(kind.value, kind.label) for kind in MilestoneKind if kind not in DERIVED_KINDS]
            cast("forms.ChoiceField", self.fields["kind"]).choices = offered
        if "party" in self.fields:
            offer_rows(self, "party", AgreementParty.objects.filter(agreement=self.instance.agreement_id))


def _move(row: Milestone, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    return MoveForm(data, row=row, today=office_today(row))


def _assign(row: Milestone, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    form = AssignForm(data, row=row, today=office_today(row), user=user_of(request))
    choose_by_autocomplete(form, "owner", Milestone._meta.get_field("owner"))
    return form


def _snooze(row: Milestone, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    return SnoozeForm(data, row=row, today=office_today(row))


def _unsnooze(row: Milestone, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    return UnsnoozeForm(data, row=row, today=office_today(row))


def _can_be_snoozed(row: Milestone) -> bool:
    today = office_today(row)
    return row.is_pending and last_day_of_snooze(row, today) > today


def _is_pending(row: Milestone) -> bool:
    return row.is_pending


VERBS = (
    Verb("move", _("Move"), "milestone.move", _move, _is_pending),
    Verb("snooze", _("Snooze"), "milestone.snooze", _snooze, _can_be_snoozed),
    Verb(
        "unsnooze",
        _("End the snooze"),
        "milestone.snooze",
        _unsnooze,
        lambda row: row.is_pending and row.snoozed_until is not None,
    ),
    Verb("assign", _("Reassign"), "milestone.assign", _assign, _is_pending),
    Verb(
        "log_contact",
        _("Log a call"),
        "milestone.act",
        log_contact_form,
        lambda row: row.is_pending and (row.agreement_id is not None or row.organization_id is not None),
    ),
)

ATTENTION = {
    "due_this_week": Attention(
        _("Due today or in the next 7 days"),
        "info",
        "event_upcoming",
        lambda rows, today: rows.due_between(today, today + dt.timedelta(days=DAYS_AHEAD)),
        rank=1,
        tier=Tier.WEEK,
        worst=WorstCase("due_on", ("agreement",)),
    ),
    "overdue": Attention(
        _("Overdue milestones"),
        "danger",
        "alarm",
        lambda rows, today: rows.overdue(today),
        rank=1,
        tier=Tier.TODAY,
        worst=WorstCase("due_on", ("agreement",)),
    ),
    "renewals": Attention(
        _("Automatic renewals to confirm"),
        "warning",
        "event_repeat",
        lambda rows, today: rows.pending().filter(kind=MilestoneKind.CONFIRM_RENEWAL),
        rank=2,
        tier=Tier.WEEK,
        act=_("Confirm"),
        worst=WorstCase("due_on", ("agreement",)),
    ),
    "submitted": Attention(
        _("Waiting for acceptance"),
        "warning",
        "approval",
        lambda rows, today: rows.filter(status=MilestoneStatus.SUBMITTED),
        rank=3,
        tier=Tier.WEEK,
        act=pgettext_lazy("verb", "Accept"),
        worst=WorstCase("submitted_on", ("agreement",), words=lambda day, today: since(day)),
    ),
    "orphaned": Attention(
        _("Milestones whose owner cannot be reached"),
        "warning",
        "person_off",
        lambda rows, today: rows.orphaned(),
        rank=5,
        tier=Tier.WEEK,
        act=_("Assign"),
        worst=WorstCase("due_on", ("agreement",)),
    ),
}
DATES = ("submitted_on", "met_on", "waived_on", "cancelled_on")


@admin.register(Milestone)
@hides_records
class MilestoneAdmin(TitledMixin, WordSearchMixin, StepsMixin, OfficeAdmin):
    view_action, add_action, change_action = "milestone.view", "milestone.add", "milestone.edit"
    register_verb, edit_verb = staticmethod(register_milestone), staticmethod(edit_milestone)
    form = MilestoneForm
    verbs = VERBS
    attention = ATTENTION
    danger_steps = frozenset({"cancel", "waive"})
    open_rows, open_label = staticmethod(lambda rows, today: rows.pending()), _("Open milestones")
    list_display = ("display_title", "partners", "agreement", "due", "owner", "unit", "status_label")
    list_filter = (OpenFilter, AttentionFilter, "status", "kind", ("unit", ScopedRelatedFilter), MineFilter, "due_on")
    list_select_related = ("agreement__unit", "owner", "unit")
    search_fields = ("title",)
    search_help_text = _("Title, agreement or partner, in Chinese or English")
    ordering = ("due_on", "pk")
    targets = ("agreement", *MILESTONE_TARGETS)
    autocomplete_fields = (*targets, "owner")
    inlines = (DocumentInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related(PARTIES)

    def get_inlines(self, request: HttpRequest, obj: Milestone | None) -> tuple[type[InlineModelAdmin], ...]:
        return self.inlines if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Milestone | None = None) -> FieldSets:
        owner = "owner_name" if obj else "owner"
        what = ("title", "title_zh", ("kind", "unit"), ("due_on", owner), "description")
        habits = ("requires_acceptance", "recurs_every_months")
        if obj is None:
            return (
                (None, {"fields": what}),
                (_("Belongs to"), {"fields": self.targets}),
                (_("How it is closed"), {"fields": habits}),
            )
        targets = tuple(name for name in self.targets if getattr(obj, f"{name}_id"))
        party = ("party",) if obj.agreement_id else ()
        moved = ("overridden_at", "override_reason") if obj.override_reason else ()
        snoozed = ("snoozed_until", "snooze_reason") if obj.snoozed_until else ()
        dates = tuple(name for name in DATES if getattr(obj, name))
        evidence = ("evidence",) if obj.evidence else ()
        return (
            (None, {"fields": what}),
            (_("Belongs to"), {"fields": (*targets, *party)}),
            (_("How it is closed"), {"fields": (*habits, *dates, *evidence, *moved, *snoozed)}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Milestone | None = None) -> tuple[str, ...]:
        """Lock date and owner: their verbs ask for a reason, or check that the new owner can see the milestone."""
        machine = (*DATES, "evidence", "overridden_at", "override_reason", "snoozed_until", "snooze_reason")
        if obj is None:
            return machine
        settled = (*machine, *self.targets, "kind", "unit", "due_on", "owner_name")
        if obj.is_pending and not obj.is_derived:
            return settled
        return (*settled, "title", "title_zh", "description", "party", "requires_acceptance", "recurs_every_months")

    @display(description=_("status"), ordering="status")
    def status_label(self, milestone: Milestone) -> str:
        return status_badge(milestone)

    @display(description=_("owner"))
    def owner_name(self, milestone: Milestone) -> str:
        return str(milestone.owner or "–")

    @display(description=_("partners"))
    def partners(self, milestone: Milestone) -> str:
        return cut(partner_names(milestone.agreement))

    @display(description=_("due on"), ordering="due_on")
    def due(self, milestone: Milestone) -> str:
        """Return the date; of an open milestone with how far away it is."""
        if not milestone.is_pending:
            return day(milestone.due_on)
        today = timezone.localdate()
        tone = {"late": "danger", "soon": "warning"}.get(urgency(milestone.due_on, today), "neutral")
        words = days_from(milestone.due_on, today)
        return format_html('{} <span class="pt-due pt-tone-{}">{}</span>', day(milestone.due_on), tone, words)
