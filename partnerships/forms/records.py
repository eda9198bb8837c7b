"""Forms that add and edit the records beside agreements: demands, facilities, honours, achievements, programmes, events,
figures, sources and citations."""

import datetime as dt
from collections.abc import Callable
from typing import Any, ClassVar, cast

from django import forms
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from partnerships.forms.choices import choosable, offer_rows
from partnerships.forms.lines import FormWithLines, LineForm, LineFormSet, line_formset, with_more_lines
from partnerships.forms.names import EitherNameMixin, EitherTitleMixin
from partnerships.forms.office_day import office_today
from partnerships.forms.picks import PickField, pick_field
from partnerships.inputs import DayInput
from partnerships.models import (
    Achievement,
    Citation,
    CooperationArea,
    Demand,
    Event,
    EventKind,
    Facility,
    FacilityPartner,
    Honour,
    HonourScheme,
    Participation,
    Programme,
    ProgrammeItem,
    ProgrammeOrganizer,
    ProgrammeTarget,
    ReportedFigure,
    Source,
    Statement,
    Unit,
    User,
)
from partnerships.models.figures import FIGURE_SUBJECTS
from partnerships.workflows.demands import edit_demand, register_demand
from partnerships.workflows.facilities import edit_facility, register_facility
from partnerships.workflows.honours import edit_honour, register_honour
from partnerships.workflows.programmes import edit_programme, register_programme
from partnerships.workflows.records import edit_record, register_record

SHARED_ROWS = {"area": CooperationArea.objects.filter(is_active=True), "scheme": HonourScheme.objects.all()}


# Words for lines: the heading, one line, the button for one more.
LineWords = dict[type[Model], tuple[Any, Any, Any]]


class RecordForm(FormWithLines):
    """A form of one kind of record, new or on record, with lines for its parts. Subclasses name the verbs."""

    register: ClassVar[Callable[..., Any]]
    edit: ClassVar[Callable[..., Any]]
    keeps_unit: ClassVar[bool] = False
    lines: ClassVar[tuple[tuple[type[Model], "type[RecordLine]"], ...]] = ()
    line_words: ClassVar[LineWords] = {}

    def __init__(self, data: QueryDict | None = None, *, user: User, **kwargs: Any) -> None:
        data = with_more_lines(data)
        super().__init__(data, **kwargs)
        is_new = self.instance.pk is None
        for name, field in list(self.fields.items()):
            if isinstance(field, PickField):
                self._offer_picks(name, user)
            elif name in SHARED_ROWS:
                offer_rows(self, name, SHARED_ROWS[name].all())
        if "owner" in self.fields:
            offer_rows(self, "owner", User.objects.visible_to(user).reachable())
        self._offer_units(user, is_new=is_new)
        self.formsets = tuple(
            self._formset(data, model, form, user) for model, form in self.lines if form.is_asked_of(user)
        )

    def _offer_picks(self, name: str, user: User) -> None:
        """Offer the rows the user may choose. A chosen one that the user may not see stays, and is not shown."""
        column = self._meta.model._meta.get_field(name)
        current = getattr(self.instance, column.attname)
        rows = column.related_model._default_manager
        if current and hasattr(rows.all(), "visible_to") and not rows.visible_to(user).filter(pk=current).exists():
            del self.fields[name]
            return
        pick_field(self, name).offer_to(user, current=current)

    def _offer_units(self, user: User, *, is_new: bool) -> None:
        if "unit" not in self.fields:
            return
        if self.keeps_unit and not is_new:
            del self.fields["unit"]
            return
        units = choosable(Unit, user)
        offer_rows(self, "unit", units)
        only = list(units[:2])
        if is_new and len(only) == 1:
            self.fields["unit"].initial = only[0].pk

    def _formset(self, data: QueryDict | None, model: type[Model], form: "type[RecordLine]", user: User) -> LineFormSet:
        made = line_formset(self._meta.model, model, form, extra=0)
        about = {"instance": self.instance, "prefix": model._meta.model_name, "form_kwargs": {"user": user}}
        about["queryset"] = form.rows_for(user)
        formset: LineFormSet = made(data, **about)
        formset.heading, formset.one, formset.more = self.line_words[model]  # type: ignore[attr-defined]
        return formset

    def keep(self, actor: User, **about: object) -> Any:
        parts = {"parts": self.parts}
        today: dt.date = office_today(self.instance)
        if self.instance.pk is None:
            return type(self).register(self.instance, actor=actor, today=today, **parts)
        changes = {name: self.cleaned_data[name] for name in self.changed_data if name in (self._meta.fields or ())}
        asked: dict[str, Any] = {**parts, "removed": self.removed, "changes": changes}
        return type(self).edit(self.instance, actor=actor, today=today, **asked)


class RecordLine(LineForm):
    """A line about a part of a record."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, PickField):
                field.offer_to(user, current=getattr(self.instance, f"{name}_id"))

    @classmethod
    def is_asked_of(cls, user: User) -> bool:
        """Whether ``user`` is shown such lines at all."""
        return True

    @classmethod
    def rows_for(cls, user: User) -> QuerySet:
        """Return the rows that ``user`` may change, of all records."""
        return cls._meta.model._default_manager.all()


class OrganizationLineForm(RecordLine):
    """A line about an organization, which is found by its words."""

    organization = PickField("organization", label=_("Organization"))


class LabelLineForm(RecordLine):
    """A programme that the record belongs to, one of those that the person may edit."""

    programme = PickField("programme", label=_("Program"))

    class Meta:
        model = ProgrammeItem
        fields = ["programme"]

    @classmethod
    def is_asked_of(cls, user: User) -> bool:
        return Programme.objects.edited_by(user).exists()

    @classmethod
    def rows_for(cls, user: User) -> QuerySet:
        return ProgrammeItem.objects.filter(programme__in=Programme.objects.edited_by(user).order_by())


LABELS = (ProgrammeItem, LabelLineForm)
LABEL_WORDS: LineWords = {ProgrammeItem: (_("Programs"), _("Program"), _("Put under a program"))}


class DemandRecordForm(EitherTitleMixin, RecordForm):
    register, edit = staticmethod(register_demand), staticmethod(edit_demand)
    keeps_unit = True
    lines = (LABELS,)
    line_words = LABEL_WORDS
    needs_one_of = frozenset({"title", "title_zh", "original_wording", "rewritten_wording"})

    organization = PickField("organization", label=_("Asked by"))
    event = PickField("event", label=_("Released at"), required=False)
    through = PickField("organization", label=_("Through"), required=False)

    class Meta:
        model = Demand
        fields = [
            *("organization", "title", "title_zh", "original_wording", "rewritten_wording", "is_content_published"),
            *("field", "released_on", "deadline_on", "unit", "owner", "event", "through"),
        ]
        widgets = {
            "released_on": DayInput,
            "deadline_on": DayInput,
            "original_wording": forms.Textarea(attrs={"rows": 3}),
            "rewritten_wording": forms.Textarea(attrs={"rows": 3}),
        }


class PartnerLineForm(OrganizationLineForm):
    class Meta:
        model = FacilityPartner
        fields = ["organization", "is_host", "head"]


class FacilityForm(EitherNameMixin, RecordForm):
    register, edit = staticmethod(register_facility), staticmethod(edit_facility)
    keeps_unit = True
    lines = ((FacilityPartner, PartnerLineForm), LABELS)
    line_words = {FacilityPartner: (_("Run by"), _("Organization"), _("Add an organization")), **LABEL_WORDS}

    agreement = PickField("agreement", label=_("Agreement"), required=False)
    event = PickField("event", label=_("Opened at"), required=False)
    region = PickField("region", label=_("Region"), required=False)

    class Meta:
        model = Facility
        fields = [
            *("kind", "name", "name_zh", "unit", "owner", "area", "agreement", "event", "region", "site"),
            *("capacity", "starts_on", "ends_on", "summary"),
        ]
        widgets = {"starts_on": DayInput, "ends_on": DayInput, "summary": forms.Textarea(attrs={"rows": 3})}


class HonourForm(RecordForm):
    register, edit = staticmethod(register_honour), staticmethod(edit_honour)
    keeps_unit = True

    organization = PickField("organization", label=_("Organization"))

    class Meta:
        model = Honour
        fields = ["organization", "scheme", "batch", "granted_on", "valid_until", "unit", "evidence"]
        widgets = {"granted_on": DayInput, "valid_until": DayInput, "evidence": forms.Textarea(attrs={"rows": 3})}


class AchievementForm(EitherNameMixin, RecordForm):
    register, edit = staticmethod(register_record), staticmethod(edit_record)

    organization = PickField("organization", label=_("Organization"))

    class Meta:
        model = Achievement
        fields = [
            *("organization", "name", "name_zh", "field", "is_on_offer", "description", "people"),
            *("intellectual_property", "unit"),
        ]
        widgets = {
            name: forms.Textarea(attrs={"rows": 3}) for name in ("description", "people", "intellectual_property")
        }


class OrganizerLineForm(OrganizationLineForm):
    class Meta:
        model = ProgrammeOrganizer
        fields = ["organization", "role"]


class TargetLineForm(RecordLine):
    class Meta:
        model = ProgrammeTarget
        fields = ["measure", "value", "by_on", "note"]
        widgets = {"by_on": DayInput}


class ProgrammeForm(EitherNameMixin, RecordForm):
    register, edit = staticmethod(register_programme), staticmethod(edit_programme)
    lines = ((ProgrammeOrganizer, OrganizerLineForm), (ProgrammeTarget, TargetLineForm))
    line_words = {
        ProgrammeOrganizer: (_("Organizers"), _("Organizer"), _("Add an organizer")),
        ProgrammeTarget: (_("Targets"), _("Target"), _("Add a target")),
    }

    class Meta:
        model = Programme
        fields = ["name", "name_zh", "starts_on", "ends_on", "summary", "unit"]
        widgets = {"starts_on": DayInput, "ends_on": DayInput, "summary": forms.Textarea(attrs={"rows": 3})}


class KindLineForm(RecordLine):
    class Meta:
        model = EventKind
        fields = ["kind"]


class ParticipationLineForm(OrganizationLineForm):
    organization = PickField("organization", label=_("Organization"), required=False)

    class Meta:
        model = Participation
        fields = ["organization", "name_as_printed", "role"]


class EventRecordForm(EitherNameMixin, RecordForm):
    register, edit = staticmethod(register_record), staticmethod(edit_record)
    lines = ((EventKind, KindLineForm), (Participation, ParticipationLineForm), LABELS)
    line_words = {
        EventKind: (_("Kinds"), _("Kind"), _("Add a kind")),
        Participation: (_("Participants"), _("Participant"), _("Add a participant")),
        **LABEL_WORDS,
    }

    region = PickField("region", label=_("Region"), required=False)

    class Meta:
        model = Event
        fields = [
            *("name", "name_zh", "starts_on", "ends_on", "region", "place", "unit", "summary", "agenda", "minutes"),
            *("is_participant_list_complete", "is_follow_up_list_complete"),
        ]
        widgets = {
            "starts_on": DayInput,
            "ends_on": DayInput,
            **{name: forms.Textarea(attrs={"rows": 3}) for name in ("summary", "agenda", "minutes")},
        }


class FigureForm(EitherNameMixin, RecordForm):
    register, edit = staticmethod(register_record), staticmethod(edit_record)

    source = PickField("source", label=_("Source"))
    organization = PickField("organization", label=_("About the organization"), required=False)
    region = PickField("region", label=_("About the region"), required=False)
    event = PickField("event", label=_("About the event"), required=False)
    programme = PickField("programme", label=_("About the program"), required=False)
    needs_one_of = frozenset({"name", "name_zh", *FIGURE_SUBJECTS})

    class Meta:
        model = ReportedFigure
        fields = [
            *("name", "name_zh", "printed", "value", "qualifier", "measure", "as_of", "as_of_precision"),
            *("source", *FIGURE_SUBJECTS, "counting_rule", "scheme", "unit"),
        ]
        widgets = {"as_of": DayInput}


class StatementLineForm(RecordLine):
    class Meta:
        model = Statement
        fields = ["number", "nothing_to_record", "opening", "text", "text_zh"]
        widgets = {name: forms.Textarea(attrs={"rows": 2}) for name in ("text", "text_zh")}


class SourceForm(RecordForm):
    register, edit = staticmethod(register_record), staticmethod(edit_record)
    lines = ((Statement, StatementLineForm),)
    line_words = {Statement: (_("Sentences"), _("Sentence"), _("Add a sentence"))}

    url = forms.URLField(label=_("Address on the web"), required=False, assume_scheme="https")

    class Meta:
        model = Source
        fields = ["title", "authors", "publisher", "published_on", "url", "note"]
        widgets = {"published_on": DayInput, "note": forms.Textarea(attrs={"rows": 3})}


class CiteSourceForm(RecordForm):
    """Cites a source for a record, or for one of its fields."""

    register, edit = staticmethod(register_record), staticmethod(edit_record)

    needs_one_of = frozenset({"printed", "is_assumption"})

    source = PickField("source", label=_("Source"))
    field = forms.ChoiceField(label=_("About"), required=False)

    class Meta:
        model = Citation
        fields = ["source", "statement", "field", "printed", "is_assumption", "note"]
        widgets = {name: forms.Textarea(attrs={"rows": 3}) for name in ("printed", "note")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        columns = self.instance.record._meta.concrete_fields
        named = [(one.name, one.verbose_name) for one in columns if one.editable and not one.primary_key]
        cast("forms.ChoiceField", self.fields["field"]).choices = [("", _("The whole record")), *named]
        self._offer_sentences(self.instance.source_id or self.initial.get("source"))

    def _offer_sentences(self, source: int | None) -> None:
        """Offer the sentences of a source that the page knows already."""
        if source is None:
            del self.fields["statement"]
        else:
            offer_rows(self, "statement", Statement.objects.filter(source=source))
