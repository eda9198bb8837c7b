"""Login and passwords: Django's own views with our templates; nothing here says whether an account exists."""

from django.contrib.auth import views
from django.urls import reverse_lazy

from partnerships.forms.users import OwnPasswordChangeForm, OwnPasswordSetForm, PersonPasswordResetForm


class Login(views.LoginView):
    redirect_authenticated_user = True


class PasswordReset(views.PasswordResetView):
    form_class = PersonPasswordResetForm
    email_template_name = "registration/password_reset_email.txt"
    subject_template_name = "registration/password_reset_subject.txt"
    success_url = reverse_lazy("password_reset_done")


class PasswordChange(views.PasswordChangeView):
    form_class = OwnPasswordChangeForm


class PasswordResetConfirm(views.PasswordResetConfirmView):
    form_class = OwnPasswordSetForm
