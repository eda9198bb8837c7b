"""Files leave through here alone: inside one's scope, as an attachment, never as a page of this site."""

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from partnerships.models import Document
from partnerships.views.base import require_or_403, visible_or_404


@login_required
@require_safe
def document_download(request: HttpRequest, pk: int, number: int) -> FileResponse:
    """One version of a document. 404 outside one's scope, 403 for whoever sees the record but not its papers."""
    document = visible_or_404(Document.objects.all(), request, pk)
    require_or_403(request.user, "document.view", document)
    version = get_object_or_404(document.versions, number=number)
    try:
        file = version.file.open("rb")
    except FileNotFoundError as error:
        raise Http404(f"{version} is not in the store") from error
    response = FileResponse(file, as_attachment=True, filename=version.original_name, content_type=version.content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
