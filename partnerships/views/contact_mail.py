"""The page at which a partner's contact stops the mails we send them, or allows them again; without a log-in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from partnerships.forms.office_day import office_today
from partnerships.models.contact_tokens import contact_of
from partnerships.workflows.organizations import resume_contact_mail, stop_contact_mail

ONE_CLICK = "One-Click"


# Mail programs send the POST of RFC 8058 without a cookie; the token in the address says who asks.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contact_mail(request: HttpRequest, token: str) -> HttpResponse:
    """Show whether the contact gets mail; POST stops it, or with ``mail=resume`` allows it again."""
    contact = contact_of(token)
    if contact is not None and request.method == "POST":
        if request.POST.get("mail") == "resume":
            resume_contact_mail(contact)
        elif request.POST.get("mail") == "stop" or request.POST.get("List-Unsubscribe") == ONE_CLICK:
            stop_contact_mail(contact, on=office_today())
        contact.refresh_from_db()
    context = {"contact": contact, "languages": ("zh-hans", "en")}
    # Never a redirect: RFC 8058 forbids it, and the address is a secret.
    response = render(request, "partnerships/contact_mail.html", context, status=200 if contact else 404)
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response
