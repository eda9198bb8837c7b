"""The form of a whole ceremony: saved as a draft while the person types, recorded in one step."""

import uuid
from collections.abc import Sequence
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

from partnerships.exceptions import DomainError, TransitionRefused
from partnerships.forms.ceremonies import (
    BLANK_PRESENT,
    MOST_ADDED,
    SECTIONS,
    CeremonyForm,
    OpenDraftForm,
    PresentLine,
    UnreadLine,
    add_lines,
    blank_ceremony,
    remove_line,
    suggest_organizations,
    take_pasted,
)
from partnerships.forms.consequences import add_consequences
from partnerships.forms.names import EitherTitleMixin, name_fields
from partnerships.forms.numbers import number_or_none, row_or_none
from partnerships.forms.office_day import office_today
from partnerships.models import AgreementType, CeremonyDraft, Event
from partnerships.requests import UserRequest
from partnerships.views.base import require_or_403
from partnerships.workflows import ceremonies

# Fields of the page that are not part of the draft.
NOT_KEPT = ("csrfmiddlewaretoken", "action", "key", "look", "overwrite", "version")
LONGEST_NAME = 200


@dataclass
class DraftPage:
    """A request about one draft: its fields as typed, and the version that the page has read or saved last."""

    request: UserRequest
    data: QueryDict
    key: uuid.UUID
    version: int = 0
    draft: CeremonyDraft | None = None
    not_kept: str = ""  # why the draft could not be saved
    newer_version: int | None = None
    unread: Sequence[UnreadLine] = ()  # pasted lines that became no line of the form, and why

    @classmethod
    def sent(cls, request: UserRequest) -> "DraftPage":
        data, form = request.POST.copy(), OpenDraftForm(request.POST)
        for name in NOT_KEPT:
            data.pop(name, None)
        if not form.is_valid():
            return cls(request, data, uuid.uuid4())
        sent = form.cleaned_data
        return cls(request, data, sent["key"], sent["overwrite"] or sent["version"] or 0)

    def save(self) -> None:
        """Save the draft. Raises ``TransitionRefused`` if the ceremony is recorded; notes if there is a newer version."""
        content = {name: [str(value) for value in values] for name, values in self.data.lists()}
        user, now = self.request.user, timezone.now()
        try:
            self.draft = ceremonies.save_draft(actor=user, key=self.key, content=content, version=self.version, now=now)
            self.version = self.draft.version
        except ceremonies.StaleDraft as error:
            self.newer_version = error.current

    def show(self, form: CeremonyForm | None = None, *, focus: str = "") -> HttpResponse:
        """Show the page; with the errors of ``form`` if that was checked."""
        form = form or self._unchecked_form()
        form.focus_on(focus)
        unfinished = CeremonyDraft.objects.of(self.request.user).unfinished().exclude(key=self.key)
        context = self._context(form) | {"focus": focus, "unfinished_count": unfinished.count()}
        status = 409 if self.newer_version and not self.request.htmx else 200  # a script shows an answer of 200 alone
        return self._answer(render(self.request, "partnerships/ceremonies/form.html", context, status=status))

    def show_state(self) -> HttpResponse:
        """Answer an autosave with the time of the draft and the number of lines."""
        context = self._context(self._unchecked_form()) | {"is_alone": True}
        return self._answer(render(self.request, "partnerships/ceremonies/_state.html", context))

    def _unchecked_form(self) -> CeremonyForm:
        return CeremonyForm(self.data, user=self.request.user, today=office_today(), is_checked=False)

    def _context(self, form: CeremonyForm) -> dict[str, object]:
        return {
            "form": form,
            "opened": self,
            "draft": self.draft,
            "newer_version": self.newer_version,
            "not_kept": self.not_kept,
            "pasted": self.data.get("pasted", ""),
            "unread": self.unread,
            "newer": f"{reverse('event_ceremony')}?draft={self.key}",
        }

    def _answer(self, answer: HttpResponse) -> HttpResponse:
        """Put the address of a saved draft into the address bar."""
        if self.draft is None or self.draft.event or not self.request.htmx:
            return answer
        return replace_url(answer, self.draft.get_absolute_url())


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def event_ceremony(request: UserRequest) -> HttpResponse:
    """Show the form, with ``?draft=<key>`` that of a draft; a POST does what the button ``action`` says.

    A POST without an ``action`` comes from the script that saves the draft while the person types.
    """
    require_or_403(request.user, "event.add")
    if request.method == "POST":
        return _handle_post(DraftPage.sent(request), request.POST.get("action", ""))
    draft = _draft_asked_for(request)
    if draft and draft.event:
        return redirect(draft.event.get_absolute_url())
    if draft:
        return DraftPage(request, _as_post_data(draft.content), draft.key, draft.version, draft).show()
    return DraftPage(request, blank_ceremony(request.user), uuid.uuid4()).show()


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


def _handle_post(page: DraftPage, action: str) -> HttpResponse:
    if action == "record":
        return _record(page)
    focus = _change_lines(page, action)
    return _save_and_show(page, focus=focus, is_typing=not action and bool(page.request.htmx))


def _change_lines(page: DraftPage, action: str) -> str:
    """Add or remove lines for an action such as ``add-agreements`` or ``remove-agreements-3``.

    Returns the key of the line or section that gets the focus.
    """
    data = page.data
    verb, _dash, what = action.partition("-")
    section, _dash, number = what.partition("-")
    if action == "paste-agreements":
        types = AgreementType.objects.filter(is_active=True)
        page.unread = take_pasted(data, types, ours=_prefill(data, "agreements")["ours"])
        return "pasted" if page.unread else "agreements"
    if section not in SECTIONS or verb not in {"add", "remove"}:
        return ""
    if verb == "remove":
        remove_line(data, section, number)
        return section
    first = add_lines(data, section, _count(data, section), **_prefill(data, section))
    if not first:
        messages.error(
            page.request, _("Sixty lines are enough for one part; record the others as a second signing event.")
        )
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
        "agreements": {"type": kind, name_fields(EitherTitleMixin.columns)[0]: _title(kind), "ours": side},
        "facilities": {"kind": kind, "ours": side},
        "present": BLANK_PRESENT,
    }.get(section, {})


def _title(kind: str) -> str:
    """Return the usual title of an agreement of this type: the name of the type."""
    return str(row_or_none(AgreementType.objects.all(), kind) or "")


def _save_and_show(
    page: DraftPage, form: CeremonyForm | None = None, *, focus: str = "", is_typing: bool = False
) -> HttpResponse:
    try:
        page.save()
    except TransitionRefused as error:
        page.draft = CeremonyDraft.objects.of(page.request.user).select_related("event").filter(key=page.key).first()
        if page.draft is None or page.draft.event is None:
            page.not_kept = str(error)
        elif not is_typing:
            return _go_to_recorded(page.request, page.draft.event)
    return page.show_state() if is_typing else page.show(None if page.newer_version else form, focus=focus)


def _go_to_recorded(request: UserRequest, event: Event) -> HttpResponse:
    messages.info(request, _("This signing event is recorded already; here it is."))
    address = event.get_absolute_url()
    return HttpResponse(headers={"HX-Redirect": address}) if request.htmx else redirect(address)


def _record(page: DraftPage) -> HttpResponse:
    """Record the ceremony; if something is refused, save the draft and show the errors at their lines."""
    user, today = page.request.user, office_today()
    recorded = Event.objects.filter(ceremony_drafts__author=user, ceremony_drafts__key=page.key).first()
    if recorded:
        return _go_to_recorded(page.request, recorded)
    form = CeremonyForm(page.data, user=user, today=today)
    if form.is_valid():
        ceremony, now = form.ceremony(), timezone.now()
        try:
            event = ceremonies.record_ceremony(
                ceremony, actor=user, key=page.key, version=page.version, today=today, now=now
            )
            done = _("Recorded: %(what)s.") % {"what": _summary(ceremony)}
            messages.success(page.request, add_consequences(done, event, user, now=now))
            return redirect(event.get_absolute_url())
        except ceremonies.StaleDraft as error:
            page.newer_version = error.current
            return page.show()
        except DomainError as error:
            form.add_refusal(error)
    return _save_and_show(page, form)


def _summary(ceremony: ceremonies.Ceremony) -> str:
    new = sum(1 for one in ceremony.present if one.kind)
    counted = (
        (len(ceremony.present), ngettext("%(count)s taking part", "%(count)s taking part", len(ceremony.present))),
        (new, ngettext("%(count)s new organization", "%(count)s new organizations", new)),
        (len(ceremony.signed), ngettext("%(count)s agreement", "%(count)s agreements", len(ceremony.signed))),
        (len(ceremony.opened), ngettext("%(count)s facility", "%(count)s facilities", len(ceremony.opened))),
        (len(ceremony.released), ngettext("%(count)s demand", "%(count)s demands", len(ceremony.released))),
        (len(ceremony.visited), ngettext("%(count)s visit", "%(count)s visits", len(ceremony.visited))),
        (len(ceremony.reported), ngettext("%(count)s figure", "%(count)s figures", len(ceremony.reported))),
    )
    parts = [_("the event"), *(words % {"count": count} for count, words in counted if count)]
    return " · ".join(parts)
