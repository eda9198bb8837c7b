"""Forms that export or erase the personal data of an account or a contact."""

from typing import Any

from django import forms
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from partnerships.forms.deletions import page_of
from partnerships.forms.steps import VerbForm
from partnerships.models import User
from partnerships.models.erasures import LONGEST_REASON
from partnerships.workflows.personal_data import FoundText, erase_person, export_personal_data


def reason_field() -> forms.CharField:
    return forms.CharField(
        label=_("Reason"), max_length=LONGEST_REASON, help_text=_("The security log keeps it. Leave the name out.")
    )


class PersonalDataForm(VerbForm):
    """Exports everything on record about the person."""

    reason = reason_field()

    def call(self, actor: User, values: dict[str, Any]) -> dict[str, Any]:
        return export_personal_data(self.row, actor=actor, **values)


class ErasureForm(VerbForm):
    """Erases the person's data, and the name in the texts that are ticked."""

    texts = forms.MultipleChoiceField(
        label=_("Mask the name in these texts"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Not ticked: texts where the name may be someone else's. The content of files is not searched."),
    )
    reason = reason_field()
    is_final = forms.BooleanField(label=_("I have looked through the texts, and know that this cannot be undone."))

    def __init__(self, *args: Any, found: list[FoundText], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["texts"]
        field.choices = [(one.key, _in_words(one)) for one in found]  # type: ignore[attr-defined]
        field.initial = [one.key for one in found if one.is_certain]
        if not found:
            del self.fields["texts"]

    def call(self, actor: User, values: dict[str, Any]) -> object:
        values.pop("is_final")
        return erase_person(self.row, actor=actor, today=self.today, **values)


def _in_words(found: FoundText) -> str:
    """Return what the text belongs to, with the record whose page shows it, and the words around the name."""
    kind = str(found.model._meta.verbose_name)
    page = page_of(found.row) if found.row else None
    names = dict.fromkeys([str(found.row), *([str(page)] if page else [])])
    name = " · ".join(names) if found.row else gettext("deleted")
    texts = " / ".join(found.excerpts) or gettext("in its history alone")
    return f"{kind}{pgettext('between a label and a text', ': ')}{name} – {texts}"
