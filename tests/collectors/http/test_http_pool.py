"""Several targets at once: all that they find comes, in the order of each."""

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Barrier, Event

from subprocesses import PATIENCE

from vpemetrics.collectors.base import Batch
from vpemetrics.collectors.http import Done, Pool
from vpemetrics.errors import Stopped
from vpemetrics.records import Incident

AT = datetime(2026, 9, 7, tzinfo=UTC)


def batches(target: str, count: int = 3) -> Iterator[Batch]:
    for number in range(count):
        record = Incident(id=f"{target}{number}", detected_at=AT)
        yield Batch(records=[record], cursors={target: str(number)})


def test_all_is_found_and_the_last_cursor_of_a_target_is_its_latest() -> None:
    ids, cursors, done = set(), dict[str, str](), []

    for found in Pool(["a", "b", "c"], batches).results():
        if isinstance(found, Batch):
            ids |= {record.key for record in found.records}
            cursors |= found.cursors
        else:
            assert cursors[found.target] == "2"  # what it found came before
            done.append(found.target)

    assert ids == {f"{target}{number}" for target in "abc" for number in range(3)}
    assert sorted(done) == ["a", "b", "c"]


def test_targets_are_collected_together() -> None:
    together = Barrier(4, timeout=PATIENCE)

    def collect(target: str) -> Iterator[Batch]:
        together.wait()
        return batches(target)

    done = [found for found in Pool("abcd", collect).results() if isinstance(found, Done)]

    assert [found.error for found in done] == [None] * 4


def test_what_goes_wrong_comes_with_its_target_and_after_what_was_found() -> None:
    def collect(target: str) -> Iterator[Batch]:
        yield from batches(target, 1)
        raise ValueError(target)

    first, second = Pool(["a"], collect).results()

    assert isinstance(first, Batch)
    assert isinstance(second, Done)
    assert str(second.error) == "a"


def test_a_target_that_notices_itself_that_no_more_is_wanted_ends_its_thread() -> None:
    def collect(target: str) -> Iterator[Batch]:
        yield from batches(target, 1)
        raise Stopped

    assert [type(found) for found in Pool(["a"], collect).results()] == [Batch]


def test_nothing_is_begun_or_gone_on_with_once_it_is_stopped() -> None:
    stop = Event()
    begun = []

    def collect(target: str) -> Iterator[Batch]:
        begun.append(target)
        stop.set()
        yield from batches(target)

    found = list(Pool("abcdef", collect, at_once=1, stop=stop.is_set).results())

    assert begun == ["a"]
    assert [len(list(batch.records)) for batch in found if isinstance(batch, Batch)] == [1]


def test_who_leaves_early_leaves_no_thread_behind() -> None:
    ended = []

    def collect(target: str) -> Iterator[Batch]:
        try:
            yield from batches(target, 10_000)
        finally:
            ended.append(target)

    results = Pool(["a", "b"], collect).results()
    next(results)
    results.close()

    assert sorted(ended) == ["a", "b"]


def test_no_targets_are_no_results() -> None:
    assert list(Pool[str]([], batches).results()) == []
