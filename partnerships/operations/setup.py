"""Find what a new site lacks before anything can be registered, approved or reminded of."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partnerships.models import (
    AgreementType,
    CooperationArea,
    Region,
    ReminderRule,
    Role,
    Unit,
    UnitMembership,
    WorkCalendar,
)
from partnerships.texts import LazyText

# The holidays of the next year are decreed in November.
DECREED_IN = 11
LOAD_ADVICE = gettext_lazy("Add your own, or have the operator of the site run the command load_reference.")


@dataclass(frozen=True)
class SetupStep:
    """Something that is missing: what fails without it, how to add it, the page for that and the right it needs."""

    what: str
    advice: LazyText
    page: str
    action: str


def missing_setup(today: dt.date) -> Iterator[SetupStep]:
    """Return the steps that remain, in the order to take them."""
    if not AgreementType.objects.exists():
        what = _("There is no agreement type, so no agreement can be registered.")
        yield SetupStep(what, LOAD_ADVICE, "admin:partnerships_agreementtype_add", "reference.edit")
    if not CooperationArea.objects.exists():
        what = _("There is no cooperation area.")
        yield SetupStep(what, LOAD_ADVICE, "admin:partnerships_cooperationarea_add", "reference.edit")
    if not Region.objects.exists():
        yield SetupStep(_("There is no region."), LOAD_ADVICE, "admin:partnerships_region_add", "reference.edit")
    if not ReminderRule.objects.enabled().exists():
        what = _("No reminder rule is enabled, so nobody is reminded.")
        yield SetupStep(what, LOAD_ADVICE, "admin:partnerships_reminderrule_changelist", "reminder_rule.edit")
    yield from _about_calendars(today)
    if not Unit.objects.exists():
        what = _("There is no unit that an agreement could belong to.")
        advice = _("Add your office, then the units below it.")
        yield SetupStep(what, advice, "admin:partnerships_unit_add", "unit.edit")
    if not UnitMembership.objects.filter(role=Role.LEAD, user__is_active=True).exists():
        what = _("No unit has a lead, so nobody can approve an agreement.")
        advice = _("Add people, each with a role in a unit: at least one unit lead and one coordinator.")
        yield SetupStep(what, advice, "admin:partnerships_user_changelist", "role.grant")


def _about_calendars(today: dt.date) -> Iterator[SetupStep]:
    page = "admin:partnerships_workcalendar_changelist"
    calendars = list(WorkCalendar.objects.all())
    if not calendars:
        what = _("There is no calendar of working days: every holiday counts as one.")
        yield SetupStep(what, LOAD_ADVICE, page, "reference.edit")
    needed = dt.date(today.year + (today.month >= DECREED_IN), 12, 31)
    for calendar in calendars:
        if calendar.covered_until < needed:
            words = {"calendar": calendar, "day": calendar.covered_until.isoformat(), "year": needed.year}
            what = _("“%(calendar)s” is known until %(day)s only, not for %(year)s.") % words
            advice = _(
                "Add the holidays and make-up workdays when they are announced, or have the operator of the site load "
                "them with the command load_work_calendar."
            )
            yield SetupStep(what, advice, page, "reference.edit")
