"""Reported and recorded numbers, in words that cannot be taken for each other."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import template
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from partnerships.models import Agreement, Demand, Event, Facility, Organization, ReportedFigure
from partnerships.reports.figures import counted_model, to_register
from partnerships.templatetags.office import grouped

register = template.Library()

LISTS = {
    Agreement: "agreement_list",
    Demand: "demand_list",
    Event: "event_list",
    Facility: "facility_list",
    Organization: "organization_list",
}
# Which list shows what a programme's measure counts.
MEASURED = {
    "events": "event_list",
    "agreements": "agreement_list",
    "facilities": "facility_list",
    "demands": "demand_list",
    "enterprises": "organization_list",
}
# A printed "1/3" is kept to four places; a share nearer than this to a plain fraction is shown as one.
NEAR = Fraction(1, 10_000)


@register.filter
def reported(figure: ReportedFigure) -> str:
    """The quoted number with its qualifier: "nearly 500", "more than 1/3", "no. 8", "× 2"."""
    number = _in_measure(figure)
    if figure.qualifier == ReportedFigure.Qualifier.EXACT:
        return number
    return _("%(qualifier)s %(number)s") % {"qualifier": figure.get_qualifier_display(), "number": number}


@register.filter
def missing(figure: Any) -> str:
    """How many are still to be registered, as loosely as the source counts; empty for what is quoted alone."""
    more = to_register(figure)
    if more is None:
        return ""
    number = _plain(more)
    if figure.qualifier == ReportedFigure.Qualifier.EXACT or not more:
        return number
    if figure.qualifier == ReportedFigure.Qualifier.NEARLY:
        return _("about %(number)s") % {"number": number}
    return _("at least %(number)s") % {"number": number}


@register.filter
def as_of(figure: ReportedFigure) -> str:
    """The day, or the year alone where the source gives no more."""
    if figure.as_of_precision == ReportedFigure.Precision.YEAR:
        return str(figure.as_of.year)
    return date_format(figure.as_of, "DATE_FORMAT")


@register.filter
def recorded_url(figure: ReportedFigure) -> str:
    """The list of exactly the records counted against ``figure``; empty for what is quoted alone."""
    model = counted_model(figure)
    return f"{reverse(LISTS[model])}?figure={figure.pk}" if model else ""


@register.simple_tag
def measured_url(programme: Any, measure: str) -> str:
    """The list of exactly the records that count for a programme's measure."""
    return f"{reverse(MEASURED[measure])}?programme={programme.pk}"


def _in_measure(figure: ReportedFigure) -> str:
    if figure.measure == ReportedFigure.Measure.RANK:
        return _("no. %(number)s") % {"number": _plain(figure.value)}
    if figure.measure == ReportedFigure.Measure.RATIO:
        return _("× %(number)s") % {"number": _plain(figure.value)}
    if figure.measure == ReportedFigure.Measure.SHARE:
        return _share(figure.value)
    return _plain(figure.value)


def _share(value: Decimal) -> str:
    fraction = Fraction(value).limit_denominator(10)
    if fraction.denominator > 1 and abs(fraction - Fraction(value)) < NEAR:
        return str(fraction)
    return f"{_plain(value * 100)}%"


def _plain(value: Decimal) -> str:
    """Without the zeros the column keeps behind the point."""
    whole = value == value.to_integral_value()
    return grouped(value) if whole else f"{value.normalize():,f}"
