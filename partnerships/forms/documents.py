"""Forms that upload a new document or the next version of one."""

import datetime as dt
from copy import copy
from typing import Any, cast

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.versions import VersionedForm
from partnerships.models import Document, User
from partnerships.models.office_day import office_day
from partnerships.permissions import may
from partnerships.workflows.documents import (
    ACCEPTED_KINDS,
    FILE_TYPES,
    LARGEST_FILE,
    add_version,
    edit_document,
    register_document,
)


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


def offer_levels(form: forms.ModelForm, user: User, action: str) -> None:
    """Offer the levels that the user may read; remove the field when there is only one."""
    candidate = copy(form.instance)
    if form.instance._state.adding and candidate.organization:
        candidate.unit = candidate.organization.entering_unit(user)
    offered = []
    for level in Document.Level:
        candidate.level = level
        if may(user, action, candidate):
            offered.append((level.value, level.label))
    if len(offered) == 1:
        del form.fields["level"]
    else:
        cast("forms.ChoiceField", form.fields["level"]).choices = offered


class DocumentForm(DomainFormMixin, forms.ModelForm):
    """A document with its first file."""

    file = UploadField(label=_("File"))

    class Meta:
        model = Document
        fields = ["kind", "title", "level"]

    def __init__(self, *args: Any, user: User, at: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.at = at
        offer_levels(self, user, "document.upload")

    def keep(self, actor: User, **about: object) -> Document:
        today = office_day(self.instance.agreement or self.instance.activity, self.at)
        return register_document(self.instance, actor=actor, today=today, file=self.cleaned_data["file"], at=self.at)


class DocumentEditForm(DomainFormMixin, VersionedForm):
    """Title, kind and readers of a document."""

    class Meta:
        model = Document
        fields = ["kind", "title", "level"]

    def __init__(self, *args: Any, user: User, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        offer_levels(self, user, "document.replace")

    def keep(self, actor: User, **about: object) -> Document:
        changes = {name: self.cleaned_data[name] for name in self.changed_data if name in self.Meta.fields}
        return edit_document(self.instance, actor=actor, today=self.today, changes=changes)


class ReplaceForm(DomainFormMixin, forms.Form):
    """Uploads a file as the current version; earlier versions stay."""

    file = UploadField(label=_("New file"))

    def __init__(self, *args: Any, document: Document, at: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.document, self.at = document, at

    def keep(self, actor: User, **about: object) -> Document:
        return add_version(self.document, actor=actor, file=self.cleaned_data["file"], at=self.at).document
