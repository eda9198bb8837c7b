import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.lists.base import Column, PageLink, Preset, RecordList
from partnerships.lists.filter_fields import SwitchFilter
from partnerships.lists.filters import ListFilterSet, unit_filter
from partnerships.models import Achievement, Unit
from partnerships.models.demands import AchievementQuerySet


class AchievementFilterSet(ListFilterSet[AchievementQuerySet]):
    unit = unit_filter()
    party = django_filters.CharFilter(
        label=_("Offered by"), field_name="organization", method="filter_party", max_length=200
    )
    field = django_filters.CharFilter(
        label=pgettext_lazy("of knowledge", "Field"), field_name="field", lookup_expr="icontains", max_length=100
    )
    on_offer = SwitchFilter(label=_("On offer"), method="filter_on_offer")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        offering = Achievement.objects.visible_to(self.user).order_by().values("unit")
        return {"unit": Unit.objects.filter(pk__in=offering)}

    def filter_on_offer(self, queryset: AchievementQuerySet, name: str, value: str) -> AchievementQuerySet:
        return queryset.filter(is_on_offer=True)


class AchievementList(RecordList[Achievement]):
    key = "achievement_list"
    title = _("Achievements")
    caption = _("Achievements, readable by everybody")
    intro = _("Research results that institutions offer to enterprises, and that may answer a demand.")
    model = Achievement
    filterset_class = AchievementFilterSet
    default_sort = "name"
    presets = (Preset(_("By name")), Preset(_("On offer"), "on_offer=yes"))
    columns = (
        Column(
            "organization",
            _("Offered by"),
            lambda row: row.organization,
            "organization__name",
            width="name",
            is_bold=True,
            phone="name",
            select=("organization",),
        ),
        Column(
            "achievement",
            _("Achievement"),
            str,
            "name",
            width="title",
            is_row_title=True,
            is_fixed=True,
            cites=("", "name"),
            phone="title",
        ),
        Column("field", pgettext_lazy("of knowledge", "Field"), lambda row: row.field, "field", phone="status"),
        Column("people", _("People behind it"), lambda row: row.people, "people", is_personal=True),
        Column("offer", _("On offer"), lambda row: row.is_on_offer, "is_on_offer", width="num"),
        Column("unit", _("Unit"), lambda row: row.unit, "unit__name", is_shown_at_first=False, select=("unit",)),
    )

    def links(self) -> list[PageLink]:
        demands = PageLink(_("Demands"), reverse("demand_list"))
        return [demands, *self.add_link(_("Add an achievement"), "achievement.edit")]
