from typing import Any

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets import AgreementFilterSet
from partnerships.lists.base import Column, RowList, organizations_of
from partnerships.models import Agreement, AgreementParty, Milestone

PARTIES = Prefetch("parties", AgreementParty.objects.select_related("organization"))


class AgreementRows(RowList):
    key = "agreement_list"
    model = Agreement
    filterset_class = AgreementFilterSet
    default_sort = "-signed_on"
    columns = (
        Column("title", _("Agreement"), lambda row: row.title, "title"),
        Column("partners", _("Partners"), lambda row: organizations_of(partners(row))),
        Column("status", _("Status"), lambda row: row.get_status_display(), "status"),
        Column("signed", _("Signed on"), lambda row: row.signed_on, "signed_on"),
        Column("until", _("Runs until"), lambda row: row.current_ends_on, "current_ends_on"),
        Column("due", _("Next due"), lambda row: row.next_due_on, "next_due_on"),
        Column("coordinator", _("Coordinator"), lambda row: row.coordinator, "coordinator__name"),
    )

    def for_sorting(self, rows: Any) -> QuerySet:
        return _with_next_due(rows.with_current_end())

    def for_showing(self, rows: Any) -> QuerySet:
        related = rows.select_related("unit", "coordinator", "type").prefetch_related(PARTIES)
        return _with_next_due(related.with_current_end())


def partners(agreement: Agreement) -> list[AgreementParty]:
    """The parties but our own organization; ``parties`` and ``unit`` were fetched along."""
    ours = agreement.unit.organization_id
    return [party for party in agreement.parties.all() if party.organization_id != ours]


def _with_next_due(rows: QuerySet) -> QuerySet:
    pending = Milestone.objects.pending().filter(agreement=OuterRef("pk")).order_by("due_on")
    return rows.annotate(next_due_on=Subquery(pending.values("due_on")[:1]))
