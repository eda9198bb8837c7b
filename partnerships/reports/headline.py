"""The overview in a few sentences, each number a link to its list."""

import datetime as dt

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext, pgettext

from partnerships.models.sort_keys import is_reader_chinese
from partnerships.reports.drawing import chart_day, grouped
from partnerships.reports.overview_figures import ListedCount, Overview


def headline(overview: Overview, today: dt.date) -> SafeString:
    """Return the sentences about agreements in force on the day of the overview; empty when there are none."""
    if not overview.in_force.value:
        return SafeString("")
    sentences = [_in_force(overview, today), _contact(overview)]
    if overview.day == today:
        sentences.append(_to_decide(overview, today))
    between = "" if is_reader_chinese() else " "
    return format_html_join(between, "{}", ((sentence,) for sentence in sentences))


def _day(day: dt.date, today: dt.date) -> str:
    """Return a day that is not broken at the end of a line."""
    return chart_day(day, today).replace(" ", "\N{NO-BREAK SPACE}")


def _link(listed: ListedCount, words: str) -> SafeString:
    return format_html('<a href="{}">{}</a>', listed.address, words)


def _counted(listed: ListedCount) -> SafeString:
    """Return a number of agreements that the sentence has named, linked: "12"."""
    return _link(listed, pgettext("headline", "%(count)s") % {"count": grouped(listed.value)})


def _in_force(overview: Overview, today: dt.date) -> SafeString:
    count, unconfirmed = overview.in_force.value, overview.renewals_to_confirm.value
    words = npgettext("headline", "%(count)s agreement", "%(count)s agreements", count) % {"count": grouped(count)}
    agreements = _link(overview.in_force, words)
    day = _day(overview.day, today)
    if overview.day != today:
        text = ngettext("On {day}, {agreements} was in force.", "On {day}, {agreements} were in force.", count)
        return format_html(text, day=day, agreements=agreements)
    if not unconfirmed:
        return format_html(
            ngettext("{agreements} is in force.", "{agreements} are in force.", count), agreements=agreements
        )
    if count == 1:
        renewal = _link(overview.renewals_to_confirm, _("a renewal that nobody has confirmed"))
        return format_html(_("{agreements} is in force, on {renewal}."), agreements=agreements, renewal=renewal)
    of_them = _link(
        overview.renewals_to_confirm, pgettext("headline", "%(count)s of them") % {"count": grouped(unconfirmed)}
    )
    text = _("{agreements} are in force, {of_them} on a renewal that nobody has confirmed.")
    return format_html(text, agreements=agreements, of_them=of_them)


def _contact(overview: Overview) -> SafeString:
    recent, without = overview.in_contact, overview.without_contact
    if not without.value:
        everybody = _link(recent, ngettext("It", "All of them", recent.value))
        return format_html(_("{all} had contact in the last 180 days."), all=everybody)
    if not recent.value:
        nobody = _link(without, ngettext("It", "None of them", without.value))
        text = ngettext(
            "{none} had no contact in the last 180 days.", "{none} had contact in the last 180 days.", without.value
        )
        return format_html(text, none=nobody)
    text = _("{recent} had contact in the last 180 days, {without} did not.")
    return format_html(text, recent=_counted(recent), without=_counted(without))


def _to_decide(overview: Overview, today: dt.date) -> SafeString:
    day, count = _day(overview.decide_until, today), overview.to_decide.value
    if not count:
        return format_html(_("None needs a decision by {day}."), day=day)
    text = ngettext("{count} needs a decision by {day}.", "{count} need a decision by {day}.", count)
    return format_html(text, count=_counted(overview.to_decide), day=day)
