"""Forms that upload a new document or the next version of one."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partnerships.forms.domain import DomainFormMixin
from partnerships.models import Document, User
from partnerships.models.office_day import office_day
from partnerships.workflows.documents import add_version, register_document

FILE_HELP = _("PDF, Word, Excel, pictures or text, 25 MB at most.")


class DocumentForm(DomainFormMixin, forms.ModelForm):
    """A document with its first file."""

    file = forms.FileField(label=_("File"), help_text=FILE_HELP)

    class Meta:
        model = Document
        fields = ["kind", "title"]

    def __init__(self, *args: Any, at: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at

    def keep(self, actor: User, **about: object) -> Document:
        today = office_day(self.instance.agreement or self.instance.activity, self.at)
        return register_document(self.instance, actor=actor, today=today, file=self.cleaned_data["file"], at=self.at)


class ReplaceForm(DomainFormMixin, forms.Form):
    """Uploads a file as the current version; earlier versions stay."""

    file = forms.FileField(label=_("New file"), help_text=FILE_HELP)

    def __init__(self, *args: Any, document: Document, at: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.document, self.at = document, at

    def keep(self, actor: User, **about: object) -> Document:
        return add_version(self.document, actor=actor, file=self.cleaned_data["file"], at=self.at).document
