"""What `init` finds before it asks anything."""

from pathlib import Path

import pytest
from gitrepository import new_repository

from vpemetrics.usecases.environment_scan import (
    is_shown_to_git,
    local_zone,
    scan_environment,
    web_host,
)


def clone(path: Path, remote: str) -> Path:
    new_repository(path).git("remote", "add", "origin", remote)
    return path


@pytest.mark.parametrize(
    ("remote", "environ", "url", "names"),
    [
        ("git@github.com:acme/shop.git", {}, "https://api.github.com", ("acme/shop",)),
        ("https://github.com/acme/shop", {}, "https://api.github.com", ("acme/shop",)),
        ("ssh://git@ssh.github.com:443/acme/shop", {}, "https://api.github.com", ("acme/shop",)),
        ("git@gitlab.com:acme/shop.git", {}, "https://api.github.com", ()),
        (
            "git@github.acme.example:acme/shop.git",
            {},
            "https://github.acme.example/api/v3",
            ("acme/shop",),
        ),
        (
            "git@code.acme.example:acme/shop.git",
            {"GH_HOST": "code.acme.example"},
            "https://code.acme.example/api/v3",
            ("acme/shop",),
        ),
        (
            "git@code.acme.example:acme/shop.git",
            {"GITHUB_API_URL": "https://code.acme.example/api/v3/"},
            "https://code.acme.example/api/v3",
            ("acme/shop",),
        ),
        (  # the environment names another one
            "git@github.com:acme/shop.git",
            {"GITHUB_API_URL": "https://code.acme.example/api/v3"},
            "https://code.acme.example/api/v3",
            (),
        ),
    ],
)
def test_a_remote_tells_which_github_it_is(
    tmp_path: Path, remote: str, environ: dict[str, str], url: str, names: tuple[str, ...]
) -> None:
    folder = clone(tmp_path / "shop", remote)

    found = scan_environment(folder, folder, environ)

    assert (found.url, found.names) == (url, names)
    assert len(found.elsewhere) == (0 if names else 1)


@pytest.mark.parametrize(
    ("environ", "reference"),
    [
        ({}, None),
        ({"GITHUB_TOKEN": "", "GH_TOKEN": "x"}, "env:GH_TOKEN"),
        ({"GITHUB_TOKEN": "x", "GH_TOKEN": "y"}, "env:GITHUB_TOKEN"),
    ],
)
def test_a_token_is_known_by_where_it_is(
    tmp_path: Path, environ: dict[str, str], reference: str | None
) -> None:
    found = scan_environment(tmp_path, tmp_path, environ)

    assert found.token == reference


def test_clones_in_a_folder_are_found_and_broken_ones_told(tmp_path: Path) -> None:
    clone(tmp_path / "b", "git@github.com:acme/b.git")
    clone(tmp_path / "a", "git@github.com:acme/a.git")
    new_repository(tmp_path / "bare.git", "--bare")
    (tmp_path / "plain").mkdir()
    broken = new_repository(tmp_path / "broken")
    (broken.path / ".git" / "config").write_text("[core\n")

    found = scan_environment(tmp_path, tmp_path, {})

    assert found.names == ("acme/a", "acme/b")
    assert [found.path(one) for one in found.clones] == ["a", "b", "bare.git"]
    (trouble,) = found.trouble
    assert trouble.startswith("broken was left out: ")


def test_of_two_clones_of_one_repository_the_second_is_left_out(tmp_path: Path) -> None:
    clone(tmp_path / "shop", "git@github.com:acme/shop.git")
    clone(tmp_path / "shop-again", "https://github.com/acme/shop")
    clone(tmp_path / "shop-elsewhere", "git@gitlab.com:acme/shop.git")

    found = scan_environment(tmp_path, tmp_path, {})

    assert [found.path(one) for one in found.clones] == ["shop", "shop-elsewhere"]
    assert found.trouble == ("shop-again was left out: shop is acme/shop too",)


def test_inside_a_clone_there_is_that_one(tmp_path: Path) -> None:
    folder = clone(tmp_path / "shop", "git@github.com:acme/shop.git")
    new_repository(folder / "vendored")
    (folder / "src").mkdir()

    found = scan_environment(folder / "src", folder, {})

    assert [one.name for one in found.clones] == ["acme/shop"]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.github.com", "github.com"),
        ("https://api.acme.ghe.com", "acme.ghe.com"),
        ("https://github.acme.example/api/v3", "github.acme.example"),
    ],
)
def test_where_people_see_a_github(url: str, host: str) -> None:
    assert web_host(url) == host


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
