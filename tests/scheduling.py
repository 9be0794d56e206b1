"""Runs a schedule in a process of its own, and hears what it says."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commandline import command_of
from subprocesses import PATIENCE, environment


class Running:
    """A schedule in a process of its own, and what it has said."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process, self._log = process, log

    @property
    def said(self) -> str:
        return self._log.read_text()

    def says(self, pattern: str, times: int = 1) -> str:
        """What it has said when it has said something so often."""
        deadline = time.monotonic() + PATIENCE
        while len(re.findall(pattern, self.said)) < times:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, f"no {pattern!r} in\n{self.said}"
            time.sleep(0.02)
        return self.said

    def has_said(self, pattern: str) -> bool:
        return bool(re.search(pattern, self.said))

    def ends(self, how: signal.Signals) -> int:
        """Its exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout=PATIENCE)


@contextmanager
def schedule(folder: Path, *options: object) -> Iterator[Running]:
    """One of the configuration in force, killed at the end of the block if it still runs."""
    command = command_of("schedule", *options)
    log = folder / f"log{len(list(folder.glob('log*')))}"
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, env=environment(), stderr=stderr, text=True) as it,
    ):
        try:
            yield Running(it, log)
        finally:
            it.kill()
