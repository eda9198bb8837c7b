"""The security log as a list, for system administrators and auditors."""

import datetime as dt

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from partnerships.lists import cells
from partnerships.lists.base import Column, Preset, RecordList
from partnerships.lists.filter_fields import DayFilter, PersonFilter, people_of
from partnerships.lists.filters import ListFilterSet, containing
from partnerships.models import SecurityEvent
from partnerships.models.security_events import SecurityEventQuerySet
from partnerships.operations.pipeline_state import day_bounds


class SecurityEventFilterSet(ListFilterSet[SecurityEventQuerySet]):
    FRONT = ("kind", "person", "since", "until")

    kind = django_filters.ChoiceFilter(label=pgettext_lazy("security log", "Event"), choices=SecurityEvent.Kind.choices)
    person = PersonFilter(label=_("Person"), field_name="user")
    address = django_filters.CharFilter(label=_("IP address"), lookup_expr="startswith", max_length=45, strip=True)
    since = DayFilter(label=_("Since"), method="filter_since")
    until = DayFilter(label=_("Until"), method="filter_until")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        people = people_of(SecurityEvent.objects.visible_to(self.user), "user")
        return {**super().choices_in_scope(), "person": people}

    def filter_words(self, queryset: SecurityEventQuerySet, name: str, value: str) -> SecurityEventQuerySet:
        return containing(queryset, value, "name", "about", "detail")

    def filter_since(self, queryset: SecurityEventQuerySet, name: str, value: dt.date) -> SecurityEventQuerySet:
        return queryset.filter(at__gte=day_bounds(value, timezone.get_current_timezone())[0])

    def filter_until(self, queryset: SecurityEventQuerySet, name: str, value: dt.date) -> SecurityEventQuerySet:
        return queryset.filter(at__lt=day_bounds(value, timezone.get_current_timezone())[1])


def _person(row: SecurityEvent, today: dt.date) -> str:
    if row.user_id is None and row.name:
        return cells.joined([cells.show(row.name), cells.quiet(_("no such account"))])
    return cells.show(row.name)


def _about(row: SecurityEvent, today: dt.date) -> str:
    words = _about_words(row)
    return format_html('<a href="{}">{}</a>', row.link, words) if row.link else cells.show(words)


def _about_words(row: SecurityEvent) -> str:
    """Return what it is about; of a refused request whether it opened a page or sent something to it."""
    method, _space, page = row.about.partition(" ")
    if row.kind != SecurityEvent.Kind.REFUSED or not method.isupper():
        return row.about
    words = gettext("Open %(page)s") if method in {"GET", "HEAD"} else gettext("Send to %(page)s")
    return words % {"page": page}


class SecurityEventList(RecordList[SecurityEvent]):
    key = "security_event_list"
    title = _("Security log")
    caption = _("Security events")
    intro = _(
        "Who logged in or failed to, was refused something, took data out, or changed what others may do. Nobody can change or "
        "delete a line."
    )
    model = SecurityEvent
    filterset_class = SecurityEventFilterSet
    default_sort = "-pk"
    presets = (
        Preset(_("Most recent")),
        Preset(_("Failed log-ins"), "kind=login_failed"),
        Preset(_("Refusals"), "kind=refused"),
        Preset(_("Exports"), "kind=export_made"),
    )
    columns = (
        Column(
            "at",
            _("Time"),
            lambda row: _local(row.at),
            "pk",
            cell=lambda row, today: cells.moment(row.at),
            width="moment",
            is_fixed=True,
            phone="due",
        ),
        Column(
            "kind",
            pgettext_lazy("security log", "Event"),
            lambda row: row.get_kind_display(),
            "kind",
            width="name",
            is_bold=True,
            phone="name",
        ),
        Column("person", _("Person"), lambda row: row.name, "name", cell=_person, phone="status"),
        Column("address", _("IP address"), lambda row: row.address, "address", width="moment", phone="end"),
        Column("about", _("About"), _about_words, "about", cell=_about, width="title", phone="title"),
        Column("detail", _("Detail"), lambda row: row.detail, "detail", width="name", from_width=1400),
    )

    @property
    def is_of_all_units(self) -> bool:
        return True  # whoever reads it reads all of it


def _local(value: dt.datetime) -> dt.datetime:
    """Return local time without a zone, as spreadsheets store it."""
    return timezone.localtime(value).replace(microsecond=0, tzinfo=None)
