"""The drawn pages in docs/ say what the code does."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from partnerships.management.generated_docs import pages
from partnerships.permissions import ACTIONS
from tests.workflows.steps import WORKFLOWS


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_page_is_current(name: str) -> None:
    assert (settings.BASE_DIR / "docs" / name).read_text() == pages()[name](), "run manage.py draw_rules"


def test_the_command_writes_every_page(tmp_path: Path, settings: object) -> None:
    (tmp_path / "docs").mkdir()
    settings.BASE_DIR = tmp_path
    call_command("draw_rules", verbosity=0)
    assert sorted(path.name for path in (tmp_path / "docs").iterdir()) == ["access.md", "workflows.md"]


def test_every_step_is_drawn_once() -> None:
    drawn = [line.strip() for line in pages()["workflows.md"]().splitlines() if " --> " in line and "[*]" not in line]
    expected = [
        f"{status} --> {target}: {step}"
        for workflow in WORKFLOWS.values()
        for status, steps in workflow.expected.items()
        for step, target in steps.items()
    ]
    assert sorted(drawn) == sorted(expected)


def test_every_action_has_its_line() -> None:
    lines = [line for line in pages()["access.md"]().splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in lines] == list(ACTIONS)
    assert "| `agreement.approve` | – | – | own | – | – | – | – |" in lines
    assert (
        "| `agreement.view` | own, participating | own, participating | own, participating | all | – | – | all |"
        in lines
    )
