"""Decisions that are pending in the scope of the overview: how many of each kind, and the most pressing with their buttons."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import NamedTuple

from django.db.models import Count, Q
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, npgettext, pgettext, pgettext_lazy

from partnerships.forms.terms import TERM_VERBS, TermVerb
from partnerships.lists.cells import partner_names
from partnerships.lists.demands import DemandList
from partnerships.lists.filters import ListFilterSet
from partnerships.lists.milestones import PARTIES as PARTIES_OF_MILESTONE
from partnerships.lists.milestones import MilestoneList
from partnerships.models import Agreement, ApprovalStep, Demand, Milestone, MilestoneKind, User, hide_unseen
from partnerships.models.approvals import next_approval_steps
from partnerships.models.milestones import MilestoneQuerySet
from partnerships.permissions import may
from partnerships.reports.drawing import chart_day, grouped
from partnerships.statuses import DemandStatus, MilestoneStatus
from partnerships.views.my_work import Decision, WorkItem, act_on, decision_entry

# Rows as the page opens, and once all are asked for.
SHOWN, MOST_SHOWN = 6, 100
# A decision date so near is marked.
SOON_DAYS = 14
RELATED = (
    "agreement__unit",
    "agreement__type",
    "unit",
    "owner",
    "organization",
    "party__organization",
    "demand__organization",
)
# Kinds that may wait for the office or a lead, beside decision dates.
WAITING_KINDS: Mapping[str, tuple[Promise, MilestoneKind]] = {
    "confirm": (gettext_lazy("Confirm renewal"), MilestoneKind.CONFIRM_RENEWAL),
    "approve": (pgettext_lazy("kind of decision", "Approve"), MilestoneKind.APPROVAL),
    "registration": (gettext_lazy("Confirm signing"), MilestoneKind.CONFIRM_REGISTRATION),
    "end": (gettext_lazy("Record end"), MilestoneKind.RECORD_END),
    "answer": (pgettext_lazy("kind of decision", "Answer"), MilestoneKind.ANSWER),
}
# Acts that record a decision about a term.
TERM_ACTS = frozenset({"confirm-renewal", "renew", "notice"})


class DecisionCount(NamedTuple):
    """A kind of decision, how many of it are pending, and their list."""

    label: str
    number: int
    address: str


class DecisionButton(NamedTuple):
    """A button of a line: ``step`` is the form that opens in the line, ``decision`` is taken at once."""

    label: str
    page: str
    step: str = ""
    decision: Decision | None = None


@dataclass(frozen=True)
class DecisionLine:
    """One pending decision: the partner, what is to be decided, when or since when, and the buttons of the reader."""

    row: Milestone | Demand
    partner: str
    about: str
    page: str
    when: str
    day: dt.date
    is_soon: bool
    buttons: list[DecisionButton]

    @property
    def key(self) -> str:
        return f"{self.row._meta.model_name}-{self.row.pk}"


@dataclass(frozen=True)
class Decisions:
    """``total`` counts each once; a proposal to accept is also a decision date."""

    counts: list[DecisionCount]
    lines: list[DecisionLine]
    total: int


def pending_decisions(
    user: User, scope: Mapping[str, str], today: dt.date, *, decide_until: dt.date, shows_all: bool = False
) -> Decisions:
    """Return what is to be decided in the scope: decision dates up to ``decide_until``, and all that waits for a decision.

    ``scope`` are the parameters that narrow the overview; the lists that the counts lead to take them as well.
    """
    most = MOST_SHOWN if shows_all else SHOWN
    milestones = _milestones(user, scope, today, decide_until)
    rows = list(
        milestones.rows.select_related(*RELATED)
        .prefetch_related(PARTIES_OF_MILESTONE, "agreement__terms")
        .order_by("due_on", "pk")[:most]
    )
    demands, released = _released_demands(user, scope, today, most)
    hide_unseen([*rows, *demands], user)
    in_review = [row.agreement for row in rows if row.kind == MilestoneKind.APPROVAL]
    next_steps = next_approval_steps([row for row in in_review if isinstance(row, Agreement)])
    lines = [_milestone_line(row, user, today, next_steps) for row in rows]
    lines += [_demand_line(row, user, today) for row in demands]
    lines.sort(key=lambda line: line.day)
    counts = [one for one in (*milestones.counts, released) if one.number]
    return Decisions(counts, lines[:most], milestones.total + released.number)


def _narrowed(filterset: type[ListFilterSet], scope: Mapping[str, str]) -> dict[str, str]:
    """Return those parameters of the scope that a list can be narrowed by, under the names it gives them."""
    names = {"programme": "of_programme"} if "of_programme" in filterset.base_filters else {}
    asked = {names.get(name, name): value for name, value in scope.items()}
    return {name: value for name, value in asked.items() if name in filterset.base_filters}


def _query(parameters: Mapping[str, str]) -> QueryDict:
    return QueryDict(urlencode(parameters))


class PendingMilestones(NamedTuple):
    """The milestones that are decisions, as the list finds them, with the number of each kind and of all."""

    rows: MilestoneQuerySet
    counts: list[DecisionCount]
    total: int


def _milestones(user: User, scope: Mapping[str, str], today: dt.date, decide_until: dt.date) -> PendingMilestones:
    narrowed = _narrowed(MilestoneList.filterset_class, scope)
    until = {"kind": MilestoneKind.DECISION_DATE.value, "due_until": decide_until.isoformat()}
    kinds = {
        "decide": (_("Renew or end"), until, Q(kind=MilestoneKind.DECISION_DATE, due_on__lte=decide_until)),
        **{key: (str(label), {"kind": kind.value}, Q(kind=kind)) for key, (label, kind) in WAITING_KINDS.items()},
        "accept": (
            pgettext("kind of decision", "Accept"),
            {"status": MilestoneStatus.SUBMITTED.value},
            Q(status=MilestoneStatus.SUBMITTED),
        ),
    }
    any_kind = reduce(or_, (condition for _label, _asked, condition in kinds.values()))
    pending = MilestoneList(_query(narrowed), user=user, today=today).filterset.qs
    counted = {key: Count("pk", filter=condition) for key, (_label, _asked, condition) in kinds.items()}
    found = pending.order_by().aggregate(**counted, total=Count("pk", filter=any_kind))
    address = reverse("milestone_list")
    counts = [
        DecisionCount(label, found[key], f"{address}?{urlencode(asked | narrowed)}")
        for key, (label, asked, _condition) in kinds.items()
    ]
    return PendingMilestones(pending.filter(any_kind), counts, found["total"])


def _released_demands(
    user: User, scope: Mapping[str, str], today: dt.date, most: int
) -> tuple[list[Demand], DecisionCount]:
    """Return the demands that no unit was asked to answer yet; none where the scope is one of agreements alone."""
    label = _("Ask units")
    narrowed = _narrowed(DemandList.filterset_class, scope) | {"status": DemandStatus.RELEASED.value}
    if set(scope) & {"type", "area"}:
        return [], DecisionCount(label, 0, "")
    rows = DemandList(_query(narrowed), user=user, today=today).filterset.qs
    found = list(rows.select_related("organization", "unit").order_by("released_on", "pk")[: most + 1])
    count = rows.count() if len(found) > most else len(found)
    return found[:most], DecisionCount(label, count, f"{reverse('demand_list')}?{urlencode(narrowed)}")


def _milestone_line(row: Milestone, user: User, today: dt.date, next_steps: Mapping[int, ApprovalStep]) -> DecisionLine:
    agreement = row.agreement if isinstance(row.agreement, Agreement) else None
    whose = row.organization or getattr(row.demand, "organization", None) or row.unit
    since = _waiting_since(row, agreement)
    when = chart_day(row.due_on, today) if since is None else _days_waited(since, today)
    return DecisionLine(
        row,
        partner=partner_names(agreement) or str(whose),
        about=_about(row, agreement, today),
        page=agreement.get_absolute_url() if agreement else row.get_absolute_url(),
        when=when,
        day=row.due_on,
        is_soon=since is None and (row.due_on - today).days <= SOON_DAYS,
        buttons=list(_buttons(row, agreement, user, today, next_steps)),
    )


def _waiting_since(row: Milestone, agreement: Agreement | None) -> dt.date | None:
    """Return the day since when a decision has been waiting; None of a decision date, which is a day to keep."""
    if row.status == MilestoneStatus.SUBMITTED or row.kind == MilestoneKind.DECISION_DATE:
        return None
    if row.kind == MilestoneKind.APPROVAL and agreement and agreement.submitted_on:
        return agreement.submitted_on
    return row.due_on


def _days_waited(since: dt.date, today: dt.date) -> str:
    days = (today - since).days
    if days <= 0:
        return _("today")
    return npgettext("waiting", "%(days)s day", "%(days)s days", days) % {"days": grouped(days)}


def _about(row: Milestone, agreement: Agreement | None, today: dt.date) -> str:
    """Return what is to be decided, in a few words."""
    if row.kind == MilestoneKind.ANSWER:
        return _("Demand: %(title)s") % {"title": row.demand}
    if agreement is None or (row.status == MilestoneStatus.SUBMITTED and row.kind != MilestoneKind.DECISION_DATE):
        return str(row)
    if row.kind == MilestoneKind.DECISION_DATE and agreement.current_ends_on:
        names = {"title": agreement, "day": chart_day(agreement.current_ends_on, today)}
        return _("%(title)s, ends %(day)s") % names
    words = {
        MilestoneKind.CONFIRM_RENEWAL: _("%(title)s, renewed since %(day)s, not confirmed"),
        MilestoneKind.APPROVAL: _("%(title)s, draft"),
        MilestoneKind.CONFIRM_REGISTRATION: _("%(title)s, signing to confirm"),
        MilestoneKind.RECORD_END: _("%(title)s, ended %(day)s"),
    }
    form = words.get(MilestoneKind(row.kind), "%(title)s")
    ended_on = agreement.current_ends_on or row.due_on
    day = row.due_on if row.kind == MilestoneKind.CONFIRM_RENEWAL else ended_on
    return str(form) % {"title": agreement, "day": chart_day(day, today)}


def _buttons(
    row: Milestone, agreement: Agreement | None, user: User, today: dt.date, next_steps: Mapping[int, ApprovalStep]
) -> Iterator[DecisionButton]:
    """Return what the reader may do about a decision; nothing for those who only read."""
    if row.status == MilestoneStatus.SUBMITTED:
        if may(user, "milestone.accept", row):
            yield from _of_item(decision_entry(row, user, today, next_steps))
    elif row.kind == MilestoneKind.ANSWER:
        if row.demand and may(user, "milestone.act", row):
            yield DecisionButton(pgettext("verb", "Answer"), row.demand.get_absolute_url())
    elif agreement is None:
        return
    elif row.kind == MilestoneKind.APPROVAL:
        is_excluded = user.pk in (row.excluded_ids or ())
        if not is_excluded and may(user, "agreement.return", agreement):
            yield from _of_item(decision_entry(row, user, today, next_steps), most=1)
    elif row.kind == MilestoneKind.CONFIRM_REGISTRATION:
        if may(user, "agreement.confirm_signing", agreement):
            page = reverse("agreement_step", args=[agreement.pk, "confirm-signing"])
            yield DecisionButton(pgettext("verb", "Confirm"), page)
    else:
        yield from _about_terms(row, agreement, user, today)


def _about_terms(row: Milestone, agreement: Agreement, user: User, today: dt.date) -> Iterator[DecisionButton]:
    """Return the acts that renew an agreement or let it end."""
    verbs = set()
    if may(user, TermVerb.permission, agreement):
        verbs = {verb.name for verb in TERM_VERBS if verb.name in TERM_ACTS and verb.fits(agreement, today)}

    def step(label: str, name: str) -> DecisionButton:
        page = reverse("agreement_step", args=[agreement.pk, name])
        return DecisionButton(label, page, page)

    if row.kind == MilestoneKind.CONFIRM_RENEWAL:
        if "confirm-renewal" in verbs:
            yield step(pgettext("verb", "Confirm"), "confirm-renewal")
        return
    if "renew" in verbs:
        yield step(pgettext("verb", "Renew"), "renew")
    if row.kind == MilestoneKind.RECORD_END:
        if may(user, "agreement.complete", agreement):
            yield step(pgettext("verb", "End"), "complete")
    elif "notice" in verbs:
        yield step(_("Let end"), "notice")
    elif may(user, "milestone.act", row):
        name = "submit" if row.requires_acceptance else "meet"
        page = reverse("milestone_step", args=[row.pk, name])
        label = _("Let end") if verbs else act_on(row)
        yield DecisionButton(label, page, page)


def _of_item(item: WorkItem, most: int = 2) -> list[DecisionButton]:
    """Return the buttons of a line of *My work*: the decision, and what stands beside it."""
    first = DecisionButton(item.action, item.page, item.step, item.decision)
    beside = [DecisionButton(label, address, address) for label, address in item.beside]
    return [first, *beside][:most]


def _demand_line(row: Demand, user: User, today: dt.date) -> DecisionLine:
    page = reverse("demand_step", args=[row.pk, "ask"])
    released_on = row.released_on or today
    return DecisionLine(
        row,
        partner=str(row.organization),
        about=_("Demand: %(title)s") % {"title": row},
        page=row.get_absolute_url(),
        when=_days_waited(released_on, today),
        day=released_on,
        is_soon=False,
        buttons=[DecisionButton(_("Ask units"), page, page)] if may(user, "demand.edit", row) else [],
    )
