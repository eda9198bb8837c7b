"""The form that deletes what was entered by mistake, and what is shown of the rows that still refer to it."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.forms.steps import VerbForm
from partnerships.models import (
    Answer,
    Citation,
    ContactNote,
    Delivery,
    Document,
    HiddenRecord,
    ReminderItem,
    User,
)
from partnerships.permissions import may
from partnerships.workflows.deletions import LONGEST_REASON, delete_record, references_to

ROWS_SHOWN = 10

# Rows that are shown by the page of another one, and the attribute that leads there.
SHOWN_ON = ("agreement", "activity", "event", "facility", "programme", "demand", "association", "organization")


class DeletionForm(VerbForm):
    reason = forms.CharField(
        label=_("Reason"), max_length=LONGEST_REASON, help_text=_("The history keeps it, with what is deleted.")
    )

    def call(self, actor: User, values: dict[str, Any]) -> bool:
        delete_record(self.row, actor=actor, today=self.today, **values)
        return True


@dataclass(frozen=True)
class References:
    """The rows of one kind that refer to a record, and the pages of those that the person may see.

    ``count`` is how many there are, or None for a person who may not see all units: it would count hidden rows, too.
    """

    label: str
    count: int | None
    pages: list[Model]


def references_shown(row: Model, user: User) -> list[References]:
    return [_shown(rows, user) for rows in references_to(row)]


def _shown(rows: QuerySet, user: User) -> References:
    names = [field.name for field in rows.model._meta.concrete_fields if field.name in SHOWN_ON]
    pages: dict[tuple[type[Model], object], Model] = {}
    for one in rows.select_related(*names).order_by("pk")[:ROWS_SHOWN]:
        page = page_of(one)
        if page is not None and _may_see(user, page):
            pages[type(page), page.pk] = page
    count = rows.count() if user.sees_all_units else None
    return References(str(rows.model._meta.verbose_name_plural), count, list(pages.values()))


def page_of(row: Any) -> Any:
    """Return the record whose page shows ``row``: itself if it has one."""
    if isinstance(row, ReminderItem):
        return row.delivery
    if isinstance(row, Document):
        return row.target
    if isinstance(row, Citation):
        return row.source
    if hasattr(row, "get_absolute_url") and not isinstance(row, Answer | ContactNote):
        return row
    return next((found for name in SHOWN_ON if (found := getattr(row, name, None)) is not None), None)


def _may_see(user: User, page: Model) -> bool:
    if isinstance(page, Delivery):
        return may(user, "delivery.view", page)
    rows: Any = type(page)._default_manager.all()
    return not isinstance(page, HiddenRecord) and rows.visible_to(user).filter(pk=page.pk).exists()
