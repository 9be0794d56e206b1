"""One file of records: its rows become records, and every mistake in it is found."""

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vpemetrics.collectors.files.cycles import CommitParents, Keys
from vpemetrics.collectors.files.fields import FIELDS, IS_BOT, SOURCE, Field, nearest
from vpemetrics.collectors.files.plain_cells import parse, parse_instants
from vpemetrics.collectors.files.rows import FORMATS, Formats, Report, why_unreadable
from vpemetrics.collectors.files.validators import column_validators, reason
from vpemetrics.errors import BadRow
from vpemetrics.names import first_few
from vpemetrics.record_columns import Instants, RecordColumns, are_no_times, to_instants
from vpemetrics.records import (
    RECORD_TYPES,
    AnyRecord,
    AuditEntry,
    AuthorKind,
    Commit,
    Coverage,
    Triage,
)
from vpemetrics.window import format_instant, from_micros, why_no_time

Warn = Callable[[str], None]

_TOLD = 20
"""At most as many columns of a file that nobody knows are named."""

_SHOWN = 100

_PART = 2_000
"""The rows of a chunk with a mistake that are looked at together."""

_KIND_OF_BOT = {None: None, True: AuthorKind.AUTOMATION, False: AuthorKind.PERSON}

_KEY_FIELDS = {
    Commit.KIND: ("sha", "repository"),
    Triage.KIND: ("record", "when"),
    AuditEntry.KIND: ("when", "action", "subject"),
    Coverage.KIND: ("scope", "kind", "start", "from_rows"),
}
_KEY_COLUMN = {Commit.KIND: "sha", Triage.KIND: "record", AuditEntry.KIND: "when"}


class RowBatch(NamedTuple):
    """Some records of a file, with the lines they stand on."""

    lines: Sequence[int]
    columns: RecordColumns


class Sheet:
    """A file of one kind of record.

    A row without a source of its own has the `default_source`. What is later than `now` is a
    mistake: a mistyped year would decide which week is the last.
    """

    def __init__(
        self,
        path: Path,
        default_source: str,
        warn: Warn,
        *,
        now: datetime | None = None,
        formats: Formats = FORMATS,
    ) -> None:
        self.kind = path.stem
        self.bad_header: list[BadRow] = []
        self._path, self._name = path, path.name
        self._default_source = default_source
        self._warn = warn
        self._now = now
        self._rows = formats[path.suffix](path)
        self._fields = FIELDS[self.kind]
        self._validators = column_validators(self.kind, json=self._rows.holds_json)
        self._valid = [SOURCE, *(field.name for field in self._fields)]
        self._reads_bots = "author_kind" in self._valid
        self._told = {*self._valid, *([IS_BOT.name] if self._reads_bots else ())}
        if (header := self._rows.header()) is not None:
            self._check_header(header)

    def batches(self, report: Report, *, check_whole: bool = True) -> Iterator[RowBatch]:
        """The good records; mistakes are reported.

        Those that only the whole file shows are found at the end, after their rows.
        """
        keys, ancestry = Keys(), CommitParents()
        for batch in self._built(report):
            if check_whole:
                keys.add(self._keys(batch.columns), batch.lines)
                if self.kind == Commit.KIND:
                    told = batch.columns.values
                    ancestry.add(told["sha"], told["parents"])
            yield batch
        if check_whole:
            self._report_twice(keys.given_twice(), report)
            self._report_cycles(keys.lines(ancestry.closing_cycles()), report)

    def _built(self, report: Report) -> Iterator[RowBatch]:
        for lines, rows in self._rows.chunks(report):
            if self._rows.holds_json:
                self._tell_unknown(name for row in rows for name in row)
            try:
                yield self._build(lines, rows)
            except ValueError:
                yield from self._built_in_parts(lines, rows, report)

    def _built_in_parts(
        self, lines: Sequence[int], rows: Sequence[Any], report: Report
    ) -> Iterator[RowBatch]:
        for start in range(0, len(lines), _PART):
            part = slice(start, start + _PART)
            try:
                yield self._build(lines[part], rows[part])
            except ValueError:
                yield from self._built_one_by_one(lines[part], rows[part], report)

    def _built_one_by_one(
        self, lines: Sequence[int], rows: Sequence[Any], report: Report
    ) -> Iterator[RowBatch]:
        for line, row in zip(lines, rows, strict=True):
            mistakes = [self._bad(line, column, why, row) for column, why in self._mistakes(row)]
            for mistake in mistakes:
                report(mistake)
            if not mistakes:
                yield self._build([line], [row])

    def _keys(self, columns: RecordColumns) -> Iterator[Sequence[Hashable]]:
        """The columns that tell the records of a file from each other."""
        yield columns.sources
        for name in _KEY_FIELDS.get(self.kind, ("id",)):
            is_moment = name in columns.moments
            yield columns.moments[name].tolist() if is_moment else columns.values[name]

    def _build(self, lines: Sequence[int], rows: Sequence[Any]) -> RowBatch:
        """The records of rows. ValueError if there is a mistake in one of them."""
        values, moments = {}, {}
        for field in self._fields:
            if field.type is datetime:
                moments[field.name] = self._moments(field, rows)
            else:
                values[field.name] = self._values(field, rows)
        if self._reads_bots:
            values["author_kind"] = self._kinds(values["author_kind"], rows)
        sources = self._sources(rows)
        if self.kind == Coverage.KIND:
            _check_stretches(moments["start"], moments["end"])
            values[SOURCE] = sources
        record = RECORD_TYPES[self.kind]
        told = RecordColumns(record=record, sources=sources, values=values, moments=moments)
        return RowBatch(lines, told)

    def _values(self, field: Field, rows: Sequence[Any]) -> Sequence[Any]:
        cells = self._rows.cells(rows, field.name)
        if cells is not None and (not field.required or all(cells)):
            values = parse(field, cells)
            if values is not None:
                return values
        return self._validated(field, rows)

    def _kinds(self, said: Sequence[Any], rows: Sequence[Any]) -> Sequence[Any]:
        """The kinds of authors; where there is none, what `is_bot` says."""
        if self._rows.column(rows, IS_BOT.name) is None:
            return said
        bots = self._values(IS_BOT, rows)
        return [kind or _KIND_OF_BOT[is_bot] for kind, is_bot in zip(said, bots, strict=True)]

    def _moments(self, field: Field, rows: Sequence[Any]) -> Instants:
        cells = self._rows.cells(rows, field.name)
        if cells is not None and (not field.required or all(cells)):
            moments = parse_instants(cells)
            if moments is not None:
                return self._possible(field, moments)
        return self._possible(field, to_instants(self._validated(field, rows)))

    def _possible(self, field: Field, moments: Instants) -> Instants:
        """The moments of a column. ValueError if nothing can have happened at one of them."""
        odd = are_no_times(moments, self._now)
        if odd.any():
            moment = from_micros(int(moments[np.argmax(odd)]))
            why = why_no_time(moment, self._now)
            mend = "correct it" if field.required else "leave the cell empty if there is no time"
            raise ValueError(f"{format_instant(moment)} {why}; {mend}")
        return moments

    def _validated(self, field: Field, rows: Sequence[Any]) -> Sequence[Any]:
        """The values of a column, each of them looked at by itself."""
        cells = self._rows.column(rows, field.name)
        if cells is None:
            return [field.default] * len(rows)
        if field.required and not all(cells):
            raise ValueError("is required, but empty")
        return self._validators[field.name](cells)

    def _sources(self, rows: Sequence[Any]) -> list[str]:
        names = self._rows.column(rows, SOURCE)
        if names is None:
            return [self._default_source] * len(rows)
        return [name or self._default_source for name in self._validators[SOURCE](names)]

    def _mistakes(self, row: Any) -> Iterator[tuple[str, str]]:
        """Every mistake of a row: its column, and what is wrong."""
        known: dict[str, Any] = {}
        for field in (*self._fields, *([IS_BOT] if self._reads_bots else ())):
            try:
                is_moment = field.type is datetime
                values = self._moments(field, [row]) if is_moment else self._validated(field, [row])
                known[field.name] = values
            except ValueError as error:
                yield field.name, reason(error)
        if why := _complaint(self._sources, [row]):
            yield SOURCE, why
        if {"start", "end"} <= known.keys() and (
            why := _complaint(_check_stretches, known["start"], known["end"])
        ):
            yield "end", why

    def _check_header(self, columns: list[str]) -> None:
        required = [field.name for field in self._fields if field.required]
        missing = [name for name in required if name not in columns]
        twice = sorted(name for name, count in Counter(columns).items() if count > 1)
        if why := why_unreadable(self._path, columns):
            self._refuse_header(why)
            return
        if not columns:
            self._refuse_header(f"the file is empty; the first line names {', '.join(required)}, …")
        elif missing:
            self._refuse_header(f"required columns are missing: {', '.join(missing)}")
        if twice:
            self._refuse_header(f"columns are named twice: {first_few(twice, _TOLD)}")
        self._tell_unknown(columns)

    def _refuse_header(self, reason: str) -> None:
        self.bad_header.append(BadRow(file=self._name, line=1, column="", reason=reason))

    def _tell_unknown(self, names: Iterable[str]) -> None:
        """Warn of columns we do not know, each once, and no more than a few."""
        for name in names:
            if name in self._told or len(self._told) > _TOLD + len(self._valid):
                continue
            self._told.add(name)
            if len(self._told) > _TOLD + len(self._valid):
                self._warn(f"{self._name}: further columns are unknown, and not named here")
            else:
                close = nearest(name[:_SHOWN], self._valid)
                self._warn(f"{self._name}: column {name[:_SHOWN]!r} is unknown{close}")

    def _report_twice(self, lines: Sequence[int], report: Report) -> None:
        """Report rows that say something else under a key that was given before."""
        if self.kind == Coverage.KIND:
            return  # stretches may overlap
        first: dict[tuple[str, str], tuple[int, AnyRecord]] = {}
        for line, row, source, record in self._again(lines):
            line_before, before = first.setdefault((source, record.key), (line, record))
            if before != record:
                reason = f"{record.key!r} was given before, on line {line_before}, differently"
                report(self._bad(line, _KEY_COLUMN.get(self.kind, "id"), reason, row))

    def _report_cycles(self, lines: Sequence[int], report: Report) -> None:
        for line, row, _, commit in self._again(lines):
            reason = f"commit {commit.key} is its own ancestor: its parents form a cycle"
            report(self._bad(line, "parents", reason, row))

    def _bad(self, line: int, column: str, reason: str, row: Any) -> BadRow:
        text = self._rows.text(row)
        return BadRow(file=self._name, line=line, column=column, reason=reason, text=text)

    def _again(self, lines: Collection[int]) -> Iterator[tuple[int, Any, str, AnyRecord]]:
        """The rows of these lines read once more: line, row, source and record."""
        wanted = set(lines)
        if not wanted:
            return
        for chunk in self._rows.chunks(lambda _: None):
            for line, row in zip(*chunk, strict=True):
                if line in wanted:
                    _, told = self._build([line], [row])
                    yield line, row, told.sources[0], told.records()[0]


def _check_stretches(starts: Iterable[Any], ends: Iterable[Any]) -> None:
    if any(end <= start for start, end in zip(starts, ends, strict=True)):
        raise ValueError("a stretch must end after it starts")


def _complaint(check: Callable[..., object], *values: Any) -> str:
    try:
        check(*values)
    except ValueError as error:
        return reason(error)
    return ""
