"""The filters of the list pages. Each works inside what the person may see and keeps to one address parameter."""

import datetime as dt
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.models import (
    Activity,
    ActivityKind,
    ActivityOrganization,
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementType,
    CooperationArea,
    EventKind,
    Milestone,
    MilestoneKind,
    Organization,
    OrganizationKind,
    Region,
    Unit,
    User,
)
from partnerships.models.users import read_tree
from partnerships.statuses import ActivityStatus, AgreementStatus, MilestoneStatus

# Parameters of a list's address that are not filters.
BESIDE_FILTERS = frozenset({"page", "sort"})
DUE_WITHIN_DAYS = {"week": 7, "month": 30, "quarter": 90}


class SwitchInput(forms.CheckboxInput):
    """A checkbox that is ``yes`` or absent in the address; anything else is a bad value, not an unchecked box."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, check_test=lambda value: value == "yes")

    def format_value(self, value: Any) -> str:
        return "yes"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.get(name)


class SwitchFilter(django_filters.ChoiceFilter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[("yes", _("Yes"))], widget=SwitchInput, **kwargs)


class ListFilterSet(django_filters.FilterSet):
    """Filters of one list for one person on one day.

    A value that does not fit leaves a message beside its field and the other filters in force; a parameter that is no
    filter is named in ``unknown``. Neither is an error page, and neither passes in silence.
    """

    q = django_filters.CharFilter(label=_("Words"), method="filter_words", max_length=200, strip=True)

    def __init__(self, data: QueryDict, queryset: Any, *, user: Any, today: dt.date) -> None:
        super().__init__(data, queryset)
        self.user = user
        self.today = today
        for name, choices in self.choices_in_scope().items():
            self.filters[name].queryset = choices

    def choices_in_scope(self) -> dict[str, QuerySet]:
        """The rows each drop-down offers, by the name of its filter."""
        return {}

    def filter_words(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.search(value)

    def filter_unit(self, queryset: Any, name: str, value: Unit) -> Any:
        return queryset.filter(unit__in=read_tree(Unit).with_descendants([value.pk]))

    @property
    def unknown(self) -> list[str]:
        return sorted(name for name in self.data if name not in self.filters and name not in BESIDE_FILTERS)

    @property
    def chosen(self) -> list[dict[str, str]]:
        """What is filtered by: label, value in words, and the address of the list without it."""
        values = self.form.cleaned_data
        names = [name for name in self.filters if values.get(name) not in (None, "")]
        return [
            {
                "label": str(self.form.fields[name].label),
                "value": _in_words(self.form.fields[name], values[name]),
                "without": self._address_without(name),
            }
            for name in names
        ]

    def _address_without(self, name: str) -> str:
        rest = self.data.copy()
        for gone in (name, "page"):
            rest.pop(gone, None)
        return f"?{rest.urlencode()}"

    def _people(self, ids: QuerySet) -> QuerySet:
        return User.objects.filter(pk__in=ids)


def _in_words(field: forms.Field, value: Any) -> str:
    if isinstance(field.widget, SwitchInput):
        return ""
    if isinstance(field, forms.ChoiceField) and isinstance(value, str):
        return str(next((label for choice, label in field.choices if choice == value), value))
    return str(value)


class AgreementFilterSet(ListFilterSet):
    status = django_filters.ChoiceFilter(label=_("Status"), choices=AgreementStatus.choices, empty_label=_("Any"))
    type = django_filters.ModelChoiceFilter(label=_("Type"), queryset=AgreementType.objects.all(), empty_label=_("Any"))
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    coordinator = django_filters.ModelChoiceFilter(
        label=_("Coordinator"), queryset=User.objects.none(), empty_label=_("Any")
    )
    area = django_filters.ModelChoiceFilter(
        label=_("Area promised"),
        queryset=CooperationArea.objects.all(),
        empty_label=_("Any"),
        method="filter_area",
    )
    party = django_filters.CharFilter(label=_("Partner"), method="filter_party", max_length=200)
    expiring = django_filters.ChoiceFilter(
        label=_("Expiring within"),
        choices=[("30", _("30 days")), ("90", _("90 days")), ("180", _("180 days")), ("365", _("a year"))],
        empty_label=_("Any time"),
        method="filter_expiring",
    )
    in_force = SwitchFilter(label=_("In force today"), method="filter_in_force")
    quiet = SwitchFilter(label=_("Quiet"), method="filter_quiet")
    orphaned = SwitchFilter(label=_("Nobody looks after it"), method="filter_orphaned")
    overdue = SwitchFilter(label=_("Something is overdue"), method="filter_overdue")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            "unit": Unit.objects.visible_to(self.user),
            "coordinator": self._people(Agreement.objects.visible_to(self.user).values("coordinator")),
        }

    def filter_area(self, queryset: Any, name: str, value: CooperationArea) -> Any:
        return queryset.filter(Exists(AgreementArea.objects.filter(agreement=OuterRef("pk"), area=value)))

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=AgreementParty.objects.filter(organization__in=found).values("agreement"))

    def filter_expiring(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.expiring(self.today, until=self.today + dt.timedelta(days=int(value)))

    def filter_in_force(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.in_force(self.today)

    def filter_quiet(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.quiet(self.today)

    def filter_orphaned(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.orphaned()

    def filter_overdue(self, queryset: Any, name: str, value: str) -> Any:
        late = Milestone.objects.overdue(self.today).filter(agreement=OuterRef("pk"))
        return queryset.filter(Exists(late))


class MilestoneFilterSet(ListFilterSet):
    """Without a status it lists what is still to be done."""

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("all", pgettext_lazy("milestones", "All")), *MilestoneStatus.choices],
        empty_label=_("Still to be done"),
        method="filter_status",
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=MilestoneKind.choices, empty_label=_("Any"))
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    owner = django_filters.ModelChoiceFilter(label=_("Owner"), queryset=User.objects.none(), empty_label=_("Any"))
    due = django_filters.ChoiceFilter(
        label=_("Due"),
        choices=[
            ("overdue", _("Overdue")),
            ("week", _("Within 7 days")),
            ("month", _("Within 30 days")),
            ("quarter", _("Within 90 days")),
        ],
        empty_label=_("Any time"),
        method="filter_due",
    )
    orphaned = SwitchFilter(label=_("Nobody looks after it"), method="filter_orphaned")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            "unit": Unit.objects.visible_to(self.user),
            "owner": self._people(Milestone.objects.visible_to(self.user).values("owner")),
        }

    def filter_queryset(self, queryset: Any) -> Any:
        filtered = super().filter_queryset(queryset)
        return filtered if self.form.cleaned_data.get("status") else filtered.pending()

    def filter_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset if value == "all" else queryset.filter(status=value)

    def filter_due(self, queryset: Any, name: str, value: str) -> Any:
        if value == "overdue":
            return queryset.overdue(self.today)
        return queryset.due_between(self.today, self.today + dt.timedelta(days=DUE_WITHIN_DAYS[value]))

    def filter_orphaned(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.orphaned()


class ActivityFilterSet(ListFilterSet):
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("unfinished", _("Not finished")), *ActivityStatus.choices],
        empty_label=_("Any"),
        method="filter_status",
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=ActivityKind.choices, empty_label=_("Any"))
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    owner = django_filters.ModelChoiceFilter(label=_("Owner"), queryset=User.objects.none(), empty_label=_("Any"))
    party = django_filters.CharFilter(label=_("Partner"), method="filter_party", max_length=200)

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            "unit": Unit.objects.visible_to(self.user),
            "owner": self._people(Activity.objects.visible_to(self.user).values("owner")),
        }

    def filter_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.unfinished() if value == "unfinished" else queryset.filter(status=value)

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=ActivityOrganization.objects.filter(organization__in=found).values("activity"))


class OrganizationFilterSet(ListFilterSet):
    """Without ``archived`` it lists those that are not."""

    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=OrganizationKind.choices, empty_label=_("Any"))
    region = django_filters.ModelChoiceFilter(
        label=_("Region, with those below"),
        queryset=Region.objects.none(),
        empty_label=_("Any"),
        method="filter_region",
    )
    mine = SwitchFilter(label=_("Held by my units"), method="filter_mine")
    archived = SwitchFilter(label=_("Archived too"), method="filter_archived")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        in_use = Organization.objects.values("region")
        return {"region": Region.objects.filter(Q(pk__in=in_use) | Q(children__in=in_use)).distinct()}

    def filter_queryset(self, queryset: Any) -> Any:
        filtered = super().filter_queryset(queryset)
        return filtered if self.form.cleaned_data.get("archived") else filtered.not_archived()

    def filter_region(self, queryset: Any, name: str, value: Region) -> Any:
        return queryset.filter(region__in=read_tree(Region).with_descendants([value.pk]))

    def filter_mine(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.held_by_scope_of(self.user)

    def filter_archived(self, queryset: Any, name: str, value: str) -> Any:
        return queryset


class EventFilterSet(ListFilterSet):
    kind = django_filters.ChoiceFilter(
        label=_("Kind"), choices=EventKind.Kind.choices, empty_label=_("Any"), method="filter_kind"
    )

    def filter_kind(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(Exists(EventKind.objects.filter(event=OuterRef("pk"), kind=value)))
