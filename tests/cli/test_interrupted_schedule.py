"""A schedule that is killed and started again: the same store, and the week's report once."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGTERM

import pytest
from collectedclone import empty_store
from gitrepository import new_repository
from scheduling import schedule
from tiers import scored

from vpemetrics.config.weekly import DAYS
from vpemetrics.records import RECORD_TYPES, Coverage
from vpemetrics.store import Store
from vpemetrics.store.report_marks import reported_week
from vpemetrics.window import previous, week_of

pytestmark = pytest.mark.slow

SETTINGS = """
[schedule]
collect = "1s"
report = "{report}"
output = "{{week}}.csv"
[sources.git]
type = "git"
path = "shop"
"""
WEEKS = 3
TIMES = 4
"""How often each schedule is killed before it may go on."""


@pytest.fixture
def week(folder: Path) -> str:
    """The week to report on, of a clone that deployed every day until just now."""
    now = datetime.now(UTC)
    clone = new_repository(folder / "shop")
    for number in range(7 * WEEKS + 1):
        clone.at = now - timedelta(minutes=5) - timedelta(days=7 * WEEKS - number)
        clone.commit(f"Change {number}")
        clone.tag(f"v1.{number}")
    yesterday = (now - timedelta(days=1)).date()
    report = f"{DAYS[yesterday.weekday()]} 00:00"
    (folder / "vpemetrics.toml").write_text(SETTINGS.format(report=report))
    return previous(week_of(yesterday)).label


def held(location: str) -> list[object]:
    """Every record and how far was collected, but for when."""
    with Store.open(location) as store:
        records = [record for kind in RECORD_TYPES for _, record in store.records(kind)]
        timeless = [
            replace(record, end=record.start) if isinstance(record, Coverage) else record
            for record in records
        ]
        cursors = [json.loads(text) | {"last_at": ""} for text in store.cursors("git").values()]
    return [*timeless, *cursors]


@scored("kills", 3, soak=20)
def test_a_schedule_killed_at_any_moment_goes_on_and_reports_once(
    folder: Path,
    week: str,
    new_location: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    kills: int,
) -> None:
    report, store = folder / f"{week}.csv", ("--store", "env:STORE")
    undisturbed = empty_store(new_location())
    monkeypatch.setenv("STORE", undisturbed)
    begun = time.monotonic()
    with schedule(folder, *store) as running:
        running.says("report: wrote")
    lasting = time.monotonic() - begun
    expected, records = report.read_bytes(), held(undisturbed)
    report.unlink()
    moments = Random(23)

    for _ in range(0, kills, TIMES):
        location, said = empty_store(new_location()), ""
        monkeypatch.setenv("STORE", location)
        for _ in range(min(kills, TIMES)):
            with schedule(folder, *store) as running:
                time.sleep(moments.uniform(0, lasting))
                assert running.ends(SIGKILL) == -SIGKILL
            said += running.said
            assert not report.exists() or report.read_bytes() == expected
        with schedule(folder, *store) as running:
            running.says("git: nothing new" if is_reported(location, week) else "report: wrote")
            assert running.ends(SIGTERM) == 0
        said += running.said

        assert said.count("report: wrote") <= 1  # none if it was killed before it could say so
        assert held(location) == records
        assert report.read_bytes() == expected
        report.unlink()


def is_reported(location: str, week: str) -> bool:
    with Store.open(location) as store, store.view() as connection:
        return reported_week(connection) == week
