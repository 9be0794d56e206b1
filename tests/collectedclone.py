"""Collects a git clone, or what a configuration names, here or in a process of its own."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from subprocesses import PATIENCE, environment

from vpemetrics.config.load import load
from vpemetrics.config.sources import Source, clone_as_source, configured_sources
from vpemetrics.records import RECORD_TYPES
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.collecting import collect


def source_in(folder: Path) -> Source:
    """The one source of the configuration in a folder, else the clone that the folder is."""
    configuration = folder / "vpemetrics.toml"
    if not configuration.exists():
        return clone_as_source(folder)
    (source,) = configured_sources(load(configuration, {}))
    return source


def collect_here(location: str, folder: Path) -> None:
    """Collects in this process."""
    with Store.open(location) as store:
        done = collect(
            store,
            source_in(folder),
            Rules(),
            clock=lambda: datetime.now(UTC),
            warn=lambda _text: None,
            progress=lambda _done, _of: None,
        )
    assert done.error is None, done.error


def empty_store(location: str) -> str:
    """A new store whose authors are hidden by the same key as in all the others."""
    with Store.open(location) as store, store.transaction() as connection:
        connection.exec_driver_sql(f"UPDATE meta SET value = '{'0' * 64}' WHERE key = 'author_key'")
    return location


def held(location: str) -> list[object]:
    """Every record of every kind, how far was collected, and how many saves it took."""
    with Store.open(location) as store:
        records = [record for kind in RECORD_TYPES for record in store.records(kind)]
        return [*records, store.cursors("git"), store.batch()]


def ready(location: str, folder: Path) -> "subprocess.Popen[bytes]":
    """A process that has everything at hand and collects when it is told to `go`."""
    process = subprocess.Popen(
        [sys.executable, __file__, location, str(folder)],
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
        process.communicate(timeout=PATIENCE)
    return [process.returncode for process in processes]


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    collect_here(sys.argv[1], Path(sys.argv[2]))
