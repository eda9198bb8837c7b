"""Login and passwords: Django's own views with our templates; nothing here says whether an account exists."""

import datetime as dt

from django.contrib.auth import views
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpResponse
from django.urls import reverse_lazy

from partnerships.forms.users import LoginForm, OwnPasswordChangeForm, OwnPasswordSetForm, PersonPasswordResetForm

STAY_SIGNED_IN_FOR = dt.timedelta(days=14)


class Login(views.LoginView):
    form_class = LoginForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        if form.cleaned_data["stay"]:
            self.request.session.set_expiry(STAY_SIGNED_IN_FOR)
        return response


class PasswordReset(views.PasswordResetView):
    form_class = PersonPasswordResetForm
    email_template_name = "registration/password_reset_email.txt"
    subject_template_name = "registration/password_reset_subject.txt"
    success_url = reverse_lazy("password_reset_done")


class PasswordChange(views.PasswordChangeView):
    form_class = OwnPasswordChangeForm

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "request": self.request}


class PasswordResetConfirm(views.PasswordResetConfirmView):
    form_class = OwnPasswordSetForm
