from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets import FacilityFilterSet
from partnerships.lists.base import Column, RowList, organizations_of
from partnerships.models import Facility, FacilityPartner

SIDES = Prefetch("partners", FacilityPartner.objects.select_related("organization"))


class FacilityRows(RowList):
    key = "facility_list"
    model = Facility
    filterset_class = FacilityFilterSet
    default_sort = "-opened_on"
    columns = (
        Column("facility", _("Joint facility"), str, "name"),
        Column("kind", _("Kind"), lambda row: row.get_kind_display(), "kind"),
        Column("partners", _("Run by"), lambda row: organizations_of(row.partners.all())),
        Column("status", _("Status"), lambda row: row.get_status_display(), "status"),
        Column("opened", _("Opened on"), lambda row: row.opened_on, "opened_on"),
        Column("until", _("Agreed until"), lambda row: row.ends_on, "ends_on"),
        Column("owner", _("Owner"), lambda row: row.owner, "owner__name"),
    )

    def for_showing(self, rows: QuerySet) -> QuerySet:
        return rows.select_related("unit", "owner").prefetch_related(SIDES)
