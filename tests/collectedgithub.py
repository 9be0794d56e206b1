"""Collects from a simulated GitHub, here or in processes of their own, which are there at once."""

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from collectedclone import source_in
from nursery import nursery

from vpemetrics.collectors.github.cursor import GitHubCursor, parse_cursor
from vpemetrics.records import RECORD_TYPES
from vpemetrics.rules import Rules
from vpemetrics.store import Store
from vpemetrics.usecases.collecting import collect

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


def started(location: str, folder: Path, now: datetime) -> int:
    """A process that collects as if it were some time, by its id."""
    return nursery().start(_collect, location, str(folder), now.isoformat())


def _collect(location: str, folder: str, now: str) -> None:
    sys.exit(collect_at(location, Path(folder), datetime.fromisoformat(now)))
