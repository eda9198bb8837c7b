"""The filters of the list pages. Each works inside what the person may see and keeps to one address parameter."""

import datetime as dt
from functools import reduce
from operator import or_
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.models import (
    Achievement,
    Activity,
    ActivityKind,
    ActivityOrganization,
    Agreement,
    AgreementArea,
    AgreementParty,
    AgreementType,
    CooperationArea,
    Demand,
    Event,
    EventKind,
    Facility,
    FacilityKind,
    FacilityPartner,
    HonourScheme,
    Milestone,
    MilestoneKind,
    Organization,
    OrganizationKind,
    Participation,
    Programme,
    Region,
    ReportedFigure,
    Source,
    Unit,
    User,
)
from partnerships.models.users import read_tree
from partnerships.reports.families import ids_below
from partnerships.reports.figures import measure_counting, measured, recorded, rules_counting, with_recorded
from partnerships.statuses import (
    ActivityStatus,
    AgreementStatus,
    DemandStatus,
    FacilityStatus,
    HonourStatus,
    MilestoneStatus,
)

# Parameters of a list's address that are not filters.
BESIDE_FILTERS = frozenset({"page", "size", "sort", "columns"})
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


class TendedFilterSet(ListFilterSet):
    """A list of rows that somebody looks after."""

    orphaned = SwitchFilter(label=_("Nobody looks after it"), method="filter_orphaned")
    away = SwitchFilter(label=_("Owner away without a deputy"), method="filter_away")

    def filter_orphaned(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.orphaned()

    def filter_away(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.owner_away(self.today)


class ProgrammeCountedFilterSet(ListFilterSet):
    """A list that a number of a programme's progress opens; it keeps to exactly the rows counted there."""

    programme = django_filters.ModelChoiceFilter(
        label=_("Counted for the programme"),
        queryset=Programme.objects.none(),
        widget=forms.HiddenInput,
        method="filter_programme",
    )

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {"programme": Programme.objects.visible_to(self.user)}

    def filter_programme(self, queryset: Any, name: str, value: Programme) -> Any:
        counted = measured(value, measure_counting(queryset.model), self.user)
        return queryset.filter(pk__in=counted.values("pk"))


class CountedFilterSet(ProgrammeCountedFilterSet):
    """A list that the recorded number of a reported figure opens, too."""

    figure = django_filters.ModelChoiceFilter(
        label=_("Recorded against"),
        queryset=ReportedFigure.objects.none(),
        widget=forms.HiddenInput,
        method="filter_figure",
    )

    def choices_in_scope(self) -> dict[str, QuerySet]:
        figures = ReportedFigure.objects.visible_to(self.user)
        compared = figures.filter(counting_rule__in=rules_counting(self.queryset.model))
        return {**super().choices_in_scope(), "figure": compared}

    def filter_figure(self, queryset: Any, name: str, value: ReportedFigure) -> Any:
        counted = recorded(value, self.user)
        return queryset.none() if counted is None else queryset.filter(pk__in=counted.values("pk"))


def _opened_by(label: Any, method: str) -> django_filters.ModelChoiceFilter:
    """A filter that a number on another page sets: no field of the form, and a chip once it is set."""
    return django_filters.ModelChoiceFilter(
        label=label, queryset=Organization.objects.none(), widget=forms.HiddenInput, method=method
    )


class AgreementFilterSet(TendedFilterSet, CountedFilterSet):
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
    overdue = SwitchFilter(label=_("Something is overdue"), method="filter_overdue")
    organization = _opened_by(_("With"), "filter_organization")
    under = _opened_by(_("Under the framework"), "filter_under")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            **super().choices_in_scope(),
            "organization": Organization.objects.visible_to(self.user),
            "under": Agreement.objects.visible_to(self.user),
            "unit": Unit.objects.visible_to(self.user),
            "coordinator": self._people(Agreement.objects.visible_to(self.user).values("coordinator")),
        }

    def filter_area(self, queryset: Any, name: str, value: CooperationArea) -> Any:
        return queryset.filter(Exists(AgreementArea.objects.filter(agreement=OuterRef("pk"), area=value)))

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=AgreementParty.objects.filter(organization__in=found).values("agreement"))

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(Exists(AgreementParty.objects.filter(agreement=OuterRef("pk"), organization=value)))

    def filter_under(self, queryset: Any, name: str, value: Agreement) -> Any:
        return queryset.filter(parent=value)

    def filter_expiring(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.expiring(self.today, until=self.today + dt.timedelta(days=int(value)))

    def filter_in_force(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.in_force(self.today)

    def filter_quiet(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.quiet(self.today)

    def filter_overdue(self, queryset: Any, name: str, value: str) -> Any:
        late = Milestone.objects.overdue(self.today).filter(agreement=OuterRef("pk"))
        return queryset.filter(Exists(late))


class MilestoneFilterSet(TendedFilterSet):
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
    agreement = _opened_by(_("Agreement"), "filter_agreement")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            "agreement": Agreement.objects.visible_to(self.user),
            "unit": Unit.objects.visible_to(self.user),
            "owner": self._people(Milestone.objects.visible_to(self.user).values("owner")),
        }

    def filter_queryset(self, queryset: Any) -> Any:
        filtered = super().filter_queryset(queryset)
        return filtered if self.form.cleaned_data.get("status") else filtered.pending()

    def filter_agreement(self, queryset: Any, name: str, value: Agreement) -> Any:
        return queryset.filter(agreement=value)

    def filter_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset if value == "all" else queryset.filter(status=value)

    def filter_due(self, queryset: Any, name: str, value: str) -> Any:
        if value == "overdue":
            return queryset.overdue(self.today)
        return queryset.due_between(self.today, self.today + dt.timedelta(days=DUE_WITHIN_DAYS[value]))


class ActivityFilterSet(TendedFilterSet):
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
    area = django_filters.ModelChoiceFilter(
        label=_("Counts for the area"),
        queryset=CooperationArea.objects.all(),
        empty_label=_("Any"),
        method="filter_later",
    )
    party = django_filters.CharFilter(label=_("Partner"), method="filter_party", max_length=200)
    agreement = _opened_by(_("Agreement"), "filter_agreement")
    framework = _opened_by(_("Agreement, with those under it"), "filter_framework")
    credited = _opened_by(_("Counts for"), "filter_later")
    organization = _opened_by(_("With"), "filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        agreements = Agreement.objects.visible_to(self.user)
        organizations = Organization.objects.visible_to(self.user)
        return {
            "agreement": agreements,
            "framework": agreements,
            "credited": organizations,
            "organization": organizations,
            "unit": Unit.objects.visible_to(self.user),
            "owner": self._people(Activity.objects.visible_to(self.user).values("owner")),
        }

    def filter_queryset(self, queryset: Any) -> Any:
        """One credit has both the area and the organization: two of them would not show a delivery to this party."""
        asked = {"area": "area", "credited": "organization"}
        values = self.form.cleaned_data
        credit = {field: values[name] for name, field in asked.items() if values.get(name)}
        filtered = super().filter_queryset(queryset)
        return filtered.credited(**credit) if credit else filtered

    def filter_later(self, queryset: Any, name: str, value: Any) -> Any:
        return queryset

    def filter_agreement(self, queryset: Any, name: str, value: Agreement) -> Any:
        return queryset.filter(agreement=value)

    def filter_framework(self, queryset: Any, name: str, value: Agreement) -> Any:
        return queryset.filter(agreement__in=[value.pk, *ids_below(value.pk)])

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(Exists(ActivityOrganization.objects.filter(activity=OuterRef("pk"), organization=value)))

    def filter_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.unfinished() if value == "unfinished" else queryset.filter(status=value)

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=ActivityOrganization.objects.filter(organization__in=found).values("activity"))


class CalendarFilterSet(ListFilterSet):
    """One set of filters over milestones, activities and events. Events are nobody's: a person's calendar has none."""

    kind = django_filters.ChoiceFilter(
        label=_("What"),
        choices=[("milestone", _("Milestones")), ("activity", _("Follow-ups")), ("event", _("Events"))],
        empty_label=_("Everything"),
        method="filter_kind",
    )
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    owner = django_filters.ModelChoiceFilter(
        label=_("Person"), queryset=User.objects.none(), empty_label=_("Anybody"), method="filter_owner"
    )
    mine = SwitchFilter(label=_("Mine alone"), method="filter_mine")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        owners = Q(pk__in=Milestone.objects.visible_to(self.user).values("owner"))
        owners |= Q(pk__in=Activity.objects.visible_to(self.user).values("owner"))
        return {"unit": Unit.objects.visible_to(self.user), "owner": User.objects.filter(owners)}

    @property
    def unknown(self) -> list[str]:
        return [name for name in super().unknown if name not in {"month", "day"}]

    def filter_kind(self, queryset: Any, name: str, value: str) -> Any:
        return queryset if queryset.model._meta.model_name == value else queryset.none()

    def filter_owner(self, queryset: Any, name: str, value: User) -> Any:
        return queryset.none() if queryset.model is Event else queryset.filter(owner=value)

    def filter_mine(self, queryset: Any, name: str, value: str) -> Any:
        return self.filter_owner(queryset, name, self.user)


class OrganizationFilterSet(CountedFilterSet):
    """Without ``archived`` it lists those that are not; a number that opens it counted both."""

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
        regions = Region.objects.filter(Q(pk__in=in_use) | Q(children__in=in_use)).distinct()
        return {**super().choices_in_scope(), "region": regions}

    def filter_queryset(self, queryset: Any) -> Any:
        filtered = super().filter_queryset(queryset)
        shows_archived = any(self.form.cleaned_data.get(name) for name in ("archived", "figure", "programme"))
        return filtered if shows_archived else filtered.not_archived()

    def filter_region(self, queryset: Any, name: str, value: Region) -> Any:
        return queryset.filter(region__in=read_tree(Region).with_descendants([value.pk]))

    def filter_mine(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.held_by_scope_of(self.user)

    def filter_archived(self, queryset: Any, name: str, value: str) -> Any:
        return queryset


class EventFilterSet(ProgrammeCountedFilterSet):
    kind = django_filters.ChoiceFilter(
        label=_("Kind"), choices=EventKind.Kind.choices, empty_label=_("Any"), method="filter_kind"
    )

    organization = _opened_by(_("With"), "filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {**super().choices_in_scope(), "organization": Organization.objects.visible_to(self.user)}

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(Exists(Participation.objects.filter(event=OuterRef("pk"), organization=value)))

    def filter_kind(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(Exists(EventKind.objects.filter(event=OuterRef("pk"), kind=value)))


class FacilityFilterSet(TendedFilterSet, CountedFilterSet):
    status = django_filters.ChoiceFilter(label=_("Status"), choices=FacilityStatus.choices, empty_label=_("Any"))
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=FacilityKind.choices, empty_label=_("Any"))
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    owner = django_filters.ModelChoiceFilter(label=_("Owner"), queryset=User.objects.none(), empty_label=_("Any"))
    party = django_filters.CharFilter(label=_("Partner"), method="filter_party", max_length=200)
    agreement = _opened_by(_("Agreement"), "filter_agreement")
    organization = _opened_by(_("With"), "filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            **super().choices_in_scope(),
            "unit": Unit.objects.visible_to(self.user),
            "organization": Organization.objects.visible_to(self.user),
            "agreement": Agreement.objects.visible_to(self.user),
            "owner": self._people(Facility.objects.visible_to(self.user).values("owner")),
        }

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Organization.objects.search(value).values("pk")
        return queryset.filter(pk__in=FacilityPartner.objects.filter(organization__in=found).values("facility"))

    def filter_agreement(self, queryset: Any, name: str, value: Agreement) -> Any:
        return queryset.filter(agreement=value)

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(Exists(FacilityPartner.objects.filter(facility=OuterRef("pk"), organization=value)))


class DemandFilterSet(TendedFilterSet, CountedFilterSet):
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("pending", _("Not closed")), *DemandStatus.choices],
        empty_label=_("Any"),
        method="filter_status",
    )
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    owner = django_filters.ModelChoiceFilter(label=_("Owner"), queryset=User.objects.none(), empty_label=_("Any"))
    party = django_filters.CharFilter(label=_("Asked by"), method="filter_party", max_length=200)
    unpublished = SwitchFilter(label=_("Content not published"), method="filter_unpublished")
    organization = _opened_by(_("Asked by"), "filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {
            **super().choices_in_scope(),
            "organization": Organization.objects.visible_to(self.user),
            "unit": Unit.objects.visible_to(self.user),
            "owner": self._people(Demand.objects.visible_to(self.user).values("owner")),
        }

    def filter_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.pending() if value == "pending" else queryset.filter(status=value)

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(organization__in=Organization.objects.search(value).values("pk"))

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(organization=value)

    def filter_unpublished(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(is_content_published=False)


class AchievementFilterSet(ListFilterSet):
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )
    on_offer = SwitchFilter(label=_("On offer"), method="filter_on_offer")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        offering = Achievement.objects.visible_to(self.user).values("unit")
        return {"unit": Unit.objects.filter(pk__in=offering)}

    def filter_on_offer(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(is_on_offer=True)


class ProgrammeFilterSet(ListFilterSet):
    unit = django_filters.ModelChoiceFilter(
        label=_("Unit, with those below"), queryset=Unit.objects.none(), empty_label=_("Any"), method="filter_unit"
    )

    def choices_in_scope(self) -> dict[str, QuerySet]:
        running = Programme.objects.visible_to(self.user).values("unit")
        return {"unit": Unit.objects.filter(pk__in=running)}


def half_year_end(today: dt.date) -> dt.date:
    """June 30 or December 31, whichever closes the half-year of ``today``."""
    return dt.date(today.year, 6, 30) if today.month <= 6 else dt.date(today.year, 12, 31)


class HonourFilterSet(ListFilterSet):
    scheme = django_filters.ModelChoiceFilter(
        label=_("Honour"), queryset=HonourScheme.objects.all(), empty_label=_("Any")
    )
    level = django_filters.ChoiceFilter(
        label=_("Level"), field_name="scheme__level", choices=HonourScheme.Level.choices, empty_label=_("Any")
    )
    party = django_filters.CharFilter(label=_("Held by"), method="filter_party", max_length=200)
    lapsing = SwitchFilter(label=_("Lapses this half-year"), method="filter_lapsing")
    could_rise = SwitchFilter(label=_("Could apply for the next level"), method="filter_could_rise")
    withdrawn = SwitchFilter(label=_("Recorded in error, withdrawn"), method="filter_withdrawn")
    organization = _opened_by(_("Held by"), "filter_organization")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {"organization": Organization.objects.visible_to(self.user)}

    def filter_organization(self, queryset: Any, name: str, value: Organization) -> Any:
        return queryset.filter(organization=value)

    def filter_queryset(self, queryset: Any) -> Any:
        """What was withdrawn is listed only when it is asked for."""
        found = super().filter_queryset(queryset)
        return found if self.form.cleaned_data.get("withdrawn") else found.recorded()

    def filter_withdrawn(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(status=HonourStatus.WITHDRAWN)

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(organization__in=Organization.objects.search(value).values("pk"))

    def filter_lapsing(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.lapsing(self.today, until=half_year_end(self.today))

    def filter_could_rise(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.could_rise(self.today)


class HonourSchemeFilterSet(ListFilterSet):
    level = django_filters.ChoiceFilter(label=_("Level"), choices=HonourScheme.Level.choices, empty_label=_("Any"))

    def filter_words(self, queryset: Any, name: str, value: str) -> Any:
        return _containing(queryset, value, "name", "name_zh", "issuer")


class FigureFilterSet(ListFilterSet):
    source = django_filters.ModelChoiceFilter(label=_("Source"), queryset=Source.objects.none(), empty_label=_("Any"))
    measure = django_filters.ChoiceFilter(
        label=_("Measure"), choices=ReportedFigure.Measure.choices, empty_label=_("Any")
    )
    compared = SwitchFilter(label=_("Compared with records"), method="filter_compared")
    to_register = SwitchFilter(label=_("Something is to be registered"), method="filter_to_register")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        return {"source": Source.objects.visible_to(self.user)}

    def filter_words(self, queryset: Any, name: str, value: str) -> Any:
        return _containing(queryset, value, "name", "name_zh", "printed")

    def filter_compared(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.comparable()

    def filter_to_register(self, queryset: Any, name: str, value: str) -> Any:
        return with_recorded(queryset, self.user).filter(recorded_count__lt=F("value"))


class SourceFilterSet(ListFilterSet):
    def filter_words(self, queryset: Any, name: str, value: str) -> Any:
        return _containing(queryset, value, "title", "publisher", "note")


def _containing(queryset: Any, words: str, *fields: str) -> Any:
    """Rows with every word in one of ``fields``; for catalogues of some dozens, which have no search entries."""
    for word in words.split():
        queryset = queryset.filter(reduce(or_, (Q(**{f"{field}__icontains": word}) for field in fields)))
    return queryset
