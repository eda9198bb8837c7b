"""The form that merges two records: for each column in which they differ, the value to keep."""

from typing import Any, cast

from django import forms
from django.db.models import Field, ForeignKey, Model
from django.utils.translation import gettext, gettext_lazy

from partnerships.countries import country_name
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.office_day import office_today
from partnerships.forms.picks import PickField, pick_field
from partnerships.models import Contact, Merge, Organization, User
from partnerships.workflows.merges import merge_contacts, merge_organizations
from partnerships.workflows.organizations import CONTACT, ORGANIZATION

KEPT, MERGED = "0", "1"
# The stricter of two rules about who reads or uses the numbers of a person is proposed.
STRICTEST_FIRST: dict[str, tuple[object, ...]] = {
    "is_shared": (False, True),
    "permission": (Contact.Permission.ENTERING_UNIT, Contact.Permission.ASK, Contact.Permission.FREE),
}


class OtherOrganizationForm(forms.Form):
    """Asks for the organization that is the same as this one."""

    other = PickField("organization", label=gettext_lazy("Other organization"))

    def __init__(self, *args: Any, organization: Organization, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        pick_field(self, "other").offer_to(user)

    def clean_other(self) -> Organization:
        other: Organization = self.cleaned_data["other"]
        if other.pk == self.organization.pk:
            raise forms.ValidationError(gettext("These are not two records."))
        return other


class MergeForm(DomainFormMixin, forms.Form):
    """Merges ``merged`` into ``kept``. Where the kept one has no value, that of the other is proposed."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    other_version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, kept: Organization | Contact, merged: Organization | Contact, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept, self.merged = kept, merged
        self.fields["version"].initial, self.fields["other_version"].initial = kept.version, merged.version
        for name in self.columns:
            if _value(kept, name) != _value(merged, name):
                label = _column(kept, name).verbose_name
                choices = [(KEPT, shown_value(kept, name)), (MERGED, shown_value(merged, name))]
                initial = MERGED if _proposes_merged(name, _value(kept, name), _value(merged, name)) else KEPT
                self.fields[name] = forms.ChoiceField(
                    label=label, choices=choices, initial=initial, widget=forms.RadioSelect
                )

    @property
    def columns(self) -> tuple[str, ...]:
        return (ORGANIZATION if isinstance(self.kept, Organization) else CONTACT).fields

    def facts(self) -> list[dict[str, Any]]:
        """Return the columns to show: those that differ as a choice, and the others that have a value."""
        shown = []
        for name in self.columns:
            values = [shown_value(one, name) for one in (self.kept, self.merged)]
            if name in self.fields or any(values):
                label = str(_column(self.kept, name).verbose_name)
                row = {
                    "label": label[:1].upper() + label[1:],
                    "values": list(zip((self.kept, self.merged), values, strict=True)),
                }
                shown.append(
                    row | {"differs": name in self.fields, "field": self[name] if name in self.fields else None}
                )
        return shown

    def keep(self, actor: User, **about: object) -> Merge:
        self.kept.version, self.merged.version = self.cleaned_data["version"], self.cleaned_data["other_version"]
        taken = [name for name in self.columns if self.cleaned_data.get(name) == MERGED]
        today = office_today()
        if isinstance(self.kept, Organization) and isinstance(self.merged, Organization):
            return merge_organizations(self.kept, self.merged, actor=actor, today=today, from_merged=taken)
        if isinstance(self.kept, Contact) and isinstance(self.merged, Contact):
            return merge_contacts(self.kept, self.merged, actor=actor, today=today, from_merged=taken)
        raise TypeError("two records of different kinds")


def _proposes_merged(name: str, kept: object, merged: object) -> bool:
    if name in STRICTEST_FIRST:
        order = STRICTEST_FIRST[name]
        return order.index(merged) < order.index(kept)
    return not kept and bool(merged)


def _column(row: Model, name: str) -> Field:
    return cast("Field", row._meta.get_field(name))


def _value(row: Model, name: str) -> object:
    return getattr(row, _column(row, name).attname)


def shown_value(row: Any, name: str) -> str:
    """Return the value of a column in words; empty where there is none."""
    field = _column(row, name)
    value = _value(row, name)
    if name == "country":
        return country_name(row.country)
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(field, ForeignKey):
        return str(getattr(row, name))
    return str(getattr(row, f"get_{name}_display")() if field.choices else value)
