"""Writes records to import files as they come, whatever their kinds and however many they are."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from vpemetrics.collectors.files.fields import FIELDS
from vpemetrics.collectors.files.rows import csv_line
from vpemetrics.files import replace
from vpemetrics.records import AnyRecord


class RecordFiles:
    """A folder of CSV files, one for each kind of record; a context manager.

    Nothing is held back, so memory does not grow with the number of records.
    The files name no source: whoever imports them does.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.counts: Counter[str] = Counter()
        self._folder = folder
        self._stack = ExitStack()
        self._files: dict[str, BinaryIO] = {}

    def __enter__(self) -> "RecordFiles":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, record: AnyRecord) -> None:
        """Add a row for a record."""
        kind = record.KIND
        if kind not in self._files:
            self._begin(kind)
        self._add_line(kind, [field.cell(getattr(record, field.name)) for field in FIELDS[kind]])
        self.counts[kind] += 1

    def _begin(self, kind: str) -> None:
        self._files[kind] = self._stack.enter_context(replace(self._folder / f"{kind}.csv"))
        self._add_line(kind, [field.name for field in FIELDS[kind]])

    def _add_line(self, kind: str, cells: list[str]) -> None:
        self._files[kind].write(csv_line(cells).encode() + b"\n")
