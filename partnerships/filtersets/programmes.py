import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from partnerships.filtersets.base import ListFilterSet
from partnerships.models import Programme, Unit


class ProgrammeFilterSet(ListFilterSet):
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )

    def choices_in_scope(self) -> dict[str, QuerySet]:
        running = Programme.objects.visible_to(self.user).values("unit")
        return {"unit": Unit.objects.filter(pk__in=running)}
