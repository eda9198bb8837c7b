"""The message after a change was saved: what was changed, which milestones are open now, when the next reminder is sent."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Model, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from partnerships.models import Activity, Agreement, Answer, Demand, Event, Facility, Milestone, User, hide_unseen
from partnerships.reminders.next_reminder import next_reminder
from partnerships.texts import name_all

# Milestones that are looked at for the next reminder, the soonest due first.
MOST_LOOKED_AT = 50
# Fields that the message after an edit names.
MOST_NAMED = 5
# The milestones that a row led to.
_LED_TO: Mapping[type[Model], Callable[[Any], Q]] = {
    Agreement: lambda row: Q(agreement=row.pk),
    Activity: lambda row: Q(activity=row.pk),
    Demand: lambda row: Q(demand=row.pk),
    Answer: lambda row: Q(demand=row.demand_id),
    Facility: lambda row: Q(facility=row.pk),
    Event: lambda row: (
        Q(event=row.pk)
        | Q(agreement__event=row.pk)
        | Q(activity__event=row.pk)
        | Q(facility__event=row.pk)
        | Q(demand__event=row.pk)
    ),
}


def consequences_of(row: Model, user: User, *, now: dt.datetime) -> str:
    """Return what is open after ``row`` was changed and when the next reminder is sent; empty where nothing is.

    After a milestone was closed these are the others of its agreement. Dates are computed by the code of the reminders.
    """
    rows = Milestone.objects.visible_to(user).pending()
    if isinstance(row, Milestone):
        found = rows.filter(pk=row.pk)
        if row.agreement_id and not found.exists():
            found = rows.filter(agreement=row.agreement_id)
    elif led_to := _LED_TO.get(row._meta.concrete_model or type(row)):
        found = rows.filter(led_to(row))
    else:
        return ""
    milestones = list(found.select_related("agreement").order_by("due_on", "pk"))
    if not milestones:
        return ""
    reminder = next_reminder(milestones[:MOST_LOOKED_AT], now=now)
    hide_unseen(milestones, user)
    words = _milestones_in_words(milestones, now.year, about=row)
    if reminder is None:
        return pgettext("consequences", "%(milestones)s.") % {"milestones": words}
    return _("%(milestones)s; next reminder on %(date)s.") % {"milestones": words, "date": _day(reminder, now.year)}


def milestone_states(row: Model | None, user: User) -> set[tuple[object, ...]]:
    """Return what an edit of ``row`` may change of the milestones it led to; compare it before and after the edit."""
    led_to = _LED_TO.get(row._meta.concrete_model or type(row)) if row is not None else None
    if led_to is None:
        return set()
    rows = Milestone.objects.visible_to(user).pending().filter(led_to(row))
    return set(rows.values_list("pk", "due_on", "owner"))


def edit_message(
    changed: Sequence[str], row: Model, user: User, *, before: set[tuple[object, ...]], now: dt.datetime
) -> str:
    """Return the message after an edit: the labels of what was ``changed``, and what became of the milestones.

    ``before`` are the states of the milestones as they were.
    """
    if not changed:
        return _("Saved.")
    has_more = len(changed) > MOST_NAMED
    words = _("Saved: %(changed)s and more.") if has_more else _("Saved: %(changed)s.")
    done = words % {"changed": name_all(changed[:MOST_NAMED])}
    count = len({state[0] for state in before ^ milestone_states(row, user)})
    if not count:
        return done
    also = ngettext("%(count)s milestone changed with it.", "%(count)s milestones changed with it.", count)
    done = pgettext("two sentences", "%(first)s %(second)s") % {"first": done, "second": also % {"count": count}}
    return add_consequences(done, row, user, now=now)


def add_consequences(done: str, row: Model, user: User, *, now: dt.datetime) -> str:
    """Return the message ``done`` with the consequences of the change."""
    follows = consequences_of(row, user, now=now)
    return pgettext("two sentences", "%(first)s %(second)s") % {"first": done, "second": follows} if follows else done


def _milestones_in_words(milestones: list[Milestone], year: int, *, about: Model) -> str:
    first = milestones[0]
    if first == about:
        return _("Due on %(date)s") % {"date": _day(first.due_on, year)}
    if len(milestones) == 1:
        named = {"title": first.display_title, "date": _day(first.due_on, year)}
        return _("“%(title)s” is due on %(date)s") % named
    words = ngettext(
        "%(count)s open milestone, the first due on %(date)s",
        "%(count)s open milestones, the first due on %(date)s",
        len(milestones),
    )
    return words % {"count": len(milestones), "date": _day(first.due_on, year)}


def _day(day: dt.date, year: int) -> str:
    """Return the day as in a sentence, with the year where it is another one."""
    return date_format(
        day, pgettext("date in a sentence", "M j") if day.year == year else pgettext("date in a sentence", "M j, Y")
    )
