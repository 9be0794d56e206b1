"""A real history collected through a simulated GitHub, against the git source on its mirror.

Bare mirrors with `refs/pull` lie in the folder that VPEMETRICS_MIRRORS names; see
test_git_mirrors.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from github_collecting import Collected, collecting
from gitrepository import collected
from stored import Sent, Stored, derive

from vpemetrics.collectors.github.options import Rule
from vpemetrics.records import AnyRecord, Change, Commit, Deployment
from vpemetrics.rules import Rules
from vpemetrics.simulate.github.from_mirror import mirrored

pytestmark = pytest.mark.needs_mirrors

NAME = "alphagov/publishing-api"
TAGS = Rule(kind="tags")


@pytest.fixture(scope="module")
def mirror() -> Path:
    folder = Path(os.environ.get("VPEMETRICS_MIRRORS", "")) / NAME.replace("/", "+") / "repo"
    if "VPEMETRICS_MIRRORS" not in os.environ or not folder.is_dir():
        pytest.skip(f"no mirror of {NAME} where VPEMETRICS_MIRRORS says")
    return folder


@pytest.fixture(scope="module")
def github(mirror: Path) -> Iterator[Collected]:
    settings: dict[str, Any] = {
        "repositories": (NAME,),
        "since": date(2000, 1, 1),
        "deployments": (TAGS,),
    }
    with collecting(mirrored(mirror, NAME), datetime.now(UTC), **settings) as github:
        yield github.collect(timedelta())


@pytest.fixture(scope="module")
def git(mirror: Path) -> dict[tuple[str, str], AnyRecord]:
    return dict(collected(mirror, repository=NAME).known)


def under_git_names(records: Iterable[AnyRecord]) -> list[AnyRecord]:
    """The records with deployments called as git calls them."""
    return [
        replace(one, id=one.version or "") if isinstance(one, Deployment) else one
        for one in records
    ]


def lineage(records: Iterable[AnyRecord]) -> Stored:
    return derive(records, Rules())


def shipped(found: Stored) -> dict[tuple[str, str], Sent]:
    """What was shipped where, and its samples; who is a bot is the author's to say on GitHub."""
    return {
        key: one._replace(reason=None) if one.reason == "bot" else one
        for key, one in found.shipped.items()
    }


def test_commits_are_the_same(github: Collected, git: dict[tuple[str, str], AnyRecord]) -> None:
    expected = {one.sha: one for one in git.values() if isinstance(one, Commit)}

    assert len(expected) > 10_000
    assert github.of(Commit) == expected


def test_every_change_is_shipped_by_the_same_deployment_at_the_same_time(
    github: Collected, git: dict[tuple[str, str], AnyRecord]
) -> None:
    found, expected = lineage(under_git_names(github.records.values())), lineage(git.values())

    assert len(expected.shipped) > 3_000
    assert shipped(found) == shipped(expected)
    assert found.waiting == expected.waiting
    assert found.deployments == expected.deployments


def test_a_thousand_pull_requests_cost_some_thirty_points(github: Collected) -> None:
    thousands = len(github.of(Change)) / 1_000
    commits = len(github.of(Commit)) / 1_000

    assert github.points < 21 * thousands + 11 * commits + 45
