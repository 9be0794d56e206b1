"""Records in files, CSV or JSON Lines: `read` them, `write` them, or name a folder as a source."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vpemetrics.collectors.base import Collector
from vpemetrics.collectors.files.reading import read
from vpemetrics.collectors.files.writing import write
from vpemetrics.records import AnyRecord

__all__ = ["FILES", "Options", "collect", "read", "write"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """A file or folder that something else keeps up to date."""

    path: str


# Files do not tell what is new in them, so `since` cannot narrow anything.
def collect(options: Options, since: datetime | None) -> Iterator[AnyRecord]:  # noqa: ARG001
    """Every record of the files: they are read whole, whatever was read before."""
    for _, record in read(Path(options.path)):
        yield record


FILES = Collector(options=Options, collect=collect)
