"""A real history collected through a simulated GitHub, against the git source on its mirror.

Bare mirrors with `refs/pull` lie in the folder that VPEMETRICS_MIRRORS names; see
test_git_mirrors.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from github_collecting import Collected, collecting
from github_server.from_mirror import mirrored
from gitrepository import collected
from stored import Sent, Stored, derive

from vpemetrics.collectors.github.options import Rule
from vpemetrics.records import AnyRecord, Change, Commit, Deployment
from vpemetrics.rules import Rules

pytestmark = pytest.mark.needs_mirrors

NAME = "alphagov/publishing-api"
TAGS = Rule(kind="tags")


STACKED = "grafana/tempo"
"""Where branches are long, built upon each other, and often take in the main one."""


def mirror_of(name: str) -> Path:
    folder = Path(os.environ.get("VPEMETRICS_MIRRORS", "")) / name.replace("/", "+") / "repo"
    if "VPEMETRICS_MIRRORS" not in os.environ or not folder.is_dir():
        pytest.skip(f"no mirror of {name} where VPEMETRICS_MIRRORS says")
    return folder


@contextmanager
def from_github(name: str) -> Iterator[Collected]:
    settings: dict[str, Any] = {
        "repositories": (name,),
        "since": date(2000, 1, 1),
        "deployments": (TAGS,),
    }
    with collecting(mirrored(mirror_of(name), name), datetime.now(UTC), **settings) as github:
        yield github.collect(timedelta())


def from_git(name: str) -> dict[tuple[str, str], AnyRecord]:
    return dict(collected(mirror_of(name), repository=name).known)


@pytest.fixture(scope="module")
def github() -> Iterator[Collected]:
    with from_github(NAME) as found:
        yield found


@pytest.fixture(scope="module")
def git() -> dict[tuple[str, str], AnyRecord]:
    return from_git(NAME)


def as_git_has_them(
    records: Iterable[AnyRecord], git: Mapping[tuple[str, str], AnyRecord]
) -> list[AnyRecord]:
    """The records with deployments called as git calls them, and one of a commit as there."""
    tags = {one.id: one for one in git.values() if isinstance(one, Deployment)}
    deployed = {one.commit_sha for one in tags.values()}
    found: list[AnyRecord] = []
    for one in records:
        if not isinstance(one, Deployment):
            found.append(one)
        elif one.version in tags:
            found.append(replace(one, id=one.version or ""))
        else:
            assert one.commit_sha in deployed
    return found


def lineage(records: Iterable[AnyRecord]) -> Stored:
    return derive(records, Rules())


def shipped(found: Stored) -> dict[tuple[str, str], Sent]:
    """What was shipped where, and its samples; who is a bot is the author's to say on GitHub."""
    return {
        key: one._replace(reason=None) if one.reason == "automation" else one
        for key, one in found.shipped.items()
    }


def test_commits_are_the_same(github: Collected, git: dict[tuple[str, str], AnyRecord]) -> None:
    expected = {one.sha: one for one in git.values() if isinstance(one, Commit)}

    assert len(expected) > 10_000
    assert github.commits == expected


def test_every_change_is_shipped_by_the_same_deployment_at_the_same_time(
    github: Collected, git: dict[tuple[str, str], AnyRecord]
) -> None:
    found = lineage(as_git_has_them(github.records.values(), git))
    expected = lineage(git.values())

    assert len(expected.shipped) > 3_000
    assert shipped(found) == shipped(expected)
    assert found.waiting == expected.waiting
    assert found.deployments == expected.deployments


def test_merges_within_branches_neither_start_nor_ship_anything() -> None:
    """GitHub tells no parents of commits that are on no branch, so merges go by their words.

    The one that differs says that it merges, and does not: it starts four seconds late.
    """
    git = from_git(STACKED)
    with from_github(STACKED) as github:
        found = shipped(lineage(as_git_has_them(github.records.values(), git)))
    expected = shipped(lineage(git.values()))

    assert len(expected) > 4_000
    assert found.keys() == expected.keys()
    differing = {
        change for (service, change), one in expected.items() if found[service, change] != one
    }
    assert differing == {f"{STACKED}#4725"}


def test_a_thousand_pull_requests_cost_some_thirty_points(github: Collected) -> None:
    thousands = len(github.of(Change)) / 1_000
    commits = len(github.of(Commit)) / 1_000

    assert github.points < 21 * thousands + 11 * commits + 45
