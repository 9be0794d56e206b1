"""The git source on real histories, against git itself.

Bare mirrors with `refs/pull` lie in the folder that VPEMETRICS_MIRRORS names, as
OWNER+NAME/repo; nothing is written to them.
"""

import os
import random
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from gitrepository import Collected, GitRepository, collected
from subprocesses import PATIENCE

from vpemetrics.lineage.graph import Graph
from vpemetrics.records import Deployment

pytestmark = pytest.mark.needs_mirrors

NAMES = (
    "pallets/flask",
    "grafana/tempo",
    "prometheus/prometheus",
    "etcd-io/etcd",
    "astral-sh/ruff",
)


@pytest.fixture(scope="module", params=NAMES)
def mirror(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror with refs of its own and an index of its commits, so that git answers quickly."""
    return mirror_of(request.param, tmp_path_factory.mktemp("mirror"))


@pytest.fixture(scope="module")
def whole(mirror: Path) -> Collected:
    return collected(mirror)


def mirror_of(name: str, folder: Path) -> Path:
    lies_in = Path(os.environ.get("VPEMETRICS_MIRRORS", "")) / name.replace("/", "+") / "repo"
    if "VPEMETRICS_MIRRORS" not in os.environ or not lies_in.is_dir():
        pytest.skip(f"no mirror of {name} where VPEMETRICS_MIRRORS says")
    copy = folder / "repo.git"
    git(folder, "clone", "-q", "--mirror", "--shared", str(lies_in), str(copy))
    git(copy, "commit-graph", "write", "--reachable")
    return copy


def git(folder: Path, *arguments: str, given: Iterable[str] = ()) -> set[str]:
    """What git prints, line by line."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        input="".join(f"{line}\n" for line in given),
        text=True,
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    return set(done.stdout.split())


def shipped(found: Collected, deployments: list[Deployment]) -> list[set[str]]:
    """The commits that each deployment of a service is the first to reach."""
    commits = found.commits
    shas = list(commits)
    index = {sha: at for at, sha in enumerate(shas)}
    parents = [[*map(index.__getitem__, commits[sha].parents), -1, -1] for sha in shas]
    graph = Graph(
        np.arange(len(shas)),
        np.array([own[0] for own in parents]),
        np.array([own[1] for own in parents]),
        {at: own[2:-2] for at, own in enumerate(parents) if len(own) > 4},
    )
    first = defaultdict(set)
    reached = graph.first_reached(index[one.commit_sha or ""] for one in deployments)
    for sha, position in zip(shas, reached, strict=True):
        first[position].add(sha)
    return [first[position] for position in range(len(deployments))]


def by_service(found: Collected) -> list[list[Deployment]]:
    services = defaultdict(list)
    for one in found.deployments.values():
        services[one.service].append(one)
    return [sorted(own, key=lambda one: (one.finished_at, one.id)) for own in services.values()]


def test_every_tag_ships_what_no_earlier_tag_reaches(mirror: Path, whole: Collected) -> None:
    differing = []
    for deployments in by_service(whole):
        earlier: list[str] = []
        for one, mine in zip(deployments, shipped(whole, deployments), strict=True):
            sha = one.commit_sha or ""
            if git(mirror, "rev-list", "--stdin", given=[sha, *earlier]) != mine:
                differing.append(one.id)
            earlier.append(f"^{sha}")

    assert differing == []
    assert len(whole.deployments) >= 60


def test_pull_requests_list_what_their_heads_hold_beyond_the_branch(
    mirror: Path, whole: Collected
) -> None:
    chosen = random.Random(7).sample(sorted(whole.changes.items()), 60)
    differing, commits = [], whole.commits
    for number, change in chosen:
        parents = commits[change.merge_commit_sha or ""].parents
        head = parents[1] if len(parents) > 1 else f"refs/pull/{number}/head"
        expected = git(mirror, "rev-list", head, f"^{parents[0]}")
        if set(change.commit_shas) != expected:
            differing.append(number)

    assert differing == []


def test_pieces_tell_what_the_whole_does(whole: Collected, mirror: Path) -> None:
    repository = GitRepository(mirror)
    newest = repository.head()
    pieces = None
    for back in (150, 60, 1, 0):
        repository.git("update-ref", "HEAD", f"{newest}~{back}")
        pieces = pieces.again() if pieces else collected(mirror)

    assert pieces
    differing = [key for key, one in whole.known.items() if pieces.known.get(key) != one]
    assert differing == []


def test_one_release_among_branches_ships_its_own(tmp_path: Path) -> None:
    found = collected(mirror_of("etcd-io/etcd", tmp_path))
    [plain] = [own for own in by_service(found) if own[0].service is None]

    sizes = {one.id: len(mine) for one, mine in zip(plain, shipped(found, plain), strict=True)}
    assert sizes["v2.0.2"] == 105  # not the 2,520 that differ from the tag before it
