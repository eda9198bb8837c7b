"""The confirm page of a step: GET asks, POST calls the verb, a refusal stands beside what was typed."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from partnerships.forms.steps import StepOffer, step_form, step_offers
from partnerships.views.base import require_or_403

# Steps that ask for nothing but their date: a click is enough where the day is today.
DATE_ALONE = frozenset({"start"})


def step_page(request: HttpRequest, row: Any, name: str, *, back: str = "") -> HttpResponse:
    """The page of one step of a transition table. 404 for a step that does not exist, 403 for whoever may not.

    ``back`` is the address it leads to when done or left, the row's own page without it.
    """
    try:
        form = step_form(row, name, today=timezone.localdate(), data=request.POST or None)
    except KeyError as error:
        raise Http404(f"no step {name}") from error
    require_or_403(request.user, form.transition.permission, row)
    if request.method != "POST" and row.status not in form.transition.sources:
        return impossible(request, row, form.transition.label)
    done = _("Done: %(step)s.") % {"step": form.transition.label}
    return form_page(request, row, form, title=form.transition.label, done=done, back=back)


def form_page(
    request: HttpRequest, row: Any, form: Any, *, title: Any, done: str, back: str = "", **apply: Any
) -> HttpResponse:
    """Shows ``form`` about ``row``; after a POST that is accepted, goes ``back`` or to the row's page with a message."""
    is_stale = False
    if request.method == "POST":
        if form.is_valid() and form.apply(request.user, **apply) is not None:
            messages.success(request, done)
            return redirect(back or row.get_absolute_url())
        row.refresh_from_db()
        is_stale = request.POST.get("version") not in (None, str(row.version))
    if is_stale:
        # What was typed stays; sent again it is meant for the row as the person has now seen it.
        form.data = form.data.copy()
        form.data["version"] = str(row.version)
    context = {"form": form, "row": row, "title": title, "is_stale": is_stale, "today": timezone.localdate()}
    context["back"] = back or row.get_absolute_url()
    return render(request, "partnerships/step.html", context, status=409 if is_stale else 200)


def impossible(request: HttpRequest, row: Any, label: Any) -> HttpResponse:
    """The page that says why ``label`` cannot be done with ``row`` now."""
    return render(request, "partnerships/step_impossible.html", {"row": row, "title": label}, status=409)


def grouped_offers(row: Any, user: Any) -> dict[str, list[StepOffer]]:
    """What can be done now: ``open`` to this person, ``refused`` with the reason, ``corrections`` open to them."""
    offers = step_offers(row, user)
    return {
        "open": [offer for offer in offers if offer.is_open and not offer.transition.is_correction],
        "refused": [offer for offer in offers if not offer.is_open and not offer.transition.is_correction],
        "corrections": [offer for offer in offers if offer.is_open and offer.transition.is_correction],
    }
