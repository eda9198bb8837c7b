"""Forms that enter and edit an activity, planned or done, and attach its photos and minutes."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.db import models
from django.db.models import Model, Q, QuerySet
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from partnerships.exceptions import DomainError, EnteredAlready
from partnerships.forms.choices import offer_rows
from partnerships.forms.documents import UploadField
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.names import EitherTitleMixin
from partnerships.forms.office_day import office_today
from partnerships.forms.picks import PickField, pick_field
from partnerships.forms.versions import Conflict, Difference, VersionedForm
from partnerships.inputs import AmountField, CurrencyField, DayField, DayInput, WholeNumberField
from partnerships.models import (
    Activity,
    ActivityCredit,
    ActivityKind,
    ActivityOrganization,
    Agreement,
    AgreementArea,
    CooperationArea,
    Document,
    Event,
    Organization,
    Role,
    Unit,
    User,
    shown_to,
)
from partnerships.models.activities import credit_words
from partnerships.models.base import validate_visible_text
from partnerships.models.parties import MOST_PROMISED
from partnerships.permissions import may
from partnerships.texts import LazyText, in_both_languages
from partnerships.workflows.activities import (
    DETAIL_MODELS,
    credits_of,
    detail_of,
    edit_activity,
    register_activity,
    register_completed_activity,
)
from partnerships.workflows.documents import attach_to_activity

# Columns of the table of one kind; the fields of the form have the same names.
DETAILS: Mapping[str, tuple[str, ...]] = {
    ActivityKind.TRAINING: ("audience", "headcount", "hours"),
    ActivityKind.RESEARCH_PROJECT: (
        "principal_investigator",
        "budget",
        "currency",
        "outcomes",
        "intellectual_property",
    ),
    ActivityKind.VISIT: ("host", "delegation", "findings"),
}
# Fields for an activity that has taken place.
AFTERWARDS = ("next_step", "next_step_on", "no_next_step_reason")
LONGEST_TEXT = 5000
EVENTS_OFFERED = 12


def _text(label: LazyText, *, rows: int = 2) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": rows})
    )


def _line(label: LazyText, longest: int) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=longest, validators=[validate_visible_text])


def _through() -> PickField:
    """Return the field that names who brought the two sides together."""
    return PickField(
        "organization",
        label=pgettext_lazy("an intermediary", "Through"),
        help_text=_("The association or other body that brought the parties together."),
        required=False,
    )


def _quantity() -> forms.IntegerField:
    """Return the field that says how much an activity counts; empty is one."""
    field = WholeNumberField(
        label=_("Quantity"), required=False, initial=1, min_value=1, max_value=MOST_PROMISED, is_small=True
    )
    field.widget.attrs["size"] = 4
    return field


class DetailFields(forms.Form):
    """The fields that only trainings, research projects or visits have."""

    audience = _line(_("Audience"), 200)
    headcount = WholeNumberField(label=_("People trained"), required=False, min_value=0, max_value=1_000_000)
    hours = AmountField(label=_("Hours"), required=False, min_value=0, max_digits=6, decimal_places=1)
    principal_investigator = _line(_("Principal investigator"), 150)
    budget = AmountField(label=_("Budget"), required=False, min_value=0, max_digits=14, decimal_places=2)
    currency = CurrencyField(label=_("Currency"), initial="CNY", required=False)
    outcomes = _text(_("Outcomes"))
    intellectual_property = _text(_("Intellectual property"))
    host = forms.ModelChoiceField(
        label=pgettext_lazy("of a visit", "Host"), queryset=Organization.objects.none(), required=False
    )
    delegation = _text(_("Delegation"))
    findings = _text(_("Findings"))

    def details(self, kind: str) -> dict[str, object]:
        """Return the columns and values of the details of ``kind``; call it on a valid form."""
        values = {name: self.cleaned_data[name] for name in DETAILS.get(kind, ())}
        if "currency" in values:
            values["currency"] = values["currency"] or self.fields["currency"].initial
        return values

    def details_by_kind(self) -> list[dict[str, object]]:
        """Return each kind that has details, with their fields and whether one is filled in."""
        parts = []
        for kind, names in DETAILS.items():
            fields = [self[name] for name in names if name in self.fields]
            is_filled = any(field.errors or self._is_filled(field.name, field.value()) for field in fields)
            parts.append({"kind": kind, "label": ActivityKind(kind).label, "fields": fields, "is_filled": is_filled})
        return [part for part in parts if part["fields"]]

    def refuse_other_details(self, kind: str | None) -> None:
        """Refuse values that belong to another kind than the chosen one, instead of dropping them."""
        for other, names in DETAILS.items():
            words = _("This belongs to the kind “%(kind)s”: choose that kind or leave this empty.")
            for name in names if other != kind else ():
                if self._is_filled(name, self.cleaned_data.get(name)):
                    self.add_error(name, words % {"kind": ActivityKind(other).label})

    def _is_filled(self, name: str, value: object) -> bool:
        return value not in (None, "", self.fields[name].initial)


@dataclass(frozen=True)
class About:
    """The agreement, event or organization of a new activity, as far as they are known when its form is shown."""

    agreement: Agreement | None = None
    event: Event | None = None
    organization: Organization | None = None

    def organizations(self) -> QuerySet[Organization]:
        """Return the organizations that may have taken part: parties, participants of the event, and the one named."""
        offered = Q(pk=self.organization.pk) if self.organization else Q(pk__in=[])
        if self.agreement:
            offered |= Q(pk__in=self.agreement.parties.values("organization"))
        if self.event:
            offered |= Q(pk__in=self.event.participations.filter(organization__isnull=False).values("organization"))
        return Organization.objects.filter(offered)

    @cached_property
    def promises(self) -> list[AgreementArea]:
        return list(self.agreement.promised_areas.select_related("area")) if self.agreement else []

    @cached_property
    def areas(self) -> list[CooperationArea]:
        """Return the areas that the agreement promises, or all areas if it names none."""
        promised = [promise.area for promise in self.promises]
        return promised or list(CooperationArea.objects.filter(is_active=True))

    def events(self, user: User) -> list[Event]:
        """Return the event itself, that of the agreement, and the latest events."""
        latest = list(Event.objects.visible_to(user).recorded()[:EVENTS_OFFERED])
        first = [self.event, self.agreement.event if self.agreement else None]
        return list(dict.fromkeys(event for event in [*first, *latest] if event))


def offer_events(form: forms.BaseForm, about: About, user: User) -> None:
    """Offer a few events to choose from; any event that the user sees is accepted."""
    field = offer_rows(form, "event", Event.objects.visible_to(user))
    field.choices = [("", field.empty_label), *((row.pk, str(row)) for row in about.events(user))]


class NextStepWhen(models.TextChoices):
    """When the next step is due, as the person chooses it: most are, a week after the activity was entered."""

    NONE = "none", pgettext_lazy("next step", "None")
    WEEK = "week", _("In a week")
    DATE = "date", _("On a date")


class NewActivityForm(EitherTitleMixin, DomainFormMixin, DetailFields, forms.ModelForm):
    """The short form that plans an activity, or records one that has taken place and its next step.

    What belongs to another kind than the chosen one, or to one that is over, is refused, not dropped. The page shows a
    few agreements to choose among, and those that were searched for; ``partner`` finds an organization beside those offered.
    """

    needs_one_of = frozenset({*AFTERWARDS, "title", "title_zh", "starts_on", "unit"})
    marks = {
        "kind": _("required"),
        "starts_on": _("required once it has taken place"),
        "next_step": _("required"),
    }
    rare = ("ends_on", "place", "through", "owner")
    field_names = {"on": "ends_on"}
    part_fields = {ActivityOrganization: "organizations", ActivityCredit: "areas"}

    is_done = forms.BooleanField(label=_("It has taken place"), required=False)
    find = forms.CharField(label=_("Find an agreement"), max_length=200, required=False)
    agreement = forms.ModelChoiceField(label=_("Agreement"), queryset=Agreement.objects.none(), required=False)
    unit = forms.ModelChoiceField(
        label=_("Unit"),
        queryset=Unit.objects.none(),
        required=False,
        help_text=_("Whose activity it is, where there is no agreement."),
    )
    organizations = forms.ModelMultipleChoiceField(
        label=_("With"), queryset=Organization.objects.none(), widget=forms.CheckboxSelectMultiple, required=False
    )
    partner = PickField("organization", label=_("With another organization"), required=False)
    through = _through()
    areas = forms.ModelMultipleChoiceField(
        label=_("Counts for"),
        queryset=CooperationArea.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Each area counts as delivered to each organization once the activity is completed."),
    )
    next_step_when = forms.ChoiceField(
        label=_("Next step"),
        choices=NextStepWhen.choices,
        initial=NextStepWhen.WEEK,
        required=False,
        widget=forms.RadioSelect,
    )
    next_step = forms.CharField(
        label=_("What comes next"), max_length=200, required=False, validators=[validate_visible_text]
    )
    next_step_on = DayField(label=_("Next step by"), required=False, widget=DayInput)
    no_next_step_reason = _line(_("Why there is no next step"), 300)

    class Meta:
        model = Activity
        fields = ["kind", "title", "title_zh", "starts_on", "ends_on", "place", "through", "owner", "event", "summary"]
        widgets = {
            "kind": forms.RadioSelect,
            "starts_on": DayInput,
            "ends_on": DayInput,
            "summary": forms.Textarea(attrs={"rows": 2}),
        }
        labels = {"starts_on": _("Date"), "ends_on": _("Last day")}
        help_texts = {
            "title": _("Default: kind + first partner"),
            "ends_on": _("Where it lasts more than a day."),
        }

    def __init__(
        self, *args: Any, about: About, user: User, today: dt.date, is_agreement_fixed: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = ActivityKind.choices  # type: ignore[attr-defined]
        self.about, self.user, self.today, self.is_agreement_fixed = about, user, today, is_agreement_fixed
        self.is_name_required = False
        offer_rows(self, "owner", User.objects.visible_to(user).reachable())
        self.fields["owner"].initial = user.pk
        offer_rows(self, "organizations", about.organizations())
        pick_field(self, "partner").offer_to(user)
        pick_field(self, "through").offer_to(user)
        if about == About():
            self.fields["partner"].label = self.fields["organizations"].label
        offer_rows(self, "host", about.organizations())
        self._offer_areas()
        self._offer_agreements(user)
        offer_events(self, about, user)
        self._offer_units(user)

    @property
    def rare_fields(self) -> list[forms.BoundField]:
        return [*self.names_in_order, *(self[name] for name in self.rare)]

    @property
    def has_more(self) -> bool:
        """Whether a rarely needed field is filled in otherwise than at first, or refused."""
        return any(field.errors or str(field.value() or "") != str(field.initial or "") for field in self.rare_fields)

    @property
    def is_credited(self) -> bool:
        """Whether an area or an event is chosen, or something here is refused."""
        quantities = [self[f"quantity_{area.pk}"] for area in self.about.areas]
        chosen = any(self[name].value() or self[name].errors for name in ("areas", "event"))
        return chosen or any(field.errors for field in quantities)

    def _offer_areas(self) -> None:
        offer_rows(self, "areas", CooperationArea.objects.filter(pk__in=[area.pk for area in self.about.areas]))
        self.fields.update({f"quantity_{area.pk}": _quantity() for area in self.about.areas})

    def credit_lines(self) -> list[dict[str, Any]]:
        """Return a line for each area: whether it counts, how much, and what the agreement promises in it."""
        ticked = {str(value) for value in self["areas"].value() or ()}
        promised = {promise.area_id: promise.quantity_words for promise in self.about.promises}
        return [
            {
                "area": area,
                "is_ticked": str(area.pk) in ticked,
                "quantity": self[f"quantity_{area.pk}"],
                "promised": promised.get(area.pk, ""),
            }
            for area in self.about.areas
        ]

    def _offer_agreements(self, user: User) -> None:
        """Accept any agreement the user may follow up; the page shows a few and those searched for."""
        if self.is_agreement_fixed:
            del self.fields["agreement"], self.fields["find"]
            return
        offer_rows(self, "agreement", Agreement.objects.followed_up_by(user))

    def _offer_units(self, user: User) -> None:
        """Offer the units; the field goes if there is an agreement or the user works for one unit."""
        units = Unit.objects.all()
        if not user.sees_all_units:
            units = units.filter(pk__in=user.scope.unit_ids_as(Role.COORDINATOR))
        offer_rows(self, "unit", units)
        # Two are enough to know whether there is a choice.
        only = units[:2] if not self.about.agreement else [_unit_for(self.about.agreement, user)]
        if len(only) == 1:
            self.instance.unit = only[0]
            del self.fields["unit"]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        found = [values["partner"]] if values.get("partner") else []
        values["organizations"] = list(dict.fromkeys([*values.get("organizations", ()), *found]))
        self.refuse_other_details(values.get("kind"))
        self._check_days(values)
        ticked = set(values.get("areas", ()))
        _refuse_unticked(self, [f"quantity_{area.pk}" for area in self.about.areas if area not in ticked])
        if values.get("find") and not values.get("agreement") and "agreement" not in self.errors:
            self.add_error("agreement", _("Choose one of the agreements found, or empty the search."))
        if "unit" in self.fields and not values.get("unit") and "unit" not in self.errors:
            self.add_error("unit", _("Choose an agreement, or the unit whose activity this is."))
        self._set_next_step(values)
        if not values.get("is_done"):
            for name in AFTERWARDS:
                if values.get(name):
                    self.add_error(name, _("This is for one that has taken place: tick that, or leave this empty."))
        if not values.get("title") and not self.errors.keys() & set(self.columns) and values.get("kind"):
            values["title"], values["title_zh"] = in_both_languages(lambda: self._offered_title(values))
        return values

    def _set_next_step(self, values: dict[str, Any]) -> None:
        """Turn the choice into a date. What belongs to another choice and is filled in is refused, not dropped."""
        when = values.get("next_step_when")
        if when == NextStepWhen.NONE:
            for name in ("next_step", "next_step_on"):
                if values.get(name):
                    self.add_error(name, _("“None” is selected. Choose when it is due, or clear this field."))
        elif when and values.get("no_next_step_reason"):
            self.add_error("no_next_step_reason", _("A next step is selected. Choose “None”, or clear this field."))
        if when == NextStepWhen.WEEK and values.get("next_step_on"):
            self.add_error("next_step_on", _("“In a week” is selected. Choose “On a date”, or clear this field."))
        elif when == NextStepWhen.WEEK and values.get("next_step"):
            values["next_step_on"] = self.today + dt.timedelta(days=7)

    def _check_days(self, values: dict[str, Any]) -> None:
        starts_on, ends_on = values.get("starts_on"), values.get("ends_on")
        if ends_on and "starts_on" not in self.errors and (starts_on is None or ends_on < starts_on):
            # Beside the field; the constraint behind it speaks about the row as a whole.
            self.add_error("ends_on", _("An activity cannot end before it starts."))
        if not values.get("is_done"):
            return
        if starts_on is None and not self.errors.keys() & {"starts_on", "ends_on"}:
            self.add_error("starts_on", _("When did it take place?"))

    def _offered_title(self, values: dict[str, Any]) -> str:
        first = next(iter(values.get("organizations") or ()), None)
        words = [ActivityKind(values["kind"]).label, first]
        longest = Activity._meta.get_field("title").max_length or 0
        return Truncator(pgettext("between a kind and a name", ": ").join(str(word) for word in words if word)).chars(
            longest
        )

    def keep(self, actor: User, **about: object) -> Activity:
        values, activity = self.cleaned_data, self.instance
        activity.unit = values["unit"] if "unit" in self.fields else activity.unit
        activity.agreement = self.about.agreement
        if not values["is_done"]:
            return register_activity(activity, actor=actor, today=office_today(activity), parts=self._parts())
        afterwards = {name: values[name] for name in AFTERWARDS}
        on = activity.ends_on or activity.starts_on
        return register_completed_activity(
            activity, actor=actor, on=on, today=office_today(activity), parts=self._parts(), **afterwards
        )

    def add_refusal(self, error: DomainError) -> None:
        """Link the activity that is on record already below the title, where the person may see it."""
        super().add_refusal(error)
        rows = Activity.objects.visible_to(self.user)
        known = rows.filter(pk=error.found).first() if isinstance(error, EnteredAlready) else None
        if known is not None:
            link = format_html('<a href="{}">{}</a>', known.get_absolute_url(), str(known))
            self["title"].help_text = link

    def _parts(self) -> list[Model]:
        values = self.cleaned_data
        partners = [ActivityOrganization(organization=partner) for partner in values["organizations"]]
        detail = DETAIL_MODELS.get(values["kind"])
        details = [detail(**self.details(values["kind"]))] if detail else []
        quantities = {area.pk: values[f"quantity_{area.pk}"] or 1 for area in values["areas"]}
        return [*details, *partners, *credits_of(values["areas"], values["organizations"], quantities=quantities)]


class ActivityForm(EitherTitleMixin, DomainFormMixin, DetailFields, VersionedForm):
    """Edits an activity: its columns, who took part and what it counts for. Its kind, unit and owner stay."""

    organizations = forms.ModelMultipleChoiceField(
        label=_("With"), queryset=Organization.objects.none(), widget=forms.CheckboxSelectMultiple, required=False
    )
    through = _through()
    part_fields = {ActivityOrganization: "organizations", ActivityCredit: "credits"}

    credits = forms.MultipleChoiceField(label=_("Counts for"), widget=forms.CheckboxSelectMultiple, required=False)

    class Meta:
        model = Activity
        fields = ["title", "title_zh", "starts_on", "ends_on", "place", "through", "event", "summary"]
        widgets = {"starts_on": DayInput, "ends_on": DayInput, "summary": forms.Textarea(attrs={"rows": 4})}
        labels = {"starts_on": _("Date"), "ends_on": _("Last day")}
        help_texts = {"ends_on": _("Where it lasts more than a day.")}

    def __init__(self, *args: Any, user: User, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today, self.detail = today, detail_of(self.instance)
        agreement = shown_to(user, self.instance.agreement)
        about = About(agreement if isinstance(agreement, Agreement) else None, self.instance.event)
        self._keep_to_its_kind()
        pick_field(self, "through").offer_to(user, current=self.instance.through_id)
        offer_events(self, about, user)
        self._offer_partners(about)

    def _keep_to_its_kind(self) -> None:
        for kind, names in DETAILS.items():
            for name in names:
                if kind != self.instance.kind:
                    del self.fields[name]
                elif self.detail:
                    self.fields[name].initial = forms.model_to_dict(self.detail, [name])[name]

    def _offer_partners(self, about: About) -> None:
        """Offer the parties, participants of the event and current partners, with the areas that may count."""
        partners = self.instance.partners.values("organization")
        credited = {(row.area_id, row.organization_id): row.quantity for row in self.instance.credits.all()}
        self.offered = list(about.organizations() | Organization.objects.filter(pk__in=partners))
        of_before = CooperationArea.objects.filter(pk__in={area for area, _organization in credited})
        self.areas = list(dict.fromkeys([*about.areas, *of_before]))
        rows = Organization.objects.filter(pk__in=[row.pk for row in self.offered])
        offer_rows(self, "organizations", rows)
        self.fields["organizations"].initial = [row["organization"] for row in partners]
        if "host" in self.fields:
            host: Any = getattr(self.detail, "host_id", None)
            offer_rows(self, "host", rows | Organization.objects.filter(pk=host))
        pairs = [(_pair(area, row), f"{area} · {row}") for row in self.offered for area in self.areas]
        credits_field = cast("forms.MultipleChoiceField", self.fields["credits"])
        credits_field.choices = pairs
        credits_field.initial = [f"{area}-{organization}" for area, organization in credited]
        for pair, _words in pairs:
            self.fields[f"quantity_{pair}"] = _quantity()
        for (area, organization), quantity in credited.items():
            if f"quantity_{area}-{organization}" in self.fields:
                self.fields[f"quantity_{area}-{organization}"].initial = quantity

    def grid(self) -> list[dict[str, Any]]:
        """Return a line for each organization: whether it takes part, and for each area whether and how much it counts."""
        ticked = {str(value) for value in self["organizations"].value() or ()}
        counted = set(self["credits"].value() or ())
        return [
            {
                "organization": row,
                "takes_part": str(row.pk) in ticked,
                "cells": [
                    (area, pair, pair in counted, self[f"quantity_{pair}"])
                    for area in self.areas
                    for pair in (_pair(area, row),)
                ],
            }
            for row in self.offered
        ]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        ends_on, starts_on = values.get("ends_on"), values.get("starts_on")
        if ends_on and "starts_on" not in self.errors and (starts_on is None or ends_on < starts_on):
            self.add_error("ends_on", _("An activity cannot end before it starts."))
        if "credits" in values:
            pairs = {_pair(area, row) for row in self.offered for area in self.areas}
            _refuse_unticked(self, [f"quantity_{pair}" for pair in sorted(pairs - set(values["credits"]))])
        return values

    def differences_beside(self, conflict: Conflict) -> Iterable[Difference]:
        yield from conflict.row_differences(self, self.detail, DETAILS.get(self.instance.kind, ()))
        yield from conflict.rows_differences(self["organizations"], self._partners(), self.instance.partners)
        yield from conflict.rows_differences(self["credits"], self._credits(), self.instance.credits)

    def _partners(self) -> list[str]:
        return [str(line["organization"]) for line in self.grid() if line["takes_part"]]

    def _credits(self) -> list[str]:
        cells = [(line["organization"], *cell) for line in self.grid() for cell in line["cells"]]
        return [
            credit_words(area, organization, self.cleaned_data.get(quantity.name) or 1)
            for organization, area, _value, is_counted, quantity in cells
            if is_counted
        ]

    def keep(self, actor: User, **about: object) -> Activity:
        values, activity = self.cleaned_data, self.instance
        partners = {row.organization_id: row for row in activity.partners.all()}
        ticked = {organization.pk for organization in values["organizations"]}
        credited = {(row.area_id, row.organization_id): row for row in activity.credits.all()}
        counted = {
            (int(area), int(organization)): values[f"quantity_{area}-{organization}"] or 1
            for area, organization in (pair.split("-") for pair in values["credits"])
        }
        parts: list[Model] = [ActivityOrganization(organization_id=pk) for pk in sorted(ticked - partners.keys())]
        for (area, organization), quantity in sorted(counted.items()):
            credit = credited.get((area, organization)) or ActivityCredit(area_id=area, organization_id=organization)
            credit.quantity = quantity
            parts.append(credit)
        gone = [
            *(partners[pk] for pk in sorted(partners.keys() - ticked)),
            *(credited[pair] for pair in sorted(credited.keys() - counted.keys())),
        ]
        changes = {name: values[name] for name in self.Meta.fields}
        parts += self._changed_details()
        return edit_activity(activity, actor=actor, today=self.today, changes=changes, parts=parts, removed=gone)

    def _changed_details(self) -> list[Model]:
        model = DETAIL_MODELS.get(self.instance.kind)
        if model is None:
            return []
        detail = self.detail or model()
        for name, value in self.details(self.instance.kind).items():
            setattr(detail, name, value)
        return [detail]


def _refuse_unticked(form: forms.BaseForm, names: Iterable[str]) -> None:
    """Refuse a quantity of what does not count, instead of dropping it."""
    for name in names:
        if form.cleaned_data.get(name) not in (None, form.fields[name].initial):
            form.add_error(name, _("Tick what it counts for, or leave the quantity as it was."))


def _pair(area: CooperationArea, organization: Organization) -> str:
    return f"{area.pk}-{organization.pk}"


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(UploadField):
    widget = FilesInput

    def clean(self, data: object, initial: object = None) -> list[object]:
        """Clean each file by itself and return a list, even of one file."""
        files = data if isinstance(data, list) else [data]
        return [super(FilesField, self).clean(file, initial) for file in files or [None]]


class AttachmentForm(DomainFormMixin, forms.Form):
    """Files for an activity, each a document of its own."""

    kind = forms.ChoiceField(
        label=_("File type"),
        choices=[
            (kind.value, kind.label) for kind in (Document.Kind.PHOTO, Document.Kind.MINUTES, Document.Kind.OTHER)
        ],
    )
    files = FilesField(label=_("Photos or minutes"))  # type: ignore[assignment]

    def keep(self, actor: User, **about: Any) -> list[Document]:
        return attach_to_activity(actor=actor, **about, **self.cleaned_data)


def _unit_for(agreement: Agreement, user: User) -> Unit:
    """Return the agreement's unit, or the participating unit that this person works for."""
    units = [agreement.unit, *(row.unit for row in agreement.participating_units.select_related("unit"))]
    own = (unit for unit in units if may(user, "activity.edit", Activity(unit=unit)))
    return next(own, agreement.unit)
