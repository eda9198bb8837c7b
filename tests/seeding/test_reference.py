"""`load_reference` gives an empty site what it needs, and nothing of the articles."""

from io import StringIO

import pytest
from django.core.management import call_command

from partnerships.models import (
    AgreementType,
    CooperationArea,
    Organization,
    Region,
    ReminderRule,
    Source,
    Unit,
    User,
    WorkCalendar,
)
from partnerships.seeding.articles import seed_articles
from partnerships.seeding.reference import load_reference
from tests.seeding.conftest import TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_an_empty_site_gets_reference_data_alone() -> None:
    out = StringIO()
    call_command("load_reference", stdout=out)

    assert all(model.objects.exists() for model in (AgreementType, CooperationArea, Region, ReminderRule, WorkCalendar))
    assert not any(model.objects.exists() for model in (Organization, Source, Unit, User))
    assert "There is no unit that an agreement could belong to." in out.getvalue()
    assert "There is no agreement type" not in out.getvalue()


def test_a_second_run_keeps_what_people_changed_and_removed() -> None:
    load_reference(today=TODAY)
    kind, area, rule = (
        AgreementType.objects.get(code="project"),
        CooperationArea.objects.first(),
        ReminderRule.objects.first(),
    )
    assert area is not None
    assert rule is not None
    kind.name = "Joint project"
    kind.save()
    area.delete()
    rule.delete()

    again = load_reference(today=TODAY)

    assert (again.changes, len(again.differences)) == (0, 2)
    assert AgreementType.objects.get(code="project").name == "Joint project"
    assert not ReminderRule.objects.filter(code=rule.code).exists()


def test_the_articles_find_the_reference_data() -> None:
    load_reference(today=TODAY)

    assert seed_articles(today=TODAY).differences == []
    assert load_reference(today=TODAY).changes == 0
