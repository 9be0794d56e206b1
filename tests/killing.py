"""Runs a command in a process that kills itself just before one of its steps.

A step is what others can see of a command: a file that is opened to be written, written, renamed
or removed, a folder that is made, a program that is started, a word to a server, a statement to a
database, the end of a transaction. Steps are counted, so no machine is too fast or too slow.
"""

import os
import secrets
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from nursery import nursery

STEPS = "steps: "
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
SEEN = {"os.rename", "os.remove", "os.mkdir", "sqlite3.connect", "socket.connect",
        "subprocess.Popen"}  # fmt: skip
"""Events of https://docs.python.org/3/library/audit_events.html that are steps."""


class _Done(NamedTuple):
    code: int
    said: str


def run_unharmed(*arguments: object) -> tuple[int, int]:
    """Runs a command to its end: its exit code, and how many steps it took."""
    done = _run(0, *arguments)
    *_, last = done.said.splitlines()
    assert last.startswith(STEPS), done.said
    return done.code, int(last.removeprefix(STEPS))


def kill_before(step: int, *arguments: object) -> bool:
    """Kills a command before one of its steps; tells whether it came so far."""
    done = _run(step, *arguments)
    assert done.code == -signal.SIGKILL or done.said.splitlines()[-1].startswith(STEPS), done.said
    return done.code == -signal.SIGKILL


def steps_of(total: int, kills: int, seed: int) -> Iterator[int]:
    """So many steps of a command, spread over the whole of it, in order."""
    chance = Random(seed)
    for number in range(kills):
        first, last = (1 + total * edge // kills for edge in (number, number + 1))
        yield chance.randrange(first, max(first + 1, last))


def _run(step: int, *arguments: object) -> _Done:
    with NamedTemporaryFile() as said:
        process = nursery().start(run_counted, step, said.name, *map(str, arguments))
        (code,) = nursery().ended(process)
        return _Done(code, Path(said.name).read_text(encoding="utf-8"))


class _Steps:
    """Counts the steps of this process, and kills it before one of them (0: never)."""

    def __init__(self, last: int) -> None:
        self.last, self.count = last, 0

    def take(self, *_what: object) -> None:
        self.count += 1
        if self.count == self.last:
            _die()

    def take_soon(self) -> None:
        """Take a step that comes when what Python does just now is done."""
        self.count += 1
        if self.count == self.last:
            sys.setprofile(_die)  # hears of the next call

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        """The hook for Python's own events."""
        if event == "open":
            flags = arguments[2]
            if isinstance(flags, int) and flags & WRITING:
                self.take()
                self.take_soon()  # it is open, and nothing is written yet
        elif event in SEEN:
            self.take()


def _die(*_what: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run_counted(last: int, said: str, *arguments: str) -> None:
    """Runs a command in this process, which dies before one of the steps, and says what it says."""
    os.dup2(os.open(said, os.O_WRONLY), 2)
    sys.dont_write_bytecode = True  # else a first run would take other steps than the next
    _give_every_store_the_same_key()
    from sqlalchemy import Engine, event

    from vpemetrics.cli import app

    steps = _Steps(last)
    for name in ("before_cursor_execute", "commit"):
        event.listen(Engine, name, steps.take)
    sys.addaudithook(steps.hear)
    try:
        app(list(arguments), prog_name="vpemetrics")
    finally:
        print(f"\n{STEPS}{steps.count}", file=sys.stderr, flush=True)


def _give_every_store_the_same_key() -> None:
    """Have authors look alike in every store, whose keys are the only secrets of 32 bytes."""
    original = secrets.token_hex
    secrets.token_hex = lambda nbytes=None: "0" * 64 if nbytes == 32 else original(nbytes)
