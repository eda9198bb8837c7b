"""The admin for the office's staff, for leads within their units, and for administrators of accounts."""

from partnerships.admin import (
    activities,
    agreements,
    documents,
    events,
    milestones,
    organizations,
    reference,
    reminders,
    sources,
    users,
)

__all__ = [
    "activities",
    "agreements",
    "documents",
    "events",
    "milestones",
    "organizations",
    "reference",
    "reminders",
    "sources",
    "users",
]
