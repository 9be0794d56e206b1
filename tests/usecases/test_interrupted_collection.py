"""Collections that are killed, and several at once: the store is what it is without all that."""

import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from collectedclone import collect_here, empty_store, ended, held, kill, started
from subprocesses import PATIENCE
from tiers import scored

from vpemetrics.store import Store

pytestmark = pytest.mark.slow

COMMITS = 1_200


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone with a squashed pull request a commit, and a release every twenty."""
    folder = tmp_path_factory.mktemp("git")
    git("init", "-q", "--bare", "-b", "main", str(folder / "origin"))
    git("-C", str(folder / "origin"), "fast-import", "--quiet", given=history())
    git("clone", "-q", str(folder / "origin"), str(folder / "clone"))
    return folder / "clone"


def history() -> str:
    """What fast-import makes a repository of."""
    lines = []
    for number in range(1, COMMITS + 1):
        person = (
            f"P{number % 40} <p{number % 40}@example.org> {1_700_000_000 + 3600 * number} +0000"
        )
        said = f"Change {number} (#{number})"
        lines += ["commit refs/heads/main", f"author {person}", f"committer {person}"]
        lines += [f"data {len(said)}", said, f"M 644 inline f{number % 50}", "data 0", ""]
        if number % 20 == 0:
            lines += [f"reset refs/tags/v1.{number}", "from refs/heads/main", ""]
    return "\n".join(lines)


def git(*arguments: str, given: str = "") -> None:
    subprocess.run(["git", *arguments], input=given.encode(), check=True, timeout=PATIENCE)


@scored("kills", 3, soak=20)
def test_a_collection_killed_at_any_moment_leaves_no_trace_in_the_next(
    new_location: Callable[[], str], clone: Path, kills: int
) -> None:
    undisturbed = empty_store(new_location())
    begun = time.monotonic()
    assert ended(started(undisturbed, clone)) == [0]
    lasting = time.monotonic() - begun
    expected = held(undisturbed)
    moments, left = random.Random(3), set()

    for _ in range(kills):
        location = empty_store(new_location())
        process = started(location, clone)
        time.sleep(moments.uniform(0, lasting))
        kill(process)
        with Store.open(location) as store:
            left.add(store.counts().get("commits"))
        collect_here(location, clone)
        assert held(location) == expected

    assert left <= {None, COMMITS}  # all of a batch was saved, or nothing


def test_collections_at_once_double_nothing_and_wait_for_each_other(
    new_location: Callable[[], str], clone: Path
) -> None:
    undisturbed, shared = empty_store(new_location()), empty_store(new_location())
    collect_here(undisturbed, clone)

    processes = [started(shared, clone) for _ in range(3)]

    assert ended(*processes) == [0, 0, 0]
    assert held(shared) == held(undisturbed)


def test_collections_that_race_to_make_the_store_both_succeed(
    new_location: Callable[[], str], clone: Path
) -> None:
    location = new_location()  # not there yet

    processes = [started(location, clone) for _ in range(2)]

    assert ended(*processes) == [0, 0]
    with Store.open(location) as store:
        assert store.counts()["commits"] == COMMITS
