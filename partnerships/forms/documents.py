"""Papers: a new document on a record, and the next version of one."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partnerships.exceptions import DomainError
from partnerships.models import Document, User
from partnerships.workflows.documents import add_document, add_version

FILE_HELP = _("PDF, Word, Excel, pictures or text, 25 MB at most.")


class DocumentForm(forms.ModelForm):
    """A document with its first file."""

    file = forms.FileField(label=_("File"), help_text=FILE_HELP)

    class Meta:
        model = Document
        fields = ["kind", "title"]

    def __init__(self, *args: Any, at: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at

    def apply(self, actor: User) -> Document | None:
        """The kept document, or None with the reason among the errors. Call it on a valid form."""
        try:
            return add_document(self.instance, actor=actor, file=self.cleaned_data["file"], at=self.at)
        except DomainError as error:
            self.add_error(error.field if error.field in self.fields else None, str(error))
            return None


class ReplaceForm(forms.Form):
    """The file that becomes the current version; the earlier ones stay."""

    file = forms.FileField(label=_("New file"), help_text=FILE_HELP)

    def __init__(self, *args: Any, document: Document, at: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.document, self.at = document, at

    def apply(self, actor: User) -> Document | None:
        """The document with its new version, or None with the reason among the errors. Call it on a valid form."""
        try:
            return add_version(self.document, actor=actor, file=self.cleaned_data["file"], at=self.at).document
        except DomainError as error:
            self.add_error(error.field if error.field in self.fields else None, str(error))
            return None
