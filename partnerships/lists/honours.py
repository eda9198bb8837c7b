import datetime as dt
from collections.abc import Callable
from operator import attrgetter

import django_filters
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from partnerships.lists import cells
from partnerships.lists.base import Column, PageLink, Preset, RecordList
from partnerships.lists.filter_fields import DayFilter, SwitchFilter, linked_filter
from partnerships.lists.filters import (
    ListFilterSet,
    Rows,
    containing,
    region_filter,
    regions_with,
    unit_filter,
)
from partnerships.models import Honour, HonourScheme, Organization, Unit, User
from partnerships.models.honours import HonourQuerySet, HonourSchemeQuerySet
from partnerships.statuses import HonourStatus


def half_year_end(today: dt.date) -> dt.date:
    """Return June 30 or December 31, the last day of the half-year of ``today``."""
    return dt.date(today.year, 6, 30) if today.month <= 6 else dt.date(today.year, 12, 31)


class HonouredFilterSet(ListFilterSet[Rows]):
    """Filters of a list by the honours of the organizations in it."""

    honour = django_filters.ModelChoiceFilter(
        label=_("Honor held"), queryset=HonourScheme.objects.all(), method="filter_later"
    )
    honoured = django_filters.ChoiceFilter(
        label=_("Status of the honor"),
        choices=[("valid", _("Valid today")), ("lapsing", _("Lapsing this half-year"))],
        method="filter_later",
    )

    def filter_queryset(self, queryset: Rows) -> Rows:
        """Apply scheme and state to the same honour."""
        values = self.form.cleaned_data
        scheme, state = values.get("honour"), values.get("honoured")
        filtered = super().filter_queryset(queryset)
        if not scheme and not state:
            return filtered
        honours = self._in_state(state).filter(**({"scheme": scheme} if scheme else {}))
        return self.filter_holders(filtered, honours)

    def _in_state(self, state: str) -> HonourQuerySet:
        if state == "valid":
            return Honour.objects.valid(self.today)
        if state == "lapsing":
            return Honour.objects.lapsing(self.today, until=half_year_end(self.today))
        return Honour.objects.recorded()

    def filter_holders(self, queryset: Rows, honours: QuerySet) -> Rows:
        raise NotImplementedError


class HonourFilterSet(ListFilterSet[HonourQuerySet]):
    FRONT = ("scheme", "level", "party", "region")

    scheme = django_filters.ModelChoiceFilter(label=_("Honor"), queryset=HonourScheme.objects.all())
    level = django_filters.ChoiceFilter(
        label=_("Level"), field_name="scheme__level", choices=HonourScheme.Level.choices
    )
    party = django_filters.CharFilter(
        label=pgettext_lazy("of an honour", "Held by"), field_name="organization", method="filter_party", max_length=200
    )
    region = region_filter(_("Region of the holder (incl. sub-regions)"))
    unit = unit_filter()
    granted_from = DayFilter(label=_("Granted from"), field_name="granted_on", lookup_expr="gte")
    granted_until = DayFilter(label=_("Granted until"), field_name="granted_on", lookup_expr="lte")
    lapses_from = DayFilter(label=_("Lapses from"), field_name="valid_until", lookup_expr="gte")
    lapses_until = DayFilter(label=_("Lapses until"), field_name="valid_until", lookup_expr="lte")
    valid = SwitchFilter(label=_("Valid today"), method="filter_valid")
    lapsing = SwitchFilter(label=_("Lapses this half-year"), method="filter_lapsing")
    could_rise = SwitchFilter(label=_("Could apply for the next level"), method="filter_could_rise")
    withdrawn = SwitchFilter(label=_("Recorded in error, withdrawn"), method="filter_withdrawn")
    organization = linked_filter(_("Held by (incl. its parts)"), Organization, method="filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        honours = Honour.objects.visible_to(self.user)
        return {
            **super().choices_in_scope(),
            "region": regions_with(honours, "organization__region"),
            "unit": Unit.objects.filter(pk__in=honours.order_by().values("unit")),
        }

    def filter_queryset(self, queryset: HonourQuerySet) -> HonourQuerySet:
        """Leave out withdrawn honours unless they are asked for."""
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("withdrawn") else found.recorded()

    def filter_withdrawn(self, queryset: HonourQuerySet, name: str, value: str) -> HonourQuerySet:
        return queryset.filter(status=HonourStatus.WITHDRAWN)

    def filter_valid(self, queryset: HonourQuerySet, name: str, value: str) -> HonourQuerySet:
        return queryset.valid(self.today)

    def filter_lapsing(self, queryset: HonourQuerySet, name: str, value: str) -> HonourQuerySet:
        return queryset.lapsing(self.today, until=half_year_end(self.today))

    def filter_could_rise(self, queryset: HonourQuerySet, name: str, value: str) -> HonourQuerySet:
        return queryset.could_rise(self.today)


class HonourSchemeFilterSet(ListFilterSet[HonourSchemeQuerySet]):
    level = django_filters.ChoiceFilter(label=_("Level"), choices=HonourScheme.Level.choices)

    def filter_words(self, queryset: HonourSchemeQuerySet, name: str, value: str) -> HonourSchemeQuerySet:
        return containing(queryset, value, "name", "name_zh", "issuer")


# A column that the list's query adds.
_honour_count: Callable[[HonourScheme], int] = attrgetter("honour_count")


def _valid_until(row: Honour, today: dt.date) -> str:
    if row.valid_until is None:
        return cells.quiet(_("does not lapse"))
    lapsed = cells.mark(_("lapsed")) if row.valid_until < today else cells.EMPTY
    return cells.joined([cells.show(row.valid_until), lapsed])


def _valid_for(row: HonourScheme, today: dt.date) -> str:
    months = row.validity_months
    if not months:
        return cells.quiet(_("not known"))
    return ngettext("%(months)s month", "%(months)s months", months) % {"months": months}


def _holders(row: HonourScheme, today: dt.date) -> str:
    count = _honour_count(row)
    return format_html('<a class="counted" href="{}?scheme={}"><b>{}</b></a>', reverse("honour_list"), row.pk, count)


def _with_holders(rows: HonourSchemeQuerySet, user: User, today: dt.date) -> QuerySet:
    return rows.annotate(honour_count=Count("honours", filter=Q(honours__status=HonourStatus.RECORDED)))


class HonourList(RecordList[Honour]):
    key = "honour_list"
    title = _("Honors")
    caption = _("Honors, readable by everybody")
    intro = _("Titles that enterprises hold, with the day they lapse.")
    empty = _("No honors yet. Where sources only count the holders, see the press figures.")
    model = Honour
    filterset_class = HonourFilterSet
    default_sort = "valid_until"
    presets = (
        Preset(_("Lapsing soonest")),
        Preset(_("Valid today"), "valid=yes"),
        Preset(_("Lapses this half-year"), "lapsing=yes"),
        Preset(_("Could apply for the next level"), "could_rise=yes"),
        Preset(_("Most recently granted"), "sort=-granted_on"),
    )
    columns = (
        Column(
            "organization",
            pgettext_lazy("of an honour", "Held by"),
            lambda row: row.organization,
            "organization__name",
            cell=lambda row, today: cells.row_title(row, row.organization),
            width="name",
            is_row_title=True,
            is_fixed=True,
            is_bold=True,
            cites=("",),
            phone="name",
            select=("organization",),
        ),
        Column(
            "honour",
            _("Honor"),
            lambda row: row.scheme,
            "scheme__name",
            cell=lambda row, today: cells.joined(
                [cells.link(row.scheme), cells.status(row) if row.status == HonourStatus.WITHDRAWN else cells.EMPTY]
            ),
            width="title",
            is_fixed=True,
            phone="title",
            select=("scheme",),
        ),
        Column(
            "level", _("Level"), lambda row: row.scheme.get_level_display(), "scheme__level", width="short", phone="due"
        ),
        Column(
            "granted",
            _("Granted on"),
            lambda row: row.granted_on,
            "granted_on",
            width="day",
            cites=("granted_on",),
            from_width=1024,
        ),
        Column(
            "until",
            _("Valid until"),
            lambda row: row.valid_until,
            "valid_until",
            cell=_valid_until,
            width="status",
            cites=("valid_until",),
            phone="status",
        ),
        Column(
            "next",
            _("Next level"),
            lambda row: row.scheme.next_scheme,
            "scheme__next_scheme__name",
            width="name",
            from_width=1400,
            select=("scheme__next_scheme",),
        ),
        Column("batch", _("Batch"), lambda row: row.batch, "batch", is_shown_at_first=False),
    )

    def links(self) -> list[PageLink]:
        catalog = PageLink(_("Catalog of honors"), reverse("honour_scheme_list"))
        return [catalog, *self.add_link(_("Add an honor"), "honour.edit")]

    def empty_links(self) -> list[PageLink]:
        return [PageLink(_("Press figures vs. records"), reverse("figure_list"))]


class HonourSchemeList(RecordList[HonourScheme]):
    key = "honour_scheme_list"
    title = _("Catalog of honors")
    caption = _("Honor schemes, readable by everybody")
    intro = _(
        "Titles that authorities give to enterprises: on which level, by whom, for how long, and which comes next."
    )
    model = HonourScheme
    filterset_class = HonourSchemeFilterSet
    default_sort = "name"
    columns = (
        Column(
            "honour",
            _("Honor"),
            str,
            "name",
            width="title",
            is_row_title=True,
            is_fixed=True,
            is_bold=True,
            cites=("", "name", "name_zh"),
            phone="name",
        ),
        Column("level", _("Level"), lambda row: row.get_level_display(), "level", cites=("level",), phone="status"),
        Column(
            "issuer",
            _("Issued by"),
            lambda row: row.issuer,
            "issuer",
            cell=lambda row, today: row.issuer or cells.quiet(_("not known")),
            width="name",
            cites=("issuer",),
            phone="title",
        ),
        Column(
            "months",
            _("Valid for"),
            lambda row: row.validity_months,
            "validity_months",
            cell=_valid_for,
            width="day",
            cites=("validity_months",),
            phone="end",
        ),
        Column(
            "next",
            _("Next level"),
            lambda row: row.next_scheme,
            "next_scheme__name",
            cites=("next_scheme",),
            width="name",
            from_width=1024,
            select=("next_scheme",),
        ),
        Column("holders", _("Holders"), _honour_count, cell=_holders, width="num", add=_with_holders),
    )

    def links(self) -> list[PageLink]:
        held = PageLink(_("Honors held"), reverse("honour_list"))
        return [held, *self.admin_link(_("Add to the catalogue"), "reference.edit")]
