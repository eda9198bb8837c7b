"""What came of a demand, shown from both ends: on the demand, and on the agreement or project it became."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.base import ReadOnlyInline, admin_link
from partnerships.models import Activity, Agreement, Demand, DemandOutcome


class DemandOutcomeInline(ReadOnlyInline):
    """Of the agreements and projects that came of it, those the person may see."""

    model = DemandOutcome
    fields = ("what", "answer")
    verbose_name_plural = _("what came of it")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("agreement", "activity", "answer__unit")
        return rows.filter(
            Q(agreement__in=Agreement.objects.visible_to(request.user).order_by().values("pk"))
            | Q(activity__in=Activity.objects.visible_to(request.user).order_by().values("pk"))
        )

    @display(description=_("agreement or project"))
    def what(self, outcome: DemandOutcome) -> str:
        return admin_link(outcome.agreement or outcome.activity)


class OriginInline(ReadOnlyInline):
    """The demand that an agreement or project came of, for those who may see it."""

    model = DemandOutcome
    fields = ("demand_link", "answer")
    verbose_name_plural = _("came of the demand")
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("demand", "answer__unit")
        return rows.filter(demand__in=Demand.objects.visible_to(request.user).order_by().values("pk"))

    @display(description=_("demand"))
    def demand_link(self, outcome: DemandOutcome) -> str:
        return admin_link(outcome.demand)


def origin_of(row: Any) -> tuple[type[OriginInline], ...]:
    """The inline where there is something to show: most agreements and projects came of no demand."""
    return (OriginInline,) if row.demand_outcomes.exists() else ()
