"""Outcomes of demands, shown from both ends: on the demand, and on the agreement or project it became."""

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from partnerships.admin.base import ReadOnlyInline, admin_link
from partnerships.forms.versions import EMPTY
from partnerships.models import Activity, Agreement, Answer, Demand, DemandOutcome
from partnerships.requests import user_of


class OutcomeInline(ReadOnlyInline):
    """A link between a demand and what came of it, with the answer for those who may see that."""

    model = DemandOutcome

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("answer__unit")
        seen = Answer.objects.visible_to(user_of(request)).filter(pk=OuterRef("answer"))
        return rows.annotate(is_answer_seen=Exists(seen))

    @display(description=_("answer"))
    def chosen_answer(self, outcome: DemandOutcome) -> str:
        is_seen = outcome.is_answer_seen  # type: ignore[attr-defined]  # annotated above
        return str(outcome.answer) if is_seen else EMPTY


class DemandOutcomeInline(OutcomeInline):
    """The agreements and projects that came of a demand, as far as the person may see them."""

    fields = ("what", "chosen_answer")
    verbose_name_plural = _("outcome")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("agreement", "activity")
        return rows.filter(
            Q(agreement__in=Agreement.objects.visible_to(user_of(request)).order_by().values("pk"))
            | Q(activity__in=Activity.objects.visible_to(user_of(request)).order_by().values("pk"))
        )

    @display(description=_("agreement or project"))
    def what(self, outcome: DemandOutcome) -> str:
        made = outcome.agreement or outcome.activity
        return admin_link(made) if made else EMPTY


class OriginInline(OutcomeInline):
    """The demand that an agreement or project came of, for those who may see it."""

    fields = ("demand_link", "chosen_answer")
    verbose_name_plural = _("origin (demand)")
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("demand")
        return rows.filter(demand__in=Demand.objects.visible_to(user_of(request)).order_by().values("pk"))

    @display(description=_("demand"))
    def demand_link(self, outcome: DemandOutcome) -> str:
        return admin_link(outcome.demand)


def origin_of(row: Agreement | Activity) -> tuple[type[OriginInline], ...]:
    """Return the inline if there is something to show: most agreements and projects came of no demand."""
    return (OriginInline,) if row.demand_outcomes.exists() else ()
