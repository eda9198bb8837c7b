"""Forms of workflow steps, made from the transition tables; admin and pages use the same ones."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db import models
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from partnerships.forms.choices import offer_rows
from partnerships.forms.domain import DomainFormMixin, past_day
from partnerships.inputs import DayField, DayInput
from partnerships.models import (
    Activity,
    Agreement,
    Answer,
    ApprovalStep,
    ContactNote,
    Demand,
    Event,
    Facility,
    Honour,
    Milestone,
    MilestoneKind,
    User,
)
from partnerships.models.terms import automatic_renewals
from partnerships.partial_dates import Precision, partial_date
from partnerships.permissions import refusal
from partnerships.statuses import (
    ACTIVITY_TRANSITIONS,
    AGREEMENT_TRANSITIONS,
    ANSWER_TRANSITIONS,
    DEMAND_TRANSITIONS,
    EVENT_TRANSITIONS,
    FACILITY_TRANSITIONS,
    HONOUR_TRANSITIONS,
    MILESTONE_TRANSITIONS,
    Transition,
    TransitionTable,
)
from partnerships.texts import LazyText
from partnerships.workflows import activities, agreements, demands, events, facilities, honours, milestones
from partnerships.workflows.milestones import MET_BY_DOING


class VerbForm(DomainFormMixin, forms.Form):
    """Input for one verb on one row."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    # One of these fields has to be filled in, so the page does not call them optional.
    needs_one_of: frozenset[str] = frozenset()

    def __init__(self, *args: Any, row: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        self.today = today
        self.fields["version"].initial = row.version

    def send_version_of(self, row: Any) -> None:
        """Set the version of ``row`` in a form that is shown again: the page shows that version, so sending it is deliberate."""
        data = self.data.copy()  # type: ignore[attr-defined]  # what was sent is a QueryDict
        data["version"] = str(row.version)
        self.data = data

    def call(self, actor: User, values: dict[str, Any]) -> object:
        raise NotImplementedError

    def keep(self, actor: User, **about: object) -> object:
        values = dict(self.cleaned_data)
        self.row.version = values.pop("version")
        return self.call(actor, values)


class StepForm(VerbForm):
    """A step of a transition table: its date, and its reason where one is needed."""

    on = DayField(label=_("Date"), widget=DayInput)

    def __init__(self, *args: Any, transition: Transition, verb: Callable[..., object], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.transition = transition
        self.verb = verb
        self.fields["on"].initial = self.today
        if transition.needs_reason:
            self.fields["reason"] = forms.CharField(
                label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000
            )

    def clean_on(self) -> dt.date | None:
        return past_day(self.cleaned_data["on"], today=self.today)

    def call(self, actor: User, values: dict[str, Any]) -> object:
        return self.verb(self.row, actor=actor, **values)


class SubmissionForm(StepForm):
    """Submits a draft; what it lacks is added on the page that edits the agreement."""

    refusal_title = _("It cannot be submitted yet")

    @property
    def remedy(self) -> tuple[str, LazyText] | None:
        """Return the address and the label of a link that helps, once the submission was refused."""
        if not self.non_field_errors():
            return None
        return reverse("agreement_edit", args=[self.row.pk]), _("Edit the parties")


class LateStepForm(StepForm):
    """A step whose verb also asks for the day of the entry, which may be later than that of the step."""

    def call(self, actor: User, values: dict[str, Any]) -> object:
        return super().call(actor, values | {"today": self.today})


class TerminateForm(StepForm):
    def clean_on(self) -> dt.date:
        """Accept a day in the future: notice may end an agreement then."""
        return self.cleaned_data["on"]


def precision_field(widget: type[forms.Select] = forms.Select) -> forms.ChoiceField:
    return forms.ChoiceField(
        widget=widget,
        label=_("How much of the date is known"),
        choices=Precision.choices,
        required=False,
        initial=Precision.DAY,
        help_text=_("For a month or a year choose any day in it."),
    )


class EndByNoticeForm(StepForm):
    """Records that the agreement ended by notice; offers the day after its last one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.row.current_ends_on:
            self.fields["on"].initial = min(self.row.current_ends_on + dt.timedelta(days=1), self.today)

    @property
    def warnings(self) -> list[str]:
        """Say from which day on it can be recorded, while that lies ahead."""
        renewals = automatic_renewals(self.row.terms.all())
        if renewals is None or renewals.last.notice_given_on is None:
            return []
        if renewals.until is None or renewals.until < self.today:
            return []
        first = renewals.until + dt.timedelta(days=1)
        words = gettext("By the notice it runs until %(last)s. The end can be recorded from %(first)s on.")
        return [words % {"last": date_format(renewals.until), "first": date_format(first)}]


def gap_field() -> forms.BooleanField:
    return forms.BooleanField(
        label=_("The gap after the previous agreement is intended"),
        required=False,
        help_text=_("Needed only where days lie between the end of that agreement and the start of this one."),
    )


class SigningForm(LateStepForm):
    """Records a signing, and shows warnings before."""

    on = DayField(label=_("Signed on"), widget=DayInput)
    is_gap_meant = gap_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.row.predecessor_id is None:
            del self.fields["is_gap_meant"]

    @property
    def warnings(self) -> list[str]:
        return agreements.signing_warnings(self.row)


class RegistrationForm(SigningForm):
    """Records that it was signed already, on a day that may not be known."""

    precision = precision_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].required = False

    def clean_on(self) -> dt.date | None:
        """Leave the check to ``clean``, which knows how much of the day is meant."""
        return self.cleaned_data["on"]

    def clean(self) -> dict[str, Any] | None:
        self.cleaned_data.update(known_signing(self, today=self.today))
        return super().clean()


def known_signing(form: forms.BaseForm, *, today: dt.date) -> dict[str, Any]:
    """Return the day and the precision that a form with both fields gives; the day is asked for unless it is unknown.

    Of a month or a year any day may be chosen, so only the first day of the period must not lie ahead of ``today``.
    """
    precision = form.cleaned_data.get("precision") or Precision.DAY
    signed = partial_date(form.cleaned_data.get("on"), precision)
    if signed is not None:
        try:
            past_day(signed.first, today=today)
        except forms.ValidationError as error:
            form.add_error("on", error)
            signed = None
    elif "on" not in form.errors:
        form.add_error("on", _("Give the day, or say that it is not known."))
    return {"on": signed.day if signed else None, "precision": precision}


class EventWithdrawalForm(StepForm):
    """Withdraws an event, and says what stays."""

    @property
    def warnings(self) -> list[str]:
        if not self.row.agreements.exists():
            return []
        return [gettext("Agreements signed at it stay signed.")]


class OpeningForm(LateStepForm):
    on = DayField(label=_("Opened on"), widget=DayInput)


class ProposalForm(StepForm):
    summary = forms.CharField(
        label=_("The answer"), max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class EvidenceForm(StepForm):
    on = DayField(label=_("Done on"), widget=DayInput)
    evidence = forms.CharField(
        label=pgettext_lazy("of a milestone", "Evidence"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("In a sentence: what was done, with whom, where the paper is."),
    )


class CompletionForm(LateStepForm):
    needs_one_of = frozenset({"next_step", "next_step_on", "no_next_step_reason"})
    marks = {"next_step": _("required, or why not")}

    on = DayField(label=_("Completed on"), widget=DayInput)
    summary = forms.CharField(
        label=_("Outcome"), max_length=5000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    next_step = forms.CharField(
        label=_("Next step"),
        max_length=200,
        required=False,
        help_text=_("Say what comes next and by when, or why nothing does."),
    )
    next_step_on = DayField(label=_("Next step by"), required=False, widget=DayInput)
    no_next_step_reason = forms.CharField(label=_("Or why there is no next step"), max_length=300, required=False)


class ReplanForm(StepForm):
    starts_on = DayField(label=_("New start date"), required=False, widget=DayInput)


class MoveForm(VerbForm):
    """Moves the due date of a milestone."""

    due_on = DayField(label=_("New due date"), widget=DayInput)
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["due_on"].initial = self.row.due_on

    def call(self, actor: User, values: dict[str, Any]) -> Milestone:
        return milestones.move_milestone(self.row, actor=actor, at=timezone.now(), **values)


class SnoozeForm(VerbForm):
    """Snoozes the reminders of a milestone until a day."""

    until = DayField(label=pgettext_lazy("snooze", "Until"), widget=DayInput)
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        latest = milestones.last_day_of_snooze(self.row, self.today)
        until = self.fields["until"]
        until.initial = self.row.snoozed_until or min(self.today + dt.timedelta(days=7), latest)
        until.help_text = _("No reminders until this day; one is sent on it. At the latest %(day)s.") % {
            "day": latest.isoformat()
        }
        until.widget.attrs.update(min=(self.today + dt.timedelta(days=1)).isoformat(), max=latest.isoformat())
        self.fields["reason"].initial = self.row.snooze_reason

    def call(self, actor: User, values: dict[str, Any]) -> Milestone:
        return milestones.snooze_milestone(self.row, actor=actor, on=self.today, **values)


class UnsnoozeForm(VerbForm):
    def call(self, actor: User, values: dict[str, Any]) -> Milestone:
        return milestones.unsnooze_milestone(self.row, actor=actor)


class ConfirmSigningForm(VerbForm):
    """Confirms that an agreement registered as already signed was signed."""

    def call(self, actor: User, values: dict[str, Any]) -> Agreement:
        return agreements.confirm_signing(self.row, actor=actor, on=self.today)


class ApprovalStepForm(VerbForm):
    """Records the next approval step of an agreement in review."""

    on = DayField(label=_("Decided on"), widget=DayInput)
    meeting = forms.CharField(label=_("Meeting that decided"), max_length=200, required=False)
    number = forms.CharField(label=_("Number of the decision"), max_length=100, required=False)
    note = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000, required=False)
    step = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, next_step: ApprovalStep, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.next_step = next_step
        self.fields["on"].initial, self.fields["step"].initial = self.today, next_step.pk

    def call(self, actor: User, values: dict[str, Any]) -> object:
        # The form names the step it was shown for, so that a second click is refused and does not record the next step.
        step = ApprovalStep(pk=values.pop("step"))
        return agreements.record_approval_step(self.row, step, actor=actor, today=self.today, **values)


class AssignForm(VerbForm):
    """Gives a milestone to another owner, among the people the user may see."""

    owner = forms.ModelChoiceField(label=_("Owner"), queryset=User.objects.none())

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_rows(self, "owner", User.objects.visible_to(user).reachable())

    def call(self, actor: User, values: dict[str, Any]) -> Milestone:
        return milestones.assign_milestone(self.row, actor=actor, **values)


class UndoForm(VerbForm):
    """Takes back what the person has just done with a milestone: a step, a snooze, or giving it away."""

    what = forms.ChoiceField(
        choices=[("step", ""), ("snooze", ""), ("assign", "")], initial="step", widget=forms.HiddenInput
    )
    owner = forms.ModelChoiceField(queryset=User.objects.all(), required=False, widget=forms.HiddenInput)

    def call(self, actor: User, values: dict[str, Any]) -> Milestone:
        if values["what"] == "snooze":
            return milestones.unsnooze_milestone(self.row, actor=actor)
        if values["what"] == "assign" and values["owner"]:
            return milestones.assign_milestone(self.row, actor=actor, owner=values["owner"])
        return milestones.take_back_step(self.row, actor=actor, on=self.today, now=timezone.now())


class ContactNoteForm(DomainFormMixin, forms.Form):
    """Logs a call or message about an agreement or organization, in seconds."""

    field_names = {"happened_on": "on"}

    channel = forms.ChoiceField(label=_("How"), choices=ContactNote.Channel.choices)
    on = DayField(label=pgettext_lazy("day of a contact", "When"), widget=DayInput)
    summary = forms.CharField(label=_("What was said"), max_length=5000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, today: dt.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["on"].initial = today

    def keep(self, actor: User, **about: Any) -> ContactNote:
        """Register the note about an agreement, or about a milestone and its agreement or organization."""
        row: Agreement | Milestone = about["about"]
        milestone = row if isinstance(row, Milestone) else None
        note = ContactNote(
            unit=row.unit,
            agreement=row.agreement if isinstance(row, Milestone) else row,
            organization=milestone.organization if milestone else None,
            milestone=milestone,
            channel=self.cleaned_data["channel"],
            happened_on=self.cleaned_data["on"],
            summary=self.cleaned_data["summary"],
        )
        return activities.register_contact_note(note, actor=actor, today=self.today)


class EditNoteForm(VerbForm):
    """Corrects how, when and what was said in a logged call or message."""

    channel = forms.ChoiceField(label=_("How"), choices=ContactNote.Channel.choices)
    happened_on = DayField(label=pgettext_lazy("day of a contact", "When"), widget=DayInput)
    summary = forms.CharField(label=_("What was said"), max_length=5000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("channel", "happened_on", "summary"):
            self.fields[name].initial = getattr(self.row, name)

    def call(self, actor: User, values: dict[str, Any]) -> ContactNote:
        return activities.edit_contact_note(self.row, actor=actor, today=self.today, changes=values)


_Steps = Mapping[str, Callable[..., object]]
_WORKFLOWS: dict[type[models.Model], tuple[TransitionTable, _Steps, dict[str, type[StepForm]]]] = {
    Agreement: (
        AGREEMENT_TRANSITIONS,
        agreements.STEPS,
        {
            "submit": SubmissionForm,
            "sign": SigningForm,
            "record_signed": RegistrationForm,
            "terminate": TerminateForm,
            "end_by_notice": EndByNoticeForm,
            "suspend": LateStepForm,
            "resume": LateStepForm,
            "reinstate": LateStepForm,
        },
    ),
    Activity: (
        ACTIVITY_TRANSITIONS,
        activities.STEPS,
        {"complete": CompletionForm, "replan": ReplanForm, "reopen": LateStepForm},
    ),
    Milestone: (MILESTONE_TRANSITIONS, milestones.STEPS, {"meet": EvidenceForm, "submit": EvidenceForm}),
    Facility: (FACILITY_TRANSITIONS, facilities.STEPS, {"open": OpeningForm}),
    Honour: (HONOUR_TRANSITIONS, honours.STEPS, {}),
    Event: (EVENT_TRANSITIONS, events.STEPS, {"withdraw": EventWithdrawalForm}),
    Demand: (DEMAND_TRANSITIONS, demands.STEPS, {}),
    Answer: (ANSWER_TRANSITIONS, demands.ANSWER_STEPS, {"propose": ProposalForm}),
}


def step_form(row: Any, name: str, *, today: dt.date, data: QueryDict | None = None) -> StepForm:
    """Return the form of the step ``name`` for ``row``. Raises ``KeyError`` for an unknown step."""
    table, verbs, special = _WORKFLOWS[type(row)]
    form_class = special.get(name, StepForm)
    return form_class(data, row=row, today=today, transition=table[name], verb=verbs[name])


@dataclass(frozen=True)
class StepOffer:
    """A step that the status allows, with the ``refusal`` if this person may not take it, or nobody yet."""

    transition: Transition
    refusal: LazyText | None

    @property
    def is_open(self) -> bool:
        return self.refusal is None


def step_offers(row: Any, user: User) -> list[StepOffer]:
    """Return the steps that the status of ``row`` allows: first those that take it on, corrections last."""
    table, _verbs, _special = _WORKFLOWS[type(row)]
    possible = [step for step in table.values() if row.status in step.sources and not _is_taken_elsewhere(row, step)]
    possible.sort(key=lambda step: (step.is_correction, not step.is_forward))
    return [StepOffer(step, refusal(user, step.permission, row) or _not_yet(row, step)) for step in possible]


def _not_yet(row: Any, step: Transition) -> str | None:
    """Return what has to be done before the step, which would be refused today."""
    if isinstance(row, Agreement) and step.name == "approve":
        return agreements.missing_steps_refusal(row) or None
    return None


def _is_taken_elsewhere(row: Any, step: Transition) -> bool:
    """Whether a step is taken elsewhere.

    A demand is agreed by making the agreement or project that comes of it. A milestone is met or submitted, never
    either; a next contact or a start is met by making it, news is noted, and a derived one is waived, not cancelled.
    """
    if isinstance(row, Demand):
        return step.name == "agree"
    if isinstance(row, Milestone) and step.name == "cancel":
        return row.is_derived
    if isinstance(row, Milestone) and step.name == "note":
        return row.kind != MilestoneKind.NEW_HOLDER
    if not isinstance(row, Milestone) or step.name not in {"meet", "submit"}:
        return False
    if row.kind in MET_BY_DOING:
        return True
    return (step.name == "submit") != row.requires_acceptance
