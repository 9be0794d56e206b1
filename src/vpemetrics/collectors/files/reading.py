"""Files into records: every row is checked, and every mistake named by file, line and column."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from vpemetrics.collectors.authors import author_test, mark_authors_in
from vpemetrics.collectors.files.coverage import Covering, Spans, Whole
from vpemetrics.collectors.files.fields import nearest
from vpemetrics.collectors.files.rows import FORMATS, Formats, csv_line
from vpemetrics.collectors.files.sheet import RowBatch, Sheet, Warn
from vpemetrics.errors import BadRow, BadRows, FixInput
from vpemetrics.files import replace, unused
from vpemetrics.record_columns import RecordColumns
from vpemetrics.records import RECORD_TYPES, Coverage, Sourced
from vpemetrics.spreadsheets import defuse
from vpemetrics.window import why_no_time

_REJECTED_HEADER = ["file", "line", "column", "reason", "text"]


def read(*paths: Path, **options: Any) -> Iterator[Sourced]:
    """The records of files as `read_columns` has them, each with its source."""
    for told in read_columns(*paths, **options):
        yield from zip(told.sources, told.records(), strict=True)


def read_columns(
    *paths: Path,
    source: str = "files",
    bots: Collection[str] = (),
    agents: Collection[str] = (),
    covers: tuple[date, date] | None = None,
    zone: str = "UTC",
    rejected: Path | None = None,
    warn: Warn = lambda _: None,
    now: datetime | None = None,
    formats: Formats = FORMATS,
) -> Iterator[RecordColumns]:
    """The records of files, and of all files of folders, some thousand of a kind at a time.

    A row's source is its `source` column, or else `source`. Authors of changes and commits are
    judged by `bots` and `agents` (see `author_test`). What the files cover is the range of dates
    `covers` (the end excluded, in `zone`), or the file named coverage, or else what lies between
    the first and last row of each service or repository.

    Mistakes raise BadRows, all at once and at the end, so save within one transaction.
    With a path for `rejected` the bad rows are written there instead, with the reasons,
    and the good ones are all that is yielded. `warn` is told what is odd but no mistake. What
    is later than `now`, where that is given, or before all that is counted, is a mistake.
    `formats` are the readers of files by their endings.
    """
    found = dict.fromkeys(file for path in paths for file in find(path, warn))
    sheets = [Sheet(file, source, warn, now=now, formats=formats) for file in found]
    if bad := [row for sheet in sheets for row in sheet.bad_header]:
        raise BadRows(bad, headers=True)
    if covers is not None and now is not None:
        _check_range(covers, now)
    covering, kind_of = _covering(sheets, source, covers, zone), author_test(bots, agents)
    batches = _all_good(sheets) if rejected is None else _the_good(sheets, rejected, warn)
    for batch in batches:
        told = mark_authors_in(batch.columns, kind_of)
        covering.see(told)
        yield told
    if stretches := list(covering.stretches()):
        yield RecordColumns.of(Coverage, stretches)


def _check_range(covers: tuple[date, date], now: datetime) -> None:
    """Refuse to cover what is yet to come, or long before."""
    for day in covers:
        if why := why_no_time(datetime.combine(day, time(), UTC), now):
            raise FixInput(f"files cannot cover {covers[0]} to {covers[1]}: {day} {why}")


def _covering(
    sheets: Sequence[Sheet], source: str, covers: tuple[date, date] | None, zone: str
) -> Covering:
    kinds = [sheet.kind for sheet in sheets]
    if covers is not None:
        return Whole(covers, zone, kinds, source)
    return Spans(silent=Coverage.KIND in kinds)


def _all_good(sheets: Iterable[Sheet]) -> Iterator[RowBatch]:
    """Every record; BadRows at the end if there was a mistake anywhere."""
    bad: list[BadRow] = []
    for sheet in sheets:
        mistakes: list[BadRow] = []
        for batch in sheet.batches(mistakes.append):
            if not bad and not mistakes:
                yield batch
        bad += _in_order(mistakes)
    if bad:
        raise BadRows(bad)


def _the_good(sheets: Sequence[Sheet], rejected: Path, warn: Warn) -> Iterator[RowBatch]:
    """The records without a mistake; the rows with one are written to a file first."""
    mistakes = [_mistakes(sheet) for sheet in sheets]
    bad = [row for rows in mistakes for row in rows]
    if bad:
        rejected = _write_rejected(bad, rejected)
        rows = "1 mistake" if len(bad) == 1 else f"{len(bad)} mistakes"
        warn(f"{rows} found; the rows were left out, see {rejected}")
    for sheet, rows_of_sheet in zip(sheets, mistakes, strict=True):
        bad_lines = {row.line for row in rows_of_sheet}
        for batch in sheet.batches(lambda _: None, check_whole=False):
            yield _without(batch, bad_lines)


def _mistakes(sheet: Sheet) -> list[BadRow]:
    bad: list[BadRow] = []
    for _ in sheet.batches(bad.append):
        pass
    return _in_order(bad)


def _in_order(mistakes: Iterable[BadRow]) -> list[BadRow]:
    """The mistakes of a file line by line, as they are found in another order."""
    return sorted(mistakes, key=lambda row: row.line)


def _without(batch: RowBatch, bad_lines: Collection[int]) -> RowBatch:
    kept = [at for at, line in enumerate(batch.lines) if line not in bad_lines]
    if len(kept) == len(batch.lines):
        return batch
    return RowBatch([batch.lines[at] for at in kept], batch.columns.take(kept))


def _write_rejected(bad: Iterable[BadRow], wanted: Path) -> Path:
    """Write rows with their reasons into a new file; return its path.

    What is there stays: somebody may be mending it. A row's text that begins as a formula does
    is read back as it was when it is copied into a file to import.
    """
    path = unused(wanted)
    with replace(path) as file:
        file.write(csv_line(_REJECTED_HEADER).encode() + b"\n")
        for row in bad:
            texts = [defuse(text) for text in (row.column, row.reason, row.text)]
            file.write(csv_line([row.file, str(row.line), *texts]).encode() + b"\n")
    return path


def find(path: Path, warn: Warn) -> list[Path]:
    """The files to read: the one that is named, or those of a folder, kind by kind.

    FixInput if there are none.
    """
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
