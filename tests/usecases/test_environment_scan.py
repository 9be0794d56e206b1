"""What `init` finds before it asks anything."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from gitrepository import new_repository

from vpemetrics.collectors.git.discover import GitClone
from vpemetrics.usecases.environment_scan import (
    EnvironmentScan,
    is_shown_to_git,
    local_zone,
    scan_environment,
)

NOW = datetime(2026, 9, 7, tzinfo=UTC)


def scan(folder: Path, home: Path | None = None) -> EnvironmentScan:
    """What is found where the environment knows nothing."""
    return scan_environment(folder, home or folder, {}, now=NOW, announce=pytest.fail)


def paths(found: EnvironmentScan) -> list[str]:
    """The paths of the clones, as the configuration would say them."""
    return [clone.path for clone in found.local if isinstance(clone, GitClone)]


def clone(path: Path, remote: str) -> Path:
    new_repository(path).git("remote", "add", "origin", remote)
    return path


def test_clones_in_a_folder_are_found_and_broken_ones_told(tmp_path: Path) -> None:
    clone(tmp_path / "b", "git@github.com:acme/b.git")
    clone(tmp_path / "a", "git@github.com:acme/a.git")
    new_repository(tmp_path / "bare.git", "--bare")
    (tmp_path / "plain").mkdir()
    broken = new_repository(tmp_path / "broken")
    (broken.path / ".git" / "config").write_text("[core\n")

    found = scan(tmp_path)

    assert [forge.names for forge in found.forges] == [("acme/a", "acme/b")]
    assert paths(found) == ["a", "b", "bare.git"]
    (trouble,) = found.trouble
    assert trouble.startswith("broken was left out: ")


def test_of_two_clones_of_one_repository_the_second_is_left_out(tmp_path: Path) -> None:
    clone(tmp_path / "shop", "git@github.com:acme/shop.git")
    clone(tmp_path / "shop-again", "https://github.com/acme/shop")
    clone(tmp_path / "shop-elsewhere", "git@gitlab.com:acme/shop.git")

    found = scan(tmp_path)

    assert paths(found) == ["shop", "shop-elsewhere"]
    assert found.trouble == ("shop-again was left out: shop is acme/shop too",)


def test_inside_a_clone_there_is_that_one(tmp_path: Path) -> None:
    folder = clone(tmp_path / "shop", "git@github.com:acme/shop.git")
    new_repository(folder / "vendored")
    (folder / "src").mkdir()

    found = scan(folder / "src", folder)

    assert [one.name for one in found.clones] == ["acme/shop"]


@pytest.mark.parametrize(
    ("environ", "clock", "zone"),
    [
        ({"TZ": "Europe/Dublin"}, "", "Europe/Dublin"),
        ({"TZ": ":/usr/share/zoneinfo/Asia/Tokyo"}, "", "Asia/Tokyo"),
        ({}, "/usr/share/zoneinfo/Europe/Paris", "Europe/Paris"),
        ({"TZ": "CET-1CEST"}, "/usr/share/zoneinfo/Europe/Paris", "Europe/Paris"),
        ({"TZ": "Nowhere/City"}, "", "UTC"),
        ({}, "/usr/share/zoneinfo/Etc/UTC", "UTC"),
        ({}, "", "UTC"),
    ],
)
def test_the_time_zone_is_the_machines(
    tmp_path: Path, environ: dict[str, str], clock: str, zone: str
) -> None:
    file = tmp_path / "localtime"
    if clock:
        file.symlink_to(clock)

    assert local_zone(environ, file) == zone


def test_a_store_in_a_work_tree_is_shown_to_git_until_it_is_ignored(tmp_path: Path) -> None:
    folder = new_repository(tmp_path / "shop").path
    store = str(folder / "vpemetrics.db")

    before = is_shown_to_git(store)
    (folder / ".gitignore").write_text("vpemetrics.db*\n")

    assert before
    assert not is_shown_to_git(store)
    assert not is_shown_to_git(str(tmp_path / "vpemetrics.db"))
    assert not is_shown_to_git("postgresql://localhost/vpemetrics")
    assert not is_shown_to_git(str(folder / ".git" / "vpemetrics.db"))


def test_a_source_that_is_broken_keeps_no_other_from_being_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "packages" / "acme_torn-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-torn\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[vpemetrics.collectors]\ntorn = no_such_module\n")
    monkeypatch.syspath_prepend(tmp_path / "packages")
    clone(tmp_path / "shop", "git@github.com:acme/shop.git")

    found = scan(tmp_path)

    assert [forge.title for forge in found.forges] == ["GitHub"]
    assert len(found.local) == 1
    (trouble,) = found.trouble
    assert trouble.startswith("the package acme-torn 1.2 has the source torn, but ")
