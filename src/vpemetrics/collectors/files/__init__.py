"""Records in files, CSV or JSON Lines: `read` them, `write` them, or name a folder as a source."""

from collections.abc import Iterator
from dataclasses import dataclass

from vpemetrics.collectors.base import Collector, Occasion, Portion
from vpemetrics.collectors.files.reading import read
from vpemetrics.collectors.files.writing import write

__all__ = ["FILES", "Options", "collect", "read", "write"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """A file or folder that something else keeps up to date."""

    path: str


def collect(options: Options, occasion: Occasion) -> Iterator[Portion]:
    """Every record of the files: they do not tell what is new in them, so they are read whole."""
    found = read(occasion.folder / options.path, zone=occasion.rules.zone, warn=occasion.warn)
    yield Portion(records=(record for _, record in found))


FILES = Collector(options=Options, collect=collect)
