"""Forms that upload a new document or the next version of one."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from partnerships.forms.domain import DomainFormMixin
from partnerships.models import Document, User
from partnerships.models.office_day import office_day
from partnerships.workflows.documents import ACCEPTED_KINDS, FILE_TYPES, LARGEST_FILE, add_version, register_document


class UploadField(forms.FileField):
    """A file of an accepted kind; the browser offers these kinds alone, and the verb checks the content."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = format_lazy(_("{kinds}; 25 MB each at most."), kinds=ACCEPTED_KINDS)
        super().__init__(**{"help_text": help_text, **kwargs})

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        # The texts are for uploads.js, which says them before a large file is sent in vain.
        return {
            **super().widget_attrs(widget),
            "accept": ",".join(FILE_TYPES),
            "data-largest": LARGEST_FILE,
            "data-too-large": _("This file is too large: 25 MB at most."),
            "data-wrong-kind": format_lazy(
                _("Files of this kind are not accepted; these are: {kinds}."), kinds=ACCEPTED_KINDS
            ),
        }


class DocumentForm(DomainFormMixin, forms.ModelForm):
    """A document with its first file."""

    file = UploadField(label=_("File"))

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

    file = UploadField(label=_("New file"))

    def __init__(self, *args: Any, document: Document, at: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.document, self.at = document, at

    def keep(self, actor: User, **about: object) -> Document:
        return add_version(self.document, actor=actor, file=self.cleaned_data["file"], at=self.at).document
