"""The admin for the office's staff, for leads within their units, and for administrators of accounts."""

from partnerships.admin import (
    activities,
    agreements,
    demands,
    documents,
    events,
    facilities,
    figures,
    honours,
    milestones,
    organizations,
    payments,
    programmes,
    reference,
    reminders,
    sources,
    users,
)

__all__ = [
    "activities",
    "agreements",
    "demands",
    "documents",
    "events",
    "facilities",
    "figures",
    "honours",
    "milestones",
    "organizations",
    "payments",
    "programmes",
    "reference",
    "reminders",
    "sources",
    "users",
]
