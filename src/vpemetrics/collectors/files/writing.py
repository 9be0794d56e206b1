"""Records into files that `read` reads back as they were."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from vpemetrics.collectors.files.fields import FIELDS, SOURCE, Field
from vpemetrics.collectors.files.rows import csv_line, json_line
from vpemetrics.files import replace
from vpemetrics.records import RECORD_TYPES, Sourced
from vpemetrics.spreadsheets import escape

Load = Callable[[str], Iterable[Sourced]]


def write(load: Load, folder: Path, *, ending: str = ".csv") -> dict[str, int]:
    """Write all records into a folder, a file a kind; return how many there were of each.

    `load(kind)` gives the records of a kind in the order they shall have. Every kind gets
    its file, so that an empty one says there was nothing. The ending is `.csv` or `.jsonl`.
    The files appear when all of them are whole, in place of those of an earlier export.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = _csv_lines if ending == ".csv" else _json_lines
    counts = {}
    with ExitStack() as files:
        for kind in RECORD_TYPES:
            file = files.enter_context(replace(folder / (kind + ending)))
            counts[kind] = _write_lines(lines(kind, load(kind)), file) - (ending == ".csv")
    return counts


def _write_lines(lines: Iterable[str], file: BinaryIO) -> int:
    count = 0
    for line in lines:
        file.write(line.encode() + b"\n")
        count += 1
    return count


def _csv_lines(kind: str, records: Iterable[Sourced]) -> Iterator[str]:
    fields = FIELDS[kind]
    yield csv_line([SOURCE, *(field.name for field in fields)])
    for source, record in records:
        yield _csv(source, record, fields)


def _json_lines(kind: str, records: Iterable[Sourced]) -> Iterator[str]:
    for source, record in records:
        yield _json(source, record, FIELDS[kind])


def _csv(source: str, record: Any, fields: tuple[Field, ...]) -> str:
    return csv_line(
        [escape(source), *(field.cell(getattr(record, field.name)) for field in fields)]
    )


def _json(source: str, record: Any, fields: tuple[Field, ...]) -> str:
    """The record without what is unknown."""
    known = {SOURCE: source}
    for field in fields:
        value = getattr(record, field.name)
        if not field.is_unknown(value):
            known[field.name] = field.to_json(value)
    return json_line(known)
