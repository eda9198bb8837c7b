from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.filtersets import AchievementFilterSet
from partnerships.lists.base import Column, RowList
from partnerships.models import Achievement


class AchievementRows(RowList):
    key = "achievement_list"
    model = Achievement
    filterset_class = AchievementFilterSet
    default_sort = "name"
    columns = (
        Column("achievement", _("Achievement"), str, "name"),
        Column("organization", _("Offered by"), lambda row: row.organization, "organization__name"),
        Column("field", pgettext_lazy("of knowledge", "Field"), lambda row: row.field, "field"),
        Column("people", _("People behind it"), lambda row: row.people, "people", is_personal=True),
        Column("offer", _("On offer"), lambda row: row.is_on_offer, "is_on_offer"),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        return rows.select_related("organization")
