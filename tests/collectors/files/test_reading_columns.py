"""A file read in blocks, a column at a time, says what it says line by line and cell by cell."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from anyrecords import ONE_OF_EACH, any_sourced
from hypothesis import given
from hypothesis import strategies as st
from tiers import law

from vpemetrics.collectors.files import rows
from vpemetrics.collectors.files.plain_cells import parse_instants
from vpemetrics.collectors.files.reading import read_columns
from vpemetrics.collectors.files.rows import FORMATS, CsvLines
from vpemetrics.collectors.files.validators import read_instant
from vpemetrics.collectors.files.writing import write
from vpemetrics.errors import BadRow, BadRows
from vpemetrics.records import RECORD_TYPES, Sourced
from vpemetrics.window import to_micros

LINE_BY_LINE = {**FORMATS, ".csv": CsvLines}
SHA = "a" * 40


class Outcome:
    """All that came of reading: records, refusals, warnings, rows that were left out."""

    def __init__(self, path: Path, rejected: Path | None, **options: Any) -> None:
        self.warnings: list[str] = []
        self.records: list[Sourced] = []
        self.refused: list[BadRow] = []
        self.rejected = ""
        found = read_columns(path, rejected=rejected, warn=self.warnings.append, **options)
        try:
            for told in found:
                self.records += zip(told.sources, told.records(), strict=True)
        except BadRows as error:
            self.refused = list(error.rows)
            self.records = []  # how many came before it depends on the chunks
        if rejected is not None and rejected.exists():
            self.rejected = rejected.read_text(encoding="utf-8")
            rejected.unlink()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Outcome) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment] # it is only compared

    def __repr__(self) -> str:
        return str(vars(self))


def read_both_ways(path: Path, *, skip_bad: bool = False) -> tuple[Outcome, Outcome]:
    rejected = path.parent / "rejected-rows.csv" if skip_bad else None
    return Outcome(path, rejected), Outcome(path, rejected, formats=LINE_BY_LINE)


TOKENS = [
    b"", b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\xef\xbb\xbf", b"\xff", b"\\",
    b";", b"'", b"'=", b"'+", b"=1+1", b"~", b" ", b"\t", b"-1", b"00", b"9" * 18, b"9" * 19,
    b"true", b"TRUE", b"0", b"\xd9\xa3", b"\xc3\xa9", b"\xe2\x80\xa8", b"A", b"f",
    b"2026-09-01T12:00:00Z", b"2026-02-29T12:00:00Z", b"2024-02-29T23:59:59Z", b"+02:00",
    b"2026-09-01T12:00:60Z", b"0000-01-01T00:00:00Z", b"0001-01-01T00:00:00Z",
    b"9999-12-31T23:59:58Z", b"2026-09-01 12:00:00Z", b"2026-09-01T12:00:00.5Z",
    SHA.encode(), SHA.upper().encode(), b"b" * 64, b"c" * 39, b"d" * 7, b"source,", b"id",
]  # fmt: skip
"""What means something somewhere."""


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, bytes]:
    """A file of some records of one kind, in which a few bytes became others."""
    kind = draw(st.sampled_from(sorted(RECORD_TYPES)))
    mine = any_sourced.filter(lambda pair: kind == pair[1].KIND)
    good = [("s", record) for record in ONE_OF_EACH if kind == record.KIND]
    records = good + draw(st.lists(mine, max_size=3))
    with TemporaryDirectory() as folder:
        write(lambda wanted: records if wanted == kind else [], Path(folder))
        content = (Path(folder) / f"{kind}.csv").read_bytes()
    content *= draw(st.sampled_from([1, 1, 1, 3]))  # with headers among its rows
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.sampled_from([0, 0, 1, 1, 2, 10]))
        token = draw(st.sampled_from(TOKENS) | st.binary(max_size=4))
        content = content[:at] + token + content[at + length :]
    return f"{kind}.csv", content


@given(file=spoilt(), skip_bad=st.booleans())
@law(90, soak=100_000)
def test_any_file_says_the_same(file: tuple[str, bytes], skip_bad: bool) -> None:
    name, content = file
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)

        in_blocks, line_by_line = read_both_ways(path, skip_bad=skip_bad)

    assert in_blocks == line_by_line


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[int, str]], Path]:
    """Writes a file of many rows, of which some are others, which takes several blocks."""
    monkeypatch.setattr(rows, "_BLOCK", 2**16)
    monkeypatch.setattr(rows, "_CHUNK", 200)

    def write_rows(others: dict[int, str]) -> Path:
        url = f"https://x/{'x' * 300}"  # few rows of some length, as records take the time

        def lines() -> Iterator[str]:
            yield "id,environment,status,service,commit_sha,finished_at,url\n"
            for number in range(1, 801):
                moment = f"2026-09-{number % 28 + 1:02d}T12:00:00Z"
                row = f"D{number},production,succeeded,shop,{number:040x},{moment},{url}\n"
                yield others.get(number, row)

        path = tmp_path / "deployments.csv"
        path.write_bytes("".join(lines()).encode("utf-8", "surrogateescape"))
        return path

    return write_rows


LATE = 600


@pytest.mark.parametrize(
    "row",
    [
        pytest.param('D25,production,succeeded,"a, ""b""\nc",,,\n', id="quotes and lines"),
        pytest.param("\n\r\n", id="blank lines"),
        pytest.param("'=D,production,succeeded,'a,,,\n", id="kept off spreadsheets"),
        pytest.param("D25,production,succeeded,shop,,2026-09-01T14:00:00+02:00,\n", id="zone"),
        pytest.param("D25,production,succeeded,shop,,2026-09-31T14:00:00Z,\n", id="no such day"),
        pytest.param("D25,production,succeded,shop,,,\n", id="no such word"),
        pytest.param("D25,production,succeeded\n", id="short"),
        pytest.param('D25,production,succeeded,"shop,,,\n', id="quotes not closed"),
        pytest.param('D25,production,succeeded,5" pipe,,,\n', id="a quote inside"),
        pytest.param("D25,production,succeeded,\udcff,,,\n", id="not UTF-8"),
        pytest.param("D25,production,succeeded,\0,,,\n", id="NUL"),
        pytest.param("D25,production,succeeded,a\rb,,,\n", id="a line that ends in the middle"),
        pytest.param("D7,production,failed,shop,,,\n", id="given twice"),
        pytest.param(f"D25,production,succeeded,shop,{'A' * 40},,\r\n", id="capitals, CRLF"),
    ],
)
def test_what_is_odd_late_in_a_file_says_the_same(
    many: Callable[[dict[int, str]], Path], row: str
) -> None:
    in_blocks, line_by_line = read_both_ways(many({LATE: row}))

    assert in_blocks == line_by_line
    assert all(row.line >= 8 for row in in_blocks.refused)
    assert in_blocks.records or in_blocks.refused


@given(
    st.lists(
        st.sampled_from([*(token.decode("utf-8", "replace") for token in TOKENS), ""])
        | st.datetimes().map(lambda moment: f"{moment.replace(microsecond=0).isoformat()}Z"),
        max_size=5,
    )
)
@law(300, soak=50_000)
def test_moments_are_those_of_the_validator_or_left_to_it(cells: list[str]) -> None:
    moments = parse_instants(cells)

    if moments is not None:
        known = [at for at, cell in enumerate(cells) if cell]
        assert moments[known].tolist() == [to_micros(read_instant(cells[at])) for at in known]
        assert len(np.unique(np.delete(moments, known))) <= 1


def test_the_usual_moments_are_left_to_nobody() -> None:
    moments = parse_instants(["2024-02-29T23:59:59Z", "", "1969-12-31T00:00:00Z"])

    assert moments is not None
    leap = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
    assert moments[[0, 2]].tolist() == [to_micros(leap), -86_400_000_000]
