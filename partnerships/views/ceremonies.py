"""The one form of a whole ceremony: typed in any order, kept as one types, recorded in one step."""

import uuid
from dataclasses import dataclass

from django import forms
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
    PresentLine,
    add_lines,
    blank_ceremony,
    remove_line,
    who_may_be,
)
from partnerships.forms.numbers import number_or_none, row_or_none
from partnerships.models import AgreementType, CeremonyDraft, Event
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403
from partnerships.workflows import ceremonies

# What the page needs beside its fields; none of it is kept in the draft.
OF_THE_PAGE = ("csrfmiddlewaretoken", "action", "key", "look", "overwrite", "version")
LONGEST_NAME = 200


class OpenDraftForm(forms.Form):
    """The draft that a page names. ``overwrite`` is the newer version that a warning named and the person gives up."""

    key = forms.UUIDField()
    version = forms.IntegerField(required=False)
    overwrite = forms.IntegerField(required=False)


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
    """``?draft=<key>`` goes on with what was kept.

    A POST says in ``action`` what its button is for; without one a script keeps what is being typed.
    """
    require_or_403(request.user, "event.add")
    if request.method == "POST":
        return _act(request, request.POST.get("action", ""))
    draft = _draft_asked_for(request)
    if draft and draft.event:
        return redirect(draft.event.get_absolute_url())
    data = _as_data(draft.content) if draft else blank_ceremony(request.user)
    return _page(request, data, OpenDraft(draft.key, draft.version) if draft else OpenDraft(uuid.uuid4()), draft=draft)


@login_required
@require_safe
def event_ceremony_names(request: UserRequest, row: int) -> HttpResponse:
    """Which organizations the name in line ``row`` may mean, while one types it."""
    require_or_403(request.user, "event.add")
    name = request.GET.get(f"present-{row}-name", "").strip()[:LONGEST_NAME]
    who = who_may_be(name, request.user)
    line = PresentLine(request.GET, prefix=f"present-{row}", choices=None, who=who, is_checked=False)
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


def _as_data(content: dict[str, list[str]]) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, values in content.items():
        data.setlist(name, values)
    return data


def _act(request: UserRequest, action: str) -> HttpResponse:
    data, opened = request.POST.copy(), OpenDraft.of(request)
    for name in OF_THE_PAGE:
        data.pop(name, None)
    if action == "record":
        return _record(request, data, opened)
    focus = _change_lines(request, data, action)
    return _keep(request, data, opened, focus=focus, is_typing=not action and bool(request.htmx))


def _change_lines(request: UserRequest, data: QueryDict, action: str) -> str:
    """``add-agreements`` and ``remove-agreements-3`` are what buttons send. Returns the line or section to go on with."""
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
    """What a further line starts with: the kind asked for, and our side as in the line before or as the host."""
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
    """Most papers are called what their type is called."""
    return str(row_or_none(AgreementType.objects.all(), kind) or "")


def _keep(
    request: UserRequest,
    data: QueryDict,
    opened: OpenDraft,
    *,
    form: CeremonyForm | None = None,
    focus: str = "",
    is_typing: bool = False,
) -> HttpResponse:
    try:
        draft = _save(request, data, opened)
    except StaleVersion as error:
        show = _state if is_typing else _page
        return show(request, data, opened, newer_version=error.current)
    except TransitionRefused:
        draft = CeremonyDraft.objects.of(request.user).select_related("event").get(key=opened.key)
        return _state(request, data, opened, draft=draft) if is_typing else _recorded_already(request, draft)
    if is_typing:
        return replace_url(_state(request, data, opened, draft=draft), draft.get_absolute_url())
    answer = _page(request, data, opened, draft=draft, form=form, focus=focus)
    return replace_url(answer, draft.get_absolute_url()) if request.htmx else answer


def _save(request: UserRequest, data: QueryDict, opened: OpenDraft) -> CeremonyDraft:
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
    """Everything at once; what is refused stands beside its line, and what was typed is kept as a draft."""
    recorded = CeremonyDraft.objects.of(request.user).filter(key=opened.key).exclude(event=None).first()
    if recorded:
        return _recorded_already(request, recorded)
    form = CeremonyForm(data, user=request.user, today=timezone.localdate())
    try:
        if form.is_valid() and (event := _recorded(request, form, opened)):
            return redirect(event.get_absolute_url())
    except StaleVersion as error:
        return _page(request, data, opened, newer_version=error.current)
    return _keep(request, data, opened, form=form)


def _recorded(request: UserRequest, form: CeremonyForm, opened: OpenDraft) -> Event | None:
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
        form.refuse(error)
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


def _state(
    request: UserRequest,
    data: QueryDict,
    opened: OpenDraft,
    *,
    draft: CeremonyDraft | None = None,
    newer_version: int | None = None,
) -> HttpResponse:
    """What a page that saves while one types shows of it: when, and how many lines are named by now."""
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


def _page(
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
