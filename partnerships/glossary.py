"""The office's words: what each means on the pages, shown as hover help and on one page."""

from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from partnerships.texts import LazyText


class Term(NamedTuple):
    label: LazyText
    meaning: LazyText


TERMS: dict[str, Term] = {
    "activity": Term(
        _("Activity"),
        _("A training, research project, visit or other work under an agreement or with an organization."),
    ),
    "agreement": Term(_("Agreement"), _("What parties promised each other, with its status, dates and promises.")),
    "in_force": Term(
        _("In force"),
        _("Signed, within its term or an automatic renewal, and not suspended, completed or terminated on that day."),
    ),
    "to_confirm": Term(
        _("To be confirmed"), _("Renewed automatically by the calendar, and nobody has recorded the renewal yet.")
    ),
    "milestone": Term(
        _("Milestone"), _("Something with a date that a person must do. Reminders come before and after it.")
    ),
    "decision": Term(
        _("Decision deadline"),
        _(
            "The last working day on which to decide on a renewal: the end less the notice period and the time to decide."
        ),
    ),
    "notice": Term(_("Notice"), _("A party's word, given in time, that the agreement is not to be renewed.")),
    "term": Term(
        _("Term"),
        _(
            "The time from one day to another for which an agreement was made or renewed; an agreement can have several."
        ),
    ),
    "original": Term(
        _("Original document"),
        _("The signed paper: where it is kept, who borrowed it, and whether each party has its copy."),
    ),
    "taking_part": Term(
        _("Units taking part"),
        _(
            "Other units of ours that see the agreement, log contacts and deliver; the unit of the agreement manages it."
        ),
    ),
    "reminder": Term(
        _("Reminder"),
        _("A mail about a milestone, planned by the rules: how long before or after the due date, and to whom."),
    ),
    "promised": Term(
        _("Promised and delivered"),
        _(
            "How much of an area the agreement names, for a year or the term, and how much completed activities count for it."
        ),
    ),
    "without_contact": Term(
        _("Agreements without contact"),
        _("In force, signed more than 180 days ago, with no completed activity and no logged contact for 180 days."),
    ),
    "coordinator": Term(_("Coordinator"), _("The person of our office or college who looks after an agreement.")),
    "liaison": Term(_("Liaison"), _("The person at a partner to turn to first about an agreement.")),
    "holder": Term(_("Held by"), _("Units that may see an organization's details and contacts, and may edit them.")),
    "demand": Term(_("Demand"), _("Something an organization asks for; units answer it with what they can offer.")),
    "through": Term(
        _("Through"), _("The organization that brought the parties together. It signs nothing and takes no part.")
    ),
    "snooze": Term(_("Snooze"), _("No reminder comes until a day; on that day one does.")),
    "hand_over": Term(_("Hand-over"), _("Somebody's open work is given to a new owner, all at once.")),
    "sample": Term(_("Sample"), _("Invented people and records to try the product with. One command removes them.")),
}
