"""Records from files into a store, and from a store into files."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from vpemetrics.agents import author_settings
from vpemetrics.collectors.files.reading import read_columns
from vpemetrics.collectors.files.writing import write
from vpemetrics.fingerprint import fingerprint
from vpemetrics.record_columns import RecordColumns
from vpemetrics.rules import Rules
from vpemetrics.store import Store

SOURCE = "files"
"""The source of rows that name none."""


def import_files(
    store: Store,
    paths: Sequence[Path],
    rules: Rules,
    *,
    source: str = SOURCE,
    covers: tuple[date, date] | None = None,
    rejected: Path | None = None,
    warn: Callable[[str], None],
    progress: Callable[[int], None],
    now: datetime | None = None,
) -> Mapping[str, int]:
    """Save the records of files and folders in one transaction; return how many of each kind.

    BadRows, with nothing saved, if there are mistakes, which what happened later than `now` is,
    where that is given; with a path for `rejected` the bad rows are written there instead.
    `progress` is told how many records have been read.
    """
    found = read_columns(
        *paths,
        source=source,
        bots=rules.bots,
        agents=rules.agents,
        covers=covers,
        zone=rules.zone,
        rejected=rejected,
        warn=warn,
        now=now,
    )
    with _without_collections():
        lists = fingerprint(author_settings(rules))
        return store.save_columns(_count(found, progress), author_lists=lists).records


@contextmanager
def _without_collections() -> Iterator[None]:
    """Let Python look for no circles meanwhile: columns have none, and it takes a tenth."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def export_files(store: Store, folder: Path) -> dict[str, int]:
    """Write every record into a folder, a CSV file a kind; return how many of each kind.

    The files appear when all of them are whole, in place of those of an earlier export.
    """
    return write(store.records, folder)


def _count(
    found: Iterable[RecordColumns], progress: Callable[[int], None]
) -> Iterator[RecordColumns]:
    count = 0
    for told in found:
        count += len(told)
        progress(count)
        yield told
