"""The rows of a file, CSV or JSON Lines, before anything is known about their meaning."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from vpemetrics.errors import BadRow

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LARGEST_CELL = 2**24
_NEEDS_QUOTES = re.compile(r'[",\r\n]').search

Report = Callable[[BadRow], None]


class Rows(Protocol):
    """A file as rows. A row that cannot be read is reported and left out."""

    def header(self) -> list[str] | None:
        """The names of the columns; None where every row names its own."""
        ...

    def __call__(self, report: Report) -> Iterator[tuple[int, Any]]:
        """Each row with the number of its first line."""
        ...

    def text(self, row: Any) -> str:
        """A row as it would stand in the file."""
        ...


class CsvRows:
    """The rows of a CSV file as lists of cells."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def header(self) -> list[str]:
        """The cells of the first line."""
        for _, cells in self._cells(lambda _: None):
            return [cell.strip() for cell in cells]
        return []

    def __call__(self, report: Report) -> Iterator[tuple[int, list[str]]]:
        """Each row after the header, all of the header's width."""
        rows = self._cells(report)
        width = len(next(rows, (0, []))[1])
        for line, cells in rows:
            if len(cells) == width:
                yield line, cells
            else:
                reason = f"{len(cells)} cells where the header has {width}"
                report(self._bad(line, reason, self.text(cells)))

    def text(self, row: list[str]) -> str:
        """The cells as a line of CSV."""
        return csv_line(row)

    def _cells(self, report: Report) -> Iterator[tuple[int, list[str]]]:
        csv.field_size_limit(_LARGEST_CELL)
        with self._path.open("rb") as file:
            lines = _Lines(file, self._path.name, report)
            reader = csv.reader(lines, strict=True)
            last = 0
            while True:
                try:
                    for cells in reader:
                        line, last = last + 1, reader.line_num
                        if cells and not lines.spoiled(line):
                            yield line, cells
                    return
                except csv.Error as error:
                    report(self._bad(last + 1, _plainly(error), lines.latest.rstrip("\r\n")))
                    last = reader.line_num

    def _bad(self, line: int, reason: str, text: str) -> BadRow:
        return BadRow(file=self._path.name, line=line, column="", reason=reason, text=text)


class JsonRows:
    """The objects of a JSON Lines file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def header(self) -> None:
        """Every object names its own fields."""

    def __call__(self, report: Report) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each line that is not blank."""
        with self._path.open("rb") as file:
            lines = _Lines(file, self._path.name, report)
            for line, text in enumerate(lines, 1):
                if text.isspace() or lines.spoiled(line):
                    continue
                try:
                    yield line, _json_object(text)
                except ValueError as error:
                    report(
                        BadRow(
                            file=self._path.name,
                            line=line,
                            column="",
                            reason=str(error),
                            text=text.rstrip("\r\n"),
                        )
                    )

    def text(self, row: dict[str, Any]) -> str:
        """The object as a line of JSON."""
        return json_line(row)


FORMATS: dict[str, type[CsvRows] | type[JsonRows]] = {".csv": CsvRows, ".jsonl": JsonRows}


class _Lines(Iterator[str]):
    """The lines of a file as text; those that are no text are reported and remembered."""

    def __init__(self, file: Iterator[bytes], name: str, report: Report) -> None:
        self.latest = ""
        self._file = file
        self._name = name
        self._report = report
        self._number = 0
        self._spoiled: set[int] = set()

    def __next__(self) -> str:
        raw = next(self._file)
        self._number += 1
        if self._number == 1:
            raw = raw.removeprefix(_BYTE_ORDER_MARK)
        try:
            self.latest = text = raw.decode()
        except UnicodeDecodeError as error:
            byte = f"byte 0x{raw[error.start]:02x} after {error.start} bytes of the line"
            return self._spoil(raw, f"this is not UTF-8 ({byte}); save the file as UTF-8")
        if "\0" in text:
            return self._spoil(raw, "holds a NUL byte; the file is damaged or no text")
        return text

    def spoiled(self, first: int) -> bool:
        """Whether a line from this one to the latest could not be read."""
        return bool(self._spoiled) and not self._spoiled.isdisjoint(range(first, self._number + 1))

    def _spoil(self, raw: bytes, reason: str) -> str:
        self._spoiled.add(self._number)
        self.latest = text = raw.decode(errors="replace").replace("\0", "\ufffd")
        self._report(
            BadRow(
                file=self._name,
                line=self._number,
                column="",
                reason=reason,
                text=text.rstrip("\r\n"),
            )
        )
        return text


def csv_line(cells: list[str]) -> str:
    """The cells as a line of CSV, quoted where they have to be, the same in every Python."""
    return ",".join(
        '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES(cell) else cell for cell in cells
    )


def json_line(row: dict[str, Any]) -> str:
    """The object as a line of JSON."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"this is not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("this is not JSON we can read: nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("expected an object of fields on every line")
    if "\\u" in text:
        _refuse_what_is_no_text(value)
    return value


def _refuse_what_is_no_text(value: dict[str, Any]) -> None:
    line = json_line(value)
    if "\\u0000" in line:
        raise ValueError("holds a NUL character (\\u0000)")
    try:
        line.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a surrogate pair (\\ud800 to \\udfff)") from None


def _plainly(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return "the file ends inside quotes: it was cut short, or a quote is not closed"
    if "expected after" in text:
        return "text after a closing quote: a quote is not closed, or not doubled inside quotes"
    if "larger than field limit" in text:
        return "a cell of more than 16 MB: probably a quote is not closed"
    return f"this is not CSV: {text}"
