"""Calendar addresses: the feed behind one, and making and revoking them on one's own page."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseNotFound
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import http_date, quote_etag
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partnerships.exceptions import DomainError
from partnerships.mailing import calendar_events
from partnerships.models import FeedToken
from partnerships.models.office_day import zone_named
from partnerships.requests import UserRequest
from partnerships.workflows.feeds import note_reading, open_feed, revoke_feed


@require_safe
def feed(request: UserRequest, token: str) -> HttpResponse:
    """Return the calendar of the person the address belongs to, without a login or session; 304 if it is unchanged.

    An unknown address, a revoked one, and one of a deactivated person get the same 404.
    """
    found = FeedToken.objects.opened_by(token).first()
    if found is None:
        return HttpResponseNotFound("There is no such calendar.\n", content_type="text/plain")
    now = timezone.now()
    today = timezone.localdate(now, zone_named(found.user.time_zone))
    tag = calendar_events.feed_tag(found.user, today)
    changed_at = note_reading(found, content_tag=tag, now=now)
    known = quote_etag(tag), int(changed_at.timestamp())
    response = get_conditional_response(request, *known) or _calendar_file(calendar_events.feed(found.user, today))
    response["ETag"], response["Last-Modified"] = known[0], http_date(known[1])
    patch_cache_control(response, private=True, no_cache=True)
    return response


def _calendar_file(content: bytes) -> HttpResponse:
    headers = {"Content-Disposition": 'inline; filename="partnerships.ics"', "X-Robots-Tag": "noindex"}
    return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def feed_add(request: UserRequest) -> HttpResponse:
    """Create an address and show it."""
    # The secret is in this one answer to the POST alone: the database has its hash, and no address holds it.
    if request.method != "POST":
        return redirect("me")
    try:
        made, token = open_feed(request.user, actor=request.user, name=request.POST.get("name", ""), now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
        return _back()
    address = settings.SITE_URL + reverse("feed", args=[token])
    context = {"feed": made, "address": address, "subscribe": f"webcal://{address.partition('://')[2]}"}
    return render(request, "partnerships/feed_made.html", context)


@login_required
@require_POST
def feed_revoke(request: UserRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(request.user.feeds, pk=pk)
    revoke_feed(found, actor=request.user)
    messages.success(request, _("Revoked: “%(name)s” reads nothing any more.") % {"name": found.name})
    return _back()


def _back() -> HttpResponse:
    return redirect(reverse("me") + "#feeds")
