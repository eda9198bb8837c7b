"""Forms that register and edit an agreement with its parts, and join or leave a signed one."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from partnerships.dates import last_day_of
from partnerships.exceptions import DomainError, PossibleDuplicate
from partnerships.forms.choices import choosable, offer_rows
from partnerships.forms.lines import FormWithLines, LineForm, LineFormSet, line_formset, with_more_lines
from partnerships.forms.names import EitherTitleMixin, name_fields
from partnerships.forms.office_day import office_today
from partnerships.forms.picks import PickField, pick_field
from partnerships.forms.possible_duplicates import AnotherField
from partnerships.forms.steps import VerbForm, gap_field, known_signing, precision_field
from partnerships.forms.versions import Conflict, Difference
from partnerships.inputs import DayField, DayInput, WholeNumberField
from partnerships.models import (
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementTerm,
    AgreementType,
    AgreementUnit,
    Contact,
    CooperationArea,
    CustodyStep,
    Organization,
    ProgrammeItem,
    Unit,
    User,
)
from partnerships.models.terms import LONGEST_PERIOD_MONTHS
from partnerships.partial_dates import PartialDate, Precision, partial_date
from partnerships.texts import LazyText, in_both_languages, name_a_few
from partnerships.workflows import agreements

PARTIES, AREAS, TERM, PAPERS = "parties", "areas", "term", "papers"
DUPLICATES_SHOWN = 3


class PartyForm(LineForm):
    organization = PickField("organization", label=_("Organization"))

    rare = frozenset(
        {
            "signatory_position",
            "signs_as",
            "seal",
            "copies",
            "name_as_signed",
            "signed_on",
            "is_for_itself",
            "signs_for_members",
        }
    )

    class Meta:
        model = AgreementParty
        fields = [
            "organization",
            "role",
            *agreements.SIGNING_FACTS,
            "name_as_signed",
            "signed_on",
            "is_for_itself",
            "signs_for_members",
        ]
        widgets = {"signed_on": DayInput}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pick_field(self, "organization").offer_to(user, current=self.instance.organization_id)


class PaperForm(LineForm):
    """How one party of a signed agreement signed the paper, which is not locked."""

    class Meta:
        model = AgreementParty
        fields = agreements.SIGNING_FACTS

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    @property
    def legend(self) -> str:
        return str(self.instance.organization)


class AreaForm(LineForm):
    class Meta:
        model = AgreementArea
        fields = ["area", "quantity", "counted", "per", "note"]

    def __init__(self, *args: Any, user: User, areas: list[CooperationArea], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = Q(pk__in=choosable(CooperationArea, user).values("pk")) | Q(pk=self.instance.area_id)
        field = offer_rows(self, "area", CooperationArea.objects.filter(offered))
        # Read once for all lines.
        shown = [area for area in areas if area.is_active or area.pk == self.instance.area_id]
        field.choices = [("", "—"), *((area.pk, str(area)) for area in shown)]


class TermForm(LineForm):
    """A term; without a start it starts on the day of signing, if that is known. It has an end or a length."""

    length = WholeNumberField(
        label=_("Or for (months)"),
        required=False,
        min_value=1,
        max_value=LONGEST_PERIOD_MONTHS,
        help_text=_("36 for three years: it then ends on the day before the anniversary."),
    )
    field_order = ["starts_on", "ends_on", "length"]

    class Meta:
        model = AgreementTerm
        fields = [
            "starts_on",
            "starts_precision",
            "ends_on",
            "ends_precision",
            "review_on",
            "renewal",
            "renewal_months",
            "renewal_limit",
            "notice",
            "notice_unit",
            "lead_days",
        ]
        widgets = {"starts_on": DayInput, "ends_on": DayInput, "review_on": DayInput}

    rare = frozenset(
        {
            "starts_precision",
            "ends_precision",
            "renewal",
            "renewal_months",
            "renewal_limit",
            "notice",
            "notice_unit",
            "lead_days",
        }
    )
    signed: PartialDate | None = None

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["starts_on"].required = False

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        is_unknown = values.get("starts_precision") == Precision.UNKNOWN
        if not values.get("starts_on") and "starts_on" not in self.errors and not is_unknown:
            if self.signed:
                values["starts_on"], values["starts_precision"] = self.signed.day, self.signed.precision
            else:
                self.add_error("starts_on", _("Give the day on which it starts."))
        if values.get("length"):
            if values.get("ends_on"):
                self.add_error("length", _("Give the end or the length, not both."))
            elif (values.get("starts_precision") or Precision.DAY) != Precision.DAY:
                words = _("Give the end, as far as it is known: a length counts from a start whose day is known.")
                self.add_error("ends_on", words)
            elif values.get("starts_on"):
                values["ends_on"] = last_day_of(values["starts_on"], values["length"])
        return values


class AgreementForm(EitherTitleMixin, FormWithLines):
    """Edits a draft with its parties, areas and term, or what is not locked of a later agreement."""

    coordinator = PickField("person", label=_("Coordinator"), required=False)
    event = PickField("event", label=_("Signed at"), required=False)
    parent = PickField("agreement", label=_("Under the framework"), required=False)
    predecessor = PickField("agreement", label=_("Follows on"), required=False)
    through = PickField(
        "organization",
        label=pgettext_lazy("an intermediary", "Through"),
        help_text=_("The association or other body that brought the parties together."),
        required=False,
    )
    programme = PickField("programme", label=_("Program"), required=False)
    is_another = AnotherField(label=_("This is a different agreement"))

    part_fields = {ProgrammeItem: "programme"}
    about = ("unit", "type", "title", "title_zh", "title_as_signed", "reference", "summary", "coordinator")
    paper = ("archive_number", "copies")
    frame = ("programme", "event", "through", "parent", "predecessor", "amount", "currency", "is_party_list_complete")

    class Meta:
        model = Agreement
        fields = [
            "unit",
            "type",
            "title",
            "title_zh",
            "title_as_signed",
            "reference",
            "summary",
            "coordinator",
            "event",
            "through",
            "parent",
            "predecessor",
            "amount",
            "currency",
            "is_party_list_complete",
            "archive_number",
            "copies",
        ]
        widgets = {"summary": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, data: QueryDict | None = None, *, user: User, today: dt.date, **kwargs: Any) -> None:
        data = with_more_lines(data)
        super().__init__(data, **kwargs)
        self.user, self.today = user, today
        self.duplicates: list[Agreement] = []
        self.label_item = self._label_item()
        self.fields["programme"].initial = self.label_item and self.label_item.programme_id
        self._offer()
        self._hide_agreements_of_others()
        self.is_name_required = self.instance.is_editable
        for name in agreements.locked_columns(self.instance):
            self.fields.pop(name, None)
        # Lines that were typed before somebody else submitted it are shown, though they can no longer be saved.
        if self.instance.is_editable or (data is not None and f"{PARTIES}-TOTAL_FORMS" in data):
            self._add_lines()
        elif self.instance.signed_on:
            parties = AgreementParty.objects.select_related("organization")
            self.formsets = (self._lines(PAPERS, PaperForm, rows=parties, can_delete=False),)

    def _label_item(self) -> ProgrammeItem | None:
        return self.instance.programme_items.first() if self.instance.pk else None

    def _offer(self) -> None:
        for name, field in self.fields.items():
            if isinstance(field, PickField):
                field.offer_to(self.user, current=getattr(self.instance, f"{name}_id", None))
        if self.label_item:
            pick_field(self, "programme").offer_to(self.user, current=self.label_item.programme_id)
        for name, model in (("unit", Unit), ("type", AgreementType)):
            current = getattr(self.instance, f"{name}_id")
            choices = Q(pk__in=choosable(model, self.user).order_by().values("pk")) | Q(pk=current)
            offer_rows(self, name, model._default_manager.filter(choices))

    def _hide_agreements_of_others(self) -> None:
        """Leave out a reference to an agreement that the user may not see; it stays as it is."""
        for name in ("parent", "predecessor"):
            other = getattr(self.instance, f"{name}_id")
            if other and not Agreement.objects.visible_to(self.user).filter(pk=other).exists():
                del self.fields[name]

    def _add_lines(self) -> None:
        parties = AgreementParty.objects.select_related("organization__region").prefetch_related(
            "organization__holders__unit"
        )
        # The page edits the last term alone: earlier ones are history.
        terms = AgreementTerm.objects.filter(agreement=self.instance.pk).order_by("-number")
        areas = list(CooperationArea.objects.all())
        self.formsets = (
            self._lines(PARTIES, PartyForm, rows=parties),
            self._lines(AREAS, AreaForm, rows=AgreementArea.objects.all(), about={"areas": areas}),
            self._lines(TERM, TermForm, rows=AgreementTerm.objects.filter(pk__in=terms.values("pk")[:1]), max_num=1),
        )

    def _lines(
        self,
        prefix: str,
        form: type[LineForm],
        *,
        rows: QuerySet,
        about: Mapping[str, object] | None = None,
        **limits: int,
    ) -> LineFormSet:
        initial = self.first_lines(prefix)
        lines = line_formset(Agreement, rows.model, form, extra=len(initial), **limits)
        return lines(
            self.data if self.is_bound else None,
            instance=self.instance,
            prefix=prefix,
            queryset=rows,
            form_kwargs={"user": self.user, **(about or {})},
            # Django drops a new line that is sent as it was first shown, and the user wants to save what it shows.
            initial=None if self.is_bound else initial,
        )

    def first_lines(self, prefix: str) -> list[dict[str, object]]:
        """Return the initial values of the new lines that the page shows at first."""
        return [{}] if prefix == TERM else []

    @property
    def has_frame(self) -> bool:
        """Whether any of the rarely needed fields is filled in."""
        rare = set(self.frame) - {"currency", "is_party_list_complete"}
        return self.is_bound or any(self[name].value() for name in rare if name in self.fields)

    @property
    def lines(self) -> dict[str, LineFormSet]:
        return {formset.prefix: formset for formset in self.formsets}

    def groups(self) -> dict[str, list[forms.BoundField]]:
        return {
            "about": [self[name] for name in self.fields if name in self.about],
            "paper": [self[name] for name in self.paper],
            "frame": [self[name] for name in self.frame if name in self.fields],
        }

    def differences_beside(self, conflict: Conflict) -> Iterable[Difference]:
        return conflict.first_row_differences(self, "programme", self.instance.programme_items)

    def is_valid(self) -> bool:
        signed = self.signed()
        for term in self.lines[TERM].forms if TERM in self.lines else ():
            cast("TermForm", term).signed = signed
        return super().is_valid()

    def signed(self) -> PartialDate | None:
        return None

    def add_refusal(self, error: DomainError) -> None:
        super().add_refusal(error)
        if isinstance(error, PossibleDuplicate):
            self.duplicates = list(Agreement.objects.filter(pk__in=error.found)[:DUPLICATES_SHOWN])

    def keep(self, actor: User, **about: object) -> Agreement:
        labels, taken_off = self._labels()
        return agreements.edit_agreement(
            self.instance,
            actor=actor,
            today=self.today,
            changes={name: self.cleaned_data[name] for name in self.changed_data if name in self.Meta.fields},
            parts=[*self.parts, *labels],
            removed=[*self.removed, *taken_off],
            confirmed_different=self.cleaned_data["is_another"],
        )

    def _labels(self) -> tuple[list[Model], list[Model]]:
        """Return the programme labels to add and those to remove."""
        if "programme" not in self.changed_data:
            return [], []
        chosen = self.cleaned_data["programme"]
        return [ProgrammeItem(programme=chosen)] if chosen else [], [self.label_item] if self.label_item else []


class NewAgreementForm(AgreementForm):
    """Registers a draft, or with a day of signing an agreement that is signed already."""

    on = DayField(
        label=_("Signed on"),
        required=False,
        widget=DayInput,
        help_text=_("Leave this empty for a draft: it is then submitted, approved and signed step by step."),
    )

    precision = precision_field()
    is_gap_meant = gap_field()

    def __init__(self, *args: Any, user: User, party: int | None = None, **kwargs: Any) -> None:
        units = list(choosable(Unit, user)[:2])
        self.own_unit, self.party = units[0] if len(units) == 1 else None, party
        super().__init__(*args, user=user, **kwargs)
        self.is_name_required, self.needs_one_of = False, frozenset()
        self.fields[name_fields(self.columns)[0]].help_text = _("Default: type and partner")
        self.fields["unit"].initial = self.own_unit
        self.fields["type"].initial = self._only_type()
        if not user.sees_all_units:
            self.fields["coordinator"].initial = user.pk

    def _only_type(self) -> int | None:
        """Return the type if there is only one to choose."""
        types = list(choosable(AgreementType, self.user).values_list("pk", flat=True)[:2])
        return types[0] if len(types) == 1 else None

    def is_valid(self) -> bool:
        is_valid = super().is_valid()
        if is_valid and not self.instance.title and not self._partners():
            first = name_fields(self.columns)[0]
            self.add_error(first, self.fields[first].error_messages["required"])
            return False
        return is_valid

    def _partners(self) -> list[Organization]:
        """Return the parties besides our own organization."""
        ours = self.instance.unit.organization_id
        parties = [row.organization for row in self.parts if isinstance(row, AgreementParty)]
        return [one for one in parties if one.pk != ours]

    def first_lines(self, prefix: str) -> list[dict[str, object]]:
        """Two parties, our own side and the one that the page was opened for; one area and one term."""
        if prefix != PARTIES:
            return [{}]
        ours = self.own_unit and self.own_unit.organization_id
        known = [{"organization": one} for one in dict.fromkeys((ours, self.party)) if one]
        return [*known, {}, {}][: agreements.LEAST_SIGNATORIES]

    @property
    def asks_about_gap(self) -> bool:
        return bool(self["is_gap_meant"].errors or self["is_gap_meant"].value())

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        precision = self.cleaned_data.get("precision") or Precision.DAY
        if self.cleaned_data.get("on") or precision != Precision.DAY:  # otherwise it stays a draft
            self.cleaned_data.update(known_signing(self, today=office_today(self.cleaned_data.get("unit"))))
        return cleaned

    def signed(self) -> PartialDate | None:
        values = self.cleaned_data if not self.errors else {}
        return partial_date(values.get("on"), values.get("precision") or Precision.DAY)

    def keep(self, actor: User, **about: object) -> Agreement:
        values, (labels, _none) = self.cleaned_data, self._labels()
        if not self.instance.title:
            self.instance.title, self.instance.title_zh = in_both_languages(self._usual_title)
        common: dict[str, Any] = {"actor": actor, "today": office_today(self.instance), "parts": [*self.parts, *labels]}
        common["confirmed_different"] = values["is_another"]
        signed = self.signed()
        if not signed:
            return agreements.register_agreement(self.instance, **common)
        common |= {"on": signed.day, "precision": signed.precision, "is_gap_meant": values["is_gap_meant"]}
        return agreements.register_signed_agreement(self.instance, **common)

    def _usual_title(self) -> str:
        """Return the title of an agreement for which none was typed: its type and the partners."""
        partners = name_a_few([str(one) for one in self._partners()])
        return (gettext("%(type)s with %(partner)s") % {"type": self.instance.type, "partner": partners})[:300]


class CustodyForm(VerbForm):
    """Records where the original is now, and since when."""

    step = forms.ChoiceField(label=_("What was done"), choices=CustodyStep.Step.choices)
    desk = forms.CharField(
        label=_("Where it is now"), max_length=200, help_text=_("A person, an organization or a shelf.")
    )
    since = DayField(label=_("Since"), widget=DayInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["since"].initial = self.today

    def call(self, actor: User, values: dict[str, Any]) -> Agreement:
        step = CustodyStep(**values)
        return agreements.edit_agreement(self.row, actor=actor, today=self.today, parts=[step])


class CustodyCorrectionForm(CustodyForm):
    """Corrects a step of the original, or takes one out that was entered by mistake."""

    is_wrong = forms.BooleanField(label=_("Remove this step: entered by mistake"), required=False)

    def __init__(self, *args: Any, step: CustodyStep, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.custody_step = step
        for name in ("step", "desk", "since"):
            self.fields[name].initial = getattr(step, name)

    def call(self, actor: User, values: dict[str, Any]) -> Agreement:
        about: dict[str, Any] = {"actor": actor, "today": self.today}
        if values.pop("is_wrong"):
            return agreements.edit_agreement(self.row, **about, removed=[self.custody_step])
        for name, value in values.items():
            setattr(self.custody_step, name, value)
        return agreements.edit_agreement(self.row, **about, parts=[self.custody_step])


class ContactChoiceField(forms.ModelChoiceField):
    def label_from_instance(self, contact: Contact) -> str:
        return " · ".join(filter(None, [contact.name, contact.position]))


class PeopleForm(VerbForm):
    """Names for each party the liaison and the signatory among the contacts that the user sees."""

    labels: ClassVar[dict[str, LazyText]] = {"liaison": _("Liaison"), "signatory": _("Signatory among the contacts")}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Our own organization is left out: our liaison is the coordinator.
        theirs = Q(withdrew_on=None) & ~Q(organization=self.row.unit.organization_id)
        self.parties = list(self.row.parties.filter(theirs).select_related("organization"))
        self.names = ("liaison", *(("signatory",) if self.row.signed_on or self.row.is_editable else ()))
        contacts = Contact.objects.visible_to(user)
        self.unseen: set[str] = set()
        for party in self.parties:
            near = contacts.ever_at(party.organization.ids_above_and_below())
            for name in self.names:
                current = getattr(party, f"{name}_id")
                offered = near if name == "signatory" else near.filter(Q(is_active=True) | Q(pk=current))
                # Somebody whom the user does not see is not named, and stays until another person is chosen.
                is_unseen = current is not None and not offered.filter(pk=current).exists()
                if is_unseen:
                    self.unseen.add(f"{name}-{party.pk}")
                self.fields[f"{name}-{party.pk}"] = ContactChoiceField(
                    offered,
                    label=self.labels[name],
                    initial=current,
                    required=False,
                    empty_label=_("Somebody you cannot access") if is_unseen else "—",
                )

    @property
    def groups(self) -> list[tuple[AgreementParty, list[forms.BoundField]]]:
        return [(party, [self[f"{name}-{party.pk}"] for name in self.names]) for party in self.parties]

    def place_of(self, error: DomainError) -> tuple[forms.BaseForm, str | None]:
        if isinstance(error.part, AgreementParty) and error.field in self.names:
            return self, f"{error.field}-{error.part.pk}"
        return super().place_of(error)

    def call(self, actor: User, values: dict[str, Any]) -> Agreement:
        for party in self.parties:
            for name in self.names:
                field = f"{name}-{party.pk}"
                if values[field] or field not in self.unseen:
                    setattr(party, name, values[field])
        return agreements.edit_agreement(self.row, actor=actor, today=self.today, parts=self.parties)


class AccedeForm(VerbForm):
    """Adds a party that signs later. The page sets the organizations to choose from."""

    organization = forms.ModelChoiceField(label=_("Organization"), queryset=Organization.objects.none())
    on = DayField(label=_("Acceded on"), widget=DayInput)
    role = forms.ChoiceField(label=_("Role"), choices=AgreementParty.Role.choices)
    signatory_person = forms.CharField(label=_("Signed by"), max_length=150, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_rows(self, "organization", Organization.objects.not_archived())
        self.fields["on"].initial = self.today

    def call(self, actor: User, values: dict[str, Any]) -> object:
        return agreements.accede_party(self.row, actor=actor, today=self.today, **values)


class WithdrawForm(VerbForm):
    """Records that a party leaves; its row stays."""

    party = forms.ModelChoiceField(label=_("Party"), queryset=AgreementParty.objects.none())
    on = DayField(label=_("Withdrew on"), widget=DayInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_rows(self, "party", remaining_parties(self.row))
        self.fields["on"].initial = self.today

    def call(self, actor: User, values: dict[str, Any]) -> object:
        return agreements.withdraw_party(values["party"], actor=actor, on=values["on"], today=self.today)


class AccedeOnPageForm(AccedeForm):
    """Adds a later party that is found by its name."""

    organization = PickField("organization", label=_("Organization"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pick_field(self, "organization").offer_to(user)


class CoordinatorForm(VerbForm):
    """Gives an agreement, with its milestones, to another coordinator."""

    coordinator = forms.ModelChoiceField(label=_("Coordinator"), queryset=User.objects.none(), empty_label=None)
    reason = forms.CharField(label=_("Reason"), required=False, max_length=100, help_text=_("It stays in the history."))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_rows(self, "coordinator", User.objects.visible_to(user).reachable())
        self.fields["coordinator"].initial = self.row.coordinator_id

    def call(self, actor: User, values: dict[str, Any]) -> Agreement:
        return agreements.assign_agreement(self.row, actor=actor, **values)


class UnitsForm(VerbForm):
    """Says which other units take part: they see the agreement and work on its activities."""

    units = forms.ModelMultipleChoiceField(
        label=_("Units taking part"),
        queryset=Unit.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("They see the agreement and add activities. The owner stays %(unit)s."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.current = {one.unit_id: one for one in self.row.participating_units.all()}
        offered = Q(pk__in=choosable(Unit, user).order_by().values("pk")) | Q(pk__in=self.current)
        units = Unit.objects.filter(offered).exclude(pk=self.row.unit_id)
        offer_rows(self, "units", units).initial = list(self.current)
        self.fields["units"].help_text = str(self.fields["units"].help_text) % {"unit": self.row.unit}

    def call(self, actor: User, values: dict[str, Any]) -> Agreement:
        chosen = {unit.pk: unit for unit in values["units"]}
        added = [AgreementUnit(unit=unit) for pk, unit in chosen.items() if pk not in self.current]
        removed = [one for pk, one in self.current.items() if pk not in chosen]
        return agreements.edit_agreement(self.row, actor=actor, today=self.today, parts=added, removed=removed)


def remaining_parties(agreement: Agreement) -> QuerySet[AgreementParty]:
    return agreement.parties.filter(withdrew_on__isnull=True).select_related("organization")
