"""The form of a whole ceremony: saved as a draft while the person types, recorded in one step."""

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import replace_url

from partnerships.exceptions import DomainError, StaleVersion, TransitionRefused
from partnerships.forms.ceremonies import (
    BLANK_PRESENT,
    MOST_ADDED,
    SECTIONS,
    CeremonyForm,
    OpenDraftForm,
    PresentLine,
    add_lines,
    blank_ceremony,
    remove_line,
    suggest_organizations,
)
from partnerships.forms.numbers import number_or_none, row_or_none
from partnerships.models import AgreementType, CeremonyDraft, Event
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403
from partnerships.workflows import ceremonies

# Fields of the page that are not part of the draft.
NOT_KEPT = ("csrfmiddlewaretoken", "action", "key", "look", "overwrite", "version")
LONGEST_NAME = 200


@dataclass
class OpenDraft:
    """The draft a page works on, and the version it has read or saved last; 0 before the first save."""

    key: uuid.UUID
    version: int = 0

    @classmethod
    def of(cls, request: UserRequest) -> "OpenDraft":
        form = OpenDraftForm(request.POST)
        if not form.is_valid():
            return cls(uuid.uuid4())
        sent = form.cleaned_data
        return cls(sent["key"], sent["overwrite"] or sent["version"] or 0)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def event_ceremony(request: UserRequest) -> HttpResponse:
    """Show the form, with ``?draft=<key>`` that of a draft; a POST does what the button ``action`` says.

    A POST without an ``action`` comes from the script that saves the draft while the person types.
    """
    require_or_403(request.user, "event.add")
    if request.method == "POST":
        return _handle_post(request, request.POST.get("action", ""))
    draft = _draft_asked_for(request)
    if draft and draft.event:
        return redirect(draft.event.get_absolute_url())
    data = _as_post_data(draft.content) if draft else blank_ceremony(request.user)
    return _show_page(
        request, data, OpenDraft(draft.key, draft.version) if draft else OpenDraft(uuid.uuid4()), draft=draft
    )


@login_required
@require_safe
def event_ceremony_names(request: UserRequest, row: int) -> HttpResponse:
    """Suggest organizations for the name that is being typed in line ``row``."""
    require_or_403(request.user, "event.add")
    name = request.GET.get(f"present-{row}-name", "").strip()[:LONGEST_NAME]
    match = suggest_organizations(name, request.user)
    line = PresentLine(request.GET, prefix=f"present-{row}", choices=None, match=match, is_checked=False)
    return render(request, "partnerships/ceremonies/_who.html", {"line": line})


@login_required
@require_safe
def event_ceremony_drafts(request: UserRequest) -> HttpResponse:
    require_or_403(request.user, "event.add")
    drafts = CeremonyDraft.objects.of(request.user).unfinished()
    return render(request, "partnerships/ceremonies/drafts.html", {"drafts": drafts})


@login_required
@require_POST
def event_ceremony_discard(request: UserRequest, key: uuid.UUID) -> HttpResponse:
    draft = get_object_or_404(CeremonyDraft.objects.of(request.user).unfinished(), key=key)
    ceremonies.discard_draft(draft)
    messages.success(request, _("“%(name)s” is discarded.") % {"name": draft})
    return redirect("event_ceremony_drafts")


def _draft_asked_for(request: UserRequest) -> CeremonyDraft | None:
    if "draft" not in request.GET:
        return None
    try:
        key = uuid.UUID(request.GET["draft"])
    except ValueError as error:
        raise Http404 from error
    return get_object_or_404(CeremonyDraft.objects.of(request.user).select_related("event"), key=key)


def _as_post_data(content: dict[str, list[str]]) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, values in content.items():
        data.setlist(name, values)
    return data


def _handle_post(request: UserRequest, action: str) -> HttpResponse:
    data, opened = request.POST.copy(), OpenDraft.of(request)
    for name in NOT_KEPT:
        data.pop(name, None)
    if action == "record":
        return _record(request, data, opened)
    focus = _change_lines(request, data, action)
    return _save_and_show(request, data, opened, focus=focus, is_typing=not action and bool(request.htmx))


def _change_lines(request: UserRequest, data: QueryDict, action: str) -> str:
    """Add or remove lines for an action such as ``add-agreements`` or ``remove-agreements-3``.

    Returns the key of the line or section that gets the focus.
    """
    verb, _dash, what = action.partition("-")
    section, _dash, number = what.partition("-")
    if section not in SECTIONS or verb not in {"add", "remove"}:
        return ""
    if verb == "remove":
        remove_line(data, section, number)
        return section
    first = add_lines(data, section, _count(data, section), **_prefill(data, section))
    if not first:
        messages.error(request, _("Sixty lines are enough for one part; record the others as a second ceremony."))
    return first or section


def _count(data: QueryDict, section: str) -> int:
    return min(number_or_none(data.get(f"add-{section}-count", "")) or 1, MOST_ADDED)


def _prefill(data: QueryDict, section: str) -> dict[str, str]:
    """Return the first values of a new line: the kind asked for, and our side as in the last line or else the host."""
    kind = data.get(f"add-{section}-kind", "")
    ours = [data.get(f"{section}-{number}-ours", "") for number in data.getlist(section)]
    hosts = [number for number in data.getlist("present") if data.get(f"present-{number}-role") == "host"]
    named = [f"present-{number}" for number in hosts if data.get(f"present-{number}-name", "").strip()]
    side = next(filter(None, [*reversed(ours), *named]), "")
    return {
        "agreements": {"type": kind, "title": _title(kind), "ours": side},
        "facilities": {"kind": kind, "ours": side},
        "present": BLANK_PRESENT,
    }.get(section, {})


def _title(kind: str) -> str:
    """Return the usual title of an agreement of this type: the name of the type."""
    return str(row_or_none(AgreementType.objects.all(), kind) or "")


def _save_and_show(
    request: UserRequest,
    data: QueryDict,
    opened: OpenDraft,
    *,
    form: CeremonyForm | None = None,
    focus: str = "",
    is_typing: bool = False,
) -> HttpResponse:
    try:
        draft = _save_draft(request, data, opened)
    except StaleVersion as error:
        show = _show_state if is_typing else _show_page
        return show(request, data, opened, newer_version=error.current)
    except TransitionRefused:
        draft = CeremonyDraft.objects.of(request.user).select_related("event").get(key=opened.key)
        return _show_state(request, data, opened, draft=draft) if is_typing else _recorded_already(request, draft)
    if is_typing:
        return replace_url(_show_state(request, data, opened, draft=draft), draft.get_absolute_url())
    answer = _show_page(request, data, opened, draft=draft, form=form, focus=focus)
    return replace_url(answer, draft.get_absolute_url()) if request.htmx else answer


def _save_draft(request: UserRequest, data: QueryDict, opened: OpenDraft) -> CeremonyDraft:
    content = {name: [str(value) for value in values] for name, values in data.lists()}
    draft = ceremonies.save_draft(
        actor=request.user, key=opened.key, content=content, version=opened.version, now=timezone.now()
    )
    opened.version = draft.version
    return draft


def _recorded_already(request: UserRequest, draft: CeremonyDraft) -> HttpResponse:
    assert draft.event is not None  # the callers ask for drafts that were recorded
    address = draft.event.get_absolute_url()
    messages.info(request, _("This ceremony is recorded already; here it is."))
    return HttpResponse(headers={"HX-Redirect": address}) if request.htmx else redirect(address)


def _record(request: UserRequest, data: QueryDict, opened: OpenDraft) -> HttpResponse:
    """Record the ceremony; if something is refused, save the draft and show the errors at their lines."""
    recorded = CeremonyDraft.objects.of(request.user).filter(key=opened.key).exclude(event=None).first()
    if recorded:
        return _recorded_already(request, recorded)
    form = CeremonyForm(data, user=request.user, today=timezone.localdate())
    try:
        if form.is_valid() and (event := _try_to_record(request, form, opened)):
            return redirect(event.get_absolute_url())
    except StaleVersion as error:
        return _show_page(request, data, opened, newer_version=error.current)
    return _save_and_show(request, data, opened, form=form)


def _try_to_record(request: UserRequest, form: CeremonyForm, opened: OpenDraft) -> Event | None:
    ceremony = form.ceremony()
    try:
        event = ceremonies.record_ceremony(
            ceremony,
            actor=request.user,
            key=opened.key,
            version=opened.version,
            today=timezone.localdate(),
            now=timezone.now(),
        )
    except StaleVersion:
        raise
    except DomainError as error:
        form.add_refusal(error)
        return None
    messages.success(request, _("Recorded: %(what)s.") % {"what": _summary(ceremony)})
    return event


def _summary(ceremony: ceremonies.Ceremony) -> str:
    new = sum(1 for one in ceremony.present if one.kind)
    counted = (
        (len(ceremony.present), ngettext("%(count)s present", "%(count)s present", len(ceremony.present))),
        (new, ngettext("%(count)s new organization", "%(count)s new organizations", new)),
        (len(ceremony.signed), ngettext("%(count)s agreement", "%(count)s agreements", len(ceremony.signed))),
        (len(ceremony.opened), ngettext("%(count)s facility", "%(count)s facilities", len(ceremony.opened))),
        (len(ceremony.released), ngettext("%(count)s demand", "%(count)s demands", len(ceremony.released))),
        (len(ceremony.visited), ngettext("%(count)s visit", "%(count)s visits", len(ceremony.visited))),
        (len(ceremony.reported), ngettext("%(count)s figure", "%(count)s figures", len(ceremony.reported))),
    )
    parts = [_("the event"), *(words % {"count": count} for count, words in counted if count)]
    return " · ".join(parts)


def _show_state(
    request: UserRequest,
    data: QueryDict,
    opened: OpenDraft,
    *,
    draft: CeremonyDraft | None = None,
    newer_version: int | None = None,
) -> HttpResponse:
    """Answer an autosave with the time of the draft and the number of lines."""
    form = CeremonyForm(data, user=request.user, today=timezone.localdate(), is_checked=False)
    context = {
        "form": form,
        "opened": opened,
        "draft": draft,
        "newer_version": newer_version,
        "newer": _address(opened),
        "is_alone": True,
    }
    return render(request, "partnerships/ceremonies/_state.html", context)


def _address(opened: OpenDraft) -> str:
    return f"{reverse('event_ceremony')}?draft={opened.key}"


def _show_page(
    request: UserRequest,
    data: QueryDict,
    opened: OpenDraft,
    *,
    draft: CeremonyDraft | None = None,
    form: CeremonyForm | None = None,
    newer_version: int | None = None,
    focus: str = "",
) -> HttpResponse:
    form = form or CeremonyForm(data, user=request.user, today=timezone.localdate(), is_checked=False)
    form.focus_on(focus)
    unfinished = CeremonyDraft.objects.of(request.user).unfinished().exclude(key=opened.key)
    context = {
        "form": form,
        "opened": opened,
        "draft": draft,
        "newer_version": newer_version,
        "focus": focus,
        "newer": _address(opened),
        "unfinished_count": unfinished.count(),
    }
    status = 409 if newer_version and not request.htmx else 200  # a script shows an answer of 200 alone
    return render(request, "partnerships/ceremonies/form.html", context, status=status)
