"""Sources collected into a store, by collectors of our own where a file could not say it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from collectedclone import empty_store

from vpemetrics.collectors.base import Batch, CollectionContext, Collector, never
from vpemetrics.collectors.files.options import Options as FilesOptions
from vpemetrics.collectors.registry import collector_of
from vpemetrics.config.sources import Source
from vpemetrics.errors import FixInput, Stopped, StoreFull
from vpemetrics.record_columns import RecordColumns
from vpemetrics.records import (
    RECORD_TYPES,
    AnyRecord,
    AuthorKind,
    Change,
    Commit,
    Deployment,
    Incident,
    Run,
    Status,
)
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.store.horizons import raise_horizons
from vpemetrics.store.loading import load_left_out
from vpemetrics.usecases.collecting import Collected, collect

NOON = datetime(2026, 9, 7, 12, tzinfo=UTC)
DEPLOYMENTS = """id,service,environment,status,finished_at
1,shop,prod,succeeded,2026-09-01T10:00:00Z
"""

Collect = Callable[[Any, CollectionContext], Iterator[Batch]]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Nothing to set but a token."""

    token: str = "env:TOKEN"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.db") as store:
        yield store


def of(collect_: Collect) -> Source:
    """A source named `s` that says what a function yields."""
    collector = Collector(options=Options, collect=collect_)
    return Source(name="s", collector=collector, options=Options(), folder=Path())


def files(folder: Path) -> Source:
    return Source(
        name="f", collector=collector_of("files"), options=FilesOptions(path="."), folder=folder
    )


def collected(
    store: Store,
    source: Source,
    *,
    rules: Rules | None = None,
    warn: Callable[[str], None] = pytest.fail,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
    stop: Callable[[], bool] = never,
) -> Collected:
    """What came of a collection that began at noon and took two seconds."""
    moments = iter([NOON, NOON + timedelta(seconds=2)])
    return collect(
        store,
        source,
        rules or Rules(),
        clock=lambda: next(moments),
        warn=warn,
        progress=progress,
        stop=stop,
    )


@pytest.mark.slow
def test_times_that_cannot_be_are_unknown_and_told(store: Store) -> None:
    zero, never, clock = (datetime(year, 1, 1, tzinfo=UTC) for year in (1, 9999, 2062))
    good = NOON - timedelta(days=1)
    deployment = Deployment(id="d", environment="prod", status=Status.SUCCEEDED, finished_at=never)
    incident = Incident(id="i", detected_at=good, resolved_at=zero)
    told: list[AnyRecord] = [
        deployment,
        Change(id="c", repository="r", merged_at=zero, closed_at=good),
        incident,
        Run(id="r", repository="r", outcome="ok", started_at=zero, finished_at=clock),
        Commit(sha=40 * "a", repository="r", authored_at=clock, committed_at=good),
        Deployment(id="e", environment="prod", status=Status.SUCCEEDED, finished_at=good),
    ]
    said: list[str] = []

    result = collected(store, of(lambda _o, _c: iter([Batch(records=told)])), warn=said.append)

    assert result.error is None
    assert said == [
        "6 times are taken for unknown: finished_at of d (deployments) is 9999-01-01T00:00:00Z, "
        "which is yet to come; merged_at of c (pull requests) is 0001-01-01T00:00:00Z, which is "
        "before 1990; resolved_at of i (incidents) is 0001-01-01T00:00:00Z, which is before 1990 "
        "and 3 more"
    ]
    deployments = [record for _, record in store.records(Deployment.KIND)]
    assert deployments == [replace(deployment, finished_at=None), told[5]]
    assert [record for _, record in store.records(Incident.KIND)] == [
        replace(incident, resolved_at=None)
    ]


def _just(batch: Batch, _options: object, _context: CollectionContext) -> Iterator[Batch]:
    yield batch


def test_columns_are_saved_as_the_records_in_them_would_be(tmp_path: Path) -> None:
    old, late = NOON - timedelta(days=90), NOON + timedelta(days=90)
    commits = [
        Commit(sha=f"{1:040x}", repository="r", author="x[bot]", committed_at=NOON),
        Commit(sha=f"{2:040x}", repository="r", author="ann", authored_at=late, committed_at=NOON),
        Commit(sha=f"{3:040x}", repository="r", committed_at=old),
        Commit(sha=f"{4:040x}", repository="s", committed_at=old),
    ]
    change = Change(id="1", repository="r", merged_at=NOON, commit_shas=(commits[2].sha,))
    kinds: tuple[Sequence[AnyRecord], ...] = (commits, [change, replace(change, id="2")])
    columns = [
        RecordColumns.of(type(kind[0]), [("s", record) for record in kind]) for kind in kinds
    ]
    ways = (Batch(records=chain(*kinds)), Batch(columns=columns))
    outcomes = []

    for number, batch in enumerate(ways):
        with Store.open(empty_store(str(tmp_path / f"{number}.db"))) as store:
            store.note_collection("s", old, old)
            with store.transaction() as connection:
                raise_horizons(connection, NOON - timedelta(days=30))
            said: list[str] = []
            result = collected(store, of(partial(_just, batch)), warn=said.append)
            kept = [record for kind in RECORD_TYPES for record in store.records(kind)]
            outcomes.append((result, said, kept))

    assert outcomes[0] == outcomes[1]
    assert result.new == {"commits": 3, "pull_requests": 2}
    assert len(said) == 1


def commit(number: int, author: str = "ann") -> Commit:
    return Commit(sha=f"{number:040x}", repository="r", author=author)


def test_the_collector_is_told_when_it_is_where_it_was_and_what_is_wanted(store: Store) -> None:
    contexts = []

    def note(options: Options, context: CollectionContext) -> Iterator[Batch]:
        assert options == Options()
        contexts.append(context)
        context.warn("mind the gap")
        context.progress(1, 2)
        yield Batch(records=[commit(1)], cursors={"r": f"{len(contexts)}"})

    rules, source = Rules(zone="Europe/Dublin"), of(note)
    warned: list[str] = []
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        collected(
            store,
            source,
            rules=rules,
            warn=warned.append,
            progress=lambda done, of: seen.append((done, of)),
        )

    assert [context.cursors for context in contexts] == [{}, {"r": "1"}]
    assert {(o.source, o.now, o.rules, o.folder) for o in contexts} == {("s", NOON, rules, Path())}
    assert warned == ["mind the gap"] * 2
    assert seen == [(1, 2)] * 2


def test_what_was_known_already_is_read_and_not_new(store: Store) -> None:
    said = [[commit(1), commit(2)], [commit(2), commit(3)]]

    def twice(_options: Options, _occasion: CollectionContext) -> Iterator[Batch]:
        yield Batch(records=said[0])
        yield Batch(records=said[1])

    first, again = collected(store, of(twice)), collected(store, of(twice))

    assert (first.read, first.new) == ({"commits": 4}, {"commits": 3})
    assert (again.read, again.new) == ({"commits": 4}, {})
    assert store.batch() == 2  # a save each, and none of the second collection


def test_a_source_without_news_writes_nothing(store: Store) -> None:
    def silent(_options: Options, _occasion: CollectionContext) -> Iterator[Batch]:
        yield from ()

    result = collected(store, of(silent))

    assert result == Collected(source="s", seconds=2.0)
    assert (store.batch(), store.sources(), store.cursors("s")) == (0, [], {})
    assert store.collections()["s"].succeeded_at == NOON + timedelta(seconds=2)


def test_configured_bots_are_marked(store: Store) -> None:
    def some(_options: Options, _occasion: CollectionContext) -> Iterator[Batch]:
        yield Batch(records=[commit(1, "renovate-7"), commit(2)])

    collected(store, of(some), rules=Rules(bots=("renovate*",)))

    assert [record.author_kind for _, record in store.records("commits")] == [  # type: ignore[union-attr]
        AuthorKind.AUTOMATION,
        None,
    ]


def test_who_looks_like_automation_and_is_in_no_list_is_told(store: Store) -> None:
    def some(_options: Options, _occasion: CollectionContext) -> Iterator[Batch]:
        yield Batch(records=[commit(n, "acme-bot" if n < 5 else "ada") for n in range(1, 31)])

    warned: list[str] = []
    collected(store, of(some), warn=warned.append)

    (told,) = warned
    assert "acme-bot (13%)" in told
    assert 'add to [bots]: authors = ["acme-bot"]' in told


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (FixInput("the clone is gone"), "the clone is gone"),
        (FileNotFoundError(2, "No such file", "x.csv"), "x.csv: No such file"),
        (ConnectionError("http://me:hunter2@host refused"), "http://me:…@host refused"),
        (ZeroDivisionError("hunter2"), "a bug in vpemetrics: ZeroDivisionError"),
    ],
)
def test_a_failure_is_returned_and_kept_and_leaves_what_was_saved_before(
    store: Store, problem: Exception, said: str
) -> None:
    def breaking(_options: Options, _occasion: CollectionContext) -> Iterator[Batch]:
        yield Batch(records=[commit(1)], cursors={"r": "1"})
        raise problem

    result = collected(store, of(breaking))

    assert (result.error, result.new) == (said, {"commits": 1})
    assert result.bug is (problem if isinstance(problem, ZeroDivisionError) else None)
    assert store.cursors("s") == {"r": "1"}
    assert store.collections()["s"] == (NOON, NOON + timedelta(seconds=2), None, said)


def test_a_portion_that_breaks_off_is_not_saved_and_its_cursor_stays(store: Store) -> None:
    def breaking(_options: Options, _occasion: CollectionContext) -> Iterator[Batch]:
        def records() -> Iterator[Commit]:
            yield from map(commit, range(1, 12_000))
            raise FixInput("half of it")

        yield Batch(records=[commit(0)], cursors={"r": "0"})
        yield Batch(records=records(), cursors={"r": "1"})

    assert collected(store, of(breaking)).error == "half of it"
    assert store.counts() == {"commits": 1}
    assert store.cursors("s") == {"r": "0"}


def test_what_is_wrong_with_the_store_is_no_fault_of_the_source(store: Store) -> None:
    def full(_options: Options, _occasion: CollectionContext) -> Iterator[Batch]:
        raise StoreFull("no room")
        yield Batch(records=[])

    with pytest.raises(StoreFull):
        collected(store, of(full))
    assert store.collections() == {}


def test_files_are_read_whole_each_time_and_belong_to_the_source(
    store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "deployments.csv").write_text(DEPLOYMENTS)

    first, again = collected(store, files(folder)), collected(store, files(folder))

    assert first.new == {"deployments": 1, "coverage": 1}
    assert (again.read, again.new) == (first.read, {})
    assert store.sources() == ["f"]
    assert [stretch.source for stretch in store.coverage()] == ["f"]


def test_files_that_tell_of_the_future_are_refused(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "deployments.csv").write_text(DEPLOYMENTS.replace("2026", "2062"))

    result = collected(store, files(folder))

    assert result.error is not None
    assert "deployments.csv:2: column finished_at: 2062-09-01T10:00:00Z is yet to" in result.error
    assert store.counts() == {}


def test_the_collector_is_given_the_secrets_its_options_name(store: Store) -> None:
    given = []

    def ask(_options: Options, context: CollectionContext) -> Iterator[Batch]:
        given.append(context.secret("env:TOKEN"))
        yield Batch(records=[])

    collect(
        store,
        of(ask),
        Rules(),
        clock=lambda: NOON,
        warn=pytest.fail,
        progress=lambda _done, _of: None,
        environ={"TOKEN": "s3cret"},
    )

    assert given == ["s3cret"]


def test_a_secret_that_is_not_there_fails_its_source_alone(store: Store) -> None:
    def ask(_options: Options, context: CollectionContext) -> Iterator[Batch]:
        context.secret("env:TOKEN")
        yield Batch(records=[])

    result = collected(store, of(ask))

    assert result.error == "env:TOKEN: the environment variable TOKEN is not set"


def test_what_cannot_wait_is_announced_at_once_or_else_a_warning(store: Store) -> None:
    def wait(_options: Options, context: CollectionContext) -> Iterator[Batch]:
        context.announce("waiting")
        context.countdown(timedelta(seconds=1))
        yield Batch(records=[])

    announced: list[str] = []
    counted: list[timedelta] = []
    warned: list[str] = []
    settings: dict[str, Any] = {"clock": lambda: NOON, "progress": lambda _done, _of: None}
    collect(
        store,
        of(wait),
        Rules(),
        warn=pytest.fail,
        announce=announced.append,
        countdown=counted.append,
        **settings,
    )
    collect(store, of(wait), Rules(), warn=warned.append, **settings)

    assert announced == warned == ["waiting"]
    assert counted == [timedelta(seconds=1)]


def test_a_stopped_collection_keeps_what_was_saved_and_is_neither_done_nor_failed(
    store: Store,
) -> None:
    stopping = Event()

    def stopped_on_the_way(_options: Options, _context: CollectionContext) -> Iterator[Batch]:
        yield Batch(records=[commit(1)], cursors={"r": "1"})
        stopping.set()
        yield Batch(records=[commit(2)], cursors={"r": "2"})

    with pytest.raises(Stopped):
        collected(store, of(stopped_on_the_way), stop=stopping.is_set)

    assert store.counts() == {"commits": 1}
    assert store.cursors("s") == {"r": "1"}
    assert store.collections() == {}


def test_whatever_ends_a_collection_that_is_to_stop_is_no_error(store: Store) -> None:
    answers = iter([False])  # Ctrl-C reached git first, and us a moment later

    def broken(_options: Options, _context: CollectionContext) -> Iterator[Batch]:
        raise FixInput("git was interrupted")
        yield Batch(records=[])

    with pytest.raises(Stopped):
        collected(store, of(broken), stop=lambda: next(answers, True))

    assert store.collections() == {}


def test_a_collection_that_ends_early_because_it_is_to_stop_is_not_taken_for_whole(
    store: Store,
) -> None:
    stopping = Event()

    def leaving(_options: Options, context: CollectionContext) -> Iterator[Batch]:
        stopping.set()
        if not context.stop():
            yield Batch(records=[commit(1)])

    with pytest.raises(Stopped):
        collected(store, of(leaving), stop=stopping.is_set)

    assert store.collections() == {}


def test_a_long_batch_stops_where_its_progress_is_told(store: Store) -> None:
    stopping = Event()

    def long(_options: Options, context: CollectionContext) -> Iterator[Batch]:
        def records() -> Iterator[Commit]:
            for number in range(10):
                context.progress(number, 10)
                yield commit(number)
                stopping.set()

        yield Batch(records=records())

    with pytest.raises(Stopped):
        collected(store, of(long), stop=stopping.is_set)

    assert store.counts() == {}


def test_what_is_left_out_is_told_and_kept_until_a_collection_finds_it_well(store: Store) -> None:
    odd = {"a#1": "Forge's answer about a#1 has no `id`", "a#2": "a#2 is odd"}
    warned: list[str] = []

    def leave_out(_options: Any, context: CollectionContext) -> Iterator[Batch]:
        for name, why in odd.items():
            context.leave_out(name, why)
        yield Batch(records=[commit(1)])

    first = collected(store, of(leave_out), warn=warned.append)
    shown = left_out(store)
    odd.pop("a#2")
    collected(store, of(leave_out), warn=warned.append)
    fewer = left_out(store)
    odd.clear()
    collected(store, of(leave_out))

    assert first.error is None
    assert first.new == {"commits": 1}
    assert warned == [
        "left out 2 records until they can be read: "
        "Forge's answer about a#1 has no `id`; a#2 is odd",
        "left out 1 record until it can be read: Forge's answer about a#1 has no `id`",
    ]
    assert list(shown) == ["a#1", "a#2"]
    assert list(fewer) == ["a#1"]
    assert left_out(store) == {}
    assert store.cursors("s") == {}


def test_a_collection_that_fails_forgets_nothing_that_was_left_out(store: Store) -> None:
    def leave_out(_options: Any, context: CollectionContext) -> Iterator[Batch]:
        context.leave_out("a#1", "a#1 is odd")
        yield Batch(records=[])

    def fail(_options: Any, context: CollectionContext) -> Iterator[Batch]:
        context.leave_out("b#1", "b#1 is odd")
        yield Batch(records=[])
        raise FixInput("it failed")

    collected(store, of(leave_out), warn=lambda _text: None)
    collected(store, of(fail), warn=lambda _text: None)

    assert left_out(store) == {"a#1": "a#1 is odd", "b#1": "b#1 is odd"}


def left_out(store: Store) -> dict[str, str]:
    with store.view() as connection:
        return load_left_out(connection).get("s", {})
