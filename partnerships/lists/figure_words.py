"""Reported and recorded numbers in words, and the lists behind them."""

from decimal import Decimal
from fractions import Fraction

from django.db.models import Model
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from partnerships.lists import cells
from partnerships.models import Agreement, Demand, Event, Facility, Organization, Programme, ReportedFigure
from partnerships.reports.figures import Confirmed, counted_model, to_register

LIST_OF_MODEL: dict[type[Model], str] = {
    Agreement: "agreement_list",
    Demand: "demand_list",
    Event: "event_list",
    Facility: "facility_list",
    Organization: "organization_list",
}
# The list that shows what a programme's measure counts.
LIST_OF_MEASURE = {
    "events": "event_list",
    "agreements": "agreement_list",
    "facilities": "facility_list",
    "demands": "demand_list",
    "enterprises": "organization_list",
}
# A printed "1/3" is kept to four places; a share nearer than this to a plain fraction is shown as one.
NEAR = Fraction(1, 10_000)


def reported(figure: ReportedFigure) -> str:
    """Return the quoted number with its qualifier: "nearly 500", "more than 1/3", "no. 8", "× 2"."""
    number = _in_measure(figure)
    if figure.qualifier == ReportedFigure.Qualifier.EXACT:
        return number
    return _("%(qualifier)s %(number)s") % {"qualifier": figure.get_qualifier_display(), "number": number}


def missing(figure: ReportedFigure) -> str:
    """Return how many records are missing; empty where the figure is only quoted or rounded."""
    more = to_register(figure)
    if more is None:
        return ""
    is_least = more and figure.qualifier == ReportedFigure.Qualifier.AT_LEAST
    return _("at least %(number)s") % {"number": _plain(more)} if is_least else _plain(more)


def confirmed_words(one: Confirmed) -> str:
    """Return the numbers that were confirmed, and what is different since."""
    kept = one.confirmation
    numbers = {"reported": _plain(kept.reported), "recorded": kept.recorded}
    words = [
        _("Reported %(reported)s") % numbers
        if kept.recorded is None
        else _("Reported %(reported)s, recorded %(recorded)s") % numbers
    ]
    if one.added:
        words.append(ngettext("%(count)s counted since", "%(count)s counted since", one.added) % {"count": one.added})
    if one.gone:
        gone = ngettext("%(count)s no longer counted", "%(count)s no longer counted", one.gone)
        words.append(gone % {"count": one.gone})
    if one.is_reworded:
        words.append(_("the reported number was changed"))
    if one.is_unchanged:
        words.append(_("unchanged since"))
    return " · ".join(words)


def as_of(figure: ReportedFigure) -> str:
    """Return the day a figure is about, or the year where the source gives no more."""
    if figure.as_of_precision == ReportedFigure.Precision.YEAR:
        return str(figure.as_of.year)
    return date_format(figure.as_of, "DATE_FORMAT")


def recorded_url(figure: ReportedFigure) -> str:
    """Return the address of the list of exactly the counted records; empty where figures are only quoted."""
    model = counted_model(figure)
    return f"{reverse(LIST_OF_MODEL[model])}?figure={figure.pk}" if model else ""


def measured_url(programme: Programme, measure: str) -> str:
    """Return the address of the list of exactly the records that count for a programme's measure."""
    return f"{reverse(LIST_OF_MEASURE[measure])}?programme={programme.pk}"


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
    """Return a number without trailing zeros."""
    whole = value == value.to_integral_value()
    return cells.grouped(value) if whole else f"{value.normalize():,f}"
