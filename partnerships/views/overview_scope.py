"""The scope and period of the overview: what its address asks for, and the chips that change it."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import reduce
from typing import NamedTuple

from django.db.models import F, IntegerField, QuerySet, Value
from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from partnerships.lists.filters import regions_with
from partnerships.models import AgreementType, CooperationArea, Organization, Programme, Unit, User
from partnerships.reports.drawing import period_name
from partnerships.reports.overview_figures import FigureScope, ReportPeriod

EARLIEST_YEAR = 2000
PERIOD = re.compile(r"(?P<year>[0-9]{4})(?P<academic>-[0-9]{4})?", re.ASCII)


class Choice(NamedTuple):
    """A row that the overview can be narrowed to, with how deep it lies below others."""

    pk: int
    name: str
    depth: int


class ChipOption(NamedTuple):
    label: str
    address: str
    is_current: bool
    depth: int = 0


@dataclass(frozen=True)
class Chip:
    """A part of the scope as a menu: its name, or the row that is chosen."""

    key: str
    label: str
    shown: str
    is_set: bool
    options: list[ChipOption]


@dataclass(frozen=True)
class AskedOverview:
    """The scope and period that the address asks for; unknown ids and years are left out."""

    scope: FigureScope
    period: ReportPeriod
    today: dt.date
    choices: Mapping[str, list[Choice]]

    @property
    def query(self) -> dict[str, str]:
        """Return the parameters of the address, without those that are as usual."""
        asked = {field.name: getattr(self.scope, field.name) for field in fields(self.scope)}
        query = {name: str(pk) for name, pk in asked.items() if pk is not None}
        return query | ({} if self.period == ReportPeriod(self.today.year) else {"period": period_key(self.period)})

    @property
    def scope_query(self) -> dict[str, str]:
        return {name: value for name, value in self.query.items() if name != "period"}

    @property
    def address(self) -> str:
        return _address(self.query)

    @property
    def tables_address(self) -> str:
        address = reverse("overview_tables")
        return f"{address}?{urlencode(self.query)}" if self.query else address

    def chips(self) -> list[Chip]:
        chips = [self._chip("unit", _("All units"), _("All units")), self._period_chip()]
        for key, label in (
            ("type", _("Type")),
            ("area", _("Area")),
            ("region", _("Region")),
            ("programme", _("Program")),
        ):
            if self.choices[key]:
                chips.append(self._chip(key, label, _("All")))
        return chips

    def _chip(self, key: str, label: str, all_label: str) -> Chip:
        chosen = getattr(self.scope, key)
        without = {name: value for name, value in self.query.items() if name != key}
        options = [ChipOption(all_label, _address(without), chosen is None)]
        options += [
            ChipOption(one.name, _address(without | {key: str(one.pk)}), one.pk == chosen, one.depth)
            for one in self.choices[key]
        ]
        shown = next((one.name for one in self.choices[key] if one.pk == chosen), label)
        # There is always a choice of units, as of the period, so that these chips are always set.
        return Chip(key, label, shown, chosen is not None or key == "unit", options)

    def _period_chip(self) -> Chip:
        year, academic = self.today.year, academic_year(self.today)
        periods = [
            ReportPeriod(year),
            ReportPeriod(year - 1),
            ReportPeriod(academic, is_academic=True),
            ReportPeriod(academic - 1, is_academic=True),
        ]
        if self.period not in periods:
            periods.append(self.period)
        options = [
            ChipOption(_period_label(one), _address(self.scope_query | _period_query(one, year)), one == self.period)
            for one in periods
        ]
        return Chip("period", pgettext("overview", "Period"), _period_label(self.period), True, options)


def _address(query: Mapping[str, str]) -> str:
    return f"{reverse('overview')}?{urlencode(query)}" if query else reverse("overview")


def academic_year(day: dt.date) -> int:
    """Return the year in which the academic year of a day began."""
    return day.year if day.month >= 9 else day.year - 1


def period_key(period: ReportPeriod) -> str:
    return f"{period.year}-{period.year + 1}" if period.is_academic else str(period.year)


def _period_query(period: ReportPeriod, year: int) -> dict[str, str]:
    return {} if period == ReportPeriod(year) else {"period": period_key(period)}


def _period_label(period: ReportPeriod) -> str:
    words = _("Academic year %(period)s") if period.is_academic else _("Year %(period)s")
    return words % {"period": period_name(period)}


def asked_overview(data: QueryDict, user: User, today: dt.date) -> AskedOverview:
    """Read the address; one query."""
    choices = _choices(user)
    asked = {}
    for key, found in choices.items():
        known = {str(one.pk): one.pk for one in found}
        asked[key] = known.get(data.get(key, ""))
    return AskedOverview(FigureScope(**asked), _asked_period(data.get("period", ""), today), today, choices)


def _asked_period(text: str, today: dt.date) -> ReportPeriod:
    found = PERIOD.fullmatch(text)
    if found and EARLIEST_YEAR <= int(found["year"]) <= today.year:
        period = ReportPeriod(int(found["year"]), is_academic=bool(found["academic"]))
        if period.starts_on <= today:
            return period
    return ReportPeriod(today.year)


def _choices(user: User) -> dict[str, list[Choice]]:
    """Return what each part of the scope can be, in one query."""
    units = Unit.objects.all() if user.sees_all_units else Unit.objects.filter(pk__in=user.scope.unit_ids)
    rows: dict[str, QuerySet] = {
        "unit": units,
        "type": AgreementType.objects.all(),
        "area": CooperationArea.objects.all(),
        "region": regions_with(Organization.objects.not_archived()),
        "programme": Programme.objects.visible_to(user),
    }
    parts = [
        found.order_by()
        .annotate(
            kind=Value(key),
            above=F("parent_id") if key in {"unit", "region"} else Value(None, output_field=IntegerField()),
        )
        .values_list("kind", "pk", "above", "name", "name_zh", "sort_key", "sort_key_zh")
        for key, found in rows.items()
    ]
    is_chinese = (get_language() or "").startswith("zh")
    found = defaultdict(list)
    for kind, pk, above, name, name_zh, sort_key, sort_key_zh in reduce(
        lambda first, other: first.union(other, all=True), parts
    ):
        shown = (name_zh or name) if is_chinese else name
        found[kind].append((sort_key_zh if is_chinese else sort_key, pk, above, shown))
    return {key: _in_order(found[key]) for key in rows}


def _in_order(rows: list[tuple[str, int, int | None, str]]) -> list[Choice]:
    """Return rows by name, those that are part of another one below it."""
    below: dict[int | None, list[tuple[str, int, str]]] = defaultdict(list)
    known = {pk for _key, pk, _above, _name in rows}
    for key, pk, above, name in rows:
        below[above if above in known else None].append((key, pk, name))

    def walk(above: int | None, depth: int) -> list[Choice]:
        return [
            choice
            for _key, pk, name in sorted(below[above])
            for choice in (Choice(pk, name, depth), *walk(pk, depth + 1))
        ]

    return walk(None, 0)
