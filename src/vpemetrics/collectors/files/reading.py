"""Files into records: every row is checked, and every mistake named by file, line and column."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from vpemetrics.collectors.base import bot_test, mark_bots
from vpemetrics.collectors.files.coverage import Covering, Spans, Whole
from vpemetrics.collectors.files.fields import nearest
from vpemetrics.collectors.files.rows import FORMATS, csv_line
from vpemetrics.collectors.files.sheet import RowBatch, Sheet, Warn
from vpemetrics.errors import BadRow, BadRows, FixInput
from vpemetrics.files import replace, unused
from vpemetrics.records import RECORD_TYPES, Coverage, Sourced
from vpemetrics.spreadsheets import defuse

_REJECTED_HEADER = ["file", "line", "column", "reason", "text"]


def read(
    *paths: Path,
    source: str = "files",
    bots: Collection[str] = (),
    covers: tuple[date, date] | None = None,
    zone: str = "UTC",
    rejected: Path | None = None,
    warn: Warn = lambda _: None,
) -> Iterator[Sourced]:
    """The records of files, and of all files of folders, each with its source.

    A row's source is its `source` column, or else `source`. Changes and commits by authors
    that match `bots` (see `bot_test`) are marked. What the files cover is the range of dates
    `covers` (the end excluded, in `zone`), or the file named coverage, or else what lies
    between the first and last row of each service or repository.

    Mistakes raise BadRows, all at once and at the end, so save within one transaction.
    With a path for `rejected` the bad rows are written there instead, with the reasons,
    and the good ones are all that is yielded. `warn` is told what is odd but no mistake.
    """
    found = dict.fromkeys(file for path in paths for file in find(path, warn))
    sheets = [Sheet(file, source, warn) for file in found]
    if bad := [row for sheet in sheets for row in sheet.bad_header]:
        raise BadRows(bad)
    covering, is_bot = _covering(sheets, source, covers, zone), bot_test(bots)
    batches = _all_good(sheets) if rejected is None else _the_good(sheets, rejected, warn)
    for kind, batch in batches:
        sourced = list(zip(batch.sources, mark_bots(batch.records, is_bot), strict=True))
        covering.see(kind, sourced)
        yield from sourced
    yield from covering.stretches()


def _covering(
    sheets: Sequence[Sheet], source: str, covers: tuple[date, date] | None, zone: str
) -> Covering:
    kinds = [sheet.kind for sheet in sheets]
    if covers is not None:
        return Whole(covers, zone, kinds, source)
    return Spans(silent=Coverage.KIND in kinds)


def _all_good(sheets: Iterable[Sheet]) -> Iterator[tuple[str, RowBatch]]:
    """Every record; BadRows at the end if there was a mistake anywhere."""
    bad: list[BadRow] = []
    for sheet in sheets:
        for batch in sheet.batches(bad.append):
            if not bad:
                yield sheet.kind, batch
    if bad:
        raise BadRows(bad)


def _the_good(
    sheets: Sequence[Sheet], rejected: Path, warn: Warn
) -> Iterator[tuple[str, RowBatch]]:
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
            yield sheet.kind, _without(batch, bad_lines)


def _mistakes(sheet: Sheet) -> list[BadRow]:
    bad: list[BadRow] = []
    for _ in sheet.batches(bad.append):
        pass
    return bad


def _without(batch: RowBatch, bad_lines: Collection[int]) -> RowBatch:
    kept = [at for at, line in enumerate(batch.lines) if line not in bad_lines]
    if len(kept) == len(batch.lines):
        return batch
    return RowBatch(
        lines=[batch.lines[at] for at in kept],
        sources=[batch.sources[at] for at in kept],
        records=[batch.records[at] for at in kept],
    )


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
