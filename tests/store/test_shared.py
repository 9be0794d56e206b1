"""What is particular about a store on a server: who may do what when, and what goes wrong."""

import socket
import sys
from collections.abc import Callable, Iterator
from urllib.parse import quote

import psycopg
import pytest
from anyrecords import ONE_OF_EACH
from postgres import PASSWORD, Server
from sqlalchemy import make_url
from sqlalchemy.exc import ProgrammingError

from vpemetrics.errors import NewerStore, NoData, StoreBusy, StoreFull, StoreProblem
from vpemetrics.records import Commit
from vpemetrics.rules import Rules
from vpemetrics.store import Store, upgrade
from vpemetrics.usecases.update_lineage import bring_up_to_date

pytestmark = pytest.mark.needs_postgresql


def commit(number: int) -> Commit:
    return Commit(sha=f"{number:040x}", repository="r")


@pytest.fixture
def address(new_database: Callable[[], str]) -> str:
    """A store with nothing in it."""
    address = new_database()
    Store.open(address).close()
    return address


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    with Store.open(address) as opened:
        yield opened


def told(problem: pytest.ExceptionInfo[StoreProblem]) -> str:
    """What people read of a problem: one line, without the password."""
    text = str(problem.value)
    assert "\n" not in text
    assert PASSWORD not in text
    return text


def execute(address: str, *statements: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


# --- reading and writing at once ----------------------------------------------------------------


def test_a_view_sees_one_moment_whatever_is_saved_meanwhile(store: Store) -> None:
    store.save("s", [commit(1)])

    with store.view() as view:
        before = view.exec_driver_sql("SELECT sum(count) FROM commit_chunks").scalar_one()
        store.save("s", [commit(2)])
        after = view.exec_driver_sql("SELECT sum(count) FROM commit_chunks").scalar_one()

    assert before == after == 1
    assert store.counts() == {"commits": 2}


def test_nothing_is_written_by_way_of_a_view(store: Store) -> None:
    with pytest.raises(StoreProblem, match="read-only transaction"), store.view() as view:
        view.exec_driver_sql("DELETE FROM commit_chunks")


def test_a_writer_that_waits_too_long_is_told_to_come_again(
    address: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vpemetrics.store.engine._BUSY_TIMEOUT_MS", 50)

    with store.transaction(), Store.open(address) as other, pytest.raises(StoreBusy) as problem:
        other.save("s", [commit(1)])

    assert "another process is writing" in told(problem)
    assert store.save("s", [commit(1)]).records == {"commits": 1}


def test_every_text_is_ordered_by_its_code_points(store: Store) -> None:
    ordered = store.columns(
        "SELECT DISTINCT collation_name AS name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND data_type = 'text'",
        text=("name",),
    )

    assert ordered["name"].tolist() == ["C"]


def test_an_address_may_be_spelled_the_short_way(address: str) -> None:
    with Store.open(address.replace("postgresql://", "postgres://"), must_exist=True) as store:
        assert store.counts() == {}


# --- versions -----------------------------------------------------------------------------------


def test_a_store_that_must_exist_is_not_made(new_database: Callable[[], str]) -> None:
    blank = new_database()

    with pytest.raises(NoData, match="there is no store at"):
        Store.open(blank, must_exist=True)
    assert tables(blank) == []


def tables(address: str) -> list[str]:
    with psycopg.connect(address) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return [name for (name,) in found]


@pytest.mark.slow
def test_an_older_store_is_refused_until_somebody_upgrades_it(
    new_database: Callable[[], str],
) -> None:
    address = new_database()
    execute(address, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")

    with pytest.raises(StoreProblem, match="run `vpemetrics db upgrade`") as problem:
        Store.open(address)
    assert "older schema" in told(problem)
    assert upgrade(address) == (None, "0001")
    assert upgrade(address) == ("0001", "0001")
    with Store.open(address) as store:
        store.save("s", ONE_OF_EACH)


def test_a_newer_store_is_refused_and_not_upgraded(address: str) -> None:
    execute(address, "UPDATE alembic_version SET version_num = '9999'")

    for opening in (Store.open, upgrade):
        with pytest.raises(NewerStore) as problem:
            opening(address)
        assert "schema 9999" in told(problem)


def test_a_database_of_something_else_is_refused(new_database: Callable[[], str]) -> None:
    address = new_database()
    execute(address, "CREATE TABLE songs (name text)")

    with pytest.raises(StoreProblem, match="no store of vpemetrics") as problem:
        Store.open(address)
    assert told(problem)
    assert tables(address) == ["songs"]


# --- what goes wrong ----------------------------------------------------------------------------


def test_a_wrong_password_is_said_and_not_shown(postgres: Server) -> None:
    with pytest.raises(StoreProblem, match="password authentication failed") as problem:
        Store.open(postgres.url("postgres", password=PASSWORD + "5"))

    assert told(problem).startswith("postgresql://tester:***@127.0.0.1:")


def test_a_server_that_is_not_there_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(StoreProblem, match=r"[Cc]onnection refused") as problem:
        Store.open(f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/db")
    assert told(problem)


def test_the_extra_that_it_takes_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(StoreProblem, match=r"pip install 'vpemetrics\[postgresql\]'") as problem:
        Store.open(f"postgresql://u:{PASSWORD}@host/db")
    assert told(problem).startswith("postgresql://u:***@host/db: ")


def test_a_database_that_is_not_there_is_said(postgres: Server) -> None:
    with pytest.raises(StoreProblem, match='database "none" does not exist') as problem:
        Store.open(postgres.url("none"))
    assert told(problem)


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://u:x@{PASSWORD}@host/db",  # an @ that is not written %40
        f"postgresql://u:x@y/{PASSWORD}@host/db",  # nor the / after it %2F
        f"postgresql://u@host:{PASSWORD}/db",  # where the port should be
        f"postgresql://u:{PASSWORD}@host:port/db",
    ],
)
def test_an_address_that_cannot_be_read_is_not_repeated(address: str) -> None:
    with pytest.raises(StoreProblem, match="the address of the store cannot be read") as problem:
        Store.open(address)

    assert "host" not in told(problem).replace("@host:5432", "")
    assert problem.value.__cause__ is None


def test_a_password_may_stand_in_the_query_and_hold_any_character(
    postgres: Server, address: str
) -> None:
    user, password = "odd", "p@s/s:w%o#r?d&"
    postgres.execute(f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{password}'")
    url = make_url(address)
    place = f"{url.host}:{url.port}/{url.database}"

    for spelled in (
        f"postgresql://{user}:{quote(password, safe='')}@{place}",
        f"postgresql://{place}?user={user}&password={quote(password, safe='')}",
    ):
        Store.open(spelled, must_exist=True).close()
    with pytest.raises(StoreProblem) as problem:
        Store.open(f"postgresql://{place}x?user={user}&password={PASSWORD}")
    assert user not in told(problem).partition("FATAL")[0]


def test_a_user_without_rights_is_told_what_is_missing(
    postgres: Server, address: str, new_database: Callable[[], str]
) -> None:
    postgres.execute(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")

    for place in (new_database(), address):
        with pytest.raises(StoreProblem, match="permission denied") as problem:
            Store.open(place.replace("tester:", "guest:"))
        assert "docs/operations.md" in told(problem)


def test_a_user_with_the_rights_to_read_and_write_rows_does_both(
    postgres: Server, address: str
) -> None:
    postgres.execute(f"CREATE ROLE worker LOGIN PASSWORD '{PASSWORD}'")
    execute(
        address,
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO worker",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO worker",
    )

    with Store.open(address.replace("tester:", "worker:"), must_exist=True) as store:
        store.save("s", ONE_OF_EACH)
        assert bring_up_to_date(store, Rules()) == 1


def test_texts_in_another_encoding_are_refused(postgres: Server) -> None:
    postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")

    with pytest.raises(StoreProblem, match="keeps texts as LATIN1") as problem:
        Store.open(postgres.url("latin"))
    assert told(problem)


def test_a_connection_that_is_lost_is_said_and_leaves_nothing(
    postgres: Server, address: str, store: Store
) -> None:
    def cut() -> Iterator[Commit]:
        for number in range(6_000):
            yield commit(number)
        postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{make_url(address).database}'"
        )
        yield commit(6_001)

    with pytest.raises(StoreProblem, match="connection") as problem:
        store.save("s", cut())
    assert told(problem)
    assert store.counts() == {}  # by a new connection


def test_a_full_disk_is_told_from_a_bug(store: Store) -> None:
    raise_it = "DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"

    with pytest.raises(StoreFull, match="the disk is full") as problem, store.transaction() as one:
        one.exec_driver_sql(raise_it)
    assert told(problem)
    with pytest.raises(ProgrammingError), store.transaction() as one:
        one.exec_driver_sql("SELECT nonsense")
