"""Reports: written as drafts, confirmed with their figures, and issued anew."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from partnerships.exceptions import NotAllowed, StaleVersion, TransitionRefused
from partnerships.factories import DAY, NOON, ReportFactory, ReportTextFactory, UserFactory
from partnerships.models import Report, ReportText, StatusChange
from partnerships.workflows.reports import confirm_report, edit_report, start_edition

pytestmark = pytest.mark.django_db


def confirmed(report: Report, **given: Any) -> Report:
    person = UserFactory(lead_in=report.unit)
    return confirm_report(report, actor=person, now=NOON, on=DAY, figures={"frozen": 1}, **given)


def test_a_lead_confirms_the_figures_of_the_unit() -> None:
    report = confirmed(ReportFactory(), counts_unconfirmed=True)

    assert (report.status, report.figures, report.confirmed_at) == ("confirmed", {"frozen": 1}, NOON)
    assert report.counts_unconfirmed
    assert StatusChange.objects.get().actor == report.confirmed_by


def test_a_coordinator_writes_and_does_not_confirm() -> None:
    report = ReportFactory()
    person = UserFactory(coordinator_in=report.unit)

    with pytest.raises(NotAllowed):
        confirm_report(report, actor=person, now=NOON, on=DAY, figures={})
    assert Report.objects.get().figures is None


def test_figures_are_confirmed_once() -> None:
    report = ReportFactory()
    confirmed(Report.objects.get())

    with pytest.raises((StaleVersion, TransitionRefused)):
        confirm_report(report, actor=UserFactory(staff=True), now=NOON, on=DAY, figures={"frozen": 2})
    assert Report.objects.get().figures == {"frozen": 1}


def test_a_confirmed_report_is_not_edited() -> None:
    report = confirmed(ReportFactory())
    text = ReportText(section="summary", text="Later")

    for actor in (UserFactory(staff=True), UserFactory(lead_in=report.unit)):
        with pytest.raises(NotAllowed, match="stays as it is"):
            edit_report(report, actor=actor, today=DAY, parts=[text])


def test_a_changed_text_has_the_name_of_who_changed_it() -> None:
    kept, changed = ReportTextFactory(), None
    changed = ReportTextFactory(report=kept.report, section="outlook")
    person, later = UserFactory(coordinator_in=kept.report.unit), DAY + dt.timedelta(days=1)
    changed.text = "More visits."

    edit_report(Report.objects.get(), actor=person, today=later, parts=[kept, changed])

    found = {text.section: (text.author, text.written_on) for text in ReportText.objects.all()}
    assert found == {"summary": (kept.author, DAY), "outlook": (person, later)}


def test_a_new_edition_has_the_same_texts_and_leaves_the_old_one() -> None:
    text = ReportTextFactory()
    report = confirmed(text.report)
    person = UserFactory(coordinator_in=report.unit)

    edition = start_edition(report, actor=person)

    assert (edition.edition, edition.previous, edition.status, edition.figures) == (2, report, "draft", None)
    assert [(one.text, one.author) for one in edition.texts.all()] == [(text.text, text.author)]
    assert Report.objects.get(pk=report.pk).is_confirmed
    with pytest.raises(TransitionRefused, match="later edition"):
        start_edition(Report.objects.get(pk=report.pk), actor=person)
    with pytest.raises(TransitionRefused, match="not confirmed yet"):
        start_edition(edition, actor=person)


def test_a_later_edition_is_about_the_same() -> None:
    edition = start_edition(confirmed(ReportFactory()), actor=UserFactory(staff=True))
    person = UserFactory(staff=True)

    with pytest.raises(TransitionRefused, match="same unit and year"):
        edit_report(edition, actor=person, today=DAY, changes={"year": 2020})
    edit_report(edition, actor=person, today=timezone.localdate(), changes={"language": "zh-hans"})
