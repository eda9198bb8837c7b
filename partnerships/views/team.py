"""Team work: who has how much, what nobody looks after, and handing it over in one step."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms.team import HandOverForm, TeamForm, item_value
from partnerships.models import (
    Activity,
    Agreement,
    AgreementParty,
    BulkAct,
    Delivery,
    Milestone,
    Organization,
    Role,
    Unit,
    User,
    hide_unseen,
    quiet_agreements,
)
from partnerships.models.users import away_alone, left_alone, read_tree
from partnerships.models.waiting import Leads, WaitsFor
from partnerships.permissions import people_with_reminders_seen_by
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403
from partnerships.views.bulk import say_with_undo
from partnerships.workflows.handover import KINDS, HandOverResult, open_items

WEEK_DAYS, MONTH_DAYS = 7, 30
# People shown of a team; a lead of more people looks at them unit by unit.
MOST_PEOPLE = 200
# Items of one hand-over at most: each of them takes a verb, and one transaction locks them all.
MOST_ITEMS = 200
MOST_REASONS = 20


@login_required
@require_safe
def team(request: UserRequest) -> HttpResponse:
    require_or_403(request.user, "team.view")
    today = timezone.localdate()
    form = TeamForm(request.GET, user=request.user)
    unit = form.cleaned_data["unit"] if form.is_valid() else None
    units = read_tree(Unit).with_descendants([unit.pk]) if unit else None
    by_partner = request.GET.get("by") == "partner"
    shown = (
        _by_partner(request.user, units, unit, today) if by_partner else _by_person(request.user, units, unit, today)
    )
    context = {
        **shown,
        "form": form,
        "unit": unit,
        "by_partner": by_partner,
        "today": today,
        "most": MOST_PEOPLE,
        "waiting_mails": _waiting_mails(request.user, units, unit),
        "left_alone": _left_alone(request.user, units, unit, today),
    }
    return render(request, "partnerships/team/team.html", context)


def _by_person(user: User, units: set[int] | None, unit: Unit | None, today: dt.date) -> dict[str, object]:
    people = _loads(user, units, today)
    readable = set(User.objects.filter(people_with_reminders_seen_by(user)).order_by().values_list("pk", flat=True))
    rows = [
        {**_person(person, load, unit, today), "shows_reminders": person.pk in readable}
        for person, load in people[:MOST_PEOPLE]
    ]
    return {"people": rows, "people_count": len(people)}


def _by_partner(user: User, units: set[int] | None, unit: Unit | None, today: dt.date) -> dict[str, object]:
    """Return the partners with open milestones and their numbers, most overdue first; two queries."""
    waiting = _within(Milestone.objects.visible_to(user).pending(), units)
    # Milestones without an agreement that the reader sees are in no partner's list either.
    waiting = waiting.filter(agreement__in=Agreement.objects.visible_to(user).order_by().values("pk"))
    ours = Unit.objects.filter(organization__isnull=False).order_by().values("organization")
    parties = AgreementParty.objects.filter(agreement__milestones__in=waiting.order_by().values("pk"))
    week, month = (today + dt.timedelta(days=days) for days in (WEEK_DAYS, MONTH_DAYS))
    due = "agreement__milestones__due_on"
    counts = (
        parties.exclude(organization__in=ours)
        .order_by()
        .values("organization")
        .annotate(
            overdue=Count("agreement__milestones", filter=Q(**{f"{due}__lt": today}), distinct=True),
            week=Count("agreement__milestones", filter=Q(**{f"{due}__range": (today, week)}), distinct=True),
            month=Count("agreement__milestones", filter=Q(**{f"{due}__range": (today, month)}), distinct=True),
            open=Count("agreement__milestones", distinct=True),
        )
    )
    in_order = counts.order_by("-overdue", "-week", "-month", "-open", "organization")
    ranked = cast("list[dict[str, int]]", list(in_order))
    organizations = Organization.objects.in_bulk([row["organization"] for row in ranked[:MOST_PEOPLE]])
    columns: tuple[tuple[str, str, dict[str, str | int]], ...] = (
        ("overdue", _("Overdue"), {"due": "overdue"}),
        ("week", _("Due in 7 days"), {"due": "week"}),
        ("month", _("Due in 30 days"), {"due": "month"}),
        ("open", _("All open"), {}),
    )
    rows = [
        {
            "partner": organizations[row["organization"]],
            "numbers": [
                {
                    "key": key,
                    "label": label,
                    "count": row[key],
                    "url": _address("milestone_list", unit, {"partner": row["organization"], **query}),
                }
                for key, label, query in columns
            ],
        }
        for row in ranked[:MOST_PEOPLE]
    ]
    return {"partners": rows, "people_count": len(ranked)}


def _within(rows: QuerySet, units: Iterable[int] | None) -> QuerySet:
    return rows if units is None else rows.filter(unit__in=units)


def _loads(user: User, units: set[int] | None, today: dt.date) -> list[tuple[User, dict[str, int]]]:
    """Return everybody with a role or with work there and their numbers by column, most overdue first."""
    loads: dict[int, dict[str, int]] = defaultdict(dict)
    for owner, column, count in _counts(user, units, today):
        loads[owner][column] = loads[owner].get(column, 0) + count  # a lead has several rows
    members = Q(memberships__unit__in=units) if units is not None else Q(memberships__unit__in=user.scope.unit_ids)
    if units is None and user.sees_all_units:
        members = Q(memberships__isnull=False)
    # distinct(): the join with memberships repeats people who work in several units.
    people = User.objects.filter(Q(pk__in=loads) | members & Q(is_active=True)).distinct().select_related("deputy")
    ranked = [(person, loads[person.pk]) for person in people]
    # People with the same numbers stay in the order of their names.
    ranked.sort(key=lambda pair: (-pair[1].get("overdue", 0), -pair[1].get("week", 0)))
    return ranked


def _counts(user: User, units: set[int] | None, today: dt.date) -> Iterable[tuple[int, str, int]]:
    """Yield owner, column and number; seven queries, however many people there are."""
    week, month = (today + dt.timedelta(days=days) for days in (WEEK_DAYS, MONTH_DAYS))
    waiting = _within(Milestone.objects.visible_to(user).pending(), units)
    pending = waiting.filter(owner__isnull=False, waits_for=WaitsFor.OWNER)
    columns = {
        "overdue": Count("pk", filter=Q(due_on__lt=today)),
        "week": Count("pk", filter=Q(due_on__range=(today, week))),
        "month": Count("pk", filter=Q(due_on__range=(today, month))),
    }
    # Without order_by() the model's ordering would become part of the GROUP BY.
    for row in pending.order_by().values("owner").annotate(**columns):
        yield from ((row["owner"], column, row[column]) for column in columns)
    yield from _counts_of_leads(waiting.filter(waits_for=WaitsFor.LEADS), columns)
    unfinished = _within(Activity.objects.visible_to(user).unfinished().filter(owner__isnull=False), units)
    for owner, count in unfinished.order_by().values("owner").annotate(count=Count("pk")).values_list("owner", "count"):
        yield owner, "activities", count
    quiet = quiet_agreements(Agreement.objects.visible_to(user), today).filter(coordinator__isnull=False)
    by_person = _within(quiet, units).order_by().values("coordinator").annotate(count=Count("pk"))
    for coordinator, count in by_person.values_list("coordinator", "count"):
        yield coordinator, "quiet", count


def _counts_of_leads(waiting: QuerySet[Milestone], columns: Mapping[str, Count]) -> Iterable[tuple[int, str, int]]:
    """Yield lead, column and number of what waits for leads; four queries.

    Rows from which somebody is excluded are counted one by one: there are few.
    """
    leads = Leads.load()
    rows: Iterable[Mapping[str, Any]] = waiting.order_by().values("unit_id", "excluded_ids").annotate(**columns)
    for row in rows:
        for person in leads.responsible(row["unit_id"], but=row["excluded_ids"] or ()):
            yield from ((person, column, row[column]) for column in columns)


def _person(person: User, load: dict[str, int], unit: Unit | None, today: dt.date) -> dict[str, object]:
    """Return one row: each number with the address of the list it was counted from."""
    columns: tuple[tuple[str, str, str, Mapping[str, str | int]], ...] = (
        ("overdue", _("Overdue"), "milestone_list", {"waits_for": person.pk, "due": "overdue"}),
        ("week", _("Due in 7 days"), "milestone_list", {"waits_for": person.pk, "due": "week"}),
        ("month", _("Due in 30 days"), "milestone_list", {"waits_for": person.pk, "due": "month"}),
        ("activities", _("Activities"), "activity_list", {"owner": person.pk, "status": "unfinished"}),
        ("quiet", _("Agreements without contact"), "agreement_list", {"coordinator": person.pk, "quiet": "yes"}),
    )
    is_away = bool(person.absent_from and person.absent_until and person.absent_from <= today <= person.absent_until)
    return {
        "person": person,
        "is_away": is_away,
        "numbers": [
            {"key": key, "label": label, "count": load.get(key, 0), "url": _address(list_name, unit, query)}
            for key, label, list_name, query in columns
        ],
    }


def _address(list_name: str, unit: Unit | None, query: Mapping[str, str | int]) -> str:
    return f"{reverse(list_name)}?{urlencode({**query, **({'unit': unit.pk} if unit else {})})}"


def _waiting_mails(user: User, units: set[int] | None, unit: Unit | None) -> dict[str, object]:
    """Count the mails that failed, are uncertain or held, with the list of exactly these."""
    rows = Delivery.objects.visible_to(user).needing_attention()
    if units is not None:
        rows = rows.about(Milestone.objects.visible_to(user).filter(unit__in=units))
    return {"count": rows.count(), "url": _address("mail_list", unit, {"status": "waiting"})}


def _left_alone(user: User, units: set[int] | None, unit: Unit | None, today: dt.date) -> list[dict[str, object]]:
    """Return how many open items have no owner, or an absent one, by kind; kinds without any are left out."""
    lists = {
        "milestone": (_("Milestones"), "milestone_list"),
        "activity": (_("Activities"), "activity_list"),
        "agreement": (_("Agreements"), "agreement_list"),
        "facility": (_("Joint facilities"), "facility_list"),
        "demand": (_("Demands"), "demand_list"),
    }
    found: list[dict[str, object]] = []
    for name, (label, list_name) in lists.items():
        kind = KINDS[name]
        rows = _within(kind.pending(kind.model.objects.visible_to(user)), units).order_by()
        if kind.model is Milestone:
            rows = rows.filter(waits_for=WaitsFor.OWNER)
        alone, away = Count("pk", filter=left_alone(kind.person)), Count("pk", filter=away_alone(kind.person, today))
        counts = rows.aggregate(orphaned=alone, away=away)
        if any(counts.values()):
            urls = {state: _address(list_name, unit, {state: "yes"}) for state in counts}
            found.append({"label": label, **{key: {"count": counts[key], "url": urls[key]} for key in counts}})
    return found


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def team_hand_over(request: UserRequest, pk: int) -> HttpResponse:
    """Hand over the open items of one person."""
    require_or_403(request.user, "team.view")
    giver = User.objects.visible_to(request.user).filter(pk=pk).first() or _stranger_with_work(request.user, pk)
    if giver is None:
        raise Http404
    return _hand_over(request, giver)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def team_hand_over_nobody(request: UserRequest) -> HttpResponse:
    """Hand over items without an owner who can be reached."""
    require_or_403(request.user, "team.view")
    return _hand_over(request, None)


def _stranger_with_work(user: User, pk: int) -> User | None:
    """Return a person who is no colleague but looks after something that ``user`` sees."""
    person = User.objects.filter(pk=pk).first()
    if person is None or not any(rows.exists() for rows in open_items(user, person).values()):
        return None
    return person


def _hand_over(request: UserRequest, giver: User | None) -> HttpResponse:
    """List the items on GET, preview the hand-over on POST; with ``step=do`` do it and say what could not move."""
    user, outcome = request.user, None
    form = HandOverForm(request.POST or None, user=user, giver=giver)
    step = request.POST.get("step", "")
    if request.method == "POST" and step != "choose" and form.is_valid():
        outcome = form.apply(user) if step == "do" else form.preview(user)
        if outcome is not None and step == "do":
            _add_messages(request, outcome, form.cleaned_data["new_owner"])
            return redirect(request.path)
    groups, more = _groups(user, giver)
    chosen = set(request.POST.getlist("items")) if request.method == "POST" else None
    context = {
        "form": form,
        "giver": giver,
        "outcome": outcome,
        "refused": outcome.refused if outcome else [],
        "groups": groups,
        "chosen": chosen,
        "more": more,
        "to_decide": _to_decide(user, giver) if giver else 0,
        "today": timezone.localdate(),
        "undo_minutes": BulkAct.UNDO_MINUTES,
    }
    return render(request, "partnerships/team/hand_over.html", context)


def _to_decide(user: User, person: User) -> int:
    """Return how many milestones that ``user`` sees wait for ``person`` by role; one query for those without one."""
    if not person.is_staff and not person.memberships.filter(role=Role.LEAD).exists():
        return 0
    return Milestone.objects.visible_to(user).to_decide_by(person).count()


RELATED = {
    "milestone": ("agreement", "unit"),
    "activity": ("agreement", "unit"),
    "facility": ("agreement", "unit"),
    "demand": ("organization", "unit"),
    "agreement": ("unit", "type"),
}


def _groups(user: User, giver: User | None) -> tuple[list[dict[str, Any]], int]:
    """Return the items to choose from, by kind, and how many more there are."""
    labels = {
        "milestone": _("Milestones"),
        "activity": _("Activities"),
        "facility": _("Joint facilities"),
        "demand": _("Demands"),
        "agreement": _("Agreements, with those of their milestones that are theirs"),
    }
    groups, shown, total = [], 0, 0
    for kind, rows in open_items(user, giver).items():
        found = list(rows.select_related(*RELATED[kind])[: MOST_ITEMS - shown]) if shown < MOST_ITEMS else []
        count = rows.count() if shown + len(found) >= MOST_ITEMS else len(found)
        hide_unseen(found, user)
        shown, total = shown + len(found), total + count
        if found:
            items = [(item_value(kind, row), row) for row in found]
            groups.append({"key": kind, "label": labels[kind], "items": items})
    return groups, total - shown


def _add_messages(request: UserRequest, outcome: HandOverResult, new_owner: User) -> None:
    count = len(outcome.moved)
    if outcome.act is not None:
        text = ngettext("%(count)s item went to %(new_owner)s.", "%(count)s items went to %(new_owner)s.", count)
        words = f"{text % {'count': count, 'new_owner': new_owner}} {_follower_words(outcome.followed)}".strip()
        say_with_undo(request, words, outcome.act, request.path)
    for row, reason in outcome.refused[:MOST_REASONS]:
        messages.warning(request, _("“%(item)s” was not changed: %(reason)s") % {"item": row, "reason": reason})
    rest = len(outcome.refused) - MOST_REASONS
    if rest > 0:
        words = ngettext("%(count)s more item was not changed.", "%(count)s more items were not changed.", rest)
        messages.warning(request, words % {"count": rest})
    if not count and not outcome.refused:
        messages.warning(request, _("There was nothing to hand over."))


def _follower_words(followed: int) -> str:
    if not followed:
        return ""
    words = ngettext(
        "%(count)s milestone went along with what it belongs to.",
        "%(count)s milestones went along with what they belong to.",
        followed,
    )
    return words % {"count": followed}
