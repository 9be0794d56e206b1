"""Collects a git clone into a store, here or in a process of its own."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from subprocesses import environment

from vpemetrics.config.sources import clone_as_source
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.collecting import collect


def collect_here(location: str, clone: Path) -> None:
    """Collects in this process."""
    with Store.open(location) as store:
        done = collect(
            store,
            clone_as_source(clone),
            Rules(),
            clock=lambda: datetime.now(UTC),
            warn=lambda _text: None,
            progress=lambda _done, _of: None,
        )
    assert done.error is None, done.error


def ready(location: str, clone: Path) -> "subprocess.Popen[bytes]":
    """A process that has everything at hand and collects when it is told to `go`."""
    process = subprocess.Popen(
        [sys.executable, __file__, location, str(clone)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def go(*processes: "subprocess.Popen[bytes]") -> None:
    """Lets processes collect."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()


def ended(*processes: "subprocess.Popen[bytes]") -> Sequence[int]:
    """Waits for processes to end; their exit codes."""
    for process in processes:
        process.communicate(timeout=120)
    return [process.returncode for process in processes]


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    collect_here(sys.argv[1], Path(sys.argv[2]))
