"""An import that is killed in the middle: nothing of it stays, and the next one is whole."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
from commandline import command_of, spawn
from subprocesses import PATIENCE, environment

from vpemetrics.store import Store

pytestmark = pytest.mark.slow

ROWS = 120_000


@pytest.fixture
def history(folder: Path) -> Path:
    """Enough commits for an import to take a while."""
    path = folder / "commits.csv"
    with path.open("w") as file:
        file.write("sha,repository,parents,authored_at,committed_at,author\n")
        for number in range(ROWS):
            parent = f"{number - 1:040x}" if number else ""
            moment = "2026-09-01T10:00:00Z"
            file.write(f"{number:040x},shop,{parent},{moment},{moment},ann\n")
    return path


def bytes_written(store: Path) -> int:
    return sum(file.stat().st_size for file in store.parent.glob(f"{store.name}*"))


@pytest.mark.parametrize("written", [300_000, 1_000_000, 3_000_000])
def test_a_killed_import_leaves_nothing_and_the_next_is_whole(
    history: Path, folder: Path, written: int
) -> None:
    store = folder / "x.db"
    command = command_of("import", history, "--store", store, "-q")
    deadline = time.monotonic() + PATIENCE

    with subprocess.Popen(command, env=environment()) as process:
        while process.poll() is None and bytes_written(store) < written:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)

    assert process.returncode == -signal.SIGKILL
    with Store.open(store) as left:
        assert left.counts() == {}
    assert spawn("import", history, "--store", store, "-q").returncode == 0
    with Store.open(store) as whole:
        assert whole.counts() == {"commits": ROWS, "coverage": 1}
