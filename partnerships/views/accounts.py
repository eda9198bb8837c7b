"""Login and passwords: Django's own views with our templates; nothing here says whether an account exists."""

import datetime as dt

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm, PasswordResetForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone

from partnerships.client_address import client_network
from partnerships.forms.users import LoginForm, OwnPasswordChangeForm, OwnPasswordSetForm
from partnerships.models import User
from partnerships.templatetags.frame import home_of
from partnerships.workflows.users import request_password_link

STAY_SIGNED_IN_FOR = dt.timedelta(days=14)


class Login(views.LoginView):
    form_class = LoginForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        if form.cleaned_data["stay"]:
            self.request.session.set_expiry(STAY_SIGNED_IN_FOR)
        return response

    def get_default_redirect_url(self) -> str:
        user = self.request.user
        return home_of(user) if isinstance(user, User) else super().get_default_redirect_url()

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """Return where the person wanted to go; the bare address of the site leads home."""
        asked = super().get_redirect_url(request) if request else super().get_redirect_url()
        return "" if asked == reverse("my_work") else asked


class PasswordReset(views.PasswordResetView):
    """Takes the address for a link to a new password; the worker looks for the account and sends the mail."""

    success_url = reverse_lazy("password_reset_done")

    def form_valid(self, form: PasswordResetForm) -> HttpResponse:
        network = client_network(self.request) or ""
        request_password_link(form.cleaned_data["email"], network=network, now=timezone.now())
        return redirect(self.get_success_url())


class PasswordChange(views.PasswordChangeView):
    form_class = OwnPasswordChangeForm

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "request": self.request}


class PasswordResetConfirm(views.PasswordResetConfirmView):
    form_class = OwnPasswordSetForm
