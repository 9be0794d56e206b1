"""Forks processes that have everything imported, which takes longer than what most of them do."""

import atexit
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module

from subprocesses import PATIENCE, environment

IMPORTED = (
    "alembic.command", "psycopg", "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite", "vpemetrics.cli", "vpemetrics.store",
    "vpemetrics.collectors.files.collect", "vpemetrics.collectors.git.collect",
    "vpemetrics.collectors.github.collect", "vpemetrics.usecases.collecting",
    "vpemetrics.usecases.files", "vpemetrics.usecases.forgetting",
    "vpemetrics.usecases.setting_up",
)  # fmt: skip
"""Modules that are imported only when they are wanted."""


@dataclass(frozen=True, kw_only=True)
class Nursery:
    """A process that forks others, each of which does as this one would."""

    process: "subprocess.Popen[str]"

    def start(self, function: Callable[..., object], *arguments: object) -> int:
        """A process that calls a function with what JSON can say, by its id."""
        name = f"{function.__module__}:{function.__name__}"
        return self._asked("start", name, arguments, environment(), os.getcwd())

    def ended(self, *processes: int) -> list[int]:
        """Waits for processes; their exit codes, minus the number of what killed them."""
        return [self._asked("wait", process) for process in processes]

    def _asked(self, *what: object) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(what), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())


@cache
def nursery() -> Nursery:
    """The one of these tests, which ends when they do."""
    process = subprocess.Popen(
        [sys.executable, __file__],
        env=environment() | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.communicate)
    return Nursery(process=process)


def _serve() -> None:
    """Does what is asked for on standard input, line by line."""
    for name in IMPORTED:
        import_module(name)
    for line in sys.stdin:
        match json.loads(line):
            case ["start", name, arguments, variables, folder]:
                module, _, function = name.partition(":")
                called = getattr(import_module(module), function)
                process = os.fork()
                if not process:
                    _end_with(partial(_call, called, arguments, variables, folder))
                print(process, flush=True)
            case ["wait", process]:
                _, status = os.waitpid(process, 0)
                print(os.waitstatus_to_exitcode(status), flush=True)


def _call(
    function: Callable[..., object], arguments: list[object], variables: dict[str, str], folder: str
) -> None:
    """Does in this process, which was forked just now, as the one that asked for it would."""
    signal.alarm(PATIENCE)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)  # what was asked and answered is not for it
    os.dup2(nothing, 1)
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    os.chdir(folder)
    function(*arguments)


def _end_with(work: Callable[[], None]) -> None:
    """Ends this process with an exit code as Python itself would."""
    code = 1
    try:
        work()
        code = 0
    except SystemExit as ends:
        code = ends.code if isinstance(ends.code, int) else int(ends.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
