"""Middleware: the content policy, query strings, idle sessions, acts, the security log, and the user's language and time zone."""

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.contrib.auth import logout, user_logged_in, user_logged_out, user_login_failed
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django_htmx.http import reswap, retarget

from partnerships.acts import Act, note_refusal, one_act
from partnerships.client_address import client_address, client_network
from partnerships.models import SecurityEvent, User, UserSession
from partnerships.models.office_day import zone_named
from partnerships.operations.security_log import note_event, note_failed_login, note_paused_login
from partnerships.sessions import ADDRESS, BEGUN_AT, BROWSER, USED_AT, browser_in_words, idle_limit
from partnerships.storage import is_unwritable
from partnerships.typed_fields import labelled

# A signed cookie with the person who used the browser last, and the keys in a session, and on a page that holds what was
# typed, of the person before: nobody is shown what somebody else typed.
LAST_PERSON, PERSON_BEFORE, TYPED_BY = "last_person", "person_before", "typed_by"
# The time of the last use is saved this often at most: saving it with each request would write the session each time.
NOTED_EVERY = dt.timedelta(minutes=1)

logger = logging.getLogger(__name__)

# The theme's scripts evaluate expressions written in attributes, and it writes styles into its pages.
ADMIN_NEEDS = {
    "script-src": ["'self'", "'unsafe-eval'"],
    "style-src": ["'self'", "'unsafe-inline'"],
}


class ContentSecurityMiddleware(CSPMiddleware):
    """The strict policy of the settings on our own pages, with what its theme needs under the admin."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if not report_only and request.path_info.startswith(reverse("admin:index")):
            parts.replace = {**ADMIN_NEEDS, **(parts.replace or {})}
        return parts


class QueryStringMiddleware:
    """Refuses NUL in a query string: PostgreSQL takes it in no text, and nobody types it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = request.META.get("QUERY_STRING", "")
        return HttpResponseBadRequest() if "%00" in asked or "\0" in asked else self.get_response(request)


class SessionSavingMiddleware(SessionMiddleware):
    """Loads and saves the session of a request; a page is also shown where its session cannot be saved."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except SessionInterrupted as error:
            # Django takes every failed save for a session that was deleted meanwhile. The reason is two errors further in.
            reason = error.__context__ and error.__context__.__context__
            if reason is None or not is_unwritable(reason):
                raise
            return response


class LoggedInMiddleware:
    """Ends a session that nobody uses, and forbids browsers and proxies to store the pages behind a login.

    A stored page would be shown again by *Back*, after its reader has logged out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self._answer_stranger(request)
        self._use_session(request, request.user)
        person = str(request.user.pk or "")
        response = self.get_response(request) if person else self._answer_stranger(request)
        patch_cache_control(response, no_store=True, private=True)
        if person and _last_person(request) != person:
            secure = settings.SESSION_COOKIE_SECURE
            response.set_signed_cookie(LAST_PERSON, person, httponly=True, samesite="Lax", secure=secure)
        return response

    def _answer_stranger(self, request: HttpRequest) -> HttpResponse:
        """Keep what was typed in a session that is over: a redirect to the login would lose it."""
        response = self.get_response(request)
        is_sent_to_login = (
            response.status_code == 302 and f"{resolve_url(settings.LOGIN_URL)}?next=" in response["Location"]
        )
        if request.method == "POST" and is_sent_to_login and _typed(request):
            return _offer_again(request)
        return response

    def _use_session(self, request: HttpRequest, user: User) -> None:
        now = int(timezone.now().timestamp())
        used = request.session.get(USED_AT)
        if used is not None and now - used > idle_limit(user).total_seconds():
            logout(request)
        elif used is None or now - used >= NOTED_EVERY.total_seconds():
            request.session.update({USED_AT: now, ADDRESS: client_address(request) or ""})


def _begin_session(request: HttpRequest, user: User, **_signal: object) -> None:
    now = timezone.now()
    UserSession.objects.filter(user=user, expire_date__lt=now).delete()
    facts = {
        BEGUN_AT: int(now.timestamp()),
        USED_AT: int(now.timestamp()),
        ADDRESS: client_address(request) or "",
        PERSON_BEFORE: _last_person(request),
        BROWSER: browser_in_words(request.headers.get("User-Agent", "")),
    }
    request.session.update(facts)


user_logged_in.connect(_begin_session, dispatch_uid="begin_session")


def _last_person(request: HttpRequest) -> str:
    return str(request.get_signed_cookie(LAST_PERSON, default=""))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Offer to send again what was typed before a login, which replaces the token of each page that is open."""
    # A form sent by another site is not offered again: people would confirm what they did not write.
    if reason.startswith(("Origin", "Referer")) or not _typed(request):
        return render(request, "403_csrf.html", status=403)
    return _offer_again(request)


def _typed(request: HttpRequest) -> list[tuple[str, str]]:
    """Return the fields of a form as they were sent; nothing of one that has a password or is empty."""
    fields = [(name, str(value)) for name, values in request.POST.lists() for value in values]
    fields = [(name, value) for name, value in fields if name not in {"csrfmiddlewaretoken", TYPED_BY}]
    has_secret = any("password" in name for name, _value in fields)
    return [] if has_secret or not any(value.strip() for _name, value in fields) else fields


def _offer_again(request: HttpRequest) -> HttpResponse:
    """Show a page that holds what was typed, for the person who typed it, as far as this browser knows who that was."""
    user, last = request.user, _last_person(request)
    signer = Signer(salt=TYPED_BY)
    try:
        author = signer.unsign(request.POST[TYPED_BY])
    except (BadSignature, KeyError):
        author = request.session.get(PERSON_BEFORE, "") if user.is_authenticated else last
    is_of_another = user.is_authenticated and author not in {"", str(user.pk)}
    typed = [] if is_of_another else _typed(request)
    context = {
        "is_back": user.is_authenticated,
        "is_of_another": is_of_another,
        "typed": typed,
        "shown": labelled(typed),
        "stamp": "" if user.is_authenticated or not author else signer.sign(author),
        "has_files": bool(request.FILES),
    }
    if "HX-Request" in request.headers:
        # The page stays as it is, and what was typed with it; the note appears above.
        note = render(request, "partnerships/_session_ended.html", context)
        return reswap(retarget(note, "#session-ended"), "innerHTML")
    response = render(request, "partnerships/session_ended.html", context, status=409)
    patch_cache_control(response, no_store=True, private=True)
    return response


class UnwritableMiddleware:
    """Answers 503 with a page that says so where the database is read-only, or the disk is full or read-only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not is_unwritable(error):
            return None
        logger.error("Nothing can be saved: %s", error)
        return render(request, "503.html", status=503)


class ActMiddleware:
    """Makes what one request does one act: more mails than the site allows one are held.

    What a page, form or verb refused to somebody logged in is written to the security log.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with one_act(client_address(request) or "") as act:
            response = self.get_response(request)
            if (response.status_code == HTTPStatus.FORBIDDEN or act.refusals) and request.user.is_authenticated:
                _note_refused(request, request.user, act)
            return response

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        if isinstance(error, PermissionDenied):
            note_refusal(str(error))


def _note_refused(request: HttpRequest, user: User, act: Act) -> None:
    match = request.resolver_match
    # An address with a secret in it opens something by itself.
    is_secret = match is not None and "token" in match.kwargs
    page = match.view_name if match and is_secret else request.path
    link = page if request.method == "GET" and not is_secret else ""
    detail = "; ".join(filter(None, act.refusals))
    note_event(SecurityEvent.Kind.REFUSED, user, about=f"{request.method} {page}", link=link, detail=detail)


def _note_login(user: User, **_signal: object) -> None:
    note_event(SecurityEvent.Kind.LOGGED_IN, user)


def _note_logout(user: User | None, **_signal: object) -> None:
    if user is not None:  # somebody not logged in may open the page, too
        note_event(SecurityEvent.Kind.LOGGED_OUT, user)


def _note_failed_login(credentials: Mapping[str, str], request: HttpRequest | None = None, **_signal: object) -> None:
    # django-axes sets this before it refuses to look at a password. At the failure that begins a pause it is not set yet:
    # axes comes after us in INSTALLED_APPS, and so hears of the failure later.
    name, page = credentials.get("username") or "", request.path if request else ""
    if request and getattr(request, "axes_locked_out", False):
        note_paused_login(name, page=page, network=client_network(request) or "", now=timezone.now())
    else:
        note_failed_login(name, page=page)


# Django makes log-ins and log-outs itself, also those of the admin, and tells of them by signals alone.
user_logged_in.connect(_note_login, dispatch_uid="security_log_login")
user_logged_out.connect(_note_logout, dispatch_uid="security_log_logout")
user_login_failed.connect(_note_failed_login, dispatch_uid="security_log_failed")


class PersonMiddleware:
    """Activates the person's language and time zone; somebody not logged in keeps the browser's language.

    A time zone that no longer exists is replaced by the site's, and ``request.lost_time_zone`` names it for the pages.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)
        translation.activate(request.user.language)
        request.LANGUAGE_CODE = translation.get_language()
        zone = zone_named(request.user.time_zone)
        request.lost_time_zone = request.user.time_zone if zone.key != request.user.time_zone else ""  # type: ignore[attr-defined]
        with timezone.override(zone):
            return self.get_response(request)
