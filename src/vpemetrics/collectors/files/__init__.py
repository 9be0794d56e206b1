"""Records in files, CSV or JSON Lines: `read` them, `write` them, or name a folder as a source."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from vpemetrics.collectors.base import Batch, CollectionContext, Collector, Finding, Level
from vpemetrics.collectors.files.future_dates import skip_future
from vpemetrics.collectors.files.reading import find, read
from vpemetrics.collectors.files.writing import write
from vpemetrics.records import AnyRecord, Coverage

__all__ = ["FILES", "Options", "check", "collect", "read", "skip_future", "write"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """A file or folder that something else keeps up to date."""

    path: str


def collect(options: Options, context: CollectionContext) -> Iterator[Batch]:
    """Every record of the files: they do not tell what is new in them, so they are read whole.

    All of them are this source's, whatever a `source` column says.
    """
    found = read(_place(options, context), zone=context.rules.zone, warn=context.warn)
    records = (record for _, record in skip_future(found, context.now))
    yield Batch(records=(_of(context.source, record) for record in records))


def check(options: Options, context: CollectionContext) -> Iterator[Finding]:
    """Which files there are to read; FixInput if there are none. Their rows are not looked at."""
    odd: list[str] = []
    names = [path.name for path in find(_place(options, context), odd.append)]
    yield Finding(topic="path", text=f"there are {', '.join(names)}", numbers={"files": len(names)})
    for text in odd:
        yield Finding(topic="path", level=Level.WARNING, text=text)


def _place(options: Options, context: CollectionContext) -> Path:
    return context.folder / Path(options.path).expanduser()


def _of(source: str, record: AnyRecord) -> AnyRecord:
    return replace(record, source=source) if isinstance(record, Coverage) else record


FILES = Collector(options=Options, collect=collect, check=check)
