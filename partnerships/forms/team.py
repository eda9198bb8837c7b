"""Forms of the team pages: the unit to look at, and handing over items."""

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from partnerships.forms.bulk import workers
from partnerships.forms.choices import offer_rows
from partnerships.forms.domain import DomainFormMixin
from partnerships.models import Activity, Agreement, Demand, Facility, Milestone, Unit, User
from partnerships.workflows.handover import KINDS, HandOverItem, HandOverResult, hand_over, preview

_ITEM = re.compile(r"([a-z]+)-(\d{1,18})-(\d{1,9})", re.ASCII)


class TeamForm(forms.Form):
    unit = forms.ModelChoiceField(
        label=_("Unit (incl. sub-units)"), queryset=Unit.objects.none(), required=False, empty_label=_("Any")
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_rows(self, "unit", Unit.objects.visible_to(user))


def item_value(kind: str, row: Milestone | Activity | Facility | Demand | Agreement) -> str:
    """Return the form value of a row, with the version that the person saw."""
    return f"{kind}-{row.pk}-{row.version}"


class ItemsField(forms.MultipleChoiceField):
    """Rows by kind, id and version. The verb, not the form, checks whether they changed meanwhile."""

    widget = forms.MultipleHiddenInput

    def valid_value(self, value: str) -> bool:
        found = _ITEM.fullmatch(value)
        return found is not None and found[1] in KINDS

    def clean(self, value: object) -> list[HandOverItem]:
        cleaned = super().clean(value)
        return [
            HandOverItem(kind, int(pk), int(version)) for kind, pk, version in (text.split("-") for text in cleaned)
        ]


class HandOverForm(DomainFormMixin, forms.Form):
    new_owner = forms.ModelChoiceField(
        label=pgettext_lazy("handing over", "To whom"), queryset=User.objects.none(), empty_label=_("Choose a person")
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=100,
        help_text=_("Recorded in the history of each item, such as “on leave until May” or “left the office”."),
    )
    items = ItemsField(error_messages={"required": _("Choose what to hand over.")})

    def __init__(self, *args: Any, user: User, giver: User | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.giver = giver
        offer_rows(self, "new_owner", workers(user).exclude(pk=giver.pk) if giver else workers(user))

    def preview(self, actor: User) -> HandOverResult | None:
        """Return what would be handed over; nothing is saved."""
        return self.apply(actor, verb=preview)

    def keep(self, actor: User, *, verb: Callable[..., HandOverResult] = hand_over, **about: object) -> HandOverResult:
        values = dict(self.cleaned_data)
        items = values.pop("items")
        return verb(items, actor=actor, giver=self.giver, now=timezone.now(), **values)
