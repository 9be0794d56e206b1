"""The process of a schedule: one a store, from its start until it is told to stop."""

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Final

from vpemetrics.scheduler.jobs import Schedule
from vpemetrics.scheduler.log import ScheduleLog
from vpemetrics.scheduler.plan import Plan, agenda
from vpemetrics.scheduler.reporting import make_room
from vpemetrics.store import Store
from vpemetrics.store.report_marks import reported_week
from vpemetrics.store.schedule_lock import only_schedule
from vpemetrics.usecases.audit import note_trust

_PATIENCE: Final = timedelta(seconds=5)


def run_schedule(
    plan: Plan, log: ScheduleLog, configuration: Path, clock: Callable[[], datetime]
) -> None:
    """Do what a plan says until the process is interrupted, alone on its store."""
    with Store.open(plan.location) as store:  # so that it is there
        note_trust(store, configuration, os.environ)
    make_room(plan)
    with only_schedule(plan.location):
        _run(plan, log, configuration, clock)


def _run(plan: Plan, log: ScheduleLog, configuration: Path, clock: Callable[[], datetime]) -> None:
    with Store.open(plan.location) as store, store.view() as connection:
        last, reported = store.collections(), reported_week(connection)
    import_module("vpemetrics.reports.charts.library")  # while there is one thread, see there
    schedule = Schedule(plan, log, configuration, clock)
    coming = agenda(plan, last, reported, clock())
    log.log_begin(configuration, coming)
    with suppress(KeyboardInterrupt):
        # Both then interrupt the main thread, which does nothing but wait.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        schedule.start(coming)
        while True:
            time.sleep(timedelta(hours=1).total_seconds())
    _ignore_signals()
    log.log_ending()
    if left := schedule.stop(_PATIENCE):
        # Threads cannot be ended from outside. What they are saving is saved whole or not at
        # all, as when the machine fails.
        log.log_left(left)
        sys.stderr.flush()
        os._exit(0)
    log.log_end()


def _ignore_signals() -> None:
    """Give whoever asks again no other answer; it takes a few seconds at most."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
