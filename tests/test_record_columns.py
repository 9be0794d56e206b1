"""Records become columns, and columns the same records."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from anyrecords import any_sourced
from hypothesis import given
from hypothesis import strategies as st
from tiers import law

from vpemetrics.record_columns import RecordColumns, instant_fields, to_instants
from vpemetrics.records import RECORD_TYPES, Change, Coverage, Repository, Sourced


@given(st.lists(any_sourced, max_size=20))
@law(100, soak=20_000)
def test_columns_of_records_hold_the_same_records(pairs: list[Sourced]) -> None:
    for record in RECORD_TYPES.values():
        mine = [pair for pair in pairs if isinstance(pair[1], record)]

        told = RecordColumns.of(record, mine)

        assert len(told) == len(mine)
        assert list(zip(told.sources, told.records(), strict=True)) == mine
        joined = RecordColumns.join([told, RecordColumns.of(record, mine[:3]), told])
        assert joined.records() == [one for _, one in (*mine, *mine[:3], *mine)]
        kept = list(range(0, len(mine), 2))
        assert told.take(kept).records() == [mine[row][1] for row in kept]


def test_moments_are_found_by_their_type() -> None:
    assert instant_fields(Coverage) == {"start", "end"}
    assert {"merged_at", "closed_at", "first_review_at"} < instant_fields(Change)
    assert instant_fields(Repository) == frozenset()


def test_what_no_column_tells_is_unknown() -> None:
    at = datetime(2026, 9, 1, 12, tzinfo=UTC)
    columns: dict[str, Sequence[Any]] = {
        "id": ["1", "2"],
        "repository": ["r", "r"],
        "labels": [("a",), ()],
    }

    told = RecordColumns.filled(Change, "git", columns, {"merged_at": to_instants([at, None])})

    assert told.sources == ["git", "git"]
    assert told.records() == [
        Change(id="1", repository="r", labels=("a",), merged_at=at),
        Change(id="2", repository="r"),
    ]
