"""A schedule whose disk is full for a while, or read only: the report is written once it can be."""

import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commandline import spawn
from disks import Disk, mounted
from scheduling import Running, schedule
from subprocesses import PATIENCE

from vpemetrics.config.weekly import DAYS
from vpemetrics.store import Store
from vpemetrics.window import previous, week_of

pytestmark = [pytest.mark.slow, pytest.mark.needs_mount]

NOW = datetime.now(UTC)
YESTERDAY = (NOW - timedelta(days=1)).date()
WEEK = previous(week_of(YESTERDAY)).label
SETTINGS = f"""
[schedule]
collect = "1s"
report = "{DAYS[YESTERDAY.weekday()]} 00:00"
output = "disk/out/{{week}}.csv"
[sources.files]
type = "files"
path = "records"
"""
EARLIER = range(15, 60)
"""Days before the week that is reported on, or of the one before."""
NO_ROOM = "disk is full|No space left on device"


@pytest.fixture
def disk(folder: Path) -> Iterator[Disk]:
    """Where the schedule of the working directory writes its reports."""
    (folder / "vpemetrics.toml").write_text(SETTINGS)
    with mounted(folder / "disk", megabytes=4) as disk:
        yield disk


@pytest.fixture
def location(disk: Disk, new_location: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A store that `env:STORE` names, on the disk if it is a file."""
    location = new_location()
    if "://" not in location:
        location = str(disk.path / "x.db")
    monkeypatch.setenv("STORE", location)
    return location


def deploy(folder: Path, *days_ago: int) -> None:
    """All deployments there were, for the source to be read."""
    moments = (NOW - timedelta(days=ago, minutes=5) for ago in days_ago)
    rows = (f"{at:%m%d%H%M},shop,prod,succeeded,{at:%FT%TZ}\n" for at in moments)
    unfinished = folder / "unfinished"
    unfinished.write_text("id,service,environment,status,finished_at\n" + "".join(rows))
    (folder / "records").mkdir(exist_ok=True)
    os.replace(unfinished, folder / "records" / "deployments.csv")


def fill_until(disk: Disk, running: Running, pattern: str) -> None:
    """Fills a disk until a schedule has said something of it."""
    deadline = time.monotonic() + PATIENCE
    while not running.has_said(pattern):
        assert time.monotonic() < deadline, running.said
        disk.fill()  # again, for whatever the schedule has given back


def written(disk: Disk) -> list[str]:
    return sorted(path.name for path in (disk.path / "out").iterdir())


def test_a_full_disk_that_becomes_free_again_costs_a_schedule_nothing(
    folder: Path, disk: Disk, location: str
) -> None:
    deploy(folder, *EARLIER)
    with schedule(folder, "--store", "env:STORE") as running:
        running.says("waits for data")
        if "://" not in location:
            fill_until(disk, running, f"error: files: .*({NO_ROOM})")
        disk.fill()
        deploy(folder, *EARLIER, 0)
        running.says(f"error: report: .*({NO_ROOM})", 2)
        assert written(disk) == []

        disk.clear()
        running.says("report: wrote")
        running.says("files: nothing new", 1 + running.said.count("files: nothing new"))

    assert running.said.count("report: wrote") == 1
    assert written(disk) == [f"{WEEK}.csv"]
    with Store.open(location) as store:
        assert store.counts()["deployments"] == 1 + len(EARLIER)
    again = spawn("report", "--store", "env:STORE", "--week", WEEK, "--format", "csv")
    assert (disk.path / "out" / f"{WEEK}.csv").read_text() == again.stdout


def test_reports_wait_for_a_disk_that_is_read_only_for_a_while(
    folder: Path, disk: Disk, new_location: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE", new_location())
    deploy(folder, *EARLIER)
    with schedule(folder, "--store", "env:STORE") as running:
        running.says("waits for data")
        disk.allow("ro")
        deploy(folder, *EARLIER, 0)
        running.says("error: report: .*Read-only file system", 2)
        disk.allow("rw")
        running.says("report: wrote")
        running.says("files: nothing new", 1 + running.said.count("files: nothing new"))

    assert running.said.count("report: wrote") == 1
    assert written(disk) == [f"{WEEK}.csv"]


@pytest.mark.parametrize(
    ("store", "complaint"),
    [
        ("x.db", "schedule.output: .*/disk/out is not yours to write to"),
        ("disk/x.db", ".*/disk/x.db: the store, or the folder it is in, cannot be written to"),
    ],
)
def test_a_schedule_refuses_to_begin_on_a_disk_that_is_read_only(
    folder: Path, disk: Disk, store: str, complaint: str
) -> None:
    deploy(folder, *EARLIER, 0)
    Store.open(store).close()
    (disk.path / "out").mkdir()
    disk.allow("ro")

    refused = spawn("schedule", "--store", store)

    assert refused.returncode == 1
    assert re.search(f"error: {complaint}", refused.stderr)
    assert written(disk) == []
