"""Agreements: drafted and kept here, moved on by steps, registered in one form when they were signed already."""

import datetime as dt
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Field, Model, QuerySet, prefetch_related_objects
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import URLPattern, path
from django.utils import formats, timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminAutocompleteWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
)

from partnerships.admin.base import (
    CitationInline,
    FieldNames,
    FieldRows,
    FieldSets,
    Inlines,
    LinkedInline,
    OfficeAdmin,
    PartInline,
    PartMixin,
    ReadOnlyInline,
    StackedPartInline,
    TitledMixin,
    WordSearchMixin,
    cut,
    shown_day,
    status_badge,
)
from partnerships.admin.documents import DocumentInline
from partnerships.admin.filters import (
    AttentionFilter,
    CountedFilter,
    MyAgreementsFilter,
    OpenFilter,
    ScopedRelatedFilter,
)
from partnerships.admin.hidden_records import hides_records
from partnerships.admin.navigation import Attention, Tier, WorstCase, since
from partnerships.admin.outcomes import origin_of
from partnerships.admin.programmes import LabelInline
from partnerships.admin.steps import Button, StepsMixin, Verb
from partnerships.admin.versions import PartForm, RootForm
from partnerships.forms.agreements import AccedeForm, WithdrawForm, remaining_parties
from partnerships.forms.documents import UploadField
from partnerships.forms.domain import DomainFormMixin
from partnerships.forms.office_day import office_today
from partnerships.forms.possible_duplicates import AnotherField
from partnerships.forms.steps import (
    ApprovalStepForm,
    ConfirmSigningForm,
    ContactNoteForm,
    known_signing,
    precision_field,
)
from partnerships.forms.terms import TERM_VERBS, TermVerb
from partnerships.inputs import DayField
from partnerships.lists.cells import partner_names
from partnerships.models import (
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementTerm,
    AgreementUnit,
    Amendment,
    ApprovalStep,
    ContactNote,
    CustodyStep,
    Document,
    Milestone,
    Payment,
    User,
    quiet_agreements,
    workday_test,
)
from partnerships.models.terms import running_period
from partnerships.partial_dates import partial_date
from partnerships.permissions import refusal
from partnerships.requests import user_of
from partnerships.statuses import AgreementStatus
from partnerships.workflows.agreements import (
    LEAST_SIGNATORIES,
    edit_agreement,
    locked_columns,
    register_agreement,
    register_signed_agreement,
    signing_warnings,
)
from partnerships.workflows.derivation import next_approval_step
from partnerships.workflows.documents import register_document

DATES = (
    "submitted_on",
    "returned_on",
    "approved_on",
    "signed",
    "recorded_on",
    "suspended_on",
    "resumed_on",
    "completed_on",
    "terminated_on",
    "cancelled_on",
)


# The columns of the start and the end of a term.
READ_DAYS = ("starts", "ends")
CONTACTS_OF_PARTY = frozenset({"signatory", "liaison"})


def _without(rows: Iterable[str | tuple[str, ...]], names: AbstractSet[str]) -> FieldRows:
    """Return the rows of a fieldset without the fields ``names``."""
    kept = (tuple(name for name in ([row] if isinstance(row, str) else row) if name not in names) for row in rows)
    return tuple(row for row in kept if row)


class SignedPartMixin(PartMixin):
    """An inline of what is signed, locked from the review on."""

    def may_edit(self, request: HttpRequest, root: Any) -> bool:
        return super().may_edit(request, root) and (root is None or root.is_editable)


class SignedPartInline(SignedPartMixin, PartInline):
    pass


class PartyInline(SignedPartMixin, StackedPartInline):
    """The parties; of a signed agreement only how they signed can be edited. A line of so many columns would fit no screen."""

    model = AgreementParty
    autocomplete_fields = ("organization", "signatory", "liaison")
    agreed = ("organization", "role", "name_as_signed", "signed_on", "is_for_itself", "signs_for_members")
    hide_title = False
    fields = (
        ("organization", "role"),
        ("name_as_signed", "signed_on"),
        ("is_for_itself", "signs_for_members"),
        ("signatory", "signatory_person"),
        ("signatory_position", "signs_as"),
        ("seal", "copies"),
        "liaison",
    )

    def get_fields(self, request: HttpRequest, obj: Agreement | None = None) -> FieldRows:
        """Leave the contacts to those who see all of them; others name them on the agreement's page."""
        sees_all = user_of(request).sees_all_units
        fields = self.fields if sees_all else _without(self.fields, CONTACTS_OF_PARTY)
        return (*fields, ("acceded_on", "withdrew_on")) if obj and obj.signed_on else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Agreement | None = None) -> FieldNames:
        if obj is None or not obj.signed_on:
            return ()
        return ("acceded_on", "withdrew_on", *(() if obj.is_editable else self.agreed))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_signed = obj is not None and obj.signed_on is not None
        return super().has_change_permission(request, obj) or (is_signed and PartMixin.may_edit(self, request, obj))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("organization", "signatory", "liaison")


class AreaInline(SignedPartInline):
    model = AgreementArea
    fields = ("area", "quantity", "counted", "per", "note")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("area")


class TermInline(SignedPartMixin, StackedPartInline):
    model = AgreementTerm
    hide_title = False
    conditions = (("renewal", "renewal_months"), ("renewal_limit", "lead_days"), ("notice", "notice_unit"))
    fields = (
        ("number", "review_on"),
        ("starts_on", "starts_precision"),
        ("ends_on", "ends_precision"),
        *conditions,
    )

    def get_fields(self, request: HttpRequest, obj: Agreement | None = None) -> FieldRows:
        if obj is None or obj.is_editable:
            return self.fields
        return (("number", "review_on"), READ_DAYS, *self.conditions, ("notice_given_on", "basis"))

    def get_readonly_fields(self, request: HttpRequest, obj: Agreement | None = None) -> FieldNames:
        return (*super().get_readonly_fields(request, obj), *READ_DAYS, "notice_given_on")

    @display(description=_("starts on"))
    def starts(self, term: AgreementTerm) -> str:
        return str(term.starts or "")

    @display(description=_("ends on"))
    def ends(self, term: AgreementTerm) -> str:
        return str(term.ends or "")


class ParticipatingUnitInline(PartInline):
    model = AgreementUnit
    fields = ("unit",)
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("unit")


class CustodyInline(PartInline):
    model = CustodyStep
    fields = ("step", "desk", "since")
    tab = True


class MilestoneInline(LinkedInline):
    model = Milestone
    fields = ("link", "kind", "due_on", "owner", "status_label")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).visible_to(user_of(request)).select_related("owner")

    @display(description=_("status"))
    def status_label(self, milestone: Milestone) -> str:
        return status_badge(milestone)


class PaymentInline(LinkedInline):
    model = Payment
    fields = ("link", "party", "due_on", "amount", "currency", "is_in_kind")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("party__organization")


class AmendmentInline(ReadOnlyInline):
    model = Amendment
    fields = ("number", "signed_on", "effective_on", "summary")
    tab = True


def _accede(row: Agreement, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    form = AccedeForm(data, row=row, today=office_today(row))
    choose_by_autocomplete(form, "organization", AgreementParty._meta.get_field("organization"))
    return form


def _withdraw(row: Agreement, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    return WithdrawForm(data, row=row, today=office_today(row))


class LogContactForm(ContactNoteForm):
    """The shared form of a contact note, as a verb about one row."""

    def __init__(self, data: QueryDict | None, *, row: Model, today: dt.date) -> None:
        super().__init__(data, today=today)
        self.row = row

    def keep(self, actor: User, **about: object) -> ContactNote:
        return super().keep(actor, about=self.row)


def log_contact_form(row: Model, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    return LogContactForm(data, row=row, today=office_today(row))


class UnfoldAutocomplete(AutocompleteSelect):
    """Django's autocomplete in the theme's looks, for forms outside an admin's own."""

    def build_attrs(
        self, base_attrs: dict[str, object], extra_attrs: dict[str, object] | None = None
    ) -> dict[str, object]:
        attrs = super().build_attrs(base_attrs, extra_attrs)
        return {**attrs, "class": "unfold-admin-autocomplete admin-autocomplete", "data-theme": "admin-autocomplete"}

    @property
    def media(self) -> forms.Media:
        return UnfoldAdminAutocompleteWidget().media


def choose_by_autocomplete(form: forms.BaseForm, name: str, source: Field) -> None:
    """Make the field ``name`` of a shared form an autocomplete, as the admin has for the column ``source``."""
    field = cast("forms.ModelChoiceField", form.fields[name])
    field.widget = UnfoldAutocomplete(source, admin.site)
    field.queryset = field.queryset  # binds the choices to the new widget


def _term_verb(verb: TermVerb) -> Verb:
    def make_form(row: Agreement, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
        return verb.form_class(data, row=row, today=office_today(row))

    return Verb(verb.name, verb.label, verb.permission, make_form, lambda row: verb.fits(row, office_today(row)))


def _confirm_signing(row: Agreement, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    return ConfirmSigningForm(data, row=row, today=office_today(row))


def _record_approval(row: Agreement, request: HttpRequest, data: QueryDict | None) -> DomainFormMixin:
    # Somebody may have recorded the last one since the verb was found to fit; then the verb refuses it.
    step = next_approval_step(row) or ApprovalStep()
    return ApprovalStepForm(data, row=row, today=office_today(row), next_step=step)


VERBS = (
    Verb(
        "record-approval",
        _("Record an approval step"),
        "agreement.record_approval",
        _record_approval,
        lambda row: next_approval_step(row) is not None,
    ),
    Verb(
        "confirm-signing",
        _("Confirm the signing"),
        "agreement.confirm_signing",
        _confirm_signing,
        lambda row: row.is_signing_to_confirm,
    ),
    *map(_term_verb, TERM_VERBS),
    Verb("accede", _("Add a later party"), "agreement.amend", _accede, lambda row: row.is_signed),
    Verb(
        "withdraw",
        _("Party withdraws"),
        "agreement.amend",
        _withdraw,
        lambda row: row.is_signed and remaining_parties(row).exists(),
    ),
    Verb("log_contact", _("Log a call"), "agreement.follow_up", log_contact_form, lambda row: row.is_signed),
)


def _signed_on(day: dt.date) -> str:
    return gettext("signed on %(day)s") % {"day": formats.date_format(day)}


ATTENTION = {
    "in_review": Attention(
        _("Agreements in review"),
        "info",
        "rate_review",
        lambda rows, today: rows.filter(status=AgreementStatus.IN_REVIEW),
        rank=4,
        tier=Tier.WEEK,
        act=pgettext_lazy("admin index", "Review"),
        worst=WorstCase("submitted_on", words=lambda day, today: since(day)),
    ),
    "quiet": Attention(
        _("Agreements without contact"),
        "warning",
        "volume_off",
        quiet_agreements,
        rank=1,
        worst=WorstCase("signed_on", words=lambda day, today: _signed_on(day)),
    ),
    "expired": Attention(
        _("Expired agreements"),
        "danger",
        "event_busy",
        lambda rows, today: rows.expired(today),
        rank=6,
        tier=Tier.WEEK,
        worst=WorstCase("current_ends_on", words=lambda day, today: since(day)),
    ),
    "dates": Attention(
        _("Dates to complete"),
        "info",
        "edit_calendar",
        lambda rows, today: rows.with_dates_to_complete(),
        is_on_index=False,
    ),
    "unattended": Attention(
        _("Unassigned agreements"),
        "warning",
        "person_off",
        lambda rows, today: rows.orphaned(),
        rank=2,
        tier=Tier.TODAY,
        act=_("Assign"),
        worst=WorstCase("pk", words=lambda pk, today: ""),
    ),
    "in_force": Attention(
        _("In force"), "success", "verified", lambda rows, today: rows.in_force(today), is_on_index=False
    ),
}


class AgreementRootForm(RootForm):
    """An agreement, which may look like another one."""

    is_another = AnotherField(label=_("This is a different agreement"))


class RegisterForm(AgreementRootForm):
    """An agreement that was signed already, with the day on which it was and the paper that shows it."""

    field_names = {"file": "paper"}

    on = DayField(label=_("Signed on"), widget=UnfoldAdminSingleDateWidget, required=False)
    precision = precision_field(UnfoldAdminSelectWidget)
    paper = UploadField(label=_("Signed paper, scanned"), required=False, widget=UnfoldAdminFileFieldWidget)

    def arguments(self) -> dict[str, object]:
        return {**super().arguments(), **{name: self.cleaned_data[name] for name in ("on", "precision")}}

    def clean(self) -> dict[str, object] | None:
        cleaned = super().clean()
        self.cleaned_data.update(known_signing(self, today=office_today(self.cleaned_data.get("unit"))))
        # The term starts with it.
        self.instance.registered = partial_date(self.cleaned_data["on"], self.cleaned_data["precision"])
        return cleaned


@admin.register(Agreement)
@hides_records
class AgreementAdmin(TitledMixin, WordSearchMixin, StepsMixin, OfficeAdmin):
    view_action, add_action, change_action = "agreement.view", "agreement.add", "agreement.edit"
    form = AgreementRootForm
    register_verb, edit_verb = staticmethod(register_agreement), staticmethod(edit_agreement)
    verbs = VERBS
    attention = ATTENTION
    open_rows, open_label = staticmethod(lambda rows, today: rows.not_closed()), _("Open agreements")
    list_display = ("display_title", "partners", "type", "unit", "coordinator", "status_label", "signed", "runs_until")
    list_filter = (
        OpenFilter,
        AttentionFilter,
        "status",
        ("type", ScopedRelatedFilter),
        ("unit", ScopedRelatedFilter),
        MyAgreementsFilter,
        "signed_on",
        CountedFilter,
    )
    list_select_related = ("type", "unit", "coordinator")
    search_fields = ("title",)
    search_help_text = _("Title, reference or partner, in Chinese or English")
    ordering = ("-pk",)
    autocomplete_fields = ("coordinator", "event", "through", "parent", "predecessor")
    readonly_fields = ("status_label", "decision", "creator", *DATES)
    inlines = (
        PartyInline,
        AreaInline,
        TermInline,
        MilestoneInline,
        ParticipatingUnitInline,
        CustodyInline,
        PaymentInline,
        DocumentInline,
        AmendmentInline,
        LabelInline,
        CitationInline,
    )
    main_fields = (
        "title",
        "title_zh",
        "title_as_signed",
        ("type", "reference"),
        ("unit", "coordinator"),
        ("event", "through"),
    )
    frame_fields = (
        ("amount", "currency"),
        ("parent", "predecessor"),
        "is_party_list_complete",
        ("archive_number", "copies"),
        "summary",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("parties__organization")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Agreement | None:
        agreement: Agreement | None = super().get_object(request, object_id, from_field)
        if agreement is not None:
            prefetch_related_objects([agreement], "terms")  # the decision and each verb ask for them
        return agreement

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> FieldSets:
        shown: FieldSets = (
            (None, {"fields": self.main_fields}),
            (_("Framework and amount"), {"fields": self.frame_fields}),
        )
        if obj is None:
            return shown
        dates = tuple(name for name in DATES if getattr(obj, name))
        derived = ("decision", *(tuple(dates[i : i + 2]) for i in range(0, len(dates), 2)), "creator")
        return (*shown, (_("Status and dates"), {"fields": derived}))

    def get_readonly_fields(self, request: HttpRequest, obj: Agreement | None = None) -> FieldNames:
        return (*self.readonly_fields, *sorted(locked_columns(obj))) if obj else self.readonly_fields

    def get_inlines(self, request: HttpRequest, obj: Agreement | None) -> Inlines:
        if obj is None:
            return (PartyInline, AreaInline, TermInline, ParticipatingUnitInline)
        return (*self.inlines, *origin_of(obj))

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """Name the approval step that is recorded next."""
        label = gettext("Record: %(step)s") % {"step": next_approval_step(row)}
        buttons = super().buttons(request, row)
        return [replace(one, label=label) if one.name == "record-approval" else one for one in buttons]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.register_signed_view)
        return [path("register-signed/", view, name="partnerships_agreement_register_signed"), *super().get_urls()]

    def register_signed_view(self, request: HttpRequest) -> HttpResponse:
        return RegisterSignedAdmin(Agreement, self.admin_site).add_view(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        links = {"may_register": refusal(user_of(request), "agreement.record_signed") is None}
        return super().changelist_view(request, {**links, **(extra_context or {})})

    @display(description=_("status"), ordering="status")
    def status_label(self, agreement: Agreement) -> str:
        return status_badge(agreement)

    @display(description=_("created by"))
    def creator(self, agreement: Agreement) -> str:
        """Return the name without a link: few people may open the account."""
        return str(agreement.created_by or _("the system"))

    @display(description=_("partners"))
    def partners(self, agreement: Agreement) -> str:
        """Return the parties but our own organization: two by name, the others counted."""
        return cut(partner_names(agreement))

    @display(description=_("signed on"), ordering="signed_on")
    def signed(self, agreement: Agreement) -> str:
        return shown_day(agreement.signed)

    @display(description=_("runs until"), ordering="current_ends_on")
    def runs_until(self, agreement: Agreement) -> str:
        return shown_day(agreement.runs_until)

    @display(description=_("decision date, and how it is counted"))
    def decision(self, agreement: Agreement) -> str:
        period = running_period(agreement.terms.all(), office_today(agreement))
        if period is None:
            return gettext("No term yet.")
        term = period.term
        decision = term.decision_date(workday_test(agreement.unit.effective_calendar), period.ends_on)
        if decision is None:
            return gettext("Open-ended: review on %(day)s.") % {"day": formats.date_format(term.review_on or "")}
        words = gettext(
            "Ends %(end)s; with %(notice)s %(unit)s of notice → %(notice_by)s; with %(lead)s days to decide → "
            "%(lead_from)s; the working day on or before it: %(decide_on)s."
        )
        if term.ends and not term.ends.is_complete:
            words += " " + gettext("The end is not known to the day: this is counted from the earliest one.")
        return words % {
            "end": formats.date_format(decision.ends_on),
            "notice": term.notice,
            "unit": term.get_notice_unit_display(),
            "notice_by": formats.date_format(decision.notice_by),
            "lead": term.lead_days,
            "lead_from": formats.date_format(decision.lead_from),
            "decide_on": formats.date_format(decision.decide_on),
        }


class RegisteredPartyInline(PartyInline):
    extra = LEAST_SIGNATORIES


class RegisteredTermForm(PartForm):
    """A term that starts on the day of signing, which the form above asks for."""

    def clean(self) -> dict[str, object] | None:
        registered = getattr(self.cleaned_data.get("agreement"), "registered", None)
        if registered:
            self.instance.starts_on, self.instance.starts_precision = registered.first, registered.precision
        return super().clean()

    def _get_validation_exclusions(self) -> set[str]:
        # Django does not validate columns that the form has no field for, but clean() fills this one in.
        excluded = super()._get_validation_exclusions()  # type: ignore[misc]  # private to Django
        return excluded - {"starts_on"} if self.instance.starts_on else excluded


class RegisteredTermInline(StackedPartInline):
    model = AgreementTerm
    form = RegisteredTermForm
    fields = (("ends_on", "ends_precision"), "review_on", *TermInline.conditions)
    extra = max_num = 1
    can_delete = False
    verbose_name = _("term, from the day of signing; left empty, it is open-ended and reviewed by the type's rule")


class RegisteredCustodyInline(CustodyInline):
    extra = max_num = 1
    can_delete = False
    tab = False
    verbose_name = _("original document")


class RegisteredAreaInline(AreaInline):
    extra = 3


class RegisterSignedAdmin(AgreementAdmin):
    """One form for an agreement that was signed already; all of it is saved in one transaction or none."""

    add_action = "agreement.record_signed"
    form = RegisterForm
    register_verb = staticmethod(register_signed_agreement)  # type: ignore[assignment]  # takes the day, too
    change_form_outer_before_template = "admin/partnerships/register_signed_intro.html"

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> FieldSets:
        return (
            (
                None,
                {
                    "fields": (
                        "title",
                        "title_zh",
                        "title_as_signed",
                        ("type", "reference"),
                        ("on", "precision"),
                        ("event", "through"),
                    )
                },
            ),
            (_("Unit and coordinator"), {"fields": (("unit", "coordinator"),)}),
            (_("More"), {"fields": ("is_party_list_complete", ("amount", "currency"), "paper")}),
        )

    def get_inlines(self, request: HttpRequest, obj: Agreement | None) -> Inlines:
        return (
            RegisteredPartyInline,
            RegisteredAreaInline,
            RegisteredTermInline,
            RegisteredCustodyInline,
        )

    def call_verb(self, request: HttpRequest, form: RootForm, formsets: list[BaseInlineFormSet], change: bool) -> None:
        super().call_verb(request, form, formsets, change)
        paper = form.cleaned_data["paper"]
        if paper:
            document = Document(
                agreement=form.instance, kind=Document.Kind.SIGNED_PAPER, title=gettext("Signed agreement")
            )
            today, at = office_today(form.instance), timezone.now()
            register_document(document, file=paper, actor=user_of(request), today=today, at=at)
        for warning in signing_warnings(form.instance):
            messages.warning(request, warning)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, object], *args: object, **kwargs: object
    ) -> HttpResponse:
        context["title"] = _("Register an agreement that was signed already")
        return super().render_change_form(request, context, *args, **kwargs)
