"""Files as a source: every record in them, each time."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from vpemetrics.collectors.base import Batch, CollectionContext
from vpemetrics.collectors.files.options import Options
from vpemetrics.collectors.files.reading import read_columns
from vpemetrics.records import AnyRecord, Coverage


def collect(options: Options, context: CollectionContext) -> Iterator[Batch]:
    """Every record of the files: they do not tell what is new in them, so they are read whole.

    All of them are this source's, whatever a `source` column says.
    """
    told = read_columns(
        options.place(context.folder),
        zone=context.rules.zone,
        warn=context.warn,
        now=context.now,
    )
    records = chain.from_iterable(columns.records() for columns in told)
    yield Batch(records=(_of(context.source, record) for record in records))


def _of(source: str, record: AnyRecord) -> AnyRecord:
    return replace(record, source=source) if isinstance(record, Coverage) else record
