"""Commits from a mirror: the same as from the API, for fewer requests, and with all paths."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from shutil import rmtree

import pytest
from github_collecting import TOKEN, Collected, collecting
from github_server.from_mirror import mirrored
from github_server.world import World
from github_with_git import with_git
from gitrepository import GitRepository

from vpemetrics.collectors.github.mirror_history import mirrors_in_cache
from vpemetrics.collectors.github.options import web_address
from vpemetrics.collectors.http import SourceProblem
from vpemetrics.records import Commit
from vpemetrics.rules import Rules, Service

PATHS = Service(name="cart", repository="acme/shop", paths=("cart/*/deep",))


@pytest.fixture
def origin(tmp_path: Path) -> GitRepository:
    """A repository with a squash whose original git has."""
    path = tmp_path / "origin" / "acme" / "shop.git"
    path.mkdir(parents=True)
    repository = GitRepository(path)
    repository.git("init", "-q", "-b", "main")
    repository.git("config", "uploadpack.allowFilter", "true")
    base = repository.commit("First", path="cart/a/deep/x")
    original = repository.commit("Work", base, path="README")
    repository.git("update-ref", "refs/pull/1/head", original)
    repository.git("update-ref", "HEAD", base)
    repository.commit("Mend (#1)", path="cart/b/deep/y")
    return repository


@pytest.fixture
def world(origin: GitRepository) -> World:
    return mirrored(origin.path, "acme/shop")


@pytest.fixture
def github(
    world: World, origin: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Collected]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with (
        collecting(world, origin.at + timedelta(days=9)) as made,
        with_git(made.github.url, tmp_path / "origin", token=TOKEN) as url,
    ):
        made.settings["url"] = url
        yield made


def test_a_mirror_tells_what_the_api_tells(github: Collected) -> None:
    api = github.collect()
    mirror = github.fresh().collect(clone=True)

    parents = {sha: one.parents for sha, one in mirror.commits.items()}
    whole = {sha: replace(one, parents=parents[sha]) for sha, one in api.commits.items()}
    assert mirror.commits == whole
    assert len(whole) == 3
    assert mirror.requests < api.requests


def test_what_is_new_is_fetched(github: Collected, world: World, origin: GitRepository) -> None:
    github.collect(clone=True)
    sha = origin.commit("Later")
    shop = world.repository("acme/shop")
    shop.commit("Later", author=world.account("ada"), at=github.now, oid=sha)
    github.collect(clone=True)

    assert github.new_commits.keys() == {sha}


def test_what_a_killed_clone_left_behind_is_removed(github: Collected, tmp_path: Path) -> None:
    github.collect(clone=True)
    (mirror,) = (tmp_path / "cache").rglob("*.git")
    ended = subprocess.Popen(["true"])
    ended.wait()
    dead, alive = (mirror.with_suffix(f".{pid}") for pid in (ended.pid, os.getppid()))
    for left in (dead, alive):
        left.mkdir()
    rmtree(mirror)
    github.fresh().collect(clone=True)

    assert {path.name for path in mirror.parent.iterdir()} == {mirror.name, alive.name}


def test_a_mirror_knows_all_paths(github: Collected) -> None:
    github.rules = Rules(services=(PATHS,))
    found = github.collect(clone=True)

    assert not any("wildcards" in text for text in found.warnings)
    assert {one.paths for one in found.of(Commit).values()} == {
        ("cart/a/deep/x",),
        ("README", "cart/b/deep/y"),
        ("README",),
    }


def test_a_mirror_that_cannot_be_fetched_is_told_and_the_rest_goes_on(
    github: Collected, origin: GitRepository
) -> None:
    origin.path.rename(origin.path.with_name("away"))
    with pytest.raises(SourceProblem, match="git could not fetch"):
        github.collect(clone=True)

    assert github.told


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("https://git.acme.example/api/v3", "https://git.acme.example"),
        ("http://127.0.0.1:8000/api/v3/", "http://127.0.0.1:8000"),
    ],
)
def test_repositories_are_cloned_from_where_people_see_them(url: str, expected: str) -> None:
    assert web_address(url) == expected


def test_tokens_are_not_shown(tmp_path: Path) -> None:
    mirrors = mirrors_in_cache(
        {"XDG_CACHE_HOME": str(tmp_path)}, url="https://api.github.com", token="ghp_canary"
    )

    assert "canary" not in repr((mirrors, mirrors.mirror("R_1", "acme/shop", paths=False)))
