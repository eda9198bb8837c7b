"""The first page: what is late, what is due, what comes next, and for leads what lies in their units."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms.office_day import office_today
from partnerships.forms.steps import UndoForm
from partnerships.lists.agreements import PARTIES as PARTIES_OF_AGREEMENT
from partnerships.lists.cells import partner_names
from partnerships.lists.milestones import HONOURED, PARTIES, MilestoneList
from partnerships.models import (
    Activity,
    Agreement,
    ApprovalStep,
    Delivery,
    Demand,
    Honour,
    Milestone,
    MilestoneKind,
    Role,
    User,
    hide_unseen,
    quiet_agreements,
)
from partnerships.models.approvals import next_approval_steps
from partnerships.models.milestones import AGREEMENT_STEP_KINDS, CLOSED_BY_STEP, MILESTONE_TARGETS, MilestoneQuerySet
from partnerships.models.payments import payment_of
from partnerships.permissions import may
from partnerships.reminders.milestone_advice import appoint_a_lead
from partnerships.reports.people_to_contact import PersonToContact
from partnerships.reports.promises import Shortfall, shortfalls_of
from partnerships.requests import UserRequest
from partnerships.statuses import (
    AGREEMENT_TRANSITIONS,
    MILESTONE_TRANSITIONS,
    ActivityStatus,
    AgreementStatus,
    MilestoneStatus,
)
from partnerships.texts import name_a_few
from partnerships.views.base import has_a_place, require_or_403, visible_or_404
from partnerships.views.people_to_contact import people_to_call
from partnerships.views.promises import plan_address
from partnerships.views.steps import form_page
from partnerships.workflows.milestones import last_day_of_snooze

WEEK_DAYS, MONTH_DAYS = 7, 30
# Equal tasks of one day become one line from this number on: to fold two would save nothing.
FEWEST_FOLDED = 3
# Keys of the steps in a line's menu, by the last part of their address.
SHORTCUTS = {"snooze": "s", "unsnooze": "s", "assign": "a", "move": "d"}
# Rows on the page; the list of milestones has the others.
MOST_ROWS = 100
MOST_ACTIVITIES = 30
MOST_SHORTFALLS = 10
# The next step of these is not to mark them as met: a contact is logged, and an activity is started or completed.
LOGGED, DONE_BY_ACTIVITY = (
    MilestoneKind.NEXT_CONTACT,
    {
        MilestoneKind.STARTING_ACTIVITY: "start",
        MilestoneKind.UNFINISHED_ACTIVITY: "complete",
    },
)


@dataclass(frozen=True)
class Decision:
    """A button that approves, accepts or notes at once: the address of the step, and the version of its row."""

    address: str
    version: int


@dataclass(frozen=True)
class FoldedItems:
    """One line for equal tasks of one day. ``is_open`` shows them below it; ``address`` turns that over."""

    items: Sequence["WorkItem"]
    key: str
    is_open: bool
    address: str

    @property
    def partners(self) -> str:
        return name_a_few([item.partner for item in self.items])

    @property
    def first(self) -> "WorkItem":
        return self.items[0]

    @property
    def reassign_address(self) -> str:
        """The page that gives all of them to somebody; empty where there are others than milestones."""
        if not all(item.is_milestone for item in self.items):
            return ""
        picks = [("pick", str(item.row.pk)) for item in self.items]
        query = urlencode([("act", "reassign"), *picks, ("next", "/")])
        return f"{reverse('bulk', args=['milestone_list'])}?{query}"


@dataclass(frozen=True)
class WorkItem:
    """One line of my work: a milestone, or an activity without a date of its own.

    ``page`` is where its button leads; ``step`` the address of the form that opens in the line, empty where there is
    none. ``beside`` are further steps: label and address. What waits for the reader as a lead has a ``group`` of its own,
    and a ``decision`` where one click takes it, or a ``hint`` where the reader may not take it. ``people`` are whom to
    call, where it is time to. ``partner`` is the partner, or else what the work is about; ``subject`` the agreement.
    """

    row: Milestone | Activity
    due_on: dt.date | None
    action: str
    page: str
    step: str = ""
    beside: tuple[tuple[str, str], ...] = ()
    group: str = ""
    decision: Decision | None = None
    hint: str = ""
    people: Sequence[PersonToContact] = ()

    @property
    def partner(self) -> str:
        row = self.row
        names = partner_names(row.agreement)
        about = getattr(row, "target", None)
        whose = getattr(row, "organization", None) or getattr(about, "organization", None) or about
        return names or str(whose or row.unit)

    @property
    def subject(self) -> str:
        """The agreement or demand beside its partner; empty where the partner says it all."""
        about = self.row.agreement or getattr(self.row, "demand", None)
        return str(about) if about and str(about) != self.partner else ""

    @property
    def is_milestone(self) -> bool:
        return isinstance(self.row, Milestone)

    @property
    def steps_in_menu(self) -> list[tuple[str, str, str]]:
        """Label, address and key of what the menu of the line offers."""
        return [
            (label, address, SHORTCUTS.get(address.rstrip("/").rpartition("/")[2], ""))
            for label, address in self.beside
        ]

    @property
    def key(self) -> str:
        return f"{self.row._meta.model_name}-{self.row.pk}"

    @property
    def owner(self) -> User | None:
        return self.row.owner


@login_required
@require_safe
def my_work(request: UserRequest) -> HttpResponse:
    user, today = request.user, timezone.localdate()
    if not has_a_place(user):
        return render(request, "partnerships/no_role.html")
    seen = Milestone.objects.visible_to(user)
    to_decide = _with_context(seen.to_decide_by(user)).order_by("due_on", "pk")
    decisions = list(to_decide[: MOST_ROWS + 1]) if _looks_after_units(user) else []
    has_more_decisions = len(decisions) > MOST_ROWS
    decisions = decisions[:MOST_ROWS]
    mine = seen.pending().looked_after_by(user, today)
    if decisions:
        mine = mine.exclude(pk__in=[row.pk for row in decisions])
    # One more than is shown, to know whether there are others without counting them.
    milestones = list(_with_context(mine).order_by("due_on", "pk")[: MOST_ROWS + 1])
    has_more = len(milestones) > MOST_ROWS
    activities = list(_activities_without_a_date(user))
    hide_unseen([*decisions, *milestones, *activities], user)
    next_steps = _next_steps(decisions)
    entries = [decision_entry(row, user, today, next_steps) for row in decisions]
    entries += [milestone_entry(row, today) for row in milestones[:MOST_ROWS]]
    entries += [_activity_entry(row) for row in activities]
    entries = _with_people(entries, user, today)
    entries.sort(key=lambda entry: entry.due_on or dt.date.max)
    shortfalls = _shortfalls(user, today)
    groups = _grouped(entries, today)
    by_partner = request.GET.get("by") == "partner"
    decided_first = [group for group in groups if group["key"] in DECISION_GROUPS]
    others = [group for group in groups if group["key"] not in DECISION_GROUPS]
    if by_partner:
        others = _by_partner([entry for group in others for entry in group["rows"]])
    context = {
        "today": today,
        "groups": [*decided_first, *others],
        "decision_rows": [(group["label"], entry) for group in decided_first for entry in group["rows"]],
        "work_groups": [_folded(group, request) for group in others if group["rows"]],
        "by_partner": by_partner,
        "leads_team": may(user, "team.view"),
        "may_register": may(user, "agreement.add"),
        "bulk_acts": MilestoneList(QueryDict(), user=user, today=today).bulk_acts,
        "total": len(entries),
        "count": mine.count() if has_more else len(milestones),
        "has_more": has_more,
        "decision_count": to_decide.count() if has_more_decisions else len(decisions),
        "has_more_decisions": has_more_decisions,
        "absent": _absent_whose_deputy_is(user, today),
        "attention": _attention(user, today) if _looks_after_units(user) else [],
        "waiting_mails": _waiting_mails(user),
        "shortfall_count": len(shortfalls),
        "shortfalls": [(one, plan_address(one)) for one in shortfalls[:MOST_SHORTFALLS]],
        "is_form_held": "held" in request.GET,
        "is_coordinator": Agreement.objects.visible_to(user).filter(coordinator=user).exists(),
    }
    return render(request, "partnerships/my_work.html", context)


def _with_context(rows: MilestoneQuerySet) -> MilestoneQuerySet:
    related = rows.select_related(
        "agreement__unit",
        "agreement__type",
        "unit",
        "owner",
        "party__organization",
        "demand__organization",
        *MILESTONE_TARGETS,
        *HONOURED,
    )
    return related.prefetch_related(PARTIES)


def _with_people(entries: list[WorkItem], user: User, today: dt.date) -> list[WorkItem]:
    people = people_to_call([entry.row for entry in entries], user, today)
    return [
        replace(entry, people=people[entry.row.pk]) if entry.is_milestone and entry.row.pk in people else entry
        for entry in entries
    ]


def _end_of_snooze(entry: WorkItem) -> dt.date:
    return (isinstance(entry.row, Milestone) and entry.row.snoozed_until) or dt.date.max


# Groups of decisions, shown before the work by date.
DECISION_GROUPS = ("approve", "accept", "decide", "note")


def _by_partner(entries: list[WorkItem]) -> list[dict[str, Any]]:
    """Group the work by partner, the one with the most urgent work first."""
    found: dict[str, list[WorkItem]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry.due_on or dt.date.max):
        found[entry.partner].append(entry)
    return [
        {"key": f"partner-{number}", "label": label, "rows": rows}
        for number, (label, rows) in enumerate(found.items(), start=1)
    ]


def _folded(group: dict[str, Any], request: UserRequest) -> dict[str, Any]:
    """Add ``lines``: the rows of a group, with equal tasks of one day as one line, and ``is_long_term`` for those to fold away."""
    equal: dict[tuple[str, dt.date | None], list[WorkItem]] = defaultdict(list)
    for entry in group["rows"]:
        equal[str(entry.row), entry.due_on].append(entry)
    opened = request.GET.getlist("open")
    lines: list[WorkItem | FoldedItems] = []
    for items in equal.values():
        if len(items) < FEWEST_FOLDED:
            lines += items
            continue
        key = items[0].key
        query = request.GET.copy()
        query.setlist("open", [one for one in opened if one != key] if key in opened else [*opened, key])
        address = f"{request.path}?{query.urlencode()}#group-{group['key']}"
        lines.append(FoldedItems(items, key, key in opened, address))
        lines += items if key in opened else []
    titles = Counter(str(entry.row) for entry in group["rows"])
    summary = name_a_few([f"{count} × {title}" if count > 1 else title for title, count in titles.items()])
    return {**group, "lines": lines, "summary": summary, "is_folded": group["key"] in ("later", "snoozed", "waiting")}


def _grouped(entries: list[WorkItem], today: dt.date) -> list[dict[str, Any]]:
    labels = {
        "approve": _("To approve"),
        "accept": _("To accept"),
        "decide": _("To answer or confirm"),
        "note": _("To note"),
        "overdue": _("Overdue"),
        "today": pgettext("group of my work", "Today"),
        "week": _("This week"),
        "month": _("Next 30 days"),
        "later": _("Later"),
        "waiting": _("Waiting for the partner or for acceptance"),
        "snoozed": _("Snoozed"),
    }
    found: dict[str, list[WorkItem]] = {key: [] for key in labels}
    for entry in entries:
        found[_group_of(entry, today)].append(entry)
    found["snoozed"].sort(key=_end_of_snooze)
    return [{"key": key, "label": label, "rows": found[key]} for key, label in labels.items()]


def _group_of(entry: WorkItem, today: dt.date) -> str:
    if entry.group:
        return entry.group
    if isinstance(entry.row, Milestone) and entry.row.is_snoozed(today):
        return "snoozed"
    if isinstance(entry.row, Milestone) and _waits_for_others(entry.row):
        return "waiting"
    if entry.due_on is None:
        return "later"
    days = (entry.due_on - today).days
    if days <= 0:
        return "overdue" if days else "today"
    return "week" if days <= WEEK_DAYS else "month" if days <= MONTH_DAYS else "later"


def _waits_for_others(milestone: Milestone) -> bool:
    """Submitted, or owed by a party that is not our own organization."""
    if milestone.status == MilestoneStatus.SUBMITTED:
        return True
    return milestone.party is not None and milestone.party.organization_id != milestone.unit.organization_id


# The step of the agreement that closes a decision, and the words of its button.
STEPS_THAT_DECIDE = {
    MilestoneKind.CONFIRM_REGISTRATION: ("confirm-signing", gettext_lazy("Confirm the signing")),
    MilestoneKind.CONFIRM_RENEWAL: ("confirm-renewal", gettext_lazy("Confirm the renewal")),
    MilestoneKind.RECORD_END: ("renew", gettext_lazy("Renew")),
}


def _next_steps(decisions: list[Milestone]) -> dict[int, ApprovalStep]:
    """Map agreements in review to the approval step that is to be recorded before they can be approved."""
    rows = [row.agreement for row in decisions if row.kind == MilestoneKind.APPROVAL]
    return next_approval_steps([row for row in rows if isinstance(row, Agreement)])


def decision_entry(
    milestone: Milestone, user: User, today: dt.date, next_steps: Mapping[int, ApprovalStep]
) -> WorkItem:
    """Return the line of what waits for the reader as a lead, with the button that decides it.

    ``next_steps`` are the approval steps that agreements in review still miss, see ``_next_steps``.
    """
    if milestone.status == MilestoneStatus.SUBMITTED:
        address = reverse("milestone_step", args=[milestone.pk, "accept"])
        back = reverse("milestone_step", args=[milestone.pk, "send_back"])
        return WorkItem(
            milestone,
            milestone.due_on,
            pgettext("verb", "Accept"),
            milestone.get_absolute_url(),
            beside=((_("Send back"), back),),
            group="accept",
            decision=Decision(address, milestone.version),
        )
    if milestone.kind == MilestoneKind.APPROVAL and isinstance(milestone.agreement, Agreement):
        return _approval_entry(milestone, milestone.agreement, user, next_steps.get(milestone.agreement.pk))
    if milestone.kind == MilestoneKind.NEW_HOLDER:
        address, page = reverse("milestone_step", args=[milestone.pk, "note"]), milestone.get_absolute_url()
        decision = Decision(address, milestone.version)
        label = str(MILESTONE_TRANSITIONS["note"].label)
        return WorkItem(milestone, milestone.due_on, label, page, group="note", decision=decision)
    entry = milestone_entry(milestone, today)
    return replace(entry, group="decide")


def _approval_entry(milestone: Milestone, agreement: Agreement, user: User, next_step: ApprovalStep | None) -> WorkItem:
    """Return the line of an agreement in review: *Approve* once each approval step is recorded, else the next step."""
    page, group = agreement.get_absolute_url(), "approve"
    if not may(user, "agreement.return", agreement):  # the office is told where no lead may decide
        hint = appoint_a_lead(milestone)
        return WorkItem(milestone, milestone.due_on, _("View"), page, group=group, hint=hint)
    addresses = {step: reverse("agreement_step", args=[agreement.pk, step]) for step in ("approve", "return")}
    beside = ((_("Return for changes"), addresses["return"]),)
    if next_step is not None:
        action = _("Record: %(step)s") % {"step": next_step}
        step = reverse("agreement_step", args=[agreement.pk, "record-approval"])
        return WorkItem(milestone, milestone.due_on, action, page, step=step, beside=beside, group=group)
    decision = Decision(addresses["approve"], agreement.version)
    action = pgettext("verb", "Approve")
    return WorkItem(milestone, milestone.due_on, action, page, beside=beside, group=group, decision=decision)


def milestone_entry(milestone: Milestone, today: dt.date) -> WorkItem:
    page = milestone.get_absolute_url()
    if milestone.status == MilestoneStatus.SUBMITTED:
        return WorkItem(milestone, milestone.due_on, act_on(milestone), f"{page}#act")
    if milestone.kind in CLOSED_BY_STEP:
        return _undecided_entry(milestone)
    beside = [(_("Reassign"), "assign")]
    if milestone.kind != MilestoneKind.PAYMENT:  # its date follows the payment
        beside.append((_("Move the due date"), "move"))
    if milestone.is_snoozed(today):
        beside.insert(0, (_("End the snooze"), "unsnooze"))
    elif last_day_of_snooze(milestone, today) > today:
        beside.insert(0, (_("Snooze"), "snooze"))
    addresses = tuple((label, reverse("milestone_step", args=[milestone.pk, step])) for label, step in beside)
    if own := _own_act(milestone):
        label, act_page = own
        done = (act_on(milestone), _step_address(milestone))
        return WorkItem(milestone, milestone.due_on, label, act_page, beside=(done, *addresses))
    if milestone.kind == MilestoneKind.NEW_LIAISON:  # its page asks about each party: too long to open in the line
        people = reverse("agreement_step", args=[milestone.agreement_id, "people"])
        return WorkItem(milestone, milestone.due_on, act_on(milestone), people, beside=addresses)
    return WorkItem(milestone, milestone.due_on, act_on(milestone), f"{page}#act", _step_address(milestone), addresses)


def _own_act(milestone: Milestone) -> tuple[str, str] | None:
    """Return the act that settles what is derived from a demand, a term or an honour, and the page where it is done."""
    if milestone.kind == MilestoneKind.DEMAND_DEADLINE and isinstance(milestone.demand, Demand):
        return pgettext("verb", "Answer"), milestone.demand.get_absolute_url()
    if milestone.kind == MilestoneKind.DECISION_DATE and isinstance(milestone.agreement, Agreement):
        return pgettext("verb", "Decide"), f"{milestone.agreement.get_absolute_url()}#decision"
    if milestone.kind == MilestoneKind.HONOUR_LAPSE and isinstance(milestone.honour, Honour):
        return pgettext("verb", "Renew"), milestone.honour.get_absolute_url()
    return None


def _undecided_entry(milestone: Milestone) -> WorkItem:
    """Return the line of what is closed on the page of its record; an answer can also be given to somebody."""
    if milestone.kind in STEPS_THAT_DECIDE and milestone.agreement_id:
        step, label = STEPS_THAT_DECIDE[MilestoneKind(milestone.kind)]
        page = reverse("agreement_step", args=[milestone.agreement_id, step])
        beside = ((_("View"), milestone.get_absolute_url()),)
        return WorkItem(milestone, milestone.due_on, str(label), page, beside=beside)
    if milestone.kind in AGREEMENT_STEP_KINDS and isinstance(milestone.agreement, Agreement):
        return _agreement_step_entry(milestone, milestone.agreement)
    if milestone.kind != MilestoneKind.ANSWER or milestone.demand is None:
        return WorkItem(milestone, milestone.due_on, _("View"), milestone.get_absolute_url())
    assign = reverse("milestone_step", args=[milestone.pk, "assign"])
    beside = ((_("Reassign"), assign),)
    page = milestone.demand.get_absolute_url()
    return WorkItem(milestone, milestone.due_on, pgettext("verb", "Answer"), page, beside=beside)


def _agreement_step_entry(milestone: Milestone, agreement: Agreement) -> WorkItem:
    """Return the line of a draft to revise or a signing to record; only a lead or the office may record the latter."""
    assign = (_("Reassign"), reverse("milestone_step", args=[milestone.pk, "assign"]))
    page = agreement.get_absolute_url()
    if milestone.kind == MilestoneKind.SIGNING:
        return WorkItem(milestone, milestone.due_on, _("View"), page, beside=(assign,))
    submit = str(AGREEMENT_TRANSITIONS["submit"].label), reverse("agreement_step", args=[agreement.pk, "submit"])
    # The page begins with the reason of the return.
    revise = pgettext("verb", "Revise")
    return WorkItem(milestone, milestone.due_on, revise, f"{page}#returned", beside=(submit, assign))


def _step_address(milestone: Milestone) -> str:
    by_activity = DONE_BY_ACTIVITY.get(MilestoneKind(milestone.kind))
    if by_activity:
        return reverse("activity_step", args=[milestone.activity_id, by_activity])
    payment = payment_of(milestone)
    if payment is not None:
        return reverse("payment_receive", args=[payment])
    own = "submit" if milestone.requires_acceptance else "meet"
    return reverse("milestone_step", args=[milestone.pk, "log" if milestone.kind == LOGGED else own])


def _activity_entry(activity: Activity) -> WorkItem:
    is_postponed = activity.status == ActivityStatus.POSTPONED
    action = _("Plan again") if is_postponed else pgettext("verb", "Complete")
    page = reverse("activity_step", args=[activity.pk, "replan" if is_postponed else "complete"])
    return WorkItem(activity, activity.planned_end, action, page, page)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def milestone_undo(request: UserRequest, pk: int) -> HttpResponse:
    """Undo what was just done; where scripts run, the line of my work comes back."""
    milestone = visible_or_404(_with_context(Milestone.objects.all()), request, pk)
    require_or_403(request.user, "milestone.act", milestone)
    form = UndoForm(request.POST or None, row=milestone, today=office_today(milestone))
    if not request.htmx or request.method != "POST":
        return form_page(request, milestone, form, title=_("Take it back"), done=_("Taken back."))
    if form.is_valid() and form.apply(request.user) is not None:
        fresh = _with_context(Milestone.objects.visible_to(request.user)).filter(pk=pk).first()
        hide_unseen([fresh] if fresh else [], request.user)
        today = timezone.localdate()
        [entry] = _with_people([milestone_entry(fresh, today)], request.user, today) if fresh else [None]
        context = {"entry": entry, "today": today, "is_back": True}
        return render(request, "partnerships/_work_row.html", context)
    return render(request, "partnerships/_undo_failed.html", {"form": form, "row": milestone})


NEXT_STEPS = {
    MilestoneKind.NEXT_CONTACT: gettext_lazy("Log a call"),
    MilestoneKind.STARTING_ACTIVITY: pgettext_lazy("verb", "Start"),
    MilestoneKind.UNFINISHED_ACTIVITY: pgettext_lazy("verb", "Complete"),
    MilestoneKind.PAYMENT: gettext_lazy("Record what was received"),
    MilestoneKind.NEW_LIAISON: gettext_lazy("Name the liaison"),
}


def act_on(milestone: Milestone) -> str:
    """Return the next step of a milestone, in a word or two for a button."""
    if milestone.status == MilestoneStatus.SUBMITTED:
        return _("View")
    own = _("Submit") if milestone.requires_acceptance else _("Mark as done")
    return str(NEXT_STEPS.get(MilestoneKind(milestone.kind), own))


def _activities_without_a_date(user: User) -> QuerySet:
    """Activities for which no milestone asks: without an end, or postponed."""
    asked = Milestone.objects.pending().filter(activity=OuterRef("pk"))
    rows = Activity.objects.visible_to(user).unfinished().filter(~Exists(asked), owner=user)
    related = rows.select_related("agreement__unit", "unit", "owner").prefetch_related(PARTIES)
    return related.order_by("starts_on", "pk")[:MOST_ACTIVITIES]


def _absent_whose_deputy_is(user: User, today: dt.date) -> QuerySet:
    return User.objects.filter(deputy=user, absent_from__lte=today, absent_until__gte=today, is_active=True)


def _waiting_mails(user: User) -> dict[str, object]:
    """Count the mails about what the person looks after that failed, are uncertain or held, with the list of exactly these."""
    count = Delivery.objects.needing_attention().tended_by(user).count()
    return {"count": count, "url": f"{reverse('mail_list')}?status=waiting&looked_after=yes"}


def _shortfalls(user: User, today: dt.date) -> list[Shortfall]:
    """Return the promises of agreements the person looks after that are about to be missed, the most urgent first."""
    mine = Agreement.objects.followed_up_by(user).filter(coordinator=user)
    return shortfalls_of(mine.select_related("unit").prefetch_related(PARTIES_OF_AGREEMENT), user, today=today)


def _looks_after_units(user: User) -> bool:
    return user.sees_all_units or user.scope.has(Role.LEAD)


def _attention(user: User, today: dt.date) -> list[dict[str, object]]:
    """Return counts over all the user sees; each links to the list it was counted from."""
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
            "label": _("unassigned milestones"),
            "count": milestones.orphaned().count(),
            "url": f"{milestone_list}?orphaned=yes",
        },
        {
            "label": _("unassigned agreements"),
            "count": agreements.orphaned().count(),
            "url": f"{agreement_list}?orphaned=yes",
        },
        {
            "label": _("e-mails needing action"),
            "count": Delivery.objects.visible_to(user).needing_attention().count(),
            "url": f"{reverse('mail_list')}?status=waiting",
        },
        {
            "label": _("agreements without contact"),
            "count": quiet_agreements(agreements, today).count(),
            "url": reverse("quiet"),
        },
    ]
