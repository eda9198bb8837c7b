"""Forms that renew, amend and end the terms of a signed agreement; pages and admin offer the same ones."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partnerships.exceptions import DomainError
from partnerships.forms.domain import past_day
from partnerships.forms.steps import VerbForm
from partnerships.inputs import DayField, DayInput, WholeNumberField
from partnerships.models import Agreement, AgreementArea, AgreementTerm, User
from partnerships.models.terms import LONGEST_PERIOD_DAYS, LONGEST_PERIOD_MONTHS, Period, automatic_renewals
from partnerships.permissions import refusal
from partnerships.texts import LazyText
from partnerships.workflows import terms

UNCHANGED = ("", _("Unchanged"))
# The dates that may be known to the month or year only, as ``complete_dates`` calls them.
DATES = ("signed_on", "starts_on", "ends_on")


class QuantityFields(VerbForm):
    """A form with the quantities of each promised area."""

    columns = ("quantity", "counted", "per")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.promises = list(self.row.promised_areas.select_related("area"))
        for promise in self.promises:
            for name, field in forms.fields_for_model(AgreementArea, self.columns).items():
                field.label = f"{promise.area}: {field.label}"
                field.initial = getattr(promise, name)
                field.required = False
                field.widget.attrs["class"] = "third"
                self.fields[f"{name}_{promise.pk}"] = field

    def take_promises(self, values: dict[str, Any]) -> list[AgreementArea]:
        """Return the promises with the quantities typed, and take these out of ``values``."""
        for promise in self.promises:
            for name in self.columns:
                value = values.pop(f"{name}_{promise.pk}")
                setattr(promise, name, promise.per if name == "per" and not value else value)
        return self.promises

    def place_of(self, error: DomainError) -> tuple[forms.BaseForm, str | None]:
        if error.part in self.promises and error.part is not None:
            return self, f"{error.field or self.columns[0]}_{error.part.pk}"
        return super().place_of(error)


class QuantitiesForm(QuantityFields):
    """Records how much was promised in each area, where that was not entered."""

    def call(self, actor: User, values: dict[str, Any]) -> Agreement:
        return terms.state_quantities(self.row, actor=actor, promises=self.take_promises(values))


class RenewForm(VerbForm):
    """Records a renewal that the parties agreed on, by the next term."""

    starts_on = DayField(
        label=_("Renewed from"), required=False, widget=DayInput, help_text=_("Empty: the day after the current term.")
    )
    ends_on = DayField(label=_("New end"), required=False, widget=DayInput)
    review_on = DayField(label=_("Or, without an end: review on"), required=False, widget=DayInput)
    is_gap_meant = forms.BooleanField(label=_("It was not in force before that day"), required=False)

    needs_one_of = frozenset({"ends_on", "review_on"})

    def call(self, actor: User, values: dict[str, Any]) -> AgreementTerm:
        return terms.renew_agreement(self.row, actor=actor, on=self.today, **values)


class ConfirmRenewalForm(VerbForm):
    """Records the automatic renewals that nobody has recorded yet."""

    @property
    def warnings(self) -> list[str]:
        return [
            gettext("Will be recorded: %(first)s – %(last)s, renewed automatically.")
            % {"first": date_format(period.starts_on), "last": date_format(period.ends_on or "")}
            for period in _to_confirm(self.row, self.today)
        ]

    def call(self, actor: User, values: dict[str, Any]) -> AgreementTerm:
        return terms.confirm_renewal(self.row, actor=actor, on=self.today)


class NoticeForm(VerbForm):
    """Records that a party gave notice."""

    on = DayField(label=_("Notice given on"), widget=DayInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = self.today

    def clean_on(self) -> dt.date:
        return past_day(self.cleaned_data["on"], today=self.today)

    def call(self, actor: User, values: dict[str, Any]) -> AgreementTerm:
        return terms.give_notice(self.row, actor=actor, today=self.today, **values)


class TakeBackNoticeForm(VerbForm):
    """Takes back a notice."""

    def call(self, actor: User, values: dict[str, Any]) -> AgreementTerm:
        return terms.take_back_notice(self.row, actor=actor, on=self.today)


class AmendForm(QuantityFields):
    """Records a signed amendment; what it says about end, renewal or notice changes the term from the day it takes effect.

    The quantities are shown as they are, to be changed.
    """

    signed_on = DayField(label=_("Signed on"), widget=DayInput)
    effective_on = DayField(label=_("Takes effect on"), widget=DayInput)
    summary = forms.CharField(label=_("What changed"), max_length=5000, widget=forms.Textarea(attrs={"rows": 3}))
    ends_on = DayField(label=_("New end of the term"), required=False, widget=DayInput)
    review_on = DayField(label=_("New date of review"), required=False, widget=DayInput)
    renewal = forms.ChoiceField(
        label=_("At the end"), required=False, choices=[UNCHANGED, *AgreementTerm.Renewal.choices]
    )
    renewal_months = WholeNumberField(
        label=_("Renews for (months)"), required=False, min_value=1, max_value=LONGEST_PERIOD_MONTHS
    )
    renewal_limit = WholeNumberField(
        label=_("Renews at most (times)"), required=False, min_value=1, max_value=LONGEST_PERIOD_MONTHS
    )
    notice = WholeNumberField(label=_("Notice period"), required=False, min_value=0, max_value=LONGEST_PERIOD_DAYS)
    notice_unit = forms.ChoiceField(
        label=_("Counted in"), required=False, choices=[UNCHANGED, *AgreementTerm.NoticeUnit.choices]
    )

    def call(self, actor: User, values: dict[str, Any]) -> object:
        promises = self.take_promises(values)
        given = {name: values.pop(name) for name in terms.CONDITIONS}
        conditions = {name: value for name, value in given.items() if value not in (None, "")}
        more: dict[str, Any] = {"conditions": conditions, "promises": promises}
        return terms.amend_agreement(self.row, actor=actor, today=self.today, **more, **values)


class CompleteDatesForm(VerbForm):
    """Records the days of dates that were not known to the day; asks for these alone."""

    signed_on = DayField(label=_("Signed on"), required=False, widget=DayInput)
    starts_on = DayField(label=_("Starts on"), required=False, widget=DayInput)
    ends_on = DayField(label=_("Ends on"), required=False, widget=DayInput)

    needs_one_of = frozenset(DATES)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.row.dates_to_complete
        for name in DATES:
            if name in known:
                self.fields[name].help_text = _("On record: %(date)s") % {"date": known[name]}
            else:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not self.errors and not any(values[name] for name in DATES if name in self.fields):
            raise forms.ValidationError(_("Enter at least one date."))
        return values

    def call(self, actor: User, values: dict[str, Any]) -> Agreement:
        return terms.complete_dates(self.row, actor=actor, today=self.today, **values)


@dataclass(frozen=True)
class TermVerb:
    """Something to do with the terms of an agreement. ``name`` is part of the address of its page."""

    name: str
    label: LazyText
    form_class: type[VerbForm]
    done: LazyText
    # Whether a signed agreement allows it on a day.
    is_possible: Callable[[Agreement, dt.date], bool]

    permission = "agreement.amend"

    def fits(self, agreement: Agreement, today: dt.date) -> bool:
        """Whether the agreement as it is allows it, whoever asks."""
        return agreement.is_signed and self.is_possible(agreement, today)


def _to_confirm(agreement: Agreement, today: dt.date) -> list[Period]:
    renewals = automatic_renewals(agreement.terms.all())
    return renewals.elapsed(today) if renewals else []


def _has_end(agreement: Agreement, _today: dt.date) -> bool:
    term = agreement.current_term
    return term is not None and term.ends_on is not None


def _awaits_notice(agreement: Agreement, _today: dt.date) -> bool:
    term = agreement.current_term
    return term is not None and term.renewal == AgreementTerm.Renewal.AUTOMATIC and term.notice_given_on is None


def _has_notice(agreement: Agreement, _today: dt.date) -> bool:
    term = agreement.current_term
    return term is not None and term.renewal == AgreementTerm.Renewal.AUTOMATIC and term.notice_given_on is not None


TERM_VERBS = (
    TermVerb(
        "confirm-renewal",
        _("Confirm the renewal"),
        ConfirmRenewalForm,
        _("The renewal is recorded."),
        lambda agreement, today: bool(_to_confirm(agreement, today)),
    ),
    TermVerb("renew", _("Renew"), RenewForm, _("The renewal is recorded."), _has_end),
    TermVerb("notice", _("Record a notice"), NoticeForm, _("The notice is recorded."), _awaits_notice),
    TermVerb(
        "take-back-notice", _("Take back the notice"), TakeBackNoticeForm, _("The notice is taken back."), _has_notice
    ),
    TermVerb(
        "complete-dates",
        _("Complete the dates"),
        CompleteDatesForm,
        _("The dates are recorded."),
        lambda agreement, _today: bool(agreement.dates_to_complete),
    ),
    TermVerb(
        "quantities",
        _("State the quantities promised"),
        QuantitiesForm,
        _("The quantities are recorded."),
        lambda agreement, _today: bool(agreement.promised_areas.all()),
    ),
    TermVerb(
        "amend",
        _("Record an amendment"),
        AmendForm,
        _("The amendment is recorded."),
        lambda _agreement, _today: True,
    ),
)


def term_verbs(agreement: Agreement, user: User, today: dt.date) -> list[TermVerb]:
    """Return what the user can do with the terms now."""
    if refusal(user, TermVerb.permission, agreement):
        return []
    return [verb for verb in TERM_VERBS if verb.fits(agreement, today)]
