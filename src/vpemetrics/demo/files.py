"""Writes records to import files as they come, whatever their kinds and however many they are."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TextIO

from vpemetrics.collectors.files.fields import FIELDS
from vpemetrics.collectors.files.rows import csv_line
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
        self._files: dict[str, TextIO] = {}

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
        if kind not in self._files:
            self._begin(kind)
        cells = [field.cell(getattr(record, field.name)) for field in FIELDS[kind]]
        self._files[kind].write(csv_line(cells) + "\n")
        self.counts[kind] += 1

    def _begin(self, kind: str) -> None:
        path = self._folder / f"{kind}.csv"
        file = self._stack.enter_context(path.open("w", encoding="utf-8", newline=""))
        file.write(csv_line([field.name for field in FIELDS[kind]]) + "\n")
        self._files[kind] = file
