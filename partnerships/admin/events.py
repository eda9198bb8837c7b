"""Events and who took part in them."""

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.base import (
    CitationInline,
    FieldSets,
    Inlines,
    PartInline,
    RecordAdmin,
    WordSearchMixin,
    status_badge,
)
from partnerships.admin.documents import DocumentInline
from partnerships.admin.filters import ScopedRelatedFilter
from partnerships.admin.programmes import LabelInline
from partnerships.admin.steps import StepsMixin
from partnerships.models import Event, EventKind, EventPerson, Participation
from partnerships.permissions import may
from partnerships.requests import user_of
from partnerships.texts import name_all


class KindInline(PartInline):
    model = EventKind
    fields = ("kind",)


class ParticipationInline(PartInline):
    model = Participation
    fields = ("organization", "name_as_printed", "role", "note")
    autocomplete_fields = ("organization",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("organization")


class PersonInline(PartInline):
    """The people at the event whom the user sees; others stay as they are."""

    model = EventPerson
    fields = ("user", "contact", "invited_on", "answer", "attendance", "note")
    autocomplete_fields = ("user", "contact")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("user", "contact")
        seen = EventPerson.objects.visible_to(user_of(request))
        return rows.filter(pk__in=seen.values("pk"))


@admin.register(Event)
class EventAdmin(WordSearchMixin, StepsMixin, RecordAdmin):
    view_action, add_action, change_action = "event.view", "event.add", "event.edit"
    list_display = ("name", "name_zh", "kind_list", "starts_on", "region", "unit", "status_label")
    list_filter = (("unit", ScopedRelatedFilter), "kinds__kind", "starts_on", "status")
    list_select_related = ("region", "unit")
    search_fields = ("name",)
    search_help_text = _("Name or place, in Chinese or English")
    ordering = ("-starts_on", "-pk")
    autocomplete_fields = ("region",)
    inlines = (KindInline, ParticipationInline, PersonInline, LabelInline, DocumentInline, CitationInline)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "name_zh"),
                    ("starts_on", "ends_on"),
                    ("region", "place"),
                    "unit",
                    "summary",
                    "agenda",
                    "minutes",
                )
            },
        ),
        (
            _("How complete our lists are"),
            {"fields": (("is_participant_list_complete", "is_follow_up_list_complete"),)},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).prefetch_related("kinds")

    def get_fieldsets(self, request: HttpRequest, obj: Event | None = None) -> FieldSets:
        """Leave out the minutes of another unit's event."""
        sets = super().get_fieldsets(request, obj)
        if obj is None or may(user_of(request), "event.view_minutes", obj):
            return sets
        return [
            (title, {**options, "fields": tuple(name for name in options["fields"] if name != "minutes")})
            for title, options in sets
        ]

    def get_inlines(self, request: HttpRequest, obj: Model | None) -> Inlines:
        return self.inlines if obj else (KindInline, ParticipationInline, PersonInline)

    @display(description=_("status"), ordering="status")
    def status_label(self, event: Event) -> str:
        return status_badge(event)

    @display(description=_("kinds"))
    def kind_list(self, event: Event) -> str:
        return name_all(event.kinds.all())
