"""The demo, made once for all tests that look at it; copy it to change it."""

import atexit
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import NamedTuple

from commandline import spawn

from vpemetrics.demo.acme import ENDS, calendar_before

UNTIL = str(ENDS)
"""The day before which it ends: it keeps the dates that it was made up with."""

CALENDAR = calendar_before(ENDS)


class Made(NamedTuple):
    """The folder of a demo, and what was printed while it was made."""

    folder: Path
    out: str
    said: str


@cache
def made() -> Made:
    """A demo as people make it, gone when the tests are over."""
    parent = Path(mkdtemp(prefix="vpemetrics-demo-"))
    atexit.register(rmtree, parent)
    run = spawn("demo", parent / "acme", "--until", UNTIL)
    assert run.returncode == 0, run.stderr
    return Made(parent / "acme", run.stdout, run.stderr)
