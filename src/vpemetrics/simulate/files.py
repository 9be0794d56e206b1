"""Writes records to import files as they come, whatever their kinds and however many they are."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from types import TracebackType

from vpemetrics.records import AnyRecord
from vpemetrics.window import format_instant

SHA_LISTS = {"parents", "commit_shas"}


class RecordFiles:
    """A folder of CSV files, one for each kind of record; a context manager.

    Nothing is held back, so memory does not grow with the number of records.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.counts: Counter[str] = Counter()
        self._folder = folder
        self._stack = ExitStack()
        self._write_row: dict[str, Callable[[Iterable[object]], object]] = {}
        self._columns: dict[str, tuple[str, ...]] = {}

    def __enter__(self) -> "RecordFiles":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def write(self, record: AnyRecord) -> None:
        """Add a row for a record."""
        kind = record.KIND
        if kind not in self._write_row:
            self._begin(record)
        self._write_row[kind](_cell(name, getattr(record, name)) for name in self._columns[kind])
        self.counts[kind] += 1

    def _begin(self, record: AnyRecord) -> None:
        path = self._folder / f"{record.KIND}.csv"
        file = self._stack.enter_context(path.open("w", encoding="utf-8", newline=""))
        # The source of a row is the import's own, so that a user may name it.
        columns = tuple(field.name for field in fields(record) if field.name != "source")
        self._columns[record.KIND] = columns
        self._write_row[record.KIND] = csv.writer(file, lineterminator="\n").writerow
        self._write_row[record.KIND](columns)


def _cell(column: str, value: object) -> object:
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, tuple):
        return (" " if column in SHA_LISTS else ";").join(value)
    return value
