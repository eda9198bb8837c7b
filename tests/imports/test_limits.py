"""The parser stops at its limits, and says which."""

from dataclasses import replace
from pathlib import Path

import pytest

from partnerships.imports.files import LIMITS, UnreadableFile, read_sheets, read_tables
from tests.imports.spreadsheets import HEAD, KEIO, text, xlsx

SMALL = [HEAD, KEIO, KEIO]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"size": 100}, "The file has more than 0 MB"),
        ({"unpacked": 1000}, "The file unpacks to far more"),
        ({"rows": 2}, "Sheet “Sheet” has more than 2 rows"),
        ({"columns": 2}, "Sheet “Sheet” has more than 2 columns"),
        ({"memory": 1 << 20}, "The file is too large"),
        ({"seconds": 0}, "The file is too large"),
    ],
    ids=str,
)
def test_each_limit_refuses(limits: dict[str, int], message: str, tmp_path: Path) -> None:
    path = xlsx(SMALL)(tmp_path)
    with pytest.raises(UnreadableFile) as refused:
        read_tables(path, limits=replace(LIMITS, **limits))
    assert str(refused.value).startswith(message)


def test_the_parser_takes_nothing_from_the_folder_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "csv.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    (table,) = read_tables(text("Partner,Country\nKeio University,Japan\n")(tmp_path))
    assert table.rows[0].cells == ("Keio University", "Japan")


def test_a_sheet_of_text_is_named_as_the_file_was_sent(tmp_path: Path) -> None:
    (sheet,) = read_sheets(
        text("Partner,Country\nKeio University,Japan\n", name="upload-17")(tmp_path), name="MoU 2026.csv"
    )
    assert sheet.name == "MoU 2026"
