"""Template filters for reported and recorded numbers."""

from django import template

from partnerships.lists import figure_words

register = template.Library()

for show in (
    figure_words.reported,
    figure_words.missing,
    figure_words.confirmed_words,
    figure_words.as_of,
    figure_words.recorded_url,
):
    register.filter(show.__name__, show)
register.simple_tag(figure_words.measured_url)
