"""Records from files into a store, and from a store into files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from vpemetrics.collectors.files.future_dates import skip_future
from vpemetrics.collectors.files.reading import read
from vpemetrics.collectors.files.writing import write
from vpemetrics.records import Sourced
from vpemetrics.rules import Rules
from vpemetrics.store import Store

SOURCE = "files"
"""The source of rows that name none."""

TOLD_EVERY = 1000


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

    FixInput, with nothing saved, for what happened later than `now`, where that is given: a
    mistyped year would decide which week is the last.
    BadRows, with nothing saved, if there are mistakes; with a path for `rejected` the bad rows
    are written there instead. `progress` is told how many records have been read.
    """
    records = read(
        *paths,
        source=source,
        bots=rules.bots,
        covers=covers,
        zone=rules.zone,
        rejected=rejected,
        warn=warn,
    )
    if now is not None:
        records = skip_future(records, now)
    return store.save_all(_count(records, progress)).records


def export_files(store: Store, folder: Path) -> dict[str, int]:
    """Write every record into a folder, a CSV file a kind; return how many of each kind.

    The files appear when all of them are whole, in place of those of an earlier export.
    """
    return write(store.records, folder)


def _count(records: Iterator[Sourced], progress: Callable[[int], None]) -> Iterator[Sourced]:
    for count, sourced in enumerate(records, 1):
        if count % TOLD_EVERY == 0:
            progress(count)
        yield sourced
