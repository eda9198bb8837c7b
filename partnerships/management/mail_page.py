"""The page to read caught mail: a site of its own beside the product, without accounts, on loopback only.

`catch_mail` makes this module the ROOT_URLCONF of its process.
"""

from itertools import islice
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import render
from django.urls import path, register_converter
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from partnerships.management.mail_catcher import CaughtMail, caught_mails, read_mail

SHOWN = 200
# Nothing in a mail may run or call out; the sandbox of the frame says the same once more.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-popups allow-popups-to-escape-sandbox"
)


class MailNameConverter:
    """Matches only file names that the catcher itself gives, so that no path leads out of its directory."""

    regex = r"\d{8}T\d{6}\.\d{6}Z"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(MailNameConverter, "mail")


def mail_directory() -> Path:
    return Path(settings.DATA_DIR) / "mail"


def _path_or_404(name: str) -> Path:
    path = mail_directory() / f"{name}.eml"
    if not path.exists():
        raise Http404
    return path


def _mail_or_404(name: str) -> CaughtMail:
    return read_mail(_path_or_404(name))


@require_safe
def mail_list(request: HttpRequest) -> HttpResponse:
    mails = list(islice(caught_mails(mail_directory()), SHOWN))
    return render(request, "mail_catcher/list.html", {"mails": mails, "site_url": settings.SITE_URL})


@require_safe
def mail_detail(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "mail_catcher/mail.html", {"mail": _mail_or_404(name)})


@require_safe
@xframe_options_sameorigin
def mail_html(request: HttpRequest, name: str) -> HttpResponse:
    """Return the HTML part as it was sent, for the frame of mail_detail; its links open in a new tab."""
    html = _mail_or_404(name).html
    if html is None:
        raise Http404
    return HttpResponse(f'<base target="_blank">{html}', headers={"Content-Security-Policy": MAIL_POLICY})


@require_safe
def mail_source(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(_path_or_404(name).read_bytes(), content_type="text/plain; charset=utf-8")


def mail_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404 in plain text."""
    # The page of the product has links to addresses that this small site does not know.
    return HttpResponseNotFound(_("There is no such mail."), content_type="text/plain; charset=utf-8")


handler404 = mail_not_found
urlpatterns = [
    path("", mail_list, name="mail-list"),
    path("<mail:name>/", mail_detail, name="mail-detail"),
    path("<mail:name>/html/", mail_html, name="mail-html"),
    path("<mail:name>/source/", mail_source, name="mail-source"),
]
