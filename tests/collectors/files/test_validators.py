"""Cells as pydantic reads them, held to a plain reading that shares nothing with it."""

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from anyrecords import ONE_OF_EACH
from govuk import FOLDER, needs_govuk
from govuk import records as govuk_records
from hypothesis import given
from hypothesis import strategies as st
from tiers import law

from vpemetrics.collectors.files.fields import FIELDS, Field
from vpemetrics.collectors.files.reading import read
from vpemetrics.collectors.files.validators import column_validators
from vpemetrics.errors import BadRows
from vpemetrics.records import AnyRecord, Coverage

SHA = "C0ffee" * 6 + "0123"
MOMENT = "2026-09-01T12:00:00"
ODD = [
    *(
        "0",
        "1",
        "-1",
        "true",
        "TRUE",
        "tRuE",
        "FALSE",
        "yes",
        "no",
        "y",
        "on",
        "off",
        "t",
        "fal\u017fe",
    ),
    *("1.0", "1e3", "1_000", " 1", "1 ", "+1", "007", "-007", "-0", "\u0663"),
    *("9" * 18, "9" * 19, "-" + "9" * 18, "1725192000", "1725192000.5", "infinity", "nan"),
    *(
        MOMENT + end
        for end in ("", "Z", "z", ".5Z", ",5Z", ".123456Z", ".1234567Z", "+02:00", "-0330")
    ),
    *(
        "2026-09-01",
        "20260901T120000Z",
        "2026-W36-2T12Z",
        "2026-09-01 12:00+02",
        MOMENT + "+02:00:30",
    ),
    *("2026-09-01T24:00:00Z", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+10:00"),
    *("9999-12-31T23:59:59-10:00", MOMENT + "+00:00"),
    *(
        SHA,
        SHA.lower(),
        SHA[:39],
        SHA + "a",
        "f" * 64,
        SHA + "\n",
        SHA + " ",
        f" {SHA}\t{'F' * 64}",
    ),
    *(
        f"{SHA} x",
        "g" * 40,
        "abcdef1",
        "ABCDEF1",
        "abcdef",
        ";",
        ";;",
        "a;b",
        "a\\;b",
        "a\\",
        "\\\\",
    ),
    *("succeeded", "Succeeded", "success", "link", "runs", "deploys", "*", "é", "'", '"', "a\r\nb"),
]


def read_plainly(field: Field, text: str) -> Any:
    """The value of a cell. ValueError if it has none."""
    if not text:
        return require(field.default, not field.required)
    if field.name in {"parents", "commit_shas", "reverts_sha"}:
        return tuple(whole_sha(sha) for sha in text.split())
    if field.name == "cause_sha":
        return require(text.lower(), re.fullmatch(r"[0-9a-f]{7,64}", text.lower()))
    if field.name.endswith("sha"):
        return whole_sha(text)
    if issubclass(field.type, StrEnum):
        return field.type(text)
    return PLAINLY[field.type](text)


def require(value: Any, good: object) -> Any:
    if not good:
        raise ValueError(value)
    return value


def whole_sha(text: str) -> str:
    sha = text.lower()
    return str(require(sha, len(sha) in {40, 64} and re.fullmatch("[0-9a-f]+", sha)))


def moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    require(found, found.tzinfo)
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def texts(text: str) -> tuple[str, ...]:
    items, escaped = [""], False
    for letter in text:
        if escaped or letter not in ";\\":
            items[-1] += letter
            escaped = False
        elif letter == "\\":
            escaped = True
        else:
            items.append("")
    return tuple(item for item in require(items, not escaped) if item)


PLAINLY: dict[type[Any], Callable[[str], Any]] = {
    str: str,
    datetime: moment,
    tuple: texts,
    int: lambda text: int(require(text, re.fullmatch(r"-?[0-9]{1,18}", text))),
    bool: lambda text: {"true": True, "1": True, "false": False, "0": False}[text.lower()],
}


@st.composite
def mutated(draw: st.DrawFn, good: str) -> str:
    """A cell as it was, or damaged at one place, or something else altogether."""
    at = draw(st.integers(0, len(good)))
    letter = draw(
        st.sampled_from(["", " ", ";", "\\", "a", "Z", "0", "+", "-", ":", "T", "é", "\n"])
    )
    rest = good[at + draw(st.integers(0, 1)) :]
    return draw(st.sampled_from(["", good, good.upper(), good[:at] + letter + rest]))


def csv_file(rows: list[list[str]]) -> str:
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def outcome(name: str, text: str) -> tuple[list[Any], list[tuple[int, str]]]:
    """The records of a file without what it covers, or the lines and columns of its mistakes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode())
        try:
            records = [record for _, record in read(path)]
        except BadRows as error:
            return [], [(row.line, row.column) for row in error.rows]
    is_coverage = name.startswith(Coverage.KIND)
    return [record for record in records if is_coverage or record.KIND != Coverage.KIND], []


@pytest.mark.slow
@pytest.mark.parametrize("record", ONE_OF_EACH, ids=lambda record: record.KIND)
@given(data=st.data())
@law(100, soak=5_000)
def test_a_mutated_cell_has_the_verdict_and_place_of_a_plain_reading(
    record: AnyRecord, data: st.DataObject
) -> None:
    names = [field.name for field in FIELDS[record.KIND]]
    rows = [
        [field.cell(getattr(record, field.name)) for field in FIELDS[record.KIND]] for _ in range(3)
    ]
    for number, row in enumerate(rows):
        row[0] = f"{number:040x}" if record.KIND != Coverage.KIND else row[0]
    at = data.draw(st.integers(0, 2))
    field = data.draw(st.sampled_from(FIELDS[record.KIND][1:]))
    place = names.index(field.name)
    rows[at][place] = cell = data.draw(st.sampled_from(ODD) | mutated(rows[at][place]))

    records, mistakes = outcome(f"{record.KIND}.csv", csv_file([names, *rows]))
    line = 1 + csv_file([names, *rows[:at]]).count("\n")
    try:
        value = read_plainly(field, cell)
    except (ValueError, KeyError):
        assert mistakes == [(line, field.name)]
        return
    if isinstance(record, Coverage) and not is_stretch(replace(record, **{field.name: value})):
        assert mistakes == [(line, "end")]
        return
    assert mistakes == []
    found = getattr(records[at], field.name)
    assert (found, type(found)) == (value, type(value))


def is_stretch(coverage: Coverage) -> bool:
    return coverage.start < coverage.end


@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, field) for kind, fields in FIELDS.items() for field in fields],
    ids=lambda value: getattr(value, "name", value),
)
def test_every_odd_text_has_the_verdict_of_a_plain_reading_in_every_column(
    kind: str, field: Field
) -> None:
    validate = column_validators(kind, json=False)[field.name]

    assert [verdict(lambda cell: validate([cell])[0], text) for text in ODD] == [
        verdict(lambda cell: read_plainly(field, cell), text) for text in ODD
    ]


def verdict(read_cell: Callable[[str], Any], text: str) -> tuple[str, type[Any] | None, Any]:
    """A text and the value that is read of it, with its type; no type if it is refused."""
    try:
        value = read_cell(text)
    except (ValueError, KeyError):
        return text, None, None
    return text, type(value), value


@pytest.mark.slow
@needs_govuk
@pytest.mark.needs_shared_data
def test_recorded_files_are_read_as_by_the_csv_module_alone() -> None:
    records = [record for _, record in read(FOLDER) if record.KIND != Coverage.KIND]

    assert records == list(govuk_records())
