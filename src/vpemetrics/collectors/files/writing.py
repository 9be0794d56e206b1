"""Records into files that `read` reads back as they were."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from vpemetrics.collectors.files.fields import FIELDS, SOURCE, Field
from vpemetrics.collectors.files.rows import csv_line, json_line
from vpemetrics.records import RECORD_TYPES, Sourced

Load = Callable[[str], Iterable[Sourced]]
Line = Callable[[str, Any], str]


def write(load: Load, folder: Path, *, ending: str = ".csv") -> dict[str, int]:
    """Write all records into a folder, a file a kind; return how many there were of each.

    `load(kind)` gives the records of a kind in the order they shall have. Every kind gets
    its file, so that an empty one says there was nothing. The ending is `.csv` or `.jsonl`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return {
        kind: _write_file(load(kind), folder / (kind + ending), FIELDS[kind])
        for kind in RECORD_TYPES
    }


def _write_file(records: Iterable[Sourced], path: Path, fields: tuple[Field, ...]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            file.write(csv_line([SOURCE, *(field.name for field in fields)]) + "\n")
        line = _csv if path.suffix == ".csv" else _json
        for source, record in records:
            file.write(line(source, record, fields) + "\n")
            count += 1
    return count


def _csv(source: str, record: Any, fields: tuple[Field, ...]) -> str:
    return csv_line([source, *(field.cell(getattr(record, field.name)) for field in fields)])


def _json(source: str, record: Any, fields: tuple[Field, ...]) -> str:
    """The record without what is unknown."""
    known = {SOURCE: source}
    for field in fields:
        value = getattr(record, field.name)
        if not field.is_unknown(value):
            known[field.name] = field.to_json(value)
    return json_line(known)
