"""The folders of killed restores are removed, the folder of a running one is not."""

from pathlib import Path

from partnerships.management.backups.restore_folder import remove_leftovers, restore_folder


def test_what_a_killed_restore_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    left = tmp_path / "restore-ab12_xyz"
    left.mkdir()
    (left / "database").touch()
    others = [tmp_path / "restore-of-2025", tmp_path / "uploads"]
    for folder in others:
        folder.mkdir()

    with restore_folder(tmp_path) as at_work:
        assert not left.exists()
        remove_leftovers(tmp_path)
        assert sorted(tmp_path.iterdir()) == sorted([*others, at_work])

    assert sorted(tmp_path.iterdir()) == sorted(others)
