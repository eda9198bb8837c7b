from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets import HonourFilterSet, HonourSchemeFilterSet
from partnerships.lists.base import Column, RowList
from partnerships.models import Honour, HonourScheme
from partnerships.statuses import HonourStatus


class HonourRows(RowList):
    key = "honour_list"
    model = Honour
    filterset_class = HonourFilterSet
    default_sort = "valid_until"
    columns = (
        Column("organization", _("Held by"), lambda row: row.organization, "organization__name"),
        Column("honour", _("Honour"), lambda row: row.scheme, "scheme__name"),
        Column("level", _("Level"), lambda row: row.scheme.get_level_display(), "scheme__level"),
        Column("granted", _("Granted on"), lambda row: row.granted_on, "granted_on"),
        Column("until", _("Valid until"), lambda row: row.valid_until, "valid_until"),
        Column("next", _("Next level"), lambda row: row.scheme.next_scheme, "scheme__next_scheme__name"),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        return rows.select_related("organization", "scheme__next_scheme")


class HonourSchemeRows(RowList):
    key = "honour_scheme_list"
    model = HonourScheme
    filterset_class = HonourSchemeFilterSet
    default_sort = "name"
    columns = (
        Column("honour", _("Honour"), str, "name"),
        Column("level", _("Level"), lambda row: row.get_level_display(), "level"),
        Column("issuer", _("Issued by"), lambda row: row.issuer, "issuer"),
        Column("months", _("Valid for"), lambda row: row.validity_months, "validity_months"),
        Column("next", _("Next level"), lambda row: row.next_scheme, "next_scheme__name"),
        Column("holders", _("Holders"), lambda row: row.honour_count),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        held = Q(honours__status=HonourStatus.RECORDED)
        return rows.annotate(honour_count=Count("honours", filter=held)).select_related("next_scheme")
