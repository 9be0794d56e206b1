"""A fetch of a mirror that is killed: what it leaves behind stops no later one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import pytest
from github_with_git import with_git
from gitrepository import GitRepository
from subprocesses import PATIENCE, environment

from vpemetrics.collectors.git.mirror import Mirror, Mirrors, Unfetched

pytestmark = pytest.mark.slow

TOKEN = "canary"
ACCOUNT = "eC1hY2Nlc3MtdG9rZW46Y2FuYXJ5"
MANY = 2_000
UPDATE = """
import sys
from pathlib import Path
from vpemetrics.collectors.git.mirror import Mirrors
folder, url, account = sys.argv[1:]
mirrors = Mirrors(folder=Path(folder), url=url, account=account)
mirrors.mirror("R1", "acme/shop", paths=False).update()
"""

# Goes on only when it is let, once it is asked to fetch; the real one does the rest.
SLOW_GIT = """#!{python} -S
import os, sys, time
if "fetch" in sys.argv:
    with open({log!r}, "a") as log:
        print("begins", file=log)
    while not os.path.exists({gate!r}):
        time.sleep(0.01)
    with open({log!r}, "a") as log:
        print("ends", file=log)
os.execv({program!r}, [{program!r}, *sys.argv[1:]])
"""


@dataclass(frozen=True)
class Place:
    """A repository on a server, and its mirror."""

    origin: GitRepository
    mirror: Mirror

    def update_elsewhere(self, **more: str) -> "subprocess.Popen[bytes]":
        """Begin to update the mirror in a process of its own, which leads a group."""
        mirrors = self.mirror.mirrors
        return subprocess.Popen(
            [sys.executable, "-c", UPDATE, str(mirrors.folder), mirrors.url, mirrors.account],
            env=environment() | more,
            start_new_session=True,
        )

    def locks(self) -> list[Path]:
        return list(self.mirror.path.rglob("*.lock"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    origin = GitRepository(tmp_path / "origin" / "acme" / "shop.git")
    origin.path.mkdir(parents=True)
    origin.git("init", "-q", "-b", "main")
    origin.git("config", "uploadpack.allowFilter", "true")
    origin.commit("First")
    with with_git("http://127.0.0.1:9", tmp_path / "origin", token=TOKEN) as url:
        mirrors = Mirrors(
            folder=tmp_path / "mirrors", url=url.removesuffix("/api/v3"), account=ACCOUNT
        )
        mirror = mirrors.mirror("R1", "acme/shop", paths=False)
        mirror.update()
        yield Place(origin, mirror)


def wait_for(path: Path) -> None:
    end = monotonic() + PATIENCE
    while not path.exists():
        assert monotonic() < end
        sleep(0.01)


@pytest.mark.parametrize(
    "left",
    [
        ["packed-refs.lock"],
        ["refs/heads/main.lock", "config.lock", "HEAD.lock"],
        ["objects/pack/tmp_pack_x1", "objects/pack/tmp_idx_x1", "shallow.lock"],
    ],
)
def test_a_lock_that_nobody_holds_is_removed(place: Place, left: list[str]) -> None:
    new = place.origin.commit("Second")
    for name in left:
        (place.mirror.path / name).write_bytes(b"")

    place.mirror.update()

    assert place.mirror.held([new]) == [new]
    assert not any((place.mirror.path / name).exists() for name in left)


def test_what_a_lock_leads_to_is_left(place: Place, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    (place.mirror.path / "packed-refs.lock").symlink_to(tmp_path / "mine")
    (place.mirror.path / "objects" / "pack" / "away").symlink_to(tmp_path)

    place.mirror.update()

    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_a_fetch_that_is_killed_stops_no_later_one(place: Place) -> None:
    """With so many references that their locks are there for a while."""
    new = place.origin.commit("Second")
    lines = (f"create refs/heads/b{number} {new}\n" for number in range(MANY))
    place.origin.git("update-ref", "--stdin", given="".join(lines))

    process = place.update_elsewhere()
    while process.poll() is None and not place.locks():
        sleep(0.001)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    place.mirror.update()

    assert place.locks() == []
    refs = place.mirror.git.text("for-each-ref", "--format=%(refname)", "refs/heads")
    assert len(refs.split()) == MANY + 1


def test_nobody_takes_the_locks_of_a_git_that_outlives_who_started_it(
    place: Place, tmp_path: Path
) -> None:
    programs, gate, log = tmp_path / "bin", tmp_path / "gate", tmp_path / "log"
    programs.mkdir()
    git = programs / "git"
    program = subprocess.run(
        ["which", "git"], capture_output=True, text=True, check=True
    ).stdout.strip()
    git.write_text(
        SLOW_GIT.format(python=sys.executable, log=str(log), gate=str(gate), program=program),
        encoding="utf-8",
    )
    git.chmod(0o755)
    slow = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}

    first = place.update_elsewhere(**slow)
    wait_for(log)
    first.kill()
    first.wait()
    second = place.update_elsewhere(**slow)
    sleep(1)  # in which it would begin
    gate.touch()
    assert second.wait(timeout=PATIENCE) == 0

    assert log.read_text(encoding="utf-8").split() == ["begins", "ends", "begins", "ends"]


def test_where_git_cannot_fetch_the_mirror_is_free_again(place: Place) -> None:
    place.origin.path.rename(place.origin.path.with_name("gone"))

    for _ in range(2):
        with pytest.raises(Unfetched):
            place.mirror.update()
