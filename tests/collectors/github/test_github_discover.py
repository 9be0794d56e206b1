"""The GitHub that is found before anything is configured."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from gitrepository import new_repository

from vpemetrics.collectors.base import DiscoveryContext
from vpemetrics.collectors.git.clone import Clone, look_at
from vpemetrics.collectors.git.commands import Git
from vpemetrics.collectors.github.discover import GitHubForge, discover, web_host
from vpemetrics.errors import FixConfiguration


def github(environ: dict[str, str], *clones: Clone) -> GitHubForge:
    """The GitHub of an environment; `gh` is not installed there."""

    def secret(reference: str) -> str:
        if value := environ.get(reference.removeprefix("env:")):
            return value
        raise FixConfiguration(reference)

    now = datetime(2026, 9, 7, tzinfo=UTC)
    (forge,) = discover(
        DiscoveryContext(now=now, home=Path(), environ=environ, clones=clones, secret=secret)
    )
    assert isinstance(forge, GitHubForge)
    return forge


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

    found = github(environ, look_at(Git(path=folder)))

    assert (found.url, found.names) == (url, names)
    assert len(found.clones) == len(names)


@pytest.mark.parametrize(
    ("environ", "reference"),
    [
        ({}, None),
        ({"GITHUB_TOKEN": "", "GH_TOKEN": "x"}, "env:GH_TOKEN"),
        ({"GITHUB_TOKEN": "x", "GH_TOKEN": "y"}, "env:GITHUB_TOKEN"),
    ],
)
def test_a_token_is_known_by_where_it_is(environ: dict[str, str], reference: str | None) -> None:
    assert github(environ).token == reference


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
    ("reference", "place"), [("env:GH_TOKEN", "GH_TOKEN"), ("gh", "the login of gh")]
)
def test_people_are_told_where_the_token_is(reference: str, place: str) -> None:
    forge = github({reference.removeprefix("env:"): "x"})

    assert (forge.token, forge.token_place) == (reference, place)
