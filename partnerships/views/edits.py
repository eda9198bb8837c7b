"""The page of a form that keeps a row: saved at once, or refused with mine, theirs and the original side by side."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.forms.activities import ActivityForm
from partnerships.forms.column_sets import ColumnSetForm
from partnerships.forms.consequences import add_consequences, edit_message, milestone_states
from partnerships.forms.documents import DocumentEditForm
from partnerships.forms.lines import FormWithLines, is_shown_again
from partnerships.models import (
    Achievement,
    Activity,
    Agreement,
    Citation,
    ColumnSet,
    Contact,
    Demand,
    Document,
    Event,
    Facility,
    Honour,
    Organization,
    Payment,
    Programme,
    Report,
    User,
)
from partnerships.requests import UserRequest
from partnerships.texts import LazyText

# The forms of a row with a version; each has apply(actor).
EditForm = FormWithLines | ActivityForm | ColumnSetForm | DocumentEditForm
EditedRow = (
    Agreement
    | Activity
    | Organization
    | ColumnSet
    | Contact
    | Payment
    | Event
    | Document
    | Demand
    | Facility
    | Honour
    | Achievement
    | Programme
    | Report
    | Citation
)


def edit_page(
    request: UserRequest,
    row: EditedRow | None,
    form: EditForm,
    *,
    title: LazyText,
    template: str = "edit",
    back: str = "",
    then: str = "",
) -> HttpResponse:
    """Show ``form``, which has an ``apply(actor)``; after a POST that is accepted, go to the page of what it kept.

    ``row`` is what it changes, or what a new row belongs to; ``back`` the address it is left to, the row's without it;
    ``then`` the one that it leads to where what it kept has no page.
    """
    if is_shown_again(request.POST):
        form.hide_errors()
    elif request.method == "POST":
        # Validation locks the row to compare its version; the lock has to last until the row is saved.
        with transaction.atomic():
            before = milestone_states(row, request.user)
            saved = form.apply(request.user) if form.is_valid() else None
        if saved is not None:
            messages.success(request, _message(form, saved, request.user, before if form.instance == row else None))
            return redirect(then or saved.get_absolute_url())
    if row is not None:
        back = back or row.get_absolute_url()
    return _shown(request, row, form, {"title": title, "back": back}, template)


def _message(form: EditForm, saved: EditedRow, user: User, before: set[tuple[object, ...]] | None) -> str:
    """Return the message after ``saved`` was added, or after an edit that found its milestones in the state ``before``."""
    if before is None:
        return add_consequences(_("Saved."), saved, user, now=timezone.now())
    return edit_message(form.changed_labels, saved, user, before=before, now=timezone.now())


def _shown(
    request: UserRequest, row: EditedRow | None, form: EditForm, context: dict[str, object], template: str
) -> HttpResponse:
    if form.conflict:
        formsets = getattr(form, "formsets", ())
        form.conflict.describe(form, formsets, reader=request.user)
        form.conflict.take_over(form, formsets)
    context |= {"row": row, "form": form, "conflict": form.conflict}
    return render(request, f"partnerships/{template}.html", context, status=409 if form.conflict else 200)
