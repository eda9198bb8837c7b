"""The first page: what is late, what is due, what comes next, and for leads what lies in their units."""

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from partnerships.lists.milestones import HONOURED, PARTIES
from partnerships.models import Activity, Agreement, Milestone, MilestoneKind, Role, User
from partnerships.models.milestones import MILESTONE_TARGETS
from partnerships.statuses import AgreementStatus, MilestoneStatus
from partnerships.views.base import has_a_place

WEEK_DAYS = 7
NEXT_DAYS = 30


@login_required
@require_safe
def my_work(request: HttpRequest) -> HttpResponse:
    user, today = request.user, timezone.localdate()
    if not has_a_place(user):
        return render(request, "partnerships/no_role.html")
    milestones = list(_my_milestones(user, today))
    context = {
        "today": today,
        "groups": _grouped(milestones, today),
        "total": len(milestones),
        "activities": _my_activities(user),
        "absent": _absent_whose_deputy_is(user, today),
        "attention": _attention(user, today) if _looks_after_units(user) else [],
        "next_milestone": None if milestones else _next_milestone(user, today),
        "is_coordinator": Agreement.objects.visible_to(user).filter(coordinator=user).exists(),
    }
    return render(request, "partnerships/my_work.html", context)


def _my_milestones(user: Any, today: dt.date) -> QuerySet:
    """Mine, and those of people I stand in for while they are absent."""
    rows = Milestone.objects.visible_to(user).pending().looked_after_by(user, today)
    rows = rows.filter(due_on__lte=today + dt.timedelta(days=NEXT_DAYS))
    related = rows.select_related("agreement__unit", "unit", "owner", *MILESTONE_TARGETS, *HONOURED)
    return related.prefetch_related(PARTIES).order_by("due_on", "pk")


def _grouped(milestones: list[Milestone], today: dt.date) -> list[dict[str, Any]]:
    week_end = today + dt.timedelta(days=WEEK_DAYS)
    groups = (
        ("overdue", _("Overdue"), lambda row: row.due_on < today),
        ("week", _("Today and the next 7 days"), lambda row: today <= row.due_on <= week_end),
        ("next", _("In the next 30 days"), lambda row: row.due_on > week_end),
    )
    awake = [row for row in milestones if not row.is_snoozed(today)]
    snoozed = sorted((row for row in milestones if row.is_snoozed(today)), key=lambda row: row.snoozed_until)
    found = [(key, label, [row for row in awake if belongs(row)]) for key, label, belongs in groups]
    found.append(("snoozed", _("Snoozed"), snoozed))
    return [{"key": key, "label": label, "rows": [(row, act_on(row)) for row in rows]} for key, label, rows in found]


def act_on(milestone: Milestone) -> str:
    """The one obvious thing to do with a milestone, in a word or two for a button."""
    if milestone.status == MilestoneStatus.SUBMITTED:
        return _("See it")
    if milestone.kind == MilestoneKind.NEXT_CONTACT:
        return _("Log a call")
    if milestone.kind == MilestoneKind.STARTING_ACTIVITY:
        return pgettext("verb", "Start")
    if milestone.kind == MilestoneKind.UNFINISHED_ACTIVITY:
        return pgettext("verb", "Complete")
    return _("Submit") if milestone.requires_acceptance else _("Mark as met")


def _my_activities(user: Any) -> QuerySet:
    rows = Activity.objects.visible_to(user).unfinished().filter(owner=user)
    return (
        rows.select_related("agreement", "unit").prefetch_related("partners__organization").order_by("starts_on")[:30]
    )


def _absent_whose_deputy_is(user: Any, today: dt.date) -> QuerySet:
    return User.objects.filter(deputy=user, absent_from__lte=today, absent_until__gte=today, is_active=True)


def _looks_after_units(user: Any) -> bool:
    return user.sees_all_units or user.scope.has(Role.LEAD)


def _attention(user: Any, today: dt.date) -> list[dict[str, Any]]:
    """Counts over all one sees; each opens the list it was counted from."""
    agreements, milestones = Agreement.objects.visible_to(user), Milestone.objects.visible_to(user)
    agreement_list, milestone_list = reverse("agreement_list"), reverse("milestone_list")
    return [
        {
            "label": _("in review"),
            "count": agreements.filter(status=AgreementStatus.IN_REVIEW).count(),
            "url": f"{agreement_list}?status=in_review",
        },
        {
            "label": _("to accept"),
            "count": milestones.filter(status=MilestoneStatus.SUBMITTED).count(),
            "url": f"{milestone_list}?status=submitted",
        },
        {
            "label": _("overdue"),
            "count": milestones.overdue(today).count(),
            "url": f"{milestone_list}?due=overdue",
        },
        {
            "label": _("milestones nobody looks after"),
            "count": milestones.orphaned().count(),
            "url": f"{milestone_list}?orphaned=yes",
        },
        {
            "label": _("agreements nobody looks after"),
            "count": agreements.orphaned().count(),
            "url": f"{agreement_list}?orphaned=yes",
        },
        {
            "label": _("quiet agreements"),
            "count": agreements.quiet(today).count(),
            "url": reverse("quiet"),
        },
    ]


def _next_milestone(user: Any, today: dt.date) -> Milestone | None:
    """When nothing is due soon: the date of the next thing, so that an empty page is not a worry."""
    return Milestone.objects.visible_to(user).pending().filter(owner=user, due_on__gt=today).first()
