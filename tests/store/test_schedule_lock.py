"""One schedule a store, and who may be it next."""

import signal
import subprocess
import sys
from textwrap import dedent

import pytest
from subprocesses import PATIENCE, environment

from vpemetrics.errors import StoreBusy
from vpemetrics.store.schedule_lock import only_schedule
from vpemetrics.store.store import Store

HOLDING = """
    import sys, time
    from vpemetrics.store.schedule_lock import only_schedule
    with only_schedule(sys.argv[1]):
        print("held", flush=True)
        time.sleep(60)
"""


def holding(location: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", dedent(HOLDING), location]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_schedule_is_refused_until_the_first_has_ended(location: str) -> None:
    with (
        only_schedule(location),
        pytest.raises(StoreBusy, match="already"),
        only_schedule(location),
    ):
        pytest.fail("there are two")
    with only_schedule(location):
        pass


@pytest.mark.slow
def test_a_killed_schedule_leaves_its_place_free(location: str) -> None:
    first = holding(location)
    with pytest.raises(StoreBusy), only_schedule(location):
        pytest.fail("there are two")

    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=PATIENCE)

    with only_schedule(location):
        pass


def test_everybody_else_uses_the_store_meanwhile(location: str) -> None:
    with only_schedule(location), Store.open(location) as store:
        store.save("s", [], cursors={"here": "1"})

        assert store.cursors("s") == {"here": "1"}
