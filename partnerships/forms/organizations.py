"""Forms of organizations and of the contacts who work there."""

import re
from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.exceptions import DomainError, PossibleDuplicate
from partnerships.forms.choices import choosable, offer_rows
from partnerships.forms.lines import FormWithLines, LineForm, LineFormSet, line_formset, with_more_lines
from partnerships.forms.names import EitherNameMixin, name_fields
from partnerships.forms.office_day import office_today
from partnerships.forms.picks import PickField, pick_field
from partnerships.forms.possible_duplicates import AnotherField
from partnerships.forms.steps import VerbForm
from partnerships.inputs import DayField, DayInput
from partnerships.models import (
    Contact,
    ContactPosition,
    Organization,
    OrganizationCode,
    OrganizationKind,
    OrganizationName,
    Unit,
    User,
)
from partnerships.models.base import validate_visible_text
from partnerships.workflows import organizations
from partnerships.workflows.departures import record_departure

LOOK_ALIKES_SHOWN = 5
ROR_ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?ror\.org/(0[0-9a-z]{8})/?", re.IGNORECASE)


class NameForm(LineForm):
    class Meta:
        model = OrganizationName
        fields = ["name", "kind", "valid_from", "valid_until"]
        widgets = {"valid_from": DayInput, "valid_until": DayInput}


class PlainCodeMixin(forms.BaseForm):
    """A form of an external code. Of the address of a ROR entry the id is kept: https://ror.org/03yrm5c26 is 03yrm5c26."""

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        found = ROR_ADDRESS.fullmatch(code.strip())
        return found[1].lower() if found else code


class CodeForm(PlainCodeMixin, LineForm):
    class Meta:
        model = OrganizationCode
        fields = ["scheme", "code"]


class OrganizationForm(EitherNameMixin, FormWithLines):
    """Edits an organization with its other names and its external codes."""

    is_another = AnotherField(label=pgettext_lazy("look-alikes", "None of these"))
    is_code_right = forms.BooleanField(label=_("The credit code is correct"), required=False)
    part_of = PickField(
        "organization",
        label=pgettext_lazy("of an organization", "Part of"),
        help_text=_("For a faculty, campus, branch or subsidiary: the organization it belongs to."),
        required=False,
    )
    region = PickField("region", label=_("Region"), required=False)
    website = forms.URLField(label=_("Website"), required=False, max_length=200, assume_scheme="https")

    class Meta:
        model = Organization
        fields = [
            "kind",
            "name",
            "name_zh",
            "part_of",
            "institution_type",
            "country",
            "region",
            "uscc",
            "industry",
            "strengths",
            "website",
            "address",
            "description",
            "members_liaison",
        ]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, data: QueryDict | None = None, *, user: User, extra: int = 0, **kwargs: Any) -> None:
        data = with_more_lines(data)
        super().__init__(data, **kwargs)
        for name in ("part_of", "region"):
            pick_field(self, name).offer_to(user, current=getattr(self.instance, f"{name}_id"))
        self._offer_liaisons(user)
        name_lines = line_formset(Organization, OrganizationName, NameForm, extra=extra)
        code_lines = line_formset(Organization, OrganizationCode, CodeForm, extra=extra)
        self.formsets = (
            name_lines(data, instance=self.instance, prefix="names"),
            code_lines(data, instance=self.instance, prefix="codes"),
        )
        self.look_alikes: list[Organization] = []

    def _offer_liaisons(self, user: User) -> None:
        """Offer the contacts of an association that is on record; no other organization has members."""
        if self.instance.pk is None or self.instance.kind != OrganizationKind.ASSOCIATION:
            del self.fields["members_liaison"]
            return
        there = Contact.objects.at([self.instance.pk]).filter(is_active=True)
        offered = Q(pk__in=there.order_by().values("pk")) | Q(pk=self.instance.members_liaison_id)
        offer_rows(self, "members_liaison", Contact.objects.visible_to(user).filter(offered))

    @property
    def asks_about_code(self) -> bool:
        """Whether the page shows the box that confirms the credit code: it was asked about, or is ticked already."""
        return bool(self["is_code_right"].errors or self["is_code_right"].value())

    @property
    def names(self) -> LineFormSet:
        return self.formsets[0]

    @property
    def codes(self) -> LineFormSet:
        return self.formsets[1]

    def add_refusal(self, error: DomainError) -> None:
        super().add_refusal(error)
        if isinstance(error, PossibleDuplicate):
            rows = Organization.objects.filter(pk__in=error.found).select_related("region")
            self.look_alikes = list(rows.prefetch_related("holders__unit")[:LOOK_ALIKES_SHOWN])

    def keep(self, actor: User, **about: object) -> Organization:
        changes = {name: self.cleaned_data[name] for name in self.changed_data if name in self.Meta.fields}
        return organizations.edit_organization(
            self.instance,
            actor=actor,
            today=office_today(),
            changes=changes,
            parts=self.parts,
            removed=self.removed,
            confirmed_different=self.cleaned_data["is_another"],
            is_code_right=self.cleaned_data["is_code_right"],
        )


class NewOrganizationForm(OrganizationForm):
    """Registers an organization; if there are look-alikes, the user has to confirm that it is another one."""

    unit = forms.ModelChoiceField(
        label=_("Held by"), queryset=Unit.objects.none(), help_text=_("The unit that manages the relationship.")
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        units = choosable(Unit, user)
        unit = offer_rows(self, "unit", units)
        unit.required = not user.sees_all_units
        if len(own := list(units[:2])) == 1:
            unit.initial = own[0].pk
        self.order_fields(["kind", *name_fields(), "part_of", "institution_type", "country", "region", "unit"])

    def keep(self, actor: User, **about: object) -> Organization:
        return organizations.register_organization(
            self.instance,
            actor=actor,
            today=office_today(),
            unit=self.cleaned_data["unit"],
            parts=self.parts,
            confirmed_different=self.cleaned_data["is_another"],
            is_code_right=self.cleaned_data.get("is_code_right", False),
        )


class OrganizationInPlaceForm(NewOrganizationForm):
    """Registers an organization from the field of another form, with what no organization can do without."""

    asked = ("kind", "name", "name_zh", "country", "unit", "is_another")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields = {name: field for name, field in self.fields.items() if name in self.asked}
        self.fields["kind"].initial = OrganizationKind.ENTERPRISE
        self.formsets = ()


class PositionForm(LineForm):
    organization = PickField("organization", label=_("Organization"))

    class Meta:
        model = ContactPosition
        fields = ["organization", "position", "since", "until"]
        widgets = {"since": DayInput, "until": DayInput}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pick_field(self, "organization").offer_to(user, current=self.instance.organization_id)


class ContactForm(FormWithLines):
    """Registers or edits a contact with further and former positions; look-alikes are asked about."""

    is_another = AnotherField(label=pgettext_lazy("look-alikes", "None of these"))

    class Meta:
        model = Contact
        fields = [
            "name",
            "position",
            "since",
            "phone",
            "email",
            "wechat",
            "preferred_channel",
            "language",
            "permission",
            "is_shared",
            "is_active",
            "until",
            "note",
        ]
        widgets = {"since": DayInput, "until": DayInput, "note": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"is_active": _("Clear this when they have left; what was said with them stays on record.")}

    def __init__(self, data: QueryDict | None = None, *, user: User, **kwargs: Any) -> None:
        data = with_more_lines(data)
        super().__init__(data, **kwargs)
        if self.instance.pk is None:
            for name in ("is_active", "until"):
                self.fields.pop(name, None)
        lines = line_formset(Contact, ContactPosition, PositionForm, extra=0)
        self.formsets = (lines(data, instance=self.instance, prefix="positions", form_kwargs={"user": user}),)
        self.look_alikes: list[Contact] = []

    @property
    def positions(self) -> LineFormSet:
        return self.formsets[0]

    def add_refusal(self, error: DomainError) -> None:
        super().add_refusal(error)
        if isinstance(error, PossibleDuplicate):
            rows = Contact.objects.filter(pk__in=error.found).select_related("organization")
            self.look_alikes = list(rows[:LOOK_ALIKES_SHOWN])

    def keep(self, actor: User, **about: object) -> Contact:
        common: dict[str, Any] = {
            "actor": actor,
            "today": office_today(),
            "parts": self.parts,
            "confirmed_different": self.cleaned_data["is_another"],
        }
        if self.instance.pk is None:
            return organizations.register_contact(self.instance, **common)
        changes = {name: self.cleaned_data[name] for name in self.changed_data if name in self.Meta.fields}
        return organizations.edit_contact(self.instance, changes=changes, removed=self.removed, **common)


class ContactInPlaceForm(ContactForm):
    """Registers a contact from the field of another form, with the organization they work at."""

    organization = PickField("organization", label=_("Organization"))

    class Meta(ContactForm.Meta):
        fields = ["name", "organization", "position", "phone", "email", "permission"]

    def __init__(self, data: QueryDict | None = None, *, user: User, **kwargs: Any) -> None:
        super().__init__(data, user=user, **kwargs)
        self.order_fields(["name", "organization"])
        organization = pick_field(self, "organization")
        organization.offer_to(user)
        organization.adds = False  # one dialog at a time
        self.formsets = ()


class DepartureForm(VerbForm):
    """Records that a person has left, who takes their place, and where they work now."""

    until = DayField(label=_("Left on"), widget=DayInput, required=False)
    successor = forms.ModelChoiceField(
        Contact.objects.none(),
        label=_("Successor"),
        required=False,
        help_text=_("Becomes the liaison in their place. Add a new person to the contacts first."),
    )
    organization = PickField(
        "organization",
        label=_("Works now at"),
        required=False,
        help_text=_("Leave empty if unknown or not in this system."),
    )
    position = forms.CharField(
        label=_("Position there"), max_length=150, required=False, validators=[validate_visible_text]
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pick_field(self, "organization").offer_to(user, current=None)
        here = Contact.objects.visible_to(user).at(self.row.organization.ids_above_and_below())
        offer_rows(self, "successor", here.filter(is_active=True).exclude(pk=self.row.pk))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("position") and not values.get("organization") and "organization" not in self.errors:
            self.add_error("organization", _("Choose the organization, or leave the position empty."))
        return values

    def call(self, actor: User, values: dict[str, Any]) -> Contact:
        return record_departure(self.row, actor=actor, today=self.today, **values)


class ArchiveForm(VerbForm):
    def call(self, actor: User, values: dict[str, Any]) -> Organization:
        return organizations.archive_organization(self.row, actor=actor, on=self.today)


class RestoreForm(VerbForm):
    def call(self, actor: User, values: dict[str, Any]) -> Organization:
        return organizations.restore_organization(self.row, actor=actor)
