"""Upload, preview and download of documents. Files leave the site here alone, to users who may see them."""

from collections.abc import Mapping
from typing import Any

from csp.decorators import csp_replace
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.forms.documents import DocumentEditForm, DocumentForm, ReplaceForm
from partnerships.models import (
    Activity,
    Agreement,
    Demand,
    Document,
    DocumentVersion,
    Event,
    Facility,
    Honour,
    Organization,
    Programme,
    SecurityEvent,
    User,
)
from partnerships.models.base import address_of_part
from partnerships.models.documents import DOCUMENT_TARGETS
from partnerships.operations.security_log import note_event
from partnerships.requests import UserRequest
from partnerships.statuses import AgreementStatus
from partnerships.views.base import keep_private, require_or_403, visible_or_404
from partnerships.views.edits import edit_page

# Records with a place for documents on their page.
DocumentHolder = Agreement | Activity | Organization | Event | Facility | Demand | Programme | Honour
TARGETS: Mapping[str, type[DocumentHolder]] = {
    "agreement": Agreement,
    "activity": Activity,
    "organization": Organization,
    "event": Event,
    "facility": Facility,
    "demand": Demand,
    "programme": Programme,
    "honour": Honour,
}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def document_add(request: UserRequest, target: str, pk: int) -> HttpResponse:
    """Add a document to the record ``pk`` of the kind ``target``. The signed paper of an agreement is suggested first."""
    if target not in TARGETS:
        raise Http404(f"no papers of {target}")
    row = visible_or_404(TARGETS[target].objects.all(), request, pk)
    document = Document(**{target: row})
    require_or_403(request.user, "document.upload", document)
    if _waits_for_its_paper(row, request.user):
        document.kind, document.title = Document.Kind.SIGNED_PAPER, _("Signed agreement")
    form = DocumentForm(
        request.POST or None, request.FILES or None, instance=document, user=request.user, at=timezone.now()
    )
    return _upload_page(request, row, form, title=_("Add a document"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def document_edit(request: UserRequest, pk: int) -> HttpResponse:
    document = visible_or_404(Document.objects.select_related(*DOCUMENT_TARGETS), request, pk)
    require_or_403(request.user, "document.replace", document)
    form = DocumentEditForm(request.POST or None, instance=document, user=request.user, today=timezone.localdate())
    return edit_page(request, document, form, title=_("Edit the document"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def document_replace(request: UserRequest, pk: int) -> HttpResponse:
    document = visible_or_404(Document.objects.select_related(*DOCUMENT_TARGETS), request, pk)
    require_or_403(request.user, "document.replace", document)
    form = ReplaceForm(request.POST or None, request.FILES or None, document=document, at=timezone.now())
    title = _("New version of “%(title)s”") % {"title": document.title}
    return _upload_page(request, document.target, form, title=title)


def _waits_for_its_paper(row: DocumentHolder, user: User) -> bool:
    """Whether it is a signed agreement without a signed paper that the user sees."""
    if not isinstance(row, Agreement) or row.status != AgreementStatus.SIGNED:
        return False
    papers = Document.objects.visible_to(user).filter(agreement=row, kind=Document.Kind.SIGNED_PAPER)
    return not papers.exists()


def _upload_page(
    request: UserRequest, row: DocumentHolder, form: DocumentForm | ReplaceForm, *, title: str
) -> HttpResponse:
    back = address_of_part(row, "documents")
    if request.method == "POST" and form.is_valid() and form.apply(request.user):
        messages.success(request, _("Uploaded."))
        return redirect(back)
    return render(request, "partnerships/edit.html", {"row": row, "form": form, "title": title, "back": back})


@login_required
@require_safe
def document_download(request: UserRequest, pk: int, number: int) -> FileResponse | HttpResponse:
    """Send one version of a document: 404 if the user cannot see the record, 403 if not its documents."""
    # An upload may be HTML with scripts. A browser must not run it as a page of this site, with the user's rights.
    policy = "default-src 'none'; sandbox"
    return _send(request, _readable_version(request, pk, number), policy=policy, as_attachment=True)


@login_required
@require_safe
@xframe_options_sameorigin
def document_inline(request: UserRequest, pk: int, number: int) -> FileResponse | HttpResponse:
    """Send an image or a PDF to be shown on our page or by itself; 404 for all other types."""
    version = _readable_version(request, pk, number)
    if not version.is_shown:
        raise Http404(f"{version.content_type} is only downloaded")
    # No sandbox: the PDF viewers of some browsers do not start in one. The page that a browser makes around an image has
    # inline styles; images and PDF files have none.
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    return _send(request, version, policy=policy, as_attachment=False)


@login_required
@require_safe
@csp_replace({"object-src": ["'self'"]})  # type: ignore[arg-type]  # its type knows views without arguments alone
def document_preview(request: UserRequest, pk: int, number: int) -> HttpResponse:
    """Show an image or a PDF on a page; other types are downloaded."""
    version = _readable_version(request, pk, number)
    if not version.is_shown:
        return redirect("document_download", pk, number)
    if not version.file.storage.exists(str(version.file.name)):
        return _missing(request, version)
    context = {"version": version, "document": version.document, "target": version.document.target}
    return render(request, "partnerships/preview.html", context)


def _readable_version(request: UserRequest, pk: int, number: int) -> DocumentVersion:
    document = visible_or_404(Document.objects.all(), request, pk)
    require_or_403(request.user, "document.view", document)
    return get_object_or_404(document.versions, number=number)


def _send(
    request: UserRequest, version: DocumentVersion, *, policy: str, as_attachment: bool
) -> FileResponse | HttpResponse:
    try:
        file = version.file.open("rb")
    except FileNotFoundError:
        return _missing(request, version)
    note_event(SecurityEvent.Kind.DOCUMENT_DOWNLOADED, request.user, **_facts(version))
    response = FileResponse(
        file, as_attachment=as_attachment, filename=version.original_name, content_type=version.content_type
    )
    response["Content-Security-Policy"] = policy
    keep_private(response)
    return response


def _missing(request: UserRequest, version: DocumentVersion) -> HttpResponse:
    context = {"version": version, "back": version.document.get_absolute_url()}
    return render(request, "partnerships/file_missing.html", context, status=404)


def _facts(version: DocumentVersion) -> dict[str, str]:
    """Return what the security log says about a download."""
    target: Any = version.document.target
    return {
        "about": f"{version.document.title} · {version.original_name}",
        "link": target.get_absolute_url(),
        "detail": str(target),
    }
