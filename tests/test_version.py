"""One version, wherever it is shown; databases of versions before 0.2.0 are refused."""

import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder

from partnerships import __version__
from tests.services.processes import REPOSITORY


@pytest.mark.parametrize("words", ["version", "--version"])
def test_the_command_line_prints_the_version(words: str) -> None:
    answer = subprocess.run(
        [sys.executable, "manage.py", words], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert answer.stdout == f"{__version__}\n"


@pytest.mark.django_db
@pytest.mark.both_databases
def test_a_database_of_an_earlier_version_is_refused_in_one_line() -> None:
    MigrationRecorder.Migration.objects.create(app="partnerships", name="0003_round_two")

    with pytest.raises(CommandError) as refusal:
        call_command("migrate", verbosity=0)

    assert str(refusal.value) == (
        "The database was migrated by another version of the product (0003_round_two). Versions before 0.2.0 cannot be "
        "upgraded: start with an empty database. Nothing was changed."
    )


@pytest.mark.django_db
@pytest.mark.both_databases
def test_a_database_that_began_with_an_earlier_squash_goes_on() -> None:
    MigrationRecorder.Migration.objects.create(app="partnerships", name="0001_squashed_0035_agreement_step_kinds")

    call_command("migrate", verbosity=0)
