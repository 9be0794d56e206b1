"""Collects a git clone, or what a configuration names, here or in a process of its own."""

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

from nursery import nursery

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


def collect_here(location: str, folder: Path | str) -> None:
    """Collects in this process."""
    with Store.open(location) as store:
        done = collect(
            store,
            source_in(Path(folder)),
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


def started(location: str, folder: Path) -> int:
    """A process that collects, by its id."""
    return nursery().start(collect_here, location, str(folder))


def ended(*processes: int) -> list[int]:
    """Waits for processes to end; their exit codes."""
    return nursery().ended(*processes)


def kill(process: int) -> None:
    """Kills a process that may have ended by itself."""
    os.kill(process, signal.SIGKILL)
    ended(process)
