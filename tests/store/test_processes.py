"""Several processes on one store, and one that dies in the middle."""

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest
from subprocesses import PATIENCE, environment

from vpemetrics.records import Deployment, Status
from vpemetrics.store import Store
from vpemetrics.store.derived_blocks import read
from vpemetrics.store.derived_layouts import Part

COMMITS = dedent(
    """
    import sys
    from vpemetrics.records import Commit
    from vpemetrics.store import Store, commit_saving, engine

    def commits(first, count):
        for number in range(first, first + count):
            yield Commit(
                sha=f"{number:040x}", repository=f"r{number % 7}", parents=(f"{number - 1:040x}",)
            )
    """
)


def run(code: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", COMMITS + dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)


def ended(process: "subprocess.Popen[str]") -> int:
    process.communicate(timeout=PATIENCE)
    return process.returncode


@pytest.mark.slow
def test_processes_that_save_at_once_lose_and_double_nothing(location: str) -> None:
    # It is not there yet: they also race to make it.
    code = """
        path, first = sys.argv[1], int(sys.argv[2])
        for round_ in range(5):
            with Store.open(path) as store:
                store.save("s", commits(first + round_ * 300, 500))
    """
    processes = [run(code, location, first) for first in (0, 0, 800, 1600)]  # they overlap

    assert [ended(process) for process in processes] == [0, 0, 0, 0]
    with Store.open(location) as store:
        assert sorted(record.key[:40] for _, record in store.records("commits")) == [
            f"{number:040x}" for number in range(3300)
        ]
        names = store.columns("SELECT name FROM names", text=("name",))["name"].tolist()
    assert sorted(names) == ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "s"]


@pytest.mark.slow
def test_processes_that_trace_at_once_double_nothing(location: str) -> None:
    code = """
        from vpemetrics.rules import Rules
        from vpemetrics.usecases.update_lineage import bring_up_to_date
        with Store.open(sys.argv[1]) as store:
            bring_up_to_date(store, Rules())
    """
    live = [
        Deployment(
            id=f"{number}",
            service=f"s{number % 5}",
            environment="prod",
            status=Status.SUCCEEDED,
            commit_sha=f"{number:040x}",
            finished_at=datetime(2026, 9, 1, number % 24, tzinfo=UTC),
        )
        for number in range(200)
    ]
    with Store.open(location) as store:
        store.save("s", live)
    processes = [run(code, location) for _ in range(3)]

    assert [ended(process) for process in processes] == [0, 0, 0]
    with Store.open(location) as store:
        assert store.columns("SELECT count(*) AS n FROM traced")["n"].tolist() == [5]
    with Store.open(location) as store, store.view() as connection:
        assert len(read(connection, Part.RECORDS)["record_id"]) == len(live)


@pytest.mark.slow
def test_a_save_that_was_killed_leaves_a_store_like_any_other(
    new_location: Callable[[], str],
) -> None:
    killed, undisturbed = new_location(), new_location()
    code = """
        commit_saving._PENDING = 20_000  # commits are held before they are written
        engine._CACHE_KIB = 100

        def halting():
            yield from commits(0, 60_000)  # by now much of it is in the database's log
            print("written", flush=True)
            import time; time.sleep(60)

        with Store.open(sys.argv[1]) as store:
            store.save("s", commits(100_000, 10))
            store.save("s", halting(), cursors={"r": "1"})
    """
    process = run(code, killed)
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    if "://" not in killed:
        assert Path(f"{killed}-wal").stat().st_size > 2**20
    process.send_signal(signal.SIGKILL)
    assert ended(process) == -signal.SIGKILL

    with Store.open(killed) as store:
        assert store.counts() == {"commits": 10}
        assert store.cursors("s") == {}
    again = """
        with Store.open(sys.argv[1]) as store:
            store.save("s", commits(100_000, 10))
            store.save("s", commits(0, 9_000), cursors={"r": "1"})
    """
    for location in (killed, undisturbed):
        assert ended(run(again, location)) == 0
    assert rows(killed) == rows(undisturbed)


def rows(location: str) -> list[object]:
    """Every row of every table of facts, ids and batches too, but for the key of the authors."""
    tables = ["names", "commit_chunks", "cursors"]
    with Store.open(location) as store, store.transaction() as connection:
        found: list[object] = [
            connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2").all()
            for table in tables
        ]
        counter = "SELECT value FROM meta WHERE key = 'batch'"
        found.append(connection.exec_driver_sql(counter).scalar_one())
    return found
