"""What stops a seeding on an empty database, and that nothing is left of it then."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from partnerships.demo.seed import seed_sample
from partnerships.models import Organization, Unit, User
from partnerships.seeding.articles import seed_articles
from tests.seeding.conftest import NOW, PASSWORD, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_a_name_that_staff_gave_to_a_unit_of_theirs_stops_it_with_a_sentence(db: None) -> None:
    Unit(name="Cooperation office").save()
    with pytest.raises(CommandError, match="There is a unit of this name already"):
        seed_articles(today=TODAY)
    assert Organization.objects.count() == 0


def test_without_the_articles_it_says_what_to_run_first(db: None) -> None:
    with pytest.raises(CommandError, match="seed_articles"):
        seed_sample(now=NOW, password=PASSWORD)
    assert User.objects.count() == 0


def test_a_public_site_gets_no_password_that_everybody_knows(db: None, settings: Any) -> None:
    settings.IS_EMBEDDED = settings.DEBUG = False
    with pytest.raises(CommandError, match="--password"):
        call_command("seed_sample")
    assert User.objects.count() == 0
