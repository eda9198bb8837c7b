"""The definition of each figure in one sentence, as the pages and reports show it; ``docs/figures.md`` has the whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from partnerships.texts import LazyText


@dataclass(frozen=True)
class FigureDefinition:
    """The name of a figure and the sentence that says what it counts."""

    name: LazyText
    text: LazyText


DEFINITIONS: Mapping[str, FigureDefinition] = {
    "in_force": FigureDefinition(
        _("In force"),
        _("Signed, within a term or its automatic renewals, and not suspended, completed or terminated on that day."),
    ),
    "renewals_to_confirm": FigureDefinition(
        _("Renewal to confirm"), _("In force by an automatic renewal that nobody has recorded yet.")
    ),
    "in_contact": FigureDefinition(
        _("In contact"),
        _("In force, and signed, with an activity completed or a contact noted within the last 180 days."),
    ),
    "without_contact": FigureDefinition(
        _("Without contact"),
        _("In force, and neither signed nor contacted within the last 180 days; planned activities do not count."),
    ),
    "to_decide": FigureDefinition(
        _("To decide"), _("Open decision dates that are due by the end of the month after the next three.")
    ),
    "signed": FigureDefinition(
        _("Signed"), _("Agreements signed in the period up to the day, whatever became of them later.")
    ),
    "ended": FigureDefinition(
        _("Ended"), _("Agreements completed or terminated, or whose last term was over without a renewal.")
    ),
    "activities": FigureDefinition(
        _("Activities"), _("Activities completed in the month, by the day of their completion.")
    ),
    "delivered": FigureDefinition(
        _("Delivered of promised"),
        _(
            "What agreements that ran in the period promised for it, and how much of that was delivered by the day. What was "
            "promised over a term counts in each period of the term. Deliveries beyond a promise do not count."
        ),
    ),
    "overdue": FigureDefinition(_("Overdue"), _("Milestones that are still to be done and were due before the day.")),
    "unassigned": FigureDefinition(
        _("Unassigned"), _("Agreements not closed, without a coordinator who is active and has an e-mail address.")
    ),
    "coming": FigureDefinition(
        _("Next 12 months"),
        _(
            "Open decision dates of agreements, and the ends of agreements in force about which nothing is left to decide."
        ),
    ),
    "people": FigureDefinition(
        _("Load by person"), _("Open milestones by owner that are overdue or due within the next 30 days.")
    ),
    "regions": FigureDefinition(
        _("By region"),
        _("Agreements in force with a partner in the region; one with partners in two regions counts in both."),
    ),
    "units": FigureDefinition(
        _("By unit"), _("Agreements of a unit and those below it; the last row adds up the units that are not shown.")
    ),
    "year_ago": FigureDefinition(
        _("A year ago"),
        _(
            "The same figure on the same day a year before, by the dates on record now; of agreements signed, the period "
            "before until that day."
        ),
    ),
}
