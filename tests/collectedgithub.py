"""Collects from a simulated GitHub in processes of their own, which are there at once.

Importing takes longer than collecting, so a `Nursery` has everything imported and forks.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import psycopg
from collectedclone import source_in
from sqlalchemy.dialects.postgresql import psycopg as dialect
from subprocesses import environment

from vpemetrics.collectors.github.client import access_by_token
from vpemetrics.collectors.github.cursor import GitHubCursor, parse_cursor
from vpemetrics.collectors.http import WaitPolicy
from vpemetrics.records import RECORD_TYPES
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.collecting import collect

IMPORTED = (psycopg, dialect)
"""What a store on PostgreSQL would import only when it is opened."""

TOKEN = "ghp_example"
NAME = "github"

SETTINGS = """
[sources.github]
type = "github"
url = "{url}"
token = "env:TOKEN"
repositories = ["acme/*"]
since = 2026-01-01
incidents = {{ labels = ["incident", "outage"] }}

[[sources.github.deployments]]
from = "environments"

[[sources.github.deployments]]
from = "tags"
repositories = ["acme/search"]
environment = "shelf"
service = "library"

[[sources.github.deployments]]
from = "workflow"
workflow = "Deploy"
job = 'deploy (?P<service>\\w+)'
environment = "live"
"""


def write_settings(folder: Path, url: str) -> Path:
    """A folder with a configuration that collects from a GitHub."""
    (folder / "vpemetrics.toml").write_text(SETTINGS.format(url=url), encoding="utf-8")
    return folder


def collect_at(location: str, folder: Path, now: datetime) -> str | None:
    """Collects in this process as if it were some time; what went wrong, if anything did."""
    with Store.open(location) as store:
        return collect(
            store,
            source_in(folder),
            Rules(),
            clock=lambda: now,
            warn=lambda _text: None,
            progress=lambda _done, _of: None,
            environ={"TOKEN": TOKEN},
        ).error


def held(location: str) -> list[object]:
    """Every record of every kind, and how far was collected, however it came to that."""
    with Store.open(location) as store:
        records = [record for kind in RECORD_TYPES for record in store.records(kind)]
        cursors = store.cursors(NAME)
    return [*records, *(_plain(scope, text) for scope, text in sorted(cursors.items()))]


def _plain(scope: str, text: str) -> object:
    """How far a scope was collected, without the size of pages and when runs were looked at."""
    cursor = parse_cursor(text)
    if not isinstance(cursor, GitHubCursor):
        return scope, text
    lists = {name: replace(one, size=0) for name, one in cursor.lists.items()}
    history = cursor.history and replace(cursor.history, size=0)
    return replace(cursor, lists=lists, history=history, looked_back_at=None)


@dataclass(frozen=True, kw_only=True)
class Nursery:
    """Forks processes that collect; `folder` is where the configuration lies."""

    process: "subprocess.Popen[str]"

    def start(self, location: str, now: datetime) -> int:
        """A process that collects into a store, by its id."""
        return int(self._asked(f"start {now.isoformat()} {location}"))

    def ended(self, *processes: int) -> list[int]:
        """Waits for processes; their exit codes, minus the number of what killed them."""
        return [int(self._asked(f"wait {process}")) for process in processes]

    def _asked(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(line, file=self.process.stdin, flush=True)
        return self.process.stdout.readline()


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """One that ends with the block."""
    with subprocess.Popen(
        [sys.executable, __file__, str(folder)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Nursery(process=process)


def _serve(folder: Path) -> None:
    """Does what is asked for on standard input, line by line."""
    source_in(folder)
    access_by_token(url="http://127.0.0.1:1", token=TOKEN, policy=WaitPolicy()).close()
    print("ready", flush=True)
    for line in sys.stdin:
        match line.split():
            case ["start", now, location]:
                print(_forked(location, folder, datetime.fromisoformat(now)), flush=True)
            case ["wait", process]:
                _, status = os.waitpid(int(process), 0)
                print(os.waitstatus_to_exitcode(status), flush=True)


def _forked(location: str, folder: Path, now: datetime) -> int:
    process = os.fork()
    if process:
        return process
    signal.alarm(120)
    error = collect_at(location, folder, now)
    if error:
        print(error, file=sys.stderr, flush=True)
    os._exit(1 if error else 0)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
