"""In however many collections bumps come, the same is told of them in the end."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tiers import law

from vpemetrics.collectors.gitops.bumps import Bump
from vpemetrics.collectors.gitops.cursor import GitopsCursor, parse_cursor
from vpemetrics.collectors.gitops.reading import BumpReading
from vpemetrics.collectors.gitops.record_builder import GitopsRecordBuilder
from vpemetrics.records import Status

MINUTE = timedelta(minutes=1)

Wanted = tuple[str, str, int]
"""A service, a version, and how many seconds after the one before it was wanted."""

wanted = st.tuples(st.sampled_from("ab"), st.sampled_from("123"), st.sampled_from([0, 20, 45, 90]))


def bumps(all_wanted: Iterable[Wanted]) -> list[Bump]:
    found, at = [], 0
    for number, (service, version, seconds) in enumerate(all_wanted):
        at += seconds
        found.append(Bump(f"{number:040x}", service, "live", version, at, None))
    return found


def collected(pieces: Iterable[Sequence[Bump]]) -> dict[str, Status]:
    """What is known of each bump after collections of so many at a time."""
    known: dict[str, Status] = {}
    after = None
    for piece in pieces:
        reading = BumpReading(bumps=piece, after=after, first_at=None, last_at=None)
        builder = GitopsRecordBuilder(reading=reading, within=MINUTE, since=None)
        known |= {one.sha: status for one, status in builder.bump_statuses}
        after = parse_cursor(cursor(builder.wanted).to_json())
        assert after == cursor(builder.wanted)
    return known


def cursor(open_ones: Iterable[Bump]) -> GitopsCursor:
    return GitopsCursor(
        settings="",
        tip="",
        boundary=(),
        wanted=tuple(open_ones),
        unresolved={"a": ("v1",)},
        cloneless=("b",),
        first_at="",
        last_at="",
    )


@given(st.lists(wanted, max_size=14), st.sets(st.integers(0, 14)))
@law(200, soak=100_000)
def test_pieces_tell_what_the_whole_does(all_wanted: list[Wanted], cuts: set[int]) -> None:
    whole = bumps(all_wanted)
    ends = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    pieces = [whole[begin:end] for begin, end in pairwise(ends)]

    assert collected(pieces) == collected([whole])
