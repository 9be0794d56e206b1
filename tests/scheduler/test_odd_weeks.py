"""Weeks in which clocks are changed, or the machine sleeps: the right reports, each once.

The jobs run as they always do, APScheduler included, on a clock that the test puts forward. That
is what a machine is like that has slept: its clock is ahead at once, its timers know nothing.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from hearing import Heard
from subprocesses import PATIENCE

from vpemetrics.config.load import load
from vpemetrics.scheduler.jobs import Schedule
from vpemetrics.scheduler.plan import Plan, agenda
from vpemetrics.store import Store
from vpemetrics.store.report_marks import reported_week

pytestmark = pytest.mark.slow

SETTINGS = """
[organisation]
timezone = "Europe/Dublin"
[schedule]
collect = "1s"
report = "{report}"
output = "out/{{week}}.csv"
[sources.files]
type = "files"
path = "records"
"""
EVERY = timedelta(seconds=0.1)
"""How often it is collected: sooner than any configuration may ask for."""
DAYS = 90
"""For how long something was deployed every day."""


class Clock:
    """A clock that can be put forward; it goes on from there."""

    def __init__(self, now: datetime) -> None:
        self.put(now)

    def put(self, now: datetime) -> None:
        self._ahead = now - datetime.now(UTC)

    def now(self, zone: tzinfo = UTC) -> datetime:
        return (datetime.now(UTC) + self._ahead).astimezone(zone)


class Machine:
    """One on which a schedule may run, in some week."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self.folder, self.clock = folder, Clock(now)

    @contextmanager
    def schedule(self) -> Iterator[Heard]:
        configuration = self.folder / "vpemetrics.toml"
        plan = Plan.of(load(configuration, {}), str(self.folder / "x.db"))
        plan = replace(plan, every=EVERY)
        with Store.open(plan.location) as store, store.view() as connection:
            last, reported = store.collections(), reported_week(connection)
        heard = Heard()
        schedule = Schedule(plan, heard, configuration, self.clock.now)
        schedule.start(agenda(plan, last, reported, self.clock.now()))
        try:
            yield heard
        finally:
            assert schedule.stop(timedelta(seconds=PATIENCE)) == ()

    def deploy(self) -> None:
        """Deployments at every noon until now, and one a minute ago."""
        now = self.clock.now().replace(microsecond=0)
        noon = now.replace(hour=12, minute=0, second=0)
        noons = (noon - timedelta(days=ago) for ago in range(DAYS))
        moments = [now - timedelta(minutes=1), *(at for at in noons if at < now)]
        rows = (f"{at:%m%d%H%M},shop,prod,succeeded,{at:%FT%TZ}\n" for at in moments)
        unfinished = self.folder / "unfinished"
        unfinished.write_text("id,service,environment,status,finished_at\n" + "".join(rows))
        os.replace(unfinished, self.folder / "records" / "deployments.csv")

    def reports(self) -> list[str]:
        return sorted(path.stem for path in (self.folder / "out").glob("*"))


@pytest.fixture
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Machine:
    report, now = request.param
    (tmp_path / "vpemetrics.toml").write_text(SETTINGS.format(report=report))
    (tmp_path / "records").mkdir()
    machine = Machine(tmp_path, utc(now))
    monkeypatch.setattr("apscheduler.schedulers.base.datetime", machine.clock)
    machine.deploy()
    return machine


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def settle(machine: Machine, heard: Heard, now: str) -> None:
    """Puts the clock forward, and waits until the schedule has done what is due by then."""
    machine.clock.put(utc(now))
    machine.deploy()
    # The next collection may have begun before, and the report is looked after behind the one
    # that did not; when another is done, both are.
    heard.hears("log_collection", heard.count("log_collection") + 3)


# In Dublin clocks went on on 2025-03-30 at 01:00, and back on 2025-10-26 at 02:00.
@pytest.mark.parametrize(
    ("machine", "moments"),
    [
        # 06:00 is an hour earlier than the week before
        (("mon 06:00", "2025-03-29 12:00"),
         [("2025-03-30 12:00", ["W12"]), ("2025-03-31 04:59", ["W12"]),
          ("2025-03-31 05:01", ["W12", "W13"]), ("2025-03-31 06:01", ["W12", "W13"])]),
        # and an hour later
        (("mon 06:00", "2025-10-25 12:00"),
         [("2025-10-26 12:00", ["W42"]), ("2025-10-27 05:01", ["W42"]),
          ("2025-10-27 06:01", ["W42", "W43"]), ("2025-10-27 07:01", ["W42", "W43"])]),
        # 01:30 is skipped: at 02:30, which is 01:30 of before
        (("sun 01:30", "2025-03-29 12:00"),
         [("2025-03-30 00:31", ["W11"]), ("2025-03-30 01:29", ["W11"]),
          ("2025-03-30 01:31", ["W11", "W12"]), ("2025-03-30 03:00", ["W11", "W12"])]),
        # 01:30 comes twice: at the first
        (("sun 01:30", "2025-10-25 12:00"),
         [("2025-10-26 00:29", ["W41"]), ("2025-10-26 00:31", ["W41", "W42"]),
          ("2025-10-26 01:31", ["W41", "W42"])]),
    ],
    indirect=["machine"],
    ids=["monday-after-spring", "monday-after-autumn", "a-time-skipped", "a-time-twice"],
)  # fmt: skip
def test_over_a_change_of_clocks_each_report_comes_once_when_clocks_show_its_time(
    machine: Machine, moments: Sequence[tuple[str, list[str]]]
) -> None:
    with machine.schedule() as heard:
        for now, weeks in moments:
            settle(machine, heard, now)
            assert machine.reports() == [f"2025-{week}" for week in weeks], now

    assert heard.count("log_report") == len(weeks)


@pytest.mark.parametrize("restarted", [False, True], ids=["asleep", "off"])
@pytest.mark.parametrize(
    ("machine", "moments"),
    [
        # over one Monday
        (("mon 06:00", "2025-09-06 12:00"),
         [("2025-09-10 09:00", ["W35", "W36"]), ("2025-09-14 12:00", ["W35", "W36"]),
          ("2025-09-15 05:01", ["W35", "W36", "W37"])]),
        # until just before 06:00
        (("mon 06:00", "2025-09-06 12:00"),
         [("2025-09-08 04:58", ["W35"]), ("2025-09-08 05:01", ["W35", "W36"])]),
        # over five: of those the last
        (("mon 06:00", "2025-09-06 12:00"),
         [("2025-10-08 09:00", ["W35", "W40"]), ("2025-10-13 05:01", ["W35", "W40", "W41"])]),
    ],
    indirect=["machine"],
    ids=["a-monday", "no-monday", "five-mondays"],
)  # fmt: skip
def test_a_missed_monday_is_made_up_for_once(
    machine: Machine, moments: Sequence[tuple[str, list[str]]], restarted: bool
) -> None:
    """Of several that were missed the last is, as docs/operations.md promises."""
    written = 0
    with machine.schedule() as heard:
        settle(machine, heard, "2025-09-06 13:00")
        if not restarted:
            for now, weeks in moments:
                settle(machine, heard, now)
                assert machine.reports() == [f"2025-{week}" for week in weeks], now
        written += heard.count("log_report")
    for now, weeks in moments if restarted else ():
        machine.clock.put(utc(now))
        with machine.schedule() as heard:
            settle(machine, heard, now)
        written += heard.count("log_report")
        assert machine.reports() == [f"2025-{week}" for week in weeks], now

    assert written == len(moments[-1][1])
