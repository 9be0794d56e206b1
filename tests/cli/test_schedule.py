"""The real process on a clone: what it says and does, killed and started again."""

import os
import re
import shlex
import signal
import time
from configparser import ConfigParser
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from commandline import invoke
from gitrepository import GitRepository, new_repository
from scheduling import schedule
from subprocesses import PATIENCE

from vpemetrics.config.weekly import DAYS
from vpemetrics.store import Store
from vpemetrics.store.schedule_lock import only_schedule
from vpemetrics.window import previous, week_of

pytestmark = pytest.mark.slow

UNIT = Path(__file__).parents[2] / "config" / "systemd" / "vpemetrics.service"
SETTINGS = """
[organisation]
timezone = "Europe/Dublin"
[schedule]
collect = "1s"
report = "{report}"
output = "{{week}}.json"
[sources.gone]
type = "git"
path = "gone"
[sources.shop]
type = "git"
path = "shop"
"""
A_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d .+")


@pytest.fixture
def clone(folder: Path) -> GitRepository:
    """A clone that deployed long ago and just now, and the configuration of a schedule."""
    now = datetime.now(UTC)
    clone = new_repository(folder / "shop")
    clone.at = now - timedelta(days=30)
    clone.commit("First")
    clone.tag("v1.0")
    clone.at = now - timedelta(minutes=5)
    clone.commit("Second")
    clone.tag("v1.1")
    yesterday = DAYS[(now - timedelta(days=1)).weekday()]
    text = SETTINGS.format(report=f"{yesterday} 00:00")
    (folder / "vpemetrics.toml").write_text(text)
    return clone


def reports(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.json"))


def test_it_collects_and_reports_and_once_killed_goes_on_without_doing_it_again(
    folder: Path, clone: GitRepository
) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    week = previous(week_of(yesterday)).label

    with schedule(folder) as first:
        first.says("report: wrote")
        first.says("error: gone: ")  # the report may be written before this is said
        said = first.says("shop: nothing new")
        assert first.ends(signal.SIGKILL) == -signal.SIGKILL

    store, *lines = said.splitlines()
    assert store.startswith("store: ")
    assert all(A_LINE.fullmatch(line) for line in lines)
    assert "on clocks of Europe/Dublin" in lines[0]
    assert "collects each source every 1 s: gone now, shop now" in lines[1]
    assert "reports every " in lines[2]
    assert re.search(r"shop: new repositories 1, .*; again at \d\d:\d\d", said)
    # One that fails is told each time, and keeps neither the others nor the report waiting.
    assert re.search(r"error: gone: there is no folder .*; tried again at", said)
    assert f"warning: report: {week} may lack news of gone: there is no folder" in said
    assert reports(folder) == [f"{week}.json"]

    (folder / f"{week}.json").unlink()
    clone.commit("Third")
    clone.tag("v1.2")
    with schedule(folder) as second:
        second.says("shop: new .*deployments 1")
        said = second.says("shop: nothing new")
        assert second.ends(signal.SIGTERM) == 0

    assert "new repositories" not in said
    assert "wrote" not in said
    # What is collected just then has some seconds to stop, in which a slow machine may not do it.
    assert re.search(r" stopped\n\Z| did not stop in time, .*: collect .*\n\Z", second.said)
    assert reports(folder) == []
    with Store.open(folder / "vpemetrics.db") as store_:
        assert store_.counts()["deployments"] == 3


def test_a_second_one_on_the_same_store_is_refused(folder: Path, clone: GitRepository) -> None:
    with only_schedule(folder / "vpemetrics.db"):
        second = invoke("schedule")

    assert second.exit_code == 1
    assert "a schedule is running on this store already" in second.stderr


def test_stopped_in_the_middle_of_a_collection_it_ends_soon_and_loses_nothing(
    folder: Path, clone: GitRepository
) -> None:
    slow = folder / "bin" / "git"
    slow.parent.mkdir()
    ends = "while kill -0 $PPID 2>/dev/null; do sleep 0.1; done"  # with who waits for it
    slow.write_text(f"#!/bin/sh\ntouch '{folder}/reading'\n{ends}\n")
    slow.chmod(0o755)
    path = os.environ["PATH"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{slow.parent}:{path}")
        with schedule(folder) as it:
            deadline = time.monotonic() + PATIENCE
            while not (folder / "reading").exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert it.ends(signal.SIGINT) == 0  # git would go on for as long as it waits

    assert "did not stop in time, and ends with the process: collect shop" in it.said
    with schedule(folder) as again:
        again.says("shop: new .*deployments 2")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [(None, "`vpemetrics init` proposes one"), ("", "names no source to collect from")],
)
def test_without_sources_there_is_nothing_to_schedule(
    folder: Path, text: str | None, complaint: str
) -> None:
    if text is not None:
        (folder / "vpemetrics.toml").write_text(text)

    result = invoke("schedule")

    assert result.exit_code == 1
    assert complaint in result.stderr


def test_the_service_runs_a_command_there_is() -> None:
    unit = ConfigParser(interpolation=None, strict=False)
    unit.read(UNIT)
    program, *arguments = shlex.split(unit["Service"]["ExecStart"])

    assert program.endswith("/vpemetrics")
    assert invoke(*arguments, "--help").exit_code == 0
