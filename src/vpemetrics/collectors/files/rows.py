"""The rows of a file, CSV or JSON Lines, before anything is known about their meaning."""

import csv
import json
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from io import SEEK_CUR
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, overload

from vpemetrics.errors import BadRow
from vpemetrics.spreadsheets import unescape

_BYTE_ORDER_MARK = BOM_UTF8
_BEGINNING = 4096
_OTHER_SEPARATORS = (";", "\t", "|")
_LARGEST_CELL = 2**24
_LARGEST_LINE = 2**26
_SHOWN_OF_A_LINE = 100
_CHUNK = 2_000
_BLOCK = 2**20
_MOST_BLOCKS = 8
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

    def cells(self, rows: Sequence[Any], name: str) -> Sequence[str] | None:
        """The texts of a column, where all that the file holds is text."""
        ...

    def text(self, row: Any) -> str:
        """A row as it would stand in the file."""
        ...


def why_unreadable(path: Path, header: Sequence[str]) -> str:
    """The way of writing that keeps a CSV file from being read, by its beginning; "" if none.

    As spreadsheets save: in another encoding, with other line ends, with another separator.
    """
    with path.open("rb") as file:
        beginning = file.read(_BEGINNING)
    if beginning.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or b"\0" in beginning[:2]:
        return "this is UTF-16, not UTF-8; save the file as UTF-8"
    if b"\r" in beginning and b"\n" not in beginning:
        return "its lines end in CR alone; save the file with LF or CRLF at the end of each"
    others = [sign for sign in _OTHER_SEPARATORS if len(header) == 1 and sign in header[0]]
    if others:
        name = "tabs" if others[0] == "\t" else repr(others[0])
        return f"its columns are separated by {name}; save the file with commas between them"
    return ""


class CsvLines:
    """The rows of a CSV file as lists of cells, read line by line."""

    holds_json = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._width = 0
        self._places: dict[str, int] = {}
        self._may_be_escaped = False
        self._begins = _Place(0, 0)

    def header(self) -> list[str]:
        """The cells of the first line."""
        bad: list[BadRow] = []
        with self._path.open("rb") as file:
            last, _, cells = next(self._cells(file, 0, bad.append), (0, 0, []))
            if not bad:  # else it is come to again, so that what precedes it is reported
                self._begins = _Place(file.tell(), last)
        names = [cell.strip() for cell in cells]
        self._width, self._places = len(names), {name: place for place, name in enumerate(names)}
        return names

    def chunks(self, report: Report) -> Iterator[Chunk]:
        """The rows after the header, all of the header's width."""
        with self._path.open("rb") as file:
            file.seek(self._begins.offset)
            yield from self._line_by_line(file, self._begins.line, report)

    def _line_by_line(self, file: BinaryIO, before: int, report: Report) -> Iterator[Chunk]:
        """The rows from here on, after so many lines; mistakes are reported."""
        lines: list[int] = []
        rows: list[list[str]] = []
        skipped = 0 if before else 1  # the header
        for _, line, cells in islice(self._cells(file, before, report), skipped, None):
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

    def cells(self, rows: Sequence[list[str]], name: str) -> Sequence[str] | None:  # noqa: ARG002
        """Nothing: each cell is to be looked at by itself."""
        return None

    def column(self, rows: Sequence[list[str]], name: str) -> list[str | None] | None:
        """The cells of a column, None for empty ones, without what keeps spreadsheets off."""
        cells = self._plain_cells(rows, name)
        return None if cells is None else [cell or None for cell in cells]

    def _plain_cells(self, rows: Sequence[list[str]], name: str) -> Sequence[str] | None:
        if (place := self._places.get(name)) is None:
            return None
        cells = rows.column(place) if isinstance(rows, _Table) else [row[place] for row in rows]
        if self._may_be_escaped and any(cell.startswith("'") for cell in cells):
            return list(map(unescape, cells))
        return cells

    def text(self, row: list[str]) -> str:
        """The cells as a line of CSV."""
        return csv_line(row)

    def _cells(
        self, file: BinaryIO, before: int, report: Report
    ) -> Iterator[tuple[int, int, list[str]]]:
        """Rows from here on, after so many lines: their last line, their first, their cells."""
        csv.field_size_limit(_LARGEST_CELL)
        lines = _Lines(file, self._path.name, report, before)
        reader = csv.reader(lines, strict=True)
        last = before
        while True:
            try:
                for cells in reader:
                    line, last = last + 1, before + reader.line_num
                    self._may_be_escaped |= lines.hold_apostrophes
                    if cells and not (lines.bad and lines.is_bad(line, last)):
                        yield last, line, cells
                return
            except csv.Error as error:
                report(self._bad(last + 1, _plainly(error), lines.latest.rstrip("\r\n")))
                last = before + reader.line_num

    def _bad(self, line: int, reason: str, text: str) -> BadRow:
        return BadRow(file=self._path.name, line=line, column="", reason=reason, text=text)


class CsvRows(CsvLines):
    """The same, most of a file in blocks that are cut into cells at once.

    From what takes more than that, as a line that is no text or quotes that do not close, it is
    read line by line.
    """

    def cells(self, rows: Sequence[list[str]], name: str) -> Sequence[str] | None:
        """The cells of a column, without what keeps spreadsheets off."""
        return self._plain_cells(rows, name)

    def chunks(self, report: Report) -> Iterator[Chunk]:
        """The rows after the header, all of the header's width."""
        if not self._begins.line:
            yield from super().chunks(report)
            return
        with self._path.open("rb") as file:
            file.seek(self._begins.offset)
            before = self._begins.line
            while block := _whole_lines(file):
                chunk = self._whole(block, before + 1)
                if chunk is None:
                    file.seek(-len(block), SEEK_CUR)
                    yield from self._line_by_line(file, before, report)
                    return
                yield chunk
                before += block.count(b"\n")

    def _whole(self, block: bytes, first: int) -> Chunk | None:
        """The rows of a block of whole lines; None if it holds anything out of the ordinary."""
        if b"\0" in block or not block.endswith(b"\n"):
            return None
        try:
            text = block.decode()
        except UnicodeDecodeError:
            return None
        if "'" in text:
            self._may_be_escaped = True
        if '"' in text or self._width == 1:
            return self._split_by_csv(text, first)
        plain = text.replace("\r\n", "\n") if "\r" in text else text
        table = None if "\r" in plain else _cut(plain, self._width)
        if table is None:
            return self._split_by_csv(text, first)
        return range(first, first + len(table)), table

    def _split_by_csv(self, text: str, first: int) -> Chunk | None:
        """The rows of a block by Python's csv; None if one of them has a mistake."""
        csv.field_size_limit(_LARGEST_CELL)
        reader = csv.reader((f"{line}\n" for line in text[:-1].split("\n")), strict=True)
        lines, rows, line = [], [], first
        try:
            for cells in reader:
                if cells:
                    lines.append(line)
                    rows.append(cells)
                line = first + reader.line_num
        except csv.Error:
            return None
        if any(len(cells) != self._width for cells in rows):
            return None
        return lines, rows


class _Place(NamedTuple):
    """A place in a file: the bytes and the lines before it."""

    offset: int
    line: int


class _Table(Sequence[list[str]]):
    """Rows of one width, kept as one list of cells."""

    def __init__(self, cells: list[str], width: int) -> None:
        self._cells = cells
        self._width = width

    def __len__(self) -> int:
        return len(self._cells) // self._width

    @overload
    def __getitem__(self, row: int) -> list[str]: ...
    @overload
    def __getitem__(self, row: slice) -> list[list[str]]: ...
    def __getitem__(self, row: int | slice) -> list[str] | list[list[str]]:
        if isinstance(row, slice):
            return [self[at] for at in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        start = row % len(self) * self._width
        return self._cells[start : start + self._width]

    def column(self, place: int) -> list[str]:
        """The cells of a column."""
        return self._cells[place :: self._width]


def _cut(text: str, width: int) -> _Table | None:
    """The rows of whole lines without quotes; None if a line has more or fewer cells."""
    *cells, _ = text.replace("\n", "\n,").split(",")
    ends = slice(width - 1, None, width)
    # Of cells that have all line ends of a text each has one, so that all lines are of one width.
    *last, _ = "".join(cells[ends]).split("\n")
    if len(cells) != width * len(last) or len(last) != text.count("\n"):
        return None
    cells[ends] = last
    return _Table(cells, width)


def _whole_lines(file: BinaryIO) -> bytes:
    """The next block of a file, to the end of a line and outside of quotes if it can be."""
    block = file.read(_BLOCK)
    for _ in range(_MOST_BLOCKS):
        end = block.rfind(b"\n") + 1
        quotes = block.count(b'"', 0, end)
        while quotes % 2:
            before = block.rfind(b"\n", 0, end - 1) + 1
            quotes -= block.count(b'"', before, end)
            end = before
        if end:
            file.seek(end - len(block), SEEK_CUR)
            return block[:end]
        more = file.read(_BLOCK)
        block += more
        if not more:
            break
    return block


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

    def cells(self, rows: Sequence[dict[str, Any]], name: str) -> None:
        """Nothing: values may be of any type."""

    def column(self, rows: Sequence[dict[str, Any]], name: str) -> list[Any]:
        """The values under a name, None for empty ones."""
        return [None if (value := row.get(name)) == "" else value for row in rows]

    def text(self, row: dict[str, Any]) -> str:
        """The object as a line of JSON."""
        return json_line(row)

    def _objects(self, report: Report) -> Iterator[tuple[int, dict[str, Any]]]:
        with self._path.open("rb") as file:
            lines = _Lines(file, self._path.name, report, 0)
            for line, text in enumerate(lines, 1):
                if text.isspace() or lines.is_bad(line, line):
                    continue
                try:
                    yield line, _json_object(text)
                except ValueError as error:
                    name, shown = self._path.name, text.rstrip("\r\n")
                    report(BadRow(file=name, line=line, column="", reason=str(error), text=shown))


Formats = Mapping[str, Callable[[Path], Rows]]
FORMATS: Formats = {".csv": CsvRows, ".jsonl": JsonRows}


class _Lines(Iterable[str]):
    """The lines of a file as text; those that are no text are reported and remembered."""

    def __init__(self, file: BinaryIO, name: str, report: Report, before: int) -> None:
        """Begin where the file stands, after so many lines."""
        self.latest = ""
        self.bad: set[int] = set()
        self.hold_apostrophes = False
        self._file = file
        self._name = name
        self._report = report
        self._before = before

    def __iter__(self) -> Iterator[str]:
        lines = iter(partial(self._file.readline, _LARGEST_LINE), b"")
        for number, raw in enumerate(lines, self._before + 1):
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
