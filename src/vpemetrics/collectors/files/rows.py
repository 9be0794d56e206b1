"""The rows of a file, CSV or JSON Lines, before anything is known about their meaning."""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from vpemetrics.errors import BadRow
from vpemetrics.spreadsheets import unescape

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LARGEST_CELL = 2**24
_LARGEST_LINE = 2**26
_SHOWN_OF_A_LINE = 100
_CHUNK = 2_000
_NEEDS_QUOTES = re.compile(r'[",\r\n]').search

Report = Callable[[BadRow], None]
Chunk = tuple[Sequence[int], Sequence[Any]]


class Rows(Protocol):
    """A file as rows. A row that cannot be read is reported and left out."""

    holds_json: bool

    def header(self) -> list[str] | None:
        """The names of the columns; None where every row names its own."""
        ...

    def chunks(self, report: Report) -> Iterator[Chunk]:
        """The rows, some thousand at a time, each with the number of its first line."""
        ...

    def column(self, rows: Sequence[Any], name: str) -> list[Any] | None:
        """The values of a column, None for nothing; None if the file has no such column."""
        ...

    def text(self, row: Any) -> str:
        """A row as it would stand in the file."""
        ...


class CsvRows:
    """The rows of a CSV file as lists of cells."""

    holds_json = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._width = 0
        self._places: dict[str, int] = {}
        self._may_be_escaped = False

    def header(self) -> list[str]:
        """The cells of the first line."""
        _, cells = next(self._cells(lambda _: None), (0, []))
        names = [cell.strip() for cell in cells]
        self._width, self._places = len(names), {name: place for place, name in enumerate(names)}
        return names

    def chunks(self, report: Report) -> Iterator[Chunk]:
        """The rows after the header, all of the header's width."""
        lines: list[int] = []
        rows: list[list[str]] = []
        for line, cells in islice(self._cells(report), 1, None):
            if len(cells) != self._width:
                reason = f"{len(cells)} cells where the header has {self._width}"
                report(self._bad(line, reason, csv_line(cells)))
                continue
            lines.append(line)
            rows.append(cells)
            if len(rows) == _CHUNK:
                yield lines, rows
                lines, rows = [], []
        yield lines, rows

    def column(self, rows: Sequence[list[str]], name: str) -> list[str | None] | None:
        """The cells of a column, None for empty ones, without what keeps spreadsheets off."""
        if (place := self._places.get(name)) is None:
            return None
        if self._may_be_escaped:
            return [unescape(cells[place]) or None for cells in rows]
        return [cells[place] or None for cells in rows]

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
                        self._may_be_escaped = lines.hold_apostrophes
                        if cells and not (lines.bad and lines.is_bad(line, last)):
                            yield line, cells
                    return
                except csv.Error as error:
                    report(self._bad(last + 1, _plainly(error), lines.latest.rstrip("\r\n")))
                    last = reader.line_num

    def _bad(self, line: int, reason: str, text: str) -> BadRow:
        return BadRow(file=self._path.name, line=line, column="", reason=reason, text=text)


class JsonRows:
    """The objects of a JSON Lines file."""

    holds_json = True

    def __init__(self, path: Path) -> None:
        self._path = path

    def header(self) -> None:
        """Every object names its own fields."""

    def chunks(self, report: Report) -> Iterator[Chunk]:
        """The lines that are not blank."""
        objects = self._objects(report)
        while chunk := list(islice(objects, _CHUNK)):
            lines, rows = zip(*chunk, strict=True)
            yield lines, rows

    def column(self, rows: Sequence[dict[str, Any]], name: str) -> list[Any]:
        """The values under a name, None for empty ones."""
        return [None if (value := row.get(name)) == "" else value for row in rows]

    def text(self, row: dict[str, Any]) -> str:
        """The object as a line of JSON."""
        return json_line(row)

    def _objects(self, report: Report) -> Iterator[tuple[int, dict[str, Any]]]:
        with self._path.open("rb") as file:
            lines = _Lines(file, self._path.name, report)
            for line, text in enumerate(lines, 1):
                if text.isspace() or lines.is_bad(line, line):
                    continue
                try:
                    yield line, _json_object(text)
                except ValueError as error:
                    name, shown = self._path.name, text.rstrip("\r\n")
                    report(BadRow(file=name, line=line, column="", reason=str(error), text=shown))


FORMATS: dict[str, type[CsvRows] | type[JsonRows]] = {".csv": CsvRows, ".jsonl": JsonRows}


class _Lines(Iterable[str]):
    """The lines of a file as text; those that are no text are reported and remembered."""

    def __init__(self, file: BinaryIO, name: str, report: Report) -> None:
        self.latest = ""
        self.bad: set[int] = set()
        self.hold_apostrophes = False
        self._file = file
        self._name = name
        self._report = report

    def __iter__(self) -> Iterator[str]:
        lines = iter(partial(self._file.readline, _LARGEST_LINE), b"")
        for number, raw in enumerate(lines, 1):
            if len(raw) == _LARGEST_LINE:
                self._pass_over(number, raw)
                yield "\n"
                continue
            text = raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw
            try:
                self.latest = text.decode()
            except UnicodeDecodeError as error:
                byte = f"byte 0x{text[error.start]:02x} after {error.start} bytes of the line"
                self._spoil(number, text, f"this is not UTF-8 ({byte}); save the file as UTF-8")
            if b"'" in text:
                self.hold_apostrophes = True
            if b"\0" in text:
                self._spoil(number, text, "holds a NUL byte; the file is damaged or no text")
            yield self.latest

    def is_bad(self, first: int, last: int) -> bool:
        """Tell whether one of these lines could not be read."""
        return not self.bad.isdisjoint(range(first, last + 1))

    def _pass_over(self, number: int, start: bytes) -> None:
        """Report a line that is too long, and go to its end."""
        part = start
        while part and not part.endswith(b"\n"):
            part = self._file.readline(_LARGEST_LINE)
        reason = f"a line of more than {_LARGEST_LINE // 2**20} MB: probably line ends are missing"
        self._spoil(number, start[:_SHOWN_OF_A_LINE], reason)

    def _spoil(self, number: int, raw: bytes, reason: str) -> None:
        self.latest = raw.decode(errors="replace").replace("\0", "\ufffd")
        if number not in self.bad:
            text = self.latest.rstrip("\r\n")
            self._report(BadRow(file=self._name, line=number, column="", reason=reason, text=text))
        self.bad.add(number)


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
