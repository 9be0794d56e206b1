"""Collections from a GitOps repository that are killed, and several at once: no trace is left."""

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

SERVICES = ("cart", "search", "shop")
VERSIONS = 150
BEGIN = 1_700_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clones of three services and of a configuration repository, and what reads them."""
    folder = tmp_path_factory.mktemp("gitops")
    for service in SERVICES:
        cloned(folder, service, [(f"Change {service} (#{n})", n) for n in range(1, VERSIONS + 1)])
    wanted = [(f"Deploy {one} v{n}", n) for n in range(1, VERSIONS + 1) for one in SERVICES]
    cloned(folder, "config", wanted)
    (folder / "vpemetrics.toml").write_text(
        "[sources.git]\ntype = 'gitops'\npath = 'config'\nclones = '{service}'\n"
        "subject = 'Deploy (?P<service>.+) v(?P<version>.+)'\nenvironment = 'live'\n",
        encoding="utf-8",
    )
    return folder


def cloned(folder: Path, name: str, commits: list[tuple[str, int]]) -> None:
    """A clone of a repository with a commit, and a tag, for each message and number."""
    lines = []
    for said, number in commits:
        person = f"Ada <ada@example.org> {BEGIN + 3600 * number} +0000"
        lines += ["commit refs/heads/main", f"author {person}", f"committer {person}"]
        lines += [f"data {len(said)}", said, f"M 644 inline f{number % 50}", "data 0", ""]
        lines += [f"reset refs/tags/v{number}", "from refs/heads/main", ""]
    origin = str(folder / "origin" / name)
    git("init", "-q", "--bare", "-b", "main", origin)
    git("-C", origin, "fast-import", "--quiet", given="\n".join(lines))
    git("clone", "-q", origin, str(folder / name))


def git(*arguments: str, given: str = "") -> None:
    subprocess.run(["git", *arguments], input=given.encode(), check=True, timeout=PATIENCE)


@scored("kills", 3, soak=20)
def test_a_killed_collection_goes_on_where_it_was(
    new_location: Callable[[], str], folder: Path, kills: int
) -> None:
    undisturbed = empty_store(new_location())
    begun = time.monotonic()
    assert ended(started(undisturbed, folder)) == [0]
    lasting = time.monotonic() - begun
    expected, moments, left = held(undisturbed), random.Random(5), set()

    for _ in range(kills):
        location = empty_store(new_location())
        process = started(location, folder)
        time.sleep(moments.uniform(0, lasting))
        kill(process)
        with Store.open(location) as store:
            left.add(store.counts().get("commits", 0))
        collect_here(location, folder)
        assert held(location) == expected

    assert left <= {VERSIONS * services for services in range(len(SERVICES) + 1)}


def test_collections_at_once_double_nothing(new_location: Callable[[], str], folder: Path) -> None:
    undisturbed, shared = empty_store(new_location()), empty_store(new_location())
    collect_here(undisturbed, folder)

    processes = [started(shared, folder) for _ in range(3)]

    assert ended(*processes) == [0, 0, 0]
    assert held(shared) == held(undisturbed)
