"""Files into records: every row is checked, and every mistake named by file, line and column."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from vpemetrics.collectors.base import bot_test, mark_bots
from vpemetrics.collectors.files.cells import FIELDS, SOURCE, Field, nearest
from vpemetrics.collectors.files.covering import Covering, Spans, Whole
from vpemetrics.collectors.files.graph import Ancestry, Keys
from vpemetrics.collectors.files.rows import FORMATS, Report, Rows, csv_line
from vpemetrics.errors import BadRow, BadRows, FixInput
from vpemetrics.records import RECORD_TYPES, Commit, Coverage, Sourced, Triage

Warn = Callable[[str], None]
Build = Callable[[Any], Sourced]

_KEY_COLUMN = {Commit.KIND: "sha", Triage.KIND: "record"}
_REJECTED_HEADER = ["file", "line", "column", "reason", "text"]


def read(
    path: Path,
    *,
    source: str = "files",
    bots: Collection[str] = (),
    covers: tuple[date, date] | None = None,
    zone: str = "UTC",
    rejected: Path | None = None,
    warn: Warn = lambda _: None,
) -> Iterator[Sourced]:
    """The records of a file, or of all files of a folder, each with its source.

    A row's source is its `source` column, or else `source`. Changes and commits by authors
    that match `bots` (see `bot_test`) are marked. What the files cover is the range of dates
    `covers` (the end excluded, in `zone`), or the file named coverage, or else what lies
    between the first and last row of each service or repository.

    Mistakes raise BadRows, all at once and at the end, so save within one transaction.
    With a path for `rejected` the bad rows are written there instead, with the reasons,
    and the good ones are all that is yielded. `warn` is told what is odd but no mistake.
    """
    files = [_File(found, source, warn) for found in _find(Path(path), warn)]
    if bad := [row for file in files for row in file.bad_header]:
        raise BadRows(bad)
    covering = _covering(files, source, covers, zone)
    records = _all_good(files) if rejected is None else _the_good(files, rejected, warn)
    yield from covering.watch(mark_bots(records, bot_test(bots)))
    yield from covering.stretches()


def _covering(
    files: Sequence["_File"], source: str, covers: tuple[date, date] | None, zone: str
) -> Covering:
    kinds = [file.kind for file in files]
    if covers is not None:
        return Whole(covers, zone, kinds, source)
    return Spans(silent=Coverage.KIND in kinds)


def _all_good(files: Iterable["_File"]) -> Iterator[Sourced]:
    """Every record; BadRows at the end if there was a mistake anywhere."""
    bad: list[BadRow] = []
    for file in files:
        for _, record in file.records(bad.append):
            if not bad:
                yield record
    if bad:
        raise BadRows(bad)


def _the_good(files: Sequence["_File"], rejected: Path, warn: Warn) -> Iterator[Sourced]:
    """The records without a mistake; the rows with one are written to a file first."""
    mistakes = {file: _mistakes(file) for file in files}
    bad = [row for rows in mistakes.values() for row in rows]
    if bad:
        _write_rejected(bad, rejected)
        rows = "1 bad row was" if len(bad) == 1 else f"{len(bad)} bad rows were"
        warn(f"{rows} left out, see {rejected}")
    for file, its_bad in mistakes.items():
        left_out = {row.line for row in its_bad}
        for line, record in file.records(lambda _: None, check_whole=False):
            if line not in left_out:
                yield record


def _mistakes(file: "_File") -> list[BadRow]:
    bad: list[BadRow] = []
    for _ in file.records(bad.append):
        pass
    return bad


def _write_rejected(bad: Iterable[BadRow], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(csv_line(_REJECTED_HEADER) + "\n")
        for row in bad:
            cells = [row.file, str(row.line), row.column, row.reason, row.text]
            file.write(csv_line(cells) + "\n")


def _find(path: Path, warn: Warn) -> list[Path]:
    """The files to read: the one that is named, or those of a folder, kind by kind."""
    if not path.exists():
        raise FixInput(f"there is no file or folder {path}")
    if path.is_file():
        if path.stem not in RECORD_TYPES or path.suffix not in FORMATS:
            raise FixInput(f"{path.name}: {_unknown_name(path)}")
        return [path]
    named = {kind + ending: path / (kind + ending) for kind in RECORD_TYPES for ending in FORMATS}
    for other in sorted(path.iterdir()):
        if other.suffix in FORMATS and other.name not in named:
            warn(f"{other.name} was not read: {_unknown_name(other)}")
    found = [candidate for candidate in named.values() if candidate.is_file()]
    if not found:
        raise FixInput(f"{path} holds nothing to import; {_EXPECTED}")
    return found


_EXPECTED = f"files are named {', '.join(RECORD_TYPES)}, ending in {' or '.join(FORMATS)}"


def _unknown_name(path: Path) -> str:
    return f"no kind of record has this name{nearest(path.stem, list(RECORD_TYPES))}; {_EXPECTED}"


class _File:
    """A file of one kind of record."""

    def __init__(self, path: Path, source: str, warn: Warn) -> None:
        self.kind = path.stem
        self.bad_header: list[BadRow] = []
        self._name = path.name
        self._source = source
        self._warn = warn
        self._rows: Rows = FORMATS[path.suffix](path)
        self._fields = {field.name: field for field in FIELDS[self.kind]}
        self._told: set[str] = set()
        header = self._rows.header()
        self._columns = None if header is None else self._check_header(header)

    def records(self, report: Report, *, check_whole: bool = True) -> Iterator[tuple[int, Sourced]]:
        """Each good record with its line; mistakes are reported.

        Those that only the whole file shows are found at the end, after their rows.
        """
        keys, ancestry = Keys(), Ancestry()
        for line, sourced in self._built(report):
            source, record = sourced
            if check_whole:
                keys.add((source, record.key), line)
                if isinstance(record, Commit):
                    ancestry.add(record.sha, record.parents)
            yield line, sourced
        if check_whole:
            self._report_twice(keys.given_twice(), report)
            self._report_cycles(keys.lines(ancestry.closing_cycles()), report)

    def _built(self, report: Report) -> Iterator[tuple[int, Sourced]]:
        build = self._builder()
        for line, row in self._rows(report):
            try:
                yield line, build(row)
            except (ValueError, TypeError):  # a bad value, or a required one left out
                bad = [self._bad(line, column, why, row) for column, why in self._reasons(row)]
                if not bad:
                    raise
                for mistake in bad:
                    report(mistake)

    def _builder(self) -> Build:
        return self._build_object if self._columns is None else self._build_cells(self._columns)

    def _build_cells(self, columns: Sequence[str]) -> Build:
        """What makes a record of the cells of these columns."""
        readers = [
            (index, name, self._fields[name].read)
            for index, name in enumerate(columns)
            if name in self._fields
        ]
        place = columns.index(SOURCE) if SOURCE in columns else None

        def build(cells: Sequence[str]) -> Sourced:
            values = {name: read(cells[index]) for index, name, read in readers if cells[index]}
            return self._record(cells[place] if place is not None else "", values)

        return build

    def _build_object(self, row: dict[str, Any]) -> Sourced:
        if not self._told.issuperset(row):
            self._tell_unknown(row)
        values = {
            name: field.from_json(row[name])
            for name, field in self._fields.items()
            if not _is_empty(row.get(name))
        }
        return self._record(row.get(SOURCE), values)

    def _record(self, source: Any, values: dict[str, Any]) -> Sourced:
        name = _source_name(source) or self._source
        if self.kind == Coverage.KIND:
            _check_stretch(values)
            values[SOURCE] = name
        return name, RECORD_TYPES[self.kind](**values)

    def _reasons(self, row: Any) -> Iterator[tuple[str, str]]:
        """Every mistake of a row that no record could be made of: its column, and why."""
        values = {}
        for field in self._fields.values():
            try:
                values[field.name] = self._value(field, row)
            except ValueError as error:
                yield field.name, str(error)
        if self._columns is None and (reason := _complaint(_source_name, row.get(SOURCE))):
            yield SOURCE, reason
        if self.kind == Coverage.KIND and (reason := _complaint(_check_stretch, values)):
            yield "end", reason

    def _value(self, field: Field, row: Any) -> Any:
        raw = row.get(field.name) if self._columns is None else self._cell(field.name, row)
        if _is_empty(raw):
            if field.required:
                raise ValueError("is required, but empty")
            return None
        return field.from_json(raw) if self._columns is None else field.read(raw)

    def _cell(self, name: str, cells: Sequence[str]) -> str:
        columns = self._columns or []
        return cells[columns.index(name)] if name in columns else ""

    def _check_header(self, columns: list[str]) -> list[str]:
        required = [field.name for field in self._fields.values() if field.required]
        missing = [name for name in required if name not in columns]
        twice = sorted({name for name in columns if columns.count(name) > 1})
        if not columns:
            self._refuse_header(f"the file is empty; the first line names {', '.join(required)}, …")
        elif missing:
            self._refuse_header(f"required columns are missing: {', '.join(missing)}")
        if twice:
            self._refuse_header(f"columns are named twice: {', '.join(twice)}")
        self._tell_unknown(columns)
        return columns

    def _refuse_header(self, reason: str) -> None:
        self.bad_header.append(BadRow(file=self._name, line=1, column="", reason=reason))

    def _tell_unknown(self, names: Iterable[str]) -> None:
        """Warns of columns we do not know, each once."""
        valid = [SOURCE, *self._fields]
        for name in names:
            if name not in self._told and name not in valid:
                self._warn(f"{self._name}: column {name!r} is unknown{nearest(name, valid)}")
            self._told.add(name)

    def _report_twice(self, lines: Sequence[int], report: Report) -> None:
        """Reports rows that say something else under a key that was given before."""
        if self.kind == Coverage.KIND:
            return  # stretches may overlap
        first: dict[tuple[str, str], tuple[int, Sourced]] = {}
        for line, row, sourced in self._again(lines):
            source, record = sourced
            line_before, before = first.setdefault((source, record.key), (line, sourced))
            if before != sourced:
                reason = f"{record.key!r} was given before, on line {line_before}, differently"
                report(self._bad(line, _KEY_COLUMN.get(self.kind, "id"), reason, row))

    def _report_cycles(self, lines: Sequence[int], report: Report) -> None:
        for line, row, (_, commit) in self._again(lines):
            reason = f"commit {commit.key} is its own ancestor: its parents form a cycle"
            report(self._bad(line, "parents", reason, row))

    def _bad(self, line: int, column: str, reason: str, row: Any) -> BadRow:
        text = self._rows.text(row)
        return BadRow(file=self._name, line=line, column=column, reason=reason, text=text)

    def _again(self, lines: Collection[int]) -> Iterator[tuple[int, Any, Sourced]]:
        """The rows and records of these lines, read once more."""
        wanted = set(lines)
        if not wanted:
            return
        build = self._builder()
        for line, row in self._rows(lambda _: None):
            if line in wanted:
                yield line, row, build(row)


def _is_empty(value: Any) -> bool:
    return value is None or value == ""


def _source_name(value: Any) -> str:
    if not isinstance(value, str | None):
        raise ValueError(f"expected a text, found {value!r}")
    return value or ""


def _check_stretch(values: dict[str, Any]) -> None:
    start, end = values.get("start"), values.get("end")
    if start and end and end <= start:
        raise ValueError("a stretch must end after it starts")


def _complaint(check: Callable[[Any], object], value: Any) -> str:
    try:
        check(value)
    except ValueError as error:
        return str(error)
    return ""
