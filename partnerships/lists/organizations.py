from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets import OrganizationFilterSet
from partnerships.lists.base import Column, RowList
from partnerships.models import Organization, OrganizationUnit

HOLDERS = Prefetch("holders", OrganizationUnit.objects.select_related("unit", "coordinator"))


class OrganizationRows(RowList):
    key = "organization_list"
    model = Organization
    filterset_class = OrganizationFilterSet
    default_sort = "name"
    columns = (
        Column("organization", _("Organization"), str, "name"),
        Column("kind", _("Kind"), lambda row: row.get_kind_display(), "kind"),
        Column("region", _("Region"), lambda row: row.region, "region__name"),
        Column("holders", _("Held by"), lambda row: "; ".join(str(holder.unit) for holder in row.holders.all())),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        return rows.select_related("region").prefetch_related(HOLDERS)
