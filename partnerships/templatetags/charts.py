"""The charts of the overview, drawn from its figures by ``reports.drawing``."""

from django import template
from django.utils.safestring import SafeString

from partnerships.reports import drawing
from partnerships.reports.canvas import element, pattern_definitions
from partnerships.reports.overview_figures import KeyFigure, Overview, PersonLoad, RegionFigures

register = template.Library()

for key in (drawing.contact_key, drawing.promised_key, drawing.coming_key):
    register.simple_tag(key)
register.filter(drawing.chart_day)


@register.simple_tag
def chart_patterns() -> SafeString:
    """Return the hatchings that all charts of a page share; once on each page with charts."""
    return element("svg", pattern_definitions(), width=0, height=0, class_="chart-patterns", aria_hidden="true")


@register.simple_tag
def months_chart(overview: Overview) -> SafeString:
    return drawing.draw_months(overview.months, overview.period)


@register.simple_tag
def trend(figure: KeyFigure) -> SafeString:
    return drawing.draw_trend(figure.trend)


@register.simple_tag
def contact_chart(overview: Overview) -> SafeString:
    return drawing.draw_contact(overview.units)


@register.simple_tag
def promised_chart(overview: Overview) -> SafeString:
    return drawing.draw_promised(overview.units, overview.areas)


@register.simple_tag
def coming_chart(overview: Overview) -> SafeString:
    return drawing.draw_coming(overview.units, overview.day, overview.decide_until)


@register.simple_tag
def load_bar(person: PersonLoad, overview: Overview) -> SafeString:
    return drawing.draw_load(person, drawing.most_pending(overview.people))


@register.simple_tag
def region_bar(region: RegionFigures, overview: Overview) -> SafeString:
    return drawing.draw_region(region, drawing.most_in_force(overview.regions))
