"""Commits as chunks of columns: whatever is saved, however, comes back as records would."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from anyrecords import NOON
from hypothesis import given
from hypothesis import strategies as st
from stored import empty_store, read
from tiers import law

from vpemetrics.errors import StoreProblem
from vpemetrics.lineage.rows import NONE, UNKNOWN
from vpemetrics.record_columns import RecordColumns
from vpemetrics.records import AuthorKind, Change, Commit, Deployment, Incident, Status
from vpemetrics.rules import Rules
from vpemetrics.store import Store, commit_saving, record_lookup
from vpemetrics.store.commit_chunks import find_shas, read_chunks
from vpemetrics.store.commit_columns import decode, encode
from vpemetrics.store.history import Facts
from vpemetrics.store.shas import Shas, commit_id, ids_of_packed, pack, unpack
from vpemetrics.usecases.update_lineage import bring_up_to_date


@pytest.fixture
def store(location: str) -> Iterator[Store]:
    with Store.open(location) as opened:
        yield opened


def sha(number: int, digits: int = 40) -> str:
    return sha256(str(number).encode()).hexdigest()[:digits]


def line(first: int, count: int, **more: Any) -> list[Commit]:
    """Commits one after the other, by a few people."""
    return [
        Commit(
            sha=sha(number),
            repository="shop",
            parents=(sha(number - 1),) if number else (),
            authored_at=NOON + timedelta(minutes=number),
            committed_at=NOON + timedelta(minutes=number + 3),
            author=f"person {number % 7}",
            author_kind=AuthorKind.AGENT if number % 5 == 0 else AuthorKind.PERSON,
            **more,
        )
        for number in range(first, first + count)
    ]


def told(store: Store) -> list[tuple[str, Commit]]:
    """The commits, without their authors."""
    return [
        (source, replace(one, author=None))
        for source, one in store.records("commits")
        if isinstance(one, Commit)
    ]


def expected(source: str, commits: Sequence[Commit]) -> list[tuple[str, Commit]]:
    ordered = sorted(commits, key=lambda one: (one.repository, one.sha))
    return [(source, replace(one, author=None)) for one in ordered]


def rows(store: Store) -> list[Any]:
    with store.view() as view:
        query = "SELECT id, count, shas, data FROM commit_chunks ORDER BY id"
        return [
            (id_, count, bytes(shas), bytes(data))
            for id_, count, shas, data in view.exec_driver_sql(query)
        ]


# --- shas ---------------------------------------------------------------------------------------

SHA1, SHA256 = "ab" * 20, "cd" * 32


@pytest.mark.parametrize(
    ("shas", "size"),
    [
        ((SHA1,), 21),
        ((SHA256, "01" * 32), 65),
        ((SHA1, "b"), None),  # no sha: a name that somebody gave a commit
        ((SHA1, SHA256), None),
        (("g" * 40,), None),  # of the right length, and no digits
        ((" " * 40,), None),
        (("é\0\n;",), None),
        ((), None),
    ],
)
def test_shas_are_packed_into_half_their_digits(shas: tuple[str, ...], size: int | None) -> None:
    packed = pack(shas)

    assert unpack(packed) == shas
    assert size in (len(packed), None)


def test_a_commit_has_the_same_id_among_whatever_others() -> None:
    lists = [(SHA1,), (SHA1, "b"), (), (SHA256, SHA1)]
    packed = [pack(shas) if shas else b"" for shas in lists]
    counts, ids = ids_of_packed(np.array(list(map(len, packed))), b"".join(packed))

    named = [name for shas in lists for name in shas]
    assert counts.tolist() == [1, 2, 0, 2]
    assert ids.tolist() == [commit_id(name) for name in named] == Shas.of(named).ids.tolist()
    assert len(set(ids.tolist())) == 3
    assert commit_id(SHA1.upper()) == commit_id(SHA1) > 0


@pytest.mark.parametrize(
    "write",
    [
        lambda number: f"{number:040x}",  # as people make them up
        lambda number: f"{number:064x}",
        lambda number: f"{number:08x}".ljust(40, "0"),
        lambda number: f"{number:08x}" * 5,
        lambda number: f"{number:08x}{'0' * 24}{number * 7:08x}",
    ],
)
def test_shas_that_people_make_up_have_ids_of_their_own(write: Callable[[int], str]) -> None:
    assert len(np.unique(Shas.of([write(number) for number in range(100_000)]).ids)) == 100_000


# --- saves --------------------------------------------------------------------------------------

_names = st.sampled_from([sha(n) for n in range(12)] + [SHA256, "odd", "odder"])
_moments = st.none() | st.sampled_from(
    [
        NOON,
        NOON + timedelta(microseconds=1),
        datetime(1969, 12, 31, tzinfo=UTC),
        datetime(9999, 12, 30, tzinfo=UTC),
    ]
)
any_commit = st.builds(
    Commit,
    sha=_names,
    repository=st.sampled_from(["one", "two"]),
    parents=st.lists(_names, max_size=4).map(tuple),
    authored_at=_moments,
    committed_at=_moments,
    author=st.none() | st.sampled_from([f"h:{n:016x}" for n in (0, 1, 2**64 - 1)]),
    author_kind=st.none() | st.sampled_from(AuthorKind),
    marks=st.sampled_from([(), ("Claude",), ("Codex", "Qwen Code")]),
    reverts_sha=st.lists(_names, max_size=3).map(tuple),
    picked_from_sha=st.none() | _names,
    paths=st.none() | st.lists(st.sampled_from(["a", "b;\n", "é"]), max_size=2).map(tuple),
)


@pytest.mark.slow
@law(20, soak=5_000)
@given(
    saves=st.lists(
        st.lists(st.tuples(st.sampled_from("xy"), any_commit), max_size=8), min_size=1, max_size=5
    ),
    full=st.integers(1, 6),
    pending=st.integers(1, 9),
)
def test_many_saves_leave_what_was_said_last(
    saves: list[list[tuple[str, Commit]]], full: int, pending: int
) -> None:
    known: dict[tuple[str, str, str], Commit] = {}
    with pytest.MonkeyPatch.context() as patch, empty_store() as store:
        patch.setattr(commit_saving, "FULL", full)
        patch.setattr(commit_saving, "_PENDING", pending)
        for pairs in saves:
            before = dict(known)
            known |= {(source, one.repository, one.sha): one for source, one in pairs}
            changed = store.save_all(pairs).changed

            new = sum(before.get(key) != one for key, one in known.items())
            assert changed.get("commits", 0) >= new  # one said twice in between counts twice
            assert (changed == {}) == (new == 0) or pending < len(pairs)
        assert list(store.records("commits")) == [(key[0], known[key]) for key in sorted(known)]
        assert store.counts() == ({"commits": len(known)} if known else {})
        with store.view() as view:
            assert all(0 < len(chunk.columns) <= full for chunk in read_chunks(view))


@law(20, soak=10_000)
@given(st.lists(any_commit, min_size=1, max_size=12, unique_by=lambda one: one.sha))
def test_columns_are_the_same_after_being_bytes(commits: list[Commit]) -> None:
    with empty_store() as store:
        store.save("s", commits)
        with store.view() as view:
            for chunk in read_chunks(view):
                again = decode(*encode(chunk.columns))

                assert [*again.records("r")] == [*chunk.columns.records("r")]
                assert encode(again) == encode(chunk.columns)


@pytest.mark.slow
def test_hundreds_of_saves_leave_the_bytes_of_one(new_location: Callable[[], str]) -> None:
    commits = line(0, 1_500)
    with Store.open(new_location()) as one, Store.open(new_location()) as many:
        with one.transaction() as connection:  # the same key of authors
            key = connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'author_key'")
            secret = key.scalar_one()
        with many.transaction() as connection:
            connection.exec_driver_sql(
                f"UPDATE meta SET value = '{secret}' WHERE key = 'author_key'"
            )
        one.save("s", commits)
        empty = size(many)
        for first in range(0, len(commits), 5):
            many.save("s", commits[first : first + 5])

        assert rows(many) == rows(one)  # so reading them takes as long, too
        assert sum(len(shas) + len(data) for _, _, shas, data in rows(many)) < 40 * len(commits)
        assert size(many) - empty <= 70 * len(commits)
        assert told(many) == expected("s", commits)


def size(store: Store) -> int:
    """The bytes that a store's tables take; of a server's those of the commits."""
    with store.view() as view:
        if view.dialect.name == "postgresql":
            table = "SELECT sum(pg_column_size(shas) + pg_column_size(data)) FROM commit_chunks"
            return int(view.exec_driver_sql(table).scalar_one() or 0)
        pages, free, each = (
            view.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * each)


def test_chunks_are_filled_one_after_the_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_saving, "FULL", 10)
    commits = line(0, 37)
    for first, last in ((0, 4), (4, 29), (29, 30), (30, 37)):
        store.save("s", commits[first:last])

    assert [count for _, count, _, _ in rows(store)] == [10, 10, 10, 7]
    assert told(store) == expected("s", commits)


def test_a_correction_changes_that_commit_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_saving, "FULL", 10)
    commits = line(0, 25)
    store.save("s", commits)
    before = rows(store)
    commits[12] = replace(commits[12], parents=(sha(3), sha(9)), reverts_sha=(sha(4), sha(5)))
    saved = store.save("s", commits)

    assert saved.changed == {"commits": 1}
    assert told(store) == expected("s", commits)
    assert [new == old for new, old in zip(rows(store), before, strict=True)] == [True, False, True]
    assert store.save("s", commits).changed == {}


def test_columns_and_records_are_saved_alike(new_location: Callable[[], str]) -> None:
    commits = [*line(0, 50), Commit(sha=SHA256, repository="other", paths=("a",))]
    with Store.open(new_location()) as one, Store.open(new_location()) as other:
        one.save("s", commits)
        saved = other.save_columns([RecordColumns.of(Commit, [("s", each) for each in commits])])

        assert saved.changed == {"commits": 51}
        assert told(one) == told(other)


def test_writers_that_wait_for_each_other_double_nothing(location: str) -> None:
    commits = line(0, 60)
    Store.open(location).close()
    begun, ended = threading.Event(), threading.Event()

    def first() -> None:
        with Store.open(location) as store, store.transaction() as connection:
            from vpemetrics.store.saving import Saving

            saving = Saving(connection)
            saving.write([("s", one) for one in commits[20:60]])
            begun.set()
            assert not ended.wait(0.3)  # the other cannot be quicker
            saving.finish()

    def second() -> None:
        begun.wait(60)
        with Store.open(location) as store:
            store.save("s", commits[:40])
        ended.set()

    threads = [threading.Thread(target=run) for run in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with Store.open(location) as store:
        assert told(store) == expected("s", commits)
        assert [count for _, count, _, _ in rows(store)] == [60]


@pytest.mark.slow
def test_a_save_that_fails_leaves_the_chunks_as_they_were(store: Store) -> None:
    store.save("s", line(0, 10))
    before = rows(store)

    def broken() -> Iterator[Commit]:
        yield from line(10, 30_000)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.save("s", broken())
    assert rows(store) == before


# --- what lineage makes of them -----------------------------------------------------------------


def deployed(*numbers: int, shas: Callable[[int], str] = sha) -> list[Deployment]:
    return [
        Deployment(
            id=f"d{number}",
            environment="production",
            status=Status.SUCCEEDED,
            service="shop",
            repository="shop",
            commit_sha=shas(number),
            finished_at=NOON + timedelta(days=number),
        )
        for number in numbers
    ]


def shipped(store: Store) -> dict[str, str]:
    """The changes that were shipped, each with the deployment."""
    bring_up_to_date(store, Rules())
    return {change: sent.deployment[0] for (_, change), sent in read(store).shipped.items()}


def test_a_parent_that_comes_later_is_found(store: Store) -> None:
    commits, live = line(0, 8), deployed(2, 7)
    store.save("s", [*commits[4:], *live])
    assert shipped(store) == {sha(number): "d7" for number in range(4, 8)}

    store.save("t", commits[:3])
    assert shipped(store)[sha(1)] == "d2"
    store.save("s", commits[3:4])
    assert shipped(store) == {sha(number): "d2" if number < 3 else "d7" for number in range(8)}


def test_a_commit_of_two_sources_and_of_a_fork_is_one(store: Store) -> None:
    commits = line(0, 4)
    store.save("s", [*commits, *deployed(1, 3)])
    store.save("t", commits)
    fork = [replace(one, repository="fork") for one in commits]
    store.save("s", [*fork, replace(deployed(2)[0], repository="fork")])

    assert store.counts()["commits"] == 12
    assert shipped(store) == {sha(0): "d1", sha(1): "d1", sha(2): "d2", sha(3): "d3"}
    with store.view() as view:
        assert [match.name for match in record_lookup.find(view, sha(2)[:8])] == [sha(2)]


@pytest.mark.parametrize("name", [lambda n: sha(n, 64), lambda n: f"build {n}"])
def test_commits_may_have_other_names(store: Store, name: Callable[[int], str]) -> None:
    commits = [
        Commit(sha=name(n), repository="shop", parents=(name(n - 1),) if n else ())
        for n in range(4)
    ]
    merged = Change(
        id="#1", repository="shop", merged_at=NOON, merge_commit_sha=name(3), commit_shas=(name(2),)
    )
    store.save("s", [*commits, merged, *deployed(1, 3, shas=name)])

    assert shipped(store) == {name(0): "d1", name(1): "d1", "#1": "d3"}
    assert [change for _, change in store.records("pull_requests")] == [merged]
    assert told(store) == expected("s", commits)


def test_a_commit_that_nobody_collected_is_known_by_what_names_it(store: Store) -> None:
    named = [sha(70)[:9], sha(71)[:17], sha(72)[:7], "abcdef1"]
    store.save("s", [*line(71, 1), Change(id="#1", repository="shop", commit_shas=(sha(72),))])
    incidents = [Incident(id=name, service=("shop",), cause_sha=name) for name in named]
    store.save("s", incidents)

    with store.view() as view:
        found = find_shas(view, named)
        facts = Facts(view, Rules())
        causes = {one.key: one.cause_commit for one in facts.incidents()}
    meant = [[sha(70)], [sha(71)], [sha(72)], []]
    assert found == dict(zip(named, meant, strict=True))
    assert causes == {
        named[0]: commit_id(sha(70)),
        named[1]: commit_id(sha(71)),
        named[2]: commit_id(sha(72)),
        "abcdef1": UNKNOWN,
    }


# --- damage -------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["shas", "data"])
@pytest.mark.parametrize("at", [0, 1, 7, 40, -1])
def test_commits_that_are_not_as_written_are_told(location: str, column: str, at: int) -> None:
    with Store.open(location) as store:
        store.save("s", line(0, 50))
    with Store.open(location) as store, store.transaction() as connection:
        before = connection.exec_driver_sql(f"SELECT {column} FROM commit_chunks").scalar_one()
        after = bytearray(before)
        after[at] ^= 0x40
        literal = f"'\\x{after.hex()}'::bytea" if "://" in location else f"x'{after.hex()}'"
        connection.exec_driver_sql(f"UPDATE commit_chunks SET {column} = {literal}")

    with pytest.raises(StoreProblem, match="damaged"), Store.open(location) as store:
        list(store.records("commits"))


def test_none_is_no_place() -> None:
    columns = decode(*encode(_columns(line(0, 1))))

    assert columns.ids_at(columns.first).tolist() == [NONE]


def _columns(commits: Sequence[Commit]) -> Any:
    with empty_store() as store:
        store.save("s", commits)
        with store.view() as view:
            return next(read_chunks(view)).columns
