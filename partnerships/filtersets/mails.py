import datetime as dt
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.filtersets.base import ListFilterSet, unit_filter
from partnerships.filtersets.fields import DayFilter, PersonFilter, SwitchFilter, opened_by, people_of
from partnerships.models import Agreement, Contact, Delivery, Milestone, MilestoneKind, Unit, User
from partnerships.models.users import read_tree
from partnerships.reminders.state import day_bounds
from partnerships.statuses import DeliveryStatus


class MailFilterSet(ListFilterSet):
    """What a mail says of milestones one does not see finds nothing: that a digest speaks of them is not ours to tell."""

    FRONT = ("status", "person", "made_from", "made_until")

    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[("waiting", _("Waiting for somebody")), *DeliveryStatus.choices],
        empty_label=_("Any"),
        method="filter_status",
    )
    person = PersonFilter(label=pgettext_lazy("reminder rule", "To"), field_name="person")
    made_from = DayFilter(label=_("Made from"), method="filter_made_from")
    made_until = DayFilter(label=_("Made until"), method="filter_made_until")
    unit = unit_filter()
    party = django_filters.CharFilter(label=_("Agreement or partner"), method="filter_party", max_length=200)
    kind = django_filters.ChoiceFilter(
        label=_("Kind of milestone"), choices=MilestoneKind.choices, empty_label=_("Any"), method="filter_kind"
    )
    mine = SwitchFilter(label=_("To me"), method="filter_mine")
    looked_after = SwitchFilter(label=_("About what I look after"), method="filter_looked_after")
    agreement = opened_by(_("Agreement"), Agreement, method="filter_agreement")

    def choices_in_scope(self) -> dict[str, QuerySet]:
        people = people_of(Delivery.objects.visible_to(self.user), "person")
        return {**super().choices_in_scope(), "person": people}

    def filter_words(self, queryset: Any, name: str, value: str) -> Any:
        """By the names of its reader and the milestones it speaks of, of their agreements and partners."""
        people, contacts = User.objects.filter(name__icontains=value), Contact.objects.filter(name__icontains=value)
        about = Delivery.objects.about(self._milestones().search(value)).order_by()
        read_by = Q(person__in=people.values("pk")) | Q(contact__in=contacts.values("pk"))
        return queryset.filter(read_by | Q(pk__in=about.values("pk")))

    def filter_status(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.needing_attention() if value == "waiting" else queryset.filter(status=value)

    def filter_made_from(self, queryset: Any, name: str, value: dt.date) -> Any:
        return queryset.filter(queued_at__gte=day_bounds(value, timezone.get_current_timezone())[0])

    def filter_made_until(self, queryset: Any, name: str, value: dt.date) -> Any:
        return queryset.filter(queued_at__lt=day_bounds(value, timezone.get_current_timezone())[1])

    def filter_unit(self, queryset: Any, name: str, value: Unit) -> Any:
        units = read_tree(Unit).with_descendants([value.pk])
        return queryset.about(self._milestones().filter(unit__in=units))

    def filter_party(self, queryset: Any, name: str, value: str) -> Any:
        found = Agreement.objects.search(value)
        return queryset.about(self._milestones().filter(agreement__in=found.order_by().values("pk")))

    def filter_kind(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.about(self._milestones().filter(kind=value))

    def filter_agreement(self, queryset: Any, name: str, value: Agreement) -> Any:
        return queryset.about(self._milestones().filter(agreement=value))

    def filter_mine(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(person=self.user)

    def filter_looked_after(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.tended_by(self.user)

    def _milestones(self) -> Any:
        return Milestone.objects.visible_to(self.user)
