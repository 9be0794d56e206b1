"""Acme's GitHub on this machine: `python -m vpemetrics.simulate.acme.github`.

It prints its address and answers until its input ends.
"""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from vpemetrics.simulate.acme.history import records
from vpemetrics.simulate.acme.plans import ENDS, day_begins
from vpemetrics.simulate.github.from_records import world_of
from vpemetrics.simulate.github.server import SimulatedGitHub

INCIDENTS: Final = "acme/incidents"


def monday_morning() -> datetime:
    """When the made-up organisation is looked at: six hours after its last week."""
    return day_begins(ENDS) + timedelta(hours=6)


@contextmanager
def served() -> Iterator[str]:
    """The address of Acme's GitHub, in a process of its own, while the block lasts."""
    command = [sys.executable, "-m", __name__]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise TypeError("the server is talked to through pipes")
        yield process.stdout.readline().decode().strip()
        process.stdin.close()


def main() -> None:
    """Serves until the input ends."""
    gc.disable()  # what it makes stays; looking through it for garbage took a fifth of its time
    world = world_of(records(), incidents_in=INCIDENTS)
    with SimulatedGitHub(world, clock=monday_morning) as github:
        print(github.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
