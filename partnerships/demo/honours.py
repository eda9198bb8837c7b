"""Honours of sample enterprises, two of which lapse soon; the titles are those of the articles."""

from partnerships.dates import add_months
from partnerships.demo.office import SampleOffice
from partnerships.factories import HonourFactory
from partnerships.models import HonourScheme
from partnerships.workflows.honours import watch_lapse

# Code, scheme, organization, unit, who recorded it, batch, and the day it lapses in days from today (None: never).
HONOURS = (
    # Its holder could apply for the title itself.
    (
        "haotian-cultivating",
        "zhejiang-invisible-champion-cultivating-enterprise",
        "sample-haotian",
        "mechanical",
        "sun",
        "Batch 4",
        75,
    ),
    ("kunyu-high-tech", "national-high-tech-enterprise", "sample-kunyu", "information", "he", "", 40),
    ("dongou-high-tech", "national-high-tech-enterprise", "sample-dongou", "information", "he", "", 410),
    ("dongou-brand", "zhejiang-famous-brand-product", "sample-dongou", "information", "he", "", None),
)
VALID_MONTHS = 36


def add_honours(office: SampleOffice) -> None:
    for code, scheme, organization, unit, by, batch, lapses in HONOURS:
        valid_until = None if lapses is None else office.day(lapses)
        person, on = office.people[by], office.day(-30)
        honour = office.add(
            HonourFactory,
            f"honour-{code}",
            by=person,
            on=on,
            scheme=HonourScheme.objects.get(code=scheme),
            organization=office.organization(organization),
            unit=office.units[unit],
            batch=batch,
            granted_on=add_months(valid_until or on, -VALID_MONTHS),
            valid_until=valid_until,
            evidence="Copy of the certificate, sent by the enterprise.",
        )
        watch_lapse(honour, actor=person, on=on)
