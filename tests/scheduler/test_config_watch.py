from pathlib import Path

from vpemetrics.scheduler.config_watch import WatchedFile


def test_a_change_is_found_once(tmp_path: Path) -> None:
    file = tmp_path / "vpemetrics.toml"
    file.write_text("")
    watched = WatchedFile(file)

    assert not watched.has_changed()
    file.write_text("# more")
    assert watched.has_changed()
    assert not watched.has_changed()


def test_a_file_that_goes_and_comes_back_has_changed_twice(tmp_path: Path) -> None:
    file = tmp_path / "vpemetrics.toml"
    file.write_text("")
    watched = WatchedFile(file)

    file.unlink()
    assert watched.has_changed()
    file.write_text("")
    assert watched.has_changed()
