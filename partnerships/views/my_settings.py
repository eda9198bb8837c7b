"""A person's own page: language, time zone, absence; and the language switch of the header."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_POST
from django.views.i18n import set_language

from partnerships.exceptions import DomainError
from partnerships.forms.my_settings import PreferencesForm
from partnerships.models import User
from partnerships.requests import UserRequest
from partnerships.sessions import open_sessions
from partnerships.workflows.users import edit_preferences


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def me(request: UserRequest) -> HttpResponse:
    person = User.objects.get(pk=request.user.pk)  # a copy: a refused form must not change who the page is for
    form = PreferencesForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid() and (saved := form.apply(request.user)) is not None:
        with override(saved.language):
            messages.success(request, _("Saved."))
        return redirect("me")
    context = {
        "form": form,
        "memberships": request.user.memberships.select_related("unit"),
        "feeds": request.user.feeds.all(),
        "sessions": open_sessions(request.user, current_key=request.session.session_key, now=timezone.now()),
    }
    return render(request, "partnerships/me.html", context)


@require_POST
def my_language(request: HttpRequest) -> HttpResponse:
    """Save the language in the profile of whoever is logged in, else in a cookie; go back to the page they were on."""
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        person, today = User.objects.get(pk=request.user.pk), timezone.localdate()
        try:
            edit_preferences(person, actor=request.user, today=today, changes={"language": language})
        except DomainError as error:
            # Something else of the profile is wrong. The cookie takes the language nevertheless.
            messages.error(request, str(error))
    return set_language(request)
