"""Many rows are read as few are, only quicker."""

import numpy as np
import pytest
from stored import empty_store

from vpemetrics.store.columns import Arrays, read_columns, read_many, read_with_blobs
from vpemetrics.window import MISSING

VALUES = "SELECT 1 AS id, 'a' AS name UNION ALL SELECT NULL, NULL UNION ALL SELECT -3, ''"


def both(sql: str, *text: str) -> tuple[Arrays, Arrays]:
    with empty_store() as store, store.view() as connection:
        return read_many(connection, sql, text=text), read_columns(connection, sql, text=text)


def test_numbers_and_texts_come_with_what_is_missing() -> None:
    found, _ = both(VALUES, "name")

    assert sorted(zip(found["id"].tolist(), found["name"].tolist(), strict=True)) == [
        (MISSING, None),
        (-3, ""),
        (1, "a"),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        VALUES,
        f"SELECT * FROM ({VALUES}) WHERE id = 7",  # nothing
        f"SELECT * FROM ({VALUES}) WHERE id IS NULL",  # nothing but NULL
        f"SELECT {2**63 - 1} AS id, 'ä,b c' AS name",
        "SELECT 1 AS id, '' AS name UNION ALL SELECT 2, ''",
        "SELECT 1 AS id, 'x' || char(31) || 'y' AS name",  # what stands between texts in one
        "SELECT 1 AS id, char(31) AS name UNION ALL SELECT 2, 'a'",
    ],
)
def test_many_rows_are_read_as_few_are(sql: str) -> None:
    many, few = both(sql, "name")

    assert list(many) == list(few) == ["id", "name"]
    assert [many[name].dtype for name in many] == [np.int64, object]
    assert {(row[0], row[1]) for row in zip(*many.values(), strict=True)} == {
        (row[0], row[1]) for row in zip(*few.values(), strict=True)
    }


def test_a_text_where_numbers_were_announced_is_an_error() -> None:
    with pytest.raises(TypeError, match="column name holds texts"):
        both(VALUES)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([b"\0a", None, b"\xff", b""], [(1, b"\0a"), (2, b""), (3, b"\xff"), (4, b"")]),
        ([None], [(1, b"")]),
        ([], []),
    ],
)
def test_bytes_come_as_they_are(
    values: list[bytes | None], expected: list[tuple[int, bytes]]
) -> None:
    literals = ["NULL" if value is None else f"x'{value.hex()}'" for value in values]
    rows = [f"SELECT {at} AS id, {literal} AS name" for at, literal in enumerate(literals, 1)]
    sql = " UNION ALL ".join(rows) or "SELECT 1 AS id, x'' AS name WHERE 1 = 0"
    with empty_store() as store, store.view() as connection:
        columns, blobs = read_with_blobs(connection, sql, blobs=("name",))

    ends = np.cumsum(blobs["name"].lengths)
    found = [
        blobs["name"].data[end - length : end]
        for end, length in zip(ends, blobs["name"].lengths, strict=True)
    ]
    assert list(columns) == ["id"]
    assert sorted(zip(columns["id"].tolist(), found, strict=True)) == expected
