"""Chooses how much of the suite runs, keeps golden files, gives tests their databases.

Makes a skipped test fail where everything it needs was meant to be there.

`pytest --soak` runs what takes too long for every day, `-m "not slow"` the quick (see `tiers`).
`pytest --no-skips` fails every skip; `--may-skip=needs_x` excuses the tests marked with `needs_x`.
`pytest --refresh-golden` writes the files of tests/golden anew from what the code prints now.
"""

import gc
import os
import signal
import sqlite3
from collections.abc import Callable, Generator, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import in_memory
import pytest
import tiers

from vpemetrics.config import secrets
from vpemetrics.store import engine

if TYPE_CHECKING:
    from postgres import Server

# Where tests run in the background nobody can interrupt them, or what they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Many tests run the program: it shall be compiled once, not every time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

in_memory.keep_temporary_files()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("skips")
    group.addoption("--no-skips", action="store_true", help="a skipped test fails")
    group.addoption(
        "--may-skip",
        action="append",
        default=[],
        metavar="MARKER",
        help="with --no-skips: tests with this marker may be skipped",
    )
    parser.addoption(
        "--soak",
        action="store_true",
        help="run what takes hours: kills by the score, many examples",
    )
    parser.addoption(
        "--refresh-golden",
        action="store_true",
        help="write tests/golden anew; read the diff before you commit",
    )


def pytest_configure(config: pytest.Config) -> None:
    tiers.choose(
        soak=bool(config.getoption("soak")), quick="not slow" in config.getoption("markexpr")
    )


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """The quick tests start no server: what is stored is tried on files there."""
    if item.get_closest_marker("needs_postgresql"):
        item.add_marker("slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What soaks runs by itself; what is slow begins first, so that nobody waits for it alone."""
    soaks = bool(config.getoption("soak"))
    chosen = [item for item in items if soaks in tiers.asked_for(item)]
    left = set(items).difference(chosen)
    config.hook.pytest_deselected(items=[item for item in items if item in left])
    items[:] = sorted(chosen, key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Modules and tests stay: nobody need look for garbage among them again and again."""
    gc.collect()
    gc.freeze()  # https://docs.python.org/3/library/gc.html#gc.freeze


@pytest.fixture
def same_as_golden(request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    """Asserts that bytes equal a file of tests/golden, or writes it under --refresh-golden."""
    refresh = bool(request.config.getoption("refresh_golden"))

    def check(name: str, rendered: bytes) -> None:
        path = Path(__file__).parent / "golden" / name
        if refresh:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(rendered)
        assert path.exists(), f"{name} is missing; make it with: pytest --refresh-golden"
        assert rendered.decode() == path.read_bytes().decode()

    return check


@pytest.fixture(scope="session")
def postgres() -> Iterator["Server"]:
    """A PostgreSQL server; mark the tests that need it with `needs_postgresql`."""
    from postgres import Unavailable, running

    try:
        with running() as server:
            yield server
    except Unavailable as error:
        pytest.skip(f"no PostgreSQL server starts here: {error}")


SQLITE = pytest.param("sqlite")
POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.needs_postgresql)


@pytest.fixture
def new_database(postgres: "Server") -> Iterator[Callable[[], str]]:
    """Gives databases on the server, with nothing in them."""
    given = []

    def give() -> str:
        given.append(postgres.blank())
        return given[-1]

    yield give
    for address in given:
        postgres.give_back(address)


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def new_location(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives places where a store may be made; the test runs once for each kind of database."""
    if request.param == "sqlite":
        numbers = count(1)
        return lambda: str(tmp_path / f"{next(numbers)}.db")
    new_database: Callable[[], str] = request.getfixturevalue("new_database")
    return new_database


@pytest.fixture
def location(new_location: Callable[[], str]) -> str:
    """A place where a store may be made, once in each kind of database."""
    return new_location()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    excused = any(item.get_closest_marker(marker) for marker in item.config.getoption("may_skip"))
    if item.config.getoption("no_skips") and not excused and not hasattr(report, "wasxfail"):
        fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if collector.config.getoption("no_skips"):
        fail_if_skipped(report)
    return report


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped:
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"skipped, though nothing should be missing: {reason}"


@pytest.fixture(scope="session", autouse=True)
def no_store_outlives_a_crash_of_the_machine() -> Iterator[None]:
    """Stores of this process wait for no disk, as the server of the tests does not either."""
    set_up = engine._set_up_sqlite

    def set_up_without_waiting(connection: sqlite3.Connection, record: object) -> None:
        set_up(connection, record)
        connection.execute("PRAGMA synchronous = OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_set_up_sqlite", set_up_without_waiting)
        yield


@pytest.fixture(autouse=True)
def nothing_handed_on() -> None:
    """Texts hide no secret that a test before this one has handed on."""
    secrets._handed_on.clear()
