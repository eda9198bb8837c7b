"""The form that saves a view of a list."""

from django import forms
from django.utils.translation import gettext_lazy as _

from partnerships.models import SavedView


class SavedViewForm(forms.ModelForm):
    class Meta:
        model = SavedView
        fields = ["name", "query"]
        error_messages = {
            "name": {"required": _("Give the view a name.")},
            "query": {"max_length": _("These filters are too long to be saved.")},
        }
